"""The functions that ``compile`` adds to a model: train and test, which run its graph with losses and metrics."""
import copy
import functools
import math
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.batches import BatchLoop
from keraflow.backend.contract import Finite, TensorSpec
from keraflow.data.array_spec import ArraySpec
from keraflow.data.windows import Portion
from keraflow.errors import GraphError, warn
from keraflow.graph.counted import part_weights
from keraflow.graph.records import RunRecord, recording
from keraflow.layers.base.reporting import penalize
from keraflow.layers.network import Network
from keraflow.schema import Execution
from keraflow.training.finite import finite_states
from keraflow.training.loss_terms import BatchTerms, Loss, WeightedMean, other_terms
from keraflow.training.model_function import FunctionCache, ModelLoop
from keraflow.training.predictor import Predictor, updates_outside_of_training
from keraflow.training.targets import seen_target, target_spec
from keraflow.training.totals import Meter, Report, Totals

__all__ = ['CompiledFunctions']


class CompiledFunctions:
    """The result of one ``compile``. Each function is built when first needed.

    Parameters
    ----------
    network : Network
        The graph to train. Only its inputs, outputs, calls and names are used; it does not know its functions.
    optimizer : Optimizer
    losses : sequence of Loss
    metrics : sequence of Report
    report_terms : bool
        Whether to report the terms of the loss one by one.
    execution : str
        How training runs, see :data:`~keraflow.schema.Execution`.
    """

    def __init__(self, network: Network, optimizer: Any, losses: Sequence[Loss], metrics: Sequence[Report],
                 report_terms: bool = False, execution: Execution = 'auto'):
        self.network = network
        self.optimizer = optimizer
        self.losses = list(losses)
        self.metrics = list(metrics)
        self.reports_terms = report_terms
        self.asked = execution
        self.execution: str = execution
        self.predictor = Predictor(network)
        self.parameters = self.predictor.parameters
        trained = [one for one in self.parameters if one.trainable]
        optimizer.build([one.variable for one in trained], [one.name for one in trained], network)
        self.totals = Totals(len(self.losses), lambda: self.term_names, self.metrics)
        self._functions = FunctionCache(network, self._computed_with)
        self._is_guarded = True
        self._term_names: Optional[List[str]] = None if report_terms else []
        self._has_warned_about_changes = self._has_warned_about_learning = False
        self._warned_metrics: Set[Tuple[str, bool]] = set()

    def afresh(self) -> 'CompiledFunctions':
        """Return the same, with functions that are built anew."""
        made = copy.copy(self)
        made._functions = FunctionCache(self.network, made._computed_with)
        return made

    # -- what is reported -------------------------------------------------------------------------------------------

    @property
    def term_names(self) -> List[str]:
        """The names of the terms of the loss, if they are reported one by one."""
        def labels(*tensors: Any) -> List[str]:
            with B.phase('train'), recording() as record:
                return self._terms(record, True, *self.unpack(unweighted, tensors)).labels
        unweighted = (0,) * len(self.losses)    # weights change no name
        if self._term_names is None:        # not under a lock, because code of layers runs
            self._term_names = B.trace(labels, self.specs(unweighted))
        return self._term_names

    @property
    def names(self) -> List[str]:
        """The names of what is reported for each epoch."""
        return ['loss', *self.term_names, *(one.label for one in self.metrics)]

    def larger_is_better(self, name: str) -> Optional[bool]:
        """Return whether larger values of what is reported under this name are better, or None if unknown."""
        label = name.removeprefix('val_')       # no label begins with it
        return next((one.metric.larger_is_better for one in self.metrics if one.label == label), False)

    def read(self, totals: Any) -> Dict[str, float]:
        """Return loss and metrics by name, from what a train or test function returns for one batch."""
        return self.totals.read(totals)

    def read_all(self, totals: Any) -> Dict[str, float]:
        """Do the same for the sum over all batches, and warn, once for each metric, if it is undefined or inexact."""
        for one, own in self.totals.of_metrics(totals):
            kind = one.label, math.isnan(one.metric.result(own))
            doubt = '' if kind in self._warned_metrics else one.metric.doubt(own)
            if doubt:
                self._warned_metrics.add(kind)
                warn(f'{self.network.name}: {one.label}: {doubt}')
        return self.read(totals)

    def meter(self, total: Optional[np.ndarray] = None) -> Meter:
        """Return a meter for the results of train and test loops: an empty one, or one that has a total already."""
        return Meter(self.read_all, self.totals.nothing(), total)

    def warn_about_changes(self) -> None:
        """Warn, once, about layers whose ``trainable`` was changed since ``compile`` read it."""
        changed = [] if self._has_warned_about_changes else self.predictor.trainability.changed()
        if changed:
            self._has_warned_about_changes = True
            some = ', '.join(changed[:5]) + (f' and {len(changed) - 5} more' if len(changed) > 5 else '')
            warn(f'{self.network.name}: fit: trainable of {some} was changed after compile, which reads it: it is '
                 'trained as compile read it. Compile again if the change is to count here; if it is meant for '
                 'another model alone, as in a GAN, ignore this warning.')

    # -- on arrays --------------------------------------------------------------------------------------------------

    def train_loop(self, weighting: Tuple[int, ...]) -> ModelLoop:
        """Return the loop over batches that adds up their totals and updates the parameters after each.

        `weighting` says which weights the batches have, see :attr:`Arrays.weighting`.
        """
        return self._functions.get(lambda: self.specs(weighting), self._build_train, weighting,
                                   kind=functools.partial(ModelLoop, execution=self.execution))

    def test_loop(self, weighting: Tuple[int, ...], phase: str = 'test') -> ModelLoop:
        """Return the loop over batches that adds up their totals."""
        return self._functions.get(lambda: self.specs(weighting), self._build_test, weighting, phase,
                                   kind=functools.partial(ModelLoop, execution=self.asked))

    @property
    def latest_loop(self) -> Optional[BatchLoop]:
        """The loop that trains, as it was built last; None before the first batch."""
        made = self.train_loops
        return made[-1][1].latest if made else None

    @property
    def settled_execution(self) -> str:
        """How training runs: as the latest loop, or as asked for while that may still change."""
        loop = self.latest_loop
        return self.execution if loop is None or not loop.is_settled else loop.execution

    @property
    def train_loops(self) -> List[Tuple[Tuple[int, ...], ModelLoop]]:
        """The loops that train, with the weights that their batches have."""
        return [(weighting, loop) for (weighting,), loop in self._functions.loops(self._build_train).items()]

    @property
    def expected_steps(self) -> List[Tuple[Tuple[int, ...], int, list]]:
        """How many steps were expected of each loop that trains, by the weights that its batches have, and for which
        lengths it has functions of their own."""
        return [(weighting, loop.nb_step, loop.latest.lengths()) for weighting, loop in self.train_loops]

    def checked_weighting(self, data: Any) -> Tuple[int, ...]:
        """Return the weights that batches have as plain data say, as :attr:`Arrays.weighting`, or raise ValueError."""
        if not isinstance(data, (list, tuple)) or len(data) != len(self.losses) or \
                not all(type(one) is int and 0 <= one <= 2 for one in data):
            raise ValueError(data)
        return tuple(data)

    def expect(self, steps: Iterable[Tuple[Tuple[int, ...], int, list]]) -> None:
        """Let loops that train run as those of which :attr:`expected_steps` spoke."""
        for weighting, nb_step, lengths in steps:
            self.train_loop(weighting).begin_as(nb_step, lengths)

    def continue_as(self, execution: str) -> None:
        """Train as a run that is continued did, unless ``compile`` says how."""
        loop = self.latest_loop
        is_other = execution != self.execution or execution == 'auto' and loop is not None and loop.is_settled
        if self.asked == 'auto' and is_other:
            self.execution = execution
            self._functions = FunctionCache(self.network, self._computed_with)

    def guard(self, is_guarded: bool) -> None:
        """Say whether steps that are not finite are left out, from now on."""
        if is_guarded != self._is_guarded:
            self._is_guarded = is_guarded
            self._functions = FunctionCache(self.network, self._computed_with)

    def evaluate(self, portions: Iterable[Portion], phase: str = 'test') -> Dict[str, float]:
        """Return loss and metrics over all batches."""
        meter = self.meter()
        for _ in self.evaluating(portions, meter, phase):
            pass
        return meter.logs()

    def evaluating(self, portions: Iterable[Portion], meter: Meter, phase: str = 'test') -> Iterator[int]:
        """Add the totals of all batches to a meter; yield, after some batches, how many these were."""
        for portion in portions:
            loop = self.test_loop(portion.window.arrays.weighting, phase)
            for rows in loop.pace.parts(portion.indices):
                meter.run(loop, portion.window, rows)
                yield len(rows)

    def target_specs(self) -> List[ArraySpec]:
        """Return what targets must be like, for the outputs that have a loss."""
        return [target_spec(self.network, one, [part.metric for part in self.metrics if part.output == one.output])
                for one in self.losses]

    def _computed_with(self) -> List[Any]:
        """Return the objects whose arguments the functions depend on."""
        return [*self.predictor.trainability.layers, self.optimizer, *(one.objective for one in self.losses),
                *(one.metric for one in self.metrics),
                *(part for one in self.parameters for part in (one.regularizer, one.constraint))]

    # -- in a builder -----------------------------------------------------------------------------------------------

    def _build_train(self, weighting: Tuple[int, ...], *tensors: Any) -> tuple:
        def loss_fn() -> tuple:
            with recording() as record:
                terms = self._terms(record, True, *self.unpack(weighting, tensors))
            if not terms.labels:
                raise GraphError(f'{self.network.name}: fit: there is nothing to minimize: no output has a loss, and '
                                 'no layer adds one. Pass an objective to compile, or call add_loss in a layer.')
            return terms.loss(), (self.totals.of_batch(tensors[0], terms), Finite(terms.each()), record.updates)
        with B.phase('train'):
            _, (totals, finite, states), updates = self.optimizer.minimize(loss_fn, self.parameters)
        self._warn_about_learning()
        updates = [finite, *updates, finite_states(states, self.parameters), *states]
        return [totals], updates if self._is_guarded else [one for one in updates if not isinstance(one, Finite)]

    def _warn_about_learning(self) -> None:
        """Warn, once, if nothing can be learned."""
        if not self._has_warned_about_learning and not any(one.trainable for one in self.parameters):
            self._has_warned_about_learning = True
            warn(f'{self.network.name}: fit: no parameter is trainable, so nothing is learned. Set trainable of a '
                 'layer and of the model to True, and compile again.')

    def _build_test(self, weighting: Tuple[int, ...], phase: str, *tensors: Any) -> tuple:
        x, *rest = self.unpack(weighting, tensors)
        with B.phase(phase), recording() as record:
            terms = self._terms(record, False, x, *rest)
        updates = updates_outside_of_training(record, phase, lambda: self.predictor.outputs(x))
        return [self.totals.of_batch(tensors[0], terms)], updates

    def _terms(self, record: RunRecord, is_trained: bool, x: Sequence[Any], y: Sequence[Any],
               weights: Sequence[Any]) -> BatchTerms:
        return self.terms(record, self.predictor.outputs(x), y, weights, is_trained)

    def terms(self, record: RunRecord, outputs: List[Any], y: Sequence[Any], weights: Sequence[Any],
              is_trained: bool = True) -> BatchTerms:
        """Return the terms of the loss and the totals of the metrics, for outputs that a run has recorded."""
        penalize(self.network, outputs)
        by_name = dict(zip(self.network.output_names(), outputs))
        seen = {spec.name: (*seen_target(by_name[spec.name], target, spec, self.network.name), weight)
                for spec, target, weight in zip(self.target_specs(), y, weights)}
        return BatchTerms({f'loss({one.output})': WeightedMean.of(one.objective, *seen[one.output])
                           for one in self.losses},
                          other_terms(self.network, record, self.parameters if is_trained else None),
                          [_totals_of(one.metric, *seen[one.output]) for one in self.metrics])

    def specs(self, weighting: Tuple[int, ...]) -> List[TensorSpec]:
        """Return shapes and dtypes of a builder's tensors: inputs, targets, and weights if there are any."""
        specs = self.target_specs()
        targets = [TensorSpec(spec.shape, spec.dtype, f'{spec.name}_target') for spec in specs]
        batch = self.network.inputs[0].shape[0]
        weights = [TensorSpec((batch, *spec.shape[1:])[:ndim], B.floatx(), f'{spec.name}_weights')
                   for spec, ndim in zip(specs, weighting) if ndim]
        return [*self.predictor.input_specs(), *targets, *weights]

    def unpack(self, weighting: Tuple[int, ...], tensors: Sequence[Any]) -> tuple:
        """Split the tensors of a builder into inputs, targets, and for each target its weights or None."""
        nb_input, nb_target = len(self.network.inputs), len(self.losses)
        given = iter(tensors[nb_input + nb_target:])
        return (tensors[:nb_input], tensors[nb_input:nb_input + nb_target],
                [next(given) if ndim else None for ndim in weighting])


def _totals_of(metric: Any, y_pred: Any, y_true: Any, weights: Any) -> Any:
    return metric.checked_totals(y_pred, y_true, part_weights(y_pred, weights))
