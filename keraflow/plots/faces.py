"""What a box says, and how wide it is."""
import math
from typing import Any, List, NamedTuple, Optional, Tuple

from keraflow.plots.diagram import Box, Diagram
from keraflow.plots.svg import fitted, text_width

__all__ = ['BOX_HEIGHT', 'END', 'Face', 'INDENT', 'NAME_SIZE', 'REMARK_SIZE', 'SIGN', 'SMALL_SIZE', 'about', 'box_size',
           'face_of', 'many', 'parameters', 'remarks', 'remark_width']

BOX_HEIGHT = 46.
NAME_SIZE, SMALL_SIZE, REMARK_SIZE = 13., 11.5, 10.
#: Pixels before and after the text, between its parts, and for the sign that a box opens.
INDENT, END, _BETWEEN, SIGN = 16., 12., 8., 16.
_WIDTHS = (120., 340.)
_NAME_WIDTH, _KIND_WIDTH = 190., 150.


class Face(NamedTuple):
    """The texts of a box, as much of them as it has room for."""

    name: str
    kind: str
    shape: str
    total: str


def remarks(box: Box) -> List[str]:
    """Return what is said of a box at its right end."""
    shared = [f'call {box.number} of {box.nb_call}'] if box.nb_call > 1 else []
    return [*shared, *([box.output] if box.output else [])]


def remark_width(text: str) -> float:
    """Return the width of a remark with the space around it."""
    return text_width(text, REMARK_SIZE) + 10.


def _counted(box: Box) -> str:
    """Return the number of parameters as text: empty if there are none, or if they are counted elsewhere."""
    if box.nb_param == 0:
        return ''
    if box.number > 1:
        return 'shared'
    if box.nb_param is None:
        return '? params'
    return f"{box.nb_param:,} {'frozen' if box.nb_trainable == 0 else 'params'}"


def _shape(box: Box) -> str:
    return ', '.join('?' if shape is None else str(shape) for shape in box.shapes)


def _at_right(box: Box) -> float:
    return sum(remark_width(one) + 4. for one in remarks(box)) + (SIGN if box.inside else 0.)


def _needed(box: Box) -> float:
    """Return the width in which all that a box says has room, unless its name or class is very long."""
    first = min(text_width(box.name, NAME_SIZE, True), _NAME_WIDTH) + _BETWEEN
    first += min(text_width(box.kind, SMALL_SIZE), _KIND_WIDTH) + (_BETWEEN if _at_right(box) else 0.) + _at_right(box)
    count = _counted(box)
    second = text_width(_shape(box), SMALL_SIZE) + (_BETWEEN + text_width(count, SMALL_SIZE) if count else 0.)
    return INDENT + max(first, second) + END


def box_size(diagram: Diagram) -> Tuple[float, float]:
    """Return the size of the closed boxes of a diagram: they have one, whatever they say."""
    widest = max(map(_needed, diagram.boxes), default=0.)
    return 2. * math.ceil(min(max(widest, _WIDTHS[0]), _WIDTHS[1]) / 2), BOX_HEIGHT


def face_of(box: Box, width: float) -> Face:
    """Return what a box of a width says."""
    room = width - INDENT - END - (_at_right(box) + _BETWEEN if _at_right(box) else 0.)
    name_width = text_width(box.name, NAME_SIZE, True)
    kind = fitted(box.kind, max(room / 2, room - name_width) - _BETWEEN, SMALL_SIZE)
    name = fitted(box.name, room - _BETWEEN - text_width(kind, SMALL_SIZE), NAME_SIZE, True)
    count = _counted(box)
    rest = width - INDENT - END - (_BETWEEN + text_width(count, SMALL_SIZE) if count else 0.)
    return Face(name, kind, fitted(_shape(box), rest, SMALL_SIZE), count)


def about(box: Box) -> str:
    """Return all that is known of a box, a line for each: what a pointer on it shows."""
    shown: List[Optional[str]] = [
        f'{box.name} ({box.kind})', ', '.join(remarks(box)) or None, f'output {_shape(box)}' if box.shapes else None,
        f'{parameters(box)}{", shared by all calls" if box.nb_call > 1 and box.nb_param else ""}',
        f'{many(len(box.inside.boxes), "layer")} inside' if box.inside else None, box.settings or None]
    return '\n'.join(one for one in shown if one)


def parameters(it: Any) -> str:
    """Return the number of parameters of a box or a diagram in words."""
    if it.nb_param is None:
        return 'parameters: not known before building'
    fixed = it.nb_param - it.nb_trainable if it.nb_trainable is not None else 0
    return many(it.nb_param, 'parameter') + (f', {fixed:,} of them fixed' if fixed else '')


def many(count: int, what: str) -> str:
    """Return a number with a noun.

    Examples
    --------
    >>> many(1, 'layer'), many(1200, 'layer')
    ('1 layer', '1,200 layers')
    """
    return f'{count:,} {what}{"" if count == 1 else "s"}'
