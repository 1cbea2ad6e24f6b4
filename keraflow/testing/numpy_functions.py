"""Functions of the table of operations for which one function of NumPy is not enough."""
import math
from typing import Any, Callable, Optional

import numpy as np

__all__ = ['clip', 'erf', 'flatten', 'histogram', 'if_real', 'log_softmax', 'logistic', 'logsumexp', 'norm', 'one_hot',
           'reducing', 'relu', 'softmax', 'squeeze_axes']


def logistic(x: Any) -> Any:
    x = np.asarray(x, 'float64') if np.asarray(x).dtype.kind != 'f' else x
    return np.where(x < 0, np.exp(np.minimum(x, 0)), 1.) / (1. + np.exp(-np.abs(x)))


def erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=['float64'])(x)


def relu(x: Any, alpha: float = 0., max_value: Optional[float] = None) -> Any:
    return np.minimum(np.where(x > 0, x, x * alpha), np.inf if max_value is None else max_value)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axis = tuple(axis) if isinstance(axis, list) else axis
    peak = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(x - peak), axis=axis, keepdims=True)) + peak
    return total if keepdims else np.squeeze(total, axis)


def norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def log_softmax(x: Any, axis: int = -1) -> Any:
    return x - logsumexp(x, axis, True)


def softmax(x: Any, axis: int = -1) -> Any:
    return np.exp(log_softmax(x, axis))


def reducing(function: Callable) -> Callable:
    """Let a NumPy function take a list of axes."""
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)
    reduce.__name__ = function.__name__
    return reduce


def one_hot(indices: Any, nb_class: int, dtype: Any = None) -> Any:
    return np.eye(nb_class)[indices]


def histogram(x: Any, edges: Any, weights: Any) -> Any:
    return np.bincount(np.searchsorted(edges, np.ravel(x), 'right'), np.ravel(weights), len(edges) + 1)


def flatten(x: Any, nb_axis: int = 1) -> Any:
    return x if x.ndim <= nb_axis else np.reshape(x, (*x.shape[:nb_axis - 1], -1))


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    return x if low is None and high is None else np.clip(x, low, high)


def squeeze_axes(x: Any, axis: Any = None) -> Any:
    return np.squeeze(x, tuple(axis) if isinstance(axis, list) else axis)


def if_real(function: Callable) -> Callable:
    return lambda x: function(x) if x.dtype.kind == 'f' else x
