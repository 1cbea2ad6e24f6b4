"""What is special inside of a graph that XLA compiles.

XLA drops assertions: there each condition of data is an output. While such a graph is built, what it requires is
collected. A graph inside of it, such as the body of a loop, collects for itself, and hands on a code.
"""
import contextlib
import threading
from typing import Any, Iterator, List, Optional

from .library import tf

__all__ = ['HOLDS', 'Conditions', 'NotCompilable', 'avoid', 'collecting', 'current']

#: The code of conditions that all hold.
HOLDS = -1

_thread = threading.local()


class NotCompilable(Exception):
    """Something cannot be compiled, or is slower so, and runs as the library runs it."""


class Conditions:
    """What one graph requires.

    Parameters
    ----------
    tensor : tensor
        Any tensor of the graph.
    is_free : bool
        Whether it is free to run as the library runs it where that is faster.

    Attributes
    ----------
    messages : list of str
    code : tensor or None
        A scalar: the number of the message whose condition failed first, or :data:`HOLDS`; None if there are none.
    """

    def __init__(self, tensor: Any, is_free: bool):
        self._graph = tensor.graph
        self.is_free = is_free
        self.messages: List[str] = []
        self.code: Any = None

    def add(self, condition: Any, message: str) -> None:
        """Collect a condition, a scalar.

        Raises
        ------
        NotCompilable
            If it is in a graph inside of this one that does not hand it on.
        """
        self._add([message], tf.where(condition, HOLDS, 0))

    def add_inner(self, inner: 'Conditions', code: Any) -> None:
        """Collect those of a graph inside of this one, which has run with this code."""
        if inner.messages:
            self._add(inner.messages, code)

    def _add(self, messages: List[str], code: Any) -> None:
        if code.graph is not self._graph:
            raise NotCompilable('a function of the library inside of it has conditions of its own')
        number = tf.where(code < 0, code, code + len(self.messages))
        self.code = number if self.code is None else tf.where(self.code < 0, number, self.code)
        self.messages = [*self.messages, *messages]


def current() -> Optional[Conditions]:
    """Return the conditions of the graph being built, or None where the library's assertions work."""
    return getattr(_thread, 'conditions', None)


def avoid(reason: str) -> None:
    """Tell that what is being built runs faster as the library runs it.

    Raises
    ------
    NotCompilable
        If it may run so.
    """
    conditions = current()
    if conditions is not None and conditions.is_free:
        raise NotCompilable(reason)


@contextlib.contextmanager
def collecting(tensor: Any, is_free: bool = False) -> Iterator[Conditions]:
    """Collect the conditions of the graph of a tensor inside the block."""
    before, _thread.conditions = current(), Conditions(tensor, is_free)
    try:
        yield _thread.conditions
    finally:
        _thread.conditions = before
