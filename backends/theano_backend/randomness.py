"""Random numbers.

The whole state of a stream is one shared variable, two integers: the key and the number of calls. NumPy's Philox
generator can compute any part of its stream directly, so that a draw is a function of the key, the call, and the number
of the draw in the compiled function: nothing is passed from draw to draw, and nothing else is stored. Each compiled
function with a draw increments the number of calls.
"""
import itertools
from typing import Any, Optional, Sequence

import numpy as np

from keraflow.backend.contract import FLOATS, Backend

from .configure import T, theano
from .operands import as_tensor, cast, floatx, real
from .shaping import as_lengths
from .static_shapes import lengths

__all__ = ['Draw', 'Randomness', 'Stream', 'draw_places']

#: Draws that are not in a compiled function yet are numbered from here, above any number in a function.
FIRST_PLACE = 2 ** 32


class Draw(theano.graph.op.Op):
    """Random numbers of one kind from ``(state, place, *lengths)``."""

    __props__ = ('kind', 'dtype')

    def __init__(self, kind: str, dtype: str):
        self.kind = kind      # the name of a method of numpy.random.Generator
        self.dtype = dtype

    def make_node(self, state: Any, place: Any, *shape: Any) -> Any:
        broadcastable = [n == 1 for n in shape]
        inputs = [state, place] + [as_tensor(n, 'int64') for n in shape]
        return theano.graph.basic.Apply(self, inputs, [T.TensorType(self.dtype, broadcastable)()])

    def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
        state, place, *shape = inputs
        # The place is the highest word of the counter: no draw is long enough to reach the numbers of the next.
        stream = np.random.Philox(key=state.astype('uint64'), counter=np.array([0, 0, 0, place], dtype='uint64'))
        draw = getattr(np.random.Generator(stream), self.kind)
        output_storage[0][0] = np.asarray(draw(tuple(map(int, shape)), dtype=self.dtype))

    def infer_shape(self, fgraph: Any, node: Any, shapes: Any) -> list:
        return [node.inputs[2:]]

    def connection_pattern(self, node: Any) -> list:
        return [[False] for _ in node.inputs]

    def grad(self, inputs: Any, output_gradients: Any) -> list:
        return [theano.gradient.DisconnectedType()() for _ in inputs]


def draw_places(nodes: Sequence) -> list:
    """Return, for the draws among the nodes of a function, pairs of their present and their new number.

    Draws are numbered in order of creation, so that a function draws the same numbers whatever was built before it.
    """
    places = {id(node.inputs[1]): node.inputs[1] for node in nodes if isinstance(node.op, Draw)}
    ordered = sorted(places.values(), key=lambda place: int(place.data))
    return [(place, _place(number)) for number, place in enumerate(ordered)]


def _place(number: int) -> Any:
    """Return a new constant: Theano's own constructor returns the same object for the same number."""
    return T.TensorConstant(T.lscalar, np.array(number, dtype='int64'))


class Stream:
    """A stream of random numbers; see the contract."""

    def __init__(self) -> None:
        self.state = theano.shared(np.zeros(2, dtype='int64'), name='random_state')
        # Theano applies it in every function that draws.
        self.state.default_update = self.state + np.array([0, 1], dtype='int64')

    @property
    def position(self) -> int:
        return int(self.state.get_value()[1])

    def begin(self, key: int, position: int = 0) -> None:
        self.state.set_value(np.array([key, position], dtype='int64'))


class Randomness(Backend):
    """Random numbers; see the contract."""

    _next_place = itertools.count(FIRST_PLACE)      # itertools.count, because several threads may build at once

    def new_stream(self) -> Stream:
        return Stream()

    def random_uniform(self, shape: Sequence, low: float = 0., high: float = 1., dtype: Optional[str] = None) -> Any:
        draw = self._draw('random', shape, dtype)
        if (low, high) != (0., 1.):
            draw = self.add(self.multiply(draw, self.subtract(high, low)), low)
        return cast(draw, dtype or floatx())

    def random_normal(self, shape: Sequence, mean: float = 0., std: float = 1., dtype: Optional[str] = None) -> Any:
        draw = self._draw('standard_normal', shape, dtype)
        if (mean, std) != (0., 1.):
            draw = self.add(self.multiply(draw, std), mean)
        return cast(draw, dtype or floatx())

    def dropout(self, x: Any, drop_rate: float, noise_shape: Optional[Sequence] = None) -> Any:
        x = real(x)
        shape = lengths(x) if noise_shape is None else noise_shape
        kept = self.greater_equal(self.random_uniform(shape, dtype='float32'), drop_rate)
        # A product, not a switch: a processor cannot guess the branches of random numbers.
        return self.multiply(x, self.multiply(cast(kept, x.dtype), 1. / (1. - drop_rate)))

    def _draw(self, kind: str, shape: Sequence, dtype: Optional[str]) -> Any:
        dtype = dtype if dtype in FLOATS else floatx()
        return Draw(kind, dtype)(self.current_stream().state, _place(next(self._next_place)), *as_lengths(shape))
