"""Losses that layers add, regularizers of activity, and the terms of the loss one by one."""
import copy

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import ArgumentError, GraphError
from keraflow.layers import Activation, Dense, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.regularizers import L1, L2

X = np.random.default_rng(5).normal(size=(6, 3)).astype('float32')
Y = np.random.default_rng(6).normal(size=(6, 3)).astype('float32')


class Adding(Layer):
    """The mean square of its input for each call, and once the sum of its parameter."""

    def init_param(self, input_shape):
        self.set_trainable_params('W', np.array([1., 2., 3.]))

    def output(self, x):
        self.add_loss([B.mean(x * x)], inputs=x)
        self.add_loss(B.sum(self.W))
        return x * self.W


def compiled(model, **kwargs):
    model.compile(SGD(lr=1e-30), 'mse', **kwargs)
    return model


def test_conditional_losses_count_for_each_call_and_others_once():
    x = Input(3)
    layer = Adding(name='adding')
    model = compiled(Model(x, layer(Activation('tanh')(layer(x)))), report_terms=True)
    [logs] = model.fit(X, Y, nb_epoch=1, verbose=0)
    h = np.tanh(X * [1, 2, 3])
    np.testing.assert_allclose(logs['adding/loss.0'], np.mean(X ** 2) + np.mean(h ** 2), rtol=1e-5)
    np.testing.assert_allclose(logs['adding/loss.1'], 6., rtol=1e-5)
    expected = np.mean(X ** 2) + np.mean(h ** 2) + 6.
    square = np.mean((h * [1, 2, 3] - Y) ** 2)
    np.testing.assert_allclose(logs['loss'], expected + square, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(X, Y)['loss'], expected + square, rtol=1e-5)


def test_what_a_layer_adds_is_minimized():
    x = Input(3)
    layer = Adding()
    model = Model(x, layer(x))
    model.compile(SGD(lr=0.1), lambda y_pred, y_true: y_pred * 0)
    model.fit(X, Y, nb_epoch=1, batch_size=6, verbose=0)
    np.testing.assert_allclose(layer.get_weights()['W'], np.array([1., 2., 3.]) - 0.1, rtol=1e-6)


def test_an_embedded_layer_adds_too():
    class Host(Layer):
        def output(self, x):
            return self.embed(Adding())(x)
    x = Input(3)
    model = compiled(Model(x, Host()(x)))
    np.testing.assert_allclose(model.evaluate(X, Y)['loss'], np.mean((X * [1, 2, 3] - Y) ** 2) + np.mean(X ** 2) + 6, rtol=1e-5)


def test_terms_sum_to_the_loss():
    x = Input(3)
    h = Dense(4, activation='tanh', regularizers={'W': L2(0.1), 'b': L1(0.1)}, activity_regularizer=L1(0.5), name='h',
              initial_weights={'b': [1., -1., 2., 0.]})(x)
    frozen = Dense(4, regularizers=['l2'], trainable=False, name='frozen')(h)
    model = Model(x, [Dense(3, name='a')(frozen), Dense(3, name='b', activity_regularizer='l2')(h)])
    model.compile(SGD(lr=1e-30), ['mse', 'mae'], report_terms=True, metrics={'a': 'mse'})
    [logs] = model.fit(X, [Y, Y], nb_epoch=1, verbose=0, batch_size=4, validation_data=(X, [Y, Y]))
    weights = model.get_weights()
    activity = np.tanh(X @ weights['h/W'] + weights['h/b'])
    out = activity @ weights['b/W'] + weights['b/b']
    expected = {'loss(b)': np.mean(np.abs(out - Y)), 'L2(h/W)': 0.1 * np.sum(weights['h/W'] ** 2), 'L1(h/b)': 0.4,
                'h/activity': 0.5 * np.abs(activity).sum() / 6, 'b/activity': 0.01 * (out ** 2).sum() / 6}
    for name, value in expected.items():
        np.testing.assert_allclose(logs[name], value, rtol=1e-4)
    terms = [name for name in logs if name not in ('loss', 'wait') and not name.startswith(('val_', 'square', 'mse'))]
    assert sorted(terms) == sorted([*expected, 'loss(a)'])
    np.testing.assert_allclose(sum(logs[name] for name in terms), logs['loss'], rtol=1e-5)
    np.testing.assert_allclose(logs['val_loss'], logs['val_loss(a)'] + logs['val_loss(b)'], rtol=1e-5)
    assert logs['val_h/activity'] == 0.


def test_terms_have_the_names_that_layers_have_in_the_model():
    x = Input(3)
    block = Model(x, Dense(3, activity_regularizer='l1', name='inside')(x), name='block')
    host = Sequential([Dense(3, activity_regularizer='l2'), Adding()], name='host')
    y, other = Input(3), copy.deepcopy(block)
    model = compiled(Model(y, host(other(block(y)))), report_terms=True)
    expected = ['block/inside/activity', f'{other.name}/inside/activity', 'host/0/activity', 'host/1/loss.0', 'host/1/loss.1']
    for one in (model, compiled(keraflow.unserialize(keraflow.serialize(model), custom_objects=[Adding]), report_terms=True)):
        one.set_weights(model.get_weights())
        [logs] = one.fit(X, Y, nb_epoch=1, verbose=0)
        assert [name for name in logs if '/' in name] == expected
        np.testing.assert_allclose(logs['block/inside/activity'], 0.01 * np.abs(X @ model.get_weights()['block/inside/W']).sum() / 6, rtol=1e-4)
        np.testing.assert_allclose(sum(value for name, value in logs.items() if name != 'loss'), logs['loss'], rtol=1e-5)


@pytest.mark.parametrize('method, args', [('add_loss', lambda layer: [B.sum(layer.W)]), ('add_update', lambda layer: [layer.W, layer.W])])
def test_nothing_is_added_outside_of_output(method, args):
    layer = Adding(name='adding')
    layer(Input(3))
    with pytest.raises(GraphError) as caught:
        getattr(layer, method)(*args(layer))
    assert str(caught.value) == (f'adding: {method}: expected a call inside output(), received one outside it. '
                                 'Write it in output() of a layer that takes what it needs.')


def test_a_regularizer_of_activity_is_saved_and_checked():
    layer = Dense(2, activity_regularizer='l1', name='d')
    assert keraflow.serialize(layer)['args']['activity_regularizer'] == 'l1'
    assert keraflow.unserialize(keraflow.serialize(layer)).activity_regularizer == 'l1'
    with pytest.raises(ArgumentError) as caught:
        Dense(2, activity_regularizer='l3')
    assert str(caught.value) == "Dense: activity_regularizer: there is no regularizer 'l3'. Choose one of L1, L1L2, L2, l1, l1l2, l2."


def test_the_dtype_of_parameters_is_that_of_the_first_input_or_the_given_one():
    x, y = Input(3, dtype='float64'), Input(3)
    inferred, given = Dense(2), Dense(2, dtype='float64')
    assert inferred.dtype is None and given.dtype == 'float64'
    assert inferred(x).dtype == 'float64' and inferred.get_weights()['W'].dtype == 'float64' and inferred.dtype == 'float64'
    given(y)
    assert given.get_weights()['W'].dtype == 'float64'
    assert keraflow.serialize(given)['args']['dtype'] == 'float64' and 'dtype' not in keraflow.serialize(inferred)['args']


# -- outputs without a target --------------------------------------------------------------------------------------------

def test_a_model_is_trained_on_what_its_layers_add_alone():
    x = Input(3)
    layer = Adding(name='adding')
    model = Model(x, layer(x))
    model.compile(SGD(lr=0.1), None, report_terms=True)
    expected = np.mean(X ** 2) + 6
    np.testing.assert_allclose(model.evaluate(X)['loss'], expected, rtol=1e-5)
    parts = [np.mean(X[:4] ** 2), np.mean(X[4:] ** 2)]
    [logs] = model.fit(X, nb_epoch=1, batch_size=4, shuffle=False, validation_data=(X, None), verbose=0)
    np.testing.assert_allclose(logs['loss'], (4 * (parts[0] + 6) + 2 * (parts[1] + 5.7)) / 6, rtol=1e-5)
    np.testing.assert_allclose(logs['loss'], logs['adding/loss.0'] + logs['adding/loss.1'], rtol=1e-6)
    np.testing.assert_allclose(layer.get_weights()['W'], np.array([1., 2., 3.]) - 0.2, rtol=1e-6)
    np.testing.assert_allclose(logs['val_loss'], np.mean(X ** 2) + 5.4, rtol=1e-5)
    [again] = model.fit(lambda: iter([X[:4], X[4:]]), nb_epoch=1, verbose=0)
    np.testing.assert_allclose(again['loss'], (4 * (parts[0] + 5.4) + 2 * (parts[1] + 5.1)) / 6, rtol=1e-5)
    weighted = model.evaluate(X, sample_weights=[1, 0, 0, 0, 0, 0])     # weights are those of the samples' own losses
    np.testing.assert_allclose(weighted['loss'], model.evaluate(X)['loss'], rtol=1e-5)


def test_one_output_of_two_has_a_target():
    x = Input(3)
    h = Adding(name='adding')(x)
    model = Model(x, [h, Dense(3, init='identity', name='a')(x)])
    for loss in ({'adding': None, 'a': 'mse'}, [None, 'mse']):
        model.compile(SGD(lr=1e-30), loss, metrics=['mae'])
        for y in (Y, [Y], {'a': Y}):
            found = model.evaluate(X, y)
            np.testing.assert_allclose(found['loss'], np.mean((X - Y) ** 2) + np.mean(X ** 2) + 6, rtol=1e-5)
            np.testing.assert_allclose(found['mae'], np.mean(np.abs(X - Y)), rtol=1e-5)


def test_mistakes_without_targets():
    x = Input(3)
    model = Model(x, Dense(3, name='d', regularizers=['l2'], trainable=False)(x), name='m')
    model.compile('sgd', None)
    assert model.evaluate(X) == {'loss': 0.}
    with pytest.raises(GraphError) as caught:
        model.fit(X, verbose=0)
    assert str(caught.value) == ('m: fit: there is nothing to minimize: no output has a loss, and no layer adds one. '
                                 'Pass an objective to compile, or call add_loss in a layer.')
    with pytest.raises(ArgumentError) as caught:
        model.fit(X, Y, verbose=0)
    assert str(caught.value) == 'm: fit: y: expected at most 0 (there are none), received 1.'
    with pytest.raises(ArgumentError) as caught:
        model.compile('sgd', None, metrics=['mae'])
    assert str(caught.value) == 'm: metrics: expected at most 0 (there are none), received 1.'
