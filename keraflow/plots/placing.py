"""Place the boxes of a diagram, those inside other ones included, some open and some closed.

Rows, order and alignment do not depend on which boxes are open. An open box needs more room, which is made by moving
all to its left and all to its right apart: what was straight stays straight, and nothing changes sides, so that a
reader finds everything again [1]_. ``page.js`` does the same in a browser.

References
----------
.. [1] K. Misue, P. Eades, W. Lai and K. Sugiyama, "Layout adjustment and the mental map", Journal of Visual Languages
   and Computing, 1995.
"""
import math
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from keraflow.plots.alignment import positions
from keraflow.plots.diagram import Box, Diagram
from keraflow.plots.faces import BOX_HEIGHT, box_size
from keraflow.plots.layering import Rows, rows_of
from keraflow.plots.ordering import put_in_order

__all__ = ['GAPS', 'HEAD', 'PADDING', 'ROW_GAP', 'Area', 'Place', 'area_of', 'arrange', 'closed']

#: Pixels between neighbours in a row: of two boxes, of a box and a line, and of two lines.
GAPS = (28., 20., 14.)
#: Pixels between rows: at least, for each pixel that a line moves sideways, and at most.
ROW_GAP = (32., 0.12, 96.)
#: Pixels around what is inside a box, and above it for the name.
PADDING, HEAD = 16., BOX_HEIGHT + 4.


class Area:
    """A diagram whose order is known, and which is placed as often as boxes open.

    Attributes
    ----------
    boxes : sequence of Box
    graph : Rows
        In the final order.
    size : (float, float)
        Of its boxes while they are closed; an open one is at least as wide.
    x : list of float
        The middle of each item while all boxes are closed.
    runs : list of list of int
        The lines, from branch to branch.
    inside : dict
        The areas of the boxes that can be opened, by number.
    """

    def __init__(self, diagram: Diagram):
        self.boxes: Sequence[Box] = diagram.boxes
        self.graph: Rows = rows_of(diagram)
        put_in_order(self.graph)
        self.size = box_size(diagram)
        # In whole pixels: what is straight has one position, not two that differ by rounding.
        self.x = [float(round(x)) for x in positions(self.graph, self._closed_separation)]
        self.runs = _runs(self.graph)
        self.inside: Dict[int, 'Area'] = {}

    def _closed_separation(self, left: int, right: int) -> float:
        nb_box = (left < self.graph.nb_box) + (right < self.graph.nb_box)
        return GAPS[2 - nb_box] + nb_box * self.size[0] / 2


class Place(NamedTuple):
    """Where the parts of an area are, from its upper left corner.

    Attributes
    ----------
    width, height : float
    x, y : float
        The corner, from that of the box that the area is in.
    boxes : list of (float, float, float, float)
        Left, top, width and height.
    lines : list of list of (float, float)
        The points of each run, from top to bottom: pairs of points at the ends of vertical pieces.
    inside : dict
        The places of the areas inside open boxes.
    """

    width: float
    height: float
    x: float
    y: float
    boxes: List[Tuple[float, float, float, float]]
    lines: List[List[Tuple[float, float]]]
    inside: Dict[int, 'Place']


def area_of(diagram: Diagram) -> Area:
    """Return the area of a diagram, with those inside its boxes."""
    area = Area(diagram)
    area.inside = {number: area_of(box.inside) for number, box in enumerate(diagram.boxes) if box.inside}
    return area


def closed(area: Area) -> Place:
    """Place everything in an area with all boxes closed."""
    return arrange(area, 0)


def arrange(area: Area, depth: Optional[int]) -> Place:
    """Place everything in an area whose boxes are open down to a depth; None: all."""
    inside = {} if depth == 0 else {number: arrange(one, depth and depth - 1) for number, one in area.inside.items()}
    return _placed(area, inside)


def _placed(area: Area, inside: Dict[int, Place]) -> Place:
    graph = area.graph
    sizes_now = _sizes(area, inside)
    x = _spread(area, [width for width, _ in sizes_now])
    left = min((x[item] - sizes_now[item][0] / 2 for item in range(len(x))), default=0.)
    x = [one - left for one in x]
    boxes, tops, bottoms, y = [(0., 0., 0., 0.)] * graph.nb_box, [], [], 0.
    for number, row in enumerate(graph.rows):
        height = max(sizes_now[item][1] for item in row)
        tops.append(y)
        bottoms.append(y + height)
        for item in row:
            if item < graph.nb_box:
                boxes[item] = (x[item] - sizes_now[item][0] / 2, y, *sizes_now[item])
        aside = max((abs(x[item] - x[one]) for item in row for one in graph.below[item]), default=0.)
        y += height + math.ceil(min(ROW_GAP[0] + ROW_GAP[1] * aside, ROW_GAP[2]))
    rank = {item: number for number, row in enumerate(graph.rows) for item in row}
    lines = [_points(run, x, boxes, [(tops[rank[item]], bottoms[rank[item]]) for item in run],
                     len(run) > 1 and len(graph.below[run[0]]) > 1) for run in area.runs]
    width = max((x[item] + sizes_now[item][0] / 2 for item in range(len(x))), default=0.)
    centered = {number: one._replace(x=(boxes[number][2] - one.width) / 2, y=HEAD) for number, one in inside.items()}
    return Place(width, bottoms[-1] if bottoms else 0., 0., 0., boxes, lines, centered)


def _sizes(area: Area, inside: Dict[int, Place]) -> List[Tuple[float, float]]:
    """Return width and height of each item; a line has none."""
    made = [area.size] * area.graph.nb_box + [(0., 0.)] * (len(area.x) - area.graph.nb_box)
    for number, one in inside.items():
        made[number] = (max(one.width + 2 * PADDING, area.size[0]), one.height + HEAD + PADDING)
    return made


def _spread(area: Area, widths: Sequence[float]) -> List[float]:
    """Return positions for items of these widths: the mean of moving apart to the right and to the left."""
    graph, x = area.graph, area.x
    right = _moved_right(graph.rows, x, widths, graph.nb_box)
    left = _moved_right([row[::-1] for row in graph.rows], [-one for one in x], widths, graph.nb_box)
    return [(one - other) / 2 for one, other in zip(right, left)]


def _moved_right(rows: Sequence[Sequence[int]], x: Sequence[float], widths: Sequence[float],
                 nb_box: int) -> List[float]:
    """Move items to the right until they have room; what is above each other stays so, and no distance shrinks."""
    before = {item: left for row in rows for left, item in zip(row, row[1:])}
    columns: Dict[float, List[int]] = {}
    for row in rows:
        for item in row:
            columns.setdefault(x[item], []).append(item)
    found, now, last = [0.] * len(x), 0., min(x, default=0.)
    for at in sorted(columns):
        now += at - last
        for item in columns[at]:
            left = before.get(item)
            if left is not None:
                gap = GAPS[2 - (left < nb_box) - (item < nb_box)]
                now = max(now, found[left] + (widths[left] + widths[item]) / 2 + gap)
        for item in columns[at]:
            found[item] = now
        last = at
    return found


def _runs(graph: Rows) -> List[List[int]]:
    """Return the lines between boxes and branches, each from the top.

    One that begins at a box and branches there has a piece of its own up to the end of the row: that item alone.
    """
    made = []
    for row in graph.rows:
        for item in row:
            if item >= graph.nb_box and len(graph.below[item]) == 1:
                continue
            if item < graph.nb_box and len(graph.below[item]) > 1:
                made.append([item])
            for one in graph.below[item]:
                run = [item, one]
                while run[-1] >= graph.nb_box and len(graph.below[run[-1]]) == 1:
                    run.extend(graph.below[run[-1]])
                made.append(run)
    return made


def _points(run: Sequence[int], x: Sequence[float], boxes: Sequence[Tuple[float, float, float, float]],
            bands: Sequence[Tuple[float, float]], is_branch: bool) -> List[Tuple[float, float]]:
    """Return the ends of the vertical pieces of a line: through each row that it passes, and up to that of its end.

    A branch begins at the end of the row.
    """
    points = []
    for number, (item, (top, bottom)) in enumerate(zip(run, bands)):
        is_box = item < len(boxes)
        if number == 0:
            top = bottom if is_branch else boxes[item][1] + boxes[item][3]
        elif is_box:
            bottom = top
        points += [(x[item], top), (x[item], bottom)]
    return points
