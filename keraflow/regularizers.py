"""Penalties on parameters, added to the training loss."""
from typing import Any

from keraflow import backend as B
from keraflow.registry import builtin, resolve
from keraflow.schema import NonNegative
from keraflow.serialization import Serializable

__all__ = ['Regularizer', 'L1', 'L2', 'L1L2', 'get']


class Regularizer(Serializable):
    """Base of penalties: called with a parameter, it returns a scalar."""

    kind = 'regularizer'
    required_methods = {'__call__': ()}

    def __call__(self, param: Any) -> Any:
        raise NotImplementedError


@builtin('regularizer', 'l1')
class L1(Regularizer):
    """Penalize absolute values, ``l1 * sum(|w|)``: drives weights to exactly zero.

    Parameters
    ----------
    l1 : float
        Strength, at least 0.

    References
    ----------
    .. [1] R. Tibshirani, "Regression shrinkage and selection via the lasso", Journal of the Royal Statistical Society
       B, 1996.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> layer = Dense(3, regularizers={'W': L1(0.1)})
    """

    def __init__(self, l1: NonNegative = 0.01):
        self.l1 = l1

    def __call__(self, param: Any) -> Any:
        return B.sum(B.abs(param)) * self.l1


@builtin('regularizer', 'l2')
class L2(Regularizer):
    """Penalize squares, ``l2 * sum(w ** 2)``: keeps weights small.

    Parameters
    ----------
    l2 : float
        Strength, at least 0.
    """

    def __init__(self, l2: NonNegative = 0.01):
        self.l2 = l2

    def __call__(self, param: Any) -> Any:
        return B.sum(B.square(param)) * self.l2


@builtin('regularizer', 'l1l2')
class L1L2(Regularizer):
    """Penalize both: ``l1 * sum(|w|) + l2 * sum(w ** 2)``.

    Parameters
    ----------
    l1, l2 : float
        Strengths, at least 0.

    References
    ----------
    .. [1] H. Zou and T. Hastie, "Regularization and variable selection via the elastic net", Journal of the Royal
       Statistical Society B, 2005.
    """

    def __init__(self, l1: NonNegative = 0.01, l2: NonNegative = 0.01):
        self.l1 = l1
        self.l2 = l2

    def __call__(self, param: Any) -> Any:
        return B.sum(B.abs(param)) * self.l1 + B.sum(B.square(param)) * self.l2


def get(value: Any) -> Any:
    """Return the regularizer with a name (``'l1'``), or of a class, or an object itself."""
    return resolve('regularizer', value)
