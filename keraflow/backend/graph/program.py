"""Nodes as one flat list of calls of array functions, in an order that is found once."""
import operator
from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Set

import numpy as np

from keraflow.backend.graph.nodes import Graph, Node, is_constant, ordered

__all__ = ['Program', 'shared_memory', 'taker', 'takes_a_place', 'users_of']


class Program:
    """A function of arrays that computes nodes from others.

    What depends on constants alone is computed when it is built, unless the library does that itself. Arrays are
    dropped behind their last use, and a ufunc, or a function with a last argument `out`, writes its result over an
    operand that nothing else needs. Several threads may call it at once.

    Parameters
    ----------
    graph : Graph
        Has the functions of arrays.
    inputs : sequence of Node
        What is given to a run, in order.
    outputs : sequence of Node
        What a run returns, in order. They depend on nothing but inputs and constants.

    Attributes
    ----------
    constants : set of Node
        What is computed already.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> x = B.placeholder((None,))
    >>> B.function([x], [x * 2.])(np.ones(2))      # runs a program, if the backend in use has a graph
    [array([2., 2.], dtype=float32)]
    """

    def __init__(self, graph: Graph, inputs: Sequence[Node], outputs: Sequence[Node]):
        nodes = ordered(outputs, inputs)
        self._slots = {node: slot for slot, node in enumerate(dict.fromkeys([*inputs, *nodes]))}
        self._blank: List[Any] = [None] * len(self._slots)
        self._inputs = [self._slots[node] for node in inputs]
        self._outputs = [self._slots[node] for node in outputs]
        self._calls: List[_Call] = []
        self.constants: Set[Node] = set()
        self._build(graph, set(inputs), set(outputs), nodes)

    def __call__(self, *arrays: Any) -> List[Any]:
        values = self._blank.copy()
        for slot, array in zip(self._inputs, arrays):
            values[slot] = array
        for call, get, slot, done in self._calls:
            values[slot] = call(*get(values))
            for one in done:
                values[one] = None
        return [values[slot] for slot in self._outputs]

    def _build(self, graph: Graph, inputs: Set[Node], outputs: Set[Node], nodes: Sequence[Node]) -> None:
        users, constants = users_of(nodes), self.constants
        last_use = {x: node for node in nodes for x in node.inputs}
        for node in nodes:
            if node in inputs:
                continue
            operands = [self._slots[x] for x in node.inputs]
            if is_constant(node):
                self._blank[self._slots[node]] = node.static['value']
                constants.add(node)
                continue
            function = graph.library.functions[node.operation.name]       # type: ignore[union-attr]
            call = partial(function, **node.static) if node.static else function
            if graph.library.folds and all(x in constants for x in node.inputs):
                with np.errstate(all='ignore'):
                    self._blank[self._slots[node]] = call(*[self._blank[slot] for slot in operands])
                constants.add(node)
                continue
            done = [x for x in dict.fromkeys(node.inputs)
                    if last_use[x] is node and x not in outputs and x not in constants and x not in inputs]
            if takes_a_place(call):
                places = [x for x in done if _is_own(x, users) and _has_place_for(x, node)]
                operands += [self._slots[x] for x in places[:1]]
            self._calls.append(_Call(call, taker(operands), self._slots[node], tuple(self._slots[x] for x in done)))


class _Call(NamedTuple):
    """What is called, what takes its arguments from the values, where its result goes, what is dropped behind it."""

    call: Callable
    get: Callable
    slot: int
    done: Sequence[int]


def shared_memory(results: Sequence[Node], constants: Set[Node]) -> List[bool]:
    """Return for each of some nodes whether something else may have the memory of its array: what is given to a run, a
    constant, or a result before it."""
    taken: Set[Node] = set()
    found = []
    for node in results:
        roots = _memory_of(node)
        found.append(any(x.operation is None or x in constants or x in taken for x in roots))
        taken |= roots
    return found


def _memory_of(node: Node) -> Set[Node]:
    """Return the nodes whose arrays that of a node may be a view on."""
    pending, seen, roots = [node], {node}, set()
    while pending:
        one = pending.pop()
        if one.operation is not None and one.operation.is_view:
            pending += [x for x in one.inputs if x not in seen]
            seen.update(one.inputs)
        else:
            roots.add(one)
    return roots


def users_of(nodes: Sequence[Node]) -> Dict[Node, List[Node]]:
    """Return for each node which of the others it is an operand of."""
    users: Dict[Node, List[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for x in node.inputs:
            users.setdefault(x, []).append(node)
    return users


def taker(slots: Sequence[int]) -> Callable:
    """Return what takes the arguments of a call from values, without code of Python: an iterable of them.

    Examples
    --------
    >>> list(taker([1])('abc')), list(taker([2, 0, 2])('abc'))
    (['b'], ['c', 'a', 'c'])
    """
    # Of one slot itemgetter would return the value itself.
    return operator.itemgetter(*slots) if len(slots) != 1 else operator.itemgetter(slice(slots[0], slots[0] + 1))


def takes_a_place(call: Any) -> bool:
    """Return whether a function takes an array to write its result in behind its operands: as a ufunc, or as `out`."""
    return isinstance(call, np.ufunc) or 'out' in getattr(call, '__annotations__', ())


def _is_own(node: Node, users: Dict[Node, List[Node]]) -> bool:
    """Return whether nothing but this node has its memory."""
    return not _is_view(node) and not any(_is_view(one) for one in users[node])


def _is_view(node: Node) -> bool:
    return node.operation is None or node.operation.is_view


def _has_place_for(x: Node, node: Node) -> bool:
    """Return whether the array of an operand certainly has the shape and the dtype of an elementwise result."""
    if x.dtype != node.dtype or x.shape != node.shape or not x.ndim:
        return False
    others = [one.shape for one in node.inputs if one is not x]
    # An unknown length may be 1, beside another one that is not.
    return all(n is not None or all(len(shape) <= axis or shape[-1 - axis] == 1 for shape in others)
               for axis, n in enumerate(reversed(x.shape)))
