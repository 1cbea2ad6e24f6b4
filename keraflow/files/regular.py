"""Open regular files, without waiting for a pipe and without reading a device."""
import errno
import os
import stat
from typing import BinaryIO, Tuple, Union

from keraflow.files.refusal import refusal

__all__ = ['PathLike', 'open_regular', 'read_regular']

PathLike = Union[str, os.PathLike[str]]

# O_NONBLOCK: opening a FIFO returns at once. O_NOCTTY: a terminal does not become ours.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ('O_NONBLOCK', 'O_NOCTTY', 'O_CLOEXEC', 'O_BINARY'))


def open_regular(path: PathLike, max_bytes: int) -> Tuple[BinaryIO, int]:
    """Open a regular file, and return its size with it.

    Parameters
    ----------
    path : path
        What to open. Symbolic links are followed.
    max_bytes : int
        The longest file that is accepted.

    Returns
    -------
    (binary file, int)
        The open file, to be closed by the caller, and its size in bytes.

    Raises
    ------
    ModelFileError
        It is a directory, a pipe or a device, or too large.
    OSError
        It does not exist or is not readable, in the words of Python.
    """
    try:
        handle = os.open(os.fspath(path), _FLAGS)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENODEV):          # a socket, or a device without a driver
            raise _not_regular(path) from None
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise _not_regular(path)
        if status.st_size > max_bytes:
            raise refusal(path, f'the file has {status.st_size} bytes; the limit is {max_bytes}. '
                                'If you trust it, pass larger limits.')
        return os.fdopen(handle, 'rb'), status.st_size
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: PathLike, max_bytes: int) -> bytes:
    """Read a regular file of at most `max_bytes`; the errors are those of `open_regular`."""
    stream, size = open_regular(path, max_bytes)
    with stream:
        return stream.read(size)


def _not_regular(path: PathLike) -> Exception:
    return refusal(path, 'this is not a regular file (but a directory, a pipe or a device). '
                         'Pass the path of a saved file.')
