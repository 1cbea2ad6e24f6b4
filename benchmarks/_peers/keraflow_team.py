"""The networks in keraflow, on the backend that ``KERAFLOW_BACKEND`` names."""
import math

import numpy as np
from _hand_written import LR

from keraflow import backend as B
from keraflow.layers import LSTM, Convolution2D, Dense, Dropout, Flatten, Input, Pooling2D
from keraflow.models import Sequential
from keraflow.optimizers import Adam

from .tasks import DROP_RATE, NB_CLASS

# Images have their channels first, keraflow's default.
LAYERS = {
    'MLP': lambda: [Input(784), Dense(512, activation='relu'), Dropout(DROP_RATE), Dense(512, activation='relu'),
                    Dropout(DROP_RATE)],
    'CNN': lambda: [Input((1, 28, 28)), Convolution2D(32, 3, 3, activation='relu'),
                    Convolution2D(32, 3, 3, activation='relu'), Pooling2D('max'), Flatten(),
                    Dense(128, activation='relu')],
    'LSTM': lambda: [Input((80, 128)), LSTM(128, inner_activation='sigmoid')],
}


def library():
    """Return what this runs on."""
    return f'{B.name()} {B.version()}'


def contestant(task, x, y, batch_size):
    """Return functions that train an epoch and that predict a sample, and how many numbers are trained."""
    if task == 'CNN':
        x = np.moveaxis(x, -1, 1).copy()
    model = Sequential([*LAYERS[task](), Dense(NB_CLASS, activation='softmax')])
    model.compile(Adam(LR), 'categorical_crossentropy')
    return (lambda seed: model.fit(x, y, batch_size=batch_size, nb_epoch=1, verbose=0)[-1]['loss'],
            lambda: model.predict(x[:1]), sum(math.prod(it.shape) for it in model.get_weights().values()))
