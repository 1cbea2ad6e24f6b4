"""Functions that are layers obey the laws that all layers obey."""
import numpy as np
import pytest

from keraflow import add_weight
from keraflow import backend as B
from keraflow import layer_register
from keraflow.layers import BatchNormalization, Dense, Dropout
from keraflow.schema import Activation, PositiveInt
from keraflow.testing import check_layer


@layer_register(id='gated-in-test-functions')
def Gated(x, activation: Activation = 'tanh'):
    scale = add_weight('scale', B.static_shape(x)[-1:], init='one', regularizer='l2')
    return x * scale * Dense(B.static_shape(x)[-1], activation=activation)(x)


@layer_register(id='block-in-test-functions')
def Block(x, output_dim: PositiveInt):
    return BatchNormalization()(Dropout(0.5)(Gated('sigmoid')(Dense(output_dim)(x))))


@layer_register(id='sum-and-product-in-test-functions')
def SumAndProduct(tensors, factor=2.):
    x, y = tensors
    return [x + y * factor, x * y]


def gated(x, scale, W, b, activation):
    return x * scale * activation(x @ W + b)


def block(w, x):
    h = gated(x @ w['0/W'] + w['0/b'], w['1/scale'], w['1/0/W'], w['1/0/b'], lambda it: 1 / (1 + np.exp(-it)))
    return (h - w['3/moving_mean']) / np.sqrt(w['3/moving_variance'] + 1e-3) * w['3/gamma'] + w['3/beta']


@pytest.mark.parametrize('make, input_shapes, reference', [
    (lambda: Gated(name='gated'), 3, lambda w, x: gated(x, w['scale'], w['0/W'], w['0/b'], np.tanh)),
    (lambda: Block(4), 3, block),
    (lambda: SumAndProduct(3.), [(None, 2), (None, 2)], lambda w, x, y: [x + 3 * y, x * y]),
])
def test_functions_are_layers(make, input_shapes, reference):
    check_layer(make, input_shapes, reference=reference)
