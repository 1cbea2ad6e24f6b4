"""Convolutions over series, images and volumes."""
from typing import Any, Dict, Sequence

import numpy as np

from keraflow import activations
from keraflow import backend as B
from keraflow import initializations
from keraflow.backend.tensor_info import annotate
from keraflow.backend.windows import output_length
from keraflow.deprecation import renamed
from keraflow.graph.counted import expand_mask
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.kept_values import is_layer
from keraflow.layers.base.masks import counted_in_windows
from keraflow.layers.base.planned import EmbeddedInputs, ParameterSpec, ParameterSpecs
from keraflow.layers.spatial import Border, DataFormat, SpatialLayer, Strides, spatial_spec
from keraflow.registry import builtin
from keraflow.schema import Activation as ActivationLike
from keraflow.schema import Initialization, PositiveInt
from keraflow.shapes import Shape

__all__ = ['Convolution1D', 'Convolution2D', 'Convolution3D', 'ConvolutionBase']


class ConvolutionBase(SpatialLayer):
    """Base of convolutions: ``activation(conv(x, W) + b)``. Subclasses define kernel size, strides and dilation."""

    #: The arguments that define the size of a kernel.
    window_arguments: tuple
    short_advice = "Use pad='same', or smaller kernels."
    strides: Any
    dilation: Any = 1
    W: Any
    b: Any = None

    def __init__(self, nb_kernel: PositiveInt, pad: Border = 'valid', bias: bool = True,
                 init: Initialization = 'glorot_uniform', activation: ActivationLike = 'linear',
                 data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.nb_kernel = nb_kernel
        self.pad = pad
        self.bias = bias
        self.init = initializations.get(init)
        self.activation = activations.get(activation)

    @property
    def input_spec(self) -> InputSpec:  # type: ignore[override]
        return spatial_spec(self.nb_spatial, self.data_format, fixed=(self.channel_axis,))

    @property
    def window(self) -> tuple:
        """The size of a kernel."""
        return tuple(getattr(self, name) for name in self.window_arguments)

    @property
    def min_lengths(self) -> Sequence[int]:
        if self.pad == 'same':
            return super().min_lengths
        return [(n - 1) * d + 1 for n, d in zip(self.window, self.per_axis(self.dilation))]

    def param_specs(self, input_shape: Shape) -> ParameterSpecs:
        specs = self.kernel_specs(input_shape[self.channel_axis])
        return {**specs, 'b': ParameterSpec((self.nb_kernel,))} if self.bias else specs

    def kernel_specs(self, input_depth: Any) -> Dict[str, ParameterSpec]:
        """Return the specs of the kernels."""
        return {'W': ParameterSpec((input_depth, self.nb_kernel, *self.window), self.init)}

    def embedded_inputs(self, input_shape: Shape) -> EmbeddedInputs:
        return {'0': (self.activation, self.output_shape(input_shape))} if is_layer(self.activation) else {}

    def kernels(self) -> Any:
        """Return the kernels, ``(input_depth, nb_kernel, *window)``."""
        return self.W

    def convolve(self, x: Any) -> Any:
        """Compute the sums of products."""
        # Transform the kernels instead of `x`, which may remember the layout that the backend convolves.
        kernels = self.require_min_lengths(self.kernels(), x)
        return B.conv(x, kernels, self.per_axis(self.strides), self.pad, self.per_axis(self.dilation), self.data_format)

    def output(self, x: Any) -> Any:
        y = self.convolve(x)
        y = B.add_bias(y, self.b, self.data_format) if self.bias else y
        # output_mask() decides about the mask, even if the activation is a layer.
        return self.activation(annotate(y, features=self.features, mask=None))

    def output_shape(self, input_shape: Shape) -> Shape:
        axes = zip(self.lengths(input_shape), self.window, self.per_axis(self.strides), self.per_axis(self.dilation))
        lengths = [None if n is None else output_length(n, k, s, self.pad, d) for n, k, s, d in axes]
        return self.with_lengths(input_shape, lengths, self.nb_kernel)


@builtin('layer')
class Convolution1D(ConvolutionBase):
    """Convolve series along time: ``activation(conv(x, W) + b)``.

    Output t of kernel k is the sum over i and c of ``W[0, k, i, c] * x[t * strides + i * dilation, c]``, ``+ b[k]``.
    Kernels are not flipped.

    Parameters
    ----------
    nb_kernel : int
        Number of kernels.
    kernel_row : int
        Number of time steps that a kernel covers.
    strides : int
        Time steps between windows.
    pad : {'valid', 'same'}
        Whether windows lie inside the series, or zeros are added around it to make ``ceil(time / strides)`` windows;
        an odd zero goes to the end.
    bias : bool
        Whether to add a bias `b`.
    init : str or function
        Initialization of `W`.
    activation : str or function
        Activation of the output.
    dilation : int
        Time steps between the rows of a kernel.
    data_format : {'channels_last', 'channels_first'}
        The layout; channels come last by default, as in every other layer for series.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, time, input_dim)``
    output : ``(batch, windows, nb_kernel)``
    W : ``(1, nb_kernel, kernel_row, input_dim)``, in either format
    b : ``(nb_kernel,)``
    mask : True for windows in which all steps count. With ``pad='same'`` it is that of the input, and masked steps are
    0, like those beyond the ends; with `strides` above 1 as well, or with the channels first, it is lost

    References
    ----------
    .. [1] A. Waibel, T. Hanazawa, G. Hinton, K. Shikano and K. J. Lang, "Phoneme recognition using time-delay neural
       networks", IEEE Transactions on Acoustics, Speech, and Signal Processing, 1989.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Convolution1D(8, 3, strides=2)(Input((20, 4))).shape
    (None, 9, 8)
    """

    nb_spatial = 1
    window_arguments = ('kernel_row',)

    @renamed(stride='strides')
    def __init__(self, nb_kernel: PositiveInt, kernel_row: PositiveInt, strides: PositiveInt = 1, pad: Border = 'valid',
                 bias: bool = True, init: Initialization = 'uniform', activation: ActivationLike = 'linear',
                 dilation: PositiveInt = 1, data_format: DataFormat = 'channels_last', **kwargs: Any):
        super().__init__(nb_kernel, pad, bias, init, activation, data_format, **kwargs)
        self.kernel_row = kernel_row
        self.strides = strides
        self.dilation = dilation

    def kernel_specs(self, input_depth: Any) -> Dict[str, ParameterSpec]:
        # The shape of the first Keraflow, whose kernels were images as wide as the input.
        return {'W': ParameterSpec((1, self.nb_kernel, self.kernel_row, input_depth), self._initial_kernels)}

    def _initial_kernels(self, shape: Sequence[int]) -> np.ndarray:
        """Initial values of the kernels, which are drawn as those of other convolutions."""
        values = initializations.values_of(self.init, (shape[3], shape[1], shape[2]), f'{self.name}: W')
        return np.transpose(values, (1, 2, 0))[None]

    def kernels(self) -> Any:
        return B.transpose(self.W[0], (2, 0, 1))

    def output(self, x: Any, *, mask: Any = None) -> Any:
        return super().output(x if mask is None else B.where(expand_mask(mask, x), x, 0.))

    @property
    def reads_mask(self) -> bool:
        return self.is_series and self.pad == 'same' and self.strides == 1

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        if self.reads_mask:
            return input_mask
        if not self.is_series or self.pad == 'same':
            return None
        counted = counted_in_windows(input_mask, self.kernel_row, self.strides, self.pad, self.dilation)
        return B.greater(counted, self.kernel_row - 0.5)    # all steps of the window count; counts are reals


@builtin('layer')
class Convolution2D(ConvolutionBase):
    """Convolve images: ``activation(conv(x, W) + b)``.

    Output (r, s) of kernel k is the sum over c, i and j of ``W[c, k, i, j]`` times ``x[c, r * strides[0] + i *
    dilation[0], s * strides[1] + j * dilation[1]]``, ``+ b[k]``. Kernels are not flipped.

    Parameters
    ----------
    nb_kernel : int
        Number of kernels.
    kernel_row, kernel_col : int
        Size of a kernel.
    strides : int or sequence of int
        Pixels between windows.
    pad : {'valid', 'same'}
        Whether windows lie inside the image, or zeros are added around it to make ``ceil(rows / strides[0])`` rows
        of windows; an odd zero goes to the end.
    bias : bool
        Whether to add a bias `b`.
    init : str or function
        Initialization of `W`.
    activation : str or function
        Activation of the output.
    dilation : int or sequence of int
        Pixels between the cells of a kernel.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, input_depth, rows, cols)``, or ``(batch, rows, cols, input_depth)`` with the channels last
    output : ``(batch, nb_kernel, new_rows, new_cols)``, or with the channels last
    W : ``(input_depth, nb_kernel, kernel_row, kernel_col)``, in either format
    b : ``(nb_kernel,)``

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
       Proceedings of the IEEE, 1998.
    .. [2] F. Yu and V. Koltun, "Multi-scale context aggregation by dilated convolutions", ICLR, 2016.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Convolution2D(8, 3, 3, pad='same', activation='relu')(Input((1, 28, 28))).shape
    (None, 8, 28, 28)
    """

    nb_spatial = 2
    window_arguments = ('kernel_row', 'kernel_col')

    def __init__(self, nb_kernel: PositiveInt, kernel_row: PositiveInt, kernel_col: PositiveInt,
                 strides: Strides = (1, 1), pad: Border = 'valid', bias: bool = True,
                 init: Initialization = 'glorot_uniform', activation: ActivationLike = 'linear',
                 dilation: Strides = (1, 1), data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(nb_kernel, pad, bias, init, activation, data_format, **kwargs)
        self.check_per_axis(strides=strides, dilation=dilation)
        self.kernel_row = kernel_row
        self.kernel_col = kernel_col
        self.strides = strides
        self.dilation = dilation


@builtin('layer')
class Convolution3D(ConvolutionBase):
    """Convolve volumes, like :class:`Convolution2D` does images.

    Parameters
    ----------
    nb_kernel : int
        Number of kernels.
    kernel_x, kernel_y, kernel_z : int
        Size of a kernel.
    strides : int or sequence of int
        Cells between windows.
    pad : {'valid', 'same'}
        As for :class:`Convolution2D`.
    bias : bool
        Whether to add a bias `b`.
    init : str or function
        Initialization of `W`.
    activation : str or function
        Activation of the output.
    dilation : int or sequence of int
        Cells between those of a kernel.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, input_depth, x, y, z)``, or ``(batch, x, y, z, input_depth)`` with the channels last
    output : ``(batch, nb_kernel, new_x, new_y, new_z)``, or with the channels last
    W : ``(input_depth, nb_kernel, kernel_x, kernel_y, kernel_z)``, in either format
    b : ``(nb_kernel,)``

    References
    ----------
    .. [1] S. Ji, W. Xu, M. Yang and K. Yu, "3D convolutional neural networks for human action recognition", IEEE
       Transactions on Pattern Analysis and Machine Intelligence, 2013.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Convolution3D(4, 2, 3, 3)(Input((1, 8, 9, 9))).shape
    (None, 4, 7, 7, 7)
    """

    nb_spatial = 3
    window_arguments = ('kernel_x', 'kernel_y', 'kernel_z')

    def __init__(self, nb_kernel: PositiveInt, kernel_x: PositiveInt, kernel_y: PositiveInt, kernel_z: PositiveInt,
                 strides: Strides = (1, 1, 1), pad: Border = 'valid', bias: bool = True,
                 init: Initialization = 'glorot_uniform', activation: ActivationLike = 'linear',
                 dilation: Strides = (1, 1, 1), data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(nb_kernel, pad, bias, init, activation, data_format, **kwargs)
        self.check_per_axis(strides=strides, dilation=dilation)
        self.kernel_x = kernel_x
        self.kernel_y = kernel_y
        self.kernel_z = kernel_z
        self.strides = strides
        self.dilation = dilation
