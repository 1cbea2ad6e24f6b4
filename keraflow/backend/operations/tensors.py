"""What is known of a tensor."""
from typing import Any, Sequence

from keraflow.backend import costs, operand_checks
from keraflow.backend.method_info import checked_method, operation

__all__ = ['Tensors']

Tensor = Any
Shape = tuple     # of int or None; None is a length unknown before the data


class Tensors:
    """What operations need to know of tensors; see :mod:`keraflow.backend.contract`."""

    _floatx: str

    def floatx(self) -> str:
        """Return the default dtype of real numbers."""
        return self._floatx

    def is_tensor(self, x: Any) -> bool:
        """Return whether `x` is a tensor or a variable of this backend."""
        raise NotImplementedError

    def dtype(self, x: Tensor) -> str:
        """Return the dtype of a tensor, as a string."""
        raise NotImplementedError

    def ndim(self, x: Tensor) -> int:
        """Return the number of axes."""
        raise NotImplementedError

    @operation(keeps_mask=False, takes_any_number=True, flop=costs.nothing, gradient_needs='nothing')
    def shape(self, x: Tensor) -> Tensor:
        """Return the lengths of all axes as a 1-D int64 tensor, known once there are data."""
        raise NotImplementedError

    def static_shape(self, x: Tensor) -> Shape:
        """Return what is known of the shape before there are data, for example ``(None, 64)``."""
        raise NotImplementedError

    @checked_method(moves_values=True, check=operand_checks.with_static_shape, flop=costs.nothing,
                    gradient_needs='nothing', is_view=True)
    def with_static_shape(self, x: Tensor, shape: Sequence) -> Tensor:
        """Return the tensor with this static shape recorded (a length of 1 then broadcasts)."""
        raise NotImplementedError

    @operation(moves_values=True, keeps_layout=True, flop=costs.nothing, gradient_needs='nothing', is_view=True)
    def require(self, x: Tensor, condition: Tensor, message: str) -> Tensor:
        """Return `x`; a run raises a DataError with this message unless all of `condition` is true."""
        raise NotImplementedError
