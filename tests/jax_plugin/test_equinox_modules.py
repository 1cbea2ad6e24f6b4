"""Modules of Equinox as layers of keraflow."""
import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import ArgumentError
from keraflow.layers import Dense, Dropout, Foreign, Input
from keraflow.models import Model, Sequential
from keraflow.testing import assert_close
from keraflow.testing.numerics import using_floatx

eqx = pytest.importorskip('equinox', reason='Equinox is not installed (pip install equinox)')

X = np.random.default_rng(13).normal(size=(6, 3)).astype('float32')
Y = np.random.default_rng(14).normal(size=(6, 4)).astype('float32')


@keraflow.register(id='mlp-in-test-equinox')
def make_mlp(size):
    return eqx.filter_vmap(eqx.nn.MLP(3, size, 5, 1, activation=jnp.tanh, key=jax.random.key(0)))


def moved(before, layer):
    return {name for name, value in layer.get_weights().items() if not np.array_equal(before[name], value)}


def test_a_module_is_trained_frozen_and_saved(tmp_path):
    x = Input(3)
    layer = Foreign(make_mlp, {'size': 4}, regularizers={'weight': 'l2'}, name='foreign')
    model = Model(x, Dense(2)(layer(x)))
    assert layer.trainable_variables.names == layer.variables.names == ['weight', 'bias', 'weight_1', 'bias_1']
    assert layer(x).shape == (None, 4)
    before = layer.get_weights()
    model.compile('sgd', 'mse')
    model.fit(X, np.zeros((6, 2)), nb_epoch=1, verbose=0)
    assert moved(before, layer) == set(before) and len(model.outputs[0].regularizers) == 1
    model.save_to_file(str(tmp_path / 'a.yaml'), str(tmp_path / 'w.safetensors'))
    again = Model.load_from_file(str(tmp_path / 'a.yaml'), str(tmp_path / 'w.safetensors'))
    assert_close('output', again.predict(X), model.predict(X), 1e-6)
    layer.trainable = False
    model.compile('sgd', 'mse')
    before = layer.get_weights()
    model.fit(X, np.zeros((6, 2)), nb_epoch=1, verbose=0)
    assert moved(before, layer) == set()


def test_a_step_is_the_one_that_equinox_takes():
    module = make_mlp(4)
    slopes = eqx.filter_grad(lambda module: jnp.mean((module(X) - Y) ** 2))(module)
    expected = [np.asarray(x - 0.01 * slope) for x, slope in zip(*map(jax.tree.leaves, (
        eqx.filter(module, eqx.is_inexact_array), slopes)))]
    layer = Foreign(make_mlp, {'size': 4})
    model = Sequential([Input(3), layer])
    model.compile('sgd', 'mse')
    model.fit(X, Y, batch_size=6, nb_epoch=1, verbose=0)
    for (name, found), value in zip(layer.get_weights().items(), expected):
        assert_close(name, found, value, 1e-6)


class Scaled(eqx.Module):
    """Has arrays of several kinds, and an argument for the phase."""

    scales: list
    shift: np.ndarray
    order: jax.Array
    size: np.ndarray
    drop: eqx.nn.Dropout

    def __init__(self):
        self.scales = [jnp.ones(3), jnp.full(3, 2.)]
        self.shift = np.zeros(3, 'float32')
        self.order = jnp.array([2, 0, 1])
        self.size = np.array([3, 2])
        self.drop = eqx.nn.Dropout(0)

    def __call__(self, x, training=False):
        x = (self.drop(x) * self.scales[0] * self.scales[1] + self.shift)[:, self.order]
        return jnp.concatenate([x] * int(self.size[1]), 1) + training


def test_floats_are_parameters_and_integers_states():
    layer = Foreign(Scaled, phase_argument='training')
    model = Sequential([Input(3), layer])
    assert layer.variables.names == ['scales', 'scales_1', 'shift', 'order']
    assert layer.trainable_variables.names == ['scales', 'scales_1', 'shift']
    expected = np.tile(2 * X[:, [2, 0, 1]], (1, 2))
    assert_close('output', model.predict(X), expected, 1e-6)
    with keraflow.phase('train'):
        assert_close('output', B.eval(layer(B.constant(X))), expected + 1, 1e-6)
    clone = copy.deepcopy(layer)
    clone.set_weights([np.ones(3), np.ones(3), np.ones(3), [0, 1, 2]])
    assert_close('output', B.eval(clone(B.constant(X))), np.tile(X + 1, (1, 2)), 1e-6)
    assert_close('output', np.asarray(jax.jit(clone)(X)), np.tile(X + 1, (1, 2)), 1e-6)
    assert_close('output', model.predict(X), expected, 1e-6)


def test_float64_and_carries_that_the_module_makes():
    class Recurrent(eqx.Module):
        cell: eqx.nn.GRUCell

        def __init__(self):
            self.cell = eqx.nn.GRUCell(3, 4, key=jax.random.key(0))

        def __call__(self, xs):
            def of_sample(x):
                return jax.lax.scan(lambda h, one: (self.cell(one, h),) * 2, jnp.zeros(4), x)[1]
            return jax.vmap(of_sample)(xs)
    layer, x = Foreign(Recurrent), Input((None, 3))
    assert layer(x).dtype == 'float32' and layer(x).shape == (None, None, 4)
    with using_floatx('float64'):
        assert layer(Input((None, 3))).dtype == 'float64'
        model = Sequential([Input((None, 3)), layer])
        model.compile('sgd', 'mse')
        before = layer.get_weights()
        model.fit(np.ones((2, 5, 3)), np.ones((2, 5, 4)), nb_epoch=1, verbose=0)
        assert moved(before, layer) == set(before)


class Normalized(eqx.Module):
    norm: eqx.nn.BatchNorm

    def __init__(self):
        self.norm = eqx.nn.BatchNorm(3, 'batch', mode='ema')

    def __call__(self, x):
        raise AssertionError


def test_mistakes():
    wanted = 'f: make: expected a module itself, received a function with MLP in it, whose parameters would not be trained. Write ' \
        'equinox.filter_vmap(module) for jax.vmap(module), or a class of equinox.Module whose __call__ computes the same.'
    mlp = eqx.nn.MLP(3, 4, 5, 1, key=jax.random.key(0))
    for make in (lambda: jax.vmap(mlp)), (lambda: jax.vmap(lambda x: mlp(x))), (lambda: mlp.__call__), \
            (lambda: eqx.filter_vmap(lambda x: mlp(x))):
        with pytest.raises(ArgumentError) as caught:
            Foreign(make, name='f')(Input(3))
        assert str(caught.value) == wanted
    with pytest.raises(ArgumentError) as caught:
        Foreign(Normalized, name='f')(Input(3))
    assert str(caught.value) == ('f: make: expected a module without equinox.nn.State, received one that keeps a state, as '
                                 'equinox.nn.BatchNorm does. Write a normalization without one, such as equinox.nn.LayerNorm, or '
                                 'keraflow.layers.BatchNormalization() between two modules.')
    with pytest.raises(ArgumentError) as caught:
        Foreign(lambda: eqx.nn.Dropout(0.5), name='f')(Input(3))
    assert str(caught.value) == ('f: make: expected a module that computes without a key, received one with equinox.nn.Dropout. Write '
                                 'keraflow.layers.Dropout(...) between two modules, or equinox.nn.Dropout(0).')
    assert Sequential([Input(3), Foreign(lambda: eqx.nn.Dropout(0.5, inference=True)), Dropout(0.5)]).predict(X).shape == (6, 3)
