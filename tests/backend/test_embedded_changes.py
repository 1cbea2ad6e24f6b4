"""What is changed of embedded layers after they were linked is kept: it works, and it is saved."""
import copy

import numpy as np
import pytest

from keraflow import backend as B
from keraflow import serialize, unserialize
from keraflow.errors import ArgumentError, ArgumentTypeError, ModelFileError
from keraflow.layers import Activation, Bidirectional, Dense, Dropout, Input, Lambda, Layer, SimpleRNN, TimeDistributed
from keraflow.models import Model, Sequential
from keraflow.models.to_python import to_python
from keraflow.regularizers import L1

X = np.random.default_rng(7).normal(size=(6, 3)).astype('float32')


class Block(Layer):
    def output(self, x):
        return Dense(3, name='second')(Dropout(0.5)(Dense(3)(x)))


class Kept(Layer):
    """Keeps what it makes for itself."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [Dense(3), Activation('relu')]

    def output(self, x):
        for part in self.parts:
            x = part(x)
        return x


class Outer(Layer):
    def output(self, x):
        return Sequential([Dense(3), Block()])(x)


MADE = [Block, Kept, Outer]


def model_of(layer):
    x = Input(3, name='x')
    return Model(x, layer(x), name='m')


def test_freezing_one_of_them_freezes_it_alone():
    block = Block(name='b')
    model = model_of(block)
    block.embedded_layers[0].trainable = False
    model.predict(X)
    model.compile('sgd', 'mse')
    before = model.get_weights()
    model.fit(X, X, nb_epoch=1, verbose=0)
    after = model.get_weights()
    assert [name for name in after if not np.array_equal(before[name], after[name])] == ['b/2/W', 'b/2/b']
    assert block.trainable_variables.names == ['2/W', '2/b']


def test_another_rate_and_activation_are_those_of_each_run():
    block, kept = Block(), Kept()
    for layer in (block, kept):
        model_of(layer)
    block.embedded_layers[1].drop_rate = 0.
    kept.parts[1].activation = B.tanh
    expected = model_of(block).predict(X)
    np.testing.assert_allclose(model_of(block).predict(X, train_mode=True), expected, rtol=1e-5)
    W = kept.get_weights()['0/W']
    np.testing.assert_allclose(model_of(kept).predict(X), np.tanh(X @ W), rtol=1e-4, atol=1e-5)


def test_what_is_changed_inside_of_an_argument_is_kept():
    block = Block()
    model_of(block)
    penalty = L1(0.1)
    block.embedded_layers[0].activity_regularizer = penalty
    penalty.l1 = 0.5
    model_of(block)
    again = unserialize(serialize(block), custom_objects=[Block])
    model_of(again)
    assert again.embedded_layers[0].activity_regularizer.l1 == 0.5


CHANGES = [
    (Block, lambda layer: layer.embedded_layers[0], 'trainable', False, {'0': {'trainable': False}}),
    (Block, lambda layer: layer.embedded_layers[1], 'drop_rate', 0.1, {'1': {'drop_rate': 0.1}}),
    (Kept, lambda layer: layer.parts[0], 'trainable', False, {'0': {'trainable': False}}),
    (Outer, lambda layer: layer.embedded_layers[0].layers[1].embedded_layers[2], 'trainable', False,
     {'0': {'embedded_arguments': {'1': {'embedded_arguments': {'2': {'trainable': False}}}}}}),
]


@pytest.mark.parametrize('make, find, name, value, data', CHANGES)
def test_it_is_part_of_the_data_of_files_and_of_copies(make, find, name, value, data, tmp_path):
    layer = make(name='h')
    model = model_of(layer)
    plain = serialize(layer)
    assert 'embedded_arguments' not in plain['args']
    setattr(find(layer), name, value)
    assert serialize(layer)['args']['embedded_arguments'] == data
    model.save_to_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    loaded = Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors', custom_objects=MADE)
    before_it_is_fed = unserialize(serialize(layer), custom_objects=MADE)
    assert serialize(before_it_is_fed) == serialize(layer)
    fed = copy.deepcopy(before_it_is_fed)
    model_of(fed)
    for one in (loaded.get_layer('h'), copy.deepcopy(layer), copy.deepcopy(model).get_layer('h'), fed):
        assert getattr(find(one), name) == value and serialize(one)['args']['embedded_arguments'] == data
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)
    assert "embedded_arguments={'" in to_python(model)
    setattr(find(layer), name, getattr(find(model_and_layer(make)), name))
    assert serialize(layer) == plain


def model_and_layer(make):
    layer = make()
    model_of(layer)
    return layer


def test_weights_fit_whichever_parts_are_frozen(tmp_path):
    block = Block(name='h')
    model = model_of(block)
    model.save_weights(tmp_path / 'w.safetensors')
    block.embedded_layers[0].trainable = False
    model.load_weights(tmp_path / 'w.safetensors')
    outer = Outer(name='h')
    other = model_of(outer)
    other.save_weights(tmp_path / 'o.safetensors')
    outer.embedded_layers[0].layers[1].embedded_layers[0].trainable = False
    other.load_weights(tmp_path / 'o.safetensors')
    with pytest.raises(ModelFileError):
        other.load_weights(tmp_path / 'w.safetensors')


def test_a_layer_that_was_given_says_it_itself():
    inner = Dense(2)
    wrapped, x = TimeDistributed(inner), Input((4, 3))
    wrapped(x)
    inner.trainable = False
    data = serialize(wrapped)
    assert data['args']['layer']['args']['trainable'] is False and 'embedded_arguments' not in data['args']
    both = Bidirectional(SimpleRNN(2))
    both(x)
    both.backward_layer.trainable = False
    assert serialize(both)['args']['embedded_arguments'] == {'1': {'trainable': False}}
    again = unserialize(serialize(both))
    again(x)
    assert (again.layer.trainable, again.backward_layer.trainable) == (True, False)

    class Inside(Layer):
        def output(self, x):
            return TimeDistributed(Dense(3))(x)
    host = Inside()
    host(x)
    host.embedded_layers[0].layer.trainable = False
    host(x)
    again = unserialize(serialize(host), custom_objects=[Inside])
    again(x)
    assert not again.embedded_layers[0].layer.trainable


def test_it_may_be_given_as_an_argument():
    block = Block(embedded_arguments={'0': {'trainable': False, 'activation': 'relu'}, '1': {'drop_rate': 0.}})
    model = model_of(block)
    weights = block.get_weights()
    h = np.maximum(X @ weights['0/W'] + weights['0/b'], 0)
    np.testing.assert_allclose(model.predict(X, train_mode=True), h @ weights['2/W'] + weights['2/b'], rtol=1e-4, atol=1e-5)


REFUSED = [
    ({'0': {'trainabel': False}}, ArgumentError,
     "h: embedded_arguments: 0: there is no argument 'trainabel' that can be changed. Did you mean 'trainable'?"),
    ({'1': {'drop_rate': 2.}}, ArgumentError,
     'h: embedded_arguments: 1: drop_rate: expected a number of at least 0 and below 1, received 2.0.'),
    ({'1': {'drop_rate': 'x'}}, ArgumentTypeError,
     "h: embedded_arguments: 1: drop_rate: expected a number of at least 0 and below 1, received 'x'."),
    ({'3': {'trainable': False}}, ArgumentError, "h: embedded_arguments: there is no slot '3'. It has 0, 1, 2."),
]


@pytest.mark.parametrize('given, error, text', REFUSED)
def test_what_fits_no_embedded_layer_is_refused(given, error, text):
    with pytest.raises(error) as caught:
        model_of(Block(name='h', embedded_arguments=given))
    assert str(caught.value) == text


def test_functions_whose_layers_are_changed():
    layer = Lambda(twice, name='f')
    model_of(layer)
    layer.embedded_layers[0].trainable = False
    assert unserialize(serialize(layer), custom_objects=[twice]).embedded_changes() == {'0': {'trainable': False}}
    model_of(layer)


def twice(x):
    return Dense(3)(x) * 2


# -- models that hosts make ---------------------------------------------------------------------------------------------

def small_model(inside=lambda x: Dropout(0.5, name='drop')(Dense(3, name='one')(x)), **kwargs):
    x = Input(3, name='x')
    return Model(x, Dense(3, name='two')(inside(x)), **kwargs)


class MakesAModel(Layer):
    def output(self, x):
        return small_model()(x)


class KeepsAModel(Layer):
    def init_param(self, input_shape):
        self.model = small_model()

    def output(self, x):
        return self.model(x)


class MakesASequential(Layer):
    def output(self, x):
        return Sequential([Input(3, name='x'), Dense(3, name='one'), Dropout(0.5, name='drop'), Dense(3, name='two')])(x)


class ModelInAModel(Layer):
    def output(self, x):
        return small_model(lambda x: small_model(name='part')(x))(x)


class BlockInAModel(Layer):
    def output(self, x):
        return small_model(lambda x: Block(name='b')(x))(x)


PLACES = [(MakesAModel, '0/one', {'0': {'embedded_arguments': {'one': {'trainable': False}}}}),
          (KeepsAModel, '0/one', {'0': {'embedded_arguments': {'one': {'trainable': False}}}}),
          (MakesASequential, '0/two', {'0': {'embedded_arguments': {'two': {'trainable': False}}}}),
          (ModelInAModel, '0/part/one', {'0': {'embedded_arguments': {'part': {'embedded_arguments': {'one': {'trainable': False}}}}}}),
          (BlockInAModel, '0/b/2', {'0': {'embedded_arguments': {'b': {'embedded_arguments': {'2': {'trainable': False}}}}}})]


@pytest.mark.parametrize('kind, place, expected', PLACES)
def test_a_layer_of_a_model_that_a_host_makes(kind, place, expected, tmp_path):
    host = kind(name='h')
    model = model_of(host)
    assert host.embedded_changes() == {}
    model.get_layer(f'h/{place}').trainable = False
    assert host.embedded_changes() == expected
    paths = tmp_path / 'a.json', tmp_path / 'w.safetensors'
    model.save_to_file(*paths)
    loaded = Model.load_from_file(*paths, custom_objects=[kind, Block])
    left = [name for name in model.trainable_variables.names]
    assert f'h/{place}/W' not in left and f'h/{place}/W' in model.variables.names
    for one in (loaded, copy.deepcopy(model), unserialize(serialize(model), custom_objects=[kind, Block])):
        assert [name.split('/', 1)[1] for name in one.trainable_variables.names] == [name.split('/', 1)[1] for name in left]
    loaded.compile('sgd', 'mse')
    before = loaded.get_weights()
    loaded.fit(X, X, nb_epoch=1, verbose=0)
    assert {name for name, value in loaded.get_weights().items() if not np.array_equal(value, before[name])} == set(left)


def test_other_arguments_of_a_model_that_a_host_makes():
    host = MakesAModel(name='h')
    model = model_of(host)
    weights = model.get_weights()
    model.get_layer('h/0/drop').drop_rate = 0.
    model.get_layer('h/0/two').activity_regularizer = L1(0.5)
    again = unserialize(serialize(model), custom_objects=[MakesAModel])
    again.set_weights(weights)
    expected = (X @ weights['h/0/one/W'] + weights['h/0/one/b']) @ weights['h/0/two/W'] + weights['h/0/two/b']
    np.testing.assert_allclose(again.predict(X, train_mode=True), expected, rtol=1e-4, atol=1e-5)
    assert again.get_layer('h/0/two').activity_regularizer.l1 == 0.5


def test_a_model_that_is_written_itself_has_no_changes():
    inner = small_model()
    model = Model([x := Input((4, 3), name='x')], TimeDistributed(inner, name='t')(x), name='m')
    inner.get_layer('one').trainable = False
    assert 'embedded_arguments' not in str(serialize(model)) and 'embedded_arguments' not in str(serialize(inner))
    assert len(unserialize(serialize(model)).trainable_variables) == 2


def test_what_fits_no_layer_of_the_model_is_refused():
    with pytest.raises(ArgumentError) as caught:
        model_of(MakesAModel(name='h', embedded_arguments={'0': {'embedded_arguments': {'three': {'trainable': False}}}}))
    assert str(caught.value) == "h/0: embedded_arguments: there is no layer 'three'. It has x, one, drop, two."
