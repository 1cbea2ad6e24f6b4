"""Optimizers: how parameters are updated, given the gradients of the loss."""
from typing import Any

from keraflow.optimizers.adam import Adam, Adamax, AdamW, Nadam
from keraflow.optimizers.base import Optimizer
from keraflow.optimizers.descent import SGD, Adadelta, Adagrad, Ftrl, RMSprop
from keraflow.registry import resolve

__all__ = ['Optimizer', 'SGD', 'RMSprop', 'Adagrad', 'Adadelta', 'Adam', 'Adamax', 'AdamW', 'Nadam', 'Ftrl', 'get']


def get(value: Any) -> Any:
    """Return the optimizer with a name (``'adam'``), of a class, or an object itself.

    Raises
    ------
    ArgumentError
        If none has that name.

    Examples
    --------
    >>> get('sgd').lr
    0.01
    """
    return resolve('optimizer', value)
