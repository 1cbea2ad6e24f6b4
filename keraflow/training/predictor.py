"""Compute what a network returns for arrays: its outputs, and any tensor inside it."""
from typing import Any, Callable, Dict, Iterable, Iterator, List, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.data.windows import Portion
from keraflow.errors import DataError, GraphError, KeraFlowError
from keraflow.graph.addresses import TensorAddress
from keraflow.graph.kensor import Kensor, replay
from keraflow.graph.parameters import parameters_of
from keraflow.graph.records import RunRecord, frozen, recording
from keraflow.graph.trainability import Trainability
from keraflow.layers.network import Network
from keraflow.training.model_function import FunctionCache, ModelFunction
from keraflow.training.pace import Pace

__all__ = ['Predictor', 'updates_outside_of_training']

#: How much of the inputs is copied at a time.
_MOST_BYTES = 2 ** 24


class Predictor:
    """Run a network, with ``trainable`` of all layers as it was when the predictor was made.

    Attributes
    ----------
    network : Network
        The graph, which does not know who runs it.
    parameters : list of Parameter
    trainability : Trainability
        What was read of ``trainable``.
    """

    def __init__(self, network: Network):
        self.network = network
        self.parameters = parameters_of([network])
        self.trainability = Trainability([network])
        self._functions = FunctionCache(network, lambda: self.trainability.layers)

    # -- in a builder -----------------------------------------------------------------------------------------------

    def outputs(self, x: Sequence[Any]) -> List[Any]:
        """Return the outputs for these inputs."""
        tensors = self.tensors(x)
        return [tensors[kensor] for kensor in self.network.outputs]

    def tensors(self, x: Sequence[Any]) -> Dict[Kensor, Any]:
        """Return the tensor of each Kensor, for these inputs."""
        fed = {kensor: kensor.mark(tensor) for kensor, tensor in zip(self.network.inputs, x)}
        with self.trainability.kept(), frozen(not self.network.trainable):
            return replay(self.network.calls, fed)

    # -- on arrays --------------------------------------------------------------------------------------------------

    def input_specs(self) -> List[TensorSpec]:
        """Return shapes and dtypes of the inputs."""
        return [kensor.spec for kensor in self.network.inputs]

    def predict(self, portions: Iterable[Portion], phase: str) -> List[np.ndarray]:
        """Return the outputs for all batches."""
        return self._joined(self.function(phase), portions, self._name_of_output, 'predict')

    def function(self, phase: str) -> ModelFunction:
        """Return the function from arrays for the inputs to the outputs."""
        return self._functions.get(self.input_specs, self._build_predict, phase)

    def capture(self, portions: Iterable[Portion], phase: str, addresses: Sequence[TensorAddress]) -> List[np.ndarray]:
        """Return the tensors at some addresses, for all batches, without changing states."""
        run = self._functions.get(self.input_specs, self._build_capture, phase, tuple(addresses))
        return self._joined(run, portions, lambda number: addresses[number].name, 'capture')

    def _build_predict(self, phase: str, *x: Any) -> tuple:
        with B.phase(phase), recording() as record:
            outputs = self.outputs(x)
        return outputs, updates_outside_of_training(record, phase, lambda: self.outputs(x))

    def _build_capture(self, phase: str, addresses: Sequence[TensorAddress], *x: Any) -> tuple:
        with B.phase(phase), recording(keeps_outputs=True) as record:
            tensors = self.tensors(x)
        return [address.tensor(f'{self.network.name}: capture', tensors, record) for address in addresses], []

    def _joined(self, run: ModelFunction, portions: Iterable[Portion], name_of: Callable[[int], str],
                method: str) -> List[np.ndarray]:
        """Join what a function returns for each batch: an array for each output. Messages name it, by its number."""
        parts = [[np.asarray(it) for it in outputs] for outputs in _in_parts(run, portions)]
        for number, arrays in enumerate(zip(*parts)):
            shapes = {array.shape[1:] for array in arrays}
            if len(shapes) > 1 or not arrays[0].ndim:
                raise _not_joinable(arrays, name_of(number), f'{self.network.name}: {method}')
        return [np.concatenate(arrays) for arrays in zip(*parts)]

    def _name_of_output(self, number: int) -> str:
        return self.network.names.short(self.network.outputs[number])


def updates_outside_of_training(record: RunRecord, phase: str, run: Callable[[], Any]) -> List[Tuple[Any, Any]]:
    """Return the updates of a run that are made when a network is not trained, whatever the phase.

    States that advance in prediction, such as those of stateful layers, also advance in the phase ``'train'``. What
    only this phase updates, such as statistics, stays unchanged; a run in the phase ``'test'`` shows which is which.
    """
    if phase == 'test' or not record.updates:
        return record.updates
    with B.phase('test'), recording() as prediction:
        run()
    return [one for one in record.updates if id(one[0]) in prediction.values]


def _in_parts(run: ModelFunction, portions: Iterable[Portion]) -> Iterator[list]:
    """Yield the outputs of all batches, of one or more at a time."""
    pace = Pace()
    for portion in portions:
        first = portion.samples(range(1)).inputs
        if portion.nb_batch == 1:       # without a loop a sample takes less time
            yield run(*first)
            continue
        most = max(1, _MOST_BYTES // max(1, sum(array.nbytes for array in first)))
        for start in range(0, portion.nb_batch, most):
            for batches in pace.parts(range(portion.nb_batch)[start:start + most]):
                yield from run.of_batches(portion.samples(batches).inputs, portion.batch_size)


def _not_joinable(arrays: Sequence[np.ndarray], name: str, where: str) -> KeraFlowError:
    if not arrays[0].ndim:
        return GraphError(f"{where}: the output '{name}' is a scalar, which has no axis of samples.")
    shapes = dict.fromkeys(array.shape[1:] for array in arrays)
    return DataError(f"{where}: the batches gave samples of the shapes {', '.join(map(str, shapes))}, which cannot be "
                     'concatenated. Predict the batches one by one.')
