"""Kensors, calls and models as graphs: names, paths, sharing, nesting, what a Kensor carries, state."""
import json

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import GraphError
from keraflow.graph.kensor import calls_behind
from keraflow.layers import (Activation, Concatenate, Dense, Dropout, ElementWiseMult, ElementWiseSum, Input, Lambda,
                             Layer)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.utils import serialize, unserialize

X = np.random.default_rng(3).normal(size=(4, 3)).astype('float32')
Z = np.random.default_rng(4).normal(size=(4, 3)).astype('float32')


def reloaded(model, tmp_path, extension, custom_objects=None):
    model.save_to_file(tmp_path / f'arch.{extension}', tmp_path / 'w.safetensors', overwrite=True)
    return Model.load_from_file(tmp_path / f'arch.{extension}', tmp_path / 'w.safetensors', custom_objects)


def assert_same_predictions(one, other, *inputs):
    found, expected = other.predict(list(inputs)), one.predict(list(inputs))
    assert np.max(np.abs(np.asarray(found) - np.asarray(expected))) < 1e-6


# -- names and paths ----------------------------------------------------------------------------------------------------

def test_each_call_has_an_output_name_of_its_own():
    d, x, y = Dense(2, name='d'), Input(3, name='x'), Input(3, name='y')
    first, second = d(x), d(y)
    assert (x.name, first.name, second.name) == ('x', 'd_0', 'd_1')
    assert first.path == [[['x'], 'd', 'd_0']]
    assert second.path == [[['y'], 'd', 'd_1']]
    joined = Concatenate(name='c')([second, first])
    assert joined.path == [[['y'], 'd', 'd_1'], [['x'], 'd', 'd_0'], [['d_1', 'd_0'], 'c', 'c_0']]
    assert repr(first) == '<Kensor d_0 (None, 2) float32>'


def test_layers_without_a_name_are_numbered_when_they_are_used():
    first, second = Dense(2), Dense(2)
    x = Input(3)
    later, sooner = second(x).layer.name, first(x).layer.name
    assert later.startswith('dense') and int(sooner[5:]) == int(later[5:]) + 1


def test_a_path_has_each_call_of_a_diamond_once():
    x = Input(3, name='x')
    stem = Dense(3, name='stem')(x)
    for number in range(10):
        stem = ElementWiseSum(name=f'sum{number}')([stem, Dense(3, name=f'branch{number}')(stem)])
    path = stem.path
    assert len(path) == 21
    assert [step[1] for step in path[:5]] == ['stem', 'branch0', 'sum0', 'branch1', 'sum1']
    assert path[2] == [['stem_0', 'branch0_0'], 'sum0', 'sum0_0']
    model = Model(x, stem)
    assert model.path == path
    assert len(serialize(model)['args']['path']) == 21


def test_a_model_of_one_head_does_not_contain_the_other_head():
    x = Input(3, name='x')
    h = Dense(4, name='h')(x)
    a, b = Dense(2, name='a')(h), Dense(2, name='b')(h)
    model = Model(x, a)
    assert [layer.name for layer in model.layers] == ['x', 'h', 'a']
    assert set(serialize(model)['args']['layers']) == {'x', 'h', 'a'}
    assert sorted(model.get_weights()) == ['a/W', 'a/b', 'h/W', 'h/b']
    both = Model(x, [a, b])
    assert [layer.name for layer in both.layers] == ['x', 'h', 'a', 'b']


def test_a_model_may_end_in_the_middle_and_begin_with_several_inputs_in_any_order():
    x, y = Input(3, name='x'), Input(3, name='y')
    d = Dense(2, name='d')
    middle = ElementWiseMult(name='m')([d(x), d(y)])
    Activation('relu', name='r')(middle)
    model = Model([y, x], middle)
    assert [kensor.name for kensor in model.inputs] == ['y', 'x']
    assert [layer.name for layer in model.layers] == ['x', 'd', 'y', 'm']
    assert np.allclose(model.predict([Z, X]), model.predict({'x': X, 'y': Z}))


def test_get_layer_by_name():
    x = Input(3, name='x')
    layer = Dense(2, name='d')
    model = Model(x, layer(x), name='model')
    assert model.get_layer('d') is layer and model.get_layer('x') is x
    with pytest.raises(GraphError) as caught:
        model.get_layer('e')
    assert str(caught.value) == "model: there is no layer 'e'. It has x, d."


# -- sharing and nesting ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('extension', ['json', 'yaml'])
def test_a_shared_layer_fed_with_two_different_inputs_is_reloaded_as_such(tmp_path, extension):
    a, b = Input(3), Input(3)
    shared, last = Dense(4, activation='tanh'), Dense(2)
    model = Model([a, b], Concatenate()([last(shared(a)), shared(b), shared(a)]))
    again = reloaded(model, tmp_path, extension)
    assert_same_predictions(model, again, X, Z)
    assert len(again.layers) == len(model.layers) == 5
    assert not np.allclose(model.predict([X, Z]), model.predict([Z, X]))
    assert serialize(again) == serialize(model)


def test_shared_and_nested_sequentials_are_reloaded_as_such(tmp_path):
    a, b = Input(3), Input(3)
    inner = Dense(3, activation='tanh')
    first = Sequential([inner, Sequential([Dense(4), Activation('relu')])])
    second = Sequential([Activation('tanh'), inner])
    model = Model([a, b], Concatenate()([first(a), first(b), second(a)]))
    assert len({id(one.variable) for one in model.parameters()}) == 4
    again = reloaded(model, tmp_path, 'yaml')
    assert_same_predictions(model, again, X, Z)
    sequentials = [layer for layer in again.layers if isinstance(layer, Sequential)]
    assert sequentials[0].layers[0] is sequentials[1].layers[1]
    again.compile(SGD(lr=0.1), 'mse')
    target = np.ones((4, 11))
    before = again.evaluate([X, Z], target)['loss']
    again.fit([X, Z], target, nb_epoch=3, verbose=0)
    assert again.evaluate([X, Z], target)['loss'] < before
    assert sequentials[0].layers[0].W is sequentials[1].layers[1].W


def test_a_model_in_a_model_is_one_layer_with_its_own_weights(tmp_path):
    a, b = Input(3), Input(3)
    small = Model([a, b], [ElementWiseSum()([Dense(2)(a), Dense(2)(b)]), Dense(4)(b)], name='small')
    x, y = Input(3), Input(3)
    total, side = small([x, y])
    again_total, _ = small([y, x])
    model = Model([x, y], Concatenate()([total, side, again_total]))
    assert len(model.get_weights()) == len(small.get_weights()) == 6
    expected = [*small.predict([X, Z]), small.predict([Z, X])[0]]
    assert np.allclose(model.predict([X, Z]), np.hstack(expected), atol=1e-6)
    assert_same_predictions(model, reloaded(model, tmp_path, 'json'), X, Z)


def test_two_sequential_models_make_one_where_the_first_is_an_input_of_the_second():
    encoder = Sequential([Input(3), Dense(2, activation='tanh')])
    decoder = Sequential([Input(2), Dense(3)])
    model = Model(encoder, decoder(encoder))
    assert np.allclose(model.predict(X), decoder.predict(encoder.predict(X)), atol=1e-6)


class Split(Layer):
    """Two outputs: the first column, and the rest."""

    def output(self, x):
        return [x[:, :1], x[:, 1:]]

    def output_shape(self, input_shape):
        return [(input_shape[0], 1), (input_shape[0], input_shape[1] - 1)]


def test_a_layer_with_several_outputs(tmp_path):
    x, y = Input(3, name='x'), Input(3, name='y')
    split = Split(name='split')
    first, rest = split(x)
    other = split(y)
    assert isinstance(other, list)
    assert (first.name, rest.name, other[1].name) == ('split_0.0', 'split_0.1', 'split_1.1')
    assert (first.shape, rest.shape) == ((None, 1), (None, 2))
    model = Model([x, y], [rest, Concatenate(name='c')([first, other[1]])])
    found = model.predict([X, Z])
    assert np.array_equal(found[0], X[:, 1:])
    assert np.array_equal(found[1], np.hstack([X[:, :1], Z[:, 1:]]))
    again = reloaded(model, tmp_path, 'json', [Split])
    assert [one.shape for one in again.predict([X, Z])] == [(4, 2), (4, 3)]
    assert again.path == model.path
    both = Model(x, split(x), name='both')
    both.compile('sgd', {'split/output.0': 'mse', 'split/output.1': 'mae'})
    loss = both.evaluate(X, {'split/output.1': X[:, 1:] + 1, 'split/output.0': X[:, :1] + 2})['loss']
    assert np.isclose(loss, 4 + 1, rtol=1e-5)


# -- what a Kensor carries ----------------------------------------------------------------------------------------------

def test_a_kensor_carries_parameters_regularizers_and_constraints_of_its_path_each_once():
    x = Input(3)
    frozen, d = Dense(3, trainable=False, regularizers=['l1']), Dense(3, regularizers={'W': 'l2'}, constraints=[None, 'nonneg'])
    h = frozen(x)
    y = ElementWiseSum()([d(h), d(h)])
    assert y.trainable_params == [d.W, d.b]
    assert [(variable is frozen.W, type(one).__name__) for variable, one in y.regularizers] == [(True, 'L1'), (False, 'L2')]
    assert [(variable is d.b, type(one).__name__) for variable, one in y.constraints] == [(True, 'NonNeg')]
    assert h.trainable_params == [] and h.constraints == [] and x.regularizers == [] and x.path == [] and y.updates == []


def test_the_tensors_of_kensors_make_functions():
    x = Input(3)
    h = Dense(2, activation='tanh')(x)
    y = Activation('softmax')(h)
    run = B.function([x.tensor], [y.tensor, h.tensor])
    model = Model(x, y)
    softmax, tanh = run(X)
    assert np.allclose(softmax, model.predict(X), atol=1e-6)
    assert np.allclose(np.exp(tanh) / np.exp(tanh).sum(axis=1, keepdims=True), softmax, atol=1e-6)
    assert y.tensor is y.tensor


def test_a_layer_runs_on_tensors_and_arrays_too():
    d = Dense(2, initial_weights=[np.ones((3, 2)), np.ones(2)])
    out = d(X)
    assert B.is_tensor(out)
    assert np.allclose(B.eval(out), X.sum(axis=1, keepdims=True) + 1, atol=1e-6)
    assert np.allclose(B.eval(d(B.constant(Z))), Z.sum(axis=1, keepdims=True) + 1, atol=1e-6)


class FromBackendValues(Layer):
    """Initial values as a variable, as tensors, as an array."""

    def init_param(self, input_shape):
        self.set_trainable_params('a', B.variable(np.full(3, 2.)), 'b', B.ones((3,)) * 3, 'c', np.full(3, 4.))

    def output(self, x):
        return x * self.a * self.b * self.c


def test_init_param_may_use_the_backend():
    x = Input(3)
    layer = FromBackendValues()
    model = Model(x, layer(x))
    assert np.allclose(model.predict(X), X * 24, rtol=1e-5)
    assert [one.trainable for one in model.parameters()] == [True, True, True]


# -- state --------------------------------------------------------------------------------------------------------------

class Counter(Layer):
    """Counts the training batches, and keeps a running sum of its input; adds the count to what it gives."""

    def init_param(self, input_shape):
        self.set_trainable_params('W', np.zeros(input_shape[1]))
        self.set_state_params('count', np.zeros(()), 'total', np.zeros(input_shape[1]))

    def output(self, x):
        if B.current_phase() == 'train':
            self.add_update(self.count, self.count + 1)
            self.add_update(self.total, self.total + B.sum(x, axis=0))
        return x + self.W + self.count


def test_state_is_updated_by_fit_alone_saved_and_not_trained(tmp_path):
    x = Input(3)
    counter = Counter(name='counter')
    model = Model(x, counter(x))
    assert [(one.name, one.trainable) for one in model.parameters()] == [
        ('counter/W', True), ('counter/count', False), ('counter/total', False)]
    model.compile(SGD(lr=0.01), 'mse')
    model.evaluate(X, Z)
    model.predict(X)
    assert model.get_weights()['counter/count'] == 0
    model.fit(X, Z, batch_size=2, nb_epoch=3, shuffle=False, verbose=0)
    weights = model.get_weights()
    assert weights['counter/count'] == 6
    assert np.allclose(weights['counter/total'], 3 * X.sum(axis=0), rtol=1e-4, atol=1e-5)
    assert np.abs(weights['counter/W']).max() > 0
    assert np.allclose(model.predict(X), X + weights['counter/W'] + 6, atol=1e-5)
    again = reloaded(model, tmp_path, 'yaml', [Counter])
    assert again.get_weights()['counter/count'] == 6
    assert_same_predictions(model, again, X)


def test_a_kensor_carries_the_updates_of_its_path_and_an_embedded_layer_makes_them_too():
    class Holds(Layer):
        def output(self, x):
            return self.embed(Counter())(x)

    x = Input(3)
    host = Holds()
    y = host(x)
    updates = y.updates
    counter = host.embedded_layers[0]
    assert [variable for variable, _ in updates] == [counter.count, counter.total]
    step = B.function([x.tensor], [y.tensor], updates)
    step(X)
    assert host.get_weights()['0/count'] == 1


def test_what_differs_between_training_and_prediction_is_decided_by_the_phase():
    x = Input(3)
    model = Model(x, Dropout(0.5)(Lambda(lambda x: B.in_train_phase(x * 0 + 4, x))(x)))
    assert np.array_equal(model.predict(X), X)
    assert set(np.unique(model.predict(np.ones((50, 3)), train_mode=True))) == {0., 8.}


# -- size ---------------------------------------------------------------------------------------------------------------

def test_two_thousand_layers_in_a_chain_and_back_from_json():
    x = Input(1, name='x')
    y = x
    for _ in range(2000):
        y = Activation('linear')(y)
    assert len(calls_behind([y])) == 2001
    model = Model(x, y)
    again = unserialize(json.loads(json.dumps(serialize(model))))
    assert len(again.layers) == 2001
    assert again.path == model.path
    assert len(y.path) == 2000
    assert model.get_weights() == {}


def test_residual_blocks_stay_linear():
    x = Input(1, name='x')
    y = x
    for _ in range(100):
        y = ElementWiseSum()([y, Dense(1, init='zero')(y)])
    model = Model(x, y)
    assert len(model.path) == 200 and len(y.trainable_params) == 200
    again = unserialize(serialize(model))
    assert again.path == model.path
