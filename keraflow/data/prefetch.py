"""Read batches in a thread while the model computes."""
import contextvars
import queue
import threading
from typing import Any, Iterable, Iterator, Optional, Tuple

__all__ = ['Prefetch']

_END = object()


class Prefetch:
    """A context that reads an iterable in a thread, a few items ahead. When it exits, the thread has ended.

    An error of the iterable is raised in place of its item, with the traceback of the iterable.

    Parameters
    ----------
    items : iterable
        Used only by the thread until the context is left.
    nb_ahead : int
        The number of items that may wait; the thread holds one more. They are lost if the context exits before the end.
    variables : contextvars.Context, optional
        The context variables of the thread, by default those where the object is made.

    Examples
    --------
    >>> with Prefetch(number ** 2 for number in range(4)) as squares:
    ...     list(squares)
    [0, 1, 4, 9]
    """

    def __init__(self, items: Iterable[Any], nb_ahead: int = 2, variables: Optional[contextvars.Context] = None):
        self._items = items
        self._ready: 'queue.Queue[Tuple[Any, Optional[BaseException]]]' = queue.Queue(nb_ahead)
        self._is_left = threading.Event()
        # A daemon, so that an iterable that never returns does not keep the program from ending.
        run = (variables or contextvars.copy_context()).run
        self._thread = threading.Thread(target=run, args=[self._read], name='keraflow-prefetch', daemon=True)

    def __enter__(self) -> Iterator[Any]:
        self._thread.start()
        return self._take()

    def __exit__(self, *_: Any) -> None:
        self._is_left.set()
        # Make room for the item that the thread may be about to put. Before the next one it sees that it must end.
        while not self._ready.empty():
            self._ready.get()
        self._thread.join()

    def _read(self) -> None:
        try:
            for item in self._items:
                if self._is_left.is_set():
                    return
                self._ready.put((item, None))
            end: Tuple[Any, Optional[BaseException]] = (_END, None)
        except BaseException as error:      # even a KeyboardInterrupt: the caller decides what it means
            end = (_END, error)
        if not self._is_left.is_set():
            self._ready.put(end)

    def _take(self) -> Iterator[Any]:
        while True:
            item, error = self._ready.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
