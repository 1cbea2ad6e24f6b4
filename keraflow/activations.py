"""Functions between layers: each takes a tensor and returns one of the same shape."""
import math
from typing import Any, Optional

import numpy as np

from keraflow import backend as B
from keraflow.backend.tensor_info import annotate, features_of, info_of
from keraflow.registry import builtin, resolve

__all__ = ['linear', 'sigmoid', 'hard_sigmoid', 'tanh', 'relu', 'leaky_relu', 'elu', 'selu', 'gelu', 'swish', 'softmax',
           'log_softmax', 'softplus', 'softsign', 'exponential', 'get']


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
    """Three straight lines in the place of a sigmoid, ``clip(0.2 * x + 0.5, 0, 1)``: cheap, and exactly 0 or 1 far out.

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
def leaky_relu(x: Any, alpha: float = 0.01) -> Any:
    """Rectifier that lets some through below zero: ``x`` above zero and ``alpha * x`` below.

    Parameters
    ----------
    x : tensor
    alpha : float
        Slope below zero. 0.01 is that of the paper.

    References
    ----------
    .. [1] A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier nonlinearities improve neural network acoustic models",
       ICML Workshop on Deep Learning for Audio, Speech and Language Processing, 2013.
    """
    return B.relu(x, alpha)


@builtin('activation')
def elu(x: Any, alpha: float = 1.) -> Any:
    """Exponential linear unit: ``x`` above zero and ``alpha * (exp(x) - 1)`` below.

    Parameters
    ----------
    x : tensor
    alpha : float
        What it goes to far below zero, with the sign changed.

    References
    ----------
    .. [1] D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by exponential
       linear units (ELUs)", ICLR, 2016.
    """
    # The branch that is not taken must be finite, too: its gradient is multiplied by zero.
    return B.switch(B.greater(x, 0), x, B.multiply(B.expm1(B.minimum(x, 0)), alpha))


@builtin('activation')
def selu(x: Any) -> Any:
    """Scaled :func:`elu`, ``1.0507 * elu(x, 1.6733)``: mean 0 and variance 1 are a fixed point of deep networks.

    It wants weights of variance ``1 / fan_in``, as ``lecun_uniform`` gives them.

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
    """Gaussian error linear unit ``x * P(X <= x)`` of a standard normal X: ``x * (1 + erf(x / sqrt(2))) / 2``, exactly.

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
    """``x * sigmoid(x)``, a smooth rectifier with a dip below zero.

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
    """Probabilities ``exp(x) / sum(exp(x))`` along one axis.

    Infinite x are taken for very large ones: the probability is 1 where one is infinite, and shared by those that are.
    The result remembers `x`, from which cross-entropies are computed exactly.

    Parameters
    ----------
    x : tensor
        Of any rank of at least 1.
    axis : int, optional
        The axis whose values add up to 1, counted with the batch or, if negative, from the end. That of the features
        unless given: the channels of images, else the last one.

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
    """Logarithm of :func:`softmax`, ``x - log(sum(exp(x)))`` along one axis: always finite, but of NaN.

    Parameters
    ----------
    x : tensor
        Of any rank of at least 1.
    axis : int, optional
        The axis whose probabilities add up to 1; that of the features unless given, as of :func:`softmax`.
    """
    return B.log_softmax(_finite(x), features_of(x) if axis is None else axis)


def _finite(x: Any) -> Any:
    """`x`, of which infinity is a number so large that differences are still finite; NaN stays."""
    x = B.as_real(x)
    most = float(np.finfo(B.dtype(x)).max / 4)
    return B.clip(x, -most, most)


@builtin('activation')
def softplus(x: Any) -> Any:
    """Smooth rectifier ``log(1 + exp(x))``, exact for every x.

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
    """``x / (1 + |x|)``: like tanh from -1 to 1, but slower to saturate.

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
    """``exp(x)``, for outputs that are above zero, such as rates.

    Parameters
    ----------
    x : tensor
    """
    return B.exp(x)


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
