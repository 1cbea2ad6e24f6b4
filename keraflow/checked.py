"""Functions and methods that check their arguments against their annotations at every call, as constructors do."""
import functools
import inspect
from typing import Any, Callable, TypeVar, cast, get_type_hints

from keraflow.errors import ArgumentTypeError, nearest
from keraflow.schema import as_taken, check

__all__ = ['checked']

Function = TypeVar('Function', bound=Callable[..., Any])


def checked(function: Function) -> Function:
    """Make a function refuse arguments that its annotations do not allow, and suggest the right name for a wrong one.

    Messages start with the name of a method's object if it has one, else with its class; those of ``__init__`` with the
    class alone.

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
    # Resolved at the first call: a method may name a class that is defined later.
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
