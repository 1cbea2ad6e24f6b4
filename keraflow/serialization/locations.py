"""Locations in plain data: what fits there, how deep it is, and how an error refers to it."""
from typing import Any, Collection, NamedTuple, Tuple, Type, Union

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
    steps : tuple of str and int
        The keys and indices that lead there from the whole data, by which its line in a file is found.
    takes_objects : bool
        Whether objects and functions may be there, and not only plain values and arrays.
    """

    path: str = ''
    slot: Slot = NO_SLOT
    depth: int = 0
    max_array: int = MAX_ARRAY
    steps: Tuple[Union[str, int], ...] = ()
    takes_objects: bool = True

    def item(self, step: str, *keys: Union[str, int]) -> 'Location':
        """Return the location of an item of a list or a dict, where the same values fit."""
        path = f'{self.path}{step}' if self.path else step.lstrip('.')
        return Location(path, self.slot, self.depth + 1, self.max_array, (*self.steps, *keys), self.takes_objects)

    def argument(self, name: str, slot: Slot = NO_SLOT, takes_objects: bool = True) -> 'Location':
        """Return the location of an argument of an object or a function."""
        return self._inside('args', name, slot, MAX_ARRAY, takes_objects)

    def learned(self, name: str) -> 'Location':
        """Return the location of an attribute that an object learned from data."""
        return self._inside('learned', name, NO_SLOT, _MAX_LEARNED, True)

    def key(self, *keys: Union[str, int]) -> 'Location':
        """Return the same location, of whose content messages are about a part."""
        return Location(*self[:4], (*self.steps, *keys), self.takes_objects)

    def _inside(self, section: str, name: str, slot: Slot, max_array: int, takes_objects: bool) -> 'Location':
        return Location(f'{self.path}.{name}' if self.path else name, slot, self.depth + 1, max_array,
                        (*self.steps, section, name), takes_objects)

    def check_depth(self) -> None:
        """Raise if it is too deep."""
        if self.depth > MAX_DEPTH:
            raise self.refusal(f'objects are nested deeper than {MAX_DEPTH}.')

    def check_learned(self, cls: Any, name: str, value: Any) -> None:
        """Raise unless an object of a class in this location may have learned a value."""
        with self.in_errors():
            schema.check(value, cls.learned_attributes[name], f'{cls.__name__}: {name}')

    def refusal(self, text: Any) -> SerializationError:
        """Return the error to raise."""
        error = SerializationError(f'{self.path}: {text}' if self.path else str(text))
        error.steps = self.steps
        return error

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
