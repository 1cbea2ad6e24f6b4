"""The memory of a training step: estimated from shapes, and measured."""
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

import numpy as np

from keraflow.training.profiling.counting import Cost, nb_bytes

try:
    import resource
except ImportError:     # Windows
    resource = None     # type: ignore[assignment]

__all__ = ['estimate', 'forget_peak', 'peak', 'resident']

_STATUS, _CLEAR = Path('/proc/self/status'), Path('/proc/self/clear_refs')


def estimate(parameters: Sequence[Any], slots: Sequence[Any], batch: Sequence[np.ndarray], data: Sequence[np.ndarray],
             cost: Cost) -> Dict[str, int]:
    """Return the bytes of a training step by what they are for, and their sum.

    All of it is there at the end of the run forward and the beginning of the one backward, except the gradients, which
    come as the results that are kept for them go.

    Parameters
    ----------
    parameters : sequence of Parameter
    slots : sequence of variable
        What the optimizer keeps.
    batch, data : sequence of array
        A batch, and the arrays that batches are taken from.
    cost : Cost
        Of the whole run.
    """
    parts = {'parameters': sum(nb_bytes(one.variable) for one in parameters), 'optimizer': sum(map(nb_bytes, slots)),
             'gradients': sum(nb_bytes(one.variable) for one in parameters if one.trainable),
             'kept': cost.nb_byte_kept, 'batch': sum(it.nbytes for it in batch), 'data': sum(it.nbytes for it in data)}
    return {**parts, 'estimated': sum(parts.values())}


def resident() -> Optional[int]:
    """Return the bytes of this process that are in memory; None where the system does not tell."""
    return _status('VmRSS')


def forget_peak() -> None:
    """Let :func:`peak` begin anew, where the system can."""
    try:
        _CLEAR.write_text('5')
    except OSError:
        pass


def peak(before: Optional[int]) -> Optional[int]:
    """Return the most bytes of this process that were in memory since :func:`forget_peak`, or since it started.

    `before` is what was in memory then.
    """
    found = _status('VmHWM')
    if found is None and resource is not None:
        found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss     # macOS: bytes
    return found if found is None or before is None else max(before, found)     # the system counts in strides


def _status(name: str) -> Optional[int]:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f'{name}:')), None)
