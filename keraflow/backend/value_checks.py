"""Refuse numbers in arguments of functions of the backend that the dtype which they take cannot hold.

Libraries truncate such numbers silently, in different ways. Tensors are not checked: their values are known only in a
run.
"""
from typing import Any, Dict, List

import numpy as np

from keraflow.arguments import as_numbers
from keraflow.backend.dtypes import DTYPES, FLOATS, near_dtype, operands_dtype
from keraflow.backend.method_info import MethodInfo, SecondInteger
from keraflow.backend.ranges import fits, misfit
from keraflow.errors import ArgumentError

__all__ = ['check_integers', 'check_values', 'is_small']


def is_small(value: Any) -> bool:
    """Return whether `value` is a Python number that fits every dtype of the operands next to it."""
    # Up to 2 ** 24 float32 holds each integer; a real among integers makes the result real, and so fits, too.
    return type(value) in (int, float) and -2 ** 24 <= value <= 2 ** 24


def check_values(backend: Any, method: MethodInfo, given: Dict[str, Any]) -> None:
    """Raise an ArgumentError if a number, list or array among the arguments of an operation does not fit its dtype.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> from keraflow.backend.contract import METHODS
    >>> check_values(B.current(), METHODS['add'], {'x': B.constant([1, 2], 'int32'), 'y': 2 ** 40})
    Traceback (most recent call last):
    keraflow.errors.ArgumentError: y: expected numbers that int32 can hold, received 1099511627776. Write ...
    """
    if method.takes_any_number:
        return
    operands = [(name, given[name]) for name in method.values]
    # The usual operands, tensors and small numbers, need no further look.
    if all(backend.is_tensor(value) or method.dtype is None and (value is None or is_small(value))
           for _, value in operands):
        return
    parts = [(name, part) for name, value in operands for part in _parts(backend, name, value)]
    tensors = [part for _, part in parts if backend.is_tensor(part)]
    arrays = [(name, part, as_numbers(part, name)) for name, part in parts if not backend.is_tensor(part)]
    if method.dtype is not None:
        dtype = method.dtype(backend, given)
    else:
        dtype = _common_dtype(backend, method, tensors, [part for _, part, _ in arrays])
    for name, _, array in arrays:
        problem = misfit(_cut(array, dtype) if method.converts else array, dtype)
        if problem:
            raise ArgumentError(f'{name}: {problem}. {_advice(given, array, dtype, bool(tensors))}'.rstrip())


def check_integers(backend: Any, rule: SecondInteger, given: Dict[str, Any]) -> None:
    """Raise if a number or array of the program divides integers by 0, or is a negative power of integers.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> from keraflow.backend.contract import METHODS
    >>> check_integers(B.current(), METHODS['mod'].second_integer, {'x': B.constant([1, 2], 'int32'), 'y': 0})
    Traceback (most recent call last):
    keraflow.errors.ArgumentError: y: expected integers other than 0, received 0. Write B.as_real(...) of ...
    """
    x, y = given['x'], given['y']
    if backend.is_tensor(y) or any(_is_real(backend, one) for one in (x, y)):
        return
    array = np.asarray(as_numbers(y, 'y'))
    wrong = array[rule.is_wrong(array)]
    if wrong.size:
        raise ArgumentError(f'y: {rule.expected}, received {wrong.flat[0]}. Write B.as_real(...) of the first '
                            'operand.')


def _is_real(backend: Any, value: Any) -> bool:
    values = value if isinstance(value, (list, tuple)) else [value]
    return any(backend.dtype(one) in FLOATS if backend.is_tensor(one) else np.asarray(one).dtype.kind == 'f'
               for one in values)


def _parts(backend: Any, name: str, value: Any) -> List[Any]:
    """Return the operands in an argument: itself, or its items if it is a list of operands."""
    if name == 'tensors' or isinstance(value, (list, tuple)) and any(map(backend.is_tensor, value)):
        return list(value)
    return [] if value is None and name != 'value' else [value]


def _common_dtype(backend: Any, method: MethodInfo, tensors: List[Any], others: List[Any]) -> str:
    floatx = backend.floatx()
    dtype = operands_dtype([near_dtype(backend.dtype(one), floatx) for one in tensors], others, floatx)
    # A single operand has a dtype of its own before it becomes real.
    return floatx if method.is_real and len(method.values) > 1 and dtype not in FLOATS else dtype


def _cut(array: np.ndarray, dtype: str) -> np.ndarray:
    """Return what an explicit cast may change: it drops fractions, rounds integers, and maps nonzero to true."""
    if dtype == 'bool':
        return array != 0
    if dtype not in FLOATS:
        return np.trunc(array) if array.dtype.kind == 'f' else array
    return array.astype('float64')


def _advice(given: Dict[str, Any], array: np.ndarray, dtype: str, meets_tensors: bool) -> str:
    wider = next((one for one in DTYPES[DTYPES.index(dtype) + 1:] if fits(array, one)), None)
    if 'variable' in given:
        advice = f"Make the variable with dtype='{wider}'"
    elif 'dtype' in given:
        advice = f"Pass dtype='{wider}'"
    elif meets_tensors:
        advice = f"Write B.cast(..., '{wider}') for what it meets"
    else:
        advice = f"Write B.constant(..., '{wider}')"
    ways = [advice] if wider else []
    if array.dtype.kind in 'iu' and dtype in FLOATS:
        ways.append(f'np.{dtype}(...) if it may be rounded' if ways else f'Write np.{dtype}(...) if it may be rounded')
    return f"{', or '.join(ways)}." if ways else ''
