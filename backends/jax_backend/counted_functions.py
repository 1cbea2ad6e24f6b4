"""Functions of arrays of which the first rows count."""
import math
from typing import Any

import numpy as np

from keraflow.backend.graph.array_functions import nb_reduced
from keraflow.backend.graph.nodes import Operation

from .functions import function
from .library import jnp
from .row_axes import Rows, Unknown

__all__ = ['COUNTED_MEAN', 'COUNTED_SHAPE', 'ONLY_COUNTED', 'SURE_OF_ROWS']

Array = Any

# What is known of their results is known before.
COUNTED_MEAN, COUNTED_SHAPE, ONLY_COUNTED, SURE_OF_ROWS = map(
    Operation, ('counted_mean', 'counted_shape', 'only_counted', 'sure_of_rows'))


def _nb_part(x: Array, batch: Array, axis: int) -> int:
    """Return how many of an axis are one row."""
    return x.shape[axis] // max(len(batch), 1)


@function
def counted_shape(x: Array, count: Array, batch: Array, axis: int) -> Array:
    """Return the shape that `x` would have without padding."""
    return jnp.where(np.arange(x.ndim) == axis, count * _nb_part(x, batch, axis), np.array(x.shape, 'int64'))


@function
def only_counted(x: Array, count: Array, batch: Array, axis: int, instead: float) -> Array:
    """Return `x` with a number instead of what is padded."""
    counts = jnp.arange(x.shape[axis]) < count * _nb_part(x, batch, axis)
    return jnp.where(jnp.expand_dims(counts, [i for i in range(x.ndim) if i != axis]), x, x.dtype.type(instead))


@function
def counted_mean(x: Array, count: Array, batch: Array, axis: int, axes: Any, keepdims: bool) -> Array:
    """Return the mean over axes, one of which has the rows."""
    total = jnp.sum(only_counted(x, count, batch, axis, 0), axes, keepdims=keepdims)
    nb_other = nb_reduced(x, axes) // max(x.shape[axis], 1)
    return total / (count * _nb_part(x, batch, axis) * nb_other).astype(x.dtype)


@function
def sure_of_rows(made: Array, x: Array, batch: Array, before: Rows, after: Rows) -> Array:
    """Return what a reshape made, if rows lie where they seemed to lie before lengths were known.

    Raises
    ------
    Unknown
    """
    length, nb_row = made.shape[after.axis], len(batch)
    fits = length % max(nb_row, 1) == 0 if after.in_parts else length == nb_row
    if not fits or math.prod(made.shape[:after.axis]) != math.prod(x.shape[:before.axis]):
        raise Unknown
    return made
