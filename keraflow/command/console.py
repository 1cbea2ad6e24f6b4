"""What reaches a terminal: text with everything unprintable escaped, tables, and JSON."""
import json
import sys
from typing import Any, List, Optional, Sequence, TextIO

__all__ = ['escaped', 'print_json', 'say', 'table']


def escaped(text: object) -> str:
    """Return text with what is not printable escaped: nothing of a file moves the cursor or hides a word.

    Examples
    --------
    >>> print(escaped('red: \\x1b[31m'))
    red: \\x1b[31m
    """
    return ''.join(one if one.isprintable() else one.encode('unicode_escape').decode() for one in str(text))


def say(line: object, stream: Optional[TextIO] = None) -> None:
    """Print a line, escaped."""
    print(escaped(line), file=stream or sys.stdout)


def print_json(data: Any) -> None:
    """Print plain data as JSON that a person can read, too."""
    print(json.dumps(data, indent=2, default=str))      # escapes all but ASCII


def table(rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> List[str]:
    """Return rows as aligned lines; the numbers of columns that are aligned at their right side are given.

    Examples
    --------
    >>> table([['a', 1], ['long', 200]], right=[1])
    ['a       1', 'long  200']
    """
    cells = [[escaped(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return ['  '.join(cell.rjust(width) if place in right else cell.ljust(width)
                      for place, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in cells]
