"""Pack items that are aligned above each other as close as their distances allow."""
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

__all__ = ['packed']

#: How often alignments are given up, at most, and how much wider than its widest row a picture may be: by a factor, or
#: by pixels, whichever is more.
_NB_ROUND, _FACTOR, _SPARE = 16, 1.25, 500.
Separation = Callable[[int, int], float]


class _Packing(NamedTuple):
    """Positions of blocks, and the pairs of neighbours that make the whole as wide as it is, from the left."""

    x: Dict[int, float]
    widest: List[Tuple[int, int]]


def packed(rows: Sequence[Sequence[int]], link: List[Optional[int]], nb_box: int,
           separation: Separation) -> List[float]:
    """Return positions that keep items above each other which links join, unless that would make the whole too wide.

    A chain of links is a block, which has one position. Blocks in several rows push each other apart, so that the whole
    may become much wider than each row is. The pairs of neighbours that decide on the width are a chain of blocks:
    where it changes the row inside of a block, this is divided.

    Parameters
    ----------
    rows : sequence of sequence of int
    link : list of (int or None)
        The item in the row before that each is to be aligned with.
    nb_box : int
        How many of the items are boxes.
    separation : function
        ``separation(left, right)`` is the least distance of two neighbours.
    """
    link = list(link)
    rank = {item: number for number, row in enumerate(rows) for item in row}
    least = max((sum(map(separation, row, row[1:])) for row in rows), default=0.)
    for _ in range(_NB_ROUND):
        root = _roots(rows, link)
        packing = _pack(rows, root, separation)
        width = max(packing.x.values(), default=0.)
        if width <= max(_FACTOR * least, least + _SPARE) or not _divide(packing.widest, rank, link, nb_box):
            break
    return [packing.x[one] for one in root]


def _roots(rows: Sequence[Sequence[int]], link: Sequence[Optional[int]]) -> List[int]:
    root = list(range(len(link)))
    for row in rows:
        for item in row:
            above = link[item]
            root[item] = item if above is None else root[above]
    return root


def _pack(rows: Sequence[Sequence[int]], root: Sequence[int], separation: Separation) -> _Packing:
    """Put blocks as far to the left as their distances allow, then each as far to the right as those after it do."""
    after: Dict[int, Dict[int, Tuple[float, int, int]]] = {root[item]: {} for row in rows for item in row}
    nb_before = dict.fromkeys(after, 0)
    for row in rows:
        for left, right in zip(row, row[1:]):
            following, one = after[root[left]], root[right]
            nb_before[one] += one not in following
            following[one] = max((separation(left, right), left, right), following.get(one, (0., left, right)))
    order = [one for one, count in nb_before.items() if not count]
    x, pushed = dict.fromkeys(order, 0.), {}
    for one in order:
        for right, (distance, *pair) in after[one].items():
            if x[one] + distance > x.get(right, -1.):
                x[right], pushed[right] = x[one] + distance, (one, *pair)
            nb_before[right] -= 1
            if not nb_before[right]:
                order.append(right)
    widest, block = [], max(x, key=lambda one: x[one], default=None)
    while block in pushed:
        block, *pair = pushed[block]
        widest.append((pair[0], pair[1]))
    for one in reversed(order):
        if after[one]:
            x[one] = max(x[one], min(x[right] - distance for right, (distance, *_) in after[one].items()))
    return _Packing(x, widest[::-1])


def _divide(widest: Sequence[Tuple[int, int]], rank: Dict[int, int], link: List[Optional[int]], nb_box: int) -> bool:
    """Divide blocks where the widest chain changes the row, best where a line meets a box; return whether one was."""
    is_divided = False
    for (_, entered), (left, _) in zip(widest, widest[1:]):
        item, end = (entered, left) if rank[entered] > rank[left] else (left, entered)
        pairs = []
        while item != end:
            above = link[item]
            if above is None:       # divided between other rows just now
                break
            pairs.append((item, above))
            item = above
        if pairs:
            middle = (len(pairs) - 1) / 2
            best = min(range(len(pairs)), key=lambda number: (
                (pairs[number][0] < nb_box) == (pairs[number][1] < nb_box), abs(number - middle)))
            link[pairs[best][0]] = None
            is_divided = True
    return is_divided
