"""One descriptor for everything of keraflow's own that a file may name: how to make it, and what to feed it.

``LAYERS`` has for each class of layers some samples for ``check_layer``; ``ARGUMENTS`` for everything else some sets of arguments.
What activations, objectives, regularizers, constraints and optimizers compute is compared with NumPy in ``tests/backend``.
"""
from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple

import numpy as np

from keraflow import activations
from keraflow import backend as B
from keraflow import initializations
from keraflow.layers import (Activation, Concatenate, Dense, Dropout, ElementWiseMult, ElementWiseSum, ExpandDims,
                             Flatten, Highway, Input, Lambda, PermuteDims, Repeat, Reshape)
from keraflow.models import Model, Sequential


class Sample(NamedTuple):
    """One way to make a layer, and the arguments of ``check_layer``."""

    make: Callable
    input_shapes: Any
    options: Dict[str, Any]


def sample(make: Callable, input_shapes: Any, reference: Any = None, **options: Any) -> Sample:
    return Sample(make, input_shapes, {'reference': reference, **options})


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


# -- functions for Lambda ---------------------------------------------------------------------------------------------

def cubed(x: Any) -> Any:
    return x * x * x


def folded(x: Any, axis: int, factor: float = 1.) -> Any:
    return B.sum(x, axis) * factor


def folded_shape(input_shape: tuple) -> tuple:
    return (input_shape[0], input_shape[2])


# -- formulas ---------------------------------------------------------------------------------------------------------

def highway(weights: dict, x: Any, activation: Callable = lambda z: z) -> Any:
    gate = sigmoid(x @ weights['W_carry'] + weights.get('b_carry', 0.))
    return gate * activation(x @ weights['W'] + weights.get('b', 0.)) + (1 - gate) * x


def affine(weights: dict, x: Any, place: str) -> Any:
    return x @ weights[f'{place}/W'] + weights[f'{place}/b']


# -- models -----------------------------------------------------------------------------------------------------------

def two_inputs_two_outputs() -> Model:
    """A shared layer, fed with two Inputs; two outputs of different shapes."""
    x, z = Input(4, name='x'), Input(4, name='z')
    shared = Dense(3, activation='tanh', name='shared')
    h, k = shared(x), shared(z)
    return Model([x, z], [Dense(2, name='out')(ElementWiseSum()([h, k])), Concatenate()([h, k])])


def two_inputs_reference(weights: dict, x: Any, z: Any) -> list:
    h, k = (np.tanh(affine(weights, it, 'shared')) for it in (x, z))
    return [affine(weights, h + k, 'out'), np.concatenate([h, k], 1)]


def nested() -> Model:
    """A model in a model, fed twice: with an Input and with its own output."""
    x = Input(3)
    inner = Model(x, Dense(3, activation='sigmoid', name='d')(x), name='inner')
    y = Input(3)
    return Model(y, inner(Activation('tanh')(inner(y))))


def nested_reference(weights: dict, x: Any) -> Any:
    def inner(it: Any) -> Any:
        return sigmoid(affine(weights, it, 'inner/d'))
    return inner(np.tanh(inner(x)))


def residual() -> Sequential:
    block = Sequential([Dense(3, activation='tanh'), Dense(3)])
    return Sequential([block, Sequential([Activation('tanh'), block])])


def residual_reference(weights: dict, x: Any) -> Any:
    def block(it: Any) -> Any:
        return affine(weights, np.tanh(affine(weights, it, '0/0')), '0/1')
    return block(np.tanh(block(x)))


#: By id. The same layer in several shapes and with several arguments, so that each branch of its code runs.
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
                   ('linear', 'sigmoid', 'hard_sigmoid', 'tanh', 'relu', 'softmax', 'softplus', 'softsign')] +
                  [sample(lambda: Activation(partial(activations.relu, alpha=0.1, max_value=0.5)), 4),
                   sample(lambda: Activation(partial(activations.softmax, axis=1)), (3, 4))],
    'Dropout': [sample(lambda: Dropout(0.5), 4, lambda w, x: x), sample(lambda: Dropout(0), (3, None), lambda w, x: x)],
    'Lambda': [
        sample(lambda: Lambda(cubed), 3, lambda w, x: x ** 3, custom_objects=[cubed]),
        sample(lambda: Lambda(folded, [4], {'axis': 1, 'factor': 2.}), (3, 4), lambda w, x: 2 * x.sum(1), custom_objects=[folded]),
        sample(lambda: Lambda(folded, folded_shape, {'axis': -2}), (None, 4), lambda w, x: x.sum(1), custom_objects=[folded, folded_shape]),
    ],
    'Reshape': [
        sample(lambda: Reshape((2, -1)), (3, 4), lambda w, x: x.reshape(len(x), 2, 6)),
        sample(lambda: Reshape([6, 2]), (3, 4), lambda w, x: x.reshape(len(x), 6, 2)),
        sample(lambda: Reshape([-1, 2]), (None, 4), lambda w, x: x.reshape(len(x), -1, 2)),
        sample(lambda: Reshape((-1, 2), include_batch_dim=True), 4, lambda w, x: x.reshape(-1, 2)),
    ],
    'Flatten': [
        sample(lambda: Flatten(), (2, 3, 2), lambda w, x: x.reshape(len(x), 12)),
        sample(lambda: Flatten(), (None, 3), lambda w, x: x.reshape(len(x), -1)), sample(lambda: Flatten(), 3, lambda w, x: x),
        sample(lambda: Flatten(include_batch_dim=True), (2, 3), lambda w, x: x.reshape(-1)),
    ],
    'ExpandDims': [
        sample(lambda: ExpandDims(0), 3, lambda w, x: x[:, None]), sample(lambda: ExpandDims(-1), (None, 3), lambda w, x: x[..., None]),
        sample(lambda: ExpandDims(0, include_batch_dim=True), 3, lambda w, x: x[None]),
    ],
    'PermuteDims': [
        sample(lambda: PermuteDims((1, 0)), (3, 4), lambda w, x: x.transpose(0, 2, 1)),
        sample(lambda: PermuteDims([2, 0, 1]), (2, None, 3), lambda w, x: x.transpose(0, 3, 1, 2)),
        sample(lambda: PermuteDims((1, 0), include_batch_dim=True), 3, lambda w, x: x.T),
    ],
    'Repeat': [
        sample(lambda: Repeat(2), (3, 2), lambda w, x: np.repeat(x, 2, 1)), sample(lambda: Repeat(3, axis=-1), (None, 2), lambda w, x: np.repeat(x, 3, 2)),
        sample(lambda: Repeat(2, 0, include_batch_dim=True), 3, lambda w, x: np.repeat(x, 2, 0)),
        sample(lambda: Repeat(2), (None, 2), lambda w, x: np.repeat(x, 2, 1)),
    ],
    'Concatenate': [
        sample(lambda: Concatenate(), [4, 3], lambda w, *x: np.concatenate(x, 1)),
        sample(lambda: Concatenate(-1), [(2, 3), (2, 1), (2, 3)], lambda w, *x: np.concatenate(x, 2)),
        sample(lambda: Concatenate(axis=0), [(None, 3), (2, 3)], lambda w, *x: np.concatenate(x, 1)),
        sample(lambda: Concatenate(0, include_batch_dim=True), [3, 3], lambda w, *x: np.concatenate(x, 0)),
    ],
    'ElementWiseSum': [
        sample(lambda: ElementWiseSum(), [4, 4, 4], lambda w, x, y, z: x + y + z), sample(lambda: ElementWiseSum(), [(None, 2)], lambda w, x: x),
        sample(lambda: ElementWiseSum(), [3, 3], lambda w, x, y: x + y, dtype='int32'),
    ],
    'ElementWiseMult': [
        sample(lambda: ElementWiseMult(), [(2, 3), (2, 3)], lambda w, x, y: x * y),
        sample(lambda: ElementWiseMult(), [3, 3, 3], lambda w, x, y, z: x * y * z),
    ],
    'Model': [
        sample(two_inputs_two_outputs, [4, 4], two_inputs_reference), sample(nested, 3, nested_reference),
    ],
    'Sequential': [
        sample(lambda: Sequential([Dense(4, activation='tanh'), Dropout(0.5), Dense(2)]), 3,
               lambda w, x: affine(w, np.tanh(affine(w, x, '0')), '2')),
        sample(lambda: Sequential([Input(3), Dense(4, activation='tanh'), Dense(2)], name='model'), 3,
               lambda w, x: affine(w, np.tanh(affine(w, x, 'dense1')), 'dense2')),
        sample(residual, 3, residual_reference),
        sample(lambda: Sequential([Concatenate(), Dense(2)]), [3, 2], lambda w, x, y: affine(w, np.concatenate([x, y], 1), '1')),
    ],
}

#: By kind and id: arguments of a constructor; for a function those of ``functools.partial``. The first set is that of the defaults.
ARGUMENTS: Dict[str, Dict[str, List[dict]]] = {
    'layer': {'Input': [{'shape': 3}, {'shape': (3, None), 'mask_value': 0.}, {'shape': [2], 'batch_size': 5, 'dtype': 'int32', 'name': 'x'}]},
    'activation': {'linear': [{}], 'sigmoid': [{}], 'hard_sigmoid': [{}], 'tanh': [{}], 'relu': [{}, {'alpha': 0.1}, {'alpha': 0.2, 'max_value': 3.}],
                   'softmax': [{}, {'axis': 1}], 'softplus': [{}], 'softsign': [{}]},
    'initialization': {'uniform': [{}, {'scale': 0.1}], 'normal': [{}, {'scale': 2.}], 'lecun_uniform': [{}], 'glorot_normal': [{}],
                       'glorot_uniform': [{}], 'he_normal': [{}], 'he_uniform': [{}], 'orthogonal': [{}, {'scale': 1.}],
                       'identity': [{}, {'scale': 3.}], 'zero': [{}], 'one': [{}]},
    'regularizer': {'L1': [{}, {'l1': 0.5}], 'L2': [{}, {'l2': 0.25}], 'L1L2': [{}, {'l1': 0.5, 'l2': 0.125}]},
    'constraint': {'MaxNorm': [{}, {'m': 0.5}, {'m': 1.5, 'axis': [0, 1]}], 'NonNeg': [{}], 'UnitNorm': [{}, {'axis': 1}]},
    'objective': {name: [{}] for name in (
        'accuracy', 'binary_accuracy', 'categorical_accuracy', 'square_error', 'absolute_error', 'absolute_percentage_error',
        'squared_logarithmic_error', 'cosine_proximity', 'hinge', 'squared_hinge', 'binary_crossentropy', 'categorical_crossentropy',
        'kullback_leibler_divergence', 'poisson')},
    'optimizer': {'SGD': [{}, {'lr': 0.1, 'momentum': 0.9, 'decay': 0.01, 'nesterov': True}, {'clipnorm': 1.}],
                  'RMSprop': [{}, {'rho': 0.8, 'epsilon': 1e-6}], 'Adagrad': [{}, {'lr': 0.5, 'clipvalue': 0.1}], 'Adadelta': [{}, {'rho': 0.9}],
                  'Adam': [{}, {'beta_1': 0.8, 'beta_2': 0.99}], 'Adamax': [{}, {'lr': 0.01, 'epsilon': 1e-6}]},
}
