"""The errors that keraflow raises, and the advice in their messages.

Every user's mistake is reported before the backend is called, with the same text on every backend: where it happened,
what was expected, what was received, and what to write instead. Names and values in a message may come from a file:
whoever raises an error, its message is printable and at most `MAX_MESSAGE` characters long.
"""
import difflib
import inspect
import os
import re
import sys
import warnings
from typing import Any, Iterable, Optional, Sequence, Tuple, Type, Union

import numpy as np

from keraflow.habits import advice_for, words_for

__all__ = ['KeraFlowError', 'KeraFlowWarning', 'KeraFlowDeprecationWarning', 'ArgumentError', 'ArgumentTypeError',
           'ShapeError', 'GraphError', 'CallError', 'PartsError', 'DataError', 'NotFiniteError', 'DownloadError',
           'SerializationError', 'ModelFileError', 'BackendError', 'MissingPackageError', 'MAX_MESSAGE', 'describe',
           'nearest', 'note', 'path_in_words', 'printable', 'suggestion', 'warn']

#: A message fits on a few lines of a terminal, whatever the names and values in it.
MAX_MESSAGE = 300
_MAX_WORD = 60
_NB_SHOWN = 3


class KeraFlowError(Exception):
    """Base of all errors that keraflow raises on purpose.

    Parameters
    ----------
    message : str
        Where it happened and what is wrong. Made printable, and beyond 300 characters shortened, if that is enough in
        the place alone, up to the first colon.
    differences : sequence of str
        Everything that is wrong, where it may be several things. The message goes on with the first three, or those
        of them for which there is room, and with how many more there are.
    advice : str
        What to write instead: the end of the message, which longer differences do not crowd out.

    Attributes
    ----------
    differences : tuple of str
        All differences, each as long as a message at most; empty for an error with one reason.

    Examples
    --------
    >>> error = KeraFlowError('m.yaml: 4 layers differ:', ['a', 'b', 'c', 'd'], 'Correct them.')
    >>> str(error)
    'm.yaml: 4 layers differ: a; b; c; and 1 more. Correct them.'
    >>> error.differences
    ('a', 'b', 'c', 'd')
    """

    differences: Tuple[str, ...] = ()

    def __init__(self, message: object = '', differences: Sequence[str] = (), advice: str = ''):
        if differences:
            self.differences = tuple(map(printable, differences))
            message = _with_differences(str(message), self.differences, advice)
        super().__init__(printable(message))


class KeraFlowWarning(UserWarning):
    """Base of all warnings: something can be computed, but is probably not what you intended."""


class KeraFlowDeprecationWarning(KeraFlowWarning, DeprecationWarning):
    """A later version removes what is used. The message says what to write instead."""


class ArgumentError(KeraFlowError, ValueError):
    """An argument has the right type but a value that cannot be used."""


class ArgumentTypeError(KeraFlowError, TypeError):
    """An argument has the wrong type, is missing, or does not exist."""


class ShapeError(KeraFlowError, ValueError):
    """A tensor or an array does not have the shape a layer or a model needs."""


class GraphError(KeraFlowError, ValueError):
    """Layers and Kensors are connected in a way that cannot be computed."""


class CallError(GraphError, AttributeError):
    """The only call of a layer is asked for, but there is not exactly one: ``hasattr`` of ``input_kensor`` is False."""


class PartsError(GraphError, AttributeError, TypeError):
    """The parts of a model are changed in place. ``hasattr(model.layers, 'append')`` is False, as for any tuple."""


class DataError(KeraFlowError, ValueError):
    """Data cannot be used: arrays given to ``fit``, ``evaluate`` or ``predict``, texts or images, a data set's file."""


class NotFiniteError(KeraFlowError, FloatingPointError):
    """The loss of a step of training, or a gradient, is NaN or infinite. The step has changed nothing.

    Attributes
    ----------
    problem : str
        What is not finite, in words.
    value : float
        Its value: NaN or infinite.
    epoch, batch : int or None
        Where in ``fit``, counted from 0.
    """

    def __init__(self, text: str, problem: str = '', value: float = float('nan'), epoch: Optional[int] = None,
                 batch: Optional[int] = None):
        super().__init__(text)
        self.problem = problem
        self.value = value
        self.epoch = epoch
        self.batch = batch


class DownloadError(KeraFlowError, OSError):
    """A data set cannot be downloaded, or the downloaded file is not the expected one."""


class SerializationError(KeraFlowError, ValueError):
    """An object cannot be turned into plain data, or plain data into an object.

    Attributes
    ----------
    steps : tuple of str and int
        The keys and indices that lead to what is wrong in the data.
    """

    steps: Tuple[Union[str, int], ...] = ()


class ModelFileError(SerializationError):
    """A file is damaged, is not a keraflow file, or does not fit the model."""


class MissingPackageError(KeraFlowError, ImportError):
    """A package that a part of keraflow needs is not installed."""


class BackendError(KeraFlowError, RuntimeError):
    """A backend is missing, unknown, or used with objects of another backend."""


def printable(text: object, most: int = MAX_MESSAGE) -> str:
    """Return a text that may come from a file as a message can hold it: escaped, and shortened to `most` characters.

    What is too long first loses the middle of the place that it begins with, ``PLACE: ``, which may be a long path;
    then that of its long words, and then its own: messages begin with where it happened and end with what to do.

    Examples
    --------
    >>> printable('dense\\x1b[31m')
    'dense\\\\x1b[31m'
    >>> printable('a' * 1000, 9)
    'aa...aaaa'
    >>> printable('/' + 'my models/' * 99 + 'm.yaml: the file is damaged. Save it again, with overwrite=True.', 120)
    '/my models/my mode...ls/my models/my models/m.yaml: the file is damaged. Save it again, with overwrite=True.'
    """
    shown = str(text)
    if len(shown) > most:
        # Long before it is escaped: a file's text may have megabytes.
        place, rest = _with_short_place(shown, most)
        shown = place + _without_middle(_LONG_WORD.sub(lambda word: _without_middle(word[0], _MAX_WORD), rest),
                                        most - len(place))
    return _without_middle(_escaped(shown), most)


def _escaped(text: str) -> str:
    return text if text.isprintable() else ''.join(one if one.isprintable() else repr(one)[1:-1] for one in text)


_LONG_WORD = re.compile(r'\S{%d,}' % (_MAX_WORD + 1))


def _without_middle(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    head = (most - 3) // 3
    return f'{text[:head]}...{text[head + 3 - most:]}'


def _with_short_place(text: str, most: int) -> Tuple[str, str]:
    """Split a message into a long place that it begins with, made as short as needed but no shorter than a word, and
    the rest."""
    place, colon, rest = text.partition(': ')
    if not colon or not _MAX_WORD < len(place) or most < 2 * _MAX_WORD:
        return '', text
    room = max(_MAX_WORD, most - len(colon) - len(rest))
    return _without_middle(_escaped(_without_middle(place, room)), room) + colon, rest


def _with_differences(lead: str, differences: Tuple[str, ...], advice: str) -> str:
    """Write the first differences between a message and its advice: those that fit whole, or a part of the first."""
    for count in range(min(len(differences), _NB_SHOWN), 0, -1):
        end = f'; and {len(differences) - count} more.' if len(differences) > count else '.'
        end += f' {advice}' if advice else ''
        text = ''.join(_with_short_place(f"{lead} {'; '.join(differences[:count])}{end}", MAX_MESSAGE))
        if len(text) <= MAX_MESSAGE:
            return text
    lead, end = printable(lead, MAX_MESSAGE // 3), printable(end, MAX_MESSAGE // 3)
    return f'{lead} {printable(differences[0], MAX_MESSAGE - len(lead) - 1 - len(end))}{end}'


def path_in_words(path: Union[str, 'os.PathLike[str]']) -> str:
    """Return a path as it is written in the middle of a message: not so long that the words have no room."""
    return printable(os.fspath(path), MAX_MESSAGE // 3)


def describe(value: Any) -> str:
    """Describe a value for a message, in at most 80 characters and the same in every run.

    Examples
    --------
    >>> describe([1, 2]), describe(len), describe(dict)
    ('[1, 2]', 'function len', 'class dict')
    """
    if isinstance(value, np.ndarray):
        return f'an array of shape {value.shape}'
    if inspect.isroutine(value) or inspect.isclass(value):
        return f"{'class' if inspect.isclass(value) else 'function'} {value.__name__}"
    try:
        text = repr(value)
    except Exception:   # a failing __repr__ of the user, or an integer with thousands of digits
        text = ''
    if not text or re.search(r'<.* at 0x[0-9a-f]+>', text):
        return f'an object of class {type(value).__name__}'
    return text if len(text) <= 60 else f'{type(value).__name__} {text[:50]}...'


def nearest(name: str, choices: Iterable[str]) -> str:
    """Advise on an unknown name: our word for that of another library, the nearest spelling, or the list of choices.

    Examples
    --------
    >>> nearest('sofmax', ['softmax', 'tanh'])
    "Did you mean 'softmax'?"
    >>> nearest('units', ['output_dim', 'bias']), nearest('lerning_rate', ['lr', 'decay'])
    ("Did you mean 'output_dim'?", "Did you mean 'lr'?")
    >>> nearest('zzz', ['softmax', 'tanh'])
    'Choose one of softmax, tanh.'
    """
    names = sorted(set(choices))
    return suggestion(name, names) or (f"Choose one of {', '.join(names)}." if names else '')


def suggestion(name: str, choices: Iterable[str]) -> str:
    """Advise as :func:`nearest` does, but of many choices: nothing, if none is near."""
    names = sorted(set(choices))
    known = advice_for(name, names)
    if known:
        return known
    # A word of another library must match closely: slightly similar ones mostly mean something else.
    words, own = words_for(names), {candidate.lower(): candidate for candidate in names}
    written = str(name).lower()
    close = difflib.get_close_matches(written, list(words), 1, 0.85) or difflib.get_close_matches(written, list(own), 1)
    return f"Did you mean '{own.get(close[0]) or words[close[0]]}'?" if close else ''


#: Python 3.10 does not show notes.
_SHOWS_NOTES = sys.version_info >= (3, 11)


def note(error: BaseException, text: str) -> None:
    """Add a line that Python shows with the error, whose class and message stay the same.

    It is a note below it, and before Python 3.11 an error that is shown before it.
    """
    error.__notes__ = [*getattr(error, '__notes__', ()), text]      # type: ignore[attr-defined]
    if not _SHOWS_NOTES:
        seen = {id(error)}
        before = _shown_before(error)
        while before is not None and id(before) not in seen:
            seen.add(id(before))
            error, before = before, _shown_before(before)
        error.__cause__ = KeraFlowError(text)


def _shown_before(error: BaseException) -> Optional[BaseException]:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def warn(text: str, kind: Type[KeraFlowWarning] = KeraFlowWarning) -> None:
    """Issue a KeraFlowWarning at the user's line: the one that called keraflow."""
    frame, depth, level = inspect.currentframe(), 0, 1
    # To the outermost one: keraflow may call the program, which calls keraflow.
    while frame is not None:
        depth += 1
        if frame.f_globals.get('__name__', '').partition('.')[0] == 'keraflow':
            level = depth + 1
        frame = frame.f_back
    warnings.warn(printable(text), kind, stacklevel=level)
