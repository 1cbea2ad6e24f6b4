"""Layers inside the program's own transformations, and the program's own functions inside layers."""
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import BackendError
from keraflow.layers import GRU, BatchNormalization, Convolution2D, Dense, Embedding, Foreign, Input
from keraflow.models import Model, Sequential
from keraflow.testing import assert_close
from keraflow.testing.numerics import numerical_gradient, using_floatx

X = np.random.default_rng(0).normal(size=(4, 3)).astype('float32')


@pytest.fixture
def layer():
    layer = Dense(2, activation='tanh')
    layer(Input(3))
    return layer


def expected(layer, x):
    W, b = (B.get_value(one) for one in layer.trainable_variables)
    return np.tanh(x @ W + b)


def test_a_layer_on_an_array_returns_an_array(layer):
    found = layer(jnp.asarray(X))
    assert isinstance(found, jax.Array) and found.dtype == 'float32'
    assert_close('output', np.asarray(found), expected(layer, X), 1e-6)


@pytest.mark.parametrize('run', [lambda f, x: jax.jit(f)(x), lambda f, x: jax.vmap(f)(x[:, None])[:, 0],
                                 lambda f, x: jax.jit(jax.vmap(f))(x[:, None])[:, 0]], ids=['jit', 'vmap', 'both'])
def test_a_layer_in_a_transformation(layer, run):
    assert_close('output', np.asarray(run(layer, X)), expected(layer, X), 1e-6)


def test_the_gradient_of_a_layer(layer):
    found = jax.jit(jax.grad(lambda x: jnp.sum(layer(x) ** 2)))(X)
    slopes = numerical_gradient(lambda x: np.sum(expected(layer, x) ** 2), [X.astype('float64')])[0]
    assert_close('gradient', np.asarray(found), slopes, 1e-5)


@pytest.mark.parametrize('make, array', [
    (lambda: Embedding(5, 2), np.array([[1, 4], [0, 2]], 'int32')), (lambda: BatchNormalization(), X),
    (lambda: GRU(3), X.reshape(2, 2, 3)), (lambda: Convolution2D(2, 2, 2), np.ones((1, 2, 4, 4), 'float32'))], ids=[
        'indices', 'states', 'a loop', 'windows'])
def test_layers_of_each_kind_are_compiled_by_the_program(make, array):
    layer = make()
    layer(Input(array.shape[1:], dtype=array.dtype.name))
    assert_close('output', np.asarray(jax.jit(layer)(array)), B.eval(layer(B.constant(array))), 1e-6)


def test_functions_of_arrays_in_a_foreign_layer_are_trained_through():
    with using_floatx('float64'):
        x = Input(3)
        h = Dense(2)(x)
        model = Model(x, Foreign(lambda: lambda x: jax.nn.gelu(jnp.concatenate([x, jnp.sin(x)], 1)))(h))
        assert model.outputs[0].shape == (None, 4)
        model.compile('sgd', 'mse')
        Y = np.ones((4, 4))
        variables = model.trainable_variables
        before = [B.get_value(one) for one in variables]
        model.fit(X, Y, batch_size=4, nb_epoch=1, verbose=0)

        def loss(W, b):
            h = X.astype('float64') @ W + b
            h = np.concatenate([h, np.sin(h)], 1)
            made = h / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h ** 3)))
            return np.mean(np.mean((made - Y) ** 2, 1))
        slopes = numerical_gradient(loss, before)
        for new, old, slope in zip(map(B.get_value, variables), before, slopes):
            assert_close('weights', new, old - 0.01 * slope, 1e-8)


def test_second_gradients_and_several_results_of_functions_of_arrays():
    x = B.variable([1., 2.])

    def build():
        sine, square = B.call(lambda x: (jnp.sin(x), x ** 2), x)
        [slope] = B.gradients(B.sum(sine * square), [x])
        return [slope, *B.gradients(B.sum(slope), [x])]
    slope, second = B.function([], B.symbolic(build, []))()
    v = np.array([1., 2.])
    np.testing.assert_allclose(slope, np.cos(v) * v ** 2 + np.sin(v) * 2 * v, rtol=1e-6)
    np.testing.assert_allclose(second, -np.sin(v) * v ** 2 + 4 * np.cos(v) * v + 2 * np.sin(v), rtol=1e-5)


def test_a_function_of_jax_refuses_a_tensor_with_advice():
    x = B.placeholder((2,))
    text = ('JAX: received <placeholder: float32 (2,)>, which has no value yet. Write functions of keraflow.backend, such as '
            'B.tanh(x), or B.call(fn, x) for a function of arrays.')
    with pytest.raises(BackendError, match=re.escape(text)):
        jnp.tanh(x)


def test_a_model_in_a_transformation():
    model = Sequential([Input(3), Dense(2, activation='relu'), Dense(1)])
    model.compile('sgd', 'mse')
    assert_close('output', np.asarray(jax.jit(model)(X)), model.predict(X), 1e-6)
