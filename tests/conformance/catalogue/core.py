"""keraflow.layers.core."""
from functools import partial
from typing import Any, Callable, Dict, List

import numpy as np

from keraflow import activations
from keraflow import backend as B
from keraflow import initializations
from keraflow.layers import Activation, Dense, Dropout, Highway, Lambda

from .samples import Sample, sample, sigmoid


def cubed(x: Any) -> Any:
    return x * x * x


def folded(x: Any, axis: int, factor: float = 1.) -> Any:
    return B.sum(x, axis) * factor


def folded_shape(input_shape: tuple) -> tuple:
    return (input_shape[0], input_shape[2])


def highway(weights: dict, x: Any, activation: Callable = lambda z: z) -> Any:
    gate = sigmoid(x @ weights['W_carry'] + weights.get('b_carry', 0.))
    return gate * activation(x @ weights['W'] + weights.get('b', 0.)) + (1 - gate) * x


LAYERS: Dict[str, List[Sample]] = {
    'Dense': [
        sample(lambda: Dense(3), 4, lambda w, x: x @ w['W'] + w['b']),
        sample(lambda: Dense(1, activation='softmax', bias=False, init='uniform'), (1,), lambda w, x: np.ones((len(x), 1))),
        sample(lambda: Dense(4, partial(initializations.normal, scale=0.5), partial(activations.relu, alpha=0.2), regularizers=['l1', None],
                             constraints={'W': 'maxnorm'}, name='named'), 2,
               lambda w, x: (lambda z: np.where(z > 0, z, 0.2 * z))(x @ w['W'] + w['b'])),
        sample(lambda: Dense(2, activation='tanh', trainable=False, initial_weights={'b': [1., 2.]}), 5,
               lambda w, x: np.tanh(x @ w['W'] + w['b'])),
    ],
    'Highway': [
        sample(lambda: Highway(), 3, highway),
        sample(lambda: Highway(1, 'orthogonal', 'tanh', regularizers={'W_carry': 'l2'}), 4, partial(highway, activation=np.tanh)),
        sample(lambda: Highway(init='identity', bias=False), 2, highway),
    ],
    'Activation': [sample(partial(Activation, name), (3, 4)) for name in
                   ('linear', 'sigmoid', 'hard_sigmoid', 'tanh', 'relu', 'softmax', 'softplus', 'softsign', 'leaky_relu', 'elu', 'selu',
                    'gelu', 'swish', 'log_softmax', 'exponential')] +
                  [sample(lambda: Activation(partial(activations.relu, alpha=0.1, max_value=0.5)), 4),
                   sample(lambda: Activation(partial(activations.softmax, axis=1)), (3, 4))],
    'Dropout': [sample(lambda: Dropout(0.5), 4, lambda w, x: x), sample(lambda: Dropout(0), (3, None), lambda w, x: x)],
    'Lambda': [
        sample(lambda: Lambda(cubed), 3, lambda w, x: x ** 3, custom_objects=[cubed]),
        sample(lambda: Lambda(folded, [4], {'axis': 1, 'factor': 2.}), (3, 4), lambda w, x: 2 * x.sum(1), custom_objects=[folded]),
        sample(lambda: Lambda(folded, folded_shape, {'axis': -2}), (None, 4), lambda w, x: x.sum(1), custom_objects=[folded, folded_shape]),
    ],
}
