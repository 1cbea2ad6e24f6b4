"""The compiled functions of a model: train, test and predict are three builds of the same path."""
import functools
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.data import Arrays
from keraflow.errors import DataError, GraphError, warn
from keraflow.kensor import Kensor, replay
from keraflow.lengths import told_by_layers
from keraflow.metrics import Metric, step_weights
from keraflow.objectives.base import call_objective, per_sample
from keraflow.parameters import parameters_of, penalties
from keraflow.places import Place, layer_names
from keraflow.records import AddedLoss, Record, frozen, recording
from keraflow.trainability import Trainability

__all__ = ['Functions', 'Loss', 'Meter', 'Report']


class Loss(NamedTuple):
    """An objective on one output."""

    output: str
    objective: Callable


class Report(NamedTuple):
    """A metric on one output, with the name it is reported by."""

    output: str
    metric: Metric
    label: str


class Functions:
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
        self._compiled: Dict[tuple, Callable] = {}
        self._told_of_change = False
        self._told_of_doubt: Set[str] = set()
        self._report_terms = report_terms

    @functools.cached_property
    def terms(self) -> List[str]:
        """The names of the terms of the loss, where they are reported one by one."""
        def names(*tensors: Any) -> List[str]:
            with B.phase('train'), recording() as record:
                return list(self._terms(record, True, *self._unpack(tensors))[0])
        return B.trace(names, self._specs(False)) if self._report_terms else []

    @property
    def names(self) -> List[str]:
        """What is reported of each epoch."""
        return ['loss', *self.terms, *(one.label for one in self.metrics)]

    def warn_of_change(self) -> None:
        """Tell, once, of layers whose ``trainable`` is no more what ``compile`` read."""
        changed = [] if self._told_of_change else self.trainability.changed()
        if changed:
            self._told_of_change = True
            some = ', '.join(changed[:5]) + (f' and {len(changed) - 5} more' if len(changed) > 5 else '')
            warn(f'{self.model.name}: fit: trainable of {some} was changed after compile, which reads it: it is '
                 'trained as compile read it. Compile again for the change to count.')

    def meter(self) -> 'Meter':
        """An empty meter for what train and test functions return."""
        return Meter(self.read_all)

    def read_all(self, counts: Any) -> Dict[str, float]:
        """As :meth:`read`, for the sum of all batches: tells, once for each metric, where it may mean little."""
        for one, own in self._counts_of_metrics(counts):
            doubt = '' if one.label in self._told_of_doubt else one.metric.doubt(own)
            if doubt:
                self._told_of_doubt.add(one.label)
                warn(f'{self.model.name}: {one.label}: {doubt}')
        return self.read(counts)

    def read(self, counts: Any) -> Dict[str, float]:
        """Loss and metrics by name from what train and test functions return, for one batch or the sum of several."""
        counts = np.asarray(counts, 'float64')
        means = counts[1:] / max(counts[0], 1.)
        logs = {name: float(mean) for name, mean in zip(['loss', *self.terms], means)}
        return {**logs, **{one.label: one.metric.result(own) for one, own in self._counts_of_metrics(counts)}}

    def _counts_of_metrics(self, counts: np.ndarray) -> Iterator[Tuple[Report, np.ndarray]]:
        at = 2 + len(self.terms)
        for one in self.metrics:
            yield one, counts[at:at + one.metric.nb_count]
            at += one.metric.nb_count

    def train(self, weighted: bool) -> Callable:
        """From a batch to the counts of loss and metrics, updating the parameters."""
        return self._compile(('train', weighted), self._build_train, lambda: self._specs(weighted))

    def test(self, weighted: bool) -> Callable:
        """From a batch to the counts of loss and metrics."""
        return self._compile(('test', weighted), self._build_test, lambda: self._specs(weighted))

    def evaluate(self, batches: Iterable[Arrays]) -> Dict[str, float]:
        """Loss and metrics over all batches."""
        meter = self.meter()
        for batch in batches:
            meter.add(self.test(batch.weights is not None)(*batch.flat)[0])
        return meter.logs()

    def predict(self, batches: Iterable[Arrays], phase: str) -> List[np.ndarray]:
        """The outputs for all batches."""
        run = self._compile(('predict', phase), lambda *x: self._build_predict(x, phase), self._input_specs)
        return self._forward('predict', run, batches, [kensor.name for kensor in self.model.outputs])

    def capture(self, batches: Iterable[Arrays], phase: str, places: Sequence[Place]) -> List[np.ndarray]:
        """What is computed at some places, for all batches."""
        run = self._compile(('capture', phase, *places), lambda *x: self._build_capture(x, phase, places),
                            self._input_specs)
        return self._forward('capture', run, batches, [place.name for place in places])

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
            raise DataError(f"{where}: the batches gave samples of the shapes {', '.join(map(str, found))}, which are "
                            'no one array. Predict the batches one by one.')
        return np.concatenate(arrays)

    # -- builders ---------------------------------------------------------------------------------------------------

    def _build_predict(self, x: Sequence[Any], phase: str) -> tuple:
        with B.phase(phase), recording() as record:
            outputs = self._outputs(x)
        if phase == 'test' or not record.updates:
            return outputs, record.updates
        # States that go on in prediction do so here, too; what training alone changes, such as statistics, stays.
        with B.phase('test'), recording() as prediction:
            self._outputs(x)
        return outputs, [one for one in record.updates if id(one[0]) in prediction.values]

    def _build_capture(self, x: Sequence[Any], phase: str, places: Sequence[Place]) -> tuple:
        with B.phase(phase), recording(keeps_outputs=True) as record:
            tensors = self._tensors(x)
        return [place.tensor(f'{self.model.name}: capture', tensors, record) for place in places], []

    def _build_test(self, *tensors: Any) -> tuple:
        with B.phase('test'), recording() as record:
            terms, counts = self._terms(record, False, *self._unpack(tensors))
        return [self._sums(terms, *counts)], record.updates

    def _build_train(self, *tensors: Any) -> tuple:
        def loss_fn() -> tuple:
            terms, counts = self._terms(record, True, *self._unpack(tensors))
            if not terms:
                raise GraphError(f'{self.model.name}: fit: there is nothing to minimize: no output has a loss, and no '
                                 'layer adds one. Pass an objective to compile, or call add_loss in a layer.')
            return _total(terms), (terms, counts)
        with B.phase('train'), recording() as record:
            _, (terms, counts), updates = self.optimizer.minimize(loss_fn, self.parameters)
        if not any(one.trainable for one in self.parameters):
            warn(f'{self.model.name}: fit: no parameter is trainable, so that nothing is learned. Set trainable of a '
                 'layer and of the model to True, and compile again.')
        return [self._sums(terms, *counts)], [*updates, *record.updates]

    def _terms(self, record: Record, train: bool, x: Sequence[Any], y: Sequence[Any],
               weights: Any) -> Tuple[Dict[str, Any], List[Any]]:
        """The terms of the loss by name; how many samples they are means of, and the counts of the metrics."""
        outputs = self._outputs(x)
        self.model.penalize(outputs)
        predicted = dict(zip(self.model.output_names(), outputs))
        wanted = dict(zip([term.output for term in self.losses], y))
        terms: Dict[str, Any] = {}
        counted = _count(x[0], weights)
        for output, objective in self.losses:
            samples = per_sample(objective, predicted[output], wanted[output])
            weighted = samples if weights is None else samples * weights
            counted = _count(samples, weights)
            terms[f'loss({output})'] = B.sum(weighted) / B.cast(B.clip(counted, 1.), B.dtype(weighted))
        for label, added in self._added(record):
            if train or not added.is_penalty:
                _add(terms, label, added.value)
        for label, value in penalties(self.parameters) if train else ():
            _add(terms, label, value)
        return terms, [counted, *(call_objective(one.metric.counts, predicted[one.output], wanted[one.output],
                                                 step_weights(predicted[one.output], weights))
                                  for one in self.metrics)]

    def _added(self, record: Record) -> Iterator[Tuple[str, AddedLoss]]:
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

    def _sums(self, terms: Dict[str, Any], counted: Any, *counts: Any) -> Any:
        """One tensor of all that is added up over batches."""
        loss = _total(terms)
        dtype = B.dtype(loss)
        counted = B.cast(counted, dtype)
        # A term that only training has is 0 elsewhere.
        means = [loss, *(B.cast(terms[name], dtype) if name in terms else loss * 0 for name in self.terms)]
        return B.concatenate([B.stack([counted, *(mean * counted for mean in means)]),
                              *(B.cast(one, dtype) for one in counts)], 0)

    # -- signatures -------------------------------------------------------------------------------------------------

    def _compile(self, key: tuple, builder: Callable, specs: Callable[[], List[TensorSpec]]) -> Callable:
        if key not in self._compiled:
            self._compiled[key] = told_by_layers(B.compile(builder, specs()), builder, specs())
        return self._compiled[key]

    def _input_specs(self) -> List[TensorSpec]:
        return [kensor.spec for kensor in self.model.inputs]

    def _specs(self, weighted: bool) -> List[TensorSpec]:
        targets = [TensorSpec(port.shape, port.dtype, f'{port.name}_target') for port in self.model.target_ports()]
        batch = self.model.inputs[0].shape[0]
        return [*self._input_specs(), *targets, *([TensorSpec((batch,), B.floatx(), 'weights')] if weighted else [])]

    def _unpack(self, tensors: Sequence[Any]) -> tuple:
        nb_input, nb_target = len(self.model.inputs), len(self.losses)
        x, y, rest = tensors[:nb_input], tensors[nb_input:nb_input + nb_target], tensors[nb_input + nb_target:]
        return x, y, rest[0] if rest else None


def _add(terms: Dict[str, Any], label: str, value: Any) -> None:
    """Add a term; those of one label are one term."""
    terms[label] = value if label not in terms else terms[label] + value


def _count(samples: Any, weights: Any) -> Any:
    """How many samples count."""
    counted = B.shape(samples)[0] if weights is None else B.sum(B.cast(B.not_equal(weights, 0), B.floatx()))
    return B.cast(counted, B.floatx())


def _total(terms: Dict[str, Any]) -> Any:
    first, *others = terms.values() or [B.constant(0.)]     # what is evaluated may have no terms
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
