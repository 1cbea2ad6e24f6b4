"""Compare values by meaning: arguments of layers, and functions and classes that are defined again."""
import functools
import inspect
import operator
import types
from typing import Any, Set, Tuple

import numpy as np

__all__ = ['same', 'same_origin']

#: Attributes of a class that say where it is defined and documented, not what it does.
_NOT_COMPARED = frozenset({'__dict__', '__weakref__', '__doc__', '__module__', '__qualname__', '__firstlineno__',
                           '__static_attributes__', '__abstractmethods__', '_abc_impl', '__init__'})

#: The code of what keraflow puts around constructors; their attribute `written` is what stands in the class, if any.
WRAPPERS: Set[types.CodeType] = set()


def same(one: Any, other: Any) -> bool:
    """Return whether two values mean the same.

    Plain values and arrays must be equal, functions and classes come from one definition and compute with the same
    values, and objects have one class and the same arguments.

    Examples
    --------
    >>> same([1, 2], (1, 2)), same(1, True)
    (True, False)
    """
    return one is other or _Comparison().same(one, other)


def same_origin(one: Any, other: Any) -> bool:
    """Return whether two functions or classes come from one definition that ran twice, possibly with different values.

    Recompiled text, such as a notebook cell that is run again, counts as another definition.
    """
    comparison = _Comparison(values=False)
    if not comparison.same(one, other):
        return False
    # A class without functions has no code to compare.
    return comparison.nb_code > 0 or '<locals>' in one.__qualname__


class _Comparison:
    """One comparison, which follows functions and classes that refer to themselves and to each other."""

    def __init__(self, values: bool = True):
        self.values = values        # else only the compiled code
        self.nb_code = 0
        self.begun: Set[Tuple[int, int]] = set()

    def same(self, one: Any, other: Any) -> bool:
        if one is other:
            self.nb_code += inspect.isfunction(one)
            return True
        if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
            return len(one) == len(other) and (all(map(operator.is_, one, other)) or all(map(self.same, one, other)))
        if type(one) is not type(other):
            return _is_number(one) and _is_number(other) and bool(one == other)
        if isinstance(one, dict):
            return one.keys() == other.keys() and all(self.same(one[key], other[key]) for key in one)
        if isinstance(one, np.ndarray):
            return one.shape == other.shape and self._same_items(one, other)
        if inspect.isfunction(one) or inspect.isclass(one):
            return self._definition(one, other)
        parts = self._parts(one)
        if parts:
            return all(self.same(getattr(one, part), getattr(other, part)) for part in parts)
        if hasattr(type(one), '_meaning'):
            return self.same(one._meaning(), other._meaning())
        try:
            return bool(one == other)
        except Exception:       # an __eq__ that fails does not make them the same
            return False

    def _same_items(self, one: np.ndarray, other: np.ndarray) -> bool:
        if object in (one.dtype, other.dtype):
            return self.same(one.tolist(), other.tolist())
        # NaN is only asked for where a dtype has it: NumPy refuses the question for others.
        return np.array_equal(one, other) or one.dtype.kind in 'fc' and np.array_equal(one, other, equal_nan=True)

    def _definition(self, one: Any, other: Any) -> bool:
        if (id(one), id(other)) in self.begun:      # by id: both live as long as the comparison
            return True         # a cycle: the rest decides
        self.begun.add((id(one), id(other)))
        if inspect.isclass(one):
            return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__) and \
                self.same(*([it.__bases__, self._body(it), _constructor_of(it)] for it in (one, other)))
        self.nb_code += 1
        if not self.values and one.__code__ is not other.__code__:
            return False
        if one.__code__ != other.__code__ or one.__globals__ is not other.__globals__:
            return False
        return self.same(self._bound_by(one), self._bound_by(other))

    def _parts(self, value: Any) -> Tuple[str, ...]:
        """Return the attributes that determine what a callable, or a descriptor of a class, does."""
        if isinstance(value, functools.partial):
            return ('func', 'args', 'keywords') if self.values else ('func',)
        if inspect.ismethod(value):
            return ('__func__', '__self__') if self.values else ('__func__',)
        if isinstance(value, property):
            return ('fget', 'fset', 'fdel')
        return ('__func__',) if isinstance(value, (staticmethod, classmethod)) else ()

    def _body(self, cls: type) -> dict:
        """Return the content of a class, without its constructor."""
        return {name: value for name, value in vars(cls).items()
                if name not in _NOT_COMPARED and not inspect.ismemberdescriptor(value) and not
                inspect.isgetsetdescriptor(value) and (self.values or callable(value) or self._parts(value))}

    def _bound_by(self, function: Any) -> list:
        """Return the values besides its code that a function computes with: defaults, and what it closes over."""
        values = [function.__defaults__, function.__kwdefaults__, [_content(it) for it in function.__closure__ or ()]]
        return values if self.values else [it for it in values[2] if callable(it)]


def _constructor_of(cls: type) -> Any:
    """Return the ``__init__`` that is written in a class, or None."""
    init: Any = vars(cls).get('__init__')
    return init.written if getattr(init, '__code__', None) in WRAPPERS else init


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:          # not filled yet
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
