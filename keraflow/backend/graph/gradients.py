"""Gradients of nodes with respect to nodes, as nodes of the same graph."""
from typing import Any, Collection, Dict, List, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.graph.nodes import Node, apply, ordered
from keraflow.backend.graph.slopes import SLOPES_OF_LISTS, has_slope, operation_of, slope_of_operand

__all__ = ['gradients', 'pulled_back', 'total_of']


def gradients(loss: Node, variables: Sequence[Node]) -> List[Node]:
    """Return the gradients of a scalar; they are zeros for what it does not depend on."""
    one = loss.graph.constant(np.ones((), loss.dtype))
    found = pulled_back([(loss, one)], [x for x in variables if x.dtype.startswith('float')])
    made = []
    for x in variables:
        total = total_of(x, found.get(x, ()))
        made.append(zeros_like(x) if total is None else total)
    return made


def zeros_like(x: Node) -> Node:
    """Return zeros with the shape of a node, and its dtype if that is real."""
    dtype = x.dtype if x.dtype.startswith('float') else x.graph.backend.floatx()
    return apply('broadcast_like', [np.zeros((), dtype), x])


def pulled_back(roots: Sequence[Tuple[Node, Node]], targets: Sequence[Node],
                leaves: Collection[Node] = ()) -> Dict[Node, List[Node]]:
    """Return the gradients of targets, from those of some roots: for each target nodes that are to be added.

    Parameters
    ----------
    roots : list of pair of Node
        Each with its gradient.
    targets : list of Node
        One that no root depends on is left out.
    leaves : collection of Node
        What is behind them is not looked at.
    """
    order, leaves = ordered([node for node, _ in roots], leaves), set(leaves)
    wanted, depends = set(targets), set(targets)
    for node in order:
        if node.operation is not None and node not in leaves and any(
                x in depends and has_slope(node, number) for number, x in enumerate(node.inputs)):
            depends.add(node)
    parts: Dict[Node, List[Any]] = {}
    for node, g in roots:
        parts.setdefault(node, []).append(g)
    for node in reversed(order):
        if node not in depends or node not in parts or node in leaves or node.operation is None:
            continue
        needed = [x in depends and has_slope(node, number) for number, x in enumerate(node.inputs)]
        if not any(needed):
            continue
        for x, some in zip(node.inputs, _parts_of_operands(node, parts[node], needed)):
            if some:
                parts.setdefault(x, []).extend(some)
    return {node: parts[node] for node in wanted if node in parts}


def _parts_of_operands(node: Node, parts: List[Any], needed: Sequence[bool]) -> List[List[Any]]:
    """Return what is to be added to the gradient of each operand of a node that is needed."""
    name = operation_of(node).name
    if name in SLOPES_OF_LISTS:
        by_number: Dict[int, List[Node]] = {}
        for number, g in parts:
            by_number.setdefault(number, []).append(g)
        return SLOPES_OF_LISTS[name](node, {number: _sum(some) for number, some in by_number.items()}, needed)
    total: Any = total_of(node, parts)
    if name == 'item':
        return [[(node.static['number'], total)]]
    return [[slope_of_operand(node, number, total)] if one else [] for number, one in enumerate(needed)]


def total_of(x: Node, parts: Sequence[Node]) -> Optional[Node]:
    """Return the sum of nodes that are to be added to the gradient of `x`; ``None`` if there are none.

    Products with the same matrix become one product, and items of the same tensor are put into one array: the gradient
    of steps that are written out would otherwise take as long as the number of steps times the size of the tensor.
    """
    products = [g for g in parts if _is_product(g)]
    items = [g for g in parts if _is(g, 'place')]
    rest = [g for g in parts if not _is_product(g) and not _is(g, 'place')]
    if len(products) > 1:
        products = [apply('transposed_dot', [apply('concatenate', some, axis=0)
                                             for some in zip(*(g.inputs for g in products))])]
    if items:
        items = [_placed(x, items)]
    return _sum([*rest, *products, *items]) if parts else None


def _is_product(node: Node) -> bool:
    return _is(node, 'transposed_dot') and node.inputs[0].ndim == node.inputs[1].ndim == 2


def _is(node: Node, name: str) -> bool:
    return node.operation is not None and node.operation.name == name


def _sum(parts: Sequence[Node]) -> Node:
    total = parts[0]
    for one in parts[1:]:
        total = apply('add', [total, one])
    return total


def _placed(x: Node, items: Sequence[Node]) -> Node:
    """Put items into one array: those that follow each other are joined."""
    keys = [key for one in items for key in one.static['keys']]
    rest = [operand for one in items for operand in one.inputs[1:]]
    slices: List[Any] = [_slice_of(key, x.ndim) for key in keys]
    if None not in slices:
        found = sorted(zip(slices, range(len(keys))))
        axis = found[0][0][0]
        ends = [0, *(stop for (_, _, stop), _ in found)]
        if all(one == axis and start == before for ((one, start, _), _), before in zip(found, ends)) and \
                ends[-1] == x.shape[axis]:
            return apply('concatenate', [rest[place] for _, place in found], axis=axis)
    return apply('place', [x, *rest], keys=tuple(keys)) if len(items) > 1 else items[0]


def _slice_of(key: Sequence, ndim: int) -> Optional[Tuple[int, int, int]]:
    """Return axis, start and stop if a key takes a slice of one axis, and all of the others."""
    if len(key) > ndim or not all(isinstance(one, slice) for one in key):
        return None
    cut = [(axis, one.start or 0, one.stop) for axis, one in enumerate(key) if one != slice(None)]
    is_plain = len(cut) == 1 and key[cut[0][0]].step in (None, 1)
    return cut[0] if is_plain and all(isinstance(n, int) and n >= 0 for n in cut[0][1:]) else None
