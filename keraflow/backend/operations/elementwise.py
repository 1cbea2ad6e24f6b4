"""Elementwise operations."""
import functools
from typing import Any

from keraflow.backend import log_rules
from keraflow.backend.method_info import SecondInteger, operation
from keraflow.backend.operations.tensors import Tensors

__all__ = ['Elementwise']

Tensor = Any

#: Define an elementwise operation, and one whose operands broadcast.
elementwise = functools.partial(operation, keeps_layout=True)
broadcasting = functools.partial(elementwise, broadcasts=True)
#: What has no gradient, or one that needs no values.
linear = functools.partial(elementwise, gradient_needs='nothing')
broadcasting_linear = functools.partial(linear, broadcasts=True)
NOT_ZERO = SecondInteger('expected integers other than 0', lambda backend, y: backend.not_equal(y, 0),
                         lambda array: array == 0)
NOT_NEGATIVE = SecondInteger('expected integers of at least 0', lambda backend, y: backend.greater_equal(y, 0),
                             lambda array: array < 0)


class Elementwise(Tensors):
    """Elementwise operations, which broadcast; see :mod:`keraflow.backend.contract`."""

    # -- one operand --------------------------------------------------------------------------------------------------

    @elementwise(logs=log_rules.not_negative)
    def abs(self, x: Tensor) -> Tensor:
        """Absolute value."""
        raise NotImplementedError

    @linear
    def negative(self, x: Tensor) -> Tensor:
        """Compute ``-x``."""
        raise NotImplementedError

    @linear
    def sign(self, x: Tensor) -> Tensor:
        """Compute the sign: -1, 0 or 1."""
        raise NotImplementedError

    @elementwise(logs=log_rules.square)
    def square(self, x: Tensor) -> Tensor:
        """Compute ``x * x``."""
        raise NotImplementedError

    @elementwise(is_real=True, logs=log_rules.root, gradient_needs='result')
    def sqrt(self, x: Tensor) -> Tensor:
        """Compute the square root; NaN below zero."""
        raise NotImplementedError

    @elementwise(is_real=True, logs=log_rules.exp, gradient_needs='result')
    def exp(self, x: Tensor) -> Tensor:
        """Compute e to the power of x."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def expm1(self, x: Tensor) -> Tensor:
        """Compute ``exp(x) - 1``, exact near zero."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def log(self, x: Tensor) -> Tensor:
        """Compute the natural logarithm; -inf at zero, NaN below."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def log1p(self, x: Tensor) -> Tensor:
        """Compute ``log(1 + x)``, exact near zero."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def sin(self, x: Tensor) -> Tensor:
        """Sine."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def cos(self, x: Tensor) -> Tensor:
        """Cosine."""
        raise NotImplementedError

    @elementwise(is_real=True, gradient_needs='result')
    def tanh(self, x: Tensor) -> Tensor:
        """Hyperbolic tangent."""
        raise NotImplementedError

    @elementwise(is_real=True)
    def erf(self, x: Tensor) -> Tensor:
        """Compute the error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to x."""
        raise NotImplementedError

    @linear
    def floor(self, x: Tensor) -> Tensor:
        """Round down to an integer, as a real; integers stay the same."""
        raise NotImplementedError

    @linear
    def ceil(self, x: Tensor) -> Tensor:
        """Round up to an integer, as a real; integers stay the same."""
        raise NotImplementedError

    @linear
    def round(self, x: Tensor) -> Tensor:
        """Round to the nearest integer, and halves to even, like NumPy."""
        raise NotImplementedError

    @linear
    def isnan(self, x: Tensor) -> Tensor:
        """Return True where NaN."""
        raise NotImplementedError

    @linear
    def isfinite(self, x: Tensor) -> Tensor:
        """Return True where neither NaN nor infinite."""
        raise NotImplementedError

    @linear(takes_any_number=True)
    def logical_not(self, x: Tensor) -> Tensor:
        """Return True where zero or false."""
        raise NotImplementedError

    # -- two operands, broadcast --------------------------------------------------------------------------------------

    @broadcasting_linear(logs=log_rules.sum_of_two)
    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x + y``."""
        raise NotImplementedError

    @broadcasting_linear(logs=log_rules.difference)
    def subtract(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x - y``."""
        raise NotImplementedError

    @broadcasting(logs=log_rules.product)
    def multiply(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x * y``."""
        raise NotImplementedError

    @broadcasting(is_real=True, logs=log_rules.quotient)
    def divide(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x / y``, real even for integers."""
        raise NotImplementedError

    @broadcasting(second_integer=NOT_ZERO)
    def floor_divide(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x // y``, rounded down as in Python; integers divided by 0 are a DataError in the run."""
        raise NotImplementedError

    @broadcasting(second_integer=NOT_ZERO)
    def mod(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x % y``, with the sign of y as in Python; integers divided by 0 are a DataError in the run."""
        raise NotImplementedError

    @broadcasting(second_integer=NOT_NEGATIVE, logs=log_rules.power)
    def power(self, x: Tensor, y: Tensor) -> Tensor:
        """Raise x to the power of y; a negative power of integers is a DataError in the run."""
        raise NotImplementedError

    @broadcasting(moves_values=True, opposite='minimum', logs=log_rules.bounded_below)
    def maximum(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the larger one."""
        raise NotImplementedError

    @broadcasting(moves_values=True, opposite='maximum', logs=log_rules.bounded_above)
    def minimum(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the smaller one."""
        raise NotImplementedError

    @broadcasting_linear
    def equal(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x == y``, as bools."""
        raise NotImplementedError

    @broadcasting_linear
    def not_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x != y``, as bools."""
        raise NotImplementedError

    @broadcasting_linear
    def less(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x < y``, as bools."""
        raise NotImplementedError

    @broadcasting_linear
    def less_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x <= y``, as bools."""
        raise NotImplementedError

    @broadcasting_linear
    def greater(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x > y``, as bools."""
        raise NotImplementedError

    @broadcasting_linear
    def greater_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``x >= y``, as bools."""
        raise NotImplementedError

    @broadcasting_linear(takes_any_number=True)
    def logical_and(self, x: Tensor, y: Tensor) -> Tensor:
        """Return True where both are true."""
        raise NotImplementedError

    @broadcasting_linear(takes_any_number=True)
    def logical_or(self, x: Tensor, y: Tensor) -> Tensor:
        """Return True where at least one is true."""
        raise NotImplementedError

    @broadcasting_linear(moves_values=True, old_name='switch')
    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Select `x` where `condition` is true, else `y`; all three broadcast."""
        raise NotImplementedError

    @broadcasting(logs=log_rules.clipped)
    def clip(self, x: Tensor, min_value: Any = None, max_value: Any = None) -> Tensor:
        """Clip `x` to two bounds; ``None`` means no bound."""
        # By the two that have the gradients, NaN and ties that the contract asks for.
        if min_value is not None:
            x = self.maximum(x, min_value)
        return x if max_value is None else self.minimum(x, max_value)
