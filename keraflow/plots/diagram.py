"""Describe what is drawn, as plain data: whatever knows names, classes, shapes and edges can be drawn."""
from typing import Any, Iterator, NamedTuple, Optional, Sequence, Tuple

__all__ = ['Box', 'Diagram', 'Edge', 'boxes_in']


class Box(NamedTuple):
    """One call of a layer, or a layer inside another one.

    Attributes
    ----------
    name, kind : str
        Of the layer, and of its class.
    family : str
        Key of :data:`~keraflow.plots.families.FAMILIES`; any other means ``'other'``.
    shapes : sequence of tuple or None
        Of its outputs. Empty, or None, if unknown.
    nb_param : int or None
        The number of its parameters, those inside it included. None if it is unknown.
    nb_trainable : int or None
        How many of these training changes.
    settings : str
        What else is worth knowing of the layer.
    number, nb_call : int
        Which call it is, from 1, of how many.
    output : str
        What the model calls its output here; empty if it is none.
    inside : Diagram, optional
        The layers inside it. They are drawn in the box of the first call alone.
    """

    name: str
    kind: str
    family: str = 'other'
    shapes: Sequence[Any] = ()
    nb_param: Optional[int] = 0
    nb_trainable: Optional[int] = None
    settings: str = ''
    number: int = 1
    nb_call: int = 1
    output: str = ''
    inside: Optional['Diagram'] = None


class Edge(NamedTuple):
    """What the box number `source` returns, fed to the box number `target`.

    Attributes
    ----------
    source, target : int
    output : int
        Which of several outputs.
    is_argument : bool
        Whether it is a further argument of the call, such as a mask, instead of its input.
    """

    source: int
    target: int
    output: int = 0
    is_argument: bool = False


class Diagram(NamedTuple):
    """A graph of layers: a model, or what is inside a layer.

    Attributes
    ----------
    name, kind : str
    boxes : sequence of Box
        In any order.
    edges : sequence of Edge
        Without a cycle. There may be none, where only the layers are known.
    nb_param, nb_trainable : int or None
        As those of a :class:`Box`.
    """

    name: str
    kind: str
    boxes: Sequence[Box]
    edges: Sequence[Edge] = ()
    nb_param: Optional[int] = 0
    nb_trainable: Optional[int] = None


def boxes_in(diagram: Diagram) -> Iterator[Tuple[int, Box]]:
    """Yield all boxes, each with the number of boxes that it is in, and before those inside it."""
    waiting = [(0, box) for box in reversed(diagram.boxes)]
    while waiting:
        depth, box = waiting.pop()
        yield depth, box
        if box.inside:
            waiting.extend((depth + 1, one) for one in reversed(box.inside.boxes))
