"""The numbers that a dtype has: reals up to rounding, integers as they are."""
import numpy as np

__all__ = ['fits', 'lost', 'misfit']


def lost(array: np.ndarray, dtype: str) -> np.ndarray:
    """The numbers of an array that are others in this dtype, in a row.

    They are reals that become infinite, integers that are rounded or cut, and among integers fractions and NaN.

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
    """Whether numbers are the same in this dtype: reals up to rounding, integers as they are.

    Examples
    --------
    >>> fits(np.array([0.1, 1e30]), 'float32'), fits(np.array(1e39), 'float32'), fits(np.array(2 ** 24 + 1), 'float32')
    (True, False, False)
    """
    return not lost(array, dtype).size


def misfit(array: np.ndarray, dtype: str) -> str:
    """What is expected and received instead where numbers of an array do not fit; '' where all do.

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
