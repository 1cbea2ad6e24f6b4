"""Targets that an objective can compute with and that are hardly meant."""
import functools
from typing import Any, Callable, Optional, Tuple

import numpy as np

__all__ = ['doubtful', 'doubt_of', 'no_chance', 'no_distribution', 'no_sign']

#: How far probabilities, or their sum, may be off.
_TOLERANCE = 1e-3

Found = Optional[Tuple[np.ndarray, str]]


def doubtful(find: Callable[[np.ndarray, int], Found]) -> Callable:
    """Decorator for an objective, with a function from targets and the axis of their features to the samples in doubt
    and a text about them (with ``{sample}`` for the first one), or to ``None``."""
    def mark(objective: Any) -> Any:
        objective.doubt = find
        return objective
    return mark


def doubt_of(objective: Any, features: Optional[int]) -> Optional[Callable[[np.ndarray], Found]]:
    """What finds them for an objective, also for a functools.partial; ``None`` where nothing is in doubt."""
    find = getattr(getattr(objective, 'func', objective), 'doubt', None)
    return None if find is None else functools.partial(find, axis=-1 if features is None else features)


def no_distribution(y: np.ndarray, axis: int) -> Found:
    """Probabilities of classes that exclude each other."""
    sums = y.sum(axis)
    wrong = np.abs(sums - 1) > _TOLERANCE
    if not wrong.any():
        return None
    return wrong, (f'expected probabilities that sum to 1 over the classes, received the sum {sums[wrong][0]:g} in '
                   "sample {sample}. For classes that may be true together there is the loss 'binary_crossentropy'.")


def no_chance(y: np.ndarray, axis: int) -> Found:
    """Probabilities."""
    if y.min() >= -_TOLERANCE and y.max() <= 1 + _TOLERANCE:
        return None
    wrong = (y < -_TOLERANCE) | (y > 1 + _TOLERANCE)
    return wrong, (f'expected 0 and 1, or probabilities between them, received {y[wrong][0]:g} in sample {{sample}}. '
                   'Number two classes by 0 and 1.')


def no_sign(y: np.ndarray, axis: int) -> Found:
    """Sides of a margin."""
    if y.min() != 0 or not np.all((y == 0) | (y == 1)):
        return None
    return y == 0, 'expected -1 and 1, received 0 and 1: 0 in sample {sample}. Write 2 * y - 1.'
