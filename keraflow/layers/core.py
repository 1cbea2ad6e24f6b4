"""Dense layers, and everyday layers without weights."""
from typing import Any, Callable, Dict, Optional, Sequence, Union

import numpy as np

import keraflow.backend.pure_operations  # noqa: F401 (fills the registry)
from keraflow import activations
from keraflow import backend as B
from keraflow import initializations
from keraflow.layers.base import Layer
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.kept_values import is_layer
from keraflow.layers.base.planned import EmbeddedInputs, ParameterSpec, ParameterSpecs
from keraflow.owned import owned
from keraflow.registry import builtin
from keraflow.schema import Activation as ActivationLike
from keraflow.schema import Finite, Function, Initialization, PositiveInt, Rate
from keraflow.serialization.sketching import is_sketching
from keraflow.shapes import Shape

__all__ = ['Activation', 'Dense', 'Dropout', 'Highway', 'Lambda', 'VECTOR']


#: One vector for each sample; the parameters depend on its length.
VECTOR = InputSpec(axes=('batch', 'input_dim'), fixed=(1,),
                   advice='Put a Flatten() before it, or run it on each step with TimeDistributed(...).')


@builtin('layer')
class Dense(Layer):
    """Fully connected: ``activation(x @ W + b)``.

    Parameters
    ----------
    output_dim : int
        Number of units.
    init : str or function
        Initialization of `W`.
    activation : str, function or Layer
        Activation of the output.
    bias : bool
        Whether to add a bias `b`.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, input_dim)``
    output : ``(batch, output_dim)``
    W : ``(input_dim, output_dim)``
    b : ``(output_dim,)``

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Dense(3, activation='relu')(Input(4)).shape
    (None, 3)
    """

    input_spec = VECTOR
    W: Any
    b: Any = None

    def __init__(self, output_dim: PositiveInt, init: Initialization = 'glorot_uniform',
                 activation: ActivationLike = 'linear', bias: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.output_dim = output_dim
        self.init = initializations.get(init)
        self.activation = activations.get(activation)
        self.bias = bias

    def param_specs(self, input_shape: Shape) -> ParameterSpecs:
        W = ParameterSpec((input_shape[1], self.output_dim), self.init)
        return {'W': W, 'b': ParameterSpec((self.output_dim,))} if self.bias else {'W': W}

    def embedded_inputs(self, input_shape: Shape) -> EmbeddedInputs:
        return {'0': (self.activation, self.output_shape(input_shape))} if is_layer(self.activation) else {}

    def output(self, x: Any) -> Any:
        y = B.dot(x, self.W)
        return self.activation(y + self.b if self.bias else y)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.output_dim)


@builtin('layer')
class Highway(Layer):
    """Mix a transformation of the input with the input by a gate: ``t * activation(x @ W + b) + (1 - t) * x``.

    The gate is ``t = sigmoid(x @ W_carry + b_carry)``.

    Parameters
    ----------
    transform_bias : float
        Initial value of `b_carry`. Below zero the layer initially passes its input through.
    init : str or function
        Initialization of `W` and `W_carry`.
    activation : str, function or Layer
        Activation of the transformation.
    bias : bool
        Whether to add the biases `b` and `b_carry`.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : ``(batch, input_dim)``
    W, W_carry : ``(input_dim, input_dim)``
    b, b_carry : ``(input_dim,)``

    References
    ----------
    .. [1] R. K. Srivastava, K. Greff and J. Schmidhuber, "Highway networks", arXiv:1505.00387, 2015.
    """

    input_spec = VECTOR
    W: Any
    W_carry: Any
    b: Any = None
    b_carry: Any = None

    def __init__(self, transform_bias: Finite = -2, init: Initialization = 'glorot_uniform',
                 activation: ActivationLike = 'linear', bias: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.transform_bias = transform_bias
        self.init = initializations.get(init)
        self.activation = activations.get(activation)
        self.bias = bias

    def param_specs(self, input_shape: Shape) -> ParameterSpecs:
        dim = input_shape[1]
        specs = dict.fromkeys(('W', 'W_carry'), ParameterSpec((dim, dim), self.init))
        if self.bias:
            specs['b'] = ParameterSpec((dim,))
            specs['b_carry'] = ParameterSpec((dim,), lambda shape: np.full(shape, float(self.transform_bias)))
        return specs

    def embedded_inputs(self, input_shape: Shape) -> EmbeddedInputs:
        return {'0': (self.activation, input_shape)} if is_layer(self.activation) else {}

    def output(self, x: Any) -> Any:
        transformed, gate = B.dot(x, self.W), B.dot(x, self.W_carry)
        if self.bias:
            transformed, gate = transformed + self.b, gate + self.b_carry
        gate = B.sigmoid(gate)
        return gate * self.activation(transformed) + (1 - gate) * x

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


@builtin('layer')
class Activation(Layer):
    """An activation as a layer.

    Parameters
    ----------
    activation : str, function or Layer
        A name (``'relu'``), or a function of a tensor that keeps its shape.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : any, the same
    """

    supports_masking = True

    def __init__(self, activation: ActivationLike, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def output(self, x: Any) -> Any:
        return self.activation(x)

    @property
    def _places_features(self) -> bool:  # type: ignore[override]
        return not is_layer(self.activation)

    def output_shape(self, input_shape: Shape) -> Optional[Shape]:
        return self.activation.output_shape(input_shape) if is_layer(self.activation) else input_shape

    def embedded_inputs(self, input_shape: Shape) -> EmbeddedInputs:
        return {'0': (self.activation, input_shape)} if is_layer(self.activation) else {}


@builtin('layer')
class Dropout(Layer):
    """In training, set each value to 0 with probability `drop_rate` and divide the others by ``1 - drop_rate``.

    In every other phase it does nothing, and is not even part of the function.

    Parameters
    ----------
    drop_rate : float
        At least 0 and below 1.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : any, the same

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", Journal of Machine
       Learning Research, 2014.
    """

    acts_only_in_training = True
    supports_masking = True

    def __init__(self, drop_rate: Rate, **kwargs: Any):
        super().__init__(**kwargs)
        self.drop_rate = drop_rate

    def output(self, x: Any) -> Any:
        x, drop = B.as_real(x), self.drop_rate and B.current_phase() == 'train'
        return B.dropout(x, self.drop_rate, self.noise_shape(x)) if drop else x

    def noise_shape(self, x: Any) -> Any:
        """Return the shape of the mask, which is broadcast; ``None`` for that of `x`."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


@builtin('layer')
class Lambda(Layer):
    """A function of a tensor as a layer.

    Parameters
    ----------
    output_fn : function
        Takes the input tensor (and `arguments` by name) and returns the output tensor. To save the model, define it
        with ``def`` and put ``@keraflow.register`` above it.
    output_shape_fn : sequence or function, optional
        Shape of one sample of the output, without the batch; or a function from input shape to output shape, both with
        the batch. By default inferred from `output_fn`.
    arguments : dict, optional
        Further arguments of `output_fn`: numbers, strings, lists.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : any
    output : that of the result of `output_fn`

    Examples
    --------
    >>> from keraflow import backend as B
    >>> from keraflow.layers import Input
    >>> Lambda(lambda x: B.sum(x, axis=2))(Input((3, 4))).shape
    (None, 3)
    """

    _places_features = False

    def __init__(self, output_fn: Callable, output_shape_fn: Union[None, Sequence[Optional[int]], Function] = None,
                 arguments: Optional[Dict[str, Any]] = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.output_fn = output_fn
        self.output_shape_fn = output_shape_fn
        self.arguments = arguments

    def output(self, x: Any) -> Any:
        return self.output_fn(x, **owned(self.arguments or {}))     # which it may modify

    def output_shape(self, input_shape: Shape) -> Optional[Shape]:
        # While a file is checked, no function of the program is called.
        if self.output_shape_fn is None or callable(self.output_shape_fn) and is_sketching():
            return None
        if callable(self.output_shape_fn):
            return self.output_shape_fn(input_shape)
        return (input_shape[0], *self.output_shape_fn)

    def embedded_inputs(self, input_shape: Shape) -> None:
        return None     # the function may call layers
