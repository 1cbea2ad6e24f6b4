"""Where the boxes and lines of a picture are. No backend is opened."""
import itertools
import sys

import pytest
from pictures import DIAGRAMS, dag, diagram, ladder

from keraflow.errors import GraphError
from keraflow.plots import Box, Diagram, Edge, alignment, layering, ordering, packing, placing
from keraflow.plots.layering import rows_of
from keraflow.plots.ordering import count_crossings, put_in_order
from keraflow.plots.placing import area_of, arrange


def curve(start, end, nb_part=24):
    """Points of the curve that is drawn from the end of one vertical piece of a line to the beginning of the next."""
    (x0, y0), (x1, y1) = start, end
    middle = (y0 + y1) / 2
    for part in range(nb_part + 1):
        t = part / nb_part
        factors = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3)
        yield sum(map(float.__mul__, factors, map(float, (x0, x0, x1, x1)))), sum(map(float.__mul__, factors, map(float, (y0, middle, middle, y1))))


def outline(points):
    for start, end in zip(points, points[1:]):
        yield from curve(start, end)


def is_inside(point, box, by=0.):
    (x, y), (left, top, width, height) = point, box
    return left + by < x < left + width - by and top + by < y < top + height - by


def is_apart(one, other):
    return one[0] + one[2] < other[0] or other[0] + other[2] < one[0] or one[1] + one[3] < other[1] or other[1] + other[3] < one[1]


def check(area, place):
    """No two boxes overlap, lines go down, from box to box, and cross none, and nothing leaves the area."""
    assert all(is_apart(one, other) for one, other in itertools.combinations(place.boxes, 2))
    for left, top, width, height in place.boxes:
        assert left >= 0 and top >= 0 and left + width <= place.width + 0.01 and top + height <= place.height + 0.01
    for run, points in zip(area.runs, place.lines):
        assert all(y <= later for (_, y), (_, later) in zip(points, points[1:])) and (points[0][1] < points[-1][1] or len(run) == 1)
        for point in outline(points):
            assert not any(is_inside(point, box, 0.01) for box in place.boxes)
            assert -0.01 < point[0] < place.width + 0.01
        nb_box, below = area.graph.nb_box, area.graph.below[run[0]]
        if run[0] < nb_box:
            left, top, width, height = place.boxes[run[0]]
            assert points[0][0] == left + width / 2 and len(below) == 1 or [run[0]] in area.runs
            assert points[0][1] == top + height or len(run) > 1 and points[0] == place.lines[area.runs.index([run[0]])][-1]
        if run[-1] < nb_box and len(run) > 1:
            left, top, width, height = place.boxes[run[-1]]
            assert points[-1] == (left + width / 2, top)
    for number, one in place.inside.items():
        left, top, width, height = place.boxes[number]
        assert is_inside((left + one.x, top + one.y), (left, top, width, height))
        assert is_inside((left + one.x + one.width, top + one.y + one.height), (left, top, width, height))
        check(area.inside[number], one)


@pytest.mark.parametrize('depth', [0, 1, 2, None])
@pytest.mark.parametrize('name', DIAGRAMS)
def test_nothing_overlaps(name, depth):
    area = area_of(DIAGRAMS[name])
    check(area, arrange(area, depth))


def test_nothing_overlaps_in_random_graphs(trials):
    for rng in trials(12):
        made = dag(rng.randint(1, 60), rng.random(), rng.choice([2, 8, 40]))
        boxes = [box._replace(inside=dag(rng.randint(1, 9), rng.random()) if rng.random() < 0.2 else None) for box in made.boxes]
        area = area_of(made._replace(boxes=boxes))
        for depth in (0, None):
            check(area, arrange(area, depth))


def test_what_the_checks_find():
    area = area_of(DIAGRAMS['ladder'])
    place = arrange(area, 0)
    moved = [place.boxes[0], *place.boxes[1:-1], place.boxes[0]]
    across = [[(x, y) for x, y in points[:1]] + [(points[-1][0] + 1, points[-1][1])] for points in place.lines]
    for wrong in (place._replace(boxes=moved), place._replace(lines=across), place._replace(width=10.)):
        with pytest.raises(AssertionError):
            check(area, wrong)


def joined(area):
    """The pairs of boxes that lines join, through branches."""
    below = {}
    for run in area.runs:
        below.setdefault(run[0], []).extend(run[1:][-1:])
    for box in range(area.graph.nb_box):
        waiting = list(below.get(box, ()))
        while waiting:
            one = waiting.pop()
            if one < area.graph.nb_box:
                yield box, one
            else:
                waiting += below[one]


@pytest.mark.parametrize('name', DIAGRAMS)
def test_lines_join_what_edges_join(name):
    area = area_of(DIAGRAMS[name])
    assert sorted(set(joined(area))) == sorted({edge[:2] for edge in DIAGRAMS[name].edges})


def test_rows_are_the_longest_paths():
    graph = rows_of(diagram([(0, 1), (1, 2), (0, 2), (2, 4), (3, 4)]))
    assert [[item for item in row if item < 5] for row in graph.rows] == [[0], [1], [2, 3], [4]]       # 3 is not fed: right above 4
    fed = diagram([(0, 1), (1, 2), (3, 2)], _3=Box('x', 'Input', 'input'))
    assert [[item for item in row if item < 4] for row in rows_of(fed).rows] == [[0, 3], [1], [2]]


def test_a_line_to_several_boxes_passes_each_row_once():
    graph = rows_of(diagram([(0, 1), (1, 2), (2, 3), (3, 4), (0, 3), (0, 4)]))
    assert [len(row) - 1 for row in graph.rows] == [0, 1, 1, 1, 0]
    assert len(rows_of(diagram([(0, 1), (1, 2), (2, 3), (0, 3, 0), (0, 3, 1)])).above) == 4 + 2 * 2      # of two outputs, two lines


def test_layers_that_nothing_joins_stand_side_by_side():
    graph = rows_of(Diagram('parts', 'Block', [Box(str(number), 'Dense') for number in range(7)]))
    assert graph.rows == [[0, 1, 2], [3, 4, 5], [6]]


def test_chains_are_straight_and_shortcuts_go_around_them():
    area = area_of(ladder(13))
    assert len(set(area.x[:13])) == 1
    assert all(x != area.x[0] for x in area.x[13:])


@pytest.mark.parametrize('name', [name for name in DIAGRAMS if name != 'dense'])
def test_long_lines_are_straight(name):
    area = area_of(DIAGRAMS[name])
    for run in area.runs:
        inner = {area.x[item] for item in run if item >= area.graph.nb_box}
        assert len(inner) <= 1 or name.startswith('dag')
    bends = [len({area.x[item] for item in run if item >= area.graph.nb_box}) > 1 for run in area.runs]
    assert sum(bends) <= len(bends) / 20


@pytest.mark.parametrize('seed', range(3))
def test_a_picture_is_hardly_wider_than_its_widest_row(seed):
    area = area_of(dag(200, seed))
    nb_box, (width, _) = area.graph.nb_box, area.size
    rows = [[width if item < nb_box else 0 for item in row] for row in area.graph.rows]
    gaps = [sum(placing.GAPS[2 - (one < nb_box) - (other < nb_box)] for one, other in zip(row, row[1:])) for row in area.graph.rows]
    assert arrange(area, 0).width <= 1.4 * max(sum(row) + gap for row, gap in zip(rows, gaps))


def test_what_is_above_each_other_stays_so_when_a_box_opens():
    area = area_of(DIAGRAMS['nested'])
    before, after = arrange(area, 0), arrange(area, None)
    middles = [[left + width / 2 for left, _, width, _ in place.boxes] for place in (before, after)]
    for one, other in itertools.combinations(range(len(area.boxes)), 2):
        first, then = (middle[one] - middle[other] for middle in middles)
        assert (first > 0) == (then > 0) and (first == 0) == (then == 0) and abs(then) >= abs(first)


# -- crossings ----------------------------------------------------------------------------------------------------------

def counted_one_by_one(edges):
    return sum((one[0] - other[0]) * (one[1] - other[1]) < 0 for one, other in itertools.combinations(edges, 2))


def test_crossings_are_counted(trials):
    for rng in trials(50):
        edges = [(rng.randrange(9), rng.randrange(9)) for _ in range(rng.randrange(30))]
        assert count_crossings(edges) == counted_one_by_one(edges)


def crossings(graph):
    place = {item: number for row in graph.rows for number, item in enumerate(row)}
    return sum(counted_one_by_one([(place[item], place[one]) for item in row for one in graph.below[item]]) for row in graph.rows)


def test_a_graph_that_can_be_drawn_without_crossings_is(trials):
    for rng in trials(20):
        edges = [(rng.randrange(max(1, target // 3), target) if target > 3 else 0, target) for target in range(1, 40)]      # a tree
        graph = rows_of(diagram(edges))
        for row in graph.rows:
            rng.shuffle(row)
        put_in_order(graph)
        assert crossings(graph) == 0


def test_order_saves_crossings():
    graph = rows_of(dag(80, 3))
    before = crossings(graph)
    put_in_order(graph)
    assert crossings(graph) < before / 3


# -- mistakes and size ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('edges, message', [
    ([(0, 1), (1, 2), (2, 1)], 'plot: expected edges without a cycle, but one leads to box 1.'),
    ([(0, 0)], 'plot: expected edges without a cycle, but one leads to box 0.'),
    ([(0, 3)], 'plot: expected edges between boxes 0 to 2, received (0, 3).'),
    ([(-1, 2)], 'plot: expected edges between boxes 0 to 2, received (-1, 2).')])
def test_what_is_no_graph_of_layers(edges, message):
    with pytest.raises(GraphError) as caught:
        rows_of(Diagram('net', 'Model', [Box('x', 'Dense')] * 3, [Edge(*edge) for edge in edges]))
    assert str(caught.value) == message


def test_a_picture_that_would_be_too_large():
    nb_box = 2000
    edges = [*((at, at + 1) for at in range(nb_box - 1)), *((at, nb_box - 1 - at) for at in range(nb_box // 2 - 1))]
    with pytest.raises(GraphError) as caught:
        area_of(diagram(edges))
    assert str(caught.value) == ('plot: expected a graph whose boxes and edges take at most 500000 places in rows, received one with 1001000. '
                                 'Draw a part of it, for example with sub_model.')


def lines_run(function):
    """How many lines of the plots run in a call."""
    files, count = {module.__file__ for module in (alignment, layering, ordering, packing, placing)}, 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == 'line'
        return trace if frame.f_code.co_filename in files else None
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize('made', [ladder, lambda nb_box: dag(nb_box, 5), lambda nb_box: diagram([(0, at) for at in range(1, nb_box)])],
                         ids=['ladder', 'dag', 'star'])
def test_work_grows_with_the_graph(made):
    def work(nb_box):
        graph = made(nb_box)
        return lines_run(lambda: arrange(area_of(graph), None)) / (nb_box + len(rows_of(graph).above))
    assert work(600) < 1.6 * work(150)
