"""Operations on single values."""
from typing import Any, Callable

from keraflow.backend.refusals import require_integers

from .library import tf
from .variables import Variables

__all__ = ['Elementwise']


class Elementwise(Variables):
    """Operations that broadcast."""

    def abs(self, x: Any) -> Any:
        return tf.abs(self._countable(x))

    def negative(self, x: Any) -> Any:
        return tf.negative(self._countable(x))

    def sign(self, x: Any) -> Any:
        return tf.sign(self._countable(x))

    def square(self, x: Any) -> Any:
        return tf.square(self._countable(x))

    def sqrt(self, x: Any) -> Any:
        return tf.sqrt(self._real(x))

    def exp(self, x: Any) -> Any:
        return tf.exp(self._real(x))

    def expm1(self, x: Any) -> Any:
        return tf.math.expm1(self._real(x))

    def log(self, x: Any) -> Any:
        return tf.math.log(self._real(x))

    def log1p(self, x: Any) -> Any:
        return tf.math.log1p(self._real(x))

    def sin(self, x: Any) -> Any:
        return tf.sin(self._real(x))

    def cos(self, x: Any) -> Any:
        return tf.cos(self._real(x))

    def tanh(self, x: Any) -> Any:
        return tf.tanh(self._real(x))

    def erf(self, x: Any) -> Any:
        return tf.math.erf(self._real(x))

    def floor(self, x: Any) -> Any:
        return self._if_real(tf.floor, x)

    def ceil(self, x: Any) -> Any:
        return self._if_real(tf.math.ceil, x)

    def round(self, x: Any) -> Any:
        return self._if_real(tf.round, x)

    def isnan(self, x: Any) -> Any:
        return tf.math.is_nan(self._real(x))

    def isfinite(self, x: Any) -> Any:
        return tf.math.is_finite(self._real(x))

    def logical_not(self, x: Any) -> Any:
        return tf.logical_not(self.cast(x, 'bool'))

    def add(self, x: Any, y: Any) -> Any:
        return tf.add(*self._numbers(x, y))

    def subtract(self, x: Any, y: Any) -> Any:
        return tf.subtract(*self._numbers(x, y))

    def multiply(self, x: Any, y: Any) -> Any:
        return tf.multiply(*self._numbers(x, y))

    def divide(self, x: Any, y: Any) -> Any:
        return tf.divide(*self._real_operands(x, y))

    def floor_divide(self, x: Any, y: Any) -> Any:
        one, other = self._numbers(x, y)
        return tf.math.floordiv(one, require_integers(self, 'floor_divide', other, y))

    def mod(self, x: Any, y: Any) -> Any:
        one, other = self._numbers(x, y)
        return tf.math.floormod(one, require_integers(self, 'mod', other, y))

    def power(self, x: Any, y: Any) -> Any:
        one, other = self._numbers(x, y)
        return tf.pow(one, require_integers(self, 'power', other, y))

    def maximum(self, x: Any, y: Any) -> Any:
        return tf.maximum(*self._numbers(x, y))

    def minimum(self, x: Any, y: Any) -> Any:
        return tf.minimum(*self._numbers(x, y))

    def equal(self, x: Any, y: Any) -> Any:
        return tf.equal(*self._alike(x, y))

    def not_equal(self, x: Any, y: Any) -> Any:
        return tf.not_equal(*self._alike(x, y))

    def less(self, x: Any, y: Any) -> Any:
        return tf.less(*self._numbers(x, y))

    def less_equal(self, x: Any, y: Any) -> Any:
        return tf.less_equal(*self._numbers(x, y))

    def greater(self, x: Any, y: Any) -> Any:
        return tf.greater(*self._numbers(x, y))

    def greater_equal(self, x: Any, y: Any) -> Any:
        return tf.greater_equal(*self._numbers(x, y))

    def logical_and(self, x: Any, y: Any) -> Any:
        return tf.logical_and(self.cast(x, 'bool'), self.cast(y, 'bool'))

    def logical_or(self, x: Any, y: Any) -> Any:
        return tf.logical_or(self.cast(x, 'bool'), self.cast(y, 'bool'))

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        condition, (x, y) = self.cast(condition, 'bool'), self._alike(x, y)
        if _selects_samples(condition.shape, x.shape, y.shape):
            return tf.raw_ops.Select(condition=tf.reshape(condition, [-1]), x=x, y=y)
        return tf.where(condition, x, y)

    def _if_real(self, function: Callable, x: Any) -> Any:
        x = self._countable(x)
        return function(x) if x.dtype.is_floating else x    # tf.floor and tf.ceil refuse integers, which are whole


def _selects_samples(condition: Any, x: Any, y: Any) -> bool:
    """Return whether a condition is one for each sample, by the shapes.

    Copying samples takes a third of the time of broadcasting, which is noticed in each step of a loop with a mask.
    """
    return x.rank is not None and x.rank > 1 and x.is_fully_defined() and x == y and condition == [
        x[0], *(1 for _ in x[1:])]
