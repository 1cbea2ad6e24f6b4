"""What keraflow knows of a raw tensor beyond what the backend knows, kept as one record on the tensor itself."""
from typing import Any, NamedTuple, Optional

__all__ = ['Facts', 'facts_of', 'features_of', 'remember', 'has_facts']

_ATTRIBUTE = '_keraflow_facts'


class Facts(NamedTuple):
    """A record of a tensor.

    Attributes
    ----------
    shape : tuple or None
        Static shape, where a layer said so.
    mask : tensor or None
        True where a sample (or a time step) counts.
    logits : tuple or None
        ``(name of the activation, its input)`` where the tensor is a softmax or a sigmoid: cross-entropies are exact
        and finite only on the input.
    features : int or None
        The axis of the features (the channels of images), counted from the end.
    """

    shape: Optional[tuple] = None
    mask: Any = None
    logits: Optional[tuple] = None
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
