"""Initial values: the same seed gives the same ones on every backend; kernels of series have the fans of kernels."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow import initializations
from keraflow.errors import ShapeError
from keraflow.layers import (GRU, LSTM, BatchNormalization, Convolution1D, Convolution2D, Deconvolution2D, Dense,
                             Embedding, Highway, Input, LayerNormalization, Maxout, MultiHeadAttention, PReLU,
                             SeparableConvolution2D, SimpleRNN)


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


def other(shape):
    """Values that are not of the shape, but that could be taken for it: a product with them broadcasts, or is one of other lengths."""
    return np.ones(1) if len(shape) == 1 else np.ones((*shape[:-1], shape[-1] + 1))


@pytest.mark.parametrize('layer, fed, parameter, shapes', [
    (Dense(3, init=lambda shape: np.ones((shape[0], 1)), name='a'), 4, 'W', '(4, 3), received (4, 1)'),
    (Dense(3, init=lambda shape: 0., name='a'), 4, 'W', '(4, 3), received ()'),
    (Embedding(10, 4, init=lambda shape: np.arange(20.).reshape(5, 4), name='a'), 2, 'W', '(10, 4), received (5, 4)'),
    (Highway(init=other, name='a'), 4, 'W', '(4, 4), received (4, 5)'),
    (Maxout(3, init=other, name='a'), 4, 'W', '(4, 3), received (4, 4)'),
    (PReLU(init=other, name='a'), 4, 'alpha', '(4,), received (1,)'),
    (Convolution1D(3, 5, init=lambda shape: np.zeros((1, 3, 5, 4)), name='a'), (9, 4), 'W', '(4, 3, 5), received (1, 3, 5, 4)'),
    (Convolution2D(3, 2, 2, init=other, name='a'), (1, 4, 4), 'W', '(1, 3, 2, 2), received (1, 3, 2, 3)'),
    (Deconvolution2D(3, 2, 2, init=other, name='a'), (1, 4, 4), 'W', '(1, 3, 2, 2), received (1, 3, 2, 3)'),
    (SeparableConvolution2D(3, 2, 2, init=other, name='a'), (1, 4, 4), 'W_depth', '(1, 1, 2, 2), received (1, 1, 2, 3)'),
    (SimpleRNN(3, init=other, name='a'), (5, 4), 'W', '(4, 3), received (4, 4)'),
    (GRU(3, inner_init=other, name='a'), (5, 4), 'U_z', '(3, 3), received (3, 4)'),
    (LSTM(3, init=other, name='a'), (5, 4), 'W_i', '(4, 3), received (4, 4)'),
    (MultiHeadAttention(2, 3, init=other, name='a'), (5, 4), 'W_q', '(4, 6), received (4, 7)'),
    (BatchNormalization(gamma_init=other, name='a'), 4, 'gamma', '(4,), received (1,)'),
    (LayerNormalization(beta_init=other, name='a'), 4, 'beta', '(4,), received (1,)'),
], ids=lambda it: type(it).__name__ if hasattr(it, 'init_param') else None)
def test_an_initialization_that_gives_another_shape(layer, fed, parameter, shapes):
    with pytest.raises(ShapeError) as caught:
        layer(Input(fed, dtype='int32' if isinstance(layer, Embedding) else None))
    assert str(caught.value) == f'a: {parameter}: init: expected a value of shape {shapes}.'


def test_an_initialization_may_give_a_tensor_or_lists():
    for init in (lambda shape: B.ones(shape), lambda shape: [[1] * shape[1]] * shape[0]):
        layer = Dense(2, init=init)
        layer(Input(3))
        np.testing.assert_array_equal(layer.get_weights()['W'], np.ones((3, 2)))
