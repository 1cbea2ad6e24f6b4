"""Activations."""
from typing import Any, Optional

from keraflow.backend.contract import Backend
from keraflow.shapes import normalize_axis

from .configure import T
from .operands import real

__all__ = ['Neural']


class Neural(Backend):
    """Activations; see the contract."""

    def sigmoid(self, x: Any) -> Any:
        return T.nnet.sigmoid(real(x))

    def relu(self, x: Any, alpha: float = 0., max_value: Optional[float] = None) -> Any:
        x = real(x)
        # On ties the maximum passes its gradient to its first argument: none to x at zero.
        result = self.maximum(0, x) if alpha == 0 else T.switch(T.gt(x, 0), x, self.multiply(x, alpha))
        return result if max_value is None else self.minimum(result, max_value)

    def softplus(self, x: Any) -> Any:
        x = real(x)
        # Theano's softplus rounds above 16. Both maxima pass their gradients at zero to x: in sum 1 - 1/2.
        return T.maximum(x, 0) + T.log1p(T.exp(-T.maximum(x, -x)))

    def softmax(self, x: Any, axis: int = -1) -> Any:
        x = real(x)
        axis = normalize_axis(axis, x.ndim)
        # The only case that Theano's Op supports; it warns about a length of 1.
        if (x.ndim, axis) == (2, 1) and not x.broadcastable[1]:
            return T.nnet.softmax(x)
        powers = T.exp(x - self.stop_gradient(self.max(x, axis, keepdims=True)))
        return powers / self.sum(powers, axis, keepdims=True)

    def log_softmax(self, x: Any, axis: int = -1) -> Any:
        return super().log_softmax(real(x), axis)
