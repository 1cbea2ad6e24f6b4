"""What is in the containers of data sets: gzip, tar, and NumPy's ``.npz``, which is a zip file. Members are found by
name, in memory.

As :mod:`keraflow.files.zips`, these know what such files are made of, check each size before anything is allocated, and
raise one kind of errors.

References
----------
.. [1] P. Deutsch, "GZIP file format specification version 4.3", RFC 1952, 1996.
.. [2] IEEE and The Open Group, "pax - portable archive interchange: ustar interchange format", IEEE Std 1003.1, 2017.
"""
import contextlib
from typing import Dict, Iterator, Sequence, Union

from keraflow.errors import DataError, ModelFileError
from keraflow.files.refusal import refusal
from keraflow.files.regular import PathLike, read_regular
from keraflow.files.zips import ZipKind, inflated

__all__ = ['MAX_BYTES', 'NPZ', 'as_data_errors', 'read_gzip', 'read_tar']

#: More than four times the largest of these data sets, packed or not.
MAX_BYTES = 2 ** 30
NPZ = ZipKind('.npz', 'NumPy', 'Download it again.', 'Save it by numpy.savez.')

_GZIP = 31                                                      # what zlib calls the format
_INCOMPLETE = 'this is not a complete {} file. Download it again.'
_BLOCK = 512                                                    # of a tar


def read_gzip(path: PathLike) -> memoryview:
    """Return the content of a gzip file.

    Raises
    ------
    DataError
        It is damaged, or too large.
    """
    with as_data_errors():
        data = read_regular(path, MAX_BYTES)
        return memoryview(inflated(data, _GZIP, MAX_BYTES, path, refusal(path, _INCOMPLETE.format('gzip'))))


def read_tar(path: PathLike, names: Sequence[str]) -> Dict[str, memoryview]:
    """Return the contents of the named files in a gzipped tar archive.

    Raises
    ------
    DataError
        The archive is damaged or too large, or a name is not in it exactly once.
    """
    data, found = read_gzip(path), {}
    at = 0
    while bytes(data[at:at + 1]) not in (b'', b'\0'):           # a block of zeros is the end
        header = bytes(data[at:at + _BLOCK])
        size = _tar_size(header)
        if size is None or at + _BLOCK + size > len(data):
            raise DataError(f"{path}: {_INCOMPLETE.format('tar.gz')}")
        name = header[:100].partition(b'\0')[0].decode('latin1')
        if header[156:157] in (b'0', b'\0') and name in names:  # a file, and no link
            if name in found:
                raise DataError(f'{path}: there are two files {name} in it. The file is damaged.')
            found[name] = data[at + _BLOCK:at + _BLOCK + size]
        at += _BLOCK + -(-size // _BLOCK) * _BLOCK
    for name in names:
        if name not in found:
            raise DataError(f'{path}: there is no file {name} in it.')
    return found


@contextlib.contextmanager
def as_data_errors() -> Iterator[None]:
    """Let what reads files raise errors about data in a block.

    Raises
    ------
    DataError
        In place of a ModelFileError, with the same text.
    """
    try:
        yield
    except ModelFileError as error:
        raise DataError(str(error)) from None


def _tar_size(header: bytes) -> Union[int, None]:
    """Return the size of the file that follows a header of a tar, or None if it is damaged."""
    numbers = [header[at:at + width].strip(b' \0') for at, width in ((124, 12), (148, 8))]
    if len(header) < _BLOCK or not all(number.isdigit() and not number.strip(b'01234567') for number in numbers):
        return None
    size, checksum = (int(number, 8) for number in numbers)
    return size if checksum == sum(header[:148]) + sum(header[156:]) + 8 * ord(' ') else None
