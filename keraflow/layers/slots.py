"""The layers that a host embeds, found again on each run of its ``output``."""
import contextlib
import contextvars
from typing import Any, Iterator, List, Optional, Sequence

from keraflow.errors import GraphError
from keraflow.serialization import call_text, pack_init_params, same

__all__ = ['Run', 'Slots', 'calling_host', 'run_of', 'running_host']


class Run:
    """A run of a layer's ``output``: all of it that is no fact of the layer, which may run in several threads at once.

    Attributes
    ----------
    layer : Layer
    inputs : sequence of tensor
    outer : Run or None
        The run of the layer that embeds this one.
    mask_is_read : bool
        Whether the layer has asked for the mask of an input.
    nb_loss : int
        How many losses it has added.
    next_slot : int
        Where the layer is that it embeds next.
    """

    __slots__ = ('layer', 'inputs', 'outer', 'mask_is_read', 'nb_loss', 'next_slot')

    def __init__(self, layer: Any, inputs: Sequence[Any] = (), outer: Optional['Run'] = None, next_slot: int = 0):
        self.layer = layer
        self.inputs = inputs
        self.outer = outer
        self.mask_is_read = False
        self.nb_loss = 0
        self.next_slot = next_slot


_run: contextvars.ContextVar[Optional[Run]] = contextvars.ContextVar('_run', default=None)


def running_host() -> Any:
    """The host whose ``output`` runs now; None if there is none."""
    run = _run.get()
    return None if run is None else run.layer


def run_of(layer: Any) -> Optional[Run]:
    """The run of this layer that is going on, perhaps with runs of others inside of it; None if there is none."""
    run = _run.get()
    while run is not None and run.layer is not layer:
        run = run.outer
    return run


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

    @contextlib.contextmanager
    def run(self, inputs: Sequence[Any]) -> Iterator[Run]:
        """One run of the host's ``output``."""
        before = len(self.layers)
        run = Run(self.host, inputs, _run.get())
        _run.set(run)
        try:
            yield run
        except BaseException:
            self._forget(self.layers[before:])
            raise
        finally:
            _run.set(run.outer)
        self._skip_kept(run)
        if self._fixed and run.next_slot < len(self.layers):
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
            return layer
        run = run_of(self.host) or Run(self.host, next_slot=len(self.layers))
        self._skip_kept(run)
        if run.next_slot == len(self.layers):
            raise GraphError(f'{self.host.name}: output() embeds more layers than in its first run. Make layers that '
                             'are not used in every run in __init__, and keep them as attributes.')
        first = self.layers[run.next_slot]
        if type(first) is not type(layer) or not same(pack_init_params(first), pack_init_params(layer)):
            raise GraphError(f'{self.host.name}: slot {run.next_slot} holds {call_text(first)}, but output() now '
                             f'embeds {call_text(layer)}. output() must embed the same layers in each run.')
        run.next_slot += 1
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

    def _skip_kept(self, run: Run) -> None:
        while run.next_slot < len(self.layers) and id(self.layers[run.next_slot]) in self._kept:
            run.next_slot += 1
