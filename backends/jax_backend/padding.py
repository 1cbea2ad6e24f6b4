"""Batches of new lengths run as parts of longer ones, of which the first rows count."""
import functools
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from .library import jax, jnp, with_64_bits
from .row_axes import Rows

__all__ = ['Lengths', 'count_of', 'padded', 'taken', 'taking', 'without_padding']

#: A length that occurs more often is compiled.
_NB_PADDED = 8


class Lengths:
    """How long the batches were that a function was compiled for, and how often others came."""

    def __init__(self) -> None:
        self._compiled: List[int] = []
        self._seen: Dict[int, int] = {}

    def of(self, nb_row: int) -> int:
        """Return how long to make a batch, which is then compiled."""
        self._seen[nb_row] = self._seen.get(nb_row, 0) + 1
        longer = min((n for n in self._compiled if n >= nb_row), default=None)
        if longer is None or longer > nb_row and self._seen[nb_row] > _NB_PADDED:
            self._compiled.append(nb_row)
            return nb_row
        return longer


def padded(array: np.ndarray, nb_row: int) -> np.ndarray:
    """Return an array with its last row repeated, so that it has so many."""
    return np.concatenate([array, np.repeat(array[-1:], nb_row - len(array), 0)]) if nb_row > len(array) else array


def without_padding(outputs: Sequence[Any], rows: Sequence[Optional[Rows]], nb_row: int, length: int) -> List[Any]:
    """Return the parts of outputs of so many rows that the first ones have."""
    found = []
    for array, one in zip(outputs, rows):
        if one is not None:
            last = array.shape[one.axis] // length * nb_row
            array = np.asarray(array)[(slice(None),) * one.axis + (slice(last),)]
        found.append(array)
    return found


@functools.lru_cache(maxsize=256)
def count_of(nb_row: int) -> Any:
    """Return a number of rows as what a run is given."""
    with with_64_bits():
        return jnp.asarray(np.int64(nb_row))


def taken(arrays: Sequence[Any], row: Any) -> List[Any]:
    """Return the samples with some numbers, of arrays of JAX."""
    return [x.at[row].get(mode='promise_in_bounds') for x in arrays]


_taken = jax.jit(taken)


def taking(arrays: Sequence[Any]) -> Callable[[Any], List[Any]]:
    """Return a function from numbers to the samples that have them, which costs a batch little."""
    if any(one.platform != 'cpu' for x in arrays for one in x.devices()):
        return functools.partial(_taken, arrays)
    here = list(map(np.asarray, arrays))        # without a copy
    return lambda row: [x[row] for x in here]
