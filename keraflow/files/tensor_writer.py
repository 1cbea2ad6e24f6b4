"""Write the weights file: header and arrays as they are in memory, without a copy, and hashed while they are written.

The digest stands in the header, before all that it is computed from. Of a large file the arrays are hashed in a thread
while they are written and reach the disk, and the header is written last: hashing costs a save little time.
"""
import hashlib
import json
import os
import threading
from typing import Dict, Iterable, List, Mapping, Optional, Tuple, Union

import numpy as np

from keraflow.files.json_text import check_structure
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.scalars import FORBIDDEN_TEXT
from keraflow.files.tensor_header import (DIGEST, DTYPES, LENGTH_BYTES, LIMITS, MAX_HEADER, MAX_RANK, METADATA,
                                          NO_DIGEST, marker)

__all__ = ['PackedTensors', 'pack_tensors', 'write_all']

Arrays = Dict[str, np.ndarray]

_NAMES = {dtype: name for name, dtype in DTYPES.items()}
#: Below this, a thread and waiting twice for the disk cost more than they save.
_LARGE = 4 * 2 ** 20


def pack_tensors(arrays: Mapping[str, np.ndarray], metadata: Optional[Mapping[str, str]] = None) -> 'PackedTensors':
    """Prepare arrays and metadata for a weights file; the arguments and errors are those of ``dump_tensors``.

    The arrays must not change until the file is written.

    Examples
    --------
    >>> packed = pack_tensors({'dense1/W': np.zeros((2, 3))}, {'format': 'keraflow'})
    >>> len(bytes(packed))
    240
    """
    metadata = metadata or {}
    _check_metadata(metadata)
    ready = {name: _ready(name, array) for name, array in arrays.items()}
    # Wide types first, as the safetensors package does: each tensor is then aligned to its type.
    order = sorted(ready, key=lambda name: (-ready[name].itemsize, name))
    header = _header({name: arrays[name].shape for name in arrays}, ready, order, metadata)
    return PackedTensors(header, [ready[name].view(np.uint8).data for name in order])


class PackedTensors:
    """The content of a weights file, in parts.

    Parameters
    ----------
    header : bytes
        Length and header, with zeros for the digest.
    parts : list of memoryview
        The data.
    """

    def __init__(self, header: bytes, parts: List[memoryview]):
        self._header = header
        self._parts = parts

    def __bytes__(self) -> bytes:
        return b''.join([self._with_digest(), *self._parts])

    def write_to(self, handle: int) -> None:
        """Write all to an open and empty file."""
        if sum(map(len, self._parts)) < _LARGE:
            write_all(handle, bytes(self))
            return
        finished: List[bytes] = []
        thread = threading.Thread(target=lambda: finished.append(self._with_digest()))
        thread.start()
        try:
            write_all(handle, self._header)
            for part in self._parts:
                write_all(handle, part)
            os.fsync(handle)                                    # the disk works while the thread does
        finally:
            thread.join()
        os.lseek(handle, 0, os.SEEK_SET)
        write_all(handle, finished[0])

    def _with_digest(self) -> bytes:
        digest = hashlib.sha256(self._header)
        for part in self._parts:
            digest.update(part)
        return self._header.replace(marker(NO_DIGEST), marker(digest.hexdigest()), 1)


def write_all(handle: int, data: Union[bytes, memoryview]) -> None:
    """Write all of `data`: a system may write less than it is given."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest):]


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
    fields: Dict[str, object] = {METADATA: {DIGEST: NO_DIGEST, **metadata}}
    for name in ready:                                          # the order of the caller
        fields[name] = {'dtype': _NAMES[ready[name].dtype], 'shape': list(shapes[name]), 'data_offsets': offsets[name]}
    header = json.dumps(fields, separators=(',', ':'))
    if len(header) + 8 > MAX_HEADER:
        raise refusal('header', f'names and metadata take {len(header)} bytes; the limit is {MAX_HEADER}. '
                                'Shorten them.')
    check_structure(header, 'header', LIMITS)
    text = header.encode('ascii')
    text += b' ' * (-len(text) % 8)      # the data begin at a multiple of 8, as float64 is aligned
    return len(text).to_bytes(LENGTH_BYTES, 'little') + text
