"""Read batches in a thread while the model computes."""
import collections
import contextvars
import threading
from typing import Any, Callable, Deque, Iterable, Iterator, List, Optional, Tuple

__all__ = ['Prefetch']

_END = object()


class Prefetch:
    """A context that reads an iterable in a thread, a few items ahead. When it exits, the thread has ended.

    An error of the iterable is raised in place of its item, with the traceback of the iterable.

    Parameters
    ----------
    items : iterable
        Used only by the thread until the context is left.
    room : int
        The thread reads on while the items that wait have a smaller size in all; it holds one more. They are lost if
        the context exits before the end.
    size : function, optional
        Returns the size of an item, at least 1; by default all have 1.
    join : function, optional
        Takes all items that wait whenever one is needed, as a list, and returns what is given in their place.
    variables : contextvars.Context, optional
        The context variables of the thread, by default those where the object is made.

    Attributes
    ----------
    is_reading : bool
        Whether the thread goes through the iterable: even behind the context, if what waited for it was interrupted.

    Examples
    --------
    >>> with Prefetch(number ** 2 for number in range(4)) as squares:
    ...     list(squares)
    [0, 1, 4, 9]
    """

    def __init__(self, items: Iterable[Any], room: int = 2, size: Callable[[Any], int] = lambda item: 1,
                 join: Optional[Callable[[List[Any]], Iterable[Any]]] = None,
                 variables: Optional[contextvars.Context] = None):
        self._items = items
        self._room = room
        self._size = size
        self._join = join
        self._waiting: Deque[Tuple[Any, int]] = collections.deque()     # with their sizes
        self._used = 0
        self._error: Optional[BaseException] = None     # that comes after them
        self._is_left = False
        self.is_reading = False     # not is_alive of the thread, which is False once a join was interrupted
        self._changed = threading.Condition()
        # A daemon, so that an iterable that never returns does not keep the program from ending.
        run = (variables or contextvars.copy_context()).run
        self._thread = threading.Thread(target=run, args=[self._read], name='keraflow-prefetch', daemon=True)

    def __enter__(self) -> Iterator[Any]:
        self.is_reading = True
        self._thread.start()
        return self._give()

    def __exit__(self, *_: Any) -> None:
        with self._changed:
            self._is_left = True
            self._changed.notify_all()
        self._thread.join()
        self._waiting.clear()

    def _read(self) -> None:
        try:
            for item in self._items:
                if not self._put(item, self._size(item)):
                    return
        except BaseException as error:      # even a KeyboardInterrupt: the caller decides what it means
            self._error = error
        finally:
            self.is_reading = False
        self._put(_END, 0)

    def _put(self, item: Any, size: int) -> bool:
        """Let an item wait, once there is room, and return whether there will be others."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_left or self._used < self._room or item is _END)
            self._waiting.append((item, size))
            self._used += size
            self._changed.notify_all()
            return not self._is_left

    def _take(self) -> Tuple[List[Any], bool]:
        """Return the next item, or all that wait if they are joined, and whether others follow."""
        some: List[Any] = []
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            while self._waiting and not (some and self._join is None):
                item, size = self._waiting.popleft()
                self._used -= size
                some.append(item)
            self._changed.notify_all()
        return (some, True) if some[-1] is not _END else (some[:-1], False)

    def _give(self) -> Iterator[Any]:
        follows = True
        while follows:
            some, follows = self._take()
            yield from some if self._join is None or not some else self._join(some)
        if self._error is not None:
            raise self._error
