"""Download files once: pinned by size and SHA-256, resumed after an interruption, renamed when complete.

Bytes are written to ``NAME.part``. Only a file with the pinned digest, synced to disk, takes the final name. If
several programs want the same file, one downloads it and the others wait. Where the system has no locks, each downloads
one of its own.
"""
import contextlib
import hashlib
import http.client
import os
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO, Iterator, NamedTuple, Optional

from keraflow import config
from keraflow.errors import DownloadError

fcntl: Any
try:
    import fcntl
except ImportError:     # Windows
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


def fetch(source: Source, timeout: float = 30., longest: float = 3600.) -> Path:
    """Return the path of a file, downloading it if it is missing.

    Parameters
    ----------
    source : Source
    timeout : float
        Seconds to wait for the server to answer or to go on.
    longest : float
        Seconds that the download may take: a server may go on for ever, a byte at a time. The next call resumes.

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
        with _alone_in(target.parent) as is_alone:
            if not target.exists():         # nobody else downloaded it meanwhile
                _download(source, target, is_alone, timeout, longest)
                return target
    if _digest(target) != source.sha256:
        raise DownloadError(f'{target}: the file was changed since it was downloaded. '
                            'Delete it to download it again, or pass the path of your own file.')
    return target


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[bool]:
    """Hold the lock of this folder, if there can be one. The system releases it if the program dies."""
    handle, is_alone = os.open(folder, os.O_RDONLY) if fcntl else None, False
    try:
        if handle is not None:
            with contextlib.suppress(OSError):      # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
                is_alone = True
        yield is_alone
    finally:
        if handle is not None:
            os.close(handle)


def _download(source: Source, target: Path, is_alone: bool, timeout: float, longest: float) -> None:
    # A part that others may write at the same time cannot be resumed: it has a name of its own, and does not stay.
    part = target.with_name(f'{target.name}.part' if is_alone else f'{target.name}.{secrets.token_hex(8)}.part')
    part.touch()    # 'r+b' opens no missing file, and 'w+b' would drop what an earlier call fetched
    try:
        with open(part, 'r+b') as file:
            try:
                _complete(file, source, timeout, time.monotonic() + longest)
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, urllib.error.HTTPError):       # an HTTPError holds the connection open
                    error.close()
                raise _failure(source, str(error) or type(error).__name__) from error
            os.fsync(file.fileno())  # before the new name says that it is complete
        if _digest(part) != source.sha256:
            part.unlink()
            raise _failure(source, 'the downloaded file had the wrong SHA-256 and was removed')
        os.replace(part, target)
    finally:
        if not is_alone:
            part.unlink(missing_ok=True)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect to another protocol, but for one from HTTP to HTTPS: urllib would follow those to FTP."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Optional[Any]:
        """Return the request for `newurl`."""
        new = urllib.parse.urlsplit(newurl).scheme
        if new not in (req.type, 'https'):
            fp.close()
            raise DownloadError(f'the server redirects to another protocol ({new!r:.20})')
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _complete(file: BinaryIO, source: Source, timeout: float, end: float) -> None:
    """Fetch the missing bytes; start over if the file is too long."""
    have = file.seek(0, os.SEEK_END)
    if have == source.size:
        return
    headers = {'Accept-Encoding': 'identity'}   # size and digest are those of the plain file
    if have < source.size and have:
        headers['Range'] = f'bytes={have}-'
    request = urllib.request.Request(source.url, headers=headers)
    with urllib.request.build_opener(_Redirects).open(request, timeout=timeout) as answer:
        have = _start(answer, have)
        text = answer.headers.get('Content-Length', str(source.size - have))
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise DownloadError(f'the server sent a length that is none ({text!r:.30})')
        declared = int(text)
        if have + declared != source.size:
            raise DownloadError(f'the server has {have + declared} bytes, expected {source.size}')
        file.seek(have)
        file.truncate()
        read = getattr(answer, 'read1', answer.read)            # what is there, as soon as there is something
        while have < source.size:
            if time.monotonic() > end:
                raise DownloadError(f'the server was too slow: {have} of {source.size} bytes are here')
            chunk = read(min(_CHUNK, source.size - have))
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
