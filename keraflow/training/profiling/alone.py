"""Run a part of a step alone, on what it is given in the step: nothing of it, forward, and with its gradients."""
import contextlib
import itertools
from typing import Any, Callable, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow import random
from keraflow.backend.contract import FLOATS, Rows, TensorSpec
from keraflow.backend.layouts import sources_of, to_outer
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.graph.call_arguments import is_spec, parts_in, replaced
from keraflow.graph.records import frozen, recording
from keraflow.graph.trainability import Trainability
from keraflow.training.profiling.counting import PartRun

__all__ = ['Alone', 'Results', 'Trained', 'consumed', 'of_layer', 'scratch_like', 'vector']


class Trained(NamedTuple):
    """A variable that gradients are computed for, and whether they may be by rows."""

    variable: Any
    by_rows: bool


class Results(NamedTuple):
    """What a part computes: outputs that gradients flow through, scalars of the loss itself, and the rest."""

    outputs: List[Any]
    losses: List[Any]
    others: List[Any]


#: Computes a part from its inputs and other arguments.
Compute = Callable[[List[Any], Any], Results]
#: In the place of a tensor.
_PLACE = TensorSpec((), 'float32')


class Alone:
    """One part of a step, as builders.

    Each returns a vector that depends on everything that it computes, and leaves in variables of its own what the part
    leaves in memory, so that no library omits any of it.

    Parameters
    ----------
    run : PartRun
        From a builder that yields the arrays of :attr:`tensors`, for :meth:`take`.
    compute : function
    trained : sequence of Trained
        The variables that gradients are computed for.
    trainability : Trainability
    """

    def __init__(self, run: PartRun, compute: Compute, trained: Sequence[Trained], trainability: Trainability):
        self.has_gradients = bool(trained) or any(run.gets_gradient)
        self._compute = compute
        self._trained = trained
        self._trainability = trainability
        self._is_frozen = run.is_frozen
        self._gets_gradient = run.gets_gradient
        self._stream = random.Stream(is_counted=False)      # that of the model stays where it is
        # In a chain of convolutions a layer is given what was computed in the other layout, and gives on the same.
        sources = sources_of(run.tensors)
        self._has_source = [source is not x for source, x in zip(sources, run.tensors)]
        infos = [info_of(x) for x in run.tensors]
        masks = [info.mask for info in infos if info.mask is not None]
        # Only places of tensors are kept: not the graph that they are from.
        self._infos = [info._replace(mask=None if info.mask is None else _PLACE, logs=None) for info in infos]
        self._arguments = replaced(run.arguments, lambda tensor: _PLACE, B.is_tensor)
        self._nb_output = len(run.outputs)
        #: Everything that the part is given, and its outputs.
        self.tensors = [*sources, *masks, *parts_in(run.arguments, B.is_tensor), *sources_of(run.outputs)]
        self._shapes = list(map(B.static_shape, self.tensors))

    def take(self, arrays: Sequence[np.ndarray]) -> None:
        """Learn the values of :attr:`tensors`, and forget these."""
        self.tensors = []
        nb_fed = len(arrays) - self._nb_output
        are_reals = [number < nb_fed or it.dtype.name in FLOATS for number, it in enumerate(arrays)]
        fed, outputs = arrays[:nb_fed], list(itertools.compress(arrays[nb_fed:], are_reals[nb_fed:]))
        self._shapes = list(itertools.compress(self._shapes, are_reals))
        # Any numbers will do as the gradients of outputs, except constants, with which a library would simplify.
        generator = np.random.default_rng(0)
        self.arrays = [*fed, *(generator.normal(size=it.shape).astype(it.dtype) for it in outputs)]
        inputs = fed[:len(self._infos)]
        self._inputs, self._outputs = [list(map(scratch_like, some)) for some in (inputs, outputs)]
        received = [it for it, gets in zip(inputs, self._gets_gradient) if gets]
        self._gradients = [scratch_like(it) for it in [*(B.get_value(one.variable) for one in self._trained),
                                                       *received]]

    def samples(self) -> List[np.ndarray]:
        """Return what it is fed, as two equal samples: an index chooses one, so that nothing is the same in each step
        and could be computed once."""
        return [np.stack([it, it]) for it in self.arrays]

    def specs(self) -> List[TensorSpec]:
        """Return the specs of samples, of which as much is known as in the step."""
        return [TensorSpec((None, *shape), it.dtype.name) for shape, it in zip(self._shapes, self.arrays)]

    # -- builders ---------------------------------------------------------------------------------------------------

    def nothing(self, *samples: Any) -> tuple:
        """Take the inputs, and compute nothing of the part."""
        inputs, _, gradients = self._unpacked(samples)
        return [vector([_total(gradients, gradients)])], list(zip(self._inputs, inputs))

    def forward(self, *samples: Any) -> tuple:
        """Compute the outputs."""
        fed = self._unpacked(samples)
        with self._running():
            total, results = self._loss(*fed)
        return [vector([total, *results.others])], list(zip(self._outputs, results.outputs))

    def backward(self, *samples: Any) -> tuple:
        """Compute the outputs and the gradients."""
        fed = self._unpacked(samples)
        received = [x for x, gets in zip(fed[0], self._gets_gradient) if gets]
        with self._running():
            total, results, gradients = B.value_and_row_gradients(
                lambda: self._loss(*fed), [*(one.variable for one in self._trained), *received],
                [*(one.by_rows for one in self._trained), *(False for _ in received)])
        rows, kept = consumed(gradients, self._gradients)
        return [vector([total, *results.others, *rows])], [*zip(self._outputs, results.outputs), *kept]

    def _unpacked(self, samples: Sequence[Any]) -> Tuple[List[Any], List[Any], List[Any]]:
        """Return the inputs, all else that the part is given, and the gradients of its outputs, of the one sample."""
        fed = [x[0] for x in samples]
        nb_input, nb_fed = len(self._infos), len(fed) - len(self._outputs)
        return fed[:nb_input], fed[nb_input:nb_fed], fed[nb_fed:]

    def _loss(self, inputs: List[Any], others: List[Any], gradients: List[Any]) -> Tuple[Any, Results]:
        """Return a scalar whose gradients to the outputs are `gradients`, and the results."""
        rest = iter(others)
        known = [_known(x, has_source, info, rest)
                 for x, has_source, info in zip(inputs, self._has_source, self._infos)]
        results = self._compute(known, replaced(self._arguments, lambda place: next(rest), is_spec))
        outputs = sources_of(results.outputs)
        reals = [x for x in outputs if B.dtype(x) in FLOATS]
        unreal = [x for x in outputs if B.dtype(x) not in FLOATS]
        total = sum((B.cast(x, B.floatx()) for x in results.losses), _total(reals, gradients))
        return total, results._replace(outputs=reals, others=[*results.others, *unreal])

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        with random.drawing(self._stream), B.phase('train'), self._trainability.kept(), frozen(self._is_frozen):
            yield


def of_layer(layer: Any) -> Compute:
    """Return how a layer computes."""
    def compute(tensors: List[Any], arguments: Any) -> Results:
        with recording() as record:
            outputs = layer.run(tensors, arguments)
        return Results(outputs, [one.value for one in record.added.values()], [value for _, value in record.updates])
    return compute


def scratch_like(array: np.ndarray) -> Any:
    """Return a variable in which a tensor like this array is left."""
    return B.variable(np.zeros(array.shape, array.dtype), array.dtype.name)


def consumed(gradients: Sequence[Any], variables: Sequence[Any]) -> Tuple[List[Any], List[tuple]]:
    """Return the values of gradients by rows, and for all others the updates that leave them in variables."""
    return ([one.values for one in gradients if isinstance(one, Rows)],
            [(variable, one) for variable, one in zip(variables, gradients) if not isinstance(one, Rows)])


def vector(tensors: Sequence[Any]) -> Any:
    """Return a vector of one number, to which each value of some tensors contributes."""
    return B.stack([sum((B.cast(B.sum(x), B.floatx()) for x in tensors), B.constant(0.))])


def _known(x: Any, has_source: bool, info: Any, rest: Iterator[Any]) -> Any:
    """Return an input with what is known of it in the step."""
    x = to_outer(B.current(), x) if has_source else B.identity(x)
    if info.says_mask:
        annotate(x, mask=None if info.mask is None else next(rest))
    return annotate(x, features=info.features, shape=info.shape)


def _total(tensors: Sequence[Any], factors: Sequence[Any]) -> Any:
    return sum((B.cast(B.sum(B.multiply(x, y)), B.floatx()) for x, y in zip(tensors, factors)), B.constant(0.))
