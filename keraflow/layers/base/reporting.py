"""What a run of a layer tells beside its output: new values of states, losses."""
import functools
from typing import Any, Callable, List, Sequence

from keraflow import backend as B
from keraflow import registry
from keraflow.arguments import to_list
from keraflow.backend.tensor_checks import check_new_value, check_scalar
from keraflow.backend.tensor_info import info_of
from keraflow.errors import ArgumentTypeError, GraphError, describe
from keraflow.graph.counted import expand_mask
from keraflow.graph.records import AddedLoss, Update, record_loss, record_update, recorded_value, runs_frozen
from keraflow.layers.base.masks import counted_samples, sample_count
from keraflow.layers.base.slots import Run, current_run, run_of

__all__ = ['Reporting']


class Reporting:
    """The part of :class:`~keraflow.layers.Layer` that reports to :mod:`keraflow.graph.records`."""

    name: Any
    activity_regularizer: Any

    def __init__(self) -> None:
        self._standing: List[Callable[[], None]] = []   # what init_param() says of each run

    def add_update(self, variable: Any, value: Any = None, inputs: Any = None) -> None:
        """Say, inside of :meth:`output`, that this run gives a state variable a new value; ``fit`` then sets it.

        Parameters
        ----------
        variable : variable or list of pairs
            Or all at once: ``add_update([(mean, new_mean), (count, count + 1)], inputs)``.
        value : tensor or function
            A layer that is called several times in a run computes it from :meth:`latest`, so that no call is lost.
            Inside of ``init_param`` it is a function without arguments, which is called in each run.
        inputs : tensor or list of tensor, optional
            The inputs that the value depends on, if it does, by which ``get_updates_for`` finds it.
        """
        pairs: Sequence[Any] = [(variable, value)]
        if isinstance(variable, (list, tuple)):
            pairs, inputs = _pairs(variable, f'{self.name}: add_update'), value if inputs is None else inputs
        for one, new in pairs:
            if not B.is_variable(one):
                raise ArgumentTypeError(f'{self.name}: add_update: expected a variable, such as set_state_params '
                                        'makes.')
            self._report_now_or_later('add_update', new, inputs, functools.partial(_report_update, self, one))

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add to what is minimized and evaluated, inside of :meth:`output`.

        Parameters
        ----------
        losses : tensor, function or list of them
            Scalars. Inside of ``init_param`` they are functions without arguments, which are called in each run:
            ``self.add_loss(lambda: B.sum(B.square(self.W)))``.
        inputs : tensor or list of tensor, optional
            The inputs that they depend on: they then count for each call of the layer. Without, they are taken to
            depend on the parameters alone, and count once however often the layer is called.
        """
        for loss in to_list(losses):
            self._report_now_or_later('add_loss', loss, inputs, functools.partial(_report_loss, self))

    def _report_now_or_later(self, method: str, value: Any, inputs: Any, report: Callable[[Any, bool], None]) -> None:
        """Report a value, or what a function gives; in all runs to come if it is ``init_param`` that runs now."""
        run = self._check_running(method)
        if not run.is_initial:
            report(value() if callable(value) else value, inputs is not None)
        elif callable(value) and inputs is None:
            self._standing.append(lambda: report(value(), False))
        else:
            received = 'inputs' if callable(value) else describe(value)
            raise ArgumentTypeError(f'{self.name}: {method}: expected a function without arguments inside of '
                                    f'init_param(), and no inputs, received {received}. Write lambda: ... for what '
                                    'each run computes anew, or call it in output().')

    def _report_standing(self) -> None:
        for report in self._standing:
            report()

    def latest(self, variable: Any) -> Any:
        """The value that the calls before this one in the same run give a state variable, else the variable."""
        return recorded_value(variable)

    @property
    def is_frozen(self) -> bool:
        """Inside of :meth:`output`: whether the layer is not trainable, or is run by one that is not."""
        return runs_frozen()

    def _check_running(self, method: str) -> Run:
        """The run of this layer in which `method` is called."""
        run = current_run()
        if run is None or run.layer is not self:
            raise GraphError(f'{self.name}: {method}: expected a call inside of output(), received one outside of it. '
                             'Write it in output() of a layer that takes what it needs.')
        return run

    def penalize(self, outputs: List[Any]) -> None:
        """Add what the activity regularizer gives for the outputs of a run, in which masked steps are 0."""
        if self.activity_regularizer is not None:
            regularizer = registry.resolve('regularizer', self.activity_regularizer, f'{self.name}: ')
            for tensor in outputs:
                penalty = regularizer(_what_counts(tensor))
                check_scalar(penalty, f'{self.name}: activity_regularizer')
                penalty = penalty / B.cast(sample_count(tensor), B.dtype(penalty))
                record_loss(object(), AddedLoss(self, 'activity', 0, penalty, True, True))


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
    """A tensor that is 0 in steps that are masked, and in parts of samples that do not count."""
    for mask in (info_of(tensor).mask, counted_samples()):
        tensor = tensor if mask is None else B.where(expand_mask(mask, tensor), tensor, 0.)
    return tensor


def _pairs(updates: Sequence[Any], where: str) -> Sequence[Any]:
    """Pairs of a variable and a value, of which one may stand by itself."""
    pairs = [updates] if len(updates) == 2 and B.is_variable(updates[0]) else updates
    for one in pairs:
        if not isinstance(one, (list, tuple)) or len(one) != 2:
            raise ArgumentTypeError(f'{where}: expected pairs of a variable and its new value, received '
                                    f'{describe(one)}.')
    return pairs
