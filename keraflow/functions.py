"""The compiled functions of a model: train, test and predict are three builds of the same path."""
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.data import Arrays, batches
from keraflow.errors import ShapeError
from keraflow.kensor import Kensor, parameters_of, replay
from keraflow.recording import frozen, recording

__all__ = ['Functions', 'Meter', 'Term']


class Term(NamedTuple):
    """An objective on one output; as a metric, with the name it is reported by."""

    output: str
    objective: Callable
    label: str = ''


class Functions:
    """What one ``compile`` of a model made. Each function is built when it is first needed."""

    def __init__(self, model: Any, optimizer: Any, losses: Sequence[Term], metrics: Sequence[Term]):
        self.model = model
        self.optimizer = optimizer
        self.losses = list(losses)
        self.metrics = list(metrics)
        self.parameters = parameters_of([model])
        self.variables = [one.variable for one in self.parameters if one.trainable]
        if optimizer is not None:
            optimizer.build(self.variables)
        self._compiled: Dict[tuple, Callable] = {}

    @property
    def names(self) -> List[str]:
        """Names of the values that train and test functions return."""
        return ['loss', *(term.label for term in self.metrics)]

    def meter(self) -> 'Meter':
        """An empty meter for these values."""
        return Meter(self.names)

    def train(self, weighted: bool) -> Callable:
        """From a batch to loss and metrics, updating the parameters."""
        return self._compile(('train', weighted), self._build_train, self._specs(weighted))

    def test(self, weighted: bool) -> Callable:
        """From a batch to loss and metrics."""
        return self._compile(('test', weighted), self._build_test, self._specs(weighted))

    def evaluate(self, data: Arrays, batch_size: int) -> Dict[str, float]:
        """Loss and metrics over all samples."""
        test, meter = self.test(data.weights is not None), self.meter()
        for start, stop in batches(data.nb_sample, batch_size):
            batch = [array[start:stop] for array in data.flat]
            meter.add(test(*batch)[0], stop - start, batch[-1] if data.weights is not None else None)
        return meter.logs()

    def predict(self, inputs: List[np.ndarray], batch_size: int, phase: str) -> List[np.ndarray]:
        """The outputs for all samples."""
        run = self._compile(('predict', phase), lambda *x: self._build_predict(x, phase), self._input_specs())
        parts = [[np.asarray(it) for it in run(*(array[start:stop] for array in inputs))]
                 for start, stop in batches(len(inputs[0]), batch_size)]
        return [np.concatenate(part) for part in zip(*parts)]

    # -- builders ---------------------------------------------------------------------------------------------------

    def _build_predict(self, x: Sequence[Any], phase: str) -> tuple:
        with B.phase(phase), recording():
            return self._outputs(x), []

    def _build_test(self, *tensors: Any) -> tuple:
        with B.phase('test'), recording():
            loss, metrics = self._terms(*self._unpack(tensors))
        return [B.stack([loss, *metrics])], []

    def _build_train(self, *tensors: Any) -> tuple:
        def loss_fn() -> tuple:
            loss, metrics = self._terms(*self._unpack(tensors))
            for one in self.parameters:
                if one.regularizer is not None and one.trainable:
                    loss = loss + B.cast(one.regularizer(one.variable), B.dtype(loss))
            return loss, metrics
        with B.phase('train'), recording() as record:
            loss, metrics, gradients = B.value_and_gradients(loss_fn, self.variables)
            updates = self._constrain(self.optimizer.updates(self.variables, gradients))
        return [B.stack([loss, *metrics])], [*updates, *record.updates]

    def _constrain(self, updates: List[tuple]) -> List[tuple]:
        constraints = {id(one.variable): one.constraint for one in self.parameters if one.constraint is not None}
        return [(variable, constraints[id(variable)](value) if id(variable) in constraints else value)
                for variable, value in updates]

    def _terms(self, x: Sequence[Any], y: Sequence[Any], weights: Any) -> Tuple[Any, List[Any]]:
        """The loss of all outputs together, and the metrics."""
        names = [term.output for term in self.losses]
        predicted, wanted = dict(zip(names, self._outputs(x))), dict(zip(names, y))
        loss = None
        for term in self.losses:
            samples = self._samples(term, predicted, wanted)
            one = B.mean(samples) if weights is None else _weighted_mean(samples, weights)
            loss = one if loss is None else loss + B.cast(one, B.dtype(loss))
        return loss, [B.cast(B.mean(self._samples(term, predicted, wanted)), B.dtype(loss)) for term in self.metrics]

    def _samples(self, term: Term, predicted: Dict[str, Any], wanted: Dict[str, Any]) -> Any:
        """One value for each sample: the mean of what the objective gives over all other axes."""
        values = term.objective(predicted[term.output], wanted[term.output])
        if B.ndim(values) == 0:
            raise ShapeError(f'{getattr(term.objective, "__name__", term.objective)}: expected a value for each '
                             'sample, received a scalar. '
                             'An objective keeps the sample axis; the model takes the mean.')
        values = B.cast(values, B.floatx()) if B.dtype(values) == 'bool' else values
        return B.mean(values, axis=list(range(1, B.ndim(values)))) if B.ndim(values) > 1 else values

    def _outputs(self, x: Sequence[Any]) -> List[Any]:
        tensors: Dict[Kensor, Any] = {kensor: kensor.mark(tensor) for kensor, tensor in zip(self.model.inputs, x)}
        with frozen(not self.model.trainable):
            replay(self.model.calls, tensors)
        return [tensors[kensor] for kensor in self.model.outputs]

    # -- signatures -------------------------------------------------------------------------------------------------

    def _compile(self, key: tuple, builder: Callable, specs: List[TensorSpec]) -> Callable:
        if key not in self._compiled:
            self._compiled[key] = B.compile(builder, specs)
        return self._compiled[key]

    def _input_specs(self) -> List[TensorSpec]:
        return [kensor.spec for kensor in self.model.inputs]

    def _specs(self, weighted: bool) -> List[TensorSpec]:
        targets = [TensorSpec(port.shape, port.dtype, f'{port.name}_target') for port in self.model.target_ports()]
        batch = self.model.inputs[0].shape[0]
        return [*self._input_specs(), *targets, *([TensorSpec((batch,), B.floatx(), 'weights')] if weighted else [])]

    def _unpack(self, tensors: Sequence[Any]) -> tuple:
        nb_input, nb_output = len(self.model.inputs), len(self.model.outputs)
        x, y, rest = tensors[:nb_input], tensors[nb_input:nb_input + nb_output], tensors[nb_input + nb_output:]
        return x, y, rest[0] if rest else None


def _weighted_mean(samples: Any, weights: Any) -> Any:
    """Sum of the weighted values, divided by the number of weights that are not zero."""
    counted = B.sum(B.cast(B.not_equal(weights, 0), B.dtype(samples)))
    return B.sum(samples * weights) / B.clip(counted, 1.)


class Meter:
    """Averages over batches. The loss counts samples whose weight is not zero, metrics count all."""

    def __init__(self, names: List[str]):
        self.names = names
        self._values: List[Any] = []
        self._sizes: List[Tuple[int, int]] = []

    def add(self, values: Any, size: int, weights: Optional[np.ndarray] = None) -> None:
        """Note the values of a batch; they are read later."""
        self._values.append(values)
        self._sizes.append((size if weights is None else int(np.count_nonzero(weights)), size))

    def logs(self) -> Dict[str, float]:
        """The averages by name."""
        values, sizes = np.array([np.asarray(it) for it in self._values], 'float64'), np.array(self._sizes, 'float64')
        averages = {}
        for column, name in enumerate(self.names):
            share = sizes[:, min(column, 1)]
            averages[name] = float(np.sum(values[:, column] * share) / max(share.sum(), 1.))
        return averages
