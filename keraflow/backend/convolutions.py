"""Operations on tensors with spatial axes, of which there are one to three: a part of the contract.

Rules that hold for every one of them:

* `x` is ``(batch, channels, *lengths)`` for ``data_format='channels_first'``, ``(batch, *lengths, channels)`` for
  ``'channels_last'``. Which of the two a backend computes in is its own affair; the numbers are the same.
* Kernels are ``(input_depth, nb_kernel, *lengths)`` in either case, and are not flipped: a convolution is a
  cross-correlation. They have the dtype of `x`.
* `strides` and `dilation` have one integer for each spatial axis; ``None`` is 1 for each.
* ``pad='valid'``: windows lie inside the input. ``pad='same'``: the output has ``ceil(length / stride)`` cells, and the
  zeros that this takes are put around the input, the odd one at its end.
"""
from typing import Any, Literal, Optional, Sequence

import numpy as np

from keraflow.backend.layouts import Layouts
from keraflow.errors import ShapeError
from keraflow.schema import PositiveInt

__all__ = ['Convolutions', 'check_windows', 'output_length', 'same_padding', 'transposed_length', 'DATA_FORMATS',
           'PADS']

Tensor = Any
Strides = Optional[Sequence[PositiveInt]]
DataFormat = Literal['channels_first', 'channels_last']
Pad = Literal['valid', 'same']

DATA_FORMATS = ('channels_first', 'channels_last')
PADS = ('valid', 'same')


def output_length(length: Any, window: int, stride: int, pad: str, dilation: int = 1) -> Any:
    """The number of windows along an axis; `length` may be an integer scalar of a backend.

    Examples
    --------
    >>> output_length(7, 3, 2, 'valid'), output_length(7, 3, 2, 'same'), output_length(7, 3, 1, 'valid', dilation=2)
    (3, 4, 3)
    """
    fitting = length if pad == 'same' else length - (window - 1) * dilation
    return (fitting + stride - 1) // stride


def check_windows(shape: Sequence, window: Sequence, pad: str, dilation: Strides = None,
                  depth: Optional[int] = None) -> None:
    """Raise unless windows fit into a tensor of this static shape, with the channels first: `depth` of them, if given.

    Raises
    ------
    ShapeError
    """
    if len(shape) != len(window) + 2:
        raise ShapeError(f'expected {len(window) + 2} axes, received shape {tuple(shape)}.')
    if depth is not None and shape[1] not in (None, depth):
        raise ShapeError(f'expected {depth} channels, as the kernels have, received {shape[1]}.')
    for length, size, step in zip(shape[2:], window, dilation or [1] * len(window)):
        if pad == 'valid' and None not in (length, size) and length < (size - 1) * step + 1:
            raise ShapeError(f'expected at least {(size - 1) * step + 1} cells, which a window has, received {length}.')


def same_padding(length: Any, window: int, stride: int, dilation: int = 1, maximum: Any = max) -> tuple:
    """How many zeros ``pad='same'`` puts before and behind an axis.

    `length` may be an integer scalar of a backend; `maximum` is then the function for such. Where the stride is 1 the
    result does not depend on it, and is a pair of integers.

    Examples
    --------
    >>> same_padding(7, 3, 2), same_padding(8, 3, 2), same_padding(None, 4, 1)
    ((1, 1), (0, 1), (1, 2))
    """
    covered = (window - 1) * dilation + 1
    total = covered - 1 if stride == 1 else maximum(
        (output_length(length, window, stride, 'same') - 1) * stride + covered - length, 0)
    return total // 2, total - total // 2


def transposed_length(length: Any, window: int, stride: int, pad: str) -> Any:
    """The length whose convolution has this length; the largest of several for ``'same'``, else the smallest.

    Examples
    --------
    >>> transposed_length(3, 3, 2, 'valid'), transposed_length(3, 3, 2, 'same')
    (7, 6)
    """
    return length * stride if pad == 'same' else (length - 1) * stride + window


class Convolutions(Layouts):
    """The part of the contract for images, series and volumes; see :mod:`keraflow.backend.convolutions`."""

    def pad(self, x: Tensor, padding: Sequence, value: float = 0.) -> Tensor:
        """`value` around `x`: for each of its axes the number of cells ``(before, behind)``."""
        raise NotImplementedError

    def conv(self, x: Tensor, kernels: Tensor, strides: Strides = None, pad: Pad = 'valid', dilation: Strides = None,
             data_format: DataFormat = 'channels_first') -> Tensor:
        """Convolution. `dilation` is the distance of the input's cells that neighbouring cells of a kernel meet."""
        raise NotImplementedError

    def conv_transpose(self, x: Tensor, kernels: Tensor, strides: Strides = None, pad: Pad = 'valid',
                       data_format: DataFormat = 'channels_first') -> Tensor:
        """What the gradient of a convolution does: each cell of `x` adds a kernel times its value to the output.

        The lengths of the output are those of :func:`transposed_length`.
        """
        raise NotImplementedError

    def depthwise_conv(self, x: Tensor, kernels: Tensor, strides: Strides = None, pad: Pad = 'valid',
                       dilation: Strides = None, data_format: DataFormat = 'channels_first') -> Tensor:
        """Convolution of each channel with kernels of its own; `x` has two spatial axes.

        Output channel ``i * nb_kernel + j`` is input channel i with ``kernels[i, j]``.
        """
        raise NotImplementedError

    def pool(self, x: Tensor, size: Sequence[PositiveInt], mode: Literal['max', 'avg'] = 'max', strides: Strides = None,
             pad: Pad = 'valid', data_format: DataFormat = 'channels_first') -> Tensor:
        """The largest (``'max'``) or the mean value (``'avg'``) of each window of `size`.

        `strides` are `size` unless given. What is padded counts neither as a value nor for the mean. Of equal largest
        values the first one has the gradient, row by row.
        """
        raise NotImplementedError

    def add_bias(self, x: Tensor, bias: Tensor, data_format: DataFormat = 'channels_first') -> Tensor:
        """`x` plus a vector with one value for each channel."""
        if data_format == 'channels_first':
            # An array stays one, so that it takes the dtype of `x`.
            reshape = self.reshape if self.is_tensor(bias) else np.reshape      # type: ignore[attr-defined]
            bias = reshape(bias, (-1, *(1,) * (self.ndim(x) - 2)))
        return self.add(x, bias)                                     # type: ignore[attr-defined]
