"""Initial values: the same seed gives the same ones on every backend; kernels of series have the fans of kernels."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow import initializations
from keraflow.errors import ShapeError
from keraflow.layers import Convolution1D, Convolution2D, Input


def test_the_seed():
    B.seed(12)
    first = [initializations.get(name)((3, 3)) for name in ('glorot_uniform', 'he_normal', 'orthogonal')]
    B.eval(B.random_normal((3,)))
    B.seed(12)
    again = [initializations.get(name)((3, 3)) for name in ('glorot_uniform', 'he_normal', 'orthogonal')]
    for one, other in zip(first, again):
        np.testing.assert_array_equal(one, other)
    # PCG64 seeded with 12: the numbers of NumPy itself.
    limit = np.sqrt(6 / (3 + 3))
    np.testing.assert_array_equal(first[0], np.random.default_rng(12).uniform(-limit, limit, (3, 3)))


@pytest.mark.parametrize('init, limit', [('glorot_uniform', np.sqrt(6 / (5 * 100 + 5 * 64))), ('he_uniform', np.sqrt(6 / (5 * 100))),
                                         ('lecun_uniform', np.sqrt(3 / (5 * 100)))])
def test_the_fans_of_a_series_are_those_of_its_kernels(init, limit):
    layer = Convolution1D(64, 5, init=init)
    layer(Input((9, 100)))
    largest = np.abs(layer.get_weights()['W']).max()
    assert layer.get_weights()['W'].shape == (1, 64, 5, 100) and 0.99 * limit < largest <= limit * (1 + 1e-6)


@pytest.mark.parametrize('init', ['glorot_uniform', 'glorot_normal', 'he_normal', 'orthogonal'])
@pytest.mark.parametrize('data_format', ['channels_first', 'channels_last'])
def test_kernels_of_series_are_drawn_as_those_of_images(init, data_format):
    shape = (12, 4) if data_format == 'channels_last' else (4, 12)
    layers = [Convolution1D(3, 5, init=init, data_format=data_format), Convolution2D(3, 5, 1, init=init)]
    for layer, input_shape in zip(layers, (shape, (4, 12, 1))):
        B.seed(1)
        layer(Input(input_shape))
    series, images = (layer.get_weights()['W'] for layer in layers)
    np.testing.assert_array_equal(series[0], images[..., 0].transpose(1, 2, 0))


def test_an_initialization_of_another_shape():
    with pytest.raises(ShapeError) as caught:
        Convolution1D(3, 5, init=lambda shape: np.zeros((1, 3, 5, 4)), name='series')(Input((9, 4)))
    assert str(caught.value) == 'series: W: init: expected a value of shape (4, 3, 5), received (1, 3, 5, 4).'
