"""Lists of parameters: one by one, or all by name."""
from typing import Any, List, NamedTuple, Sequence

from keraflow.errors import ArgumentError

__all__ = ['Parameter', 'Variables']


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
        if name == 'names' or name not in self.names:   # copies ask before there are names
            raise AttributeError(f"There is no variable '{name}'. There are {', '.join(vars(self).get('names', []))}.")
        return self[name]
