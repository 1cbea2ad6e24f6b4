"""Products of matrices, and indices."""
from typing import Any, Optional

from keraflow.backend import operand_checks
from keraflow.backend.method_info import operation
from keraflow.backend.operations.creation import Creation
from keraflow.schema import DType, Natural

__all__ = ['Products']

Tensor = Any


class Products(Creation):
    """Operations over a shared axis, and by index; see :mod:`keraflow.backend.contract`."""

    @operation(check=operand_checks.dot)
    def dot(self, x: Tensor, y: Tensor) -> Tensor:
        """Product over the last axis of `x` and the last but one (the only one) of `y`; `y` has at most two axes."""
        raise NotImplementedError

    @operation(keeps_mask=False, check=operand_checks.matmul, old_name='batch_dot')
    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        """Product of the matrices in the last two axes, ``(..., n, m), (..., m, k) -> (..., n, k)``, as
        ``numpy.matmul``: the axes before them broadcast, and a vector is a row on the left and a column on the right.
        """
        raise NotImplementedError

    @operation(keeps_mask=False, moves_values=True, check=operand_checks.gather)
    def gather(self, x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
        """The slices of `x` at integer `indices` (any rank, not negative) along one axis, as ``numpy.take``."""
        raise NotImplementedError

    @operation(check=operand_checks.indices)
    def one_hot(self, indices: Tensor, nb_class: Natural, dtype: Optional[DType] = None) -> Tensor:
        """1 at each index along a new last axis of length `nb_class`, 0 elsewhere (floatx)."""
        indices = self.expand_dims(self.identity(indices), -1)
        hit = self.equal(indices, self.arange(nb_class))
        return self.cast(hit, dtype or self.floatx())
