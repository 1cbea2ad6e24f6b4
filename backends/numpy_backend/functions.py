"""The functions of arrays that operations run, by the names of the operations: what NumPy computes in its own way."""
import math
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.graph.array_functions import array_functions, inside, nb_reduced, start_of_extremum
from keraflow.backend.graph.operations import indices_of, key_from, nb_given
from keraflow.backend.graph.randomness import draws
from keraflow.backend.graph.rows import unique_rows
from keraflow.backend.refusals import no_cell
from keraflow.errors import DataError

__all__ = ['FUNCTIONS', 'function']

Array = np.ndarray
Axes = Optional[Tuple[int, ...]]     # None is all

#: By the name of an operation: what computes it.
FUNCTIONS: Dict[str, Callable[..., Any]] = {**array_functions(np), **draws(np)}


def function(compute: Callable) -> Callable:
    """Enter a function into the table, by its own name without underscores around it."""
    FUNCTIONS[compute.__name__.strip('_')] = compute
    return compute


@function
def maximum(x: Array, y: Array, out: Optional[Array] = None) -> Array:
    # By its name: NumPy no longer takes it as a third argument of this one.
    return np.maximum(x, y, out=out)


@function
def minimum(x: Array, y: Array, out: Optional[Array] = None) -> Array:
    return np.minimum(x, y, out=out)


# -- one operand ------------------------------------------------------------------------------------------------------

#: Numerators and denominators of rational functions, the highest power first: of erf(x) / x in the square of x, for
#: numbers below 0.47, and of exp(x^2) erfc(x) in x, for larger ones. W. J. Cody, Rational Chebyshev approximations for
#: the error function, Mathematics of Computation 23 (1969).
_NEAR = ((1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2,
          3.20937758913846947e3),
         (1., 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3))
_FAR = ((2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
         2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
         1.23033935479799725e3),
        (1., 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
         3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3))


@function
def erf(x: Array) -> Array:
    size = np.minimum(np.abs(x), x.dtype.type(6))       # from where on it is 1
    square = size * size
    far = np.copysign(1 - np.exp(-square) * _ratio(_FAR, size), x)
    return np.where(size < .46875, x * _ratio(_NEAR, square), far)


def _ratio(polynomials: Tuple[Sequence[float], Sequence[float]], x: Array) -> Array:
    """Return the ratio of two polynomials."""
    values = []
    for first, *others in polynomials:
        value = np.full_like(x, first)
        for one in others:
            value *= x
            value += x.dtype.type(one)
        values.append(value)
    return values[0] / values[1]


@function
def sigmoid(x: Array) -> Array:
    # Not by tanh, which rounds it to 0 where it is small. Where exp overflows it is 0.
    one = x.dtype.type(1)
    return one / (one + np.exp(-x))


@function
def softplus(x: Array) -> Array:
    # logaddexp takes four times as long.
    y = np.abs(x)
    y = np.negative(y, out=y if y.ndim else None)       # of a scalar it is a number, without memory to write in
    return np.log1p(np.exp(y)) + np.maximum(x, x.dtype.type(0))


@function
def where(condition: Array, x: Array, y: Array) -> Array:
    if condition.shape != x.shape or x.itemsize < 4:
        return np.where(condition, x, y)
    # By their bits: a processor cannot guess the branches of an irregular condition, which np.where takes.
    bits = _bits_of(condition, x)
    one, other = x.view(bits.dtype), y.view(bits.dtype)
    return (other ^ ((one ^ other) & bits)).view(x.dtype)


@function
def masked(condition: Array, x: Array) -> Array:
    """Return `x` where a condition is true, else 0, whatever `x` is there."""
    if condition.shape != x.shape:
        return np.where(condition, x, x.dtype.type(0))
    bits = _bits_of(condition, x)
    return (bits & x.view(bits.dtype)).view(x.dtype)


def _bits_of(condition: Array, x: Array) -> Array:
    """Return integers of the size of numbers that have all bits set where a condition is true."""
    return np.negative(condition.astype(f'i{x.itemsize}'))


@function
def relu(x: Array, out: Optional[Array] = None) -> Array:
    return np.maximum(x, x.dtype.type(0), out=out)


# -- reductions -------------------------------------------------------------------------------------------------------

@function
def _sum_(x: Array, axis: Axes, keepdims: bool) -> Array:
    if axis is None and x.dtype == np.float32:
        # NumPy adds what is not contiguous one by one, which loses digits of long sums.
        return np.add.reduce(x, None, np.float64, keepdims=keepdims).astype(np.float32)
    return np.add.reduce(x, axis, x.dtype, keepdims=keepdims)


@function
def mean(x: Array, axis: Axes, keepdims: bool) -> Array:
    return _sum_(x, axis, keepdims) / x.dtype.type(nb_reduced(x, axis))


@function
def prod(x: Array, axis: Axes, keepdims: bool) -> Array:
    return np.multiply.reduce(x, axis, x.dtype, keepdims=keepdims)


@function
def _max_(x: Array, axis: Axes, keepdims: bool) -> Array:
    return np.maximum.reduce(x, axis, keepdims=keepdims, **start_of_extremum('max', x))


@function
def _min_(x: Array, axis: Axes, keepdims: bool) -> Array:
    return np.minimum.reduce(x, axis, keepdims=keepdims, **start_of_extremum('min', x))


@function
def _any_(x: Array, axis: Axes, keepdims: bool) -> Array:
    return np.logical_or.reduce(x, axis, keepdims=keepdims)


@function
def _all_(x: Array, axis: Axes, keepdims: bool) -> Array:
    return np.logical_and.reduce(x, axis, keepdims=keepdims)


@function
def cumsum(x: Array, axis: int) -> Array:
    return np.add.accumulate(x, axis, x.dtype)


@function
def softmax(x: Array, axis: int) -> Array:
    y = np.subtract(x, np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf))
    np.exp(y, out=y)
    y /= np.add.reduce(y, axis, keepdims=True)
    return y


@function
def log_softmax(x: Array, axis: int) -> Array:
    y = np.subtract(x, np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf))
    y -= np.log(np.add.reduce(np.exp(y), axis, keepdims=True))
    return y


@function
def histogram(x: Array, weights: Array, edges: Sequence[float]) -> Array:
    bins = FUNCTIONS['bins_of'](x, edges=edges)
    return np.bincount(bins.reshape(-1), weights.reshape(-1), len(edges) + 1).astype(weights.dtype)


# -- shapes -----------------------------------------------------------------------------------------------------------

@function
def sum_to_like(x: Array, like: Array) -> Array:
    """Return the sum over the axes that `like` broadcasts along."""
    if x.shape == like.shape:
        return x
    more = x.ndim - like.ndim
    ones = tuple(axis for axis in range(like.ndim) if like.shape[axis] == 1 != x.shape[axis + more])
    if not ones:
        return sum_of_rows(x, more)
    x = np.add.reduce(x, tuple(axis + more for axis in ones), x.dtype, keepdims=True)
    return sum_of_rows(x, more) if more else x


def sum_of_rows(x: Array, nb_axis: int) -> Array:
    """Return the sum over the first axes."""
    if x.dtype.kind != 'f' or nb_axis == x.ndim or not x.size or not x.flags.c_contiguous:
        return np.add.reduce(x, tuple(range(nb_axis)), x.dtype)
    rows = x.reshape(math.prod(x.shape[:nb_axis]), -1)
    # A product, which takes a third of the time.
    return np.dot(np.ones(len(rows), x.dtype), rows).reshape(x.shape[nb_axis:])


@function
def pad(x: Array, value: Array, padding: Sequence[Sequence[int]]) -> Array:
    made = np.empty([n + before + after for n, (before, after) in zip(x.shape, padding)], x.dtype)
    made[...] = value
    made[inside(x.shape, padding)] = x
    return made


# -- products and indices ---------------------------------------------------------------------------------------------

@function
def dot(x: Array, y: Array) -> Array:
    if x.ndim > 2 and y.ndim == 2:      # NumPy itself calls BLAS for matrices alone
        return np.dot(_rows(x), y).reshape(*x.shape[:-1], y.shape[-1])
    return np.dot(x, y)


@function
def transposed_dot(x: Array, y: Array) -> Array:
    """Return the sum over all axes but the last of ``x[..., i] * y[..., j]``: the gradient of a matrix."""
    return np.dot(_rows(x).T, _rows(y))


def _rows(x: Array) -> Array:
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


@function
def matmul(x: Array, y: Array) -> Array:
    return dot(x, y) if x.ndim > 2 and y.ndim == 2 else np.matmul(x, y)


@function
def getitem(x: Array, *given: Any, key: Sequence) -> Array:
    filled = key_from(key, given)
    try:
        return x[filled]
    except IndexError:
        for axis, index, name in indices_of(key, filled, x.ndim):
            n = x.shape[axis]
            if np.any((np.asarray(index) < -n) | (np.asarray(index) >= n)):
                raise DataError(no_cell(name, axis)) from None
        raise


@function
def take(x: Array, indices: Array, axis: int, refusal: str = '') -> Array:
    # NumPy counts negative ones from the end, and the gradient would take them for other places.
    if indices.size and (indices.min() < 0 or indices.max() >= x.shape[axis]):
        raise DataError(refusal)
    return np.take(x, indices, axis)


@function
def add_at(g: Array, indices: Array, like: Array, axis: int) -> Array:
    """Return zeros with `g` added at the indices along one axis: the gradient of :func:`take`."""
    made = np.zeros(like.shape, g.dtype)
    if indices.size:
        firsts = tuple(range(axis, axis + indices.ndim))
        rows = np.moveaxis(g, firsts, tuple(range(indices.ndim))).reshape(indices.size, -1)
        found, sums = unique_rows(indices.reshape(-1), rows)
        target = np.moveaxis(made, axis, 0)
        target[found] = sums.reshape(len(found), *target.shape[1:])
    return made


@function
def place(like: Array, *rest: Array, keys: Sequence[Sequence]) -> Array:
    """Return zeros with arrays added at keys: the gradient of :func:`getitem`, of several items at once.

    For each key there is an array, and then what the key is given.
    """
    made, values = np.zeros(like.shape, rest[0].dtype), iter(rest)
    for key in keys:
        g = next(values)
        count = nb_given(key)
        filled = key_from(key, [next(values) for _ in range(count)]) if count else key
        if any(isinstance(one, (np.ndarray, list)) for one in filled):      # which may repeat a cell
            np.add.at(made, filled, g)
        else:
            made[filled] += g
    return made
