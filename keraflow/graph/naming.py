"""Names of layers and models that the user did not name.

A layer is numbered in the program (``dense1``, ``dense2``, ...) until a model takes it, and then within that model:
:mod:`keraflow.layers.network_names`.
"""
import re
import threading
from collections import Counter
from typing import Dict, List, Optional, Sequence, Set

from keraflow.errors import GraphError

__all__ = ['LOCK', 'check_only', 'claim', 'distinct', 'two_of_one_name', 'unique']

#: Held while a name is assigned, so that two threads never assign one name twice, or name one layer twice.
#: Reentrant, because those who hold it call :func:`unique`.
LOCK = threading.RLock()

_counts: Dict[str, int] = {}
_NUMBERED = re.compile(r'(.*?)([1-9][0-9]*)')


def unique(prefix: str) -> str:
    """Return the next free name with this prefix."""
    with LOCK:
        _counts[prefix] = _counts.get(prefix, 0) + 1
        return f'{prefix}{_counts[prefix]}'


def claim(name: str) -> None:
    """Reserve a name such as ``dense3``; :func:`unique` continues with higher numbers."""
    match = _NUMBERED.fullmatch(name)
    if match is not None:
        prefix, number = match[1], int(match[2])
        with LOCK:
            _counts[prefix] = max(number, _counts.get(prefix, 0))


def distinct(kept: Sequence[Optional[str]], prefixes: Sequence[str], first: int = 1) -> List[str]:
    """Name several things: each keeps its own name, or gets its prefix with a number.

    A name that several want to keep is kept by none: all of these are numbered.

    Examples
    --------
    >>> distinct([None, 'dense1', None, 'a', 'a'], ['dense'] * 5)
    ['dense2', 'dense1', 'dense3', 'dense4', 'dense5']
    """
    times = Counter(name for name in kept if name is not None)
    taken: Set[str] = set(times)
    numbers: Dict[str, int] = {}
    names = []
    for name, prefix in zip(kept, prefixes):
        if name is None or times[name] > 1:
            number = numbers.get(prefix, first)
            while f'{prefix}{number}' in taken:
                number += 1
            numbers[prefix] = number + 1
            name = f'{prefix}{number}'
            taken.add(name)
        names.append(name)
    return names


def check_only(names: Sequence[str], where: str, what: str) -> None:
    """Raise if a name means several things, which have the given names here."""
    if len(names) > 1:
        raise GraphError(f"{where} may mean {len(names)} {what}. Here they are called {', '.join(names)}: write one of "
                         'these.')


def two_of_one_name(name: str) -> str:
    """Describe the error that two layers of a model have the same name."""
    return (f"'{name}' is the name of two layers. Give each layer of a model its own name, as copy.deepcopy gives "
            'copies.')
