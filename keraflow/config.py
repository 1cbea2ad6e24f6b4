"""Settings from four sources: defaults, a file, the environment, the program. The later one wins.

=========  ======================  ======================  ================================================
setting    environment             key of the file         values (default)
=========  ======================  ======================  ================================================
backend    ``KERAFLOW_BACKEND``    ``"backend"``           an installed one (tensorflow, jax, ..., numpy)
floatx     ``KERAFLOW_FLOATX``     ``"floatx"``            float32, float64 (float32)
epsilon    ``KERAFLOW_EPSILON``    ``"epsilon"``           a number between 0 and 0.1 (1e-7)
=========  ======================  ======================  ================================================

The file is ``keraflow.json`` in the folder ``~/.keraflow`` or, if it is set, ``KERAFLOW_HOME``. It is only ever read.
"""
import functools
import json
import os
from typing import Any, NamedTuple

from keraflow.errors import ArgumentError, nearest

__all__ = ['Setting', 'home', 'read', 'setting', 'set_program']


class Setting(NamedTuple):
    """A value and, for messages, its source."""

    value: Any
    source: str


def _backend(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError('the name of a backend')
    return value.lower()


def _floatx(value: Any) -> str:
    if value not in ('float32', 'float64'):
        raise ValueError("'float32' or 'float64'")
    return value


def _epsilon(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = 0.
    if not 0. < number < 0.1:
        raise ValueError('a number between 0 and 0.1')
    return number


_READERS = {'backend': _backend, 'floatx': _floatx, 'epsilon': _epsilon}
_DEFAULTS = {'backend': None, 'floatx': 'float32', 'epsilon': 1e-7}
_program: dict = {}


def setting(key: str) -> Setting:
    """Return the value of a setting and its source.

    Examples
    --------
    >>> setting('epsilon').value
    1e-07
    """
    if key in _program:
        return _program[key]
    variable = f'KERAFLOW_{key.upper()}'
    if os.environ.get(variable):      # an empty one counts as not set
        return read(key, os.environ[variable], f'the environment variable {variable}')
    path = os.path.join(home(), 'keraflow.json')
    in_file = _read_file(path)
    if key in in_file:
        return read(key, in_file[key], path)
    return Setting(_DEFAULTS[key], 'the default')


def home() -> str:
    """Return the folder of the settings and of downloaded data sets."""
    return os.environ.get('KERAFLOW_HOME') or os.path.expanduser('~/.keraflow')


def set_program(key: str, value: Any) -> None:
    """Set a value from the program, which overrides all other sources."""
    _program[key] = read(key, value, 'the program')


def read(key: str, value: Any, source: str) -> Setting:
    """Check a value from some source.

    Raises
    ------
    ArgumentError
        The setting does not allow the value.
    """
    try:
        return Setting(_READERS[key](value), source)
    except ValueError as error:
        raise ArgumentError(f'{key}: expected {error}, received {value!r} from {source}.') from None


@functools.lru_cache(maxsize=1)      # read once; another home is read anew
def _read_file(path: str) -> dict:
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ArgumentError(f'{path}: cannot be read as JSON ({error}). Correct it or remove it.') from None
    if not isinstance(content, dict):
        raise ArgumentError(f'{path}: expected an object like {{"backend": "theano"}}.')
    for key in content:
        if key not in _READERS:
            raise ArgumentError(f'{path}: there is no setting {key!r}. {nearest(key, _READERS)}')
    return content
