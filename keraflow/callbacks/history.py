"""The record that ``fit`` returns."""
import io
import os
from typing import Any, Dict, List, Optional

from keraflow.errors import ArgumentError, nearest, path_in_words
from keraflow.extras import load_extra
from keraflow.files.atomic import write_file
from keraflow.schema import Path
from keraflow.schema.checked import checked

__all__ = ['History']

_FORMATS = ('.png', '.svg')


class History(List[Dict[str, float]]):
    """The logs of all epochs: a list with one dict for each.

    Attributes
    ----------
    data_wait : list of float
        The share of each epoch's training time spent waiting for data, from 0 to 1. It is kept apart from the dicts,
        because it differs between runs.
    nb_skipped : list of int
        The number of batches of each epoch that were left out because they are not finite.

    Examples
    --------
    >>> history = History()
    >>> history.extend([{'loss': 0.5}, {'loss': 0.25}])
    >>> history.column('loss'), history['loss'], history.history
    ([0.5, 0.25], [0.5, 0.25], {'loss': [0.5, 0.25]})
    """

    def __init__(self) -> None:
        super().__init__()
        self.data_wait: List[float] = []
        self.nb_skipped: List[int] = []

    def __getitem__(self, key: Any) -> Any:
        """Return the logs of one epoch by number, of several by a slice, or a column by name."""
        return self.column(key) if isinstance(key, str) else super().__getitem__(key)

    @property
    def history(self) -> Dict[str, List[float]]:
        """All columns by name."""
        return {name: self.column(name) for name in self.names}

    @property
    def names(self) -> List[str]:
        """The names that every epoch has."""
        return list(self[0]) if self else []

    def column(self, name: str) -> List[float]:
        """Return the values of one name, one for each epoch.

        Raises
        ------
        ArgumentError
            If no epoch has the name.
        """
        if self and name not in self.names:
            raise ArgumentError(f"History: there is no '{name}'. {nearest(name, self.names)}")
        return [logs[name] for logs in self]

    @checked
    def plot(self, path: Optional[Path] = None, overwrite: bool = False) -> Any:
        """Draw a curve over the epochs for each name, together with its validation curve.

        Needs the extra ``keraflow[plot]``, but no display.

        Parameters
        ----------
        path : path, optional
            A file to write, ending in ``.png`` or ``.svg``. The same history gives the same SVG.
        overwrite : bool
            Replace the file if it exists.

        Returns
        -------
        matplotlib.figure.Figure
            Notebooks display it.

        Raises
        ------
        MissingPackageError
            If matplotlib is not installed.
        FileExistsError
            If the file exists and `overwrite` is False.
        """
        extension = '' if path is None else os.path.splitext(os.fspath(path))[1].lower()
        if path is not None and extension not in _FORMATS:
            raise ArgumentError(f'History.plot: path: expected a name that ends with {" or ".join(_FORMATS)}, '
                                f"received '{path_in_words(path)}'.")
        if not self:
            raise ArgumentError('History.plot: there is no complete epoch to draw.')
        figure = self._draw()
        if path is not None:
            write_file(path, _image(figure, extension[1:]), overwrite)
        return figure

    def _draw(self) -> Any:
        library = load_extra('matplotlib.figure', 'plot', 'History.plot')
        ticker = load_extra('matplotlib.ticker', 'plot', 'History.plot')
        titles = [name for name in self.names if name.removeprefix('val_') not in self.names or name[:4] != 'val_']
        figure = library.Figure(figsize=(5 * len(titles), 3.6), layout='constrained')
        epochs = range(1, len(self) + 1)
        for axes, title in zip(figure.subplots(1, len(titles), squeeze=False)[0], titles):
            for name, label in ((title, 'training'), (f'val_{title}', 'validation')):
                if name in self.names:
                    axes.plot(epochs, self.column(name), marker='.', label=label)
            axes.set(title=title, xlabel='epoch')
            axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
            axes.legend()
        return figure


def _image(figure: Any, extension: str) -> bytes:
    matplotlib = load_extra('matplotlib', 'plot', 'History.plot')
    stream = io.BytesIO()
    # Without a salt and a date of its own, the same history gives the same file.
    with matplotlib.rc_context({'svg.hashsalt': 'keraflow'}):
        figure.savefig(stream, format=extension, metadata={'Date': None} if extension == 'svg' else None)
    return stream.getvalue()
