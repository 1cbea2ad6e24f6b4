"""Layers that add noise in training, and do nothing in every other phase."""
import math
from typing import Any, List

from keraflow import backend as B
from keraflow.deprecation import renamed
from keraflow.layers.base import Layer
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.core import Dropout
from keraflow.layers.spatial import DataFormat, spatial_spec
from keraflow.registry import builtin
from keraflow.schema import NonNegative, Rate
from keraflow.shapes import Shape

__all__ = ['GaussianDropout', 'GaussianNoise', 'SpatialDropout1D', 'SpatialDropout2D', 'SpatialDropout3D']


@builtin('layer')
class GaussianNoise(Layer):
    """In training, add noise from a normal distribution of mean 0: ``x + std * n``.

    Parameters
    ----------
    std : float
        Standard deviation of the noise, at least 0.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : any, the same

    References
    ----------
    .. [1] C. M. Bishop, "Training with noise is equivalent to Tikhonov regularization", Neural Computation, 1995.
    """

    acts_only_in_training = True
    supports_masking = True

    @renamed(sigma='std')
    def __init__(self, std: NonNegative, **kwargs: Any):
        super().__init__(**kwargs)
        self.std = std

    def output(self, x: Any) -> Any:
        x = B.as_real(x)
        return B.in_train_phase(lambda: B.add(x, B.random_normal(B.shape(x), 0., self.std, B.dtype(x))), x)

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


@builtin('layer')
class GaussianDropout(Layer):
    """In training, multiply by noise of mean 1 and the variance of dropout, ``drop_rate / (1 - drop_rate)``.

    Parameters
    ----------
    drop_rate : float
        The probability with which Dropout would drop; at least 0 and below 1.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : any, the same

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", Journal of Machine
       Learning Research, 2014, section 10.
    """

    acts_only_in_training = True
    supports_masking = True

    def __init__(self, drop_rate: Rate, **kwargs: Any):
        super().__init__(**kwargs)
        self.drop_rate = drop_rate

    def output(self, x: Any) -> Any:
        x, std = B.as_real(x), math.sqrt(self.drop_rate / (1. - self.drop_rate))
        return B.in_train_phase(lambda: B.multiply(x, B.random_normal(B.shape(x), 1., std, B.dtype(x))), x)

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class _SpatialDropout(Dropout):
    """Dropout of whole channels."""

    acts_only_in_training = True
    data_format = 'channels_last'
    nb_spatial: int

    @property
    def input_spec(self) -> InputSpec:  # type: ignore[override]
        return spatial_spec(self.nb_spatial, self.data_format)

    def noise_shape(self, x: Any) -> List[Any]:
        lengths = B.shape(x)
        channels = 1 if self.data_format == 'channels_first' else self.nb_spatial + 1
        return [lengths[axis] if axis in (0, channels) else 1 for axis in range(self.nb_spatial + 2)]


@builtin('layer')
class SpatialDropout1D(_SpatialDropout):
    """In training, drop a feature of a sequence in all of its steps, or in none.

    Neighbouring steps are alike, so dropping single values hides little. Like :class:`~keraflow.layers.Dropout`, it
    divides what is kept by ``1 - drop_rate``.

    Parameters
    ----------
    drop_rate : float
        At least 0 and below 1.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : ``(batch, time, features)``, the same

    References
    ----------
    .. [1] J. Tompson, R. Goroshin, A. Jain, Y. LeCun and C. Bregler, "Efficient object localization using convolutional
       networks", CVPR, 2015.
    """

    nb_spatial = 1


class _SpatialDropoutOfImages(_SpatialDropout):

    def __init__(self, drop_rate: Rate, data_format: DataFormat = 'channels_first',
                 **kwargs: Any):
        super().__init__(drop_rate, **kwargs)
        self.data_format = data_format


@builtin('layer')
class SpatialDropout2D(_SpatialDropoutOfImages):
    """In training, drop a channel of an image everywhere, or nowhere; like :class:`SpatialDropout1D` for sequences.

    Parameters
    ----------
    drop_rate : float
        At least 0 and below 1.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : ``(batch, channels, rows, cols)`` or ``(batch, rows, cols, channels)``, the same

    References
    ----------
    .. [1] J. Tompson, R. Goroshin, A. Jain, Y. LeCun and C. Bregler, "Efficient object localization using convolutional
       networks", CVPR, 2015.
    """

    nb_spatial = 2


@builtin('layer')
class SpatialDropout3D(_SpatialDropoutOfImages):
    """In training, drop a channel of a volume everywhere, or nowhere; like :class:`SpatialDropout1D` for sequences.

    Parameters
    ----------
    drop_rate : float
        At least 0 and below 1.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : ``(batch, channels, dim1, dim2, dim3)`` or ``(batch, dim1, dim2, dim3, channels)``, the same
    """

    nb_spatial = 3
