"""Many batches in one call, of which none is waited for."""
from typing import Any, List, Sequence

import numpy as np

from keraflow.backend.batches import BatchLoop

from .library import jnp, with_64_bits

__all__ = ['Loop']


class Loop(BatchLoop):
    """See :class:`keraflow.backend.batches.BatchLoop`."""

    def load(self, arrays: Sequence[np.ndarray]) -> List[Any]:
        with with_64_bits():
            return [jnp.asarray(array) for array in arrays]

    def sum(self, loaded: List[Any], indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        return self._run.build().sum(loaded, indices, total)
