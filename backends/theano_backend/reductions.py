"""Reductions and scans along axes."""
import math
from typing import Any, Callable

import numpy as np

from keraflow.backend.contract import Backend
from keraflow.shapes import normalize_axes, normalize_axis

from .configure import T
from .operands import as_tensor, cast, countable, real
from .static_shapes import lengths

__all__ = ['Reductions']


class _Extremum:
    """Maxima and minima, of no values, too, which Theano refuses. Their gradient is shared by equals; in Theano each
    gets the whole, or there is none."""

    axis: Any
    sign: int       # of the result of no values

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        [x] = inputs
        if x.size:
            super().perform(node, inputs, outputs)      # type: ignore[misc]
            return
        lengths = [n for axis, n in enumerate(x.shape) if axis not in _axes(node.inputs[0], self.axis)]
        limits: Any = np.iinfo(x.dtype) if x.dtype.kind == 'i' else None
        of_none = self.sign * np.inf if limits is None else limits.min if self.sign < 0 else limits.max
        outputs[0][0] = np.full(lengths, of_none, x.dtype)

    def c_code(self, *args: Any) -> str:
        # It begins with the result of no values, and then refuses them.
        code: str = super().c_code(*args)       # type: ignore[misc]
        return code.replace('[i]==0 && tosum[i]', '[i]<0 && tosum[i]')

    def c_code_cache_version_apply(self, node: Any) -> tuple:
        version: tuple = super().c_code_cache_version_apply(node)       # type: ignore[misc]
        return (*version, 1) if version else ()

    def L_op(self, inputs: Any, outputs: Any, gradients: Any) -> Any:
        (x,), (y,), (gradient,) = inputs, outputs, gradients
        if x.dtype not in ('float32', 'float64'):
            return [x.zeros_like(dtype=gradient.dtype)]
        axes = _axes(x, self.axis)
        hit = cast(T.eq(x, _keep(y, x, axes)), x.dtype)
        return [hit * _keep(gradient / T.sum(hit, axis=axes), x, axes)]


class Largest(_Extremum, T.basic.Max):
    """The maximum."""

    sign = -1


class Smallest(_Extremum, T.basic.Min):
    """The minimum."""

    sign = 1


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
