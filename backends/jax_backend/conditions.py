"""Conditions that a run must find true: results of what is compiled, which has no errors."""
import contextlib
import contextvars
from typing import Any, Iterator, List, Optional, Tuple

from keraflow.contexts import bound
from keraflow.errors import DataError

from .library import jax, jnp

__all__ = ['collecting', 'require']

Conditions = List[Tuple[str, Any]]

_collected: 'contextvars.ContextVar[Optional[Conditions]]' = contextvars.ContextVar('_collected', default=None)


@contextlib.contextmanager
def collecting() -> Iterator[Conditions]:
    """Collect what is required inside the block, while it is traced: messages, with whether the conditions hold."""
    found: Conditions = []
    with bound(_collected, found):
        yield found


def require(x: Any, condition: Any, message: str) -> Any:
    """
    Return `x`, and require a condition: at once if its value is known, as of one that follows from lengths.

    Raises
    ------
    DataError
        With `message`, if the condition is known not to hold.
    """
    collected, holds = _collected.get(), condition.all()
    if not isinstance(holds, jax.core.Tracer):
        if not holds:
            raise DataError(message)
    elif collected is not None:     # else the program itself compiles
        collected.append((message, jnp.asarray(holds)))
    return x
