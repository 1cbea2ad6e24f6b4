"""React to SIGTERM, by which a system asks a program to end: between two calls, where training can be saved."""
import contextlib
import signal
import threading
from types import FrameType
from typing import Any, Iterator, Optional

from keraflow.errors import warn

__all__ = ['Terminated', 'Termination']


class Terminated(BaseException):
    """Training ends because of SIGTERM. It is not an Exception, so that code of the program does not catch it."""


class Termination:
    """A context in which SIGTERM is noticed instead of ending the program.

    Parameters
    ----------
    is_wanted : bool
        Without it nothing happens.
    where : str
        Start of a message.

    Attributes
    ----------
    is_asked : bool
        Whether there was a SIGTERM.
    """

    def __init__(self, is_wanted: bool, where: str):
        self.is_asked = False
        self._is_wanted = is_wanted
        self._where = where
        self._is_waiting = False
        self._before: Any = None

    def __enter__(self) -> 'Termination':
        if not self._is_wanted:
            return self
        if threading.current_thread() is not threading.main_thread():
            warn(f'{self._where}: SIGTERM can be noticed by the main thread only. Call fit there, or leave on_sigterm '
                 'out.')
        elif signal.getsignal(signal.SIGTERM) is not None:      # None: code that is not Python's handles it
            self._before = signal.signal(signal.SIGTERM, self._notice)
        return self

    def __exit__(self, *error: Any) -> None:
        before, self._before = self._before, None
        if before is not None:
            signal.signal(signal.SIGTERM, before)
            if self.is_asked and callable(before):      # one of the program, which still gets to know
                before(signal.SIGTERM, None)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Let SIGTERM end a block that only waits: it raises :class:`Terminated`."""
        self._is_waiting = True
        try:
            if self.is_asked:
                raise Terminated
            yield
        finally:
            self._is_waiting = False

    def _notice(self, number: int, frame: Optional[FrameType]) -> None:
        self.is_asked = True
        if self._is_waiting:
            self._is_waiting = False        # the block is left once
            raise Terminated
