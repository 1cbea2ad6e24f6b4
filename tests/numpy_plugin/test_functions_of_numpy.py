"""NumPy's own functions on tensors of its backend."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentTypeError
from keraflow.layers import Dense, Foreign, Input
from keraflow.models import Sequential

X = np.random.default_rng(0).normal(size=(6, 3)).astype('float32')


@pytest.mark.parametrize('function', [
    np.tanh, np.exp, np.absolute, np.square, np.rint, np.isfinite, np.negative, lambda x: np.maximum(x, 0.5),
    lambda x: np.add(X, x), lambda x: X * x, lambda x: np.true_divide(x, 2), lambda x: np.remainder(x, 2.),
    lambda x: X < x, lambda x: X[:, :2].T @ x, lambda x: np.float32(2) - x])
def test_ufuncs_are_functions_of_the_backend(function):
    fed = B.placeholder((None, 3))
    [found] = B.function([fed], [function(fed)])(X)
    np.testing.assert_allclose(found, function(X), rtol=1e-6)


def test_a_layer_of_numpy_is_trained():
    def make():
        scale = B.variable(np.ones(3), name='scale')
        return lambda x: np.tanh(x) * scale + np.square(x)
    model = Sequential([Input(3), Foreign(make), Dense(1)])
    model.compile('sgd', 'mse')
    before = model.get_weights()
    model.fit(X, X[:, :1], nb_epoch=2, verbose=0)
    assert all(not np.array_equal(before[name], value) for name, value in model.get_weights().items())


@pytest.mark.parametrize('act, text', [
    (lambda x: np.arctan(x), 'np.arctan: expected arrays, received a tensor. Write functions of keraflow.backend, such as B.tanh(x).'),
    (lambda x: np.add.reduce(x), 'np.add.reduce: expected arrays, received a tensor. Write functions of keraflow.backend, such as '
     'B.tanh(x).'),
    (lambda x: np.exp(x, out=np.zeros((2, 3))), 'np.exp: expected arrays, received a tensor. Write B.exp(x), a function of '
     'keraflow.backend.')])
def test_other_functions_say_what_to_write(act, text):
    with pytest.raises(ArgumentTypeError) as caught:
        act(B.placeholder((None, 3)))
    assert str(caught.value) == text
