"""What a call costs besides the network does not grow with the network, and needs no thread."""
import threading

import numpy as np
import pytest
from events import events

from keraflow import backend as B
from keraflow.layers import Dense, Input
from keraflow.models import Sequential

X, Y = np.ones((1, 8), 'float32'), np.eye(4, dtype='float32')[:1]


def network(nb_layer=1):
    model = Sequential([Input(8), *[Dense(8, activation='relu') for _ in range(nb_layer)], Dense(4, activation='softmax')])
    model.compile('sgd', 'categorical_crossentropy')
    return model


@pytest.mark.parametrize('act', [lambda model: model.predict(X), lambda model: model.evaluate(X, Y)], ids=['predict', 'evaluate'])
def test_a_call_takes_as_much_python_however_many_layers_there_are(act):
    found = []
    for model in network(), network(nb_layer=12):
        act(model)
        found.append(events(act, model, of='keraflow'))
    # NumPy's library is Python itself: a function for each operation of a layer that is not one of NumPy's.
    assert found[1] - found[0] <= (11 * 4 if B.name() == 'numpy' else 0) and found[0] > 0


def test_data_in_memory_start_no_thread(monkeypatch):
    model, started = network(), []
    model.predict(X)
    model.evaluate(X, Y)
    monkeypatch.setattr(threading.Thread, 'start', lambda self: started.append(self))
    model.predict(X)
    model.predict(np.ones((100, 8)))
    model.evaluate(X, Y)
    assert started == []
