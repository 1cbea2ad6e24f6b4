"""What keraflow knows of a raw tensor beyond what the backend knows, kept as one record on the tensor itself."""
from typing import Any, Callable, NamedTuple, Optional

__all__ = ['Facts', 'Logs', 'facts_of', 'features_of', 'remember', 'has_facts']

_ATTRIBUTE = '_keraflow_facts'


class Logs(NamedTuple):
    """Functions that compute logarithms: of probabilities, and of what is left to 1, where that is known."""

    of: Callable[[], Any]
    of_rest: Optional[Callable[[], Any]] = None


class Facts(NamedTuple):
    """A record of a tensor.

    Attributes
    ----------
    shape : tuple or None
        Static shape, where a layer said so.
    mask : tensor or None
        True where a sample (or a time step) counts.
    logs : Logs or None
        The logarithms of a tensor of probabilities, where they are known better than from the probabilities.
    features : int or None
        The axis of the features (the channels of images), counted from the end.
    """

    shape: Optional[tuple] = None
    mask: Any = None
    logs: Optional[Logs] = None
    features: Optional[int] = None


def has_facts(tensor: Any) -> bool:
    """Whether anything was recorded of `tensor`."""
    return hasattr(tensor, _ATTRIBUTE)


def facts_of(tensor: Any) -> Facts:
    """The record of `tensor`; empty if there is none."""
    return getattr(tensor, _ATTRIBUTE, Facts())


def features_of(tensor: Any) -> int:
    """The axis of the features of `tensor`, counted from the end: the last one unless another is known."""
    features = facts_of(tensor).features
    return -1 if features is None else features


def remember(tensor: Any, **changes: Any) -> Any:
    """Record something of `tensor`, and return it."""
    setattr(tensor, _ATTRIBUTE, facts_of(tensor)._replace(**changes))
    return tensor
