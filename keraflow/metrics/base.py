"""What metrics have in common: sums over all samples, and a result computed from them."""
import math
from typing import Any, Optional

import numpy as np

from keraflow import backend as B
from keraflow.backend.tensor_checks import check_shape, described
from keraflow.backend.tensor_info import features_of
from keraflow.errors import ArgumentTypeError
from keraflow.graph.counted import expand_mask, has_parts, part_weights
from keraflow.objectives.accuracies import accuracy_for, is_accuracy
from keraflow.objectives.base import is_better_larger, per_sample
from keraflow.objectives.calling import call_objective, function_of, tell_order
from keraflow.registry import builtin, resolve
from keraflow.schema import Name, Objective
from keraflow.serialization import Serializable

__all__ = ['Metric', 'Average', 'broadcast_weights', 'ratio']


class Metric(Serializable):
    """Base of metrics.

    Subclasses define :meth:`totals`, and :meth:`result` unless it is the ratio of two totals.

    Parameters
    ----------
    name : str, optional
        The name in the logs.

    Examples
    --------
    >>> class ErrorRate(Metric):
    ...     default_name = 'error_rate'
    ...     larger_is_better = False
    ...     def totals(self, y_pred, y_true, weights):
    ...         wrong = B.not_equal(B.round(y_pred), y_true)
    ...         return ratio(wrong, B.ones_like(y_pred), weights)
    >>> ErrorRate().result(np.array([3., 12.]))
    0.25
    """

    kind = 'metric'
    required_methods = {'totals': ()}
    renamed_members = {'counts': 'totals', 'nb_count': 'nb_total'}
    omit_if_default = frozenset({'name'})
    #: What it is called in the logs unless the user says otherwise; the name of the class where this is ''.
    default_name = ''
    #: Whether larger values are better, for callbacks that monitor it; ``None`` if they must be told.
    larger_is_better: Optional[bool] = None
    #: The number of values that :meth:`totals` returns.
    nb_total = 2

    def __init__(self, name: Optional[Name] = None):
        self.name = name

    @property
    def label(self) -> str:
        """The name in the logs."""
        return self.name or self.default_name or type(self).__name__

    def adapted_to(self, loss: Any, nb_feature: Optional[int], where: str) -> 'Metric':
        """Return the metric to use with a loss, for predictions with this many features."""
        if type(self).totals is not Metric.totals:
            tell_order(self.totals, where)
        return self

    def totals(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        """Return sums over the samples of a batch, as a tensor of :attr:`nb_total` numbers.

        Parameters
        ----------
        y_pred, y_true : tensor
            As for objectives.
        weights : tensor or None
            ``(batch,)``, or ``(batch, time)`` if the prediction has a mask: 0 for steps that do not count.
        """
        raise NotImplementedError

    def checked_totals(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        """Call :meth:`totals`, and check the result.

        Raises
        ------
        ArgumentTypeError
            If it is not a tensor of :attr:`nb_total` numbers.
        """
        totals, where = call_objective(self.totals, y_pred, y_true, weights), f'{self.label}: totals'
        if isinstance(totals, (list, tuple)) and all(map(B.is_tensor, totals)):
            totals = B.stack([B.cast(one, B.floatx()) for one in totals])
        if not B.is_tensor(totals):
            raise ArgumentTypeError(f'{where}: expected a tensor of {self.nb_total} numbers, received '
                                    f'{described(totals)}.')
        check_shape(totals, (self.nb_total,), where)
        return totals

    def result(self, totals: np.ndarray) -> float:
        """Compute the metric from the float64 sums over all batches: the first divided by the second, or NaN."""
        return float(totals[0] / totals[1]) if totals[1] else math.nan

    def doubt(self, totals: np.ndarray) -> str:
        """Explain why :meth:`result` of all batches is undefined or inaccurate, for a warning; '' if it is neither."""
        # If the sums are NaN the predictions are to blame, and the loss reports them.
        is_undefined = math.isnan(self.result(totals)) and not np.isnan(totals).any()
        return f'it is undefined, and NaN: there is no {self.missing(totals)}.' if is_undefined else ''

    def missing(self, totals: np.ndarray) -> str:
        """Name what is missing if the result is undefined."""
        return 'sample that counts'


@builtin('metric')
class Average(Metric):
    """The average of an objective over all samples, unweighted; for an accuracy, the fraction of right predictions.

    As in a loss, the value of a masked sequence is the mean over its unmasked steps; a sequence without any is skipped.
    An accuracy counts like TopKAccuracy, Precision and Recall: each time step alike, and each sample with its weight.

    Parameters
    ----------
    objective : str or function
    name : str, optional
        By default the name of the function.
    larger_is_better : bool, optional
        Whether larger values are better, for callbacks that monitor it. It is known for keraflow's own objectives; a
        function of the program may also have an attribute with this name.

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
        function = function_of(self.objective)      # a functools.partial has no name
        return self.name or str(getattr(function, '__name__', type(function).__name__))

    def adapted_to(self, loss: Any, nb_feature: Optional[int], where: str) -> Metric:
        tell_order(self.objective, where)
        meant = accuracy_for(self.objective, loss, nb_feature)
        return self if meant is self.objective else Average(meant, self.label)

    def totals(self, y_pred: Any, y_true: Any, weights: Any) -> Any:
        if is_accuracy(self.objective):
            right = call_objective(self.objective, y_pred, y_true)
            right = B.mean(right, features_of(y_pred)) if B.ndim(right) > 1 else right
            return ratio(right, B.ones_like(right), weights)
        samples = per_sample(self.objective, y_pred, y_true)
        return ratio(samples, B.ones_like(samples), part_weights(y_pred, None))


def ratio(part: Any, whole: Any, weights: Any) -> Any:
    """Return the weighted sums of two tensors ``(batch, ...)`` of one shape, as a tensor of two numbers."""
    weights = broadcast_weights(part, weights)
    # Values that do not count may be NaN.
    return B.stack([B.sum(B.where(B.equal(weights, 0), 0., B.cast(one, B.floatx()) * weights))
                    for one in (part, whole)])


def broadcast_weights(x: Any, weights: Any) -> Any:
    """Return the weights of samples or time steps, shaped to broadcast against `x`, or ones."""
    ones = B.ones_like(x, B.floatx())
    if weights is None:
        return ones
    if not has_parts(B.static_shape(x), B.static_shape(weights), B.ndim(weights)):
        # `x` has one value for the sample, which counts if any step does.
        weights = B.max(weights, axis=list(range(1, B.ndim(weights))))
    return ones * expand_mask(weights, x)
