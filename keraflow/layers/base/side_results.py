"""What the calls of a layer give beside Kensors: losses and updates."""
from typing import Any, List, Optional, Tuple

from keraflow import backend as B
from keraflow.arguments import to_list
from keraflow.errors import ArgumentTypeError, GraphError, describe
from keraflow.graph.kensor import Kensor, symbolic_tensors
from keraflow.graph.parameters import parameters_of, penalties
from keraflow.graph.records import RunRecord, recording
from keraflow.layers.base.linking import Linkable

__all__ = ['SideResults']


class SideResults(Linkable):
    """The part of :class:`~keraflow.layers.Layer` that tells the losses and updates of its calls on Kensors.

    They are symbolic tensors of a run in the train phase, which ``kensor.tensor`` of the Inputs feeds. Where layers are
    called on tensors, :func:`keraflow.recording` has them; a layer that has met tensors alone tells what its
    regularizers give, as tensors that can be used where they are asked for.
    """

    @property
    def losses(self) -> List[Any]:
        """Scalars: those of the regularizers, and what the calls add; what depends on parameters alone counts once."""
        record = self._record()
        return [*self._penalties(), *(one.value for one in record.added.values())]

    @property
    def updates(self) -> List[Tuple[Any, Any]]:
        """Pairs of a state variable and its value after all calls."""
        return self._record().updates

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
        if inputs is None:
            return [*self._penalties(), *(one.value for one in self._record().added.values() if not one.is_conditional)]
        return [one.value for one in self._record(to_list(inputs)).added.values() if one.is_conditional]

    def get_updates_for(self, inputs: Any) -> List[Tuple[Any, Any]]:
        """The updates that depend on what some calls were fed with; as :meth:`get_losses_for`."""
        record = self._record(None if inputs is None else to_list(inputs))
        return [(one.variable, one.value) for one in record.values.values()
                if one.is_conditional == (inputs is not None)]

    def _penalties(self) -> List[Any]:
        def compute() -> List[Any]:
            return [value for _, value in penalties(parameters_of([self]))]
        return B.symbolic(compute, []) if self._has_kensors() else compute()

    def _has_kensors(self) -> bool:
        return bool(self._calls)

    def _record(self, fed: Optional[List[Kensor]] = None) -> RunRecord:
        """What the calls (those that were fed with these Kensors) give, run one after the other."""
        calls = self._calls
        if fed is not None:
            for one in fed:
                if not isinstance(one, Kensor):
                    raise ArgumentTypeError(f'{self.name}: expected Kensors that the layer was called on, received '
                                            f'{describe(one)}.')
            calls = [call for call in calls if list(map(id, call.fed)) == list(map(id, fed))]
            if not fed:
                raise GraphError(f'{self.name}: expected Kensors that the layer was called on, received an empty list. '
                                 'Pass None for what depends on no input.')
            if not calls:
                names = ', '.join(kensor.name for kensor in fed)
                raise GraphError(f'{self.name}: the layer was not called on {names}. '
                                 'Ask for get_input_at(0).')
        with B.phase('train'):
            with recording():
                inputs = [kensor for call in calls for kensor in call.inputs]
                known = dict(zip(inputs, symbolic_tensors(inputs, keep=False)))
            with recording() as record:
                for call in calls:
                    B.symbolic(lambda: call.run(known), [])     # noqa: B023
        return record
