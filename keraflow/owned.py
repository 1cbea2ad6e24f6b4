"""Copies of values that a program may change in place."""
import array
import collections
import copy
import functools
import operator
from typing import Any, List

import numpy as np

__all__ = ['of_kind', 'owned']

_UNCHANGEABLE = frozenset({type(None), bool, int, float, complex, str, bytes})


def owned(value: Any) -> Any:
    """Return `value` as it is now, whatever the program does later with its arrays, lists, dicts and sets.

    Arrays, also views of larger ones or of files, are copied; and so are containers, with their content, and the
    arguments of a ``functools.partial``. Anything else stays the same object: a layer, a Kensor, a tensor, a function,
    an object of a class of the program.

    Examples
    --------
    >>> given = {'scale': np.ones(2)}
    >>> kept = owned(given)
    >>> given['scale'][:] = 0
    >>> kept
    {'scale': array([1., 1.])}
    """
    kind = type(value)
    if kind in _UNCHANGEABLE:
        return value
    if kind is list:
        return value.copy() if _UNCHANGEABLE.issuperset(map(type, value)) else [owned(item) for item in value]
    if kind is dict:
        return {key: owned(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, tuple):
        items = [owned(item) for item in value]
        # How a subclass of the program is made is not known, so it stays as it is.
        is_same = all(map(operator.is_, items, value)) or kind is not tuple and not hasattr(kind, '_make')
        return value if is_same else of_kind(kind, items)
    if isinstance(value, functools.partial):
        args, keywords = owned(value.args), owned(value.keywords)
        if args is value.args and all(keywords[name] is item for name, item in value.keywords.items()):
            return value
        made: Any = kind(value.func, *args, **keywords)
        vars(made).update(vars(value))
        return made
    if isinstance(value, memoryview):
        return memoryview(np.array(value))     # type: ignore[arg-type]
    if hasattr(kind, '_meaning'):       # an object of keraflow, whatever its other bases
        return value
    if isinstance(value, (dict, list, collections.deque)):
        made = copy.copy(value)
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            made[key] = owned(item)
        return made
    return copy.copy(value) if isinstance(value, (set, bytearray, array.array)) else value


def of_kind(kind: Any, items: List[Any]) -> Any:
    """Make a list or a tuple, named tuples included, of these items."""
    return kind._make(items) if hasattr(kind, '_make') else kind(items)


def _array(value: np.ndarray) -> np.ndarray:
    made = np.array(value, subok=not isinstance(value, np.memmap))      # a copy of a file's view is in memory
    if made.dtype == object:
        for index in np.ndindex(made.shape):
            made[index] = owned(made[index])
    return made
