"""Provide the batches of each epoch, from arrays or from an iterable of batches."""
import contextlib
import contextvars
import inspect
import itertools
import operator
from typing import Any, Callable, ContextManager, Iterable, Iterator, Optional

import numpy as np

from keraflow.arguments import takes
from keraflow.data.arrays import Arrays, batch_bounds
from keraflow.data.iterables import is_endless, is_sequence, numbered_batches
from keraflow.data.prefetch import Prefetch
from keraflow.data.windows import Portion, Window
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, describe

__all__ = ['ArrayBatchSource', 'BatchSource', 'IterableBatchSource']

#: Larger arrays are not copied as a whole to where a backend reads them: memory would not hold them twice.
_MAX_WINDOW_BYTES = 2 ** 28

#: How much of larger arrays, or of those in files, is read at a time, and how many batches at most.
_READ_AHEAD_BYTES, _MAX_READ_AHEAD = 2 ** 25, 64


class BatchSource:
    """Provide the batches of one epoch after the other."""

    #: The number of batches in an epoch, if known.
    nb_batch: Optional[int] = None
    #: Whether a thread reads some batches ahead.
    is_read_ahead = True

    def epoch(self) -> ContextManager[Iterable[Portion]]:
        """Return a context that gives the batches of the next epoch."""
        raise NotImplementedError

    def close(self) -> None:
        """Release what is held; no further epoch follows."""


class ArrayBatchSource(BatchSource):
    """Batches of arrays, in their order or another.

    Arrays that are not too large are one window. Of others, and of memory-mapped ones, a thread reads and copies a few
    batches ahead.
    """

    def __init__(self, arrays: Arrays, batch_size: int, order: Optional[Callable[[int], np.ndarray]] = None):
        self._arrays = arrays
        self._size = batch_size
        self._order = order     # returns an order of that many samples
        self.nb_batch = -(-arrays.nb_sample // batch_size)
        self.is_read_ahead = arrays.is_on_disk or arrays.nb_byte > _MAX_WINDOW_BYTES
        self._window = None if self.is_read_ahead else Window(arrays)

    def epoch(self) -> ContextManager[Iterable[Portion]]:
        order = None if self._order is None else self._order(self._arrays.nb_sample)
        if self._window is None:
            return Prefetch(self._read_windows(order))
        return contextlib.nullcontext(self._portions(self._window, order))

    def _read_windows(self, order: Optional[np.ndarray]) -> Iterator[Portion]:
        nb_sample = self._arrays.nb_sample
        bytes_of_batch = max(1, self._arrays.nb_byte * self._size // nb_sample)
        length = self._size * min(max(1, _READ_AHEAD_BYTES // bytes_of_batch), _MAX_READ_AHEAD)
        for ends in batch_bounds(nb_sample, length):
            part = slice(*ends)
            # Copies, whatever the program does with its arrays meanwhile; numbers as an index copy by themselves.
            read = self._arrays.part(part, copies=True) if order is None else self._arrays.part(order[part])
            yield from self._portions(Window(read), None)

    def _portions(self, window: Window, order: Optional[np.ndarray]) -> Iterator[Portion]:
        numbers: Any = range(window.arrays.nb_sample) if order is None else order
        whole = len(numbers) - len(numbers) % self._size
        for some, length in (numbers[:whole], self._size), (numbers[whole:], len(numbers) - whole):
            if len(some):
                yield Portion(window, some, length)


class IterableBatchSource(BatchSource):
    """Batches from an iterable, read ahead by a thread.

    Parameters
    ----------
    given : iterable, or object with ``len()`` and numbered batches, or function without arguments that returns one
    read : function
        Turns an item of the iterable into a batch; takes the item and the start of a message.
    where : str
        Start of a message.
    nb_epoch : int
        The number of epochs that will be requested.
    nb_batch : int, optional
        The number of batches in an epoch; the next one continues where it ended. Without it an epoch is all of the
        iterable.
    is_repeated : bool
        Whether to start anew if the iterable ends within the `nb_batch` of an epoch.
    is_validation : bool
        Whether each epoch starts over, if possible, and messages call `nb_batch` ``nb_val_batch``.

    Raises
    ------
    ArgumentError
        If `nb_batch` is missing for an iterator and several epochs, or for an iterable that never ends.
    """

    def __init__(self, given: Any, read: Callable[[Any, str], Arrays], where: str, nb_epoch: int = 1,
                 nb_batch: Optional[int] = None, is_repeated: bool = False, is_validation: bool = False):
        self._given = given
        self._read = read
        self._where = where
        self._nb_wanted = nb_batch
        self._is_repeated = is_repeated
        self._is_validation = is_validation
        self._nb_name = 'nb_val_batch' if is_validation else 'nb_batch'
        self._iterator: Optional[Iterator] = None
        self._variables = contextvars.copy_context()    # an iterator may pass through several threads
        self._is_once = hasattr(given, '__next__')
        self.nb_batch = nb_batch or operator.length_hint(given, 0) or None
        if self._is_once and nb_batch is None and nb_epoch > 1:
            raise ArgumentError(f'{where}: expected batches for {nb_epoch} epochs, received {self._kind}, which can be '
                                f'gone through once. {self._advice}, or {self._nb_name}, the number of batches in an '
                                'epoch.')
        self._refuse_endless(given)

    def epoch(self) -> ContextManager[Iterable[Portion]]:
        if self._is_validation and not self._is_once:
            self.close()
            self._iterator = None
        return Prefetch(self._batches(), variables=self._variables)

    def close(self) -> None:
        if not self._is_once and hasattr(self._iterator, 'close'):
            self._variables.run(self._iterator.close)   # type: ignore[union-attr]  # where it ran, also its `finally`

    def _batches(self) -> Iterator[Portion]:
        number = 0
        for number, item in enumerate(itertools.islice(self._items(), self._nb_wanted), 1):
            yield Portion.of(self._read(item, f'{self._where}: batch {number - 1}'))
        if number == 0:
            raise DataError(f'{self._where}: there are no batches.')
        if self._nb_wanted is not None and number < self._nb_wanted:
            raise DataError(f'{self._where}: expected {self._nb_wanted} batches, received {number} before the data '
                            f'ended. Pass a smaller {self._nb_name}.')

    def _items(self) -> Iterator[Any]:
        while True:
            is_new = self._iterator is None
            if self._iterator is None:
                self._iterator = self._begin()
            is_empty = True
            for item in self._iterator:
                is_empty = False
                yield item
            self._iterator = None
            # One that is empty when it is new would be begun for ever.
            if self._nb_wanted is None or not self._is_repeated or is_new and is_empty:
                return

    def _begin(self) -> Iterator[Any]:
        if callable(self._given) and not takes(self._given):
            raise ArgumentTypeError(f'{self._where}: expected a function without arguments that returns batches, '
                                    f'received {self._kind}.')
        found = self._given() if callable(self._given) else self._given
        self._refuse_endless(found)
        if is_sequence(found):
            return numbered_batches(found)
        if not hasattr(found, '__iter__'):
            raise ArgumentTypeError(f'{self._where}: expected a function that returns batches, received {self._kind}, '
                                    f'which returned {describe(found)}.')
        return iter(found)

    def _refuse_endless(self, found: Any) -> None:
        if self._nb_wanted is None and is_endless(found):
            raise ArgumentError(f'{self._where}: expected batches that end, received {describe(found)}. '
                                f'Pass {self._nb_name}, the number of batches in an epoch.')

    @property
    def _kind(self) -> str:
        if inspect.isgenerator(self._given):
            return f'the generator {self._given.__name__}'
        return 'an iterator' if self._is_once else describe(self._given)

    @property
    def _advice(self) -> str:
        is_named = inspect.isgenerator(self._given) and self._given.__name__.isidentifier()
        what = f'the function {self._given.__name__} itself' if is_named else 'a function that returns it'
        return f'Pass {what}, which is called for each epoch'
