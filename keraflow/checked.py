"""Functions whose annotations are checked at every call, as those of constructors are."""
import functools
import inspect
from typing import Any, Callable, TypeVar, cast, get_type_hints

from keraflow.errors import ArgumentTypeError, nearest
from keraflow.schema import check

__all__ = ['checked']

Function = TypeVar('Function', bound=Callable[..., Any])


def checked(function: Function) -> Function:
    """A function that refuses arguments which its annotations do not allow, and names the right one for a wrong name.

    Examples
    --------
    >>> from keraflow.schema import PositiveInt
    >>> @checked
    ... def repeat(text: str, times: PositiveInt = 2) -> str:
    ...     return text * times
    >>> repeat('a', times=0)
    Traceback (most recent call last):
    keraflow.errors.ArgumentError: repeat: times: expected an integer of at least 1, received 0.
    """
    where, signature = function.__name__, inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name in kwargs:
            if name not in signature.parameters:
                raise ArgumentTypeError(
                    f"{where}: there is no argument '{name}'. {nearest(name, signature.parameters)}")
        try:
            passed = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise ArgumentTypeError(f'{where}: {error}. The arguments are {", ".join(signature.parameters)}.') from None
        for name, value in passed.items():
            check(value, hints.get(name, Any), f'{where}: {name}')
        return function(*args, **kwargs)
    return cast(Function, call)
