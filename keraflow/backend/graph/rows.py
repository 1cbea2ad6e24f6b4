"""Tables of which only some rows are used: find the lookups, and combine their gradients."""
from typing import Any, Dict, Iterator, List, Sequence

import numpy as np

from keraflow.backend.contract import Rows
from keraflow.backend.graph.nodes import Node, Operation, apply, known_of, ordered
from keraflow.backend.graph.program import users_of

__all__ = ['lookups_among', 'rows_of', 'unique_rows']

_UNIQUE_ROWS = Operation('unique_rows', lambda indices, values: [indices, values])


def lookups_among(loss: Node, tables: Sequence[Node]) -> Dict[Node, List[Node]]:
    """Return the lookups of each table that a scalar depends on through lookups of rows alone."""
    users = users_of(ordered([loss]))
    return {x: users[x] for x in tables if users.get(x) and x is not loss and all(
        node.operation is not None and node.operation.name == 'take' and node.inputs[0] is x and
        node.inputs[1] is not x and node.static['axis'] == 0 for node in users[x])}


def rows_of(table: Node, lookups: Sequence[Node], gradients: Iterator[Node]) -> Rows:
    """Combine the gradients of a table's lookups, in the same order, adding up those with the same index."""
    indices = [apply('reshape', [node.inputs[1]], shape=(-1,)) for node in lookups]
    values = [apply('reshape', [next(gradients)], shape=(-1, *table.shape[1:])) for _ in lookups]
    if len(lookups) > 1:
        indices, values = ([apply('concatenate', some, axis=0)] for some in (indices, values))
    # How many rows there are only the data say.
    firsts, seconds = zip(known_of((None,), indices[0].dtype), known_of((None, *table.shape[1:]), table.dtype))
    whole = table.graph.node(_UNIQUE_ROWS, [*indices, *values], {}, (list(firsts), list(seconds)))
    return Rows(*[apply('item', [whole], number=number) for number in (0, 1)])


def unique_rows(indices: Any, values: Any) -> List[Any]:
    """Return indices without repetitions, in order, and the sum of the rows of each."""
    order = np.argsort(indices, kind='stable')
    ordered = indices[order]
    is_first = np.ones(len(order), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    starts = np.flatnonzero(is_first)
    counts = np.diff(starts, append=len(order))
    is_again = counts > 1
    sums = values[order[starts]]
    if is_again.any():      # of the others reduceat would make sums one by one
        rows, counts = values[order[np.repeat(is_again, counts)]], counts[is_again]
        sums[is_again] = np.add.reduceat(rows, np.cumsum(counts) - counts, axis=0)
    return [ordered[starts], sums]
