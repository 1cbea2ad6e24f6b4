"""Reductions and scans along axes."""
import math
from typing import Any, Callable

from keraflow.backend.contract import Backend
from keraflow.shapes import normalize_axes, normalize_axis

from .configure import T
from .operands import as_tensor, cast, countable, real
from .static_shapes import lengths

__all__ = ['Reductions']


class _SharedGradient:
    """The gradient of maxima and minima, shared by equals; in Theano each gets the whole, or there is none."""

    def L_op(self, inputs: Any, outputs: Any, gradients: Any) -> Any:
        (x,), (y,), (gradient,) = inputs, outputs, gradients
        if x.dtype not in ('float32', 'float64'):
            return [x.zeros_like(dtype=gradient.dtype)]
        axes = _axes(x, self.axis)  # type: ignore[attr-defined]
        hit = cast(T.eq(x, _keep(y, x, axes)), x.dtype)
        return [hit * _keep(gradient / T.sum(hit, axis=axes), x, axes)]


class Largest(_SharedGradient, T.basic.Max):
    """The maximum."""


class Smallest(_SharedGradient, T.basic.Min):
    """The minimum."""


class Reductions(Backend):
    """Reductions; see the contract."""

    def sum(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _reduce(T.sum, countable(x), axis, keepdims)

    def prod(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _reduce(T.prod, countable(x), axis, keepdims)

    def mean(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = real(x)
        shape = lengths(x)
        count = math.prod(shape[a] for a in _axes(x, axis))
        return T.true_div(self.sum(x, axis, keepdims), as_tensor(count, x.dtype))

    def max(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _reduce(lambda x, axis, dtype: Largest(axis)(x), countable(x), axis, keepdims)

    def min(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _reduce(lambda x, axis, dtype: Smallest(axis)(x), countable(x), axis, keepdims)

    def any(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _reduce(lambda x, axis, dtype: T.any(x, axis), as_tensor(x, 'bool'), axis, keepdims)

    def all(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return _reduce(lambda x, axis, dtype: T.all(x, axis), as_tensor(x, 'bool'), axis, keepdims)

    def argmax(self, x: Any, axis: int = -1) -> Any:
        x = countable(x)
        return T.argmax(x, axis=normalize_axis(axis, x.ndim))

    def argmin(self, x: Any, axis: int = -1) -> Any:
        x = countable(x)
        return T.argmax(-x, axis=normalize_axis(axis, x.ndim))

    def cumsum(self, x: Any, axis: int = -1) -> Any:
        x = countable(x)
        # The Python implementation of Theano's Op returns int64 for int32.
        wide = cast(x, 'int64') if x.dtype == 'int32' else x
        return cast(T.cumsum(wide, axis=normalize_axis(axis, x.ndim)), x.dtype)

    def histogram(self, x: Any, edges: Any, weights: Any) -> Any:
        x, weights = T.flatten(real(x)), T.flatten(real(weights))
        numbers = T.extra_ops.searchsorted(as_tensor(edges, x.dtype), x, side='right')
        return T.inc_subtensor(T.zeros(len(edges) + 1, weights.dtype)[numbers], weights)      # adds up repeated ones


def _axes(x: Any, axis: Any) -> list:
    """Return the axes of a reduction, from 0 and in order."""
    return sorted(set(normalize_axes(axis, x.ndim)))


def _keep(reduced: Any, x: Any, axes: list) -> Any:
    """Give `reduced` an axis of length 1 for each of `axes` of `x`."""
    kept = iter(range(reduced.ndim))
    return reduced.dimshuffle(['x' if a in axes else next(kept) for a in range(x.ndim)])


def _reduce(function: Callable, x: Any, axis: Any, keepdims: bool) -> Any:
    axes = _axes(x, axis)
    if not axes:
        return x
    result = function(x, axis=axes, dtype=x.dtype)      # by default Theano widens integers
    return _keep(result, x, axes) if keepdims else result
