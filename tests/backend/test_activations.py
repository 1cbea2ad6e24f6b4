"""Activations against NumPy, with their gradients."""
import math
from functools import partial

import numpy as np
import pytest
from differences import check

from keraflow import activations
from keraflow import backend as B
from keraflow.backend.logarithms import log_of, log_of_rest
from keraflow.backend.tensor_info import info_of


def softmax(x, axis=-1):
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def normal_cdf(x):
    return math.erfc(-x / math.sqrt(2)) / 2


#: The fixed point of Klambauer et al., 2017, equation 14, by the closed form.
ALPHA = -math.sqrt(2 / math.pi) / (math.erfc(1 / math.sqrt(2)) * math.exp(0.5) - 1)
SCALE = ((1 - math.erfc(1 / math.sqrt(2)) * math.sqrt(math.e)) * math.sqrt(2 * math.pi) * (
    2 * math.erfc(math.sqrt(2)) * math.e ** 2 + math.pi * math.erfc(1 / math.sqrt(2)) ** 2 * math.e
    - 2 * (2 + math.pi) * math.erfc(1 / math.sqrt(2)) * math.sqrt(math.e) + math.pi + 2) ** -0.5)

CASES = {
    'linear': (activations.linear, lambda x: x),
    'sigmoid': (activations.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    'hard_sigmoid': (activations.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    'tanh': (activations.tanh, np.tanh),
    'relu': (activations.relu, lambda x: np.maximum(x, 0)),
    'relu leaky': (partial(activations.relu, alpha=0.3), lambda x: np.where(x > 0, x, 0.3 * x)),
    'relu bounded': (partial(activations.relu, alpha=0.1, max_value=1.5),
                     lambda x: np.minimum(np.where(x > 0, x, 0.1 * x), 1.5)),
    'softmax': (activations.softmax, softmax),
    'softmax 1': (partial(activations.softmax, axis=1), partial(softmax, axis=1)),
    'softmax 0': (partial(activations.softmax, axis=0), partial(softmax, axis=0)),
    'softplus': (activations.softplus, lambda x: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)),
    'softsign': (activations.softsign, lambda x: x / (1 + np.abs(x))),
    'leaky_relu': (activations.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
    'leaky_relu 0.2': (partial(activations.leaky_relu, alpha=0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    'elu': (activations.elu, lambda x: np.where(x > 0, x, np.exp(x) - 1)),
    'elu 0.5': (partial(activations.elu, alpha=0.5), lambda x: np.where(x > 0, x, 0.5 * (np.exp(x) - 1))),
    'selu': (activations.selu, lambda x: np.where(x > 0, SCALE * x, SCALE * ALPHA * (np.exp(x) - 1))),
    'gelu': (activations.gelu, lambda x: x * np.vectorize(normal_cdf)(x)),
    'swish': (activations.swish, lambda x: x / (1 + np.exp(-x))),
    'log_softmax': (activations.log_softmax, lambda x: np.log(softmax(x))),
    'log_softmax 1': (partial(activations.log_softmax, axis=1), lambda x: np.log(softmax(x, 1))),
    'log_softmax 0': (partial(activations.log_softmax, axis=0), lambda x: np.log(softmax(x, 0))),
    'exponential': (activations.exponential, np.exp),
}


@pytest.fixture(autouse=True)
def float64(backend_name):
    B.set_floatx('float64')


@pytest.mark.parametrize('shape', [(4, 5), (3, 4, 2)])
def test_values_and_gradients(shape):
    x = 3 * np.random.default_rng(1).normal(size=shape)
    for kink in (0., 1.5, -2.5, 2.5):
        assert np.abs(x - kink).min() > 1e-3
    functions, references = ({name: case[place] for name, case in CASES.items()} for place in (0, 1))
    check(functions, references, dict.fromkeys(CASES, x))


def test_far_out():
    x = B.constant(np.array([[1e4, -1e4, 0.], [-1e4, -1e4, -1e4]]))
    names = ['sigmoid', 'hard_sigmoid', 'tanh', 'relu', 'softmax', 'softplus', 'softsign', 'elu', 'selu', 'gelu', 'swish',
             'leaky_relu', 'log_softmax']
    found = dict(zip(names, B.eval([activations.get(name)(x) for name in names])))
    np.testing.assert_array_equal(found['sigmoid'], [[1, 0, 0.5], [0, 0, 0]])
    np.testing.assert_array_equal(found['elu'], [[1e4, -1, 0], [-1, -1, -1]])
    np.testing.assert_allclose(found['selu'], SCALE * np.array([[1e4, -ALPHA, 0], [-ALPHA] * 3]), rtol=1e-15)
    for name in ('gelu', 'swish'):
        np.testing.assert_array_equal(found[name], [[1e4, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(found['leaky_relu'], [[1e4, -100, 0], [-100, -100, -100]])
    np.testing.assert_allclose(found['log_softmax'], [[0, -2e4, -1e4], [-np.log(3)] * 3], rtol=1e-15)
    np.testing.assert_array_equal(found['hard_sigmoid'], [[1, 0, 0.5], [0, 0, 0]])
    np.testing.assert_array_equal(found['tanh'], [[1, -1, 0], [-1, -1, -1]])
    np.testing.assert_array_equal(found['relu'], [[1e4, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(found['softmax'], [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-15)
    np.testing.assert_allclose(found['softplus'], [[1e4, 0, np.log(2)], [0, 0, 0]], rtol=1e-15)
    np.testing.assert_allclose(found['softsign'], np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4]]) / 10001, rtol=1e-15,
                               atol=1e-3)


def test_what_is_remembered_for_crossentropies():
    x = B.constant(np.ones((2, 3)))
    for made in (activations.sigmoid(x), activations.softmax(x), activations.softmax(x, axis=0)):
        np.testing.assert_allclose(*B.eval([log_of(B.current(), made), B.log(made)]), rtol=1e-6)
    np.testing.assert_allclose(*B.eval([log_of_rest(B.current(), activations.sigmoid(x)), B.log(1. - activations.sigmoid(x))]), rtol=1e-6)
    assert info_of(activations.tanh(x)).logs is None
    assert info_of(x).logs is None
