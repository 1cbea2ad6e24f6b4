"""What a builder returns to be done after its outputs are computed: new values of variables, in several forms."""
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

__all__ = ['Finite', 'FusedUpdates', 'Rows', 'all_updates', 'numbers_to_check']

Tensor = Any


class Rows(NamedTuple):
    """Some rows of a variable: 1-D `indices`, without repetitions, and `values`, with a row for each.

    As a gradient, all other rows are 0. As a new value, all other rows stay unchanged.
    """

    indices: Tensor
    values: Tensor


class FusedUpdates(NamedTuple):
    """Updates that a function computes from tensors, among those that a builder returns.

    ``make(*tensors)`` returns pairs of a variable and its new value. It uses no other tensors, only variables, so that
    a backend may compile it, together with the assignments, into one pass through memory.
    """

    make: Callable[..., Sequence]
    tensors: Sequence[Tensor]


class Finite(NamedTuple):
    """Numbers that must be finite, among the updates that a builder returns: unless all are, no variable is set.

    The function then raises :class:`~keraflow.backend.refusals.NotFinite`, which names the first one that is not. They
    are scalars, and vectors of known length, by name.
    """

    numbers: Dict[str, Tensor]


def numbers_to_check(updates: Sequence) -> Dict[str, Tensor]:
    """Return the numbers that must be finite, by name."""
    return {name: number for one in updates if isinstance(one, Finite) for name, number in one.numbers.items()}


def all_updates(updates: Sequence) -> List[tuple]:
    """Return the updates of a builder as pairs of a variable and its new value, computing what is to be fused."""
    pairs: List[tuple] = []
    for one in updates:
        if isinstance(one, FusedUpdates):
            pairs += one.make(*one.tensors)
        elif not isinstance(one, Finite):
            pairs.append(one)
    return pairs
