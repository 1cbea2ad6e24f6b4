"""Predicting in calls of many batches: the same as in calls of one."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import DataError
from keraflow.layers import LSTM, Dense, Dropout, Embedding, Flatten, Input, Lambda
from keraflow.models import Model, Sequential
from keraflow.training.pace import Pace

X = np.random.default_rng(4).normal(size=(22, 6)).astype('float32')


def paced(monkeypatch, length):
    """Let so many batches be in a part."""
    monkeypatch.setattr(Pace, 'parts', lambda self, rows: (rows[at:at + length] for at in range(0, len(rows), length)))


def dropping():
    x = Input(6)
    h = Dropout(0.5)(Dense(8, activation='tanh')(x))
    return Model(x, [Dense(3)(h), Lambda(lambda h: B.argmax(h, -1))(h)]), X


def stateful():
    x = Input((2, 3), batch_size=2)
    return Model(x, [LSTM(4, stateful=True)(x)]), X.reshape(22, 2, 3)


def of_any_length():
    x = Input((None, 3))
    return Model(x, [LSTM(4, return_sequences=True)(x)]), X.reshape(22, 2, 3)


def outputs(model, x, batch_size, phase):
    found = model.predict(x, batch_size=batch_size, train_mode=phase == 'train')
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize('make, batch_size', [(dropping, 4), (stateful, 2), (of_any_length, 4)])
@pytest.mark.parametrize('phase', ['test', 'train'])
def test_how_many_batches_a_call_has_changes_no_bit(make, batch_size, phase, monkeypatch):
    B.seed(3)
    model, x = make()
    alone = [outputs(model, x[at:at + batch_size], batch_size, phase)
             for _ in range(2) for at in range(0, len(x), batch_size)]
    for length in 1, 2, 64:
        B.seed(3)
        model, x = make()
        paced(monkeypatch, length)
        twice = [outputs(model, x, batch_size, phase) for _ in range(2)]
        for number, parts in enumerate(zip(*alone)):
            np.testing.assert_array_equal(np.concatenate([one[number] for one in twice]), np.concatenate(parts))


def test_a_batch_that_is_refused_ends_the_call_by_the_layers_own_error(monkeypatch):
    paced(monkeypatch, 64)
    model = Sequential([Input(2, dtype='int32'), Embedding(5, 3, name='words'), Flatten(), Dense(1)])
    words = np.zeros((20, 2), 'int32')
    good = model.predict(words, batch_size=4)
    words[9] = 5
    with pytest.raises(DataError, match='words'):
        model.predict(words, batch_size=4)
    words[9] = 0
    np.testing.assert_array_equal(model.predict(words, batch_size=4), good)


def test_ctrl_c_is_answered_between_the_parts_of_a_prediction(monkeypatch):
    model, _ = dropping()
    parts = []

    def stopped(self, rows):
        for row in rows:
            if parts:
                raise KeyboardInterrupt
            parts.append(row)
            yield range(row, row + 1)
    monkeypatch.setattr(Pace, 'parts', stopped)
    with pytest.raises(KeyboardInterrupt):
        model.predict(X, batch_size=4)
    assert parts == [0]
