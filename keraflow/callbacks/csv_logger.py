"""Log to a table in a file."""
import csv
import io
import os
from typing import Any, Dict, List, Sequence

from keraflow.callbacks.callback import CheckedCallback
from keraflow.errors import ArgumentError
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

    def __init__(self, path: Path, separator: str = ',', append: bool = False, overwrite: bool = False):
        self.path = path
        self.separator = separator
        self.append = append
        self.overwrite = overwrite
        if len(separator) != 1 or separator in '"\r\n':
            raise ArgumentError('CSVLogger: separator: expected one character, neither a quote nor the end of a line, '
                                f'received {separator!r}.')
        self._columns: List[str] = []
        self._is_begun = False  # by an earlier fit with this object, which the next one continues

    def check_names(self, names: Sequence[str]) -> None:
        self._columns = ['epoch', *names]
        if (self.append or self._is_begun) and os.path.exists(self.path):
            self._check_columns()

    def on_train_begin(self, logs: Dict[str, Any]) -> None:
        if not (self.append or self._is_begun) or not os.path.exists(self.path):
            write_file(self.path, self._line(self._columns).encode(), self.overwrite)
        self._is_begun = True

    def on_epoch_end(self, epoch: int, logs: Dict[str, Any]) -> None:
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
                                f'received {os.fspath(self.path)} with {", ".join(found) or "none"}. '
                                'Choose another path.')
