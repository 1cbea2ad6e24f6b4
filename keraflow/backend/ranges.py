"""Which numbers a dtype holds: reals up to rounding, integers exactly."""
import numpy as np

__all__ = ['fits', 'lost', 'misfit']


def lost(array: np.ndarray, dtype: str) -> np.ndarray:
    """Return the numbers of an array that change in this dtype, as a flat array.

    These are reals that become infinite, integers that are rounded or truncated, and fractions and NaN among integers.

    Examples
    --------
    >>> lost(np.array([2 ** 24, 2 ** 24 + 1]), 'float32').tolist(), lost(np.array([0.1, 1e39]), 'float32').tolist()
    ([16777217], [1e+39])
    """
    if array.dtype == dtype:
        return np.empty(0, array.dtype)
    with np.errstate(invalid='ignore', over='ignore'):
        made = array.astype(dtype)
        if array.dtype.kind == made.dtype.kind == 'f':
            return array[np.isfinite(array) != np.isfinite(made)]
        # Unsigned integers that become negative come back as they were.
        return array[(made.astype(array.dtype) != array) | ((made < 0) != (array < 0))]


def fits(array: np.ndarray, dtype: str) -> bool:
    """Return whether numbers stay the same in this dtype: reals up to rounding, integers exactly.

    Examples
    --------
    >>> fits(np.array([0.1, 1e30]), 'float32'), fits(np.array(1e39), 'float32'), fits(np.array(2 ** 24 + 1), 'float32')
    (True, False, False)
    """
    return not lost(array, dtype).size


def misfit(array: np.ndarray, dtype: str) -> str:
    """Describe what is expected and received if numbers of an array do not fit; '' if all do.

    Examples
    --------
    >>> misfit(np.array(0.5), 'int32')
    'expected numbers that int32 can hold, received 0.5'
    >>> misfit(np.array([1, 2 ** 24 + 1]), 'float32')
    'expected integers that float32 can hold, received 16777217, which would be 16777216'
    """
    wrong = lost(array, dtype)
    if not wrong.size:
        return ''
    if array.dtype.kind in 'iu' and dtype.startswith('float'):
        return f'expected integers that {dtype} can hold, received {wrong[0]}, which would be ' \
               f'{wrong.astype(dtype)[0]:.0f}'
    return f'expected numbers that {dtype} can hold, received {wrong[0]}'
