"""What an attribute or an argument of a layer holds, and which of that are layers."""
from typing import Any, Iterator

from keraflow.serialization import Serializable

__all__ = ['is_layer', 'kept_values']


def is_layer(value: Any) -> bool:
    """Return whether a value is a layer."""
    return isinstance(value, Serializable) and value.kind == 'layer'


def kept_values(value: Any) -> Iterator[Any]:
    """Yield what an attribute or an argument holds: itself, or the items of a list, a tuple or a dict."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (dict, list, tuple)):
            waiting.extend(one.values() if isinstance(one, dict) else one)
        else:
            yield one
