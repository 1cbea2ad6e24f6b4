"""Arrays from the files of data sets: NumPy's ``.npz``, gzipped IDX, members of a tar archive.

Members are found by name and read in memory; no path from an archive is ever written. Sizes are checked before
anything is allocated, and pickled arrays go through :mod:`~keraflow.datasets.plainpickle`.
"""
import functools
import gzip
import io
import tarfile
import zipfile
import zlib
from typing import IO, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from keraflow.datasets import plainpickle
from keraflow.errors import DataError
from keraflow.files.regular import PathLike

__all__ = ['Data', 'grey_images', 'read_idx', 'read_npz', 'read_tar']

#: What every ``load_data`` returns: ``(x_train, y_train), (x_test, y_test)``.
Data = Tuple[Tuple[np.ndarray, np.ndarray], Tuple[np.ndarray, np.ndarray]]

#: More than four times the largest archive or array of these data sets.
MAX_BYTES = 2 ** 30
#: How many bytes of an archive are read at a time.
MAX_STEP = 2 ** 20
_NO_ARRAY = 'this is not an array as NumPy saves it.'


def read_npz(path: PathLike, names: Sequence[str]) -> List[np.ndarray]:
    """Return the arrays with these names from a ``.npz`` file.

    Raises
    ------
    DataError
        The file is damaged, lacks a name, or holds more than plain arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read_npy(_member(archive, f'{name}.npy'), f'{path}: {name}') for name in names]
    # zipfile raises the last two for unknown compression and for encryption.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f'{path}: this is not a complete .npz file ({error}).') from None
    except KeyError as error:
        raise DataError(f'{path}: {error.args[0]}') from None


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return _bounded(file, f'{archive.filename}: {name}')


def _read_npy(content: bytes, where: str) -> np.ndarray:
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = read_header[version](file)
    except (KeyError, ValueError):
        raise DataError(f'{where}: {_NO_ARRAY}') from None
    rest = memoryview(content)[file.tell():]
    if not dtype.hasobject:
        return plainpickle.as_array(rest, dtype, shape, fortran, where)
    array = plainpickle.loads(bytes(rest), where)
    if not isinstance(array, np.ndarray):
        raise DataError(f'{where}: {_NO_ARRAY}')
    return array


def read_idx(path: PathLike) -> np.ndarray:
    """Return the bytes in a gzipped IDX file, such as ``train-images-idx3-ubyte.gz``.

    Raises
    ------
    DataError
        The file is damaged, or not an IDX file of bytes.

    References
    ----------
    .. [1] Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits",
       http://yann.lecun.com/exdb/mnist, 1998 (the file format).
    """
    try:
        with gzip.open(path) as file:
            content = _bounded(file, path)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f'{path}: this is not a complete gzip file ({error}).') from None
    start = 4 + 4 * content[3] if content[:3] == b'\0\0\x08' and len(content) > 3 else 0
    if not 4 < start <= len(content):
        raise DataError(f'{path}: this is not an IDX file of bytes.')
    shape = tuple(int(length) for length in np.frombuffer(content[4:start], '>u4'))
    return plainpickle.as_array(memoryview(content)[start:], np.dtype('u1'), shape, False, path)


def read_tar(path: PathLike, names: Sequence[str]) -> Dict[str, bytes]:
    """Return the contents of the named files in a gzipped tar archive.

    Raises
    ------
    DataError
        The archive is damaged or too large, or lacks a file.
    """
    found: Dict[str, bytes] = {}
    try:
        # 'r:' reads without compression, which _Steps has undone.
        with _Steps(path) as file, tarfile.open(fileobj=file, mode='r:') as archive:
            for member in archive:
                if member.offset_data + member.size > MAX_BYTES:
                    raise DataError(f'{path}: {member.name}: more than {MAX_BYTES} bytes.')
                content = archive.extractfile(member) if member.name in names and member.isfile() else None
                if content is not None:
                    found[member.name] = b''.join(iter(functools.partial(content.read, MAX_STEP), b''))
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f'{path}: this is not a complete tar.gz file ({error}).') from None
    for name in names:
        if name not in found:
            raise DataError(f'{path}: there is no file {name} in it.')
    return found


def grey_images(images: np.ndarray, labels: np.ndarray, where: object) -> Tuple[np.ndarray, np.ndarray]:
    """Return images of 28 x 28 bytes and their labels.

    Raises
    ------
    DataError
        The arrays are anything else.
    """
    if not (images.dtype == np.uint8 and images.shape[1:] == (28, 28) and labels.shape == images.shape[:1]
            and labels.dtype.kind in 'iu' and ((labels >= 0) & (labels <= 9)).all()):
        raise DataError(f'{where}: expected images of 28 x 28 bytes with a label from 0 to 9 each. '
                        'The file is damaged, or a different one.')
    return images, labels.astype('uint8')


class _Steps(gzip.GzipFile):
    """A gzip file that is read in steps: ``tarfile`` trusts the length that a header claims."""

    def read(self, size: Optional[int] = -1) -> bytes:
        if size is None or not 0 <= size <= MAX_STEP or self.tell() + size > MAX_BYTES:
            raise DataError(f'{self.name}: a header of more than {MAX_STEP} bytes, or more than {MAX_BYTES} bytes in '
                            'all.')
        return super().read(size)


def _bounded(file: Union[gzip.GzipFile, IO[bytes]], where: object) -> bytes:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DataError(f'{where}: more than {MAX_BYTES} bytes.')
    return content
