"""Handwritten digits: 60,000 images to train on and 10,000 to test, of 28 x 28 grey pixels."""
from typing import Optional

from keraflow.datasets.archives import Data, grey_images, read_npz
from keraflow.datasets.fetching import Source, fetch
from keraflow.files.regular import PathLike

__all__ = ['load_data']

SOURCE = Source('https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz', 11490434,
                '731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1')


def load_data(path: Optional[PathLike] = None) -> Data:
    """Load the images and their digits.

    Parameters
    ----------
    path : path, optional
        A file ``mnist.npz``; without it the file is downloaded once (11 MB).

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` ``(samples, 28, 28)`` from 0 to 255, ``y`` ``(samples,)`` from 0 to 9; all uint8.

    Raises
    ------
    DownloadError
        The file is not available.
    DataError
        It is damaged.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
       Proceedings of the IEEE, 1998.
    """
    path = path or fetch(SOURCE)
    x_train, y_train, x_test, y_test = read_npz(path, ['x_train', 'y_train', 'x_test', 'y_test'])
    return grey_images(x_train, y_train, f'{path}: train'), grey_images(x_test, y_test, f'{path}: test')
