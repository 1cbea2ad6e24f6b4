"""The one generator from which initial values and the order of samples are drawn, the same on every backend.

Random numbers inside a function (the masks of dropout) come from the backend's own stream instead.
"""
import contextlib
from typing import Iterator

import numpy as np

from keraflow.checked import checked
from keraflow.schema import Natural

__all__ = ['generator', 'seed', 'using']

_current = np.random.default_rng()


def generator() -> np.random.Generator:
    """The generator in use."""
    return _current


@checked
def seed(value: Natural) -> None:
    """Start anew from an integer. ``keraflow.backend.seed`` does this and seeds the backend's stream too."""
    global _current
    _current = np.random.default_rng(value)


@contextlib.contextmanager
def using(other: np.random.Generator) -> Iterator[None]:
    """Draw from another generator for a while.

    Examples
    --------
    >>> with using(np.random.default_rng(0)):
    ...     a = generator().normal(size=3)
    >>> bool(np.all(a == np.random.default_rng(0).normal(size=3)))
    True
    """
    global _current
    before, _current = _current, other
    try:
        yield
    finally:
        _current = before
