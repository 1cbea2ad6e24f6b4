"""Activations."""
from typing import Any, Optional

from keraflow.backend.graph.elementwise import Elementwise
from keraflow.backend.graph.nodes import apply
from keraflow.shapes import normalize_axis

__all__ = ['Neural']


class Neural(Elementwise):
    """Functions between layers."""

    def sigmoid(self, x: Any) -> Any:
        return apply('sigmoid', [self._real(x)])

    def relu(self, x: Any, alpha: float = 0., max_value: Optional[float] = None) -> Any:
        x = self._real(x)
        x = apply('leaky_relu', [x], alpha=alpha) if alpha else apply('relu', [x])
        return x if max_value is None else self.minimum(x, max_value)

    def softplus(self, x: Any) -> Any:
        return apply('softplus', [self._real(x)])

    def softmax(self, x: Any, axis: int = -1) -> Any:
        x = self._real(x)
        return apply('softmax', [x], axis=normalize_axis(axis, x.ndim))

    def log_softmax(self, x: Any, axis: int = -1) -> Any:
        x = self._real(x)
        return apply('log_softmax', [x], axis=normalize_axis(axis, x.ndim))
