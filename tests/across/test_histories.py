"""What a training computes in float64 is the same on every backend: losses of networks, of optimizers, of all layers."""
import sys
from pathlib import Path

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow import optimizers
from keraflow.layers import (GRU, LSTM, BatchNormalization, Bidirectional, Convolution2D, Dense, Dropout, Embedding,
                             Flatten, GaussianDropout, GaussianNoise, Input, Pooling2D, SpatialDropout2D)
from keraflow.models import Model, Sequential
from keraflow.testing import using_floatx
from keraflow.testing.subject import Options, Subject

sys.path.insert(0, str(Path(__file__).parent.parent / 'conformance'))
from catalogue import LAYERS  # noqa: E402

NB_SAMPLE, NB_CLASS = 12, 3
RNG = np.random.default_rng(0)
Y = np.eye(NB_CLASS)[RNG.integers(NB_CLASS, size=NB_SAMPLE)]
IMAGES, STEPS = RNG.normal(size=(NB_SAMPLE, 2, 9, 8)), RNG.normal(size=(NB_SAMPLE, 6, 3))
WORDS = RNG.integers(7, size=(NB_SAMPLE, 5))

#: The samples, and the layers before the classifier.
NETWORKS = {
    'MLP': (STEPS[:, 0], lambda: [Input(3), GaussianNoise(0.1), Dense(8, activation='relu'), BatchNormalization(),
                                  GaussianDropout(0.2), Dense(6, activation='tanh'), Dropout(0.3)]),
    'CNN': (IMAGES, lambda: [Input((2, 9, 8)), Convolution2D(4, 3, 3, activation='relu'), SpatialDropout2D(0.2), Pooling2D('max', (2, 2)),
                             Convolution2D(3, 2, 2, pad='same'), Pooling2D('avg', (2, 2)), Flatten(), Dropout(0.3)]),
    'LSTM': (STEPS, lambda: [Input((None, 3)), GRU(4, return_sequences=True, drop_rate_W=0.2), Dropout(0.2),
                             Bidirectional(LSTM(5, drop_rate_U=0.3))]),
    'words': (WORDS, lambda: [Input(5, dtype='int32', mask_value=0), Embedding(7, 4), LSTM(5, inner_activation='sigmoid')]),
}
OPTIMIZERS = [name for name in optimizers.__all__ if name not in ('Optimizer', 'get')]


def losses(backend, network, optimizer, nb_epoch, clipnorm=None):
    B.use(backend)
    with using_floatx('float64'):
        keraflow.seed(5)
        x, layers = NETWORKS[network]
        model = Sequential([*layers(), Dense(NB_CLASS, activation='softmax')])
        model.compile(getattr(optimizers, optimizer)(clipnorm=clipnorm), 'categorical_crossentropy', execution='plain')
        return model.fit(x, Y, batch_size=5, nb_epoch=nb_epoch, verbose=0).column('loss')


@pytest.mark.parametrize('network', list(NETWORKS))
def test_networks_with_noise(other, network):
    expected = losses('numpy', network, 'Adam', 8)
    np.testing.assert_allclose(losses(other, network, 'Adam', 8), expected, rtol=1e-9)
    assert len(set(expected)) == 8


@pytest.mark.parametrize('optimizer', OPTIMIZERS)
def test_optimizers(other, optimizer):
    np.testing.assert_allclose(losses(other, 'MLP', optimizer, 8, 0.5), losses('numpy', 'MLP', optimizer, 8, 0.5), rtol=1e-9)


def losses_of_all_layers(backend):
    """Of one model of the first sample of each layer, each with an output of its own."""
    B.use(backend)
    with using_floatx('float64'):
        keraflow.seed(3)
        made = []
        for name, samples in sorted(LAYERS.items()):
            options = Options(**{key: samples[0].options.get(key) for key in ('dtype', 'input_range', 'weights', 'custom_objects')},
                              batch_sizes=(2, 1), nb_probe=0, seed=1)
            one = Subject(samples[0].make, samples[0].input_shapes, options)
            if not getattr(one.layer, 'include_batch_dim', False) and one.layer.name not in [other.layer.name for other in made]:
                made.append(one)
        model = Model([kensor for one in made for kensor in one.kensors[0].call.inputs], [kensor for one in made for kensor in one.kensors])
        x = [array for one in made for array in one.draw(2)]
        targets = [np.zeros_like(array) for array in model.predict(x)]
        model.compile(optimizers.SGD(1e-3), ['mse'] * len(targets), execution='plain')
        return model.fit(x, targets, batch_size=2, nb_epoch=3, verbose=0).column('loss')


def test_all_layers(other):
    if other == 'theano':
        pytest.skip('Theano takes minutes to build it')
    expected = losses_of_all_layers('numpy')
    np.testing.assert_allclose(losses_of_all_layers(other), expected, rtol=1e-9)
    assert len(set(expected)) == 3
