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

from keraflow.datasets import archives, containers, imdb, plainpickle
from keraflow.datasets.plainpickle import loads
from keraflow.errors import DataError, ModelFileError
from keraflow.files import zips

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


def test_a_string_in_many_arrays_does_not_multiply():
    """The content of each array is fetched from the memo: 556 kB made 993 MiB."""
    content = b'B' + struct.pack('<I', 10000) + bytes(10000)
    first = b'(K\x01M\x10\x27\x85' + U1 + b'q\x01\x89' + content + b'q\x02tb'
    again = b'(K\x01M\x10\x27\x85h\x01\x89h\x02tb'
    stream = b'\x80\x02](' + BEGIN + first + (BEGIN + again) * 5000 + b'e.'
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match='more bytes than the file has'):
            loads(stream)
        assert tracemalloc.get_traced_memory()[1] < 5 * len(stream)
    finally:
        tracemalloc.stop()
    assert len(loads(b'\x80\x02](' + BEGIN + first + BEGIN + again + b'e.')) == 2


@pytest.mark.parametrize('one', [b']', b'}', b'N\x85', b'}K\0K\0s', b'K\0\x85'])
def test_empty_lists_and_dicts_do_not_multiply(one):
    stream = b'\x80\x02](' + one * 500_000 + b'e.'
    with pytest.raises(DataError, match='more lists, dicts and tuples than a data set has'):
        loads(stream)
    assert len(loads(b'\x80\x02](' + one * 50_000 + b'e.')) == 50_000


@pytest.mark.parametrize('shape', [(2 ** 62, 0), (0,) + (2,) * 32, (0, 2 ** 32, 2 ** 32), (-1, -6), (-6, -1)])
def test_shapes_that_no_array_can_have(shape):
    with pytest.raises(DataError) as caught:
        plainpickle.as_array(bytes(6) if 0 not in shape else b'', np.dtype('u1'), shape, False, 'file')
    assert str(caught.value) == 'file: this is not the shape of an array. The file is damaged.'


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
    assert str(caught.value) == f'{path}: expected one member x.npy, found 0. The file is damaged, or a different one.'
    path.write_bytes(b'abc')
    with pytest.raises(DataError) as caught:
        archives.read_npz(path, ['x'])
    assert str(caught.value) == f'{path}: this is not a complete .npz file. Download it again.'
    with pytest.raises(FileNotFoundError):
        archives.read_npz(tmp_path / 'none.npz', ['x'])


@pytest.mark.parametrize('limit', ['MAX_BYTES', 'MAX_RATIO'])
def test_archives_that_unpack_to_more_than_the_limit(tmp_path, monkeypatch, limit):
    """More than all may have, or than so short a file may have; and a twin that does not."""
    kind = {'MAX_BYTES': (10 ** 5, 100), 'MAX_RATIO': (2 ** 30, 2)}[limit]
    for module, name, value in zip((containers, zips, zips), ('MAX_BYTES', 'MAX_RATIO', '_FREE_BYTES'), (*kind, 0)):
        monkeypatch.setattr(module, name, value)
    body = np.random.default_rng(0).bytes(kind[0] // 2 if limit == 'MAX_BYTES' else 2 ** 20)
    content = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }" % len(body), body)
    assert len(archives.read_npz(zipped(tmp_path / 'some.npz', {'x.npy': content}), ['x'])[0]) == len(body)
    for shown, path, call in (
            ('x.npy', zipped(tmp_path / 'some.npz', {'x.npy': bytes(10 ** 5 + 1)}), lambda path: archives.read_npz(path, ['x'])),
            ('', gzipped(tmp_path / 'some.gz', bytes(10 ** 5 + 1)), archives.read_idx),
            ('', tarred(tmp_path / 'some.tar.gz', {'a': bytes(10 ** 5)}), lambda path: containers.read_tar(path, ['a']))):
        with pytest.raises(DataError, match=f'{shown}: it unpacks to more than [0-9]+ bytes, which are too many for [0-9]+. ') as caught:
            call(path)
        assert str(caught.value).startswith(str(path)) and str(caught.value).endswith('The file is damaged, or a different one.')


def gzipped(path, content):
    path.write_bytes(gzip.compress(content))
    return path


def test_idx(tmp_path):
    path = tmp_path / 'some.gz'
    path.write_bytes(gzip.compress(b'\0\0\x08\x02\0\0\0\x02\0\0\0\x03abcdef'))
    assert archives.read_idx(path).tolist() == [[97, 98, 99], [100, 101, 102]]


@pytest.mark.parametrize('content, text', [
    (gzip.compress(b'\0\0\x08\x01\0\0\0\x03ab'), 'expected 3 bytes of numbers for shape (3,), received 2. The file is damaged.'),
    (gzip.compress(b'\0\0\x0d\x01\0\0\0\x00'), 'this is not an IDX file of bytes.'),
    (gzip.compress(b'\0\0\x08'), 'this is not an IDX file of bytes.'),
    (gzip.compress(b'\0\0\x08\x02\0\0\0\x03'), 'this is not an IDX file of bytes.'),
    (b'abc', 'this is not a complete gzip file. Download it again.'),
    (gzip.compress(b'\0\0\x08\x01\0\0\0\x01a')[:-9],
     'this is not a complete gzip file. Download it again.'),
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
    assert containers.read_tar(path, ['a/b']) == {'a/b': b'one'}
    assert sorted(it.name for it in tmp_path.iterdir()) == ['some.tar.gz'] and not (tmp_path.parent / 'evil').exists()
    with pytest.raises(DataError) as caught:
        containers.read_tar(path, ['a/b', 'link'])
    assert str(caught.value) == f'{path}: there is no file link in it.'


@pytest.mark.parametrize('cut', [0, 1, 100, 3000, -1])
def test_a_tar_that_is_cut_off(tmp_path, cut):
    path = tarred(tmp_path / 'some.tar.gz', {'a': os.urandom(5000)})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError) as caught:
        containers.read_tar(path, ['a'])
    assert str(caught.value) == f'{path}: this is not a complete gzip file. Download it again.'


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
        with pytest.raises(DataError, match='it unpacks to more than'):
            containers.read_tar(path, ['a'])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 110 * path.stat().st_size + 2 ** 21


def test_a_member_of_many_steps(tmp_path):
    content = np.random.default_rng(0).bytes(3 * 2 ** 20 + 5)
    assert containers.read_tar(tarred(tmp_path / 'some.tar.gz', {'before': bytes(7), 'a': content}), ['a']) == {'a': content}


@pytest.mark.parametrize('form', [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tars_of_other_programs(tmp_path, form):
    (tmp_path / 'a').write_bytes(b'one')
    with tarfile.open(tmp_path / 'some.tar.gz', 'w:gz', format=form) as archive:
        archive.add(tmp_path, 'folder', filter=lambda info: None if info.name.endswith('.gz') else info)
    assert containers.read_tar(tmp_path / 'some.tar.gz', ['folder/a']) == {'folder/a': b'one'}


@pytest.mark.parametrize('kind', ['checksum', 'size', 'twice'])
def test_a_tar_whose_headers_are_wrong(tmp_path, kind):
    path = tarred(tmp_path / 'some.tar.gz', {'a': b'one', 'b': b'two'})
    content = bytearray(gzip.decompress(path.read_bytes()))
    if kind == 'checksum':
        content[1024:1025] = b'c'
    elif kind == 'size':
        info = tarfile.TarInfo('b')
        info.size = 10 ** 6
        content[1024:1536] = info.tobuf(tarfile.USTAR_FORMAT)
    else:
        content[1024:1536] = content[:512]
    with pytest.raises(DataError) as caught:
        containers.read_tar(gzipped(path, bytes(content)), ['a'])
    assert str(caught.value) == f'{path}: ' + ('there are two files a in it. The file is damaged.' if kind == 'twice' else
                                               'this is not a complete tar.gz file. Download it again.')


# -- files that are none, sizes that are lies ---------------------------------------------------------------------------

HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }"


@pytest.mark.parametrize('header', [
    HEADER % ('|V0', '1099511627776,'), HEADER % ('|S0', '1099511627776,'), HEADER % ('<U1', '1,'), HEADER % ('<c8', '1,'),
    HEADER % ('|u1', '0, 9223372036854775808'), HEADER % ('|u1', '-1,'), HEADER % ('|u1', '1.5,'), HEADER % ('<f1', '1,'),
    HEADER % ('|u1', '1, ' * 33), HEADER % ('|u1', '9' * 5000 + ','), HEADER % ("|u1', 'x': '", '1,'), HEADER % ('|O8', '2,'),
    '{' * 300, '(' * 9000, "{'descr'", '"""', "'\\N{x}", '\x00', '1_', '0777', "{'descr': [('a', '<u1')], 'fortran_order': False, 'shape': (1,), }",
    HEADER % ('|u1', '1') * 2])
def test_headers_that_are_refused_at_once(tmp_path, header):
    for version in ((1, 0), (2, 0), (9, 9)):
        for body in b'', b'\0', b'\x80\x02]K\x01a.':
            path = zipped(tmp_path / 'some.npz', {'x.npy': npy(header, body, version)})
            with pytest.raises(DataError, match='some.npz: x: '):
                archives.read_npz(path, ['x'])


@pytest.mark.parametrize('dtype', ['u1', 'i1', '<u2', '>i4', '<f2', '<f4', '<f8', '>f8', 'i8', '?'])
@pytest.mark.parametrize('shape', [(), (3,), (0,), (0, 4), (2, 3), (1, 2, 3, 1)])
def test_headers_that_numpy_writes(tmp_path, dtype, shape):
    array = np.zeros(shape, dtype)
    np.savez(tmp_path / 'some.npz', x=array, y=np.array(array, order='F'))
    for found in archives.read_npz(tmp_path / 'some.npz', ['x', 'y']):
        assert found.dtype == array.dtype and found.shape == shape and np.array_equal(found, array)
    old = npy(HEADER % ('<u2', '3L, 2L'), bytes(12))            # of Python 2
    assert archives.read_npz(zipped(tmp_path / 'old.npz', {'x.npy': old}), ['x'])[0].shape == (3, 2)


def test_a_member_twice_and_other_members(tmp_path):
    path, content = tmp_path / 'some.npz', npy(HEADER % ('|u1', '1,'), b'a')
    with pytest.warns(UserWarning, match='Duplicate'), zipfile.ZipFile(path, 'w') as archive:
        for name in 'x.npy', 'y.npy', 'x.npy':
            archive.writestr(name, content)
    with pytest.raises(DataError) as caught:
        archives.read_npz(path, ['x'])
    assert str(caught.value) == f'{path}: expected one member x.npy, found 2. The file is damaged, or a different one.'
    assert archives.read_npz(path, ['y'])[0].tolist() == [97]


@pytest.mark.parametrize('method', [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_numpy_does_not_use(tmp_path, method):
    path = tmp_path / 'some.npz'
    with zipfile.ZipFile(path, 'w', method) as archive:
        archive.writestr('x.npy', npy(HEADER % ('|u1', '1,'), b'a'))
    with pytest.raises(DataError) as caught:
        archives.read_npz(path, ['x'])
    assert str(caught.value) == (f'{path}: x.npy: it is encrypted, or compressed in a way that NumPy does not use. Save it by '
                                 'numpy.savez.')


def test_a_zip_with_a_comment_and_a_list_that_is_too_long(tmp_path):
    path = zipped(tmp_path / 'some.npz', {'x.npy': npy(HEADER % ('|u1', '1,'), b'a')})
    with zipfile.ZipFile(path, 'a') as archive:
        archive.comment = b'made by hand ' * 100
    assert archives.read_npz(path, ['x'])[0].tolist() == [97]
    with zipfile.ZipFile(path, 'w') as archive:
        for number in range(1000):
            archive.writestr(f'{number:030}', b'')
    with pytest.raises(DataError, match='not a complete .npz file'):
        archives.read_npz(path, ['x'])


@pytest.mark.parametrize('read', [lambda path: archives.read_npz(path, ['x']), archives.read_idx,
                                  lambda path: containers.read_tar(path, ['x']), imdb.get_word_index], ids=range(4))
def test_pipes_devices_and_folders(tmp_path, read):
    os.mkfifo(tmp_path / 'fifo')
    for path in tmp_path / 'fifo', tmp_path, '/dev/zero', '/dev/stdin':
        with pytest.raises((DataError, ModelFileError), match='this is not a regular file'):
            read(path)
    big = tmp_path / 'big'
    with open(big, 'wb') as file:
        file.truncate(2 ** 30 + 1)                              # a hole, which takes no space
    with pytest.raises((DataError, ModelFileError), match='the limit is'):
        read(big)


def as_npz(path):
    np.savez_compressed(path, x=np.arange(300).reshape(3, 100), lists=OBJECTS)
    return path


@pytest.mark.parametrize('make, read', [
    (as_npz, lambda path: archives.read_npz(path, ['x', 'lists'])),
    (lambda path: gzipped(path, b'\0\0\x08\x02\0\0\0\x02\0\0\0\x03abcdef'), archives.read_idx),
    (lambda path: tarred(path, {'x': b'one' * 100, 'y': b'two'}), lambda path: containers.read_tar(path, ['x', 'y']))],
    ids=['npz', 'idx', 'tar'])
def test_of_damaged_containers_only_refusals_and_arrays_come(tmp_path, trials, make, read):
    whole = make(tmp_path / 'whole.npz').read_bytes()
    nb_read, path = 0, tmp_path / 'damaged'
    for rng in trials(150):
        # The content of a gzip file is damaged, too: otherwise its checksum refuses nearly all.
        inner = rng.random() < .5 and whole[:2] == b'\x1f\x8b'
        path.write_bytes(gzip.compress(damaged(rng, gzip.decompress(whole))) if inner else damaged(rng, whole))
        try:
            read(path)
            nb_read += 1
        except DataError as error:
            assert len(str(error)) <= 300 and str(error).isprintable() and str(error).startswith(str(path))
    assert nb_read > 0
