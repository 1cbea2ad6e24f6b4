"""Parameters as they are listed: each by itself, or all by name."""
import copy
from typing import Any, List, NamedTuple, Sequence

from keraflow.errors import ArgumentError

__all__ = ['Parameter', 'Variables', 'by_parameter']


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
        if self._backend is not None:
            raise ArgumentError(f'{self.name}: {name} are read when the layer is first fed, and cannot be set any '
                                f'more. Make a layer with {name}=, and give it the weights of this one with '
                                'set_weights.')
        vars(self)[name] = copy.copy(value)     # where it is looked up when it is saved
    return property(get, set, doc=f'The {name} that were given: a copy, by name or in the order of the parameters.')
