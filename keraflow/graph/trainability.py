"""Which layers are trainable: read once by ``compile``, and kept for all functions that are built later."""
import contextlib
import contextvars
from typing import Any, Dict, Iterable, Iterator, List, Tuple

__all__ = ['Trainability', 'as_read']

_read: contextvars.ContextVar[Dict[int, Tuple[Any, bool]]] = contextvars.ContextVar('_read', default={})


def as_read(layer: Any, now: bool) -> bool:
    """Return ``trainable`` of a layer as the current build has read it, else as it is now."""
    return _read.get().get(id(layer), (layer, now))[1]


class Trainability:
    """A snapshot of ``trainable`` of some layers, and of all layers in them.

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
                self._read[id(layer)] = layer, layer.trainable      # kept alive, so that no other layer gets its id
                waiting += layer.layer_ids().values()

    @property
    def layers(self) -> List[Any]:
        """The layers, with all layers in them."""
        return [layer for layer, _ in self._read.values()]

    def since_changed(self) -> Dict[int, bool]:
        """Return what was recorded of layers that have another ``trainable`` now, by their ``id()``."""
        return {number: before for number, (layer, before) in self._read.items() if before != layer.trainable}

    def record(self, layer: Any, trainable: bool) -> None:
        """Record another value for a layer."""
        self._read[id(layer)] = layer, trainable

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Give the layers their recorded ``trainable`` inside the block."""
        token = _read.set(self._read)
        try:
            yield
        finally:
            _read.reset(token)

    def changed(self) -> List[str]:
        """Return the names of layers whose ``trainable`` has changed, if that affects any parameters."""
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
            elif before:      # in a layer that is not trainable none has an effect
                inner = [(prefix + one, f'{prefix}{one}/', embedded) for one, embedded in layer.layer_ids().items()]
                waiting += reversed(inner)
        return found
