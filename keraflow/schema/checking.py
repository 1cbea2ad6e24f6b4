"""Check values against annotations, and describe what an annotation allows in messages."""
import collections.abc
import inspect
import numbers
import types
import typing
from typing import Annotated, Any, Callable, Dict, Literal, get_args, get_origin

import numpy as np

from keraflow import registry
from keraflow.errors import ArgumentError, ArgumentTypeError, describe
from keraflow.sameness import same
from keraflow.schema.marks import Kind, PerParameter, marks_of
from keraflow.schema.matching import LISTS, UNIONS, matches

__all__ = ['check', 'expected', 'hints_of', 'is_open', 'kind_in', 'takes_list']


_WORDS = {collections.abc.Callable: 'a function', int: 'an integer', float: 'a number', bool: 'True or False',
          str: 'a string', type(None): 'None', None: 'None', np.ndarray: 'an array', list: 'a list', dict: 'a dict',
          tuple: 'a tuple', set: 'a set', type: 'a class', collections.abc.Sequence: 'a list',
          collections.abc.MutableSequence: 'a list', collections.abc.Mapping: 'a dict'}


def check(value: Any, annotation: Any, where: str, default: Any = inspect.Parameter.empty) -> None:
    """Raise unless `annotation` allows `value` or it is the default; the message starts with `where`."""
    is_default = same(value, default) and (type(value) is type(default) or not isinstance(value, numbers.Number))
    if matches(value, annotation) or is_default:        # 0.0 is not 0, whatever the default is
        return
    _explain(value, annotation, where)
    error = ArgumentError if matches(value, annotation, by_type=True) else ArgumentTypeError
    raise error(f'{where}: expected {expected(annotation)}, received {describe(value)}.')


def kind_in(annotation: Any) -> str:
    """Return the kind of object that a slot takes, also inside ``Optional``, a sequence or a dict; '' if none."""
    for mark in marks_of(annotation):
        if isinstance(mark, (Kind, PerParameter)):
            return mark.name
    return next(filter(None, map(kind_in, get_args(annotation))), '')


def is_open(annotation: Any) -> bool:
    """Return whether an annotation leaves some type open, so that the exact type of a value matters."""
    return not kind_in(annotation) and (annotation is Any or any(map(is_open, get_args(annotation))))


def takes_list(annotation: Any) -> bool:
    """Return whether an annotation asks for a list or a tuple, as ``list``, ``List[int]`` and ``Sequence[int]`` do."""
    return (get_origin(annotation) or annotation) in (*LISTS, tuple)


def expected(annotation: Any) -> str:
    """Describe what an annotation allows."""
    origin, args = get_origin(annotation), get_args(annotation)
    base = annotation if origin is None else origin
    if origin is Annotated:
        return next((mark.text for mark in marks_of(annotation)), '') or expected(args[0])
    if origin in UNIONS:
        return ' or '.join(dict.fromkeys(map(expected, args)))
    if origin is Literal:
        return 'one of ' + ', '.join(map(repr, args))
    if hasattr(annotation, '__supertype__'):
        return expected(annotation.__supertype__)
    if base is tuple and args and args[-1] is not Ellipsis:
        return f"a tuple ({', '.join(map(expected, args))})"
    if (base in LISTS or base is tuple) and args:
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
    """Return the annotations of a function by argument. One that cannot be evaluated checks nothing."""
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


def _explain(value: Any, annotation: Any, where: str) -> None:
    """Raise the registry's own error, which knows near names, if what is wrong is one object of a kind."""
    for mark in marks_of(annotation):
        if isinstance(mark, Kind) and mark.name != 'function' and value is not None:
            registry.resolve(mark.name, value, f'{where}: ')
        if isinstance(mark, PerParameter) and isinstance(value, (dict, list, tuple)):
            for key, one in value.items() if isinstance(value, dict) else enumerate(value):
                if one is not None:
                    registry.resolve(mark.name, one, f'{where}: {key}: ')
    is_union = get_origin(annotation) in UNIONS
    options = [one for one in get_args(annotation) if one is not type(None)] if is_union else []
    for one in options:
        if kind_in(one) and (len(options) == 1 or isinstance(value, str)):
            _explain(value, one, where)
