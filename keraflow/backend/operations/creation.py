"""Operations that make tensors from values, and cast them."""
from typing import Any, Optional, Sequence

import numpy as np

from keraflow.backend import costs, operand_checks
from keraflow.backend.dtypes import FLOATS, dtype_given, dtype_of_value
from keraflow.backend.method_info import checked_method, operation
from keraflow.backend.operations.shaping import Shaping
from keraflow.schema import DType, Natural

__all__ = ['Creation']

Tensor = Any


class Creation(Shaping):
    """Operations that make tensors from values; see :mod:`keraflow.backend.contract`."""

    @checked_method(dtype=dtype_of_value, check=operand_checks.value)
    def constant(self, value: Any, dtype: Optional[str] = None) -> Tensor:
        """Make a tensor with a fixed value; dtype as in :meth:`variable`."""
        raise NotImplementedError

    @checked_method(check=operand_checks.creation)
    def zeros(self, shape: Sequence, dtype: Optional[DType] = None) -> Tensor:
        """Make zeros; lengths may be integers, or integer scalars of the backend that follow from shapes.

        Some backends also take scalars that only the data have.
        """
        return self.full(shape, 0, dtype)

    @checked_method(check=operand_checks.creation)
    def ones(self, shape: Sequence, dtype: Optional[DType] = None) -> Tensor:
        """Make ones; lengths as in :meth:`zeros`."""
        return self.full(shape, 1, dtype)

    @checked_method(dtype=dtype_given, check=operand_checks.full, more_operands=frozenset({'value'}))
    def full(self, shape: Sequence, value: Any, dtype: Optional[DType] = None) -> Tensor:
        """Fill a tensor with `value`, a number that `dtype` (floatx) can hold."""
        raise NotImplementedError

    @checked_method
    def eye(self, size: Natural, dtype: Optional[DType] = None) -> Tensor:
        """Make the identity matrix ``(size, size)``."""
        return self.constant(np.eye(size), dtype or self.floatx())

    @operation(keeps_layout=True, takes_any_number=True, flop=costs.nothing, gradient_needs='nothing')
    def zeros_like(self, x: Tensor, dtype: Optional[DType] = None) -> Tensor:
        """Make zeros with the shape (and by default the dtype) of `x`."""
        raise NotImplementedError

    @operation(keeps_layout=True, takes_any_number=True, flop=costs.nothing, gradient_needs='nothing')
    def ones_like(self, x: Tensor, dtype: Optional[DType] = None) -> Tensor:
        """Make ones with the shape (and by default the dtype) of `x`."""
        raise NotImplementedError

    @checked_method(check=operand_checks.arange)
    def arange(self, stop: Any, dtype: DType = 'int64') -> Tensor:
        """Make ``0, 1, ..., stop - 1``; `stop` as a length in :meth:`zeros`."""
        raise NotImplementedError

    @operation(moves_values=True, keeps_layout=True, dtype=dtype_given, converts=True, flop=costs.nothing,
               gradient_needs='nothing')
    def cast(self, x: Tensor, dtype: str) -> Tensor:
        """Cast `x` to `dtype`: truncate reals towards zero, turn bools into 0 and 1, and everything except 0 into true.

        Reals beyond the integers of `dtype` become its largest and smallest one, and NaN becomes 0; a cast from int64
        to int32 keeps the last 32 bits.
        """
        raise NotImplementedError

    @operation(moves_values=True, is_real=True, keeps_layout=True, flop=costs.nothing, gradient_needs='nothing')
    def as_real(self, x: Tensor) -> Tensor:
        """Cast integers and bools to floatx; reals stay the same."""
        x = x if self.is_tensor(x) else self.identity(x)
        return x if self.dtype(x) in FLOATS else self.cast(x, self.floatx())
