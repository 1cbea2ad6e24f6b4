"""Write files atomically: a file is replaced whole, or not at all.

The new content goes to a temporary file next to the target, reaches the disk (`fsync`), and takes the target's name in
one step. A program that is killed at any moment leaves the old file or the new one, and at worst a file named
``.keraflow-*.tmp``, which the next one that writes in this folder removes.
"""
import contextlib
import errno
import os
import secrets
import stat
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

from keraflow.errors import MAX_MESSAGE, path_in_words, printable
from keraflow.files.abandoned import NAMES, claim, remove_abandoned
from keraflow.files.refusal import refusal
from keraflow.files.regular import PathLike, naming, path_text
from keraflow.files.tensor_writer import PackedTensors, write_all

__all__ = ['check_file', 'write_file', 'write_files']

Data = Union[bytes, bytearray, memoryview, PackedTensors]

# O_EXCL: neither an existing file nor a symbolic link that somebody put there is written to.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, 'O_CLOEXEC', 0) | getattr(os, 'O_BINARY', 0)
# What file systems without hard links, such as FAT and some network drives, answer to one.
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EINVAL)
# How often a temporary file is created again that another program removes at once.
_MAX_NAMES = 10


def write_file(path: PathLike, data: Data, overwrite: bool = False) -> None:
    """Write a file, atomically and durably.

    Parameters
    ----------
    path : path
        Where. A symbolic link is kept, and the file that it points to is replaced; so are the permissions of a file
        that is replaced.
    data : bytes or PackedTensors
        The whole content.
    overwrite : bool
        Whether a file that exists is replaced. Without it, of two programs that write at the same time one succeeds.

    Raises
    ------
    FileExistsError
        The file exists, and `overwrite` is False.
    FileNotFoundError
        The folder does not exist.
    ModelFileError
        `path` is a directory, a pipe or a device.
    OSError
        The disk is full, the folder is not writable, ... The target is unchanged, and nothing is left next to it.
    """
    write_files([(path, data)], overwrite)


def write_files(files: Sequence[Tuple[PathLike, Data]], overwrite: bool = False) -> None:
    """Write several files that belong together. All are checked, then all written, then all renamed.

    An error gives back what was there before, in all of them. Only a program that is killed in between the
    renames, which take microseconds, leaves some new and some old.

    Parameters
    ----------
    files : list of (path, content)
        As for `write_file`; no file twice.
    overwrite : bool
        As for `write_file`.

    Raises
    ------
    FileExistsError, FileNotFoundError, ModelFileError, OSError
        As for `write_file`; also a ModelFileError for a file that is there twice.
    """
    jobs = [_Job(path, data, overwrite) for path, data in files]
    for index, job in enumerate(jobs):
        if job.target in [other.target for other in jobs[:index]]:
            raise refusal(job.path, 'two contents are given for this file. Pass different paths.')
    folders = {job.folder: job.path for job in jobs}
    with contextlib.ExitStack() as cleaning:        # of all, also if Ctrl-C ends one
        for job in jobs:
            cleaning.callback(job.clean)
        for folder in folders:      # before there are more: a full disk may be full of them
            remove_abandoned(folder)
        try:
            for job in jobs:
                with naming(job.path):
                    job.write()
            for job in jobs:
                with naming(job.path):
                    job.commit()
            for folder, path in folders.items():
                with naming(path):
                    _sync_folder(folder)
        except BaseException:
            with contextlib.ExitStack() as undoing:     # in reverse order
                for job in jobs:
                    undoing.callback(job.undo)
            raise


def check_file(path: PathLike, overwrite: bool = False) -> None:
    """Raise what :func:`write_file` would raise before it writes: the file exists, or its folder does not."""
    _Job(path, b'', overwrite)


class _Job:
    """One file on its way: checked, written next to the target, committed or undone."""

    def __init__(self, path: PathLike, data: Data, overwrite: bool):
        self.path = path_text(path)
        # A TypeError for text, before a file is opened.
        self.data = data if isinstance(data, PackedTensors) else memoryview(data).cast('B')
        self.overwrite = overwrite
        self.target = os.path.realpath(self.path)               # through a symbolic link, which is kept
        self.folder = os.path.dirname(self.target)
        self.temporary, self.backup = '', self._new_name()
        self.identity: Optional[Tuple[int, int]] = None         # of the temporary file
        self.claims: List[int] = []                             # open files, by which others see that this one lives
        with naming(self.path):
            self.mode = self._check_target()

    def _check_target(self) -> Optional[int]:
        """Return the permissions of the file to replace, or None if there is none."""
        try:
            mode = os.stat(self.target).st_mode
        except FileNotFoundError:
            if not os.path.isdir(self.folder):
                text = f'{self.path}: the folder {path_in_words(self.folder)} does not exist. Create it first.'
                raise FileNotFoundError(printable(text)) from None
            return None
        if not stat.S_ISREG(mode):
            raise refusal(self.path, 'this is not a regular file (but a directory, a pipe or a device). '
                                     'Choose another path.')
        if not self.overwrite:
            raise self._exists()
        return stat.S_IMODE(mode) & 0o777      # no set-uid for new content

    def _exists(self) -> FileExistsError:
        text = ' exists already. Pass overwrite=True to replace it.'
        return FileExistsError(printable(self.path, MAX_MESSAGE - len(text)) + text)

    def write(self) -> None:
        """Write the temporary file completely, and sync it to disk."""
        handle = self._create()
        try:
            status = os.fstat(handle)
            self.identity = status.st_dev, status.st_ino
            if self.mode is not None and hasattr(os, 'fchmod'):
                os.fchmod(handle, self.mode)
            if isinstance(self.data, PackedTensors):
                self.data.write_to(handle)
            else:
                write_all(handle, self.data)
            os.fsync(handle)
        finally:
            os.close(handle)

    def _create(self) -> int:
        """Create and claim a temporary file: another one if a program removes it before it is claimed."""
        attempt = 0
        while True:
            attempt += 1
            self.temporary = self._new_name()
            # Private until its permissions are known; a new file gets those of the umask.
            handle = os.open(self.temporary, _CREATE, 0o666 if self.mode is None else 0o600)
            try:
                if self._is_claimed(handle) or attempt == _MAX_NAMES:   # somebody may lock whatever appears
                    return handle
                os.unlink(self.temporary)
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)

    def _is_claimed(self, handle: int) -> bool:
        try:
            self._claim(handle)
        except BlockingIOError:
            return False
        return os.fstat(handle).st_nlink > 0

    def _claim(self, file: Union[int, str]) -> None:
        handle = claim(file)
        if handle is not None:
            self.claims.append(handle)

    def _new_name(self) -> str:
        return os.path.join(self.folder, NAMES.format(secrets.token_hex(8)))

    def commit(self) -> None:
        """Give the temporary file the target's name, in one step."""
        if self.overwrite:
            if self.mode is not None:
                with contextlib.suppress(OSError):
                    self._claim(self.target)
                with contextlib.suppress(OSError):              # without hard links an error cannot be undone
                    os.link(self.target, self.backup)
            os.replace(self.temporary, self.target)
            return
        try:
            os.link(self.temporary, self.target)                # unlike a rename, it refuses to replace
        except FileExistsError:
            raise self._exists() from None
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._commit_without_links()

    def _commit_without_links(self) -> None:
        """Reserve the name with an empty file, which only one program can create, and replace that."""
        try:
            handle = os.open(self.target, _CREATE, 0o666)
        except FileExistsError:
            raise self._exists() from None
        os.close(handle)
        try:
            os.replace(self.temporary, self.target)
        except BaseException:
            os.unlink(self.target)
            raise

    def undo(self) -> None:
        """Back to what was there before, wherever `commit` was interrupted."""
        with contextlib.suppress(OSError):
            if self.mode is not None:
                os.replace(self.backup, self.target)            # no backup: not committed. Both the same: no effect
            else:
                status = os.stat(self.target)
                if (status.st_dev, status.st_ino) == self.identity:
                    os.unlink(self.target)

    def clean(self) -> None:
        with contextlib.ExitStack() as stack:
            for handle in self.claims:
                stack.callback(_tried, os.close, handle)
            for name in filter(None, (self.temporary, self.backup)):
                stack.callback(_tried, os.unlink, name)


def _tried(function: Callable[[Any], None], argument: Any) -> None:
    with contextlib.suppress(OSError):
        function(argument)


def _sync_folder(folder: str) -> None:
    """Make the new names durable, where the system can."""
    if os.name == 'nt':                                         # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY | getattr(os, 'O_DIRECTORY', 0))
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP):      # not every file system can
            raise
    finally:
        os.close(handle)
