"""The compiled functions of a model: train, test and predict are three builds of the same path."""
import math
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.data.arrays import Arrays
from keraflow.errors import DataError, GraphError, warn
from keraflow.graph.addresses import TensorAddress, layer_names
from keraflow.graph.counted import counted_parts, part_weights
from keraflow.graph.kensor import Kensor, replay
from keraflow.graph.parameters import parameters_of, penalties
from keraflow.graph.records import AddedLoss, RunRecord, frozen, recording
from keraflow.graph.trainability import Trainability
from keraflow.metrics import Metric
from keraflow.objectives.base import per_sample
from keraflow.training.model_function import ModelFunction
from keraflow.training.targets import seen_target

__all__ = ['CompiledFunctions', 'Loss', 'Meter', 'Report']


class Loss(NamedTuple):
    """An objective on one output, and the label that is ignored in its target."""

    output: str
    objective: Callable
    ignored: Optional[int] = None


class Report(NamedTuple):
    """A metric on one output, with the name it is reported by."""

    output: str
    metric: Metric
    label: str


class CompiledFunctions:
    """What one ``compile`` of a model made. Each function is built when it is first needed."""

    def __init__(self, model: Any, optimizer: Any, losses: Sequence[Loss], metrics: Sequence[Report],
                 report_terms: bool = False):
        self.model = model
        self.optimizer = optimizer
        self.losses = list(losses)
        self.metrics = list(metrics)
        self.parameters = parameters_of([model])
        self.trainability = Trainability([model])
        if optimizer is not None:
            trained = [one for one in self.parameters if one.trainable]
            optimizer.build([one.variable for one in trained], [one.name for one in trained], model)
        self._compiled: Dict[tuple, ModelFunction] = {}
        self._terms_of_loss: Optional[List[str]] = None
        self._told_of_change = False
        self._told_of_doubt: Set[Tuple[str, bool]] = set()
        self._report_terms = report_terms

    @property
    def terms(self) -> List[str]:
        """The names of the terms of the loss, where they are reported one by one."""
        def names(*tensors: Any) -> List[str]:
            with B.phase('train'), recording() as record:
                losses, others, _ = self._terms(record, True, *self._unpack(unweighted, tensors))
            return [*losses, *others]
        unweighted = (0,) * len(self.losses)
        if self._terms_of_loss is None:     # not under a lock: the code of layers runs
            self._terms_of_loss = B.trace(names, self._specs(unweighted)) if self._report_terms else []
        return self._terms_of_loss

    @property
    def names(self) -> List[str]:
        """What is reported of each epoch."""
        return ['loss', *self.terms, *(one.label for one in self.metrics)]

    def larger_is_better(self, name: str) -> Optional[bool]:
        """Whether more of what is reported by this name is better; None if that is not known of the metric."""
        plain = name.removeprefix('val_')       # which no label begins with
        return next((one.metric.larger_is_better for one in self.metrics if one.label == plain), False)

    def warn_of_change(self) -> None:
        """Tell, once, of layers whose ``trainable`` is no more what ``compile`` read."""
        changed = [] if self._told_of_change else self.trainability.changed()
        if changed:
            self._told_of_change = True
            some = ', '.join(changed[:5]) + (f' and {len(changed) - 5} more' if len(changed) > 5 else '')
            warn(f'{self.model.name}: fit: trainable of {some} was changed after compile, which reads it: it is '
                 'trained as compile read it. Compile again if the change is to count here; if it is meant for '
                 'another model alone, as in a GAN, ignore this warning.')

    def meter(self) -> 'Meter':
        """An empty meter for what train and test functions return."""
        return Meter(self.read_all)

    def read_all(self, counts: Any) -> Dict[str, float]:
        """As :meth:`read`, for the sum of all batches: tells, once for each metric, where it means nothing, or may mean
        little."""
        for one, own in self._counts_of_metrics(counts):
            kind = one.label, math.isnan(one.metric.result(own))
            doubt = '' if kind in self._told_of_doubt else one.metric.doubt(own)
            if doubt:
                self._told_of_doubt.add(kind)
                warn(f'{self.model.name}: {one.label}: {doubt}')
        return self.read(counts)

    def read(self, counts: Any) -> Dict[str, float]:
        """Loss and metrics by name from what train and test functions return, for one batch or the sum of several."""
        counts = np.asarray(counts, 'float64')
        means, at = [], 0
        # A sum and a number of samples for each output with a loss; then the other terms, times the size of a batch.
        for _ in self.losses:
            means.append(counts[at] / max(counts[at + 1], 1.))
            at += 2
        means += list(counts[at + 1:at + 1 + self._nb_other] / max(counts[at], 1.))
        logs = {'loss': float(sum(means)), **{name: float(mean) for name, mean in zip(self.terms, means)}}
        return {**logs, **{one.label: one.metric.result(own) for one, own in self._counts_of_metrics(counts)}}

    @property
    def _nb_other(self) -> int:
        """How many numbers there are for the terms that belong to no output."""
        return len(self.terms) - len(self.losses) if self.terms else 1

    def _counts_of_metrics(self, counts: np.ndarray) -> Iterator[Tuple[Report, np.ndarray]]:
        at = 2 * len(self.losses) + 1 + self._nb_other
        for one in self.metrics:
            yield one, counts[at:at + one.metric.nb_count]
            at += one.metric.nb_count

    def train(self, weighting: Tuple[int, ...]) -> Callable:
        """From a batch with such weights (:attr:`Arrays.weighting`) to the counts of loss and metrics, updating the
        parameters."""
        return self._compile(('train', weighting), lambda *tensors: self._build_train(weighting, tensors),
                             lambda: self._specs(weighting))

    def test(self, weighting: Tuple[int, ...], phase: str = 'test') -> Callable:
        """From a batch with such weights to the counts of loss and metrics."""
        return self._compile(('test', weighting, phase), lambda *tensors: self._build_test(weighting, tensors, phase),
                             lambda: self._specs(weighting))

    def evaluate(self, batches: Iterable[Arrays], phase: str = 'test') -> Dict[str, float]:
        """Loss and metrics over all batches."""
        meter = self.meter()
        for batch in batches:
            meter.add(self.test(batch.weighting, phase)(*batch.flat)[0])
        return meter.logs()

    def predict(self, batches: Iterable[Arrays], phase: str) -> List[np.ndarray]:
        """The outputs for all batches."""
        run = self._compile(('predict', phase), lambda *x: self._build_predict(x, phase), self._input_specs)
        return self._forward('predict', run, batches, [self.model.names.short(it) for it in self.model.outputs])

    def capture(self, batches: Iterable[Arrays], phase: str, addresses: Sequence[TensorAddress]) -> List[np.ndarray]:
        """What is computed at some addresses, for all batches."""
        run = self._compile(('capture', phase, *addresses), lambda *x: self._build_capture(x, phase, addresses),
                            self._input_specs)
        return self._forward('capture', run, batches, [address.name for address in addresses])

    def _forward(self, method: str, run: Callable, batches: Iterable[Arrays], names: List[str]) -> List[np.ndarray]:
        parts = [[np.asarray(it) for it in run(*batch.inputs)] for batch in batches]
        return [self._joined(arrays, name, f'{self.model.name}: {method}') for arrays, name in zip(zip(*parts), names)]

    @staticmethod
    def _joined(arrays: Sequence[np.ndarray], name: str, where: str) -> np.ndarray:
        """One array from those of all batches."""
        if not arrays[0].ndim:
            raise GraphError(f"{where}: the output '{name}' is a scalar, which has no axis of samples.")
        found = dict.fromkeys(array.shape[1:] for array in arrays)
        if len(found) > 1:
            raise DataError(f"{where}: the batches gave samples of the shapes {', '.join(map(str, found))}, which "
                            'cannot be concatenated. Predict the batches one by one.')
        return np.concatenate(arrays)

    # -- builders ---------------------------------------------------------------------------------------------------

    def _build_predict(self, x: Sequence[Any], phase: str) -> tuple:
        with B.phase(phase), recording() as record:
            outputs = self._outputs(x)
        return outputs, self._updates_outside_of_training(record, x, phase)

    def _updates_outside_of_training(self, record: RunRecord, x: Sequence[Any], phase: str) -> List[Tuple[Any, Any]]:
        """States that go on in prediction do so in either phase; what training alone changes, such as statistics,
        stays."""
        if phase == 'test' or not record.updates:
            return record.updates
        with B.phase('test'), recording() as prediction:
            self._outputs(x)
        return [one for one in record.updates if id(one[0]) in prediction.values]

    def _build_capture(self, x: Sequence[Any], phase: str, addresses: Sequence[TensorAddress]) -> tuple:
        with B.phase(phase), recording(keeps_outputs=True) as record:
            tensors = self._tensors(x)
        return [address.tensor(f'{self.model.name}: capture', tensors, record) for address in addresses], []

    def _build_test(self, weighting: Tuple[int, ...], tensors: Sequence[Any], phase: str) -> tuple:
        with B.phase(phase), recording() as record:
            x, *rest = self._unpack(weighting, tensors)
            losses, others, counts = self._terms(record, False, x, *rest)
        updates = self._updates_outside_of_training(record, x, phase)
        return [self._sums(tensors[0], losses, others, counts)], updates

    def _build_train(self, weighting: Tuple[int, ...], tensors: Sequence[Any]) -> tuple:
        def loss_fn() -> tuple:
            terms = self._terms(record, True, *self._unpack(weighting, tensors))
            losses, others, _ = terms
            if not losses and not others:
                raise GraphError(f'{self.model.name}: fit: there is nothing to minimize: no output has a loss, and no '
                                 'layer adds one. Pass an objective to compile, or call add_loss in a layer.')
            return _total([*(one.mean() for one in losses.values()), *others.values()]), terms
        with B.phase('train'), recording() as record:
            _, terms, updates = self.optimizer.minimize(loss_fn, self.parameters)
        if not any(one.trainable for one in self.parameters):
            warn(f'{self.model.name}: fit: no parameter is trainable, so that nothing is learned. Set trainable of a '
                 'layer and of the model to True, and compile again.')
        return [self._sums(tensors[0], *terms)], [*updates, *record.updates]

    def _terms(self, record: RunRecord, train: bool, x: Sequence[Any], y: Sequence[Any],
               weights: Sequence[Any]) -> Tuple[Dict[str, 'Mean'], Dict[str, Any], List[Any]]:
        """The terms of the loss by name, those of the outputs first, and the counts of the metrics."""
        outputs = self._outputs(x)
        self.model.penalize(outputs)
        by_name = dict(zip(self.model.output_names(), outputs))
        seen = {spec.name: (*seen_target(by_name[spec.name], target, spec, self.model.name), weight)
                for spec, target, weight in zip(self.model.target_array_specs(), y, weights)}
        losses = {f'loss({output})': Mean.of(objective, *seen[output]) for output, objective, _ in self.losses}
        others: Dict[str, Any] = {}
        for label, added in self._added(record):
            if train or not added.is_penalty:
                _add(others, label, added.value)
        for label, value in penalties(self.parameters) if train else ():
            _add(others, label, value)
        return losses, others, [self._counts(one.metric, *seen[one.output]) for one in self.metrics]

    @staticmethod
    def _counts(metric: Metric, y_pred: Any, y_true: Any, weights: Any) -> Any:
        return metric.counted(y_pred, y_true, part_weights(y_pred, weights))

    def _added(self, record: RunRecord) -> Iterator[Tuple[str, AddedLoss]]:
        """What layers added, with labels: ``host/0/loss``, or ``host/0/loss.1`` where a layer adds several."""
        names = layer_names(self.model)
        several = {(id(added.layer), added.kind) for added in record.added.values() if added.number}
        for added in record.added.values():
            number = f'.{added.number}' if (id(added.layer), added.kind) in several else ''
            yield f'{names.get(id(added.layer), added.layer.name)}/{added.kind}{number}', added

    def _outputs(self, x: Sequence[Any]) -> List[Any]:
        tensors = self._tensors(x)
        return [tensors[kensor] for kensor in self.model.outputs]

    def _tensors(self, x: Sequence[Any]) -> Dict[Kensor, Any]:
        tensors: Dict[Kensor, Any] = {kensor: kensor.mark(tensor) for kensor, tensor in zip(self.model.inputs, x)}
        with self.trainability.kept(), frozen(not self.model.trainable):
            return replay(self.model.calls, tensors)

    def _sums(self, x: Any, losses: Dict[str, 'Mean'], others: Dict[str, Any], counts: Sequence[Any]) -> Any:
        """One tensor of all that is added up over batches, as :meth:`read` reads it."""
        dtype = B.dtype(_total([*(one.sum for one in losses.values()), *others.values()]))
        size = B.cast(B.shape(x)[0], dtype)
        # A term that only training has is 0 elsewhere.
        terms = [others.get(name, 0. * size) for name in self.terms[len(losses):]] if self.terms else [
            _total(others.values())]
        sums = [*(part for one in losses.values() for part in one), size, *(B.cast(it, dtype) * size for it in terms)]
        return B.concatenate([B.stack([B.cast(one, dtype) for one in sums]), *(B.cast(one, dtype) for one in counts)],
                             0)

    # -- signatures -------------------------------------------------------------------------------------------------

    def _compile(self, key: tuple, builder: Callable, specs: Callable[[], List[TensorSpec]]) -> Callable:
        if key not in self._compiled:
            self._compiled.setdefault(key, ModelFunction(builder, specs(), [self.model], self.model._stream,
                                                         self._computed_with))
        return self._compiled[key]

    def _computed_with(self) -> List[Any]:
        """The objects whose arguments the functions depend on."""
        return [*self.trainability.layers, self.optimizer, *(one.objective for one in self.losses),
                *(one.metric for one in self.metrics),
                *(each for one in self.parameters for each in (one.regularizer, one.constraint))]

    def _input_specs(self) -> List[TensorSpec]:
        return [kensor.spec for kensor in self.model.inputs]

    def _specs(self, weighting: Tuple[int, ...]) -> List[TensorSpec]:
        specs = self.model.target_array_specs()
        targets = [TensorSpec(spec.shape, spec.dtype, f'{spec.name}_target') for spec in specs]
        batch = self.model.inputs[0].shape[0]
        weights = [TensorSpec((batch, *spec.shape[1:])[:ndim], B.floatx(), f'{spec.name}_weights')
                   for spec, ndim in zip(specs, weighting) if ndim]
        return [*self._input_specs(), *targets, *weights]

    def _unpack(self, weighting: Tuple[int, ...], tensors: Sequence[Any]) -> tuple:
        nb_input, nb_target = len(self.model.inputs), len(self.losses)
        given = iter(tensors[nb_input + nb_target:])
        return (tensors[:nb_input], tensors[nb_input:nb_input + nb_target],
                [next(given) if ndim else None for ndim in weighting])


class Mean(NamedTuple):
    """The loss of an output: the weighted sum over samples, and how many of them count."""

    sum: Any
    count: Any

    @classmethod
    def of(cls, objective: Callable, y_pred: Any, y_true: Any, weights: Any) -> 'Mean':
        """That of an objective."""
        has_parts = weights is not None and B.ndim(weights) > 1
        samples = per_sample(objective, y_pred, y_true, weights if has_parts else None)
        counted = counted_parts(y_pred, weights)
        if counted is None:
            return cls(B.sum(samples), B.cast(B.shape(samples)[0], B.dtype(samples)))
        counted = B.any(counted, list(range(1, B.ndim(counted)))) if B.ndim(counted) > 1 else counted
        samples = B.switch(counted, samples, 0.)
        weighted = samples if weights is None or has_parts else samples * B.cast(weights, B.dtype(samples))
        return cls(B.sum(weighted), B.sum(B.cast(counted, B.dtype(samples))))

    def mean(self) -> Any:
        """The sum divided by the number; 0 where no sample counts."""
        return self.sum / B.clip(self.count, 1.)


def _add(terms: Dict[str, Any], label: str, value: Any) -> None:
    """Add a term; those of one label are one term."""
    terms[label] = value if label not in terms else terms[label] + value


def _total(terms: Iterable[Any]) -> Any:
    first, *others = list(terms) or [B.constant(0.)]     # what is evaluated may have no terms
    return sum((B.cast(one, B.dtype(first)) for one in others), first)


class Meter:
    """Adds up what the functions return for the batches."""

    #: How many batches wait to be read. Reading waits for the device, and what is not read takes memory.
    PATIENCE = 64

    def __init__(self, read: Callable[[np.ndarray], Dict[str, float]]):
        self._read = read
        self._waiting: List[Any] = []
        self._total: Any = 0.

    def add(self, counts: Any) -> None:
        """Note what a function returned for a batch."""
        self._waiting.append(counts)
        if len(self._waiting) >= self.PATIENCE:
            self._add_up()

    def logs(self) -> Dict[str, float]:
        """Loss and metrics over all batches, by name."""
        self._add_up()
        return self._read(self._total)

    def _add_up(self) -> None:
        self._total = self._total + sum(np.asarray(counts, 'float64') for counts in self._waiting)
        self._waiting = []
