"""The dtypes of keraflow, and the dtypes of results."""
from typing import Any, Callable, Dict, Sequence

import numpy as np

from keraflow.errors import ArgumentError, ArgumentTypeError, describe

__all__ = ['DTYPES', 'FLOATS', 'array_dtype', 'check_dtype', 'common_dtype', 'dtype_given', 'dtype_of_value',
           'dtype_of_variable', 'dtype_of_x', 'integers_of', 'near_dtype', 'operands_dtype', 'value_dtype']

#: In order of promotion.
DTYPES = ('bool', 'int32', 'int64', 'float32', 'float64')
FLOATS = ('float32', 'float64')
_KINDS = {'bool': 0, 'int32': 1, 'int64': 1, 'float32': 2, 'float64': 2}


def common_dtype(*dtypes: str) -> str:
    """Return the dtype of a result of operands with these dtypes.

    Examples
    --------
    >>> common_dtype('int64', 'float32')
    'float32'
    >>> common_dtype('bool', 'int32')
    'int32'
    """
    return max(dtypes, key=DTYPES.index)


def check_dtype(dtype: str) -> None:
    """Raise unless a dtype is one of keraflow's."""
    if dtype not in DTYPES:
        raise ArgumentError(f"cast: expected one of {', '.join(DTYPES)}, received {describe(dtype)}.")


def near_dtype(dtype: Any, floatx: str) -> str:
    """Return the dtype that holds the values of a NumPy dtype.

    Raises
    ------
    ArgumentTypeError
        If these are not numbers or bools.

    Examples
    --------
    >>> near_dtype('int8', 'float32'), near_dtype('float16', 'float32'), near_dtype('float64', 'float32')
    ('int64', 'float32', 'float64')
    """
    if isinstance(dtype, str) and dtype in DTYPES:
        return dtype
    dtype = np.dtype(dtype)
    if dtype.name in DTYPES:
        return dtype.name
    if dtype.kind not in 'iuf':
        raise ArgumentTypeError(f'expected numbers or bools, received an array of dtype {dtype.name}.')
    return floatx if dtype.kind == 'f' else 'int64'


def array_dtype(value: Any, floatx: str) -> str:
    """Return the dtype of an array, a list or a number by itself: that of an array is its own, if keraflow has it.

    Examples
    --------
    >>> array_dtype(np.ones(3), 'float32'), array_dtype([1., 2.], 'float32'), array_dtype(2, 'float32')
    ('float64', 'float32', 'int64')
    """
    dtype = near_dtype(np.asarray(value).dtype, floatx)
    if isinstance(value, np.ndarray) or dtype == 'bool':
        return dtype
    return floatx if dtype in FLOATS else 'int64'


def value_dtype(value: Any, floatx: str) -> str:
    """Return the default dtype of a variable or a constant made from a value.

    Examples
    --------
    >>> value_dtype(2, 'float32'), value_dtype(np.ones(3), 'float32'), value_dtype([1, 2], 'float32')
    ('float32', 'float32', 'int64')
    """
    dtype = np.asarray(value).dtype
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return floatx if is_number or dtype.kind == 'f' else near_dtype(dtype, floatx)


def operands_dtype(tensors: Sequence[str], others: Sequence[Any], floatx: str) -> str:
    """Return the dtype of a result of tensors with these dtypes and of other operands.

    For numbers, lists, and real arrays next to a tensor only the kind counts: they take the dtype of the others, but
    floatx (int64 for integers) if these are of a lower kind.

    Examples
    --------
    >>> operands_dtype(['float32'], [np.ones(3)], 'float64'), operands_dtype(['int32'], [[0.5]], 'float32')
    ('float32', 'float32')
    >>> operands_dtype(['int32'], [2], 'float32'), operands_dtype([], [np.ones(3)], 'float32')
    ('int32', 'float64')
    """
    fixed, free = list(tensors), []
    for one in others:
        dtype = array_dtype(one, floatx)
        if isinstance(one, np.ndarray) and not (tensors and dtype in FLOATS):
            fixed.append(dtype)
        else:
            free.append(floatx if dtype in FLOATS else dtype)
    if not fixed:
        return common_dtype(*free)
    common = common_dtype(*fixed)
    return common_dtype(common, *(dtype for dtype in free if _KINDS[dtype] > _KINDS[common]))


def integers_of(backend: Any, x: Any, dtype: str, cut: Callable[[Any, str], Any]) -> Any:
    """Cast a real tensor to integers as :meth:`Backend.cast` does, by the library's `cut` for values in range."""
    lowest, highest = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    above = backend.greater_equal(x, -float(lowest))        # exactly representable as a real
    inside = backend.logical_and(backend.greater_equal(x, float(lowest)), backend.logical_not(above))
    beyond = backend.where(above, backend.constant(highest, dtype), backend.where(
        backend.less(x, 0.), backend.constant(lowest, dtype), backend.constant(0, dtype)))      # neither: NaN
    # Libraries cut what is out of range in different ways, so they only see what is inside.
    return backend.where(inside, cut(backend.where(inside, x, 0.), dtype), beyond)


# -- the dtypes of numbers, if not that of the operands they meet
# -------------------------------------------------------

def dtype_given(backend: Any, given: Dict[str, Any]) -> str:
    """Return the argument `dtype`, by default floatx."""
    return given['dtype'] or backend.floatx()


def dtype_of_value(backend: Any, given: Dict[str, Any]) -> str:
    """Return the argument `dtype`, by default that of the `value`."""
    return given['dtype'] or value_dtype(given['value'], backend.floatx())


def dtype_of_variable(backend: Any, given: Dict[str, Any]) -> str:
    """Return the dtype of the `variable` that is set."""
    return backend.dtype(given['variable'])


def dtype_of_x(backend: Any, given: Dict[str, Any]) -> str:
    """Return the dtype of `x`, which is a tensor, an array or a list of either."""
    x = given['x']
    if isinstance(x, (list, tuple)):
        x = next(filter(backend.is_tensor, x), x)
    return near_dtype(backend.dtype(x), backend.floatx()) if backend.is_tensor(x) else array_dtype(x, backend.floatx())
