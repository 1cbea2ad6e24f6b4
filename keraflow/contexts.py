"""What holds for the code inside of a block, in this thread alone: context variables with other values for a while."""
import contextlib
import contextvars
from typing import Any, Iterator

__all__ = ['bound']


@contextlib.contextmanager
def bound(variable: contextvars.ContextVar, value: Any) -> Iterator[None]:
    """Inside, a context variable has this value.

    Examples
    --------
    >>> level = contextvars.ContextVar('level', default=0)
    >>> with bound(level, 1):
    ...     level.get()
    1
    >>> level.get()
    0
    """
    before = variable.get()
    variable.set(value)
    try:
        yield
    finally:
        variable.set(before)        # no reset(), which refuses a generator that another thread closes
