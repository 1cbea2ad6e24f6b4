"""The functions of arrays that operations run, by the names of the operations.

They are traced by ``jax.jit``. What follows from lengths alone stays in arrays of NumPy, which may become lengths.
"""
from typing import Any, Callable, Dict, Sequence

import numpy as np

from keraflow.backend.graph.array_functions import array_functions, start_of_extremum
from keraflow.backend.graph.nodes import OPERATIONS
from keraflow.backend.graph.operations import indices_of, key_from, nb_given
from keraflow.backend.graph.randomness import draws
from keraflow.backend.refusals import no_cell
from keraflow.errors import BackendError

from .conditions import require
from .library import jax, jnp, lax

__all__ = ['FUNCTIONS', 'function']

Array = Any

#: By the name of an operation: what computes it.
FUNCTIONS: Dict[str, Callable[..., Any]] = {}


#: What has lengths among its operands.
_WITH_LENGTHS = frozenset('reshape broadcast_to arange getitem place draw_reals draw_normals draw_hits'.split())


def function(compute: Callable) -> Callable:
    """Enter a function into the table, by its own name without underscores around it."""
    return _enter(compute.__name__.strip('_'), compute)


def _enter(name: str, compute: Callable) -> Callable:
    of_values = OPERATIONS[name].of_values if name in OPERATIONS else None

    def call(*arrays: Any, **static: Any) -> Any:
        if 'dtype' in static:       # 32 bits where the program itself compiles, unless it says otherwise
            static = {**static, 'dtype': jax.dtypes.canonicalize_dtype(static['dtype']).name}
        is_known = of_values is not None and all(isinstance(x, (np.ndarray, np.generic)) for x in arrays)
        try:
            return (of_values if is_known else compute)(*arrays, **static)      # type: ignore[misc]
        except (jax.errors.JAXTypeError, IndexError):
            if name not in _WITH_LENGTHS:
                raise
            raise BackendError(f'{name}: expected lengths, and bounds of slices, that follow from shapes, received one '
                               'that only the data have: JAX compiles for lengths. Use another backend, or a mask '
                               'instead of fewer cells.') from None
    FUNCTIONS[name] = call
    return compute


def _repeat(count: int, step: Callable, state: Any) -> Any:
    return lax.fori_loop(0, count, lambda _, before: step(before), state)


for _name, _function in {
        **array_functions(jnp), **draws(jnp, repeat=_repeat), 'require': require, 'where': jnp.where, 'erf': lax.erf,
        'relu': jax.nn.relu, 'sigmoid': jax.nn.sigmoid, 'softplus': jax.nn.softplus, 'softmax': jax.nn.softmax,
        'log_softmax': jax.nn.log_softmax, 'stop_gradient': lax.stop_gradient}.items():
    _enter(_name, _function)
for _name in ('mean', 'any', 'all'):
    _enter(_name, getattr(jnp, _name))
for _name in ('max', 'min'):
    _enter(_name, lambda x, name=_name, **axes: getattr(jnp, name)(x, **axes, **start_of_extremum(name, x)))
for _name in ('sum', 'prod'):
    _enter(_name, lambda x, reduce=getattr(jnp, _name), **axes: reduce(x, dtype=x.dtype, **axes))


@function
def shares_of_extrema(made: Array, x: Array, axis: Any, keepdims: bool) -> Array:
    """Return how the gradient of an extremum is divided: evenly between the values that are equal to it.

    XLA may compute these twice, rounded in two ways, so that none is equal. The nearest one has a share in any case.
    """
    if not x.size:
        return x
    wide = FUNCTIONS['spread'](made, x, axis=axis, keepdims=keepdims)
    axes = tuple(range(x.ndim)) if axis is None else axis
    order = [one for one in range(x.ndim) if one not in axes] + list(axes)
    moved = jnp.transpose(jnp.abs(x - wide), order)
    rows = moved.reshape(*moved.shape[:x.ndim - len(axes)], -1)
    nearest = jnp.argmin(rows, -1)[..., None] == jnp.arange(rows.shape[-1])
    hits = ((x == wide) | jnp.transpose(nearest.reshape(moved.shape), np.argsort(order))).astype(x.dtype)
    return hits / hits.sum(axis, keepdims=True)


@function
def histogram(x: Array, weights: Array, edges: Sequence[float]) -> Array:
    bins = FUNCTIONS['bins_of'](x, edges=edges)
    return jnp.zeros(len(edges) + 1, weights.dtype).at[bins.reshape(-1)].add(weights.reshape(-1))


@function
def pad(x: Array, value: Array, padding: Sequence[Sequence[int]]) -> Array:
    return lax.pad(x, jnp.asarray(value), [(before, after, 0) for before, after in padding])


@function
def sum_to_like(x: Array, like: Array) -> Array:
    """Return the sum over the axes that `like` broadcasts along."""
    more = x.ndim - like.ndim
    axes = [axis for axis in range(x.ndim) if axis < more or like.shape[axis - more] == 1 != x.shape[axis]]
    return x.sum(tuple(axes), dtype=x.dtype).reshape(like.shape) if axes else x


@function
def dot(x: Array, y: Array) -> Array:
    return jnp.dot(x, y)


@function
def transposed_dot(x: Array, y: Array) -> Array:
    """Return the sum over all axes but the last of ``x[..., i] * y[..., j]``: the gradient of a matrix."""
    axes = list(range(x.ndim - 1))
    return jnp.tensordot(x, y, (axes, axes))


@function
def getitem(x: Array, *given: Any, key: Sequence) -> Array:
    filled = key_from(key, given)
    for axis, index, name in indices_of(key, filled, x.ndim):       # which JAX clips
        n = x.shape[axis]
        x = require(x, np.True_ & (index >= -n) & (index < n), no_cell(name, axis))
    return x[filled]


@function
def take(x: Array, indices: Array, axis: int, refusal: str = '') -> Array:
    fits = (indices >= 0) & (indices < x.shape[axis]) | (indices == np.iinfo(indices.dtype).max)
    indices = require(indices, fits, refusal)
    return jnp.take(x, indices, axis, mode='clip')


@function
def add_at(g: Array, indices: Array, like: Array, axis: int) -> Array:
    """Return zeros with `g` added at the indices along one axis: the gradient of :func:`take`."""
    return jnp.zeros(like.shape, g.dtype).at[(slice(None),) * axis + (indices,)].add(g)


@function
def place(like: Array, *rest: Array, keys: Sequence[Sequence]) -> Array:
    """Return zeros with arrays added at keys: the gradient of ``getitem``, of several items at once."""
    made, values = jnp.zeros(like.shape, rest[0].dtype), iter(rest)
    for key in keys:
        g = next(values)
        made = made.at[key_from(key, [next(values) for _ in range(nb_given(key))])].add(g)
    return made


@function
def unique_rows(indices: Array, values: Array) -> list:
    """Return indices without repetitions, and the sum of the rows of each; then the largest integer, for no row."""
    last = np.iinfo(indices.dtype).max
    found, places = jnp.unique(indices, return_inverse=True, size=indices.size, fill_value=last)
    return [found, jnp.zeros_like(values).at[places.reshape(-1)].add(values)]
