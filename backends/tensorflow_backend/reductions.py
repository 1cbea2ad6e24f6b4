"""Operations that fold axes."""
from keraflow.backend.layouts import keeps_layout
from keraflow.shapes import place

from .library import tf
from .variables import Variables

__all__ = ['Reductions']


class Reductions(Variables):
    """Sums, extremes and the like."""

    @keeps_layout
    def sum(self, x, axis=None, keepdims=False):
        return tf.reduce_sum(self._countable(x), axis, keepdims)

    @keeps_layout
    def prod(self, x, axis=None, keepdims=False):
        return tf.reduce_prod(self._countable(x), axis, keepdims)

    @keeps_layout
    def mean(self, x, axis=None, keepdims=False):
        return tf.reduce_mean(self._real(x), axis, keepdims)

    @keeps_layout
    def max(self, x, axis=None, keepdims=False):
        return tf.reduce_max(self._countable(x), axis, keepdims)

    @keeps_layout
    def min(self, x, axis=None, keepdims=False):
        return tf.reduce_min(self._countable(x), axis, keepdims)

    @keeps_layout
    def any(self, x, axis=None, keepdims=False):
        return tf.reduce_any(self.cast(x, 'bool'), axis, keepdims)

    @keeps_layout
    def all(self, x, axis=None, keepdims=False):
        return tf.reduce_all(self.cast(x, 'bool'), axis, keepdims)

    def argmax(self, x, axis=-1):
        return tf.argmax(self._countable(x), axis)

    def argmin(self, x, axis=-1):
        return tf.argmin(self._countable(x), axis)

    @keeps_layout
    def cumsum(self, x, axis=-1):
        return tf.cumsum(self._countable(x), place(axis, self.ndim(x)))

    def histogram(self, x, edges, weights):
        x, weights = tf.reshape(self._real(x), [-1]), tf.reshape(self._real(weights), [-1])
        numbers = tf.searchsorted(tf.constant(edges, x.dtype), x, side='right')
        return tf.math.unsorted_segment_sum(weights, numbers, len(edges) + 1)
