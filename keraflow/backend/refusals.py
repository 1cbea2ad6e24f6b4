"""Errors caused by data while a compiled function runs, carried through the tensor library as text."""
import re
import urllib.parse
from typing import Any, Optional, Sequence, Type

import numpy as np

from keraflow.backend.method_info import METHODS
from keraflow.errors import DataError, KeraFlowError

__all__ = ['STOP', 'NotFinite', 'marked', 'no_cell', 'no_places', 'refusing', 'require_integers', 'require_places',
           'require_split']

_MARK = 'keraflow refuses [{}] until here'
#: The text of an error that :class:`refusing` turns into :class:`NotFinite`, around lists of numbers: how many batches
#: are done; which number is not finite, and its value; the total over the batches that are done.
STOP = 'keraflow stops [{};{};{}] until here'


class NotFinite(KeraFlowError):
    """A number that must be finite (:class:`~keraflow.backend.updates.Finite`) is not, so that no variable was set.

    Attributes
    ----------
    name : str
        Which one: the first that is not.
    value : float
        NaN or infinite; of a vector the sum.
    nb_done : int
        The number of batches before, of a loop over batches.
    total : array of float64
        The total over these.
    """

    def __init__(self, name: str, value: float, nb_done: int = 0, total: Any = ()):
        super().__init__(f'{name}: {value}')
        self.name = name
        self.value = value
        self.nb_done = nb_done
        self.total = np.asarray(total, 'float64')


def marked(message: str) -> str:
    """Mark a message so that :func:`refusing` finds it in the library's own message."""
    # Libraries escape quotes and other characters in different ways.
    return _MARK.format(urllib.parse.quote(message, safe=' ,:;()=+*'))


class refusing:
    """Turn an error of the library's class `kind` with a marked message into a DataError with that message.

    A class, because every call of a compiled function enters it, and a generator would take four times as long.

    Parameters
    ----------
    kind : class of Exception
    names : sequence of str
        Those of the numbers that must be finite.

    Raises
    ------
    DataError
        With the marked message.
    NotFinite
        For a text like :data:`STOP`.
    """

    __slots__ = ('_kind', '_names')

    def __init__(self, kind: Type[Exception], names: Sequence[str] = ()):
        self._kind = kind
        self._names = names

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Optional[type], error: Optional[BaseException], trace: Any) -> None:
        if isinstance(error, self._kind):
            found = re.search(re.escape(_MARK).replace(r'\{\}', '(.*?)'), str(error), re.DOTALL)
            if found is not None:
                raise DataError(urllib.parse.unquote(found[1])) from None
            stop = re.search(re.escape(STOP).replace(r'\{\}', '([^;]*)'), str(error))
            if stop is not None:
                nb_done, [number, value], total = ([float(it) for it in part.split()] for part in stop.groups())
                raise NotFinite(self._names[int(number)], value, int(*nb_done), total) from None


def require_integers(backend: Any, operation: str, y: Any, given: Any) -> Any:
    """Return the second operand of an operation that does not accept all integers, checked in the run.

    Only if it was `given` as a tensor: other operands are checked before a plugin gets them.
    """
    if 'int' not in backend.dtype(y) or not backend.is_tensor(given):
        return y
    rule = METHODS[operation].second_integer
    return y if rule is None else backend.require(y, rule.is_right(backend, y), f'{operation}: y: {rule.expected}.')


def require_split(backend: Any, x: Any, lengths: Sequence[int], axis: int) -> Any:
    """Return `x`, which :meth:`Backend.split` must use up: its length is checked in the run if unknown before."""
    if backend.static_shape(x)[axis] is not None:
        return x
    fits = backend.equal(backend.shape(x)[axis], sum(lengths))
    return backend.require(x, fits, f'split: lengths: expected a sum of the length of axis {axis}, received '
                           f'{list(lengths)}.')


def no_places(length: Optional[int], axis: int) -> str:
    """Return how :meth:`Backend.gather` refuses indices along an axis, whose length is None if only the run has it."""
    last = f'one less than the length of axis {axis}' if length is None else length - 1
    return f'gather: indices: expected integers from 0 to {last}, received others.'


def require_places(backend: Any, x: Any, indices: Any, axis: int) -> Any:
    """Return the indices of :meth:`Backend.gather`, which libraries clip, or count from the end, or do not look at."""
    length = backend.static_shape(x)[axis]
    end = backend.shape(x)[axis] if length is None else length
    fits = backend.logical_and(backend.greater_equal(indices, 0), backend.less(indices, end))
    return backend.require(indices, fits, no_places(length, axis))


def no_cell(index: Any, axis: int) -> str:
    """Return how an index of a tensor is refused in the run, if there is no such cell along an axis."""
    return f'getitem: axis {axis}: expected an index from -n to n - 1, for the length n, received {index}.'
