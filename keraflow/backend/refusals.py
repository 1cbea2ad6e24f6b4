"""Errors that data cause while a compiled function runs, carried through the tensor library as text."""
import contextlib
import re
import urllib.parse
from typing import Any, Iterator, Sequence, Type

from keraflow.backend.method_info import METHODS
from keraflow.errors import DataError

__all__ = ['marked', 'refusing', 'require_integers', 'require_split']

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
    """`y`, the second operand of an operation that does not take all integers, checked in the run if it is integer.

    So it is only if it was `given` as a tensor: other operands are looked at before a plugin gets them.
    """
    if 'int' not in backend.dtype(y) or not backend.is_tensor(given):
        return y
    rule = METHODS[operation].second_integer
    return y if rule is None else backend.require(y, rule.is_right(backend, y), f'{operation}: y: {rule.expected}.')


def require_split(backend: Any, x: Any, lengths: Sequence[int], axis: int) -> Any:
    """`x`, of which :meth:`Backend.split` leaves nothing over: its length is looked at in the run if it is not known
    before."""
    if backend.static_shape(x)[axis] is not None:
        return x
    fits = backend.equal(backend.shape(x)[axis], sum(lengths))
    return backend.require(x, fits, f'split: lengths: expected a sum of the length of axis {axis}, received '
                           f'{list(lengths)}.')
