"""Check what may be written: exactly what the parsers return, and nothing that they would refuse."""
import math
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from keraflow.errors import ModelFileError
from keraflow.files.limits import Limits
from keraflow.files.refusal import excerpt, refusal
from keraflow.files.scalars import FORBIDDEN_TEXT, MAX_DIGITS

__all__ = ['check_plain']

_LARGEST_INT = 10 ** MAX_DIGITS


def check_plain(data: Any, limits: Limits = Limits()) -> None:
    """Refuse data that would not be equal when read back.

    Types are exact (a ``numpy.float64`` or a tuple would come back as something else), floats are finite, integers
    have at most 17 digits, keys are strings. The walk is iterative; data that contains itself runs into `max_depth`.

    Parameters
    ----------
    data : None, bool, int, float, str, list or dict
        Nested to any depth that `limits` allow.
    limits : Limits
        The same limits as for reading.

    Raises
    ------
    ModelFileError
        With the place in the data.

    Examples
    --------
    >>> check_plain({'layers': [{'units': 3}]})
    >>> check_plain({'layers': [{'units': (3, 4)}]})
    Traceback (most recent call last):
    keraflow.errors.ModelFileError: data.layers[0].units: a tuple is not plain data. Pass a list.
    """
    trail: List[Tuple[Any, Iterator[Any]]] = []
    keys: List[Any] = []                                        # where we are: one key or index for each open container
    item, nodes = data, 0
    while True:
        nodes += 1
        kind = type(item)
        check = _CHECKS.get(kind)
        problem = check(item) if check else _wrong_type(item)
        if problem:
            raise _refuse_at(keys, problem)
        if nodes > limits.max_nodes:
            raise _refuse_at(keys, f'there are more than {limits.max_nodes} keys and values. Pass larger limits.')
        if kind is list or kind is dict:
            if len(trail) >= limits.max_depth:
                raise _refuse_at(keys, f'the data are nested deeper than {limits.max_depth}, or contain themselves. '
                                       'Flatten them.')
            nodes += len(item) if kind is dict else 0
            trail.append((item, iter(item) if kind is dict else iter(range(len(item)))))
            keys.append(None)
        while trail:                                            # on to the next value, out of what is exhausted
            container, rest = trail[-1]
            key = next(rest, _END)
            if key is not _END:
                keys[-1] = key
                item = container[key]
                break
            trail.pop()
            keys.pop()
        else:
            return


_END = object()


def _check_int(value: int) -> Optional[str]:
    if -_LARGEST_INT < value < _LARGEST_INT:
        return None
    return f'the integer has more than {MAX_DIGITS} digits. Pass a string.'


def _check_float(value: float) -> Optional[str]:
    return None if math.isfinite(value) else f'{value} cannot be saved. Numbers in a file are finite.'


def _check_str(value: str) -> Optional[str]:
    if not FORBIDDEN_TEXT.search(value):
        return None
    return f'the string {excerpt(value)} holds NUL or half a surrogate pair. Remove it.'


def _check_dict(value: Dict[Any, Any]) -> Optional[str]:
    for key in value:
        if type(key) is not str:
            return f'the key {excerpt(key)} is not a string. Name it with one.'
        if FORBIDDEN_TEXT.search(key):
            return f'the key {excerpt(key)} holds NUL or half a surrogate pair. Remove it.'
    return None


def _accept(value: object) -> Optional[str]:
    return None


def _wrong_type(value: object) -> str:
    name = type(value).__name__[:60]
    if isinstance(value, tuple):
        return f'a {name} is not plain data. Pass a list.'
    return f'a {name} is not plain data. Pass None, a bool, an int, a float, a str, a list or a dict.'


_CHECKS: Dict[type, Callable[[Any], Optional[str]]] = {
    type(None): _accept, bool: _accept, int: _check_int, float: _check_float, str: _check_str, list: _accept,
    dict: _check_dict}


def _refuse_at(keys: List[Any], problem: str) -> ModelFileError:
    steps = (f'[{key}]' if type(key) is int else f'.{key}' for key in keys[:50])
    return refusal('data' + ''.join(steps), problem)
