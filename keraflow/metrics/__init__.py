"""Metrics: measures of predictions that are reported, but not optimized.

A metric is computed from sums over all samples, such as the numbers of right and of wrong ones. Sums can be added up
over batches, whereas ratios such as precision must not be averaged. Each sample counts with its weight, if ``fit`` or
``evaluate`` are given ``sample_weights``. Time steps that are masked in a prediction do not count, nor does a sample
whose steps are all masked. Any objective is a metric, too: its average, in which all samples count alike; an accuracy
is the fraction of right predictions, and weighted like the metrics.

If there is nothing to divide by, for example no positive sample, a metric is undefined: it is NaN, which callbacks
treat as no improvement, and a warning says what is missing.

Whether larger values are better is a property of the metric (:attr:`Metric.larger_is_better`) that callbacks use.
"""
from typing import Any

from keraflow.errors import ArgumentError, nearest
from keraflow.metrics.area import AUC, auc_of
from keraflow.metrics.base import Average, Metric, ratio
from keraflow.metrics.rates import Precision, Recall, TopKAccuracy
from keraflow.registry import find, ids, kind_of, resolve

__all__ = ['Metric', 'Average', 'TopKAccuracy', 'Precision', 'Recall', 'AUC', 'auc_of', 'get', 'ratio']


def get(value: Any, where: str = '') -> Metric:
    """Return the metric with a name, of a class, or an object; an objective, or a function like one, is averaged.

    Raises
    ------
    ArgumentError
        If neither a metric nor an objective has that name.

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
