"""Random numbers inside functions: TensorFlow has the generator of the contract, as operations without a state."""
import math
from typing import Any, Sequence

from keraflow.backend.draws import NB_RUN, NEXT_RUN, Draw, Stream

from . import private_api
from .elementwise import Elementwise
from .library import tf

__all__ = ['Randomness']

_PHILOX = tf.random.Algorithm.PHILOX.value


class Randomness(Elementwise):
    """Draws from the stream of the model being built, or the backend's own."""

    def lone_draw(self, stream: Stream) -> Draw:
        if tf.executing_eagerly():
            return Draw(tf.constant(stream.advance()))
        graph = private_api.outermost_graph()
        if hasattr(graph, 'keraflow_draws'):
            # Any number of functions may compute it, each of which feeds the numbers of its own run.
            with graph.as_default():
                fed = private_api.placeholder('int64', (3,))
            graph.keraflow_draws.append((fed, stream))
            return Draw(fed)
        state = stream.state.read_value()       # in a tf.function of the program, which runs these two in order
        stream.state.assign_add(NEXT_RUN)
        return Draw(state)

    def draw_reals(self, draw: Draw, shape: Sequence, dtype: str) -> Any:
        # Not by StatelessRandomUniformV2, which uses other bits of the words where XLA compiles it.
        words, unused, ones = ('uint32', 9, 127 << 23) if dtype == 'float32' else ('uint64', 12, 1023 << 52)
        mantissas = tf.bitwise.right_shift(self._words(draw, shape, words), tf.constant(unused, words))
        return tf.bitcast(tf.bitwise.bitwise_or(mantissas, tf.constant(ones, words)), dtype) - 1

    def draw_hits(self, draw: Draw, shape: Sequence, threshold: int) -> Any:
        words = self._words(draw, shape, 'uint32')
        # Not less than the threshold, which may be 2 ** 32.
        return words <= tf.constant(threshold - 1, 'uint32') if threshold else words < tf.constant(0, 'uint32')

    def draw_normals(self, draw: Draw, shape: Sequence, dtype: str) -> Any:
        shape = self._lengths(shape)
        count = tf.reduce_prod(shape)
        radii, angles = tf.unstack(self.draw_reals(draw, tf.stack([2, (count + 1) // 2]), 'float64'))
        radii, angles = tf.sqrt(-2 * tf.math.log(1 - radii)), 2 * math.pi * angles
        both = tf.concat([radii * tf.cos(angles), radii * tf.sin(angles)], 0)
        return tf.cast(tf.reshape(both[:count], shape), dtype)

    def _words(self, draw: Draw, shape: Sequence, dtype: str) -> Any:
        shape, low = self._lengths(shape), 0
        if not isinstance(draw.step, int) or draw.step:
            per_block = 16 // tf.dtypes.as_dtype(dtype).size
            low = draw.step * ((tf.reduce_prod(shape) + (per_block - 1)) // per_block)
        start = draw.state + tf.convert_to_tensor([0, low, draw.place * NB_RUN], tf.int64)
        key, counter = tf.split(tf.bitcast(start, 'uint64'), [1, 2])
        return tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, key=key, counter=counter, alg=_PHILOX,
                                                          dtype=dtype)
