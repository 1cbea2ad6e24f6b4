"""The phase in which a function is built: a plain Python value, never a tensor."""
import contextvars
from typing import Any, ContextManager

from keraflow.contexts import bound
from keraflow.errors import ArgumentError

__all__ = ['phase', 'current_phase', 'in_train_phase']

_phase: contextvars.ContextVar[str] = contextvars.ContextVar('_phase', default='test')


def phase(name: str) -> ContextManager[None]:
    """Build what is inside for ``'train'`` or ``'test'``, in this thread only.

    Raises
    ------
    ArgumentError
        For any other phase.

    Examples
    --------
    >>> with phase('train'):
    ...     in_train_phase(1, 2)
    1
    """
    if name not in ('train', 'test'):
        raise ArgumentError(f"phase: expected 'train' or 'test', received {name!r}.")
    return bound(_phase, name)


def current_phase() -> str:
    """Return ``'train'`` or ``'test'`` (the default outside any function)."""
    return _phase.get()


def in_train_phase(x: Any, alternative: Any) -> Any:
    """Return `x` in a train function, else `alternative`. A function among them is called only if chosen."""
    chosen = x if current_phase() == 'train' else alternative
    return chosen() if callable(chosen) else chosen
