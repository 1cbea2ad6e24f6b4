"""Convolutions and pooling, computed with the channels first.

Theano's convolutions have two or three spatial axes: a single one becomes rows of length 1.
"""
import functools
import operator
from typing import Any, Optional, Sequence

from keraflow.backend.contract import Backend
from keraflow.backend.layouts import to_inner, to_outer
from keraflow.backend.windows import output_length, same_padding, transposed_length

from .configure import T
from .operands import as_tensor, cast, real, real_operands
from .pooling import MaxPool
from .static_shapes import lengths

__all__ = ['Convolutions']

Strides = Optional[Sequence[int]]


class Convolutions(Backend):
    """Operations with spatial axes; see the contract."""

    def pad(self, x: Any, padding: Sequence, value: float = 0.) -> Any:
        x = as_tensor(x)
        shape = lengths(x)
        whole = [before + n + behind for n, (before, behind) in zip(shape, padding)]
        around = T.alloc(as_tensor(value, x.dtype), *whole)
        inside = tuple(slice(before, before + n) for n, (before, _) in zip(shape, padding))
        return T.set_subtensor(around[inside], x)

    def conv(self, x: Any, kernels: Any, strides: Strides = None, pad: str = 'valid', dilation: Strides = None,
             data_format: str = 'channels_first') -> Any:
        x, kernels = real_operands(x, kernels)
        filters = kernels.dimshuffle(1, 0, *range(2, kernels.ndim))
        return self._convolve(x, filters, strides, pad, dilation, data_format)

    def depthwise_conv(self, x: Any, kernels: Any, strides: Strides = None, pad: str = 'valid',
                       dilation: Strides = None, data_format: str = 'channels_first') -> Any:
        x, kernels = real_operands(x, kernels)
        depth, multiplier, *window = lengths(kernels)
        filters = self.reshape(kernels, [depth * multiplier, 1, *window])
        return self._convolve(x, filters, strides, pad, dilation, data_format, nb_group=depth)

    def _convolve(self, x: Any, filters: Any, strides: Strides, pad: str, dilation: Strides, data_format: str,
                  nb_group: int = 1) -> Any:
        x, window = to_inner(self, x, data_format), lengths(filters)[2:]
        strides, dilation = _steps(strides, window), _steps(dilation, window)
        around = _around(lengths(x)[2:], window, strides, pad, dilation)
        if len(window) == 1:
            x, filters = _as_rows(x), _as_rows(filters)
            around, strides, dilation = [(0, 0), *around], (1, *strides), (1, *dilation)
        border: Any = tuple(around)
        if len(window) == 3 or not all(isinstance(cells, int) for pair in around for cells in pair):
            # The Op for volumes pads both sides equally; neither Op takes padding that depends on the data.
            x, border = self._pad_lengths(x, around), 'valid'
        ops = T.nnet.abstract_conv
        op = ops.AbstractConv3d if len(window) == 3 else ops.AbstractConv2d
        made = op(border_mode=border, subsample=strides, filter_dilation=dilation, filter_flip=False,
                  num_groups=nb_group)(x, filters)
        return to_outer(self, self.squeeze(made, 2) if len(window) == 1 else made, data_format)

    def conv_transpose(self, x: Any, kernels: Any, strides: Strides = None, pad: str = 'valid',
                       data_format: str = 'channels_first') -> Any:
        x, filters = real_operands(x, kernels)
        x, window = to_inner(self, x, data_format), lengths(filters)[2:]
        strides = _steps(strides, window)
        axes = list(zip(lengths(x)[2:], window, strides))
        wanted = [transposed_length(*axis, pad) for axis in axes]
        # The lengths of the convolution without padding whose gradient this is; 'same' crops its padding.
        whole = [(n - 1) * stride + (max(size, stride) if pad == 'same' else size) for n, size, stride in axes]
        if len(window) == 1:
            x, filters, whole, strides = _as_rows(x), _as_rows(filters), [1, *whole], (1, *strides)
        ops = T.nnet.abstract_conv
        op = ops.AbstractConv3d_gradInputs if len(window) == 3 else ops.AbstractConv2d_gradInputs
        made = op(border_mode='valid', subsample=strides, filter_flip=False)(filters, x, T.as_tensor_variable(whole))
        made = self.squeeze(made, 2) if len(window) == 1 else made
        if pad == 'same':
            first = [max(size - stride, 0) // 2 for size, stride in zip(window, strides[-len(window):])]
            made = made[(...,) + tuple(slice(start, start + n) for start, n in zip(first, wanted))]
        return to_outer(self, made, data_format)

    def pool(self, x: Any, pool_size: Sequence[int], mode: str = 'max', strides: Strides = None, pad: str = 'valid',
             data_format: str = 'channels_first') -> Any:
        x, strides = to_inner(self, real(x), data_format), strides or pool_size
        around, before = _around(lengths(x)[2:], pool_size, strides, pad), lengths(x)[2:]
        if mode == 'max':
            # The Op pads both sides equally; values beyond are lower than all others, and never the first maximum.
            x = self._pad_lengths(x, [(0, behind - front) for front, behind in around], float('-inf'))
            fronts = T.as_tensor_variable([front for front, _ in around])
            op = MaxPool(ignore_border=True, ndim=len(pool_size))
            return to_outer(self, op(x, pool_size, strides, fronts), data_format)
        # The Op's own means would count the zeros that are padded here.
        op = T.signal.pool.Pool(ignore_border=True, mode='sum', ndim=len(pool_size))
        made = op(self._pad_lengths(x, around), pool_size, strides, (0,) * len(pool_size))
        counts = [_counted(*axis, pad) for axis in zip(before, pool_size, strides, around)]
        return to_outer(self, made / cast(_outer(counts), made.dtype), data_format)

    def _pad_lengths(self, x: Any, around: Sequence, value: float = 0.) -> Any:
        """Pad the spatial axes of `x` with `value`."""
        if all(isinstance(cells, int) and cells == 0 for pair in around for cells in pair):
            return x
        return self.pad(x, [(0, 0), (0, 0), *around], value)


def _steps(steps: Strides, window: Sequence) -> tuple:
    return (1,) * len(window) if steps is None else tuple(steps)


def _around(shape: Sequence, window: Sequence, strides: Sequence, pad: str, dilation: Strides = None) -> list:
    """Return the padding before and after each spatial axis."""
    if pad == 'valid':
        return [(0, 0)] * len(window)
    return [same_padding(*axis, _maximum) for axis in zip(shape, window, strides, _steps(dilation, window))]


def _maximum(x: Any, y: Any) -> Any:
    return max(x, y) if isinstance(x, int) else T.maximum(x, y)


def _counted(length: Any, window: int, stride: int, around: tuple, pad: str) -> Any:
    """Return the number of cells of an axis in each window, as a vector; padding does not count."""
    first = T.arange(output_length(length, window, stride, pad)) * stride - around[0]
    return T.minimum(first + window, length) - T.maximum(first, 0)


def _outer(vectors: Sequence) -> Any:
    """Return the outer product of vectors, one axis for each."""
    rank = len(vectors)
    placed = [vector.dimshuffle(*(0 if place == axis else 'x' for place in range(rank)))
              for axis, vector in enumerate(vectors)]
    return functools.reduce(operator.mul, placed)


def _as_rows(x: Any) -> Any:
    """Turn the last axis into the rows of images with one row."""
    return x.dimshuffle(0, 1, 'x', 2)
