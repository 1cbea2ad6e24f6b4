"""Random numbers, the same on every backend.

Initial values are drawn from the program's generator when layers are built. Everything drawn while a model runs comes
from the model's own :class:`Stream`, a function of the seed and of the model's number since :func:`seed`. Flows of
images work the same way (:class:`Epochs`). Draws of other models, threads or callbacks have no effect on it.
"""
import collections
import contextlib
import contextvars
import copy
import itertools
import threading
import weakref
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Optional, Tuple

import numpy as np

from keraflow.contexts import bound

__all__ = ['Epochs', 'Stream', 'apart', 'drawing', 'drawn_stream', 'generator', 'seed',
           'sequence_of', 'using']


class _Program:
    """What a seed resets: the generator of initial values, and the numbering of models and of flows."""

    def __init__(self, generator: np.random.Generator, seed: Optional[int] = None, is_numbered: bool = True):
        self.generator = generator
        self._seed = seed
        self._numbers: Dict[type, Iterator[int]] = collections.defaultdict(
            lambda: itertools.count(1) if is_numbered else itertools.repeat(0))

    @property
    def seed(self) -> int:
        if self._seed is None:      # what the generator would draw next, without drawing it
            self._seed = int(copy.deepcopy(self.generator).integers(2 ** 63))
        return self._seed

    def number(self, kind: type) -> int:
        return next(self._numbers[kind])


def _of_seed(value: int) -> _Program:
    return _Program(np.random.default_rng(value), value)


_LOCK = threading.RLock()
_streams: 'weakref.WeakSet[Epochs]' = weakref.WeakSet()      # for `seed`, without keeping any alive
_program = _of_seed(int(np.random.SeedSequence().entropy))      # type: ignore[arg-type]
_other: contextvars.ContextVar[Optional[_Program]] = contextvars.ContextVar('_other', default=None)
_drawn: 'contextvars.ContextVar[Optional[Stream]]' = contextvars.ContextVar('_drawn', default=None)


def generator() -> np.random.Generator:
    """Return the generator in use."""
    return (_other.get() or _program).generator


def seed(value: int) -> None:
    """Seed the generator, and restart the numbering of models and flows, with everything that these draw.

    ``keraflow.backend.seed`` does this, and also seeds what is drawn outside models.
    """
    global _program
    with _LOCK:
        _program = _of_seed(value)
        if _other.get() is not None:      # inside using(), too
            _other.set(_program)
        for stream in _streams:
            stream.begin(value)


def using(other: np.random.Generator) -> ContextManager[None]:
    """Draw from another generator inside the block, in this thread only. Models made inside are numbered separately, so
    that several threads can build models that are the same in each run of the program.

    Examples
    --------
    >>> with using(np.random.default_rng(0)):
    ...     a = generator().normal(size=3)
    >>> bool(np.all(a == np.random.default_rng(0).normal(size=3)))
    True
    """
    return bound(_other, _Program(other))


def apart() -> ContextManager[None]:
    """Separate what is read from a file: initial values, if drawn at all, come from another generator, and models get
    no number, so that the program's draws stay the same."""
    return bound(_other, _Program(np.random.default_rng(0), (_other.get() or _program).seed, is_numbered=False))


class Epochs:
    """The draws of one object, different in each epoch: a function of the seed, of its number and of the epoch.

    Parameters
    ----------
    is_counted : bool
        Whether the program made the object, which then gets the next number of its kind. All others have the number 0,
        as have those made before the last :func:`seed`: any two of these draw the same.

    Attributes
    ----------
    seed, number : int
    epoch : int
        How many were started.
    """

    #: Added to seed, number and epoch, so that no two kinds draw the same.
    kind: Tuple[int, ...] = (1,)

    def __init__(self, is_counted: bool = True):
        with _LOCK:
            program = _other.get() or _program
            self.begin(program.seed, program.number(type(self)) if is_counted else 0)
            _streams.add(self)

    def begin(self, seed: int, number: int = 0, epoch: int = 0) -> None:
        """Restart, or continue where an object with these numbers was."""
        with _LOCK:
            self.seed, self.number, self.epoch = seed, number, epoch

    def next_generator(self) -> np.random.Generator:
        """Return a generator for the next epoch."""
        with _LOCK:
            self.epoch += 1
            return np.random.default_rng([self.seed, self.number, self.epoch - 1, *self.kind])


class Stream(Epochs):
    """What is drawn while one model runs: the order of its samples, and the randomness of its functions.

    Examples
    --------
    >>> stream = Stream()
    >>> seed(3)
    >>> stream.order(5), stream.order(5)
    (array([4, 2, 1, 3, 0]), array([3, 1, 4, 0, 2]))
    >>> np.random.default_rng([3, 0, 1]).permutation(5)     # seed, number, epoch
    array([3, 1, 4, 0, 2])
    """

    kind = ()

    def __init__(self, is_counted: bool = True):
        # Before the base class, whose constructor calls begin().
        self._inner: Dict[str, Any] = {}    # the streams of backends, by name
        self.sequence: Optional[np.random.Generator] = None
        super().__init__(is_counted)

    def begin(self, seed: int, number: int = 0, epoch: int = 0, position: int = 0) -> None:
        """Restart, or continue where a stream with these numbers was."""
        with _LOCK:
            super().begin(seed, number, epoch)
            self._position = position
            self.sequence = None
            for inner in self._inner.values():
                inner.begin(self._key(), position)

    def order(self, nb_sample: int) -> np.ndarray:
        """Return the order of the samples in the next epoch."""
        with _LOCK:
            own = self.next_generator()      # even if not used: it counts the epoch
            return (self.sequence or own).permutation(nb_sample)

    def before_order(self) -> Dict[str, Any]:
        """Return as plain data what the order of the next epoch depends on."""
        with _LOCK:
            made = None if self.sequence is None else copy.deepcopy(self.sequence.bit_generator.state)
            return {'seed': self.seed, 'number': self.number, 'epoch': self.epoch, 'sequence': made}

    @contextlib.contextmanager
    def drawing_again(self, before: Dict[str, Any]) -> Iterator[None]:
        """Draw the order of an epoch that has begun once more inside the block: the stream is the same afterwards.

        Raises
        ------
        ValueError
            If `before` is not what :meth:`before_order` returns.
        """
        sequence = None if before['sequence'] is None else sequence_of(before['sequence'])
        with _LOCK:
            now = self.seed, self.number, self.epoch, self.sequence
            self.seed, self.number, self.epoch = (int(before[name]) for name in ('seed', 'number', 'epoch'))
            self.sequence = sequence
            try:
                yield
            finally:
                self.seed, self.number, self.epoch, self.sequence = now

    def continue_orders(self, sequence: np.random.Generator) -> None:
        """Draw orders from a generator, one after the other, as the first versions of keraflow did."""
        self.sequence = sequence

    @property
    def position(self) -> int:
        """How many runs of functions drew."""
        with _LOCK:
            return next((inner.position for inner in self._inner.values()), self._position)

    def inside(self, backend: str, make: Callable[[], Any]) -> Any:
        """Return the stream of a backend's functions, made on first use."""
        with _LOCK:
            if backend not in self._inner:
                inner = make()
                inner.begin(self._key(), self._position)
                self._inner[backend] = inner
            return self._inner[backend]

    def _key(self) -> int:
        words: List[int] = np.random.SeedSequence(self.seed, spawn_key=(self.number,)).generate_state(2).tolist()
        return words[0] << 31 ^ words[1]      # 63 bits of two words of 32, as a backend takes them


def sequence_of(state: Dict[str, Any]) -> np.random.Generator:
    """Return the generator whose ``bit_generator`` has this state; raise ValueError if it is invalid."""
    made = np.random.Generator(np.random.PCG64())
    try:
        made.bit_generator.state = state
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(state) from error
    return made


def drawing(stream: Stream) -> ContextManager[None]:
    """Let functions that are built inside draw from a stream."""
    return bound(_drawn, stream)


def drawn_stream() -> Optional[Stream]:
    """Return the stream of functions that are built now; None outside models."""
    return _drawn.get()
