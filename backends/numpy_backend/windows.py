"""Convolutions and pooling, with the channels last.

A convolution is a product of windows, copied into the rows of a matrix, with the kernels. It is computed for as many
samples at a time as fit into the cache, so that the windows need little memory.
"""
import itertools
import math
from typing import Any, Iterator, List, Sequence, Tuple

import numpy as np

from keraflow.backend.graph.array_functions import inside
from keraflow.backend.windows import same_padding, transposed_length

from .functions import function, masked

__all__: List[str] = []

Array = np.ndarray
Numbers = Sequence[int]
Pairs = Sequence[Tuple[int, int]]

#: How many bytes the windows of some samples have that are copied at once.
BLOCK = 2 ** 19


def _padding(lengths: Numbers, window: Numbers, strides: Numbers, pad: str, dilation: Numbers) -> List[Tuple[int, int]]:
    """Return the number of cells before and after each spatial axis."""
    return [same_padding(*axis) if pad == 'same' else (0, 0) for axis in zip(lengths, window, strides, dilation)]


def _parts(count: int, nb_byte: int) -> List[slice]:
    """Return parts of some samples, each of so many bytes, that fit into the cache."""
    length = max(1, BLOCK // max(nb_byte, 1))
    return [slice(start, min(start + length, count)) for start in range(0, count, length)]


def _parts_of(x: Array) -> List[slice]:
    return _parts(len(x), x.nbytes // max(len(x), 1))


class _Windows:
    """The windows of a tensor with the channels last, as rows of a matrix: those of some samples at a time.

    Parameters
    ----------
    shape : tuple of int
        Of the tensor that they are cut from.
    padding : list of pair of int
        The number of cells before and after each spatial axis.
    """

    def __init__(self, shape: Numbers, dtype: Any, window: Numbers, strides: Numbers, padding: Pairs,
                 dilation: Numbers):
        self.shape, self.window, self.padding = tuple(shape), tuple(window), padding
        axes = zip(shape[1:-1], padding, window, dilation, strides)
        self.counts = [(n + before + after - (size - 1) * step - 1) // stride + 1
                       for n, (before, after), size, step, stride in axes]
        self.channels = shape[-1]
        self.size = math.prod(window) * self.channels       # of a row
        self._strides, self._dilation, self._dtype = strides, dilation, dtype
        self.is_plain = all(n == 1 for n in (*window, *strides)) and not any(map(any, self.padding))
        self.parts = _parts(shape[0], np.dtype(dtype).itemsize * self.size * math.prod(self.counts))
        self.nb_sample = self.parts[0].stop if self.parts else 0       # of the largest part

    def buffers(self) -> Tuple[Array, Array]:
        """Return memory for some samples with their padding, which are zeros, and for their windows."""
        lengths = [n + before + after for n, (before, after) in zip(self.shape[1:-1], self.padding)]
        return (np.zeros((self.nb_sample, *lengths, self.channels), self._dtype),
                np.empty((self.nb_sample, *self.counts, *self.window, self.channels), self._dtype))

    def rows(self, x: Array, buffers: Tuple[Array, Array]) -> Array:
        """Return the windows of some samples, a row for each."""
        nb_sample = len(x)
        if self.is_plain:
            return x.reshape(-1, self.channels)
        padded, rows = (buffer[:nb_sample] for buffer in buffers)
        if any(map(any, self.padding)):
            padded[(slice(None),) + inside(x.shape[1:-1], self.padding)] = x
            x = padded
        rows[...] = self._view(x)
        return rows.reshape(-1, self.size)

    def add_back(self, rows: Array, made: Array) -> None:
        """Add rows to the cells of some samples that they were copied from."""
        nb_sample = len(made)
        if self.is_plain:
            made += rows.reshape(made.shape)
            return
        rows = rows.reshape(nb_sample, *self.counts, *self.window, self.channels)
        nb_axis = len(self.window)
        for place in itertools.product(*map(range, self.window)):
            target, source = self.reach(place)
            made[target] += rows[source][(slice(None),) * (nb_axis + 1) + place]

    def reach(self, place: Numbers) -> Tuple[tuple, tuple]:
        """Return which cells of the tensor are at a place of a window, and of which windows: two keys.

        Windows that have padding there are left out.
        """
        cells, windows = [slice(None)], [slice(None)]
        for p, n, count, (before, _), stride, step in zip(place, self.shape[1:-1], self.counts, self.padding,
                                                          self._strides, self._dilation):
            offset = p * step - before
            first = max(0, -(offset // stride))         # the first window that has a cell there, rounded up
            stop = max(first, min(count, (n - 1 - offset) // stride + 1))
            cells.append(slice(first * stride + offset, (stop - 1) * stride + offset + 1, stride) if stop > first
                         else slice(0, 0))
            windows.append(slice(first, stop))
        return tuple(cells), tuple(windows)

    def _view(self, x: Array) -> Array:
        steps = x.strides[1:-1]
        return np.lib.stride_tricks.as_strided(
            x, (len(x), *self.counts, *self.window, self.channels),
            (x.strides[0], *(step * stride for step, stride in zip(steps, self._strides)),
             *(step * by for step, by in zip(steps, self._dilation)), x.strides[-1]), writeable=False)


def _windows_of(x: Array, window: Numbers, strides: Numbers, pad: str, dilation: Numbers) -> _Windows:
    padding = _padding(x.shape[1:-1], window, strides, pad, dilation)
    return _Windows(x.shape, x.dtype, window, strides, padding, dilation)


def _as_matrix(kernels: Array) -> Array:
    """Return kernels ``(input_depth, nb_kernel, *lengths)`` with a row for each cell of a window."""
    nb_kernel = kernels.shape[1]
    return kernels.transpose(*range(2, kernels.ndim), 0, 1).reshape(-1, nb_kernel)


# -- convolutions -----------------------------------------------------------------------------------------------------

@function
def conv(x: Array, kernels: Array, strides: Numbers, pad: str, dilation: Numbers) -> Array:
    window = kernels.shape[2:]
    return _convolved(x, kernels, strides, _padding(x.shape[1:-1], window, strides, pad, dilation), dilation)


def _convolved(x: Array, kernels: Array, strides: Numbers, padding: Pairs, dilation: Numbers) -> Array:
    windows = _Windows(x.shape, x.dtype, kernels.shape[2:], strides, padding, dilation)
    matrix, buffers = _as_matrix(kernels), windows.buffers()
    made = np.empty((len(x), *windows.counts, kernels.shape[1]), x.dtype)
    for part in windows.parts:
        np.dot(windows.rows(x[part], buffers), matrix, out=made[part].reshape(-1, kernels.shape[1]))
    return made


@function
def unconv(g: Array, kernels: Array, like: Array, strides: Numbers, pad: str, dilation: Numbers) -> Array:
    """Return the gradient of the input of a convolution."""
    return _spread_windows(g, kernels, like.shape, strides, pad, dilation)


@function
def conv_transpose(x: Array, kernels: Array, strides: Numbers, pad: str) -> Array:
    lengths = [transposed_length(n, size, stride, pad)
               for n, size, stride in zip(x.shape[1:-1], kernels.shape[2:], strides)]
    shape = (len(x), *lengths, kernels.shape[1])
    return _spread_windows(x, kernels.swapaxes(0, 1), shape, strides, pad, (1,) * len(strides))


def _spread_windows(g: Array, kernels: Array, shape: Numbers, strides: Numbers, pad: str, dilation: Numbers) -> Array:
    window = kernels.shape[2:]
    padding = _padding(shape[1:-1], window, strides, pad, dilation)
    if all(stride == 1 for stride in strides):
        # Each cell is a sum over a window, too: of the gradient, with the kernels reversed. Adding takes twice as long.
        reverse = (slice(None), slice(None), *(slice(None, None, -1) for _ in window))
        around = [((size - 1) * step - before, (size - 1) * step - after)
                  for size, step, (before, after) in zip(window, dilation, padding)]
        return _convolved(g, kernels[reverse].swapaxes(0, 1), strides, around, dilation)
    windows = _Windows(shape, g.dtype, window, strides, padding, dilation)
    matrix = _as_matrix(kernels).T
    made = np.zeros(shape, g.dtype)
    rows = np.empty((windows.nb_sample * math.prod(windows.counts), windows.size), g.dtype)
    for part in windows.parts:
        some = g[part].reshape(-1, g.shape[-1])
        windows.add_back(np.dot(some, matrix, out=rows[:len(some)]), made[part])
    return made


@function
def correlate(x: Array, g: Array, like: Array, strides: Numbers, pad: str, dilation: Numbers) -> Array:
    """Return the gradient of the kernels of a convolution."""
    windows = _windows_of(x, like.shape[2:], strides, pad, dilation)
    buffers = windows.buffers()
    made = np.zeros((windows.size, like.shape[1]), x.dtype)
    for part in windows.parts:
        made += np.dot(windows.rows(x[part], buffers).T, g[part].reshape(-1, g.shape[-1]))
    nb_axis = like.ndim - 2
    made = made.reshape(*like.shape[2:], *like.shape[:2])
    return made.transpose(nb_axis, nb_axis + 1, *range(nb_axis))


# -- depthwise --------------------------------------------------------------------------------------------------------

@function
def depthwise_conv(x: Array, kernels: Array, strides: Numbers, pad: str, dilation: Numbers) -> Array:
    channels, nb_kernel, *window = kernels.shape
    windows = _windows_of(x, window, strides, pad, dilation)
    made = np.zeros((len(x), *windows.counts, channels, nb_kernel), x.dtype)
    for place in itertools.product(*map(range, window)):
        cells, some = windows.reach(place)
        key: tuple = (slice(None), slice(None), *place)
        made[some] += x[cells][..., None] * kernels[key]
    return made.reshape(*made.shape[:-2], channels * nb_kernel)


@function
def undepthwise(g: Array, kernels: Array, like: Array, strides: Numbers, pad: str, dilation: Numbers) -> Array:
    """Return the gradient of the input of a depthwise convolution."""
    channels, nb_kernel, *window = kernels.shape
    windows = _windows_of(like, window, strides, pad, dilation)
    g = g.reshape(*g.shape[:-1], channels, nb_kernel)
    made = np.zeros(like.shape, g.dtype)
    for place in itertools.product(*map(range, window)):
        cells, some = windows.reach(place)
        for number in range(nb_kernel):
            key: tuple = (slice(None), number, *place)
            made[cells] += g[some][..., number] * kernels[key]
    return made


@function
def correlate_depthwise(x: Array, g: Array, like: Array, strides: Numbers, pad: str, dilation: Numbers) -> Array:
    """Return the gradient of the kernels of a depthwise convolution."""
    channels, nb_kernel, *window = like.shape
    windows = _windows_of(x, window, strides, pad, dilation)
    g = g.reshape(*g.shape[:-1], channels, nb_kernel)
    made = np.empty(like.shape, x.dtype)
    for place in itertools.product(*map(range, window)):
        cells, some = windows.reach(place)
        key: tuple = (slice(None), slice(None), *place)
        made[key] = np.einsum(
            'wc,wcn->cn', x[cells].reshape(-1, channels), g[some].reshape(-1, channels, nb_kernel))
    return made


# -- pooling ----------------------------------------------------------------------------------------------------------

def _pooled(x: Array, size: Numbers, strides: Numbers, pad: str) -> _Windows:
    return _windows_of(x, size, strides, pad, (1,) * len(size))


@function
def max_pool(x: Array, size: Numbers, strides: Numbers, pad: str) -> Array:
    windows = _pooled(x, size, strides, pad)
    made = np.full((len(x), *windows.counts, x.shape[-1]), -np.inf, x.dtype)
    for part in _parts_of(x):
        for place in itertools.product(*map(range, size)):
            cells, some = windows.reach(place)
            np.maximum(made[part][some], x[part][cells], out=made[part][some])
    return made


@function
def unmax_pool(g: Array, made: Array, x: Array, size: Numbers, strides: Numbers, pad: str) -> Array:
    """Return the gradient of :func:`max_pool`: the first maximum of a window, row by row, gets that of the window."""
    found = np.zeros(x.shape, g.dtype)
    for part in _parts_of(x):
        windows = _pooled(x[part], size, strides, pad)
        for cells, some, hits in _firsts(windows, made[part], x[part], size):
            found[part][cells] += masked(hits, g[part][some])
    return found


@function
def firsts_of_windows(h: Array, made: Array, x: Array, size: Numbers, strides: Numbers, pad: str) -> Array:
    """Return the values of `h` where `x` has the first maximum of each window."""
    windows, found = _pooled(x, size, strides, pad), np.zeros(made.shape, h.dtype)
    for cells, some, hits in _firsts(windows, made, x, size):
        found[some] += masked(hits, h[cells])
    return found


def _firsts(windows: _Windows, made: Array, x: Array, size: Numbers) -> Iterator[Tuple[tuple, tuple, Array]]:
    """Yield for each place of a window the cells, the windows, and which of these have their first maximum there."""
    is_free = np.ones(made.shape, bool)
    for place in itertools.product(*map(range, size)):
        cells, some = windows.reach(place)
        hits = x[cells] == made[some]
        hits &= is_free[some]
        is_free[some] &= ~hits
        yield cells, some, hits


@function
def mean_pool(x: Array, size: Numbers, strides: Numbers, pad: str) -> Array:
    windows = _pooled(x, size, strides, pad)
    made = np.zeros((len(x), *windows.counts, x.shape[-1]), x.dtype)
    for place in itertools.product(*map(range, size)):
        cells, some = windows.reach(place)
        made[some] += x[cells]
    made /= _nb_cell(windows, size, x.dtype)
    return made


@function
def unmean_pool(g: Array, like: Array, size: Numbers, strides: Numbers, pad: str) -> Array:
    """Return the gradient of :func:`mean_pool`."""
    windows, found = _pooled(like, size, strides, pad), np.zeros(like.shape, g.dtype)
    g = g / _nb_cell(windows, size, g.dtype)
    for place in itertools.product(*map(range, size)):
        cells, some = windows.reach(place)
        found[cells] += g[some]
    return found


def _nb_cell(windows: _Windows, size: Numbers, dtype: Any) -> Array:
    """Return how many cells each window has that are no padding."""
    counts = np.zeros((1, *windows.counts, 1), dtype)
    for place in itertools.product(*map(range, size)):
        counts[windows.reach(place)[1]] += 1
    return counts
