"""Report what a run of a layer yields besides its output: new values of states, losses."""
import functools
from typing import Any, Callable, Dict, List, Sequence

from keraflow import backend as B
from keraflow import registry
from keraflow.arguments import to_list
from keraflow.backend.tensor_checks import check_new_value, check_scalar
from keraflow.backend.tensor_info import info_of
from keraflow.errors import ArgumentTypeError, GraphError, describe, warn
from keraflow.graph.counted import expand_mask
from keraflow.graph.records import AddedLoss, Update, record_loss, record_update
from keraflow.layers.base.masks import counted_samples, sample_count
from keraflow.layers.base.run_state import Run, current_run, run_of

__all__ = ['Reports', 'penalize']


class Reports:
    """The reports of a layer's runs to :mod:`keraflow.graph.records`.

    Parameters
    ----------
    layer : Layer
        Its name begins messages.
    """

    __slots__ = ('_layer', '_standing', '_warned')

    def __init__(self, layer: Any):
        self._layer = layer
        self._standing: List[Callable[[], None]] = []       # what init_param() reports in each run
        self._warned: Dict[str, object] = {}    # what is warned of once

    def update(self, variable: Any, value: Any, inputs: Any) -> None:
        """Report a new value of a state, or pairs of states and values.

        Raises
        ------
        ArgumentTypeError
            If something is not a variable.
        """
        pairs: Sequence[Any] = [(variable, value)]
        if isinstance(variable, (list, tuple)):
            pairs = _pairs(variable, f'{self._layer.name}: add_update')
            inputs = value if inputs is None else inputs
        for one, new in pairs:
            if not B.is_variable(one):
                raise ArgumentTypeError(f'{self._layer.name}: add_update: expected a variable, such as '
                                        'set_state_params makes.')
            self._report_now_or_later('add_update', new, inputs, functools.partial(_report_update, self._layer, one))

    def loss(self, losses: Any, inputs: Any) -> None:
        """Report a loss, or a list of them."""
        for loss in to_list(losses):
            self._report_now_or_later('add_loss', loss, inputs, functools.partial(_report_loss, self._layer))

    def repeat(self) -> None:
        """Report what ``init_param`` wants reported in each run."""
        for report in self._standing:
            report()

    def lost_mask(self) -> None:
        """Warn, once per layer, that a run loses the mask of its input."""
        mine = object()
        if self._warned.setdefault('lost mask', mine) is mine:    # the first of all threads
            warn(f'{self._layer.name}: the mask of its input is lost, because {type(self._layer).__name__} neither '
                 'passes it on nor reads it: later layers treat masked steps as steps that count. If you intend that, '
                 'put a Masking(None) before it.')

    def forget(self) -> None:
        """Return to the state before ``init_param``."""
        self._standing.clear()

    def _report_now_or_later(self, method: str, value: Any, inputs: Any, report: Callable[[Any, bool], None]) -> None:
        """Report a value, or that of a function; in all later runs if called from ``init_param``."""
        run = self._check_running(method)
        if not run.is_initial:
            report(value() if callable(value) else value, inputs is not None)
        elif callable(value) and inputs is None:
            self._standing.append(lambda: report(value(), False))
        else:
            received = 'inputs' if callable(value) else describe(value)
            raise ArgumentTypeError(f'{self._layer.name}: {method}: expected a function without arguments inside '
                                    f'init_param(), and no inputs, received {received}. Write lambda: ... for what '
                                    'each run recomputes, or call it in output().')

    def _check_running(self, method: str) -> Run:
        """Return the run of this layer in which `method` is called."""
        run = current_run()
        if run is None or run.layer is not self._layer:
            raise GraphError(f'{self._layer.name}: {method}: expected a call inside output(), received one outside '
                             'it. Write it in output() of a layer that takes what it needs.')
        return run


def penalize(layer: Any, outputs: List[Any]) -> None:
    """Report the value of a layer's activity regularizer for the outputs of a run; masked steps count as 0."""
    if layer.activity_regularizer is not None:
        regularizer = registry.resolve('regularizer', layer.activity_regularizer, f'{layer.name}: ')
        for tensor in outputs:
            penalty = regularizer(_what_counts(tensor))
            check_scalar(penalty, f'{layer.name}: activity_regularizer')
            penalty = penalty / B.cast(sample_count(tensor), B.dtype(penalty))
            record_loss(object(), AddedLoss(layer, 'activity', 0, penalty, True, True))


def _report_update(layer: Any, variable: Any, value: Any, is_conditional: bool) -> None:
    check_new_value(value, variable, f'{layer.name}: add_update')
    record_update(Update(variable, value, is_conditional))


def _report_loss(layer: Any, loss: Any, is_conditional: bool) -> None:
    run: Any = run_of(layer)
    check_scalar(loss, f'{layer.name}: add_loss')
    key = object() if is_conditional else (id(layer), run.nb_loss)
    record_loss(key, AddedLoss(layer, 'loss', run.nb_loss, loss, False, is_conditional))
    run.nb_loss += 1


def _what_counts(tensor: Any) -> Any:
    """Return a tensor that is 0 in masked steps and in parts of samples that do not count."""
    for mask in (info_of(tensor).mask, counted_samples()):
        tensor = tensor if mask is None else B.where(expand_mask(mask, tensor), tensor, 0.)
    return tensor


def _pairs(updates: Sequence[Any], where: str) -> Sequence[Any]:
    """Return pairs of a variable and a value, also from a single pair."""
    pairs = [updates] if len(updates) == 2 and B.is_variable(updates[0]) else updates
    for one in pairs:
        if not isinstance(one, (list, tuple)) or len(one) != 2:
            raise ArgumentTypeError(f'{where}: expected pairs of a variable and its new value, received '
                                    f'{describe(one)}.')
    return pairs
