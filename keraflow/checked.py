"""Functions and methods whose annotations are checked at every call, as those of constructors are."""
import functools
import inspect
from typing import Any, Callable, TypeVar, cast, get_type_hints

from keraflow.errors import ArgumentTypeError, nearest
from keraflow.schema import as_taken, check

__all__ = ['checked']

Function = TypeVar('Function', bound=Callable[..., Any])


def checked(function: Function) -> Function:
    """A function that refuses arguments which its annotations do not allow, and names the right one for a wrong name.

    Messages of a method start with the name of its object, if it has one, or of its class where it is a method of that,
    and those of ``__init__`` with the class of the object alone.

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
    signature = inspect.signature(function)
    is_method = next(iter(signature.parameters), '') in ('self', 'cls')
    names = [name for name, one in list(signature.parameters.items())[is_method:] if one.kind is not one.VAR_KEYWORD]
    is_open = len(names) + is_method < len(signature.parameters)
    # At the first call: a method may name a class that is not there yet.
    hints = functools.lru_cache(maxsize=None)(lambda: get_type_hints(function, include_extras=True))

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        where = _where(function, args[0] if is_method else None)
        for name in kwargs:
            if name not in names and not is_open:
                raise ArgumentTypeError(f"{where}: there is no argument '{name}'. {nearest(name, names)}")
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentTypeError(f'{where}: {error}. The arguments are {", ".join(names)}.') from None
        passed = bound.arguments
        for name in names:
            if name in passed:
                annotation = hints().get(name, Any)
                passed[name] = as_taken(passed[name], annotation)
                check(passed[name], annotation, f'{where}: {name}')
        return function(*bound.args, **bound.kwargs)
    return cast(Function, call)


def _where(function: Callable, owner: Any) -> str:
    if function.__name__ == '__init__':
        return type(owner).__name__
    name = owner.__name__ if inspect.isclass(owner) else getattr(owner, 'name', None)
    return f'{name}: {function.__name__}' if name else function.__name__
