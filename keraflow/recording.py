"""What there is of a run of layers beside tensors: new values of states, losses, whether the layers are frozen."""
import contextlib
from typing import Any, Dict, Hashable, Iterator, List, NamedTuple, Tuple

__all__ = ['AddedLoss', 'Record', 'record_loss', 'recording', 'record_update', 'recorded_value', 'frozen',
           'runs_frozen']


class AddedLoss(NamedTuple):
    """A loss that a layer added, a scalar tensor."""

    label: str
    value: Any
    is_penalty: bool        # part of what is minimized only, like regularizers, not of what is evaluated


class Record:
    """The side results of one run."""

    def __init__(self) -> None:
        self.values: Dict[int, Tuple[Any, Any]] = {}
        self.losses: Dict[Hashable, AddedLoss] = {}

    @property
    def updates(self) -> List[Tuple[Any, Any]]:
        """Pairs of a variable and the last value that it was given."""
        return list(self.values.values())


_stack: List[Record] = []
_frozen = [False]


@contextlib.contextmanager
def recording() -> Iterator[Record]:
    """Collect what the layers run inside produce."""
    record = Record()
    _stack.append(record)
    try:
        yield record
    finally:
        _stack.pop()


def record_update(variable: Any, value: Any) -> None:
    """Note that the run gives `variable` a new value. Outside of :func:`recording` nobody asks for it."""
    if _stack:
        _stack[-1].values[id(variable)] = (variable, value)


def record_loss(key: Hashable, loss: AddedLoss) -> None:
    """Note a loss of the run, unless there is one of this key already."""
    if _stack:
        _stack[-1].losses.setdefault(key, loss)


def recorded_value(variable: Any) -> Any:
    """The value that the run has given `variable` so far, else the variable."""
    return _stack[-1].values.get(id(variable), (variable, variable))[1] if _stack else variable


@contextlib.contextmanager
def frozen(yes: bool) -> Iterator[None]:
    """Inside, layers are run by one that is not trainable, if `yes` or if that was so before."""
    _frozen.append(yes or _frozen[-1])
    try:
        yield
    finally:
        _frozen.pop()


def runs_frozen() -> bool:
    """Whether a layer that is not trainable is running."""
    return _frozen[-1]
