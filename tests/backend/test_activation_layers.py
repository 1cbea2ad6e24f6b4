"""Layers in the place of activations: embedded in every layer that has one, trained, saved and loaded."""
import copy

import numpy as np
import pytest
from journeys import reloaded

import keraflow
from keraflow.errors import ArgumentError, ArgumentTypeError, ShapeError
from keraflow.layers import (LSTM, Activation, Bidirectional, Convolution1D, Dense, Highway, Input, PReLU, SimpleRNN,
                             TimeDistributed)
from keraflow.models import Model

S = np.random.default_rng(3).normal(size=(6, 4, 3))
X = S[:, 0]


def prelu(z, alpha):
    return np.where(z > 0, z, alpha * z)


def model_of(layer, data, seed=4):
    keraflow.backend.set_floatx('float64')
    keraflow.seed(seed)
    x = Input(data.shape[1:])
    model = Model(x, layer(x))
    rng = np.random.default_rng(5)
    model.set_weights({name: rng.normal(size=value.shape) * 0.5 for name, value in model.get_weights().items()})
    return model


def test_the_activation_is_computed_with_its_parameters():
    model = model_of(Dense(2, activation=PReLU(), name='d'), X)
    w = model.get_weights()
    assert sorted(w) == ['d/0/alpha', 'd/W', 'd/b']
    np.testing.assert_allclose(model.predict(X), prelu(X @ w['d/W'] + w['d/b'], w['d/0/alpha']), atol=1e-9)
    rnn = model_of(SimpleRNN(2, activation=PReLU(), name='r'), S)
    w, state = rnn.get_weights(), np.zeros((6, 2))
    for step in range(4):
        state = prelu(S[:, step] @ w['r/W'] + state @ w['r/U'] + w['r/b'], w['r/0/alpha'])
    np.testing.assert_allclose(rnn.predict(S), state, atol=1e-9)


MAKERS = {
    'dense': (lambda: Dense(2, activation=PReLU(), name='a'), X),
    'highway': (lambda: Highway(activation=PReLU(), name='a'), X),
    'activation': (lambda: Activation(PReLU(), name='a'), X),
    'convolution': (lambda: Convolution1D(2, 2, activation=PReLU(), name='a'), S),
    'rnn': (lambda: SimpleRNN(2, activation=PReLU(), name='a'), S),
    'lstm': (lambda: LSTM(2, activation=PReLU(), return_sequences=True, name='a'), S),
    'over time': (lambda: TimeDistributed(Dense(2, activation=PReLU()), name='a'), S),
    'both ways': (lambda: Bidirectional(LSTM(2, activation=PReLU()), name='a'), S),
}


@pytest.mark.parametrize('make, data', list(MAKERS.values()), ids=list(MAKERS))
def test_its_parameters_are_trained_and_saved(make, data):
    model = model_of(make(), data)
    for other in (reloaded(model), copy.deepcopy(model)):
        np.testing.assert_allclose(other.predict(data), model.predict(data), atol=1e-9)
    alpha = next(name for name in model.get_weights() if name.endswith('alpha'))
    model.compile('sgd', 'mse')
    model.optimizer.lr = 1.
    targets, before = np.zeros_like(model.predict(data)), model.get_weights()
    place = np.unravel_index(0, before[alpha].shape)

    def loss(step):
        value = before[alpha].copy()
        value[place] += step
        model.set_weights({**before, alpha: value})
        return model.evaluate(data, targets)['loss']
    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    model.set_weights(before)
    model.compile(keraflow.optimizers.SGD(lr=1.), 'mse')
    model.fit(data, targets, batch_size=len(data), nb_epoch=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[alpha][place], before[alpha][place] - slope, rtol=1e-5, atol=1e-8)


def test_a_layer_that_is_shared_by_two_as_their_activation():
    shared = PReLU(name='p')
    x = Input(3)
    model = Model(x, Dense(3, activation=shared, name='two')(Dense(3, activation=shared, name='one')(x)))
    again = keraflow.unserialize(keraflow.serialize(model))
    assert again.get_layer('one').activation is again.get_layer('two').activation
    assert len(again.variables) == len(model.variables) == 5


def test_what_is_no_activation_is_refused():
    with pytest.raises(ArgumentTypeError, match='^Dense: activation: expected an activation'):
        Dense(2, activation=keraflow.optimizers.SGD())
    with pytest.raises(ShapeError, match=r'^d: activation: expected a layer that keeps the shape, as PReLU\(\) does, received <Dense d/0>'):
        Dense(2, activation=Dense(3), name='d')(Input(3))
    assert Dense(2, activation=PReLU)(Input(3)).layer.variables.names == ['W', 'b', '0/alpha']
    with pytest.raises(ArgumentError, match="^Dense: activation: there is no activation 'PReLU'"):
        Dense(2, activation='PReLU')
