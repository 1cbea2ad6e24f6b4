"""How many batches go into one call."""
import time
from typing import Any, Iterator

__all__ = ['Pace']


class Pace:
    """Cut batches into parts, so that each takes about as long as a program may go without an answer.

    Between parts Ctrl-C is answered, and the progress bar moves. How long they are changes no result.

    Examples
    --------
    >>> [len(part) for part in Pace().parts(range(12))]     # done at once, so they grow
    [1, 2, 4, 5]
    """

    #: The seconds of a part, about: between half of them and all.
    seconds = 0.2

    def __init__(self) -> None:
        self._nb_batch = 1

    def parts(self, indices: Any) -> Iterator[Any]:
        """Yield the rows or items of `indices`, some at a time; the time until the next request is what they took."""
        at = 0
        while at < len(indices):
            some, start = indices[at:at + self._nb_batch], time.perf_counter()
            yield some
            passed, at = time.perf_counter() - start, at + len(some)
            if passed > self.seconds:
                self._nb_batch = max(1, self._nb_batch // 2)
            elif passed < self.seconds / 2 and len(some) == self._nb_batch:
                self._nb_batch *= 2
