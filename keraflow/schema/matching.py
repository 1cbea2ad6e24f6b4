"""Match values against annotations.

What cannot be judged (a Protocol, a name that does not exist, a type of a later Python) is never refused. Each
annotation is compiled into a test once, because the same few are checked on every call of a layer or an operation.
"""
import collections.abc
import functools
import inspect
import types
import typing
from typing import Annotated, Any, Callable, Literal, Sequence, TypeVar, Union, get_args, get_origin

import numpy as np

from keraflow import registry
from keraflow.errors import KeraFlowError
from keraflow.schema.marks import Kind, PerParameter, Rule, marks_of

__all__ = ['LISTS', 'UNIONS', 'matches', 'matcher']

Test = Callable[[Any], bool]     # takes a value

UNIONS = (Union, getattr(types, 'UnionType', Union))
LISTS = (list, collections.abc.Sequence, collections.abc.MutableSequence)
_NUMBERS = {int: (int, np.integer), float: (int, float, np.integer, np.floating),
            complex: (int, float, complex, np.number)}


def matches(value: Any, annotation: Any, by_type: bool = False) -> bool:
    """Return whether an annotation allows a value; with `by_type`, ignore keraflow's own conditions."""
    return matcher(annotation, by_type)(value)


def matcher(annotation: Any, by_type: bool = False) -> Test:
    """Return the test for an annotation, from the cache if the annotation is hashable."""
    try:
        return _kept_test(annotation, by_type)
    except TypeError:       # not hashable
        return _make_test(annotation, by_type)


def _make_test(annotation: Any, by_type: bool) -> Test:
    origin, args = get_origin(annotation), get_args(annotation)
    base = annotation if origin is None else origin
    if annotation is Any:
        return lambda value: True
    if origin is Annotated:
        marks = [] if by_type else marks_of(annotation)
        return _all([_obeys(args[0], mark) for mark in marks]) if marks else matcher(args[0], by_type)
    if origin in UNIONS:
        return _any(args, by_type)
    if origin is Literal:
        return lambda value: any(type(value) is type(one) and value == one for one in args)      # 1 == True
    if isinstance(annotation, TypeVar):
        return _any(annotation.__constraints__ or (annotation.__bound__ or Any,), by_type)
    if hasattr(annotation, '__supertype__'):        # of a NewType
        return matcher(annotation.__supertype__, by_type)
    if base is tuple:
        return _is_tuple(annotation, args, by_type)
    if base in LISTS:
        return _is_list(base, args, by_type)
    if base is type:
        return lambda value: inspect.isclass(value) and (not args or _is_subclass(value, args[0]))
    return _is_instance(base, [matcher(one) for one in args])


_kept_test = functools.lru_cache(maxsize=2048)(_make_test)


def _all(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)


def _any(annotations: Sequence[Any], by_type: bool) -> Test:
    tests = [matcher(one, by_type) for one in annotations]

    def test(value: Any) -> bool:
        for one in tests:       # faster than any() of a generator, and asked at each call
            if one(value):
                return True
        return False
    return test


def _obeys(base: Any, mark: Any) -> Test:
    """Return a test for one of keraflow's own marks."""
    allows = matcher(base)
    if isinstance(mark, Rule):
        return lambda value: allows(value) and mark.holds(value)
    if isinstance(mark, PerParameter):
        one_obeys = _obeys(Any, Kind(mark.name))
        return lambda value: allows(value) and all(
            one is None or one_obeys(one) for one in (value.values() if isinstance(value, dict) else value or ()))
    return callable if mark.name == 'function' else lambda value: _is_found(mark.name, value)


def _is_found(kind: str, value: Any) -> bool:
    try:
        registry.resolve(kind, value)
    except KeraFlowError:
        return False
    return True


def _is_list(base: Any, args: tuple, by_type: bool) -> Test:
    is_item = matcher(args[0], by_type) if args else None

    def test(value: Any) -> bool:
        # A string is a Sequence in Python, but is never meant as a list of its characters.
        is_list = isinstance(value, (list, tuple)) or isinstance(value, base) and not isinstance(value, (str, bytes))
        return is_list and (is_item is None or all(map(is_item, value)))
    return test


def _is_tuple(annotation: Any, args: tuple, by_type: bool) -> Test:
    """Return a test for ``Tuple[int, str]``, item by item. A list passes, too: older files hold tuples as lists."""
    if annotation in (tuple, typing.Tuple) or any(get_origin(one) is getattr(typing, 'Unpack', ()) for one in args):
        return lambda value: isinstance(value, (list, tuple))
    if args[1:] == (Ellipsis,):
        is_item = matcher(args[0], by_type)
        return lambda value: isinstance(value, (list, tuple)) and all(map(is_item, value))
    tests = [matcher(one, by_type) for one in (() if args == ((),) else args)]    # Tuple[()], as Python 3.10 gives it
    return lambda value: isinstance(value, (list, tuple)) and len(value) == len(tests) and all(
        test(item) for item, test in zip(value, tests))


def _is_subclass(value: type, wanted: Any) -> bool:
    options = get_args(wanted) if get_origin(wanted) in UNIONS else (wanted,)
    try:
        return Any in options or any(issubclass(value, one) for one in options)
    except TypeError:       # a TypeVar, a Protocol
        return True


def _is_instance(cls: Any, parts: Sequence[Test]) -> Test:
    """Return a test for a class; of a dict or a set, `parts` test the items."""
    if cls is None or not inspect.isclass(cls):      # what is no class cannot be judged
        return lambda value: value is None or cls is not None
    if cls is bool:
        return lambda value: isinstance(value, (bool, np.bool_))
    if cls in _NUMBERS:
        return functools.partial(_is_number, classes=_NUMBERS[cls])
    if type(cls) is type and not parts:     # of which isinstance() does not fail
        return lambda value: isinstance(value, cls)

    def test(value: Any) -> bool:
        try:
            if not (callable(value) if cls is collections.abc.Callable else isinstance(value, cls)):
                return False
        except TypeError:       # a Protocol, a TypedDict
            pass
        if len(parts) == 2 and isinstance(value, collections.abc.Mapping):
            return all(parts[0](key) and parts[1](item) for key, item in value.items())
        return len(parts) != 1 or not isinstance(value, collections.abc.Set) or all(map(parts[0], value))
    return test


def _is_number(value: Any, classes: tuple) -> bool:
    if isinstance(value, int) and not -2 ** 63 <= value < 2 ** 63:      # fits no array dtype
        return False
    return isinstance(value, classes) and not isinstance(value, (bool, np.bool_))      # bool is a subclass of int
