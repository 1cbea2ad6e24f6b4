"""Layers that normalize values to mean 0 and variance 1."""
from typing import Annotated, Any, List, Optional, Tuple, Union

from keraflow import backend as B
from keraflow import initializations
from keraflow.arguments import to_list
from keraflow.backend.contract import TensorSpec
from keraflow.graph.counted import expand_mask
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.masks import counted_samples, joint_mask
from keraflow.layers.base.planned import ParameterSpec, ParameterSpecs
from keraflow.layers.shaping import FeatureAxisLayer
from keraflow.registry import builtin
from keraflow.schema import Initialization, PositiveFloat, Rate
from keraflow.schema.marks import Rule
from keraflow.shapes import Shape

__all__ = ['BatchNormalization', 'LayerNormalization']

_SomeAxes = Union[int, Annotated[List[int], Rule('a list of at least one integer', bool, (('minItems', 1),))]]


class _Normalization(FeatureAxisLayer):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, where `gamma` and `beta` have the lengths of `axis`."""

    include_batch_dim = False
    supports_masking = True
    gamma: Any = None
    beta: Any = None

    def __init__(self, axis: Optional[_SomeAxes], epsilon: PositiveFloat, gamma_init: Initialization,
                 beta_init: Initialization, scale: bool, center: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon
        self.gamma_init = initializations.get(gamma_init)
        self.beta_init = initializations.get(beta_init)
        self.scale = scale
        self.center = center

    @property
    def input_spec(self) -> InputSpec:  # type: ignore[override]
        # Where the features are, if they are normalized, is known by the shape.
        return InputSpec(min_ndim=2) if self.axis is None else _fixed(to_list(self.axis))

    def check_input_shape(self, input_shape: Shape) -> None:
        if self.axis is None and self.knows_axes(input_shape):
            first = self._first_run.specs[0] if self.built else None
            _fixed([self.features(input_shape)]).check(self.name, TensorSpec(input_shape, ''), first)

    def _lengths(self, shape: Shape) -> Tuple[Any, ...]:
        return tuple(shape[place] for place in self.axes(shape))

    def param_specs(self, input_shape: Shape) -> ParameterSpecs:
        if not self.knows_axes(input_shape):
            return None
        wanted = {'gamma': self.scale and self.gamma_init, 'beta': self.center and self.beta_init}
        return {name: ParameterSpec(self._lengths(input_shape), init) for name, init in wanted.items() if init}

    def normalize(self, x: Any, mean: Any, variance: Any) -> Any:
        """Normalize, scale and shift, given moments that broadcast."""
        factor = 1. / B.sqrt(variance + self.epsilon)
        # Functions instead of operators on x, because of the layout that a backend may keep for images.
        y = B.multiply(B.subtract(x, mean), factor * self.spread(self.gamma, x) if self.scale else factor)
        return B.add(y, self.spread(self.beta, x)) if self.center else y

    def spread(self, parameter: Any, x: Any) -> Any:
        """Give a parameter an axis of length 1 for each other axis of `x`."""
        axes = self.axes_of(x)
        return B.reshape(parameter, [length if axis in axes else 1
                                     for axis, length in enumerate(self.get_tensor_shape(x))])

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


def _fixed(axes: List[int]) -> InputSpec:
    """Return the spec of an input with axes whose lengths are those of parameters."""
    # A negative axis may not reach the batch.
    return InputSpec(min_ndim=1 - min(0, *axes), fixed=[axis + 1 if axis >= 0 else axis for axis in axes])


@builtin('layer')
class BatchNormalization(_Normalization):
    """Normalize each feature over the batch to mean `beta` and standard deviation `gamma`.

    ``gamma * (x - mean) / sqrt(variance + epsilon) + beta``. In training, mean and variance are those of the batch,
    over all axes except `axis`, with the variance divided by n. Each training step updates the moving statistics,
    ``moving = momentum * moving + (1 - momentum) * batch``, once for each call of a shared layer. Every other phase
    uses the moving statistics.

    With ``trainable=False``, of the layer or of a layer that contains it, training uses the moving statistics, too, and
    does not change them. Masked steps do not contribute, even inside a :class:`~keraflow.layers.TimeDistributed`.

    Parameters
    ----------
    axis : int, optional
        The axis to normalize separately, counted from the first axis after the batch, or from the end if negative. By
        default the features: the last axis of vectors and sequences, and the channels of images, wherever the layers
        before have them (first if unknown).
    momentum : float
        The fraction of the moving statistics kept in each step, at least 0 and below 1.
    epsilon : float
        Added to the variance, so that constant features do not divide by 0.
    gamma_init, beta_init : str or function
        Initializations.
    scale, center : bool
        Whether to scale by `gamma` and shift by `beta`.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : ``(batch, ...)``, the same
    gamma, beta, moving_mean, moving_variance : ``(length of axis,)``

    Raises
    ------
    ShapeError
        If the length of `axis` is unknown, or not the one that the layer was built for.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by reducing internal
       covariate shift", ICML, 2015.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> layer = BatchNormalization()
    >>> layer(Input((3, 8, 8))).shape
    (None, 3, 8, 8)
    >>> sorted(layer.get_weights())
    ['beta', 'gamma', 'moving_mean', 'moving_variance']
    """

    predicts_without = frozenset({'momentum'})
    moving_mean: Any
    moving_variance: Any

    def __init__(self, axis: Optional[int] = None, momentum: Rate = 0.99, epsilon: PositiveFloat = 1e-3,
                 gamma_init: Initialization = 'one', beta_init: Initialization = 'zero', scale: bool = True,
                 center: bool = True, **kwargs: Any):
        super().__init__(axis, epsilon, gamma_init, beta_init, scale, center, **kwargs)
        self.momentum = momentum

    def param_specs(self, input_shape: Shape) -> ParameterSpecs:
        specs = super().param_specs(input_shape)
        if specs is None:
            return None
        lengths = self._lengths(input_shape)
        return {**specs, 'moving_mean': ParameterSpec(lengths, 'zero', trainable=False),
                'moving_variance': ParameterSpec(lengths, 'one', trainable=False)}

    def output(self, x: Any, *, mask: Any = None) -> Any:
        if B.current_phase() != 'train' or self.is_frozen:
            return self.normalize(x, self.spread(self.moving_mean, x), self.spread(self.moving_variance, x))
        [features] = self.axes_of(x)
        axes = [axis for axis in range(B.ndim(x)) if axis != features]
        counted = _counted(x, mask)
        mean, variance = _moments(x, axes, counted)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            before = self.pending_value(moving)
            moved = before * self.momentum + B.squeeze_axes(batch, axes) * (1. - self.momentum)
            # A batch in which no value counts leaves the moving statistics alone.
            moved = moved if counted is None else B.where(B.any(counted, axes), moved, before)
            self.add_update(moving, moved, inputs=x)
        return self.normalize(x, mean, variance)


def _counted(x: Any, steps: Any) -> Any:
    """Return True where a value of `x`, whose mask is `steps`, contributes; ``None`` if all do."""
    samples = counted_samples()
    mask = joint_mask([steps, samples if steps is None or samples is None else B.expand_dims(samples, 1)])
    if mask is None:
        return None
    return B.logical_and(expand_mask(mask, x), B.ones_like(x, 'bool'))


def _moments(x: Any, axes: List[int], counted: Any = None) -> Tuple[Any, Any]:
    """Return mean and variance over some axes, kept with length 1; of the values that are `counted`, or of all."""
    if counted is None:
        mean = B.mean(x, axes, keepdims=True)
        # The mean of squares minus the square of the mean would lose digits.
        return mean, B.mean(B.square(B.subtract(x, mean)), axes, keepdims=True)
    count = B.maximum(B.sum(counted, axes, keepdims=True), 1)   # perhaps none counts
    mean = B.divide(B.sum(B.where(counted, x, 0.), axes, keepdims=True), count)
    squares = B.where(counted, B.square(B.subtract(x, mean)), 0.)
    return mean, B.divide(B.sum(squares, axes, keepdims=True), count)


@builtin('layer')
class LayerNormalization(_Normalization):
    """Normalize each sample (each step of a sequence) to mean 0 and variance 1 along some axes, then scale and shift.

    ``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, with the variance divided by n; the same in all phases.

    Parameters
    ----------
    axis : int or sequence of int, optional
        The axes of mean and variance, counted from the first axis after the batch, or from the end if negative. By
        default the features, as for :class:`BatchNormalization`.
    epsilon : float
        Added to the variance.
    gamma_init, beta_init : str or function
        Initializations.
    scale, center : bool
        Whether to scale by `gamma` and shift by `beta`.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : ``(batch, ...)``, the same
    gamma, beta : the lengths of `axis`

    Raises
    ------
    ShapeError
        If a length of `axis` is unknown, or not the one that the layer was built for.

    References
    ----------
    .. [1] J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv:1607.06450, 2016.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> LayerNormalization()(Input((None, 8))).shape
    (None, None, 8)
    """

    def __init__(self, axis: Optional[_SomeAxes] = None, epsilon: PositiveFloat = 1e-5,
                 gamma_init: Initialization = 'one', beta_init: Initialization = 'zero', scale: bool = True,
                 center: bool = True, **kwargs: Any):
        super().__init__(axis, epsilon, gamma_init, beta_init, scale, center, **kwargs)

    def output(self, x: Any) -> Any:
        return self.normalize(x, *_moments(x, self.axes_of(x)))
