"""What an array must be like to be an input, a target, or sample weights."""
from typing import Any, Callable, NamedTuple, Optional, Set, Tuple

import numpy as np

from keraflow.errors import warn

__all__ = ['ArraySpec', 'WarnOnce']


class WarnOnce:
    """Give each kind of warning once, however many batches deserve it."""

    def __init__(self) -> None:
        self._kinds: Set[str] = set()

    def __call__(self, kind: str, text: str) -> None:
        if kind not in self._kinds:
            self._kinds.add(kind)
            warn(text)


class ArraySpec(NamedTuple):
    """What an array must be like. Arrays from the program are checked and cast by it.

    Attributes
    ----------
    name : str
        The name of the Input or output, for messages.
    shape : tuple
        Includes the sample axis.
    dtype : str
    nb_class : int, optional
        The number of classes, for an array of numbers of classes. Its last axis of length 1 may be omitted.
    role : {'input', 'target', 'weights'}
    ignored : int, optional
        A number that marks samples without a class.
    is_masked : bool
        Whether the prediction has a mask. Which values it excludes is known only in the run, so they are checked there.
    doubt : function, optional
        Finds values that are valid but probably not intended: which samples, and a text.
    warn : function
        Called with a kind and a text.
    """

    name: str
    shape: tuple
    dtype: str
    nb_class: Optional[int] = None
    role: str = 'input'
    ignored: Optional[int] = None
    is_masked: bool = False
    doubt: Optional[Callable[[np.ndarray], Optional[Tuple[np.ndarray, str]]]] = None
    warn: Callable[[str, str], None] = lambda kind, text: warn(text)

    @classmethod
    def of(cls, kensor: Any, name: Optional[str] = None) -> 'ArraySpec':
        """Return the spec of an Input, which may have another name in a model."""
        return cls(name or kensor.name, (None, *kensor.shape[1:]), kensor.dtype, warn=WarnOnce())
