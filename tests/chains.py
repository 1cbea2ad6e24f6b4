"""Networks of convolutions in either format, for the tests of the layouts that backends compute in."""
from keraflow.layers import (Activation, BatchNormalization, Concatenate, Convolution2D, Dropout, ElementWiseSum,
                             Pooling2D, PReLU, SpatialDropout2D, UnSampling2D, ZeroPadding2D)

__all__ = ['CHAINS', 'input_shape']

SIDES, NB_CHANNEL = (9, 8), 3


def input_shape(data_format):
    return (NB_CHANNEL, *SIDES) if data_format == 'channels_first' else (*SIDES, NB_CHANNEL)


def convolution(data_format, **kwargs):
    return Convolution2D(NB_CHANNEL, 3, 3, pad='same', data_format=data_format, **kwargs)


def plain(x, data_format):
    h = convolution(data_format, activation='relu')(convolution(data_format, activation='tanh')(x))
    return convolution(data_format)(Pooling2D('max', data_format=data_format)(h))


def normalized(x, data_format):
    axis = 0 if data_format == 'channels_first' else -1
    for _ in range(2):
        x = Activation('relu')(BatchNormalization(axis)(convolution(data_format)(x)))
    return convolution(data_format)(Pooling2D('avg', data_format=data_format)(x))


def activated(x, data_format):
    for name in ('elu', 'selu', 'gelu', 'swish', 'leaky_relu', 'hard_sigmoid', 'softsign', 'softplus'):
        x = convolution(data_format, activation=name)(x)
    shared = (1, 2) if data_format == 'channels_first' else (0, 1)
    return convolution(data_format)(PReLU(shared_axes=shared)(convolution(data_format)(PReLU()(x))))


def dropped(x, data_format):
    h = Dropout(0.1)(convolution(data_format)(x))
    return convolution(data_format)(SpatialDropout2D(0.1, data_format)(convolution(data_format)(h)))


def residual(x, data_format):
    h = convolution(data_format, activation='relu')(x)
    for _ in range(2):
        h = Activation('relu')(ElementWiseSum()([h, convolution(data_format)(convolution(data_format, activation='relu')(h))]))
    return convolution(data_format)(h)


def joined(x, data_format):
    axis = 0 if data_format == 'channels_first' else -1
    h = convolution(data_format)(x)
    h = Concatenate(axis)([h, convolution(data_format)(h)])
    return convolution(data_format)(UnSampling2D(2, data_format=data_format)(ZeroPadding2D(1, data_format=data_format)(h)))


#: Functions of a Kensor and a format that give images in that format.
CHAINS = (plain, normalized, activated, dropped, residual, joined)
