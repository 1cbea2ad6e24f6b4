"""Matrix products, and indexing."""
from typing import Any

from keraflow.backend.graph.nodes import apply
from keraflow.backend.graph.variables import Variables
from keraflow.backend.refusals import no_places
from keraflow.shapes import normalize_axis

__all__ = ['Products']


class Products(Variables):
    """Operations over a shared axis."""

    def dot(self, x: Any, y: Any) -> Any:
        return apply('dot', self._numbers(x, y))

    def matmul(self, x: Any, y: Any) -> Any:
        return apply('matmul', self._numbers(x, y))

    def gather(self, x: Any, indices: Any, axis: int = 0) -> Any:
        x = self._tensor(x) if self._is_symbolic(x) else self.constant(x)
        axis = normalize_axis(axis, x.ndim)
        return apply('take', [x, self._tensor(indices)], axis=axis, refusal=no_places(x.shape[axis], axis))
