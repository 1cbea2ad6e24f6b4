"""On which axis the rows of a batch lie, operation by operation: each row of a result follows from the same one of the
operands alone.

What is the same for all rows is ``None``. What no rule knows is refused, so that nothing is taken for rows by mistake.
"""
from typing import Callable, Dict, NamedTuple, Optional, Sequence

import numpy as np

from keraflow.backend.graph.nodes import GIVEN, Node
from keraflow.backend.graph.operations import nb_given

__all__ = ['Rows', 'Unknown', 'rows_after']


class Rows(NamedTuple):
    """Where rows lie.

    Attributes
    ----------
    axis : int
    in_parts : bool
        Whether a row is several along the axis, one behind the other, and as many as each other one.
    """

    axis: int
    in_parts: bool = False


class Unknown(Exception):
    """It is not known where rows lie, or whether they depend on each other."""


Operands = Sequence[Optional[Rows]]

_RULES: Dict[str, Callable[[Node, Operands], Optional[Rows]]] = {}


def rows_after(node: Node, operands: Operands) -> Optional[Rows]:
    """Return where the rows of a result lie, of operands of which some have rows.

    Rows that are reduced leave none. Padded rows repeat the last one, so that no extremum is another one.

    Raises
    ------
    Unknown
    """
    rule = _elementwise if node.operation.is_elementwise else _RULES.get(node.operation.name)   # type: ignore
    if rule is None:
        raise Unknown
    rows = rule(node, operands)
    if rows is not None and node.shape[rows.axis] is not None:      # it has as many for any batch
        raise Unknown
    return rows


def _rule(*names: str) -> Callable:
    def enter(rule: Callable) -> Callable:
        _RULES.update(dict.fromkeys(names, rule))
        return rule
    return enter


def _only(operands: Operands) -> Rows:
    """Return the rows of the first operand, which alone has some."""
    first, *others = operands
    if first is None or any(others):
        raise Unknown
    return first


def _at(rows: Rows, axis: int) -> Rows:
    return rows._replace(axis=axis)


@_rule('broadcast_like')
def _elementwise(node: Node, operands: Operands) -> Optional[Rows]:
    # Axes are counted from the last one, as operands broadcast.
    found = {(x.ndim - rows.axis, rows.in_parts) for x, rows in zip(node.inputs, operands) if rows is not None}
    place, in_parts = found.pop()
    if found or any(rows is None and x.ndim >= place and x.shape[-place] != 1
                    for x, rows in zip(node.inputs, operands)):
        raise Unknown
    return Rows(node.ndim - place, in_parts)


@_rule('identity', 'stop_gradient')
def _same(node: Node, operands: Operands) -> Optional[Rows]:
    return operands[0]


@_rule('require')       # of padded rows, too, which are like the last one
def _require(node: Node, operands: Operands) -> Optional[Rows]:
    return operands[0]


@_rule('softmax', 'log_softmax', 'cumsum', 'flip', 'repeat')
def _along_another(node: Node, operands: Operands) -> Optional[Rows]:
    rows = _only(operands)
    if node.static['axis'] == rows.axis:
        raise Unknown
    return rows


@_rule('sum', 'prod', 'mean', 'max', 'min', 'any', 'all')
def _folded(node: Node, operands: Operands) -> Optional[Rows]:
    rows, axes = _only(operands), node.static['axis']
    if axes is None or rows.axis in axes:
        return None
    return rows if node.static['keepdims'] else _at(rows, rows.axis - sum(axis < rows.axis for axis in axes))


@_rule('argmax', 'argmin')      # the first one
def _place_of_extremum(node: Node, operands: Operands) -> Optional[Rows]:
    rows, axis = _only(operands), node.static['axis']
    return None if axis == rows.axis else _at(rows, rows.axis - (axis < rows.axis))


@_rule('histogram')
def _histogram(node: Node, operands: Operands) -> Optional[Rows]:
    if None in operands or operands[0] != operands[1]:
        raise Unknown
    return None


@_rule('transpose')
def _transpose(node: Node, operands: Operands) -> Optional[Rows]:
    rows = _only(operands)
    return _at(rows, node.static['axes'].index(rows.axis))


@_rule('expand_dims')
def _expand_dims(node: Node, operands: Operands) -> Optional[Rows]:
    rows = _only(operands)
    return _at(rows, rows.axis + (node.static['axis'] <= rows.axis))


@_rule('squeeze')
def _squeeze(node: Node, operands: Operands) -> Optional[Rows]:
    rows, axis = _only(operands), node.static['axis']
    if axis == rows.axis:
        raise Unknown
    return _at(rows, rows.axis - (axis < rows.axis))


@_rule('concatenate', 'stack')
def _joined(node: Node, operands: Operands) -> Optional[Rows]:
    rows, axis = operands[0], node.static['axis']
    is_new = node.operation.name == 'stack'     # type: ignore[union-attr]
    if rows is None or any(one != rows for one in operands) or not is_new and axis == rows.axis:
        raise Unknown
    return _at(rows, rows.axis + (is_new and axis <= rows.axis))


@_rule('tile')
def _tile(node: Node, operands: Operands) -> Optional[Rows]:
    rows = _only(operands)
    if node.static['reps'][rows.axis] != 1:
        raise Unknown
    return rows


@_rule('pad')
def _pad(node: Node, operands: Operands) -> Optional[Rows]:
    rows = _only(operands)
    if tuple(node.static['padding'][rows.axis]) != (0, 0):
        raise Unknown
    return rows


@_rule('flatten')
def _flatten(node: Node, operands: Operands) -> Optional[Rows]:
    rows, last = _only(operands), node.ndim - 1
    if rows.axis > last:
        raise Unknown
    return rows if rows.axis < last else Rows(last, in_parts=True)


@_rule('getitem')
def _getitem(node: Node, operands: Operands) -> Optional[Rows]:
    rows, key = _only(operands), node.static['key']
    given = iter(node.inputs[1:])
    ndims = []      # of what an axis becomes
    for one in key:
        taken = [next(given) for _ in range(nb_given([one]))]
        ndims.append(taken[0].ndim if isinstance(one, str) and one == GIVEN else 1 if isinstance(one, slice)
                     else np.ndim(one))
    are_numbers = [one is not None and one is not Ellipsis and not isinstance(one, slice) for one in key]
    if any(n for n, is_number in zip(ndims, are_numbers) if is_number) and sum(are_numbers) > 1:
        raise Unknown       # it depends on their order where the axes go
    axis = made = 0
    for one, ndim in zip(key, ndims):
        if one is None:
            made += 1
            continue
        nb_axis = node.inputs[0].ndim - sum(it is not None and it is not Ellipsis for it in key) if one is Ellipsis \
            else 1
        if axis <= rows.axis < axis + nb_axis:
            if one is not Ellipsis and not (isinstance(one, slice) and one == slice(None)):
                raise Unknown
            break
        axis, made = axis + nb_axis, made + (nb_axis if one is Ellipsis else ndim)
    return _at(rows, made + rows.axis - axis)


@_rule('dot')
def _dot(node: Node, operands: Operands) -> Optional[Rows]:
    x, y = operands
    if x is not None and y is None and x.axis < node.inputs[0].ndim - 1:
        return x
    if x is None and y is not None and y.axis:
        return _at(y, node.inputs[0].ndim - 2 + y.axis)
    raise Unknown


@_rule('matmul')
def _matmul(node: Node, operands: Operands) -> Optional[Rows]:
    places = [None if rows is None else x.ndim - rows.axis for x, rows in zip(node.inputs, operands)]
    if min(x.ndim for x in node.inputs) < 2:
        raise Unknown
    if places in ([2, None], [None, 1]):        # of the matrices
        return _at(next(filter(None, operands)), node.ndim - max(filter(None, places)))
    if any(place is not None and place < 3 for place in places):
        raise Unknown
    return _elementwise(node, operands)


@_rule('take')
def _take(node: Node, operands: Operands) -> Optional[Rows]:
    (x, indices), axis = operands, node.static['axis']
    if x is None and indices is not None:
        return _at(indices, axis + indices.axis)
    if x is not None and indices is None and x.axis != axis:
        return x if x.axis < axis else _at(x, x.axis + node.inputs[1].ndim - 1)
    raise Unknown


@_rule('conv', 'depthwise_conv', 'conv_transpose', 'max_pool', 'mean_pool')
def _on_windows(node: Node, operands: Operands) -> Optional[Rows]:
    rows = _only(operands)
    if rows.axis:
        raise Unknown
    return rows
