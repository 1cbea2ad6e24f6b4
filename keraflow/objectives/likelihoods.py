"""Likelihoods: cross-entropies and what is like them."""
from typing import Any

from keraflow import backend as B
from keraflow.facts import facts_of, features_of
from keraflow.objectives.base import class_numbers, classes, one_hot, reals, wants
from keraflow.registry import builtin

__all__ = ['binary_crossentropy', 'categorical_crossentropy', 'sparse_categorical_crossentropy',
           'kullback_leibler_divergence', 'poisson']


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
    y_pred, y_true = reals(y_pred, y_true)
    activation, z = facts_of(y_pred).logits or ('', None)
    if activation == 'sigmoid':
        # Softplus is smooth at 0, where max(z, 0) - z * y_true + log(1 + exp(-|z|)) has the gradient of a kink, and the
        # terms have one sign, so that nothing is cancelled.
        return y_true * B.softplus(-z) + (1. - y_true) * B.softplus(z)
    return -(y_true * _log(y_pred) + (1. - y_true) * _log(1. - y_pred))


@builtin('objective')
def categorical_crossentropy(y_pred: Any, y_true: Any) -> Any:
    """``-sum(y_true * log(y_pred))`` over the classes: the axis of the features, which are the channels of images.

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
    y_pred, y_true : ``(batch, ..., nb_class)``, or with the classes first where the channels are
    output : the same with one number in the place of the classes
    """
    y_pred, y_true = reals(y_pred, y_true)
    classes_axis = features_of(y_pred)
    activation, z = facts_of(y_pred).logits or ('', None)
    if activation == 'softmax':
        log = B.log_softmax(z, classes_axis)
    else:
        log = -B.softplus(-z) if activation == 'sigmoid' else _log(y_pred)
    return -B.sum(y_true * log, classes_axis, keepdims=True)


@builtin('objective')
@wants(classes)
def sparse_categorical_crossentropy(y_pred: Any, y_true: Any) -> Any:
    """``-log(y_pred[y_true])``: :func:`categorical_crossentropy` for a target that is the number of the right class.

    As exact, on the output of a ``softmax``.

    Parameters
    ----------
    y_pred : tensor
        Probabilities of the classes.
    y_true : tensor
        The number of the right class, from 0 on. ``fit`` and ``evaluate`` refuse others before anything is computed.

    Shapes
    ------
    y_pred : ``(batch, ..., nb_class)``, or with the classes first where the channels are
    y_true : ``(batch, ..., 1)`` or ``(batch, ...)``, without the axis of the classes
    output : that of the prediction with one number in the place of the classes

    Examples
    --------
    >>> p = B.constant([[0.25, 0.75]])
    >>> print(B.eval(sparse_categorical_crossentropy(p, B.constant([[1]]))).round(3))
    [[0.288]]
    """
    return categorical_crossentropy(y_pred, one_hot(class_numbers(y_pred, y_true), y_pred))


@builtin('objective', 'kld')
def kullback_leibler_divergence(y_pred: Any, y_true: Any) -> Any:
    """``sum(y_true * log(y_true / y_pred))`` over the axis of the features, with both kept from epsilon to 1.

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
    axis = features_of(y_pred)
    y_pred, y_true = (B.clip(y, B.epsilon(), 1.) for y in reals(y_pred, y_true))
    return B.sum(y_true * (B.log(y_true) - B.log(y_pred)), axis, keepdims=True)


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
    y_pred, y_true = reals(y_pred, y_true)
    return y_pred - y_true * B.log(y_pred + B.epsilon())


def _log(probability: Any) -> Any:
    return B.log(B.clip(probability, B.epsilon(), 1.))
