"""Pictures of clothing: 60,000 images to train on and 10,000 to test, of 28 x 28 grey pixels."""
import os
from typing import Optional

from keraflow.datasets.archives import Data, grey_images, read_idx
from keraflow.datasets.fetching import Source, fetch
from keraflow.files.regular import PathLike

__all__ = ['CLASSES', 'load_data']

#: What the classes 0 to 9 are.
CLASSES = ('T-shirt/top', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot')

_URL = 'https://storage.googleapis.com/tensorflow/tf-keras-datasets/'
SOURCES = [Source(_URL + name, size, sha256, 'fashion-mnist') for name, size, sha256 in (
    ('train-images-idx3-ubyte.gz', 26421880, '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84'),
    ('train-labels-idx1-ubyte.gz', 29515, 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845'),
    ('t10k-images-idx3-ubyte.gz', 4422102, '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073'),
    ('t10k-labels-idx1-ubyte.gz', 5148, '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5'))]


def load_data(path: Optional[PathLike] = None) -> Data:
    """Load the images and their classes, which :data:`CLASSES` names.

    Parameters
    ----------
    path : path, optional
        A folder with the four files ``train-images-idx3-ubyte.gz``, ``train-labels-idx1-ubyte.gz`` and the same with
        ``t10k``; without it they are downloaded once (31 MB).

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` ``(samples, 28, 28)`` from 0 to 255, ``y`` ``(samples,)`` from 0 to 9; all uint8.

    Raises
    ------
    DownloadError
        A file is not available.
    DataError
        It is damaged.

    References
    ----------
    .. [1] H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
       algorithms", arXiv:1708.07747, 2017.
    """
    files = [fetch(source) if path is None else os.path.join(path, source.name) for source in SOURCES]
    x_train, y_train, x_test, y_test = map(read_idx, files)
    return grey_images(x_train, y_train, files[0]), grey_images(x_test, y_test, files[2])
