"""What Python and NumPy let a program write with tensors, and no backend computes: what to write instead."""
from typing import Any, Callable, Collection, Optional, Sequence

import numpy as np

from keraflow.backend.contract import METHODS, OPERATIONS
from keraflow.errors import ArgumentTypeError, ShapeError, describe
from keraflow.habits import word_for

__all__ = ['answer_to_numpy', 'check_index', 'no_arrays', 'operation_of_ufunc', 'own_name', 'require_bools']

_SYMBOLS = {'logical_and': '&', 'logical_or': '|', 'logical_not': '~'}


def own_name(name: str) -> Optional[str]:
    """Return the operation that a function of NumPy is, by its name; None if there is none.

    Examples
    --------
    >>> own_name('tanh'), own_name('absolute'), own_name('arctan')
    ('tanh', 'abs', None)
    """
    return name if name in OPERATIONS else word_for(name, OPERATIONS)


def no_arrays(received: str, where: str = 'NumPy', name: str = '') -> ArgumentTypeError:
    """Return the error for a function of NumPy that is given something without an array.

    Examples
    --------
    >>> print(no_arrays('a tensor', 'np.mean', 'mean'))
    np.mean: expected arrays, received a tensor. Write B.mean(x), a function of keraflow.backend.
    """
    own = own_name(name)
    if own:
        method = METHODS[own]
        names = [one for one in method.names if one not in method.defaults]
        advice = f"Write B.{own}({', '.join(names)}), a function of keraflow.backend."
    else:
        advice = 'Write functions of keraflow.backend, such as B.tanh(x).'
    return ArgumentTypeError(f'{where}: expected arrays, received {received}. {advice}')


def answer_to_numpy(function: Any, args: Sequence[Any], shape_of: Callable[[Any], Sequence], received: str) -> Any:
    """Return what a function of NumPy says about a tensor: its static shape, or how many axes it has.

    Raises
    ------
    ArgumentTypeError
        For all other functions.
    """
    if function is np.shape:
        return tuple(shape_of(*args))
    if function is np.ndim:
        return len(shape_of(*args))
    name = function.__name__
    raise no_arrays(received, f"{function.__module__.replace('numpy', 'np', 1)}.{name}", name)


def operation_of_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], kwargs: Any, received: str,
                       among: Collection[str] = OPERATIONS) -> str:
    """Return the operation, among some, that an elementwise function of NumPy is.

    Raises
    ------
    ArgumentTypeError
        If there is none, or for a call that it has not.
    """
    own = own_name(ufunc.__name__)
    if own is None or own not in among or method != '__call__' or kwargs:
        name = ufunc.__name__
        raise no_arrays(received, f'np.{name}', name) if method == '__call__' else no_arrays(
            received, f'np.{name}.{method}')
    if ufunc in (np.bitwise_and, np.bitwise_or, np.invert):
        require_bools(own, *inputs)
    return own


def check_index(index: tuple, shape: Sequence, is_bool_tensor: Callable[[Any], bool]) -> None:
    """Raise unless all libraries mean the same by an index of a tensor with this static shape: TensorFlow takes a list
    for one index an axis, NumPy for several of the first, and no length follows from a condition.

    Raises
    ------
    ArgumentTypeError
        For lists and truth values.
    ShapeError
        For more indices than axes, and for a cell that is not there, as far as lengths are known.

    Examples
    --------
    >>> check_index((..., 3), (None, 3), lambda one: False)
    Traceback (most recent call last):
    keraflow.errors.ShapeError: getitem: axis 1: expected an index from -3 to 2, received 3.
    """
    for one in index:
        if isinstance(one, (list, bool, np.bool_, float, str)):
            received, advice = describe(one), 'B.gather(x, indices, axis) for positions that are listed'
        elif isinstance(one, np.ndarray) and one.dtype == bool or is_bool_tensor(one):
            received, advice = 'truth values', 'B.where(condition, x, y) to choose values'
        else:
            continue
        raise ArgumentTypeError(f'getitem: expected integers, slices, None and ... as an index, received {received}. '
                                f'Use {advice}.')
    count = sum(one is not None and one is not Ellipsis for one in index)
    if count > len(shape):
        raise ShapeError(f'getitem: expected at most {len(shape)} indices for shape {tuple(shape)}, received {count}.')
    axis = 0
    for one in index:
        n = shape[axis] if isinstance(one, (int, np.integer)) else None
        if n is not None and not -n <= one < n:
            raise ShapeError(f'getitem: axis {axis}: expected an index from {-n} to {n - 1}, received {one}.')
        axis += len(shape) - count if one is Ellipsis else one is not None


def require_bools(operation: str, *operands: Any) -> None:
    """Raise unless the operands of ``&``, ``|`` and ``~`` are truth values: of integers libraries take the bits.

    Raises
    ------
    ArgumentTypeError
        For numbers.

    Examples
    --------
    >>> require_bools('logical_and', np.array([True]), False)
    >>> require_bools('logical_and', np.array([True]), 1)
    Traceback (most recent call last):
    keraflow.errors.ArgumentTypeError: &: expected truth values, received 1. Write B.logical_and(x, y), or x != 0.
    """
    for one in operands:
        dtype = getattr(one, 'dtype', None) or np.asarray(one).dtype
        dtype = getattr(dtype, 'name', dtype)
        if dtype != 'bool':
            received = f'a tensor of {dtype}' if hasattr(one, 'dtype') else describe(one)
            names = ', '.join(METHODS[operation].names)
            raise ArgumentTypeError(f'{_SYMBOLS[operation]}: expected truth values, received {received}. '
                                    f'Write B.{operation}({names}), or x != 0.')
