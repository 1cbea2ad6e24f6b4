"""Matrix products, and indexing."""
from typing import Any, Optional

from keraflow.backend import costs, operand_checks
from keraflow.backend.method_info import operation
from keraflow.backend.operations.creation import Creation
from keraflow.schema import DType, Natural

__all__ = ['Products']

Tensor = Any


class Products(Creation):
    """Operations over a shared axis, and by index; see :mod:`keraflow.backend.contract`."""

    @operation(check=operand_checks.dot, flop=costs.of_product)
    def dot(self, x: Tensor, y: Tensor) -> Tensor:
        """Multiply over the last axis of `x` and the last but one (or only) of `y`, which has at most two axes."""
        raise NotImplementedError

    @operation(keeps_mask=False, check=operand_checks.matmul, flop=costs.of_product, old_name='batch_dot')
    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        """Multiply matrices in the last two axes, ``(..., n, m), (..., m, k) -> (..., n, k)``, like ``numpy.matmul``.

        The axes before them broadcast, and a vector is a row on the left and a column on the right.
        """
        raise NotImplementedError

    @operation(keeps_mask=False, moves_values=True, check=operand_checks.gather, flop=costs.nothing,
               gradient_needs='nothing')
    def gather(self, x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
        """Take the slices of `x` at integer `indices` (any rank, not negative) along one axis, like ``numpy.take``.

        Raises
        ------
        DataError
            In the run, for other indices. Libraries clip them, or count negative ones from the end.
        """
        raise NotImplementedError

    @operation(check=operand_checks.indices, gradient_needs='nothing')
    def one_hot(self, indices: Tensor, nb_class: Natural, dtype: Optional[DType] = None) -> Tensor:
        """Return 1 at each index along a new last axis of length `nb_class`, 0 elsewhere (floatx)."""
        indices = self.expand_dims(self.identity(indices), -1)      # identity makes a tensor of a list
        hit = self.equal(indices, self.arange(nb_class))
        return self.cast(hit, dtype or self.floatx())
