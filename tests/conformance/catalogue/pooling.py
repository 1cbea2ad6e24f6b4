"""keraflow.layers.pooling."""
from typing import Any, Callable, Dict, List

import numpy as np

from keraflow.layers import GlobalPooling1D, GlobalPooling2D, GlobalPooling3D, Pooling1D, Pooling2D, Pooling3D
from keraflow.testing.convolution_cases import pooled

from .samples import Sample, sample

LAST = 'channels_last'


def of(*args: Any, **kwargs: Any) -> Callable:
    return lambda w, x: pooled(x, *args, **kwargs)


LAYERS: Dict[str, List[Sample]] = {
    'Pooling1D': [
        sample(lambda: Pooling1D('max'), (5, 2), of((2,), 'max', data_format=LAST)),
        sample(lambda: Pooling1D('avg', 3, strides=2, pad='same'), (None, 2), of((3,), 'avg', (2,), 'same', LAST)),
        sample(lambda: Pooling1D('max', 2, 1, 'same', data_format='channels_first'), (2, 3), of((2,), 'max', (1,), 'same')),
    ],
    'Pooling2D': [
        sample(lambda: Pooling2D('max'), (2, 5, 4), of((2, 2), 'max')),
        sample(lambda: Pooling2D('avg', (3, 2), (2, 1), 'same'), (1, None, None), of((3, 2), 'avg', (2, 1), 'same')),
        sample(lambda: Pooling2D('avg', 2, data_format=LAST), (4, 5, 2), of((2, 2), 'avg', data_format=LAST)),
        sample(lambda: Pooling2D('max', 2, [1, 3], 'same', data_format=LAST), (3, None, 2), of((2, 2), 'max', (1, 3), 'same', LAST)),
    ],
    'Pooling3D': [
        sample(lambda: Pooling3D('avg'), (1, 2, 4, 3), of((2, 2, 2), 'avg')),
        sample(lambda: Pooling3D('max', (2, 1, 2), 1, 'same'), (2, None, 2, 3), of((2, 1, 2), 'max', (1, 1, 1), 'same')),
        sample(lambda: Pooling3D('avg', (2, 2, 3), 2, 'same', data_format=LAST), (3, 2, None, 1), of((2, 2, 3), 'avg', (2, 2, 2), 'same', LAST)),
    ],
    'GlobalPooling1D': [
        sample(lambda: GlobalPooling1D('max'), (None, 3), lambda w, x: np.max(x, 1)),
        sample(lambda: GlobalPooling1D('avg', data_format='channels_first'), (3, 4), lambda w, x: np.mean(x, 2)),
    ],
    'GlobalPooling2D': [
        sample(lambda: GlobalPooling2D('avg'), (2, 3, None), lambda w, x: np.mean(x, (2, 3))),
        sample(lambda: GlobalPooling2D('max', LAST), (3, 2, 2), lambda w, x: np.max(x, (1, 2))),
    ],
    'GlobalPooling3D': [
        sample(lambda: GlobalPooling3D('max'), (2, 3, 2, 2), lambda w, x: np.max(x, (2, 3, 4))),
        sample(lambda: GlobalPooling3D('avg', LAST), (3, None, 2, 2), lambda w, x: np.mean(x, (1, 2, 3))),
    ],
}
