"""Forecast the sunspots of the next year from those of the previous 12 years.

A GRU reads the 12 yearly numbers and predicts how much the next one differs from the last. It is trained on 1700 to
1920, and tested from 1921 on, as in A. S. Weigend, B. A. Huberman and D. E. Rumelhart, "Predicting the future: a
connectionist approach", International Journal of Neural Systems, 1990. The data come with statsmodels.
"""
import math
import sys

import numpy as np
from _other_backend import run
from statsmodels.datasets import sunspots

from keraflow import backend as B
from keraflow.layers import GRU, Dense, Input
from keraflow.models import Model
from keraflow.optimizers import Adam
from keraflow.schedules import CosineDecay

NB_YEAR = 12
FIRST_TEST_YEAR = 1921
BATCH_SIZE = 32


def read_data():
    """Return series of 12 years ``(samples, 12, 1)``, the year that follows ``(samples, 1)``, in hundreds, and which are for testing."""
    table = sunspots.load_pandas().data
    numbers = table['SUNACTIVITY'].to_numpy() / 100
    series = np.array([numbers[at - NB_YEAR:at] for at in range(NB_YEAR, len(numbers))])
    return series[..., None], numbers[NB_YEAR:, None], table['YEAR'].to_numpy()[NB_YEAR:] >= FIRST_TEST_YEAR


def make_model():
    """Build a network that adds its output to the last year: operators and indices work on Kensors."""
    series = Input((NB_YEAR, 1), name='series')
    change = Dense(1)(GRU(32, drop_rate_U=0.2)(series))
    return Model(inputs=series, outputs=series[:, -1] + change)


def autoregression(x_train, y_train, x_test, nb_year=9):
    """Forecast linearly: weights for the last years, of which 9 work best, and a constant, by least squares."""
    def rows(x):
        return np.hstack([x[:, -nb_year:, 0], np.ones((len(x), 1))])
    return rows(x_test) @ np.linalg.lstsq(rows(x_train), y_train, rcond=None)[0]


def train(nb_epoch):
    """Train a model; return it, the test series, and how much of the error of the linear forecast it avoids."""
    x, y, tested = read_data()
    x_train, y_train, x_test, y_test = x[~tested], y[~tested], x[tested], y[tested]
    model = make_model()
    nb_step = nb_epoch * math.ceil(len(x_train) / BATCH_SIZE)
    model.compile(Adam(lr=CosineDecay(0.01, nb_step)), 'mse')
    model.fit(x_train, y_train, batch_size=BATCH_SIZE, nb_epoch=nb_epoch, verbose=0)

    forecasts = {'the same as last year': x_test[:, -1], 'linear autoregression': autoregression(x_train, y_train, x_test),
                 f'GRU on {B.name()}': model.predict(x_test)}
    errors = {name: 100 * np.sqrt(np.mean((forecast - y_test) ** 2)) for name, forecast in forecasts.items()}
    print(f'Root mean square error from {FIRST_TEST_YEAR} on, in sunspots:')
    for name, error in errors.items():
        print(f'  {name}: {error:.1f}')
    _, linear, network = errors.values()
    return model, x_test, 1 - network / linear


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=150, at_least=0., argv=argv)


if __name__ == '__main__':
    sys.exit(main())
