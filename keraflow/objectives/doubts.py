"""Find targets that an objective can compute with but that are probably a mistake."""
from typing import Any, Callable, Optional, Sequence, Tuple

import numpy as np

from keraflow.objectives.calling import function_of

__all__ = ['doubtful', 'doubt_of', 'no_answer', 'no_chance', 'no_class', 'no_distribution', 'no_label', 'no_sign',
           'wants_signs']

#: Tolerance for probabilities, and for their sum.
_TOLERANCE = 1e-3

Found = Optional[Tuple[np.ndarray, str]]


def doubtful(find: Callable[[np.ndarray, int], Found]) -> Callable:
    """Mark an objective with a function that finds doubtful targets.

    It takes targets and their feature axis, and returns the samples in doubt with a text about them (with ``{sample}``
    for the first one), or ``None``.
    """
    def mark(objective: Any) -> Any:
        objective.doubt = find
        return objective
    return mark


def wants_signs(objective: Any) -> bool:
    """Return whether an objective expects targets of -1 and 1."""
    return getattr(function_of(objective), 'doubt', None) is no_sign


def doubt_of(loss: Any, metrics: Sequence[Any], features: Optional[int]) -> Optional[Callable[[np.ndarray], Found]]:
    """Return the function that finds doubtful targets for a loss and its metrics; ``None`` if there is none."""
    objectives = {'': loss, **{f'{one.label}: ': one.objective for one in metrics if hasattr(one, 'objective')}}
    finds = {where: getattr(function_of(one), 'doubt', None) for where, one in objectives.items()}
    known = {where: find for where, find in finds.items() if find is not None}
    if not known:
        return None
    axis = -1 if features is None else features

    def first(y: np.ndarray) -> Found:
        for where, find in known.items():
            found = find(y, axis)
            if found is not None:
                return found[0], where + found[1]
        return None
    return first


def no_distribution(y: np.ndarray, axis: int) -> Found:
    """Check probabilities of classes that exclude each other."""
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
    """Check sides of a margin."""
    if y.min() != 0 or not np.all((y == 0) | (y == 1)):
        return None
    return y == 0, 'expected -1 and 1, received 0 and 1: 0 in sample {sample}. Write 2 * y - 1.'


def no_class(y: np.ndarray, axis: int) -> Found:
    """Check for one class for each sample, by the largest value."""
    wrong = (y == y.max(axis, keepdims=True)).sum(axis) > 1
    if not wrong.any():
        return None
    return wrong, ('expected one class with the largest value, received several in sample {sample}. For classes that '
                   "may be true together there is the metric 'binary_accuracy'.")


def no_label(y: np.ndarray, axis: int) -> Found:
    """Check for one of two classes, as 0 and 1."""
    if y.min() != -1 or not np.all((y == -1) | (y == 1)):
        return None
    return y == -1, ('expected 0 and 1, received -1 and 1: -1 in sample {sample}. For these there is the metric '
                     "'sign_accuracy'.")


def no_answer(y: np.ndarray, axis: int) -> Found:
    """Check for one of two classes, or one of several, by the number of values."""
    return (no_label if y.shape[axis] == 1 else no_class)(y, axis)
