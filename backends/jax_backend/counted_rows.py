"""Graphs of which a run says how many rows of a batch count, so that a batch may be padded.

What padding changes is rewritten: sums, products and means over rows, and lengths that are computed with. A length that
becomes one, as in a reshape, stays that of the padded batch. The last row is repeated, so that extrema, conditions and
numbers that are not finite need nothing.
"""
import functools
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from keraflow.backend.graph.loops import Body
from keraflow.backend.graph.nodes import Node, VariableNode, known_of, ordered

from .counted_functions import COUNTED_MEAN, COUNTED_SHAPE, ONLY_COUNTED, SURE_OF_ROWS
from .row_axes import Rows, Unknown, rows_after

__all__ = ['Counted', 'counted']

#: What a length is: the same for any batch, the number of its rows, that of their parts, or what else follows from it.
_OTHER, _NB_ROW, _NB_PART, _FOLLOWS = range(4)
#: Operations that move numbers and change none.
_MOVES = frozenset(('getitem', 'reshape', 'concatenate', 'stack', 'expand_dims', 'squeeze', 'identity', 'cast'))


class Counted(NamedTuple):
    """Outputs of a graph that has one more input.

    Attributes
    ----------
    nb_row : Node
        How many rows of the inputs count.
    outputs : list of Node
    rows : list of Rows or None
        Where the rows of each output lie, if it has some.
    """

    nb_row: Node
    outputs: List[Node]
    rows: List[Optional[Rows]]


def counted(inputs: Sequence[Node], outputs: Sequence[Node]) -> Optional[Counted]:
    """Return a graph with the same outputs of the rows that count; None unless it is known to have them."""
    if not inputs or any(not x.ndim or x.shape[0] is not None for x in inputs):
        return None
    walk = _Walk(inputs[0].graph.node(None, (), {}, known_of((), 'int64')), inputs[0])
    for x in inputs:
        walk.enter(x, Rows(0))
    try:
        walk.over(outputs)
    except Unknown:
        return None
    return Counted(walk.count, [walk.made[x] for x in outputs], [walk.rows[x] for x in outputs])


class _Lengths(NamedTuple):
    """Integers that follow from lengths alone.

    Attributes
    ----------
    kinds : array of int
        What each of them is.
    node : Node
        Their values in a run, in which padded rows are rows. They may become lengths.
    """

    kinds: np.ndarray
    node: Node


class _Walk:
    """A walk over a graph in its order, which finds where rows lie and makes what takes the place of each node.

    Attributes
    ----------
    count, batch : Node
        How many rows count, and an input, which has as many rows as are computed.
    rows : dict
        Where the rows of nodes lie; None for what is the same for all rows, a list for several arrays.
    made : dict
        What takes the place of nodes.
    lengths : dict
        What is known of those that follow from lengths.
    """

    def __init__(self, count: Node, batch: Node):
        self.count, self.batch = count, batch
        self.rows: Dict[Node, Any] = {}
        self.made: Dict[Node, Node] = {}
        self.lengths: Dict[Node, _Lengths] = {}

    def enter(self, node: Node, rows: Union[Rows, None, list], made: Optional[Node] = None) -> None:
        """Say of a node where its rows lie."""
        self.rows[node], self.made[node] = rows, node if made is None else made

    def over(self, outputs: Sequence[Node]) -> None:
        """Walk over all that outputs depend on.

        Raises
        ------
        Unknown
        """
        for node in ordered(outputs, list(self.rows)):
            if node not in self.rows:
                self._see(node)

    def _see(self, node: Node) -> None:
        if node.operation is None:
            if not isinstance(node, VariableNode):      # a state of draws
                raise Unknown
            return self.enter(node, None)
        name = node.operation.name
        if name == 'constant':
            self.enter(node, None)
            if node.known[0].value is not None:
                self.lengths[node] = _Lengths(np.zeros(node.known[0].shape, int), node)
            return None
        if name.startswith('draw_'):
            raise Unknown
        if name == 'shape':
            return self._see_shape(node)
        if node.operation.of_values is not None and node.known[0].value is not None and \
                all(x in self.lengths for x in node.inputs):
            return self._see_lengths(node)
        if name in _SHAPED:
            return self._see_shaped(node)
        operands = [self.rows[x] for x in node.inputs]
        if not any(operands):
            if name in _WITH_LENGTHS and self._follow(node.inputs):
                raise Unknown
            return self.enter(node, None, self._again(node))
        if name == 'item':
            return self.enter(node, operands[0][node.static['number']], self._again(node))
        if name == 'loop':
            return self.enter(node, self._rows_of_loop(node, operands), self._again(node, self._physical(node.inputs)))
        if name in _WITH_LENGTHS and self._follow(node.inputs):
            raise Unknown
        rows = rows_after(node, operands)
        if rows is None and name in _REDUCED:
            return self.enter(node, None, self._reduced(node, operands))
        return self.enter(node, rows, self._again(node))

    def _again(self, node: Node, inputs: Optional[Sequence[Node]] = None) -> Node:
        """Return a node of what takes the place of its operands."""
        inputs = [self.made[x] for x in node.inputs] if inputs is None else inputs
        if all(made is x for made, x in zip(inputs, node.inputs)):
            return node
        return node.graph.node(node.operation, inputs, node.static, node.known)

    def _counting(self, operation: Any, x: Node, rows: Rows, known: Any, **static: Any) -> Node:
        return x.graph.node(operation, [x, self.count, self.batch], {'axis': rows.axis, **static}, known)

    # -- lengths ------------------------------------------------------------------------------------------------------

    def _see_shape(self, node: Node) -> None:
        [x], rows = node.inputs, self.rows[node.inputs[0]]
        kinds, physical = np.zeros(x.ndim, int), self._again(node)
        counted = physical
        if rows is not None:
            kinds[rows.axis] = _NB_PART if rows.in_parts else _NB_ROW
            counted = self._counting(COUNTED_SHAPE, self.made[x], rows, node.known)
        self.lengths[node] = _Lengths(kinds, physical)
        self.enter(node, None, counted)

    def _see_lengths(self, node: Node) -> None:
        kinds = _kinds_after(node, [self.lengths[x].kinds for x in node.inputs])
        physical = self._again(node, self._physical(node.inputs))
        self.lengths[node] = _Lengths(kinds, physical)
        self.enter(node, None, self._again(node) if kinds.any() else physical)

    def _physical(self, nodes: Sequence[Node]) -> List[Node]:
        """Return what takes the place of nodes that may become lengths."""
        return [self.lengths[x].node if x in self.lengths else self.made[x] for x in nodes]

    def _follow(self, nodes: Sequence[Node]) -> bool:
        """Return whether there are lengths among nodes that follow from the number of rows."""
        return any(x in self.lengths and self.lengths[x].kinds.any() for x in nodes)

    def _given_rows(self, shape: Sequence, given: Sequence[Node]) -> Optional[Rows]:
        """Return where rows lie by the lengths of a shape."""
        if any(x not in self.lengths for x in given):
            raise Unknown
        kinds = iter([kind for x in given for kind in np.ravel(self.lengths[x].kinds)])
        found = [(axis, kind) for axis, kind in enumerate(next(kinds) if n is None else _OTHER for n in shape) if kind]
        if not found:
            return None
        if len(found) > 1 or found[0][1] == _FOLLOWS:
            raise Unknown
        return Rows(found[0][0], found[0][1] == _NB_PART)

    def _see_shaped(self, node: Node) -> None:
        """See a reshape, or what is broadcast to a shape."""
        x, *lengths = node.inputs
        rows, given = self.rows[x], self._given_rows(node.static['shape'], lengths)
        made = self._again(node, [self.made[x], *self._physical(lengths)])
        if rows is None and given is None:
            return self.enter(node, None, made)
        if node.operation.name == 'reshape':     # type: ignore[union-attr]
            if rows is None:
                raise Unknown
            after, is_sure = _rows_of_reshape(node, rows, given)
            if not is_sure:
                inputs = [made, self.made[x], self.batch]
                made = node.graph.node(SURE_OF_ROWS, inputs, {'before': rows, 'after': after}, node.known)
            return self.enter(node, after, made)
        if given is None or rows is not None and _moved(rows, node.ndim - x.ndim) != given or \
                rows is None and node.ndim - given.axis <= x.ndim and x.shape[given.axis - node.ndim] != 1:
            raise Unknown
        return self.enter(node, given, made)

    # -- reductions over rows -----------------------------------------------------------------------------------------

    def _reduced(self, node: Node, operands: Sequence[Optional[Rows]]) -> Node:
        operation, rows, inputs = node.operation, operands[-1], [self.made[x] for x in node.inputs]
        assert operation is not None and rows is not None
        if operation.name == 'mean':
            return self._counting(COUNTED_MEAN, inputs[0], rows, node.known, axes=node.static['axis'],
                                  keepdims=node.static['keepdims'])
        x = node.inputs[-1]     # of a histogram the weights
        inputs[-1] = self._counting(ONLY_COUNTED, inputs[-1], rows, x.known, instead=_REDUCED[operation.name])
        return self._again(node, inputs)

    # -- loops --------------------------------------------------------------------------------------------------------

    def _rows_of_loop(self, node: Node, operands: Sequence[Optional[Rows]]) -> List[Optional[Rows]]:
        """Return where the rows of the results of a loop lie, whose states have them where they had them before."""
        body: Body = node.static['body']
        sequences, states, _ = body.divided(operands)
        if any(rows is not None and not rows.axis for rows in sequences):
            raise Unknown
        step = _Walk(self.count, self.batch)
        step.enter(body.time, None)
        for x, rows in zip([*body.slices, *body.before, *body.captured], operands):
            step.enter(x, rows)
        for x, rows in zip(body.slices, sequences):
            step.enter(x, _moved(rows, -1))
        for x, operand in zip(body.captured, body.divided(node.inputs)[2]):
            if operand in self.lengths:
                kinds = self.lengths[operand].kinds
                step.lengths[x] = _Lengths(kinds, x)
                step.made[x] = self.made[operand] if kinds.any() else x
        results = [*body.after, *body.collected]
        step.over(results)
        if any(step.made[x] is not x for x in results) or [step.rows[x] for x in body.after] != states:
            raise Unknown       # the graph of a step stays as it is
        return [*states, *(_moved(step.rows[x], 1) for x in body.collected)]


#: Operations whose result depends on the lengths that they are given.
_SHAPED = frozenset(('reshape', 'broadcast_to'))
#: Others that may be given lengths.
_WITH_LENGTHS = frozenset(('arange', 'getitem', 'place', 'loop'))
#: Operations that padding changes, with what stands in padded rows instead.
_REDUCED = {'sum': 0, 'mean': 0, 'histogram': 0, 'prod': 1}


def _moved(rows: Optional[Rows], by: int) -> Optional[Rows]:
    return None if rows is None else rows._replace(axis=rows.axis + by)


def _kinds_after(node: Node, kinds: Sequence[np.ndarray]) -> np.ndarray:
    """Return what integers are that follow from others."""
    operation: Any = node.operation
    name = operation.name
    if name == 'cast' or name in _MOVES and len(kinds) == 1 and not node.static:
        return kinds[0]
    if name in ('concatenate', 'stack'):
        return operation.of_values(*kinds, **node.static)
    if name in _MOVES and not any(one.any() for one in kinds[1:]):
        return np.asarray(operation.of_values(kinds[0], *[x.known[0].value for x in node.inputs[1:]], **node.static))
    follows = [one > 0 for one in kinds]
    if operation.is_elementwise:
        return np.where(functools.reduce(np.logical_or, follows), _FOLLOWS, _OTHER)
    return np.full(node.known[0].shape, _FOLLOWS if any(one.any() for one in follows) else _OTHER)


def _rows_of_reshape(node: Node, rows: Rows, given: Optional[Rows]) -> Tuple[Rows, bool]:
    """Return where rows lie after a reshape, and whether that is sure before lengths are known."""
    [x, *_], shape = node.inputs, node.static['shape']
    if given is None:
        if -1 not in shape:
            raise Unknown
        axis, nb_row = shape.index(-1), x.known[0].shape[rows.axis]
        length = node.known[0].shape[axis]
        if length % nb_row:
            raise Unknown
        after = Rows(axis, rows.in_parts or length != nb_row)
    else:
        after = given
    is_first = rows.axis == after.axis == 0
    if node.shape[after.axis] is not None or not is_first and (
            rows.in_parts or after.in_parts or rows.axis == 0 or after.axis == 0):
        raise Unknown
    # The order of numbers stays: the first axis has the rows wherever it is as long.
    return after, is_first and (given is not None or None not in (*x.shape[1:], *node.shape[1:]))
