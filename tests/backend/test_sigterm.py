"""SIGTERM saves a training and ends it, where that was asked for."""
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from resumed import Dies, fit, made, result, uninterrupted

import keraflow
from keraflow.callbacks import Callback, ModelCheckpoint
from keraflow.errors import KeraFlowWarning
from keraflow.layers import Dense, Input
from keraflow.models import Sequential


@pytest.fixture(autouse=True)
def handler():
    """The handler of the program, which notes what it is called with."""
    called, before = [], signal.getsignal(signal.SIGTERM)

    def mine(number, frame):
        called.append(number)
    signal.signal(signal.SIGTERM, mine)
    yield called
    assert signal.getsignal(signal.SIGTERM) is mine     # restored, however training ended
    signal.signal(signal.SIGTERM, before)


class Kills(Callback):
    """Sends the signal in a hook; the next one would show that training went on."""

    def __init__(self, hook, when):
        self._when, self._count = when, 0
        setattr(self, hook, self._called)

    def _called(self, *args):
        self._count += 1
        assert not self._when or self._count <= self._when
        if self._count == self._when:
            os.kill(os.getpid(), signal.SIGTERM)

    get_state, set_state = Dies.get_state, Dies.set_state


@pytest.mark.parametrize('hook, when, nb_epoch', [('on_train_begin', 1, 0), ('on_epoch_begin', 2, 1), ('on_batch_begin', 6, 1),
                                                  ('on_batch_end', 4, 0), ('on_batch_end', 5, 1), ('on_epoch_end', 2, 2)])
def test_a_signal_saves_and_ends_and_training_is_resumed(hook, when, nb_epoch, handler, tmp_path):
    kept = ModelCheckpoint(tmp_path / 't.safetensors', on_sigterm=True)
    keraflow.seed(1)
    history, _ = fit(made(is_small=True), 'validated', tmp_path, more=[Kills(hook, when), kept])
    assert len(history) == nb_epoch and kept.is_terminated and handler == [signal.SIGTERM]
    (tmp_path / 'alone').mkdir()
    expected = uninterrupted('validated', tmp_path / 'alone', more=[Kills(hook, 0)], is_small=True)
    keraflow.seed(5)
    model, again = made(is_small=True), ModelCheckpoint(tmp_path / 't.safetensors', on_sigterm=True)
    ended = result(model, *fit(model, 'validated', tmp_path, more=[Kills(hook, 0), again], resume=tmp_path / 't.safetensors',
                               resume_changes=('when',)), tmp_path)
    assert ended == expected and not again.is_terminated and len(handler) == 1


def test_the_answer_comes_soon(handler, tmp_path):
    """While batches are computed, while data are awaited, and in a validation; each goes on where it was."""
    X, Y = np.ones((4000, 3), 'float32'), np.ones((4000, 2), 'float32')
    waiting = threading.Event()

    def slow():
        yield X[:8], Y[:8]
        waiting.wait(30)
        yield X[:8], Y[:8]
    for number, given in enumerate([{'x': X, 'y': Y, 'batch_size': 2, 'nb_epoch': 10 ** 6}, {'x': slow, 'nb_epoch': 10},
                                    {'x': X[:4], 'y': Y[:4], 'nb_epoch': 3, 'batch_size': 4, 'validation_data': (
                                        np.ones((2 * 10 ** 6, 3), 'float32'), np.ones((2 * 10 ** 6, 2), 'float32'))}]):
        path = tmp_path / f'{number}.safetensors'
        model = Sequential([Input(3), Dense(2)], name='m')
        model.compile('sgd', 'mse')
        model.fit(X[:8], Y[:8], batch_size=4, nb_epoch=2, verbose=0, validation_data=(X[:32], Y[:32]))        # compiled
        sent, timer = [], threading.Timer(1, lambda: (sent.append(time.perf_counter()), os.kill(os.getpid(), signal.SIGTERM)))
        timer.start()
        if number == 1:
            threading.Timer(1.2, waiting.set).start()       # the thread that reads ends with its batch
        history = model.fit(verbose=0, callbacks=[ModelCheckpoint(path, on_sigterm=True)], **given)
        answered = time.perf_counter() - sent[0]
        timer.join()
        assert path.exists() and answered < 5, answered       # half a second on a quiet machine
        assert len(history) < given['nb_epoch']
    assert len(handler) == 3


def test_the_program_is_ended_as_before_unless_asked(handler, tmp_path):
    path = tmp_path / 't.safetensors'
    keraflow.seed(1)
    history, _ = fit(made(is_small=True), 'arrays', tmp_path, more=[Kills('on_epoch_end', 0), ModelCheckpoint(path, every=100)])
    os.kill(os.getpid(), signal.SIGTERM)
    assert handler == [signal.SIGTERM]


def test_only_the_main_thread_notices(tmp_path):
    kept = ModelCheckpoint(tmp_path / 't.safetensors', on_sigterm=True)
    with ThreadPoolExecutor() as threads, pytest.warns(KeraFlowWarning) as caught:
        history, _ = threads.submit(fit, made(is_small=True), 'arrays', tmp_path, more=[kept]).result()
    assert [str(one.message) for one in caught] == [
        'm: fit: SIGTERM can be noticed by the main thread only. Call fit there, or leave on_sigterm out.']
    assert (tmp_path / 't.safetensors').exists() and len(history) == 4


def test_an_error_restores_the_handler_too(tmp_path):
    class Fails(Callback):
        def on_epoch_end(self, epoch, logs):
            raise RuntimeError('mine')
    with pytest.raises(RuntimeError, match='mine'):
        fit(made(is_small=True), 'arrays', tmp_path, more=[Fails(), ModelCheckpoint(tmp_path / 't.safetensors', on_sigterm=True)])
