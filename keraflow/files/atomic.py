"""Write files atomically: a file is replaced whole, or not at all.

The new content goes to a temporary file next to the target, reaches the disk (`fsync`), and takes the target's name in
one step. A program that is killed at any moment leaves the old file or the new one, and at worst a file named
``.keraflow-*.tmp`` that can be deleted.
"""
import contextlib
import errno
import os
import secrets
import stat
from typing import Optional, Sequence, Tuple, Union

from keraflow.files.refusal import refusal
from keraflow.files.regular import PathLike

__all__ = ['check_file', 'write_file', 'write_files']

Data = Union[bytes, bytearray, memoryview]

# O_EXCL: neither an existing file nor a symbolic link that somebody put there is written to.
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, 'O_CLOEXEC', 0) | getattr(os, 'O_BINARY', 0)
# What file systems without hard links, such as FAT and some network drives, answer to one.
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EINVAL)


def write_file(path: PathLike, data: Data, overwrite: bool = False) -> None:
    """Write a file, atomically and durably.

    Parameters
    ----------
    path : path
        Where. A symbolic link is kept, and the file that it points to is replaced; so are the permissions of a file
        that is replaced.
    data : bytes
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
    files : list of (path, bytes)
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
    try:
        for job in jobs:
            job.write()
        for job in jobs:
            job.commit()
        for folder in dict.fromkeys(job.folder for job in jobs):
            _sync_folder(folder)
    except BaseException:
        for job in reversed(jobs):
            job.undo()
        raise
    finally:
        for job in jobs:
            job.clean()


def check_file(path: PathLike, overwrite: bool = False) -> None:
    """Raise what :func:`write_file` would raise before it writes: the file exists, or its folder does not."""
    _Job(path, b'', overwrite)


class _Job:
    """One file on its way: checked, written next to the target, committed or undone."""

    def __init__(self, path: PathLike, data: Data, overwrite: bool):
        self.path = os.fspath(path)
        self.data = memoryview(data).cast('B')                  # a TypeError for text, before a file is opened
        self.overwrite = overwrite
        self.target = os.path.realpath(self.path)               # through a symbolic link, which is kept
        self.folder = os.path.dirname(self.target)
        name = os.path.join(self.folder, f'.keraflow-{secrets.token_hex(8)}')
        self.temporary, self.backup = f'{name}.tmp', f'{name}-old.tmp'
        self.identity: Optional[Tuple[int, int]] = None         # of the temporary file
        self.mode = self._check_target()

    def _check_target(self) -> Optional[int]:
        """Return the permissions of the file to replace, or None if there is none."""
        try:
            mode = os.stat(self.target).st_mode
        except FileNotFoundError:
            if not os.path.isdir(self.folder):
                text = f'{self.path}: the folder {self.folder} does not exist. Create it first.'
                raise FileNotFoundError(text) from None
            return None
        if not stat.S_ISREG(mode):
            raise refusal(self.path, 'this is not a regular file (but a directory, a pipe or a device). '
                                     'Choose another path.')
        if not self.overwrite:
            raise self._exists()
        return stat.S_IMODE(mode) & 0o777      # no set-uid for new content

    def _exists(self) -> FileExistsError:
        return FileExistsError(f'{self.path} exists already. Pass overwrite=True to replace it.')

    def write(self) -> None:
        """Write the temporary file completely, and sync it to disk."""
        # Private until its permissions are known; a new file gets those of the umask.
        handle = os.open(self.temporary, _CREATE, 0o666 if self.mode is None else 0o600)
        try:
            status = os.fstat(handle)
            self.identity = status.st_dev, status.st_ino
            if self.mode is not None and hasattr(os, 'fchmod'):
                os.fchmod(handle, self.mode)
            rest = self.data
            while rest:
                rest = rest[os.write(handle, rest):]      # a system may write less than it is given
            os.fsync(handle)
        finally:
            os.close(handle)

    def commit(self) -> None:
        """Give the temporary file the target's name, in one step."""
        if self.overwrite:
            if self.mode is not None:
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
        for name in (self.temporary, self.backup):
            with contextlib.suppress(OSError):
                os.unlink(name)


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
