"""Parse YAML text to plain data: a strict subset that means the same as JSON.

Built from the parser's *events* by one loop. No composer or constructor ever runs, so nothing in a file can name a
class, share a node or overflow the C stack. Scalars follow JSON's rules instead of YAML's: a plain ``1e-3`` is a
number; ``on``, ``yes``, dates and ``1:30`` are strings; quoted text is always a string.

libyaml, the parser in C, reads valid text ten times faster. What it refuses is parsed again by PyYAML's parser in
Python, which words the messages and has no limits besides ours, so that a refusal reads the same on every release,
with and without libyaml. (libyaml alone takes a tab for a space between tokens, and ``[what?]``.)
"""
import re
from typing import Any, Callable, Dict, List, NoReturn, Tuple, Union

import yaml

from keraflow.errors import ModelFileError
from keraflow.files.limits import Limits
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.scalars import FORBIDDEN_TEXT, NUMBER, RefusedNumber, decode, to_float, to_int

__all__ = ['LOADER', 'NOT_FINITE', 'WORDS', 'parse']

#: The parser in C where PyYAML was built with it.
LOADER: Any = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)

#: Text beyond this (5000 layers are 1 MB) is not parsed a second time, so that a hostile text costs seconds.
MAX_SECOND_READING = 4 * 2 ** 20

#: The plain scalars that are not strings.
WORDS = {'true': True, 'false': False, 'null': None}

#: How YAML and Python spell numbers that are not finite.
NOT_FINITE = re.compile(r'[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|NaN|-?Infinity')

# What YAML calls printable. Checked first, so that both parsers see only text that they accept.
_UNPRINTABLE = re.compile('[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]')
_BREAK = re.compile('\r\n|[\n\r\x85\u2028\u2029]')
# Before the data. One parser skips unknown directives, the other refuses them.
_DIRECTIVE = re.compile('(?:[ \t]*(?:#[^\n\r\x85\u2028\u2029]*)?[\n\r\x85\u2028\u2029])*%')
# The end of the text, as the parser in Python calls it.
_END = re.compile(r"'(?:\\x00|<stream end>)'")


def parse(text: Union[str, bytes], source: object, limits: Limits) -> Any:
    """Parse plain data from YAML text; see :func:`keraflow.files.plaindata.parse_yaml`."""
    text = decode(text, source, limits)
    bad = _UNPRINTABLE.search(text)
    if bad:
        line = text.count('\n', 0, bad.start()) + 1
        raise refusal(f'{source}:{line}', f'the character {excerpt(bad[0])} is not allowed in YAML. '
                                          'Escape or remove it.')
    directive = _DIRECTIVE.match(text)
    if directive:
        line = text.count('\n', 0, directive.end()) + 1
        raise refusal(f'{source}:{line}', 'a directive is not allowed. Remove the lines that begin with %.')
    try:
        return _read(text, LOADER, source, limits)
    except _Invalid as error:
        if error.offset > MAX_SECOND_READING:
            raise refusal(f'{source}:{error.line}', 'this is not valid YAML. Correct it, or save again.') from None
    try:
        return _read(text, yaml.SafeLoader, source, limits)
    except _Invalid as error:
        raise refusal(f'{source}:{error.line}', error.reason) from None


class _Invalid(Exception):
    """A parser's refusal: the place, and the reason in its words."""

    def __init__(self, mark: Any, reason: str):
        self.line = mark.line + 1
        self.offset = mark.index
        self.reason = reason


def _read(text: str, loader_class: Any, source: object, limits: Limits) -> Any:
    builder = _Builder(text, source, limits)
    loader = loader_class(text)
    try:
        while loader.check_event():
            event = loader.get_event()
            builder.handlers[type(event)](event)
    except ModelFileError:                                      # is a ValueError
        raise
    except yaml.MarkedYAMLError as error:
        problem = _END.sub('the end', error.problem or '')[:120]
        raise _Invalid(error.problem_mark or error.context_mark,
                       f'this is not valid YAML: {problem}. Correct it, or save again.') from None
    except (ValueError, OverflowError):                         # chr() of an escape, in the parser in Python
        mark = loader.get_mark()                                # at its digits
        escape = text[mark.index - 2:mark.index + 8]
        raise _Invalid(mark, f'the escape {escape} is not a character. Remove it.') from None
    finally:
        loader.dispose()
    return builder.result()


class _Builder:
    """One method for each event, and a stack of the lists and dicts that are open."""

    def __init__(self, text: str, source: object, limits: Limits):
        self.text = text
        self.source = source
        self.limits = limits
        self.top: List[Any] = []                                # will hold the one value of the one document
        self.container: Any = self.top
        self.key: Any = None                                    # of the open dict: None where a key comes next
        self.stack: List[Tuple[Any, Any]] = []
        self.documents = 0
        self.nodes = 0
        self.handlers: Dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self.scalar,
            yaml.SequenceStartEvent: self.open_list, yaml.MappingStartEvent: self.open_dict,
            yaml.SequenceEndEvent: self.close, yaml.MappingEndEvent: self.close,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document, yaml.DocumentEndEvent: self.ignore,
            yaml.StreamStartEvent: self.ignore, yaml.StreamEndEvent: self.ignore}

    def result(self) -> Any:
        if not self.top:                                        # comments only
            raise refusal(self.source, 'the file is empty. Save the model again.')
        return self.top[0]

    def ignore(self, event: yaml.Event) -> None:
        pass

    def document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self.refusal(event, 'a second document begins here. Keep one for each file.')

    def alias(self, event: yaml.AliasEvent) -> None:
        raise self.refusal(event, f'an alias is not allowed. Write out what {excerpt(f"*{event.anchor}")} refers to.')

    def scalar(self, event: yaml.ScalarEvent) -> None:
        if event.anchor is not None or event.tag is not None:
            self.refuse_properties(event)
        self.nodes += 1
        if self.nodes > self.limits.max_nodes:
            self.refuse_nodes(event)
        if event.style == '"':                                  # only there are escapes
            self.check_escapes(event)
        if self.container.__class__ is dict and self.key is None:
            self.key = self.new_key(event)
        else:
            self.add(event.value if event.style else self.plain(event))

    def open_list(self, event: yaml.SequenceStartEvent) -> None:
        self.open(event, [])

    def open_dict(self, event: yaml.MappingStartEvent) -> None:
        self.open(event, {})

    def open(self, event: Any, container: Any) -> None:
        if event.anchor is not None or event.tag is not None:
            self.refuse_properties(event)
        self.nodes += 1
        if self.nodes > self.limits.max_nodes:
            self.refuse_nodes(event)
        if self.container.__class__ is dict and self.key is None:
            raise self.refusal(event, 'a key is a list or a dict. Write a string.')
        if len(self.stack) >= self.limits.max_depth:
            raise self.refusal(event, f'lists and dicts are nested deeper than {self.limits.max_depth}. '
                                      'Flatten the data.')
        self.add(container)
        self.stack.append((self.container, self.key))
        self.container, self.key = container, None

    def close(self, event: yaml.Event) -> None:
        self.container, self.key = self.stack.pop()

    def add(self, value: Any) -> None:
        if self.container.__class__ is dict:
            self.container[self.key] = value
            self.key = None
        else:
            self.container.append(value)

    def new_key(self, event: Any) -> str:
        key: str = event.value
        if event.start_mark.line != event.end_mark.line:
            raise self.refusal(event, f'the key {excerpt(key)} spans several lines. Write it on one.')
        if not event.style:
            if key == '<<':
                raise self.refusal(event, 'a merge key is not allowed. Write out its content.')
            if type(self.plain(event)) is not str:
                raise self.refusal(event, f'the key {excerpt(key)} is not a string. Put it in quotes.')
        if key in self.container:
            raise self.refusal(event, f'the key {excerpt(key)} is written twice. Remove one.')
        return key

    def plain(self, event: yaml.ScalarEvent) -> Any:
        """Return the value of an unquoted scalar, by JSON's rules."""
        text: str = event.value
        if text in WORDS:
            return WORDS[text]
        if not text:
            raise self.refusal(event, "a key or a value is missing. Write null, or '' for an empty string.")
        if text[0] in '-0123456789':
            match = NUMBER.fullmatch(text)
            if match:
                return self.number(event, match)
        if text[0] in '.-+NI' and NOT_FINITE.fullmatch(text):
            raise self.refusal(event, f'the number {excerpt(text)} is not allowed. Numbers in a file are finite.')
        return text

    def number(self, event: yaml.ScalarEvent, match: 're.Match[str]') -> Union[int, float]:
        try:
            return to_float(match[0]) if match[1] or match[2] else to_int(match[0])
        except RefusedNumber as error:
            number, reason = error.args
            raise self.refusal(event, f'the number {excerpt(number)} {reason}') from None

    def check_escapes(self, event: yaml.ScalarEvent) -> None:
        forbidden = FORBIDDEN_TEXT.search(event.value)
        if forbidden:
            raise self.refusal(event, f'the character {excerpt(forbidden[0])} is not allowed. Remove its escape.')

    def refuse_properties(self, event: Any) -> NoReturn:
        if event.anchor is not None:
            raise self.refusal(event, f'an anchor is not allowed. Remove {excerpt("&" + event.anchor)}.')
        tag = event.tag.replace('tag:yaml.org,2002:', '!!', 1)
        raise self.refusal(event, f'a tag is not allowed. Remove {excerpt(tag)}.')

    def refuse_nodes(self, event: yaml.Event) -> NoReturn:
        raise self.refusal(event, f'there are more than {self.limits.max_nodes} keys and values. '
                                  'If you trust the file, pass larger limits.')

    def refusal(self, event: Any, message: str) -> ModelFileError:
        # libyaml reports what is missing at the end one line too low.
        line = min(event.start_mark.line, len(_BREAK.findall(self.text))) + 1
        return refusal(f'{self.source}:{line}', message)
