"""Functions and operators of the backend on objects that represent a tensor that does not exist yet."""
from typing import Any, Callable, Dict, Generic, Optional, Sequence, TypeVar

import numpy as np

from keraflow.arguments import is_array_like
from keraflow.backend.misuse import answer_to_numpy, check_index, operation_of_ufunc, require_bools
from keraflow.errors import ArgumentTypeError

__all__ = ['Deferred', 'deferred_among', 'told_of']

#: Functions of the backend that return what is known of a tensor without its value.
TOLD: Dict[str, Callable[[Any], Any]] = {
    'dtype': lambda one: one.dtype, 'ndim': lambda one: len(one.shape), 'static_shape': lambda one: one.shape,
    'is_tensor': lambda one: False, 'is_variable': lambda one: False}

Made = TypeVar('Made')


def _is_operand(value: Any) -> bool:
    """Return whether a value is compared elementwise: a tensor, a substitute, an array, a number or a list of numbers.

    For anything else ``==`` means identity.
    """
    if isinstance(value, (str, bytes)):
        return False
    return isinstance(value, Deferred) or is_array_like(value) or hasattr(value, 'dtype') and hasattr(value, 'shape')


#: The operations of operators, which NumPy calls for an array on the left.
_OPERATORS = frozenset('''
    add subtract multiply divide floor_divide mod power matmul equal not_equal less less_equal greater greater_equal
    logical_and logical_or'''.split())


def _product(y: Any) -> str:
    """Return the operation of ``x @ y``: a product with a matrix keeps time steps in place."""
    return 'matmul' if len(np.shape(y)) > 2 else 'dot'


class Deferred(Generic[Made]):
    """Base of objects that represent a tensor: operators and functions of the backend are deferred to them.

    This includes ``==``: use ``x is y`` for identity, as sets and dicts do.

    Attributes
    ----------
    shape : tuple
    dtype : str
    """

    shape: tuple
    dtype: Any

    def defer(self, operation: str, args: Sequence[Any], kwargs: Dict[str, Any]) -> Made:
        """Return the result of ``B.operation(*args, **kwargs)`` (or of ``'getitem'``), given this among others."""
        raise NotImplementedError

    def __add__(self, other: Any) -> Made: return self.defer('add', (self, other), {})
    def __radd__(self, other: Any) -> Made: return self.defer('add', (other, self), {})
    def __sub__(self, other: Any) -> Made: return self.defer('subtract', (self, other), {})
    def __rsub__(self, other: Any) -> Made: return self.defer('subtract', (other, self), {})
    def __mul__(self, other: Any) -> Made: return self.defer('multiply', (self, other), {})
    def __rmul__(self, other: Any) -> Made: return self.defer('multiply', (other, self), {})
    def __truediv__(self, other: Any) -> Made: return self.defer('divide', (self, other), {})
    def __rtruediv__(self, other: Any) -> Made: return self.defer('divide', (other, self), {})
    def __floordiv__(self, other: Any) -> Made: return self.defer('floor_divide', (self, other), {})
    def __rfloordiv__(self, other: Any) -> Made: return self.defer('floor_divide', (other, self), {})
    def __mod__(self, other: Any) -> Made: return self.defer('mod', (self, other), {})
    def __rmod__(self, other: Any) -> Made: return self.defer('mod', (other, self), {})
    def __pow__(self, other: Any) -> Made: return self.defer('power', (self, other), {})
    def __rpow__(self, other: Any) -> Made: return self.defer('power', (other, self), {})
    def __matmul__(self, other: Any) -> Made: return self.defer(_product(other), (self, other), {})
    def __rmatmul__(self, other: Any) -> Made: return self.defer(_product(self), (other, self), {})
    def __and__(self, other: Any) -> Made: return self._of_bools('logical_and', self, other)
    def __rand__(self, other: Any) -> Made: return self._of_bools('logical_and', other, self)
    def __or__(self, other: Any) -> Made: return self._of_bools('logical_or', self, other)
    def __ror__(self, other: Any) -> Made: return self._of_bools('logical_or', other, self)
    def __lt__(self, other: Any) -> Made: return self.defer('less', (self, other), {})
    def __le__(self, other: Any) -> Made: return self.defer('less_equal', (self, other), {})
    def __gt__(self, other: Any) -> Made: return self.defer('greater', (self, other), {})
    def __ge__(self, other: Any) -> Made: return self.defer('greater_equal', (self, other), {})

    def __eq__(self, other: Any) -> Made:   # type: ignore[override]      # no bool, unlike object's
        return self.defer('equal', (self, other), {}) if _is_operand(other) else NotImplemented

    def __ne__(self, other: Any) -> Made:   # type: ignore[override]
        return self.defer('not_equal', (self, other), {}) if _is_operand(other) else NotImplemented

    __hash__ = object.__hash__      # which a class with __eq__ does not inherit

    def __invert__(self) -> Made: return self._of_bools('logical_not', self)
    def __neg__(self) -> Made: return self.defer('negative', (self,), {})
    def __abs__(self) -> Made: return self.defer('abs', (self,), {})

    def __getitem__(self, index: Any) -> Made:
        check_index(index if isinstance(index, tuple) else (index,), self.shape,
                    lambda one: isinstance(one, Deferred) and one.dtype == 'bool')
        return self.defer('getitem', (self, index), {})

    def _of_bools(self, operation: str, *operands: Any) -> Made:
        require_bools(operation, *operands)
        return self.defer(operation, operands, {})

    __iter__: Any = None            # iterating by __getitem__ would never end

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = operation_of_ufunc(ufunc, method, inputs, kwargs, repr(self), _OPERATORS)
        return self.defer(_product(inputs[1]) if name == 'matmul' else name, inputs, {})

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], kwargs: Dict[str, Any]) -> Any:
        return answer_to_numpy(function, args, lambda one: one.shape, repr(self))

    def has_no_value(self, where: str) -> ArgumentTypeError:
        """Return the error for a library's functions, which need a tensor and are given this object."""
        return ArgumentTypeError(f'{where}: received {self!r}, which has no value yet. Write the function of '
                                 'keraflow.backend, such as B.tanh(x), or call it on the input of a Lambda.')

    def __bool__(self) -> bool:
        raise TypeError(f'{self!r} has no value yet, so it is neither true nor false. Use B.where for '
                        'values; write x is y to ask for the same Kensor, as any(x is one for one in kensors) does.')


def deferred_among(args: Sequence[Any], kwargs: Dict[str, Any]) -> Optional[Deferred]:
    """Return the first argument, or item of a list among them, that represents a tensor; None if there is none."""
    # Loops instead of a generator: every function of the backend begins here.
    for one in (*args, *kwargs.values()) if kwargs else args:
        if isinstance(one, Deferred):
            return one
        if isinstance(one, (list, tuple)):
            for item in one:
                if isinstance(item, Deferred):
                    return item
    return None


def told_of(one: Deferred, name: str) -> Any:
    """Return what a function that is not an operation says about an object that represents a tensor.

    Raises
    ------
    ArgumentTypeError
        If the function needs a tensor.
    """
    if name in TOLD:
        return TOLD[name](one)
    raise ArgumentTypeError(f'B.{name}: expected tensors of the backend, received {one!r}, which has no value yet. '
                            'Write kensor.tensor for its symbolic tensor.')
