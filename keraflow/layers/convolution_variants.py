"""Convolutions that enlarge images, or that process channels separately."""
from typing import Any, Dict, Sequence

from keraflow import backend as B
from keraflow.backend.windows import transposed_length
from keraflow.layers.base.planned import ParameterSpec
from keraflow.layers.convolutional import ConvolutionBase
from keraflow.layers.spatial import Border, DataFormat, Strides
from keraflow.registry import builtin
from keraflow.schema import Activation as ActivationLike
from keraflow.schema import Initialization, PositiveInt
from keraflow.shapes import Shape, product

__all__ = ['Deconvolution2D', 'SeparableConvolution2D']


@builtin('layer')
class Deconvolution2D(ConvolutionBase):
    """Transposed convolution: each pixel adds a kernel times its value to the output.

    It computes the gradient of a :class:`Convolution2D`, and enlarges images by its strides.

    Parameters
    ----------
    nb_kernel : int
        Number of kernels, which is the number of channels of the output.
    kernel_row, kernel_col : int
        Size of a kernel.
    strides : int or sequence of int
        Pixels of the output for each pixel of the input.
    pad : {'valid', 'same'}
        Whether the output is everything the kernels reach, ``(rows - 1) * strides[0] + kernel_row`` rows, or the middle
        ``rows * strides[0]`` of that.
    bias : bool
        Whether to add a bias `b`.
    init : str or function
        Initialization of `W`.
    activation : str or function
        Activation of the output.
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
    .. [1] M. D. Zeiler, D. Krishnan, G. W. Taylor and R. Fergus, "Deconvolutional networks", CVPR, 2010.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Deconvolution2D(1, 3, 3, strides=2, pad='same')(Input((8, 14, 14))).shape
    (None, 1, 28, 28)
    """

    nb_spatial = 2
    window_arguments = ('kernel_row', 'kernel_col')

    def __init__(self, nb_kernel: PositiveInt, kernel_row: PositiveInt, kernel_col: PositiveInt,
                 strides: Strides = (1, 1), pad: Border = 'valid', bias: bool = True,
                 init: Initialization = 'glorot_uniform', activation: ActivationLike = 'linear',
                 data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(nb_kernel, pad, bias, init, activation, data_format, **kwargs)
        self.check_per_axis(strides=strides)
        self.kernel_row = kernel_row
        self.kernel_col = kernel_col
        self.strides = strides

    @property
    def min_lengths(self) -> Sequence[int]:
        return (1, 1)       # one pixel is enough

    def convolve(self, x: Any) -> Any:
        return B.conv_transpose(x, self.W, self.per_axis(self.strides), self.pad, self.data_format)

    def output_shape(self, input_shape: Shape) -> Shape:
        axes = zip(self.lengths(input_shape), self.window, self.per_axis(self.strides))
        lengths = [None if n is None else transposed_length(n, k, s, self.pad) for n, k, s in axes]
        return self.with_lengths(input_shape, lengths, self.nb_kernel)


@builtin('layer')
class SeparableConvolution2D(ConvolutionBase):
    """Convolution in two steps: over each channel separately, then over all channels of each pixel.

    It needs fewer multiplications than a :class:`Convolution2D` with kernels of the same size.

    Parameters
    ----------
    nb_kernel : int
        Number of channels of the output.
    kernel_row, kernel_col : int
        Size of a kernel of the first step.
    strides : int or sequence of int
        Strides of the first step.
    pad : {'valid', 'same'}
        As for :class:`Convolution2D`, in the first step.
    bias : bool
        Whether to add a bias `b`.
    init : str or function
        Initialization of `W_depth` and `W_point`.
    activation : str or function
        Applied to the sum of the second step.
    depth_multiplier : int
        Number of kernels for each channel in the first step.
    dilation : int or sequence of int
        Dilation of the first step.
    data_format : {'channels_first', 'channels_last'}
        Whether the channels come first or last.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, input_depth, rows, cols)``, or ``(batch, rows, cols, input_depth)`` with the channels last
    output : ``(batch, nb_kernel, new_rows, new_cols)``, or with the channels last
    W_depth : ``(input_depth, depth_multiplier, kernel_row, kernel_col)``, in either format
    W_point : ``(input_depth * depth_multiplier, nb_kernel, 1, 1)``
    b : ``(nb_kernel,)``

    References
    ----------
    .. [1] F. Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR, 2017.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> layer = SeparableConvolution2D(8, 3, 3)
    >>> layer(Input((4, 10, 10))).shape
    (None, 8, 8, 8)
    >>> sorted(layer.get_weights())
    ['W_depth', 'W_point', 'b']
    """

    nb_spatial = 2
    window_arguments = ('kernel_row', 'kernel_col')
    W_depth: Any
    W_point: Any

    def __init__(self, nb_kernel: PositiveInt, kernel_row: PositiveInt, kernel_col: PositiveInt,
                 strides: Strides = (1, 1), pad: Border = 'valid', bias: bool = True,
                 init: Initialization = 'glorot_uniform', activation: ActivationLike = 'linear',
                 depth_multiplier: PositiveInt = 1, dilation: Strides = (1, 1),
                 data_format: DataFormat = 'channels_first', **kwargs: Any):
        super().__init__(nb_kernel, pad, bias, init, activation, data_format, **kwargs)
        self.check_per_axis(strides=strides, dilation=dilation)
        self.kernel_row = kernel_row
        self.kernel_col = kernel_col
        self.strides = strides
        self.depth_multiplier = depth_multiplier
        self.dilation = dilation

    def kernel_specs(self, input_depth: Any) -> Dict[str, ParameterSpec]:
        between = product((input_depth, self.depth_multiplier))
        return {'W_depth': ParameterSpec((input_depth, self.depth_multiplier, *self.window), self.init),
                'W_point': ParameterSpec((between, self.nb_kernel, 1, 1), self.init)}

    def convolve(self, x: Any) -> Any:
        kernels = self.require_min_lengths(self.W_depth, x)
        y = B.depthwise_conv(x, kernels, self.per_axis(self.strides), self.pad, self.per_axis(self.dilation),
                             self.data_format)
        return B.conv(y, self.W_point, data_format=self.data_format)
