"""Totals over batches as one vector of numbers, and the loss, its terms and the metrics that are read from it."""
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.refusals import NotFinite
from keraflow.metrics import Metric
from keraflow.training.loss_terms import BatchTerms, total

__all__ = ['Meter', 'Report', 'Totals']


class Report(NamedTuple):
    """A metric for one output, and its name in the logs."""

    output: str
    metric: Metric
    label: str


class Totals:
    """Write the vector of a batch, on tensors, and read that of a batch, or the sum of several, on arrays.

    The vector holds, in this order: for each output with a loss, the sum of the loss and the number of samples that
    count; the batch size; each other term of the loss, or their sum, times the batch size; the totals of each metric.
    Totals can be summed over batches. Means cannot: the last batch is often smaller.

    Parameters
    ----------
    nb_loss : int
        The number of outputs that have a loss.
    term_names : function
        Returns the names of the terms of the loss, those of the outputs first, or an empty list if only their sum is
        reported.
    metrics : sequence of Report
    """

    def __init__(self, nb_loss: int, term_names: Callable[[], List[str]], metrics: Sequence[Report]):
        self._nb_loss = nb_loss
        self._term_names = term_names
        self._metrics = metrics

    def of_batch(self, x: Any, terms: BatchTerms) -> Any:
        """Return the vector of a batch; `x` is any of its inputs."""
        sums = [one.sum for one in terms.losses.values()]
        dtype = next((B.dtype(one) for one in (*sums, *terms.others.values())), B.floatx())
        size = B.cast(B.shape(x)[0], dtype)
        # A term that exists only in training is 0 in evaluation.
        others = [terms.others.get(name, 0. * size) for name in self._term_names()[self._nb_loss:]] \
            if self._term_names() else [total(terms.others.values())]
        numbers = [*(part for one in terms.losses.values() for part in (one.sum, one.count)), size,
                   *(B.cast(one, dtype) * size for one in others)]  # batches are averaged by size
        return B.concatenate([B.stack([B.cast(one, dtype) for one in numbers]),
                              *(B.cast(one, dtype) for one in terms.metrics)], 0)

    def read(self, totals: Any) -> Dict[str, float]:
        """Return loss, terms and metrics by name."""
        totals, nb_paired = np.asarray(totals, 'float64'), 2 * self._nb_loss
        numbers = totals[:self._nb_number].tolist()
        size = max(numbers[nb_paired], 1.)
        means = [one / max(count, 1.) for one, count in zip(numbers[:nb_paired:2], numbers[1:nb_paired:2])]
        means += [one / size for one in numbers[nb_paired + 1:]]
        logs = {'loss': sum(means), **dict(zip(self._term_names(), means))}
        return {**logs, **{one.label: one.metric.result(own) for one, own in self.of_metrics(totals)}}

    def of_metrics(self, totals: Any) -> Iterator[Tuple[Report, np.ndarray]]:
        """Yield the totals of each metric."""
        at, totals = self._nb_number, np.asarray(totals, 'float64')
        for one in self._metrics:
            yield one, totals[at:at + one.metric.nb_total]
            at += one.metric.nb_total

    def nothing(self) -> np.ndarray:
        """Return the sum over no batches."""
        return np.zeros(self._nb_number + sum(one.metric.nb_total for one in self._metrics))

    @property
    def _nb_number(self) -> int:
        """The number of values before those of the metrics."""
        names = self._term_names()
        return 2 * self._nb_loss + 1 + (len(names) - self._nb_loss if names else 1)


class Meter:
    """Add up what loops return.

    Parameters
    ----------
    read : function
        Turns the sum over all batches into what is reported.
    nothing : array
        The sum over no batches.
    total : array, optional
        The sum over batches that were added before.

    Attributes
    ----------
    total : array
    """

    def __init__(self, read: Callable[[np.ndarray], Dict[str, float]], nothing: np.ndarray,
                 total: Optional[np.ndarray] = None):
        self._read = read
        self._nothing = nothing
        self.total = nothing if total is None else total

    def run(self, loop: Any, window: Any, indices: np.ndarray) -> Optional[NotFinite]:
        """Add batches of a window; up to one that is not finite, if there is one, which is returned."""
        try:
            self.total = loop.sum(window.loaded(loop.load), indices, self.total)
        except NotFinite as stop:
            self.total = stop.total
            return stop
        return None

    def run_one(self, loop: Any, window: Any, indices: np.ndarray) -> np.ndarray:
        """Add one batch, and return its own totals."""
        own = loop.sum(window.loaded(loop.load), indices, self._nothing)
        self.total = self.total + own
        return own

    def logs(self) -> Dict[str, float]:
        """Return loss and metrics over all batches, by name."""
        return self._read(self.total)
