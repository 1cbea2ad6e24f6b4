"""Functions of the backend as layers."""
from typing import Dict, List

import numpy as np

from keraflow.layers import Operation

from .samples import Sample, sample

X, Y = {'input': 0}, {'input': 1}

LAYERS: Dict[str, List[Sample]] = {
    'Operation': [
        sample(lambda: Operation('square', [X]), (3, 2), lambda w, x: x ** 2),
        sample(lambda: Operation('sum', [X], {'axis': 1}), (None, 4), lambda w, x: x.sum(1)),
        sample(lambda: Operation('concatenate', [[X, Y, X], 1], name='joined'), [2, 3], lambda w, x, y: np.concatenate([x, y, x], 1)),
        sample(lambda: Operation('getitem', [X, [{'ellipsis': True}, {'slice': [None, None, -2]}, None]]), (3, 5),
               lambda w, x: x[..., ::-2, None]),
        sample(lambda: Operation('getitem', [X, [{'slice': [None, None, None]}, -1]]), (4, 2), lambda w, x: x[:, -1]),
        sample(lambda: Operation('dot', [X, {'array': [[1., 2.], [3., 4.]], 'dtype': 'float64'}]), 2, lambda w, x: x @ np.array([[1., 2.], [3., 4.]])),
    ],
}
