"""Numbers that a program gives to functions of the backend: refused where the dtype that they take cannot hold them.

Libraries cut such numbers in silence, each in its own way. Tensors are not looked at: what they hold is known in a run.
"""
import functools
import inspect
from typing import Any, Dict, List, Tuple

import numpy as np

from keraflow.arguments import as_numbers
from keraflow.backend.contract import Backend
from keraflow.backend.dtypes import DTYPES, FLOATS, array_dtype, near_dtype, operands_dtype, value_dtype
from keraflow.backend.ranges import fits, misfit
from keraflow.backend.refusals import OF_INTEGERS
from keraflow.errors import ArgumentError, ArgumentTypeError, ShapeError, describe

__all__ = ['check_held', 'check_integers', 'check_tensors', 'is_small']

_NAMES = frozenset({'x', 'y', 'kernels', 'bias', 'tensors', 'min_value', 'max_value', 'alpha', 'edges', 'value', 'low',
                    'high', 'mean', 'std'})
#: Of what these are given counts only what is 0, or the shape.
_BLIND = frozenset({'any', 'all', 'logical_and', 'logical_or', 'logical_not', 'ones_like', 'zeros_like', 'shape'})
#: Their operands become reals.
_REAL = frozenset({'divide', 'conv', 'conv_transpose', 'depthwise_conv', 'relu', 'histogram'})
#: The dtype is not that of operands that meet.
_FIXED = frozenset({'cast', 'constant', 'full', 'pad', 'set_value', 'variable'})


def is_small(value: Any) -> bool:
    """Whether `value` is a number of Python that fits into the dtype of any operands which it is one of."""
    return type(value) in (int, float) and -2 ** 24 <= value <= 2 ** 24


def check_held(backend: Backend, operation: str, given: Dict[str, Any]) -> None:
    """Raise an ArgumentError if a number, a list or an array among the arguments of an operation does not fit into the
    dtype that it takes.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> check_held(B.current(), 'add', {'x': B.constant([1, 2], 'int32'), 'y': 2 ** 40})
    Traceback (most recent call last):
    keraflow.errors.ArgumentError: y: expected numbers that int32 can hold, received 1099511627776. Write ...
    """
    is_fixed = operation in _FIXED
    operands = [(name, given[name]) for name in _looked_at(operation)]
    if all(backend.is_tensor(value) or not is_fixed and (value is None or is_small(value)) for _, value in operands):
        return
    parts = [(name, part) for name, value in operands for part in _parts(backend, name, value)]
    tensors = [part for _, part in parts if backend.is_tensor(part)]
    arrays = [(name, part, as_numbers(part, name)) for name, part in parts if not backend.is_tensor(part)]
    dtype = _dtype(backend, operation, given, tensors, [part for _, part, _ in arrays])
    for name, _, array in arrays:
        problem = misfit(_cut(array, dtype) if operation == 'cast' else array, dtype)
        if problem:
            raise ArgumentError(f'{name}: {problem}. {_advice(operation, array, dtype, bool(tensors))}'.rstrip())


def check_integers(backend: Backend, operation: str, given: Dict[str, Any]) -> None:
    """Raise if integers are divided by 0, or have a power below 0, that the program gives as a number or an array.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> check_integers(B.current(), 'mod', {'x': B.constant([1, 2], 'int32'), 'y': 0})
    Traceback (most recent call last):
    keraflow.errors.ArgumentError: y: expected integers other than 0, received 0. Write B.as_real(...) of ...
    """
    x, y = given['x'], given['y']
    if backend.is_tensor(y) or any(_is_real(backend, one) for one in (x, y)):
        return
    array = np.asarray(as_numbers(y, 'y'))
    wrong = array[array < 0] if operation == 'power' else array[array == 0]
    if wrong.size:
        raise ArgumentError(f'y: {OF_INTEGERS[operation]}, received {wrong.flat[0]}. Write B.as_real(...) of the first '
                            'operand.')


def _is_real(backend: Backend, value: Any) -> bool:
    values = value if isinstance(value, (list, tuple)) else [value]
    return any(backend.dtype(one) in FLOATS if backend.is_tensor(one) else np.asarray(one).dtype.kind == 'f'
               for one in values)


def check_tensors(backend: Backend, given: Dict[str, Any]) -> None:
    """Raise for a tensor where a value is wanted, and for anything else where a variable, a scalar tensor as `loss` or
    a list of tensors to differentiate by is wanted."""
    if 'value' in given and backend.is_tensor(given['value']):
        raise ArgumentTypeError('value: expected an array of numbers, received a tensor. Write B.eval(...) of it.')
    if 'variable' in given and not backend.is_variable(given['variable']):
        is_number = isinstance(given['variable'], float)
        raise ArgumentTypeError(f"variable: expected a variable, received {_words(backend, given['variable'])}."
                                + (' The learning rate of an optimizer is a number: write optimizer.lr = 0.1.'
                                   if is_number else ''))
    if 'variables' not in given:
        return
    variables = given['variables']
    if not isinstance(variables, (list, tuple)) or not all(map(backend.is_tensor, variables)):
        raise ArgumentTypeError('variables: expected a list of variables or tensors, received '
                                f'{_words(backend, variables)}.')
    if not backend.is_tensor(given['loss']):
        raise ArgumentTypeError(f"loss: expected a tensor, received {describe(given['loss'])}.")
    if backend.ndim(given['loss']):
        raise ShapeError(f"loss: expected a scalar, received shape {tuple(backend.static_shape(given['loss']))}. "
                         'Write B.sum or B.mean of it.')


def _words(backend: Backend, value: Any) -> str:
    return 'a tensor' if backend.is_tensor(value) else describe(value)


@functools.lru_cache(maxsize=None)
def _looked_at(operation: str) -> Tuple[str, ...]:
    """The names of the arguments that take one dtype."""
    names = inspect.signature(getattr(Backend, operation)).parameters
    return () if operation in _BLIND else tuple(name for name in names if name in _NAMES)


def _parts(backend: Backend, name: str, value: Any) -> List[Any]:
    """The operands in an argument: itself, or its items if it is a list of operands."""
    if name == 'tensors' or isinstance(value, (list, tuple)) and any(map(backend.is_tensor, value)):
        return list(value)
    return [] if value is None and name != 'value' else [value]


def _dtype(backend: Backend, operation: str, given: Dict[str, Any], tensors: List[Any], others: List[Any]) -> str:
    floatx = backend.floatx()
    if operation == 'set_value':
        return backend.dtype(given['variable'])
    if 'dtype' in given:
        makes = operation in ('constant', 'variable')
        return given['dtype'] or (value_dtype(given['value'], floatx) if makes else floatx)
    dtypes = [near_dtype(backend.dtype(one), floatx) for one in tensors]
    if operation == 'pad':
        return dtypes[0] if dtypes else array_dtype(given['x'], floatx)
    dtype = operands_dtype(dtypes, others, floatx)
    return floatx if operation in _REAL and dtype not in FLOATS else dtype


def _cut(array: np.ndarray, dtype: str) -> np.ndarray:
    """What a cast that is asked for may change: fractions go, integers are rounded, and all but 0 is true."""
    if dtype == 'bool':
        return array != 0
    if dtype not in FLOATS:
        return np.trunc(array) if array.dtype.kind == 'f' else array
    return array.astype('float64')


def _advice(operation: str, array: np.ndarray, dtype: str, meets_tensors: bool) -> str:
    wider = next((one for one in DTYPES[DTYPES.index(dtype) + 1:] if fits(array, one)), None)
    if operation == 'set_value':
        advice = f"Make the variable with dtype='{wider}'"
    elif operation in ('cast', 'constant', 'full', 'random_normal', 'random_uniform', 'variable'):
        advice = f"Pass dtype='{wider}'"
    elif meets_tensors:
        advice = f"Write B.cast(..., '{wider}') for what it meets"
    else:
        advice = f"Write B.constant(..., '{wider}')"
    ways = [advice] if wider else []
    if array.dtype.kind in 'iu' and dtype in FLOATS:
        ways.append(f'np.{dtype}(...) if it may be rounded' if ways else f'Write np.{dtype}(...) if it may be rounded')
    return f"{', or '.join(ways)}." if ways else ''
