"""Convolutions and pooling in Python, for Theano without a C compiler, and for modes that compile fast.

Theano's own versions fail: they call removed parts of SciPy, or index with lists where NumPy requires tuples. Theano's
Ops use these instead.
"""
from typing import Any, Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .configure import T, theano

__all__ = ['first_of_windows', 'repair_convolutions', 'spread_to_first']


def repair_convolutions() -> None:
    """Replace the functions of Theano's Ops, and keep those Ops in modes without C code."""
    T.nnet.abstract_conv.BaseAbstractConv.conv = _convolve
    T.signal.pool.Pool.perform = _pool
    T.signal.pool.AveragePoolGrad.perform = _pool_sum_gradient
    predefined_modes = theano.compile.mode.predefined_modes
    predefined_modes['FAST_COMPILE'] = predefined_modes['FAST_COMPILE'].excluding('conv_gemm', 'AbstractConvCheck')


def _convolve(op: Any, img: np.ndarray, kern: np.ndarray, mode: str = 'valid', dilation: Any = 1, num_groups: int = 1,
              unshared: bool = False, direction: str = 'forward') -> np.ndarray:
    """Convolve ``(batch, channels, ...)`` with flipped kernels ``(nb_kernel, channels of a group, ...)``."""
    if unshared:
        raise NotImplementedError('unshared convolution in Python')
    nb_axis = op.convdim
    dilation = (dilation,) * nb_axis if isinstance(dilation, int) else dilation
    reach = [(n - 1) * d + 1 for n, d in zip(kern.shape[2:], dilation)]
    if mode == 'full':
        img = np.pad(img, [(0, 0), (0, 0), *((n - 1, n - 1) for n in reach)])
    windows = _windows(img, reach, (1,) * nb_axis)[(...,) + tuple(slice(None, None, d) for d in dilation)]
    kern = kern[(...,) + (slice(None, None, -1),) * nb_axis]
    axes = [1, *range(2 + nb_axis, 2 + 2 * nb_axis)], [1, *range(2, 2 + nb_axis)]
    groups = zip(np.split(windows, num_groups, 1), np.split(kern, num_groups, 0))
    return np.concatenate([np.moveaxis(np.tensordot(part, kernels, axes), -1, 1) for part, kernels in groups], 1)


def _pool(op: Any, node: Any, inputs: Sequence, output_storage: Sequence, params: Any) -> None:
    x, size, strides, pad = _checked(op, inputs)
    fold, padded = (np.max, _padded(x, pad, -np.inf)) if op.mode == 'max' else (np.sum, x)
    output_storage[0][0] = fold(_windows(padded, size, strides), tuple(range(-op.ndim, 0)))


def _pool_sum_gradient(op: Any, node: Any, inputs: Sequence, output_storage: Sequence) -> None:
    x, gradient, *rest = inputs
    _, size, strides, _ = _checked(op, (x, *rest))
    found = np.zeros_like(x)
    for place in _places(size, strides, gradient):
        found[place] += gradient
    output_storage[0][0] = found


def spread_to_first(x: np.ndarray, peaks: np.ndarray, gradient: np.ndarray, size: Sequence, strides: Sequence,
                    pad: Sequence) -> np.ndarray:
    """Spread the gradient of each window to the first of the maxima of `x`, which are `peaks`."""
    padded = _padded(x, pad, np.nan)
    found = np.zeros_like(padded)
    for place, hit in _first_hits(padded, peaks, size, strides):
        found[place] += np.where(hit, gradient, 0)
    inside: Any = (..., *(slice(n, length - n) for n, length in zip(pad, found.shape[-len(pad):])))
    return found[inside]


def first_of_windows(x: np.ndarray, peaks: np.ndarray, values: np.ndarray, size: Sequence, strides: Sequence,
                     pad: Sequence) -> np.ndarray:
    """Return for each window the element of `values` at the first of the maxima of `x`, which are `peaks`."""
    values, found = _padded(values, pad, 0), np.zeros_like(peaks)
    for place, hit in _first_hits(_padded(x, pad, np.nan), peaks, size, strides):
        found += np.where(hit, values[place], 0)
    return found


def _first_hits(x: np.ndarray, peaks: np.ndarray, size: Sequence, strides: Sequence) -> Iterator[tuple]:
    """Yield for each cell of a window its index in all windows, and the windows in which it is the first peak."""
    waiting = np.ones(peaks.shape, 'bool')
    for place in _places(size, strides, peaks):
        hit = waiting & (x[place] == peaks)
        waiting &= ~hit
        yield place, hit


def _checked(op: Any, inputs: Sequence) -> Sequence:
    """Return tensor, window, strides and padding, or raise if the plugin never asks for them."""
    if op.mode not in ('max', 'sum') or not op.ignore_border or op.mode == 'sum' and np.any(inputs[3]):
        raise NotImplementedError('pooling in Python of other modes, or of sums with padding')
    return inputs


def _padded(x: np.ndarray, pad: Sequence, value: float) -> np.ndarray:
    """Pad each of the last axes of `x` on both sides with cells of `value`."""
    around = [(0, 0)] * (x.ndim - len(pad)) + [(n, n) for n in pad]
    return np.pad(x, around, constant_values=value) if np.any(pad) else x


def _windows(x: np.ndarray, size: Sequence, strides: Sequence) -> np.ndarray:
    """Return the windows of the last axes, with their cells as new last axes."""
    nb_axis = len(size)
    axes: Any = tuple(range(-nb_axis, 0))
    windows = sliding_window_view(x, tuple(size), axes)
    return windows[(...,) + tuple(slice(None, None, n) for n in strides) + (slice(None),) * nb_axis]


def _places(size: Sequence, strides: Sequence, windows: np.ndarray) -> Any:
    """Return for each cell of a window its index in all windows."""
    counts = windows.shape[-len(size):]
    for cell in np.ndindex(*size):
        yield (..., *(slice(c, c + n * s, s) for c, n, s in zip(cell, counts, strides)))
