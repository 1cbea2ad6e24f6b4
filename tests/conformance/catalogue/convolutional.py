"""keraflow.layers.convolutional and keraflow.layers.convolution_variants."""
from typing import Any, Callable, Dict, List

import numpy as np

from keraflow.layers import Convolution1D, Convolution2D, Convolution3D, Deconvolution2D, SeparableConvolution2D
from keraflow.testing.convolution_cases import convolved, depthwise_convolved, transposed_convolved

from .samples import Sample, sample

LAST = 'channels_last'


def with_bias(weights: dict, y: Any, data_format: str = 'channels_first') -> Any:
    bias = weights.get('b', np.zeros(1))
    return y + (bias if data_format == LAST else bias.reshape(-1, *(1,) * (y.ndim - 2)))


def of(*args: Any, **kwargs: Any) -> Callable:
    """A reference: the sums with these arguments, and the bias."""
    return lambda w, x: with_bias(w, convolved(x, w['W'], *args, **kwargs), kwargs.get('data_format', 'channels_first'))


def of_series(*args: Any, data_format: str = LAST) -> Callable:
    def reference(weights: dict, x: Any) -> Any:
        kernels = np.moveaxis(weights['W'][0], 2, 0)
        return with_bias(weights, convolved(x, kernels, *args, data_format=data_format), data_format)
    return reference


def transposed(*args: Any, **kwargs: Any) -> Callable:
    return lambda w, x: with_bias(w, transposed_convolved(x, w['W'], *args, **kwargs), kwargs.get('data_format', 'channels_first'))


def separable(strides: Any = None, pad: str = 'valid', dilation: Any = None, data_format: str = 'channels_first') -> Callable:
    def reference(weights: dict, x: Any) -> Any:
        y = depthwise_convolved(x, weights['W_depth'], strides, pad, dilation, data_format)
        return with_bias(weights, convolved(y, weights['W_point'], data_format=data_format), data_format)
    return reference


def then(function: Callable, reference: Callable) -> Callable:
    return lambda w, x: function(reference(w, x))


LAYERS: Dict[str, List[Sample]] = {
    'Convolution1D': [
        sample(lambda: Convolution1D(3, 2), (5, 2), of_series()),
        sample(lambda: Convolution1D(2, 3, strides=2, pad='same', activation='tanh', init='glorot_uniform'), (None, 3),
               then(np.tanh, of_series((2,), 'same'))),
        sample(lambda: Convolution1D(2, 4, 1, 'same', False, dilation=2), (None, 1), of_series((1,), 'same', (2,))),
        sample(lambda: Convolution1D(2, 2, strides=3, dilation=2, data_format='channels_first', regularizers=['l2', None]), (2, 7),
               of_series((3,), 'valid', (2,), data_format='channels_first')),
        sample(lambda: Convolution1D(1, 1), (1, 1), of_series()),
    ],
    'Convolution2D': [
        sample(lambda: Convolution2D(2, 3, 2), (2, 4, 5), of()),
        sample(lambda: Convolution2D(3, 2, 3, strides=(2, 3), pad='same', activation='tanh'), (1, None, None),
               then(np.tanh, of((2, 3), 'same'))),
        sample(lambda: Convolution2D(2, 2, 2, [1, 2], 'same', data_format=LAST, name='named'), (3, None, 2), of((1, 2), 'same', data_format=LAST)),
        sample(lambda: Convolution2D(2, 2, 3, pad='same', dilation=(2, 1), bias=False), (2, 5, 4), of(None, 'same', (2, 1))),
        sample(lambda: Convolution2D(2, 2, 2, strides=2, dilation=2, data_format=LAST), (6, 5, 1),
               of((2, 2), 'valid', (2, 2), data_format=LAST)),
    ],
    'Convolution3D': [
        sample(lambda: Convolution3D(2, 2, 1, 2), (2, 3, 2, 3), of()),
        sample(lambda: Convolution3D(1, 2, 3, 2, strides=(1, 2, 2), pad='same', activation='tanh'), (1, 3, None, 3),
               then(np.tanh, of((1, 2, 2), 'same'))),
        sample(lambda: Convolution3D(2, 2, 2, 1, pad='same', dilation=(1, 2, 1), bias=False, data_format=LAST), (2, 3, 2, 2),
               of(None, 'same', (1, 2, 1), data_format=LAST)),
    ],
    'Deconvolution2D': [
        sample(lambda: Deconvolution2D(2, 3, 2), (2, 3, 2), transposed()),
        sample(lambda: Deconvolution2D(3, 3, 1, strides=2, pad='same', activation='tanh'), (2, None, 3), then(np.tanh, transposed((2, 2), 'same'))),
        sample(lambda: Deconvolution2D(1, 2, 3, strides=(3, 2), bias=False, data_format=LAST), (2, None, 2),
               transposed((3, 2), data_format=LAST)),
    ],
    'SeparableConvolution2D': [
        sample(lambda: SeparableConvolution2D(3, 2, 2), (2, 4, 3), separable()),
        sample(lambda: SeparableConvolution2D(2, 3, 2, strides=2, pad='same', depth_multiplier=2, activation='tanh'), (2, None, 4),
               then(np.tanh, separable((2, 2), 'same'))),
        sample(lambda: SeparableConvolution2D(2, 2, 2, strides=(1, 2), pad='same', dilation=(2, 1), bias=False, data_format=LAST), (5, 4, 3),
               separable((1, 2), 'same', (2, 1), LAST)),
    ],
}
