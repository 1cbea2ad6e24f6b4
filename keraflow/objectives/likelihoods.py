"""Likelihoods: cross-entropies and related losses."""
import math
from typing import Any

from keraflow import backend as B
from keraflow.backend.logarithms import GUARD, log_of, log_of_rest
from keraflow.backend.tensor_info import features_of, info_of
from keraflow.objectives.base import class_numbers, classes, objective, one_hot, reals, wants
from keraflow.objectives.doubts import doubtful, no_chance, no_distribution

__all__ = ['binary_crossentropy', 'categorical_crossentropy', 'sparse_categorical_crossentropy',
           'kullback_leibler_divergence', 'poisson']


@objective()
@doubtful(no_chance)
def binary_crossentropy(y_pred: Any, y_true: Any) -> Any:
    """Compute ``-(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))`` for independent probabilities.

    The logarithms of a ``sigmoid`` or ``softmax`` output are computed from that function's input, finite and exact
    however large that is, even after operations that move, select, average, multiply or clip probabilities. Those of
    other predictions are kept above ``log(epsilon)``, with the gradient that they have without this bound. Where
    `y_true` is 0, an infinite logarithm counts as 0.

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
    y_pred, y_true = reals(y_pred, y_true)
    # The terms have the same sign, so nothing cancels.
    return -(_times(y_true, _log(y_pred)) + _times(1. - y_true, log_of_rest(B.current(), y_pred)))


@objective()
@doubtful(no_distribution)
def categorical_crossentropy(y_pred: Any, y_true: Any) -> Any:
    """Compute ``-sum(y_true * log(y_pred))`` over the classes: the feature axis, which for images is the channels.

    The logarithms of a ``softmax`` or ``sigmoid`` output are computed from that function's input, finite and exact
    however large that is, even after operations that move, select, average, multiply or clip probabilities. Those of
    other predictions are kept above ``log(epsilon)``, with the gradient that they have without this bound. Where
    `y_true` is 0, an infinite logarithm counts as 0.

    Parameters
    ----------
    y_pred : tensor
        Probabilities of the classes.
    y_true : tensor
        1 for the right class and 0 for the others, or probabilities.

    Shapes
    ------
    y_pred, y_true : ``(batch, ..., nb_class)``, or with the classes first where the channels are
    output : the same with length 1 for the classes
    """
    y_pred, y_true = reals(y_pred, y_true)
    return -B.sum(_times(y_true, _log(y_pred)), features_of(y_pred), keepdims=True)


@objective()
@wants(classes)
def sparse_categorical_crossentropy(y_pred: Any, y_true: Any) -> Any:
    """Compute ``-log(y_pred[y_true])``: :func:`categorical_crossentropy` for class indices.

    It is as exact on the output of a ``softmax``.

    Parameters
    ----------
    y_pred : tensor
        Probabilities of the classes.
    y_true : tensor
        The index of the right class, from 0 on. ``fit`` and ``evaluate`` refuse others before anything is computed.

    Shapes
    ------
    y_pred : ``(batch, ..., nb_class)``, or with the classes first where the channels are
    y_true : ``(batch, ..., 1)`` or ``(batch, ...)``, without the axis of the classes
    output : that of the prediction with length 1 for the classes

    Examples
    --------
    >>> p = B.constant([[0.25, 0.75]])
    >>> print(B.eval(sparse_categorical_crossentropy(p, B.constant([[1]]))).round(3))
    [[0.288]]
    """
    return categorical_crossentropy(y_pred, one_hot(class_numbers(y_pred, y_true), y_pred))


@objective('kld')
def kullback_leibler_divergence(y_pred: Any, y_true: Any) -> Any:
    """Compute ``sum(y_true * log(y_true / y_pred))`` over the feature axis, with both clipped to epsilon and 1.

    The logarithm of `y_pred` is that of :func:`categorical_crossentropy` where `y_true` is not 0.

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
    .. [1] S. Kullback and R. A. Leibler, "On information and sufficiency", Annals of Mathematical Statistics, 1951.
    """
    axis = features_of(y_pred)
    y_pred, y_true = reals(y_pred, y_true)
    log, kept = _log(y_pred), B.clip(y_true, B.epsilon(), 1.)
    # A target of 0 counts as epsilon, which must not meet a logarithm of -inf.
    log = B.where(B.equal(y_true, 0.), B.maximum(log, math.log(B.epsilon())), log)
    return B.sum(kept * (B.log(kept) - log), axis, keepdims=True)


@objective()
def poisson(y_pred: Any, y_true: Any) -> Any:
    """Compute ``y_pred - y_true * log(y_pred + epsilon)``: minus the log-likelihood of counts, up to a constant.

    Rates from ``exponential`` or ``softplus`` have the gradient of their logarithms even below epsilon.

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
    y_pred, y_true = reals(y_pred, y_true)
    shifted = y_pred + B.epsilon()
    log = log_of(B.current(), shifted) if info_of(shifted).logs else B.log(shifted)
    return y_pred - y_true * log


def _times(weight: Any, log: Any) -> Any:
    """Return the product, which is 0 where the weight is, even for an infinite logarithm."""
    return weight * B.where(B.equal(weight, 0.), 0., log)


def _log(probability: Any) -> Any:
    """Return the logarithm, as exactly as it is known, and at most 0."""
    logs, log = info_of(probability).logs, log_of(B.current(), probability)
    return B.minimum(log, 0.) if logs and logs.total > 1 + GUARD else log
