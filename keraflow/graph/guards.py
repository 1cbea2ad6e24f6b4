"""Guards of variables: a step that changes some is never seen half done, in whatever thread the others are read.

Each layer that owns variables has the guard of the first model that ran or was read with it. A model has those of its
layers, as a rule one; what is shared with other models has theirs. A compiled function holds the guards of its model
while it computes, alone if it changes variables and together with others if it does not; so does who reads or sets all
weights. Whoever waits is served in the order of coming. No guard is held while data are waited for, or where the code
of layers or callbacks runs.
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
    turn: threading.Lock        # released when the thread has got what it waits for


class Guard:
    """Held by any number of threads that read, or by one that changes variables; it may hold it several times."""

    _numbers = itertools.count()

    def __init__(self) -> None:
        self.number = next(self._numbers)       # several are taken in this order
        self._mutex = threading.Lock()
        self._holders: Dict[int, int] = {}      # how often each thread holds it
        self._is_changing = False
        self._waiting: Deque[_Waiting] = collections.deque()

    def take(self, changes: bool) -> None:
        """Hold the guard; one that this thread holds only to read is no help to one that changes."""
        me = threading.get_ident()
        with self._mutex:
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
                came_before = waiting not in self._waiting
                if not came_before:
                    self._waiting.remove(waiting)
            if came_before:
                self.leave()
            raise

    def leave(self) -> None:
        """Hold the guard once less."""
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


#: Of the variables of layers that no model has run yet.
_UNUSED = Guard()


def guards_of(layers: Iterable[Any]) -> Tuple[Guard, ...]:
    """The guards of all variables of some layers, in the order in which they are taken."""
    owners = _owners(layers)
    if any(owner._guard is None for owner in owners):
        own = Guard()
        with held([_UNUSED], True):     # whoever reads them as they are comes to an end
            for owner in owners:
                owner._guard = owner._guard or own
    return _ordered(owner._guard for owner in owners)


@contextlib.contextmanager
def held(guards: Sequence[Guard], changes: bool) -> Iterator[None]:
    """Inside, this thread holds some guards, given in their order, to read or to change variables."""
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
    """Inside, the variables of a layer, and of those in it, are not changed by a function of a model."""
    return _holding(layer, False)


def changing(layer: Any) -> contextlib.AbstractContextManager:
    """Inside, the variables of a layer, and of those in it, are neither read nor changed by a function of a model."""
    return _holding(layer, True)


@contextlib.contextmanager
def _holding(layer: Any, changes: bool) -> Iterator[None]:
    guards = _known(layer)
    while True:
        with held(guards, changes):
            now = _known(layer)
            if now == guards:       # no model got the layers while this thread waited
                yield
                return
        guards = now


def _known(layer: Any) -> Tuple[Guard, ...]:
    return _ordered(owner._guard or _UNUSED for owner in _owners([layer]))


def _ordered(guards: Iterable[Guard]) -> Tuple[Guard, ...]:
    return tuple(sorted(set(guards), key=lambda guard: guard.number))


def _owners(layers: Iterable[Any]) -> List[Any]:
    """Those of the layers, and of the layers in them, that have variables."""
    found: Dict[int, Any] = {}
    waiting = list(layers)
    while waiting:
        layer = waiting.pop()
        if id(layer) not in found:
            found[id(layer)] = layer
            waiting.extend(layer.embedded_layers)
    return [layer for layer in found.values() if layer._variables]
