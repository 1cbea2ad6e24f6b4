"""Masking: set or remove masks between layers."""
from typing import Any, Optional

from keraflow import backend as B
from keraflow.layers.base import Layer
from keraflow.layers.base.masks import check_mask_value, joint_mask, step_mask
from keraflow.registry import builtin
from keraflow.schema import Finite
from keraflow.shapes import Shape

__all__ = ['Masking']


@builtin('layer')
class Masking(Layer):
    """Mask steps whose values all equal `mask_value`; values do not change.

    A step counts if it does by this rule and by the mask of the input, if any. ``Input(mask_value=...)`` does the same
    for data.

    Parameters
    ----------
    mask_value : float, optional
        A number that the dtype of the input can hold. ``None`` removes the mask of the input instead.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input, output : ``(batch, time, ...)``, the same
    mask : ``(batch, time)``

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> y = Masking()(Input((5, 3)))
    >>> y.mask_shape
    (None, 5)
    >>> Masking(None)(y).mask_shape is None
    True
    """

    def __init__(self, mask_value: Optional[Finite] = 0., **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def output(self, x: Any, *, mask: Any = None) -> Any:
        if self.mask_value is None:
            return self.set_tensor_mask(x, None)
        check_mask_value(self.mask_value, B.dtype(x), f'{self.name}: mask_value')
        return self.set_tensor_mask(x, joint_mask([mask, step_mask(x, self.mask_value)]))

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
