"""Assertions with messages in one form."""
from typing import Any, Callable

__all__ = ['expect', 'refuses']


def expect(holds: bool, expected: Any, received: Any) -> None:
    """Raise unless it holds."""
    if not holds:
        raise AssertionError(f'expected {expected}, received {received}.')


def refuses(kind: Any, text: str, function: Callable, *args: Any) -> None:
    """Raise unless a call raises an error of this kind with this text."""
    try:
        function(*args)
    except kind as error:
        expect(text in str(error), f'the message {text!r}', repr(str(error)))
    else:
        raise AssertionError(f'expected {kind.__name__}: {text}, received no error.')
