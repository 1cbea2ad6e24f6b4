"""The area under the ROC curve: from sums, and exactly from arrays."""
import math
from typing import Any, Optional

import numpy as np

from keraflow import backend as B
from keraflow.arguments import as_numbers
from keraflow.errors import DataError
from keraflow.metrics.base import Metric, broadcast_weights
from keraflow.objectives.base import reals
from keraflow.registry import builtin
from keraflow.schema import Name, PositiveInt

__all__ = ['AUC', 'auc_of']


def _edges() -> np.ndarray:
    """Return the edges of the default bins: 4096 from 0 to 1, and 2048 on each side.

    From 0 to 1 their width is uniform in ``asinh(logit / 4)``: 0.0016 at a half, 1 % of the value at 1e-4, and equally
    fine near 1. On each side it is uniform in ``asinh(x / 4)`` up to 10,000, and 256 bins cover the powers of ten
    beyond.
    """
    logits = 4 * np.sinh(np.linspace(np.arcsinh(-90 / 4), np.arcsinh(40 / 4), 4095))
    inner = np.where(logits < 0, np.exp(logits), 1) / (1 + np.exp(-np.abs(logits)))
    outer = np.append(4 * np.sinh(np.linspace(0, np.arcsinh(1e4 / 4), 1792)), np.geomspace(1e4, 1e30, 257)[1:])
    return np.concatenate([-outer[::-1], inner, 1 + outer])


_EDGES = _edges()
_EDGES.setflags(write=False)     # all metrics share them
#: An error that could change the assessment of a model.
_LARGE_BOUND = 0.1


@builtin('metric', 'auc')
class AUC(Metric):
    """Area under the receiver operating characteristic curve.

    It is the probability that a positive sample has a higher prediction than a negative one. Predictions are sorted
    into bins, and two in the same bin count as equal: half right. The area is therefore exact if no positive sample
    shares a bin with a negative one of another prediction, and otherwise off by at most half the fraction of the pairs
    that do: the :attr:`error_bound`. ``fit`` and ``evaluate`` warn if that is above 0.1. Memory does not grow with the
    data. Pairs with a NaN are wrong. Without positive samples, or without negative ones, there is no pair, and the area
    is NaN, with a warning that says which are missing.

    The bins suit probabilities of rare and of nearly certain events, and scores such as logits. :func:`auc_of` needs
    none: it has all predictions at once.

    Parameters
    ----------
    nb_bin : int, optional
        Use this many bins of equal width from 0 to 1 instead, at least 1.
    name : str, optional
        By default ``'auc'``.

    Shapes
    ------
    y_pred, y_true : ``(batch, ...)``, each value a separate prediction; targets are positive above 0.5

    References
    ----------
    .. [1] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters, 2006.

    Examples
    --------
    >>> area, totals = AUC(nb_bin=3), np.array([2., 2., 0., 0., 1., 3.])       # negatives by bin, then positives
    >>> area.result(totals), area.bound(totals)
    (0.9375, 0.0625)
    """

    default_name = 'auc'
    larger_is_better = True
    _reported: Optional[np.ndarray] = None

    def __init__(self, nb_bin: Optional[PositiveInt] = None, name: Optional[Name] = None):
        super().__init__(name)
        self.nb_bin = nb_bin

    @property
    def edges(self) -> np.ndarray:
        """The edges between the bins."""
        return _EDGES if self.nb_bin is None else np.arange(1, self.nb_bin) / self.nb_bin

    @property
    def nb_total(self) -> int:  # type: ignore[override]
        return 2 * (len(self.edges) + 1)

    def totals(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        y_pred, y_true = reals(y_pred, y_true)
        is_positive = B.greater(y_true, 0.5)
        positive = B.cast(is_positive, B.floatx())
        weights = broadcast_weights(positive, weights)
        # Above all others, NaN is on the wrong side of negative samples; for positive ones it goes below all others.
        values = B.where(B.logical_and(B.isnan(y_pred), is_positive), -np.inf, y_pred)
        edges = self.edges.tolist()
        return B.concatenate([B.histogram(values, edges, side * weights) for side in (1. - positive, positive)], 0)

    def result(self, totals: np.ndarray) -> float:
        negative, positive = totals.reshape(2, -1)
        pairs = negative.sum() * positive.sum()
        won = np.sum(positive * (np.cumsum(negative) - negative / 2))
        self._reported = totals.copy()
        return float(won / pairs) if pairs else math.nan

    @property
    def error_bound(self) -> float:
        """The largest possible error of the value that was reported last."""
        return 0. if self._reported is None else self.bound(self._reported)

    def bound(self, totals: np.ndarray) -> float:
        """Return the largest possible error of :meth:`result`."""
        negative, positive = totals.reshape(2, -1)
        pairs = negative.sum() * positive.sum()
        return float(np.sum(negative * positive) / 2 / pairs) if pairs else 0.

    def missing(self, totals: np.ndarray) -> str:
        negative, positive = totals.reshape(2, -1).sum(1)
        if not negative and not positive:
            return super().missing(totals)
        return 'positive sample' if negative else 'negative sample'

    def doubt(self, totals: np.ndarray) -> str:
        bound = self.bound(totals)
        return super().doubt(totals) if bound <= _LARGE_BOUND else (
            f'it may be off by up to {bound:.2f}, because positive and negative samples share '
            'bins. keraflow.metrics.auc_of(y_true, y_pred) is exact.')


def auc_of(y_true: Any, y_pred: Any, sample_weights: Any = None) -> float:
    """Compute the area under the receiver operating characteristic curve of some predictions, exactly.

    It is the fraction of the pairs of a positive and a negative sample in which the positive one has the higher
    prediction; pairs of equal predictions are half right, and those with a NaN are wrong. A pair counts with the
    product of its weights.

    Parameters
    ----------
    y_true : array
        Positive above 0.5.
    y_pred : array
        As many values: probabilities, or any scores.
    sample_weights : array, optional
        As many values, or one for each sample; at least 0.

    Raises
    ------
    DataError
        If the lengths differ, weights are not finite or negative, or there is no pair.

    Examples
    --------
    >>> auc_of([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    labels, scores = (as_numbers(value, f'auc_of: {name}').astype('float64')
                      for name, value in (('y_true', y_true), ('y_pred', y_pred)))
    if labels.size != scores.size or labels.shape[:1] != scores.shape[:1]:
        raise DataError(f'auc_of: expected a target for each prediction, received arrays of shape {labels.shape} and '
                        f'{scores.shape}.')
    weights = np.ones(labels.shape) if sample_weights is None else \
        as_numbers(sample_weights, 'auc_of: sample_weights').astype('float64')
    if weights.size != labels.size and weights.shape == labels.shape[:1]:
        weights = np.repeat(weights, labels.size // len(weights))
    if weights.size != labels.size or not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise DataError('auc_of: sample_weights: expected a finite number of at least 0 for each value or each sample, '
                        f'received an array of shape {weights.shape}.')
    is_positive, is_number = labels.ravel() > 0.5, ~np.isnan(scores.ravel())
    distinct, numbers = np.unique(scores.ravel()[is_number], return_inverse=True)
    all_weights = [np.where(side, weights.ravel(), 0.) for side in (~is_positive, is_positive)]
    pairs = np.prod([side.sum() for side in all_weights])
    if not pairs > 0:
        nb_negative, nb_positive = (np.count_nonzero(side) for side in all_weights)
        raise DataError('auc_of: expected positive and negative samples with a weight above 0, received '
                        f'{nb_positive} positive and {nb_negative} negative ones.')
    negative, positive = (np.bincount(numbers, side[is_number], len(distinct)) for side in all_weights)
    return float(np.sum(positive * (np.cumsum(negative) - negative / 2)) / pairs)
