"""Layers that run another layer over time."""
from typing import Any, Dict, List, Literal, Optional

from keraflow import backend as B
from keraflow.arguments import to_list
from keraflow.backend.tensor_info import annotate, features_of, info_of
from keraflow.errors import ShapeError
from keraflow.files.limits import Limits
from keraflow.layers.base import Layer
from keraflow.layers.base.channels import PlacedShape, are_placed
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.masks import counted_samples, full_mask, joint_mask, running_on_parts, sample_count
from keraflow.registry import builtin
from keraflow.serialization import serialize, unserialize
from keraflow.shapes import Shape, is_shape, product, unlist

__all__ = ['Bidirectional', 'TimeDistributed']


#: Of what the program has built already, or what a file is planned with.
_NO_LIMITS = Limits(max_parameters=2 ** 62, max_objects=2 ** 62, max_unrolled=2 ** 62)


class _Wrapper(Layer):
    """A layer that wraps another, whose inputs it takes."""

    input_spec = InputSpec(min_ndim=2)
    _places_features = False

    def __init__(self, layer: Layer, **kwargs: Any):
        super().__init__(**kwargs)
        self.layer = layer
        self.multi_input = layer.multi_input

    @property
    def input_range(self) -> Any:
        """The integers that the input of the wrapped layer may hold; None if it does not say."""
        return getattr(self.layer, 'input_range', None)

    def check_input_shape(self, input_shape: Any) -> None:
        """Accept any: the wrapped layer checks its inputs."""

    def _shapes(self, input_shape: Any) -> List[Shape]:
        return list(input_shape) if self.multi_input else [input_shape]


@builtin('layer')
class TimeDistributed(_Wrapper):
    """Run a layer on each time step separately, with the same parameters.

    Time is folded into the batch, so that the layer runs once. A layer that computes over the samples of a batch, such
    as BatchNormalization, does so over all samples and time steps except masked ones. Its activity regularizer is the
    sum over these steps, divided by the number of samples.

    Parameters
    ----------
    layer : Layer
        Of any kind, with one output or several. It receives no mask.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, time, ...)``, where ``(batch, ...)`` is what `layer` takes; a list of such if it takes several
    output : ``(batch, time, ...)``, where ``(batch, ...)`` is the output of `layer`
    mask : that of the input

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> TimeDistributed(Dense(3))(Input((None, 4))).shape
    (None, None, 3)
    """

    supports_masking = True

    def check_input_shape(self, input_shape: Any) -> None:
        spec = self.layer.input_spec
        for shape in self._shapes(input_shape):
            if isinstance(spec, InputSpec) and len(shape) == 2 and spec.ranks[0] > 1:
                raise ShapeError(f'{self.name}: expected an input (batch, time, ...), whose steps '
                                 f'{type(self.layer).__name__} is run on, received shape {shape}. Use '
                                 f'{type(self.layer).__name__} by itself for an input without steps.')

    def output(self, x: Any, *, mask: Any = None) -> Any:
        inputs = x if self.multi_input else [x]
        batch, time = (length or B.shape(inputs[0])[axis]
                       for axis, length in enumerate(self.get_tensor_shape(inputs[0])[:2]))
        with running_on_parts(_counted(inputs, to_list(mask)), sample_count(inputs[0])):
            made = self.embed(self.layer)([self._folded(it) for it in inputs])
        return unlist([annotate(B.reshape(it, (batch, time, *self._lengths(it, 1))), features=features_of(it))
                       for it in to_list(made)])

    def _folded(self, x: Any) -> Any:
        folded = B.reshape(x, (-1, *self._lengths(x, 2)))
        # Otherwise it would inherit a mask of (batch, time) if its second axis happens to be as long as time.
        features = info_of(x).features
        if features is not None and B.ndim(folded) + features > 0:      # it was not mistaken for the time axis
            annotate(folded, features=features)
        return self.set_tensor_mask(folded, None)

    def _lengths(self, x: Any, first: int) -> List[Any]:
        """Return the lengths of the axes from number `first` on, unknown ones as scalars."""
        return [length or B.shape(x)[axis] for axis, length in enumerate(self.get_tensor_shape(x)) if axis >= first]

    def embedded_inputs(self, input_shape: Any) -> Dict[str, Any]:
        folded = list(map(_folded_shape, self._shapes(input_shape)))
        return {'0': (self.layer, folded if self.multi_input else folded[0])}

    def output_shape(self, input_shape: Any) -> Any:
        inner = self.layer.output_shape(self.embedded_inputs(input_shape)['0'][1])
        if inner is None:
            return None
        batch, time = self._shapes(input_shape)[0][:2]
        return unlist([_unfolded_shape(batch, time, shape) for shape in ([inner] if is_shape(inner) else inner)])


def _folded_shape(shape: Shape) -> Shape:
    folded = (product(shape[:2]), *shape[2:])
    if not isinstance(shape, PlacedShape):
        return folded
    # Not what was taken for the time axis.
    is_kept = shape.features is not None and len(folded) + shape.features > 0
    return PlacedShape(folded, shape.features if is_kept else None)


def _unfolded_shape(batch: Any, time: Any, shape: Shape) -> Shape:
    made = (batch, time, *shape[1:])
    return PlacedShape(made, -1 if shape.features is None else shape.features) if isinstance(shape, PlacedShape) \
        else made


def _counted(inputs: List[Any], masks: List[Any]) -> Any:
    """Return which of the samples that the steps become count, if some do not."""
    steps, samples = joint_mask(masks), counted_samples()
    if samples is not None:     # a wrapper in another wrapper
        steps = B.logical_and(full_mask(inputs[0]) if steps is None else steps, B.expand_dims(samples, 1))
    return None if steps is None else B.reshape(steps, (-1,))


@builtin('layer')
class Bidirectional(_Wrapper):
    """Run a layer, and a copy of it on the reversed sequence.

    The copy is made from the arguments of the layer and has its own parameters. If its output has a time axis (at least
    3 axes), that is reversed again, so that the time steps of both outputs match.

    Parameters
    ----------
    layer : Layer
        Takes a sequence, such as ``LSTM(8, return_sequences=True)``. If it takes initial states as further inputs,
        those of the copy follow those of the layer.
    merge_mode : {'concat', 'sum', 'mul', 'ave'} or None
        How to merge the outputs: concatenated along the last axis, summed, multiplied or averaged. ``None`` returns
        both.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : that of `layer`
    output : that of `layer`; the last axis is twice as long with ``'concat'``
    mask : that of the output of `layer`

    References
    ----------
    .. [1] M. Schuster and K. K. Paliwal, "Bidirectional recurrent neural networks", IEEE Transactions on Signal
       Processing, 1997.

    Examples
    --------
    >>> from keraflow.layers import Input, LSTM
    >>> Bidirectional(LSTM(4))(Input((None, 3))).shape
    (None, 8)
    """

    def __init__(self, layer: Layer, merge_mode: Optional[Literal['concat', 'sum', 'mul', 'ave']] = 'concat',
                 **kwargs: Any):
        super().__init__(layer, **kwargs)
        self.merge_mode = merge_mode
        self.backward_layer = unserialize(serialize(layer), limits=_NO_LIMITS)

    def output(self, x: Any, *, mask: Any = None) -> Any:
        sequence, *states = x if self.multi_input else [x]
        half = len(states) // 2
        forward = self.embed(self.layer)([sequence, *states[:half]])
        backward = self.embed(self.backward_layer)([self._reversed(sequence, to_list(mask)[0]), *states[half:]])
        if B.ndim(backward) > 2:
            backward = self._reversed(backward, info_of(backward).mask)
        if self.merge_mode is None:
            return [forward, backward]
        return self.set_tensor_mask(self._merged(forward, backward), info_of(forward).mask)

    def _reversed(self, x: Any, mask: Any) -> Any:
        reversed_x = annotate(B.flip(x, 1), features=info_of(x).features)
        return self.set_tensor_mask(reversed_x, None if mask is None else B.flip(mask, 1))

    def _merged(self, forward: Any, backward: Any) -> Any:
        if self.merge_mode == 'concat':
            return B.concatenate([forward, backward], -1)
        if self.merge_mode == 'mul':
            return forward * backward
        return forward + backward if self.merge_mode == 'sum' else (forward + backward) / 2

    def embedded_inputs(self, input_shape: Any) -> Dict[str, Any]:
        sequence, *states = self._shapes(input_shape)
        half = len(states) // 2
        fed = [[sequence, *states[:half]], [sequence, *states[half:]]] if self.multi_input else [sequence] * 2
        return dict(zip('01', zip((self.layer, self.backward_layer), fed)))

    def output_shape(self, input_shape: Any) -> Any:
        inner = self.layer.output_shape(self.embedded_inputs(input_shape)['0'][1])
        if inner is None:
            return None
        if self.merge_mode is None:
            return [inner, inner]
        made = (*inner[:-1], inner[-1] * (2 if self.merge_mode == 'concat' else 1))
        fed: List[Any] = self._shapes(input_shape)
        return PlacedShape(made, self._features_of(made, fed)) if are_placed(fed) else made
