"""Layers called inside a Theano graph of the program."""
import numpy as np

import keraflow
from keraflow.layers import BatchNormalization, Dense
from keraflow.models import Sequential
from keraflow_backends.theano_backend.configure import T, theano

X = np.random.default_rng(9).normal(size=(6, 3)).astype('float32')


def test_parameters_are_made_in_the_first_run_and_shared():
    layer = Sequential([Dense(4, activation='tanh'), BatchNormalization(momentum=0.5), Dense(2, regularizers=['l1'])])
    x = keraflow.backend.placeholder((None, 3), 'float32')
    with keraflow.phase('train'), keraflow.recording() as run:
        loss = T.mean(layer(x) ** 2) + sum(run.losses)
    variables = layer.trainable_variables
    steps = [(variable, variable - np.float32(0.1) * gradient) for variable, gradient in zip(variables, theano.grad(loss, list(variables)))]
    train = theano.function([x], loss, updates=[*steps, *run.updates])
    losses = [float(train(X)) for _ in range(5)]
    assert losses[-1] < losses[0] and np.any(layer.get_weights()['1/moving_mean'])
    test = theano.function([x], layer(x))
    w = layer.get_weights()
    h = np.tanh(X @ w['0/W'] + w['0/b'])
    h = (h - w['1/moving_mean']) / np.sqrt(w['1/moving_variance'] + layer.layers[1].epsilon) * w['1/gamma'] + w['1/beta']
    np.testing.assert_allclose(test(X), h @ w['2/W'] + w['2/b'], rtol=1e-4, atol=1e-4)
