"""Functions between layers: each takes a tensor and returns one of the same shape."""
from typing import Any, Optional

from keraflow import backend as B
from keraflow.facts import remember
from keraflow.registry import builtin, resolve

__all__ = ['linear', 'sigmoid', 'hard_sigmoid', 'tanh', 'relu', 'softmax', 'softplus', 'softsign', 'get']


@builtin('activation')
def linear(x: Any) -> Any:
    """The input itself, ``x``.

    Examples
    --------
    >>> linear(3.)
    3.0
    """
    return x


@builtin('activation')
def sigmoid(x: Any) -> Any:
    """Logistic function ``1 / (1 + exp(-x))``, from 0 to 1.

    The result remembers `x`, from which ``binary_crossentropy`` is computed exactly.

    Parameters
    ----------
    x : tensor

    Examples
    --------
    >>> get('sigmoid') is sigmoid
    True
    """
    return remember(B.sigmoid(x), logits=('sigmoid', x))


@builtin('activation')
def hard_sigmoid(x: Any) -> Any:
    """Three straight lines in the place of a sigmoid, ``clip(0.2 * x + 0.5, 0, 1)``: cheap, and exactly 0 or 1 far out.

    Parameters
    ----------
    x : tensor

    References
    ----------
    M. Courbariaux, Y. Bengio and J.-P. David, 2015: BinaryConnect: training deep neural networks with binary weights
    during propagations.
    """
    return B.hard_sigmoid(x)


@builtin('activation')
def tanh(x: Any) -> Any:
    """Hyperbolic tangent, from -1 to 1.

    Parameters
    ----------
    x : tensor
    """
    return B.tanh(x)


@builtin('activation')
def relu(x: Any, alpha: float = 0., max_value: Optional[float] = None) -> Any:
    """Rectifier: ``x`` above zero and ``alpha * x`` below, at most `max_value`.

    Parameters
    ----------
    x : tensor
    alpha : float
        Slope below zero. 0 gives the plain rectifier, a small number the leaky one.
    max_value : float, optional
        Upper bound; none unless given.

    References
    ----------
    X. Glorot, A. Bordes and Y. Bengio, 2011: Deep sparse rectifier neural networks.
    A. L. Maas, A. Y. Hannun and A. Y. Ng, 2013: Rectifier nonlinearities improve neural network acoustic models.

    Examples
    --------
    Arguments are passed with ``functools.partial``:

    >>> from functools import partial
    >>> from keraflow.layers import Dense
    >>> layer = Dense(3, activation=partial(relu, alpha=0.01, max_value=6.))
    """
    return B.relu(x, alpha, max_value)


@builtin('activation')
def softmax(x: Any, axis: int = -1) -> Any:
    """Probabilities ``exp(x) / sum(exp(x))`` along one axis, finite for every finite x.

    Along the last axis the result remembers `x`, from which ``categorical_crossentropy`` is computed exactly.

    Parameters
    ----------
    x : tensor
        Of any rank of at least 1.
    axis : int
        The axis whose values add up to 1, the last one unless given. May be negative.

    References
    ----------
    J. S. Bridle, 1990: Probabilistic interpretation of feedforward classification network outputs, with relationships
    to statistical pattern recognition.

    Examples
    --------
    >>> get('softmax') is softmax
    True
    """
    result = B.softmax(x, axis)
    return remember(result, logits=('softmax', x)) if axis in (-1, B.ndim(result) - 1) else result


@builtin('activation')
def softplus(x: Any) -> Any:
    """Smooth rectifier ``log(1 + exp(x))``, exact for every x.

    Parameters
    ----------
    x : tensor

    References
    ----------
    C. Dugas, Y. Bengio, F. Belisle, C. Nadeau and R. Garcia, 2001: Incorporating second-order functional knowledge for
    better option pricing.
    """
    return B.softplus(x)


@builtin('activation')
def softsign(x: Any) -> Any:
    """``x / (1 + |x|)``: like tanh from -1 to 1, but slower to saturate.

    Parameters
    ----------
    x : tensor

    References
    ----------
    J. Bergstra, G. Desjardins, P. Lamblin and Y. Bengio, 2009: Quadratic polynomials learn better image features.
    """
    return B.softsign(x)


def get(value: Any) -> Any:
    """The activation of a name (``'relu'``) or a function.

    Raises
    ------
    ArgumentError
        If there is none of that name.

    Examples
    --------
    >>> get('tahn')
    Traceback (most recent call last):
    ...
    keraflow.errors.ArgumentError: there is no activation 'tahn'. Did you mean 'tanh'?
    """
    return resolve('activation', value)
