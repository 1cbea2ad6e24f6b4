"""Weights shared in depth: a layer, a host or a model that is fed its own output."""
import copy

import numpy as np
import pytest

from keraflow import serialize, unserialize
from keraflow.layers import Activation, BatchNormalization, Dense, Input, Layer, TimeDistributed
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD

X = np.random.default_rng(5).normal(size=(4, 3)).astype('float32')


def affine(layer, x, times):
    weights = layer.get_weights()
    for _ in range(times):
        x = x @ weights['W'] + weights['b']
    return x


def deep(name='A'):
    layer, x = Dense(3, name=name, initial_weights={'b': [.1, .2, .3]}), Input(3, name='x')
    return layer, Model(x, layer(layer(layer(x))), name='m')


def test_each_call_has_a_name_and_the_numbers_are_those_of_the_formula():
    layer, model = deep()
    assert model.path == [[['x'], 'A', 'A_0'], [['A_0'], 'A', 'A_1'], [['A_1'], 'A', 'A_2']]
    assert list(model.get_weights()) == ['A/W', 'A/b'] and layer.get_output_at(1).name == 'A_1'
    np.testing.assert_allclose(model.predict(X), affine(layer, X, 3), rtol=1e-4, atol=1e-5)
    captured = model.capture(['A_0', 'A_1'], X)
    for number, array in enumerate(captured):
        np.testing.assert_allclose(array, affine(layer, X, number + 1), rtol=1e-4, atol=1e-5)


def test_one_step_of_sgd_is_that_of_the_formula():
    x = Input(1)
    layer = Dense(1, bias=False, initial_weights={'W': [[2.]]})
    model = Model(x, layer(layer(x)))
    model.compile(SGD(lr=0.01), 'mse')
    model.fit(np.ones((1, 1)), np.ones((1, 1)), nb_epoch=1, verbose=0)
    # d/dw (w * w - 1)^2 = 4 w (w * w - 1)
    np.testing.assert_allclose(layer.get_weights()['W'], [[2. - 0.01 * 4 * 2 * 3]], rtol=1e-5)


@pytest.mark.parametrize('extension', ['yaml', 'json'])
@pytest.mark.parametrize('name', ['A', None])
def test_it_survives_files(tmp_path, extension, name):
    layer, model = deep(name)
    arch, weights = tmp_path / f'm.{extension}', tmp_path / 'm.safetensors'
    model.save_to_file(arch, weights)
    loaded = Model.load_from_file(arch, weights)
    assert loaded.path == model.path and len(loaded.layers) == 2
    np.testing.assert_allclose(loaded.predict(X), affine(layer, X, 3), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('name', ['A', None])
def test_in_a_sequential_with_and_without_an_input(tmp_path, name):
    layer = Dense(3, name=name)
    whole = Sequential([Input(3), layer, layer, Dense(2, name='end')])
    assert len(whole.layer_ids()) == 3 and len(whole.get_weights()) == 4
    part = Sequential([layer, layer])
    x = Input(3)
    alone = Model(x, part(x))
    np.testing.assert_allclose(alone.predict(X), affine(layer, X, 2), rtol=1e-4, atol=1e-5)
    assert len(alone.get_weights()) == 2
    whole.save_to_file(tmp_path / 's.yaml', tmp_path / 's.safetensors')
    for again in (Model.load_from_file(tmp_path / 's.yaml', tmp_path / 's.safetensors'), copy.deepcopy(whole)):
        assert again.layers[1] is again.layers[2] and again.path == whole.path
        np.testing.assert_allclose(again.predict(X), whole.predict(X), rtol=1e-5)
    assert serialize(unserialize(serialize(part))) == serialize(part)


def test_its_program_builds_it():
    layer, model = deep()
    namespace = {}
    exec(model.to_python(), namespace)
    made = namespace['model']
    assert made.path == model.path
    made.set_weights(model.get_weights())
    np.testing.assert_allclose(made.predict(X), affine(layer, X, 3), rtol=1e-4, atol=1e-5)


def test_surgery():
    layer, model = deep()
    new = Dense(3, name='B')
    np.testing.assert_allclose(model.replace('A', new).predict(X), affine(new, X, 3), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.remove('A').insert_after('x', new).predict(X), affine(new, X, 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.sub_model('A_0', 'A_2').predict(X), affine(layer, X, 2), rtol=1e-4, atol=1e-5)
    behind = model.insert_after('A', Activation('relu', name='r')).predict(X)
    expected = X
    for _ in range(3):
        expected = np.maximum(affine(layer, expected, 1), 0)
    np.testing.assert_allclose(behind, expected, rtol=1e-4, atol=1e-5)


class Twice(Layer):
    def output(self, x):
        inner = Dense(3, init='one')
        return self.embed(inner)(x)


@pytest.mark.parametrize('make', [
    lambda: Twice(), lambda: Sequential([Dense(3)]), lambda: Sequential([Input(3), Dense(3)]), BatchNormalization,
    lambda: Activation('tanh')])
def test_layers_of_all_kinds_are_fed_their_own_output(make):
    layer, x = make(), Input(3)
    once = layer(x)
    deeper = Model(x, layer(layer(once)))
    one = Model(x, once)
    np.testing.assert_allclose(deeper.predict(X), one.predict(one.predict(one.predict(X))), rtol=1e-4, atol=1e-5)


def test_a_wrapped_layer_in_depth():
    inner = Dense(3)
    layer, x = TimeDistributed(inner), Input((2, 3))
    model = Model(x, layer(layer(x)))
    series = np.stack([X, X + 1], axis=1)
    np.testing.assert_allclose(model.predict(series), affine(inner, series, 2), rtol=1e-4, atol=1e-5)
