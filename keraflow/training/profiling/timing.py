"""Time functions that take turns, so that what else a machine does meets all of them."""
import time
from typing import Callable, List, Sequence

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec

__all__ = ['Stopwatch', 'TimedLoop', 'take_turns', 'warm_up']

#: The largest number of steps in a turn.
_MAX_NB_STEP = 512


class TimedLoop:
    """A builder in a loop over batches, on the road that training takes.

    Parameters
    ----------
    builder, specs
        As for ``B.batch_loop``; the one output is a vector of one number.
    arrays : list of array
    execution : str
    nb_sample : int
        The number of samples in a batch.
    """

    def __init__(self, builder: Callable, specs: Sequence[TensorSpec], arrays: Sequence[np.ndarray], execution: str,
                 nb_sample: int = 1):
        self._loop = B.batch_loop(builder, specs, execution)
        self._loaded = self._loop.load(arrays)
        self._numbers = np.arange(len(arrays[0]) // nb_sample * nb_sample).reshape(-1, nb_sample)

    def __call__(self, nb_step: int) -> int:
        """Take some steps, and return how many."""
        rows = np.resize(self._numbers, (nb_step, self._numbers.shape[1]))
        np.asarray(self._loop.sum(self._loaded, rows, np.zeros(1)))     # waits for the device
        return nb_step


class Stopwatch:
    """Seconds per step of a function of the number of steps.

    Parameters
    ----------
    run : function
        Takes about that many steps, and returns how many.
    """

    def __init__(self, run: Callable[[int], int]):
        self._run = run
        self._nb_step = 1
        self._seconds: List[float] = []

    def time(self, nb_step: int) -> float:
        """Take some steps, and return the seconds of each."""
        start = time.perf_counter()
        nb_done = self._run(nb_step)
        return (time.perf_counter() - start) / nb_done

    def steps_in(self, seconds: float) -> int:
        """Return how many steps take as long, about: a power of 2."""
        nb_step = 2
        while nb_step < _MAX_NB_STEP and self.time(nb_step) * nb_step < seconds / 2:
            nb_step *= 2
        return nb_step

    def settle(self, nb_step: int) -> None:
        """Give each turn a number of steps, and take as many once."""
        self._nb_step = nb_step
        self.time(nb_step)

    def turn(self) -> None:
        """Take one turn."""
        self._seconds.append(self.time(self._nb_step))

    @property
    def least(self) -> float:
        """The seconds of a step in the shortest turn: others were longer because of what else the machine did."""
        return min(self._seconds)


def warm_up(watches: Sequence[Stopwatch], seconds: float) -> None:
    """Build some functions, and give their turns one number of steps, so that what a call costs is in each alike.

    It is as large as the slowest can take in some `seconds`, about, because loops may place many batches at once.
    """
    for one in watches:
        one.time(2)
    nb_step = min(one.steps_in(seconds) for one in watches)
    for one in watches:
        one.settle(nb_step)


def take_turns(watches: Sequence[Stopwatch], nb_turn: int) -> None:
    """Let each take some turns, every other time in the opposite order."""
    order = list(watches)
    for _ in range(nb_turn):
        for one in order:
            one.turn()
        order.reverse()
