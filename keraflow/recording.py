"""What a run of layers produces beside its outputs: updates of state variables."""
import contextlib
from typing import Any, Iterator, List, Tuple

__all__ = ['Record', 'recording', 'record_update']


class Record:
    """The side results of one run."""

    def __init__(self) -> None:
        self.updates: List[Tuple[Any, Any]] = []


_stack: List[Record] = []


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
        _stack[-1].updates.append((variable, value))
