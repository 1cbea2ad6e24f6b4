"""Elementwise operations."""
from typing import Any

from keraflow.backend.contract import FLOATS, Backend, check_dtype
from keraflow.backend.dtypes import integers_of
from keraflow.backend.refusals import require_integers

from .configure import T
from .operands import alike, as_tensor, cast, countable, is_symbolic, numbers, real, real_operands
from .static_shapes import with_known_ones

__all__ = ['Elementwise']


class Elementwise(Backend):
    """Operations on each number; see the contract."""

    # -- one operand ------------------------------------------------------------------------------------------------

    def abs(self, x: Any) -> Any:
        return T.abs_(countable(x))

    def negative(self, x: Any) -> Any:
        return T.neg(countable(x))

    def sign(self, x: Any) -> Any:
        return T.sgn(countable(x))

    def square(self, x: Any) -> Any:
        return T.sqr(countable(x))

    def sqrt(self, x: Any) -> Any:
        return T.sqrt(real(x))

    def exp(self, x: Any) -> Any:
        return T.exp(real(x))

    def expm1(self, x: Any) -> Any:
        return T.expm1(real(x))

    def log(self, x: Any) -> Any:
        return T.log(real(x))

    def log1p(self, x: Any) -> Any:
        return T.log1p(real(x))

    def sin(self, x: Any) -> Any:
        return T.sin(real(x))

    def cos(self, x: Any) -> Any:
        return T.cos(real(x))

    def tanh(self, x: Any) -> Any:
        return T.tanh(real(x))

    def erf(self, x: Any) -> Any:
        return T.erf(real(x))

    def floor(self, x: Any) -> Any:
        x = countable(x)
        return T.floor(x) if x.dtype in FLOATS else x

    def ceil(self, x: Any) -> Any:
        x = countable(x)
        return T.ceil(x) if x.dtype in FLOATS else x

    def round(self, x: Any) -> Any:
        x = countable(x)
        return T.round(x, mode='half_to_even') if x.dtype in FLOATS else x

    def isnan(self, x: Any) -> Any:
        x = as_tensor(x)
        return T.isnan(x) if x.dtype in FLOATS else T.zeros_like(x, dtype='bool')

    def isfinite(self, x: Any) -> Any:
        x = as_tensor(x)
        if x.dtype not in FLOATS:
            return T.ones_like(x, dtype='bool')
        return T.invert(T.or_(T.isnan(x), T.isinf(x)))

    def logical_not(self, x: Any) -> Any:
        return T.eq(as_tensor(x), 0)

    # -- two operands -----------------------------------------------------------------------------------------------

    def add(self, x: Any, y: Any) -> Any:
        return T.add(*numbers(x, y))

    def subtract(self, x: Any, y: Any) -> Any:
        return T.sub(*numbers(x, y))

    def multiply(self, x: Any, y: Any) -> Any:
        return T.mul(*numbers(x, y))

    def divide(self, x: Any, y: Any) -> Any:
        return T.true_div(*real_operands(x, y))

    def floor_divide(self, x: Any, y: Any) -> Any:
        one, other = numbers(x, y)
        return T.int_div(one, require_integers(self, 'floor_divide', other, y))

    def mod(self, x: Any, y: Any) -> Any:
        one, other = numbers(x, y)
        return T.mod(one, require_integers(self, 'mod', other, y))

    def power(self, x: Any, y: Any) -> Any:
        one, other = numbers(x, y)
        return T.pow(one, require_integers(self, 'power', other, y))

    def maximum(self, x: Any, y: Any) -> Any:
        x, y = numbers(x, y)
        # Theano's C code for the maximum of integers converts to double, which rounds large ones.
        return T.maximum(x, y) if x.dtype in FLOATS else T.switch(T.ge(x, y), x, y)

    def minimum(self, x: Any, y: Any) -> Any:
        x, y = numbers(x, y)
        return T.minimum(x, y) if x.dtype in FLOATS else T.switch(T.le(x, y), x, y)

    def equal(self, x: Any, y: Any) -> Any:
        return T.eq(*alike(x, y))

    def not_equal(self, x: Any, y: Any) -> Any:
        return T.neq(*alike(x, y))

    def less(self, x: Any, y: Any) -> Any:
        return T.lt(*alike(x, y))

    def less_equal(self, x: Any, y: Any) -> Any:
        return T.le(*alike(x, y))

    def greater(self, x: Any, y: Any) -> Any:
        return T.gt(*alike(x, y))

    def greater_equal(self, x: Any, y: Any) -> Any:
        return T.ge(*alike(x, y))

    def logical_and(self, x: Any, y: Any) -> Any:
        return T.and_(*alike(as_tensor(x, 'bool'), as_tensor(y, 'bool')))

    def logical_or(self, x: Any, y: Any) -> Any:
        return T.or_(*alike(as_tensor(x, 'bool'), as_tensor(y, 'bool')))

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return T.switch(with_known_ones(as_tensor(condition, 'bool')), *map(with_known_ones, alike(x, y)))

    def cast(self, x: Any, dtype: str) -> Any:
        check_dtype(dtype)
        if 'int' in dtype and is_symbolic(x):      # what is no tensor was checked before
            x = as_tensor(x)
            return integers_of(self, x, dtype, cast) if x.dtype in FLOATS else cast(x, dtype)
        return as_tensor(x, dtype)
