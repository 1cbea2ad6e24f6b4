"""Activations with parameters."""
from typing import Any, Optional, Sequence

import numpy as np

from keraflow import backend as B
from keraflow import initializations
from keraflow.errors import ShapeError
from keraflow.layers.base import Layer
from keraflow.layers.base.planned import ParameterSpec, ParameterSpecs
from keraflow.layers.core import VECTOR
from keraflow.layers.shaping import AxisLayer
from keraflow.registry import builtin
from keraflow.schema import Axes, Initialization, PositiveInt
from keraflow.shapes import Shape

__all__ = ['Maxout', 'PReLU']


@builtin('layer')
class PReLU(AxisLayer):
    """Rectifier with a learned slope below zero: ``x`` above zero and ``alpha * x`` below.

    Parameters
    ----------
    init : str or function
        Initialization of `alpha`.
    shared_axes : int or sequence of int, optional
        Axes along which `alpha` is shared, counted from the first axis after the batch, or from the end if negative:
        ``(1, 2)`` gives each channel of an image (channels first) one slope. Required for axes of unknown length.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : ``(batch, ...)``, the same
    alpha : that of a sample, with length 1 for each shared axis

    Raises
    ------
    ShapeError
        If a length is unknown and its axis is not shared.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers: surpassing human-level performance on
       ImageNet classification", ICCV, 2015.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> layer = PReLU(shared_axes=(1, 2))
    >>> layer(Input((3, 8, 8))).shape
    (None, 3, 8, 8)
    >>> layer.get_weights()['alpha'].shape
    (3, 1, 1)
    """

    include_batch_dim = False
    supports_masking = True
    alpha: Any

    def __init__(self, init: Initialization = 'zero', shared_axes: Optional[Axes] = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.init = initializations.get(init)
        self.shared_axes = shared_axes

    def _alpha_shape(self, input_shape: Shape) -> Shape:
        axes = [self.shared_axes] if isinstance(self.shared_axes, int) else self.shared_axes or []
        shared = [self.position(axis, len(input_shape)) for axis in axes]
        return tuple(1 if place in shared else length for place, length in enumerate(input_shape) if place > 0)

    def check_input_shape(self, input_shape: Shape) -> None:
        wanted = self._alpha_shape(input_shape)
        if None in wanted:
            raise ShapeError(f'{self.name}: expected an input whose lengths are known but for the batch and '
                             f'shared_axes, received shape {input_shape}. Put the axes of unknown length into '
                             'shared_axes.')
        if 'alpha' in self._parameters and B.static_shape(self.alpha) != wanted:
            raise ShapeError(f'{self.name}: expected an input that fits alpha of shape {B.static_shape(self.alpha)}, '
                             f'received shape {input_shape}. Make another layer for this one.')

    def param_specs(self, input_shape: Shape) -> ParameterSpecs:
        return {'alpha': ParameterSpec(self._alpha_shape(input_shape), self.init)}

    def output(self, x: Any) -> Any:
        return B.where(B.greater(x, 0), x, B.multiply(x, self.alpha))

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


@builtin('layer')
class Maxout(Layer):
    """The largest of several affine functions: ``max over k of (x @ W_k + b_k)``.

    Parameters
    ----------
    output_dim : int
        Number of units.
    nb_feature : int
        The number of functions for each unit.
    init : str or function
        Initialization of each `W_k`.
    bias : bool
        Whether to add a bias `b`.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, input_dim)``
    output : ``(batch, output_dim)``
    W : ``(input_dim, nb_feature * output_dim)``, the `W_k` side by side
    b : ``(nb_feature * output_dim,)``

    References
    ----------
    .. [1] I. J. Goodfellow, D. Warde-Farley, M. Mirza, A. Courville and Y. Bengio, "Maxout networks", ICML, 2013.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Maxout(3, nb_feature=2)(Input(4)).shape
    (None, 3)
    """

    input_spec = VECTOR
    W: Any
    b: Any = None

    def __init__(self, output_dim: PositiveInt, nb_feature: PositiveInt = 4, init: Initialization = 'glorot_uniform',
                 bias: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.output_dim = output_dim
        self.nb_feature = nb_feature
        self.init = initializations.get(init)
        self.bias = bias

    def param_specs(self, input_shape: Shape) -> ParameterSpecs:
        width = self.nb_feature * self.output_dim
        W = ParameterSpec((input_shape[1], width), self._initial_matrices)
        return {'W': W, 'b': ParameterSpec((width,))} if self.bias else {'W': W}

    def _nb_unrolled(self, input_shape: Any) -> int:
        return self.nb_feature

    def _initial_matrices(self, shape: Sequence[int]) -> np.ndarray:
        """Draw the initial values of each `W_k` separately."""
        return np.concatenate([initializations.values_of(self.init, (shape[0], self.output_dim), f'{self.name}: W')
                               for _ in range(self.nb_feature)], axis=1)

    def output(self, x: Any) -> Any:
        y = B.dot(x, self.W)
        y = y + self.b if self.bias else y
        return B.max(B.reshape(y, [-1, self.nb_feature, self.output_dim]), axis=1)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.output_dim)
