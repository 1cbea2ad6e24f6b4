"""Convolutions and pooling, with the channels last. XLA chooses the layout that it computes in."""
from typing import Any, Callable, List, Sequence

import numpy as np

from keraflow.backend.windows import same_padding, transposed_length

from .functions import function
from .library import jax, jnp, lax

__all__: List[str] = []

Array = Any
Numbers = Sequence[int]


def _padding(x: Array, window: Numbers, strides: Numbers, pad: str, dilation: Numbers) -> list:
    axes = zip(x.shape[1:-1], window, strides, dilation)
    return [same_padding(*axis) if pad == 'same' else (0, 0) for axis in axes]


def _convolved(x: Array, kernels: Array, kernel_axes: str, strides: Numbers, pad: str, dilation: Numbers,
               nb_group: int = 1) -> Array:
    spatial = 'XYZ'[:kernels.ndim - 2]
    padding = _padding(x, kernels.shape[2:], strides, pad, dilation)
    return lax.conv_general_dilated(
        x, kernels, strides, padding, rhs_dilation=dilation, feature_group_count=nb_group,
        dimension_numbers=(f'N{spatial}C', f'{kernel_axes}{spatial}', f'N{spatial}C'))


def _transposed(forward: Callable, x: Any, g: Array) -> Array:
    """Return the gradient of a linear function at an array like `x`."""
    [found] = jax.linear_transpose(forward, jax.ShapeDtypeStruct(x.shape, x.dtype))(g)
    return found


@function
def conv(x: Array, kernels: Array, **steps: Any) -> Array:
    return _convolved(x, kernels, 'IO', **steps)


@function
def unconv(g: Array, kernels: Array, like: Array, **steps: Any) -> Array:
    """Return the gradient of the input of a convolution."""
    return _transposed(lambda x: conv(x, kernels, **steps), like, g)


@function
def correlate(x: Array, g: Array, like: Array, **steps: Any) -> Array:
    """Return the gradient of the kernels of a convolution."""
    return _transposed(lambda kernels: conv(x, kernels, **steps), like, g)


@function
def conv_transpose(x: Array, kernels: Array, strides: Numbers, pad: str) -> Array:
    lengths = [transposed_length(*axis, pad) for axis in zip(x.shape[1:-1], kernels.shape[2:], strides)]
    like = jax.ShapeDtypeStruct((len(x), *lengths, kernels.shape[1]), x.dtype)
    return unconv(x, jnp.swapaxes(kernels, 0, 1), like, strides=strides, pad=pad, dilation=(1,) * len(strides))


@function
def depthwise_conv(x: Array, kernels: Array, **steps: Any) -> Array:
    channels, nb_kernel, *window = kernels.shape
    return _convolved(x, kernels.reshape(channels * nb_kernel, 1, *window), 'OI', nb_group=channels, **steps)


@function
def undepthwise(g: Array, kernels: Array, like: Array, **steps: Any) -> Array:
    """Return the gradient of the input of a depthwise convolution."""
    return _transposed(lambda x: depthwise_conv(x, kernels, **steps), like, g)


@function
def correlate_depthwise(x: Array, g: Array, like: Array, **steps: Any) -> Array:
    """Return the gradient of the kernels of a depthwise convolution."""
    return _transposed(lambda kernels: depthwise_conv(x, kernels, **steps), like, g)


# -- pooling ----------------------------------------------------------------------------------------------------------

def _reduced(x: Array, initial: float, reduce: Callable, size: Numbers, strides: Numbers, pad: str) -> Array:
    padding = _padding(x, size, strides, pad, (1,) * len(size))
    return lax.reduce_window(x, x.dtype.type(initial), reduce, (1, *size, 1), (1, *strides, 1),
                             ((0, 0), *padding, (0, 0)))


@function
def max_pool(x: Array, **windows: Any) -> Array:
    return _reduced(x, -np.inf, lax.max, **windows)


@function
def unmax_pool(g: Array, made: Array, x: Array, **windows: Any) -> Array:
    """Return the gradient of :func:`max_pool`: the first maximum of a window, row by row, gets that of the window."""
    return jax.vjp(lambda x: max_pool(x, **windows), _above_padding(x))[1](g)[0]


@function
def firsts_of_windows(h: Array, made: Array, x: Array, **windows: Any) -> Array:
    """Return the values of `h` where `x` has the first maximum of each window."""
    return jax.jvp(lambda x: max_pool(x, **windows), [_above_padding(x)], [h])[1]


def _above_padding(x: Array) -> Array:
    """Return numbers of which none is infinitely small: padding would be the first maximum of such a window."""
    return jnp.maximum(x, jnp.finfo(x.dtype).min)


@function
def mean_pool(x: Array, **windows: Any) -> Array:
    return _reduced(x, 0., lax.add, **windows) / _reduced(jnp.ones_like(x[:1, ..., :1]), 0., lax.add, **windows)


@function
def unmean_pool(g: Array, like: Array, **windows: Any) -> Array:
    """Return the gradient of :func:`mean_pool`."""
    return _transposed(lambda x: mean_pool(x, **windows), like, g)
