"""Put the boxes of a graph into rows, so that all edges go down.

The picture of a graph is made in four steps [1]_: rows (here), the order in each row (``ordering.py``), horizontal
positions in which long edges are straight (``alignment.py``), and sizes (``placing.py``).

References
----------
.. [1] K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system structures", IEEE
   Transactions on Systems, Man, and Cybernetics, 1981.
"""
import math
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from keraflow.errors import GraphError

__all__ = ['Rows', 'rows_of']

#: So many items are placed in about ten seconds.
_MOST_ITEMS = 500_000


class Rows(NamedTuple):
    """A graph whose edges only lead from one row to the next.

    An item is a number: of a box, or, from `nb_box` on, of a place where an edge passes a row. An edge to several boxes
    is one line that branches, so that it passes each row once, however many boxes it leads to.

    Attributes
    ----------
    nb_box : int
    rows : list of list of int
        Items, from the top.
    above, below : list of list of int
        For each item those that it is joined to.
    dashed : set of (int, int)
        The pairs of items that only arguments of calls join.
    """

    nb_box: int
    rows: List[List[int]]
    above: List[List[int]]
    below: List[List[int]]
    dashed: set


def rows_of(diagram: Any) -> Rows:
    """Return the rows of a :class:`~keraflow.plots.diagram.Diagram`.

    Raises
    ------
    GraphError
        If its edges form a cycle or lead to a box that is not there, or if the picture would be too large: each row
        that an edge passes counts like a box.
    """
    nb_box = len(diagram.boxes)
    lines = _lines(diagram)
    ranks = _ranks(diagram, lines)
    _check_size(ranks, lines)
    made = Rows(nb_box, [[] for _ in range(max(ranks, default=-1) + 1)], [[] for _ in range(nb_box)],
                [[] for _ in range(nb_box)], set())
    for item, rank in enumerate(ranks):
        made.rows[rank].append(item)
    for (source, _, is_argument), targets in lines.items():
        _join(made, ranks, source, targets, is_argument)
    return made


def _lines(diagram: Any) -> Dict[Tuple[int, int, bool], List[int]]:
    """Return the boxes that each output leads to: apart where it is an input, and where a further argument."""
    lines: Dict[Tuple[int, int, bool], Dict[int, None]] = {}
    for edge in diagram.edges:
        if not (0 <= edge.source < len(diagram.boxes) and 0 <= edge.target < len(diagram.boxes)):
            raise GraphError(f'plot: expected edges between boxes 0 to {len(diagram.boxes) - 1}, received '
                             f'({edge.source}, {edge.target}).')
        lines.setdefault((edge.source, edge.output, edge.is_argument), {})[edge.target] = None
    return {line: list(targets) for line, targets in lines.items()}


def _ranks(diagram: Any, lines: Dict[Tuple[int, int, bool], List[int]]) -> List[int]:
    """Return the row of each box: below all that it depends on, on the longest path."""
    after: List[List[int]] = [[] for _ in diagram.boxes]
    for (source, *_), targets in lines.items():
        after[source].extend(targets)
    nb_before = [0] * len(after)
    for targets in after:
        for target in targets:
            nb_before[target] += 1
    apart = [item for item, targets in enumerate(after) if not targets and not nb_before[item]]
    starts = [item for item, count in enumerate(nb_before) if not count]
    ranks, order = [0] * len(after), list(starts)
    for item in order:
        for target in after[item]:
            ranks[target] = max(ranks[target], ranks[item] + 1)
            nb_before[target] -= 1
            if not nb_before[target]:
                order.append(target)
    if len(order) < len(after):
        left = next(item for item, count in enumerate(nb_before) if count)
        raise GraphError(f'plot: expected edges without a cycle, but one leads to box {left}.')
    for item in starts:     # what is not fed, such as a constant, stands right above what it feeds
        if after[item] and diagram.boxes[item].family != 'input':
            ranks[item] = min(ranks[target] for target in after[item]) - 1
    _put_apart(ranks, apart)
    return ranks


def _check_size(ranks: Sequence[int], lines: Dict[Tuple[int, int, bool], List[int]]) -> None:
    nb_item = len(ranks) + sum(max(ranks[target] for target in targets) - ranks[source] - 1
                               for (source, *_), targets in lines.items())
    if nb_item > _MOST_ITEMS:
        raise GraphError(f'plot: expected a graph whose boxes and edges take at most {_MOST_ITEMS} places in rows, '
                         f'received one with {nb_item}. Draw a part of it, for example with sub_model.')


def _put_apart(ranks: List[int], apart: Sequence[int]) -> None:
    """Put boxes that nothing joins below the others, next to each other as far as they have room."""
    joined = set(range(len(ranks))) - set(apart)
    first = max((ranks[item] for item in joined), default=-1) + 1
    nb_column = 1 + math.isqrt(max(len(apart) - 1, 0))
    for number, item in enumerate(apart):
        ranks[item] = first + number // nb_column


def _join(made: Rows, ranks: Sequence[int], source: int, targets: Sequence[int], is_argument: bool) -> None:
    """Draw one line from a box to others: straight down to the last of them, with branches."""
    last = max(ranks[target] for target in targets)
    by_rank: Dict[int, List[int]] = {}
    for target in targets:
        by_rank.setdefault(ranks[target], []).append(target)
    item = source
    for rank in range(ranks[source] + 1, last + 1):
        following = by_rank.get(rank, [])
        if rank < last:
            made.rows[rank].append(len(made.above))
            following = [*following, len(made.above)]
            made.above.append([])
            made.below.append([])
        for one in following:
            if one not in made.below[item]:
                made.below[item].append(one)
                made.above[one].append(item)
                if is_argument:
                    made.dashed.add((item, one))
            elif not is_argument:
                made.dashed.discard((item, one))
        item = following[-1]
