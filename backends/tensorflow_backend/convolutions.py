"""Convolutions and pooling, computed with the channels last."""
from typing import Any, Callable, Optional, Sequence

import numpy as np

from keraflow.backend.layouts import to_inner, to_outer
from keraflow.backend.windows import same_padding, transposed_length

from .conditions import avoid
from .library import tf
from .shaping import Shaping

__all__ = ['Convolutions']

Strides = Optional[Sequence[int]]


class Convolutions(Shaping):
    """Operations with spatial axes; see the contract."""

    inner_format = 'channels_last'     # the only layout that TensorFlow supports on a CPU

    def pad(self, x: Any, padding: Sequence, value: float = 0.) -> Any:
        x = self._tensor(x)
        return tf.pad(x, np.array(padding, 'int32'), constant_values=tf.cast(value, x.dtype))

    def conv(self, x: Any, kernels: Any, strides: Strides = None, pad: str = 'valid', dilation: Strides = None,
             data_format: str = 'channels_first') -> Any:
        nb_axis = self.ndim(kernels) - 2
        strides, dilation = strides or (1,) * nb_axis, dilation or (1,) * nb_axis

        def convolve(x: Any, kernels: Any) -> Any:
            filters = tf.transpose(kernels, (*range(2, nb_axis + 2), 0, 1))
            # TensorFlow refuses strides together with dilation: compute all cells then, and keep every stride-th.
            if max(strides) == 1 or max(dilation) == 1:
                return tf.nn.convolution(x, filters, strides, pad.upper(), dilations=dilation)
            # 'SAME' depends on the strides, which this convolution does not see.
            x = self._padded(x, filters.shape[:nb_axis], strides, pad, dilation)
            return _every(tf.nn.convolution(x, filters, padding='VALID', dilations=dilation), strides)
        return self._with_channels_last(convolve, x, kernels, data_format)

    def conv_transpose(self, x: Any, kernels: Any, strides: Strides = None, pad: str = 'valid',
                       data_format: str = 'channels_first') -> Any:
        nb_axis = self.ndim(kernels) - 2
        strides = strides or (1,) * nb_axis

        def convolve(x: Any, kernels: Any) -> Any:
            filters = tf.transpose(kernels, (*range(2, nb_axis + 2), 1, 0))
            lengths = [transposed_length(*axis, pad)
                       for axis in zip(_lengths(x)[1:-1], filters.shape[:nb_axis], strides)]
            shape = [_lengths(x)[0], *lengths, filters.shape[-2]]
            made = tf.nn.conv_transpose(x, filters, tf.stack(shape), strides, pad.upper())
            # A shape given as a tensor hides the lengths that are known.
            made.set_shape([None if tf.is_tensor(length) else length for length in shape])
            return made
        return self._with_channels_last(convolve, x, kernels, data_format)

    def depthwise_conv(self, x: Any, kernels: Any, strides: Strides = None, pad: str = 'valid',
                       dilation: Strides = None, data_format: str = 'channels_first') -> Any:
        strides, dilation = strides or (1, 1), dilation or (1, 1)

        def convolve(x: Any, kernels: Any) -> Any:
            filters = tf.transpose(kernels, (2, 3, 0, 1))
            # TensorFlow takes strides here only if they are equal, and without dilation.
            if max(strides) == 1 or max(dilation) == 1 and strides[0] == strides[1]:
                return tf.nn.depthwise_conv2d(x, filters, (1, *strides, 1), pad.upper(), dilations=dilation)
            x = self._padded(x, filters.shape[:2], strides, pad, dilation)
            return _every(tf.nn.depthwise_conv2d(x, filters, (1, 1, 1, 1), 'VALID', dilations=dilation), strides)
        return self._with_channels_last(convolve, x, kernels, data_format)

    def pool(self, x: Any, pool_size: Sequence[int], mode: str = 'max', strides: Strides = None,
             pad: str = 'valid', data_format: str = 'channels_first') -> Any:
        operation = tf.nn.max_pool2d if mode == 'max' else tf.nn.avg_pool2d

        def pooled(x: Any, size: Sequence[int], strides: Sequence[int]) -> Any:
            return operation(x, (1, *size, 1), (1, *strides, 1), pad.upper())

        def pooled_lines(x: Any, size: Sequence[int], strides: Sequence[int]) -> Any:
            return tf.squeeze(pooled(tf.expand_dims(x, 2), (*size, 1), (*strides, 1)), 2)

        def pooled_volumes(x: Any, size: Sequence[int], strides: Sequence[int]) -> Any:
            # In two steps: the axes are independent, and TensorFlow pools volumes only in float32.
            batch, depth, *image = _lengths(x)
            x = pooled(self.reshape(x, [-1, *image]), size[1:], strides[1:])
            _, rows, cols, channels = _lengths(x)
            x = pooled_lines(self.reshape(x, [batch, depth, rows * cols * channels]), size[:1], strides[:1])
            return self.reshape(x, [batch, _lengths(x)[1], rows, cols, channels])
        x, strides = self._real(x), strides or pool_size
        function = (pooled_lines, pooled, pooled_volumes)[len(pool_size) - 1]
        return to_outer(self, function(to_inner(self, x, data_format), pool_size, strides), data_format)

    def add_bias(self, x: Any, bias: Any, data_format: str = 'channels_first') -> Any:
        return self._with_channels_last(tf.nn.bias_add, x, bias, data_format)

    def _with_channels_last(self, function: Callable, x: Any, y: Any, data_format: str) -> Any:
        """Apply ``function(x, y)`` to tensors of their common dtype, `x` with the channels last."""
        avoid('convolutions are many times slower compiled')
        x, y = self._real_operands(x, y)
        return to_outer(self, function(to_inner(self, x, data_format), y), data_format)

    def _padded(self, x: Any, window: Sequence[int], strides: Sequence[int], pad: str, dilation: Sequence[int]) -> Any:
        """Pad the input of a convolution that cannot pad itself."""
        if pad == 'valid':
            return x
        around = [same_padding(*axis, tf.maximum) for axis in zip(_lengths(x)[1:-1], window, strides, dilation)]
        return tf.pad(x, [(0, 0), *around, (0, 0)])


def _lengths(x: Any) -> list:
    """Return the length of each axis: an integer if known, else a scalar tensor."""
    dynamic = tf.shape(x)
    return [dynamic[axis] if length is None else length for axis, length in enumerate(x.shape)]


def _every(x: Any, strides: Sequence[int]) -> Any:
    """Select each cell that a window with these strides would have reached."""
    return x[(slice(None),) + tuple(slice(None, None, stride) for stride in strides)]
