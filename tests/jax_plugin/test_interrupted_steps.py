"""Ctrl-C at any moment of a step that the program itself takes leaves variables with values.

A step gives the memory of variables to a run: nothing may come between that and the new values.
"""
import signal
import time

import numpy as np
import pytest

from keraflow import TrainStep
from keraflow import backend as B
from keraflow.layers import Dense, Input
from keraflow.models import Model
from keraflow.optimizers import Adam

pytestmark = pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')

X = np.random.default_rng(0).normal(size=(32, 16)).astype('float32')


def until_interrupted(act, seconds):
    """Do something again and again until a signal raises what Ctrl-C does, unless that is in code which ignores it."""
    before, end = signal.signal(signal.SIGALRM, signal.default_int_handler), time.monotonic() + 1
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        while time.monotonic() < end:
            act()
    except (KeyboardInterrupt, SystemError):        # which code in C may make of it
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_step_that_is_interrupted_keeps_the_weights(trials):
    x = Input(16, name='x')
    model = Model(x, Dense(16, name='a')(Dense(16, activation='tanh', name='b')(x)))
    step = TrainStep(lambda x: B.mean(B.square(model(x) - x)), Input(16, name='x'), model, Adam())
    for _ in range(3):
        step(X)
    for rng in trials(100):
        until_interrupted(lambda: step(X), rng.uniform(0.001, 0.004))
        assert all(np.isfinite(array).all() for array in model.get_weights().values())
    assert step(X) < 1


def test_a_function_that_is_interrupted_while_it_compiles_keeps_the_values(trials):
    for rng in trials(10):
        x, fed = B.variable(np.ones(8)), B.placeholder((None, 8))
        run = B.function([fed], B.symbolic(lambda fed: [B.sum(fed)], [fed]), B.symbolic(lambda fed: [(x, x + B.sum(fed, 0))], [fed]))
        lengths = iter(range(1, 10 ** 6))
        until_interrupted(lambda: run(np.zeros((next(lengths), 8))), rng.uniform(0.001, 0.1))
        np.testing.assert_array_equal(B.get_value(x), np.ones(8))
