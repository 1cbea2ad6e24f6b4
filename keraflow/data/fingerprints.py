"""Digests by which data are recognized when training is resumed."""
import hashlib
from typing import Any, Dict, List, Sequence

import numpy as np

from keraflow.data.arrays import Arrays, MemmapSamples, Samples

__all__ = ['arrays_fingerprint', 'batch_digest']

#: More bytes than these, or samples in files, are not read for a digest: some of the samples stand for all.
_MAX_BYTES, _NB_SAMPLE = 2 ** 28, 1000


def arrays_fingerprint(arrays: Arrays) -> Dict[str, List[Any]]:
    """Return for inputs, targets and weights of samples the dtype, the shape and a digest of each array.

    Of large arrays, and of memory-mapped ones, the digest is that of a thousand samples, spread evenly.
    """
    parts: Dict[str, Sequence[Any]] = {'x': arrays.inputs, 'y': arrays.targets, 'sample_weights': arrays.weights}
    return {name: [None if one is None else [*_described(one), _digest([_some(one)])] for one in some]
            for name, some in parts.items()}


def batch_digest(arrays: Arrays) -> str:
    """Return a digest of one batch."""
    return _digest([one[:] for one in arrays.flat])


def _described(samples: Samples) -> List[Any]:
    dtype = samples.spec.dtype if isinstance(samples, MemmapSamples) else str(samples.dtype)
    return [dtype, list(samples.shape)]


def _some(samples: Samples) -> np.ndarray:
    if not isinstance(samples, MemmapSamples) and samples.nbytes <= _MAX_BYTES:
        return samples
    return samples[np.unique(np.linspace(0, len(samples) - 1, _NB_SAMPLE).astype('int64'))]


def _digest(arrays: Sequence[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for one in arrays:
        digest.update(f'{one.dtype.str} {one.shape} '.encode())
        digest.update(np.ascontiguousarray(one).reshape(-1).view('uint8').data)
    return digest.hexdigest()
