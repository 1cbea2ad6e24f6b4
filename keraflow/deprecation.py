"""Deprecate names: they still work, and warn with what to write instead."""
import functools
import re
from typing import Any, Callable, Dict, NamedTuple, TypeVar, cast

import keraflow
from keraflow.errors import ArgumentTypeError, KeraFlowDeprecationWarning, warn

__all__ = ['current_name', 'deprecated', 'is_over']

Function = TypeVar('Function', bound=Callable[..., Any])


class _Renamed(NamedTuple):
    name: str           # the current name of the argument
    text: str           # the warning for its old name
    removed_in: str


def deprecated(since: str, removed_in: str, instead: str, argument: str = '') -> Callable[[Function], Function]:
    """Mark a function or a method, or one of its arguments, as deprecated.

    Each line of a program that uses it warns once, with a ``KeraFlowDeprecationWarning``. Write it above ``@checked``.

    Parameters
    ----------
    since, removed_in : str
        The first version of keraflow that warns, and the first that no longer has it.
    instead : str
        What to write instead; for an argument its new name, by which it is passed on.
    argument : str, optional
        The old name of an argument, which the function or ``__init__`` no longer lists.

    Examples
    --------
    >>> @deprecated(since='0.2', removed_in='0.4', instead='times', argument='n')
    ... def repeat(text, times=2):
    ...     return text * times
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter('always')
    ...     repeat('a', n=3)
    'aaa'
    >>> print(told[0].message)
    repeat: the argument 'n' is deprecated since 0.2 and will be removed in 0.4. Use times.
    """
    def decorate(function: Function) -> Function:
        where = function.__qualname__.rpartition('<locals>.')[2].removesuffix('.__init__')
        what = f"{where}: the argument '{argument}'" if argument else where
        text = f'{what} is deprecated since {since} and will be removed in {removed_in}. Use {instead}.'

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not argument:
                warn(text, KeraFlowDeprecationWarning)
            elif argument in kwargs:
                if instead in kwargs:
                    raise ArgumentTypeError(f"{where}: the argument '{instead}' is given twice, once as '{argument}'.")
                warn(text, KeraFlowDeprecationWarning)
                kwargs[instead] = kwargs.pop(argument)
            return function(*args, **kwargs)
        if argument:
            known: Dict[str, _Renamed] = getattr(function, 'renamed_arguments', {})
            setattr(call, 'renamed_arguments', {**known, argument: _Renamed(instead, text, removed_in)})
        return cast(Function, call)
    return decorate


def current_name(cls: type, name: str, is_told: bool = True) -> str:
    """Return the current name of an argument of a constructor, or of that of a base class.

    An old name causes a warning, until it is removed. In files, for which `is_told` is False, old names never warn and
    are never removed.
    """
    for owner in cls.__mro__:
        renamed = getattr(vars(owner).get('__init__'), 'renamed_arguments', {}).get(name)
        if renamed is not None:
            if is_told and is_over(renamed.removed_in):
                break
            if is_told:
                warn(renamed.text, KeraFlowDeprecationWarning)
            return renamed.name
    return name


def is_over(removed_in: str) -> bool:
    """Return whether keraflow is at this version, or a later one.

    Examples
    --------
    >>> is_over('0.0.1'), is_over('999')
    (True, False)
    """
    first, this = (tuple(map(int, re.findall(r'\d+', version))) for version in (removed_in, keraflow.__version__))
    return this >= first
