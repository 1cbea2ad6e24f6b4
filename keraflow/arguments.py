"""Match what a user passes for several named things (parameters, inputs, outputs): a dict, a list, or one value."""
import inspect
from typing import Any, Callable, Dict, List, Sequence

import numpy as np

from keraflow.errors import ArgumentError, ArgumentTypeError, describe, nearest

__all__ = ['as_array', 'as_numbers', 'assign', 'dtype_name', 'is_array_like', 'split_arrays', 'to_list']

_MAX_DEPTH = 32     # of nested lists: NumPy arrays have no more axes


def to_list(value: Any) -> List[Any]:
    """Return `value` itself if it is a list, the elements of a tuple, else a list of one.

    Examples
    --------
    >>> to_list(3), to_list([3]), to_list((3, 4))
    ([3], [3], [3, 4])
    """
    if isinstance(value, list):
        return value
    return list(value) if isinstance(value, tuple) else [value]


def assign(value: Any, names: Sequence[str], where: str, *, single: bool = False) -> Dict[str, Any]:
    """Return the values by name, in the order of `names`; names without a value are left out.

    Parameters
    ----------
    value : dict, list, tuple, None or (with `single`) any other value
        A dict assigns by name, a list by order, one value to the only name.
    names : sequence of str
        The names there are.
    where : str
        Start of a message, such as ``'dense1: regularizers'``.
    single : bool
        Whether one value is accepted in place of a list of one.

    Raises
    ------
    ArgumentError
        For an unknown name, or more values than names.
    ArgumentTypeError
        For one value where a dict or a list is required.

    Examples
    --------
    >>> assign(['l1'], ['W', 'b'], 'dense1: regularizers')
    {'W': 'l1'}
    """
    if value is None:
        return {}
    if isinstance(value, dict):
        for name in value:
            if name not in names:
                raise ArgumentError(f"{where}: there is no '{name}'. {nearest(str(name), names)}")
        return {name: value[name] for name in names if value.get(name) is not None}
    if isinstance(value, (list, tuple)):
        if len(value) > len(names):
            raise ArgumentError(
                f'{where}: expected at most {len(names)} ({", ".join(names) or "there are none"}), received '
                f'{len(value)}.')
        return {name: item for name, item in zip(names, value) if item is not None}
    if single and len(names) == 1:
        return {names[0]: value}
    raise ArgumentTypeError(
        f'{where}: expected a dict by name or a list in the order {", ".join(names)}, received {describe(value)}.')


def takes(function: Callable, /, *args: Any, **kwargs: Any) -> bool:
    """Return whether a function can be called with these arguments, as far as its signature is known.

    Examples
    --------
    >>> takes(lambda epoch, lr: lr, 0), takes(lambda epoch: 0.1, 0)
    (False, True)
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):     # some built-in functions have no signature
        return True
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def is_array_like(value: Any) -> bool:
    """Return whether `value` is an array or a nested list of numbers, and not a list of arrays."""
    if isinstance(value, (list, tuple)):
        return not any(isinstance(item, np.ndarray) for item in value) and _innermost_is_number(value)
    return hasattr(value, '__array__') or np.isscalar(value)


def split_arrays(value: Any) -> Any:
    """Return a user's arrays as a dict or a list: one array (or nested list of numbers) becomes a list of one."""
    return [value] if value is not None and not isinstance(value, dict) and is_array_like(value) else value


def as_array(value: Any) -> np.ndarray:
    """Convert `value` to an array.

    Raises
    ------
    ValueError
        If items of a list have different shapes, or lists are nested too deep. NumPy before 1.24 only warns of that,
        and turning this warning into an error would affect all threads.

    Examples
    --------
    >>> as_array([[1, 2], [3, 4]]).shape
    (2, 2)
    >>> as_array([[1, 2], [3]])
    Traceback (most recent call last):
    ValueError: the items have different shapes: (1,), (2,)
    """
    _common_shape(value)
    return np.asarray(value)


def as_numbers(value: Any, where: str) -> np.ndarray:
    """Convert `value` to an array of numbers or bools.

    Raises
    ------
    ArgumentTypeError
        If it is not one; the message starts with `where`.

    Examples
    --------
    >>> as_numbers('a', 'dense1: W')
    Traceback (most recent call last):
    keraflow.errors.ArgumentTypeError: dense1: W: expected an array of numbers, received 'a'.
    """
    try:
        array = as_array(value)
    except ValueError:      # its items have different shapes
        array = np.array(None)
    if array.dtype.kind not in 'biuf':
        raise ArgumentTypeError(f'{where}: expected an array of numbers, received {describe(value)}.')
    return array


def _common_shape(value: Any, depth: int = 0) -> tuple:
    """Return the shape of an array of `value`: lists are walked, everything else is asked."""
    if not isinstance(value, (list, tuple)):
        return np.shape(value) if hasattr(value, '__array__') or hasattr(value, '__len__') else ()
    if depth == _MAX_DEPTH:
        raise ValueError(f'lists are nested deeper than {_MAX_DEPTH}')
    if set(map(type, value)) <= {bool, int, float}:      # a long list of numbers is not walked
        return (len(value),)
    found = {_common_shape(item, depth + 1) for item in value}
    if len(found) > 1:
        raise ValueError(f"the items have different shapes: {', '.join(map(str, sorted(found)))}")
    return (len(value), *found.pop())


def _innermost_is_number(value: Any) -> bool:
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (int, float, np.number, np.bool_))


def dtype_name(dtype: Any) -> Any:
    """Return the name of a dtype given as an object such as ``np.float32``; pass anything else through.

    Examples
    --------
    >>> dtype_name(np.float32), dtype_name(np.dtype('int32')), dtype_name('float64')
    ('float32', 'int32', 'float64')
    """
    dtype = getattr(dtype, 'as_numpy_dtype', dtype)     # a dtype of TensorFlow
    if isinstance(dtype, np.dtype):
        return dtype.name
    return dtype.__name__.rstrip('_') if isinstance(dtype, type) and issubclass(dtype, np.generic) else dtype  # bool_
