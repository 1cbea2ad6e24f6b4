"""Transforms against bilinear interpolation written out, normalization against its formulas, flows over arrays."""
import math
import sys
import threading

import numpy as np
import pytest

import keraflow
from keraflow import random
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, MissingPackageError
from keraflow.preprocessing.image import ImageDataGenerator, affine_matrix, apply_transform, array_to_img, load_img

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

@pytest.mark.parametrize('changes', [CHANGES, {'horizontal_flip': True}, {'rotation_range': 40.}, {'vertical_flip': True, 'zoom_range': 0.3}])
@pytest.mark.parametrize('nb_channel', [1, 2, 3, 7])
@pytest.mark.parametrize('data_format', ['channels_first', 'channels_last'])
def test_images_and_their_masks_are_changed_alike(changes, nb_channel, data_format):
    masks = np.random.default_rng(3).normal(size=(6, 1, 16, 16))
    images = np.repeat(masks, nb_channel, axis=1)
    alike = {name: value for name, value in changes.items() if name != 'channel_shift_range'}
    x = np.concatenate(list(ImageDataGenerator(**alike, data_format=data_format).flow(
        images if data_format == 'channels_first' else np.moveaxis(images, 1, -1), seed=5, batch_size=4)))
    # What the colours are shifted by is drawn beside the rest: the masks are not shifted.
    y = np.concatenate(list(ImageDataGenerator(**alike).flow(masks, seed=5, batch_size=4)))
    z = np.concatenate(list(ImageDataGenerator(**{**changes, 'channel_shift_range': 1e-9}).flow(images, seed=5, batch_size=3)))
    x = x if data_format == 'channels_first' else np.moveaxis(x, -1, 1)
    np.testing.assert_array_equal(x, np.repeat(y, nb_channel, axis=1))
    np.testing.assert_allclose(z, x, atol=1e-6)


def test_what_is_drawn_for_an_image_does_not_depend_on_it():
    following = []
    for image in (IMAGES[0], IMAGES[0, :1], np.zeros((5, 4, 9))):
        for changes in ({}, CHANGES, {'channel_shift_range': 1.}):
            rng = np.random.default_rng(0)
            ImageDataGenerator(**changes).random_transform(image, rng)
            following.append(rng.random())
    assert len(set(following)) == 1


@pytest.mark.parametrize('function, expected', [
    (lambda x: x - 128, lambda x: x - 128.), (lambda x: x * 2, lambda x: x * 2.), (lambda x: -x, lambda x: -x),
    (lambda x: x ** 2, lambda x: x ** 2), (lambda x: np.subtract(x, 300, out=x), lambda x: x - 300.)])
@pytest.mark.parametrize('dtype', ['uint8', 'int16', 'bool', 'float32', 'float64'])
def test_the_function_is_given_real_numbers_of_its_own(function, expected, dtype):
    images = np.random.default_rng(0).integers(0, 256, (20, 1, 4, 4)).astype(dtype)
    before, given = images.copy(), []

    def recorded(x):
        given.append(x.dtype)
        return function(x)
    generator = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True, preprocessing_function=recorded)
    generator.fit(images)
    by_hand = expected(images.astype(float))
    np.testing.assert_allclose([generator.mean.item(), generator.std.item()], [by_hand.mean(), by_hand.std()], rtol=1e-6)
    found = np.concatenate(list(generator.flow(images, shuffle=False)))
    np.testing.assert_allclose(found, (by_hand - by_hand.mean()) / by_hand.std(), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(generator.standardize(images[0]), found[0], rtol=1e-6)
    assert set(given) == {np.dtype('float32')}
    np.testing.assert_array_equal(images, before)


def test_any_number_of_channels():
    for nb_channel in (2, 5, 12):
        images = np.random.default_rng(0).normal(size=(3, nb_channel, 8, 9))
        generator = ImageDataGenerator(**CHANGES, featurewise_center=True)
        generator.fit(images)
        assert generator.mean.shape == (nb_channel, 1, 1) and next(iter(generator.flow(images))).shape == images.shape


def test_a_flow_is_an_epoch_each_time():
    flow = ImageDataGenerator(horizontal_flip=True).flow(IMAGES, np.arange(10), batch_size=4)
    assert len(flow) == 3
    keraflow.seed(0)
    epochs = [list(flow), list(flow)]
    for epoch in epochs:
        assert [len(x) for x, _ in epoch] == [4, 4, 2] and sorted(np.concatenate([y for _, y in epoch])) == list(range(10))
        for x, y in epoch:
            assert x.dtype == np.float32
            for one, number in zip(x, y):
                assert np.array_equal(one, IMAGES[number]) or np.array_equal(one, IMAGES[number][:, :, ::-1])
    assert [y.tolist() for _, y in epochs[0]] != [y.tolist() for _, y in epochs[1]]
    keraflow.seed(0)
    random.generator().random()
    again = [list(flow), list(flow)]
    for one, other in zip(sum(epochs, []), sum(again, [])):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_flows_are_numbered_by_themselves():
    generator, draws = ImageDataGenerator(**CHANGES), []
    for others in (0, 3):
        keraflow.seed(4)
        first, second = (generator.flow(IMAGES) for _ in range(2))
        with_seed = generator.flow(IMAGES, seed=1)
        third = generator.flow(IMAGES)
        assert [random.Stream().number for _ in range(2)] == [1, 2]     # of models
        draws.append([])
        for flow in (first, second, third, third):
            random.generator().random(others)
            list(with_seed)
            draws[-1].extend(flow)
    np.testing.assert_array_equal(draws[1], draws[0])
    assert len({one.tobytes() for one in draws[0]}) == 4
    orders = [next(iter(ImageDataGenerator().flow(IMAGES, np.arange(10)))) for _ in range(2)]
    expected = [np.random.default_rng([4, number, 0, 1]).permutation(10) for number in (4, 5)]      # seed, number, epoch
    np.testing.assert_array_equal([y for _, y in orders], expected)


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
    def made():
        return ImageDataGenerator(**CHANGES).flow(IMAGES, np.arange(10), batch_size=3)
    with random.using(np.random.default_rng(0)):
        expected, after = list(made()), random.generator().random()
    assert after == np.random.default_rng(0).random()                   # nothing is drawn from there
    with random.using(np.random.default_rng(0)):
        flow, found = made(), []
        random.generator().random(100)
        thread = threading.Thread(target=lambda: found.extend(flow))
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


@pytest.mark.parametrize('call, error, text', [
    (lambda: ImageDataGenerator(zoom_range=1.5), ArgumentError,
     'ImageDataGenerator: zoom_range: expected a number of at least 0 and below 1 or a list (a number above 0 each), received 1.5.'),
    (lambda: ImageDataGenerator(zoom_range=(2, 1)), ArgumentError,
     'ImageDataGenerator: zoom_range: expected a number or (lowest, highest), received (2, 1).'),
    (lambda: ImageDataGenerator(rotation=3), ArgumentTypeError,
     "ImageDataGenerator: there is no argument 'rotation'. Did you mean 'rotation_range'?"),
    (lambda: ImageDataGenerator().flow(IMAGES[0]), DataError,
     'flow: expected images in an array (samples, channels, height, width), received shape (3, 6, 6). Reshape them.'),
    (lambda: ImageDataGenerator().fit(IMAGES[:0]), DataError,
     'fit: expected images in an array (samples, channels, height, width), received shape (0, 3, 6, 6). Reshape them.'),
    (lambda: ImageDataGenerator(data_format='channels_last').fit(IMAGES), DataError,
     'fit: expected images in an array (samples, height, width, channels), received shape (10, 3, 6, 6). '
     "They look as if they had 3 channel(s) on the other side: write data_format='channels_first'."),
    (lambda: ImageDataGenerator().flow(np.zeros((2, 28, 28, 1))), DataError,
     'flow: expected images in an array (samples, channels, height, width), received shape (2, 28, 28, 1). '
     "They look as if they had 1 channel(s) on the other side: write data_format='channels_last'."),
    (lambda: ImageDataGenerator(width_shift_range=1), ArgumentError,
     'ImageDataGenerator: width_shift_range: expected a share of the width (pixels divided by it), at least 0 and below 1, received 1.'),
    (lambda: ImageDataGenerator(height_shift_range=10.), ArgumentError,
     'ImageDataGenerator: height_shift_range: expected a share of the height (pixels divided by it), at least 0 and below 1, received 10.0.'),
    (lambda: ImageDataGenerator(shear_range=20), ArgumentError,
     'ImageDataGenerator: shear_range: expected radians below pi / 2, received 20. Of degrees write math.radians(20).'),
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


def test_packages_that_are_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, 'scipy.ndimage', None)
    with pytest.raises(MissingPackageError, match=r'^ImageDataGenerator needs scipy .* Run: pip install "keraflow\[images\]"\.$'):
        ImageDataGenerator(rotation_range=10).random_transform(IMAGES[0])
    monkeypatch.setitem(sys.modules, 'PIL.Image', None)
    with pytest.raises(MissingPackageError, match=r'^load_img needs PIL .* Run: pip install "keraflow\[images\]"\.$'):
        load_img('some.png')
    assert len(list(ImageDataGenerator(horizontal_flip=True).flow(IMAGES))) == 1     # this needs neither
