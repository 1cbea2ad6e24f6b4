"""Activations."""
from keraflow.backend.layouts import keeps_layout

from .elementwise import Elementwise
from .library import tf

__all__ = ['Neural']


@keeps_layout
class Neural(Elementwise):
    """Functions between layers."""

    def sigmoid(self, x):
        return tf.sigmoid(self._real(x))

    def relu(self, x, alpha=0., max_value=None):
        x = self._real(x)
        if alpha and x.dtype != tf.float32:     # leaky_relu rounds its slope to float32
            x = tf.where(x > 0, x, x * alpha)
        else:
            x = tf.nn.leaky_relu(x, alpha) if alpha else tf.nn.relu(x)
        return x if max_value is None else self.minimum(x, max_value)

    def softplus(self, x):
        return tf.nn.softplus(self._real(x))

    def softsign(self, x):
        return tf.nn.softsign(self._real(x))

    def softmax(self, x, axis=-1):
        return tf.nn.softmax(self._real(x), axis)

    def log_softmax(self, x, axis=-1):
        return tf.nn.log_softmax(self._real(x), axis)
