"""Lists of parameters: one by one, or all by name."""
import array
import copy
from typing import Any, List, NamedTuple, Sequence

import numpy as np

from keraflow import backend as B
from keraflow.arguments import is_array_like
from keraflow.errors import ArgumentError, ArgumentTypeError, describe
from keraflow.graph.call_arguments import replaced

__all__ = ['Parameter', 'Variables', 'by_parameter', 'first_values']


class Parameter(NamedTuple):
    """A named variable of a layer; `name` is ``W``, or ``0/W`` for one of an embedded layer."""

    name: str
    variable: Any
    trainable: bool
    regularizer: Any = None
    constraint: Any = None


class Variables(tuple):
    """Variables of the backend in order, which can also be found by name: ``variables.W``, ``variables['0/W']``."""

    names: List[str]

    def __new__(cls, variables: Sequence[Any], names: Sequence[str] = ()) -> 'Variables':
        made = super().__new__(cls, variables)      # from a list alone, as libraries do when they map over sequences
        made.names = list(names)
        return made

    @classmethod
    def of(cls, parameters: Sequence[Parameter]) -> 'Variables':
        """Return those of some parameters."""
        return cls([one.variable for one in parameters], [one.name for one in parameters])

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return super().__getitem__(key)
        if key not in self.names:
            raise ArgumentError(f"variables: there is no '{key}'. There are {', '.join(self.names) or 'none'}.")
        return self[self.names.index(key)]

    def __getattr__(self, name: str) -> Any:
        if name == 'names' or name not in self.names:
            raise AttributeError(f"There is no variable '{name}'. There are {', '.join(vars(self).get('names', []))}.")
        return self[name]


def by_parameter(name: str) -> Any:
    """Make an argument about parameters, which a layer reads once, when they are made."""
    def get(self: Any) -> Any:
        return copy.copy(vars(self)[name])

    def set(self: Any, value: Any) -> None:
        if self._parameters.are_made:
            raise ArgumentError(f'{self.name}: {name} are read in its first call, and can no longer be '
                                f'set. Make a layer with {name}=, and give it the weights of this one with '
                                'set_weights.')
        vars(self)[name] = copy.copy(value)     # where saving looks it up
    return property(get, set, doc=f'The {name} that were given: a copy, by name or in the order of the parameters.')


def first_values(name: str) -> Any:
    """Make an argument with values for parameters, which a layer reads once, when they are made, and then releases."""
    def get(self: Any) -> Any:
        return replaced(vars(self)[name], lambda values: values, _is_array)     # an immutable view

    def set(self: Any, value: Any) -> None:
        if not isinstance(value, (dict, list, tuple, type(None))) and not _is_array(value) and not is_array_like(value):
            raise ArgumentTypeError(f'{type(self).__name__}: {name}: expected a dict by name, a list or an array, '
                                    f'received {describe(value)}.')
        if self._parameters.are_made:
            raise ArgumentError(f'{self.name}: {name} are read in its first call, and can no longer be '
                                'set. Write set_weights(...).')
        vars(self)[name] = replaced(value, _array_of, _is_array)
    return property(get, set, doc=f'The {name} that were given: copies, until the first call of the layer.')


def _is_array(value: Any) -> bool:
    """Return whether a value has numbers that the program may change in place, whichever library it belongs to."""
    return hasattr(value, '__array__') or isinstance(value, (memoryview, bytearray, array.array)) or \
        not isinstance(value, (str, int, float, list, tuple, dict, type(None))) and B.is_tensor(value)


def _array_of(value: Any) -> np.ndarray:
    """Return a copy, as an array, of the present values of `value`."""
    if not isinstance(value, np.ndarray) and B.is_tensor(value):
        with B.outside_graph():
            value = B.eval(value)
    made = np.array(np.asarray(value))      # some libraries do not copy even if asked to
    made.setflags(write=False)
    return made
