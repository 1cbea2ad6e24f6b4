"""Functions of the backend and operators, used on what stands for a tensor that is not there yet."""
import functools
from typing import Any, Callable, Dict, Iterator, Optional, Sequence

from keraflow.backend.contract import OPERATIONS
from keraflow.errors import ArgumentTypeError

__all__ = ['Deferred', 'deferring', 'telling']

#: Functions of the backend that tell what is known of a tensor without its value.
TOLD: Dict[str, Callable[[Any], Any]] = {
    'dtype': lambda one: one.dtype, 'ndim': lambda one: len(one.shape), 'static_shape': lambda one: one.shape,
    'is_tensor': lambda one: False, 'is_variable': lambda one: False}


def _operator(operation: str, reflected: bool = False) -> Callable:
    def method(self: 'Deferred', *others: Any) -> Any:
        return self.defer(operation, (*others, self) if reflected else (self, *others), {})
    return method


#: What NumPy calls the operators.
_UFUNCS = {**{name: name for name in ('add', 'subtract', 'multiply', 'divide', 'floor_divide', 'power', 'less',
                                      'less_equal', 'greater', 'greater_equal')},
           'true_divide': 'divide', 'remainder': 'mod', 'matmul': 'dot', 'bitwise_and': 'logical_and',
           'bitwise_or': 'logical_or'}


class Deferred:
    """Base of what stands for a tensor: operators and functions of the backend leave to it what they mean.

    Not ``==``, which asks whether two are the same object.

    Attributes
    ----------
    shape : tuple
    dtype : str
    """

    shape: tuple
    dtype: Any

    def defer(self, operation: str, args: Sequence[Any], kwargs: Dict[str, Any]) -> Any:
        """The result of ``B.operation(*args, **kwargs)`` (or of ``'getitem'``), where one argument is this object."""
        raise NotImplementedError

    __add__, __radd__ = _operator('add'), _operator('add', reflected=True)
    __sub__, __rsub__ = _operator('subtract'), _operator('subtract', reflected=True)
    __mul__, __rmul__ = _operator('multiply'), _operator('multiply', reflected=True)
    __truediv__, __rtruediv__ = _operator('divide'), _operator('divide', reflected=True)
    __floordiv__, __rfloordiv__ = _operator('floor_divide'), _operator('floor_divide', reflected=True)
    __mod__, __rmod__ = _operator('mod'), _operator('mod', reflected=True)
    __pow__, __rpow__ = _operator('power'), _operator('power', reflected=True)
    __matmul__, __rmatmul__ = _operator('dot'), _operator('dot', reflected=True)
    __and__, __or__, __invert__ = _operator('logical_and'), _operator('logical_or'), _operator('logical_not')
    __lt__, __le__ = _operator('less'), _operator('less_equal')
    __gt__, __ge__ = _operator('greater'), _operator('greater_equal')
    __neg__, __abs__, __getitem__ = _operator('negative'), _operator('abs'), _operator('getitem')
    __iter__: Any = None            # a loop over __getitem__ would not end

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__
        if name in _UFUNCS and method == '__call__' and not kwargs:     # so an array on the left asks for the operation
            return self.defer(_UFUNCS[name], inputs, {})
        if name in ('equal', 'not_equal'):
            return name == 'not_equal'
        raise self.has_no_value(f'np.{name}', {'absolute': 'abs'}.get(name, name))

    def has_no_value(self, where: str, name: str = '') -> ArgumentTypeError:
        """The error where a function of a library that needs a value is given this object."""
        example = f'B.{name}(x)' if name in OPERATIONS else 'such as B.tanh(x)'
        return ArgumentTypeError(f'{where}: received {self!r}, which has no value yet. Write the function of '
                                 f'keraflow.backend, {example}, or call it in a Lambda.')

    def __bool__(self) -> bool:
        raise TypeError(f'{self!r} has no value yet, so that it is neither true nor false. Use B.switch.')


def deferring(operation: str, method: Callable) -> Callable:
    """`method`, but for arguments (and lists of them) that stand for tensors."""
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        one = _first((*args, *kwargs.values()))
        return method(*args, **kwargs) if one is None else one.defer(operation, args, kwargs)
    return call


def telling(name: str, method: Callable) -> Callable:
    """`method`, which is no operation: of what stands for a tensor it tells what is known, or refuses it."""
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        one = _first((*args, *kwargs.values()))
        if one is None:
            return method(*args, **kwargs)
        if name in TOLD:
            return TOLD[name](one)
        raise ArgumentTypeError(f'B.{name}: expected tensors of the backend, received {one!r}, which has no value yet. '
                                'Write kensor.tensor for its symbolic tensor.')
    return call


def _first(arguments: Sequence[Any]) -> Optional[Deferred]:
    return next((one for one in _each(arguments) if isinstance(one, Deferred)), None)


def _each(arguments: Sequence[Any]) -> Iterator[Any]:
    for argument in arguments:
        if isinstance(argument, (list, tuple)):
            yield from argument
        else:
            yield argument
