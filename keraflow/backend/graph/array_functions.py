"""Functions of arrays that are written alike for all libraries whose arrays have NumPy's methods.

Many of them are named by the rules of gradients, and exist in no library.
"""
import math
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.graph.operations import key_from, lengths_from

__all__ = ['array_functions', 'inside', 'nb_reduced', 'start_of_extremum']

Array = Any
Axes = Optional[Tuple[int, ...]]     # None is all


def array_functions(xp: Any) -> Dict[str, Callable[..., Any]]:
    """Return functions of arrays of a library, by the names of operations; `xp` has NumPy's functions of them.

    They get arrays, and static arguments by name. Axes are not negative, and operands have their common dtype. A
    function changes none of its arrays, and may return one of them, or a view.

    Examples
    --------
    >>> array_functions(np)['tile'](np.arange(2), reps=(2,))
    array([0, 1, 0, 1])
    """
    table = {name: getattr(xp, name) for name in '''
        negative sign square sqrt exp expm1 log log1p sin cos tanh isnan isfinite logical_not logical_and logical_or
        add subtract multiply divide floor_divide mod power maximum minimum
        equal not_equal less less_equal greater greater_equal
        expand_dims squeeze transpose flip matmul'''.split()}
    table.update(abs=xp.absolute, item=lambda whole, number: whole[number])

    def function(compute: Callable) -> Callable:
        """Enter a function into the table, by its own name without underscores around it."""
        table[compute.__name__.strip('_')] = compute
        return compute

    for name, to_whole in (('floor', xp.floor), ('ceil', xp.ceil), ('round', xp.rint)):
        table[name] = lambda x, to_whole=to_whole: to_whole(x) if x.dtype.kind == 'f' else x

    # -- elementwise --------------------------------------------------------------------------------------------------

    @function
    def leaky_relu(x: Array, alpha: float) -> Array:
        return xp.where(x > 0, x, x * x.dtype.type(alpha))

    @function
    def cast(x: Array, dtype: str) -> Array:
        return x != 0 if dtype == 'bool' else x.astype(dtype)

    @function
    def identity(x: Array) -> Array:
        return x

    table['stop_gradient'] = identity

    @function
    def tanh_slope(g: Array, made: Array) -> Array:
        """Return the gradient of the operand of ``tanh``, from that of its result."""
        return g * (made.dtype.type(1) - xp.square(made))

    @function
    def sigmoid_slope(g: Array, made: Array) -> Array:
        return g * (made * (made.dtype.type(1) - made))

    @function
    def relu_slope(g: Array, made: Array) -> Array:
        return g * (made > 0)

    @function
    def masked(condition: Array, x: Array) -> Array:
        """Return `x` where a condition is true, else 0, whatever `x` is there."""
        return xp.where(condition, x, x.dtype.type(0))

    # -- reductions ---------------------------------------------------------------------------------------------------

    @function
    def argmax(x: Array, axis: int) -> Array:
        return xp.argmax(x, axis)

    @function
    def argmin(x: Array, axis: int) -> Array:
        return xp.argmin(x, axis)

    @function
    def cumsum(x: Array, axis: int) -> Array:
        return xp.cumsum(x, axis, x.dtype)

    @function
    def spread(g: Array, like: Array, axis: Axes, keepdims: bool) -> Array:
        """Undo the shape of a reduction: repeat its result along the axes."""
        if not keepdims:
            g = g.reshape([1 if axis is None or i in axis else n for i, n in enumerate(like.shape)])
        return xp.broadcast_to(g, like.shape)

    @function
    def spread_mean(g: Array, like: Array, axis: Axes, keepdims: bool) -> Array:
        return spread(g / g.dtype.type(max(nb_reduced(like, axis), 1)), like, axis, keepdims)

    @function
    def others(x: Array, axis: Axes) -> Array:
        """Return for each value the product of all others that a product along axes takes: right beside zeros, too."""
        axes = tuple(range(x.ndim)) if axis is None else axis
        order = [one for one in range(x.ndim) if one not in axes] + list(axes)
        moved = xp.transpose(x, order)
        rows = moved.reshape(*moved.shape[:x.ndim - len(axes)], -1)
        one = xp.ones_like(rows[..., :1])
        before = xp.concatenate([one, xp.cumprod(rows[..., :-1], -1)], -1)
        after = xp.concatenate([xp.cumprod(rows[..., :0:-1], -1)[..., ::-1], one], -1)
        return xp.transpose((before * after).reshape(moved.shape), np.argsort(order))

    @function
    def shares_of_extrema(made: Array, x: Array, axis: Axes, keepdims: bool) -> Array:
        """Return how the gradient of an extremum is divided: evenly between the values that are equal to it."""
        hits = (x == spread(made, x, axis, keepdims)).astype(x.dtype)
        return hits / hits.sum(axis, keepdims=True)

    @function
    def bins_of(x: Array, edges: Sequence[float]) -> Array:
        return xp.searchsorted(np.asarray(edges, x.dtype), x, side='right')

    # -- shapes -------------------------------------------------------------------------------------------------------

    @function
    def shape(x: Array) -> Array:
        return np.array(x.shape, 'int64')       # of NumPy, so that it may become a length

    @function
    def reshape(x: Array, *given: Any, shape: Sequence) -> Array:
        return x.reshape(lengths_from(shape, given))

    @function
    def flatten(x: Array, nb_axis: int) -> Array:
        return x.reshape(*x.shape[:nb_axis - 1], math.prod(x.shape[nb_axis - 1:]))

    @function
    def reshape_like(x: Array, like: Array) -> Array:
        return x.reshape(like.shape)

    @function
    def broadcast_to(x: Array, *given: Any, shape: Sequence) -> Array:
        return xp.broadcast_to(x, lengths_from(shape, given))

    @function
    def broadcast_like(x: Array, like: Array) -> Array:
        return x if x.shape == like.shape else xp.broadcast_to(x, like.shape)

    @function
    def arange(stop: Any, dtype: str) -> Array:
        return xp.arange(int(stop), dtype=dtype)

    @function
    def getitem(x: Array, *given: Any, key: Sequence) -> Array:
        return x[key_from(key, given) if given else tuple(key)]

    @function
    def part_like(g: Array, *many: Array, number: int, axis: int) -> Array:
        """Return the part of a gradient of joined arrays that belongs to one of them."""
        start = sum(x.shape[axis] for x in many[:number])
        return g[(slice(None),) * axis + (slice(start, start + many[number].shape[axis]),)]

    @function
    def concatenate(*xs: Array, axis: int) -> Array:
        return xp.concatenate(xs, axis)

    @function
    def stack(*xs: Array, axis: int) -> Array:
        return xp.stack(xs, axis)

    @function
    def repeat(x: Array, repeats: int, axis: int) -> Array:
        return xp.repeat(x, repeats, axis)

    @function
    def unrepeat(g: Array, like: Array, repeats: int, axis: int) -> Array:
        return g.reshape(*like.shape[:axis + 1], repeats, *like.shape[axis + 1:]).sum(axis + 1)

    @function
    def tile(x: Array, reps: Sequence[int]) -> Array:
        return xp.tile(x, reps)

    @function
    def untile(g: Array, like: Array, reps: Sequence[int]) -> Array:
        pairs = [n for pair in zip(reps, like.shape) for n in pair]
        return g.reshape(pairs).sum(tuple(range(0, 2 * like.ndim, 2)))

    @function
    def unpad(x: Array, padding: Sequence[Sequence[int]]) -> Array:
        lengths = [n - before - after for n, (before, after) in zip(x.shape, padding)]
        return x[inside(lengths, padding)]

    return table


def nb_reduced(x: Array, axis: Axes) -> int:
    """Return how many values a reduction takes for each of its result."""
    return x.size if axis is None else math.prod([x.shape[one] for one in axis])


def start_of_extremum(name: str, x: Array) -> Dict[str, Any]:
    """Return the argument with which a library's reduction by `max` or `min` has a result even of no values.

    Examples
    --------
    >>> start_of_extremum('max', np.zeros((2, 0))), start_of_extremum('min', np.zeros((2, 3)))
    ({'initial': -inf}, {})
    """
    if x.size:
        return {}
    if x.dtype.kind == 'f':
        return {'initial': -math.inf if name == 'max' else math.inf}
    return {'initial': getattr(np.iinfo(x.dtype), 'min' if name == 'max' else 'max')}


def inside(lengths: Sequence[int], padding: Sequence[Sequence[int]]) -> tuple:
    """Return the key of what lies between padding.

    Examples
    --------
    >>> inside((3, 4), [(1, 2), (0, 5)])
    (slice(1, 4, None), slice(0, 4, None))
    """
    return tuple(slice(before, before + n) for n, (before, _) in zip(lengths, padding))
