"""What one array must be like to be an input, a target, or the weights of a model."""
from typing import Any, Callable, NamedTuple, Optional, Set, Tuple

import numpy as np

from keraflow.errors import warn

__all__ = ['ArraySpec', 'WarnOnce']


class WarnOnce:
    """Gives each kind of warning once, however many batches deserve it."""

    def __init__(self) -> None:
        self._kinds: Set[str] = set()

    def __call__(self, kind: str, text: str) -> None:
        if kind not in self._kinds:
            self._kinds.add(kind)
            warn(text)


class ArraySpec(NamedTuple):
    """What one array must be like, by which what the program gives is checked and cast.

    Attributes
    ----------
    name : str
        That of the Input or the output, for messages.
    shape : tuple
        With the axis of samples.
    dtype : str
    nb_class : int, optional
        For an array of numbers of classes: how many there are. Its last axis of length 1 may be left out.
    role : {'input', 'target', 'weights'}
    ignored : int, optional
        A number that may stand where there is no class.
    is_masked : bool
        Whether the prediction has a mask. What is at steps that it leaves out is known in the run alone, and values
        are checked there.
    doubt : function, optional
        Finds what can be computed with and is probably not meant: the samples, and words for it.
    warn : function
        Warns, of a kind and with a text.
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
        """That of an Input, which may have another name in a model."""
        return cls(name or kensor.name, (None, *kensor.shape[1:]), kensor.dtype, warn=WarnOnce())
