"""Recognize iterables of batches, and those that never end."""
import inspect
import itertools
import operator
from typing import Any, Iterator

from keraflow.backend.deferral import Deferred

__all__ = ['is_endless', 'is_iterable_of_batches', 'is_sequence', 'numbered_batches']

#: Iterators that end with the first of the iterators that they consume.
PASSING_ON = (map, filter, enumerate, zip)


def is_iterable_of_batches(value: Any) -> bool:
    """Return whether `value` is an iterable or a function of batches, and not an array, or several in a list or dict.

    Examples
    --------
    >>> is_iterable_of_batches(iter([])), is_iterable_of_batches([[1, 2]])
    (True, False)
    """
    if isinstance(value, (list, tuple, dict, str, bytes, Deferred)) or hasattr(value, '__array__'):
        return False
    return callable(value) or hasattr(value, '__iter__') or is_sequence(value)


def is_endless(value: Any) -> bool:
    """Return whether `value` is known never to end.

    That is an endless iterator of ``itertools``, what consumes one, or a data set that says so by ``cardinality()``, as
    TensorFlow's do. Nothing is known of generator functions.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, itertools.repeat):
            if operator.length_hint(one, -1) >= 0:
                return False
        elif isinstance(one, PASSING_ON):
            reduced: Any = one.__reduce__()
            parts = [part for part in reduced[1] if hasattr(part, '__next__')]
            if not parts:       # a zip of nothing
                return False
            waiting += parts
        elif inspect.isgenerator(one) and one.__name__ == '<genexpr>' and one.gi_frame is not None:
            waiting.append(one.gi_frame.f_locals['.0'])      # what it goes through, as Python names it
        elif not isinstance(one, (itertools.cycle, itertools.count)) and not _says_endless(one):
            return False
    return True


def _says_endless(value: Any) -> bool:
    cardinality = getattr(value, 'cardinality', None)
    try:
        return inspect.ismethod(cardinality) and int(cardinality()) == -1
    except (TypeError, ValueError):
        return False


def is_sequence(value: Any) -> bool:
    """Return whether batches are taken by number, because there is no iterator."""
    return not hasattr(value, '__iter__') and hasattr(value, '__getitem__') and hasattr(value, '__len__')


def numbered_batches(batches: Any, first: int = 0) -> Iterator[Any]:
    """Yield batches by number, then call ``on_epoch_end``, in which such objects may draw another order."""
    for number in range(first, len(batches)):
        yield batches[number]
    if callable(getattr(batches, 'on_epoch_end', None)):
        batches.on_epoch_end()
