"""Operations on single values."""
from typing import Any, Callable

from keraflow.backend.dtypes import FLOATS
from keraflow.backend.graph.nodes import apply
from keraflow.backend.graph.variables import Variables
from keraflow.backend.refusals import require_integers

__all__ = ['Elementwise']


def _of_reals(name: str) -> Callable:
    def method(self: Any, x: Any) -> Any:
        return apply(name, [self._real(x)])
    return method


def _of_numbers(name: str) -> Callable:
    def method(self: Any, x: Any) -> Any:
        return apply(name, [self._countable(x)])
    return method


def _to_whole_numbers(name: str) -> Callable:
    def method(self: Any, x: Any) -> Any:
        x = self._countable(x)
        return apply(name, [x]) if x.dtype in FLOATS else x
    return method


def _of_two(name: str) -> Callable:
    def method(self: Any, x: Any, y: Any) -> Any:
        return apply(name, self._numbers(x, y))
    return method


def _of_two_with_right_integers(name: str) -> Callable:
    def method(self: Any, x: Any, y: Any) -> Any:
        one, other = self._numbers(x, y)
        return apply(name, [one, require_integers(self, name, other, y)])
    return method


def _of_bools(name: str) -> Callable:
    def method(self: Any, x: Any, y: Any) -> Any:
        return apply(name, [self.cast(x, 'bool'), self.cast(y, 'bool')])
    return method


def _of_two_alike(name: str) -> Callable:
    def method(self: Any, x: Any, y: Any) -> Any:
        return apply(name, self._alike(x, y))
    return method


class Elementwise(Variables):
    """Operations that broadcast."""

    abs, negative, sign, square = map(_of_numbers, ('abs', 'negative', 'sign', 'square'))
    sqrt, exp, expm1, log, log1p = map(_of_reals, ('sqrt', 'exp', 'expm1', 'log', 'log1p'))
    sin, cos, tanh, erf = map(_of_reals, ('sin', 'cos', 'tanh', 'erf'))
    isnan, isfinite = map(_of_reals, ('isnan', 'isfinite'))
    floor, ceil, round = map(_to_whole_numbers, ('floor', 'ceil', 'round'))
    add, subtract, multiply = map(_of_two, ('add', 'subtract', 'multiply'))
    maximum, minimum = map(_of_two, ('maximum', 'minimum'))
    less, less_equal, greater, greater_equal = map(_of_two, ('less', 'less_equal', 'greater', 'greater_equal'))
    equal, not_equal = map(_of_two_alike, ('equal', 'not_equal'))
    floor_divide, mod, power = map(_of_two_with_right_integers, ('floor_divide', 'mod', 'power'))
    logical_and, logical_or = map(_of_bools, ('logical_and', 'logical_or'))

    def divide(self, x: Any, y: Any) -> Any:
        return apply('divide', self._real_operands(x, y))

    def logical_not(self, x: Any) -> Any:
        return apply('logical_not', [self.cast(x, 'bool')])

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return apply('where', [self.cast(condition, 'bool'), *self._alike(x, y)])
