"""The layers that a host embeds, found again on each run of its ``output``."""
import contextlib
import contextvars
from typing import Any, Iterator, List

from keraflow.errors import GraphError
from keraflow.serialization import call_text, pack_init_params, same

__all__ = ['Slots', 'calling_host', 'running_host']

_running: contextvars.ContextVar[Any] = contextvars.ContextVar('_running', default=None)


def running_host() -> Any:
    """The host whose ``output`` runs now; None if there is none."""
    return _running.get()


def calling_host() -> Any:
    """The host that embeds the layers which are called now; None if nobody does."""
    host = running_host()
    return host if host is not None and host.embeds_calls else None


class Slots:
    """Embedded layers of one host, in the order of the first run.

    A layer that the host keeps (as an attribute, say) comes as the same object in each run and has its own slot. A
    layer that ``output`` makes on the fly is another object in each run: it is given the layer in the next slot that
    no kept layer has, provided that class and arguments are the same.
    """

    def __init__(self, host: Any):
        self.host = host
        self.layers: List[Any] = []
        self._fixed = False             # after the first complete run no slot is added
        self._known: set = set()        # ids of the layers
        self._kept: set = set()         # ids of those that came again as themselves
        self._next = 0

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        """One run of the host's ``output``."""
        self._next = 0
        before = len(self.layers)
        outer = _running.set(self.host)
        try:
            yield
        except BaseException:
            self._forget(self.layers[before:])
            raise
        finally:
            _running.reset(outer)
        self._skip_kept()
        if self._fixed and self._next < len(self.layers):
            raise GraphError(f'{self.host.name}: output() embedded fewer layers than in its first run. Make layers '
                             'that are not used in every run in __init__, and keep them as attributes.')
        self._fixed = True

    def take(self, layer: Any) -> Any:
        """The layer to run where ``output`` embeds `layer`."""
        if layer is self.host:
            raise GraphError(f'{self.host.name}: a layer cannot embed itself.')
        if id(layer) in self._known:
            self._kept.add(id(layer))
            return layer
        if not self._fixed:
            if self._is_attribute(layer):
                self._kept.add(id(layer))
            self._append(layer)
            self._next = len(self.layers)
            return layer
        self._skip_kept()
        if self._next == len(self.layers):
            raise GraphError(f'{self.host.name}: output() embeds more layers than in its first run. Make layers that '
                             'are not used in every run in __init__, and keep them as attributes.')
        first = self.layers[self._next]
        if type(first) is not type(layer) or not same(pack_init_params(first), pack_init_params(layer)):
            raise GraphError(f'{self.host.name}: slot {self._next} holds {call_text(first)}, but output() now embeds '
                             f'{call_text(layer)}. '
                             'output() must embed the same layers in each run.')
        self._next += 1
        return first

    def _is_attribute(self, layer: Any) -> bool:
        """Whether the host keeps `layer`, itself or in a list or a dict, so that it may come anywhere in a run."""
        for value in vars(self.host).values():
            items = value.values() if isinstance(value, dict) else value
            if not isinstance(value, (dict, list, tuple)):
                items = [value]
            if any(item is layer for item in items):
                return True
        return False

    def _append(self, layer: Any) -> None:
        self.host.give_initial_weights(layer, len(self.layers))
        self.layers.append(layer)
        self._known.add(id(layer))

    def _forget(self, layers: List[Any]) -> None:
        for layer in layers:
            self.layers.remove(layer)
            self._known.discard(id(layer))
            self._kept.discard(id(layer))

    def _skip_kept(self) -> None:
        while self._next < len(self.layers) and id(self.layers[self._next]) in self._kept:
            self._next += 1
