"""Products of matrices, and indices."""
from typing import Any, Optional

from keraflow.backend.operations.creation import Creation
from keraflow.schema import DType, Natural

__all__ = ['Products']

Tensor = Any


class Products(Creation):
    """Operations over a shared axis, and by index; see :mod:`keraflow.backend.contract`."""

    def dot(self, x: Tensor, y: Tensor) -> Tensor:
        """Product over the last axis of `x` and the last but one (the only one) of `y`; `y` has at most two axes."""
        raise NotImplementedError

    def batch_dot(self, x: Tensor, y: Tensor) -> Tensor:
        """Product for each sample, ``(b, ..., n, m), (b, ..., m, k) -> (b, ..., n, k)``, of one rank of at least 3."""
        raise NotImplementedError

    def gather(self, x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
        """The slices of `x` at integer `indices` (any rank, not negative) along one axis, as ``numpy.take``."""
        raise NotImplementedError

    def one_hot(self, indices: Tensor, nb_class: Natural, dtype: Optional[DType] = None) -> Tensor:
        """1 at each index along a new last axis of length `nb_class`, 0 elsewhere (floatx)."""
        indices = self.expand_dims(self.identity(indices), -1)
        hit = self.equal(indices, self.arange(nb_class))
        return self.cast(hit, dtype or self.floatx())
