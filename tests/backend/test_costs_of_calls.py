"""How much of keraflow's Python a step takes: no time, but what it is made of, the same on every machine."""
import numpy as np
import pytest
from events import events

from keraflow import backend as B
from keraflow.callbacks import Callback
from keraflow.layers import Dense, Dropout, Input
from keraflow.models import Sequential
from keraflow.training.pace import Pace

RNG = np.random.default_rng(0)
X = RNG.normal(size=(640, 16)).astype('float32')
Y = np.eye(4, dtype='float32')[RNG.integers(4, size=640)]
SIZE = 32

#: The most calls and returns, a twentieth above what was counted.
BOUNDS = {
    'eight batches in a call': {'tensorflow': 84, 'theano': 771, 'numpy': 3711, 'jax': 149},
    'a batch that a callback follows': {'tensorflow': 143, 'theano': 213, 'numpy': 580, 'jax': 143},
    'a call of fit with a batch': {'tensorflow': 1258, 'theano': 1300, 'numpy': 1670, 'jax': 1256},
    'a call of evaluate with a batch': {'tensorflow': 635, 'theano': 649, 'numpy': 796, 'jax': 676},
    'a call of predict with a sample': {'tensorflow': 364, 'theano': 378, 'numpy': 389, 'jax': 390},
    'eight further batches of predict': {'tensorflow': 68, 'theano': 286, 'numpy': 387, 'jax': 403},
}


class Follows(Callback):
    def on_batch_end(self, batch, logs):
        pass


@pytest.fixture
def model(monkeypatch):
    monkeypatch.setattr(Pace, 'parts', lambda self, indices: [indices[at:at + 8] for at in range(0, len(indices), 8)])
    model = Sequential([Input(16), Dense(8, activation='relu'), Dropout(0.2), Dense(4, activation='softmax')])
    model.compile('adam', 'categorical_crossentropy', metrics=['acc'])
    return model


def fit(model, nb_batch, *callbacks):
    model.fit(X[:nb_batch * SIZE], Y[:nb_batch * SIZE], batch_size=SIZE, nb_epoch=1, verbose=0, callbacks=list(callbacks))


CALLS = {
    'eight batches in a call': lambda model, more: fit(model, 16 if more else 8),
    'a batch that a callback follows': lambda model, more: fit(model, 2 if more else 1, Follows()),
    'a call of fit with a batch': lambda model, more: fit(model, 1) if more else None,
    'a call of evaluate with a batch': lambda model, more: model.evaluate(X[:SIZE], Y[:SIZE]) if more else None,
    'a call of predict with a sample': lambda model, more: model.predict(X[:1]) if more else None,
    'eight further batches of predict': lambda model, more: model.predict(X[:SIZE * (16 if more else 8)], batch_size=SIZE),
}


@pytest.mark.parametrize('what', list(CALLS))
def test_no_call_takes_more_python(model, what):
    for more in (True, False, True):        # builds functions
        CALLS[what](model, more)
    nb_event = events(CALLS[what], model, True, of='keraflow') - events(CALLS[what], model, False, of='keraflow')
    assert 10 < nb_event <= BOUNDS[what][B.name()]
