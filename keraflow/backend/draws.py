"""What a random number is a function of, and how the draws of a function are counted.

A number is a function of the key of its stream, of the number of the run, of the place of its draw in the function, of
the time step if it is drawn in a loop, and of its index: :mod:`keraflow.backend.philox` has the formula. Nothing is
passed from draw to draw. Places are numbered from 0 in the order in which one run of a builder draws from a stream, so
that they are the same on every backend and whatever was built before. The number of the run is a variable: a function
that draws reads it, and sets it to the next number.
"""
import contextlib
import contextvars
import threading
from typing import Any, Callable, Container, Dict, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np

from keraflow.backend.updates import FusedUpdates
from keraflow.contexts import bound

__all__ = ['NB_RUN', 'NEXT_RUN', 'STATE_NAME', 'Draw', 'Draws', 'Stream', 'counting', 'current_step', 'draws_so_far',
           'in_step', 'numbered', 'places_so_far', 'starts_of_draws']

#: The high half of a counter is the number of the run, below this one, plus this one times the place.
NB_RUN = 2 ** 40
#: What is added to the state of a stream after a run.
NEXT_RUN = np.array([0, 0, 1], 'int64')
#: The name of the variable of a stream.
STATE_NAME = 'random_state'


class Stream:
    """A stream of random numbers, whose state is one variable of its backend.

    Attributes
    ----------
    state : variable
        Three int64: the key, and the low and the high half of the counter at which the next run begins.
    """

    def __init__(self, backend: Any):
        self._backend = backend
        self._advancing = threading.Lock()
        self.state = backend.variable(np.zeros(3, 'int64'), name=STATE_NAME)
        self.state.keraflow_of_stream = True        # and so of no function that draws from it

    @property
    def position(self) -> int:
        """How many runs drew from it."""
        return int(self._backend.get_value(self.state)[2])

    def begin(self, key: int, position: int = 0) -> None:
        """Restart, or continue at an earlier position, even for functions that are already compiled."""
        self._backend.set_value(self.state, np.array([key, 0, position], 'int64'))

    def advance(self) -> np.ndarray:
        """Return the value of the state, and set it to that of the next run."""
        with self._advancing:
            value = self._backend.get_value(self.state)
            self._backend.set_value(self.state, value + NEXT_RUN)
            return value


class Draw(NamedTuple):
    """One draw.

    Its first number comes from the block with the counter ``(low + step * n, high + place * NB_RUN)``, where `n` is the
    number of blocks that the draw takes: a loop draws the rows of one draw for all time steps.

    Attributes
    ----------
    state : tensor or variable
        The state of its stream.
    place : int
        Its number among the draws of a function from this stream.
    step : int or tensor
        The number of the time step in which it is drawn, an int64; 0 outside of loops.
    """

    state: Any
    place: Any = 0
    step: Any = 0


class Draws:
    """The draws of one run of a builder."""

    def __init__(self) -> None:
        self.places: Dict[Stream, int] = {}

    def next(self, stream: Stream) -> Draw:
        """Return the next draw from a stream."""
        place = self.places.get(stream, 0)
        self.places[stream] = place + 1
        return Draw(stream.state, place)

    def updates(self, backend: Any, others: Container[Stream] = ()) -> List[tuple]:
        """Return updates of the streams that were drawn from, except others, to their next run."""
        return [(stream.state, backend.add(stream.state, NEXT_RUN)) for stream in self.places if stream not in others]


_draws: 'contextvars.ContextVar[Optional[Draws]]' = contextvars.ContextVar('_draws', default=None)
_step: contextvars.ContextVar[Any] = contextvars.ContextVar('_step', default=0)


def draws_so_far() -> Optional[Draws]:
    """Return the draws of the builder that runs; ``None`` outside of builders."""
    return _draws.get()


def current_step() -> Any:
    """Return the number of the time step that is being built, 0 outside of loops."""
    return _step.get()


def places_so_far() -> Dict[Stream, int]:
    """Return how many draws there were from each stream in the builder that runs."""
    draws = _draws.get()
    return {} if draws is None else dict(draws.places)


def counting(draws: Optional[Draws]) -> bound:
    """Count what is drawn inside the block among `draws`, or not at all."""
    return bound(_draws, draws)


def numbered(backend: Any, builder: Callable) -> Callable:
    """Let the function of a builder draw anew in each run: wrap the builder so that its updates count the runs."""
    def run(*tensors: Any) -> tuple:
        draws = Draws()
        with counting(draws):
            outputs, updates = builder(*tensors)
            return outputs, [*(_counted(backend, draws, one) if isinstance(one, FusedUpdates) else one
                               for one in updates), *draws.updates(backend)]
    return run


def _counted(backend: Any, draws: Draws, fused: FusedUpdates) -> FusedUpdates:
    """Count the runs of streams that only the fused updates draw from, as an optimizer that adds noise may."""
    def make(*tensors: Any) -> list:
        before = set(draws.places)
        with counting(draws):
            pairs = fused.make(*tensors)
        return [*pairs, *draws.updates(backend, before)]
    return FusedUpdates(make, fused.tensors)


def starts_of_draws(streams: Sequence[Optional[Stream]]) -> List[np.ndarray]:
    """Return the states of one run of a function for its draws, in order of creation, by their streams.

    The place is added to each, and None stands for a draw that the function does not need.
    """
    draws, states = Draws(), {one: one.advance() for one in dict.fromkeys(streams) if one is not None}
    return [NEXT_RUN * 0 if stream is None else states[stream] + NEXT_RUN * NB_RUN * draws.next(stream).place
            for stream in streams]


@contextlib.contextmanager
def in_step(time: Any, length: Any, places: Optional[Dict[Stream, int]] = None) -> Iterator[None]:
    """Let what is drawn inside the block be that of one time step of a loop.

    Parameters
    ----------
    time, length : int or tensor
        The number of the time step, and how many the loop has.
    places : dict, optional
        What :func:`places_so_far` was before the loop, if each step is written out: all steps draw at the same places.
    """
    draws, outer = _draws.get(), _step.get()
    if draws is not None and places is not None:
        draws.places = dict(places)
    is_outermost = isinstance(outer, int) and outer == 0
    with bound(_step, time if is_outermost else outer * length + time):
        yield
