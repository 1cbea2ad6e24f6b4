"""Download files once: pinned by size and SHA-256, resumed after an interruption, renamed when complete.

Bytes are written to ``NAME.part``. Only a file with the pinned digest, synced to disk, takes the final name. If
several programs want the same file, one downloads it and the others wait.
"""
import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO, Iterator, NamedTuple

from keraflow import config
from keraflow.errors import DownloadError

fcntl: Any
try:
    import fcntl
except ImportError:     # Windows has no fcntl: programs must not download the same file at once there
    fcntl = None

__all__ = ['Source', 'fetch']

_CHUNK = 2 ** 18


class Source(NamedTuple):
    """A file whose bytes never change."""

    url: str
    size: int
    sha256: str
    folder: str = ''        #: below the folder ``datasets``, where the name alone could be another data set's

    @property
    def name(self) -> str:
        """The last part of the URL."""
        return self.url.rpartition('/')[2]


def fetch(source: Source, timeout: float = 30.) -> Path:
    """Return the path of a file, downloading it if it is missing.

    Parameters
    ----------
    source : Source
    timeout : float
        Seconds to wait for the server to answer or to go on.

    Returns
    -------
    Path
        ``KERAFLOW_HOME/datasets/FOLDER/NAME``. Its digest has been verified by this call.

    Raises
    ------
    DownloadError
        The connection failed or ended early (the next call resumes), the downloaded file has the wrong digest (it is
        removed), or the existing file was modified (it is left alone).
    """
    target = Path(config.home(), 'datasets', source.folder, source.name)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(target.parent):
            if not target.exists():         # nobody else downloaded it meanwhile
                _download(source, target, timeout)
                return target
    if _digest(target) != source.sha256:
        raise DownloadError(f'{target}: the file was changed since it was downloaded. '
                            'Delete it to download it again, or pass the path of your own file.')
    return target


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the lock of this folder. The system releases it if the program dies."""
    handle = os.open(folder, os.O_RDONLY) if fcntl else None
    try:
        if handle is not None:
            with contextlib.suppress(OSError):      # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _download(source: Source, target: Path, timeout: float) -> None:
    part = target.with_name(f'{target.name}.part')
    part.touch()    # 'r+b' opens no missing file, and 'w+b' would drop what an earlier call fetched
    with open(part, 'r+b') as file:
        try:
            _complete(file, source, timeout)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):       # an HTTPError holds the connection open
                error.close()
            raise _failure(source, str(error) or type(error).__name__) from error
        os.fsync(file.fileno())  # before the new name says that it is complete
    if _digest(part) != source.sha256:
        part.unlink()
        raise _failure(source, 'the downloaded file had the wrong SHA-256 and was removed')
    os.replace(part, target)


def _complete(file: BinaryIO, source: Source, timeout: float) -> None:
    """Fetch the missing bytes; start over if the file is too long."""
    have = file.seek(0, os.SEEK_END)
    if have == source.size:
        return
    headers = {'Accept-Encoding': 'identity'}   # size and digest are those of the plain file
    if have < source.size and have:
        headers['Range'] = f'bytes={have}-'
    with urllib.request.urlopen(urllib.request.Request(source.url, headers=headers), timeout=timeout) as answer:
        have = _start(answer, have)
        declared = int(answer.headers.get('Content-Length', source.size - have))
        if have + declared != source.size:
            raise DownloadError(f'the server has {have + declared} bytes, expected {source.size}')
        file.seek(have)
        file.truncate()
        while have < source.size:
            chunk = answer.read(min(_CHUNK, source.size - have))
            if not chunk:
                raise DownloadError(f'the connection ended after {have} of {source.size} bytes')
            file.write(chunk)
            have += len(chunk)


def _start(answer: http.client.HTTPResponse, wanted: int) -> int:
    """Return where the bytes of a response begin: 0 if the server does not support ranges."""
    if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
        return 0
    sent = answer.headers.get('Content-Range', '')
    if not sent.startswith(f'bytes {wanted}-'):
        raise DownloadError(f'the server sent a different part than requested ({sent or "it does not say which"})')
    return wanted


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _failure(source: Source, problem: str) -> DownloadError:
    return DownloadError(f'{source.url}: {problem}. Call again, or download it yourself and pass its path.')
