"""Layers that make one tensor of several."""
from typing import Any, List

from keraflow import backend as B
from keraflow import shapes
from keraflow.errors import ShapeError
from keraflow.layers.base import MultiInputLayer
from keraflow.layers.masks import full_mask, joint_mask
from keraflow.layers.shaping import AxisLayer
from keraflow.registry import builtin
from keraflow.shapes import Shape

__all__ = ['Concatenate', 'ElementWiseMult', 'ElementWiseSum']


@builtin('layer')
class Concatenate(AxisLayer, MultiInputLayer):
    """Inputs joined along one axis.

    Parameters
    ----------
    axis : int
        Counted from the first axis after the batch, or from the end if negative.
    include_batch_dim : bool
        Count from the batch instead.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    inputs : of one rank, with the same lengths but for `axis`
    output : the length of `axis` is the sum
    mask : along the time axis masks are joined as the inputs are, else by `and`

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> Concatenate()([Input(50), Input(20)]).shape
    (None, 70)
    """

    def __init__(self, axis: int = 0, include_batch_dim: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.include_batch_dim = include_batch_dim

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        first = input_shape[0]
        axis = self.position(self.axis, len(first))
        for shape in input_shape[1:]:
            if len(shape) != len(first) or not shapes.agree(_without(shape, axis), _without(first, axis)):
                raise ShapeError(f'{self.name}: expected inputs of one shape but for axis {self.axis}, received '
                                 f'{", ".join(map(str, input_shape))}.')

    def output(self, x: List[Any]) -> Any:
        axis = self.position(self.axis, B.ndim(x[0]))
        return self.set_tensor_mask(B.concatenate(x, axis), self._joined_mask(x, axis))

    def _joined_mask(self, x: List[Any], axis: int) -> Any:
        masks = [self.get_tensor_mask(one) for one in x]
        ndim = max((B.ndim(mask) for mask in masks if mask is not None), default=0)
        if axis >= ndim:
            return joint_mask(masks)
        return B.concatenate([full_mask(one) if mask is None else mask for one, mask in zip(x, masks)], axis)

    def output_shape(self, input_shape: List[Shape]) -> Shape:
        return shapes.concatenate(input_shape, self.position(self.axis, len(input_shape[0])))


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1:]


class _ElementWise(MultiInputLayer):
    """Inputs of one shape, combined value by value."""

    def output_shape(self, input_shape: List[Shape]) -> Shape:
        joint = input_shape[0]
        for shape in input_shape[1:]:
            joint = shapes.merge(joint, shape)
        return joint

    def support_mask(self) -> bool:
        return True


@builtin('layer')
class ElementWiseSum(_ElementWise):
    """``x0 + x1 + ...``

    Parameters
    ----------
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    inputs, output : the same. Masks of several inputs are joined by `and`.
    """

    def output(self, x: List[Any]) -> Any:
        total = x[0]
        for one in x[1:]:
            total = total + one
        return total


@builtin('layer')
class ElementWiseMult(_ElementWise):
    """``x0 * x1 * ...``

    Parameters
    ----------
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    inputs, output : the same. Masks of several inputs are joined by `and`.
    """

    def output(self, x: List[Any]) -> Any:
        total = x[0]
        for one in x[1:]:
            total = total * one
        return total
