"""Plain values of a program as JSON text and arrays, from which equal values of the same types come back.

JSON alone has no NaN, no long integers, no tuples and no arrays, and only strings as keys.
"""
import json
import math
from typing import Any, Callable, Dict, Mapping, Tuple

import numpy as np

from keraflow.errors import ModelFileError
from keraflow.files.json_text import parse_json
from keraflow.files.refusal import refusal
from keraflow.files.scalars import FORBIDDEN_TEXT
from keraflow.files.tensor_header import DTYPES

__all__ = ['is_plain', 'pack', 'unpack']

_MAX_INT = 10 ** 17
_DTYPES = frozenset(DTYPES.values())
#: How deep values may be nested.
_MAX_DEPTH = 32


def is_plain(value: Any, depth: int = 0) -> bool:
    """Return whether a value can be packed: numbers, strings, arrays, and lists, tuples and dicts of them.

    Examples
    --------
    >>> is_plain({'best': 0.5, 3: [None, (1, 2)], 'W': np.ones(2)}), is_plain([len])
    (True, False)
    """
    if value is None or isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        return True
    if isinstance(value, str):
        return not FORBIDDEN_TEXT.search(value)
    if isinstance(value, np.ndarray):
        return value.dtype.newbyteorder('<') in _DTYPES
    if depth >= _MAX_DEPTH:
        return False
    if isinstance(value, (list, tuple)):
        return all(is_plain(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return all(is_plain(one, depth + 1) for pair in value.items() for one in pair)
    return False


def pack(value: Any, name: str) -> Tuple[str, Dict[str, np.ndarray]]:
    """Return a plain value as JSON text, and the arrays in it, whose names start with `name`.

    Examples
    --------
    >>> text, arrays = pack({'best': float('nan'), 'W': np.ones(2)}, 'state')
    >>> list(arrays), unpack(text, arrays, 'file')
    (['state/0'], {'best': nan, 'W': array([1., 1.])})
    """
    arrays: Dict[str, np.ndarray] = {}

    def keep(array: np.ndarray) -> str:
        arrays[f'{name}/{len(arrays)}'] = np.array(array)       # the program may go on to change it
        return f'{name}/{len(arrays) - 1}'
    return json.dumps(_packed(value, keep), separators=(',', ':')), arrays


def unpack(text: str, arrays: Mapping[str, np.ndarray], where: str) -> Any:
    """Return the value that was packed; `where` is the start of a message.

    Raises
    ------
    ModelFileError
        If the text is damaged, or an array is missing.
    """
    try:
        return _unpacked(parse_json(text, where), arrays)
    except ModelFileError:      # which is a ValueError, too
        raise
    except (KeyError, TypeError, ValueError, OverflowError):
        raise refusal(where, 'its description of the training is damaged.') from None


def _packed(value: Any, keep: Callable[[np.ndarray], str]) -> Any:
    if isinstance(value, np.ndarray):
        return {'array': keep(value)}
    if isinstance(value, np.generic):
        # With its dtype, which the arithmetic of the program may depend on.
        return {'scalar': keep(np.asarray(value))}
    if isinstance(value, float) and not math.isfinite(value):
        return {'float': repr(value)}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _MAX_INT:
        return {'int': f'{value:x}'}
    if isinstance(value, tuple):
        return {'tuple': [_packed(item, keep) for item in value]}
    if isinstance(value, list):
        return [_packed(item, keep) for item in value]
    if isinstance(value, dict):
        return {'dict': [[_packed(one, keep) for one in pair] for pair in value.items()]}
    return value


def _unpacked(data: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(data, list):
        return [_unpacked(item, arrays) for item in data]
    if not isinstance(data, dict):
        return data
    [(kind, content)] = data.items()
    return _KINDS[kind](content, arrays)


def _pairs(content: Any, arrays: Mapping[str, np.ndarray]) -> Dict[Any, Any]:
    return dict(_unpacked(content, arrays))


_KINDS: Dict[str, Callable[[Any, Mapping[str, np.ndarray]], Any]] = {
    'array': lambda name, arrays: np.array(arrays[name]),
    'scalar': lambda name, arrays: arrays[name][()],
    'float': lambda text, _: float(text),
    'int': lambda text, _: int(text, 16),
    'tuple': lambda items, arrays: tuple(_unpacked(items, arrays)),
    'dict': _pairs,
}
