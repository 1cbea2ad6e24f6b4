"""Operations on single values."""
import functools
from typing import Any

from keraflow.backend import log_rules
from keraflow.backend.method_info import SecondInteger, operation
from keraflow.backend.operations.tensors import Tensors

__all__ = ['Elementwise']

Tensor = Any

#: Define an operation on each value, and one whose operands broadcast.
elementwise = functools.partial(operation, keeps_layout=True)
broadcasting = functools.partial(elementwise, broadcasts=True)
NOT_ZERO = SecondInteger('expected integers other than 0', lambda backend, y: backend.not_equal(y, 0),
                         lambda array: array == 0)
NOT_NEGATIVE = SecondInteger('expected integers of at least 0', lambda backend, y: backend.greater_equal(y, 0),
                             lambda array: array < 0)


class Elementwise(Tensors):
    """Operations on each value, which broadcast; see :mod:`keraflow.backend.contract`."""

    # -- one operand --------------------------------------------------------------------------------------------------

    @elementwise(logs=log_rules.not_negative)
    def abs(self, x: Tensor) -> Tensor:
        """Absolute value."""
        raise NotImplementedError

    @elementwise
    def negative(self, x: Tensor) -> Tensor:
        """``-x``."""
        raise NotImplementedError

    @elementwise
    def sign(self, x: Tensor) -> Tensor:
        """-1, 0 or 1."""
        raise NotImplementedError

    @elementwise(logs=log_rules.square)
    def square(self, x: Tensor) -> Tensor:
        """``x * x``."""
        raise NotImplementedError

    @elementwise(is_real=True, logs=log_rules.root)
    def sqrt(self, x: Tensor) -> Tensor:
        """Square root; NaN below zero."""
        raise NotImplementedError

    @elementwise(is_real=True, logs=log_rules.exp)
    def exp(self, x: Tensor) -> Tensor:
        """e to the power of x."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def expm1(self, x: Tensor) -> Tensor:
        """``exp(x) - 1``, exact near zero."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def log(self, x: Tensor) -> Tensor:
        """Natural logarithm; -inf at zero, NaN below."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def log1p(self, x: Tensor) -> Tensor:
        """``log(1 + x)``, exact near zero."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def sin(self, x: Tensor) -> Tensor:
        """Sine."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def cos(self, x: Tensor) -> Tensor:
        """Cosine."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def tanh(self, x: Tensor) -> Tensor:
        """Hyperbolic tangent."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def erf(self, x: Tensor) -> Tensor:
        """Error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to x."""
        raise NotImplementedError

    @elementwise
    def floor(self, x: Tensor) -> Tensor:
        """The largest integer not above x, as a real; integers stay as they are."""
        raise NotImplementedError

    @elementwise
    def ceil(self, x: Tensor) -> Tensor:
        """The smallest integer not below x, as a real; integers stay as they are."""
        raise NotImplementedError

    @elementwise
    def round(self, x: Tensor) -> Tensor:
        """The nearest integer, halves to the even one, as NumPy."""
        raise NotImplementedError

    @elementwise
    def isnan(self, x: Tensor) -> Tensor:
        """True where NaN."""
        raise NotImplementedError

    @elementwise
    def isfinite(self, x: Tensor) -> Tensor:
        """True where neither NaN nor infinite."""
        raise NotImplementedError

    @elementwise(takes_any_number=True)
    def logical_not(self, x: Tensor) -> Tensor:
        """True where zero or false."""
        raise NotImplementedError

    # -- two operands, broadcast --------------------------------------------------------------------------------------

    @broadcasting(logs=log_rules.sum_of_two)
    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """``x + y``."""
        raise NotImplementedError

    @broadcasting(logs=log_rules.difference)
    def subtract(self, x: Tensor, y: Tensor) -> Tensor:
        """``x - y``."""
        raise NotImplementedError

    @broadcasting(logs=log_rules.product)
    def multiply(self, x: Tensor, y: Tensor) -> Tensor:
        """``x * y``."""
        raise NotImplementedError

    @broadcasting(is_real=True, logs=log_rules.quotient)
    def divide(self, x: Tensor, y: Tensor) -> Tensor:
        """``x / y``, real also for integers."""
        raise NotImplementedError

    @broadcasting(second_integer=NOT_ZERO)
    def floor_divide(self, x: Tensor, y: Tensor) -> Tensor:
        """``x // y``, rounded down as in Python; of integers by 0 a DataError in the run."""
        raise NotImplementedError

    @broadcasting(second_integer=NOT_ZERO)
    def mod(self, x: Tensor, y: Tensor) -> Tensor:
        """``x % y``, with the sign of y as in Python; of integers by 0 a DataError in the run."""
        raise NotImplementedError

    @broadcasting(second_integer=NOT_NEGATIVE, logs=log_rules.power)
    def power(self, x: Tensor, y: Tensor) -> Tensor:
        """x to the power of y; of integers with one below 0 a DataError in the run."""
        raise NotImplementedError

    @broadcasting(moves_values=True, opposite='minimum', logs=log_rules.at_least)
    def maximum(self, x: Tensor, y: Tensor) -> Tensor:
        """The larger one."""
        raise NotImplementedError

    @broadcasting(moves_values=True, opposite='maximum', logs=log_rules.at_most)
    def minimum(self, x: Tensor, y: Tensor) -> Tensor:
        """The smaller one."""
        raise NotImplementedError

    @broadcasting
    def equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x == y``, as bools."""
        raise NotImplementedError

    @broadcasting
    def not_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x != y``, as bools."""
        raise NotImplementedError

    @broadcasting
    def less(self, x: Tensor, y: Tensor) -> Tensor:
        """``x < y``, as bools."""
        raise NotImplementedError

    @broadcasting
    def less_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x <= y``, as bools."""
        raise NotImplementedError

    @broadcasting
    def greater(self, x: Tensor, y: Tensor) -> Tensor:
        """``x > y``, as bools."""
        raise NotImplementedError

    @broadcasting
    def greater_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x >= y``, as bools."""
        raise NotImplementedError

    @broadcasting(takes_any_number=True)
    def logical_and(self, x: Tensor, y: Tensor) -> Tensor:
        """True where both are."""
        raise NotImplementedError

    @broadcasting(takes_any_number=True)
    def logical_or(self, x: Tensor, y: Tensor) -> Tensor:
        """True where one is."""
        raise NotImplementedError

    @broadcasting(moves_values=True, old_name='switch')
    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """`x` where `condition`, elsewhere `y`; all three broadcast."""
        raise NotImplementedError

    @broadcasting(logs=log_rules.clipped)
    def clip(self, x: Tensor, min_value: Any = None, max_value: Any = None) -> Tensor:
        """`x` kept between two bounds; ``None`` is no bound."""
        if min_value is not None:
            x = self.maximum(x, min_value)
        return x if max_value is None else self.minimum(x, max_value)
