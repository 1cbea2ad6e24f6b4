"""New values of variables: elementwise ones are computed in blocks that fit into the cache, into the variables."""
import math
from functools import partial
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from keraflow.backend.graph.nodes import Node
from keraflow.backend.graph.program import taker, takes_a_place, users_of

__all__ = ['Blocks', 'in_blocks']

#: How many numbers a block has: of the some arrays of an update all are in the cache, and calls are few.
LENGTH = 2 ** 16

Functions = Mapping[str, Callable]


class Blocks:
    """Elementwise nodes behind new values of variables of one shape, as one pass through memory.

    Parameters
    ----------
    functions : dict
        The functions of arrays, by the names of operations.
    pairs : list of (VariableNode, Node)
        The variables and their new values.
    nodes : sequence of Node
        What is computed in blocks, in order.

    Attributes
    ----------
    inputs : list of Node
        What must be computed before.
    variables : list of VariableNode
    """

    def __init__(self, functions: Functions, pairs: Sequence[Tuple[Any, Node]], nodes: Sequence[Node]):
        inside = set(nodes)
        self.inputs = list(dict.fromkeys(x for node in nodes for x in node.inputs if x not in inside))
        self.variables = [variable for variable, _ in pairs]
        self._slots = {x: slot for slot, x in enumerate([*self.inputs, *self.variables])}
        self._nb_result = 0
        self._scratch: Dict[int, str] = {}      # the dtypes of arrays that ufuncs write in, by their slots
        self._calls: List[Tuple[Callable, Callable, Optional[int]]] = []
        self._copied: List[Tuple[int, int]] = []
        self._build(functions, pairs, nodes)

    def __call__(self, arrays: Sequence[Any]) -> None:
        """Set the variables, given the arrays of the inputs."""
        values = [*arrays, *(variable.value for variable in self.variables), *[None] * self._nb_result]
        rows = [(slot, array.reshape(-1)) for slot, array in enumerate(values) if np.ndim(array)]
        size = math.prod(self.variables[0].shape)
        rooms = [(slot, np.empty(LENGTH, dtype)) for slot, dtype in self._scratch.items()]
        for start in range(0, size, LENGTH):
            end = min(start + LENGTH, size)
            for slot, row in rows:
                values[slot] = row[start:end]
            for slot, room in rooms:
                values[slot] = room[:end - start]
            for call, get, place in self._calls:
                if place is None:
                    call(*get(values))
                else:
                    values[place] = call(*get(values))
            for slot, place in self._copied:
                values[slot][...] = values[place]

    def _new_slot(self) -> int:
        self._nb_result += 1
        return len(self.inputs) + len(self.variables) + self._nb_result - 1

    def _build(self, functions: Functions, pairs: Sequence[Tuple[Any, Node]], nodes: Sequence[Node]) -> None:
        last_use = {x: number for number, node in enumerate(nodes) for x in node.inputs}
        variable_of = {value: variable for variable, value in reversed(pairs)}
        free: Dict[str, List[int]] = {}
        for number, node in enumerate(nodes):
            function = functions[node.operation.name]       # type: ignore[union-attr]
            call = partial(function, **node.static) if node.static else function
            get = [self._slots[x] for x in node.inputs]
            for x in set(node.inputs):
                if last_use[x] == number and x not in variable_of and self._slots[x] in self._scratch:
                    free.setdefault(x.dtype, []).append(self._slots[x])
            variable = variable_of.get(node)
            if not takes_a_place(call):
                place = self._slots[node] = self._new_slot()
                self._calls.append((call, taker(get), place))
                continue
            if variable is not None and last_use.get(variable, -1) <= number:
                slot = self._slots[variable]        # nothing needs the old value any more
            elif free.get(node.dtype):
                slot = free[node.dtype].pop()
            else:
                slot = self._new_slot()
                self._scratch[slot] = node.dtype
            self._slots[node] = slot
            self._calls.append((call, taker([*get, slot]), None))
        self._copied = [(self._slots[variable], self._slots[value]) for variable, value in pairs
                        if self._slots[variable] != self._slots[value]]


def in_blocks(functions: Functions, nodes: Sequence[Node], kept: Set[Node],
              updates: Dict[Any, Node]) -> List[Blocks]:
    """Return what of nodes can be computed in blocks, and nothing else needs.

    Parameters
    ----------
    functions : dict
        The functions of arrays, by the names of operations.
    nodes : sequence of Node
        All that a function computes, in order.
    kept : set of Node
        Those of them that are needed otherwise.
    updates : dict
        The new values of variables.
    """
    users, results = users_of(nodes), set(updates.values())
    found: Set[Node] = set()
    for node in reversed(nodes):
        if node not in kept and _is_long(node) and all(x.shape in ((), node.shape) for x in node.inputs) and (
                users[node] or node in results) and all(one in found for one in users[node]):
            found.add(node)
    pairs = {variable: value for variable, value in updates.items() if value in found and variable.shape == value.shape}
    groups = _connected([node for node in nodes if node in found], pairs)
    pairs_of: Dict[Node, List[Tuple[Any, Node]]] = {}
    for variable, value in pairs.items():
        pairs_of.setdefault(value, []).append((variable, value))
    return [Blocks(functions, [pair for node in group for pair in pairs_of.get(node, ())], group) for group in groups]


def _is_long(node: Node) -> bool:
    operation = node.operation
    return operation is not None and operation.is_elementwise and None not in node.shape and \
        math.prod(node.shape) > 2 * LENGTH


def _connected(nodes: Sequence[Node], pairs: Mapping[Any, Node]) -> List[List[Node]]:
    """Return groups of nodes that depend on each other, or on a variable that one of them sets."""
    leaders: Dict[Node, Node] = {x: x for x in (*nodes, *pairs)}

    def leader(x: Node) -> Node:
        while leaders[x] is not x:
            leaders[x] = x = leaders[leaders[x]]
        return x
    for node in nodes:
        for x in node.inputs:
            if x in leaders:
                leaders[leader(x)] = leader(node)
    for variable, value in pairs.items():
        leaders[leader(variable)] = leader(value)
    groups: Dict[Node, List[Node]] = {}
    for node in nodes:
        groups.setdefault(leader(node), []).append(node)
    return list(groups.values())
