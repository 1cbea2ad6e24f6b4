"""Take old names: deprecated ones, which warn with what to write instead, and those of arguments, which stay."""
import functools
import inspect
import re
from typing import Any, Callable, Dict, NamedTuple, TypeVar, cast

import keraflow
from keraflow.errors import ArgumentTypeError, KeraFlowDeprecationWarning, warn

__all__ = ['current_name', 'current_names', 'deprecated', 'is_over', 'rename_members', 'renamed',
           'renamed_arguments']

Function = TypeVar('Function', bound=Callable[..., Any])


class _Renamed(NamedTuple):
    name: str               # the current name of the argument
    text: str = ''          # the warning for its old name; none for one that stays
    removed_in: str = ''


class _FormerName:
    """A value of a class by its old name: that of the current one, of the class or the object that is asked."""

    def __init__(self, name: str):
        self._name = name

    def __get__(self, obj: Any, owner: type) -> Any:
        return getattr(owner if obj is None else obj, self._name)


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
        where = _where(function)
        what = f"{where}: the argument '{argument}'" if argument else where
        text = f'{what} is deprecated since {since} and will be removed in {removed_in}. Use {instead}.'
        if argument:
            return _by_current_names(function, {argument: _Renamed(instead, text, removed_in)})

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            warn(text, KeraFlowDeprecationWarning)
            return function(*args, **kwargs)
        return cast(Function, call)
    return decorate


def renamed(**names: str) -> Callable[[Function], Function]:
    """Let a function or a constructor take arguments by old names too, permanently and without a warning.

    These are names that users of the first Keraflow know. The attributes of an object have them too, hidden from
    ``dir()``; files are written with the current names. Write it above ``@checked``.

    Parameters
    ----------
    **names
        The current name of each argument, by its old name.

    Examples
    --------
    >>> @renamed(n='times')
    ... def repeat(text, times=2):
    ...     return text * times
    >>> repeat('a', n=3)
    'aaa'
    """
    return lambda function: _by_current_names(function, {old: _Renamed(now) for old, now in names.items()})


def _by_current_names(function: Function, names: Dict[str, _Renamed]) -> Function:
    where = _where(function)
    known = {**renamed_arguments(function), **names}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs and not known.keys().isdisjoint(kwargs):
            kwargs = current_names(call, kwargs, where)
        return function(*args, **kwargs)
    setattr(call, 'renamed_arguments', known)
    return cast(Function, call)


def _where(function: Callable) -> str:
    return function.__qualname__.rpartition('<locals>.')[2].removesuffix('.__init__')


def renamed_arguments(owner: Any) -> Dict[str, _Renamed]:
    """Return the arguments that a function, or a constructor with those of its base classes, takes by old names."""
    return _of_constructors(owner) if isinstance(owner, type) else getattr(owner, 'renamed_arguments', {})


@functools.lru_cache(maxsize=None)
def _of_constructors(cls: type) -> Dict[str, _Renamed]:
    found: Dict[str, _Renamed] = {}
    taken: Dict[str, Any] = {}      # arguments of subclasses, which mean something else
    for init in (vars(owner).get('__init__') for owner in cls.__mro__):
        found.update({old: one for old, one in renamed_arguments(init).items() if old not in {**taken, **found}})
        taken.update(_arguments(init) if inspect.isfunction(init) else {})
    return found


@functools.lru_cache(maxsize=None)      # of a base class, once for all
def _arguments(init: Callable) -> Dict[str, Any]:
    return dict(inspect.signature(init).parameters)


def current_name(owner: Any, name: str) -> str:
    """Return the current name of an argument, or of the attribute that keeps it.

    Examples
    --------
    >>> from keraflow.layers import Repeat
    >>> current_name(Repeat, 'n')
    'repeats'
    """
    one = renamed_arguments(owner).get(name)
    return name if one is None else one.name


def current_names(owner: Any, given: Dict[str, Any], where: str, warns: bool = True) -> Dict[str, Any]:
    """Return the arguments for a function or a constructor by their current names.

    A deprecated name causes a warning, until it is removed. In files, for which `warns` is False, old names never
    warn and are never removed.

    Raises
    ------
    ArgumentTypeError
        If an argument is given by both names; the message begins with `where`.
    """
    names = renamed_arguments(owner)
    if names.keys().isdisjoint(given):
        return given
    found: Dict[str, Any] = {}
    words: Dict[str, str] = {}
    for word, value in given.items():
        one = names.get(word)
        name = word if one is None or warns and one.text and is_over(one.removed_in) else one.name
        if name in found:
            old = words[name] if word == name else word
            raise ArgumentTypeError(f"{where}: the argument '{name}' is given twice, once as '{old}'.")
        found[name], words[name] = value, word
    for name, word in words.items():
        if warns and word != name and names[word].text:
            warn(names[word].text, KeraFlowDeprecationWarning)
    return found


def rename_members(cls: type, names: Dict[str, str]) -> None:
    """Give what a class defines by old names its current names; both are found, by the class and by ``super()``, too.

    Parameters
    ----------
    cls : type
        A class that is being made, with bases that went through this.
    names : dict
        The current name of each method or attribute, by its old name.

    Examples
    --------
    >>> class Old:
    ...     size = 3
    ...     def count(self):
    ...         return 1
    >>> rename_members(Old, {'count': 'total', 'size': 'length'})
    >>> Old().total(), Old().count(), Old.length, Old.size
    (1, 1, 3, 3)
    """
    for old, now in names.items():
        owner = next((one for one in cls.__mro__ if old in vars(one) or now in vars(one)), cls)     # may be a mixin
        given = {name: vars(owner)[name] for name in (now, old)
                 if name in vars(owner) and not isinstance(vars(owner)[name], _FormerName)}
        if now not in given and old in given:
            setattr(cls, now, given[old])
        # A method is there by both names, which super() may ask for; a value by one, so that the two never differ.
        if inspect.isfunction(next(iter(given.values()), None)):
            if old not in given:
                setattr(cls, old, given[now])
            continue
        if old in vars(cls):
            delattr(cls, old)
        if not hasattr(cls, old):
            setattr(cls, old, _FormerName(now))


def is_over(removed_in: str) -> bool:
    """Return whether keraflow is at this version, or a later one.

    Examples
    --------
    >>> is_over('0.0.1'), is_over('999')
    (True, False)
    """
    first, this = (tuple(map(int, re.findall(r'\d+', version))) for version in (removed_in, keraflow.__version__))
    return this >= first
