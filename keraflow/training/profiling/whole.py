"""The step of a model without its last stages: the update, the gradients, the run forward."""
from typing import Any, List, Sequence, Tuple

from keraflow import backend as B
from keraflow import random
from keraflow.graph.records import recording
from keraflow.training.functions import CompiledFunctions
from keraflow.training.profiling.alone import Trained, consumed, vector

__all__ = ['Stages']


class Stages:
    """Builders that take the tensors of a batch and run more and more of a step.

    Parameters
    ----------
    functions : CompiledFunctions
    weighting : tuple of int
        As for :meth:`CompiledFunctions.train_loop`.
    trained : sequence of Trained
    arrays : list of array
        A batch.
    """

    def __init__(self, functions: CompiledFunctions, weighting: Tuple[int, ...], trained: Sequence[Trained],
                 arrays: Sequence[Any]):
        self._functions = functions
        self._weighting = weighting
        self._trained = trained
        self._stream = random.Stream(is_counted=False)      # that of the model stays where it is
        self._batch = [B.variable(0 * it) for it in arrays]
        self._gradients = [B.variable(0 * B.get_value(variable)) for variable, _ in trained]

    def data(self, *tensors: Any) -> tuple:
        """Take the batch."""
        return [B.zeros((1,))], list(zip(self._batch, tensors))

    def forward(self, *tensors: Any) -> tuple:
        """Run the layers, the loss and the metrics."""
        with random.drawing(self._stream), B.phase('train'):
            loss, others = self._loss(tensors)
        return [vector([loss, *others])], []

    def backward(self, *tensors: Any) -> tuple:
        """Compute the gradients, too."""
        with random.drawing(self._stream), B.phase('train'):
            loss, others, gradients = B.value_and_row_gradients(
                lambda: self._loss(tensors), [one.variable for one in self._trained],
                [one.by_rows for one in self._trained])
        rows, kept = consumed(gradients, self._gradients)
        return [vector([loss, *others, *rows])], kept

    def _loss(self, tensors: Sequence[Any]) -> Tuple[Any, List[Any]]:
        functions = self._functions
        x, y, weights = functions.unpack(self._weighting, tensors)
        with recording() as record:
            terms = functions.terms(record, functions.predictor.outputs(x), y, weights)
        return terms.loss(), [functions.totals.of_batch(tensors[0], terms), *(value for _, value in record.updates)]
