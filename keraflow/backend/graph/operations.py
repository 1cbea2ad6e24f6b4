"""The operations of the graph: their names, and the shapes and dtypes of their results.

A library has a function of arrays for each name. It is called with the arrays of the operands, then with the static
arguments by name, which are plain values:

* `axis` is a number of at least 0; for reductions, a sorted tuple of them, or ``None`` for all axes;
* `shape` is a tuple of lengths in which ``None`` stands for one that an operand has: these operands are integer scalars
  or vectors, in order (:func:`lengths_from`);
* `key` is an index in which :data:`GIVEN` stands for an operand (:func:`key_from`);
* `size`, `strides` and `dilation` are tuples with a number for each spatial axis. Channels are last, kernels are as the
  contract has them: ``(input_depth, nb_kernel, *lengths)``.

Operands of an arithmetic operation have one dtype, which is that of the result.
"""
import math
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.graph.nodes import GIVEN, LONGEST_VALUE, Known, Operation
from keraflow.backend.windows import output_length, transposed_length

__all__ = ['indices_of', 'key_from', 'lengths_from', 'nb_given']

Shape = Tuple[int, ...]


def lengths_from(shape: Sequence, given: Iterable[Any]) -> Shape:
    """Return lengths, of which those that are ``None`` are taken from operands.

    Examples
    --------
    >>> lengths_from((None, 3, None), [np.array(2), np.array(5)]), lengths_from((None, None), [np.array([4, 6])])
    ((2, 3, 5), (4, 6))
    """
    values = (int(n) for one in given for n in np.ravel(one))
    return tuple(next(values) if n is None else n for n in shape)


def key_from(key: Sequence, given: Iterable[Any]) -> tuple:
    """Return the index of an array, in which operands are put in their places.

    Examples
    --------
    >>> key_from((GIVEN, slice(1, GIVEN)), [np.array(2), np.array(5)])
    (2, slice(1, 5, None))
    """
    values = iter(given)

    def filled(one: Any) -> Any:
        if isinstance(one, slice):
            return slice(*map(filled, (one.start, one.stop, one.step)))
        if isinstance(one, str) and one == GIVEN:
            value = next(values)
            return value if np.ndim(value) else value.item() if isinstance(value, (np.ndarray, np.generic)) else value
        return one
    return tuple(map(filled, key))


def indices_of(key: Sequence, filled: Sequence, nb_axis: int) -> Iterator[Tuple[int, Any, str]]:
    """Yield what takes cells of one axis in an index of an array: the axis, the index, and its name in messages.

    Examples
    --------
    >>> list(indices_of([Ellipsis, 2, GIVEN], [Ellipsis, 2, np.array(5)], 4))
    [(2, 2, '2'), (3, array(5), 'another')]
    """
    axis, count = 0, sum(one is not None and one is not Ellipsis for one in filled)
    for item, one in zip(key, filled):
        if one is not None and one is not Ellipsis and not isinstance(one, slice):
            yield axis, one, str(item) if isinstance(item, (int, np.integer)) else 'another'
        axis += nb_axis - count if one is Ellipsis else one is not None


def nb_given(key: Sequence) -> int:
    """Return how many operands a key is given."""
    parts = [one for item in key for one in (
        (item.start, item.stop, item.step) if isinstance(item, slice) else (item,))]
    return sum(isinstance(one, str) and one == GIVEN for one in parts)


# -- rules ------------------------------------------------------------------------------------------------------------

def _same(x: Known, *others: Known, **static: Any) -> Known:
    return Known(x.shape, x.dtype)


def _like_second(x: Known, like: Known) -> Known:
    return Known(like.shape, x.dtype)


def _as_view(function: Callable) -> Callable:
    """Return a rule that applies a function of NumPy to an array without memory."""
    def rule(x: Known, **static: Any) -> Known:
        return Known(function(_hollow(x), **static).shape, x.dtype)
    return rule


def _hollow(x: Known) -> np.ndarray:
    return np.broadcast_to(np.zeros((), 'bool'), x.shape)


def _folded(dtype: str = '') -> Callable:
    def rule(x: Known, axis: Optional[Sequence[int]], keepdims: bool) -> Known:
        folded = range(len(x.shape)) if axis is None else axis
        shape = [1 if number in folded else n for number, n in enumerate(x.shape) if keepdims or number not in folded]
        return Known(tuple(shape), dtype or x.dtype)
    return rule


def _place_of_extremum(x: Known, axis: int) -> Known:
    return Known(x.shape[:axis] + x.shape[axis + 1:], 'int64')


def _shape(x: Known) -> Known:
    return Known((len(x.shape),), 'int64', np.array(x.shape, 'int64'))


def _given_shape(shape: Sequence, given: Sequence[Known]) -> Shape:
    return lengths_from(shape, [one.value for one in given])


def _broadcast_to(x: Known, *given: Known, shape: Sequence) -> Known:
    return Known(_given_shape(shape, given), x.dtype)


def _reshape(x: Known, *given: Known, shape: Sequence) -> Known:
    # It need not fit the stand-ins: checks of arguments have seen what is known.
    lengths, size = list(_given_shape(shape, given)), math.prod(x.shape)
    if -1 in lengths:
        rest = -math.prod(lengths)
        # A stand-in that does not fit says nothing of the length.
        lengths[lengths.index(-1)] = 0 if rest == 0 else size if size % rest else size // rest
    return Known(tuple(lengths), x.dtype)


def _drawn(state: Known, step: Known, *given: Known, shape: Sequence, place: int, dtype: str = 'bool',
           threshold: int = 0) -> Known:
    return Known(_given_shape(shape, given), dtype)


def _arange(stop: Known, dtype: str) -> Known:
    return Known(_given_shape((None,), [stop]), dtype)


def _constant(value: np.ndarray) -> Known:
    return Known(value.shape, value.dtype.name, value if value.size <= LONGEST_VALUE else None)


def _flatten(x: Known, nb_axis: int) -> Known:
    return Known((*x.shape[:nb_axis - 1], math.prod(x.shape[nb_axis - 1:])), x.dtype)


def _item(whole: Sequence[Known], number: int) -> Known:
    return whole[number]


def _concatenate(*xs: Known, axis: int) -> Known:
    lengths = [sum(each) if number == axis else min(each) for number, each in enumerate(zip(*(x.shape for x in xs)))]
    return Known(tuple(lengths), xs[0].dtype)


def _stack(*xs: Known, axis: int) -> Known:
    lengths = tuple(map(min, zip(*(x.shape for x in xs))))
    return Known((*lengths[:axis], len(xs), *lengths[axis:]), xs[0].dtype)


def _getitem(x: Known, *given: Known, key: Sequence) -> Known:
    values = [np.zeros(one.shape, one.dtype) if one.value is None else one.value for one in given]
    # A stand-in for an unknown bound of a slice may be a bound; as an index it need not fit.
    filled = [0 if isinstance(one, str) and np.ndim(value) == 0 else value
              for one, value in zip(key, key_from(key, values))]
    return Known(_hollow(x)[tuple(filled)].shape, x.dtype)


def _repeat(x: Known, repeats: int, axis: int) -> Known:
    return Known((*x.shape[:axis], x.shape[axis] * repeats, *x.shape[axis + 1:]), x.dtype)


def _tile(x: Known, reps: Sequence[int]) -> Known:
    return Known(tuple(n * times for n, times in zip(x.shape, reps)), x.dtype)


def _dot(x: Known, y: Known) -> Known:
    return Known(x.shape[:-1] + y.shape[1:], x.dtype)


def _broadcast(one: Shape, other: Shape) -> Shape:
    """Return the shape of a result; a length beside a larger one, which stands for an unknown one, is its length."""
    ndim = max(len(one), len(other))
    axes = zip(*((1,) * (ndim - len(shape)) + shape for shape in (one, other)))
    return tuple(n if m == 1 else m if n == 1 else min(n, m) for n, m in axes)


def _matmul(x: Known, y: Known) -> Known:
    stack = _broadcast(x.shape[:-2], y.shape[:-2])
    return Known((*stack, *x.shape[-2:-1], *(y.shape[-1:] if len(y.shape) > 1 else ())), x.dtype)


def _take(x: Known, indices: Known, axis: int, refusal: str = '') -> Known:
    return Known(x.shape[:axis] + indices.shape + x.shape[axis + 1:], x.dtype)


def _histogram(x: Known, weights: Known, edges: Sequence[float]) -> Known:
    return Known((len(edges) + 1,), weights.dtype)


def _pad(x: Known, value: Known, padding: Sequence) -> Known:
    return Known(tuple(n + before + after for n, (before, after) in zip(x.shape, padding)), x.dtype)


def _windowed(x: Known, window: Sequence[int], strides: Sequence[int], pad: str, dilation: Sequence[int],
              depth: int) -> Known:
    axes = zip(x.shape[1:-1], window, strides, dilation)
    lengths = ((n, output_length(n, size, stride, pad, step)) for n, size, stride, step in axes)
    # A stand-in that is shorter than a window says nothing of the length.
    return Known((x.shape[0], *(length if length > 0 else n for n, length in lengths), depth), x.dtype)


def _conv(x: Known, kernels: Known, strides: Sequence[int], pad: str, dilation: Sequence[int]) -> Known:
    return _windowed(x, kernels.shape[2:], strides, pad, dilation, kernels.shape[1])


def _depthwise_conv(x: Known, kernels: Known, strides: Sequence[int], pad: str, dilation: Sequence[int]) -> Known:
    return _windowed(x, kernels.shape[2:], strides, pad, dilation, math.prod(kernels.shape[:2]))


def _conv_transpose(x: Known, kernels: Known, strides: Sequence[int], pad: str) -> Known:
    axes = zip(x.shape[1:-1], kernels.shape[2:], strides)
    return Known((x.shape[0], *(transposed_length(*axis, pad) for axis in axes), kernels.shape[1]), x.dtype)


def _pool(x: Known, size: Sequence[int], strides: Sequence[int], pad: str) -> Known:
    return _windowed(x, size, strides, pad, (1,) * len(size), x.shape[-1])


# -- functions of lengths, in NumPy -----------------------------------------------------------------------------------

def _cast_values(x: np.ndarray, dtype: str) -> np.ndarray:
    return np.asarray(x).astype(dtype)


def _reshape_values(x: np.ndarray, *given: Any, shape: Sequence) -> np.ndarray:
    return np.reshape(x, lengths_from(shape, given))


def _concatenate_values(*xs: np.ndarray, axis: int) -> np.ndarray:
    return np.concatenate(xs, axis)


def _stack_values(*xs: np.ndarray, axis: int) -> np.ndarray:
    return np.stack(xs, axis)


def _getitem_values(x: np.ndarray, *given: Any, key: Sequence) -> np.ndarray:
    return x[key_from(key, given)]


def _identity_values(x: np.ndarray) -> np.ndarray:
    return x


def _sum_values(x: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
    return np.sum(x, axis, x.dtype, keepdims=keepdims)


def _prod_values(x: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
    return np.prod(x, axis, x.dtype, keepdims=keepdims)


# -- the table --------------------------------------------------------------------------------------------------------

for _name in ('sqrt', 'exp', 'expm1', 'log', 'log1p', 'sin', 'cos', 'tanh', 'erf', 'square', 'sign', 'round', 'sigmoid',
              'relu', 'leaky_relu', 'softplus'):
    Operation(_name)
for _name in ('abs', 'negative', 'floor', 'ceil', 'add', 'subtract', 'multiply', 'divide', 'floor_divide', 'mod',
              'power', 'maximum', 'minimum', 'where'):
    Operation(_name, of_values=getattr(np, _name))
for _name in ('equal', 'not_equal', 'less', 'less_equal', 'greater', 'greater_equal', 'logical_and', 'logical_or',
              'logical_not'):
    Operation(_name, dtype='bool', of_values=getattr(np, _name))
for _name in ('isnan', 'isfinite'):
    Operation(_name, dtype='bool')
Operation('cast', of_values=_cast_values)

for _name in ('softmax', 'log_softmax', 'cumsum'):
    Operation(_name, _same)
Operation('sum', _folded(), of_values=_sum_values)
Operation('prod', _folded(), of_values=_prod_values)
for _name in ('mean', 'max', 'min'):
    Operation(_name, _folded())
for _name in ('any', 'all'):
    Operation(_name, _folded('bool'))
for _name in ('argmax', 'argmin'):
    Operation(_name, _place_of_extremum)

Operation('shape', _shape)
Operation('reshape', _reshape, is_view=True, of_values=_reshape_values)
Operation('flatten', _flatten, is_view=True)
Operation('transpose', _as_view(np.transpose), is_view=True)
Operation('expand_dims', _as_view(np.expand_dims), is_view=True, of_values=np.expand_dims)
Operation('squeeze', _as_view(np.squeeze), is_view=True, of_values=np.squeeze)
Operation('flip', _same, is_view=True)
Operation('getitem', _getitem, is_view=True, of_values=_getitem_values)
Operation('item', _item, is_view=True)      # of an operation that returns several arrays
Operation('concatenate', _concatenate, of_values=_concatenate_values)
Operation('stack', _stack, of_values=_stack_values)
Operation('repeat', _repeat)
Operation('tile', _tile)
for _name in ('identity', 'stop_gradient'):
    Operation(_name, _same, is_view=True, of_values=_identity_values)
Operation('require', _same, is_view=True)
Operation('broadcast_to', _broadcast_to, is_view=True)
for _name in ('broadcast_like', 'reshape_like', 'sum_to_like'):      # of the shape that the second operand has in a run
    Operation(_name, _like_second, is_view=True)
Operation('arange', _arange)
Operation('constant', _constant)

Operation('dot', _dot)
Operation('matmul', _matmul)
Operation('take', _take)
Operation('histogram', _histogram)

Operation('pad', _pad)
Operation('conv', _conv)
Operation('depthwise_conv', _depthwise_conv)
Operation('conv_transpose', _conv_transpose)
for _name in ('max_pool', 'mean_pool'):
    Operation(_name, _pool)

Operation('draw_reals', _drawn)
Operation('draw_normals', _drawn)
Operation('draw_hits', _drawn)
