"""Temporary files of programs that died, and how to know them: no program that lives holds a lock on them.

The system releases the locks of a program when it ends, however it ends. Where it cannot lock files, as on Windows and
on some network drives, nothing is taken for abandoned.
"""
import contextlib
import os
import re
from typing import Any, Optional, Union

fcntl: Any
try:
    import fcntl
except ImportError:     # Windows
    fcntl = None

__all__ = ['NAMES', 'claim', 'remove_abandoned']

#: How temporary files are called: with 16 hexadecimal digits, which are drawn.
NAMES = '.keraflow-{}.tmp'

_ABANDONED = re.compile(re.escape(NAMES).replace(r'\{\}', '[0-9a-f]{16}'))
# Whatever has such a name by now: no link is followed, and no pipe is waited for.
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ('O_NOFOLLOW', 'O_NONBLOCK', 'O_NOCTTY', 'O_CLOEXEC'))


def claim(file: Union[int, str]) -> Optional[int]:
    """Show other programs that a file is in use, until the returned handle is closed.

    Parameters
    ----------
    file : int or str
        The handle of an open file, which may then be closed, or a path.

    Returns
    -------
    int or None
        None where files cannot be locked.

    Raises
    ------
    BlockingIOError
        A program is about to remove it.
    """
    handle = None
    try:
        if fcntl is not None:
            handle = os.dup(file) if isinstance(file, int) else os.open(file, _FLAGS)
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return handle
    except BaseException as error:
        if handle is not None:
            with contextlib.suppress(OSError):
                os.close(handle)
        if isinstance(error, BlockingIOError) or not isinstance(error, OSError):
            raise
        return None


def remove_abandoned(folder: str) -> None:
    """Remove the temporary files of programs that died from a folder, as far as that is possible."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for name in [entry.name for entry in entries if _ABANDONED.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                _remove_unclaimed(os.path.join(folder, name))


def _remove_unclaimed(path: str) -> None:
    handle = os.open(path, _FLAGS)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(handle)
