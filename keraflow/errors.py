"""The errors that keraflow raises, and the advice in their messages.

Every user's mistake is reported before the backend is called, with the same text on every backend: where it happened,
what was expected, what was received, and what to write instead.
"""
import difflib
import inspect
import re
import warnings
from typing import Any, Iterable, Type

import numpy as np

from keraflow.habits import advice_for, words_for

__all__ = ['KeraFlowError', 'KeraFlowWarning', 'KeraFlowDeprecationWarning', 'ArgumentError', 'ArgumentTypeError',
           'ShapeError', 'GraphError', 'CallError', 'PartsError', 'DataError', 'DownloadError', 'SerializationError',
           'ModelFileError', 'BackendError', 'MissingPackageError', 'describe', 'nearest', 'note', 'warn']


class KeraFlowError(Exception):
    """Base of all errors that keraflow raises on purpose."""


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


class DownloadError(KeraFlowError, OSError):
    """A data set cannot be downloaded, or the downloaded file is not the expected one."""


class SerializationError(KeraFlowError, ValueError):
    """An object cannot be turned into plain data, or plain data into an object."""


class ModelFileError(SerializationError):
    """A file is damaged, is not a keraflow file, or does not fit the model."""


class MissingPackageError(KeraFlowError, ImportError):
    """A package that a part of keraflow needs is not installed."""


class BackendError(KeraFlowError, RuntimeError):
    """A backend is missing, unknown, or used with objects of another backend."""


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
    known = advice_for(name, names)
    if known:
        return known
    # A word of another library must match closely: slightly similar ones mostly mean something else.
    words, own = words_for(names), {candidate.lower(): candidate for candidate in names}
    written = str(name).lower()
    close = difflib.get_close_matches(written, list(words), 1, 0.85) or difflib.get_close_matches(written, list(own), 1)
    if close:
        return f"Did you mean '{own.get(close[0]) or words[close[0]]}'?"
    return f"Choose one of {', '.join(names)}." if names else ''


def note(error: BaseException, text: str) -> None:
    """Add a line that Python 3.11 shows below the error; the error itself stays the same."""
    error.__notes__ = [*getattr(error, '__notes__', ()), text]      # type: ignore[attr-defined]


def warn(text: str, kind: Type[KeraFlowWarning] = KeraFlowWarning) -> None:
    """Issue a KeraFlowWarning at the user's line: the one that called keraflow."""
    frame, depth, level = inspect.currentframe(), 0, 1
    # To the outermost one: keraflow may call the program, which calls keraflow.
    while frame is not None:
        depth += 1
        if frame.f_globals.get('__name__', '').partition('.')[0] == 'keraflow':
            level = depth + 1
        frame = frame.f_back
    warnings.warn(text, kind, stacklevel=level)
