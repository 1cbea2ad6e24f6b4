"""A training step of the program's own, against NumPy and against fit."""
import numpy as np
import pytest

from keraflow import TrainStep
from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError
from keraflow.layers import BatchNormalization, Dense, Input
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD

X = np.random.default_rng(1).normal(size=(8, 3)).astype('float32')
Y = np.random.default_rng(2).normal(size=(8, 1)).astype('float32')


def linear(**kwargs):
    return Sequential([Input(3), Dense(1, bias=False, initial_weights=np.ones((3, 1)), name='d', **kwargs)])


def test_a_step_is_that_of_numpy():
    model = linear(regularizers=['l2'], constraints=['nonneg'])
    step = TrainStep(lambda x, y: [B.mean(B.square(model(x) - y)), B.mean(model(x))], [Input(3), Input(1)], model, SGD(lr=0.5))
    w = np.ones((3, 1))
    for _ in range(3):
        error = X @ w - Y
        loss, mean = step(X, Y)
        np.testing.assert_allclose([loss, mean], [np.mean(error ** 2) + 0.01 * np.sum(w ** 2), np.mean(X @ w)], rtol=1e-4)
        w = np.maximum(w - 0.5 * (2 * X.T @ error / 8 + 0.02 * w), 0)
        np.testing.assert_allclose(model.get_weights()['d/W'], w, rtol=1e-4, atol=1e-6)


def test_a_step_is_that_of_fit():
    def made():
        B.seed(3)
        return Sequential([Input(3), Dense(4, activation='tanh'), BatchNormalization(), Dense(1, activity_regularizer='l2')])
    mine, theirs = made(), made()
    step = TrainStep(lambda x, y: B.mean(B.square(mine(x) - y)), [Input(3), Input(1)], mine, 'adam')
    theirs.compile('adam', 'mse')
    for _ in range(3):
        loss = step(X, Y)
        [logs] = theirs.fit(X, Y, batch_size=8, nb_epoch=1, shuffle=False, verbose=0)
        np.testing.assert_allclose(loss, logs['loss'], rtol=1e-5)
    for name, array in theirs.get_weights().items():
        np.testing.assert_allclose(mine.get_weights()[name], array, rtol=1e-4, atol=1e-6)


def test_only_what_is_named_moves():
    x = Input(3)
    first, second = Dense(2, name='first'), Dense(1, name='second')
    model = Model(x, second(first(x)))
    before = model.get_weights()
    TrainStep(lambda x: B.mean(model(x)), Input(3), [second], 'sgd')(X)
    after = model.get_weights()
    np.testing.assert_array_equal(after['first/W'], before['first/W'])
    assert np.any(after['second/W'] != before['second/W'])


@pytest.mark.parametrize('act, kind, text', [
    (lambda: TrainStep(B.mean, 3, linear(), 'sgd'), ArgumentTypeError, 'TrainStep: inputs: expected Input, received 3.'),
    (lambda: TrainStep(B.mean, Input(3), 'd', 'sgd'), ArgumentTypeError, "TrainStep: train: expected a layer, received 'd'."),
    (lambda: TrainStep(B.mean, Input(3), Dense(2), 'sgd'), ArgumentError,
     'TrainStep: train: expected layers with trainable parameters, received none. Feed the layers first.'),
    (lambda: TrainStep(B.mean, Input(3), linear(), 'sdg'), ArgumentError, "TrainStep: optimizer: there is no optimizer 'sdg'. Did you mean 'sgd'?"),
    (lambda: TrainStep(B.mean, Input(3, name='x'), linear(), 'sgd')(X, Y), DataError, 'TrainStep: expected 1 array(s) (x), received 2.'),
    (lambda: TrainStep(lambda x, y: B.mean(x - y), [Input(3, name='x'), Input(1, name='y')], linear(), 'sgd')(X, Y[:3]), DataError,
     'TrainStep: the arrays have different numbers of samples: x has 8, y has 3.'),
])
def test_mistakes(act, kind, text):
    with pytest.raises(kind) as caught:
        act()
    assert str(caught.value) == text
