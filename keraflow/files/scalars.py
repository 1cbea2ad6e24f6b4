"""Which numbers and texts are allowed: the rules that JSON and YAML share."""
import re
from typing import Union

from keraflow.files.limits import Limits
from keraflow.files.refusal import excerpt, refusal

__all__ = ['FORBIDDEN_TEXT', 'MAX_DIGITS', 'NUMBER', 'RefusedNumber', 'decode', 'to_float', 'to_int']

#: Enough to tell any two float64 apart. No size in a model needs a longer integer.
MAX_DIGITS = 17

#: A number as JSON writes it.
NUMBER = re.compile(r'-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?')

#: NUL and lone surrogates: no file name, no C library and no UTF-8 file can hold them.
FORBIDDEN_TEXT = re.compile('[\x00\ud800-\udfff]')

_NO_SPACE = re.compile('[^ \t\r\n]')


class RefusedNumber(Exception):
    """A number that is refused: ``args`` are its text and the reason. The caller knows the place."""


def to_int(text: str) -> int:
    """Convert a JSON integer.

    Examples
    --------
    >>> to_int('-12')
    -12
    """
    if len(text.lstrip('-')) > MAX_DIGITS:
        raise RefusedNumber(text, f'has more than {MAX_DIGITS} digits. Write a shorter one, or a string in quotes.')
    return int(text)


def to_float(text: str) -> float:
    """Convert a JSON number to a float; refuse one that overflows.

    Examples
    --------
    >>> to_float('1e-3')
    0.001
    """
    value = float(text)
    if value in (float('inf'), float('-inf')):
        raise RefusedNumber(text, 'is too large for a float64. Numbers in a file are finite.')
    return value


def decode(text: Union[str, bytes], source: object, limits: Limits) -> str:
    """Decode UTF-8 text: no byte order mark, no NUL, no lone surrogate, not empty, not too long."""
    if len(text) > limits.max_bytes:
        raise refusal(source, f'the text has {len(text)} bytes; the limit is {limits.max_bytes}. '
                              'If you trust it, pass larger limits.')
    if isinstance(text, bytes):
        text = _from_utf8(text, source)
    if text.startswith('\ufeff'):
        raise refusal(source, 'the file begins with a byte order mark. Save it as UTF-8 without one.')
    # The search reads each character, and most texts have only such as need none.
    forbidden = None if text.isascii() and '\0' not in text else FORBIDDEN_TEXT.search(text)
    if forbidden:
        line = text.count('\n', 0, forbidden.start()) + 1
        raise refusal(f'{source}:{line}', f'the character {excerpt(forbidden[0])} is not allowed. Remove it.')
    if not _NO_SPACE.search(text):
        raise refusal(source, 'the file is empty. Save the model again.')
    return text


def _from_utf8(data: bytes, source: object) -> str:
    if data[:2] in (b'\xff\xfe', b'\xfe\xff'):
        raise refusal(source, 'the file is UTF-16. Save it as UTF-8.')
    try:
        return data.decode('utf-8')
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise refusal(f'{source}:{line}', f'the byte 0x{data[error.start]:02x} is not UTF-8. '
                                          'Save the file as UTF-8.') from None
