"""LayerAccess: what every layer has, and what a program asks of it."""
from typing import Any, List, Optional, Tuple

from keraflow.checked import checked
from keraflow.errors import ArgumentError
from keraflow.layers.base.calls import Calls
from keraflow.layers.base.layer_name import LayerName
from keraflow.layers.base.side_results import losses_for, losses_of, updates_for, updates_of
from keraflow.serialization import Serializable
from keraflow.shapes import unlist

__all__ = ['LayerAccess']


class LayerAccess(Serializable):
    """What every layer has beside what it computes, with all that may be asked of it: its name and its calls."""

    def __init__(self, name: Optional[str]):
        self._name = LayerName(self, name)
        self._calls = Calls(self)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self._name.shown()}>'

    # -- the name -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name given by the user, else that in the first model or host which takes the layer; before, it is numbered
        by class when it is first used."""
        return self._name.text

    @name.setter
    def name(self, name: str) -> None:
        raise ArgumentError(f'{self!r}: its name cannot be changed, because Kensors and files refer to it. Pass '
                            f'name={name!r} where the layer is made.')

    @property
    def name_prefix(self) -> str:
        """What numbers are put behind where it has no name: its class."""
        return type(self).__name__.lower()

    @property
    def user_name(self) -> Optional[str]:
        """The name that the user gave, if any."""
        return self._passed.get('name')

    @property
    def scope_name(self) -> str:
        """What the names of its parameters and outputs start with: its name."""
        return self.name

    # -- the calls ----------------------------------------------------------------------------------------------------

    @property
    def nb_call(self) -> int:
        """How often it was fed with Kensors."""
        return len(self._calls)

    @checked
    def get_input_at(self, index: int) -> Any:
        """The Kensor (of several: the list of them) that a call was fed with.

        Raises
        ------
        GraphError
            If there was no such call.
        """
        return unlist(list(self._calls.at(index).fed))

    @checked
    def get_output_at(self, index: int) -> Any:
        """The Kensor, or the list of Kensors, that a call gave; raises as :meth:`get_input_at`."""
        return unlist(list(self._calls.at(index).outputs))

    @checked
    def get_input_shape_at(self, index: int) -> Any:
        """The static shape, or the list of shapes, that a call was fed with; raises as :meth:`get_input_at`."""
        return unlist([kensor.shape for kensor in self._calls.at(index).fed])

    @checked
    def get_output_shape_at(self, index: int) -> Any:
        """The static shape, or the list of shapes, that a call gave; raises as :meth:`get_input_at`."""
        return unlist([kensor.shape for kensor in self._calls.at(index).outputs])

    @property
    def input_kensor(self) -> Any:
        """What the only call was fed with; a CallError if there was none or several."""
        return unlist(list(self._calls.only('input').fed))

    @property
    def output_kensor(self) -> Any:
        """What the only call gave; a CallError if there was none or several."""
        return unlist(list(self._calls.only('output').outputs))

    @property
    def input_kensor_shape(self) -> Any:
        """The static shape that all calls were fed with; a CallError if there are several, or no call."""
        return self._calls.common(list(map(self.get_input_shape_at, range(self.nb_call))), 'input')

    @property
    def output_kensor_shape(self) -> Any:
        """The static shape that all calls gave; a CallError if there are several, or no call."""
        return self._calls.common(list(map(self.get_output_shape_at, range(self.nb_call))), 'output')

    # -- what the calls give beside Kensors ---------------------------------------------------------------------------
    # Symbolic tensors of a run in the train phase, which ``kensor.tensor`` of the Inputs feeds. Where layers are called
    # on tensors, :func:`keraflow.recording` has them; a layer that has met tensors alone tells what its regularizers
    # give, as tensors that can be used where they are asked for.

    @property
    def losses(self) -> List[Any]:
        """Scalars: those of the regularizers, and what the calls add; what depends on parameters alone counts once."""
        return losses_of(self)

    @property
    def updates(self) -> List[Tuple[Any, Any]]:
        """Pairs of a state variable and its value after all calls."""
        return updates_of(self)

    def get_losses_for(self, inputs: Any) -> List[Any]:
        """The losses that depend on what some calls were fed with.

        Parameters
        ----------
        inputs : Kensor, list of Kensor or None
            What the layer was fed with. ``None`` asks for the losses that depend on parameters alone.

        Raises
        ------
        GraphError
            If the layer was not called on these Kensors.
        """
        return losses_for(self, inputs)

    def get_updates_for(self, inputs: Any) -> List[Tuple[Any, Any]]:
        """The updates that depend on what some calls were fed with; as :meth:`get_losses_for`."""
        return updates_for(self, inputs)
