"""Functions that are built on first use, once, by whichever thread is first."""
import threading
from typing import Any, Callable, Optional

__all__ = ['Compiled']


class Compiled:
    """A function of arrays that is built by its first call, or before that by :meth:`build`.

    Parameters
    ----------
    make : function
        Builds and returns the function.

    Examples
    --------
    >>> run = Compiled(lambda: print('built') or abs)
    >>> run(-1), run(-2)
    built
    (1, 2)
    """

    def __init__(self, make: Callable[[], Callable]):
        self._make = make
        self._run: Optional[Callable] = None
        self._building = threading.RLock()

    def build(self) -> Callable:
        """Return the function, building it if necessary."""
        if self._run is None:
            with self._building:
                self._run = self._run or self._make()      # another thread may have built it meanwhile
        return self._run

    def __call__(self, *arrays: Any) -> Any:
        return (self._run or self.build())(*arrays)
