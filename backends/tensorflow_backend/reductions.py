"""Reductions along axes."""
from typing import Any

from keraflow.shapes import normalize_axis

from .library import tf
from .variables import Variables

__all__ = ['Reductions']


class Reductions(Variables):
    """Sums, extrema and related reductions."""

    def sum(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return tf.reduce_sum(self._countable(x), axis, keepdims)

    def prod(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return tf.reduce_prod(self._countable(x), axis, keepdims)

    def mean(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return tf.reduce_mean(self._real(x), axis, keepdims)

    def max(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return tf.reduce_max(self._countable(x), axis, keepdims)

    def min(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return tf.reduce_min(self._countable(x), axis, keepdims)

    def any(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return tf.reduce_any(self.cast(x, 'bool'), axis, keepdims)

    def all(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return tf.reduce_all(self.cast(x, 'bool'), axis, keepdims)

    def argmax(self, x: Any, axis: int = -1) -> Any:
        return tf.argmax(self._countable(x), axis)

    def argmin(self, x: Any, axis: int = -1) -> Any:
        return tf.argmin(self._countable(x), axis)

    def cumsum(self, x: Any, axis: int = -1) -> Any:
        return tf.cumsum(self._countable(x), normalize_axis(axis, self.ndim(x)))

    def histogram(self, x: Any, edges: Any, weights: Any) -> Any:
        x, weights = tf.reshape(self._real(x), [-1]), tf.reshape(self._real(weights), [-1])
        numbers = tf.searchsorted(tf.constant(edges, x.dtype), x, side='right')
        return tf.math.unsorted_segment_sum(weights, numbers, len(edges) + 1)
