"""What users may ask a layer of the Kensors that it was fed with and gave."""
import weakref
from typing import Any, Callable, List

from keraflow.errors import GraphError
from keraflow.kensor import Call
from keraflow.shapes import unlist

__all__ = ['CallHistory']


class CallHistory:
    """The part of :class:`~keraflow.layers.Layer` that knows its calls, numbered from 0.

    A layer does not keep its Kensors alive: one that the program dropped cannot be asked for.
    """

    name: Any

    def __init__(self) -> None:
        self._calls: List[Callable[[], Any]] = []

    def _remember_call(self, call: Call) -> None:
        self._calls.append(weakref.ref(call))

    def get_input_at(self, index: int) -> Any:
        """The Kensor (of several: the list of them) that a call was fed with.

        Raises
        ------
        GraphError
            If there was no such call, or its Kensors are gone.
        """
        return unlist(list(self._call_at(index).inputs))

    def get_output_at(self, index: int) -> Any:
        """The Kensor, or the list of Kensors, that a call gave; raises as :meth:`get_input_at`."""
        return unlist(list(self._call_at(index).outputs))

    def get_input_shape_at(self, index: int) -> Any:
        """The static shape, or the list of shapes, that a call was fed with; raises as :meth:`get_input_at`."""
        return unlist([kensor.shape for kensor in self._call_at(index).inputs])

    def get_output_shape_at(self, index: int) -> Any:
        """The static shape, or the list of shapes, that a call gave; raises as :meth:`get_input_at`."""
        return unlist([kensor.shape for kensor in self._call_at(index).outputs])

    @property
    def input_kensor(self) -> Any:
        """What the only call was fed with; a GraphError if there was none or several."""
        return self.get_input_at(self._only())

    @property
    def output_kensor(self) -> Any:
        """What the only call gave; a GraphError if there was none or several."""
        return self.get_output_at(self._only())

    @property
    def input_kensor_shape(self) -> Any:
        """The static shape that all calls were fed with; a GraphError if there are several, or no call."""
        return self._one_of([self.get_input_shape_at(index) for index in range(self._count())], 'input')

    @property
    def output_kensor_shape(self) -> Any:
        """The static shape that all calls gave; a GraphError if there are several, or no call."""
        return self._one_of([self.get_output_shape_at(index) for index in range(self._count())], 'output')

    def _count(self) -> int:
        if not self._calls:
            raise GraphError(f'{self.name}: the layer was not fed yet. Feed it first.')
        return len(self._calls)

    def _only(self) -> int:
        if self._count() > 1:
            raise GraphError(f'{self.name}: the layer was fed {self._count()} times. Ask for one of the calls, for '
                             'example with get_output_at(0).')
        return 0

    def _one_of(self, shapes: List[Any], what: str) -> Any:
        if any(shape != shapes[0] for shape in shapes):
            raise GraphError(f'{self.name}: the calls have different {what} shapes. Ask for one of them, for example '
                             f'with get_{what}_shape_at(0).')
        return shapes[0]

    def _call_at(self, index: int) -> Call:
        count = self._count()
        if not -count <= index < count:
            raise GraphError(f'{self.name}: there is no call {index}. The layer was fed {count} time(s), numbered '
                             'from 0.')
        call = self._calls[index]()
        if call is None:
            raise GraphError(f'{self.name}: the Kensors of call {index} are gone. Keep one of them, or a Model that '
                             'has it.')
        return call
