"""What is in a ``.keras`` file: a zip archive of a description of the model, and of its weights in HDF5.

Nothing in it is run or imported, and no other file is opened: HDF5 can refer to other files, and load code to decode
arrays, so such arrays are refused before they are read.
"""
import io
import os
from typing import Any, Callable, Dict, Tuple

import numpy as np

from keraflow.errors import ModelFileError
from keraflow.extras import load_extra
from keraflow.files.json_text import parse_json
from keraflow.files.limits import Limits
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.regular import PathLike
from keraflow.files.zips import Content, ZipKind, read_zip

__all__ = ['EXTENSION', 'Weights', 'read_keras']

EXTENSION = '.keras'
_ABOUT, _CONFIG, _WEIGHTS = 'metadata.json', 'config.json', 'model.weights.h5'
_KIND = ZipKind(EXTENSION, 'Keras', 'Take another copy, or save the model anew.', 'Save the model anew with Keras 3.')

#: Returns the array in a place, which must have this shape.
Weights = Callable[[str, Tuple[int, ...]], np.ndarray]


def read_keras(path: PathLike) -> Tuple[Dict[str, Any], Weights]:
    """Read a model that Keras 3 saved.

    Returns
    -------
    (dict, function)
        The description of the model, and a function that returns an array of its weights.

    Raises
    ------
    ModelFileError
        If the file is damaged, or of another kind.
    MissingPackageError
        Without h5py.
    """
    limits, where = Limits(), os.fspath(path)
    found = read_zip(path, [_ABOUT, _CONFIG, _WEIGHTS], _KIND, limits.max_tensor_bytes)
    about, data = (_parsed(found[name], name, where, limits) for name in (_ABOUT, _CONFIG))
    version = about.get('keras_version') if isinstance(about, dict) else None
    if not isinstance(version, str) or not version.startswith('3.'):
        raise refusal(where, f'expected a file of Keras 3, found version {excerpt(version)}. Save the model anew with '
                             'Keras 3.')
    return data, _Hdf5(found[_WEIGHTS], f'{where}: {_WEIGHTS}')


def _parsed(content: Content, name: str, where: str, limits: Limits) -> Any:
    if len(content) > limits.max_bytes:
        raise refusal(where, f'{name} has {len(content)} bytes, which is more than the limit of {limits.max_bytes}.')
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise refusal(where, f'{name} is no text in UTF-8.') from None
    return parse_json(text, f'{where}: {name}')


class _Hdf5:
    """Arrays in an HDF5 file; none that is elsewhere, or that needs code to be loaded."""

    def __init__(self, content: Content, where: str):
        self._h5py = load_extra('h5py', 'keras', 'import_keras')
        self._where = where
        try:
            self._file = self._h5py.File(io.BytesIO(content), 'r')
        except OSError as error:
            raise refusal(self._where, f'this is not a complete HDF5 file ({error}).') from None

    def __call__(self, place: str, shape: Tuple[int, ...]) -> np.ndarray:
        try:
            return self._array(place, shape)
        except ModelFileError:
            raise
        except Exception as error:      # h5py raises many kinds on damaged files
            raise refusal(self._where, f'{place}: the file is damaged ({type(error).__name__}).') from error

    def _array(self, place: str, shape: Tuple[int, ...]) -> np.ndarray:
        found = self._file
        for step in place.split('/'):
            is_group = isinstance(found, self._h5py.Group)
            link = found.get(step, getlink=True) if is_group and step in found.keys() else None
            if not isinstance(link, self._h5py.HardLink):
                raise refusal(self._where, f'expected an array {place}, of shape {shape}; '
                                           f"there is {'none' if link is None else 'a link to another place'}.")
            found = found[step]
        if not isinstance(found, self._h5py.Dataset) or found.shape != shape or found.dtype.kind not in 'fiu':
            raise refusal(self._where, f'{place}: expected numbers of shape {shape}, found '
                                       f'{getattr(found, "shape", "a group")}.')
        stored = found.id.get_create_plist()
        filters = {stored.get_filter(number)[0] for number in range(stored.get_nfilters())}
        if found.is_virtual or found.external or not filters <= {self._h5py.h5z.FILTER_DEFLATE,
                                                                 self._h5py.h5z.FILTER_SHUFFLE}:
            raise refusal(self._where, f'{place}: the array is in another file, or is encoded by a program of its own.')
        return np.asarray(found[()])
