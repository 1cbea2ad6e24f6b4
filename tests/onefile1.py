"""The first version of files of whole models: what its goldens in ``tests/data/onefile1`` hold, and the program that they belong to."""
import functools
from pathlib import Path

import numpy as np

from keraflow import backend as B
from keraflow import optimizers, schedules
from keraflow.layers import (GRU, LSTM, BatchNormalization, Concatenate, Convolution2D, Dense, Dropout, Embedding,
                             Flatten, Input, Lambda)
from keraflow.metrics import AUC, Metric, ratio
from keraflow.models import Model, Sequential

FOLDER = Path(__file__).parent / 'data' / 'onefile1'


def scaled(y_pred, y_true, factor=1.):
    """An objective of the program."""
    return B.mean(B.square(y_pred - y_true), -1) * factor


def tripled(x):
    """A function in a layer of the program."""
    return x * 3.


class Sure(Metric):
    """A metric of the program."""

    larger_is_better = True

    def totals(self, y_pred, y_true, weights):
        return ratio(B.cast(B.greater(B.max(y_pred, -1), 0.6), B.floatx()), B.ones_like(B.max(y_pred, -1)), weights)


class Slow(optimizers.SGD):
    """An optimizer of the program."""


PROGRAM = [scaled, tripled, Sure, Slow]


def pictures():
    """Was never compiled."""
    x = Input((2, 6, 5), name='x')
    h = Dropout(0.5)(BatchNormalization(name='n')(Convolution2D(3, 3, 3, activation='relu', name='c')(x)))
    return Model(x, Dense(2, activation='softmax', name='y')(Flatten()(h)), name='pictures')


def words():
    """Has states, a mask, integers, and a schedule."""
    model = Sequential([Input((None,), batch_size=4, dtype='int32', mask_value=0, name='x'), Embedding(11, 3, drop_rate=0.2, name='e'),
                        LSTM(4, stateful=True, return_sequences=True, name='r'), GRU(3, drop_rate_U=0.25, name='s'), Dense(2, name='y')], name='words')
    model.compile(optimizers.SGD(schedules.ExponentialDecay(0.1, 0.5, 3), momentum=0.9, nesterov=True), 'mse', metrics=['mae'])
    return model


def several():
    """Has several inputs and outputs, one without a loss, and parts of the program."""
    a, b = Input(3, name='a'), Input(2, name='b')
    h = Lambda(tripled, name='t')(Dense(4, activation='tanh', regularizers=['l2'], name='h')(Concatenate()([a, b])))
    model = Model([a, b], [Dense(2, activation='softmax', constraints=['maxnorm'], name='p')(Dropout(0.3)(h)), Dense(1, name='q')(h),
                           Dense(3, activation='softmax', name='s')(h)], name='several')
    model.compile(Slow(0.05, clipnorm=1.), {'p': functools.partial(scaled, factor=0.5), 'q': None, 's': 'sparse_categorical_crossentropy'},
                  metrics={'p': [Sure(), AUC()], 's': 'acc'}, report_terms=True, ignore_label={'s': -1})
    return model


MODELS = {'pictures': pictures, 'words': words, 'several': several}


def data(name):
    """Inputs and targets."""
    random = np.random.default_rng(7)
    if name == 'pictures':
        return random.normal(size=(4, 2, 6, 5)).astype('float32'), None
    if name == 'words':
        return random.integers(0, 11, size=(12, 5)).astype('int32'), random.normal(size=(12, 2)).astype('float32')
    return ([random.normal(size=(12, length)).astype('float32') for length in (3, 2)],
            {'p': np.eye(2, dtype='float32')[random.integers(0, 2, size=12)], 's': random.integers(-1, 3, size=(12, 1))})


def go_on(model, name):
    """What the model predicts, and how it trains from there."""
    x, y = data(name)
    predicted = model.predict(x)
    found = {f'y/{number}': array for number, array in enumerate(predicted if isinstance(predicted, list) else [predicted])}
    if y is not None:
        history = model.fit(x, y, batch_size=4, nb_epoch=2, verbose=0)
        found.update({f'log/{key}': np.array(history.column(key)) for key in history[0]})
        found.update({f'w/{key}': array for key, array in model.get_weights().items()})
    return found


def write(name):
    """Write a golden, as it was done once, on TensorFlow."""
    B.seed(5)
    model = MODELS[name]()
    x, y = data(name)
    if y is not None:
        model.fit(x, y, batch_size=4, nb_epoch=1, verbose=0)
    model.save(FOLDER / f'{name}.keraflow', probes=True)
    np.savez(FOLDER / f'{name}.npz', **go_on(model, name))
