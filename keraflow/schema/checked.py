"""Functions and methods that check their arguments against their annotations at every call, as constructors do."""
import functools
import inspect
from typing import Any, Callable, TypeVar, cast

from keraflow.schema.signature import Signature

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
    is_method = next(iter(inspect.signature(function).parameters), '') in ('self', 'cls')
    # Made by the first call: a method may name a class that is defined after it.
    signature = functools.lru_cache(maxsize=None)(lambda: Signature.of(function, start=is_method))

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        where = _where(function, args[0] if is_method else None)
        return function(*args[:is_method], **signature().bind(args[is_method:], kwargs, where))
    return cast(Function, call)


def _where(function: Callable, owner: Any) -> str:
    if function.__name__ == '__init__':
        return type(owner).__name__
    name = owner.__name__ if inspect.isclass(owner) else getattr(owner, 'name', None)
    return f'{name}: {function.__name__}' if name else function.__name__
