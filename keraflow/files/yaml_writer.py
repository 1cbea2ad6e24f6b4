"""Write plain data as readable YAML text: blocks, with lists of scalars on one line.

The emitter gets its events from here, so there is no recursion and no alias, and this file decides what is quoted:
every string that YAML *or* JSON could take for something else.
"""
import functools
import re
from typing import Any, Iterable, Iterator, List, Optional

import yaml

from keraflow.files.refusal import excerpt, refusal
from keraflow.files.scalars import NUMBER
from keraflow.files.yaml_text import NOT_FINITE, WORDS

__all__ = ['YAML_OPTIONS', 'write_yaml']

_DUMPER: Any = getattr(yaml, 'CSafeDumper', yaml.SafeDumper)
_RESOLVERS = yaml.SafeDumper.yaml_implicit_resolvers
_EMITTER_OPTIONS = ('indent', 'width', 'allow_unicode', 'line_break')
YAML_OPTIONS = ('default_flow_style', 'sort_keys', *_EMITTER_OPTIONS)
_WIDTH = 120
_UNLIMITED = 2 ** 31 - 1
_SIMPLE_KEY = 32                                                # from 128 bytes on a key is '? key', and may be folded
_BREAK = re.compile('[\n\r\x85\u2028\u2029]')

_PLAIN = (True, False)
_QUOTED = (False, True)
_ANY = (True, True)


def write_yaml(data: Any, default_flow_style: Optional[bool] = None, sort_keys: bool = False, **options: Any) -> str:
    """Write YAML text for data that `checking.check_plain` has accepted.

    Parameters
    ----------
    data : None, bool, int, float, str, list or dict
        The data.
    default_flow_style : bool or None
        True: everything in flow style (``{a: 1}``). False: everything in blocks. None: only lists of scalars in flow
        style, which is what reads best.
    sort_keys : bool
        False keeps the order of insertion.
    **options
        ``indent``, ``width``, ``allow_unicode``, ``line_break`` of ``yaml.dump``.

    Examples
    --------
    >>> print(write_yaml({'shape': [None, 64], 'name': 'yes', 'lr': 1e-05}), end='')
    shape: [null, 64]
    name: 'yes'
    lr: 1.0e-05
    """
    unknown = sorted(set(options) - set(_EMITTER_OPTIONS))
    if unknown:
        raise refusal(unknown[0], f'not an option for writing YAML. Choose among {", ".join(YAML_OPTIONS)}.')
    for name in options:
        _check_option(name, options[name])
    options = {'allow_unicode': True, 'width': _WIDTH, **options}
    writer = _Events(default_flow_style, sort_keys)
    text: str = yaml.emit(writer.events(data), Dumper=_DUMPER, **options)
    if writer.long_key and options['width'] == _WIDTH:
        # A folded key may not be readable. Rare enough to write once more, without folding.
        text = yaml.emit(writer.events(data), Dumper=_DUMPER, **{**options, 'width': _UNLIMITED})
    return text


def _check_option(name: str, value: Any) -> None:
    """Check an option: the two emitters refuse wrong ones in different words, or silently use the default."""
    if value is None:                                           # the emitter's own
        return
    if name in ('indent', 'width') and not (type(value) is int and 0 < value <= _UNLIMITED):
        raise refusal(name, f'expected an integer from 1 to {_UNLIMITED}, received {excerpt(value)}.')
    if name == 'line_break' and value not in ('\n', '\r', '\r\n'):
        raise refusal(name, f"expected '\\n', '\\r' or '\\r\\n', received {excerpt(value)}.")


class _Events:
    """The events of a document, from an explicit stack of iterators."""

    def __init__(self, flow: Optional[bool], sort_keys: bool):
        self.flow = flow
        self.sort_keys = sort_keys
        self.long_key = False                                   # or one with line breaks
        self.stack: List[Iterator[yaml.Event]] = []

    def events(self, data: Any) -> Iterator[yaml.Event]:
        yield yaml.StreamStartEvent()
        yield yaml.DocumentStartEvent(explicit=False)
        yield self.value(data)
        while self.stack:
            event = next(self.stack[-1], None)
            if event is None:
                self.stack.pop()
            else:
                yield event                                     # its content, if any, has been put on the stack
        yield yaml.DocumentEndEvent(explicit=False)
        yield yaml.StreamEndEvent()

    def value(self, item: Any) -> yaml.Event:
        kind = type(item)
        if kind is dict:
            self.stack.append(self.dict_content(item))
            return yaml.MappingStartEvent(None, None, True, flow_style=self.flow is True)
        if kind is list:
            self.stack.append(self.list_content(item))
            return yaml.SequenceStartEvent(None, None, True, flow_style=self.in_one_line(item))
        return _string(item) if kind is str else yaml.ScalarEvent(None, None, _PLAIN, _word(item))

    def dict_content(self, items: dict) -> Iterator[yaml.Event]:
        for key in sorted(items) if self.sort_keys else items:
            self.long_key |= len(key) > _SIMPLE_KEY or _BREAK.search(key) is not None
            yield _string(key)
            yield self.value(items[key])
        yield yaml.MappingEndEvent()

    def list_content(self, items: Iterable[Any]) -> Iterator[yaml.Event]:
        for item in items:
            yield self.value(item)
        yield yaml.SequenceEndEvent()

    def in_one_line(self, items: list) -> bool:
        if self.flow is not None:
            return self.flow
        return not any(type(item) is list or type(item) is dict for item in items)


@functools.lru_cache(maxsize=1024)                              # the same keys and names come again and again
def _string(text: str) -> yaml.ScalarEvent:
    """Emit a string in the quotes it needs. The emitter switches if its characters need others."""
    if _BREAK.search(text):
        return yaml.ScalarEvent(None, None, _QUOTED, text, style='"')
    if _looks_like_another_type(text):
        return yaml.ScalarEvent(None, None, _QUOTED, text, style="'")
    return yaml.ScalarEvent(None, None, _ANY, text)


def _looks_like_another_type(text: str) -> bool:
    """Return whether a reader, of YAML or human, could take the unquoted text for something else."""
    if text in WORDS or text != text.strip() or not text or NUMBER.fullmatch(text) or NOT_FINITE.fullmatch(text):
        return True
    return any(pattern.match(text) for _, pattern in _RESOLVERS.get(text[0], ()))


def _word(item: Any) -> str:
    if item is None:
        return 'null'
    if item is True or item is False:
        return 'true' if item else 'false'
    text = repr(item)
    if 'e' in text and '.' not in text:                         # YAML 1.1 takes 1e-05 for a string, and 1.0e-05 not
        text = text.replace('e', '.0e')
    return text
