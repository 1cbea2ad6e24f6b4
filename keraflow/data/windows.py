"""Samples in memory, from which batches are taken by number."""
from typing import Any, Callable, List, NamedTuple, Optional, Union

import numpy as np

from keraflow.data.arrays import Arrays

__all__ = ['Place', 'Portion', 'Window']


class Window:
    """Samples in memory: all of them, or as many as fit.

    Attributes
    ----------
    arrays : Arrays
    """

    def __init__(self, arrays: Arrays):
        self.arrays = arrays
        self._loaded: Optional[Any] = None

    def loaded(self, load: Callable[[List[np.ndarray]], Any]) -> Any:
        """Return what `load` returns for the arrays, which is called once."""
        if self._loaded is None:
            self._loaded = load(self.arrays.flat)       # type: ignore[arg-type]  # none is memory-mapped any more
        return self._loaded


class Place(NamedTuple):
    """Where a batch of an iterable comes from."""

    begun: Any      # the state of the iterable, as it says, when its iterator was made
    number: int     # of the batch, counted from the first one of the iterator

    def follows(self, other: 'Place') -> bool:
        """Return whether the batch is the next one of the same iterator."""
        return self.begun is other.begun and self.number == other.number + 1


class Portion(NamedTuple):
    """Batches of equal size from one window."""

    window: Window
    numbers: Union[range, np.ndarray]       # of the samples, batch after batch
    batch_size: int
    place: Optional[Place] = None           # of the first one

    @classmethod
    def of(cls, *batches: Arrays, place: Optional[Place] = None) -> 'Portion':
        """Return batches of equal layout."""
        arrays = batches[0] if len(batches) == 1 else Arrays.joined(batches)
        return cls(Window(arrays), range(arrays.nb_sample), batches[0].nb_sample, place)

    @property
    def nb_batch(self) -> int:
        """How many batches there are."""
        return len(self.numbers) // self.batch_size

    @property
    def indices(self) -> np.ndarray:
        """The numbers as an array of int64, ``(batches, samples)``."""
        numbers = self.numbers
        if isinstance(numbers, range):
            numbers = np.arange(numbers.start, numbers.stop, dtype='int64')
        return numbers.reshape(-1, self.batch_size)

    def samples(self, batches: range) -> Arrays:
        """Return the arrays of consecutive batches: views where possible."""
        some = self.numbers[batches.start * self.batch_size:batches.stop * self.batch_size]
        return self.window.arrays.part(slice(some.start, some.stop) if isinstance(some, range) else some)
