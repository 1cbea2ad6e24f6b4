"""Reading what others have written: pickles as plain data, arrays from archives. A file runs nothing and stays small."""
import collections
import gzip
import io
import os
import pickle
import struct
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest
from damage import damaged

from keraflow.datasets import archives
from keraflow.datasets.plainpickle import loads
from keraflow.errors import DataError

OBJECTS = np.empty(3, object)
OBJECTS[:] = [[1, 70000], [], [-1]]
PLAIN = {'labels': [0, 255, 256, 65535, 65536, -1, 2 ** 31, -2 ** 40], 'text': ['a', 'é' * 300], b'key': b'\x80' * 300,
         'rest': (None, True, False, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), 'empty': [{}, []], 5: ['a', 'a', b'b', b'b']}
ARRAYS = [np.arange(6, dtype='u1').reshape(2, 3), np.asfortranarray(np.arange(6.).reshape(2, 3)), np.arange(3, dtype='>i4'),
          np.array([True, False]), np.array(3., 'f4')]


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_plain_data(protocol):
    assert loads(pickle.dumps(PLAIN, protocol)) == PLAIN
    many = {str(number): [number] for number in range(1000)}            # more than one byte of memo
    assert loads(pickle.dumps(many, protocol)) == many


@pytest.mark.parametrize('protocol', [2, 3, 4])
@pytest.mark.parametrize('array', ARRAYS, ids=lambda it: it.dtype.str)
def test_arrays(protocol, array):
    found = loads(pickle.dumps({'data': array}, protocol))['data']
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype and found.shape == array.shape and found.flags.writeable


def test_an_empty_array():
    assert loads(pickle.dumps(np.zeros((0, 3)), 4)).shape == (0, 3)


@pytest.mark.parametrize('protocol', [2, 3, 4])
def test_arrays_of_lists(protocol):
    found = loads(pickle.dumps(OBJECTS, protocol))
    assert found.dtype == object and found.tolist() == OBJECTS.tolist()


def test_strings_of_python_2_are_bytes():
    # What cPickle of Python 2 wrote for {'data': array([[1, 2]], uint8), 'labels': [7], 'long': 'a' * 256}.
    stream = (b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05"
              b"(K\x01K\x01K\x02\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
              b"\x89U\x02\x01\x02tbU\x06labelsq\x08]q\tK\x07aU\x04longT\x00\x01\x00\x00" + b'a' * 256 + b'u.')
    found = loads(stream)
    assert list(found) == [b'data', b'labels', b'long'] and found[b'labels'] == [7] and found[b'long'] == b'a' * 256
    assert found[b'data'].tolist() == [[1, 2]] and found[b'data'].dtype == np.uint8


class Evil:
    """Writes a file when it is unpickled as Python does it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


class WithState:
    """An object with attributes."""

    def __init__(self):
        self.value = 1


def test_nothing_is_run(tmp_path):
    path = str(tmp_path / 'ran')
    stream = pickle.dumps([Evil(path)])
    with pytest.raises(DataError) as caught:
        loads(stream, 'some file')
    assert str(caught.value) == f'some file: the file is damaged or not plain data (it names {os.mkdir.__module__}.mkdir).'
    assert not os.path.exists(path)
    pickle.loads(stream)
    assert os.path.exists(path)                                         # the stream would have run


NDARRAY = b'cnumpy\nndarray\n'
BEGIN = b'cnumpy.core.multiarray\n_reconstruct\n' + NDARRAY + b'K\0\x85C\x01b\x87R'
U1 = b'cnumpy\ndtype\nX\x02\0\0\0u1\x85R'
F8 = b'cnumpy\ndtype\nX\x02\0\0\0f8\x85R'
OBJECT = b'cnumpy\ndtype\nX\x02\0\0\0O8\x85R'
HOSTILE = {
    'an object': (pickle.dumps(WithState(), 2), 'it names test_datasets_reading.WithState'),
    'a known class': (pickle.dumps(collections.OrderedDict(a=1), 4), 'it names collections.OrderedDict'),
    'a set': (pickle.dumps({1, 2}, 4), 'operation 0x8f at byte 11'),
    'a real number': (pickle.dumps(0.5, 4), 'operation 0x47 at byte 11'),
    'protocol 0': (pickle.dumps([1], 0), 'operation 0x6c at byte 1'),
    'protocol 9': (b'\x80\x09N.', 'protocol 9'),
    'an extension': (b'\x80\x02\x82\x01.', 'operation 0x82 at byte 2'),
    'a persistent id': (b'\x80\x02K\x01Q.', 'operation 0x51 at byte 4'),
    'a class called': (b'\x80\x02' + NDARRAY + b'K\x05\x85R.', 'a call of anything but arrays'),
    'another dtype': (b'\x80\x02cnumpy\ndtype\nX\x05\0\0\0u1,u1\x85R.', 'a call of anything but arrays'),
    'a dtype of objects': (b'\x80\x02' + BEGIN + b'(K\x01K\x02\x85' + OBJECT + b'\x89C\x10' + bytes(16) + b'tb.',
                           'an array of lists that has more than one axis'),
    'another byte order': (b'\x80\x02' + U1 + b'(K\x03X\x03\0\0\0f8,NNNK\0K\0K\0tb.', 'a dtype with fields'),
    'another encoding': (b'\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0rot13\x86R.', 'a call of anything but arrays'),
    'too few bytes': (b'\x80\x02' + BEGIN + b'(K\x01K\x09\x85' + U1 + b'\x89C\x01atb.', 'cannot be done'),
    'a shape of text': (b'\x80\x02' + BEGIN + b'(K\x01J\xff\xff\xff\x7fX\x01\0\0\0a\x86' + U1 + b'\x89C\x01atb.',
                        'an array without a shape or dtype'),
    'a dtype that is text': (b'\x80\x02' + BEGIN + b'(K\x01K\x01\x85X\x02\0\0\0u1\x89C\x01atb.', 'an array without a shape or dtype'),
    'an unfinished array': (b'\x80\x02' + BEGIN + b'.', 'it ends too early'),
    'a state for a list': (b'\x80\x02]K\x01b.', 'a state for something that is not an array'),
    'a list twice': (b'\x80\x02]q\0h\0\x86.', 'one list, dict, tuple or array in two places'),
    'a list in itself': (b'\x80\x02]q\0h\0a.', 'one list, dict, tuple or array in two places'),
    'a list as a key': (b'\x80\x02}]K\x01s.', 'a key that is neither text nor a number'),
    'a value for a number': (b'\x80\x02K\x01K\x02a.', 'values for something that is not a list'),
    'items for a number': (b'\x80\x02K\x01(K\x02K\x02u.', 'values for something that is not a dict'),
    'a key without a value': (b'\x80\x02}(K\x02u.', 'values for something that is not a dict'),
    'nothing': (b'', 'operation before byte 0 cannot be done'),
    'no end': (b'\x80\x02K', 'cannot be done'),
    'text cut off': (b'\x80\x02X\xff\xff\xff\xffabc.', 'it ends too early'),
    'bytes cut off': (b'\x80\x02\x8e' + b'\xff' * 8 + b'abc.', 'it ends too early'),
    'an empty stack': (b'\x80\x02a.', 'cannot be done'),
    'an empty memo': (b'\x80\x02h\x05.', 'cannot be done'),
    'no mark': (b'\x80\x02]K\x01e.', 'cannot be done'),
    'a mark left': (b'\x80\x02(N.', 'it ends too early'),
    'two values': (b'\x80\x02NN.', 'it ends too early'),
    'a long integer': (b'\x80\x02\x8a\x09' + bytes(9) + b'.', 'an integer of more than 8 bytes'),
    'no UTF-8': (b'\x80\x02X\x01\0\0\0\xff.', 'cannot be done'),
    'a name without an end': (b'\x80\x02cnumpy', 'cannot be done'),
    'a call of a number': (b'\x80\x02K\x01K\x02R.', 'a call of anything but arrays'),
    'an encoded number': (b'\x80\x02c_codecs\nencode\nK\x01X\x06\0\0\0latin1\x86R.', 'cannot be done'),
}


@pytest.mark.parametrize('stream, reason', HOSTILE.values(), ids=HOSTILE)
def test_streams_that_are_refused(stream, reason):
    with pytest.raises(DataError) as caught:
        loads(stream, 'file')
    assert str(caught.value).startswith('file: the file is damaged or not plain data (') and reason in str(caught.value)


def test_every_prefix_and_every_changed_byte_is_refused_or_plain():
    stream = pickle.dumps({'data': ARRAYS[0], 'labels': [1, 300], 'lists': OBJECTS}, 2)
    variants = [stream[:end] for end in range(len(stream))]
    variants += [stream[:at] + bytes([value]) + stream[at + 1:] for at in range(len(stream)) for value in (0, 40, 46, 98, 104, 255)]
    nb_refused = 0
    for variant in variants:
        try:
            loads(variant)
        except DataError:
            nb_refused += 1
    assert nb_refused > len(stream)                                     # and no other exception


@pytest.mark.parametrize('protocol', [0, 1, 2])
def test_of_damaged_streams_only_refusals_and_plain_data_come(trials, protocol):
    stream = pickle.dumps({'data': ARRAYS[0], 'labels': [1, 300], 'lists': OBJECTS}, protocol)
    for rng in trials(300):
        try:
            loads(damaged(rng, stream))
        except DataError:
            pass


def test_small_streams_make_small_data():
    text = 'a' * 10000
    once = b'\x80\x02c_codecs\nencode\nq\0X' + struct.pack('<I', 10000) + text.encode() + b'q\x01X\x06\0\0\0latin1\x86R'
    stream = once + b'h\0h\x01X\x06\0\0\0latin1\x86R' * 1000 + b'.'
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match='more bytes than the file has'):
            loads(stream)
        with pytest.raises(DataError):
            loads(b'\x80\x02Nr\xff\xff\xff\xff' + b'\x8e\0\0\0\0\0\xff\0\0.')
        assert tracemalloc.get_traced_memory()[1] < 2 ** 20
    finally:
        tracemalloc.stop()


def test_deep_nesting_does_not_exhaust_the_stack():
    found, depth = loads(b'\x80\x02' + b']' * 100000 + b'a' * 99999 + b'.'), 1
    while found:
        found, depth = found[0], depth + 1
    assert depth == 100000


# -- archives -----------------------------------------------------------------------------------------------------------

def npy(header, body=b'', version=(1, 0)):
    header = header.encode() + b'\n'
    return b'\x93NUMPY' + bytes(version) + struct.pack('<H', len(header)) + header + body


def zipped(path, members):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_npz(tmp_path):
    path = tmp_path / 'some.npz'
    np.savez_compressed(path, numbers=ARRAYS[1], lists=OBJECTS, other=np.arange(2))
    numbers, lists = archives.read_npz(path, ['numbers', 'lists'])
    np.testing.assert_array_equal(numbers, ARRAYS[1])
    assert lists.tolist() == OBJECTS.tolist()


@pytest.mark.parametrize('content, text', [
    (npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000,), }", b'abc'),
     'expected 1000000000000 bytes of numbers for shape (1000000000000,), received 3. The file is damaged.'),
    (npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", b'abcd'),
     'expected 3 bytes of numbers for shape (3,), received 4. The file is damaged.'),
    (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps(Evil('never'))),
     f'the file is damaged or not plain data (it names {os.mkdir.__module__}.mkdir).'),
    (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps({'a': 1})), 'this is not an array as NumPy saves it.'),
    (npy("__import__('os').mkdir('never')"), 'this is not an array as NumPy saves it.'),
    (npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0,), }", version=(3, 0)), 'this is not an array as NumPy saves it.'),
    (b'abc', 'this is not an array as NumPy saves it.'),
])
def test_arrays_that_are_refused(tmp_path, content, text):
    path = zipped(tmp_path / 'some.npz', {'x.npy': content})
    with pytest.raises(DataError) as caught:
        archives.read_npz(path, ['x'])
    assert str(caught.value) == f'{path}: x: {text}'
    assert not os.path.exists('never')


def test_an_npz_that_lacks_a_member_or_is_none(tmp_path):
    path = zipped(tmp_path / 'some.npz', {})
    with pytest.raises(DataError) as caught:
        archives.read_npz(path, ['x'])
    assert str(caught.value) == f"{path}: There is no item named 'x.npy' in the archive"
    path.write_bytes(b'abc')
    with pytest.raises(DataError) as caught:
        archives.read_npz(path, ['x'])
    assert str(caught.value) == f'{path}: this is not a complete .npz file (File is not a zip file).'
    with pytest.raises(FileNotFoundError):
        archives.read_npz(tmp_path / 'none.npz', ['x'])


def test_archives_that_unpack_to_more_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, 'MAX_BYTES', 1000)
    path = zipped(tmp_path / 'some.npz', {'x.npy': bytes(1001)})
    with pytest.raises(DataError) as caught:
        archives.read_npz(path, ['x'])
    assert str(caught.value) == f'{path}: x.npy: more than 1000 bytes.'
    path = tmp_path / 'some.gz'
    path.write_bytes(gzip.compress(bytes(1001)))
    with pytest.raises(DataError) as caught:
        archives.read_idx(path)
    assert str(caught.value) == f'{path}: more than 1000 bytes.'
    path = tarred(tmp_path / 'some.tar.gz', {'a': bytes(1001)})
    with pytest.raises(DataError) as caught:
        archives.read_tar(path, ['b'])
    assert str(caught.value) == f'{path}: a: more than 1000 bytes.'


def test_idx(tmp_path):
    path = tmp_path / 'some.gz'
    path.write_bytes(gzip.compress(b'\0\0\x08\x02\0\0\0\x02\0\0\0\x03abcdef'))
    assert archives.read_idx(path).tolist() == [[97, 98, 99], [100, 101, 102]]


@pytest.mark.parametrize('content, text', [
    (gzip.compress(b'\0\0\x08\x01\0\0\0\x03ab'), 'expected 3 bytes of numbers for shape (3,), received 2. The file is damaged.'),
    (gzip.compress(b'\0\0\x0d\x01\0\0\0\x00'), 'this is not an IDX file of bytes.'),
    (gzip.compress(b'\0\0\x08'), 'this is not an IDX file of bytes.'),
    (gzip.compress(b'\0\0\x08\x02\0\0\0\x03'), 'this is not an IDX file of bytes.'),
    (b'abc', "this is not a complete gzip file (Not a gzipped file (b'ab'))."),
    (gzip.compress(b'\0\0\x08\x01\0\0\0\x01a')[:-9],
     'this is not a complete gzip file (Compressed file ended before the end-of-stream marker was reached).'),
], ids=['a value missing', 'real numbers', 'no header', 'a length missing', 'no gzip', 'the end missing'])
def test_idx_files_that_are_refused(tmp_path, content, text):
    path = tmp_path / 'some.gz'
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        archives.read_idx(path)
    assert str(caught.value) == f'{path}: {text}'


def tarred(path, members):
    with tarfile.open(path, 'w:gz') as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, '/etc/passwd'
            else:
                info.size = len(content)
            archive.addfile(info, None if content is None else io.BytesIO(content))
    return path


def test_tar(tmp_path):
    path = tarred(tmp_path / 'some.tar.gz', {'a/b': b'one', '../evil': b'two', '/evil': b'three', 'link': None})
    assert archives.read_tar(path, ['a/b']) == {'a/b': b'one'}
    assert sorted(it.name for it in tmp_path.iterdir()) == ['some.tar.gz'] and not (tmp_path.parent / 'evil').exists()
    with pytest.raises(DataError) as caught:
        archives.read_tar(path, ['a/b', 'link'])
    assert str(caught.value) == f'{path}: there is no file link in it.'


@pytest.mark.parametrize('cut, text', [(0, 'empty file'), (100, 'Compressed file ended')])
def test_a_tar_that_is_cut_off(tmp_path, cut, text):
    path = tarred(tmp_path / 'some.tar.gz', {'a': os.urandom(5000)})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError) as caught:
        archives.read_tar(path, ['a'])
    assert str(caught.value).startswith(f'{path}: this is not a complete tar.gz file ({text}')


@pytest.mark.parametrize('kind', [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_of_a_tar_that_would_fill_the_memory(tmp_path, kind):
    path, header = tmp_path / 'some.tar.gz', tarfile.TarInfo('long')
    header.type, header.size = kind, 2 ** 26
    with gzip.open(path, 'wb', compresslevel=1) as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(2 ** 6):
            file.write(bytes(2 ** 20))
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            archives.read_tar(path, ['a'])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(caught.value) == f'{path}: a header of more than {2 ** 20} bytes, or more than {2 ** 30} bytes in all.'
    assert peak < 2 ** 23


def test_a_member_of_many_steps(tmp_path):
    content = np.random.default_rng(0).bytes(3 * 2 ** 20 + 5)
    assert archives.read_tar(tarred(tmp_path / 'some.tar.gz', {'before': bytes(7), 'a': content}), ['a']) == {'a': content}
