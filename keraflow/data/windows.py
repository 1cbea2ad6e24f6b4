"""Samples in memory, from which batches are taken by number."""
from typing import Any, Callable, Iterator, List, NamedTuple, Optional

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
    indices: np.ndarray     # of samples: int64, (batches, samples)
    is_in_order: bool       # whether each batch is a slice of the window

    @classmethod
    def of(cls, arrays: Arrays) -> 'Portion':
        """Return one batch of all samples."""
        return cls(Window(arrays), np.arange(arrays.nb_sample)[None], True)

    def batches(self) -> Iterator[Arrays]:
        """Yield the arrays of each batch: views where possible."""
        for row in self.indices:
            yield self.window.arrays.part(slice(row[0], row[-1] + 1) if self.is_in_order else row)
