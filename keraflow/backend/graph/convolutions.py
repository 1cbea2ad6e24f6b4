"""Convolutions and pooling, with the channels last."""
from typing import Any, Optional, Sequence

from keraflow.backend.graph import window_slopes  # noqa: F401    enters its rules into the table
from keraflow.backend.graph.nodes import apply
from keraflow.backend.graph.shaping import Shaping
from keraflow.backend.layouts import to_inner, to_outer

__all__ = ['Convolutions']

Strides = Optional[Sequence[int]]


class Convolutions(Shaping):
    """Operations with spatial axes; see the contract."""

    inner_format = 'channels_last'

    def pad(self, x: Any, padding: Sequence, value: float = 0.) -> Any:
        x = self._tensor(x)
        return apply('pad', [x, self._tensor(value, x.dtype)],
                     padding=tuple((int(before), int(after)) for before, after in padding))

    def conv(self, x: Any, kernels: Any, strides: Strides = None, pad: str = 'valid', dilation: Strides = None,
             data_format: str = 'channels_first') -> Any:
        return self._on_windows('conv', x, kernels, data_format, strides=strides, pad=pad, dilation=dilation)

    def conv_transpose(self, x: Any, kernels: Any, strides: Strides = None, pad: str = 'valid',
                       data_format: str = 'channels_first') -> Any:
        return self._on_windows('conv_transpose', x, kernels, data_format, strides=strides, pad=pad)

    def depthwise_conv(self, x: Any, kernels: Any, strides: Strides = None, pad: str = 'valid',
                       dilation: Strides = None, data_format: str = 'channels_first') -> Any:
        return self._on_windows('depthwise_conv', x, kernels, data_format, strides=strides, pad=pad, dilation=dilation)

    def pool(self, x: Any, pool_size: Sequence[int], mode: str = 'max', strides: Strides = None,
             pad: str = 'valid', data_format: str = 'channels_first') -> Any:
        made = apply('max_pool' if mode == 'max' else 'mean_pool', [to_inner(self, self._real(x), data_format)],
                     size=tuple(pool_size), strides=tuple(strides or pool_size), pad=pad)
        return to_outer(self, made, data_format)

    def add_bias(self, x: Any, bias: Any, data_format: str = 'channels_first') -> Any:
        x, bias = self._real_operands(x, bias)
        return to_outer(self, apply('add', [to_inner(self, x, data_format), bias]), data_format)

    def _on_windows(self, name: str, x: Any, kernels: Any, data_format: str, pad: str, **steps: Strides) -> Any:
        x, kernels = self._real_operands(x, kernels)
        ones = (1,) * (kernels.ndim - 2)
        made = apply(name, [to_inner(self, x, data_format), kernels], pad=pad,
                     **{key: tuple(value or ones) for key, value in steps.items()})
        return to_outer(self, made, data_format)
