"""The layers that a host embeds, found again in each run of its ``output``."""
import contextlib
import threading
from typing import Any, Dict, Iterator, List, Sequence

from keraflow.errors import GraphError
from keraflow.layers.base.parameter_arguments import give_initial_weights
from keraflow.layers.base.run_state import Run, current_run, entered, run_of
from keraflow.serialization import call_text, same, snapshot

__all__ = ['Slots']

_growing = threading.Lock()     # two threads that first embed a kept layer must give it one slot


class Slots:
    """Embedded layers of one host, in the order of the first run.

    A layer that the host keeps (for example as an attribute) is the same object in each run and has its own slot. A
    layer that ``output`` makes on the fly is another object in each run: it is replaced by the layer in the next slot
    without a kept layer, provided that it has the class and the arguments which that one had when it came. What has
    changed in that one since, such as whether it is trainable, stays.
    """

    def __init__(self, host: Any):
        self.host = host
        self.layers: List[Any] = []
        self.is_complete = False        # after the first complete run, layers with parameters get no new slots
        self._came_as: Dict[int, Any] = {}      # the original arguments, by id of the layer
        self._kept: set = set()         # ids of layers that came again as themselves
        self._new: set = set()          # ids of layers that had no parameters before they came

    @contextlib.contextmanager
    def run(self, inputs: Sequence[Any]) -> Iterator[Run]:
        """Run the host's ``output`` once.

        Raises
        ------
        GraphError
            If it embedded fewer layers than in its first run.
        """
        before = len(self.layers)
        run = Run(self.host, inputs, current_run())
        try:
            with entered(run):
                yield run
            if self.is_complete:
                self._check_late(self.layers[before:])
        except BaseException:   # a run that Ctrl-C ends leaves no slots, either
            self._forget(self.layers[before:])
            raise
        self._skip_kept(run)
        if self.is_complete and run.next_slot < len(self.layers):
            raise GraphError(f'{self.host.name}: output() embedded fewer layers than in its first run. Make layers '
                             'that are not used in every run in __init__, and keep them as attributes.')
        self.is_complete = True

    def take(self, layer: Any) -> Any:
        """Return the layer to run where ``output`` embeds `layer`.

        Raises
        ------
        GraphError
            If it is the host itself, or not the layer that was there in the first run.
        """
        if layer is self.host:
            raise GraphError(f'{self.host.name}: a layer cannot embed itself.')
        run = run_of(self.host) or Run(self.host, next_slot=len(self.layers))
        if id(layer) not in run.taken:
            # The layer is kept, too, so that no other one gets its id during the run.
            run.taken[id(layer)] = layer, self._find(layer, run)
        return run.taken[id(layer)][1]

    def forget(self) -> None:
        """Return to the state before the first run, and reset the layers that got their parameters here."""
        self._forget(list(self.layers))
        self.is_complete = False

    def _find(self, layer: Any, run: Run) -> Any:
        with _growing:
            if id(layer) in self._came_as:
                self._kept.add(id(layer))
                return layer
            if run.is_attribute(layer) or not self.is_complete:
                self._append(layer, run.is_attribute(layer))
                return layer
        self._skip_kept(run)
        if run.next_slot == len(self.layers):
            raise GraphError(f'{self.host.name}: output() embeds more layers than in its first run. Make layers that '
                             'are not used in every run in __init__, and keep them as attributes.')
        first = self.layers[run.next_slot]
        if not same(self._came_as[id(first)], snapshot(layer)):
            raise GraphError(f'{self.host.name}: slot {run.next_slot} holds {call_text(first)}, but output() now '
                             f'embeds {call_text(layer)}. output() must embed the same layers in each run.')
        run.next_slot += 1
        return first

    def _append(self, layer: Any, is_kept: bool) -> None:
        self._came_as[id(layer)] = snapshot(layer)
        self.layers.append(layer)
        number = len(self.layers) - 1
        layer._name.suggest_slot(self.host, number)
        self.host._changes.give(layer, str(number))
        give_initial_weights(self.host, layer, number)
        if is_kept:
            self._kept.add(id(layer))
        if not layer.built:
            self._new.add(id(layer))

    def _check_late(self, layers: List[Any]) -> None:
        for layer in layers:
            if any(True for _ in layer.parameters()):
                raise GraphError(f'{self.host.name}: output() embeds {layer.name}, which has parameters, for the first '
                                 'time after its first run, which is in the phase \'train\'. Call it in that run, too.')

    def _forget(self, layers: List[Any]) -> None:
        for layer in layers:
            self.layers.remove(layer)
            self._came_as.pop(id(layer))
            self._kept.discard(id(layer))
            if id(layer) in self._new:
                self._new.discard(id(layer))
                layer._forget_parameters()

    def _skip_kept(self, run: Run) -> None:
        while run.next_slot < len(self.layers) and id(self.layers[run.next_slot]) in self._kept:
            run.next_slot += 1
