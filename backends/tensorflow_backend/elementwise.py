"""Operations on single values."""
from keraflow.backend.layouts import keeps_layout

from .library import tf
from .variables import Variables

__all__ = ['Elementwise']


@keeps_layout
class Elementwise(Variables):
    """Operations that broadcast."""

    def abs(self, x):
        return tf.abs(self._countable(x))

    def negative(self, x):
        return tf.negative(self._countable(x))

    def sign(self, x):
        return tf.sign(self._countable(x))

    def square(self, x):
        return tf.square(self._countable(x))

    def sqrt(self, x):
        return tf.sqrt(self._real(x))

    def exp(self, x):
        return tf.exp(self._real(x))

    def expm1(self, x):
        return tf.math.expm1(self._real(x))

    def log(self, x):
        return tf.math.log(self._real(x))

    def log1p(self, x):
        return tf.math.log1p(self._real(x))

    def sin(self, x):
        return tf.sin(self._real(x))

    def cos(self, x):
        return tf.cos(self._real(x))

    def tanh(self, x):
        return tf.tanh(self._real(x))

    def erf(self, x):
        return tf.math.erf(self._real(x))

    def floor(self, x):
        return self._if_real(tf.floor, x)

    def ceil(self, x):
        return self._if_real(tf.math.ceil, x)

    def round(self, x):
        return self._if_real(tf.round, x)

    def isnan(self, x):
        return tf.math.is_nan(self._real(x))

    def isfinite(self, x):
        return tf.math.is_finite(self._real(x))

    def logical_not(self, x):
        return tf.logical_not(self.cast(x, 'bool'))

    def add(self, x, y):
        return tf.add(*self._numbers(x, y))

    def subtract(self, x, y):
        return tf.subtract(*self._numbers(x, y))

    def multiply(self, x, y):
        return tf.multiply(*self._numbers(x, y))

    def divide(self, x, y):
        return tf.divide(*self._real_operands(x, y))

    def floor_divide(self, x, y):
        return tf.math.floordiv(*self._numbers(x, y))

    def mod(self, x, y):
        return tf.math.floormod(*self._numbers(x, y))

    def power(self, x, y):
        return tf.pow(*self._numbers(x, y))

    def maximum(self, x, y):
        return tf.maximum(*self._numbers(x, y))

    def minimum(self, x, y):
        return tf.minimum(*self._numbers(x, y))

    def equal(self, x, y):
        return tf.equal(*self._alike(x, y))

    def not_equal(self, x, y):
        return tf.not_equal(*self._alike(x, y))

    def less(self, x, y):
        return tf.less(*self._numbers(x, y))

    def less_equal(self, x, y):
        return tf.less_equal(*self._numbers(x, y))

    def greater(self, x, y):
        return tf.greater(*self._numbers(x, y))

    def greater_equal(self, x, y):
        return tf.greater_equal(*self._numbers(x, y))

    def logical_and(self, x, y):
        return tf.logical_and(self.cast(x, 'bool'), self.cast(y, 'bool'))

    def logical_or(self, x, y):
        return tf.logical_or(self.cast(x, 'bool'), self.cast(y, 'bool'))

    def switch(self, condition, x, y):
        return tf.where(self.cast(condition, 'bool'), *self._alike(x, y))

    def _if_real(self, function, x):
        x = self._countable(x)
        return function(x) if x.dtype.is_floating else x
