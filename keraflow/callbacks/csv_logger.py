"""Log to a table in a file."""
import csv
import io
import os
from typing import Any, Dict, List, Sequence

from keraflow.callbacks.callback import CheckedCallback
from keraflow.errors import ArgumentError, path_in_words, warn
from keraflow.files.atomic import write_file
from keraflow.schema import Path

__all__ = ['CSVLogger']


class CSVLogger(CheckedCallback):
    """Write a line for each epoch to a CSV file: the epoch, counted from 1, and its entry in the history.

    A line is on disk when its epoch ends, and the file is closed in between.

    Parameters
    ----------
    path : path
        The file to write.
    separator : str
        The character between columns.
    append : bool
        Whether to continue an existing file, which must have the same columns. A second ``fit`` with the same object
        always does.
    overwrite : bool
        Whether to replace an existing file.

    Raises
    ------
    ArgumentError
        `separator` is not usable, or a file to be continued has other columns.

    Examples
    --------
    >>> CSVLogger('training.csv').separator
    ','
    """

    only_watches = True
    free_arguments = frozenset({'path', 'append', 'overwrite'})

    def __init__(self, path: Path, separator: str = ',', append: bool = False, overwrite: bool = False):
        self.path = path
        self.separator = separator
        self.append = append
        self.overwrite = overwrite
        if len(separator) != 1 or separator in '"\r\n':
            raise ArgumentError('CSVLogger: separator: expected one character, neither a quote nor the end of a line, '
                                f'received {separator!r}.')
        self._columns: List[str] = []
        self._starts_over = False
        self._is_begun = False  # by an earlier fit with this object, which the next one continues

    def check_names(self, names: Sequence[str]) -> None:
        self._columns = ['epoch', *names]
        if (self.append or self._is_begun or self.resumed_from is not None) and os.path.exists(self.path):
            self._check_columns()

    def on_train_begin(self, logs: Dict[str, Any]) -> None:
        continues = self.append or self._is_begun or self.resumed_from is not None
        if not continues or not os.path.exists(self.path):
            write_file(self.path, self._line(self._columns).encode(), self.overwrite)
        self._is_begun = True
        self._starts_over = self.resumed_from is not None and not self.append       # unless a state follows

    def get_state(self) -> Any:
        return {'size': os.path.getsize(self.path)}

    def check_state(self, state: Any) -> None:
        if type(state['size']) is not int or state['size'] < 0:
            raise ValueError(state)
        if os.path.exists(self.path) and not self._are_later(state['size']):
            raise ValueError(state)

    def _are_later(self, size: int) -> bool:
        """Return whether what follows so many bytes are whole lines, of later epochs than those before."""
        with open(self.path, 'rb') as file:
            lines, after = file.read(size).decode(errors='replace'), file.read().decode(errors='replace')
        kept, left = ([row[0] for row in csv.reader(io.StringIO(text), delimiter=self.separator) if row]
                      for text in (lines, after))
        last = kept[-1] if len(kept) > 1 else '0'
        return not left or lines.endswith('\n') and last.isdigit() and all(
            one.isdigit() and int(one) > int(last) for one in left)

    def set_state(self, state: Any) -> None:
        self._starts_over = False
        # Lines of epochs after the one from which training is resumed come again.
        size = os.path.getsize(self.path)
        if size > state['size']:
            os.truncate(self.path, state['size'])
        elif size < state['size']:
            warn(f'{self.where}: {path_in_words(self.path)} lacks epochs of before training was resumed. It goes on '
                 'with those that follow.')

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
        if self._starts_over:
            write_file(self.path, self._line(self._columns).encode(), overwrite=True)
            self._starts_over = False
        # Opened for each line, so that an epoch is on disk when it ends.
        with open(self.path, 'a', encoding='utf-8', newline='') as file:
            file.write(self._line([epoch + 1, *(logs[name] for name in self._columns[1:])]))

    def _line(self, values: Sequence[Any]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator, lineterminator='\n').writerow(values)
        return text.getvalue()

    def _check_columns(self) -> None:
        with open(self.path, encoding='utf-8', newline='') as file:
            found = next(csv.reader(file, delimiter=self.separator), [])
        if found != self._columns:
            raise ArgumentError(f'{self.where}: expected a file with the columns {", ".join(self._columns)}, '
                                f'received {path_in_words(self.path)} with {", ".join(found) or "none"}. '
                                'Choose another path.')
