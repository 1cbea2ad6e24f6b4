"""The newest files of a series, of which the last good one is never deleted.

A path without fields names the newest file, ``train.safetensors``; those before it get numbers,
``train.1.safetensors`` and so on. A path with fields, ``train-{epoch}-{batch}.safetensors``, names each file.
"""
import contextlib
import os
import re
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from keraflow.files.atomic import write_file
from keraflow.files.regular import PathLike
from keraflow.files.templates import Template

__all__ = ['Rotation', 'candidates', 'series']

_FIELDS = 'epoch', 'batch', 'step'


def series(path: PathLike, where: str) -> Template:
    """Return how the files of a series are named.

    Raises
    ------
    ArgumentError
        If there is anything in braces but ``{epoch}``, ``{batch}`` and ``{step}``.
    """
    return Template(path, _FIELDS, where, is_series=True)


class Rotation:
    """Write one file after the other, and keep some of them.

    Parameters
    ----------
    template : Template
        With fields or without; see :func:`series`.
    keep : int
        How many files to keep.
    is_good : function, optional
        If the series was begun by another program: whether a file that that one wrote is sound.

    Attributes
    ----------
    written : list of str
        The files that are there, oldest first; of a path without fields the newest alone.
    """

    def __init__(self, template: Template, keep: int, is_good: Optional[Callable[[str], bool]] = None):
        self.template = template
        self.keep = keep
        self.written: List[str] = []
        self._is_good = is_good

    def write(self, save: Callable[[str], None], values: Dict[str, float]) -> None:
        """Let `save` write the next file, whole and durably."""
        path = self.template.filled(values)
        if self.template.fields:
            save(path)
            names = [*(one for one in self.written if one != path), path]
            _remove(names[:-self.keep])     # only now that a newer one is whole, and on the disk
            self.written = names[-self.keep:]
            return
        # What is damaged does not take the place of an older one: those must stay until the next one is whole.
        if os.path.exists(path) and (path in self.written or self._is_good is not None and self._is_good(path)):
            self._make_older(path)
        save(path)
        if not self.written and self._is_good is None:      # what is left of another series, which may be replaced
            _remove(candidates(self.template)[1:])
        self.written = [path]

    def _make_older(self, path: str) -> None:
        """Give the files their next numbers."""
        if self.keep == 1:
            return
        for number in range(self.keep - 2, 0, -1):
            if os.path.exists(numbered(path, number)):
                os.replace(numbered(path, number), numbered(path, number + 1))
        # Under both names, so that there is one by the newest name at any moment.
        try:
            os.link(path, numbered(path, 1))
        except OSError:         # the number is taken because keep was smaller, or there are no hard links
            with open(path, 'rb') as file:
                write_file(numbered(path, 1), file.read(), overwrite=True)


def _remove(names: Sequence[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            os.unlink(name)


def numbered(path: str, number: int) -> str:
    """Return the name of an older file.

    Examples
    --------
    >>> numbered('train.safetensors', 2)
    'train.2.safetensors'
    """
    stem, extension = os.path.splitext(path)
    return f'{stem}.{number}{extension}'


def candidates(template: Template) -> List[str]:
    """Return the files of a series that are there, the newest first."""
    if template.fields:
        pattern, fields, order = template.pattern(r'\s*(\d+)'), template.fields, ['step', 'epoch', 'batch']
    else:
        stem, extension = os.path.splitext(template.filled({}))
        pattern, fields, order = re.compile(re.escape(stem) + r'(?:\.(\d+))?' + re.escape(extension)), ('older',), []
    found: List[Tuple[Tuple[int, ...], str]] = []
    folder = template.folder
    for one in os.listdir(folder or '.') if os.path.isdir(folder or '.') else ():
        matched = pattern.fullmatch(folder + one)
        if matched is not None:
            numbers = dict(zip(fields, (int(text or 0) for text in matched.groups())))
            found.append((tuple(numbers.get(field, 0) for field in order) or (-numbers['older'],), folder + one))
    return [one for _, one in sorted(found, reverse=True)]
