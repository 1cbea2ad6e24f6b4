"""Loops over time."""
from typing import Any, List, Sequence

import numpy as np

from keraflow.backend.graph.loops import Body
from keraflow.backend.graph.nodes import Graph
from keraflow.backend.graph.program import Program

from .functions import function

__all__: List[str] = []


@function
def loop(*arrays: Any, body: Body) -> List[Any]:
    """Return the last states, and what the loop collected, ``(time, ...)``."""
    sequences, states, captured = body.divided(arrays)
    nb_state, step, length = len(states), body.program(), len(sequences[0])
    collected: List[Any] = []
    for time in range(length - 1, -1, -1) if body.is_reversed else range(length):
        made = step(np.int64(time), *[x[time] for x in sequences], *states, *captured)
        states, results = made[:nb_state], made[nb_state:]
        if not collected:
            collected = [np.empty((length, *x.shape), x.dtype) for x in results]
        for array, x in zip(collected, results):
            array[time] = x
    return [*states, *(collected if length else _collected_of_none(body, sequences, states, captured))]


def _collected_of_none(body: Body, sequences: Sequence[Any], states: Sequence[Any],
                       captured: Sequence[Any]) -> List[Any]:
    """Return what a loop without steps collects: nothing, of the shapes that one on zeros has, in which any condition
    holds."""
    graph, slices = body.time.graph, [np.zeros(x.shape[1:], x.dtype) for x in sequences]
    lenient = Graph(graph.backend, graph.library._replace(functions={
        **graph.library.functions, 'require': lambda x, condition, message: x}))
    made = Program(lenient, body.leaves(), list(body.collected))(np.int64(0), *slices, *states, *captured)
    return [np.zeros((0, *np.shape(x)), x.dtype) for x in made]
