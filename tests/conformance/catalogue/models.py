"""keraflow.models."""
from typing import Any, Dict, List

import numpy as np

from keraflow.layers import Activation, Concatenate, Dense, Dropout, ElementWiseSum, Input
from keraflow.models import Model, Sequential

from .samples import Sample, affine, sample, sigmoid


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


LAYERS: Dict[str, List[Sample]] = {
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
