"""New values of variables, in the forms in which a builder returns them."""
from typing import Any, Callable, List, NamedTuple, Sequence

__all__ = ['FusedUpdates', 'Rows', 'all_updates']

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


def all_updates(updates: Sequence) -> List[tuple]:
    """Return the updates of a builder as pairs of a variable and its new value, computing what is to be fused."""
    return [pair for one in updates for pair in (one.make(*one.tensors) if isinstance(one, FusedUpdates) else [one])]
