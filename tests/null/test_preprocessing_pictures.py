"""Image files and folders of them."""
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from keraflow.errors import DataError, KeraFlowWarning
from keraflow.preprocessing.image import ImageDataGenerator, array_to_img, img_to_array, load_img


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


def test_what_is_hidden_is_no_class_and_no_image(folder):
    (folder / '.ipynb_checkpoints').mkdir()
    for path in ('.ipynb_checkpoints/10.png', 'cats/._10.png', 'cats/.trash/11.png'):
        (folder / path).parent.mkdir(exist_ok=True)
        Image.new('RGB', (4, 4)).save(folder / path)
    flow = ImageDataGenerator().flow_from_directory(folder, (4, 4), class_mode='binary')
    assert flow.class_indices == {'cats': 0, 'dogs': 1} and flow.nb_sample == 5


def test_folders_in_folders(folder):
    for path in ('dogs/small/old/1.png', 'dogs/small/2.PNG', 'dogs/large/3.png'):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (4, 4)).save(folder / path)
    (folder / 'dogs' / 'large' / 'again').symlink_to(folder / 'dogs', target_is_directory=True)
    flow = ImageDataGenerator().flow_from_directory(folder, (4, 4), classes=['dogs'], class_mode=None)
    assert flow.filenames == ['dogs/200.png', 'dogs/210.png', 'dogs/large/3.png', 'dogs/small/2.PNG', 'dogs/small/old/1.png']
    assert next(iter(flow)).shape == (5, 3, 4, 4)


def test_a_class_without_images_is_reported(folder):
    (folder / 'cows').mkdir()
    with pytest.warns(KeraFlowWarning) as caught:
        flow = ImageDataGenerator().flow_from_directory(folder, (4, 4))
    assert [str(it.message) for it in caught] == [f"{folder}: there are no images of the class 'cows'."]
    assert flow.class_indices == {'cats': 0, 'cows': 1, 'dogs': 2} and next(iter(flow))[1].shape == (5, 3)


@pytest.mark.parametrize('turn, held', [(1, lambda it: it), (3, lambda it: np.rot90(it, 2)), (6, lambda it: np.rot90(it, -1)),
                                        (8, np.rot90), (2, np.fliplr), (4, np.flipud), (5, np.transpose)])
def test_cameras_that_were_turned(tmp_path, turn, held):
    pixels = np.zeros((16, 24), 'uint8')
    pixels[:8, :8] = 200
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[274] = turn
    image.save(tmp_path / 'turned.png', exif=exif)
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / 'turned.png', grayscale=True))[0], held(pixels))


@pytest.mark.parametrize('dtype, ending', [('uint16', 'png'), ('uint16', 'tif'), ('int32', 'tif'), ('float32', 'tif')])
def test_numbers_above_255_are_kept(tmp_path, dtype, ending):
    pixels = np.linspace(0, 60000, 48).reshape(6, 8).astype(dtype)
    (tmp_path / 'a').mkdir()
    Image.fromarray(pixels).save(tmp_path / 'a' / f'wide.{ending}')
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / 'a' / f'wide.{ending}'))[0], pixels)
    for color_mode, nb_channel in (('rgb', 3), ('grayscale', 1)):
        for data_format, axis in (('channels_first', 1), ('channels_last', 3)):
            x, = ImageDataGenerator(data_format=data_format).flow_from_directory(tmp_path, (6, 8), color_mode, class_mode=None)
            np.testing.assert_array_equal(x, np.repeat(np.expand_dims(pixels[None], axis), nb_channel, axis))


def colour_of_16_bits(path):
    """Write a PNG file, which Pillow cannot."""
    def chunk(name, data):
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
    rows = b''.join(b'\0' + struct.pack('>6H', *range(row * 6000, (row + 1) * 6000, 1000)) for row in range(3))
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 2, 3, 16, 2, 0, 0, 0)) +
                     chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def test_bits_that_are_lost_are_told(tmp_path):
    colour_of_16_bits(tmp_path / 'colour.png')
    with pytest.warns(KeraFlowWarning) as caught:
        assert img_to_array(load_img(tmp_path / 'colour.png'))[:, 0, 0].tolist() == [0, 1000 // 256, 2000 // 256]
    assert [str(it.message) for it in caught] == [
        'load_img: of colour images with 16 bits a channel, Pillow reads the upper 8. To keep them, save an image in grey for '
        'each channel, or an array (numpy.save).']


@pytest.mark.parametrize('ending', ['png', 'jpg', 'bmp', 'gif', 'tif'])
def test_a_file_of_which_a_part_is_missing_is_named(tmp_path, ending):
    path = tmp_path / f'cut.{ending}'
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50, 3)).astype('uint8')).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError) as caught:
        load_img(path)
    assert str(caught.value).startswith(f'{path}: the image cannot be read as a whole (')


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
    assert str(caught.value) == f'{path}: this is not an image.'
    with pytest.raises(FileNotFoundError):
        load_img(tmp_path / 'none.png')
