"""Loops over time."""
from typing import Any, List

from keraflow.backend.graph.loops import Body

from .conditions import collecting, require
from .functions import function
from .library import jnp, lax

__all__: List[str] = []


@function
def loop(*arrays: Any, body: Body) -> List[Any]:
    """Return the last states, and what the loop collected, ``(time, ...)``."""
    sequences, states, captured = body.divided(arrays)
    step = body.program()
    messages: List[str] = []
    places: List[int] = []      # of what is collected, among what is different

    def run(before: List[Any], given: tuple) -> tuple:
        time, *slices = given
        with collecting() as required:
            made = step(time, *slices, *before, *captured)
        messages[:] = [message for message, _ in required]
        after = [jnp.broadcast_to(x, old.shape) for x, old in zip(made, before)]
        different = {id(x): x for x in made[len(states):]}
        places[:] = [list(different).index(id(x)) for x in made[len(states):]]
        return after, (list(different.values()), [holds for _, holds in required])
    times = jnp.arange(len(sequences[0]))
    last, (collected, held) = lax.scan(run, list(map(jnp.asarray, states)), (times, *map(jnp.asarray, sequences)),
                                       reverse=body.is_reversed)
    for message, holds in zip(messages, held):
        require(last[0], holds, message)
    return [*last, *(collected[place] for place in places)]
