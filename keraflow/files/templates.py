"""Paths with fields in braces, which numbers of a training fill in."""
import glob
import os
import re
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Union

from keraflow.errors import ArgumentError, nearest, path_in_words
from keraflow.files.regular import PathLike

__all__ = ['Template']

#: Formats whose numbers can be read again.
_OF_INTEGERS = re.compile(r'>?0?\d{0,2}d?')


class _Field(NamedTuple):
    name: str
    format: str


class Template:
    """A path in which ``{epoch}`` and ``{epoch:02d}`` stand for numbers. A doubled brace is one of the path.

    A field is a known name, which may have any characters, and a format. Nothing else may be in braces: neither an
    attribute nor an item of what is filled in.

    Parameters
    ----------
    path : path
    names : iterable of str
        What may be filled in.
    where : str
        The start of messages.
    is_series : bool
        Whether the files are to be found again: then fields are integers, in the name of the file alone.
    check_name : function, optional
        Called with a name that is not known; may raise with better advice.

    Attributes
    ----------
    fields : tuple of str
        The names in it.

    Raises
    ------
    ArgumentError
        If something else is in braces, or a brace is alone.

    Examples
    --------
    >>> template = Template('w-{epoch:02d}{{a}}.safetensors', ['epoch'])
    >>> template.fields, template.filled({'epoch': 3})
    (('epoch',), 'w-03{a}.safetensors')
    """

    def __init__(self, path: PathLike, names: Iterable[str], where: str = 'path', is_series: bool = False,
                 check_name: Optional[Callable[[str], object]] = None):
        self._where, self._path, self._is_series = where, os.fspath(path), is_series
        self._pieces = self._read(list(names), check_name)
        self.fields = tuple(one.name for one in self._pieces if isinstance(one, _Field))
        if is_series:
            self._check_series()

    @classmethod
    def literal(cls, path: PathLike) -> 'Template':
        """Return a path without fields, in which braces mean nothing."""
        return cls(re.sub('[{}]', lambda brace: 2 * brace[0], os.fspath(path)), ())

    def _read(self, names: List[str], check_name: Optional[Callable[[str], object]]) -> List[Union[str, _Field]]:
        # Longest first: '{a:b}' is the name 'a:b' if there is one, and otherwise 'a' in the format 'b'.
        known = '|'.join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        pattern = (rf'\{{(?P<name>{known})(?::(?P<format>[^{{}}]*))?\}}|(?P<sign>\{{\{{|\}}\}})'
                   r'|\{(?P<other>[^{}:]*)(?::[^{}]*)?\}|[{}]')
        pieces: List[Union[str, _Field]] = []
        literal, at = '', 0
        for found in re.finditer(pattern, self._path):
            literal += self._path[at:found.start()]
            at = found.end()
            if found['sign']:
                literal += found['sign'][0]
            elif found['other'] is not None:
                if check_name is not None:
                    check_name(found['other'])
                raise ArgumentError(f"{self._where}: expected {_choices(names)}, alone or with a format as in "
                                    f"{{epoch:02d}}, received {{{found['other']}}}. {nearest(found['other'], names)}")
            elif found['name'] is None:
                raise ArgumentError(f"{self._where}: expected {_choices(names)}, received a single brace in "
                                    f"'{path_in_words(self._path)}'. Write a brace that is part of the path twice.")
            else:
                pieces += [literal, _Field(found['name'], found['format'] or '')]
                literal = ''
        return [*pieces, literal + self._path[at:]]

    def _check_series(self) -> None:
        for number, one in enumerate(self._pieces):
            if isinstance(one, _Field) and not _OF_INTEGERS.fullmatch(one.format):
                raise self._wrong_format(one, f'a format of integers, such as {{{one.name}:04d}}')
            if isinstance(one, str) and os.path.basename(one) != one and \
                    any(isinstance(before, _Field) for before in self._pieces[:number]):
                raise ArgumentError(f"{self._where}: expected fields in the name of the file alone, received them in "
                                    f"that of its folder in '{path_in_words(self._path)}'. Write the folder without.")

    def _wrong_format(self, field: _Field, expected: str) -> ArgumentError:
        return ArgumentError(f'{self._where}: expected {expected}, received {{{field.name}:{field.format}}}.')

    def filled(self, values: Dict[str, float]) -> str:
        """Return the path with the values in its fields.

        Raises
        ------
        ArgumentError
            If a format is wrong, or gives what is not part of a name.
        """
        return ''.join(one if isinstance(one, str) else self._shown(one, values[one.name]) for one in self._pieces)

    def _shown(self, field: _Field, value: float) -> str:
        kind = 'integers' if isinstance(value, int) else 'numbers'
        wrong = self._wrong_format(field, f'a format of {kind}, such as {{{field.name}:'
                                          f'{"04d" if isinstance(value, int) else ".3f"}}}')
        if re.search(r'\d{3}', field.format):       # of a length that no name has
            raise wrong
        try:
            text = format(value, field.format)
        except ValueError:
            raise wrong from None
        if not text.isprintable() or os.path.basename(text) != text:
            raise wrong
        return text

    @property
    def folder(self) -> str:
        """The beginning of the path up to its name or first field, with the separator."""
        first = self.filled({}) if not self.fields else str(self._pieces[0])
        return first[:len(first) - len(os.path.basename(first))]

    def pattern(self, field: str) -> 're.Pattern[str]':
        """Return a pattern of all paths, in which `field` is that of each field."""
        return re.compile(''.join(re.escape(one) if isinstance(one, str) else field for one in self._pieces), re.DOTALL)

    def glob_pattern(self) -> str:
        """Return the path with ``*`` in place of each field, for ``glob.glob``."""
        return ''.join(glob.escape(one) if isinstance(one, str) else '*' for one in self._pieces)


def _choices(names: List[str]) -> str:
    shown = [f'{{{name}}}' for name in names[:6]]
    return f"{', '.join(shown[:-1])} or {shown[-1]}" if len(shown) > 1 else ''.join(shown) or 'no braces'
