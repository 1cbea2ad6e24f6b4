"""keraflow.layers.padding and keraflow.layers.unsampling."""
from typing import Dict, List

import numpy as np

from keraflow.layers import (Cropping1D, Cropping2D, Cropping3D, UnSampling1D, UnSampling2D, UnSampling3D,
                             ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)

from .samples import Sample, sample

LAST = 'channels_last'

LAYERS: Dict[str, List[Sample]] = {
    'ZeroPadding1D': [
        sample(lambda: ZeroPadding1D(2), (None, 3), lambda w, x: np.pad(x, ((0, 0), (2, 2), (0, 0)))),
        sample(lambda: ZeroPadding1D([0, 1], 'channels_first'), (2, 3), lambda w, x: np.pad(x, ((0, 0), (0, 0), (0, 1)))),
    ],
    'ZeroPadding2D': [
        sample(lambda: ZeroPadding2D(), (2, 3, None), lambda w, x: np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))),
        sample(lambda: ZeroPadding2D(((2, 0), 1)), (1, 2, 2), lambda w, x: np.pad(x, ((0, 0), (0, 0), (2, 0), (1, 1)))),
        sample(lambda: ZeroPadding2D(2, LAST), (2, 1, 3), lambda w, x: np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))),
    ],
    'ZeroPadding3D': [
        sample(lambda: ZeroPadding3D((1, (0, 2), 0)), (2, 2, 1, 2), lambda w, x: np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 2), (0, 0)))),
        sample(lambda: ZeroPadding3D(data_format=LAST), (1, None, 2, 2), lambda w, x: np.pad(x, ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0)))),
    ],
    'Cropping1D': [
        sample(lambda: Cropping1D(), (5, 2), lambda w, x: x[:, 1:-1]), sample(lambda: Cropping1D((2, 0)), (None, 2), lambda w, x: x[:, 2:]),
        sample(lambda: Cropping1D([0, 1], 'channels_first'), (2, 3), lambda w, x: x[:, :, :-1]),
    ],
    'Cropping2D': [
        sample(lambda: Cropping2D((1, (0, 2))), (2, None, 4), lambda w, x: x[:, :, 1:-1, :-2]),
        sample(lambda: Cropping2D(1, LAST), (3, 4, 2), lambda w, x: x[:, 1:-1, 1:-1]),
    ],
    'Cropping3D': [
        sample(lambda: Cropping3D(((1, 0), 0, 1)), (1, 3, 2, 3), lambda w, x: x[:, :, 1:, :, 1:-1]),
        sample(lambda: Cropping3D(data_format=LAST), (3, 3, None, 2), lambda w, x: x[:, 1:-1, 1:-1, 1:-1]),
    ],
    'UnSampling1D': [
        sample(lambda: UnSampling1D(), (None, 2), lambda w, x: np.repeat(x, 2, 1)),
        sample(lambda: UnSampling1D(3, 'channels_first'), (2, 3), lambda w, x: np.repeat(x, 3, 2)),
    ],
    'UnSampling2D': [
        sample(lambda: UnSampling2D((2, 1)), (2, None, 3), lambda w, x: np.repeat(x, 2, 2)),
        sample(lambda: UnSampling2D(3, LAST), (2, 1, 2), lambda w, x: np.repeat(np.repeat(x, 3, 1), 3, 2)),
    ],
    'UnSampling3D': [
        sample(lambda: UnSampling3D((1, 2, 3)), (1, 2, 1, 2), lambda w, x: np.repeat(np.repeat(x, 2, 3), 3, 4)),
        sample(lambda: UnSampling3D(data_format=LAST), (2, None, 1, 2), lambda w, x: x.repeat(2, 1).repeat(2, 2).repeat(2, 3)),
    ],
}
