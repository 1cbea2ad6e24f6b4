"""Locations in plain data: what fits there, how deep it is, and how an error refers to it."""
from typing import Any, Collection, NamedTuple, Type

from keraflow import schema
from keraflow.errors import KeraFlowError, SerializationError
from keraflow.schema import NO_SLOT, Slot
from keraflow.serialization.values import MAX_ARRAY

__all__ = ['MAX_DEPTH', 'Location', 'free_path']

#: Deeper nesting of objects than this is refused instead of exhausting the stack.
MAX_DEPTH = 50
#: The most numbers that an array learned from data may have.
_MAX_LEARNED = 1_000_000


class Location(NamedTuple):
    """The position of a value in the data, and what fits there.

    Attributes
    ----------
    path : str
        The position as messages show it: ``layers[0].activation``.
    slot : Slot
        What the argument accepts that the value is, or is part of.
    depth : int
        The number of values in which it is nested.
    max_array : int
        The most numbers that an array there may have.
    """

    path: str = ''
    slot: Slot = NO_SLOT
    depth: int = 0
    max_array: int = MAX_ARRAY

    def item(self, step: str) -> 'Location':
        """Return the location of an item of a list or a dict, where the same values fit."""
        path = f'{self.path}{step}' if self.path else step.lstrip('.')
        return Location(path, self.slot, self.depth + 1, self.max_array)

    def argument(self, name: str, slot: Slot = NO_SLOT) -> 'Location':
        """Return the location of an argument of an object or a function."""
        return Location(f'{self.path}.{name}' if self.path else name, slot, self.depth + 1)

    def learned(self, name: str) -> 'Location':
        """Return the location of an attribute that an object learned from data."""
        return self.argument(name)._replace(max_array=_MAX_LEARNED)

    def check_depth(self) -> None:
        """Raise if it is too deep."""
        if self.depth > MAX_DEPTH:
            raise self.refusal(f'objects are nested deeper than {MAX_DEPTH}.')

    def check_learned(self, owner: Any, name: str, value: Any) -> None:
        """Raise unless an object in this location may have learned a value."""
        with self.in_errors():
            schema.check(value, owner.learned_attributes[name], f'{type(owner).__name__}: {name}')

    def refusal(self, text: Any) -> SerializationError:
        """Return the error to raise."""
        return SerializationError(f'{self.path}: {text}' if self.path else str(text))

    def in_errors(self, kind: Type[KeraFlowError] = KeraFlowError) -> '_InErrors':
        """Prefix errors of a kind, which do not know their location, with it: in a ``with`` block."""
        return _InErrors(self, kind)


class _InErrors(NamedTuple):
    location: Location
    kind: Type[KeraFlowError]

    def __enter__(self) -> None:
        pass

    def __exit__(self, cls: Any, error: Any, traceback: Any) -> None:
        if isinstance(error, self.kind):
            raise self.location.refusal(error) from error


def free_path(path: str, taken: Collection[str]) -> str:
    """Return a path that is not in `taken`: names may have dots, so that two locations can look alike."""
    while path in taken:
        path += '~'
    return path
