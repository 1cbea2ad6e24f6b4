"""Order the items of each row so that few edges cross."""
import bisect
from typing import List, Sequence, Tuple

from keraflow.plots.layering import Rows

__all__ = ['count_crossings', 'put_in_order']

#: How often all rows are put in order, at most, and how often in vain.
_NB_SWEEP, _NB_VAIN = 16, 4


def put_in_order(graph: Rows) -> None:
    """Order the rows of `graph` in place: each item at the mean of those it is joined to, again and again.

    Going down, the row above is fixed, going up, the row below [1]_. Then neighbours change places where that saves
    crossings. The best order of all is kept, so that the time is that of a fixed number of sweeps over the edges.

    References
    ----------
    .. [1] E. R. Gansner, E. Koutsofios, S. C. North and K.-P. Vo, "A technique for drawing directed graphs", IEEE
       Transactions on Software Engineering, 1993.
    """
    place = [0] * len(graph.above)
    for row in graph.rows:
        _sort(row, graph.above, place)
    best, fewest, nb_vain = [list(row) for row in graph.rows], _crossings(graph, place), 0
    for number in range(_NB_SWEEP):
        if not fewest or nb_vain == _NB_VAIN:
            break
        if number % 2:
            for row in graph.rows:
                _sort(row, graph.above, place)
        else:
            for row in reversed(graph.rows):
                _sort(row, graph.below, place)
        for row in graph.rows:
            _exchange(graph, row, place)
        found = _crossings(graph, place)
        nb_vain += 1
        if found < fewest:
            best, fewest, nb_vain = [list(row) for row in graph.rows], found, 0
    graph.rows[:] = best


def _sort(row: List[int], joined: Sequence[Sequence[int]], place: List[int]) -> None:
    """Sort a row by the mean place of what each item is joined to; what is joined to nothing keeps its place."""
    means = [sum(place[one] for one in joined[item]) / len(joined[item]) if joined[item] else None for item in row]
    waiting = iter(sorted((mean, number) for number, mean in enumerate(means) if mean is not None))
    row[:] = [item if means[number] is None else row[next(waiting)[1]] for number, item in enumerate(row)]
    for number, item in enumerate(row):
        place[item] = number


def _exchange(graph: Rows, row: List[int], place: List[int]) -> None:
    """Let neighbours change places where fewer edges cross then."""
    sides = [[sorted(place[one] for one in joined[item]) for item in row] for joined in (graph.above, graph.below)]
    for left in range(len(row) - 1):
        now = sum(_inversions(side[left], side[left + 1]) for side in sides)
        if now and now > sum(_inversions(side[left + 1], side[left]) for side in sides):
            for one in (row, *sides):
                one[left:left + 2] = one[left + 1], one[left]       # type: ignore[index]
    for number, item in enumerate(row):
        place[item] = number


def _inversions(first: Sequence[int], second: Sequence[int]) -> int:
    """Count the pairs in which a place in the first list comes after one in the second; both are sorted."""
    if len(first) <= len(second):
        return sum(bisect.bisect_left(second, one) for one in first)
    return sum(len(first) - bisect.bisect_right(first, one) for one in second)


def _crossings(graph: Rows, place: Sequence[int]) -> int:
    return sum(count_crossings([(place[item], place[one]) for item in row for one in graph.below[item]])
               for row in graph.rows)


def count_crossings(edges: Sequence[Tuple[int, int]]) -> int:
    """Count how many pairs of edges between two rows cross, in n log n [1]_.

    Parameters
    ----------
    edges : sequence of (int, int)
        Their places in the upper and in the lower row.

    References
    ----------
    .. [1] W. Barth, M. Jünger and P. Mutzel, "Simple and efficient bilayer cross counting", Graph Drawing, 2002.

    Examples
    --------
    >>> count_crossings([(0, 1), (1, 0), (2, 0), (2, 2)])
    2
    """
    ends = [end for _, end in sorted(edges)]
    size = max(ends, default=0) + 1
    tree, count = [0] * (size + 1), 0
    for seen, end in enumerate(ends):
        count += seen
        at = end + 1
        while at:               # those that end at this place or before it do not cross
            count -= tree[at]
            at -= at & -at
        at = end + 1
        while at <= size:
            tree[at] += 1
            at += at & -at
    return count
