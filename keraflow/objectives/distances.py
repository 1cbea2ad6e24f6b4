"""Distances between numbers, and margin losses."""
from typing import Any

import numpy as np

from keraflow import backend as B
from keraflow.backend.tensor_info import features_of
from keraflow.objectives.base import objective, reals
from keraflow.objectives.doubts import doubtful, no_sign
from keraflow.schema import PositiveFloat, check

__all__ = ['square_error', 'absolute_error', 'absolute_percentage_error', 'squared_logarithmic_error', 'huber',
           'log_cosh', 'cosine_proximity', 'hinge', 'squared_hinge']


@objective('se', 'mse')
def square_error(y_pred: Any, y_true: Any) -> Any:
    """Compute ``(y_pred - y_true) ** 2``.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``

    Examples
    --------
    >>> B.eval(square_error(B.constant([[1., 2.]]), B.constant([[1., 4.]]))).tolist()
    [[0.0, 4.0]]
    """
    y_pred, y_true = reals(y_pred, y_true)
    return B.square(y_pred - y_true)


@objective('ae', 'mae')
def absolute_error(y_pred: Any, y_true: Any) -> Any:
    """Compute ``|y_pred - y_true|``, which is less sensitive to outliers than :func:`square_error`.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = reals(y_pred, y_true)
    return B.abs(y_pred - y_true)


@objective()
def huber(y_pred: Any, y_true: Any, delta: PositiveFloat = 1.) -> Any:
    """Compute a loss that is quadratic up to `delta` and linear beyond, so that outliers pull like an absolute error.

    With ``d = |y_pred - y_true|``: ``d ** 2 / 2`` up to `delta`, and ``delta * (d - delta / 2)`` from there on.

    Parameters
    ----------
    y_pred, y_true : tensor
    delta : float
        Above 0. For values other than 1 pass ``functools.partial(huber, delta=...)``.

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``

    Raises
    ------
    ArgumentError
        If `delta` is not above 0.

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics, 1964.

    Examples
    --------
    >>> B.eval(huber(B.constant([[0., 0.]]), B.constant([[1., 4.]]), delta=2.)).tolist()
    [[0.5, 6.0]]
    """
    check(delta, PositiveFloat, 'huber: delta')
    y_pred, y_true = reals(y_pred, y_true)
    distance = B.abs(y_pred - y_true)
    near = B.minimum(distance, delta)
    return near * (distance - near * 0.5)


@objective()
def log_cosh(y_pred: Any, y_true: Any) -> Any:
    """Compute ``log(cosh(y_pred - y_true))``: about ``d ** 2 / 2`` for small errors, ``|d| - log(2)`` for large ones.

    The result is finite and exact for errors of any size.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = reals(y_pred, y_true)
    distance = B.abs(y_pred - y_true)
    # 1 + exp(d) * (1 - exp(-d)) ** 2 / 2 has no cancellation where d is small; where d is large it overflows.
    small = B.minimum(distance, 1.)
    near = B.log1p(B.exp(small) * B.square(B.expm1(-small)) * 0.5)
    return B.where(B.less(distance, 1.), near, distance + B.softplus(distance * -2.) - float(np.log(2.)))


@objective('ape', 'mape')
def absolute_percentage_error(y_pred: Any, y_true: Any) -> Any:
    """Compute ``100 * |y_pred - y_true| / max(|y_true|, epsilon)``.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = reals(y_pred, y_true)
    return B.abs(y_pred - y_true) / B.maximum(B.abs(y_true), B.epsilon()) * 100.


@objective('sle', 'msle')
def squared_logarithmic_error(y_pred: Any, y_true: Any) -> Any:
    """Compute ``(log(1 + y_pred) - log(1 + y_true)) ** 2``, for targets of many magnitudes; both are at least epsilon.

    Parameters
    ----------
    y_pred, y_true : tensor
        Not negative.

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = (B.log1p(B.maximum(y, B.epsilon())) for y in reals(y_pred, y_true))
    return B.square(y_pred - y_true)


@objective('cosine')
def cosine_proximity(y_pred: Any, y_true: Any) -> Any:
    """Compute the terms of minus the cosine of the angle between prediction and target along the feature axis.

    ``-y_pred / norm(y_pred) * y_true / norm(y_true)``, elementwise: the sum over this axis is minus the cosine, and
    the model's average is that divided by the length of the axis. A vector shorter than epsilon has no direction and is
    not scaled, so that value and gradient stay finite.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ..., features)``
    """
    axis = features_of(y_pred)
    y_pred, y_true = reals(y_pred, y_true)
    return -(_direction(y_pred, axis) * _direction(y_true, axis))


@objective()
@doubtful(no_sign)
def hinge(y_pred: Any, y_true: Any) -> Any:
    """Compute ``max(1 - y_true * y_pred, 0)`` for targets of -1 and 1.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``

    References
    ----------
    .. [1] C. Cortes and V. Vapnik, "Support-vector networks", Machine Learning, 1995.
    """
    y_pred, y_true = reals(y_pred, y_true)
    return B.relu(1. - y_true * y_pred)


@objective()
@doubtful(no_sign)
def squared_hinge(y_pred: Any, y_true: Any) -> Any:
    """Compute ``max(1 - y_true * y_pred, 0) ** 2`` for targets of -1 and 1.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``

    References
    ----------
    .. [1] Y. Tang, "Deep learning using linear support vector machines", arXiv:1306.0239, 2013.
    """
    return B.square(hinge(y_pred, y_true))


def _direction(y: Any, axis: int) -> Any:
    square = B.sum(B.square(y), axis, keepdims=True)
    # The gradient of the root is infinite at 0: a vector without a direction is divided by 1.
    return y / B.sqrt(B.where(B.greater(square, B.epsilon() ** 2), square, B.ones_like(square)))
