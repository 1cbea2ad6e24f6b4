"""What a run of layers yields besides tensors: new values of states, losses, and whether the layers are frozen."""
import contextlib
import contextvars
from typing import Any, ContextManager, Dict, Hashable, Iterator, List, NamedTuple, Optional, Tuple

from keraflow.contexts import bound
from keraflow.graph.parameters import parameters_of, penalties

__all__ = ['AddedLoss', 'RunRecord', 'Update', 'record_loss', 'record_run', 'recording', 'record_update',
           'recorded_value', 'frozen', 'runs_frozen']


class AddedLoss(NamedTuple):
    """A loss that a layer added, a scalar tensor."""

    layer: Any
    kind: str               # 'loss' or 'activity'
    number: int             # among the losses that the layer adds in one run
    value: Any
    is_penalty: bool        # minimized like a regularizer, but not part of evaluation
    is_conditional: bool    # whether it depends on the inputs of a call


class Update(NamedTuple):
    """A state variable and its new value."""

    variable: Any
    value: Any
    is_conditional: bool


class RunRecord:
    """What a run of layers on tensors yields besides tensors, for users of layers as plain functions.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> from keraflow import phase, recording
    >>> from keraflow.layers import BatchNormalization, Dense
    >>> dense, norm = Dense(2, init='one', regularizers=['l2']), BatchNormalization()
    >>> with phase('train'), recording() as run:
    ...     y = norm(dense(B.ones((4, 3))))
    >>> [round(float(B.eval(loss)), 4) for loss in run.losses]
    [0.06]
    """

    def __init__(self, keeps_outputs: bool = False) -> None:
        self.values: Dict[int, Update] = {}
        self.added: Dict[Hashable, AddedLoss] = {}
        self.layers: Dict[int, Any] = {}        # those that no layer embeds
        self.outputs: Dict[int, List[List[Any]]] = {}   # the outputs of each run of each layer, if kept
        self.keeps_outputs = keeps_outputs

    @property
    def updates(self) -> List[Tuple[Any, Any]]:
        """Pairs of a state variable and its latest new value."""
        return [(one.variable, one.value) for one in self.values.values()]

    @property
    def losses(self) -> List[Any]:
        """Scalars to add to the loss: of the regularizers of trained parameters, each once; of ``add_loss``; and of
        activity regularizers."""
        parameters = parameters_of(self.layers.values())
        return [*(value for _, value in penalties(parameters)), *(one.value for one in self.added.values())]


_record: contextvars.ContextVar[Optional[RunRecord]] = contextvars.ContextVar('_record', default=None)
_frozen: contextvars.ContextVar[bool] = contextvars.ContextVar('_frozen', default=False)


@contextlib.contextmanager
def recording(keeps_outputs: bool = False) -> Iterator[RunRecord]:
    """Collect what layers that run on tensors inside the block yield besides their outputs, in a :class:`RunRecord`.

    With `keeps_outputs` the outputs are kept, too. Runs in other threads are not included.
    """
    record = RunRecord(keeps_outputs)
    with bound(_record, record):
        yield record


def record_run(layer: Any, outputs: List[Any], is_embedded: bool) -> None:
    """Record the outputs of a layer, inside :func:`recording`."""
    record = _record.get()
    if record is not None and not is_embedded:
        record.layers[id(layer)] = layer
    if record is not None and record.keeps_outputs:
        record.outputs.setdefault(id(layer), []).append(outputs)


def record_update(update: Update) -> None:
    """Record a new value of a variable; once computed from inputs, it stays conditional."""
    record = _record.get()
    if record is not None:
        before = record.values.get(id(update.variable), update)
        is_conditional = update.is_conditional or before.is_conditional
        record.values[id(update.variable)] = update._replace(is_conditional=is_conditional)


def record_loss(key: Hashable, loss: AddedLoss) -> None:
    """Record a loss of the run, unless one with this key is there already."""
    record = _record.get()
    if record is not None:
        record.added.setdefault(key, loss)


def recorded_value(variable: Any) -> Any:
    """Return the value that the run has assigned to `variable` so far, else the variable."""
    record = _record.get()
    return record.values[id(variable)].value if record is not None and id(variable) in record.values else variable


def frozen(yes: bool) -> ContextManager[None]:
    """Run layers inside as parts of one that is not trainable, if `yes` or if that was so before."""
    return bound(_frozen, yes or _frozen.get())


def runs_frozen() -> bool:
    """Return whether a layer that is not trainable is running."""
    return _frozen.get()
