"""What metrics have in common: sums over all samples, and what is read from them."""
import math
from typing import Any, Optional

import numpy as np

from keraflow import backend as B
from keraflow.backend.tensor_info import features_of
from keraflow.errors import ArgumentTypeError
from keraflow.graph.counted import expand_mask, has_parts, part_weights
from keraflow.graph.tensor_checks import check_shape, described
from keraflow.objectives.accuracies import accuracy_for, is_accuracy
from keraflow.objectives.base import is_better_larger, per_sample
from keraflow.objectives.calling import call_objective, tell_order
from keraflow.registry import builtin, resolve
from keraflow.schema import Name, Objective
from keraflow.serialization import Serializable

__all__ = ['Metric', 'Average', 'like', 'ratio']


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
    ...     larger_is_better = False
    ...     def counts(self, y_pred, y_true, weights):
    ...         wrong = B.not_equal(B.round(y_pred), y_true)
    ...         return ratio(wrong, B.ones_like(y_pred), weights)
    >>> ErrorRate().result(np.array([3., 12.]))
    0.25
    """

    kind = 'metric'
    required_methods = {'counts': ()}
    omit_if_default = frozenset({'name'})
    #: What it is called in the logs unless the user says otherwise; the name of the class where this is ''.
    default_name = ''
    #: Whether more of it is better, for callbacks that monitor it; ``None`` where they have to be told.
    larger_is_better: Optional[bool] = None
    #: How many numbers :meth:`counts` gives.
    nb_count = 2

    def __init__(self, name: Optional[Name] = None):
        self.name = name

    @property
    def label(self) -> str:
        """What it is called in the logs."""
        return self.name or self.default_name or type(self).__name__

    def beside(self, loss: Any, nb_feature: Optional[int], where: str) -> 'Metric':
        """The metric as it is meant beside a loss, for predictions of so many features."""
        if type(self).counts is not Metric.counts:
            tell_order(self.counts, where)
        return self

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

    def counted(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        """What :meth:`counts` gives, checked."""
        counts, where = call_objective(self.counts, y_pred, y_true, weights), f'{self.label}: counts'
        if isinstance(counts, (list, tuple)) and all(map(B.is_tensor, counts)):
            counts = B.stack([B.cast(one, B.floatx()) for one in counts])
        if not B.is_tensor(counts):
            raise ArgumentTypeError(f'{where}: expected a tensor of {self.nb_count} numbers, received '
                                    f'{described(counts)}.')
        check_shape(counts, (self.nb_count,), where)
        return counts

    def result(self, counts: np.ndarray) -> float:
        """The metric, from the sums over all batches in float64: the first divided by the second, NaN if that is 0."""
        return float(counts[0] / counts[1]) if counts[1] else math.nan

    def doubt(self, counts: np.ndarray) -> str:
        """Why :meth:`result` of all batches is undefined, or may be far from what it stands for, for a warning; ''
        where it is neither."""
        # Where the sums are NaN it is the predictions, of which the loss tells.
        is_undefined = math.isnan(self.result(counts)) and not np.isnan(counts).any()
        return f'it is undefined, and NaN: there is no {self.missing(counts)}.' if is_undefined else ''

    def missing(self, counts: np.ndarray) -> str:
        """What there is none of where the result is undefined."""
        return 'sample that counts'


@builtin('metric')
class Average(Metric):
    """The average of an objective over all samples, whatever their weights; of an accuracy, the share of the
    predictions that are right.

    As in a loss the value of a masked sequence is the mean of its steps that count; one without any is no sample. An
    accuracy is counted as TopKAccuracy, Precision and Recall are: each time step alike, and each sample with its
    weight.

    Parameters
    ----------
    objective : str or function
    name : str, optional
        The name of the function unless given.
    larger_is_better : bool, optional
        Whether more of it is better, for callbacks that monitor it. Of keraflow's own objectives it is known; a
        function of the program may also say it by an attribute of this name.

    Examples
    --------
    >>> Average('mae', name='error').label, Average('mae').label
    ('error', 'absolute_error')
    >>> Average('mae').larger_is_better, Average('accuracy').larger_is_better
    (False, True)
    """

    omit_if_default = frozenset({'name', 'larger_is_better'})

    def __init__(self, objective: Objective, name: Optional[Name] = None, larger_is_better: Optional[bool] = None):
        super().__init__(name)
        self.objective = resolve('objective', objective)
        self.larger_is_better = is_better_larger(self.objective) if larger_is_better is None else larger_is_better

    @property
    def label(self) -> str:
        function = getattr(self.objective, 'func', self.objective)      # a functools.partial has no name
        return self.name or str(getattr(function, '__name__', type(function).__name__))

    def beside(self, loss: Any, nb_feature: Optional[int], where: str) -> Metric:
        tell_order(self.objective, where)
        meant = accuracy_for(self.objective, loss, nb_feature)
        return self if meant is self.objective else Average(meant, self.label)

    def counts(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        if is_accuracy(self.objective):
            right = call_objective(self.objective, y_pred, y_true)
            right = B.mean(right, features_of(y_pred)) if B.ndim(right) > 1 else right
            return ratio(right, B.ones_like(right), weights)
        samples = per_sample(self.objective, y_pred, y_true)
        return ratio(samples, B.ones_like(samples), part_weights(y_pred, None))


def ratio(part: Any, whole: Any, weights: Any) -> Any:
    """The weighted sums of two tensors ``(batch, ...)`` of one shape, as a tensor of two numbers."""
    weights = like(part, weights)
    # What does not count may be NaN.
    return B.stack([B.sum(B.switch(B.equal(weights, 0), 0., B.cast(one, B.floatx()) * weights))
                    for one in (part, whole)])


def like(x: Any, weights: Any) -> Any:
    """The weights of samples or time steps so that they broadcast against `x`, or ones."""
    ones = B.ones_like(x, B.floatx())
    if weights is None:
        return ones
    if not has_parts(B.static_shape(x), B.static_shape(weights), B.ndim(weights)):
        # `x` has a value for the sample, which counts if any step does.
        weights = B.max(weights, axis=list(range(1, B.ndim(weights))))
    return ones * expand_mask(weights, x)
