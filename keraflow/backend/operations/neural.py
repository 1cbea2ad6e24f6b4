"""Activations."""
import functools
from typing import Any, Optional

from keraflow.backend import log_rules
from keraflow.backend.method_info import operation
from keraflow.backend.operations.reductions import Reductions

__all__ = ['Neural']

Tensor = Any

#: Define an activation function.
activation = functools.partial(operation, is_real=True, keeps_layout=True, gradient_needs='result')


class Neural(Reductions):
    """Activation functions; see :mod:`keraflow.backend.contract`."""

    @activation(logs=log_rules.sigmoid)
    def sigmoid(self, x: Tensor) -> Tensor:
        """Compute ``1 / (1 + exp(-x))``."""
        raise NotImplementedError

    @activation
    def hard_sigmoid(self, x: Tensor) -> Tensor:
        """Compute ``clip(0.2 * x + 0.5, 0, 1)``."""
        return self.clip(self.add(self.multiply(x, 0.2), 0.5), 0., 1.)

    @activation(logs=log_rules.not_negative)
    def relu(self, x: Tensor, alpha: float = 0., max_value: Optional[float] = None) -> Tensor:
        """Compute ``x`` above zero, ``alpha * x`` below, at most `max_value`."""
        raise NotImplementedError

    @activation(logs=log_rules.softplus)
    def softplus(self, x: Tensor) -> Tensor:
        """Compute ``log(1 + exp(x))``, finite and exact for every x."""
        raise NotImplementedError

    @activation
    def softsign(self, x: Tensor) -> Tensor:
        """Compute ``x / (1 + abs(x))``."""
        return self.divide(x, self.add(self.abs(x), 1.))

    @activation(logs=log_rules.softmax)
    def softmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """Compute ``exp(x) / sum(exp(x))`` along one axis, without overflow."""
        raise NotImplementedError

    @activation
    def log_softmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """Compute the logarithm of :meth:`softmax`, finite for every finite x."""
        # The logarithm is subtracted last: added to a large x it would be rounded away.
        centred = self.subtract(x, self.stop_gradient(self.max(x, axis, keepdims=True)))
        return self.subtract(centred, self.log(self.sum(self.exp(centred), axis, keepdims=True)))
