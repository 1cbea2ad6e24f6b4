"""The gradients of operations: rules that make nodes of the graph from nodes.

A rule gets the gradient of a result, the node that the operation made, its operands, and the static arguments by name.
It returns the gradient of one operand. Gradients of gradients need no further rules, for rules only use operations. An
operation without a rule is one of :data:`CONSTANT`, or its gradient is refused: none is silently zero.
"""
import math
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.graph.nodes import Known, Node, Operation, apply
from keraflow.backend.graph.operations import nb_given
from keraflow.backend.refusals import no_places
from keraflow.errors import BackendError

__all__ = ['CONSTANT', 'SLOPES', 'SLOPES_OF_LISTS', 'SLOPES_OF_MANY',
           'has_slope', 'operation_of', 'slope_of_operand', 'slopes']

#: The rule for each operand. The result does not depend continuously on one with ``None``, nor on further ones.
SLOPES: Dict[str, Tuple[Optional[Callable], ...]] = {}
#: For operations of any number of operands: the first one that has a gradient, and a rule that also gets the number.
SLOPES_OF_MANY: Dict[str, Tuple[int, Callable]] = {}
#: For operations that return several arrays. A rule gets the node, the gradients of results by their numbers, and
#: whether the gradient of each operand is needed; it returns for each a list of nodes that are to be added.
SLOPES_OF_LISTS: Dict[str, Callable] = {}
#: Operations whose results do not depend on their operands continuously.
CONSTANT = frozenset('''
    sign floor ceil round isnan isfinite logical_not logical_and logical_or floor_divide
    equal not_equal less less_equal greater greater_equal any all argmax argmin
    stop_gradient shape arange draw_reals draw_normals draw_hits bins_of shares_of_extrema
    unique_rows'''.split())


def slopes(name: str, *rules: Optional[Callable]) -> None:
    """Enter the rules of an operation for its operands into the table."""
    SLOPES[name] = rules


def operation_of(node: Node) -> Operation:
    """Return the operation of a node that is not given to a run."""
    assert node.operation is not None
    return node.operation


def has_slope(node: Node, number: int) -> bool:
    """Return whether the result of a node depends continuously on an operand.

    Raises
    ------
    BackendError
        If it has no rule.
    """
    name = operation_of(node).name
    if name in CONSTANT or not getattr(node.inputs[number], 'dtype', 'float').startswith('float'):
        return False
    if name in SLOPES_OF_LISTS or name == 'item':
        return True
    if name in SLOPES_OF_MANY:
        return number >= SLOPES_OF_MANY[name][0]
    if name not in SLOPES:
        raise BackendError(f'gradients: expected operations with gradients, received {name!r}, which has none. '
                           'Write B.stop_gradient around it if it is constant, or use another backend.')
    return number < len(SLOPES[name]) and SLOPES[name][number] is not None


def slope_of_operand(node: Node, number: int, g: Node) -> Node:
    """Return the gradient of one operand of a node, from that of its result."""
    operation = operation_of(node)
    name = operation.name
    x = node.inputs[number]
    if name in SLOPES_OF_MANY:
        return SLOPES_OF_MANY[name][1](number, g, node, *node.inputs, **node.static)
    rule = SLOPES[name][number]
    found = rule(g, node, *node.inputs, **node.static)      # type: ignore[misc]  # the others have no slope
    return apply('sum_to_like', [found, x]) if operation.is_elementwise and _may_broadcast(node, number) else found


def _may_broadcast(node: Node, number: int) -> bool:
    """Return whether an operand may have fewer cells than the result, as far as is known before there are data."""
    shape = node.inputs[number].shape
    if len(shape) != node.ndim:
        return True
    others = [x.shape for place, x in enumerate(node.inputs) if place != number]
    return any(length == 1 != total or length is None and any(len(one) >= back and one[-back] != 1 for one in others)
               for back, (length, total) in enumerate(zip(shape[::-1], node.shape[::-1]), 1))


# -- elementwise ------------------------------------------------------------------------------------------------------

def _times(x: Any, y: Any) -> Node:
    return apply('multiply', [x, y])


def _over(x: Any, y: Any) -> Node:
    return apply('divide', [x, y])


def _minus(x: Any, y: Any) -> Node:
    return apply('subtract', [x, y])


def _plus(x: Any, y: Any) -> Node:
    return apply('add', [x, y])


def _negative(x: Node) -> Node:
    return apply('negative', [x])


def _where(condition: Node, x: Any, y: Any) -> Node:
    like = x if isinstance(x, Node) else y
    return apply('where', [condition, *(one if isinstance(one, Node) else np.asarray(one, like.dtype)
                                        for one in (x, y))])


def _masked(condition: Node, g: Node) -> Node:
    return apply('masked', [condition, g])


def _masked_by_not(condition: Node, g: Node) -> Node:
    return _masked(apply('logical_not', [condition]), g)


def _same(g: Node, *operands: Node, **static: Any) -> Node:
    return g


Operation('tanh_slope')         # g * (1 - y * y)
Operation('sigmoid_slope')      # g * y * (1 - y)
Operation('relu_slope')         # g where y > 0, else 0
Operation('masked')             # the second operand where the first is true, else 0

slopes('negative', lambda g, made, x: _negative(g))
slopes('abs', lambda g, made, x: _times(g, apply('sign', [x])))
slopes('square', lambda g, made, x: _times(g, _plus(x, x)))
slopes('sqrt', lambda g, made, x: _over(g, _plus(made, made)))
slopes('exp', lambda g, made, x: _times(g, made))
slopes('expm1', lambda g, made, x: _times(g, _plus(made, 1)))
slopes('log', lambda g, made, x: _over(g, x))
slopes('log1p', lambda g, made, x: _over(g, _plus(x, 1)))
slopes('sin', lambda g, made, x: _times(g, apply('cos', [x])))
slopes('cos', lambda g, made, x: _negative(_times(g, apply('sin', [x]))))
slopes('erf', lambda g, made, x: _times(_times(g, 2 / math.sqrt(math.pi)),
                                        apply('exp', [_negative(apply('square', [x]))])))
slopes('tanh', lambda g, made, x: apply('tanh_slope', [g, made]))
slopes('sigmoid', lambda g, made, x: apply('sigmoid_slope', [g, made]))
slopes('relu', lambda g, made, x: apply('relu_slope', [g, made]))
slopes('leaky_relu', lambda g, made, x, alpha: _where(apply('greater', [x, 0]), g, _times(g, alpha)))
slopes('softplus', lambda g, made, x: _times(g, apply('sigmoid', [x])))
slopes('tanh_slope', lambda h, made, g, y: apply('tanh_slope', [h, y]),
       lambda h, made, g, y: _times(_times(h, g), _times(y, -2)))
slopes('sigmoid_slope', lambda h, made, g, y: apply('sigmoid_slope', [h, y]),
       lambda h, made, g, y: _times(_times(h, g), _minus(1, _plus(y, y))))
slopes('relu_slope', lambda h, made, g, y: apply('relu_slope', [h, y]), None)
slopes('masked', None, lambda h, made, condition, g: _masked(condition, h))
slopes('cast', lambda g, made, x, dtype: g if x.dtype == dtype else apply('cast', [g], dtype=x.dtype))
slopes('identity', _same)
slopes('add', _same, _same)
slopes('subtract', _same, lambda g, made, x, y: _negative(g))
slopes('multiply', lambda g, made, x, y: _times(g, y), lambda g, made, x, y: _times(g, x))
slopes('divide', lambda g, made, x, y: _over(g, y), lambda g, made, x, y: _negative(_over(_times(g, made), y)))
slopes('mod', _same, lambda g, made, x, y: _negative(_times(g, apply('floor_divide', [x, y]))))
slopes('maximum', lambda g, made, x, y: _masked(apply('greater_equal', [x, y]), g),
       lambda g, made, x, y: _masked_by_not(apply('greater_equal', [x, y]), g))
slopes('minimum', lambda g, made, x, y: _masked(apply('less_equal', [x, y]), g),
       lambda g, made, x, y: _masked_by_not(apply('less_equal', [x, y]), g))
slopes('where', None, lambda g, made, condition, x, y: _masked(condition, g),
       lambda g, made, condition, x, y: _masked_by_not(condition, g))


def _base_of_power(g: Node, made: Node, x: Node, y: Node) -> Node:
    is_both_0 = apply('logical_and', [apply('equal', [x, 0]), apply('equal', [y, 0])])
    lower = _where(is_both_0, 1, _minus(y, 1))      # 0 ** -1 times 0 would be NaN
    return _times(g, _times(y, apply('power', [x, lower])))


def _exponent_of_power(g: Node, made: Node, x: Node, y: Node) -> Node:
    return _times(g, _times(made, apply('log', [_where(apply('greater', [x, 0]), x, 1)])))


slopes('power', _base_of_power, _exponent_of_power)


# -- reductions -------------------------------------------------------------------------------------------------------

def _like_second(x: Known, like: Known, **static: Any) -> Known:
    return Known(like.shape, x.dtype)


def _like_first(x: Known, *others: Known, **static: Any) -> Known:
    return Known(x.shape, x.dtype)


Operation('spread', _like_second, is_view=True)
Operation('spread_mean', _like_second, is_view=True)
Operation('others', _like_first)
Operation('shares_of_extrema', _like_second)
Operation('bins_of', lambda x, edges: Known(x.shape, 'int64'))

slopes('sum', lambda g, made, x, **axes: apply('spread', [g, x], **axes))
slopes('mean', lambda g, made, x, **axes: apply('spread_mean', [g, x], **axes))
slopes('spread', lambda h, made, g, x, **axes: apply('sum', [h], **axes), None)
slopes('spread_mean', lambda h, made, g, x, **axes: apply('mean', [h], **axes), None)
slopes('prod', lambda g, made, x, axis, keepdims: _times(
    apply('spread', [g, x], axis=axis, keepdims=keepdims), apply('others', [x], axis=axis)))
for _name in ('max', 'min'):
    slopes(_name, lambda g, made, x, **axes: _times(apply('spread', [g, x], **axes),
                                                    apply('shares_of_extrema', [made, x], **axes)))
slopes('cumsum', lambda g, made, x, axis: apply('flip', [
    apply('cumsum', [apply('flip', [g], axis=axis)], axis=axis)], axis=axis))
slopes('histogram', None, lambda g, made, x, weights, edges: apply('reshape_like', [
    apply('take', [g, apply('bins_of', [x], edges=edges)], axis=0), weights]))


def _softmax(g: Node, made: Node, x: Node, axis: int) -> Node:
    weighted = _times(g, made)
    return _minus(weighted, _times(made, apply('sum', [weighted], axis=(axis,), keepdims=True)))


slopes('softmax', _softmax)
slopes('log_softmax', lambda g, made, x, axis: _minus(g, _times(
    apply('exp', [made]), apply('sum', [g], axis=(axis,), keepdims=True))))


def _others(h: Node, made: Node, x: Node, axis: Optional[Sequence[int]]) -> Node:
    """Return the gradient of the values whose products `made` has: each is in the products of all others."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(axis)
    order = (*(one for one in range(x.ndim) if one not in axes), *axes)
    moved, h = (apply('transpose', [one], axes=order) for one in (x, h))
    last = x.ndim - len(axes)
    rows, h = (apply('flatten', [one], nb_axis=last + 1) for one in (moved, h))
    places = apply('arange', [apply('getitem', [apply('shape', [rows])], key=(-1,))], dtype='int64')
    is_own = apply('equal', [apply('expand_dims', [places], axis=1), places])
    # A row for each product, in which the value that it lacks is 1.
    square = _where(is_own, 1, apply('expand_dims', [rows], axis=last))
    parts = _times(_column(h), apply('others', [square], axis=(last + 1,)))
    found = apply('sum', [_masked_by_not(is_own, parts)], axis=(last,), keepdims=False)
    return apply('transpose', [apply('reshape_like', [found, moved])], axes=_inverse(order))


slopes('others', _others)


# -- shapes -----------------------------------------------------------------------------------------------------------

def _reshaped(g: Node, made: Node, x: Node, *given: Node, **static: Any) -> Node:
    return apply('reshape_like', [g, x])


def _unbroadcast(g: Node, made: Node, x: Node, *given: Node, **static: Any) -> Node:
    return apply('sum_to_like', [g, x])


def _inverse(axes: Sequence[int]) -> Tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


Operation('unrepeat', _like_second)
Operation('untile', _like_second)
Operation('unpad', lambda x, padding: Known(tuple(n - sum(pair) for n, pair in zip(x.shape, padding)), x.dtype),
          is_view=True)
Operation('part_like', lambda x, *many, number, axis: Known(many[number].shape, x.dtype), is_view=True)
Operation('place', lambda like, g, *rest, keys: Known(like.shape, g.dtype))

for _name in ('reshape', 'flatten', 'expand_dims', 'squeeze', 'reshape_like'):
    slopes(_name, _reshaped)
for _name in ('broadcast_to', 'broadcast_like'):
    slopes(_name, _unbroadcast)
slopes('sum_to_like', lambda h, made, x, like: apply('broadcast_like', [h, x]))
slopes('transpose', lambda g, made, x, axes: apply('transpose', [g], axes=_inverse(axes)))
slopes('flip', lambda g, made, x, axis: apply('flip', [g], axis=axis))
slopes('require', _same)
slopes('repeat', lambda g, made, x, **static: apply('unrepeat', [g, x], **static))
slopes('unrepeat', lambda h, made, g, x, **static: apply('repeat', [h], **static), None)
slopes('tile', lambda g, made, x, **static: apply('untile', [g, x], **static))
slopes('untile', lambda h, made, g, x, **static: apply('tile', [h], **static), None)
slopes('pad', lambda g, made, x, value, padding: apply('unpad', [g], padding=padding),
       lambda g, made, x, value, padding: _minus(_total(g), _total(apply('unpad', [g], padding=padding))))
slopes('unpad', lambda h, made, g, padding: apply('pad', [h, 0], padding=padding))


def _total(x: Node) -> Node:
    return apply('sum', [x], axis=None, keepdims=False)


def _concatenated(number: int, g: Node, made: Node, *xs: Node, axis: int) -> Node:
    lengths: List[Any] = [x.shape[axis] for x in xs[:number + 1]]
    if None in lengths:
        return apply('part_like', [g, *xs], number=number, axis=axis)
    *before, length = lengths
    start = sum(before)
    return apply('getitem', [g], key=(*(slice(None),) * axis, slice(start, start + length)))


def _part_like(h: Node, made: Node, g: Node, *xs: Node, number: int, axis: int) -> Node:
    return apply('concatenate', [h if place == number else apply('broadcast_like', [0, x])
                                 for place, x in enumerate(xs)], axis=axis)


SLOPES_OF_MANY['concatenate'] = 0, _concatenated
SLOPES_OF_MANY['stack'] = 0, lambda number, g, made, *xs, axis: apply(
    'getitem', [g], key=(slice(None),) * axis + (number,))
slopes('part_like', _part_like)


slopes('getitem', lambda g, made, x, *given, key: apply('place', [x, g, *given], keys=(key,)))


def _placed(number: int, h: Node, made: Node, like: Node, *rest: Node, keys: Sequence[Sequence]) -> Node:
    first = 1
    for key in keys:
        following = first + 1 + nb_given(key)
        if number == first:
            return apply('getitem', [h, *made.inputs[first + 1:following]], key=key)
        first = following
    raise AssertionError('an index has no gradient')


SLOPES_OF_MANY['place'] = 1, _placed


# -- products and indices ---------------------------------------------------------------------------------------------

Operation('transposed_dot', lambda x, y: Known((x.shape[-1], y.shape[-1]), x.dtype))
Operation('add_at', lambda g, indices, like, axis: Known(like.shape, g.dtype))


def _swapped(x: Node) -> Node:
    return apply('transpose', [x], axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _column(x: Node) -> Node:
    return apply('expand_dims', [x], axis=x.ndim)


def _left_of_dot(g: Node, made: Node, x: Node, y: Node) -> Node:
    return apply('dot', [g, _swapped(y)]) if y.ndim == 2 else _times(_column(g), y)


def _right_of_dot(g: Node, made: Node, x: Node, y: Node) -> Node:
    if y.ndim == 2:
        return apply('transposed_dot', [x, g])
    return apply('squeeze', [apply('transposed_dot', [x, _column(g)])], axis=1)


slopes('dot', _left_of_dot, _right_of_dot)
slopes('transposed_dot', lambda h, made, x, g: apply('dot', [g, _swapped(h)]),
       lambda h, made, x, g: apply('dot', [x, h]))


def _matrices(g: Node, x: Node, y: Node) -> Tuple[Node, Node, Node]:
    """Return the gradient and the operands of a product with rows and columns for vectors."""
    if y.ndim == 1:
        g, y = _column(g), _column(y)
    if x.ndim == 1:
        g, x = apply('expand_dims', [g], axis=g.ndim - 1), apply('expand_dims', [x], axis=0)
    return g, x, y


def _left_of_matmul(g: Node, made: Node, x: Node, y: Node) -> Node:
    g, left, right = _matrices(g, x, y)
    found = apply('sum_to_like', [apply('matmul', [g, _swapped(right)]), left])
    return found if left is x else apply('reshape_like', [found, x])


def _right_of_matmul(g: Node, made: Node, x: Node, y: Node) -> Node:
    g, left, right = _matrices(g, x, y)
    if right.ndim == 2:
        found = apply('transposed_dot', [left, g])
    else:
        found = apply('sum_to_like', [apply('matmul', [_swapped(left), g]), right])
    return found if right is y else apply('reshape_like', [found, y])


slopes('matmul', _left_of_matmul, _right_of_matmul)
slopes('take', lambda g, made, x, indices, axis, refusal='': apply('add_at', [g, indices, x], axis=axis))
slopes('add_at', lambda h, made, g, indices, like, axis: apply(
    'take', [h, indices], axis=axis, refusal=no_places(like.shape[axis], axis)))
