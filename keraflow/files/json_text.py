"""JSON text to plain data, strictly.

The standard library's scanner, in C, does the work. What it would let pass (duplicate keys, NaN, numbers that
overflow, deep nesting, lone surrogates) is refused here. Its hooks do not know where they are in the text: only when
something is refused is the text walked again, in Python, to find the line.
"""
import itertools
import json
import re
from typing import Any, Callable, Dict, Iterator, List, NoReturn, Optional, Set, Tuple, Union

from keraflow.files.limits import Limits
from keraflow.files.refusal import TOO_DEEP, excerpt, refusal
from keraflow.files.scalars import NUMBER, RefusedNumber, decode, to_float, to_int

__all__ = ['check_structure', 'parse_json']

_NO_PUNCTUATION = bytes(sorted({*range(256)} - {*b'"[]{}:,'}))
_DEEPER = {ord('['): 1, ord('{'): 1, ord(']'): -1, ord('}'): -1}
_ESCAPE = re.compile(r'\\.', re.DOTALL)
_STRING = re.compile(b'"[^"]*"?')
_TEXT_STRING = re.compile('"[^"]*"?')
_EMPTY = re.compile(r'\[[ \t\r\n]*\]|\{[ \t\r\n]*\}')
# A number ends where it ends for the scanner, so that the refused one is found and nothing behind it is read.
_TOKEN = re.compile(rf'["\[\]{{}}:]|{NUMBER.pattern}|NaN|-?Infinity')
# An escaped backslash and an honest surrogate pair are passed over; group 1 is what remains: NUL or half a pair.
_BAD_ESCAPE = re.compile(r'\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'
                         r'|(\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2}))')
_MAYBE_BAD_ESCAPE = re.compile(r'\\u(?:0000|[dD][89a-fA-F])')


def parse_json(text: Union[str, bytes], source: object = '<string>', limits: Limits = Limits()) -> Any:
    """Parse plain data from JSON text.

    Parameters
    ----------
    text : str or bytes
        Bytes are UTF-8 without a byte order mark.
    source : object
        The name in messages, usually the path.
    limits : Limits
        Size, depth and number of nodes, checked before any value is made.

    Returns
    -------
    None, bool, int, float, str, list or dict

    Raises
    ------
    ModelFileError
        With the source and the line: not JSON; a key twice; NaN, Infinity or an overflow; an integer of more than 17
        digits; too deep, too many or too large; not UTF-8; NUL or half a surrogate pair.

    Examples
    --------
    >>> parse_json('{"units": 3}')
    {'units': 3}
    >>> parse_json('{"units": 3, "units": 4}')
    Traceback (most recent call last):
    keraflow.errors.ModelFileError: <string>:1: the key 'units' is written twice. Remove one.
    """
    text = decode(text, source, limits)
    nb_key = 0

    def count(made: Dict[str, Any]) -> Dict[str, Any]:
        nonlocal nb_key
        nb_key += len(made)
        return made

    try:
        nb_colon = check_structure(text, source, limits)
        _check_escapes(text, source)
        data = json.loads(text, object_hook=count, parse_int=to_int, parse_float=to_float, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        extra = error.msg == 'Extra data'
        what = 'there is more text after the end of the data' if extra else f'this is not valid JSON: {error.msg}'
        where = f'{source}:{error.lineno}'
        raise refusal(where, f'{what} (column {error.colno}). Correct it, or save again.') from None
    except RefusedNumber as error:
        number, reason = error.args
        line = _line_of(text, lambda kind, value: kind == 'number' and value == number)
        raise refusal(f'{source}:{line}', f'the number {excerpt(number)} {reason}') from None
    except RecursionError:                                      # only where the caller raised max_depth
        raise refusal(source, TOO_DEEP) from None
    # Of a key that is there twice the scanner keeps one: a hook that sees both takes twice the memory.
    if nb_key != nb_colon:
        _refuse_duplicate(text, source)
    return data


def _no_constant(text: str) -> NoReturn:
    raise RefusedNumber(text, 'is not JSON. Numbers in a file are finite.')


def check_structure(text: str, source: object, limits: Limits) -> int:
    """Check depth and number of nodes, from the punctuation alone: linear, and before a scanner can recurse.

    Returns
    -------
    int
        How many keys there are, if the text is JSON.

    Raises
    ------
    ModelFileError
        It is deeper, or has more nodes, than `limits` allow.
    """
    # Without escapes, each quote begins or ends a string. With nothing but punctuation left, nearly all strings are
    # empty; two that follow each other without any are no JSON, and the scanner ends there.
    bare = _ESCAPE.sub('', text).encode('utf-8', 'replace').translate(None, _NO_PUNCTUATION).replace(b'""', b'')
    bare = _STRING.sub(b'', bare)                               # the last quote may be missing: the scanner tells
    brackets = bare.translate(None, b':,')
    if max(itertools.accumulate(map(_DEEPER.__getitem__, brackets)), default=0) > limits.max_depth:
        line = _line_of(text, _deeper_than(limits.max_depth))
        raise refusal(f'{source}:{line}', f'lists and dicts are nested deeper than {limits.max_depth}. '
                                          'Flatten the data.')
    nb_colon = bare.count(b':')
    nodes = 1 + bare.count(b'[') + bare.count(b'{') + bare.count(b',') + nb_colon
    if nodes > limits.max_nodes:    # too many by the empty ones, which have no value before the first comma
        nodes -= len(_EMPTY.findall(_TEXT_STRING.sub('"', _ESCAPE.sub('', text))))
    if nodes > limits.max_nodes:
        raise refusal(source, f'there are {nodes} keys and values; the limit is {limits.max_nodes}. '
                              'If you trust the file, pass larger limits.')
    return nb_colon


def _check_escapes(text: str, source: object) -> None:
    if not _MAYBE_BAD_ESCAPE.search(text):
        return
    for match in _BAD_ESCAPE.finditer(text):
        if match[1]:
            line = text.count('\n', 0, match.start()) + 1
            raise refusal(f'{source}:{line}', f'the escape {match[1]} is not a character. Remove it.')


# -- finding the line, after a refusal ---------------------------------------------------------------------------------

def _tokens(text: str) -> Iterator[Tuple[int, str, str]]:
    """(offset, kind, value) of strings (decoded), numbers and punctuation, in the order of the text."""
    read_string = json.JSONDecoder().raw_decode
    offset = 0
    while True:
        match = _TOKEN.search(text, offset)
        if match is None:
            return
        start, offset, value = match.start(), match.end(), match[0]
        if value == '"':
            value, offset = read_string(text, start)
            yield start, 'string', value
        elif value in '[]{}:':
            yield start, value, value
        else:
            yield start, 'number', value


def _line_of(text: str, wanted: Callable[[str, str], bool]) -> int:
    for offset, kind, value in _tokens(text):
        if wanted(kind, value):
            return text.count('\n', 0, offset) + 1
    return 1


def _deeper_than(limit: int) -> Callable[[str, str], bool]:
    depth = 0

    def wanted(kind: str, value: str) -> bool:
        nonlocal depth
        depth += (kind in '[{') - (kind in ']}')
        return depth > limit
    return wanted


def _refuse_duplicate(text: str, source: object) -> NoReturn:
    """Walk the text with the set of keys of each open dict; a string is a key when a colon follows it."""
    keys: List[Set[str]] = []
    last: Optional[Tuple[int, str]] = None
    for offset, kind, value in _tokens(text):
        if kind in '[{':
            keys.append(set())
        elif kind in ']}':
            keys.pop()
        elif kind == 'string':
            last = offset, value
        elif kind == ':' and last is not None:
            if last[1] in keys[-1]:
                break
            keys[-1].add(last[1])
    assert last is not None
    line = text.count('\n', 0, last[0]) + 1
    raise refusal(f'{source}:{line}', f'the key {excerpt(last[1])} is written twice. Remove one.')
