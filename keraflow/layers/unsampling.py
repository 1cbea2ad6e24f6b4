"""Layers that enlarge series, images and volumes by repeating their cells."""
from typing import Any

from keraflow import backend as B
from keraflow.deprecation import renamed
from keraflow.layers.spatial import DataFormat, SpatialLayer, Strides
from keraflow.registry import builtin
from keraflow.schema import PositiveInt
from keraflow.shapes import Shape

__all__ = ['UnSampling1D', 'UnSampling2D', 'UnSampling3D']


class _UnSampling(SpatialLayer):
    """Repeat each cell along each axis; subclasses have `repeats`."""

    repeats: Any

    def output(self, x: Any) -> Any:
        for axis, times in zip(self.spatial_axes, self.per_axis(self.repeats)):
            x = B.repeat(x, times, axis) if times > 1 else x
        return x

    def output_shape(self, input_shape: Shape) -> Shape:
        axes = zip(self.lengths(input_shape), self.per_axis(self.repeats))
        return self.with_lengths(input_shape, [None if length is None else length * times for length, times in axes])


@builtin('layer')
class UnSampling1D(_UnSampling):
    """Repeat each time step of a series.

    Parameters
    ----------
    repeats : int
        How many times.
    data_format : {'channels_last', 'channels_first'}
        Whether the features come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, time, features)``
    output : ``(batch, time * repeats, features)``
    mask : that of the input, each step as often; with the features first it is lost

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> UnSampling1D(2)(Input((3, 4))).shape
    (None, 6, 4)
    """

    nb_spatial = 1

    @renamed(repeat='repeats')
    def __init__(self, repeats: PositiveInt = 2, data_format: DataFormat = 'channels_last', **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.repeats = repeats

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        return B.repeat(input_mask, self.repeats, 1) if self.is_series else None


@builtin('layer')
class UnSampling2D(_UnSampling):
    """Repeat each pixel of an image along its rows and columns.

    Parameters
    ----------
    repeats : int or sequence of int
        How many times along each axis.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, rows, cols)``, or ``(batch, rows, cols, channels)``
    output : the same with ``repeats[0]`` times as many rows and ``repeats[1]`` times as many cols

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> UnSampling2D((2, 3))(Input((2, 3, 4))).shape
    (None, 2, 6, 12)
    """

    nb_spatial = 2

    def __init__(self, repeats: Strides = (2, 2), data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.check_per_axis(repeats=repeats)
        self.repeats = repeats


@builtin('layer')
class UnSampling3D(_UnSampling):
    """Repeat each cell of a volume along its three axes.

    Parameters
    ----------
    repeats : int or sequence of int
        How many times along each axis.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, x, y, z)``, or ``(batch, x, y, z, channels)``
    output : the same with ``repeats[i]`` times the length along axis i

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> UnSampling3D((2, 1, 2))(Input((2, 3, 4, 2))).shape
    (None, 2, 6, 4, 4)
    """

    nb_spatial = 3

    def __init__(self, repeats: Strides = (2, 2, 2), data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.check_per_axis(repeats=repeats)
        self.repeats = repeats
