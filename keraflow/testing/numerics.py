"""Compare arrays, compute central differences, and work in another floatx temporarily."""
import contextlib
from typing import Any, Callable, Iterator, List, Sequence

import numpy as np

from keraflow import backend as B

__all__ = ['assert_close', 'numerical_gradient', 'random_weights', 'using_floatx']

#: Truncation (step ** 2) and rounding (1e-16 / step) are both near 1e-10 in float64.
STEP = 1e-5


@contextlib.contextmanager
def using_floatx(dtype: str, backend: Any = B) -> Iterator[None]:
    """Use this floatx inside the block, then restore the one before.

    Parameters
    ----------
    dtype : {'float32', 'float64'}
    backend : Backend, optional
        By default the current one.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> with using_floatx('float64'):
    ...     Input(3).dtype
    'float64'
    """
    before = backend.floatx()
    backend.set_floatx(dtype)
    try:
        yield
    finally:
        backend.set_floatx(before)


def assert_close(what: str, received: Any, expected: Any, tolerance: float) -> None:
    """Raise an AssertionError unless shapes are equal and values differ by at most ``tolerance * max(1, |expected|)``.

    NaN equals NaN, and infinity equals infinity of the same sign.

    Parameters
    ----------
    what : str
        Start of the message.
    received, expected : array
    tolerance : float
        0 for equality.

    Examples
    --------
    >>> assert_close('sum', [1., 2.], [1., 3.], 1e-6)
    Traceback (most recent call last):
    ...
    AssertionError: sum: expected 3.0 at [1], received 2.0 (1 of 2 values differ by more than 1e-06).
    """
    received, expected = np.asarray(received), np.asarray(expected)
    if received.shape != expected.shape:
        raise AssertionError(f'{what}: expected shape {expected.shape}, received {received.shape}.')
    # Without a tolerance integers stay as they are: float64 does not hold all of int64.
    wide = np.result_type(received, expected, 'float64' if tolerance else 'bool')
    r, e = received.astype(wide), expected.astype(wide)
    wrong = _differs(r, e, tolerance)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise AssertionError(f'{what}: expected {e[first]} at {list(first)}, received {r[first]} '
                             f'({wrong.sum()} of {wrong.size} values differ by more than {tolerance:g}).')


def _differs(received: np.ndarray, expected: np.ndarray, tolerance: float) -> np.ndarray:
    if received.dtype.kind != 'f':
        return received != expected
    with np.errstate(invalid='ignore'):
        near = np.abs(received - expected) <= tolerance * np.maximum(1., np.abs(expected))
    return ~(near & np.isfinite(expected) | (received == expected) | (np.isnan(received) & np.isnan(expected)))


def numerical_gradient(function: Callable[..., Any], arrays: Sequence[np.ndarray],
                       step: float = STEP) -> List[np.ndarray]:
    """Compute the gradients of a scalar function with respect to each of its float64 arrays, by central differences.

    Parameters
    ----------
    function : function
        Takes the arrays, and returns a number. It must not keep them: they are changed in place.
    arrays : sequence of array
    step : float
        Half of the distance between the two points of a difference.

    Examples
    --------
    >>> [gradient] = numerical_gradient(lambda x: np.sum(x ** 2), [np.array([1., 2.])])
    >>> np.round(gradient, 6)
    array([2., 4.])
    """
    arrays = [np.array(array, 'float64') for array in arrays]
    gradients = [np.zeros_like(array) for array in arrays]
    for array, gradient in zip(arrays, gradients):
        for place in np.ndindex(array.shape):
            value = array[place]
            array[place] = value + step
            above = float(function(*arrays))
            array[place] = value - step
            gradient[place] = (above - float(function(*arrays))) / (2 * step)
            array[place] = value
    return gradients


def random_weights(shape: Sequence[int]) -> np.ndarray:
    """Return numbers from -1 to 1 without a pattern, the same for the same shape: they make a scalar of a tensor."""
    return np.cos(1.3 * np.arange(np.prod(shape, dtype='int64')) + 0.5).reshape(shape)
