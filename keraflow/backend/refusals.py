"""Errors caused by data while a compiled function runs, carried through the tensor library as text."""
import re
import urllib.parse
from typing import Any, Optional, Sequence, Type

from keraflow.backend.method_info import METHODS
from keraflow.errors import DataError

__all__ = ['marked', 'refusing', 'require_integers', 'require_split']

_MARK = 'keraflow refuses [{}] until here'


def marked(message: str) -> str:
    """Mark a message so that :func:`refusing` finds it in the library's own message."""
    # Libraries escape quotes and other characters in different ways.
    return _MARK.format(urllib.parse.quote(message, safe=' ,:;()=+*'))


class refusing:
    """Turn an error of the library's class `kind` with a marked message into a DataError with that message.

    A class, because every call of a compiled function enters it, and a generator would take four times as long.

    Raises
    ------
    DataError
        With the marked message.
    """

    __slots__ = ('_kind',)

    def __init__(self, kind: Type[Exception]):
        self._kind = kind

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Optional[type], error: Optional[BaseException], trace: Any) -> None:
        if isinstance(error, self._kind):
            found = re.search(re.escape(_MARK).replace(r'\{\}', '(.*?)'), str(error), re.DOTALL)
            if found is not None:
                raise DataError(urllib.parse.unquote(found[1])) from None


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
