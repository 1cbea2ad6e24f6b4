"""Check values where there should be tensors or numbers, before they reach the backend."""
from typing import Any, Sequence

import numpy as np

from keraflow import backend as B
from keraflow import shapes
from keraflow.arguments import as_numbers
from keraflow.backend.ranges import misfit
from keraflow.errors import ArgumentError, ArgumentTypeError, ShapeError, describe

__all__ = ['check_fits', 'check_new_value', 'check_numbers', 'check_scalar', 'check_shape', 'check_tensor',
           'described']


def described(value: Any) -> str:
    """Describe a value for a message, in the same words on every backend even if it contains tensors."""
    if B.is_tensor(value):
        return 'a tensor'
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return f'a {type(value).__name__} of tensors' if any(map(B.is_tensor, parts)) else describe(value)


def check_tensor(value: Any, where: str) -> None:
    """Raise unless `value` is a tensor of the backend."""
    if not B.is_tensor(value):
        raise ArgumentTypeError(f'{where}: expected a tensor, received {described(value)}.')


def check_scalar(value: Any, where: str) -> None:
    """Raise unless `value` is a tensor without axes."""
    if not B.is_tensor(value):
        raise ArgumentTypeError(f'{where}: expected a scalar tensor, received {described(value)}.')
    if B.ndim(value):
        raise ShapeError(f'{where}: expected a scalar tensor, received {tuple(B.static_shape(value))}. '
                         'Write B.sum or B.mean of it.')


def check_numbers(value: Any, where: str) -> None:
    """Raise unless `value` is a tensor, or converts to a NumPy array of numbers."""
    if not B.is_tensor(value):
        as_numbers(value, where)


def check_fits(array: np.ndarray, dtype: str, where: str, advice: str = '') -> None:
    """Raise unless a dtype can hold the numbers of an array."""
    problem = misfit(array, dtype)
    if problem:
        raise ArgumentError(f'{where}: {problem}. {advice}'.rstrip())


def check_shape(value: Any, shape: Sequence, where: str) -> None:
    """Raise unless `value` is a tensor or an array of numbers that may have this static shape."""
    check_numbers(value, where)
    received = tuple(B.static_shape(value)) if B.is_tensor(value) else np.shape(value)
    if not shapes.agree(tuple(shape), received):
        raise ShapeError(f'{where}: expected a value of shape {tuple(shape)}, received {received}.')


def check_new_value(value: Any, variable: Any, where: str) -> None:
    """Raise unless a variable may be set to `value`, a tensor or an array of numbers."""
    check_shape(value, B.static_shape(variable), where)
    if not B.is_tensor(value):
        check_fits(np.asarray(value), B.dtype(variable), where)
