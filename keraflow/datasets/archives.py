"""Arrays from the files of data sets: NumPy's ``.npz`` and gzipped IDX.

Sizes are checked before anything is allocated, and pickled arrays go through :mod:`~keraflow.datasets.plainpickle`.
"""
import re
from typing import List, Sequence, Tuple

import numpy as np

from keraflow.datasets import containers, plainpickle
from keraflow.datasets.containers import NPZ, as_data_errors, read_gzip
from keraflow.errors import DataError
from keraflow.files.regular import PathLike
from keraflow.files.zips import read_zip

__all__ = ['Data', 'grey_images', 'read_idx', 'read_npz']

#: What every ``load_data`` returns: ``(x_train, y_train), (x_test, y_test)``.
Data = Tuple[Tuple[np.ndarray, np.ndarray], Tuple[np.ndarray, np.ndarray]]

# The header of an array is a literal of Python, which is not evaluated: NumPy writes it like this. Python 2 wrote 3L.
_HEADER = re.compile(rb"\{'descr': '([<>|]?[biufO][1248]?)', 'fortran_order': (True|False), "
                     rb"'shape': \(((?:\d{1,19}L?, ?)*(?:\d{1,19}L?)?)\), \} *\n")


def read_npz(path: PathLike, names: Sequence[str]) -> List[np.ndarray]:
    """Return the arrays with these names from a ``.npz`` file.

    Raises
    ------
    DataError
        The file is damaged, lacks a name, or holds more than plain arrays.
    """
    with as_data_errors():
        members = read_zip(path, [f'{name}.npy' for name in names], NPZ, containers.MAX_BYTES)
    return [_read_npy(memoryview(members[f'{name}.npy']), f'{path}: {name}') for name in names]


def _read_npy(content: memoryview, where: str) -> np.ndarray:
    # Version 1 has two bytes of length, version 2 four; version 3 is for names of fields.
    version, width = bytes(content[:8]), {b'\x93NUMPY\1\0': 2, b'\x93NUMPY\2\0': 4}
    start = 8 + width.get(version, 0)
    end = start + int.from_bytes(content[8:start], 'little')
    header = _HEADER.fullmatch(content[start:end]) if version in width and end <= len(content) else None
    if header is None:
        raise _no_array(where)
    try:
        dtype = np.dtype(header[1].decode())
    except TypeError:                                           # such as f1
        raise _no_array(where) from None
    shape = [int(length.rstrip(b'L')) for length in header[3].replace(b' ', b'').split(b',') if length]
    if not dtype.hasobject:
        return plainpickle.as_array(content[end:], dtype, shape, header[2] == b'True', where)
    array = plainpickle.loads(bytes(content[end:]), where)
    if not isinstance(array, np.ndarray) or array.shape != tuple(shape):
        raise _no_array(where)
    return array


def _no_array(where: str) -> DataError:
    return DataError(f'{where}: this is not an array as NumPy saves it.')


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
    content = read_gzip(path)
    start = 4 + 4 * content[3] if bytes(content[:3]) == b'\0\0\x08' and len(content) > 3 else 0
    if not 4 < start <= len(content):
        raise DataError(f'{path}: this is not an IDX file of bytes.')
    shape = tuple(int(length) for length in np.frombuffer(content[4:start], '>u4'))
    return plainpickle.as_array(content[start:], np.dtype('u1'), shape, False, path)


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
