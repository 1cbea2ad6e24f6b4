"""Layers that pad series, images and volumes with zeros, or crop them."""
from typing import Any, List, Sequence, Tuple, Union

from keraflow import backend as B
from keraflow.deprecation import renamed
from keraflow.errors import ArgumentError
from keraflow.layers.spatial import DataFormat, SpatialLayer
from keraflow.registry import builtin
from keraflow.schema import Natural
from keraflow.shapes import Shape

__all__ = ['Cropping1D', 'Cropping2D', 'Cropping3D', 'ZeroPadding1D', 'ZeroPadding2D', 'ZeroPadding3D']

#: Cells before and after an axis, or one number for both.
Sides = Union[Natural, Sequence[Natural]]
#: The same for each axis, or one number for all of them.
AllSides = Union[Natural, Sequence[Sides]]


class _Border(SpatialLayer):
    """Layers with a number of cells before and after each axis."""

    def pairs(self, value: Any, name: str) -> List[Tuple[int, int]]:
        """Return the cells before and after each axis."""
        axes = [value] if self.nb_spatial == 1 else self.per_axis(value)
        pairs = [tuple(sides) if isinstance(sides, (list, tuple)) else (sides, sides) for sides in axes]
        if len(axes) != self.nb_spatial or any(len(sides) != 2 for sides in pairs):
            wanted = 'an integer or a pair' if self.nb_spatial == 1 else (
                f'an integer or a pair for each of {self.nb_spatial} axes, or one integer for all')
            raise ArgumentError(f'{type(self).__name__}: {name}: expected {wanted}, received {value}.')
        return pairs

    def changed(self, shape: Shape, sign: int, pairs: List[Tuple[int, int]]) -> Shape:
        """Return a shape with more (1) or fewer (-1) cells."""
        return self.with_lengths(shape, [None if length is None else length + sign * sum(sides)
                                         for length, sides in zip(self.lengths(shape), pairs)])


class _ZeroPadding(_Border):
    """Pad the input with zeros."""

    def __init__(self, padding: Any, data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.pairs(padding, 'padding')
        self.padding = padding

    def output(self, x: Any) -> Any:
        around = dict(zip(self.spatial_axes, self.pairs(self.padding, 'padding')))
        return B.pad(x, [around.get(axis, (0, 0)) for axis in range(self.nb_spatial + 2)])

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.changed(input_shape, 1, self.pairs(self.padding, 'padding'))


@builtin('layer')
class ZeroPadding1D(_ZeroPadding):
    """Pad a series with zeros.

    Parameters
    ----------
    padding : int or (int, int)
        Time steps on both sides, or before and after.
    data_format : {'channels_last', 'channels_first'}
        Whether the features come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, time, features)``
    output : the same with more time
    mask : that of the input; padding does not count. With the features first it is lost.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> ZeroPadding1D((1, 2))(Input((3, 4))).shape
    (None, 6, 4)
    """

    nb_spatial = 1

    @renamed(pad='padding')
    def __init__(self, padding: Sides, data_format: DataFormat = 'channels_last', **kwargs: Any):
        super().__init__(padding, data_format, **kwargs)

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        if not self.is_series:
            return None
        return B.greater(B.pad(B.cast(input_mask, B.floatx()), [(0, 0), *self.pairs(self.padding, 'padding')]), 0.)


@builtin('layer')
class ZeroPadding2D(_ZeroPadding):
    """Pad an image with zeros.

    Parameters
    ----------
    padding : int or sequence of int or (int, int)
        Pixels on both sides of each axis, or before and after; or one number for all.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, rows, cols)``, or ``(batch, rows, cols, channels)``
    output : the same with more rows and cols

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> ZeroPadding2D(((1, 2), 1))(Input((2, 3, 4))).shape
    (None, 2, 6, 6)
    """

    nb_spatial = 2

    @renamed(pad='padding')
    def __init__(self, padding: AllSides = (1, 1), data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(padding, data_format, **kwargs)


@builtin('layer')
class ZeroPadding3D(_ZeroPadding):
    """Pad a volume with zeros.

    Parameters
    ----------
    padding : int or sequence of int or (int, int)
        Cells on both sides of each axis, or before and after; or one number for all.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, x, y, z)``, or ``(batch, x, y, z, channels)``
    output : the same with more x, y and z

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> ZeroPadding3D((1, 2, 1))(Input((2, 3, 4, 2))).shape
    (None, 2, 5, 8, 4)
    """

    nb_spatial = 3

    @renamed(pad='padding')
    def __init__(self, padding: AllSides = (1, 1, 1), data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(padding, data_format, **kwargs)


class _Cropping(_Border):
    """Remove the border of the input."""

    short_advice = 'Crop less.'

    def __init__(self, cropping: Any, data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.pairs(cropping, 'cropping')
        self.cropping = cropping

    @property
    def min_lengths(self) -> Sequence[int]:
        return [sum(sides) + 1 for sides in self.pairs(self.cropping, 'cropping')]

    def output(self, x: Any) -> Any:
        return self.cut(self.require_min_lengths(x, x))

    def cut(self, x: Any) -> Any:
        """Remove the border of a tensor, or of the mask of a series."""
        inside = [slice(None)] * B.ndim(x)
        for axis, (before, behind) in zip(self.spatial_axes, self.pairs(self.cropping, 'cropping')):
            inside[axis] = slice(before, -behind or None)   # a slice up to -0 is empty
        return x[tuple(inside)]

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.changed(input_shape, -1, self.pairs(self.cropping, 'cropping'))


@builtin('layer')
class Cropping1D(_Cropping):
    """Crop the first and last time steps of a series.

    Parameters
    ----------
    cropping : int or (int, int)
        Time steps to remove on both sides, or before and after.
    data_format : {'channels_last', 'channels_first'}
        Whether the features come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, time, features)``
    output : the same with less time
    mask : that of the remaining steps; with the features first it is lost

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Cropping1D((1, 0))(Input((None, 4))).shape
    (None, None, 4)
    """

    nb_spatial = 1

    def __init__(self, cropping: Sides = (1, 1), data_format: DataFormat = 'channels_last', **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        return self.cut(input_mask) if self.is_series else None


@builtin('layer')
class Cropping2D(_Cropping):
    """Crop the border of an image.

    Parameters
    ----------
    cropping : int or sequence of int or (int, int)
        Pixels to remove on both sides of each axis, or before and after; or one number for all.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, rows, cols)``, or ``(batch, rows, cols, channels)``
    output : the same with fewer rows and cols

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Cropping2D((1, (0, 2)))(Input((3, 8, 8))).shape
    (None, 3, 6, 6)
    """

    nb_spatial = 2

    def __init__(self, cropping: AllSides = (1, 1), data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)


@builtin('layer')
class Cropping3D(_Cropping):
    """Crop the border of a volume.

    Parameters
    ----------
    cropping : int or sequence of int or (int, int)
        Cells to remove on both sides of each axis, or before and after; or one number for all.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, x, y, z)``, or ``(batch, x, y, z, channels)``
    output : the same with fewer x, y and z

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Cropping3D(1)(Input((3, 8, 8, 8))).shape
    (None, 3, 6, 6, 6)
    """

    nb_spatial = 3

    def __init__(self, cropping: AllSides = (1, 1, 1), data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)
