"""FirstRun: what the parameters of a layer were made for."""
import threading
from typing import Any, Dict, List, Optional

from keraflow.backend.contract import TensorSpec

__all__ = ['FirstRun']


class FirstRun:
    """The first run of a layer, which makes its parameters and slots.

    Attributes
    ----------
    lock : RLock or None
        Held during it; ``None`` when it is over.
    specs : list of TensorSpec
        Those of the input tensors.
    arguments : dict
        The other arguments, with specs in place of tensors.
    """

    __slots__ = ('lock', 'specs', 'arguments')

    def __init__(self) -> None:
        self.lock: Optional[Any] = threading.RLock()
        self.forget()

    @property
    def is_over(self) -> bool:
        """Whether all parameters and slots are made."""
        return self.lock is None

    def forget(self) -> None:
        """Return to the state before it."""
        self.lock = self.lock or threading.RLock()
        self.specs: List[TensorSpec] = []
        self.arguments: Dict[str, Any] = {}
