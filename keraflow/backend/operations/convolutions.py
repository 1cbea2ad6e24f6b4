"""Operations on tensors with one to three spatial axes: a part of the contract.

Rules for every one of them:

* `x` is ``(batch, channels, *lengths)`` for ``data_format='channels_first'``, ``(batch, *lengths, channels)`` for
  ``'channels_last'``. The backend chooses the layout to compute in; the numbers are the same.
* Kernels are ``(input_depth, nb_kernel, *lengths)`` in either case, and are not flipped: a convolution is a
  cross-correlation. They have the dtype of `x`.
* `strides` and `dilation` have one integer for each spatial axis; ``None`` is 1 for each.
* ``pad='valid'``: windows lie inside the input. ``pad='same'``: the output has ``ceil(length / stride)`` cells, and
  the input is padded with zeros for that, an odd one at its end.
"""
from typing import Any, Literal, Optional, Sequence

import numpy as np

from keraflow.backend import costs, operand_checks
from keraflow.backend.dtypes import dtype_of_x
from keraflow.backend.layouts import Layouts
from keraflow.backend.method_info import operation
from keraflow.deprecation import renamed
from keraflow.schema import PositiveInt

__all__ = ['Convolutions']

Tensor = Any
Strides = Optional[Sequence[PositiveInt]]
DataFormat = Literal['channels_first', 'channels_last']
Pad = Literal['valid', 'same']


class Convolutions(Layouts):
    """The part of the contract for images, series and volumes; see :mod:`keraflow.backend.operations.convolutions`."""

    @operation(keeps_mask=False, keeps_layout=True, dtype=dtype_of_x, check=operand_checks.pad, flop=costs.nothing,
               gradient_needs='nothing')
    def pad(self, x: Tensor, padding: Sequence, value: float = 0.) -> Tensor:
        """Pad `x` with `value`: for each of its axes by a number of cells ``(before, after)``."""
        raise NotImplementedError

    @operation(keeps_mask=False, is_real=True, check=operand_checks.convolution, flop=costs.of_convolution)
    def conv(self, x: Tensor, kernels: Tensor, strides: Strides = None, pad: Pad = 'valid', dilation: Strides = None,
             data_format: DataFormat = 'channels_first') -> Tensor:
        """Convolve. `dilation` is the distance of the input cells that neighbouring cells of a kernel meet."""
        raise NotImplementedError

    @operation(keeps_mask=False, is_real=True, check=operand_checks.convolution, flop=costs.of_deconvolution)
    def conv_transpose(self, x: Tensor, kernels: Tensor, strides: Strides = None, pad: Pad = 'valid',
                       data_format: DataFormat = 'channels_first') -> Tensor:
        """Compute the gradient of a convolution: each cell of `x` adds a kernel times its value to the output.

        The lengths of the output are given by :func:`keraflow.backend.windows.transposed_length`.
        """
        raise NotImplementedError

    @operation(keeps_mask=False, is_real=True, check=operand_checks.depthwise, flop=costs.of_depthwise)
    def depthwise_conv(self, x: Tensor, kernels: Tensor, strides: Strides = None, pad: Pad = 'valid',
                       dilation: Strides = None, data_format: DataFormat = 'channels_first') -> Tensor:
        """Convolve each channel with separate kernels; `x` has two spatial axes.

        Output channel ``i * nb_kernel + j`` is input channel i with ``kernels[i, j]``.
        """
        raise NotImplementedError

    @operation(keeps_mask=False, is_real=True, check=operand_checks.pool, flop=costs.of_windows)
    @renamed(size='pool_size')
    def pool(self, x: Tensor, pool_size: Sequence[PositiveInt], mode: Literal['max', 'avg'] = 'max',
             strides: Strides = None, pad: Pad = 'valid', data_format: DataFormat = 'channels_first') -> Tensor:
        """Take the maximum (``'max'``) or the mean (``'avg'``) of each window of `pool_size`.

        `strides` are `pool_size` by default. Padding is ignored, even by the mean. Of equal maxima the first one gets
        the gradient, row by row.
        """
        raise NotImplementedError

    @operation(check=operand_checks.add_bias, gradient_needs='nothing')
    def add_bias(self, x: Tensor, bias: Tensor, data_format: DataFormat = 'channels_first') -> Tensor:
        """Add a vector with one value for each channel to `x`."""
        if data_format == 'channels_first':
            # An array stays one, so that it takes the dtype of `x`.
            reshape = self.reshape if self.is_tensor(bias) else np.reshape
            bias = reshape(bias, (-1, *(1,) * (self.ndim(x) - 2)))
        return self.add(x, bias)
