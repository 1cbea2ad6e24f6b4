"""Metrics that are the ratio of two counts of predictions."""
from typing import Any, Optional

import numpy as np

from keraflow import backend as B
from keraflow.backend.tensor_info import features_of
from keraflow.metrics.base import Metric, ratio
from keraflow.objectives.accuracies import are_class_numbers, hits
from keraflow.objectives.base import class_numbers, reals
from keraflow.registry import builtin
from keraflow.schema import Fraction, Name, PositiveInt

__all__ = ['TopKAccuracy', 'Precision', 'Recall']


@builtin('metric', 'top_k_accuracy')
class TopKAccuracy(Metric):
    """The fraction of predictions in which the right class is among the `k` most likely.

    If equally likely classes compete for the last of the `k` places, each counts as its share: of ten equal classes,
    each is a tenth of a hit for ``k=1`` and half of one for ``k=5``. A prediction with a NaN is a miss.

    Parameters
    ----------
    k : int
        At least 1. With 1 it is the accuracy; with the number of classes it is 1.
    name : str, optional
        By default ``'top_k_accuracy'``.

    Shapes
    ------
    y_pred : ``(batch, ..., nb_class)``, or with the classes first where the channels are
    y_true : the same, or ``(batch, ..., 1)`` for class indices

    Examples
    --------
    >>> TopKAccuracy(3, name='top_3').label
    'top_3'
    """

    default_name = 'top_k_accuracy'
    larger_is_better = True

    def __init__(self, k: PositiveInt = 5, name: Optional[Name] = None):
        super().__init__(name)
        self.k = k

    def totals(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        if are_class_numbers(y_pred, y_true):
            right = class_numbers(y_pred, y_true)
        else:
            right = B.argmax(reals(y_pred, y_true)[1], features_of(y_pred))
        hit = hits(y_pred, right, self.k)
        return ratio(hit, B.ones_like(hit), weights)


class _AtThreshold(Metric):
    """What Precision and Recall have in common."""

    larger_is_better = True

    def __init__(self, threshold: Fraction = 0.5, name: Optional[Name] = None):
        super().__init__(name)
        self.threshold = threshold

    def _positive(self, y_pred: Any, y_true: Any) -> tuple:
        """Return where the prediction and where the target is positive, as reals. NaN is not."""
        y_pred, y_true = reals(y_pred, y_true)
        return (B.cast(B.greater(y_pred, self.threshold), B.floatx()), B.cast(B.greater(y_true, 0.5), B.floatx()))


@builtin('metric', 'precision')
class Precision(_AtThreshold):
    """The fraction of positive predictions that are right: ``true positives / predicted positives``.

    It is NaN if no prediction is positive, with a warning after all batches.

    Parameters
    ----------
    threshold : float
        Predictions above it are positive, from 0 to 1. Targets are positive above 0.5.
    name : str, optional
        By default ``'precision'``.

    Shapes
    ------
    y_pred, y_true : ``(batch, ...)``, each value a separate prediction

    Examples
    --------
    >>> import numpy as np
    >>> Precision(threshold=0.9).result(np.array([30., 40.]))      # of 40 that were said to be positive, 30 were
    0.75
    """

    default_name = 'precision'

    def totals(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        predicted, actual = self._positive(y_pred, y_true)
        return ratio(predicted * actual, predicted, weights)

    def missing(self, totals: np.ndarray) -> str:
        return 'positive prediction'


@builtin('metric', 'recall')
class Recall(_AtThreshold):
    """The fraction of positive samples that are found: ``true positives / positives``.

    It is NaN if no sample is positive, with a warning after all batches.

    Parameters
    ----------
    threshold : float
        Predictions above it are positive, from 0 to 1. Targets are positive above 0.5.
    name : str, optional
        By default ``'recall'``.

    Shapes
    ------
    y_pred, y_true : ``(batch, ...)``, each value a separate prediction

    Examples
    --------
    >>> import numpy as np
    >>> Recall().result(np.array([30., 60.]))      # of 60 that are positive, 30 were found
    0.5
    """

    default_name = 'recall'

    def totals(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        predicted, actual = self._positive(y_pred, y_true)
        return ratio(predicted * actual, actual, weights)

    def missing(self, totals: np.ndarray) -> str:
        return 'positive sample'
