"""Graphs to draw, as plain data, and what a picture of one consists of."""
import random
import re
import xml.etree.ElementTree as ElementTree

from keraflow.plots import Box, Diagram, Edge
from keraflow.plots.families import FAMILIES

__all__ = ['DIAGRAMS', 'SVG', 'dag', 'diagram', 'ladder', 'shown']

SVG = '{http://www.w3.org/2000/svg}'


def diagram(edges, nb_box=None, name='net', **boxes):
    """A graph with these edges; `boxes` are other boxes by `_number`."""
    nb_box = nb_box or 1 + max((max(edge[:2]) for edge in edges), default=-1)
    made = [boxes.get(f'_{number}', Box(f'n{number}', 'Dense', 'dense', [(None, 8)], 72, 72)) for number in range(nb_box)]
    return Diagram(name, 'Model', made, [Edge(*edge) for edge in edges], 72 * nb_box, 72 * nb_box)


def dag(nb_box, seed=0, far=10):
    """A random graph, whose edges lead to boxes up to about so far away."""
    rng, families = random.Random(seed), list(FAMILIES)
    edges = sorted({(max(0, target - 1 - int(rng.expovariate(1 / far))), target) for target in range(1, nb_box)
                    for _ in range(rng.choice([1, 1, 1, 2, 3]))})
    boxes = {f'_{number}': Box(f'layer{number}', 'Layer' * rng.randint(1, 3), rng.choice(families), [(None, rng.randint(1, 512))],
                               rng.choice([None, 0, 1, 123456])) for number in range(nb_box)}
    return diagram(edges, nb_box, 'random', **boxes)


def ladder(nb_box):
    """A network with a shortcut around every third box, as residual networks have."""
    return diagram([*((at, at + 1) for at in range(nb_box - 1)), *((at, at + 3) for at in range(0, nb_box - 3, 3))])


def nested(depth):
    """A model in a model, so many times, beside a layer."""
    inside = diagram([(0, 1), (1, 2)], name=f'level{depth}') if depth == 0 else diagram(
        [(0, 1), (1, 2), (0, 2), (0, 3), (3, 2)], name=f'level{depth}', _1=Box(f'in{depth}', 'Model', 'group', [(None, 8)], 9, 9, inside=nested(depth - 1)))
    return inside


_PARTS = Diagram('parts', 'Block', [Box(str(number), 'Dense', 'dense') for number in range(7)])
_SHARED = Box('encoder', 'Sequential', 'group', [(None, 4)], 36, 36, nb_call=2, inside=nested(0))

DIAGRAMS = {
    'empty': Diagram('empty', 'Sequential', []), 'one': diagram([], 1), 'chain': diagram([(0, 1), (1, 2), (2, 3)]), 'ladder': ladder(13), 'nested': nested(3),
    'unet': diagram([*((at, at + 1) for at in range(9)), *((at, 9 - at) for at in range(4))]),
    'dense': diagram([(source, target) for target in range(8) for source in range(target)]),
    'arguments': diagram([(0, 2), (1, 2, 0, True), (2, 3, 0), (2, 4, 1), (0, 4)]),
    'parts': diagram([(0, 1)], _1=Box('block', 'Block', 'group', [(None, 3)], None, inside=_PARTS)),
    'shared': diagram([(0, 2), (1, 3), (2, 4), (3, 4)], _2=_SHARED, _3=_SHARED._replace(number=2, inside=None)),
    'hostile': diagram([(0, 1)], name='</title><script>hacked=1</script>', _0=Box('<script>hacked=2</script>', '"><img onerror=hacked=3>', 'input'),
                       _1=Box("]]>&amp;'\"\x00\x1b[0m\u202e\ud800" + 'w' * 500, '</style>', 'other', [(None, '<b>')], settings='</desc><a href="javascript:1">',
                              inside=diagram([], 1, name='-->'))),
    **{f'dag{seed}': dag(40, seed, far) for seed, far in ((0, 4), (1, 10), (2, 30))}}


def shown(element, x=0., y=0.):
    """What a picture shows: pairs of an element and the corner of what it is in."""
    found = re.fullmatch(r'translate\((\S+) (\S+)\)', element.get('transform', ''))
    if found:
        x, y = x + float(found[1]), y + float(found[2])
    if element.get('display') != 'none':
        yield element, x, y
        for one in element:
            yield from shown(one, x, y)


def read(text):
    return ElementTree.fromstring(text)
