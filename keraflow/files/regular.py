"""Open regular files, without waiting for a pipe and without reading a device."""
import contextlib
import errno
import os
import stat
from typing import BinaryIO, Iterator, Tuple, Union

from keraflow.errors import printable
from keraflow.files.refusal import refusal

__all__ = ['PathLike', 'naming', 'open_regular', 'path_text', 'read_regular']

PathLike = Union[str, os.PathLike[str]]

# O_NONBLOCK: opening a FIFO returns at once. O_NOCTTY: a terminal does not become ours.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ('O_NONBLOCK', 'O_NOCTTY', 'O_CLOEXEC', 'O_BINARY'))

_MAX_NAME = 200


def open_regular(path: PathLike, max_bytes: int, advice: str = '') -> Tuple[BinaryIO, int]:
    """Open a regular file, and return its size with it.

    Parameters
    ----------
    path : path
        What to open. Symbolic links are followed.
    max_bytes : int
        The longest file that is accepted.
    advice : str
        What the caller's caller can do about a longer one.

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
    text = path_text(path)
    try:
        with naming(text):
            handle = os.open(text, _FLAGS)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENODEV):          # a socket, or a device without a driver
            raise _not_regular(path) from None
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise _not_regular(path)
        if status.st_size > max_bytes:
            raise refusal(path, f'the file has {status.st_size} bytes; the limit is {max_bytes}. {advice}'.rstrip())
        return os.fdopen(handle, 'rb'), status.st_size
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: PathLike, max_bytes: int, advice: str = '') -> bytes:
    """Read a regular file of at most `max_bytes`; the errors are those of `open_regular`."""
    stream, size = open_regular(path, max_bytes, advice)
    with stream, naming(path):
        return stream.read(size)


def path_text(path: PathLike) -> str:
    """Return a path as a string that the system can be asked for.

    Raises
    ------
    ModelFileError
        It holds NUL, or half a surrogate pair.
    """
    text = os.fspath(path)
    try:
        possible = b'\0' not in os.fsencode(text)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise refusal(text, 'no file can have this name. Write it without NUL and half surrogate pairs.')
    return text


@contextlib.contextmanager
def naming(path: PathLike) -> Iterator[None]:
    """Let an error of the system in a ``with`` block name this path: some name none, others a temporary file."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:     # not one of ours, which has its own words
            text = os.fspath(path)
            error.filename = text if len(repr(text)) <= _MAX_NAME else printable(text, _MAX_NAME)
            del error.filename2         # of a renaming; None would be shown
        raise


def _not_regular(path: PathLike) -> Exception:
    return refusal(path, 'this is not a regular file (but a directory, a pipe or a device). '
                         'Pass the path of a saved file.')
