"""Names for layers and models that the user did not name: ``dense1``, ``dense2``, ..."""
import re
from typing import Dict

__all__ = ['unique', 'claim']

_counts: Dict[str, int] = {}
_NUMBERED = re.compile(r'(.*?)([1-9][0-9]*)')


def unique(prefix: str) -> str:
    """The next free name with this prefix."""
    _counts[prefix] = _counts.get(prefix, 0) + 1
    return f'{prefix}{_counts[prefix]}'


def claim(name: str) -> bool:
    """Take a name such as ``dense3`` if :func:`unique` has not given it away yet; later names have higher numbers."""
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return True
    prefix, number = match[1], int(match[2])
    if number <= _counts.get(prefix, 0):
        return False
    _counts[prefix] = number
    return True
