"""Activations."""
from typing import Any, Optional

from .elementwise import Elementwise
from .library import tf

__all__ = ['Neural']


class Neural(Elementwise):
    """Functions between layers."""

    def sigmoid(self, x: Any) -> Any:
        return tf.sigmoid(self._real(x))

    def relu(self, x: Any, alpha: float = 0., max_value: Optional[float] = None) -> Any:
        x = self._real(x)
        if alpha and x.dtype != tf.float32:     # leaky_relu rounds its slope to float32
            x = tf.where(x > 0, x, x * alpha)
        else:
            x = tf.nn.leaky_relu(x, alpha) if alpha else tf.nn.relu(x)
        return x if max_value is None else self.minimum(x, max_value)

    def softplus(self, x: Any) -> Any:
        return tf.nn.softplus(self._real(x))

    def softsign(self, x: Any) -> Any:
        return tf.nn.softsign(self._real(x))

    def softmax(self, x: Any, axis: int = -1) -> Any:
        return tf.nn.softmax(self._real(x), axis)

    def log_softmax(self, x: Any, axis: int = -1) -> Any:
        return tf.nn.log_softmax(self._real(x), axis)
