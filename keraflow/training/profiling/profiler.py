"""Profile a training step: count it, then run all of it, its stages and each of its parts, in turns."""
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from keraflow import backend as B
from keraflow import random
from keraflow.backend.batches import BatchLoop
from keraflow.backend.watching import watching
from keraflow.callbacks import CallbackList
from keraflow.data.arrays import Arrays
from keraflow.data.batch_sources import ArrayBatchSource
from keraflow.data.data_adapter import DataAdapter
from keraflow.data.iterables import is_iterable_of_batches
from keraflow.errors import ArgumentTypeError, describe
from keraflow.graph.parameters import parameters_of
from keraflow.graph.records import recording
from keraflow.training.functions import CompiledFunctions
from keraflow.training.loop import Loop
from keraflow.training.profiling import memory
from keraflow.training.profiling.alone import Alone, Results, Trained, of_layer
from keraflow.training.profiling.counting import Counter, PartRun
from keraflow.training.profiling.profile import Profile
from keraflow.training.profiling.rows import rows_of, stages_of
from keraflow.training.profiling.timing import Stopwatch, TimedLoop, take_turns, warm_up
from keraflow.training.profiling.unchanged import unchanged
from keraflow.training.profiling.whole import Stages
from keraflow.training.progress import Progress

__all__ = ['profile']

#: The most batches that are used.
_MAX_NB_BATCH = 32

#: The seconds of a turn, about. Where other programs run, the shortest of many short turns is least disturbed.
_SECONDS_OF_STAGES, _SECONDS_OF_PARTS = 0.1, 0.06


def profile(model: Any, functions: CompiledFunctions, x: Any, y: Any, batch_size: Optional[int], sample_weights: Any,
            nb_turn: int) -> Profile:
    """Measure the parts of a step of a compiled model. What the model holds is afterwards as it was before."""
    arrays, size = _arrays(model, functions, x, y, batch_size, sample_weights)
    with unchanged(model, functions.optimizer):
        return _Profiler(model, functions.afresh(), arrays, size).run(nb_turn)


def _arrays(model: Any, functions: CompiledFunctions, x: Any, y: Any, batch_size: Optional[int],
            sample_weights: Any) -> Tuple[Arrays, int]:
    """Return the samples of some whole batches, and the size of these."""
    if is_iterable_of_batches(x):
        raise ArgumentTypeError(f'{model.name}: profile: x: expected arrays, received {describe(x)}. Pass the arrays '
                                'of one or more batches.')
    adapter = DataAdapter(model, 'profile', functions.target_specs())
    given = adapter.arrays(x, y, sample_weights)
    size = min(adapter.batch_size(batch_size), given.nb_sample)
    some = given.part(slice(0, size * min(given.nb_sample // size, _MAX_NB_BATCH)), copies=True)
    adapter.array_source(some, batch_size)      # raises for samples that do not fill a batch
    return some, size


class _Profiler:
    """One profile of a step.

    Parameters
    ----------
    model, functions
    arrays : Arrays
    size : int
        The number of samples in a batch.
    """

    def __init__(self, model: Any, functions: CompiledFunctions, arrays: Arrays, size: int):
        self._model = model
        self._functions = functions
        self._arrays = arrays
        self._size = size
        self._flat = [np.asarray(it) for it in arrays.flat]
        self._batch = [it[:size] for it in self._flat]
        self._specs = functions.specs(arrays.weighting)
        optimizer = functions.optimizer
        self._trained = {id(one.variable): Trained(one.variable, optimizer.skips_zeros and one.constraint is None)
                         for one in functions.parameters if one.trainable}
        self._stream = random.Stream(is_counted=False)
        self._nothing = functions.totals.nothing()      # may run layers, so before these are counted

    def run(self, nb_turn: int) -> Profile:
        """Measure, and return what was found."""
        functions = self._functions
        # Costs are counted of the shapes of a batch; the step itself may know less of them.
        whole = B.trace(self._count, [spec._replace(shape=it.shape) for spec, it in zip(self._specs, self._batch)])
        estimated = memory.estimate(functions.parameters, list(functions.optimizer.state().values()), self._batch,
                                    self._flat, whole.cost)
        before = memory.resident()
        memory.forget_peak()
        fit, loop, road = self._steps()
        used: Dict[str, Optional[int]] = {**estimated, 'resident': before, 'peak': memory.peak(before)}
        until = [*self._until(road.execution), loop]
        warm_up(until[::-1], _SECONDS_OF_STAGES)
        alone = self._apart(road.execution)
        take_turns([fit, *until, *(one for some in alone for one in some)], nb_turn)
        stages = stages_of([*until, fit])
        rows = rows_of(self._model, functions.optimizer, whole, alone, stages)
        return Profile(self._model.name, B.name(), road.execution, road.reason, self._size, 1000 * fit.least, rows,
                       stages, used)

    def _steps(self) -> Tuple[Stopwatch, Stopwatch, BatchLoop]:
        """Return watches of the steps of ``fit``, and of its loop alone; and that, which has chosen its road."""
        arrays, size, functions = self._arrays, self._size, self._functions
        train, nb_batch = functions.train_loop(arrays.weighting), arrays.nb_sample // size
        loaded, rows = train.load(self._flat), np.arange(arrays.nb_sample).reshape(-1, size)

        def run_loop(nb_step: int) -> int:
            train.sum(loaded, np.resize(rows, (nb_step, size)), self._nothing)
            return nb_step
        train.prepare(10 ** 6)  # as if many steps followed
        loop = Stopwatch(run_loop)
        loop.time(2)
        nb_batch = min(nb_batch, loop.steps_in(_SECONDS_OF_STAGES))     # no longer than the turns of others
        source = ArrayBatchSource(arrays.part(slice(0, nb_batch * size)), size, self._model._stream.order)

        def run_fit(nb_step: int) -> int:
            nb_epoch = max(1, round(nb_step / nb_batch))
            Loop(self._model, functions, source, None, CallbackList((), self._model),
                 Progress(0, nb_epoch)).run(range(nb_epoch))
            return nb_epoch * nb_batch
        fit = Stopwatch(run_fit)
        warm_up([fit], _SECONDS_OF_STAGES)
        return fit, loop, train.latest

    def _until(self, execution: str) -> List[Stopwatch]:
        """Return watches of the step until the end of its first stages."""
        stages = Stages(self._functions, self._arrays.weighting, list(self._trained.values()), self._batch)
        return [Stopwatch(TimedLoop(one, self._specs, self._flat, execution, self._size))
                for one in (stages.data, stages.forward, stages.backward)]

    def _apart(self, execution: str) -> List[List[Stopwatch]]:
        """Return the watches of each run by itself, in their order: none of those inside loops over time."""
        trainability = self._functions.predictor.trainability
        alone: List[Optional[Alone]] = []
        places: Dict[int, int] = {}

        def build(*tensors: Any) -> tuple:
            alone[:] = [None if run.is_in_loop else
                        Alone(run, self._compute(run), self._trained_in(run), trainability)
                        for run in self._count(*tensors).all_inside()]
            # What one layer gives and the next is given is one array.
            found = {id(x): x for one in alone if one for x in one.tensors}
            places.clear()
            places.update({key: place for place, key in enumerate(found)})
            return list(found.values()), []
        arrays = list(map(np.asarray, B.compile(build, self._specs)(*self._batch)))
        return [self._watches(one, [arrays[places[id(x)]] for x in one.tensors], execution) if one else []
                for one in alone]

    def _watches(self, alone: Alone, arrays: List[np.ndarray], execution: str) -> List[Stopwatch]:
        """Return watches of a part that is given some arrays: of nothing of it, forward, and with its gradients."""
        alone.take(arrays)
        builders = [alone.nothing, alone.forward, *([alone.backward] if alone.has_gradients else [])]
        watches = [Stopwatch(TimedLoop(one, alone.specs(), alone.samples(), execution)) for one in builders]
        warm_up(watches, _SECONDS_OF_PARTS)
        return watches

    def _compute(self, run: PartRun) -> Callable:
        return self._of_loss if run.layer is None else of_layer(run.layer)

    def _trained_in(self, run: PartRun) -> List[Trained]:
        """Return the variables whose gradients a part computes."""
        if run.layer is None:       # the loss
            return [self._trained[id(one.variable)] for one in self._functions.parameters
                    if one.trainable and one.regularizer is not None]
        return [self._trained[id(one.variable)] for one in parameters_of([run.layer])
                if id(one.variable) in self._trained]

    # -- in a builder -----------------------------------------------------------------------------------------------

    def _count(self, *tensors: Any) -> PartRun:
        """Run all layers and the loss, and return what was counted."""
        functions = self._functions
        counter = Counter(tensors, [one.variable for one in self._trained.values()])
        x, y, weights = functions.unpack(self._arrays.weighting, tensors)
        with random.drawing(self._stream), B.phase('train'), recording() as record, watching(counter):
            outputs = functions.predictor.outputs(x)
            with counter.part(PartRun(None, outputs, {'y': y, 'weights': weights},
                                      [counter.gets_gradient(it) for it in outputs])):
                terms = functions.terms(record, outputs, y, weights)
                terms.loss(), functions.totals.of_batch(tensors[0], terms)
        return counter.whole

    def _of_loss(self, outputs: List[Any], arguments: Any) -> Results:
        """Compute the loss and the metrics from the outputs."""
        functions = self._functions
        with recording() as record:
            terms = functions.terms(record, outputs, arguments['y'], arguments['weights'])
        return Results([], [terms.loss()], [functions.totals.of_batch(outputs[0], terms)])
