"""Metrics: what is reported of predictions and not trained on.

A metric is made from sums over all samples, such as the numbers of right and of wrong ones. Sums may be added up over
batches, where a ratio like the precision may not be averaged. Each sample counts with its weight, where ``fit`` or
``evaluate`` are given ``sample_weights``. Time steps that the mask of a prediction leaves out do not count. Any
objective is a metric too: its average, in which all samples count alike.
"""
from typing import Any, Optional

import numpy as np

from keraflow import backend as B
from keraflow.errors import ArgumentError, nearest
from keraflow.facts import facts_of
from keraflow.objectives.base import class_numbers, per_sample, reals
from keraflow.registry import builtin, find, ids, kind_of, resolve
from keraflow.schema import Fraction, Name, Objective, PositiveInt
from keraflow.serialization import Serializable

__all__ = ['Metric', 'Average', 'TopKAccuracy', 'Precision', 'Recall', 'AUC', 'get', 'step_weights']


class Metric(Serializable):
    """Base of metrics.

    A subclass defines :meth:`counts`, and :meth:`result` unless it is the ratio of two counts.

    Parameters
    ----------
    name : str, optional
        What it is called in the logs.

    Examples
    --------
    >>> class ErrorRate(Metric):
    ...     default_name = 'error_rate'
    ...     def counts(self, y_pred, y_true, weights):
    ...         wrong = B.not_equal(B.round(y_pred), y_true)
    ...         return ratio(wrong, B.ones_like(y_pred), weights)
    >>> ErrorRate().result(np.array([3., 12.]))
    0.25
    """

    kind = 'metric'
    quiet_arguments = frozenset({'name'})
    #: What it is called in the logs unless the user says otherwise.
    default_name = ''
    #: How many numbers :meth:`counts` gives.
    nb_count = 2

    def __init__(self, name: Optional[Name] = None):
        self.name = name

    @property
    def label(self) -> str:
        """What it is called in the logs."""
        return self.name or self.default_name

    def counts(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        """Sums over the samples of a batch, as a tensor of :attr:`nb_count` numbers.

        Parameters
        ----------
        y_pred, y_true : tensor
            As for objectives.
        weights : tensor or None
            ``(batch,)``, or ``(batch, time)`` where the prediction has a mask: 0 for steps that do not count.
        """
        raise NotImplementedError

    def result(self, counts: np.ndarray) -> float:
        """The metric, from the sums over all batches in float64: the first divided by the second, 0 if that is 0."""
        return float(counts[0] / counts[1]) if counts[1] else 0.


@builtin('metric')
class Average(Metric):
    """The average of an objective over all samples, whatever their weights.

    Parameters
    ----------
    objective : str or function
    name : str, optional
        The name of the function unless given.

    Examples
    --------
    >>> Average('mae', name='error').label, Average('mae').label
    ('error', 'absolute_error')
    """

    def __init__(self, objective: Objective, name: Optional[Name] = None):
        super().__init__(name)
        self.objective = resolve('objective', objective)

    @property
    def label(self) -> str:
        function = getattr(self.objective, 'func', self.objective)      # a functools.partial has no name
        return self.name or str(getattr(function, '__name__', type(function).__name__))

    def counts(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        samples = per_sample(self.objective, y_pred, y_true)
        return ratio(samples, B.ones_like(samples), None)


@builtin('metric', 'top_k_accuracy')
class TopKAccuracy(Metric):
    """Share of the predictions in which less than `k` classes are more likely than the right one.

    Parameters
    ----------
    k : int
        At least 1; with 1 it is the accuracy.
    name : str, optional
        ``'top_k_accuracy'`` unless given.

    Shapes
    ------
    y_pred : ``(batch, ..., nb_class)``
    y_true : the same, or ``(batch, ..., 1)`` for numbers of classes

    Examples
    --------
    >>> TopKAccuracy(3, name='top_3').label
    'top_3'
    """

    default_name = 'top_k_accuracy'

    def __init__(self, k: PositiveInt = 5, name: Optional[Name] = None):
        super().__init__(name)
        self.k = k

    def counts(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        nb_class = B.static_shape(y_pred)[-1]
        sparse = B.static_shape(y_true)[-1] == 1 != nb_class
        right = class_numbers(y_pred, y_true) if sparse else B.argmax(reals(y_pred, y_true)[1], -1)
        likelihood = B.sum(y_pred * B.one_hot(right, nb_class, B.dtype(y_pred)), -1, keepdims=True)
        better = B.sum(B.cast(B.greater(y_pred, likelihood), B.floatx()), -1)
        hit = B.less(better, self.k)
        return ratio(hit, B.ones_like(hit), weights)


class _AtThreshold(Metric):
    """What Precision and Recall have in common."""

    def __init__(self, threshold: Fraction = 0.5, name: Optional[Name] = None):
        super().__init__(name)
        self.threshold = threshold

    def _positive(self, y_pred: Any, y_true: Any) -> tuple:
        """Where the prediction and where the target is positive, as reals."""
        y_pred, y_true = reals(y_pred, y_true)
        return (B.cast(B.greater(y_pred, self.threshold), B.floatx()), B.cast(B.greater(y_true, 0.5), B.floatx()))


@builtin('metric', 'precision')
class Precision(_AtThreshold):
    """Share of the positive predictions that are right: ``true positives / predicted positives``, 0 if there are none.

    Parameters
    ----------
    threshold : float
        Predictions above it are positive, from 0 to 1. Targets are positive above 0.5.
    name : str, optional
        ``'precision'`` unless given.

    Shapes
    ------
    y_pred, y_true : ``(batch, ...)``, each value a prediction of its own

    Examples
    --------
    >>> Precision(threshold=0.9).result(np.array([30., 40.]))      # of 40 that were said to be positive, 30 were
    0.75
    """

    default_name = 'precision'

    def counts(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        predicted, actual = self._positive(y_pred, y_true)
        return ratio(predicted * actual, predicted, weights)


@builtin('metric', 'recall')
class Recall(_AtThreshold):
    """Share of the positive samples that are found: ``true positives / positives``, 0 if there are none.

    Parameters
    ----------
    threshold : float
        Predictions above it are positive, from 0 to 1. Targets are positive above 0.5.
    name : str, optional
        ``'recall'`` unless given.

    Shapes
    ------
    y_pred, y_true : ``(batch, ...)``, each value a prediction of its own

    Examples
    --------
    >>> Recall().result(np.array([30., 60.]))      # of 60 that are positive, 30 were found
    0.5
    """

    default_name = 'recall'

    def counts(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        predicted, actual = self._positive(y_pred, y_true)
        return ratio(predicted * actual, actual, weights)


@builtin('metric', 'auc')
class AUC(Metric):
    """Area under the curve of the receiver operating characteristic.

    It is the probability that a positive sample has a higher prediction than a negative one. Predictions are sorted
    into `nb_bin` bins of equal width from 0 to 1, and two in one bin count as equal: half right. The area is therefore
    exact where no positive sample shares a bin with a negative one of another prediction, and else off by at most half
    the share of the pairs that do. Memory does not grow with the data: a batch needs a table of predictions by bins.

    Parameters
    ----------
    nb_bin : int
        At least 1.
    name : str, optional
        ``'auc'`` unless given.

    Shapes
    ------
    y_pred, y_true : ``(batch, ...)``, each value a prediction of its own, from 0 to 1; targets are positive above 0.5

    References
    ----------
    T. Fawcett, 2006: An introduction to ROC analysis.

    Examples
    --------
    >>> AUC(nb_bin=3).result(np.array([2., 2., 0., 0., 1., 3.]))       # negatives by bin, then positives
    0.9375
    """

    default_name = 'auc'

    def __init__(self, nb_bin: PositiveInt = 500, name: Optional[Name] = None):
        super().__init__(name)
        self.nb_bin = nb_bin

    @property
    def nb_count(self) -> int:  # type: ignore[override]
        return 2 * self.nb_bin

    def counts(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        y_pred, y_true = reals(y_pred, y_true)
        positive = B.cast(B.greater(y_true, 0.5), B.floatx())
        weights = _like(positive, weights)
        number = B.clip(B.floor(y_pred * float(self.nb_bin)), 0, self.nb_bin - 1)
        table = B.one_hot(B.cast(B.flatten(number), 'int64'), self.nb_bin)
        sides = B.stack([B.flatten((1. - positive) * weights), B.flatten(positive * weights)])
        return B.flatten(B.dot(sides, table))

    def result(self, counts: np.ndarray) -> float:
        negative, positive = counts.reshape(2, -1)
        pairs = negative.sum() * positive.sum()
        won = np.sum(positive * (np.cumsum(negative) - negative / 2))
        return float(won / pairs) if pairs else 0.


def get(value: Any, where: str = '') -> Metric:
    """The metric of a name, a class, or an object; an objective, or a function like one, is averaged.

    Raises
    ------
    ArgumentError
        If there is neither a metric nor an objective of that name.

    Examples
    --------
    >>> get('precison')
    Traceback (most recent call last):
    keraflow.errors.ArgumentError: there is no metric 'precison'. Did you mean 'precision'?
    >>> get('recall').label, get('mae').label
    ('recall', 'mae')
    """
    if isinstance(value, str) and find(value, 'metric') is None:
        if find(value, 'objective') is None:
            known = ids('metric') + ids('objective')
            raise ArgumentError(f"{where}there is no metric '{value}'. {nearest(value, known)}")
        return Average(value, name=value)
    if isinstance(value, str) or kind_of(value) == 'metric':
        return resolve('metric', value, where)
    return Average(resolve('objective', value, where))


def ratio(part: Any, whole: Any, weights: Any) -> Any:
    """The weighted sums of two tensors ``(batch, ...)`` of one shape, as a tensor of two numbers."""
    weights = _like(part, weights)
    return B.stack([B.sum(B.cast(one, B.floatx()) * weights) for one in (part, whole)])


def _like(x: Any, weights: Any) -> Any:
    """The weights of samples or time steps so that they broadcast against `x`, or ones."""
    ones = B.ones_like(x, B.floatx())
    if weights is None:
        return ones
    if B.ndim(weights) > 1 and B.static_shape(x)[1:2] != B.static_shape(weights)[1:2]:
        weights = B.max(weights, axis=1)        # `x` has a value for the sample, which counts if any step does
    for _ in range(B.ndim(x) - B.ndim(weights)):
        weights = B.expand_dims(weights, -1)
    return ones * weights


def step_weights(y_pred: Any, weights: Any) -> Any:
    """What :meth:`Metric.counts` is given for samples of these weights: 0 for steps that the mask leaves out."""
    mask = facts_of(y_pred).mask
    if mask is None:
        return weights
    steps = B.cast(mask, B.floatx())
    return steps if weights is None else steps * B.expand_dims(weights, 1)
