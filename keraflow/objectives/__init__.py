"""Objectives and metrics: functions that measure how far a prediction is from a target.

Each is called ``fn(y_pred, y_true)`` with two tensors of the same shape ``(batch, ...)`` and keeps the sample axis;
keraflow's own also accept arrays. A function of the program may take its arguments in either order if they are called
``y_true`` and ``y_pred``, or by other common names for the two; arguments with other names go by position, with a
warning. Some objectives are elementwise and return a tensor of the same shape; those over whole distributions reduce
the feature axis to length 1. The model averages over the rest. Targets are cast to the dtype of the prediction.
"""
from typing import Any

from keraflow.objectives.accuracies import (accuracy, binary_accuracy, categorical_accuracy, sign_accuracy,
                                            sparse_categorical_accuracy)
from keraflow.objectives.base import Target, wants
from keraflow.objectives.distances import (absolute_error, absolute_percentage_error, cosine_proximity, hinge, huber,
                                           log_cosh, square_error, squared_hinge, squared_logarithmic_error)
from keraflow.objectives.likelihoods import (binary_crossentropy, categorical_crossentropy, kullback_leibler_divergence,
                                             poisson, sparse_categorical_crossentropy)
from keraflow.registry import resolve

__all__ = ['accuracy', 'binary_accuracy', 'categorical_accuracy', 'sign_accuracy', 'sparse_categorical_accuracy',
           'square_error', 'absolute_error', 'absolute_percentage_error', 'squared_logarithmic_error', 'huber',
           'log_cosh', 'cosine_proximity', 'hinge', 'squared_hinge', 'binary_crossentropy', 'categorical_crossentropy',
           'sparse_categorical_crossentropy', 'kullback_leibler_divergence', 'poisson', 'Target', 'wants', 'get']


def get(value: Any) -> Any:
    """Return the objective with a name (``'mse'``), or a function itself.

    Raises
    ------
    ArgumentError
        If none has that name.

    Examples
    --------
    >>> get('binary_crossentrpy')
    Traceback (most recent call last):
    ...
    keraflow.errors.ArgumentError: there is no objective 'binary_crossentrpy'. Did you mean 'binary_crossentropy'?
    """
    return resolve('objective', value)
