"""Forecast the sunspots of the next year from those of the 12 years before.

A GRU reads the 12 yearly numbers and says how much the next one differs from the last. It learns from 1700 to 1920, and is
tested on the years from 1921 on, as in A. S. Weigend, B. A. Huberman and D. E. Rumelhart, 1990: Predicting the future: a
connectionist approach. The figures come with statsmodels.
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
    """Series of 12 years ``(samples, 12, 1)`` and the year that follows ``(samples, 1)``, in hundreds; whether that is tested."""
    table = sunspots.load_pandas().data
    numbers = table['SUNACTIVITY'].to_numpy() / 100
    series = np.array([numbers[at - NB_YEAR:at] for at in range(NB_YEAR, len(numbers))])
    return series[..., None], numbers[NB_YEAR:, None], table['YEAR'].to_numpy()[NB_YEAR:] >= FIRST_TEST_YEAR


def make_model():
    """Operators and indices work on Kensors, so that the last year can be added to what the network says."""
    series = Input((NB_YEAR, 1), name='series')
    change = Dense(1)(GRU(32, drop_rate_U=0.2)(series))
    return Model(inputs=series, outputs=series[:, -1] + change)


def autoregression(x_train, y_train, x_test, nb_year=9):
    """The linear forecast: weights for the last years, of which 9 serve best, and a constant, by least squares."""
    def rows(x):
        return np.hstack([x[:, -nb_year:, 0], np.ones((len(x), 1))])
    return rows(x_test) @ np.linalg.lstsq(rows(x_train), y_train, rcond=None)[0]


def train(nb_epoch):
    """A trained model, the series to test on, and which part of the error of the linear forecast it avoids."""
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
    """Train, save, load under the other backend, and compare; the exit status is 0 if all went well."""
    return run(train, nb_epoch=150, at_least=0., argv=argv)


if __name__ == '__main__':
    sys.exit(main())
