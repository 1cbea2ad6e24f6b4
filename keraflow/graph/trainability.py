"""Which layers are trainable: what ``compile`` reads once, and all functions keep that are built later."""
import contextlib
import contextvars
from typing import Any, Dict, Iterable, Iterator, List, Tuple

__all__ = ['Trainability', 'as_read']

_read: contextvars.ContextVar[Dict[int, Tuple[Any, bool]]] = contextvars.ContextVar('_read', default={})


def as_read(layer: Any, now: bool) -> bool:
    """What a build has read of ``trainable`` of a layer, else what it is now."""
    return _read.get().get(id(layer), (layer, now))[1]


class Trainability:
    """``trainable`` of some layers, and of all that are in them, as it is when this is made.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> dense = Dense(3)
    >>> before = Trainability([dense])
    >>> dense.trainable = False
    >>> with before.kept():
    ...     dense.trainable
    True
    """

    def __init__(self, layers: Iterable[Any]):
        self._layers = list(layers)
        self._read: Dict[int, Tuple[Any, bool]] = {}
        waiting = list(self._layers)
        while waiting:
            layer = waiting.pop()
            if id(layer) not in self._read:
                self._read[id(layer)] = layer, layer.trainable
                waiting += layer.layer_ids().values()

    @property
    def layers(self) -> List[Any]:
        """The layers, with all that are in them."""
        return [layer for layer, _ in self._read.values()]

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Inside, ``trainable`` of the layers is what it was."""
        token = _read.set(self._read)
        try:
            yield
        finally:
            _read.reset(token)

    def changed(self) -> List[str]:
        """The names of the layers with parameters for which it is another one now, where that changes anything."""
        found, seen = [], set()
        waiting = [(layer.name, '', layer) for layer in reversed(self._layers)]
        while waiting:
            name, prefix, layer = waiting.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            before = self._read.get(id(layer), (layer, layer.trainable))[1]
            if before != layer.trainable and any(True for _ in layer.parameters()):
                found.append(name)
            elif before:
                inner = [(prefix + one, f'{prefix}{one}/', each) for one, each in layer.layer_ids().items()]
                waiting += reversed(inner)
        return found
