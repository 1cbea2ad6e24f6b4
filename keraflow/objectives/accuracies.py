"""Accuracies: 1 where a prediction is right and 0 where it is wrong; a fraction if classes are equally likely."""
from typing import Any, Callable, Optional

from keraflow import backend as B
from keraflow.backend.tensor_info import features_of
from keraflow.objectives.base import class_numbers, classes, objective, reals, wants
from keraflow.objectives.calling import function_of
from keraflow.objectives.doubts import doubtful, no_answer, no_class, no_label, no_sign, wants_signs

__all__ = ['accuracy', 'accuracy_for', 'are_class_numbers', 'binary_accuracy', 'categorical_accuracy', 'hits',
           'is_accuracy', 'sign_accuracy', 'sparse_categorical_accuracy']


def _accuracy(function: Callable) -> Callable:
    """Mark an accuracy: more is better, and as a metric it is the fraction of predictions that are right."""
    function.larger_is_better = function.is_accuracy = True     # type: ignore[attr-defined]
    return function


@objective('acc')
@_accuracy
@doubtful(no_answer)
def accuracy(y_pred: Any, y_true: Any) -> Any:
    """Compute the accuracy that fits target and prediction.

    :func:`binary_accuracy` for one output, or :func:`sign_accuracy` as a metric next to a loss whose targets are -1 and
    1; otherwise :func:`sparse_categorical_accuracy` for class indices and :func:`categorical_accuracy` for a target of
    the shape of the prediction.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred : ``(batch, ..., 1)`` or ``(batch, ..., nb_class)``
    y_true : the same, or ``(batch, ..., 1)`` or ``(batch, ...)`` for class indices
    output : ``(batch, ..., 1)``, 1 where right and 0 where not
    """
    if B.static_shape(y_pred)[features_of(y_pred)] == 1:
        return binary_accuracy(y_pred, y_true)
    return (sparse_categorical_accuracy if are_class_numbers(y_pred, y_true) else categorical_accuracy)(y_pred, y_true)


@objective()
@_accuracy
@doubtful(no_label)
def binary_accuracy(y_pred: Any, y_true: Any) -> Any:
    """Return 1 where the rounded prediction is the target: ``round(y_pred) == y_true``; 0.5 rounds to 0, NaN is wrong.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = reals(y_pred, y_true)
    return B.cast(B.equal(B.round(y_pred), y_true), B.floatx())


@objective()
@_accuracy
@doubtful(no_sign)
def sign_accuracy(y_pred: Any, y_true: Any) -> Any:
    """Return 1 where the prediction has the sign of the target: ``y_pred * y_true > 0``; 0 and NaN are wrong.

    ``'accuracy'`` and ``'binary_accuracy'`` mean this as metrics next to a ``hinge`` or ``squared_hinge`` loss.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true, output : ``(batch, ...)``
    """
    y_pred, y_true = reals(y_pred, y_true)
    return B.cast(B.greater(y_pred * B.sign(y_true), 0.), B.floatx())


@objective()
@_accuracy
@doubtful(no_class)
def categorical_accuracy(y_pred: Any, y_true: Any) -> Any:
    """Return 1 where the most likely class is that of the target, ``argmax(y_pred) == argmax(y_true)``.

    The argmax is along the feature axis. Equally likely classes share the hit: if all ten are, the right one counts
    0.1. A prediction with a NaN is wrong.

    Parameters
    ----------
    y_pred, y_true : tensor

    Shapes
    ------
    y_pred, y_true : ``(batch, ..., nb_class)``, or with the classes first where the channels are
    output : the same with length 1 for the classes
    """
    y_pred, y_true = reals(y_pred, y_true)
    axis = features_of(y_pred)
    return B.expand_dims(hits(y_pred, B.argmax(y_true, axis)), axis)


@objective()
@_accuracy
@wants(classes)
def sparse_categorical_accuracy(y_pred: Any, y_true: Any) -> Any:
    """Return 1 where the most likely class is the right one, ``argmax(y_pred) == y_true``, along the feature axis.

    A fraction of 1 if others are as likely, as in :func:`categorical_accuracy`; 0 for a prediction with a NaN.

    Parameters
    ----------
    y_pred : tensor
    y_true : tensor
        The index of the right class, from 0 on.

    Shapes
    ------
    y_pred : ``(batch, ..., nb_class)``
    y_true : ``(batch, ..., 1)`` or ``(batch, ...)``
    output : ``(batch, ..., 1)``
    """
    return B.expand_dims(hits(y_pred, class_numbers(y_pred, y_true)), features_of(y_pred))


def is_accuracy(function: Any) -> bool:
    """Return whether an objective is an accuracy, possibly wrapped in a functools.partial."""
    return getattr(function_of(function), 'is_accuracy', False)


def accuracy_for(function: Any, loss: Any, nb_feature: Optional[int]) -> Any:
    """Return the accuracy that fits a loss, for a prediction with this many features; pass other functions through."""
    is_binary = function is binary_accuracy or function is accuracy and nb_feature == 1
    return sign_accuracy if is_binary and wants_signs(loss) else function


def are_class_numbers(y_pred: Any, y_true: Any) -> bool:
    """Return whether a target holds class indices, and not a value for each class."""
    shape = B.static_shape(y_true)
    return len(shape) < B.ndim(y_pred) or shape[-1] == 1 and shape != B.static_shape(y_pred)


def hits(y_pred: Any, right: Any, k: int = 1) -> Any:
    """Return 1 where the class `right` ``(batch, ...)`` is among the `k` most likely of ``(batch, ..., nb_class)``.

    Equally likely classes share the remaining places: of ten equal ones each counts ``k / 10``. The result is 0 where a
    value is NaN.
    """
    axis = features_of(y_pred)
    numbers = B.arange(B.static_shape(y_pred)[axis] or B.shape(y_pred)[axis])
    is_right = B.equal(B.expand_dims(right, axis), B.reshape(numbers, [-1, *[1] * (-1 - axis)]))
    # A product would turn the others into NaN if one is infinite.
    likelihood = B.sum(B.where(is_right, y_pred, 0), axis, keepdims=True)
    better, equal = (B.sum(B.cast(other, B.floatx()), axis) for other in (
        B.greater(y_pred, likelihood), B.equal(y_pred, likelihood)))
    share = B.minimum(B.maximum(k - better, 0.), equal) / B.maximum(equal, 1.)
    return B.where(B.any(B.isnan(y_pred), axis), 0., share)
