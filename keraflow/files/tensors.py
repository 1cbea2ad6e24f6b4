"""The weights file: named arrays and a few strings, in the safetensors layout, with a digest.

Any safetensors tool reads what is written here. Besides that layout the metadata hold ``sha256``, over every byte of
the file (its own 64 digits count as zeros), to detect damage. It is not a signature: it says nothing about who wrote
the file.
"""
import hashlib
import io
import itertools
import os
import re
from typing import BinaryIO, Dict, Iterable, Mapping, Optional, Tuple, Union

import numpy as np

from keraflow.files.limits import Limits
from keraflow.files.magic import describe_file
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.regular import PathLike, naming, open_regular
from keraflow.files.tensor_header import (DIGEST, LENGTH_BYTES, MAX_HEADER, NO_DIGEST, Entry, marker, parse_header,
                                          read_length)
from keraflow.files.tensor_writer import pack_tensors

__all__ = ['DIGEST', 'dump_tensors', 'parse_tensors', 'read_metadata', 'read_tensors']

Arrays = Dict[str, np.ndarray]
Contents = Tuple[Arrays, Dict[str, str]]

_HEX = re.compile('[0-9a-f]{64}')
_SAVE_IT = 'Save it with keraflow.'
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
        The same for the same arguments.

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
    return bytes(pack_tensors(arrays, metadata))    # which writes them faster, and without this copy


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
    return _read(io.BytesIO(data), len(data), source, require_digest, 'If you trust it, pass require_digest=False.')


def read_tensors(path: PathLike, limits: Limits = Limits(), require_digest: bool = True,
                 without_digest: str = _SAVE_IT) -> Contents:
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
    without_digest : str
        What to advise where a digest is required and there is none.

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
    stream, size = open_regular(path, limits.max_tensor_bytes, 'If you trust it, pass larger limits.')
    with stream, naming(path):
        return _read(stream, size, os.fspath(path), require_digest, without_digest)


def read_metadata(path: PathLike, limits: Limits = Limits()) -> Dict[str, str]:
    """Read the metadata of a weights file with a digest.

    The whole file is checked, as by `read_tensors`, but its arrays are not kept: they are in memory one by one.
    """
    stream, size = open_regular(path, limits.max_tensor_bytes, 'If you trust it, pass larger limits.')
    with stream, naming(path):
        return _read(stream, size, os.fspath(path), True, _SAVE_IT, keeps=False)[1]


# -- reading -----------------------------------------------------------------------------------------------------------

def _read(stream: BinaryIO, size: int, place: object, require_digest: bool, without_digest: str,
          keeps: bool = True) -> Contents:
    prefix = stream.read(LENGTH_BYTES)
    _check_kind(stream, prefix, size, place)
    header = stream.read(read_length(prefix, size, place))
    entries, metadata = parse_header(header, size - LENGTH_BYTES - len(header), place)
    written = metadata.pop(DIGEST, None)
    start = prefix + (_blanked(header, written, place, without_digest) if require_digest else header)
    arrays = {entry.name: np.empty(entry.shape, entry.dtype) for entry in entries if keeps}
    parts = (_fill(arrays[entry.name] if keeps else np.empty(entry.shape, entry.dtype), entry, stream, place)
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


def _blanked(header: bytes, digest: object, place: object, without_digest: str) -> bytes:
    """Return the header as it was hashed: with zeros for the digest."""
    if digest is None:
        raise refusal(place, 'the file holds no SHA-256: keraflow did not write it, and damage would not be noticed. '
                             f'{without_digest}')
    if not isinstance(digest, str) or not _HEX.fullmatch(digest) or header.count(marker(digest)) != 1:
        raise refusal(place, f'the SHA-256 in the header is not as keraflow writes it. {_DAMAGED}')
    return header.replace(marker(digest), marker(NO_DIGEST))


def _fill(array: np.ndarray, entry: Entry, stream: BinaryIO, place: object) -> memoryview:
    """Read a tensor's bytes into its array. The file's size was checked; it may have shrunk since."""
    content = array.reshape(-1).view(np.uint8)                  # a view: the array is new and contiguous
    if entry.end > entry.begin and stream.readinto(content.data) != content.size:  # type: ignore[attr-defined]
        raise refusal(place, 'the file became shorter while it was read. Wait until it is written.')
    if array.dtype == bool and content.size and content.max() > 1:
        raise refusal(place, f'the tensor {excerpt(entry.name)} is BOOL and holds a byte that is neither 0 nor 1. '
                             f'{_DAMAGED}')
    return content.data


def _sha256(parts: Iterable[Union[bytes, memoryview]]) -> str:
    result = hashlib.sha256()
    for part in parts:
        result.update(part)
    return result.hexdigest()
