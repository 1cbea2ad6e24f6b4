"""``load_data`` of every data set, on small files made on the spot in the layout of the real ones."""
import gzip
import hashlib
import io
import json
import pickle
import struct
import tarfile

import numpy as np
import pytest
from sklearn.datasets import load_digits

from keraflow.datasets import cifar10, digits, fashion_mnist, imdb, mnist
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, ModelFileError

IMAGES = np.arange(5 * 28 * 28, dtype='u4').astype('u1').reshape(5, 28, 28)
LABELS = np.array([3, 1, 4, 1, 5], 'u1')


def pinned(source, path):
    """The source with another file, which is here."""
    content = path.read_bytes()
    return source._replace(url=path.as_uri(), size=len(content), sha256=hashlib.sha256(content).hexdigest())


def check(found, *expected):
    (x_train, y_train), (x_test, y_test) = found
    for one, other in zip((x_train, y_train, x_test, y_test), expected):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.uint8 and one.flags.c_contiguous


# -- images -------------------------------------------------------------------------------------------------------------

def test_mnist(tmp_path, monkeypatch):
    path = tmp_path / 'mnist.npz'
    np.savez(path, x_train=IMAGES[:3], y_train=LABELS[:3], x_test=IMAGES[3:], y_test=LABELS[3:])
    expected = IMAGES[:3], LABELS[:3], IMAGES[3:], LABELS[3:]
    check(mnist.load_data(path), *expected)
    check(mnist.load_data(str(path)), *expected)
    monkeypatch.setenv('KERAFLOW_HOME', str(tmp_path / 'home'))
    monkeypatch.setattr(mnist, 'SOURCE', pinned(mnist.SOURCE, path))
    check(mnist.load_data(), *expected)
    path.unlink()
    check(mnist.load_data(), *expected)
    assert (tmp_path / 'home/datasets/mnist.npz').exists()


def idx(array):
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + struct.pack(f'>{array.ndim}I', *array.shape) + array.tobytes())


def test_fashion_mnist(tmp_path, monkeypatch):
    expected = IMAGES[:3], LABELS[:3], IMAGES[3:], LABELS[3:]
    for source, array in zip(fashion_mnist.SOURCES, expected):
        (tmp_path / source.name).write_bytes(idx(array))
    check(fashion_mnist.load_data(tmp_path), *expected)
    monkeypatch.setenv('KERAFLOW_HOME', str(tmp_path / 'home'))
    monkeypatch.setattr(fashion_mnist, 'SOURCES', [pinned(it, tmp_path / it.name) for it in fashion_mnist.SOURCES])
    check(fashion_mnist.load_data(), *expected)
    assert len(list((tmp_path / 'home/datasets/fashion-mnist').iterdir())) == 4 and len(fashion_mnist.CLASSES) == 10


def python_2(images, labels):
    """A batch as Python 2 wrote it: the keys are byte strings."""
    def text(value):
        return b'U' + bytes([len(value)]) + value
    body = pickle.dumps(images, 2)[2:-1] if len(images) else b'N'
    numbers = b'](' + b''.join(b'K' + bytes([it]) for it in labels) + b'e'
    return b'\x80\x02}(' + text(b'batch_label') + text(b'training batch') + text(b'labels') + numbers + text(b'data') + body + b'u.'


def cifar(path, **changes):
    x, y = np.random.default_rng(0).integers(0, 256, (12, 3072)).astype('u1'), np.arange(12) % 10
    with tarfile.open(path, 'w:gz') as archive:
        for at, name in enumerate(['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch']):
            content = changes.get(name, python_2(x[2 * at:2 * at + 2], y[2 * at:2 * at + 2]))
            info = tarfile.TarInfo(f'cifar-10-batches-py/{name}')
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return x.reshape(12, 3, 32, 32), y


WRONG = {'shape': (IMAGES[:, 1:], LABELS), 'flat': (IMAGES.reshape(5, -1), LABELS), 'reals': (IMAGES / 255, LABELS), 'fewer': (IMAGES, LABELS[1:]),
         'rows': (IMAGES, np.eye(10, dtype='u1')[LABELS]), 'class': (IMAGES, LABELS + 6), 'real labels': (IMAGES, LABELS / 1.),
         'negative': (IMAGES, LABELS.astype('i4') - 2), 'scalar': (np.array(1, 'u1'), LABELS), 'lists': (np.array([[1], [2, 3]], object), LABELS)}


@pytest.mark.parametrize('kind', WRONG)
def test_grey_images_that_are_something_else(tmp_path, kind):
    images, labels = WRONG[kind]
    text = 'expected images of 28 x 28 bytes with a label from 0 to 9 each. The file is damaged, or a different one.'
    path = tmp_path / 'mnist.npz'
    np.savez(path, x_train=IMAGES, y_train=LABELS, x_test=images, y_test=labels)
    with pytest.raises(DataError) as caught:
        mnist.load_data(path)
    assert str(caught.value) == f'{path}: test: {text}'
    if images.dtype != labels.dtype or kind == 'scalar':
        return
    for source, array in zip(fashion_mnist.SOURCES, (images, labels, IMAGES, LABELS)):
        (tmp_path / source.name).write_bytes(idx(array))
    with pytest.raises(DataError) as caught:
        fashion_mnist.load_data(tmp_path)
    assert str(caught.value) == f'{tmp_path / fashion_mnist.SOURCES[0].name}: {text}'


def test_cifar10(tmp_path, monkeypatch):
    path = tmp_path / 'cifar-10-python.tar.gz'
    x, y = cifar(path)
    check(cifar10.load_data(path), x[:10], y[:10], x[10:], y[10:])
    x_last = np.stack([x[:, 0], x[:, 1], x[:, 2]], axis=-1)
    check(cifar10.load_data(path, data_format='channels_last'), x_last[:10], y[:10], x_last[10:], y[10:])
    monkeypatch.setenv('KERAFLOW_HOME', str(tmp_path / 'home'))
    monkeypatch.setattr(cifar10, 'SOURCE', pinned(cifar10.SOURCE, path))
    check(cifar10.load_data(), x[:10], y[:10], x[10:], y[10:])
    assert [it.name for it in (tmp_path / 'home/datasets').iterdir()] == ['cifar-10-python.tar.gz']      # nothing is unpacked
    assert len(cifar10.CLASSES) == 10


GOOD = np.zeros((2, 3072), 'u1')


@pytest.mark.parametrize('content', [
    python_2(GOOD, [1]), python_2(GOOD, [1, 10]), python_2(GOOD.astype('i4'), [1, 2]), python_2(GOOD[:, 1:], [1, 2]), python_2([], []),
    pickle.dumps([1]), pickle.dumps({b'data': GOOD, b'labels': ['a', 'b']}, 4),
])
def test_batches_that_are_refused(tmp_path, content):
    path = tmp_path / 'cifar.tar.gz'
    cifar(path, test_batch=content)
    with pytest.raises(DataError) as caught:
        cifar10.load_data(path)
    assert str(caught.value) == (f'{path}: cifar-10-batches-py/test_batch: expected images of 3 x 32 x 32 bytes with a label from 0 to '
                                 '9 each. The file is damaged.')


def test_a_batch_that_runs_something(tmp_path):
    path = tmp_path / 'cifar.tar.gz'
    cifar(path, data_batch_3=pickle.dumps(print, 2))
    with pytest.raises(DataError) as caught:
        cifar10.load_data(path)
    assert str(caught.value) == (f'{path}: cifar-10-batches-py/data_batch_3: the file is damaged or not plain data '
                                 '(it names __builtin__.print).')


def test_digits():
    data = load_digits()
    (x_train, y_train), (x_test, y_test) = digits.load_data(test_split=0.25, seed=None)
    check(((x_train, y_train), (x_test, y_test)), data.images[:1347], data.target[:1347], data.images[1347:], data.target[1347:])
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8)
    found = sorted([*x.tobytes(), y] for x, y in zip([*x_train, *x_test], [*y_train, *y_test]))
    assert found == sorted([*x.astype('u1').tobytes(), y] for x, y in zip(data.images, data.target))
    np.testing.assert_array_equal(digits.load_data()[1][0], x_test)
    assert not np.array_equal(digits.load_data(seed=1)[1][0], x_test)
    assert not np.array_equal(y_train, data.target[:1437])


@pytest.mark.parametrize('call, text', [
    (lambda: digits.load_data(test_split=1.), 'load_data: test_split: expected a number above 0 and below 1, received 1.0.'),
    (lambda: digits.load_data(seed=-1), 'load_data: seed: expected an integer of at least 0 or None, received -1.'),
    (lambda: cifar10.load_data(data_format='th'),
     "load_data: data_format: expected one of 'channels_first', 'channels_last', received 'th'."),
    (lambda: imdb.load_data(num_words=3), "load_data: there is no argument 'num_words'. Did you mean 'vocabulary_size'?"),
    (lambda: imdb.load_data(vocabulary_size=0), 'load_data: vocabulary_size: expected an integer of at least 1 or None, received 0.'),
    (lambda: imdb.get_word_index(), "get_word_index: the argument 'path' is missing: a string or PathLike."),
])
def test_arguments_that_are_refused(call, text):
    with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
        call()
    assert str(caught.value) == text


# -- reviews ------------------------------------------------------------------------------------------------------------

TRAIN, TEST = [[1, 5, 2], [7, 1], [3, 3, 3, 3]], [[2, 6], [9]]


def objects(lists):
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


@pytest.fixture
def reviews(tmp_path):
    path = tmp_path / 'imdb.npz'
    np.savez(path, x_train=objects(TRAIN), y_train=np.array([1, 0, 1]), x_test=objects(TEST), y_test=np.array([0, 1]))
    return path


@pytest.mark.parametrize('arguments, train, test', [
    ({}, [[1, 4, 8, 5], [1, 10, 4], [1, 6, 6, 6, 6]], [[1, 5, 9], [1, 12]]),
    ({'start_char': None, 'index_from': 0}, TRAIN, TEST),
    ({'vocabulary_size': 9}, [[1, 4, 8, 5], [1, 2, 4], [1, 6, 6, 6, 6]], [[1, 5, 2], [1, 2]]),
    ({'nb_words': 9}, [[1, 4, 8, 5], [1, 2, 4], [1, 6, 6, 6, 6]], [[1, 5, 2], [1, 2]]),       # its old name
    ({'vocabulary_size': 9, 'oov_char': None}, [[1, 4, 8, 5], [1, 4], [1, 6, 6, 6, 6]], [[1, 5], [1]]),
    ({'skip_top': 2}, [[1, 2, 8, 2], [1, 10, 2], [1, 6, 6, 6, 6]], [[1, 2, 9], [1, 12]]),
    ({'skip_top': 2, 'oov_char': None, 'start_char': None}, [[8], [10], [6, 6, 6, 6]], [[9], [12]]),
    ({'index_from': 10, 'start_char': 7, 'oov_char': 8, 'skip_top': 1}, [[7, 8, 15, 12], [7, 17, 8], [7, 13, 13, 13, 13]], [[7, 12, 16], [7, 19]]),
])
def test_imdb(reviews, arguments, train, test):
    (x_train, y_train), (x_test, y_test) = imdb.load_data(reviews, seed=None, **arguments)
    assert [it.tolist() for it in x_train] == train and [it.tolist() for it in x_test] == test
    assert y_train.tolist() == [1, 0, 1] and y_test.tolist() == [0, 1]
    assert {it.dtype for it in x_train + x_test} == {np.dtype('int32')}


@pytest.mark.parametrize('maxlen, start_char, train, y_expected', [
    (4, 1, [[1, 4, 8, 5], [1, 10, 4]], [1, 0]), (3, 1, [[1, 10, 4]], [0]), (3, None, [[4, 8, 5], [10, 4]], [1, 0])])
def test_longer_reviews_are_left_out(reviews, maxlen, start_char, train, y_expected):
    (x_train, y_train), (x_test, _) = imdb.load_data(reviews, seed=None, maxlen=maxlen, start_char=start_char)
    assert [it.tolist() for it in x_train] == train and y_train.tolist() == y_expected and len(x_test) == 2


def test_the_order_of_reviews(tmp_path):
    path = tmp_path / 'imdb.npz'
    lists = [[number] for number in range(1, 101)]
    np.savez(path, x_train=objects(lists), y_train=np.arange(100), x_test=objects(lists), y_test=np.arange(100))
    (x, y), (x_test, y_test) = imdb.load_data(path, start_char=None, index_from=0)
    assert [int(it[0]) for it in x] == (y + 1).tolist() and [int(it[0]) for it in x_test] == (y_test + 1).tolist()
    assert sorted(y) == list(range(100)) and y.tolist() != list(range(100))
    assert imdb.load_data(path)[0][1].tolist() == y.tolist() and imdb.load_data(path, seed=1)[0][1].tolist() != y.tolist()


def test_reviews_that_are_refused(tmp_path, reviews):
    with pytest.raises(DataError) as caught:
        imdb.load_data(reviews, maxlen=1)
    assert str(caught.value) == f'{reviews}: train: no review has at most 1 words. Raise maxlen.'
    path, y = tmp_path / 'other.npz', np.array([0, 1])
    damaged = f'{path}: train: expected a list of numbers for each review, and a label. The file is damaged.'
    for x_train, y_train in [(np.zeros((2, 3)), y), (objects(['a', 'b']), y), (objects([[1], [[2]]]), y), (objects([[1], ['a']]), y), (objects([[1], [1, [2]]]), y), (objects([[1], [2]]), y[:1]),
                             (objects([[1], [2]]), y * 0.5), (objects([[1], []]), objects([[], []]))]:
        np.savez(path, x_train=x_train, y_train=y_train, x_test=objects(TEST), y_test=y)
        with pytest.raises(DataError) as caught:
            imdb.load_data(path)
        assert str(caught.value) == damaged


def test_the_index_of_words(tmp_path):
    path = tmp_path / 'imdb_word_index.json'
    path.write_text(json.dumps({'the': 1, "l'été": 2}))
    assert imdb.get_word_index(path) == {'the': 1, "l'été": 2}
    for content in ('[1]', '{"a": "b"}'):
        path.write_text(content)
        with pytest.raises(DataError) as caught:
            imdb.get_word_index(path)
        assert str(caught.value) == f'{path}: expected an object with a number for each word.'
    path.write_text('{')
    with pytest.raises(ModelFileError):
        imdb.get_word_index(path)
