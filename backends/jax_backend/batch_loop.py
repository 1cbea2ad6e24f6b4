"""Many batches in one call, of which none is waited for."""
from typing import Any, List, Sequence, Set

import numpy as np

from keraflow.backend.batches import BatchLoop

from .library import jnp, with_64_bits
from .padding import padded

__all__ = ['Loop']

#: More than this is placed as it is: copies would cost more than compiling.
_MAX_PADDED_BYTES = 2 ** 25


class Loop(BatchLoop):
    """See :class:`keraflow.backend.batches.BatchLoop`.

    A step is compiled for the number of samples that are placed, which an iterable has another one of each time. All
    but the first one are made powers of two, by copies of the last sample that no batch has.
    """

    def __init__(self, run: Any):
        super().__init__(run)
        self._numbers: Set[int] = set()

    def load(self, arrays: Sequence[np.ndarray]) -> List[Any]:
        number = self._number_for(arrays)
        self._numbers.add(number)
        with with_64_bits():
            return [jnp.asarray(padded(array, number)) for array in arrays]

    def _number_for(self, arrays: Sequence[np.ndarray]) -> int:
        number = len(arrays[0])
        if not self._numbers or number in self._numbers or sum(array.nbytes for array in arrays) > _MAX_PADDED_BYTES:
            return number
        return 1 << (number - 1).bit_length() if number else 0

    def sum(self, loaded: List[Any], indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        return self._run.build().sum(loaded, indices, total)
