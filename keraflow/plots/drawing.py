"""Draw a diagram as SVG."""
from typing import Any, List, Sequence, Set, Tuple

from keraflow.plots.diagram import Box, Diagram, boxes_in
from keraflow.plots.faces import (END, INDENT, NAME_SIZE, REMARK_SIZE, SIGN, SMALL_SIZE, about, face_of, many,
                                  parameters, remark_width, remarks)
from keraflow.plots.families import DARK, FAMILIES, LIGHT, Page
from keraflow.plots.placing import Area, Place, arrange, closed
from keraflow.plots.svg import element, escaped, fitted, number, text_width

__all__ = ['TIP_LENGTH', 'drawn', 'families_in', 'style_of', 'summary_of', 'svg_of']

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
_MARGIN, _TITLE_SIZE, _LEAST_WIDTH, _LEGEND_HEIGHT = 24., 17., 360., 20.
#: The end of a line, drawn to a box.
_TIP, TIP_LENGTH = 'M-4.5 -7L4.5 -7L0 0Z', 6.


def svg_of(diagram: Diagram, area: Area, depth: Any) -> str:
    """Return a picture of a diagram whose boxes are open down to a depth (None: all)."""
    place = arrange(area, depth)
    width = max(place.width, _LEAST_WIDTH)
    head, y = _head(diagram, width)
    whole = (width + 2 * _MARGIN, y + place.height + _MARGIN)
    corner = _moved(_MARGIN + (width - place.width) / 2, y)
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(whole[0])} {number(whole[1])}" '
        f'width="{number(whole[0])}" height="{number(whole[1])}" role="img" class="kf">',
        element('title', escaped(f'{diagram.name} ({diagram.kind})')), element('desc', escaped(summary_of(diagram))),
        element('style', style_of(diagram)), element('rect', class_='kf-page', width='100%', height='100%'), *head,
        element('g', drawn(area, place), transform=corner), '</svg>', ''])


def summary_of(diagram: Diagram) -> str:
    """Return what a diagram is, for those who do not see it."""
    inputs = [box.name for box in diagram.boxes if box.family == 'input']
    outputs = [box.name for box in diagram.boxes if box.output]
    ends = [f'{what}: {", ".join(names)}' for what, names in (('inputs', inputs), ('outputs', outputs)) if names]
    return '; '.join([f'{diagram.kind}, {many(len(diagram.boxes), "layer")}, {parameters(diagram)}', *ends])


def _head(diagram: Diagram, width: float) -> Tuple[List[str], float]:
    """Return the name, what is to be said of the whole, a legend; and where the graph begins."""
    y = _MARGIN + _TITLE_SIZE
    name = fitted(diagram.name, width, _TITLE_SIZE, True)
    told = f'{diagram.kind} · {many(len(diagram.boxes), "layer")} · {parameters(diagram)}'
    head = [element('text', escaped(name), x=_MARGIN, y=y - 3, class_='kf-title'),
            element('text', escaped(fitted(told, width, SMALL_SIZE)), x=_MARGIN, y=y + 15, class_='kf-quiet')]
    x, y = 0., y + 36
    for family in families_in(diagram):
        label = FAMILIES[family].label
        needed = 16 + text_width(label, SMALL_SIZE) + 14
        if x and x + needed - 14 > width:
            x, y = 0., y + _LEGEND_HEIGHT
        dot = element('rect', x=_MARGIN + x, y=y - 10, width=11, height=11, rx=3, class_=f'kf-dot kf-{family}')
        head += [dot, element('text', escaped(label), x=_MARGIN + x + 16, y=y, class_='kf-quiet')]
        x += needed
    return head, y + 26


def families_in(diagram: Diagram) -> List[str]:
    """Return the families in a diagram, in the order of the legend."""
    found: Set[str] = {_family(box) for _, box in boxes_in(diagram)}
    return [one for one in FAMILIES if one in found]


def _family(box: Box) -> str:
    return box.family if box.family in FAMILIES else 'other'


def drawn(area: Area, place: Place, is_page: bool = False) -> str:
    """Return the elements of an area: the lines, then the boxes, which are before them.

    In a page everything is drawn, what is inside closed boxes hidden.
    """
    lines = [element('path', d=path_of(points, len(run) > 1 and run[-1] < area.graph.nb_box),
                     class_='kf-line' + ' kf-dashed' * (tuple(run[-2:]) in area.graph.dashed))
             for run, points in zip(area.runs, place.lines)]
    tips = [element('path', d=_TIP, class_='kf-tip', transform=_moved(left + width / 2, top))
            for item, (left, top, width, _) in enumerate(place.boxes) if area.graph.above[item]]
    boxes = [_box(area, place, item, is_page) for item in range(area.graph.nb_box)]
    return '\n'.join([element('g', *lines, *tips, class_='kf-lines'), *boxes])


def path_of(points: Sequence[Tuple[float, float]], has_tip: bool) -> str:
    """Return a line through its vertical pieces, with curves between them."""
    (x, y), *rest = points
    path = f'M{number(x)} {number(y)}'
    for index, (to_x, to_y) in enumerate(rest):
        if has_tip and index == len(rest) - 1:
            break
        is_last = has_tip and index == len(rest) - 2
        end = to_y - TIP_LENGTH if is_last else to_y
        if to_x == x:
            path += f'V{number(end)}' if end != y else ''
        else:
            middle = number((y + end) / 2)
            path += f'C{number(x)} {middle} {number(to_x)} {middle} {number(to_x)} {number(end)}'
        x, y = to_x, end
    return path


def _box(area: Area, place: Place, item: int, is_page: bool) -> str:
    box, (left, top, width, height) = area.boxes[item], place.boxes[item]
    inside, its_area = place.inside.get(item), area.inside.get(item)
    face = face_of(box, area.size[0])
    classes = f'kf-box kf-{_family(box)}' + ' kf-open' * (inside is not None) + ' kf-again' * (box.number > 1)
    marks = {'class_': classes, 'transform': _moved(left, top)}
    if is_page:
        marks.update(tabindex='-1', role='button' if its_area else 'img', aria_label=about(box))
    if is_page and its_area:
        marks['aria_expanded'] = str(inside is not None).lower()
    parts = [element('title', escaped(about(box)))]
    if its_area and (is_page or inside is None):
        parts.append(element('rect', x=4, y=4, width=area.size[0], height=area.size[1], rx=7,
                             class_='kf-card kf-stack'))
    parts += [element('rect', width=width, height=height, rx=7, class_='kf-card'),
              element('rect', x=6, y=8, width=3, height=30, rx=1.5, class_='kf-strip'),
              element('text', element('tspan', escaped(face.name), class_='kf-name'),
                      element('tspan', escaped(face.kind), class_='kf-kind', dx=8), x=INDENT, y=19),
              element('text', escaped(face.shape), x=INDENT, y=36, class_='kf-quiet'),
              element('g', *_at_right(box, face.total, bool(its_area) and is_page), class_='kf-right',
                      transform=_moved(width, 0))]
    if its_area and inside is not None:
        corner = _moved(inside.x, inside.y)
        parts.append(element('g', drawn(its_area, inside, is_page), class_='kf-area', transform=corner))
    elif its_area and is_page:
        parts.append(element('g', drawn(its_area, closed(its_area), is_page), class_='kf-area', display='none'))
    return element('g', *parts, **marks)


def _at_right(box: Box, count: str, opens: bool) -> List[str]:
    """Return what is placed from the right end of a box."""
    parts = [element('text', escaped(count), x=-END, y=36, text_anchor='end', class_='kf-quiet')] if count else []
    x = -END
    if opens:
        parts.append(element('g', element('path', d='M-3 -4L2 0L-3 4', class_='kf-sign'), transform=_moved(x - 3, 15)))
        x -= SIGN
    for text in reversed(remarks(box)):
        width = remark_width(text)
        parts += [element('rect', x=x - width, y=7, width=width, height=16, rx=8, class_='kf-pill'),
                  element('text', escaped(text), x=x - width / 2, y=18.5, text_anchor='middle', class_='kf-remark')]
        x -= width + 4
    return parts


def _moved(x: float, y: float) -> str:
    return f'translate({number(x)} {number(y)})'


#: What does not depend on the surrounding.
_STYLE = f'''.kf{{font-family:{_FONT}}}
.kf text{{font-size:{number(SMALL_SIZE)}px}}
.kf .kf-title{{font-size:{number(_TITLE_SIZE)}px;font-weight:600}}
.kf .kf-name{{font-size:{number(NAME_SIZE)}px;font-weight:600}}
.kf .kf-remark{{font-size:{number(REMARK_SIZE)}px}}
.kf-line,.kf-sign{{fill:none;stroke-width:1.5}}
.kf-dashed{{stroke-dasharray:5 4}}
.kf-sign{{stroke-linecap:round;stroke-linejoin:round}}
.kf-again>.kf-card{{stroke-dasharray:4 3}}
.kf-open>.kf-card{{fill-opacity:.4}}
.kf-open>.kf-stack{{display:none}}
'''


def style_of(diagram: Diagram) -> str:
    """Return the style sheet of a picture, for a light surrounding and a dark one."""
    families = [(name, FAMILIES[name]) for name in families_in(diagram)]
    light = [_colors(LIGHT), *(_family_colors(name, *one.light) for name, one in families)]
    dark = [_colors(DARK), *(_family_colors(name, *one.dark) for name, one in families)]
    return '\n'.join([_STYLE.rstrip(), *light, '@media (prefers-color-scheme:dark){', *dark, '}'])


def _colors(page: Page) -> str:
    return (f'.kf-page{{fill:{page.page}}}.kf-title,.kf-name,.kf-remark{{fill:{page.text}}}'
            f'.kf-quiet{{fill:{page.quiet}}}.kf-line,.kf-sign{{stroke:{page.line}}}.kf-tip{{fill:{page.line}}}'
            f'.kf-pill{{fill:{page.pill}}}')


def _family_colors(name: str, box: str, edge: str, kind: str) -> str:
    return (f'.kf-{name}>.kf-card,.kf-dot.kf-{name}{{fill:{box};stroke:{edge}}}'
            f'.kf-{name}>.kf-strip{{fill:{edge}}}.kf-{name}>text>.kf-kind{{fill:{kind}}}')
