"""Operations that make tensors of values, and of other dtypes."""
from typing import Any, Optional, Sequence

import numpy as np

from keraflow.backend import operand_checks
from keraflow.backend.dtypes import FLOATS, dtype_given, dtype_of_value
from keraflow.backend.method_info import checked_method, operation
from keraflow.backend.operations.shaping import Shaping
from keraflow.schema import DType, Natural

__all__ = ['Creation']

Tensor = Any


class Creation(Shaping):
    """What makes tensors of values; see :mod:`keraflow.backend.contract`."""

    @checked_method(dtype=dtype_of_value, check=operand_checks.value)
    def constant(self, value: Any, dtype: Optional[str] = None) -> Tensor:
        """A tensor with a fixed value; dtype as in :meth:`variable`."""
        raise NotImplementedError

    @checked_method(check=operand_checks.creation)
    def zeros(self, shape: Sequence, dtype: Optional[DType] = None) -> Tensor:
        """Zeros; lengths may be integers or integer scalars of the backend."""
        return self.full(shape, 0, dtype)

    @checked_method(check=operand_checks.creation)
    def ones(self, shape: Sequence, dtype: Optional[DType] = None) -> Tensor:
        """Ones; lengths as in :meth:`zeros`."""
        return self.full(shape, 1, dtype)

    @checked_method(dtype=dtype_given, check=operand_checks.full, more_operands=frozenset({'value'}))
    def full(self, shape: Sequence, value: Any, dtype: Optional[DType] = None) -> Tensor:
        """`value` everywhere, a number that `dtype` (floatx) can hold."""
        raise NotImplementedError

    @checked_method
    def eye(self, size: Natural, dtype: Optional[DType] = None) -> Tensor:
        """The identity matrix ``(size, size)``."""
        return self.constant(np.eye(size), dtype or self.floatx())

    @operation(keeps_layout=True, takes_any_number=True)
    def zeros_like(self, x: Tensor, dtype: Optional[DType] = None) -> Tensor:
        """Zeros of the shape (and dtype unless given) of `x`."""
        raise NotImplementedError

    @operation(keeps_layout=True, takes_any_number=True)
    def ones_like(self, x: Tensor, dtype: Optional[DType] = None) -> Tensor:
        """Ones of the shape (and dtype unless given) of `x`."""
        raise NotImplementedError

    @checked_method(check=operand_checks.arange)
    def arange(self, stop: Any, dtype: DType = 'int64') -> Tensor:
        """``0, 1, ..., stop - 1``; `stop` may be an integer scalar of the backend."""
        raise NotImplementedError

    @operation(moves_values=True, keeps_layout=True, dtype=dtype_given, converts=True)
    def cast(self, x: Tensor, dtype: str) -> Tensor:
        """`x` as `dtype`; reals are cut towards zero, bools become 0 and 1, and everything but 0 is true.

        Of reals beyond the integers of `dtype` its largest and smallest one are made, and 0 of NaN; int64 keeps its
        last 32 bits in int32.
        """
        raise NotImplementedError

    @operation(moves_values=True, is_real=True, keeps_layout=True)
    def as_real(self, x: Tensor) -> Tensor:
        """`x` as reals: integers and bools in floatx, reals as they are."""
        x = x if self.is_tensor(x) else self.identity(x)
        return x if self.dtype(x) in FLOATS else self.cast(x, self.floatx())
