"""Encode values that plain data lack (tuples, arrays, NumPy numbers, ...) as plain data, and decode them.

Each is a dict ``{'as': 'tuple', 'value': [8, 8]}``, the same in JSON and YAML. Inside, numbers that are not finite and
integers with more digits than files allow are strings. A dict of the program that looks like such a form, or like an
object, is written as ``{'as': 'dict', 'value': [[key, value], ...]}``, so that nothing is ambiguous. Reading is
strict, and makes only the values listed here.
"""
import collections
import math
from typing import Any, Callable, Dict, Optional

import numpy as np

from keraflow.errors import SerializationError, describe
from keraflow.files.scalars import MAX_DIGITS

__all__ = ['MAX_ARRAY', 'Refusal', 'decode', 'encode', 'escape', 'is_form', 'is_note', 'is_number', 'is_value',
           'lenient', 'unescape', 'version_of']

#: The most numbers in an array that is an argument. Larger ones belong to the weights.
MAX_ARRAY = 10_000

_DTYPES = ('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float16', 'float32',
           'float64')
_TYPES = {'bool': bool, 'int': int, 'float': float, 'str': str,
          **{f'numpy.{name}': np.dtype(name).type for name in _DTYPES}}
#: The limit for an integer outside an array: Python reads longer ones slowly, and none of more than 4300 digits.
_MOST_DIGITS = 1000
#: Of a dict that represents a value.
_VALUE_KEYS = frozenset({'as', 'value', 'dtype', 'shape'})
_NESTING = (list, dict)
_NOT_FINITE = {'nan': math.nan, 'inf': math.inf, '-inf': -math.inf}


class Refusal(SerializationError):
    """A problem with one value; the caller knows its place."""


def is_number(value: Any) -> bool:
    """Return whether a number is written as it is: finite, and an integer with no more digits than files allow."""
    return abs(value) < 10 ** MAX_DIGITS if type(value) is int else math.isfinite(value)


def is_value(data: Any) -> bool:
    """Return whether a dict represents a value."""
    return 'as' in data and 'value' in data and data.keys() <= _VALUE_KEYS


def is_note(key: Any) -> bool:
    """Return whether a key of a file is a person's note, which means nothing to keraflow."""
    return isinstance(key, str) and key.startswith('x_')


def is_form(data: Any) -> bool:
    """Return whether a dict represents something: an object, a function, an earlier layer, or a value."""
    keys = {key for key in data if not is_note(key)} if 'class' in data or 'function' in data else data.keys()
    return keys == {'shared'} or 'class' in keys and keys <= {'class', 'args', 'learned'} or \
        'function' in keys and keys <= {'function', 'args'} or is_value(data)


def escape(data: Any) -> Any:
    """Return data of the first version, in which fewer dicts stood for something, as today's."""
    if isinstance(data, list):
        return [escape(item) if isinstance(item, _NESTING) else item for item in data]
    if not isinstance(data, dict):
        return data
    items = {key: escape(item) if isinstance(item, _NESTING) else item for key, item in data.items()}
    is_new = is_value(items) or 'learned' in items and is_form(items)
    return {'as': 'dict', 'value': [[key, item] for key, item in items.items()]} if is_new else items


def version_of(data: Any) -> int:
    """Return the first version of the format that has all that is in the data."""
    return 1 if escape(data) == data else 2


def unescape(data: Any) -> Any:
    """Reverse :func:`escape`; for values that the first version simplified, return what it wrote."""
    if isinstance(data, list):
        return [unescape(item) for item in data]
    if not isinstance(data, dict):
        return data
    items = {key: unescape(item) for key, item in data.items()}
    if not is_value(items):
        return items
    value = items['value']
    if 'int' in items.get('dtype', ''):
        value = list(map(int, value)) if items['as'] == 'array' else int(value)
    if items['as'] == 'array':
        return np.reshape(np.array(value, object), items['shape']).tolist()
    if items['as'] in ('dict', 'OrderedDict') and all(type(key) is str for key, _ in value):
        return dict(value)
    return value if items['as'] in ('tuple', 'number', 'text') else items


def lenient(value: Any) -> Any:
    """Return the plainer form of a value: a list for a tuple or an array, and Python's own numbers."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, (list, tuple, range)) else value


def encode(value: Any, write: Callable[[Any, str], Any], max_array: int) -> Optional[Dict[str, Any]]:
    """Return the dict that represents `value`, or None. ``write(item, step)`` writes what is inside it.

    Raises
    ------
    Refusal
        For an array that is too large, or of a dtype that files do not support.
    """
    kind = type(value)
    if kind is np.ndarray:
        return _array(value, max_array)
    if isinstance(value, np.generic) and not isinstance(value, np.flexible):
        return {'as': 'number', 'dtype': _dtype(value.dtype), 'value': _number(value.item())}
    if kind is np.str_:
        return {'as': 'text', 'value': str(value)}
    if kind is float:
        return {'as': 'float', 'value': _number(value)}
    if kind is int:
        return {'as': 'number', 'dtype': 'int', 'value': _integer(value)}
    if kind in (tuple, set, frozenset):
        # Sorted, because sets of strings have another order in each run, and their files should not.
        items = value if kind is tuple else sorted(value, key=lambda it: (type(it).__name__, repr(it)))
        return {'as': kind.__name__, 'value': [write(item, f'[{index}]') for index, item in enumerate(items)]}
    if kind in (dict, collections.OrderedDict):
        pairs = [[write(key, f'[key {index}]'), write(item, _step(key))]
                 for index, (key, item) in enumerate(value.items())]
        return {'as': kind.__name__, 'value': pairs}
    if kind in (range, slice):
        three = [value.start, value.stop, value.step]
        if all(type(it) in (int, type(None)) for it in three):
            return {'as': kind.__name__, 'value': [write(it, f'[{index}]') for index, it in enumerate(three)]}
    if value is Ellipsis:
        return {'as': 'ellipsis', 'value': None}
    if isinstance(value, np.dtype):
        return {'as': 'dtype', 'value': _dtype(value)}
    name = next((name for name, one in _TYPES.items() if one is value), None)
    return None if name is None else {'as': 'type', 'value': name}


def decode(data: Dict[str, Any], read: Callable[[Any, str], Any], max_array: int) -> Any:
    """Return the value that a dict represents. ``read(item, step)`` reads what is inside it.

    Raises
    ------
    Refusal
        For anything that :func:`encode` does not write.
    """
    tag = data['as']
    wanted = {'as', 'value', *_EXTRA.get(tag, ())} if isinstance(tag, str) and tag in _READERS else None
    if data.keys() != wanted:
        raise Refusal(f"expected a value 'as' one of {', '.join(_READERS)}, received {describe(data)}.")
    try:
        return _READERS[tag](data, read, max_array)
    except SerializationError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Refusal(f"expected the value of '{tag}', received {describe(data)}.") from None


def _step(key: Any) -> str:
    return f'.{key}' if isinstance(key, str) else f'[{key!r}]'


# -- writing -----------------------------------------------------------------------------------------------------------

def _number(value: Any) -> Any:
    """Return a number as files have it, or the string of one that other programs might not read exactly."""
    return value if is_number(value) else str(value)


def _integer(value: int) -> str:
    if abs(value) >= 10 ** _MOST_DIGITS:
        raise Refusal(f'an integer of more than {_MOST_DIGITS} digits cannot be saved. Pass a string, and make the '
                      'integer of it in the class.')
    return str(value)


def _dtype(dtype: np.dtype) -> str:
    if dtype.name not in _DTYPES:
        raise Refusal(f"NumPy's {dtype.name[:30]} cannot be saved. Choose one of {', '.join(_DTYPES)}, or pass a list "
                      'of strings and numbers.')
    return dtype.name


def _array(value: np.ndarray, max_array: int) -> Dict[str, Any]:
    if value.size > max_array:
        advice = 'Learn it from the data again, or save it separately with np.save.' if max_array > MAX_ARRAY else (
            'Make it a parameter of the layer, which is saved with the weights: self.add_weight(name, shape, init=..., '
            'trainable=False).')
        raise Refusal(f'an array of {value.size} numbers is too large to be saved as plain data; the limit '
                      f'is {max_array}. {advice}')
    dtype, numbers = _dtype(value.dtype), [_number(item) for item in value.ravel().tolist()]
    return {'as': 'array', 'dtype': dtype, 'shape': list(value.shape), 'value': numbers}


# -- reading -----------------------------------------------------------------------------------------------------------

def _exactly(value: Any, *types: type) -> Any:
    if type(value) not in types:
        raise TypeError
    return value


def _exact_integer(text: Any) -> int:
    """Return the integer that a string represents, if :func:`encode` would write it that way."""
    value = int(_exactly(text, str)[:_MOST_DIGITS + 1])      # cut first: a hostile text may be long
    if str(value) != text or is_number(value):
        raise ValueError
    return value


def _numbers(values: list, dtype: Any) -> np.ndarray:
    """Return numbers as an array of a dtype that can hold all of them."""
    kind = np.dtype(_DTYPES[_DTYPES.index(dtype)]).kind      # index() refuses all other names
    if kind == 'f':
        made = np.array([_NOT_FINITE[it] if type(it) is str else _exactly(it, int, float) for it in values], 'float64')
        with np.errstate(over='ignore'):
            cast = made.astype(dtype)
        if not np.array_equal(np.isinf(made), np.isinf(cast)):
            raise OverflowError
        return cast
    values = [_exact_integer(it) if kind != 'b' and type(it) is str else _exactly(it, bool if kind == 'b' else int)
              for it in values]
    if kind != 'b' and values and not np.iinfo(dtype).min <= min(values) <= max(values) <= np.iinfo(dtype).max:
        raise OverflowError
    return np.array(values, dtype)


def _array_of(data: Any, read: Any, max_array: int) -> np.ndarray:
    values, shape = _exactly(data['value'], list), [_exactly(it, int) for it in _exactly(data['shape'], list)]
    if len(values) > max_array or len(shape) > 32 or min(shape, default=0) < 0 or math.prod(shape) != len(values):
        raise ValueError
    return _numbers(values, data['dtype']).reshape(shape)


def _items(data: Any, read: Any, limit: int) -> list:
    return [read(item, f'[{index}]') for index, item in enumerate(_exactly(data['value'], list))]


def _dict(data: Any, read: Any, limit: int) -> dict:
    made: Dict[Any, Any] = {}
    for index, (key, item) in enumerate(_exactly(data['value'], list)):
        name = read(key, f'[key {index}]')
        if name in made:
            raise ValueError
        made[name] = read(item, _step(name))
    return made


def _three(data: Any, read: Any, limit: int) -> list:
    values = _items(data, read, limit)
    if len(values) != 3 or any(type(it) not in (int, type(None)) for it in values):
        raise TypeError
    return values


def _ellipsis(data: Any, read: Any, limit: int) -> Any:
    _exactly(data['value'], type(None))
    return Ellipsis


#: The keys that each form reads besides 'as' and 'value'.
_EXTRA = {'array': ('dtype', 'shape'), 'number': ('dtype',)}
_READERS: Dict[str, Callable[[Any, Any, int], Any]] = {
    'tuple': lambda *given: tuple(_items(*given)),
    'array': _array_of,
    'number': lambda data, read, limit: _exact_integer(data['value']) if data['dtype'] == 'int' else
    _numbers([data['value']], data['dtype'])[0],
    'float': lambda data, read, limit: _NOT_FINITE[data['value']],
    'text': lambda data, read, limit: np.str_(_exactly(data['value'], str)),
    'dict': _dict,
    'OrderedDict': lambda *given: collections.OrderedDict(_dict(*given)),
    'set': lambda *given: set(_items(*given)),
    'frozenset': lambda *given: frozenset(_items(*given)),
    'range': lambda *given: range(*_three(*given)),
    'slice': lambda *given: slice(*_three(*given)),
    'ellipsis': _ellipsis,
    'dtype': lambda data, read, limit: np.dtype(_DTYPES[_DTYPES.index(data['value'])]),
    'type': lambda data, read, limit: _TYPES[data['value']]}
