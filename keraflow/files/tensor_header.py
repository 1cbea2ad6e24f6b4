"""The header of a weights file: which tensor lies where. Fully checked before anything is allocated.

The layout is that of safetensors: the header's length (8 bytes, little endian), the header (JSON, padded with
spaces), the data. ``{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {...}}``.
"""
import math
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from keraflow.files.json_text import parse_json
from keraflow.files.limits import Limits
from keraflow.files.refusal import excerpt, refusal

__all__ = ['DIGEST', 'DTYPES', 'LENGTH_BYTES', 'LIMITS', 'MAX_HEADER', 'MAX_RANK', 'METADATA', 'NO_DIGEST', 'Entry',
           'marker', 'parse_header', 'read_length']

#: The dtypes, by their name in the file. Little endian on every machine.
DTYPES: Dict[str, np.dtype] = {
    'F64': np.dtype('<f8'), 'F32': np.dtype('<f4'), 'F16': np.dtype('<f2'), 'I64': np.dtype('<i8'),
    'I32': np.dtype('<i4'), 'I16': np.dtype('<i2'), 'I8': np.dtype('i1'), 'U8': np.dtype('u1'),
    'BOOL': np.dtype('?')}

METADATA = '__metadata__'
#: The metadata key of the digest, and what stands for the digest where it is computed.
DIGEST, NO_DIGEST = 'sha256', '0' * 64
LENGTH_BYTES = 8

#: Names and metadata of models of 100,000 layers; the safetensors package reads 100 MB.
MAX_HEADER = 64 * 2 ** 20

#: NumPy 1 cannot make arrays of a higher rank.
MAX_RANK = 32

#: The header is three levels deep. A tensor makes a dozen keys and values, which take 700 bytes: 300,000 fit.
LIMITS = Limits(max_bytes=MAX_HEADER, max_depth=3, max_nodes=4_000_000)
# Times 8 bytes this fits the signed 64-bit sizes of NumPy.
_MAX_ELEMENTS = 2 ** 59
_FIELDS = {'dtype', 'shape', 'data_offsets'}


class Entry(NamedTuple):
    """Where one tensor lies, in bytes from the start of the data, and what it is."""

    name: str
    dtype: np.dtype
    shape: Tuple[int, ...]
    begin: int
    end: int


def read_length(prefix: bytes, size: int, place: object) -> int:
    """Return the header's length, from the first 8 bytes of a file of `size` bytes."""
    if size < LENGTH_BYTES or len(prefix) < LENGTH_BYTES:
        raise refusal(place, f'the file has {size} bytes, too few for a weights file. It was cut off: save it again.')
    length = int.from_bytes(prefix[:LENGTH_BYTES], 'little')
    if length > MAX_HEADER:
        raise refusal(place, f'the header claims {length} bytes; the limit is {MAX_HEADER}. '
                             'This is not a safetensors file, or it is damaged.')
    if length > size - LENGTH_BYTES:
        raise refusal(place, f'the header claims {length} bytes, and {size - LENGTH_BYTES} follow. '
                             'The file was cut off: save it again.')
    return length


def marker(digest: str) -> bytes:
    """Return a digest with its key, as the header holds them."""
    return f'"{DIGEST}":"{digest}"'.encode('ascii')


def parse_header(header: bytes, data_size: int, place: object) -> Tuple[List[Entry], Dict[str, str]]:
    """Return the tensors, in the order of the header, and the metadata.

    Parameters
    ----------
    header : bytes
        The header without its length.
    data_size : int
        How many bytes follow it.
    place : object
        For messages.

    Returns
    -------
    (list of Entry, dict of str)

    Raises
    ------
    ModelFileError
        Not strict JSON; an unknown field or dtype; a rank above 32; a size that is not the shape's; an overlap, a
        hole, or bytes after the last tensor.

    Examples
    --------
    >>> parse_header(b'{"b": {"dtype": "I8", "shape": [2], "data_offsets": [0, 2]}}', 2, 'w')[0][0].shape
    (2,)
    """
    if not header.startswith(b'{'):
        raise refusal(place, 'the header does not begin with {. This is not a safetensors file, or it is damaged.')
    fields = parse_json(header, f'{place} (header)', LIMITS)
    metadata = _check_metadata(fields.pop(METADATA, {}), place)
    entries = [_entry(name, value, place) for name, value in fields.items()]
    position = 0
    # By both ends: a tensor without elements begins where its neighbour does, and comes first.
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != position:
            what = 'overlaps the tensor before it' if entry.begin < position else 'leaves a hole before it'
            raise _at(place, entry.name, f'begins at byte {entry.begin} and not at {position}: it {what}.')
        position = entry.end
    if position != data_size:
        raise refusal(place, f'the tensors take {position} bytes, and {data_size} follow the header. '
                             'The file was cut off or added to: save it again.')
    return entries, metadata


def _entry(name: str, fields: Any, place: object) -> Entry:
    if type(fields) is not dict or set(fields) != _FIELDS:
        raise _at(place, name, 'needs exactly the fields dtype, shape and data_offsets.')
    dtype, shape, offsets = fields['dtype'], fields['shape'], fields['data_offsets']
    if type(dtype) is not str or dtype not in DTYPES:
        raise _at(place, name, f'has the unknown dtype {excerpt(dtype)}. Known are {", ".join(DTYPES)}.')
    if not _naturals(shape):
        raise _at(place, name, 'has a shape that is not a list of integers from 0 up.')
    if len(shape) > MAX_RANK:
        raise _at(place, name, f'has {len(shape)} dimensions; the limit is {MAX_RANK}.')
    if not _naturals(offsets) or len(offsets) != 2:
        raise _at(place, name, 'has data_offsets that are not two integers from 0 up.')
    begin, end = offsets
    size = math.prod(shape) * DTYPES[dtype].itemsize            # Python integers: no overflow
    if end - begin != size:
        raise _at(place, name, f'has {end - begin} bytes, and its shape and dtype make {excerpt(size)}.')
    # Of an array without elements the file bounds nothing, and NumPy refuses one whose other dimensions overflow.
    if math.prod(max(dim, 1) for dim in shape) >= _MAX_ELEMENTS:
        raise _at(place, name, 'has no element, and dimensions that are too large.')
    return Entry(name, DTYPES[dtype], tuple(shape), begin, end)


def _naturals(value: Any) -> bool:
    return type(value) is list and all(type(item) is int and item >= 0 for item in value)


def _check_metadata(value: Any, place: object) -> Dict[str, str]:
    if type(value) is not dict or not all(type(item) is str for item in value.values()):
        raise refusal(place, f'{METADATA} in the header is not a dict of strings. Save the file again.')
    return value


def _at(place: object, name: str, problem: str) -> Exception:
    return refusal(place, f'the tensor {excerpt(name)} {problem} The file is damaged or was made by a faulty program.')
