"""Reductions along axes."""
from typing import Any, Optional

from keraflow.backend.graph.nodes import apply
from keraflow.backend.graph.variables import Variables
from keraflow.shapes import normalize_axes, normalize_axis

__all__ = ['Reductions']


class Reductions(Variables):
    """Sums, extrema and related reductions."""

    def sum(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _folded('sum', self._countable(x), axis, keepdims)

    def prod(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _folded('prod', self._countable(x), axis, keepdims)

    def mean(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _folded('mean', self._real(x), axis, keepdims)

    def max(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _folded('max', self._countable(x), axis, keepdims)

    def min(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _folded('min', self._countable(x), axis, keepdims)

    def any(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _folded('any', self.cast(x, 'bool'), axis, keepdims)

    def all(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _folded('all', self.cast(x, 'bool'), axis, keepdims)

    def argmax(self, x: Any, axis: int = -1) -> Any:
        x = self._countable(x)
        return apply('argmax', [x], axis=normalize_axis(axis, x.ndim))

    def argmin(self, x: Any, axis: int = -1) -> Any:
        x = self._countable(x)
        return apply('argmin', [x], axis=normalize_axis(axis, x.ndim))

    def cumsum(self, x: Any, axis: int = -1) -> Any:
        x = self._countable(x)
        return apply('cumsum', [x], axis=normalize_axis(axis, x.ndim))

    def histogram(self, x: Any, edges: Any, weights: Any) -> Any:
        x, weights = self._real(x), self._real(weights)
        return apply('histogram', [x, weights], edges=tuple(map(float, edges)))


def _folded(name: str, x: Any, axis: Any, keepdims: bool) -> Any:
    axes: Optional[tuple] = tuple(sorted(normalize_axes(axis, x.ndim)))
    return apply(name, [x], axis=None if axes == tuple(range(x.ndim)) else axes, keepdims=bool(keepdims))
