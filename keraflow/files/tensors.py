"""The weights file: named arrays and a few strings, in the safetensors layout, with a digest.

Any safetensors tool reads what is written here. Besides that layout the metadata hold ``sha256``, over every byte of
the file (its own 64 digits count as zeros), to detect damage. It is not a signature: it says nothing about who wrote
the file.
"""
import hashlib
import io
import itertools
import json
import os
import re
from typing import BinaryIO, Dict, Iterable, List, Mapping, Optional, Tuple, Union

import numpy as np

from keraflow.files.limits import Limits
from keraflow.files.magic import describe_file
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.regular import PathLike, open_regular
from keraflow.files.scalars import FORBIDDEN_TEXT
from keraflow.files.tensor_header import (DTYPES, LENGTH_BYTES, MAX_HEADER, MAX_RANK, METADATA, Entry, parse_header,
                                          read_length)

__all__ = ['DIGEST', 'dump_tensors', 'parse_tensors', 'read_tensors']

Arrays = Dict[str, np.ndarray]
Contents = Tuple[Arrays, Dict[str, str]]

#: The metadata key of the digest.
DIGEST = 'sha256'

_NO_DIGEST = '0' * 64
_HEX = re.compile('[0-9a-f]{64}')
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_DAMAGED = 'The file is damaged, or another program changed it. Take another copy, or save again.'


def dump_tensors(arrays: Mapping[str, np.ndarray], metadata: Optional[Mapping[str, str]] = None) -> bytes:
    """Serialize arrays and metadata to the bytes of a weights file.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Of float64, float32, float16, int64, int32, int16, int8, uint8 or bool; any shape, strides and byte order.
        The names keep their order.
    metadata : dict of str to str
        Anything but the key ``sha256``.

    Returns
    -------
    bytes
        The same for the same arguments. To be written with `atomic.write_file`.

    Raises
    ------
    ModelFileError
        A name, a value or a dtype that the file cannot hold.

    Examples
    --------
    >>> data = dump_tensors({'dense1/W': np.zeros((2, 3))}, {'format': 'keraflow'})
    >>> parse_tensors(data)[1]
    {'format': 'keraflow'}
    """
    metadata = metadata or {}
    _check_metadata(metadata)
    ready = {name: _ready(name, array) for name, array in arrays.items()}
    # Wide types first, as the safetensors package does: each tensor is then aligned to its type.
    order = sorted(ready, key=lambda name: (-ready[name].itemsize, name))
    header = _header({name: arrays[name].shape for name in arrays}, ready, order, metadata)
    parts: List[memoryview] = [ready[name].view(np.uint8).data for name in order]
    digest = _sha256([header, *parts]).encode()
    return b''.join([header.replace(_marker(_NO_DIGEST), _marker(digest.decode()), 1), *parts])


def parse_tensors(data: bytes, source: object = '<bytes>', require_digest: bool = True) -> Contents:
    """Parse the arrays and metadata of a weights file in memory.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : object
        The name in messages.
    require_digest : bool
        True: the file must hold a digest and match it. False: the digest is ignored, for files of other tools.

    Returns
    -------
    (dict of str to ndarray, dict of str)
        The arrays are copies of their own, writable and contiguous, in the order in which they were passed to
        `dump_tensors`. The metadata are without the digest.

    Raises
    ------
    ModelFileError
        Something in the file is wrong; nothing is returned in part.

    Examples
    --------
    >>> arrays, metadata = parse_tensors(dump_tensors({'b': np.arange(3.)}))
    >>> arrays['b']
    array([0., 1., 2.])
    """
    return _read(io.BytesIO(data), len(data), source, require_digest)


def read_tensors(path: PathLike, limits: Limits = Limits(), require_digest: bool = True) -> Contents:
    """Read the arrays and metadata of a weights file.

    The data are read straight into the arrays: no second copy of the file is in memory.

    Parameters
    ----------
    path : path
        A regular file.
    limits : Limits
        Its `max_tensor_bytes` count.
    require_digest : bool
        As for `parse_tensors`.

    Returns
    -------
    (dict of str to ndarray, dict of str)
        As of `parse_tensors`.

    Raises
    ------
    ModelFileError
        Not a regular file, too large, or not a sound weights file.
    FileNotFoundError
        There is no such file.
    """
    stream, size = open_regular(path, limits.max_tensor_bytes)
    with stream:
        return _read(stream, size, os.fspath(path), require_digest)


# -- reading -----------------------------------------------------------------------------------------------------------

def _read(stream: BinaryIO, size: int, place: object, require_digest: bool) -> Contents:
    prefix = stream.read(LENGTH_BYTES)
    _check_kind(stream, prefix, size, place)
    header = stream.read(read_length(prefix, size, place))
    entries, metadata = parse_header(header, size - LENGTH_BYTES - len(header), place)
    written = metadata.pop(DIGEST, None)
    start = prefix + (_without_digest(header, written, place) if require_digest else header)
    arrays = {entry.name: np.empty(entry.shape, entry.dtype) for entry in entries}
    parts = (_fill(arrays[entry.name], entry, stream, place)
             for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)))
    digest = _sha256(itertools.chain([start], parts))           # this reads the data
    if require_digest and digest != written:
        raise refusal(place, f'the content does not match its SHA-256. {_DAMAGED}')
    if stream.read(1):
        raise refusal(place, 'the file grew while it was read. Wait until it is written.')
    return arrays, metadata


def _check_kind(stream: BinaryIO, prefix: bytes, size: int, place: object) -> None:
    """Raise with the kind of file if it is another. A header's length may look like a magic number: `{` decides."""
    if size == 0:
        raise refusal(place, 'the file is empty. Save the weights again.')
    if stream.read(1) == b'{' and int.from_bytes(prefix, 'little') <= MAX_HEADER:
        stream.seek(LENGTH_BYTES)
        return
    stream.seek(size - 1)
    kind = describe_file(prefix, stream.read(1))
    stream.seek(LENGTH_BYTES)
    if kind:
        raise refusal(place, kind)


def _without_digest(header: bytes, digest: object, place: object) -> bytes:
    """Return the header as it was hashed: with zeros for the digest."""
    if digest is None:
        raise refusal(place, 'the file holds no SHA-256: keraflow did not write it, and damage would not be noticed. '
                             'If you trust it, pass require_digest=False.')
    if not isinstance(digest, str) or not _HEX.fullmatch(digest) or header.count(_marker(digest)) != 1:
        raise refusal(place, f'the SHA-256 in the header is not as keraflow writes it. {_DAMAGED}')
    return header.replace(_marker(digest), _marker(_NO_DIGEST))


def _fill(array: np.ndarray, entry: Entry, stream: BinaryIO, place: object) -> memoryview:
    """Read a tensor's bytes into its array. The file's size was checked; it may have shrunk since."""
    content = array.reshape(-1).view(np.uint8)                  # a view: the array is new and contiguous
    if entry.end > entry.begin and stream.readinto(content.data) != content.size:  # type: ignore[attr-defined]
        raise refusal(place, 'the file became shorter while it was read. Wait until it is written.')
    if array.dtype == bool and content.size and content.max() > 1:
        raise refusal(place, f'the tensor {excerpt(entry.name)} is BOOL and holds a byte that is neither 0 nor 1. '
                             f'{_DAMAGED}')
    return content.data


# -- writing -----------------------------------------------------------------------------------------------------------

def _check_metadata(metadata: Mapping[str, str]) -> None:
    for key, value in metadata.items():
        if type(key) is not str or type(value) is not str:
            raise refusal(f'metadata {excerpt(key)}', f'a {type(value).__name__} cannot be saved. Pass strings.')
        if key == DIGEST:
            raise refusal(f'metadata {excerpt(key)}', 'the key is kept for the digest. Choose another.')
        if FORBIDDEN_TEXT.search(key + value):
            raise refusal(f'metadata {excerpt(key)}', 'the text holds NUL or half a surrogate pair. Remove it.')


def _ready(name: str, array: np.ndarray) -> np.ndarray:
    """Return the array as it is stored: flat, contiguous, little endian."""
    place = f'tensor {excerpt(name)}'
    if type(name) is not str or name == METADATA or FORBIDDEN_TEXT.search(name):
        raise refusal(place, f'the name must be a string other than {METADATA}, without NUL and half surrogate pairs.')
    if not isinstance(array, np.ndarray):
        raise refusal(place, f'expected an array, received a {type(array).__name__}. Pass numpy.asarray of it.')
    dtype = array.dtype.newbyteorder('<')
    if dtype not in _NAMES:
        raise refusal(place, f'the dtype {excerpt(array.dtype.name)} cannot be saved. '
                             f'Use one of {", ".join(known.name for known in _NAMES)}.')
    if array.ndim > MAX_RANK:
        raise refusal(place, f'the array has {array.ndim} dimensions; the limit is {MAX_RANK}. Reshape it.')
    return np.ascontiguousarray(array, dtype).reshape(-1)


def _header(shapes: Mapping[str, Tuple[int, ...]], ready: Arrays, order: Iterable[str],
            metadata: Mapping[str, str]) -> bytes:
    """Return length and header, with zeros for the digest."""
    offsets, position = {}, 0
    for name in order:
        offsets[name] = [position, position + ready[name].nbytes]
        position += ready[name].nbytes
    fields: Dict[str, object] = {METADATA: {DIGEST: _NO_DIGEST, **metadata}}
    for name in ready:                                          # the order of the caller
        fields[name] = {'dtype': _NAMES[ready[name].dtype], 'shape': list(shapes[name]), 'data_offsets': offsets[name]}
    text = json.dumps(fields, separators=(',', ':')).encode('ascii')
    text += b' ' * (-len(text) % 8)      # the data begin at a multiple of 8, as float64 is aligned
    if len(text) > MAX_HEADER:
        raise refusal('header', f'names and metadata take {len(text)} bytes; the limit is {MAX_HEADER}. Shorten them.')
    return len(text).to_bytes(LENGTH_BYTES, 'little') + text


def _marker(digest: str) -> bytes:
    return f'"{DIGEST}":"{digest}"'.encode('ascii')


def _sha256(parts: Iterable[Union[bytes, memoryview]]) -> str:
    result = hashlib.sha256()
    for part in parts:
        result.update(part)
    return result.hexdigest()
