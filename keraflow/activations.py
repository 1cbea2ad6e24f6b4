"""Activation functions: each maps a tensor to one of the same shape."""
import math
from typing import Annotated, Any, Optional

import numpy as np

from keraflow import backend as B
from keraflow.backend.tensor_info import annotate, features_of, info_of
from keraflow.registry import builtin, resolve
from keraflow.schema import Finite, Rule

__all__ = ['linear', 'sigmoid', 'hard_sigmoid', 'tanh', 'relu', 'leaky_relu', 'elu', 'selu', 'gelu', 'swish', 'softmax',
           'log_softmax', 'softplus', 'softsign', 'exponential', 'get']

#: Infinity is none.
_Bound = Annotated[float, Rule('a number', lambda value: value > -math.inf)]


@builtin('activation')
def linear(x: Any) -> Any:
    """Return the input itself, ``x``.

    Examples
    --------
    >>> linear(3.)
    3.0
    """
    return x


@builtin('activation')
def sigmoid(x: Any) -> Any:
    """Compute the logistic function ``1 / (1 + exp(-x))``, from 0 to 1.

    The result remembers `x`, from which cross-entropies are computed exactly.

    Parameters
    ----------
    x : tensor

    Examples
    --------
    >>> get('sigmoid') is sigmoid
    True
    """
    return B.sigmoid(x)


@builtin('activation')
def hard_sigmoid(x: Any) -> Any:
    """Approximate the sigmoid by three line segments, ``clip(0.2 * x + 0.5, 0, 1)``: cheap, and exactly 0 or 1 far out.

    Parameters
    ----------
    x : tensor

    References
    ----------
    .. [1] M. Courbariaux, Y. Bengio and J.-P. David, "BinaryConnect: training deep neural networks with binary weights
       during propagations", NIPS, 2015.
    """
    return B.hard_sigmoid(x)


@builtin('activation')
def tanh(x: Any) -> Any:
    """Compute the hyperbolic tangent, from -1 to 1.

    Parameters
    ----------
    x : tensor
    """
    return B.tanh(x)


@builtin('activation')
def relu(x: Any, alpha: Finite = 0., max_value: Optional[_Bound] = None) -> Any:
    """Rectify: ``x`` above zero and ``alpha * x`` below, at most `max_value`.

    Parameters
    ----------
    x : tensor
    alpha : float
        Slope below zero: 0 for the plain rectifier, a small number for the leaky one.
    max_value : float, optional
        Upper bound; none by default.

    References
    ----------
    .. [1] X. Glorot, A. Bordes and Y. Bengio, "Deep sparse rectifier neural networks", AISTATS, 2011.
    .. [2] A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier nonlinearities improve neural network acoustic models",
       ICML Workshop on Deep Learning for Audio, Speech and Language Processing, 2013.

    Examples
    --------
    Arguments are passed with ``functools.partial``:

    >>> from functools import partial
    >>> from keraflow.layers import Dense
    >>> layer = Dense(3, activation=partial(relu, alpha=0.01, max_value=6.))
    """
    return B.relu(x, alpha, max_value)


@builtin('activation')
def leaky_relu(x: Any, alpha: Finite = 0.01) -> Any:
    """Rectify with a leak: ``x`` above zero and ``alpha * x`` below.

    Parameters
    ----------
    x : tensor
    alpha : float
        Slope below zero; the paper uses 0.01.

    References
    ----------
    .. [1] A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier nonlinearities improve neural network acoustic models",
       ICML Workshop on Deep Learning for Audio, Speech and Language Processing, 2013.
    """
    return B.relu(x, alpha)


@builtin('activation')
def elu(x: Any, alpha: Finite = 1.) -> Any:
    """Apply the exponential linear unit: ``x`` above zero and ``alpha * (exp(x) - 1)`` below.

    Parameters
    ----------
    x : tensor
    alpha : float
        The limit far below zero is ``-alpha``.

    References
    ----------
    .. [1] D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by exponential
       linear units (ELUs)", ICLR, 2016.
    """
    # The branch not taken must be finite, too: its gradient is multiplied by zero, and 0 * inf is NaN.
    return B.where(B.greater(x, 0), x, B.multiply(B.expm1(B.minimum(x, 0)), alpha))


@builtin('activation')
def selu(x: Any) -> Any:
    """Scale :func:`elu`, ``1.0507 * elu(x, 1.6733)``: mean 0 and variance 1 are a fixed point of deep networks.

    It assumes weights of variance ``1 / fan_in``, as ``lecun_uniform`` draws them.

    Parameters
    ----------
    x : tensor

    References
    ----------
    .. [1] G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter, "Self-normalizing neural networks", NIPS, 2017.
    """
    return B.multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


@builtin('activation')
def gelu(x: Any) -> Any:
    """Apply the Gaussian error linear unit ``x * P(X <= x)``, computed exactly as ``x * (1 + erf(x / sqrt(2))) / 2``.

    Parameters
    ----------
    x : tensor

    References
    ----------
    .. [1] D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415, 2016.
    """
    return B.multiply(x, B.multiply(B.add(B.erf(B.multiply(x, math.sqrt(0.5))), 1.), 0.5))


@builtin('activation')
def swish(x: Any) -> Any:
    """Compute ``x * sigmoid(x)``, a smooth rectifier with a dip below zero.

    Parameters
    ----------
    x : tensor

    References
    ----------
    .. [1] P. Ramachandran, B. Zoph and Q. V. Le, "Searching for activation functions", arXiv:1710.05941, 2017.
    """
    return B.multiply(x, B.sigmoid(x))


@builtin('activation')
def softmax(x: Any, axis: Optional[int] = None) -> Any:
    """Compute probabilities ``exp(x) / sum(exp(x))`` along one axis.

    Infinite values count as very large ones: the probability is 1 where one is infinite, and shared among several.
    The result remembers `x`, from which cross-entropies are computed exactly.

    Parameters
    ----------
    x : tensor
        Of any rank of at least 1.
    axis : int, optional
        The axis along which values add up to 1, counted with the batch or, if negative, from the end. By default the
        features: the channels of images, else the last axis.

    References
    ----------
    .. [1] J. S. Bridle, "Probabilistic interpretation of feedforward classification network outputs, with relationships
       to statistical pattern recognition", Neurocomputing, Springer, 1990.

    Examples
    --------
    >>> get('softmax') is softmax
    True
    """
    made = B.softmax(_finite(x), features_of(x) if axis is None else axis)
    return annotate(made, features=info_of(x).features)


@builtin('activation')
def log_softmax(x: Any, axis: Optional[int] = None) -> Any:
    """Compute the logarithm of :func:`softmax`, ``x - log(sum(exp(x)))`` along one axis: always finite, except for NaN.

    Parameters
    ----------
    x : tensor
        Of any rank of at least 1.
    axis : int, optional
        The axis along which probabilities add up to 1; by default the features, as for :func:`softmax`.
    """
    return B.log_softmax(_finite(x), features_of(x) if axis is None else axis)


def _finite(x: Any) -> Any:
    """Replace infinities by numbers so large that differences are still finite; keep NaN."""
    x = B.as_real(x)
    most = float(np.finfo(B.dtype(x)).max / 4)
    return B.clip(x, -most, most)


@builtin('activation')
def softplus(x: Any) -> Any:
    """Compute the smooth rectifier ``log(1 + exp(x))``, exact for every x.

    Parameters
    ----------
    x : tensor

    References
    ----------
    .. [1] C. Dugas, Y. Bengio, F. Belisle, C. Nadeau and R. Garcia, "Incorporating second-order functional knowledge
       for better option pricing", NIPS, 2001.
    """
    return B.softplus(x)


@builtin('activation')
def softsign(x: Any) -> Any:
    """Compute ``x / (1 + |x|)``: like tanh from -1 to 1, but slower to saturate.

    Parameters
    ----------
    x : tensor

    References
    ----------
    .. [1] J. Bergstra, G. Desjardins, P. Lamblin and Y. Bengio, "Quadratic polynomials learn better image features",
       NIPS, 2009.
    """
    return B.softsign(x)


@builtin('activation')
def exponential(x: Any) -> Any:
    """Compute ``exp(x)``, for positive outputs such as rates.

    Parameters
    ----------
    x : tensor
    """
    return B.exp(x)


def get(value: Any) -> Any:
    """Return the activation with a name (``'relu'``), or a function itself.

    Raises
    ------
    ArgumentError
        If none has that name.

    Examples
    --------
    >>> get('tahn')
    Traceback (most recent call last):
    ...
    keraflow.errors.ArgumentError: there is no activation 'tahn'. Did you mean 'tanh'?
    """
    return resolve('activation', value)
