"""Guards of variables: no thread sees the variables of a half-finished step of another.

Each layer that owns variables has the guard of the first model that ran or was read with it. A model has the guards of
its layers: usually one, more if it shares layers with other models. A compiled function holds the guards of its model
while it computes, exclusively if it changes variables and shared if it does not; so does code that reads or sets all
weights. Waiting threads are served in order of arrival. No guard is held while waiting for data, or while code of
layers or callbacks runs.
"""
import collections
import contextlib
import itertools
import threading
from typing import Any, Deque, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

__all__ = ['changing', 'guards_of', 'held', 'reading']


class _Waiting(NamedTuple):
    thread: int
    changes: bool
    turn: threading.Lock        # released when the thread gets the guard


class Guard:
    """A reentrant lock, shared by threads that read variables or held by one that changes them."""

    _numbers = itertools.count()

    def __init__(self) -> None:
        self.number = next(self._numbers)       # several guards are taken in this order, which avoids deadlocks
        self._mutex = threading.Lock()
        self._holders: Dict[int, int] = {}      # the number of times each thread holds it
        self._is_changing = False
        self._waiting: Deque[_Waiting] = collections.deque()

    def take(self, changes: bool) -> None:
        """Acquire the guard. A thread that holds it only for reading gets it for changes, too, but not alone."""
        me = threading.get_ident()
        with self._mutex:
            # Nobody overtakes those who wait, so that readers in turn cannot keep a change waiting for ever.
            if me in self._holders or not self._waiting and self._is_free(changes):
                self._give(me, changes)
                return
            waiting = _Waiting(me, changes, threading.Lock())
            waiting.turn.acquire()
            self._waiting.append(waiting)
        try:
            waiting.turn.acquire()
        except BaseException:       # Ctrl-C
            with self._mutex:
                came_before = waiting not in self._waiting      # the guard, given in the same moment
                if not came_before:
                    self._waiting.remove(waiting)
            if came_before:
                self.leave()
            raise

    def leave(self) -> None:
        """Release the guard once."""
        me = threading.get_ident()
        with self._mutex:
            self._holders[me] -= 1
            if not self._holders[me]:
                del self._holders[me]
            while self._waiting and self._is_free(self._waiting[0].changes):
                thread, changes, turn = self._waiting.popleft()
                self._give(thread, changes)
                turn.release()

    def _is_free(self, changes: bool) -> bool:
        return not self._holders or not (changes or self._is_changing)

    def _give(self, thread: int, changes: bool) -> None:
        if not self._holders:
            self._is_changing = changes
        self._holders[thread] = self._holders.get(thread, 0) + 1


#: The guard of the variables of layers that no model has run yet.
_UNUSED = Guard()


def guards_of(layers: Iterable[Any]) -> Tuple[Guard, ...]:
    """Return the guards of all variables of some layers, in the order in which they must be taken."""
    owners = _owners(layers)
    if any(owner._parameters.guard is None for owner in owners):
        own = Guard()
        with held([_UNUSED], True):     # wait for all who read them under this guard
            for owner in owners:
                owner._parameters.guard = owner._parameters.guard or own      # another thread may have set it
    return _ordered(owner._parameters.guard for owner in owners)


@contextlib.contextmanager
def held(guards: Sequence[Guard], changes: bool) -> Iterator[None]:
    """Hold guards, given in their order, to read or to change variables."""
    taken: List[Guard] = []
    try:
        for guard in guards:
            guard.take(changes)
            taken.append(guard)
        yield
    finally:
        for guard in reversed(taken):
            guard.leave()


def reading(layer: Any) -> contextlib.AbstractContextManager:
    """Keep functions of models from changing the variables of a layer, and of those in it, inside the block."""
    return _holding(layer, False)


def changing(layer: Any) -> contextlib.AbstractContextManager:
    """Keep functions of models from using the variables of a layer, and of those in it, inside the block."""
    return _holding(layer, True)


@contextlib.contextmanager
def _holding(layer: Any, changes: bool) -> Iterator[None]:
    guards = _known(layer)
    while True:
        with held(guards, changes):
            now = _known(layer)
            if now == guards:       # no model took the layers while this thread waited
                yield
                return
        guards = now


def _known(layer: Any) -> Tuple[Guard, ...]:
    return _ordered(owner._parameters.guard or _UNUSED for owner in _owners([layer]))


def _ordered(guards: Iterable[Guard]) -> Tuple[Guard, ...]:
    return tuple(sorted(set(guards), key=lambda guard: guard.number))


def _owners(layers: Iterable[Any]) -> List[Any]:
    """List those of the layers, and of the layers in them, that have variables."""
    found: Dict[int, Any] = {}
    waiting = list(layers)
    while waiting:
        layer = waiting.pop()
        if id(layer) not in found:
            found[id(layer)] = layer
            waiting.extend(layer.embedded_layers)
    return [layer for layer in found.values() if layer._parameters]
