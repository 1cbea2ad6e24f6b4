"""A model in which much is drawn while it trains, and its data."""
import numpy as np

from keraflow.layers import LSTM, Dense, Dropout, GaussianDropout, GaussianNoise, Input, SpatialDropout1D
from keraflow.models import Model
from keraflow.optimizers import SGD

X = np.sin(np.arange(120.)).reshape(10, 4, 3)
Y = np.cos(np.arange(20.)).reshape(10, 2)


def noisy(**kwargs):
    """The model, compiled."""
    x = Input((4, 3), name='x')
    steps = SpatialDropout1D(0.3, name='s')(GaussianNoise(0.1, name='n')(x))
    state = LSTM(5, drop_rate_W=0.2, drop_rate_U=0.3, name='l')(steps)
    model = Model(x, Dense(2, name='y')(Dropout(0.4, name='d')(GaussianDropout(0.2, name='g')(state))), name='noisy')
    model.compile(SGD(0.1, momentum=0.9), 'mse', **kwargs)
    return model
