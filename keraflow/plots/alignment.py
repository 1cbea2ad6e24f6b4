"""Give items horizontal positions in which long edges, and chains of boxes, are straight."""
from typing import Callable, List, Optional, Sequence, Set, Tuple

from keraflow.plots.layering import Rows
from keraflow.plots.packing import packed

__all__ = ['positions']

Pairs = Set[Tuple[int, int]]


def positions(graph: Rows, separation: Callable[[int, int], float]) -> List[float]:
    """Return the position of the middle of each item, in linear time [1]_, [2]_.

    Items are aligned with the middle one of those they are joined to, in four ways: with the row above or below, and
    from the left or from the right. Each way gives its positions; the result is the mean of the two in the middle,
    which keeps the order and the distances that all four keep.

    Parameters
    ----------
    graph : Rows
        In the final order.
    separation : function
        ``separation(left, right)`` is the least distance of two neighbours in a row.

    References
    ----------
    .. [1] U. Brandes and B. Köpf, "Fast and simple horizontal coordinate assignment", Graph Drawing, 2001.
    .. [2] U. Brandes, J. Walter and J. Zink, "Erratum: Fast and simple horizontal coordinate assignment",
       arXiv:2008.01252, 2020.
    """
    place = [0] * len(graph.above)
    for row in graph.rows:
        for number, item in enumerate(row):
            place[item] = number
    refused = _bent(graph, place)
    ways = [_one_way(graph, place, refused, separation, is_up, is_left)
            for is_up in (True, False) for is_left in (True, False)]
    widths = [max(way, default=0.) - min(way, default=0.) for way in ways]
    narrowest = ways[widths.index(min(widths))]
    for number, way in enumerate(ways):
        end = max if number % 2 else min        # each to the side that it was packed to
        shift = end(narrowest, default=0.) - end(way, default=0.)
        ways[number] = [x + shift for x in way]
    return [sum(sorted(four)[1:3]) / 2 for four in zip(*ways)]


def _bent(graph: Rows, place: Sequence[int]) -> Pairs:
    """Return the joined pairs that may not be aligned.

    They cross a long edge, which is to be straight, or lead aside from it or from a chain of boxes.
    """
    def goes_on(item: int) -> List[int]:
        return [one for one in graph.below[item] if one >= graph.nb_box] if item >= graph.nb_box else []

    refused = {(item, one) for item, below in enumerate(graph.below) for one in below
               if _is_aside(graph.nb_box, item, one, graph.below, graph.above)
               or _is_aside(graph.nb_box, one, item, graph.above, graph.below)}
    for upper, row in zip(graph.rows, graph.rows[1:]):
        left, checked = 0, 0
        for number, item in enumerate(row):
            long = [one for one in graph.above[item] if item in goes_on(one)]
            if not long and number < len(row) - 1:
                continue
            right = place[long[0]] if long else len(upper) - 1
            for one in row[checked:number + 1]:
                refused.update((above, one) for above in graph.above[one]
                               if not left <= place[above] <= right and one not in goes_on(above))
            left, checked = right, number + 1
    return refused


def _is_aside(nb_box: int, item: int, other: int, joined: Sequence[Sequence[int]],
              back: Sequence[Sequence[int]]) -> bool:
    """Return whether `other` is not what continues `item`: a line where it continues as a box, or the reverse.

    A box continues as a box that nothing but it leads to.
    """
    if item >= nb_box:
        return other < nb_box and any(one >= nb_box for one in joined[item])
    return other >= nb_box and any(one < nb_box and [it for it in back[one] if it < nb_box] == [item]
                                   for one in joined[item])


def _one_way(graph: Rows, place: Sequence[int], refused: Pairs, separation: Callable[[int, int], float],
             is_up: bool, is_left: bool) -> List[float]:
    rows, joined = (graph.rows, graph.above) if is_up else (graph.rows[::-1], graph.below)
    if is_left:
        return packed(rows, _links(rows, joined, place, refused), graph.nb_box, separation)
    rows = [row[::-1] for row in rows]
    links = _links(rows, joined, [-one for one in place], refused)
    return [-x for x in packed(rows, links, graph.nb_box, lambda left, right: separation(right, left))]


def _links(rows: Sequence[Sequence[int]], joined: Sequence[Sequence[int]], place: Sequence[int],
           refused: Pairs) -> List[Optional[int]]:
    """Return the item in the row before that each is aligned with."""
    links: List[Optional[int]] = [None] * len(joined)
    for row in rows:
        last = float('-inf')
        for item in row:
            free = sorted((one for one in joined[item] if (one, item) not in refused and (item, one) not in refused),
                          key=place.__getitem__)
            for one in free[(len(free) - 1) // 2:len(free) // 2 + 1]:
                if last < place[one]:
                    links[item], last = one, place[one]
                    break
    return links
