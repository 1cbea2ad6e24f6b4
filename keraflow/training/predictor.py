"""What a network gives for arrays: its outputs, and whatever is computed inside of it."""
from typing import Any, Callable, Dict, Iterable, List, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.data.arrays import Arrays
from keraflow.errors import DataError, GraphError
from keraflow.graph.addresses import TensorAddress
from keraflow.graph.kensor import Kensor, replay
from keraflow.graph.parameters import parameters_of
from keraflow.graph.records import RunRecord, frozen, recording
from keraflow.graph.trainability import Trainability
from keraflow.layers.network import Network
from keraflow.training.model_function import FunctionCache

__all__ = ['Predictor', 'updates_outside_of_training']


class Predictor:
    """Runs a network on tensors and on arrays, with ``trainable`` of its layers as it is when this is made.

    Attributes
    ----------
    network : Network
        What is run. It does not know who runs it.
    parameters : list of Parameter
    trainability : Trainability
    """

    def __init__(self, network: Network):
        self.network = network
        self.parameters = parameters_of([network])
        self.trainability = Trainability([network])
        self._functions = FunctionCache(network, lambda: self.trainability.layers)

    # -- in a builder -----------------------------------------------------------------------------------------------

    def outputs(self, x: Sequence[Any]) -> List[Any]:
        """The outputs for some inputs."""
        tensors = self.tensors(x)
        return [tensors[kensor] for kensor in self.network.outputs]

    def tensors(self, x: Sequence[Any]) -> Dict[Kensor, Any]:
        """What each Kensor stands for, for some inputs."""
        fed = {kensor: kensor.mark(tensor) for kensor, tensor in zip(self.network.inputs, x)}
        with self.trainability.kept(), frozen(not self.network.trainable):
            return replay(self.network.calls, fed)

    # -- on arrays --------------------------------------------------------------------------------------------------

    def input_specs(self) -> List[TensorSpec]:
        """What the arrays of inputs are like."""
        return [kensor.spec for kensor in self.network.inputs]

    def predict(self, batches: Iterable[Arrays], phase: str) -> List[np.ndarray]:
        """The outputs for all batches."""
        run = self._functions.get(self.input_specs, self._build_predict, phase)
        return self._joined(run, batches, [self.network.names.short(it) for it in self.network.outputs], 'predict')

    def capture(self, batches: Iterable[Arrays], phase: str, addresses: Sequence[TensorAddress]) -> List[np.ndarray]:
        """What is computed at some addresses, for all batches. States stay as they are."""
        run = self._functions.get(self.input_specs, self._build_capture, phase, tuple(addresses))
        return self._joined(run, batches, [address.name for address in addresses], 'capture')

    def _build_predict(self, phase: str, *x: Any) -> tuple:
        with B.phase(phase), recording() as record:
            outputs = self.outputs(x)
        return outputs, updates_outside_of_training(record, phase, lambda: self.outputs(x))

    def _build_capture(self, phase: str, addresses: Sequence[TensorAddress], *x: Any) -> tuple:
        with B.phase(phase), recording(keeps_outputs=True) as record:
            tensors = self.tensors(x)
        return [address.tensor(f'{self.network.name}: capture', tensors, record) for address in addresses], []

    def _joined(self, run: Callable, batches: Iterable[Arrays], names: List[str], method: str) -> List[np.ndarray]:
        """For each name one array, of what a function gives for all batches."""
        parts = [[np.asarray(it) for it in run(*batch.inputs)] for batch in batches]
        return [_joined(arrays, name, f'{self.network.name}: {method}') for arrays, name in zip(zip(*parts), names)]


def updates_outside_of_training(record: RunRecord, phase: str, run: Callable[[], Any]) -> List[Tuple[Any, Any]]:
    """Those updates of a run that count where a network is not trained, whatever the phase.

    States that go on in prediction, as those of stateful layers, go on in the phase ``'train'``, too. What that phase
    alone changes, such as statistics, stays: a run in the phase ``'test'`` tells which that is.
    """
    if phase == 'test' or not record.updates:
        return record.updates
    with B.phase('test'), recording() as prediction:
        run()
    return [one for one in record.updates if id(one[0]) in prediction.values]


def _joined(arrays: Sequence[np.ndarray], name: str, where: str) -> np.ndarray:
    if not arrays[0].ndim:
        raise GraphError(f"{where}: the output '{name}' is a scalar, which has no axis of samples.")
    found = dict.fromkeys(array.shape[1:] for array in arrays)
    if len(found) > 1:
        raise DataError(f"{where}: the batches gave samples of the shapes {', '.join(map(str, found))}, which "
                        'cannot be concatenated. Predict the batches one by one.')
    return np.concatenate(arrays)
