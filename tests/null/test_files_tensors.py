"""The weights file: what is written is read back, by keraflow and by safetensors; what is damaged is refused."""
import errno
import gzip
import io
import json
import os
import pickle
import struct
import threading
import tracemalloc
import zipfile

import numpy as np
import pytest
from damage import damaged
from events import events
from safetensors.numpy import load as load_elsewhere
from safetensors.numpy import save as save_elsewhere

import keraflow
from keraflow.errors import ModelFileError
from keraflow.files import tensor_writer
from keraflow.files.atomic import write_file
from keraflow.files.limits import Limits
from keraflow.files.tensor_header import parse_header
from keraflow.files.tensor_writer import pack_tensors
from keraflow.files.tensors import dump_tensors, parse_tensors, read_tensors

DTYPES = ['float64', 'float32', 'float16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool']
FAULT = ' The file is damaged or was made by a faulty program.'
DAMAGED = 'The file is damaged, or another program changed it. Take another copy, or save again.'


def weights():
    rng = np.random.default_rng(0)
    arrays = {f'layer/{dtype}': (rng.random((2, 3)) * 9 - 4).astype(dtype) for dtype in reversed(DTYPES)}
    arrays['bytes'] = (rng.random(5) > .5)
    arrays['scalar é'] = np.array(3.5, 'float32')
    arrays['empty'] = np.zeros((0, 4), 'int16')
    arrays['nan'] = np.array([np.nan, np.inf, -0.0])
    return arrays


def build(tensors, data, tail=b''):
    """A file from a header as it stands, text or dict."""
    header = (tensors if isinstance(tensors, str) else json.dumps(tensors)).encode()
    return struct.pack('<Q', len(header)) + header + data + tail


def same(left, right):
    assert list(left) == list(right)
    for name in left:
        assert left[name].dtype == right[name].dtype and left[name].shape == right[name].shape
        assert left[name].tobytes() == right[name].tobytes()


def test_round_trip(tmp_path):
    arrays, metadata = weights(), {'b': 'é\U0001f600"', 'a': ''}
    data = dump_tensors(arrays, metadata)
    assert data == dump_tensors(arrays, metadata) and int.from_bytes(data[:8], 'little') % 8 == 0
    (tmp_path / 'w').write_bytes(data)
    for loaded, texts in (parse_tensors(data), read_tensors(tmp_path / 'w')):
        same(loaded, arrays)
        assert list(texts.items()) == list(metadata.items())
        assert dump_tensors(loaded, texts) == data
        for array in loaded.values():
            assert array.flags.writeable and array.flags.c_contiguous and array.flags.owndata
    assert parse_tensors(dump_tensors({})) == ({}, {})


def test_strides_and_byte_order():
    array = np.arange(24, dtype='>i4').reshape(2, 3, 4)
    arrays = {'t': array.transpose(2, 0, 1), 'r': array[::-1, ::2], 'f': np.asfortranarray(array[0])}
    loaded = parse_tensors(dump_tensors(arrays))[0]
    for name, value in arrays.items():
        assert loaded[name].dtype == np.dtype('<i4')
        np.testing.assert_array_equal(loaded[name], value)


def test_the_safetensors_package_reads_it():
    arrays = weights()
    loaded = load_elsewhere(dump_tensors(arrays, {'k': 'v'}))
    same({name: loaded[name] for name in arrays}, arrays)


def test_it_reads_what_the_safetensors_package_writes():
    arrays = weights()
    data = save_elsewhere(arrays, {'k': 'v'})
    loaded, metadata = parse_tensors(data, require_digest=False)
    same({name: loaded[name] for name in arrays}, arrays)
    assert metadata == {'k': 'v'}
    with pytest.raises(ModelFileError) as caught:
        parse_tensors(data, 'w')
    assert str(caught.value) == ('w: the file holds no SHA-256: keraflow did not write it, and damage would not be '
                                 'noticed. If you trust it, pass require_digest=False.')


SMALL = {'a': np.arange(3, dtype='float32'), 'b': np.array([True, False])}


def test_each_flipped_bit_is_noticed():
    data = dump_tensors(SMALL, {'k': 'é'})
    same(parse_tensors(data)[0], SMALL)
    for index in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[index] ^= 1 << bit
            with pytest.raises(ModelFileError) as caught:
                parse_tensors(bytes(damaged), 'w')
            assert str(caught.value).startswith('w') and len(str(caught.value)) <= 300


def test_each_truncation_and_addition_is_noticed(tmp_path):
    data = dump_tensors(SMALL)
    for length in range(len(data)):
        for require_digest in (True, False):
            with pytest.raises(ModelFileError):
                parse_tensors(data[:length], 'w', require_digest)
    with pytest.raises(ModelFileError) as caught:
        parse_tensors(data + b'\0', 'w')
    assert str(caught.value) == 'w: the tensors take 14 bytes, and 15 follow the header. ' \
                                'The file was cut off or added to: save it again.'


def test_of_damaged_files_only_refusals_come(trials):
    """With the digest none is read. Without it what is read are arrays within the file."""
    data = dump_tensors(SMALL, {'k': 'é'})
    for rng in trials(1000):
        damage = damaged(rng, data)
        if damage == data:
            continue
        with pytest.raises(ModelFileError):
            parse_tensors(damage, 'w')
        try:
            arrays, _ = parse_tensors(damage, 'w', require_digest=False)
        except ModelFileError as error:
            assert str(error).startswith('w') and len(str(error)) <= 300
        else:
            assert sum(array.nbytes for array in arrays.values()) <= len(damage)


def test_the_digest():
    data = dump_tensors(SMALL)
    changed = data[:-1] + b'\1'
    with pytest.raises(ModelFileError) as caught:
        parse_tensors(changed, 'w')
    assert str(caught.value) == f'w: the content does not match its SHA-256. {DAMAGED}'
    assert parse_tensors(changed, require_digest=False)[0]['b'].tolist() == [True, True]
    spaced = data.replace(b'"sha256":"', b'"sha256": "').replace(b'  ', b' ', 1)
    upper = data.replace(data[data.index(b'"sha256":"') + 10:][:64], b'A' * 64)
    for text in (spaced, upper):
        with pytest.raises(ModelFileError) as caught:
            parse_tensors(text, 'w')
        assert str(caught.value) == f'w: the SHA-256 in the header is not as keraflow writes it. {DAMAGED}'


F32 = {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8]}
REFUSED = [
    ({'a': F32, 'b': {**F32, 'data_offsets': [4, 12]}}, 12, "the tensor 'b' begins at byte 4 and not at 8: "
     'it overlaps the tensor before it.' + FAULT),
    ({'a': F32, 'b': {**F32, 'data_offsets': [12, 20]}}, 20, "the tensor 'b' begins at byte 12 and not at 8: "
     'it leaves a hole before it.' + FAULT),
    ({'a': {**F32, 'data_offsets': [4, 12]}}, 12, "the tensor 'a' begins at byte 4 and not at 0: "
     'it leaves a hole before it.' + FAULT),
    ({'a': F32}, 12,
     'the tensors take 8 bytes, and 12 follow the header. The file was cut off or added to: save it again.'),
    ({'a': F32}, 4,
     'the tensors take 8 bytes, and 4 follow the header. The file was cut off or added to: save it again.'),
    ({'a': {**F32, 'dtype': 'F33'}}, 8, "the tensor 'a' has the unknown dtype 'F33'. "
     'Known are F64, F32, F16, I64, I32, I16, I8, U8, BOOL.' + FAULT),
    ({'a': {**F32, 'dtype': ['F32']}}, 8, "the tensor 'a' has the unknown dtype ['F32']. "
     'Known are F64, F32, F16, I64, I32, I16, I8, U8, BOOL.' + FAULT),
    ({'a': {**F32, 'dtype': 'F64'}}, 8, "the tensor 'a' has 8 bytes, and its shape and dtype make 16." + FAULT),
    ({'a': {**F32, 'shape': [3]}}, 8, "the tensor 'a' has 8 bytes, and its shape and dtype make 12." + FAULT),
    ({'a': {**F32, 'shape': [2 ** 40, 2 ** 40]}}, 8, "the tensor 'a' has 8 bytes, and its shape and dtype make "
     '4835703278458516698824704.' + FAULT),
    ({'a': {**F32, 'shape': [2] + [1] * 32}}, 8, "the tensor 'a' has 33 dimensions; the limit is 32." + FAULT),
    ({'a': {**F32, 'shape': [0, 2 ** 50, 2 ** 50], 'data_offsets': [0, 0]}}, 0,
     "the tensor 'a' has no element, and dimensions that are too large." + FAULT),
    ({'a': {**F32, 'shape': [-2]}}, 8, "the tensor 'a' has a shape that is not a list of integers from 0 up." + FAULT),
    ({'a': {**F32, 'shape': [2.0]}}, 8, "the tensor 'a' has a shape that is not a list of integers from 0 up." + FAULT),
    ({'a': {**F32, 'shape': [True, 2]}}, 8,
     "the tensor 'a' has a shape that is not a list of integers from 0 up." + FAULT),
    ({'a': {**F32, 'shape': 2}}, 8, "the tensor 'a' has a shape that is not a list of integers from 0 up." + FAULT),
    ({'a': {**F32, 'data_offsets': [0, 8, 8]}}, 8, "the tensor 'a' has data_offsets that are not two integers "
     'from 0 up.' + FAULT),
    ({'a': {**F32, 'data_offsets': [8, 0]}}, 8, "the tensor 'a' has -8 bytes, and its shape and dtype make 8." + FAULT),
    ({'a': {**F32, 'extra': 1}}, 8, "the tensor 'a' needs exactly the fields dtype, shape and data_offsets." + FAULT),
    ({'a': {'dtype': 'F32', 'shape': [2]}}, 8,
     "the tensor 'a' needs exactly the fields dtype, shape and data_offsets." + FAULT),
    ({'a': [1]}, 8, "the tensor 'a' needs exactly the fields dtype, shape and data_offsets." + FAULT),
    ({'a': F32, '__metadata__': {'k': 1}}, 8,
     '__metadata__ in the header is not a dict of strings. Save the file again.'),
    ({'a': F32, '__metadata__': []}, 8, '__metadata__ in the header is not a dict of strings. Save the file again.'),
    ({'a': {'dtype': 'BOOL', 'shape': [8], 'data_offsets': [0, 8]}}, b'\0\1\2\0\0\0\0\0',
     "the tensor 'a' is BOOL and holds a byte that is neither 0 nor 1. " + DAMAGED),
    (f'{{"a": {json.dumps(F32)}, "a": {json.dumps(F32)}}}', 8,
     "(header):1: the key 'a' is written twice. Remove one."),
    ('{"a": [[[[]]]]}', 0, '(header):1: lists and dicts are nested deeper than 3. Flatten the data.'),
    ('{"a": ' + json.dumps(F32) + '}}', 8, '(header):1: there is more text after the end of the data (column 62). '
     'Correct it, or save again.'),
    ('[]', 0, 'the header does not begin with {. This is not a safetensors file, or it is damaged.'),
    ('{"a": {"dtype": "F32", "shape": [1' + '0' * 30 + '], "data_offsets": [0, 8]}}', 8,
     "(header):1: the number '1" + '0' * 30 + "' has more than 17 digits. Write a shorter one, or a string in quotes."),
]


@pytest.mark.parametrize('tensors, data, message', REFUSED, ids=range(len(REFUSED)))
def test_a_header_that_lies(tensors, data, message):
    content = data if isinstance(data, bytes) else bytes(data)
    with pytest.raises(ModelFileError) as caught:
        parse_tensors(build(tensors, content), 'w', require_digest=False)
    assert str(caught.value) == ('w ' if message.startswith('(') else 'w: ') + message


def test_the_twin_loads():
    tensors = {'b': {**F32, 'data_offsets': [8, 16]}, 'a': F32, 'e': {**F32, 'shape': [0, 5], 'data_offsets': [8, 8]},
               '__metadata__': {'k': '1'}}
    loaded, metadata = parse_tensors(build(tensors, np.arange(4, dtype='<f4').tobytes()), require_digest=False)
    assert [array.tolist() for array in loaded.values()] == [[2, 3], [0, 1], []] and metadata == {'k': '1'}


@pytest.mark.parametrize('data, message', [
    (b'', 'the file is empty. Save the weights again.'),
    (b'\x10\0\0', 'the file has 3 bytes, too few for a weights file. It was cut off: save it again.'),
    (struct.pack('<Q', 100) + b'{}', 'the header claims 100 bytes, and 2 follow. The file was cut off: save it again.'),
    (struct.pack('<Q', 0x480) + b'{}',
     'the header claims 1152 bytes, and 2 follow. The file was cut off: save it again.'),
    (struct.pack('<Q', 2 ** 63) + b'{}', f'the header claims {2 ** 63} bytes; the limit is 67108864. '
                                         'This is not a safetensors file, or it is damaged.'),
    (struct.pack('<Q', 0), 'the header does not begin with {. This is not a safetensors file, or it is damaged.'),
])
def test_the_length_of_the_header(data, message):
    for require_digest in (True, False):
        with pytest.raises(ModelFileError) as caught:
            parse_tensors(data, 'w', require_digest)
        assert str(caught.value) == 'w: ' + message


def zipped():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w') as archive:
        archive.writestr('a.npy', b'x')
    return stream.getvalue()


def npy():
    stream = io.BytesIO()
    np.save(stream, np.zeros(2))
    return stream.getvalue()


ADVICE = ' Save the weights with keraflow, or as safetensors.'
PICKLE = 'this is a pickle file; keraflow never loads pickles, because they run code.' + ADVICE


@pytest.mark.parametrize('data, message', [
    *((pickle.dumps({'W': np.zeros(3)}, protocol), PICKLE) for protocol in range(6)),
    (gzip.compress(b'x'), 'this is a gzip file. Decompress it first.' + ADVICE),
    (zipped(), 'this is a zip file (an npz, or weights of another library).' + ADVICE),
    (b'\x89HDF\r\n\x1a\n' + bytes(100), 'this is an HDF5 file; keraflow never loads HDF5.' + ADVICE),
    (npy(), 'this is a npy file, a single array.' + ADVICE),
    (b'{"layers": []}', 'this is a text file. Pass the architecture first and the weights second.'),
    (b'version: 1\nlayers: []\n', 'this is a text file. Pass the architecture first and the weights second.'),
], ids=[*(f'pickle {protocol}' for protocol in range(6)), 'gzip', 'zip', 'HDF5', 'npy', 'JSON', 'YAML'])
def test_other_files_are_named(tmp_path, monkeypatch, data, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'weights.safetensors').write_bytes(data)
    for call in (read_tensors, lambda name: parse_tensors(data, name)):
        with pytest.raises(ModelFileError) as caught:
            call('weights.safetensors')
        assert str(caught.value) == 'weights.safetensors: ' + message


def test_a_length_that_looks_like_a_magic_is_no_pickle():
    data = dump_tensors({'a': np.zeros(1)}, {'k': 'x' * 10})
    padding = 0x480 - int.from_bytes(data[:8], 'little')
    data = dump_tensors({'a': np.zeros(1)}, {'k': 'x' * (10 + padding)})
    assert data[:2] == b'\x80\x04'                              # as a pickle of protocol 4 begins
    assert parse_tensors(data)[0]['a'].tolist() == [0]


def test_what_is_not_a_regular_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo('fifo')
    for name in ('fifo', '.', '/dev/zero'):
        with pytest.raises(ModelFileError) as caught:
            read_tensors(name)
        assert str(caught.value) == (f'{name}: this is not a regular file (but a directory, a pipe or a device). '
                                     'Pass the path of a saved file.')
    with pytest.raises(FileNotFoundError):
        read_tensors('missing')
    (tmp_path / 'w').write_bytes(dump_tensors(SMALL))
    size = (tmp_path / 'w').stat().st_size
    same(read_tensors('w', Limits(max_tensor_bytes=size))[0], SMALL)
    with pytest.raises(ModelFileError) as caught:
        read_tensors('w', Limits(max_tensor_bytes=size - 1))
    assert str(caught.value) == (f'w: the file has {size} bytes; the limit is {size - 1}. '
                                 'If you trust it, pass larger limits.')


def test_a_file_that_changes_while_it_is_read(monkeypatch):
    data = dump_tensors(SMALL)

    class Shrinking(io.BytesIO):
        def readinto(self, buffer):
            return super().readinto(memoryview(buffer)[:-1])

    class Growing(io.BytesIO):
        def __init__(self, data):
            super().__init__(data + b'x')

    monkeypatch.setattr('keraflow.files.tensors.io.BytesIO', Shrinking)
    with pytest.raises(ModelFileError,
                       match='^w: the file became shorter while it was read. Wait until it is written.$'):
        parse_tensors(data, 'w')
    monkeypatch.setattr('keraflow.files.tensors.io.BytesIO', Growing)
    with pytest.raises(ModelFileError, match='^w: the file grew while it was read. Wait until it is written.$'):
        parse_tensors(data, 'w')


@pytest.mark.parametrize('arrays, metadata, message', [
    ({'a': [1.0]}, {}, "tensor 'a': expected an array, received a list. Pass numpy.asarray of it."),
    ({'a': np.zeros(1, 'complex64')}, {},
     "tensor 'a': the dtype 'complex64' cannot be saved. Use one of float64, float32, "
     'float16, int64, int32, int16, int8, uint8, bool.'),
    ({'a': np.array([None])}, {}, "tensor 'a': the dtype 'object' cannot be saved. Use one of float64, float32, "
     'float16, int64, int32, int16, int8, uint8, bool.'),
    ({'__metadata__': np.zeros(1)}, {}, "tensor '__metadata__': the name must be a string other than __metadata__, "
     'without NUL and half surrogate pairs.'),
    ({1: np.zeros(1)}, {}, 'tensor 1: the name must be a string other than __metadata__, without NUL and half '
     'surrogate pairs.'),
    ({}, {'k': 1}, "metadata 'k': a int cannot be saved. Pass strings."),
    ({}, {'k': '\0'}, "metadata 'k': the text holds NUL or half a surrogate pair. Remove it."),
    ({}, {'sha256': ''}, "metadata 'sha256': the key is kept for the digest. Choose another."),
])
def test_what_cannot_be_written(arrays, metadata, message):
    with pytest.raises(ModelFileError) as caught:
        dump_tensors(arrays, metadata)
    assert str(caught.value) == message


def test_reading_allocates_the_arrays_and_nothing_beside_them(tmp_path):
    array = np.zeros(2 ** 20, 'float64')
    (tmp_path / 'w').write_bytes(dump_tensors({'a': array}))
    tracemalloc.start()
    try:
        loaded = read_tensors(tmp_path / 'w')
        assert tracemalloc.get_traced_memory()[1] < 1.1 * array.nbytes
        del loaded
        tracemalloc.reset_peak()
        with pytest.raises(ModelFileError):
            parse_tensors(build({'a': {'dtype': 'F64', 'shape': [2 ** 30], 'data_offsets': [0, 2 ** 33]}}, b''))
        assert tracemalloc.get_traced_memory()[1] < 2 ** 18
    finally:
        tracemalloc.stop()


def test_a_plan_of_a_whole_model_checks_all_tensors_and_keeps_none(tmp_path):
    model = '{"format": "keraflow", "version": 1, "model": {"class": "Sequential", "args": {"layers": [{"class": "Input", "args": {"shape": 3}}, {"class": "Dense", "args": {"output_dim": 2}}]}}}'
    content = dump_tensors({f'weights/{number}': np.ones(2 ** 17) for number in range(20)}, {'format': 'keraflow-model', 'version': '1', 'model': model})
    path = tmp_path / 'm.keraflow'
    path.write_bytes(content)
    keraflow.plan(path)
    tracemalloc.start()
    try:
        assert keraflow.plan(path).nb_parameter == 8
        assert tracemalloc.get_traced_memory()[1] < 4 * 2 ** 20
    finally:
        tracemalloc.stop()
    for at in (content.index(b'output_dim') + 13, len(content) - 1):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1:])
        with pytest.raises(ModelFileError, match='the content does not match its SHA-256'):
            keraflow.plan(path)
    path.write_bytes(content[:-1])
    with pytest.raises(ModelFileError, match='The file was cut off'):
        keraflow.plan(path)


def test_the_work_grows_with_the_number_of_tensors_and_no_faster():
    few, many = ({f'dense{index}/0/W': np.zeros(2, 'float32') for index in range(number)} for number in (100, 1000))
    assert events(dump_tensors, many) < 11 * events(dump_tensors, few)
    assert events(parse_tensors, dump_tensors(many)) < 11 * events(parse_tensors, dump_tensors(few))


def test_many_tensors():
    data = dump_tensors({f'dense{index}/0/W': np.zeros(2, 'float32') for index in range(20000)})
    assert len(parse_tensors(data)[0]) == 20000


def test_a_header_of_many_tensors_is_refused_before_it_takes_memory():
    def header(nb_tensor):
        fields = ','.join(f'"{number:x}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for number in range(nb_tensor))
        return ('{' + fields + '}').encode()

    tracemalloc.start()
    try:
        text = header(400_000)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        with pytest.raises(ModelFileError, match='keys and values; the limit is 4000000'):
            parse_header(text, 0, 'w')
        assert tracemalloc.get_traced_memory()[1] - before < 8 * len(text)
    finally:
        tracemalloc.stop()
    assert len(parse_header(header(20_000), 0, 'w')[0]) == 20_000


def test_what_could_not_be_read_back_is_not_written(monkeypatch):
    monkeypatch.setattr(tensor_writer, 'LIMITS', Limits(max_depth=3, max_nodes=100))
    arrays = {f'{number}': np.zeros(0) for number in range(12)}
    with pytest.raises(ModelFileError, match='^header: there are [0-9]+ keys and values; the limit is 100'):
        dump_tensors(arrays)
    assert len(parse_tensors(dump_tensors({'0': np.zeros(0)}))[0]) == 1


@pytest.mark.parametrize('large', [0, 2 ** 40], ids=['hashed while written', 'hashed before'])
def test_what_is_written_is_what_is_dumped(tmp_path, monkeypatch, large):
    monkeypatch.setattr(tensor_writer, '_LARGE', large)
    original = os.write
    monkeypatch.setattr(os, 'write', lambda handle, data: original(handle, data[:1001]))        # a system may write less
    arrays = {'a': np.arange(5000.), 'b': np.zeros((0, 3), 'float32'), 'c': np.arange(7, dtype='int8')}
    for given in arrays, {}:
        write_file(tmp_path / 'w', pack_tensors(given, {'x': 'y'}), overwrite=True)
        assert (tmp_path / 'w').read_bytes() == dump_tensors(given, {'x': 'y'})
        assert list(read_tensors(tmp_path / 'w')[0]) == list(given)


@pytest.mark.parametrize('function', ['write', 'fsync', 'lseek'])
def test_a_failure_while_a_large_file_is_hashed(tmp_path, monkeypatch, function):
    monkeypatch.setattr(tensor_writer, '_LARGE', 0)
    original, calls, nb_thread = getattr(os, function), [], threading.active_count()

    def fail(*args):
        calls.append(args)
        if len(calls) == turn:
            raise OSError(errno.ENOSPC, 'injected')
        return original(*args)

    (tmp_path / 'w').write_bytes(b'old')
    for turn in range(1, {'write': 4, 'fsync': 4, 'lseek': 2}[function]):
        calls.clear()
        with monkeypatch.context() as patch:
            patch.setattr(os, function, fail)
            with pytest.raises(OSError, match='injected.*w'):
                write_file(tmp_path / 'w', pack_tensors({'a': np.arange(5000.)}), overwrite=True)
        assert os.listdir(tmp_path) == ['w'] and (tmp_path / 'w').read_bytes() == b'old'
        assert threading.active_count() == nb_thread
