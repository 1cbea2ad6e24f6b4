"""Transforms against bilinear interpolation written out, normalization against its formulas, flows over arrays and files."""
import math
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from keraflow import random
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, MissingPackageError
from keraflow.preprocessing.image import (ImageDataGenerator, affine_matrix, apply_transform, array_to_img,
                                          img_to_array, load_img)

IMAGE = np.random.default_rng(0).normal(size=(3, 6, 7))
IMAGES = np.random.default_rng(1).normal(2, 3, size=(10, 3, 6, 6)).astype('float32')


# -- transforms ---------------------------------------------------------------------------------------------------------

def bilinear(channel, matrix, outside):
    """The transformed channel, pixel by pixel; `outside(index, length)` is the index to read, or None for nothing."""
    height, width = channel.shape
    centre = (height - 1) / 2, (width - 1) / 2
    result = np.zeros_like(channel)
    for row, column in np.ndindex(height, width):
        y, x = (matrix @ [row - centre[0], column - centre[1], 1])[:2] + centre
        for top, left in np.ndindex(2, 2):
            near_y, near_x = math.floor(y) + top, math.floor(x) + left
            weight = (1 - abs(y - near_y)) * (1 - abs(x - near_x))
            near_y, near_x = outside(near_y, height), outside(near_x, width)
            if near_y is not None and near_x is not None:
                result[row, column] += weight * channel[near_y, near_x]
    return result


OUTSIDE = {
    'nearest': lambda at, length: min(max(at, 0), length - 1),
    'wrap': lambda at, length: at % length,
    'reflect': lambda at, length: min(at % (2 * length), 2 * length - 1 - at % (2 * length)),
}
MATRICES = {'rotation': {'rotation': 0.3}, 'shift': {'shift': (1.25, -2.5)}, 'shear': {'shear': 0.4}, 'zoom': {'zoom': (0.7, 1.4)},
            'all': {'rotation': -0.5, 'shift': (0.3, 1.1), 'shear': 0.2, 'zoom': (1.2, 0.9)}}


@pytest.mark.parametrize('fill_mode', OUTSIDE)
@pytest.mark.parametrize('name', MATRICES)
def test_transforms(name, fill_mode):
    matrix = affine_matrix(**MATRICES[name])
    expected = [bilinear(channel, matrix, OUTSIDE[fill_mode]) for channel in IMAGE]
    np.testing.assert_allclose(apply_transform(IMAGE, matrix, fill_mode), expected, atol=1e-12)


def test_the_order_of_the_parts():
    def inner(a):
        return affine_matrix(**a)
    parts = MATRICES['all']
    expected = inner({'rotation': parts['rotation']}) @ inner({'shift': parts['shift']}) @ inner({'shear': parts['shear']}) @ \
        inner({'zoom': parts['zoom']})
    np.testing.assert_allclose(affine_matrix(**parts), expected, atol=1e-15)
    np.testing.assert_allclose(affine_matrix(shear=0.4), [[1, -math.sin(0.4), 0], [0, math.cos(0.4), 0], [0, 0, 1]])


def test_directions():
    square = IMAGE[:, :, :6]
    np.testing.assert_allclose(apply_transform(square, affine_matrix(math.pi / 2)), np.rot90(square, -1, (1, 2)), atol=1e-12)
    moved = apply_transform(IMAGE, affine_matrix(shift=(1, 2)), 'wrap')
    np.testing.assert_allclose(moved, np.roll(IMAGE, (-1, -2), (1, 2)), atol=1e-12)
    constant = apply_transform(IMAGE, affine_matrix(shift=(0, 3)), 'constant', cval=9.)
    np.testing.assert_allclose(constant[:, :, :4], IMAGE[:, :, 3:], atol=1e-12)
    assert (constant[:, :, 4:] == 9).all()
    assert apply_transform(IMAGE, affine_matrix()) is IMAGE


# -- changes at random --------------------------------------------------------------------------------------------------

def test_no_change_is_no_change():
    np.testing.assert_array_equal(ImageDataGenerator().random_transform(IMAGES[0]), IMAGES[0])
    np.testing.assert_array_equal(ImageDataGenerator().standardize(IMAGES[0]), IMAGES[0])


@pytest.mark.parametrize('arguments, sizes', [
    ({'rotation_range': 30.}, {'rotation': math.radians(30)}), ({'height_shift_range': 0.5}, {'down': 3.}),
    ({'width_shift_range': 0.5}, {'right': 3.}), ({'shear_range': 0.3}, {'shear': 0.3}),
    ({'zoom_range': 0.4}, {'zoom': (0.6, 1.4)}), ({'zoom_range': (1., 2.)}, {'zoom': (1., 2.)})])
def test_changes_stay_within_their_range_and_fill_it(arguments, sizes, monkeypatch):
    found = []

    def record(rotation, shift, shear, zoom):
        found.append({'rotation': rotation, 'down': shift[0], 'right': shift[1], 'shear': shear, 'rows': zoom[0], 'columns': zoom[1]})
        return np.eye(3)
    monkeypatch.setattr('keraflow.preprocessing.image.affine_matrix', record)
    generator, rng = ImageDataGenerator(**arguments), np.random.default_rng(0)
    for _ in range(300):
        generator.random_transform(IMAGES[0], rng)
    zoom = sizes.get('zoom', (1., 1.))
    limits = {name: (-sizes.get(name, 0.), sizes.get(name, 0.)) for name in ('rotation', 'down', 'right', 'shear')}
    for name, (low, high) in {**limits, 'rows': zoom, 'columns': zoom}.items():
        values = [one[name] for one in found]
        assert low <= min(values) <= low + 0.05 * (high - low) and high - 0.05 * (high - low) <= max(values) <= high


@pytest.mark.parametrize('arguments, flipped', [({'horizontal_flip': True}, lambda it: it[:, :, ::-1]), ({'vertical_flip': True}, lambda it: it[:, ::-1])])
def test_every_other_image_is_mirrored(arguments, flipped):
    generator, rng, nb_flipped = ImageDataGenerator(**arguments), np.random.default_rng(0), 0
    for _ in range(200):
        found = generator.random_transform(IMAGES[0], rng)
        if np.array_equal(found, flipped(IMAGES[0])):
            nb_flipped += 1
        else:
            np.testing.assert_array_equal(found, IMAGES[0])
    assert 65 < nb_flipped < 135                                        # 5 standard deviations


def test_channels_are_shifted_within_the_range_of_the_image():
    generator, rng = ImageDataGenerator(channel_shift_range=0.5), np.random.default_rng(0)
    found = generator.random_transform(IMAGES[0], rng) - IMAGES[0]
    shifts = np.median(found, axis=(1, 2), keepdims=True)
    assert 0 < np.abs(shifts).max() <= 0.5 and len(set(shifts.ravel().tolist())) == 3
    np.testing.assert_allclose(found, np.clip(IMAGES[0] + shifts, IMAGES[0].min(), IMAGES[0].max()) - IMAGES[0], atol=1e-6)


CHANGES = {'rotation_range': 20., 'width_shift_range': 0.2, 'height_shift_range': 0.1, 'shear_range': 0.1, 'zoom_range': 0.2,
           'channel_shift_range': 0.3, 'horizontal_flip': True, 'vertical_flip': True}


def test_both_formats_give_the_same_numbers():
    first = ImageDataGenerator(**CHANGES, samplewise_center=True, featurewise_center=True, featurewise_std_normalization=True)
    last = ImageDataGenerator(**CHANGES, samplewise_center=True, featurewise_center=True, featurewise_std_normalization=True,
                              data_format='channels_last')
    moved = np.moveaxis(IMAGES, 1, -1)
    first.fit(IMAGES, augment=True, rounds=2, seed=5)
    last.fit(moved, augment=True, rounds=2, seed=5)
    for one, other in zip(first.flow(IMAGES, seed=3), last.flow(moved, seed=3)):
        assert one.shape == (10, 3, 6, 6) and other.shape == (10, 6, 6, 3)
        np.testing.assert_allclose(np.moveaxis(other, -1, 1), one, rtol=1e-4, atol=1e-5)


# -- normalization ------------------------------------------------------------------------------------------------------

def test_normalization_of_each_image():
    generator = ImageDataGenerator(samplewise_center=True, samplewise_std_normalization=True, rescale=0.5,
                                   preprocessing_function=np.abs)
    half = np.abs(IMAGES[0]) * 0.5
    np.testing.assert_allclose(generator.standardize(IMAGES[0]), (half - half.mean()) / half.std(), rtol=1e-4, atol=1e-5)


def test_normalization_over_the_data_set():
    generator = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    generator.fit(IMAGES)
    found = np.stack([generator.standardize(one) for one in IMAGES])
    np.testing.assert_allclose(found.mean(axis=(0, 2, 3)), np.zeros(3), atol=1e-5)
    np.testing.assert_allclose(found.std(axis=(0, 2, 3)), np.ones(3), rtol=1e-5)
    channel = IMAGES[:, 1]
    np.testing.assert_allclose(found[:, 1], (channel - channel.mean()) / channel.std(), rtol=1e-4, atol=1e-5)


def test_whitening_removes_correlations():
    rng = np.random.default_rng(0)
    images = (rng.normal(size=(500, 8)) @ rng.normal(size=(8, 8))).reshape(500, 1, 2, 4)
    generator = ImageDataGenerator(featurewise_center=True, zca_whitening=True)
    generator.fit(images)
    flat = np.stack([generator.standardize(one) for one in images]).reshape(500, 8).astype(float)
    np.testing.assert_allclose(flat.T @ flat / 500, np.eye(8), atol=2e-3)
    np.testing.assert_allclose(generator.principal_components, generator.principal_components.T, atol=1e-9)


# -- flows --------------------------------------------------------------------------------------------------------------

def test_a_flow_is_an_epoch_each_time():
    flow = ImageDataGenerator(horizontal_flip=True).flow(IMAGES, np.arange(10), batch_size=4)
    assert len(flow) == 3
    with random.using(np.random.default_rng(0)):
        epochs = [list(flow), list(flow)]
    for epoch in epochs:
        assert [len(x) for x, _ in epoch] == [4, 4, 2] and sorted(np.concatenate([y for _, y in epoch])) == list(range(10))
        for x, y in epoch:
            assert x.dtype == np.float32
            for one, number in zip(x, y):
                assert np.array_equal(one, IMAGES[number]) or np.array_equal(one, IMAGES[number][:, :, ::-1])
    assert [y.tolist() for _, y in epochs[0]] != [y.tolist() for _, y in epochs[1]]
    with random.using(np.random.default_rng(0)):
        again = [list(flow), list(flow)]
    for one, other in zip(sum(epochs, []), sum(again, [])):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_a_seed_of_its_own():
    generator = ImageDataGenerator(**CHANGES)
    first, second = [[*generator.flow(IMAGES, seed=7)] for _ in range(2)]
    np.testing.assert_array_equal(first, second)
    flow = generator.flow(IMAGES, seed=7)
    np.testing.assert_array_equal([*flow], first)
    assert not np.array_equal([*flow], first)                           # the next epoch


def test_without_shuffling_or_targets():
    flow = ImageDataGenerator().flow(IMAGES, batch_size=4, shuffle=False)
    np.testing.assert_array_equal(np.concatenate(list(flow)), IMAGES)


def test_what_is_drawn_does_not_depend_on_who_fetches():
    flow = ImageDataGenerator(**CHANGES).flow(IMAGES, np.arange(10), batch_size=3)
    with random.using(np.random.default_rng(0)):
        expected, after = list(flow), random.generator().random()
    with random.using(np.random.default_rng(0)):
        batches, found = iter(flow), []
        thread = threading.Thread(target=lambda: found.extend(batches))
        assert random.generator().random() == after                     # nothing more is drawn from here
        thread.start()
        thread.join()
    for one, other in zip(found, expected):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
    assert len(found) == 4


def test_an_array_that_is_mapped_from_a_file(tmp_path):
    np.save(tmp_path / 'x.npy', (IMAGES * 10).astype('uint8'))
    flow = ImageDataGenerator(rescale=0.1).flow(np.load(tmp_path / 'x.npy', mmap_mode='r'), shuffle=False)
    np.testing.assert_allclose(np.concatenate(list(flow)), (IMAGES * 10).astype('uint8') * 0.1, rtol=1e-6)


@pytest.fixture
def folder(tmp_path):
    """Two classes with three and two images of one colour each, and things that are none."""
    for name, colours in {'cats': [10, 20, 30], 'dogs': [200, 210]}.items():
        (tmp_path / name).mkdir()
        for colour in colours:
            Image.new('RGB', (8, 6), (colour, 0, 0)).save(tmp_path / name / f'{colour}.png')
    (tmp_path / 'cats' / 'notes.txt').write_text('no image')
    (tmp_path / 'list.txt').write_text('no folder')
    return tmp_path


@pytest.mark.parametrize('class_mode, targets', [
    ('categorical', [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]]), ('binary', [[0], [0], [0], [1], [1]]), ('sparse', [[0], [0], [0], [1], [1]])])
def test_folders(folder, class_mode, targets):
    flow = ImageDataGenerator().flow_from_directory(folder, (4, 5), class_mode=class_mode, batch_size=2, shuffle=False)
    assert flow.class_indices == {'cats': 0, 'dogs': 1} and flow.classes.tolist() == [0, 0, 0, 1, 1] and len(flow) == 3
    assert [it.replace('\\', '/') for it in flow.filenames] == ['cats/10.png', 'cats/20.png', 'cats/30.png', 'dogs/200.png', 'dogs/210.png']
    x, y = [np.concatenate(arrays) for arrays in zip(*flow)]
    assert x.shape == (5, 3, 4, 5) and y.tolist() == targets
    np.testing.assert_array_equal(x[:, 0], np.broadcast_to(np.array([10, 20, 30, 200, 210.])[:, None, None], (5, 4, 5)))
    assert (x[:, 1:] == 0).all()
    assert y.dtype == (np.int32 if class_mode == 'sparse' else np.float32)


def test_folders_in_another_order_and_grey(folder):
    generator = ImageDataGenerator(data_format='channels_last')
    flow = generator.flow_from_directory(folder, (6, 8), 'grayscale', classes=['dogs'], class_mode=None, shuffle=False)
    x, = flow
    assert x.shape == (2, 6, 8, 1) and x[:, 0, 0, 0].tolist() == [round(200 * 0.299), round(210 * 0.299)]
    assert flow.class_indices == {'dogs': 0}
    shuffled = generator.flow_from_directory(folder, (6, 8), seed=0, batch_size=5)
    assert next(iter(shuffled))[1].shape == (5, 2)


def test_images_and_arrays(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 4)).astype('float32')
    array_to_img(pixels, scale=False).save(tmp_path / 'colour.png')
    image = load_img(tmp_path / 'colour.png')
    assert image.mode == 'RGB' and image.size == (4, 5)
    np.testing.assert_array_equal(img_to_array(image), pixels)
    np.testing.assert_array_equal(img_to_array(image, 'channels_last'), pixels.transpose(1, 2, 0))
    assert load_img(tmp_path / 'colour.png', grayscale=True, target_size=(7, 3)).size == (3, 7)
    grey = np.array([[[-1., 0.], [1., 3.]]])
    np.testing.assert_array_equal(img_to_array(array_to_img(grey)), [[[0, 64], [128, 255]]])
    np.testing.assert_array_equal(img_to_array(array_to_img(grey[0][..., None], 'channels_last')), [[[0, 64], [128, 255]]])
    assert img_to_array(array_to_img(np.ones((1, 2, 2)))).max() == 0


@pytest.mark.parametrize('call, error, text', [
    (lambda: ImageDataGenerator(zoom_range=1.5), ArgumentError,
     'ImageDataGenerator: zoom_range: expected a number of at least 0 and below 1 or a list (a number above 0 each), received 1.5.'),
    (lambda: ImageDataGenerator(zoom_range=(2, 1)), ArgumentError,
     'ImageDataGenerator: zoom_range: expected a number or (lowest, highest), received (2, 1).'),
    (lambda: ImageDataGenerator(rotation=3), ArgumentTypeError,
     "ImageDataGenerator: there is no argument 'rotation'. Did you mean 'rotation_range'?"),
    (lambda: ImageDataGenerator().flow(IMAGES[0]), DataError,
     'flow: expected images of 1, 3 or 4 channels in an array (samples, channels, height, width), received shape (3, 6, 6). '
     'Reshape them, or pass another data_format.'),
    (lambda: ImageDataGenerator(data_format='channels_last').fit(IMAGES), DataError,
     'fit: expected images of 1, 3 or 4 channels in an array (samples, height, width, channels), received shape (10, 3, 6, 6). '
     'Reshape them, or pass another data_format.'),
    (lambda: ImageDataGenerator().flow(IMAGES, [1, 2]), DataError, 'flow: expected a target for each of 10 images, received 2.'),
    (lambda: ImageDataGenerator().flow(IMAGES, batch_size=0), ArgumentError, 'flow: batch_size: expected an integer of at least 1, received 0.'),
    (lambda: ImageDataGenerator(featurewise_center=True, zca_whitening=True).flow(IMAGES), DataError,
     'ImageDataGenerator: featurewise_center, zca_whitening: mean and deviation of the data set are not known. Call fit(x) first.'),
    (lambda: array_to_img(np.zeros((2, 3, 4))), DataError,
     'array_to_img: expected an image with 1 or 3 channels, received shape (2, 3, 4) (channels_first).'),
    (lambda: array_to_img(np.zeros((2, 3)), 'channels_last'), DataError,
     'array_to_img: expected an image with 1 or 3 channels, received shape (2, 3) (channels_last).'),
])
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


def test_folders_that_are_refused(folder, tmp_path):
    generator = ImageDataGenerator()
    with pytest.raises(DataError) as caught:
        generator.flow_from_directory(folder / 'cats')
    assert str(caught.value) == (f'{folder / "cats"}: there are no images. Put those of each class into a folder of its own, as '
                                 'CLASS/NAME with an ending of .bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp.')
    with pytest.raises(DataError) as caught:
        generator.flow_from_directory(folder / 'none')
    assert str(caught.value) == f'{folder / "none"}: there is no such folder. Pass one that has a folder of images for each class.'
    with pytest.raises(DataError) as caught:
        generator.flow_from_directory(folder, classes=['cats', 'cows'])
    there = ', '.join(sorted(it.name for it in folder.iterdir() if it.is_dir()))
    assert str(caught.value) == f"{folder}: there is no folder for the class 'cows'. The folders are {there}."
    with pytest.raises(DataError) as caught:
        generator.flow_from_directory(folder, classes=['cats'], class_mode='binary')
    assert str(caught.value) == f"{folder}: class_mode 'binary' needs 2 classes, there are 1 (cats). Write class_mode='categorical'."
    path = tmp_path / 'cats' / '10.png'
    path.write_bytes(b'no image')
    with pytest.raises(DataError) as caught:
        next(iter(generator.flow_from_directory(folder, shuffle=False)))
    assert str(caught.value).startswith(f'{path}: this is no image (cannot identify image file')
    with pytest.raises(FileNotFoundError):
        load_img(tmp_path / 'none.png')


def test_packages_that_are_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, 'scipy.ndimage', None)
    with pytest.raises(MissingPackageError, match=r'^ImageDataGenerator needs scipy .* Run: pip install "keraflow\[images\]"\.$'):
        ImageDataGenerator(rotation_range=10).random_transform(IMAGES[0])
    monkeypatch.setitem(sys.modules, 'PIL.Image', None)
    with pytest.raises(MissingPackageError, match=r'^load_img needs PIL .* Run: pip install "keraflow\[images\]"\.$'):
        load_img('some.png')
    assert len(list(ImageDataGenerator(horizontal_flip=True).flow(IMAGES))) == 1     # this needs neither
