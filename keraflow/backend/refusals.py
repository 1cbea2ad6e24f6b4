"""Errors that data cause while a compiled function runs, carried through the tensor library as text."""
import contextlib
import re
import urllib.parse
from typing import Any, Iterator, Sequence, Type

from keraflow.errors import DataError

__all__ = ['OF_INTEGERS', 'marked', 'refusing', 'require_integers', 'require_split']

#: What the second operand must be where both are integers.
OF_INTEGERS = {'floor_divide': 'expected integers other than 0', 'mod': 'expected integers other than 0',
               'power': 'expected integers of at least 0'}

_MARK = 'keraflow refuses [{}] until here'


def marked(message: str) -> str:
    """A message that :func:`refusing` finds again in what the library says."""
    # Libraries write quotes and other characters in ways of their own.
    return _MARK.format(urllib.parse.quote(message, safe=' ,:;()=+*'))


@contextlib.contextmanager
def refusing(kind: Type[Exception]) -> Iterator[None]:
    """Inside, an error of the library's class `kind` with a marked message becomes a DataError with the message."""
    try:
        yield
    except kind as error:
        found = re.search(re.escape(_MARK).replace(r'\{\}', '(.*?)'), str(error), re.DOTALL)
        if found is None:
            raise
        raise DataError(urllib.parse.unquote(found[1])) from None


def require_integers(backend: Any, operation: str, y: Any, given: Any) -> Any:
    """`y`, the second operand of one of :data:`OF_INTEGERS`: if it is integer, it is looked at in the run.

    So it is only if it was `given` as a tensor: other operands are looked at before a plugin gets them.
    """
    if 'int' not in backend.dtype(y) or not backend.is_tensor(given):
        return y
    fits = backend.greater_equal(y, 0) if operation == 'power' else backend.not_equal(y, 0)
    return backend.require(y, fits, f'{operation}: y: {OF_INTEGERS[operation]}.')


def require_split(backend: Any, x: Any, lengths: Sequence[int], axis: int) -> Any:
    """`x`, of which :meth:`Backend.split` leaves nothing over: its length is looked at in the run if it is not known
    before."""
    if backend.static_shape(x)[axis] is not None:
        return x
    fits = backend.equal(backend.shape(x)[axis], sum(lengths))
    return backend.require(x, fits, f'split: lengths: expected a sum of the length of axis {axis}, received '
                           f'{list(lengths)}.')
