"""Activations against NumPy, with their gradients."""
from functools import partial

import numpy as np
import pytest
from differences import check

from keraflow import activations
from keraflow import backend as B
from keraflow.facts import facts_of


def softmax(x, axis=-1):
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


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
    names = ['sigmoid', 'hard_sigmoid', 'tanh', 'relu', 'softmax', 'softplus', 'softsign']
    found = dict(zip(names, B.eval([activations.get(name)(x) for name in names])))
    np.testing.assert_array_equal(found['sigmoid'], [[1, 0, 0.5], [0, 0, 0]])
    np.testing.assert_array_equal(found['hard_sigmoid'], [[1, 0, 0.5], [0, 0, 0]])
    np.testing.assert_array_equal(found['tanh'], [[1, -1, 0], [-1, -1, -1]])
    np.testing.assert_array_equal(found['relu'], [[1e4, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(found['softmax'], [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-15)
    np.testing.assert_allclose(found['softplus'], [[1e4, 0, np.log(2)], [0, 0, 0]], rtol=1e-15)
    np.testing.assert_allclose(found['softsign'], np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4]]) / 10001, rtol=1e-15,
                               atol=1e-3)


def test_what_is_remembered_for_crossentropies():
    x = B.constant(np.ones((2, 3)))
    assert facts_of(activations.sigmoid(x)).logits == ('sigmoid', x)
    assert facts_of(activations.softmax(x)).logits == ('softmax', x)
    assert facts_of(activations.softmax(x, axis=1)).logits == ('softmax', x)
    assert facts_of(activations.softmax(x, axis=0)).logits is None
    assert facts_of(activations.tanh(x)).logits is None
    assert facts_of(x).logits is None
