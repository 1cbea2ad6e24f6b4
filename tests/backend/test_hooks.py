"""What callbacks hear of ``fit``, and what becomes of it when it is interrupted."""
import os
import signal
import threading

import numpy as np
import pytest

from keraflow.callbacks import Callback
from keraflow.layers import Dense, Input
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.training.pace import Pace

RNG = np.random.default_rng(5)
X = RNG.normal(size=(7, 3)).astype('float32')
Y = RNG.normal(size=(7, 2)).astype('float32')


def linear():
    return Sequential([Input(3, name='x'), Dense(2, name='y')])


# -- callbacks ----------------------------------------------------------------------------------------------------------

class Recorder(Callback):
    """Notes each hook with its arguments."""

    def __init__(self):
        self.notes = []

    def on_train_begin(self, logs):
        self.notes.append(('train_begin', dict(logs)))

    def on_train_end(self, logs):
        self.notes.append(('train_end', dict(logs)))

    def on_epoch_begin(self, epoch, logs):
        self.notes.append(('epoch_begin', epoch, dict(logs)))

    def on_epoch_end(self, epoch, logs):
        self.notes.append(('epoch_end', epoch, dict(logs)))

    def on_batch_begin(self, batch, logs):
        self.notes.append(('batch_begin', batch, dict(logs)))

    def on_batch_end(self, batch, logs):
        self.notes.append(('batch_end', batch, dict(logs)))


def test_all_hooks_are_called_in_order_with_their_arguments():
    model, recorder = linear(), Recorder()
    model.compile('sgd', 'mse', metrics=['mae'])
    history = model.fit(X, Y, batch_size=4, nb_epoch=2, verbose=0, callbacks=[recorder], validation_data=(X, Y))
    assert recorder.model is model
    one_epoch = ['epoch_begin', 'batch_begin', 'batch_end', 'batch_begin', 'batch_end', 'epoch_end']
    assert [note[0] for note in recorder.notes] == ['train_begin', *one_epoch, *one_epoch, 'train_end']
    notes = recorder.notes
    assert notes[0] == ('train_begin', {})
    assert notes[1] == ('epoch_begin', 0, {}) and notes[7] == ('epoch_begin', 1, {})
    assert notes[2] == ('batch_begin', 0, {'size': 4}) and notes[4] == ('batch_begin', 1, {'size': 3})
    assert notes[3][1] == 0 and list(notes[3][2]) == ['size', 'loss', 'mae'] and notes[3][2]['size'] == 4
    assert notes[5][1] == 1 and notes[5][2]['size'] == 3 and type(notes[5][2]['loss']) is float
    mean = (4 * notes[3][2]['loss'] + 3 * notes[5][2]['loss']) / 7
    assert np.isclose(history[0]['loss'], mean, rtol=1e-5)
    for epoch, note in enumerate((notes[6], notes[12])):
        assert note == ('epoch_end', epoch, {**history[epoch], 'data_wait': history.data_wait[epoch]})
        assert 0 < history.data_wait[epoch] < 1
    assert notes[13] == ('train_end', history[1])


def test_several_callbacks_are_called_one_after_the_other():
    model, calls = linear(), []
    model.compile('sgd', 'mse')

    class Says(Callback):
        def __init__(self, word):
            self.word = word

        def on_epoch_end(self, epoch, logs):
            calls.append((self.word, epoch))

    model.fit(X, Y, nb_epoch=2, verbose=0, callbacks=(Says('a'), Says('b')))
    assert calls == [('a', 0), ('b', 0), ('a', 1), ('b', 1)]


@pytest.mark.parametrize('hook, epochs, batches', [('on_batch_end', 1, 2), ('on_epoch_end', 1, 4)])
def test_stop_training_stops_after_the_current_batch_or_epoch(hook, epochs, batches):
    model, recorder = linear(), Recorder()
    model.compile('sgd', 'mse')

    class Stops(Callback):
        pass

    setattr(Stops, hook, lambda self, number, logs: setattr(self.model, 'stop_training', number == (hook == 'on_batch_end')))
    history = model.fit(X, Y, batch_size=2, nb_epoch=5, verbose=0, callbacks=[recorder, Stops()])
    names = [note[0] for note in recorder.notes]
    assert len(history) == epochs == names.count('epoch_end')
    assert names.count('batch_end') == batches
    assert recorder.notes[-1] == ('train_end', history[-1])
    assert len(model.fit(X, Y, nb_epoch=2, verbose=0)) == 2     # the flag does not outlive the call


# -- interruption -------------------------------------------------------------------------------------------------------

def counting_model():
    """Training moves each of its two parameters by exactly -1 in each batch."""
    x = Input(1)
    model = Model(x, Dense(1, name='y', init='zero')(x))
    model.compile(SGD(lr=1.), lambda y_pred, y_true: y_pred - y_true)
    return model, np.ones((4, 1)), np.zeros((4, 1))


def steps_of(model):
    W, b = model.get_weights()['y/W'].item(), model.get_weights()['y/b'].item()
    assert W == b
    return -int(W)


@pytest.mark.parametrize('hook, steps, epochs', [
    ('on_epoch_begin', 4, 1), ('on_batch_begin', 2, 0), ('on_batch_end', 3, 0), ('on_epoch_end', 8, 2)])
def test_a_keyboard_interrupt_in_a_hook_keeps_the_last_complete_batch(hook, steps, epochs, capsys):
    model, x, y = counting_model()
    recorder = Recorder()

    def interrupt(self, number, logs):
        if number == (1 if 'epoch' in hook else 2):
            raise KeyboardInterrupt

    history = model.fit(x, y, batch_size=1, nb_epoch=5, callbacks=[recorder, type('Interrupts', (Callback,), {hook: interrupt})()])
    assert steps_of(model) == steps
    assert len(history) == epochs
    assert recorder.notes[-1] == ('train_end', history[-1] if history else {})
    assert capsys.readouterr().out.splitlines()[-1] == f'Interrupted after {epochs} complete epoch(s).'
    model.fit(x, y, batch_size=1, nb_epoch=1, verbose=0)
    assert steps_of(model) == steps + 4


def test_ctrl_c_at_any_moment_ends_fit_between_two_batches():
    model, x, y = counting_model()
    seen = []

    class Presses(Callback):
        def on_train_begin(self, logs):
            self.timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))

        def on_batch_end(self, batch, logs):
            if not seen:
                self.timer.start()
            seen.append(batch)

    history = model.fit(x, y, batch_size=1, nb_epoch=1000000, verbose=0, callbacks=[Presses()])
    assert steps_of(model) - len(seen) in (0, 1)
    assert steps_of(model) - 4 * len(history) in range(5)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_inside_a_batch_waits_for_its_end(monkeypatch):
    model, x, y = counting_model()
    model.fit(x, y, batch_size=1, nb_epoch=1, verbose=0)
    loop = model._functions.train_loop((0,))
    run = loop.sum

    def interrupted(*batches, **kwargs):
        os.kill(os.getpid(), signal.SIGINT)
        return run(*batches, **kwargs)

    monkeypatch.setattr(loop, 'sum', interrupted)
    monkeypatch.setattr(loop, 'pace', Pace())
    assert model.fit(x, y, batch_size=1, nb_epoch=3, verbose=0) == []
    assert steps_of(model) == 5
