"""What holds for the code inside of a block, in this thread alone: context variables with other values for a while."""
import contextlib
import contextvars
from typing import Any

__all__ = ['bound']


class bound(contextlib.ContextDecorator):
    """Inside, a context variable has this value.

    A class and no generator, because whoever links or runs a layer enters eight of them.

    Examples
    --------
    >>> level = contextvars.ContextVar('level', default=0)
    >>> with bound(level, 1):
    ...     level.get()
    1
    >>> level.get()
    0
    """

    def __init__(self, variable: contextvars.ContextVar, value: Any):
        self._variable = variable
        self._value = value

    def __enter__(self) -> None:
        self._before = self._variable.get()
        self._variable.set(self._value)

    def __exit__(self, *error: Any) -> None:
        self._variable.set(self._before)        # no reset(), which refuses a generator that another thread closes

    def _recreate_cm(self) -> 'bound':
        return bound(self._variable, self._value)       # each call of a function that it decorates has its own
