"""Measure how long pictures take to draw, and what a box more costs in a large one.

Measured from the description of a graph to the text of a picture, and of a page. A residual network and a random graph,
small and large: the last column divides the time of a box, or of a place where a line passes a row, by that in the
smallest one. Goals: at most 1 second for the random graph of 200 boxes, and at most 2 in the last column, because large
pictures use all the rounds that they may be improved in.
"""
import random
import time

from keraflow.plots import Box, Diagram, Edge, Picture

NB_ROUND = 3


def described(edges, nb_box):
    """Return a graph with these edges."""
    boxes = [Box(f'layer{number}', 'Dense', 'dense', [(None, 64)], 4160, 4160) for number in range(nb_box)]
    return Diagram('net', 'Model', boxes, [Edge(*edge) for edge in edges], 4160 * nb_box, 4160 * nb_box)


def residual(nb_box):
    """Return a chain with a shortcut around every third box."""
    return described([*((at, at + 1) for at in range(nb_box - 1)), *((at, at + 3) for at in range(0, nb_box - 3, 3))], nb_box)


def tangled(nb_box):
    """Return a graph in which a box is fed by one to three of those about ten before it."""
    rng = random.Random(0)
    return described({(max(0, target - 1 - int(rng.expovariate(0.1))), target) for target in range(1, nb_box)
                      for _ in range(rng.choice([1, 1, 1, 2, 3]))}, nb_box)


def best(function):
    """Return the shortest time of several rounds in seconds, and what the last returned."""
    times = []
    for _ in range(NB_ROUND):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def main():
    """Measure and print."""
    print(f'{"graph":12}{"boxes":>8}{"picture":>12}{"page":>12}{"bytes":>12}{"ratio":>8}')
    for make, sizes in ((residual, (200, 1000, 10_000)), (tangled, (200, 1000, 5000))):
        first = None
        for nb_box in sizes:
            diagram = make(nb_box)
            seconds, text = best(lambda: Picture(diagram).svg)
            page, _ = best(lambda: Picture(diagram).html)
            nb_item = len(Picture(diagram)._placed().x)
            first = first or seconds / nb_item
            print(f'{make.__name__:12}{nb_box:8}{seconds:10.3f} s{page:10.3f} s{len(text):12,}{seconds / nb_item / first:8.2f}')


if __name__ == '__main__':
    main()
