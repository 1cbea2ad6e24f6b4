"""What there is of a run of layers beside tensors: new values of states, losses, whether the layers are frozen."""
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
    number: int             # among those that the layer adds in one run
    value: Any
    is_penalty: bool        # part of what is minimized only, like regularizers, not of what is evaluated
    is_conditional: bool    # whether it depends on the inputs of a call


class Update(NamedTuple):
    """A state variable and its new value."""

    variable: Any
    value: Any
    is_conditional: bool


class RunRecord:
    """What a run of layers on tensors gives beside tensors, for who uses layers as plain functions.

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
        self.layers: Dict[int, Any] = {}        # those that nobody embeds
        self.outputs: Dict[int, List[List[Any]]] = {}   # of each run of each layer, if they are kept
        self.keeps_outputs = keeps_outputs

    @property
    def updates(self) -> List[Tuple[Any, Any]]:
        """Pairs of a state variable and the last value that it was given."""
        return [(one.variable, one.value) for one in self.values.values()]

    @property
    def losses(self) -> List[Any]:
        """Scalars to minimize beside the loss: of the regularizers of trained parameters, each once; of
        ``add_loss``, and of activity regularizers."""
        parameters = parameters_of(self.layers.values())
        return [*(value for _, value in penalties(parameters)), *(one.value for one in self.added.values())]


_record: contextvars.ContextVar[Optional[RunRecord]] = contextvars.ContextVar('_record', default=None)
_frozen: contextvars.ContextVar[bool] = contextvars.ContextVar('_frozen', default=False)


@contextlib.contextmanager
def recording(keeps_outputs: bool = False) -> Iterator[RunRecord]:
    """Collect what the layers that run on tensors inside give beside tensors (and those, too, if `keeps_outputs`), in a
    :class:`RunRecord`. What other threads run meanwhile is not in it."""
    record = RunRecord(keeps_outputs)
    with bound(_record, record):
        yield record


def record_run(layer: Any, outputs: List[Any], is_embedded: bool) -> None:
    """Note what a layer gave. Outside of :func:`recording` nobody asks for it."""
    record = _record.get()
    if record is not None and not is_embedded:
        record.layers[id(layer)] = layer
    if record is not None and record.keeps_outputs:
        record.outputs.setdefault(id(layer), []).append(outputs)


def record_update(update: Update) -> None:
    """Note that the run gives a variable a new value; one that was computed from inputs stays conditional."""
    record = _record.get()
    if record is not None:
        before = record.values.get(id(update.variable), update)
        is_conditional = update.is_conditional or before.is_conditional
        record.values[id(update.variable)] = update._replace(is_conditional=is_conditional)


def record_loss(key: Hashable, loss: AddedLoss) -> None:
    """Note a loss of the run, unless there is one of this key already."""
    record = _record.get()
    if record is not None:
        record.added.setdefault(key, loss)


def recorded_value(variable: Any) -> Any:
    """The value that the run has given `variable` so far, else the variable."""
    record = _record.get()
    return record.values[id(variable)].value if record is not None and id(variable) in record.values else variable


def frozen(yes: bool) -> ContextManager[None]:
    """Inside, layers are run by one that is not trainable, if `yes` or if that was so before."""
    return bound(_frozen, yes or _frozen.get())


def runs_frozen() -> bool:
    """Whether a layer that is not trainable is running."""
    return _frozen.get()
