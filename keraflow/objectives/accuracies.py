"""Accuracies: 1 where a prediction is right and 0 where it is not."""
from typing import Any

from keraflow import backend as B
from keraflow.facts import features_of
from keraflow.objectives.base import class_numbers, classes, reals, wants
from keraflow.registry import builtin

__all__ = ['accuracy', 'binary_accuracy', 'categorical_accuracy', 'sparse_categorical_accuracy']


@builtin('objective', 'acc')
def accuracy(y_pred: Any, y_true: Any) -> Any:
    """Share of right predictions, by what target and prediction look like.

    :func:`binary_accuracy` for one output; else :func:`sparse_categorical_accuracy` for numbers of classes and
    :func:`categorical_accuracy` for a target of the shape of the prediction.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred : ``(batch, ..., 1)`` or ``(batch, ..., nb_class)``
    y_true : the same, or ``(batch, ..., 1)`` or ``(batch, ...)`` for numbers of classes
    output : ``(batch, ..., 1)``, 1 where right and 0 where not
    """
    if B.static_shape(y_pred)[features_of(y_pred)] == 1:
        return binary_accuracy(y_pred, y_true)
    sparse = B.ndim(y_true) < B.ndim(y_pred) or B.static_shape(y_true)[-1] == 1
    return (sparse_categorical_accuracy if sparse else categorical_accuracy)(y_pred, y_true)


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
    y_pred, y_true = reals(y_pred, y_true)
    return B.cast(B.equal(B.round(y_pred), y_true), B.floatx())


@builtin('objective')
def categorical_accuracy(y_pred: Any, y_true: Any) -> Any:
    """1 where the most likely class is that of the target: ``argmax(y_pred) == argmax(y_true)`` along the axis of the
    features.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true : ``(batch, ..., nb_class)``, or with the classes first where the channels are
    output : the same with one number in the place of the classes
    """
    y_pred, y_true = reals(y_pred, y_true)
    return _hits(y_pred, B.argmax(y_true, features_of(y_pred)))


@builtin('objective')
@wants(classes)
def sparse_categorical_accuracy(y_pred: Any, y_true: Any) -> Any:
    """1 where the most likely class is the right one: ``argmax(y_pred) == y_true``, along the axis of the features.

    Parameters
    ----------
    y_pred : tensor
    y_true : tensor
        The number of the right class, from 0 on.

    Shapes
    ------
    y_pred : ``(batch, ..., nb_class)``
    y_true : ``(batch, ..., 1)`` or ``(batch, ...)``
    output : ``(batch, ..., 1)``
    """
    return _hits(y_pred, class_numbers(y_pred, y_true))


def _hits(y_pred: Any, right: Any) -> Any:
    axis = features_of(y_pred)
    return B.expand_dims(B.cast(B.equal(B.argmax(y_pred, axis), right), B.floatx()), axis)
