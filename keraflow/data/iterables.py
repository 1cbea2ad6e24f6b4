"""What a user gives as an iterable of batches, and whether it ends."""
import inspect
import itertools
import operator
from typing import Any, Iterator

from keraflow.backend.deferral import Deferred

__all__ = ['is_endless', 'is_iterable_of_batches', 'is_sequence', 'numbered_batches']

#: Iterators that end when the first of those ends that they go through.
PASSING_ON = (map, filter, enumerate, zip)


def is_iterable_of_batches(value: Any) -> bool:
    """Whether `value` is an iterable or a function of batches, and not one array, or several in a list or a dict.

    Examples
    --------
    >>> is_iterable_of_batches(iter([])), is_iterable_of_batches([[1, 2]])
    (True, False)
    """
    if isinstance(value, (list, tuple, dict, str, bytes, Deferred)) or hasattr(value, '__array__'):
        return False
    return callable(value) or hasattr(value, '__iter__') or is_sequence(value)


def is_endless(value: Any) -> bool:
    """Whether it is known that `value` never ends: an endless iterator, what goes through one, or a data set that says
    so by ``cardinality()``, as those of TensorFlow do. Of a generator function nobody knows."""
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
            waiting.append(one.gi_frame.f_locals['.0'])
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
    """Whether the batches are numbered, and not given one after the other."""
    return not hasattr(value, '__iter__') and hasattr(value, '__getitem__') and hasattr(value, '__len__')


def numbered_batches(batches: Any) -> Iterator[Any]:
    """Batches by their numbers, and then what such objects may do between two epochs, such as another order."""
    for number in range(len(batches)):
        yield batches[number]
    if callable(getattr(batches, 'on_epoch_end', None)):
        batches.on_epoch_end()
