"""Parameters as they are listed: each by itself, or all by name."""
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
    """Variables of the backend in order, which are also found by name: ``variables.W``, ``variables['0/W']``."""

    names: List[str]

    def __new__(cls, variables: Sequence[Any], names: Sequence[str] = ()) -> 'Variables':
        made = super().__new__(cls, variables)      # by a list alone: so libraries rebuild sequences that they map over
        made.names = list(names)
        return made

    @classmethod
    def of(cls, parameters: Sequence[Parameter]) -> 'Variables':
        """Those of some parameters."""
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
    """An argument that speaks of parameters, which a layer reads once, when they are made."""
    def get(self: Any) -> Any:
        return copy.copy(vars(self)[name])

    def set(self: Any, value: Any) -> None:
        if self._parameters.backend is not None:
            raise ArgumentError(f'{self.name}: {name} are read when the layer is first fed, and cannot be set any '
                                f'more. Make a layer with {name}=, and give it the weights of this one with '
                                'set_weights.')
        vars(self)[name] = copy.copy(value)     # where it is looked up when it is saved
    return property(get, set, doc=f'The {name} that were given: a copy, by name or in the order of the parameters.')


def first_values(name: str) -> Any:
    """An argument with values for parameters, which a layer reads once, when they are made, and then lets go."""
    def get(self: Any) -> Any:
        return replaced(vars(self)[name], lambda values: values, _is_array)     # which cannot be changed in place

    def set(self: Any, value: Any) -> None:
        if not isinstance(value, (dict, list, tuple, type(None))) and not _is_array(value) and not is_array_like(value):
            raise ArgumentTypeError(f'{type(self).__name__}: {name}: expected a dict by name, a list or an array, '
                                    f'received {describe(value)}.')
        if self._parameters.backend is not None:
            raise ArgumentError(f'{self.name}: {name} are read when the layer is first fed, and cannot be set any '
                                'more. Write set_weights(...).')
        vars(self)[name] = replaced(value, _array_of, _is_array)
    return property(get, set, doc=f'The {name} that were given: arrays of its own, until the layer is first fed.')


def _is_array(value: Any) -> bool:
    """Whether a value has numbers that the program may change in place, whichever library it is of."""
    return hasattr(value, '__array__') or isinstance(value, (memoryview, bytearray, array.array)) or \
        not isinstance(value, (str, int, float, list, tuple, dict, type(None))) and B.is_tensor(value)


def _array_of(value: Any) -> np.ndarray:
    """An array of its own, of the values that `value` has now."""
    if not isinstance(value, np.ndarray) and B.is_tensor(value):
        with B.outside_graph():
            value = B.eval(value)
    made = np.array(np.asarray(value))      # not every library copies what it lends, though it is asked to
    made.setflags(write=False)
    return made
