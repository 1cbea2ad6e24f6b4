"""The operands of the table of operations: their names, arrays and dtypes."""
from typing import Any, Dict, List, NamedTuple

import numpy as np

__all__ = ['FIXED', 'GROUPS', 'KNOWN_AXES', 'UNTYPED', 'Group', 'Operand', 'Reshaped', 'operands_of', 'pool']


class Operand(str):
    """The name of a tensor of the pool."""


class Reshaped(NamedTuple):
    """An operand in another shape."""

    operand: Operand
    shape: tuple


class Group(NamedTuple):
    """The properties of the operands of one compiled function: dtype, floatx, and whether static lengths are known."""

    dtype: str
    floatx: str
    known: bool

    @property
    def kind(self) -> str:
        """``'f'``, ``'i'`` or ``'b'``."""
        return self.dtype[0]


#: Each dtype; each with another floatx; known and unknown lengths.
GROUPS = (Group('float32', 'float32', True), Group('float32', 'float64', False), Group('float64', 'float64', False),
          Group('float64', 'float32', True), Group('int32', 'float32', True), Group('int64', 'float64', False),
          Group('bool', 'float32', True))
#: Operands whose dtype is not that of the group.
FIXED = {'condition': 'bool', 'of_samples': 'bool', 'index': 'int32', 'wide_index': 'int64', 'int32': 'int32',
         'int64': 'int64', 'float32': 'float32', 'float64': 'float64', 'boolean': 'bool'}
#: Operands that do not affect the dtype of the result.
UNTYPED = ('condition', 'of_samples', 'index', 'wide_index')
#: The axis of length 1 is known in every group, because broadcasting may depend on it; so is the number of channels.
KNOWN_AXES = {'one': {1: 1}, 'of_samples': {1: 1, 2: 1}, 'series': {1: 3}, 'image': {1: 2}, 'volume': {1: 2}}


def pool(dtype: str) -> Dict[str, np.ndarray]:
    """Return the operands by name, in the dtype of the group, without ties or kinks unless the name says so."""
    rng = np.random.default_rng(7)
    cube, square = (2, 3, 4), (3, 3)
    made = {'x': _spread(rng, cube), 'y': _away_from_zero(rng, cube), 'positive': np.abs(_away_from_zero(rng, cube)),
            'row': _spread(rng, (4,)), 'one': _spread(rng, (2, 1, 4)), 'scalar': np.array(1.7),
            'matrix': _spread(rng, (4, 5)),
            'other': _spread(rng, (3, 4)), 'vector': _spread(rng, (4,)), 'batch': _spread(rng, (2, 4, 5)),
            'edges': np.array([-1e4, -88., -30., -1., 0., 1., 30., 88., 1e4]),
            'far': np.array([[1e4, -1e4, 0.5], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [1., 2., 3.]]),
            'far_out': np.array([-1e19, -2. ** 63, -3e9, -2. ** 31, -2.7, 2.7, 2. ** 31, 3e9, 2. ** 40, 2. ** 63,
                                 1e19]),
            'strange': np.array([np.nan, np.inf, -np.inf, 0., 1., -1e30]), 'halves': np.arange(-4, 5) + 0.5,
            'tied': np.array([[1., 3., 3.], [2., 2., 1.], [0., 0., 0.]]),
            'flags': np.array([[0., 2., 0.], [0., 0., 0.], [1., 3., -1.]]),
            'condition': rng.uniform(size=cube) < 0.5, 'of_samples': np.array([[[True]], [[False]]]),
            'index': np.array([[0, 2], [1, 1]]), 'wide_index': np.array([2, 0, 1, 2]),
            'int32': rng.integers(1, 5, (3, 4)), 'int64': rng.integers(1, 5, (3, 4)),
            'float32': rng.uniform(0.5, 2., square[:1] + (4,)),
            'float64': rng.uniform(0.5, 2., (3, 4)), 'boolean': rng.uniform(size=(3, 4)) < 0.5,
            'series': _spread(rng, (2, 3, 5)), 'image': _spread(rng, (2, 2, 5, 4)),
            'volume': _spread(rng, (1, 2, 4, 3, 3)), 'pair': _spread(rng, (2,))}
    with np.errstate(invalid='ignore'):
        return {name: _cast(array, FIXED.get(name, dtype)) for name, array in made.items()
                if dtype.startswith('f') or name not in ('far_out', 'strange', 'halves', 'edges', 'far')}


def _spread(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Draw distinct numbers from -2.5 to 2.5, none of them near another, an integer or a half."""
    size = int(np.prod(shape))
    values = np.linspace(-2.5, 2.5, size) + rng.uniform(-0.2, 0.2, size) * 5 / size
    near = np.abs(2 * values - np.round(2 * values)) < 0.02
    return rng.permutation(values + 0.02 * near).reshape(shape)


def _away_from_zero(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    values = _spread(rng, shape)
    return np.where(values < 0, values - 0.52, values + 0.52)


def _cast(array: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == 'bool':
        return np.asarray(array > 0) if array.dtype.kind == 'f' else np.asarray(array != 0)
    if dtype.startswith('int') and array.dtype.kind == 'f':
        # Rounded up and away from zero, so that divisors are not zero.
        return np.asarray(np.sign(array) * np.ceil(np.abs(array))).astype(dtype)
    return np.asarray(array.astype(dtype))


def operands_of(value: Any) -> List[Operand]:
    """List the operands in the arguments of a case, in order."""
    if isinstance(value, Operand):
        return [value]
    if isinstance(value, Reshaped):
        return [value.operand]
    return [operand for item in value for operand in operands_of(item)] if isinstance(value, (list, tuple)) else []
