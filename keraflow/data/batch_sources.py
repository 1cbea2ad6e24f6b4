"""Provide the batches of each epoch, from arrays or from an iterable of batches."""
import contextlib
import contextvars
import inspect
import itertools
import operator
from typing import Any, Callable, ContextManager, Dict, Iterable, Iterator, List, Optional, Tuple

import numpy as np

from keraflow.arguments import takes
from keraflow.data.arrays import Arrays, batch_bounds
from keraflow.data.fingerprints import arrays_fingerprint, batch_digest
from keraflow.data.iterables import is_endless, is_sequence, numbered_batches
from keraflow.data.prefetch import Prefetch
from keraflow.data.windows import Place, Portion, Window
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, describe
from keraflow.files.packing import is_plain

__all__ = ['ArrayBatchSource', 'BatchSource', 'IterableBatchSource']

#: Larger arrays are not copied as a whole to where a backend reads them: memory would not hold them twice.
_MAX_WINDOW_BYTES = 2 ** 28

#: How much of larger arrays, of those in files, or of an iterable is read at a time, and how many batches at most.
_READ_AHEAD_BYTES, _MAX_READ_AHEAD = 2 ** 25, 64


class BatchSource:
    """Provide the batches of one epoch after the other."""

    #: The number of batches in an epoch, if known.
    nb_batch: Optional[int] = None
    #: Whether a thread reads some batches ahead.
    is_read_ahead = True

    def epoch(self, nb_done: int = 0, is_followed: bool = False) -> ContextManager[Iterable[Portion]]:
        """Return a context that gives the batches of the next epoch, of which the first ones are done already.

        What a program that follows each batch, as by callbacks, does to an iterable counts soon: few are read ahead.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Release what is held; no further epoch follows."""

    def fingerprint(self) -> Dict[str, Any]:
        """Return plain data by which the data are recognized when training is resumed."""
        raise NotImplementedError

    def position(self, latest: Optional[Portion], nb_done: int, is_inside: bool) -> Any:
        """Return as plain data where the data are.

        Parameters
        ----------
        latest : Portion, optional
            The one that was taken last, by any epoch.
        nb_done : int
            How many batches of it are done.
        is_inside : bool
            Whether an epoch has begun and not ended.
        """

    def resume(self, position: Any) -> None:
        """Go on from a position: the next epoch is the one that it is inside, or the one after it."""


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
        self._fingerprint: Dict[str, Any] = {}

    def epoch(self, nb_done: int = 0, is_followed: bool = False) -> ContextManager[Iterable[Portion]]:
        order = None if self._order is None else self._order(self._arrays.nb_sample)
        first = min(nb_done * self._size, self._arrays.nb_sample)
        if self._window is None:
            return Prefetch(self._read_windows(order, first))
        return contextlib.nullcontext(self._portions(self._window, order, first))

    def fingerprint(self) -> Dict[str, Any]:
        if not self._fingerprint:       # the arrays stay the same
            self._fingerprint = {'nb_sample': self._arrays.nb_sample, 'batch_size': self._size,
                                 'shuffle': self._order is not None, **arrays_fingerprint(self._arrays)}
        return self._fingerprint

    def _read_windows(self, order: Optional[np.ndarray], first: int) -> Iterator[Portion]:
        nb_sample = self._arrays.nb_sample
        bytes_of_batch = max(1, self._arrays.nb_byte * self._size // nb_sample)
        length = self._size * min(max(1, _READ_AHEAD_BYTES // bytes_of_batch), _MAX_READ_AHEAD)
        for ends in batch_bounds(nb_sample - first, length):
            part = slice(first + ends[0], first + ends[1])
            # Copies, whatever the program does with its arrays meanwhile; numbers as an index copy by themselves.
            read = self._arrays.part(part, copies=True) if order is None else self._arrays.part(order[part])
            yield from self._portions(Window(read), None)

    def _portions(self, window: Window, order: Optional[np.ndarray], first: int = 0) -> Iterator[Portion]:
        numbers: Any = (range(window.arrays.nb_sample) if order is None else order)[first:]
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
        self._reader: Optional[Prefetch] = None     # of the latest epoch
        self._found: Any = None         # what the iterator goes through
        self._next = Place(None, 0)
        self._begins_at: Optional[Place] = None     # if the next iterator continues an earlier one
        self._digest: Optional[str] = None          # of the batch before
        self._resumed: Any = None
        self._firsts: List[Arrays] = []     # the first batch of all, and that of the latest iterator
        self._first_digest: Optional[str] = None    # of that of all, in another program
        self._variables = contextvars.copy_context()    # an iterator may pass through several threads
        self._is_once = hasattr(given, '__next__')
        self.nb_batch = nb_batch or operator.length_hint(given, 0) or None
        if self._is_once and nb_batch is None and nb_epoch > 1:
            raise ArgumentError(f'{where}: expected batches for {nb_epoch} epochs, received {self._kind}, which can be '
                                f'gone through once. {self._advice}, or {self._nb_name}, the number of batches in an '
                                'epoch.')
        self._refuse_endless(given)

    def epoch(self, nb_done: int = 0, is_followed: bool = False) -> ContextManager[Iterable[Portion]]:
        if self._is_validation and not self._is_once:
            self.close()
            self._iterator = None
        batches = self._batches(nb_done)
        if is_followed:
            portions = (Portion.of(arrays, place=place) for arrays, place in batches)
            self._reader = Prefetch(portions, variables=self._variables)
        else:
            self._reader = Prefetch(batches, _READ_AHEAD_BYTES, _size, _portions, self._variables)
        return self._reader

    def fingerprint(self) -> Dict[str, Any]:
        return {self._nb_name: self._nb_wanted, 'is_once': self._is_once}

    def position(self, latest: Optional[Portion], nb_done: int, is_inside: bool) -> Any:
        place = None if latest is None else latest.place
        continues = is_inside or self._is_once or self._nb_wanted is not None and not self._is_validation
        if latest is None and self._resumed is not None and (continues or self._begins_at is not None):
            return self._resumed        # nothing was taken since
        if place is None or not continues:      # another iterator is made, of what is as it is now
            return {'begun': self._state_of(self._found), 'number': 0, 'digest': None, **self._first_batches()}
        latest_batch = range(nb_done - 1, nb_done)
        digest = batch_digest(latest.samples(latest_batch)) if nb_done else None        # type: ignore[union-attr]
        return {'begun': place.begun, 'number': place.number + nb_done, 'digest': digest}

    def resume(self, position: Any) -> None:
        self._resumed = position
        self._begins_at, self._digest = Place(position['begun'], position['number']), position['digest']
        self._first_digest = position['first']

    def has_begun(self) -> bool:
        """Return whether it is known to be gone through already, in part, so that no position in it is known."""
        return inspect.isgenerator(self._given) and inspect.getgeneratorstate(self._given) != inspect.GEN_CREATED

    def close(self) -> None:
        # A thread that an interrupt left behind may still be in the iterator, which then ends with the program.
        is_left = self._reader is None or not self._reader.is_reading
        if is_left and not self._is_once and hasattr(self._iterator, 'close'):
            self._variables.run(self._iterator.close)   # type: ignore[union-attr]  # where it ran, also its `finally`

    def _batches(self, nb_done: int) -> Iterator[Tuple[Arrays, Place]]:
        number, rest = nb_done, None if self._nb_wanted is None else self._nb_wanted - nb_done
        for number, (item, place) in enumerate(itertools.islice(self._items(), rest), nb_done + 1):
            arrays = self._read(item, f'{self._where}: batch {number - 1}')
            if place.number == 0:
                self._note_first(arrays)
            yield arrays, place
        if number == 0:
            raise DataError(f'{self._where}: there are no batches.')
        if self._nb_wanted is not None and number < self._nb_wanted:
            raise DataError(f'{self._where}: expected {self._nb_wanted} batches, received {number} before the data '
                            f'ended. Pass a smaller {self._nb_name}.')

    def _items(self) -> Iterator[Tuple[Any, Place]]:
        while True:
            is_new = self._iterator is None
            if self._iterator is None:
                self._iterator = self._begin()
                is_new = self._next.number == 0
            is_empty = True
            for item in self._iterator:
                is_empty = False
                place, self._next = self._next, self._next._replace(number=self._next.number + 1)
                yield item, place
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
        if not is_sequence(found) and not hasattr(found, '__iter__'):
            raise ArgumentTypeError(f'{self._where}: expected a function that returns batches, received {self._kind}, '
                                    f'which returned {describe(found)}.')
        begins_at, self._begins_at, self._found = self._begins_at, None, found
        if begins_at is not None and begins_at.begun is not None and _keeps_state(found):
            found.set_state(begins_at.begun)
        number = 0 if begins_at is None else begins_at.number
        self._next = Place(self._state_of(found), number)
        if is_sequence(found):
            self._check_skipped(found[number - 1] if 0 < number <= len(found) else None, number)
            return numbered_batches(found, number)
        iterator, item = iter(found), None
        for item in itertools.islice(iterator, number):
            pass
        self._check_skipped(item, number)
        return iterator

    def _note_first(self, arrays: Arrays) -> None:
        is_resumed = not self._firsts and self._first_digest is not None and self._resumed['begun'] is None
        self._firsts = [*self._firsts[:1], arrays]
        if is_resumed and batch_digest(arrays) != self._first_digest:
            raise self._is_another(0)

    def _first_batches(self) -> Dict[str, Any]:
        """Return a digest of the first batch, and whether the latest iterator began with another one."""
        digests = [batch_digest(one) for one in self._firsts]
        first = self._first_digest or next(iter(digests), None)
        return {'first': first, 'varies': any(one != first for one in digests)}

    def _state_of(self, found: Any) -> Any:
        if not _keeps_state(found):
            return None
        state = found.get_state()
        if not is_plain(state):
            raise ArgumentTypeError(f'{self._where}: get_state of {describe(found)}: expected numbers, strings, '
                                    f'arrays, and lists and dicts of them, received {describe(state)}.')
        return state

    def _check_skipped(self, item: Any, number: int) -> None:
        """Raise unless the batch before the one with this number is the one that was trained on."""
        digest, self._digest = self._digest, None
        if digest is None:
            return
        if item is None or batch_digest(self._read(item, f'{self._where}: batch {number - 1}')) != digest:
            raise self._is_another(number - 1)

    def _is_another(self, number: int) -> DataError:
        return DataError(f'{self._where}: batch {number} of the iterable is not the one that training was resumed '
                         'after. Let it give the same batches again, or define get_state and set_state, which restore '
                         'it.')

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


def _keeps_state(found: Any) -> bool:
    return callable(getattr(found, 'get_state', None)) and callable(getattr(found, 'set_state', None))


def _size(batch: Tuple[Arrays, Place]) -> int:
    """Return how much of :data:`_READ_AHEAD_BYTES` a batch takes: two may wait, however large they are."""
    return min(max(batch[0].nb_byte, _READ_AHEAD_BYTES // _MAX_READ_AHEAD), _READ_AHEAD_BYTES // 2)


def _portions(batches: List[Tuple[Arrays, Place]]) -> Iterator[Portion]:
    """Yield batches, those together that follow each other and have the same layout."""
    some, latest = [batches[0][0]], batches[0][1]
    first = latest
    for arrays, place in batches[1:]:
        if not place.follows(latest) or arrays.layout != some[0].layout:
            yield Portion.of(*some, place=first)
            some, first = [], place
        some.append(arrays)
        latest = place
    yield Portion.of(*some, place=first)
