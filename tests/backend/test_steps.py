"""A training step of the program's own, against NumPy and against fit."""
import numpy as np
import pytest

from keraflow import TrainStep
from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError
from keraflow.layers import BatchNormalization, Dense, Dropout, Input
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD

X = np.random.default_rng(1).normal(size=(8, 3)).astype('float32')
Y = np.random.default_rng(2).normal(size=(8, 1)).astype('float32')


EXECUTIONS = ['plain', 'compiled', 'whole', 'auto']


def linear(**kwargs):
    return Sequential([Input(3), Dense(1, bias=False, initial_weights=np.ones((3, 1)), name='d', **kwargs)])


@pytest.mark.parametrize('execution', EXECUTIONS)
def test_a_step_is_that_of_numpy(execution):
    model = linear(regularizers=['l2'], constraints=['nonneg'])
    step = TrainStep(lambda x, y: [B.mean(B.square(model(x) - y)), B.mean(model(x))], [Input(3), Input(1)], model, SGD(lr=0.5), execution)
    w = np.ones((3, 1))
    for _ in range(3):
        error = X @ w - Y
        loss, mean = step(X, Y)
        assert loss.dtype == mean.dtype == 'float32'
        np.testing.assert_allclose([loss, mean], [np.mean(error ** 2) + 0.01 * np.sum(w ** 2), np.mean(X @ w)], rtol=1e-4)
        w = np.maximum(w - 0.5 * (2 * X.T @ error / 8 + 0.02 * w), 0)
        np.testing.assert_allclose(model.get_weights()['d/W'], w, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('execution', EXECUTIONS)
def test_a_step_is_that_of_fit(execution):
    def made():
        B.seed(3)
        return Sequential([Input(3), Dense(4, activation='tanh'), BatchNormalization(), Dense(1, activity_regularizer='l2')])
    mine, theirs = made(), made()
    step = TrainStep(lambda x, y: B.mean(B.square(mine(x) - y)), [Input(3), Input(1)], mine, 'adam', execution=execution)
    theirs.compile('adam', 'mse')
    for _ in range(3):
        loss = step(X, Y)
        [logs] = theirs.fit(X, Y, batch_size=8, nb_epoch=1, shuffle=False, verbose=0)
        np.testing.assert_allclose(loss, logs['loss'], rtol=1e-5)
    for name, array in theirs.get_weights().items():
        np.testing.assert_allclose(mine.get_weights()[name], array, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('execution', EXECUTIONS)
def test_a_step_that_is_refused_changes_nothing(execution):
    model = linear()
    step = TrainStep(lambda x: B.mean(model(B.require(x, x <= 5., 'x: expected numbers of at most 5.'))), Input(3), model, 'sgd', execution)
    with pytest.raises(DataError, match='^x: expected numbers of at most 5.$'):
        step(np.full((2, 3), 6.))
    np.testing.assert_array_equal(model.get_weights()['d/W'], np.ones((3, 1)))
    assert step(X) == pytest.approx(np.mean(X.sum(1)), rel=1e-5)


def test_the_draws_of_a_step_do_not_depend_on_how_it_runs():
    found = []
    for execution in EXECUTIONS:
        B.seed(5)
        model = Sequential([Input(3), Dropout(0.5), Dense(1, initial_weights=[np.ones((3, 1)), np.zeros(1)])])
        step = TrainStep(lambda x: B.mean(model(x)), Input(3), model, SGD(lr=0.1), execution)
        found.append([float(step(X)) for _ in range(4)])
    for one in found[1:]:
        np.testing.assert_allclose(one, found[0], rtol=1e-5)
    assert len(set(found[0])) == 4


def test_a_step_tells_how_it_runs():
    model = linear()
    steps = {one: TrainStep(lambda x: B.mean(model(x)), Input(3), model, 'sgd', execution=one) for one in EXECUTIONS}
    for execution, step in steps.items():
        first, second = step.explain().splitlines()
        assert first == f'TrainStep: on {B.name()} {B.current().version()}, in float32'
        assert second.startswith('step: plain (' if execution == 'auto' or B.name() != 'tensorflow' else f'step: {execution} (')


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
    (lambda: TrainStep(B.mean, Input(3), linear(), 'sgd', execution='fast'), ArgumentTypeError,
     "TrainStep: execution: expected one of 'auto', 'plain', 'compiled', 'whole', received 'fast'."),
    (lambda: TrainStep(B.mean, Input(3), linear(), 'sdg'), ArgumentError, "TrainStep: optimizer: there is no optimizer 'sdg'. Did you mean 'sgd'?"),
    (lambda: TrainStep(B.mean, Input(3, name='x'), linear(), 'sgd')(X, Y), DataError, 'TrainStep: expected 1 array(s) (x), received 2.'),
    (lambda: TrainStep(lambda x, y: B.mean(x - y), [Input(3, name='x'), Input(1, name='y')], linear(), 'sgd')(X, Y[:3]), DataError,
     'TrainStep: the arrays have different numbers of samples: x has 8, y has 3.'),
])
def test_mistakes(act, kind, text):
    with pytest.raises(kind) as caught:
        act()
    assert str(caught.value) == text
