"""Which names the code of a class uses: what its methods may call or read is known before they run."""
import inspect
import itertools
import types
from typing import Any, Iterator, Sequence, Set

from keraflow.serialization.reserved import of_program

__all__ = ['names_reached', 'names_used', 'reads_masks', 'underlying_function']


def names_used(owners: Sequence[type], names: Set[str], skipped: Sequence[str] = ()) -> Set[str]:
    """Return which of the names methods of some classes use, except in `skipped` and in a method with that name.

    So a ``call`` that calls ``super().call`` does not count as used. A ``__call__`` does.
    """
    used: Set[str] = set()
    for one in owners:
        for method, value in vars(one).items():
            for code in () if method in skipped else _codes(value):
                used |= {name for name in code.co_names if name in names and (name != method or name == '__call__')}
    return used


def reads_masks(cls: type) -> bool:
    """Return whether a class of layers reads the mask of its input.

    It does if ``output`` has the argument ``mask``, or calls that of a base class that has; a class of the program also
    if it uses ``get_tensor_mask``.
    """
    for one in cls.__mro__:
        output = vars(one).get('output')
        if output is not None:
            if 'mask' in inspect.signature(output).parameters:
                return True
            if not any('super' in code.co_names for code in _codes(output)):
                break
    return bool(names_used(of_program(cls), {'get_tensor_mask'}))


def names_reached(cls: type, *methods: str) -> Set[str]:
    """Return the names that methods use, themselves or through methods that not every layer has."""
    own = list(itertools.takewhile(lambda one: 'kind' not in vars(one), cls.__mro__))
    reached: Set[str] = set()
    waiting = list(methods)
    while waiting:
        name = waiting.pop()
        for one in own:
            if name in vars(one):
                found = {used for code in _codes(vars(one)[name]) for used in code.co_names} - reached
                reached |= found
                waiting += found
    return reached


def _codes(value: Any) -> Iterator[types.CodeType]:
    functions = [value.fget, value.fset] if isinstance(value, property) else [underlying_function(value)]
    stack = [one.__code__ for one in functions if inspect.isfunction(one)]
    while stack:
        code = stack.pop()
        yield code
        stack.extend(one for one in code.co_consts if isinstance(one, types.CodeType))


def underlying_function(value: Any) -> Any:
    """Return what a decorator, a static or a class method wraps."""
    return inspect.unwrap(value.__func__ if isinstance(value, (staticmethod, classmethod)) else value)
