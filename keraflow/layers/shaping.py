"""Layers that rearrange values without changing them.

Axes are counted from the first axis after the batch, as in ``Input``, unless ``include_batch_dim=True``.
"""
from typing import Any, Dict, List, Optional, Sequence

from keraflow import backend as B
from keraflow import shapes
from keraflow.arguments import to_list
from keraflow.backend.tensor_info import info_of
from keraflow.deprecation import renamed
from keraflow.errors import ArgumentError, ShapeError, warn
from keraflow.layers.base import Layer
from keraflow.layers.base.channels import PlacedShape, feature_axis, inherited_features, seen_features
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.inputs import spec_of
from keraflow.registry import builtin
from keraflow.schema import PositiveInt
from keraflow.serialization import is_rebuilding
from keraflow.shapes import Shape

__all__ = ['AxisLayer', 'ExpandDims', 'FeatureAxisLayer', 'Flatten', 'PermuteDims', 'Repeat', 'Reshape']


class AxisLayer(Layer):
    """Layers with an `axis` and an `include_batch_dim`."""

    include_batch_dim: bool

    def position(self, axis: int, ndim: int) -> int:
        """Return the number of `axis` in a tensor of rank `ndim`, counted from the batch.

        Raises
        ------
        ShapeError
            If there is no such axis.
        """
        first = 0 if self.include_batch_dim else 1
        place = axis + first if axis >= 0 else axis + ndim
        if not first <= place < ndim:
            raise ShapeError(f'{self.name}: there is no axis {axis} in an input of rank {ndim} (with the batch). '
                             f'Choose one from {first - ndim} to {ndim - first - 1}.')
        return place


class FeatureAxisLayer(AxisLayer):
    """Layers whose `axis` is by default that of the features of the first input."""

    axis: Any

    def run(self, tensors: List[Any], arguments: Optional[Dict[str, Any]] = None) -> List[Any]:
        if not self.built:
            self._tell_of_other_axis(tensors)
        return super().run(tensors, arguments)

    def _tell_of_other_axis(self, tensors: List[Any]) -> None:
        """Warn of an axis of images that is not that of the channels, and was probably counted with the batch."""
        axes = [] if self.axis is None or self.include_batch_dim or is_rebuilding() else to_list(self.axis)
        for tensor in tensors[:1] if len(axes) == 1 and axes[0] >= 0 else ():
            shape, known = self.get_tensor_shape(tensor), info_of(tensor).features
            place = axes[0] + 1 - len(shape)
            if known is not None and len(shape) >= 4 and place < 0 and place != known:
                warn(f'{self.name}: axis={axes[0]} is counted without the batch: it is axis {place} of an input of '
                     f'shape {shape} (the last is -1), whose channels are axis {known}. If they are meant, leave axis '
                     f'out or write axis={known}, else write axis={place}.')

    def axes(self, shape: Shape) -> List[int]:
        """Return the numbers of `axis` in an input of this shape, in order, counted from the batch."""
        chosen = [self.features(shape)] if self.axis is None else to_list(self.axis)
        return sorted({self.position(axis, len(shape)) for axis in chosen})

    def axes_of(self, x: Any) -> List[int]:
        """Return the numbers of `axis` in an input of the current run."""
        return self.axes(spec_of(self, x).shape)

    def knows_axes(self, shape: Shape) -> bool:
        """Return whether `axis` is determined.

        For series and images the features are where the layers before have them, which a plain shape does not say.
        """
        return self.axis is not None or len(shape) < 3 or self.built or isinstance(shape, PlacedShape)

    def features(self, shape: Shape) -> int:
        """Return the axis of the features, counted from the end.

        That of an input of this shape; if it does not say it, that of the first input of the layer.
        """
        first = [spec.shape for spec in self._first_run.specs[:1]]
        known = [one.features for one in (shape, *first) if isinstance(one, PlacedShape)]
        return feature_axis(shape, next(iter(known), None))


@builtin('layer')
class Reshape(Layer):
    """Reshape values, row by row.

    Parameters
    ----------
    target_shape : sequence of int
        Shape of one sample; one length may be -1.
    include_batch_dim : bool
        Whether `target_shape` is that of the whole batch.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, ...)``
    output : ``(batch, *target_shape)``

    Raises
    ------
    ArgumentError
        If a length is below 1, except for one -1.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Reshape((2, -1))(Input((3, 4))).shape
    (None, 2, 6)
    """

    moves_values = True

    def __init__(self, target_shape: Sequence[int], include_batch_dim: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if list(target_shape).count(-1) > 1 or any(length < 1 and length != -1 for length in target_shape):
            raise ArgumentError(
                f'Reshape: target_shape: expected lengths of at least 1, one of which may be -1, received '
                f'{target_shape}.')
        self.target_shape = target_shape
        self.include_batch_dim = include_batch_dim

    def output(self, x: Any) -> Any:
        target = self.output_shape(self.get_tensor_shape(x))
        unknown = [axis for axis, length in enumerate(target) if length is None]
        lengths = B.shape(x)
        # One unknown length is left to the reshape; a second one is the batch.
        return B.reshape(x, [length if length is not None else -1 if axis == unknown[-1] else lengths[axis]
                             for axis, length in enumerate(target)])

    def _features_of(self, shape: Shape, fed: Sequence[PlacedShape]) -> Optional[int]:
        seen = seen_features(shape)
        return inherited_features(shape, fed) if seen is None else seen

    def output_shape(self, input_shape: Shape) -> Shape:
        first = 0 if self.include_batch_dim else 1
        target = shapes.reshape(input_shape[first:], self.target_shape)
        if target is None:
            raise ShapeError(
                f'{self.name}: cannot reshape {input_shape[first:]} to {tuple(self.target_shape)}: the numbers of '
                'values differ.')
        return (*input_shape[:first], *target)

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        masked = slice(1, B.ndim(input_mask))
        lengths = input_shape[masked]
        is_kept = None not in lengths and self.output_shape(input_shape)[masked] == lengths
        return input_mask if is_kept and not self.include_batch_dim else None


@builtin('layer')
class Flatten(Layer):
    """Flatten all axes of a sample into one.

    Parameters
    ----------
    include_batch_dim : bool
        Whether to flatten the batch, too.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, a, b, ...)``
    output : ``(batch, a * b * ...)``
    """

    moves_values = True

    def __init__(self, include_batch_dim: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.include_batch_dim = include_batch_dim

    def output(self, x: Any) -> Any:
        if B.ndim(x) == 1:
            return x if self.include_batch_dim else B.expand_dims(x, 1)
        return B.flatten(x, 1 if self.include_batch_dim else 2)

    def output_shape(self, input_shape: Shape) -> Shape:
        first = 0 if self.include_batch_dim else 1
        return (*input_shape[:first], shapes.product(input_shape[first:]))

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        return None if self.include_batch_dim or len(input_shape) > B.ndim(input_mask) else input_mask


@builtin('layer')
class ExpandDims(AxisLayer):
    """Insert an axis of length 1.

    Parameters
    ----------
    axis : int
        The number of the new axis after the batch, or from the end if negative.
    include_batch_dim : bool
        Count from the batch instead.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, a, b)``
    output : ``(batch, a, 1, b)`` for ``axis=1``
    """

    moves_values = True

    def __init__(self, axis: int, include_batch_dim: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.include_batch_dim = include_batch_dim

    def output(self, x: Any) -> Any:
        return B.expand_dims(x, self.position(self.axis, B.ndim(x) + 1))

    def output_shape(self, input_shape: Shape) -> Shape:
        axis = self.position(self.axis, len(input_shape) + 1)
        return (*input_shape[:axis], 1, *input_shape[axis:])

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        return input_mask if self.position(self.axis, len(input_shape) + 1) >= B.ndim(input_mask) else None


@builtin('layer')
class PermuteDims(Layer):
    """Permute axes.

    Parameters
    ----------
    axes : sequence of int
        The input axis for each output axis, counted after the batch: ``(1, 0)`` swaps the two axes of a sample.
    include_batch_dim : bool
        Count from the batch instead.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, a, b)``
    output : ``(batch, b, a)`` for ``axes=(1, 0)``

    Raises
    ------
    ArgumentError
        If the axes are not a permutation.
    """

    moves_values = True

    def __init__(self, axes: Sequence[int], include_batch_dim: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if sorted(axes) != list(range(len(axes))):
            raise ArgumentError(
                f'PermuteDims: axes: expected each number from 0 to {len(axes) - 1} once, received {axes}.')
        self.axes = axes
        self.include_batch_dim = include_batch_dim

    @property
    def input_spec(self) -> InputSpec:  # type: ignore[override]
        return InputSpec(min_ndim=len(self._order()), max_ndim=len(self._order()))

    def _order(self) -> list:
        return list(self.axes) if self.include_batch_dim else [0, *(axis + 1 for axis in self.axes)]

    def output(self, x: Any) -> Any:
        return B.transpose(x, self._order())

    def _features_of(self, shape: Shape, fed: Sequence[PlacedShape]) -> Optional[int]:
        features = fed[0].features
        return None if features is None else self._order().index(len(shape) + features) - len(shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape[axis] for axis in self._order())

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        masked = list(range(B.ndim(input_mask)))
        return input_mask if self._order()[:len(masked)] == masked else None


@builtin('layer')
class Repeat(AxisLayer):
    """Each slice along an axis `repeats` times in a row.

    Parameters
    ----------
    repeats : int
        How many times, at least 1.
    axis : int
        Counted from the first axis after the batch, or from the end if negative.
    include_batch_dim : bool
        Count from the batch instead.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, a, ...)``
    output : ``(batch, repeats * a, ...)`` for ``axis=0``
    """

    moves_values = True

    @renamed(n='repeats')
    def __init__(self, repeats: PositiveInt, axis: int = 0, include_batch_dim: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.repeats = repeats
        self.axis = axis
        self.include_batch_dim = include_batch_dim

    def output(self, x: Any) -> Any:
        return B.repeat(x, self.repeats, self.position(self.axis, B.ndim(x)))

    def output_shape(self, input_shape: Shape) -> Shape:
        axis = self.position(self.axis, len(input_shape))
        length = input_shape[axis]
        return (*input_shape[:axis], None if length is None else length * self.repeats, *input_shape[axis + 1:])

    def output_mask(self, input_mask: Any, input_shape: Shape) -> Any:
        axis = self.position(self.axis, len(input_shape))
        return B.repeat(input_mask, self.repeats, axis) if axis < B.ndim(input_mask) else input_mask
