"""Picture: a drawing of a graph of layers, for a file, a notebook or a browser."""
import os
from typing import Any, Optional

from keraflow.errors import ArgumentError, path_in_words
from keraflow.files.atomic import write_file
from keraflow.plots.diagram import Diagram, boxes_in
from keraflow.plots.drawing import svg_of
from keraflow.plots.page import html_of
from keraflow.plots.placing import Area, area_of

__all__ = ['Picture', 'shown_in_notebook']

#: A notebook does not draw more boxes unless asked to.
_MANY = 400


class Picture:
    """A picture of a graph of layers, which notebooks show.

    Parameters
    ----------
    diagram : Diagram
    depth : int, optional
        How deep boxes are open; see :meth:`keraflow.models.Model.plot`.

    Attributes
    ----------
    diagram : Diagram
        What it shows.
    """

    def __init__(self, diagram: Diagram, depth: Optional[int] = None):
        self.diagram = diagram
        self.depth = depth
        self._area: Any = None

    @property
    def nb_box(self) -> int:
        """The number of boxes, those inside others included."""
        return sum(1 for _ in boxes_in(self.diagram))

    def _placed(self) -> Area:
        if self._area is None:
            self._area = area_of(self.diagram)
        return self._area

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return svg_of(self.diagram, self._placed(), self.depth)

    @property
    def html(self) -> str:
        """A page that shows the picture, and in which it can be moved, searched, and opened."""
        return html_of(self.diagram, self._placed(), self.depth or 0)

    def save(self, path: Any, overwrite: bool = False) -> None:
        """Write the picture to a file.

        Parameters
        ----------
        path : path
            Ends with ``.svg`` or ``.html``.
        overwrite : bool
            Whether to replace an existing file.

        Raises
        ------
        ArgumentError
            If the name ends otherwise.
        FileExistsError
            If the file exists and `overwrite` is False.
        """
        end = os.path.splitext(os.fspath(path))[1].lower()
        if end not in ('.svg', '.html'):
            raise ArgumentError("plot: path: expected a name that ends with .svg or .html, received "
                                f"'{path_in_words(path)}'.")
        write_file(path, (self.svg if end == '.svg' else self.html).encode(), overwrite)

    def __repr__(self) -> str:
        return f'<Picture of {self.diagram.name}: {self.nb_box} boxes>'

    def _repr_svg_(self) -> str:        # for notebooks
        return self.svg


def shown_in_notebook(diagram: Diagram) -> Optional[str]:
    """Return the picture that a notebook shows of itself; None if it would be very large."""
    picture = Picture(diagram)
    return picture.svg if picture.nb_box <= _MANY else None
