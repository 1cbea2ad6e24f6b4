"""What an annotation allows: values are checked against it, and it is said in words.

What cannot be judged (a Protocol, a name that does not exist, a type of a later Python) is never refused.
"""
import collections.abc
import inspect
import math
import types
import typing
from typing import Annotated, Any, Callable, Dict, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import numpy as np

from keraflow import registry
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, describe
from keraflow.sameness import same

__all__ = ['Kind', 'PerParameter', 'Rule', 'check', 'expected', 'hints_of', 'is_open', 'kind_in', 'matches', 'number',
           'takes_list']


class Rule(NamedTuple):
    """A further condition on a value, and the words for it."""

    text: str
    holds: Callable

    def __repr__(self) -> str:
        return self.text        # as part of an annotation, which help() shows


class Kind(NamedTuple):
    """A slot for one kind of the registry's objects."""

    name: str

    @property
    def text(self) -> str:
        """The words for it."""
        return f'{registry.article(self.name)} (a name, a function or an object)'


class PerParameter(NamedTuple):
    """A slot for objects of one kind, a dict by the names of a layer's parameters or a list in their order."""

    name: str
    example: str

    @property
    def text(self) -> str:
        """The words for it."""
        return f"a dict or a list by parameter, such as {{'W': {self.example!r}}} or [{self.example!r}]"


def number(text: str, holds: Callable) -> Rule:
    """A condition on finite numbers."""
    return Rule(text, lambda value: math.isfinite(value) and holds(value))


_UNIONS = (Union, getattr(types, 'UnionType', Union))
_LISTS = (list, collections.abc.Sequence, collections.abc.MutableSequence)
_NUMBERS = {int: (int, np.integer), float: (int, float, np.integer, np.floating),
            complex: (int, float, complex, np.number)}
_WORDS = {collections.abc.Callable: 'a function', int: 'an integer', float: 'a number', bool: 'True or False',
          str: 'a string', type(None): 'None', None: 'None', np.ndarray: 'an array', list: 'a list', dict: 'a dict',
          tuple: 'a tuple', set: 'a set', type: 'a class', collections.abc.Sequence: 'a list',
          collections.abc.MutableSequence: 'a list', collections.abc.Mapping: 'a dict'}


def check(value: Any, annotation: Any, where: str, default: Any = inspect.Parameter.empty) -> None:
    """Raise unless `value` is what `annotation` allows, or the default; the message starts with `where`."""
    if matches(value, annotation) or same(value, default):
        return
    _explain(value, annotation, where)
    error = ArgumentError if matches(value, annotation, by_type=True) else ArgumentTypeError
    raise error(f'{where}: expected {expected(annotation)}, received {describe(value)}.')


def matches(value: Any, annotation: Any, by_type: bool = False) -> bool:
    """Whether an annotation allows a value; with `by_type` without the further conditions of keraflow's own."""
    origin, args = get_origin(annotation), get_args(annotation)
    base = annotation if origin is None else origin
    if origin is Annotated:
        marks = [] if by_type else _marks(annotation)
        return all(_obeys(value, args[0], mark) for mark in marks) if marks else matches(value, args[0], by_type)
    if origin in _UNIONS:
        return any(matches(value, one, by_type) for one in args)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in args)
    if isinstance(annotation, TypeVar):
        allowed = annotation.__constraints__ or (annotation.__bound__ or Any,)
        return any(matches(value, one, by_type) for one in allowed)
    if hasattr(annotation, '__supertype__'):        # of a NewType
        return matches(value, annotation.__supertype__, by_type)
    if base is tuple:
        return _is_tuple(value, annotation, args, by_type)
    if base in _LISTS:
        is_list = isinstance(value, (list, tuple)) or isinstance(value, base) and not isinstance(value, (str, bytes))
        return is_list and all(matches(item, args[0], by_type) for item in value if args)
    if base is type:
        return inspect.isclass(value) and (not args or _is_subclass(value, args[0]))
    if not _is_instance(value, base):
        return False
    if len(args) == 2 and isinstance(value, collections.abc.Mapping):
        return all(matches(key, args[0]) and matches(item, args[1]) for key, item in value.items())
    if len(args) == 1 and isinstance(value, collections.abc.Set):
        return all(matches(item, args[0]) for item in value)
    return True


def kind_in(annotation: Any) -> str:
    """The kind of object that a slot takes, also inside ``Optional``, a sequence or a dict; '' if none."""
    for mark in _marks(annotation):
        if isinstance(mark, (Kind, PerParameter)):
            return mark.name
    return next(filter(None, map(kind_in, get_args(annotation))), '')


def is_open(annotation: Any) -> bool:
    """Whether an annotation leaves it to the program what stands somewhere, so that its exact type matters."""
    return not kind_in(annotation) and (annotation is Any or any(map(is_open, get_args(annotation))))


def takes_list(annotation: Any) -> bool:
    """Whether an annotation asks for a list or a tuple, as ``list``, ``List[int]`` and ``Sequence[int]`` do."""
    return (get_origin(annotation) or annotation) in (*_LISTS, tuple)


def expected(annotation: Any) -> str:
    """The words for what an annotation allows."""
    origin, args = get_origin(annotation), get_args(annotation)
    base = annotation if origin is None else origin
    if origin is Annotated:
        return next((mark.text for mark in _marks(annotation)), '') or expected(args[0])
    if origin in _UNIONS:
        return ' or '.join(dict.fromkeys(map(expected, args)))
    if origin is Literal:
        return 'one of ' + ', '.join(map(repr, args))
    if hasattr(annotation, '__supertype__'):
        return expected(annotation.__supertype__)
    if base is tuple and args and args[-1] is not Ellipsis:
        return f"a tuple ({', '.join(map(expected, args))})"
    if (base in _LISTS or base is tuple) and args:
        return 'a list' if args[0] is Any else f'a list ({expected(args[0])} each)'
    if base in (set, frozenset, collections.abc.Set) and args:
        return f'a set ({expected(args[0])} each)'
    if inspect.isclass(base) and issubclass(base, collections.abc.Mapping) and len(args) == 2:
        return f'a dict of {expected(args[1])}'
    if 'kind' in getattr(annotation, '__dict__', ()):  # the base of a kind
        return registry.article(annotation.kind)
    known = _WORDS.get(base) if isinstance(base, collections.abc.Hashable) else None
    return str(known or getattr(base, '__name__', base))


def hints_of(function: Callable) -> Dict[str, Any]:
    """The annotations of a function by argument. One that cannot be evaluated checks nothing."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:       # whatever the program wrote: a name that only a type checker has, a part of a module, ...
        found = {}
    scope = getattr(inspect.unwrap(function), '__globals__', {})
    for name, annotation in getattr(function, '__annotations__', {}).items():
        alone = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            found.update(typing.get_type_hints(alone, scope, include_extras=True))
        except Exception:
            found[name] = Any
    return found


def _marks(annotation: Any) -> list:
    """What keraflow's own annotations say beyond the type."""
    if get_origin(annotation) is not Annotated:
        return []
    return [mark for mark in annotation.__metadata__ if isinstance(mark, (Rule, Kind, PerParameter))]


def _explain(value: Any, annotation: Any, where: str) -> None:
    """Raise the registry's own error, which knows near names, if what is wrong is one object of a kind."""
    for mark in _marks(annotation):
        if isinstance(mark, Kind) and mark.name != 'function' and value is not None:
            registry.resolve(mark.name, value, f'{where}: ')
        if isinstance(mark, PerParameter) and isinstance(value, (dict, list, tuple)):
            for key, one in value.items() if isinstance(value, dict) else enumerate(value):
                if one is not None:
                    registry.resolve(mark.name, one, f'{where}: {key}: ')
    is_union = get_origin(annotation) in _UNIONS
    options = [one for one in get_args(annotation) if one is not type(None)] if is_union else []
    for one in options:
        if kind_in(one) and (len(options) == 1 or isinstance(value, str)):
            _explain(value, one, where)


def _obeys(value: Any, base: Any, mark: Any) -> bool:
    if isinstance(mark, Rule):
        return matches(value, base) and mark.holds(value)
    if isinstance(mark, PerParameter):
        if not matches(value, base):
            return False
        items = value.values() if isinstance(value, dict) else value or ()
        return all(one is None or _obeys(one, Any, Kind(mark.name)) for one in items)
    if mark.name == 'function':
        return callable(value)
    try:
        registry.resolve(mark.name, value)
    except KeraFlowError:
        return False
    return True


def _is_tuple(value: Any, annotation: Any, args: tuple, by_type: bool) -> bool:
    """Whether a tuple (or a list, as which older files have tuples) is what ``Tuple[int, str]`` allows, place by
    place."""
    if not isinstance(value, (list, tuple)):
        return False
    if annotation in (tuple, typing.Tuple) or any(get_origin(one) is getattr(typing, 'Unpack', ()) for one in args):
        return True
    if args[1:] == (Ellipsis,):
        args = args[:1] * len(value)
    args = () if args == ((),) else args        # Tuple[()], as Python 3.10 gives it
    return len(value) == len(args) and all(matches(item, one, by_type) for item, one in zip(value, args))


def _is_subclass(value: type, wanted: Any) -> bool:
    options = get_args(wanted) if get_origin(wanted) in _UNIONS else (wanted,)
    try:
        return Any in options or any(issubclass(value, one) for one in options)
    except TypeError:       # a TypeVar, a Protocol
        return True


def _is_instance(value: Any, cls: Any) -> bool:
    if cls is None or not inspect.isclass(cls):
        return value is None or cls is not None
    if cls is bool:
        return isinstance(value, (bool, np.bool_))
    if cls in _NUMBERS:
        if isinstance(value, int) and not -2 ** 63 <= value < 2 ** 63:      # no array and no other language has it
            return False
        return isinstance(value, _NUMBERS[cls]) and not isinstance(value, (bool, np.bool_))
    try:
        return callable(value) if cls is collections.abc.Callable else isinstance(value, cls)
    except TypeError:       # a Protocol, a TypedDict
        return True
