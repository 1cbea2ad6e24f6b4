"""What is drawn while a model runs is the same on every backend, however it runs."""
from pathlib import Path

import numpy as np
import pytest
from drawn import X, Y, noisy

import keraflow
from keraflow import TrainStep
from keraflow import backend as B
from keraflow.errors import KeraFlowWarning
from keraflow.layers import Dense, Dropout, Input
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD

DATA = Path(__file__).parent.parent / 'data'
#: The backends that wrote files of trainings for the tests.
WRITERS = 'tensorflow', 'theano'
#: By backend, the ways in which it runs a step.
EXECUTIONS = {'tensorflow': ('plain', 'compiled', 'whole')}
#: Losses after the two epochs that ``training3`` holds.
LOSSES = [0.5303853853515409, 0.5378023627018793, 0.4567801054746069]


@pytest.fixture(autouse=True)
def _floatx():
    before = B.floatx()
    yield
    B.set_floatx(before)


def losses(backend, dtype, nb_epoch, **kwargs):
    B.use(backend)
    B.set_floatx(dtype)
    keraflow.seed(7)
    model = noisy(**kwargs)
    return model.fit(X, Y, batch_size=5, nb_epoch=nb_epoch, verbose=0).column('loss')


def test_a_hundred_steps_are_the_same(other):
    expected = losses('numpy', 'float64', 50)
    for execution in EXECUTIONS.get(other, ('plain',)):
        np.testing.assert_allclose(losses(other, 'float64', 50, execution=execution), expected, rtol=1e-9)
    assert len(set(expected)) == 50
    in_float32 = losses('numpy', 'float32', 50)
    np.testing.assert_allclose(losses(other, 'float32', 50), in_float32, rtol=1e-4)
    np.testing.assert_allclose(in_float32, expected, rtol=1e-3)     # the masks are the same in both dtypes


class Noisy(SGD):
    """An optimizer that adds noise: its step is computed apart from the loss, and draws from the stream of the model."""

    def updates(self, variables, gradients):
        return super().updates(variables, [one + B.random_normal(B.shape(one), 0., 0.1, B.dtype(one)) for one in gradients])


def test_an_optimizer_draws_from_the_stream_of_its_model(other):
    found = []
    for backend, execution in (('numpy', 'plain'), *((other, it) for it in EXECUTIONS.get(other, ('plain',)))):
        B.use(backend)
        B.set_floatx('float64')
        keraflow.seed(7)
        model = Sequential([Input(3), Dense(2)])
        model.compile(Noisy(0.1), 'mse', execution=execution)
        found.append(model.fit(X[:, 0], Y, batch_size=5, nb_epoch=3, verbose=0).column('loss'))
        assert model._stream.position == 6
    np.testing.assert_allclose(found[1:], [found[0]] * (len(found) - 1), rtol=1e-9)


def dropped_twice(execution):
    """Step on a loss that calls a layer twice, once in a loop over time, and return what it reports."""
    keraflow.seed(7)
    x, dropout = Input((4, 3), name='x'), Dropout(0.5)
    model = Model(x, Dense(2)(x[:, 0]))

    def loss(x):
        def step(slices, states, constants):
            return states[0], [states[0] + dropout(slices[0])]
        [state] = B.loop(step, [B.transpose(x, (1, 0, 2))], [B.zeros_like(x[:, 0])])[1]
        return [B.mean(model(x)) + B.sum(dropout(x)), B.sum(dropout(x)), B.sum(state)]
    take = TrainStep(loss, Input((4, 3), name='x'), model, SGD(), execution=execution)
    return [take(X) for _ in range(3)]


def test_a_loss_that_calls_layers_draws_from_the_stream_of_its_step(other):
    B.use('numpy')
    B.set_floatx('float64')
    expected = dropped_twice('plain')
    for execution in EXECUTIONS.get(other, ('plain',)):
        B.use(other)
        B.set_floatx('float64')
        np.testing.assert_allclose(dropped_twice(execution), expected, rtol=1e-9)


@pytest.mark.parametrize('file', WRITERS)
def test_a_training_goes_on_with_the_same_masks_on_any_backend(backend, file, tmp_path):
    B.use(backend)
    B.set_floatx('float64')
    model = noisy()
    model.load_training(DATA / 'training3' / f'{file}.safetensors')
    assert model._stream.position == 4
    model.save_training(tmp_path / 'again.safetensors')
    np.testing.assert_allclose(model.fit(X, Y, batch_size=5, nb_epoch=3, verbose=0).column('loss'), LOSSES, rtol=1e-9)


@pytest.mark.parametrize('file', WRITERS)
def test_what_was_saved_when_each_backend_drew_in_its_own_way_goes_on_with_new_masks(file, other):
    path = DATA / 'training2' / f'{file}.safetensors'
    found = []
    for backend in ('numpy', other):
        B.use(backend)
        B.set_floatx('float64')
        model = noisy()
        with pytest.warns(KeraFlowWarning) as caught:
            model.load_training(path)
        assert [str(one.message) for one in caught] == [
            f'{path}: the file was written when each backend drew random numbers in its own way. The masks of dropout and noise '
            'begin anew; all else goes on as it was.']
        assert (model._stream.epoch, model._stream.position) == (2, 0)
        found.append(model.fit(X, Y, batch_size=5, nb_epoch=2, verbose=0).column('loss'))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)
