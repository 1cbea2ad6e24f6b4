"""What users may ask a layer: its variables, its calls, copies of it."""
import copy
import gc
import logging
import weakref

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import ArgumentError, CallError, GraphError, ShapeError
from keraflow.layers import LSTM, BatchNormalization, Dense, ElementWiseSum, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.regularizers import L1

X = np.random.default_rng(8).normal(size=(4, 3)).astype('float32')


class Weighted(Layer):
    """Makes a parameter in init_param and others in output."""

    def init_param(self, input_shape):
        self.add_weight('a', (input_shape[1],), init='one')

    def output(self, x):
        b = self.add_weight('b', (3,), init='one', regularizer='l1', constraint='nonneg')
        c = self.add_weight('c', [3], init='zero', trainable=False)
        return x * self.a * b + c


# -- variables ----------------------------------------------------------------------------------------------------------

def test_variables_by_name_and_in_order():
    layer = Sequential([Dense(4), BatchNormalization()])
    layer(Input(3))
    norm = layer.layers[1]
    assert layer.variables.names[:2] == ['0/W', '0/b'] and len(layer.variables) == 6 == len(layer.weights)
    assert layer.variables['0/W'] is layer.layers[0].W is layer.layers[0].variables.W is layer.variables[0]
    states = set(norm.non_trainable_variables.names)
    assert states == set(norm.variables.names) - set(norm.trainable_weights.names) and len(states) == 2
    layer.layers[0].trainable = False
    assert layer.trainable_variables.names == [f'1/{name}' for name in norm.trainable_variables.names]
    assert layer.non_trainable_weights.names[:2] == ['0/W', '0/b']
    assert layer.count_params() == 3 * 4 + 4 + 4 * 4
    with pytest.raises(ArgumentError) as caught:
        layer.layers[0].variables['V']
    assert str(caught.value) == "variables: there is no 'V'. There are W, b."
    with pytest.raises(AttributeError):
        layer.variables.W
    with pytest.raises(ArgumentError) as caught:
        Dense(3, name='unfed').count_params()
    assert str(caught.value) == 'unfed: the layer has no parameters before its first call. Feed it first.'


def test_variables_of_a_model_have_full_names():
    x = Input(3)
    model = Model(x, Dense(2, name='head')(Sequential([Dense(4)], name='body')(x)))
    assert model.variables.names == ['body/0/W', 'body/0/b', 'head/W', 'head/b']
    assert model.variables['head/b'] is model.get_layer('head').variables.b and model.get_layer('head').scope_name == 'head'


def test_add_weight_makes_a_parameter_once():
    layer = Weighted(regularizers={'b': L1(0.5)}, initial_weights={'b': [1., 2., 3.]})
    x = Input(3)
    model = Model(x, layer.apply(layer(x) * 2))
    assert layer.variables.names == ['a', 'b', 'c'] and layer.trainable_variables.names == ['a', 'b']
    np.testing.assert_allclose(model.predict(X), X * 2 * np.array([1., 4., 9.]), rtol=1e-5)
    parameters = {one.name: one for one in layer.parameters()}
    assert parameters['b'].regularizer.l1 == 0.5 and type(parameters['b'].constraint).__name__ == 'NonNeg'
    assert parameters['a'].regularizer is None
    plain = Weighted()
    plain(Input(3))
    assert {one.name: one for one in plain.parameters()}['b'].regularizer.l1 == 0.01
    again = keraflow.unserialize(keraflow.serialize(model), custom_objects=[Weighted])
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(ShapeError) as caught:
        layer.add_weight('b', (4,))
    assert str(caught.value) == f'{layer.name}: b: expected shape (3,), as it was made with, received (4,).'
    with pytest.raises(ArgumentError) as caught:
        Weighted(regularizers={'d': 'l1'}, name='w')(Input(3))
    assert str(caught.value) == "w: regularizers: there is no 'd'. Choose one of a, b, c."


class Failing(Layer):
    fail = True

    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones(3))

    def output(self, x):
        if self.fail:
            raise GraphError('not now')
        return x * self.W


def test_a_first_run_that_fails_leaves_nothing():
    layer = Failing()
    for _ in range(2):
        with pytest.raises(GraphError, match='not now'):
            layer(Input(3))
    assert not layer.variables
    layer.fail = False
    assert layer(Input(3)).shape == (None, 3) and layer.variables.names == ['W']


# -- calls --------------------------------------------------------------------------------------------------------------

def test_calls_of_a_layer():
    x, y = Input(3), Input(3, batch_size=5)
    layer, joined = Dense(2), ElementWiseSum()
    one, other = layer(x), layer(y)
    total = joined([one, one])
    assert layer.get_input_at(0) is x and layer.get_input_at(1) is y and layer.get_output_at(-1) is other
    assert layer.get_input_shape_at(1) == (5, 3) and layer.get_output_shape_at(1) == (5, 2)
    assert joined.get_input_at(0) == [one, one] and joined.get_input_shape_at(0) == [(None, 2), (None, 2)]
    assert joined.input_kensor == [one, one] and joined.output_kensor is total and joined.output_kensor_shape == (None, 2)
    assert x.output_kensor is x
    shared = Dense(2)
    kept = shared(x), shared(x)
    assert shared.input_kensor_shape == (None, 3) and len(kept) == 2


def test_mistakes_about_calls():
    layer = Dense(2, name='d')
    for ask in (lambda: layer.get_input_at(0), lambda: layer.output_kensor, lambda: layer.input_kensor_shape):
        with pytest.raises(GraphError) as caught:
            ask()
        assert str(caught.value) == 'd: the layer has no calls yet. Call it first.'
    kept = [layer(Input(3)), layer(Input(3, batch_size=2))]
    for ask, text in ((lambda: layer.get_output_at(2), 'd: there is no call 2. The layer was called 2 time(s), numbered from 0.'),
                      (lambda: layer.input_kensor, 'd: the layer was called 2 times. Ask for one of the calls, for example with get_input_at(0).'),
                      (lambda: layer.output_kensor_shape, 'd: the calls have different output shapes. Ask for one of them, for example with '
                                                          'get_output_shape_at(0).')):
        with pytest.raises(GraphError) as caught:
            ask()
        assert str(caught.value) == text
    assert len(kept) == 2


def test_what_calls_gave_does_not_depend_on_the_garbage_collector():
    norm, dense = BatchNormalization(), Dense(2, regularizers=['l2'], activity_regularizer='l1')
    dense(norm(Input(3, name='x')))
    gc.collect()
    assert len(norm.updates) == 2 and len(dense.losses) == 2
    assert norm.input_kensor.name == 'x' and dense.get_output_shape_at(0) == (None, 2)
    assert len(dense.get_losses_for(dense.input_kensor)) == 1 and len(norm.get_updates_for(norm.get_input_at(0))) == 2


def test_layers_and_kensors_of_a_dropped_graph_are_collected():
    layer = Dense(2)
    layer(Dense(3)(Input(3)))
    dropped = weakref.ref(layer), weakref.ref(layer.input_kensor), weakref.ref(layer.input_kensor.layer)
    del layer
    gc.collect()
    assert [ref() for ref in dropped] == [None] * 3


def test_hasattr_tells_whether_there_is_one_call():
    layer = Dense(2, name='d')
    names = ('input_kensor', 'output_kensor', 'input_kensor_shape', 'output_kensor_shape')
    assert [hasattr(layer, name) for name in names] == [False] * 4
    layer(Input(3))
    assert [hasattr(layer, name) for name in names] == [True] * 4
    layer(Input(3, batch_size=2))
    assert [hasattr(layer, name) for name in names] == [False] * 4
    with pytest.raises(CallError, match='^d: the layer was called 2 times'):
        layer.input_kensor


def test_the_name_of_a_layer_cannot_be_changed():
    layer, other = Dense(2, name='d'), Dense(2)
    for one, shown in ((layer, '<Dense d>'), (other, '<Dense (not named yet)>')):
        with pytest.raises(ArgumentError) as caught:
            one.name = 'e'
        assert str(caught.value) == (f'{shown}: its name cannot be changed, because Kensors and files refer to it. Pass '
                                     "name='e' where the layer is made.")


def test_shapes_are_told_on_request(caplog):
    with caplog.at_level(logging.INFO):
        Dense(2, name='quiet')(Input(3))
    keraflow.show_shapes()
    x = Input((4, 3))
    Dense(2, name='told')(B.sum(x, axis=1))
    keraflow.show_shapes(False)
    Dense(2, name='quiet')(Input(3))
    told = [record.getMessage() for record in caplog.records if record.name == 'keraflow.shapes']
    assert told[0].endswith(': (None, 4, 3) -> (None, 3)') and told[1:] == ['told: (None, 3) -> (None, 2)']


def test_shapes_are_printed_where_the_program_handles_no_records(capsys, monkeypatch):
    log = logging.getLogger('keraflow.shapes')
    monkeypatch.setattr(log, 'propagate', False)
    for name in ('first', 'second'):
        keraflow.show_shapes()
        Dense(2, name=name)(Input(3))
    keraflow.show_shapes(False)
    Dense(2, name='quiet')(Input(3))
    assert capsys.readouterr().err.splitlines() == ['first: (None, 3) -> (None, 2)', 'second: (None, 3) -> (None, 2)']
    assert log.handlers == [] and log.level == logging.NOTSET


# -- copies -------------------------------------------------------------------------------------------------------------

def test_a_copy_has_the_same_values_in_its_own_variables():
    layer = Dense(3, activation=lambda x: x * 2, trainable=False, name='original')
    layer(Input(3))
    other = copy.deepcopy(layer)
    assert other.activation is layer.activation and not other.trainable and other.name != 'original'
    np.testing.assert_array_equal(other.get_weights()['W'], layer.get_weights()['W'])
    other.set_weights(np.zeros((3, 3)))
    assert np.any(layer.get_weights()['W'])
    assert copy.deepcopy(Dense(3)).get_weights() == {}


def test_a_copy_of_a_layer_that_was_not_fed_starts_with_its_initial_weights():
    other = copy.deepcopy(Dense(2, initial_weights={'b': [3., 4.]}))
    other(Input(3))
    np.testing.assert_array_equal(other.get_weights()['b'], [3, 4])


def test_copies_of_a_model_in_a_third_one():
    x = Input(3)
    block = Sequential([Dense(3, name='in'), BatchNormalization()])
    model = Model(x, Dense(2, name='out')(block(Dense(3, 'identity')(block(x)))), name='m')
    other = copy.deepcopy(model)
    assert serialize_but_name(other) == serialize_but_name(model)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    z = Input(3)
    third = Model(z, [model(z), other(z), copy.deepcopy(model)(z)])
    found = third.predict(X)
    np.testing.assert_array_equal(found[1], found[0])
    third.compile('sgd', ['mse'] * 3)
    other.trainable = False
    third.compile('sgd', ['mse'] * 3)
    third.fit(X, [np.zeros((4, 2))] * 3, nb_epoch=1, verbose=0)
    found = third.predict(X)
    np.testing.assert_array_equal(found[2], found[0])
    assert not np.array_equal(found[1], found[0])


def serialize_but_name(model):
    data = keraflow.serialize(model)
    data['args'].pop('name')
    return data


def test_a_copy_of_a_recurrent_layer_keeps_its_states():
    layer = LSTM(2, stateful=True)
    x = Input((4, 3), batch_size=2)
    model = Model(x, layer(x))
    model.predict(np.ones((2, 4, 3)))
    other = copy.deepcopy(model)
    np.testing.assert_array_equal(other.predict(np.ones((2, 4, 3))), model.predict(np.ones((2, 4, 3))))
