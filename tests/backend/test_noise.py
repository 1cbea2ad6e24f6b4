"""Layers of noise in training: distributions, what is dropped together, and seeds."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, ShapeError
from keraflow.layers import GaussianDropout, GaussianNoise, Input, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from keraflow.models import Model


def in_training(layer, x):
    inputs = Input(x.shape[1:])
    return Model(inputs, layer(inputs)).predict(x, batch_size=len(x), train_mode=True)


def test_gaussian_noise():
    x = np.full((50, 40, 10), 3., 'float32')
    noise = in_training(GaussianNoise(0.5), x).astype('float64') - 3
    # The standard errors of 20000 draws are 0.0035 and 0.0025; the fourth moment of a normal distribution is 3.
    assert abs(noise.mean()) < 0.015 and abs(noise.std() - 0.5) < 0.01
    assert abs(np.mean((noise / 0.5) ** 4) - 3) < 0.3
    np.testing.assert_array_equal(in_training(GaussianNoise(0), x[:2]), x[:2])


def test_gaussian_dropout():
    x = np.full((50, 40, 10), 2., 'float32')
    factors = in_training(GaussianDropout(0.2), x).astype('float64') / 2
    assert abs(factors.mean() - 1) < 0.015 and abs(factors.std() - 0.5) < 0.01      # sqrt(0.2 / 0.8)
    np.testing.assert_array_equal(in_training(GaussianDropout(0), x[:2]), x[:2])


@pytest.mark.parametrize('make, shape, spatial', [
    (lambda: SpatialDropout1D(0.25), (5, 30), (1,)), (lambda: SpatialDropout2D(0.25), (30, 3, 4), (2, 3)),
    (lambda: SpatialDropout2D(0.25, data_format='channels_last'), (3, 4, 30), (1, 2)), (lambda: SpatialDropout3D(0.25), (30, 2, 3, 2), (2, 3, 4)),
    (lambda: SpatialDropout3D(0.25, 'channels_last'), (2, 3, 2, 30), (1, 2, 3)),
], ids=['1D', '2D', '2D last', '3D', '3D last'])
def test_whole_channels_are_dropped(make, shape, spatial):
    y = in_training(make(), np.ones((60, *shape), 'float32'))
    np.testing.assert_array_equal(y.min(spatial), y.max(spatial))
    kept = y.max(spatial)
    np.testing.assert_allclose(kept[kept > 0], 4 / 3, rtol=1e-6)
    assert abs(np.mean(kept == 0) - 0.25) < 0.05        # five standard errors of 1800 draws
    assert len({row.tobytes() for row in kept}) > 50


def test_a_seed_repeats_the_noise():
    x = np.ones((4, 5, 6), 'float32')
    for layer in (GaussianNoise(1.), GaussianDropout(0.5), SpatialDropout1D(0.5)):
        inputs = Input((5, 6))
        model = Model(inputs, layer(inputs))
        found = []
        for seed in (1, 1, 2):
            B.seed(seed)
            found += [model.predict(x, train_mode=True), model.predict(x, train_mode=True)]
        np.testing.assert_array_equal(found[0], found[2])
        np.testing.assert_array_equal(found[1], found[3])
        assert np.any(found[0] != found[1]) and np.any(found[0] != found[4])


MISTAKES = [
    (lambda: GaussianNoise(-1), ArgumentError, 'GaussianNoise: std: expected a number of at least 0, received -1.'),
    (lambda: GaussianDropout(1), ArgumentError, 'GaussianDropout: drop_rate: expected a number of at least 0 and below 1, received 1.'),
    (lambda: SpatialDropout2D(0.5, 'first'), ArgumentTypeError, "SpatialDropout2D: data_format: expected one of 'channels_first', "
     "'channels_last', received 'first'."),
    (lambda: SpatialDropout1D(0.5, name='s')(Input(3)), ShapeError, 's: expected a 3-D input (batch, time, channels), received shape (None, 3).'),
]


@pytest.mark.parametrize('make, kind, text', MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text
