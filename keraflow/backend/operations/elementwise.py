"""Operations on single values."""
from typing import Any

from keraflow.backend.operations.tensors import Tensors

__all__ = ['Elementwise']

Tensor = Any


class Elementwise(Tensors):
    """Operations on each value, which broadcast; see :mod:`keraflow.backend.contract`."""

    # -- one operand --------------------------------------------------------------------------------------------------

    def abs(self, x: Tensor) -> Tensor:
        """Absolute value."""
        raise NotImplementedError

    def negative(self, x: Tensor) -> Tensor:
        """``-x``."""
        raise NotImplementedError

    def sign(self, x: Tensor) -> Tensor:
        """-1, 0 or 1."""
        raise NotImplementedError

    def square(self, x: Tensor) -> Tensor:
        """``x * x``."""
        raise NotImplementedError

    def sqrt(self, x: Tensor) -> Tensor:
        """Square root; NaN below zero."""
        raise NotImplementedError

    def exp(self, x: Tensor) -> Tensor:
        """e to the power of x."""
        raise NotImplementedError

    def expm1(self, x: Tensor) -> Tensor:
        """``exp(x) - 1``, exact near zero."""
        raise NotImplementedError

    def log(self, x: Tensor) -> Tensor:
        """Natural logarithm; -inf at zero, NaN below."""
        raise NotImplementedError

    def log1p(self, x: Tensor) -> Tensor:
        """``log(1 + x)``, exact near zero."""
        raise NotImplementedError

    def sin(self, x: Tensor) -> Tensor:
        """Sine."""
        raise NotImplementedError

    def cos(self, x: Tensor) -> Tensor:
        """Cosine."""
        raise NotImplementedError

    def tanh(self, x: Tensor) -> Tensor:
        """Hyperbolic tangent."""
        raise NotImplementedError

    def erf(self, x: Tensor) -> Tensor:
        """Error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to x."""
        raise NotImplementedError

    def floor(self, x: Tensor) -> Tensor:
        """The largest integer not above x, as a real; integers stay as they are."""
        raise NotImplementedError

    def ceil(self, x: Tensor) -> Tensor:
        """The smallest integer not below x, as a real; integers stay as they are."""
        raise NotImplementedError

    def round(self, x: Tensor) -> Tensor:
        """The nearest integer, halves to the even one, as NumPy."""
        raise NotImplementedError

    def isnan(self, x: Tensor) -> Tensor:
        """True where NaN."""
        raise NotImplementedError

    def isfinite(self, x: Tensor) -> Tensor:
        """True where neither NaN nor infinite."""
        raise NotImplementedError

    def logical_not(self, x: Tensor) -> Tensor:
        """True where zero or false."""
        raise NotImplementedError

    # -- two operands, broadcast --------------------------------------------------------------------------------------

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """``x + y``."""
        raise NotImplementedError

    def subtract(self, x: Tensor, y: Tensor) -> Tensor:
        """``x - y``."""
        raise NotImplementedError

    def multiply(self, x: Tensor, y: Tensor) -> Tensor:
        """``x * y``."""
        raise NotImplementedError

    def divide(self, x: Tensor, y: Tensor) -> Tensor:
        """``x / y``, real also for integers."""
        raise NotImplementedError

    def floor_divide(self, x: Tensor, y: Tensor) -> Tensor:
        """``x // y``, rounded down as in Python; of integers by 0 a DataError in the run."""
        raise NotImplementedError

    def mod(self, x: Tensor, y: Tensor) -> Tensor:
        """``x % y``, with the sign of y as in Python; of integers by 0 a DataError in the run."""
        raise NotImplementedError

    def power(self, x: Tensor, y: Tensor) -> Tensor:
        """x to the power of y; of integers with one below 0 a DataError in the run."""
        raise NotImplementedError

    def maximum(self, x: Tensor, y: Tensor) -> Tensor:
        """The larger one."""
        raise NotImplementedError

    def minimum(self, x: Tensor, y: Tensor) -> Tensor:
        """The smaller one."""
        raise NotImplementedError

    def equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x == y``, as bools."""
        raise NotImplementedError

    def not_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x != y``, as bools."""
        raise NotImplementedError

    def less(self, x: Tensor, y: Tensor) -> Tensor:
        """``x < y``, as bools."""
        raise NotImplementedError

    def less_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x <= y``, as bools."""
        raise NotImplementedError

    def greater(self, x: Tensor, y: Tensor) -> Tensor:
        """``x > y``, as bools."""
        raise NotImplementedError

    def greater_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x >= y``, as bools."""
        raise NotImplementedError

    def logical_and(self, x: Tensor, y: Tensor) -> Tensor:
        """True where both are."""
        raise NotImplementedError

    def logical_or(self, x: Tensor, y: Tensor) -> Tensor:
        """True where one is."""
        raise NotImplementedError

    def switch(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """`x` where `condition`, elsewhere `y`; all three broadcast."""
        raise NotImplementedError

    def clip(self, x: Tensor, min_value: Any = None, max_value: Any = None) -> Tensor:
        """`x` kept between two bounds; ``None`` is no bound."""
        if min_value is not None:
            x = self.maximum(x, min_value)
        return x if max_value is None else self.minimum(x, max_value)
