"""The phase in which a function is built: a plain Python fact, never a tensor."""
import contextlib
from typing import Any, Iterator

from keraflow.errors import ArgumentError

__all__ = ['phase', 'current_phase', 'in_train_phase']

_stack = ['test']


@contextlib.contextmanager
def phase(name: str) -> Iterator[None]:
    """Build what is inside for ``'train'`` or ``'test'``.

    Examples
    --------
    >>> with phase('train'):
    ...     in_train_phase(1, 2)
    1
    """
    if name not in ('train', 'test'):
        raise ArgumentError(f"phase: expected 'train' or 'test', received {name!r}.")
    _stack.append(name)
    try:
        yield
    finally:
        _stack.pop()


def current_phase() -> str:
    """``'train'`` or ``'test'`` (the default outside of any function)."""
    return _stack[-1]


def in_train_phase(x: Any, alternative: Any) -> Any:
    """`x` in a train function, `alternative` in every other one. Either may be a function without arguments, called
    only if chosen."""
    chosen = x if current_phase() == 'train' else alternative
    return chosen() if callable(chosen) else chosen
