"""Handwritten digits that come with keraflow: 1,797 images of 8 x 8 grey pixels. Nothing is downloaded.

``digits.npz`` beside this file has the test set of [1]_, unchanged but for its form. Its authors publish it under the
licence CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/).

References
----------
.. [1] E. Alpaydin and C. Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository,
   doi:10.24432/C50P49, 1998.
"""
from pathlib import Path
from typing import Optional

import numpy as np

from keraflow.datasets.archives import Data, read_npz
from keraflow.schema import Beta, Natural
from keraflow.schema.checked import checked

__all__ = ['load_data']

_FILE = Path(__file__).with_suffix('.npz')


@checked
def load_data(test_split: Beta = 0.2, seed: Optional[Natural] = 113) -> Data:
    """Load the images and their digits.

    Parameters
    ----------
    test_split : float
        Fraction of the images held out for testing.
    seed : int, optional
        Seed for shuffling before the split. None keeps the original order, in which the last writers appear only in
        the test set.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` ``(samples, 8, 8)`` from 0 to 16, ``y`` ``(samples,)`` from 0 to 9; all uint8.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((1437, 8, 8), (360, 8, 8))
    """
    images, labels = read_npz(_FILE, ['x', 'y'])
    order = np.arange(len(images)) if seed is None else np.random.default_rng(seed).permutation(len(images))
    nb_test = -int(-len(images) * test_split // 1)  # rounded up: there is always a test sample
    train, test = order[:-nb_test], order[-nb_test:]
    return (images[train], labels[train]), (images[test], labels[test])
