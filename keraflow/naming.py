"""Names for layers and models that the user did not name: ``dense1``, ``dense2``, ..."""
import re
import threading
from typing import Dict

__all__ = ['LOCK', 'unique', 'claim']

#: Held while a name is given, so that two threads do not give one name twice, or one layer two names.
LOCK = threading.RLock()

_counts: Dict[str, int] = {}
_NUMBERED = re.compile(r'(.*?)([1-9][0-9]*)')


def unique(prefix: str) -> str:
    """The next free name with this prefix."""
    with LOCK:
        _counts[prefix] = _counts.get(prefix, 0) + 1
        return f'{prefix}{_counts[prefix]}'


def claim(name: str) -> bool:
    """Take a name such as ``dense3`` if :func:`unique` has not given it away yet; later names have higher numbers."""
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return True
    prefix, number = match[1], int(match[2])
    with LOCK:
        if number <= _counts.get(prefix, 0):
            return False
        _counts[prefix] = number
        return True
