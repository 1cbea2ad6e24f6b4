"""How a layer is fed with Kensors, and what users may ask of its calls."""
from typing import Any, Callable, Dict, List, Sequence

from keraflow import backend as B
from keraflow import random
from keraflow.backend.contract import TensorSpec
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.checked import checked
from keraflow.errors import BackendError, CallError, GraphError
from keraflow.graph import naming
from keraflow.graph.call_arguments import check_values
from keraflow.graph.kensor import Call, Kensor, mask_shape_of
from keraflow.graph.records import recording
from keraflow.graph.shape_log import shape_log
from keraflow.shapes import unlist

__all__ = ['Linkable']

_LINKING = random.Stream(is_counted=False)      # what is drawn there is thrown away


class Linkable:
    """The part of :class:`~keraflow.layers.Layer` that takes Kensors and knows its calls, numbered from 0.

    A layer keeps its calls, and so their Kensors and the layers before it: what it answers does not depend on what the
    program holds.
    """

    name: Any
    run: Callable
    get_tensor_shape: Callable

    def __init__(self) -> None:
        self._calls: List[Call] = []

    @checked
    def get_input_at(self, index: int) -> Any:
        """The Kensor (of several: the list of them) that a call was fed with.

        Raises
        ------
        GraphError
            If there was no such call.
        """
        return unlist(list(self._call_at(index).fed))

    @checked
    def get_output_at(self, index: int) -> Any:
        """The Kensor, or the list of Kensors, that a call gave; raises as :meth:`get_input_at`."""
        return unlist(list(self._call_at(index).outputs))

    @checked
    def get_input_shape_at(self, index: int) -> Any:
        """The static shape, or the list of shapes, that a call was fed with; raises as :meth:`get_input_at`."""
        return unlist([kensor.shape for kensor in self._call_at(index).fed])

    @checked
    def get_output_shape_at(self, index: int) -> Any:
        """The static shape, or the list of shapes, that a call gave; raises as :meth:`get_input_at`."""
        return unlist([kensor.shape for kensor in self._call_at(index).outputs])

    @property
    def input_kensor(self) -> Any:
        """What the only call was fed with; a CallError if there was none or several."""
        return self.get_input_at(self._only('input'))

    @property
    def output_kensor(self) -> Any:
        """What the only call gave; a CallError if there was none or several."""
        return self.get_output_at(self._only('output'))

    @property
    def input_kensor_shape(self) -> Any:
        """The static shape that all calls were fed with; a CallError if there are several, or no call."""
        return self._one_of([self.get_input_shape_at(index) for index in range(self._count())], 'input')

    @property
    def output_kensor_shape(self) -> Any:
        """The static shape that all calls gave; a CallError if there are several, or no call."""
        return self._one_of([self.get_output_shape_at(index) for index in range(self._count())], 'output')

    def _link(self, kensors: List[Kensor], arguments: Dict[str, Any]) -> List[Kensor]:
        """Run on placeholders like these Kensors, at the user's line; the result is what the run tells of the
        outputs."""
        self._check_feed(kensors)
        check_values(self.name, arguments)
        call = Call(self, kensors, arguments)
        self._check_feed(call.inputs)
        masked = [kensor for kensor in call.inputs if kensor.mask_shape is not None]
        specs = [kensor.spec for kensor in call.inputs]
        specs += [TensorSpec(kensor.mask_shape, 'bool') for kensor in masked]
        found = B.trace(lambda *tensors: self._observe(call, masked, tensors), specs)
        with naming.LOCK:       # two threads that feed the layer make two calls, each with a number of its own
            call.number = len(self._calls)
            call.outputs = tuple(Kensor(call, *known) for known in found)
            self._calls.append(call)
        shape_log.debug('%s: %s -> %s', self.name, ', '.join(str(kensor.shape) for kensor in kensors),
                        ', '.join(str(kensor.shape) for kensor in call.outputs))
        return list(call.outputs)

    def _observe(self, call: Call, masked: List[Kensor], tensors: Sequence[Any]) -> List[tuple]:
        masks = dict(zip(masked, tensors[len(call.inputs):]))
        known = {kensor: annotate(tensor, shape=kensor.shape, mask=masks.get(kensor), features=kensor.features)
                 for kensor, tensor in zip(call.inputs, tensors)}
        with B.phase('train'), recording(), random.drawing(_LINKING):
            return [(self.get_tensor_shape(it), B.dtype(it), mask_shape_of(it), info_of(it).features)
                    for it in call.run(known)]

    def _check_feed(self, kensors: Sequence[Any]) -> None:
        for kensor in kensors:
            if not isinstance(kensor, Kensor):
                raise GraphError(
                    f'{self.name}: expected Kensors only, received also {type(kensor).__name__}. Make an Input for it.')
            if kensor.backend_name != B.name():
                raise BackendError(f"{self.name}: the Kensor {kensor.name} was made on the backend "
                                   f"'{kensor.backend_name}', the current one is '{B.name()}'. "
                                   f"Call keraflow.backend.use('{kensor.backend_name}') first.")

    @property
    def nb_call(self) -> int:
        """How often it was fed with Kensors."""
        return len(self._calls)

    def _count(self) -> int:
        if not self._calls:
            raise CallError(f'{self.name}: the layer was not fed yet. Feed it first.')
        return len(self._calls)

    def _only(self, what: str) -> int:
        if self._count() > 1:
            raise CallError(f'{self.name}: the layer was fed {self._count()} times. Ask for one of the calls, for '
                            f'example with get_{what}_at(0).')
        return 0

    def _one_of(self, shapes: List[Any], what: str) -> Any:
        if any(shape != shapes[0] for shape in shapes):
            raise CallError(f'{self.name}: the calls have different {what} shapes. Ask for one of them, for example '
                            f'with get_{what}_shape_at(0).')
        return shapes[0]

    def _call_at(self, index: int) -> Call:
        count = self._count()
        if not -count <= index < count:
            raise GraphError(f'{self.name}: there is no call {index}. The layer was fed {count} time(s), numbered '
                             'from 0.')
        return self._calls[index]
