"""Call a layer on Kensors, and remember each call."""
from typing import Any, Dict, Iterator, List, Optional, Sequence

from keraflow import backend as B
from keraflow import random
from keraflow.backend.contract import TensorSpec
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.errors import ArgumentTypeError, BackendError, CallError, GraphError, describe
from keraflow.graph import naming
from keraflow.graph.call_arguments import check_values
from keraflow.graph.kensor import Call, Kensor, mask_shape_of, symbolic_tensors
from keraflow.graph.records import RunRecord, recording
from keraflow.graph.shape_log import shape_log

__all__ = ['Calls']

_LINKING = random.Stream(is_counted=False)      # draws while linking are discarded


class Calls:
    """The calls of one layer on Kensors, numbered from 0.

    A layer keeps its calls, and so their Kensors and the layers before it: its answers do not depend on what the
    program still holds.

    Parameters
    ----------
    layer : Layer
        Its ``name``, ``run`` and ``get_tensor_shape`` are used.
    """

    __slots__ = ('_layer', '_calls')

    def __init__(self, layer: Any):
        self._layer = layer
        self._calls: List[Call] = []

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls)

    @property
    def are_symbolic(self) -> bool:
        """Whether losses and updates of the layer are symbolic tensors."""
        return bool(self._calls)

    def link(self, kensors: List[Kensor], arguments: Dict[str, Any]) -> List[Kensor]:
        """Run the layer on placeholders like these Kensors, at the user's line; return Kensors for its outputs."""
        self._check_feed(kensors)
        check_values(self._layer.name, arguments)
        call = Call(self._layer, kensors, arguments)
        self._check_feed(call.inputs)   # with the Kensors among the arguments
        masked = [kensor for kensor in call.inputs if kensor.mask_shape is not None]
        specs = [kensor.spec for kensor in call.inputs]
        specs += [TensorSpec(kensor.mask_shape, 'bool') for kensor in masked]
        found = B.trace(lambda *tensors: self._observe(call, masked, tensors), specs)
        with naming.LOCK:       # calls in two threads must get two numbers
            call.number = len(self._calls)
            call.outputs = tuple(Kensor(call, *known) for known in found)
            self._calls.append(call)
        shape_log.debug('%s: %s -> %s', self._layer.name, ', '.join(str(kensor.shape) for kensor in kensors),
                        ', '.join(str(kensor.shape) for kensor in call.outputs))
        return list(call.outputs)

    def add(self, call: Call) -> None:
        """Note a call that needs no run, as of an Input."""
        self._calls.append(call)

    def at(self, index: int) -> Call:
        """Return the call with a number; negative numbers count from the last one.

        Raises
        ------
        GraphError
            If there is no such call.
        """
        count = self._count()
        if not -count <= index < count:
            raise GraphError(f'{self._layer.name}: there is no call {index}. The layer was called {count} time(s), '
                             'numbered from 0.')
        return self._calls[index]

    def only(self, what: str) -> Call:
        """Return the only call, whose `what` (input or output) is asked for.

        Raises
        ------
        CallError
            If there is none, or several.
        """
        if self._count() > 1:
            raise CallError(f'{self._layer.name}: the layer was called {self._count()} times. Ask for one of the '
                            f'calls, for example with get_{what}_at(0).')
        return self._calls[0]

    def common(self, shapes: List[Any], what: str) -> Any:
        """Return the shape that is the same for each call, from one `shapes` for each.

        Raises
        ------
        CallError
            If they differ.
        """
        self._count()
        if any(shape != shapes[0] for shape in shapes):
            raise CallError(f'{self._layer.name}: the calls have different {what} shapes. Ask for one of them, for '
                            f'example with get_{what}_shape_at(0).')
        return shapes[0]

    def of(self, fed: Sequence[Any]) -> List[Call]:
        """Return the calls on these Kensors.

        Raises
        ------
        ArgumentTypeError, GraphError
            If the layer was not called on them.
        """
        for one in fed:
            if not isinstance(one, Kensor):
                raise ArgumentTypeError(f'{self._layer.name}: expected Kensors that the layer was called on, received '
                                        f'{describe(one)}.')
        # By identity: == of Kensors makes another Kensor.
        found = [call for call in self._calls if list(map(id, call.fed)) == list(map(id, fed))]
        if not fed:
            raise GraphError(f'{self._layer.name}: expected Kensors that the layer was called on, received an empty '
                             'list. Pass None for what depends on no input.')
        if not found:
            names = ', '.join(kensor.name for kensor in fed)
            raise GraphError(f'{self._layer.name}: the layer was not called on {names}. Ask for get_input_at(0).')
        return found

    def record(self, fed: Optional[Sequence[Kensor]] = None) -> RunRecord:
        """Run the calls (those on these Kensors) one after another as in training; return what they record."""
        calls = self._calls if fed is None else self.of(fed)
        with B.phase('train'):
            # What the layers behind the inputs record is not of this layer.
            with recording():
                inputs = [kensor for call in calls for kensor in call.inputs]
                known = dict(zip(inputs, symbolic_tensors(inputs, keep=False)))
            with recording() as record:
                for call in calls:
                    B.symbolic(lambda: call.run(known), [])     # noqa: B023
        return record

    def _observe(self, call: Call, masked: List[Kensor], tensors: Sequence[Any]) -> List[tuple]:
        masks = dict(zip(masked, tensors[len(call.inputs):]))
        known = {kensor: annotate(tensor, shape=kensor.shape, mask=masks.get(kensor), features=kensor.features)
                 for kensor, tensor in zip(call.inputs, tensors)}
        with B.phase('train'), recording(), random.drawing(_LINKING):
            return [(self._layer.get_tensor_shape(it), B.dtype(it), mask_shape_of(it), info_of(it).features)
                    for it in call.run(known)]

    def _check_feed(self, kensors: Sequence[Any]) -> None:
        for kensor in kensors:
            if not isinstance(kensor, Kensor):
                raise GraphError(f'{self._layer.name}: expected only Kensors, but also received '
                                 f'{type(kensor).__name__}. Make an Input for it.')
            if kensor.backend_name != B.name():
                raise BackendError(f"{self._layer.name}: the Kensor {kensor.name} was made on the backend "
                                   f"'{kensor.backend_name}', the current one is '{B.name()}'. "
                                   f"Call keraflow.backend.use('{kensor.backend_name}') first.")

    def _count(self) -> int:
        if not self._calls:
            raise CallError(f'{self._layer.name}: the layer has no calls yet. Call it first.')
        return len(self._calls)
