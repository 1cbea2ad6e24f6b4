"""Names of keraflow's base classes: what a class of the program must define, and what it must not redefine."""
import functools
import inspect
import sys
from typing import Any, Dict, Iterator, List, Sequence

from keraflow import schema
from keraflow.arguments import takes
from keraflow.errors import ArgumentError, ArgumentTypeError, nearest
from keraflow.habits import CALLBACK_HOOKS, METHODS, word_for

__all__ = ['check_attribute', 'check_class_names', 'check_complete', 'check_constructor', 'of_program']

_METHOD, _PROPERTY, _SETTABLE, _PRIVATE = 'a method', 'a property', 'an argument', 'an attribute'
_reserved: Dict[type, Dict[str, str]] = {}


def check_attribute(obj: Any, name: str) -> None:
    """Raise if an attribute of that name would break an object, or would never be read.

    It breaks one whose class has a method or a read-only property of that name, or keeps data there. Another library's
    word for what is set elsewhere is never read.

    ``__setattr__`` calls it; its caller tells whether keraflow itself sets the attribute.
    """
    cls = type(obj)
    if cls not in _reserved:
        _reserved[cls] = _names_of(cls.__mro__)
    # Frame 1 is __setattr__, frame 2 the code that sets the attribute: keraflow's own may set private ones.
    what = _reserved[cls].get(name)
    if what in (_METHOD, _PROPERTY) or what == _PRIVATE and \
            not _is_own(sys._getframe(2).f_globals.get('__name__', '')):
        raise ArgumentError(_refusal(cls, name, what))
    if what is None and '_kept' in vars(obj):      # not while __init__ runs, which may keep what it likes
        ours = name not in vars(obj) and not hasattr(cls, name) and word_for(name, schema.arguments_of(cls))
        advice = f"Did you mean '{ours}'?" if ours else cls.set_elsewhere.get(name)
        if advice and not _is_own(sys._getframe(2).f_globals.get('__name__', '')) and \
                not any(_is_used(one, name) for one in of_program(cls)):
            raise ArgumentError(f"{getattr(obj, 'name', cls.__name__)}: '{name}' would be set to no effect. {advice}")


def check_class_names(cls: Any) -> None:
    """Raise if a class of the program redefines a name that its keraflow base classes use.

    Overriding is allowed if the signature is compatible, or if the method calls ``super()``.
    """
    if _is_own(cls.__module__):
        return
    reserved = _names_of(cls.__mro__[1:])
    for name, value in vars(cls).items():
        what, function = reserved.get(name), inspect.unwrap(getattr(value, '__func__', value))
        if what is None or isinstance(value, property) and what in (_PROPERTY, _SETTABLE):
            continue
        if not inspect.isfunction(function) or what != _METHOD:
            raise ArgumentError(_refusal(cls, name, what))
        overridden = next(vars(one)[name] for one in _own(cls.__mro__) if name in vars(one))
        overridden = getattr(overridden, '__func__', overridden)
        if name in cls.extensible_methods or 'super' in function.__code__.co_names or \
                name[0] != '_' and _is_called_alike(function, overridden):
            continue
        raise ArgumentTypeError(f'{cls.__name__}: {_written(name, function)}: expected a method that is called as '
                                f'{_written(name, overridden)}. Take these arguments, or call the method something '
                                'else.')
    hooks = [name for one in _own(cls.__mro__) for name in vars(one) if name.startswith('on_')]
    for name in vars(cls) if hooks else ():
        if name.startswith('on_') and name not in hooks and not _is_used(cls, name):
            ours = CALLBACK_HOOKS.get(name)
            advice = f"Did you mean '{ours}'?" if ours else nearest(name, hooks)
            raise ArgumentTypeError(f'{cls.__name__}: {name}() is never called. {advice}')
    for hook in _missing(cls):
        for word in METHODS.get(hook, ()):
            if inspect.isfunction(vars(cls).get(word)):
                raise ArgumentTypeError(f'{cls.__name__}: {word}() is never called. Write {_hook_of(cls, hook)}.')


def check_constructor(cls: type) -> None:
    """Raise for arguments without names; ``*args`` may be passed on to the base class, where they have some."""
    init = vars(cls).get('__init__')
    for one in inspect.signature(init).parameters.values() if inspect.isfunction(init) else ():
        if one.kind is one.VAR_POSITIONAL and one.name != 'args':
            raise ArgumentTypeError(f'{cls.__name__}: {_written("__init__", init)}: an object is rebuilt from its '
                                    f'arguments by name, and those of *{one.name} have none. Take one list: '
                                    f'{_written("__init__", init).replace("*", "", 1)}.')


def check_complete(cls: Any) -> None:
    """Raise if a class lacks a method that it must define."""
    for hook in () if _is_own(cls.__module__) else _missing(cls):
        raise ArgumentTypeError(f'{cls.__name__}: there is no {_hook_of(cls, hook)}, which each {cls.kind} defines. '
                                'Write it.')


def _missing(cls: Any) -> Iterator[str]:
    """Yield the methods that the class must define, and that keraflow's base class only documents."""
    for hook, instead in cls.required_methods.items():
        if not any(name in vars(one) for name in (hook, *instead) for one in cls.__mro__[:_place_of_base(cls)]):
            yield hook


def _place_of_base(cls: Any) -> int:
    """Return the position among the bases of the class that says what must be defined."""
    return next(place for place, one in enumerate(cls.__mro__) if 'required_methods' in vars(one))


def _names_of(mro: Sequence[type]) -> Dict[str, str]:
    """Return what keraflow's classes among the bases use each name for, without those that a class of the program has
    redefined."""
    own, found = _own(mro), {}
    for name in (name for one in own for method in vars(one).values() for name in _underscored(method)):
        found[name] = _PRIVATE
    for name in {name for one in own for name in vars(one) if not _is_special(name)}:
        owner = next(one for one in mro if name in vars(one))
        value = vars(owner)[name]
        if inspect.isfunction(getattr(value, '__func__', value)):
            found[name] = _METHOD
        elif isinstance(value, property):
            found[name] = _PROPERTY if value.fset is None else _SETTABLE
        elif not _is_own(owner.__module__):
            found.pop(name, None)
    return found


def _own(mro: Sequence[type]) -> List[type]:
    return [one for one in mro if _is_own(one.__module__)]


def of_program(cls: type) -> List[type]:
    """Return a class and its bases, without those of keraflow."""
    return [one for one in cls.__mro__ if not _is_own(one.__module__)]


def _is_used(cls: type, name: str) -> bool:
    """Return whether another method of a class uses a name."""
    methods = (inspect.unwrap(getattr(one, '__func__', one)) for key, one in vars(cls).items() if key != name)
    return any(name in one.__code__.co_names for one in methods if inspect.isfunction(one))


def _underscored(method: Any) -> List[str]:
    """Return the names with an underscore that a method uses."""
    code = getattr(inspect.unwrap(getattr(method, '__func__', method)), '__code__', None)
    return [name for name in code.co_names if name[0] == '_' and not _is_special(name)] if code else []


def _is_called_alike(function: Any, overridden: Any) -> bool:
    """Return whether a method can be called with the arguments of the one that it overrides."""
    given = [one for one in inspect.signature(overridden).parameters.values()
             if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return takes(function, *(one.name for one in given))


def _hook_of(cls: Any, hook: str) -> str:
    return _written(hook, getattr(cls.__mro__[_place_of_base(cls)], hook))


def _written(name: str, function: Any) -> str:
    """Return a method as it is written in a class, without annotations."""
    marks: Dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: '*', inspect.Parameter.VAR_KEYWORD: '**'}
    listed = inspect.signature(function).parameters.values()
    return f'{name}({", ".join(marks.get(one.kind, "") + one.name for one in listed)})'


def _refusal(cls: Any, name: str, what: str) -> str:
    return (f"{cls.__name__}: '{name}' is {what} that every {cls.kind or cls.__name__} of keraflow has. Call yours "
            'something else.')


def _is_special(name: str) -> bool:
    return name.startswith('__') and name.endswith('__')


@functools.lru_cache(maxsize=4096)      # asked for each attribute
def _is_own(module: str) -> bool:
    return module.partition('.')[0] in ('keraflow', 'keraflow_backends')
