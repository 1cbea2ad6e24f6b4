"""Small colour photographs: 50,000 images to train on and 10,000 to test, of 32 x 32 pixels."""
from typing import Literal, Optional, Tuple

import numpy as np

from keraflow.datasets import plainpickle
from keraflow.datasets.archives import Data
from keraflow.datasets.containers import read_tar
from keraflow.datasets.fetching import Source, fetch
from keraflow.errors import DataError
from keraflow.files.regular import PathLike
from keraflow.schema.checked import checked

__all__ = ['CLASSES', 'load_data']

#: What the classes 0 to 9 are.
CLASSES = ('airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck')

SOURCE = Source('https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz', 170498071,
                '6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce')
_MEMBERS = [f'cifar-10-batches-py/{name}' for name in (*(f'data_batch_{i}' for i in range(1, 6)), 'test_batch')]


@checked
def load_data(path: Optional[PathLike] = None,
              data_format: Literal['channels_first', 'channels_last'] = 'channels_first') -> Data:
    """Load the images and their classes, which :data:`CLASSES` names.

    Parameters
    ----------
    path : path, optional
        A file ``cifar-10-python.tar.gz``; without it the file is downloaded once (170 MB).
    data_format : str
        Whether the colour axis comes first or last.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` ``(samples, 3, 32, 32)`` or ``(samples, 32, 32, 3)`` from 0 to 255, ``y`` ``(samples,)`` from 0 to 9;
        all uint8.

    Raises
    ------
    DownloadError
        The file is not available.
    DataError
        It is damaged, or its batches hold anything but arrays and plain data.

    References
    ----------
    .. [1] A. Krizhevsky, "Learning multiple layers of features from tiny images", technical report, University of
       Toronto, 2009.
    """
    path = path or fetch(SOURCE)
    contents = read_tar(path, _MEMBERS)
    batches = [_read_batch(bytes(contents[name]), f'{path}: {name}', data_format) for name in _MEMBERS]
    x_train, y_train = [np.concatenate(arrays) for arrays in zip(*batches[:-1])]
    return (x_train, y_train), batches[-1]


def _read_batch(content: bytes, where: str, data_format: str) -> Tuple[np.ndarray, np.ndarray]:
    batch = plainpickle.loads(content, where)
    images, labels = [batch.get(key) if isinstance(batch, dict) else None for key in (b'data', b'labels')]
    if not (isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.ndim == 2
            and images.shape[1] == 3072 and isinstance(labels, list) and len(labels) == len(images)
            and all(type(label) is int and 0 <= label < len(CLASSES) for label in labels)):
        raise DataError(f'{where}: expected images of 3 x 32 x 32 bytes with a label from 0 to 9 each. '
                        'The file is damaged.')
    images = images.reshape(-1, 3, 32, 32)
    if data_format == 'channels_last':
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    return images, np.array(labels, 'uint8')
