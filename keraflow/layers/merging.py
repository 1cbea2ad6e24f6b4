"""Layers that merge several tensors into one."""
import functools
from typing import Any, List, Optional, Sequence

from keraflow import backend as B
from keraflow import shapes
from keraflow.errors import ArgumentError, GraphError, ShapeError, describe
from keraflow.graph.lengths import equally_long
from keraflow.layers.base import MultiInputLayer
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.masks import full_mask, joint_mask
from keraflow.layers.shaping import AxisLayer, FeatureAxisLayer
from keraflow.registry import builtin
from keraflow.schema import Axes
from keraflow.shapes import Shape

__all__ = ['Concatenate', 'Dot', 'ElementWiseAverage', 'ElementWiseMax', 'ElementWiseMult', 'ElementWiseSum']

#: Squared norms below this count as 0.
SMALLEST = 1e-12


@builtin('layer')
class Concatenate(FeatureAxisLayer, MultiInputLayer):
    """Concatenate inputs along one axis.

    Parameters
    ----------
    axis : int, optional
        Counted from the first axis after the batch, or from the end if negative. By default the features: the last axis
        of vectors and sequences, and the channels of images, wherever the layers before have them (first if unknown).
    include_batch_dim : bool
        Count from the batch instead.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    inputs : of the same rank, with the same lengths except along `axis`
    output : the length of `axis` is the sum
    mask : along the time axis, masks are concatenated like the inputs; otherwise they are combined by `and`

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Concatenate()([Input(50), Input(20)]).shape
    (None, 70)
    >>> Concatenate()([Input((9, 50)), Input((9, 20))]).shape
    (None, 9, 70)
    """

    def __init__(self, axis: Optional[int] = None, include_batch_dim: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.include_batch_dim = include_batch_dim

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        first = input_shape[0]
        [axis] = self.axes(first)
        for shape in input_shape[1:]:
            if len(shape) != len(first) or not shapes.agree(_without(shape, axis), _without(first, axis)):
                which = 'that of the features' if self.axis is None else f'{self.axis} of a sample'
                raise ShapeError(f'{self.name}: expected inputs of one shape but for axis {axis} ({which}), received '
                                 f'{", ".join(map(str, input_shape))}.')

    def output(self, x: List[Any], *, mask: Sequence[Any] = ()) -> Any:
        [axis] = self.axes_of(x[0])
        return self.set_tensor_mask(B.concatenate(x, axis), self._joined_mask(x, mask, axis))

    def _joined_mask(self, x: List[Any], masks: Sequence[Any], axis: int) -> Any:
        ndim = max((B.ndim(mask) for mask in masks if mask is not None), default=0)
        if axis >= ndim:
            return joint_mask(masks)
        # Steps that are put one after another bring their masks along.
        return B.concatenate([full_mask(one) if mask is None else mask for one, mask in zip(x, masks)], axis)

    def output_shape(self, input_shape: List[Shape]) -> Optional[Shape]:
        if not self.knows_axes(input_shape[0]):
            return None
        return shapes.concatenate(input_shape, *self.axes(input_shape[0]))


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1:]


class _ElementWise(MultiInputLayer):
    """Inputs of one shape, combined elementwise."""

    supports_masking = True

    def combine(self, one: Any, other: Any) -> Any:
        """Combine two inputs."""
        raise NotImplementedError

    def output(self, x: List[Any]) -> Any:
        text = f'{self.name}: expected inputs of one shape, received some of different lengths along axis {{}}.'
        return functools.reduce(self.combine, [x[0], *(equally_long(one, x[0], text) for one in x[1:])])

    def output_shape(self, input_shape: List[Shape]) -> Shape:
        joint = input_shape[0]
        for shape in input_shape[1:]:
            joint = shapes.merge(joint, shape)
        return joint


@builtin('layer')
class ElementWiseSum(_ElementWise):
    """Add inputs: ``x0 + x1 + ...``

    Parameters
    ----------
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    inputs, output : the same. Masks of several inputs are combined by `and`.
    """

    def combine(self, one: Any, other: Any) -> Any:
        return B.add(one, other)


@builtin('layer')
class ElementWiseMult(_ElementWise):
    """Multiply inputs elementwise: ``x0 * x1 * ...``

    Parameters
    ----------
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    inputs, output : the same. Masks of several inputs are combined by `and`.
    """

    def combine(self, one: Any, other: Any) -> Any:
        return B.multiply(one, other)


@builtin('layer')
class ElementWiseAverage(ElementWiseSum):
    """Average inputs: ``(x0 + x1 + ...) / n`` for n inputs.

    Parameters
    ----------
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    inputs, output : the same. Masks of several inputs are combined by `and`.
    """

    def output(self, x: List[Any]) -> Any:
        return B.divide(super().output(x), len(x))


@builtin('layer')
class ElementWiseMax(_ElementWise):
    """Take the largest of ``x0, x1, ...`` at each position.

    Parameters
    ----------
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    inputs, output : the same. Masks of several inputs are combined by `and`.
    """

    def combine(self, one: Any, other: Any) -> Any:
        return B.maximum(one, other)


@builtin('layer')
class Dot(AxisLayer, MultiInputLayer):
    """Multiply two inputs over one axis of each, sample by sample.

    With ``normalize=True`` both inputs have norm 1 along that axis, so that the product is the cosine of the angle.

    Parameters
    ----------
    axes : int or two int
        The axis of each input, counted from the first axis after the batch, or from the end if negative. The two
        lengths must be equal.
    normalize : bool
        Whether to divide both inputs by their Euclidean norms first. Zero vectors stay zero.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    inputs : ``(batch, n)`` or ``(batch, a, n)``, and ``(batch, n)`` or ``(batch, b, n)`` for ``axes=-1``
    output : ``(batch, a, b)``, without the axes that inputs lack, but ``(batch, 1)`` for two vectors
    mask : that of the first input, unless the product is over its time

    Raises
    ------
    GraphError
        Unless there are two inputs.
    ShapeError
        If an input is neither 2-D nor 3-D, or the two lengths differ.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Dot()([Input((5, 4)), Input((7, 4))]).shape
    (None, 5, 7)
    >>> Dot(normalize=True)([Input(4), Input(4)]).shape
    (None, 1)
    """

    include_batch_dim = False
    input_spec = InputSpec(min_ndim=2, max_ndim=3, advice='Put a Reshape() before it.')

    def __init__(self, axes: Axes = -1, normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(axes, int) and len(axes) != 2:
            raise ArgumentError(f'Dot: axes: expected one axis or two, received {describe(axes)}.')
        self.axes = axes
        self.normalize = normalize

    def _product_axes(self, ndims: List[int]) -> List[int]:
        axes = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        return [self.position(axis, ndim) for axis, ndim in zip(axes, ndims)]

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        if len(input_shape) != 2:
            raise GraphError(f'{self.name}: expected two inputs, received {len(input_shape)}. Write Dot()([x, y]).')
        axes = self._product_axes([len(shape) for shape in input_shape])
        lengths = [shape[axis] for shape, axis in zip(input_shape, axes)]
        if not shapes.agree((lengths[0],), (lengths[1],)):
            raise ShapeError(f'{self.name}: expected inputs of one length along axes {self.axes}, received '
                             f'{input_shape[0]} and {input_shape[1]}. Choose other axes.')

    def output(self, x: List[Any]) -> Any:
        ndims = [B.ndim(one) for one in x]
        left, right = (self._as_rows(one, axis) for one, axis in zip(x, self._product_axes(ndims)))
        y = B.matmul(left, B.transpose(right, [0, 2, 1]))
        # Remove the axes that _as_rows added; of two vectors only one.
        y = B.squeeze(y, 2) if ndims[1] == 2 else y
        return B.squeeze(y, 1) if ndims == [2, 3] else y

    def _as_rows(self, x: Any, axis: int) -> Any:
        """Reshape to (batch, a, n), where n is the length of the axis of the product."""
        if self.normalize:
            # The bound is inside the root, whose gradient is infinite at 0.
            x = x / B.sqrt(B.maximum(B.sum(B.square(x), axis, keepdims=True), SMALLEST))
        if B.ndim(x) == 2:
            return B.expand_dims(x, 1)
        return B.transpose(x, [0, 3 - axis, axis])

    def output_shape(self, input_shape: List[Shape]) -> Shape:
        axes = self._product_axes([len(shape) for shape in input_shape])
        kept = [shape[3 - axis] for shape, axis in zip(input_shape, axes) if len(shape) == 3]
        return (input_shape[0][0], *(kept or [1]))

    def output_mask(self, input_mask: List[Any], input_shape: List[Shape]) -> Any:
        keeps_time = len(input_shape[0]) == 3 and self._product_axes([3, len(input_shape[1])])[0] == 2
        return input_mask[0] if keeps_time else None
