"""What other libraries compute as layers, and parameters of functions."""
import copy

import numpy as np
import pytest

import keraflow
from keraflow import argscope
from keraflow import backend as B
from keraflow import layer_register
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, SerializationError
from keraflow.layers import Activation, Dense, Foreign, Input
from keraflow.models import Model

X = np.random.default_rng(13).normal(size=(6, 3)).astype('float32')


def make_scale(factor=2.):
    scale = B.variable(np.full(3, factor), name='scale')
    return lambda x: x * scale


def test_each_layer_has_its_own_variables_and_shares_them_between_calls():
    x = Input(3)
    layer, other = Foreign(make_scale, {'factor': 3.}), Foreign(make_scale)
    model = Model(x, other(layer(Activation('linear')(layer(x)))))
    np.testing.assert_allclose(model.predict(X), X * 18, rtol=1e-5)
    assert len(model.variables) == 2
    clone = copy.deepcopy(layer)
    clone.set_weights([np.zeros(3)])
    np.testing.assert_array_equal(layer.get_weights()[layer.variables.names[0]], [3.] * 3)


def test_variables_have_the_same_names_on_every_backend():
    def make():
        first, second, third = B.variable(np.ones(3), name='host/first'), B.variable(np.ones(3)), B.variable(np.ones(3))
        return lambda x: x * first * second * third
    layer = Foreign(make)
    layer(Input(3))
    assert layer.variables.names == ['first', 'variable', 'variable_1']


def test_variables_are_in_the_order_in_which_they_were_made():
    def make():
        first, second = B.variable(np.ones((3, 2)), name='first'), B.variable(np.ones((3, 2)), name='second')

        def compute(x):
            h = B.dot(x, second)
            return B.dot(x, first) - h
        return compute
    layer = Foreign(make, initial_weights=[np.full((3, 2), 5.)])
    np.testing.assert_allclose(B.eval(layer(X)), 4 * X.sum(1, keepdims=True).repeat(2, 1), rtol=1e-4, atol=1e-5)
    assert layer.variables.names == ['first', 'second']


def test_what_random_numbers_are_drawn_from_is_no_variable_of_the_layer():
    def make():
        scale = B.variable(np.ones(3), name='scale')
        return lambda x: B.dropout(x * scale, 0.5)
    layer = Foreign(make)
    layer(Input(3))
    assert layer.variables.names == ['scale']


def test_initial_weights():
    layer = Foreign(make_scale, initial_weights=[np.array([1., 2., 3.])])
    np.testing.assert_allclose(B.eval(layer(X)), X * [1, 2, 3], rtol=1e-6)


def test_mistakes():
    def make_anew():
        return lambda x: x * B.variable(1.)
    with pytest.raises(SerializationError) as caught:
        keraflow.serialize(Foreign(lambda: lambda x: x))
    assert str(caught.value).startswith('make: a lambda cannot be saved.')
    with pytest.raises(ArgumentTypeError) as caught:
        Foreign(lambda: 3, name='f')(Input(3))
    assert str(caught.value) == 'f: make: expected a function that returns a callable, received one that returns 3.'
    with pytest.raises(ArgumentTypeError) as caught:
        Foreign(make_scale, {'factory': 3}, name='f')(Input(3))
    assert str(caught.value) == "f: arguments: expected those of make_scale(factor=2.0), received {'factory': 3}."
    with pytest.raises(ArgumentTypeError) as caught:
        Foreign(make_scale, name='f')([Input(3), Input(3)])
    assert str(caught.value) == 'f: make: expected a callable that takes 2 tensor(s), received one that takes (x).'
    with pytest.raises(ArgumentTypeError) as caught:
        Foreign(make_scale, phase_argument='training', name='f')(Input(3))
    assert str(caught.value) == "f: make: expected a callable that takes 1 tensor(s) and 'training', received one that takes (x)."
    with pytest.raises(ArgumentError) as caught:
        Foreign(make_anew, name='f')(Input(3))
    assert str(caught.value) == ('f: make: expected a callable that uses the same variables in each run, received one that makes others in its '
                                 'second. Make the variables once, outside it.')


# -- add_weight -----------------------------------------------------------------------------------------------------------

@layer_register(id='weighted-in-test-foreign')
def Weighted(x, init='one'):
    W = keraflow.add_weight('W', (3, 2), init=init, regularizer='l1')
    count = keraflow.add_weight('count', (), init='zero', trainable=False)
    return B.dot(x, W) + Dense(2, init='one')(x) + count


def test_a_function_makes_parameters():
    x = Input(3)
    layer = Weighted(constraints={'W': 'nonneg'})
    model = Model(x, layer(Activation('tanh')(x)))
    assert layer.variables.names == ['W', 'count', '0/W', '0/b'] and layer.non_trainable_variables.names == ['count']
    np.testing.assert_allclose(model.predict(X), 2 * np.tanh(X).sum(1, keepdims=True) * np.ones(2), rtol=1e-4, atol=1e-5)
    again = keraflow.unserialize(keraflow.serialize(model))
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    model.compile('sgd', 'mse')
    model.fit(X, np.zeros((6, 2)), nb_epoch=1, verbose=0)
    assert np.all(layer.get_weights()['W'] != 1) and layer.get_weights()['count'] == 0
    with argscope(Weighted, init='zero'):
        assert not np.any(Weighted(x).layer.get_weights()['W'])
    with pytest.raises(GraphError) as caught:
        keraflow.add_weight('W', (3,))
    assert str(caught.value) == ("add_weight: no layer runs that 'W' could belong to. Call it in a function of layer_register, or write "
                                 'layer.add_weight(...).')
