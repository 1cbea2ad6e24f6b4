"""Random numbers inside functions: one generator, whose state is one variable."""
from keraflow.backend.layouts import keeps_layout

from .elementwise import Elementwise
from .library import tf

__all__ = ['Randomness']


class Randomness(Elementwise):
    """Draws from the backend's stream."""

    def __init__(self, floatx='float32'):
        super().__init__(floatx)
        with tf.init_scope():
            self._generator = tf.random.Generator.from_non_deterministic_state()

    def seed(self, value):
        self._generator.reset_from_seed(value)

    def random_uniform(self, shape, low=0., high=1., dtype=None):
        return self._generator.uniform(self._lengths(shape), low, high, dtype or self.floatx())

    def random_normal(self, shape, mean=0., std=1., dtype=None):
        return self._generator.normal(self._lengths(shape), mean, std, dtype or self.floatx())

    @keeps_layout
    def dropout(self, x, rate, noise_shape=None):
        x = self._real(x)
        shape = tf.shape(x, out_type=tf.int64) if noise_shape is None else self._lengths(noise_shape)
        kept = self._generator.uniform(shape, dtype=x.dtype) >= rate
        return tf.where(kept, x * (1. / (1. - rate)), tf.zeros((), x.dtype))
