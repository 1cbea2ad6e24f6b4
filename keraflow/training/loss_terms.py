"""The terms of the loss of a model in one run, on tensors."""
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from keraflow import backend as B
from keraflow.graph.addresses import layer_names
from keraflow.graph.counted import counted_parts
from keraflow.graph.parameters import penalties
from keraflow.graph.records import AddedLoss, RunRecord
from keraflow.layers.network import Network
from keraflow.objectives.base import per_sample

__all__ = ['BatchTerms', 'Loss', 'WeightedMean', 'other_terms', 'total']


class Loss(NamedTuple):
    """An objective for one output, and the label that is ignored in its target."""

    output: str
    objective: Callable
    ignored: Optional[int] = None


class WeightedMean(NamedTuple):
    """The loss of an output: the weighted sum over samples, and the number of samples that count."""

    sum: Any
    count: Any

    @classmethod
    def of(cls, objective: Callable, y_pred: Any, y_true: Any, weights: Any) -> 'WeightedMean':
        """Apply an objective."""
        has_parts = weights is not None and B.ndim(weights) > 1
        samples = per_sample(objective, y_pred, y_true, weights if has_parts else None)
        counted = counted_parts(y_pred, weights)
        if counted is None:
            return cls(B.sum(samples), B.cast(B.shape(samples)[0], B.dtype(samples)))
        counted = B.any(counted, list(range(1, B.ndim(counted)))) if B.ndim(counted) > 1 else counted
        samples = B.where(counted, samples, 0.)  # no product: what does not count may be NaN
        weighted = samples if weights is None or has_parts else samples * B.cast(weights, B.dtype(samples))
        return cls(B.sum(weighted), B.sum(B.cast(counted, B.dtype(samples))))

    def mean(self) -> Any:
        """Return the sum divided by the number, or 0 if no sample counts."""
        return self.sum / B.clip(self.count, 1.)


class BatchTerms(NamedTuple):
    """What a run on a batch yields to be minimized and reported."""

    losses: Dict[str, WeightedMean]     # of the outputs, by label
    others: Dict[str, Any]              # scalars of no output, by label: of regularizers, and what layers add
    metrics: List[Any]                  # the totals of each metric

    @property
    def labels(self) -> List[str]:
        """The names of the terms in the logs."""
        return [*self.losses, *self.others]

    def each(self) -> Dict[str, Any]:
        """Return the terms by label, if there are several."""
        terms = {**{label: one.mean() for label, one in self.losses.items()}, **self.others}
        return terms if len(terms) > 1 else {}

    def loss(self) -> Any:
        """Return the sum of all terms, which is minimized."""
        return total([*(one.mean() for one in self.losses.values()), *self.others.values()])


def other_terms(network: Network, record: RunRecord, trained: Optional[Sequence[Any]]) -> Dict[str, Any]:
    """Return the terms that belong to no output, by label; terms with the same label are summed.

    These are the losses that layers added in the run. With parameters that are `trained`, they include what is
    minimized but not evaluated: activity penalties and regularizers.
    """
    terms: Dict[str, Any] = {}
    added = [(label, one.value) for label, one in _added(network, record) if trained is not None or not one.is_penalty]
    for label, value in [*added, *penalties(trained or ())]:
        terms[label] = value if label not in terms else terms[label] + value
    return terms


def _added(network: Network, record: RunRecord) -> Iterator[Tuple[str, AddedLoss]]:
    """Yield the losses that layers added, labelled ``host/0/loss``, or ``host/0/loss.1`` if a layer adds several."""
    names = layer_names(network)
    several = {(id(added.layer), added.kind) for added in record.added.values() if added.number}
    for added in record.added.values():
        number = f'.{added.number}' if (id(added.layer), added.kind) in several else ''
        yield f'{names.get(id(added.layer), added.layer.name)}/{added.kind}{number}', added


def total(terms: Iterable[Any]) -> Any:
    """Return the sum of scalars in the dtype of the first, or 0 for none, as when a model is evaluated without loss."""
    first, *others = list(terms) or [B.constant(0.)]
    return sum((B.cast(one, B.dtype(first)) for one in others), first)
