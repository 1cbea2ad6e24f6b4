"""What is known of a tensor."""
from typing import Any, Sequence

from keraflow.backend import operand_checks
from keraflow.backend.method_info import checked_method, operation

__all__ = ['Tensors']

Tensor = Any
Shape = tuple     # of int or None; None is a length that is not known before the data


class Tensors:
    """What the operations ask of tensors; see :mod:`keraflow.backend.contract`."""

    _floatx: str

    def floatx(self) -> str:
        """The dtype of real numbers where nothing else says one."""
        return self._floatx

    def is_tensor(self, x: Any) -> bool:
        """Whether `x` is a tensor or a variable of this backend."""
        raise NotImplementedError

    def dtype(self, x: Tensor) -> str:
        """The dtype of a tensor, as a string."""
        raise NotImplementedError

    def ndim(self, x: Tensor) -> int:
        """The number of axes."""
        raise NotImplementedError

    @operation(keeps_mask=False, takes_any_number=True)
    def shape(self, x: Tensor) -> Tensor:
        """The lengths of all axes as a 1-D int64 tensor, known when the data are there."""
        raise NotImplementedError

    def static_shape(self, x: Tensor) -> Shape:
        """What is known of the shape before there is data, for example ``(None, 64)``."""
        raise NotImplementedError

    @checked_method(moves_values=True, check=operand_checks.with_static_shape)
    def with_static_shape(self, x: Tensor, shape: Sequence) -> Tensor:
        """The same tensor with the knowledge that it has this static shape (a length of 1 then broadcasts)."""
        raise NotImplementedError

    @operation(moves_values=True, keeps_layout=True)
    def require(self, x: Tensor, condition: Tensor, message: str) -> Tensor:
        """`x`. Where it is run, there is a DataError with this message unless all of `condition` is true."""
        raise NotImplementedError
