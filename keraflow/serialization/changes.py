"""Notice that objects were changed, so that what was built with them is built anew."""
import itertools
from typing import Any, Callable, Iterable

__all__ = ['Changes']


class Changes:
    """Whether any of the objects that something was built with was changed since the last time that this was asked.

    Every change of any object gets the next number, which the object keeps. While nothing at all is changed, asking
    costs one comparison.
    """

    _numbers = itertools.count(1)
    _latest = 0

    def __init__(self) -> None:
        self._seen = Changes._latest

    @classmethod
    def count(cls) -> int:
        """Return the number of a change that is made now."""
        cls._latest = next(cls._numbers)
        return cls._latest

    def are_there(self, objects: Callable[[], Iterable[Any]]) -> bool:
        """Return whether one of these objects, or of those that they keep, was changed."""
        if self._seen == Changes._latest:
            return False
        before, self._seen = self._seen, Changes._latest
        waiting, met = list(objects()), set()
        while waiting:
            one = waiting.pop()
            if isinstance(one, (list, tuple, dict)):
                waiting.extend(one.values() if isinstance(one, dict) else one)
            elif hasattr(type(one), '_set_at') and id(one) not in met:
                met.add(id(one))
                if one._set_at > before:
                    return True
                waiting.extend(value for name, value in vars(one).items() if name[0] != '_')
        return False
