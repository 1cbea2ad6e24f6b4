"""Metrics: what is reported of predictions and not trained on.

A metric is made from sums over all samples, such as the numbers of right and of wrong ones. Sums may be added up over
batches, where a ratio like the precision may not be averaged. Each sample counts with its weight, where ``fit`` or
``evaluate`` are given ``sample_weights``. Time steps that the mask of a prediction leaves out do not count, and neither
does a sample that has no other. Any objective is a metric too: its average, in which all samples count alike; an
accuracy is the share of the predictions that are right, and counts like the others.

Where there is nothing to divide by, such as no positive sample, a metric is undefined. It is NaN then, which callbacks
take for no better than any number, and there is a warning that says what is missing.

Whether more of it is better is a fact of the metric (:attr:`Metric.larger_is_better`), which callbacks ask for.
"""
from typing import Any

from keraflow.errors import ArgumentError, nearest
from keraflow.metrics.area import AUC, auc_of
from keraflow.metrics.base import Average, Metric, ratio
from keraflow.metrics.rates import Precision, Recall, TopKAccuracy
from keraflow.registry import find, ids, kind_of, resolve

__all__ = ['Metric', 'Average', 'TopKAccuracy', 'Precision', 'Recall', 'AUC', 'auc_of', 'get', 'ratio']


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
