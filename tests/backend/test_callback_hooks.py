"""Hooks of callbacks: errors, what is closed, logs of their own, models that are in training."""
import copy
import traceback

import numpy as np
import pytest
from counting import X, Y, compile_with, counting, fit, weight

from keraflow.callbacks import Callback, EarlyStopping, TerminateOnNaN
from keraflow.errors import GraphError, KeraFlowError
from keraflow.layers import Dense, Input
from keraflow.models import Sequential
from keraflow.optimizers import SGD


@pytest.mark.parametrize('hook, steps', [('check_names', 0), ('on_train_begin', 0), ('on_epoch_begin', 0), ('on_batch_begin', 0),
                                         ('on_batch_end', 1), ('on_epoch_end', 1), ('on_train_end', 5)])
def test_an_error_in_a_hook_reaches_the_caller_with_the_weights_of_the_last_complete_batch(hook, steps, monkeypatch):
    model, error = counting(), RuntimeError('mine')

    def fails(self, *args):
        raise error

    after = []

    class Watch(Callback):
        def on_train_end(self, logs):
            after.append(logs)

    with pytest.raises(RuntimeError) as caught:
        fit(model, Watch(), type('Fails', (Callback,), {hook: fails})())
    assert caught.value is error and caught.traceback[-1].name == 'fails'
    assert error.__notes__ == [f'm: in {hook} of the callback Fails (number 1)']
    assert weight(model) == -steps
    assert len(after) == (hook == 'on_train_end')
    assert len(fit(model)) == 5 and weight(model) == -steps - 5


@pytest.mark.parametrize('kind, shown', [(None, []), (KeyError, ["KeyError: 'deep'"])])
def test_where_an_error_was_raised_is_shown_on_versions_without_notes(kind, shown, monkeypatch):
    """Python 3.10 shows what was before an error, but no notes."""
    cause = kind and kind('deep')       # a new one on each backend: it is changed
    monkeypatch.setattr('keraflow.errors._SHOWS_NOTES', False)

    class Fails(Callback):
        def on_epoch_begin(self, epoch, logs):
            raise RuntimeError('mine') from cause

        def close(self):
            raise OSError('closes')
    with pytest.raises(RuntimeError) as caught:
        fit(counting(), Fails())
    assert caught.value.args == ('mine',)
    lines = ''.join(traceback.format_exception(RuntimeError, caught.value, caught.value.__traceback__)).splitlines()
    told = ['keraflow.errors.KeraFlowError: m: in close of the callback Fails (number 0): OSError: closes',
            'keraflow.errors.KeraFlowError: m: in on_epoch_begin of the callback Fails (number 0)', *shown, 'RuntimeError: mine']
    assert [line for line in lines if line in told] == told


class Closes(Callback):
    """Notes when it is closed; `fails` names hooks that raise."""

    def __init__(self, closed, name, *fails):
        self.closed, self.name, self.fails = closed, name, fails

    def on_epoch_begin(self, epoch, logs):
        if 'on_epoch_begin' in self.fails:
            raise RuntimeError(f'{self.name} begins')

    def close(self):
        self.closed.append(self.name)
        if 'close' in self.fails:
            raise OSError(f'{self.name} closes')


def test_each_callback_is_closed_once_however_training_ends():
    closed, data = [], (X for _ in range(2))
    fit(counting(), Closes(closed, 'a'), Closes(closed, 'b'))
    assert closed == ['a', 'b']
    with pytest.raises(RuntimeError) as caught:
        fit(counting(), Closes(closed, 'c', 'on_epoch_begin', 'close'), Closes(closed, 'd', 'close'), Closes(closed, 'e'))
    assert closed[2:] == ['c', 'd', 'e'] and caught.value.__notes__ == [
        'm: in on_epoch_begin of the callback Closes (number 0)',
        'm: in close of the callback Closes (number 0): OSError: c closes', 'm: in close of the callback Closes (number 1): OSError: d closes']
    with pytest.raises(OSError, match='f closes') as caught:
        fit(counting(), Closes(closed, 'f', 'close'), Closes(closed, 'g', 'close'))
    assert closed[5:] == ['f', 'g'] and caught.value.__notes__ == ['m: in close of the callback Closes (number 0)']
    with pytest.raises(KeraFlowError):
        counting().fit(data, nb_epoch=1, verbose=0, callbacks=[Closes(closed, 'h')])
    assert closed[7:] == ['h']


def test_the_logs_of_a_callback_are_its_own():
    seen = []

    class Changes(Callback):
        def on_batch_end(self, batch, logs):
            seen.append(sorted(logs))
            logs['mine'] = logs.pop('loss')

        on_epoch_end = on_batch_begin = lambda self, number, logs: logs.clear() or seen.append({})

    history = fit(counting(), Changes(), Changes(), EarlyStopping('loss', patience=9), TerminateOnNaN(), nb_epoch=1)
    assert [one for one in seen if one] == [['loss', 'size']] * 2 and list(history[0]) == ['loss']


# -- fit inside fit --------------------------------------------------------------------------------------------------

class Trains(Callback):
    """Calls `fit` of a model in a hook."""

    def __init__(self, hook, other=None):
        self.other = other
        setattr(self, hook, lambda *args: fit(self.other or self.model, nb_epoch=1))


@pytest.mark.parametrize('hook', ['check_names', 'on_train_begin', 'on_epoch_begin', 'on_batch_end', 'on_epoch_end', 'on_train_end', 'close'])
def test_a_model_in_training_is_not_trained(hook):
    model = counting()
    with pytest.raises(GraphError) as caught:
        fit(model, Trains(hook), nb_epoch=2)
    assert str(caught.value) == ('m: fit: the model is in training, by a fit that has not returned. Call fit after it, and not in a '
                                 'callback of it, or train copy.deepcopy(model).')
    before = weight(model)
    fit(model, nb_epoch=1)
    assert weight(model) == before - 1


@pytest.mark.parametrize('hook', ['on_train_begin', 'on_epoch_begin', 'on_batch_end', 'on_epoch_end', 'on_train_end'])
def test_a_model_in_training_is_not_compiled(hook):
    class Compiles(Callback):
        def __init__(self):
            setattr(self, hook, lambda *args: self.model.compile('adam', 'mse'))
    model = counting()
    with pytest.raises(GraphError) as caught:
        fit(model, Compiles(), nb_epoch=2)
    assert str(caught.value) == ('m: compile: the model is in training, by a fit that has not returned. Call compile after it, and not in a callback '
                                 'of it: fit for fewer epochs, and for the others after compile. A learning rate can be set at any time: '
                                 'model.optimizer.lr = 0.001.')
    assert type(model.optimizer) is SGD
    before = weight(model)
    fit(model, nb_epoch=1)
    assert weight(model) == before - 1
    model.compile('adam', 'mse')


def test_a_model_in_training_is_given_no_layer():
    class Adds(Callback):
        def on_epoch_end(self, epoch, logs):
            self.model.add(Dense(1))
    model = Sequential([Input(1), Dense(1)], name='m')
    model.compile('sgd', 'mse')
    with pytest.raises(GraphError) as caught:
        model.fit(np.ones((2, 1)), np.ones((2, 1)), nb_epoch=2, verbose=0, callbacks=[Adds()])
    assert str(caught.value) == 'm: add: the model is in training, by a fit that has not returned. Add all layers first.'
    assert len(model.layers) == 2


def test_another_model_is_compiled_in_a_callback():
    class CompilesAnother(Callback):
        def on_epoch_end(self, epoch, logs):
            self.other = compile_with(copy.deepcopy(self.model))
    callback = CompilesAnother()
    fit(counting(), callback, nb_epoch=1)
    fit(callback.other, nb_epoch=1)
    assert weight(callback.other) == -2.


def test_another_model_and_a_copy_are_trained_in_a_callback():
    model, other = counting(), counting()
    fit(model, Trains('on_epoch_end', other), nb_epoch=2)
    assert (weight(model), weight(other)) == (-2., -2.)

    class TrainsACopy(Callback):
        def on_epoch_end(self, epoch, logs):
            self.copy = compile_with(copy.deepcopy(self.model))
            fit(self.copy, nb_epoch=3)

    trains = TrainsACopy()
    fit(model, trains, nb_epoch=1)
    assert (weight(model), weight(trains.copy)) == (-3., -6.)


def test_a_batch_that_trains_the_model_is_refused():
    model = counting()

    def batches():
        fit(model, nb_epoch=1)
        yield X, Y

    with pytest.raises(GraphError, match='the model is in training'):
        model.fit(batches, nb_epoch=1, verbose=0)
    assert weight(model) == 0.
