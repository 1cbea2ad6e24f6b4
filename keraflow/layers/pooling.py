"""Layers that take the maximum or the mean of windows, or of a whole series, image or volume."""
from typing import Any, Optional, Sequence

from keraflow import backend as B
from keraflow.backend.windows import output_length
from keraflow.deprecation import renamed
from keraflow.graph.counted import expand_mask
from keraflow.layers.base.masks import LOWEST, counted_in_windows
from keraflow.layers.spatial import Border, DataFormat, Pool, SpatialLayer, Strides
from keraflow.registry import builtin
from keraflow.schema import PositiveInt
from keraflow.shapes import Shape

__all__ = ['GlobalPooling1D', 'GlobalPooling2D', 'GlobalPooling3D', 'Pooling1D', 'Pooling2D', 'Pooling3D']


class _Pooling(SpatialLayer):
    """The maximum or the mean of each window. Subclasses have a `pool_size` and `strides`."""

    pool_size: Any
    strides: Any
    short_advice = "Use pad='same', or smaller windows."

    def __init__(self, mode: Pool, pad: Border = 'valid', data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.mode = mode
        self.pad = pad

    @property
    def steps(self) -> tuple:
        """The distance between windows along each axis."""
        return self.per_axis(self.pool_size if self.strides is None else self.strides)

    @property
    def min_lengths(self) -> Sequence[int]:
        return super().min_lengths if self.pad == 'same' else self.per_axis(self.pool_size)

    def output(self, x: Any) -> Any:
        return B.pool(self.require_min_lengths(x, x), self.per_axis(self.pool_size), self.mode, self.steps, self.pad,
                      self.data_format)

    def output_shape(self, input_shape: Shape) -> Shape:
        axes = zip(self.lengths(input_shape), self.per_axis(self.pool_size), self.steps)
        return self.with_lengths(input_shape, [None if n is None else output_length(n, k, s, self.pad)
                                               for n, k, s in axes])


@builtin('layer')
class Pooling1D(_Pooling):
    """Take the maximum or the mean of each feature in each window of a series.

    Parameters
    ----------
    mode : {'max', 'avg'}
        Which of the two.
    pool_size : int
        Time steps of a window.
    strides : int, optional
        Time steps between windows; by default `pool_size`.
    pad : {'valid', 'same'}
        Whether windows lie inside the series, or reach beyond its ends to make ``ceil(time / strides)`` of them.
        What lies beyond is ignored, even by the mean.
    data_format : {'channels_last', 'channels_first'}
        Whether the features come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, time, features)``
    output : ``(batch, windows, features)``
    mask : True for windows in which all steps count; with ``pad='same'`` any step, and masked steps are ignored like
    what lies beyond the ends. With the features first it is lost.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Pooling1D('max', 3, strides=2)(Input((9, 4))).shape
    (None, 4, 4)
    """

    nb_spatial = 1

    @renamed(pool_length='pool_size', stride='strides')
    def __init__(self, mode: Pool, pool_size: PositiveInt = 2, strides: Optional[PositiveInt] = None,
                 pad: Border = 'valid', data_format: DataFormat = 'channels_last', **kwargs: Any):
        super().__init__(mode, pad, data_format, **kwargs)
        self.pool_size = pool_size
        self.strides = strides

    def output(self, x: Any, *, mask: Any = None) -> Any:
        if mask is None or self.pad == 'valid':  # then windows with a skipped step are masked as a whole
            return super().output(x)
        counts = expand_mask(mask, x)
        if self.mode == 'max':
            found = super().output(B.where(counts, x, LOWEST))
            return B.where(B.greater(found, LOWEST), found, 0.)  # 0 where no step of the window counts
        # The mean of what counts is the mean over the whole window, divided by the share that counts.
        shares = super().output(B.where(counts, B.ones_like(x), 0.))
        return super().output(B.where(counts, x, 0.)) / B.where(B.greater(shares, 0.), shares, 1.)

    @property
    def reads_mask(self) -> bool:
        return self.is_series

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        if not self.is_series:
            return None
        counted = counted_in_windows(input_mask, self.pool_size, self.steps[0], self.pad)
        # Counts are reals, hence the half.
        return B.greater(counted, (1 if self.pad == 'same' else self.pool_size) - 0.5)


@builtin('layer')
class Pooling2D(_Pooling):
    """Take the maximum or the mean of each channel in each window of an image.

    Parameters
    ----------
    mode : {'max', 'avg'}
        Which of the two.
    pool_size : int or sequence of int
        Rows and columns of a window.
    strides : int or sequence of int, optional
        Pixels between windows; by default `pool_size`.
    pad : {'valid', 'same'}
        As for :class:`Pooling1D`, along each axis.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, rows, cols)``, or ``(batch, rows, cols, channels)``
    output : the same with other rows and cols

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Pooling2D('avg', (2, 3), pad='same')(Input((4, 9, 9))).shape
    (None, 4, 5, 3)
    """

    nb_spatial = 2

    def __init__(self, mode: Pool, pool_size: Strides = (2, 2), strides: Optional[Strides] = None,
                 pad: Border = 'valid', data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(mode, pad, data_format, **kwargs)
        self.check_per_axis(pool_size=pool_size, strides=strides)
        self.pool_size = pool_size
        self.strides = strides


@builtin('layer')
class Pooling3D(_Pooling):
    """Take the maximum or the mean of each channel in each window of a volume.

    Parameters
    ----------
    mode : {'max', 'avg'}
        Which of the two.
    pool_size : int or sequence of int
        Size of a window.
    strides : int or sequence of int, optional
        Cells between windows; by default `pool_size`.
    pad : {'valid', 'same'}
        As for :class:`Pooling1D`, along each axis.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, x, y, z)``, or ``(batch, x, y, z, channels)``
    output : the same with other x, y and z

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Pooling3D('max')(Input((2, 4, 6, 4))).shape
    (None, 2, 2, 3, 2)
    """

    nb_spatial = 3

    def __init__(self, mode: Pool, pool_size: Strides = (2, 2, 2), strides: Optional[Strides] = None,
                 pad: Border = 'valid', data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(mode, pad, data_format, **kwargs)
        self.check_per_axis(pool_size=pool_size, strides=strides)
        self.pool_size = pool_size
        self.strides = strides


class _GlobalPooling(SpatialLayer):
    """The maximum or the mean over all spatial axes."""

    def __init__(self, mode: Pool, data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.mode = mode

    def output(self, x: Any) -> Any:
        return (B.max if self.mode == 'max' else B.mean)(x, self.spatial_axes)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], input_shape[self.channel_axis])


@builtin('layer')
class GlobalPooling1D(_GlobalPooling):
    """Take the maximum or the mean of each feature over a series.

    Parameters
    ----------
    mode : {'max', 'avg'}
        Which of the two.
    data_format : {'channels_last', 'channels_first'}
        Whether the features come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, time, features)``
    output : ``(batch, features)``
    mask : masked steps are left out; if all are masked the output is 0. With the features first it is lost

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> GlobalPooling1D('max')(Input((None, 4))).shape
    (None, 4)
    """

    nb_spatial = 1

    def __init__(self, mode: Pool, data_format: DataFormat = 'channels_last', **kwargs: Any):
        super().__init__(mode, data_format, **kwargs)

    @property
    def reads_mask(self) -> bool:
        return self.is_series

    def output(self, x: Any, *, mask: Any = None) -> Any:
        if mask is None:
            return super().output(x)
        counts = expand_mask(mask, x)
        if self.mode == 'max':
            return B.where(B.any(counts, 1), B.max(B.where(counts, x, LOWEST), 1), 0.)
        nb_step = B.sum(B.where(counts, B.ones_like(x), 0.), 1)
        return B.sum(B.where(counts, x, 0.), 1) / B.maximum(nb_step, 1.)    # perhaps no step counts


@builtin('layer')
class GlobalPooling2D(_GlobalPooling):
    """Take the maximum or the mean of each channel over an image.

    Parameters
    ----------
    mode : {'max', 'avg'}
        Which of the two.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, rows, cols)``, or ``(batch, rows, cols, channels)``
    output : ``(batch, channels)``

    References
    ----------
    .. [1] M. Lin, Q. Chen and S. Yan, "Network in network", ICLR, 2014.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> GlobalPooling2D('avg')(Input((4, None, None))).shape
    (None, 4)
    """

    nb_spatial = 2


@builtin('layer')
class GlobalPooling3D(_GlobalPooling):
    """Take the maximum or the mean of each channel over a volume.

    Parameters
    ----------
    mode : {'max', 'avg'}
        Which of the two.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, channels, x, y, z)``, or ``(batch, x, y, z, channels)``
    output : ``(batch, channels)``

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> GlobalPooling3D('max')(Input((2, 4, 6, 4))).shape
    (None, 2)
    """

    nb_spatial = 3
