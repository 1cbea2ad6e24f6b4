"""Objectives and metrics: functions of a prediction and a target that say how far one is from the other.

Each is called ``fn(y_pred, y_true)`` with two tensors of the same shape ``(batch, ...)`` and keeps the axis of the
samples. Some are elementwise and return a tensor of that shape; those over whole distributions fold the last axis into
a length of 1. The model averages over what is left. Targets are cast to the dtype of the prediction.
"""
from typing import Any

from keraflow import backend as B
from keraflow.backend.contract import FLOATS
from keraflow.facts import facts_of
from keraflow.registry import builtin, resolve

__all__ = ['accuracy', 'binary_accuracy', 'categorical_accuracy', 'square_error', 'absolute_error',
           'absolute_percentage_error', 'squared_logarithmic_error', 'cosine_proximity', 'hinge', 'squared_hinge',
           'binary_crossentropy', 'categorical_crossentropy', 'kullback_leibler_divergence', 'poisson', 'get']


# -- metrics ----------------------------------------------------------------------------------------------------------

@builtin('objective', 'acc')
def accuracy(y_pred: Any, y_true: Any) -> Any:
    """Share of right predictions: :func:`binary_accuracy` for one output, else :func:`categorical_accuracy`.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true : ``(batch, ..., 1)`` or ``(batch, ..., nb_class)``
    output : ``(batch, ..., 1)``, 1 where right and 0 where not

    Examples
    --------
    >>> get('acc') is accuracy
    True
    """
    return (binary_accuracy if B.static_shape(y_pred)[-1] == 1 else categorical_accuracy)(y_pred, y_true)


@builtin('objective')
def binary_accuracy(y_pred: Any, y_true: Any) -> Any:
    """1 where the rounded prediction is the target: ``round(y_pred) == y_true``.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = _reals(y_pred, y_true)
    return B.cast(B.equal(B.round(y_pred), y_true), B.floatx())


@builtin('objective')
def categorical_accuracy(y_pred: Any, y_true: Any) -> Any:
    """1 where the most likely class is that of the target: ``argmax(y_pred) == argmax(y_true)`` along the last axis.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true : ``(batch, ..., nb_class)``
    output : ``(batch, ..., 1)``
    """
    hit = B.equal(B.argmax(y_pred, -1), B.argmax(y_true, -1))
    return B.expand_dims(B.cast(hit, B.floatx()), -1)


# -- distances --------------------------------------------------------------------------------------------------------

@builtin('objective', 'se', 'mse')
def square_error(y_pred: Any, y_true: Any) -> Any:
    """``(y_pred - y_true) ** 2``.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``

    Examples
    --------
    >>> get('mse') is square_error
    True
    """
    y_pred, y_true = _reals(y_pred, y_true)
    return B.square(y_pred - y_true)


@builtin('objective', 'ae', 'mae')
def absolute_error(y_pred: Any, y_true: Any) -> Any:
    """``|y_pred - y_true|``: a single target far off counts for less than with :func:`square_error`.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = _reals(y_pred, y_true)
    return B.abs(y_pred - y_true)


@builtin('objective', 'ape', 'mape')
def absolute_percentage_error(y_pred: Any, y_true: Any) -> Any:
    """``100 * |y_pred - y_true| / max(|y_true|, epsilon)``.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = _reals(y_pred, y_true)
    return B.abs(y_pred - y_true) / B.maximum(B.abs(y_true), B.epsilon()) * 100.


@builtin('objective', 'sle', 'msle')
def squared_logarithmic_error(y_pred: Any, y_true: Any) -> Any:
    """``(log(1 + y_pred) - log(1 + y_true)) ** 2``, for targets of many magnitudes; both count as at least epsilon.

    Parameters
    ----------
    y_pred, y_true : tensor
        Not negative.

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = (B.log1p(B.maximum(y, B.epsilon())) for y in _reals(y_pred, y_true))
    return B.square(y_pred - y_true)


@builtin('objective', 'cosine')
def cosine_proximity(y_pred: Any, y_true: Any) -> Any:
    """Minus the cosine of the angle between prediction and target along the last axis, as its terms.

    ``-y_pred / norm(y_pred) * y_true / norm(y_true)``, elementwise: the sum over the last axis is minus the cosine, and
    the model's average is that divided by the length of the axis. A vector shorter than epsilon has no direction and is
    not scaled: value and gradient stay finite.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ..., features)``
    """
    y_pred, y_true = _reals(y_pred, y_true)
    return -(_direction(y_pred) * _direction(y_true))


# -- margins ----------------------------------------------------------------------------------------------------------

@builtin('objective')
def hinge(y_pred: Any, y_true: Any) -> Any:
    """``max(1 - y_true * y_pred, 0)`` for targets of -1 and 1.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``

    References
    ----------
    C. Cortes and V. Vapnik, 1995: Support-vector networks.
    """
    y_pred, y_true = _reals(y_pred, y_true)
    return B.relu(1. - y_true * y_pred)


@builtin('objective')
def squared_hinge(y_pred: Any, y_true: Any) -> Any:
    """``max(1 - y_true * y_pred, 0) ** 2`` for targets of -1 and 1.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``

    References
    ----------
    Y. Tang, 2013: Deep learning using linear support vector machines.
    """
    return B.square(hinge(y_pred, y_true))


# -- likelihoods ------------------------------------------------------------------------------------------------------

@builtin('objective')
def binary_crossentropy(y_pred: Any, y_true: Any) -> Any:
    """``-(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))`` for independent probabilities.

    On the output of a ``sigmoid`` it is computed from the sigmoid's input, finite and exact however large that is;
    the logarithms of other predictions are kept above ``log(epsilon)``.

    Parameters
    ----------
    y_pred : tensor
        Probabilities, from 0 to 1.
    y_true : tensor
        0 and 1, or probabilities.

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = _reals(y_pred, y_true)
    activation, z = facts_of(y_pred).logits or ('', None)
    if activation == 'sigmoid':
        # Softplus is smooth at 0, where max(z, 0) - z * y_true + log(1 + exp(-|z|)) has the gradient of a kink, and the
        # terms have one sign, so that nothing is cancelled.
        return y_true * B.softplus(-z) + (1. - y_true) * B.softplus(z)
    return -(y_true * _log(y_pred) + (1. - y_true) * _log(1. - y_pred))


@builtin('objective')
def categorical_crossentropy(y_pred: Any, y_true: Any) -> Any:
    """``-sum(y_true * log(y_pred))`` over the classes, the last axis.

    On the output of a ``softmax`` (or a ``sigmoid``) it is computed from that function's input, finite and exact
    however large that is; the logarithms of other predictions are kept above ``log(epsilon)``.

    Parameters
    ----------
    y_pred : tensor
        Probabilities of the classes.
    y_true : tensor
        1 for the right class and 0 for the others, or probabilities.

    Shapes
    ------
    y_pred, y_true : ``(batch, ..., nb_class)``
    output : ``(batch, ..., 1)``

    Examples
    --------
    >>> get('categorical_crossentropy') is categorical_crossentropy
    True
    """
    y_pred, y_true = _reals(y_pred, y_true)
    activation, z = facts_of(y_pred).logits or ('', None)
    if activation == 'softmax':
        log = B.log_softmax(z)
    else:
        log = -B.softplus(-z) if activation == 'sigmoid' else _log(y_pred)
    return -B.sum(y_true * log, -1, keepdims=True)


@builtin('objective', 'kld')
def kullback_leibler_divergence(y_pred: Any, y_true: Any) -> Any:
    """``sum(y_true * log(y_true / y_pred))`` over the last axis, with both kept from epsilon to 1.

    Parameters
    ----------
    y_pred, y_true : tensor
        Probabilities.

    Shapes
    ------
    y_pred, y_true : ``(batch, ..., nb_class)``
    output : ``(batch, ..., 1)``

    References
    ----------
    S. Kullback and R. A. Leibler, 1951: On information and sufficiency.
    """
    y_pred, y_true = (B.clip(y, B.epsilon(), 1.) for y in _reals(y_pred, y_true))
    return B.sum(y_true * (B.log(y_true) - B.log(y_pred)), -1, keepdims=True)


@builtin('objective')
def poisson(y_pred: Any, y_true: Any) -> Any:
    """``y_pred - y_true * log(y_pred + epsilon)``: minus the log-likelihood of counts, without its constant part.

    Parameters
    ----------
    y_pred : tensor
        Expected counts, not negative.
    y_true : tensor
        Counts.

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = _reals(y_pred, y_true)
    return y_pred - y_true * B.log(y_pred + B.epsilon())


def get(value: Any) -> Any:
    """The objective of a name (``'mse'``) or a function.

    Raises
    ------
    ArgumentError
        If there is none of that name.

    Examples
    --------
    >>> get('binary_crossentrpy')
    Traceback (most recent call last):
    ...
    keraflow.errors.ArgumentError: there is no objective 'binary_crossentrpy'. Did you mean 'binary_crossentropy'?
    """
    return resolve('objective', value)


def _reals(y_pred: Any, y_true: Any) -> tuple:
    """Both as real tensors of one dtype. A real prediction stays the same object, with what is recorded of it."""
    if B.dtype(y_pred) not in FLOATS:
        y_pred = B.cast(y_pred, B.floatx())
    return y_pred, B.cast(y_true, B.dtype(y_pred))


def _log(probability: Any) -> Any:
    return B.log(B.clip(probability, B.epsilon(), 1.))


def _direction(y: Any) -> Any:
    square = B.sum(B.square(y), -1, keepdims=True)
    return y / B.sqrt(B.switch(B.greater(square, B.epsilon() ** 2), square, B.ones_like(square)))
