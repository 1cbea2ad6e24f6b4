"""Random numbers inside functions."""
import itertools
import math
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np

from keraflow.backend import philox
from keraflow.backend.draws import NB_RUN, Draw, Stream, starts_of_draws
from keraflow.backend.graph.elementwise import Elementwise
from keraflow.backend.graph.nodes import Node, apply
from keraflow.backend.graph.operations import lengths_from

__all__ = ['Randomness', 'draws', 'lone_draws', 'starts_of']


class Randomness(Elementwise):
    """Draws from the stream of the model being built, or the backend's own."""

    _next_lone = itertools.count()      # which several threads may advance at once

    def lone_draw(self, stream: Stream) -> Draw:
        # Any number of functions may compute it, each of which gives it the state of its own run.
        state = self.placeholder((3,), 'int64')
        state.lone = next(self._next_lone), stream
        return Draw(state)

    def draw_reals(self, draw: Draw, shape: Sequence, dtype: str) -> Any:
        return self._draws('draw_reals', draw, shape, dtype=dtype)

    def draw_normals(self, draw: Draw, shape: Sequence, dtype: str) -> Any:
        return self._draws('draw_normals', draw, shape, dtype=dtype)

    def draw_hits(self, draw: Draw, shape: Sequence, threshold: int) -> Any:
        return self._draws('draw_hits', draw, shape, threshold=threshold)

    def _draws(self, name: str, draw: Draw, shape: Sequence, **static: Any) -> Any:
        lengths, given = self._lengths(shape)
        return apply(name, [draw.state, self._tensor(draw.step, 'int64'), *given], shape=lengths, place=draw.place,
                     **static)


def lone_draws(nodes: Sequence[Node]) -> List[Node]:
    """Return the states of draws outside of builders that are among nodes, in order of creation."""
    return sorted((node for node in nodes if hasattr(node, 'lone')), key=lambda node: node.lone[0])


def starts_of(lone: Sequence[Any]) -> List[np.ndarray]:
    """Return the values of such states in one run."""
    return starts_of_draws([stream for _, stream in (node.lone for node in lone)])


def draws(xp: Any, **repeat: Callable) -> Dict[str, Callable]:
    """Return the functions of random numbers of a library, made with :mod:`keraflow.backend.philox`."""
    def draw_reals(state: Any, step: Any, *given: Any, shape: Sequence, place: int, dtype: str) -> Any:
        lengths = lengths_from(shape, given)
        start, count = _start(state, step, lengths, place, 4 if dtype == 'float32' else 2)
        return philox.reals(start, count, dtype, xp, **repeat).reshape(lengths)

    def draw_normals(state: Any, step: Any, *given: Any, shape: Sequence, place: int, dtype: str) -> Any:
        lengths = lengths_from(shape, given)
        start, count = _start(state, step, lengths, place, 2)
        return philox.normals(start, count, dtype, xp, **repeat).reshape(lengths)

    def draw_hits(state: Any, step: Any, *given: Any, shape: Sequence, place: int, threshold: int) -> Any:
        lengths = lengths_from(shape, given)
        start, count = _start(state, step, lengths, place, 4)
        return philox.hits(start, count, threshold, xp, **repeat).reshape(lengths)
    return {'draw_reals': draw_reals, 'draw_normals': draw_normals, 'draw_hits': draw_hits}


def _start(state: Any, step: Any, lengths: Sequence[int], place: int, per_block: int) -> Tuple[Sequence[Any], int]:
    """Return where the numbers of a draw begin, and how many they are."""
    count = math.prod(lengths)
    key, low, high = state
    return (key, low + step * -(-count // per_block), high + place * NB_RUN), count
