"""Random numbers inside functions: each stream is a generator whose state is one variable."""
from typing import Any, Optional, Sequence

from .elementwise import Elementwise
from .library import tf

__all__ = ['Randomness', 'Stream']


class Stream:
    """A stream of random numbers; see the contract."""

    def __init__(self) -> None:
        with tf.init_scope():
            # An algorithm with a counter: its position is one number, which files hold and begin() sets.
            self.generator = tf.random.Generator.from_key_counter(0, [0, 0], 'philox')

    @property
    def position(self) -> int:
        with tf.init_scope():
            return int(self.generator.state[0])

    def begin(self, key: int, position: int = 0) -> None:
        with tf.init_scope():
            self.generator.reset_from_key_counter(key, [position, 0])


class Randomness(Elementwise):
    """Draws from the stream of the model being built, or the backend's own."""

    def new_stream(self) -> Stream:
        return Stream()

    def random_uniform(self, shape: Sequence, low: float = 0., high: float = 1., dtype: Optional[str] = None) -> Any:
        return self.current_stream().generator.uniform(self._lengths(shape), low, high, dtype or self.floatx())

    def random_normal(self, shape: Sequence, mean: float = 0., std: float = 1., dtype: Optional[str] = None) -> Any:
        return self.current_stream().generator.normal(self._lengths(shape), mean, std, dtype or self.floatx())

    def dropout(self, x: Any, drop_rate: float, noise_shape: Optional[Sequence] = None) -> Any:
        x = self._real(x)
        shape = tf.shape(x, out_type=tf.int64) if noise_shape is None else self._lengths(noise_shape)
        kept = self.current_stream().generator.uniform(shape, dtype=x.dtype) >= drop_rate
        return tf.where(kept, x * (1. / (1. - drop_rate)), tf.zeros((), x.dtype))
