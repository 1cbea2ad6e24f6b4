"""Errors that data cause while a compiled function runs, carried through the tensor library as text."""
import contextlib
import re
import urllib.parse
from typing import Iterator, Type

from keraflow.errors import DataError

__all__ = ['OF_INTEGERS', 'marked', 'refusing']

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
