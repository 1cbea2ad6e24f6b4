"""The one generator from which initial values and the order of samples are drawn, the same on every backend.

Random numbers inside a function (the masks of dropout) come from the backend's own stream instead.
"""
import contextvars
from typing import ContextManager, Optional

import numpy as np

from keraflow.checked import checked
from keraflow.contexts import bound
from keraflow.schema import Natural

__all__ = ['generator', 'seed', 'using']

_program = np.random.default_rng()
_other: contextvars.ContextVar[Optional[np.random.Generator]] = contextvars.ContextVar('_other', default=None)


def generator() -> np.random.Generator:
    """The generator in use."""
    return _other.get() or _program


@checked
def seed(value: Natural) -> None:
    """Start anew from an integer. ``keraflow.backend.seed`` does this and seeds the backend's stream too."""
    global _program
    _program = np.random.default_rng(value)
    if _other.get() is not None:
        _other.set(_program)


def using(other: np.random.Generator) -> ContextManager[None]:
    """Draw from another generator for a while. Other threads do not.

    Examples
    --------
    >>> with using(np.random.default_rng(0)):
    ...     a = generator().normal(size=3)
    >>> bool(np.all(a == np.random.default_rng(0).normal(size=3)))
    True
    """
    return bound(_other, other)
