"""Samples in memory, from which batches are taken by number."""
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Union

import numpy as np

from keraflow.data.arrays import Arrays

__all__ = ['Portion', 'Window']


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


class Portion(NamedTuple):
    """Batches of equal size from one window."""

    window: Window
    numbers: Union[range, np.ndarray]       # of the samples, batch after batch
    batch_size: int

    @classmethod
    def of(cls, arrays: Arrays) -> 'Portion':
        """Return one batch of all samples."""
        return cls(Window(arrays), range(arrays.nb_sample), arrays.nb_sample)

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

    def batches(self) -> Iterator[Arrays]:
        """Yield the arrays of each batch: views where possible."""
        for start in range(0, len(self.numbers), self.batch_size):
            some = self.numbers[start:start + self.batch_size]
            yield self.window.arrays.part(slice(some.start, some.stop) if isinstance(some, range) else some)
