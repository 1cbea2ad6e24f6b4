"""Functions of the backend, and of other libraries, as layers."""
from typing import Any, Dict, List

import numpy as np

from keraflow import backend as B
from keraflow import register
from keraflow.layers import Foreign, Operation

from .samples import Sample, sample

X, Y = {'input': 0}, {'input': 1}


@register(id='catalogue-affine')
def make_affine(output_dim: int) -> Any:
    W, b = B.variable(np.linspace(-1, 1, 3 * output_dim).reshape(3, output_dim), name='W'), B.variable(np.ones(output_dim), name='b')
    return lambda x: B.dot(x, W) + b


@register(id='catalogue-halves')
def make_halves() -> Any:
    return lambda x, y: [x / 2, x * y]


def affine(w: dict, x: Any) -> Any:
    W, b = w.values()
    return x @ W + b


LAYERS: Dict[str, List[Sample]] = {
    'Foreign': [
        sample(lambda: Foreign(make_affine, {'output_dim': 2}), 3, affine),
        sample(lambda: Foreign(make_halves), [(None, 2), (None, 2)], lambda w, x, y: [x / 2, x * y]),
    ],
    'Operation': [
        sample(lambda: Operation('square', [X]), (3, 2), lambda w, x: x ** 2),
        sample(lambda: Operation('sum', [X], {'axis': 1}), (None, 4), lambda w, x: x.sum(1)),
        sample(lambda: Operation('concatenate', [[X, Y, X], 1], name='joined'), [2, 3], lambda w, x, y: np.concatenate([x, y, x], 1)),
        sample(lambda: Operation('getitem', [X, [{'ellipsis': True}, {'slice': [None, None, -2]}, None]]), (3, 5),
               lambda w, x: x[..., ::-2, None]),
        sample(lambda: Operation('getitem', [X, [{'slice': [None, None, None]}, -1]]), (4, 2), lambda w, x: x[:, -1]),
        sample(lambda: Operation('split', [X, [1, 2], 1]), (3, None), lambda w, x: [x[:, :1], x[:, 1:]]),
        sample(lambda: Operation('maximum', [X, Y]), [(None, 3), (1, 3)], lambda w, x, y: np.maximum(x, y)),
        sample(lambda: Operation('dot', [X, {'array': [[1., 2.], [3., 4.]], 'dtype': 'float64'}]), 2, lambda w, x: x @ np.array([[1., 2.], [3., 4.]])),
    ],
}
