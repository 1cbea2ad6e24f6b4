"""Models made from other models: a layer replaced, inserted or removed, or a part of the graph by itself."""
from typing import Any, Callable, Dict, List, Sequence, Union

from keraflow.arguments import to_list
from keraflow.checked import checked
from keraflow.errors import GraphError, describe
from keraflow.graph.kensor import Call, Kensor, calls_behind
from keraflow.layers.base import Layer
from keraflow.layers.input import Input
from keraflow.layers.network import Network

__all__ = ['SurgicalNetwork']

#: From a call of the old graph and the new Kensors by old ones, the Kensors that now stand for its outputs.
Change = Callable[[Call, Dict[Kensor, Kensor]], List[Kensor]]


class SurgicalNetwork(Network):
    """The part of :class:`~keraflow.models.Model` that makes models from it.

    Each method gives a new model and leaves this one as it is. They share the layers that both have, and so their
    parameters. A layer is given as itself or by its name. The new model has a name of its own. It is frozen if
    this one is.
    """

    @checked
    def replace(self, layer: Union[Layer, str], new: Layer) -> Any:
        """The model with `new` in each place where `layer` was."""
        old = self._layer_of(layer)

        def change(call: Call, known: Dict[Kensor, Kensor]) -> List[Kensor]:
            made = call.again(known, new)
            self._check_outputs(made, len(call.outputs), f'replace: expected a layer of {len(call.outputs)} output(s) '
                                                         f'in the place of {old.name}')
            return made
        return self._changed(old, change)

    @checked
    def insert_after(self, layer: Union[Layer, str], new: Layer) -> Any:
        """The model in which each output of `layer` goes through `new`."""
        old = self._layer_of(layer, inputs_too=True)

        def change(call: Call, known: Dict[Kensor, Kensor]) -> List[Kensor]:
            made = [to_list(new([kensor] if new.multi_input else kensor)) for kensor in _again(call, known)]
            for some in made:
                self._check_outputs(some, 1, f'insert_after: expected a layer of 1 output(s) behind {old.name}')
            return [kensor for kensor, in made]
        return self._changed(old, change)

    @checked
    def remove(self, layer: Union[Layer, str]) -> Any:
        """The model without `layer`: what it was fed with takes the place of what it gave.

        Raises
        ------
        GraphError
            If the layer joins several Kensors or gives several.
        """
        old = self._layer_of(layer)

        def change(call: Call, known: Dict[Kensor, Kensor]) -> List[Kensor]:
            if len(call.fed) > 1 or len(call.outputs) > 1:
                raise GraphError(f'{self.name}: remove: {old.name} has {len(call.fed)} input(s) and '
                                 f'{len(call.outputs)} output(s), of which none stands for the others. Use replace.')
            return [known[kensor] for kensor in call.fed]
        return self._changed(old, change)

    def sub_model(self, start: Any, end: Any) -> Any:
        """The part of the graph from some layers or Kensors to others, as a model with Inputs of its own.

        Parameters
        ----------
        start : Layer, Kensor, str or list of them
            What the new Inputs stand for: Kensors, or what layers gave; names of layers or as for :meth:`get_kensor`.
        end : Layer, Kensor, str or list of them
            The outputs.

        Raises
        ------
        GraphError
            If an end depends on anything else than the starts.

        Notes
        -----
        Masks do not pass the new Inputs.
        """
        starts, ends = ([kensor for one in to_list(given) for kensor in self._kensors_of(one)]
                        for given in (start, end))
        inputs = {kensor: Input(list(kensor.shape[1:]), batch_size=kensor.shape[0], dtype=kensor.dtype)
                  for kensor in starts}
        known: Dict[Kensor, Kensor] = dict(inputs)
        for call in calls_behind(ends, known):
            if not call.inputs:
                raise GraphError(f'{self.name}: sub_model: the end depends on the Input {call.layer.name}, too. '
                                 'Add it to the starts.')
            known.update(zip(call.outputs, call.again(known)))
        return self._made(list(inputs.values()), [known[kensor] for kensor in ends])

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _changed(self, layer: Layer, change: Change) -> Any:
        """The model in which the calls of `layer` are changed."""
        known: Dict[Kensor, Kensor] = {}
        for call in self.calls:
            known.update(zip(call.outputs, change(call, known) if call.layer is layer else _again(call, known)))
        return self._made(self.inputs, [known[kensor] for kensor in self.outputs],
                          activity_regularizer=self.activity_regularizer)

    def _made(self, inputs: Sequence[Kensor], outputs: Sequence[Kensor], **common: Any) -> Any:
        raise NotImplementedError

    def _layer_of(self, given: Union[Layer, str], inputs_too: bool = False) -> Layer:
        layer = self.get_layer(given) if isinstance(given, str) else given
        if not any(layer is one for one in self.layers):
            raise GraphError(f'{self.name}: {describe(given)} is no layer of this model. It has '
                             f"{', '.join(self.layer_ids())}.")
        if isinstance(layer, Input) and not inputs_too:
            raise GraphError(f'{self.name}: the Input {layer.name} can be neither replaced nor removed. Use sub_model.')
        return layer

    def _kensors_of(self, given: Any) -> List[Kensor]:
        if isinstance(given, Kensor):
            return [given]
        if isinstance(given, str) and self.inner_layer(given) is None:
            return [self.get_kensor(given)]
        layer = self._layer_of(given, inputs_too=True)
        calls = [call for call in self.calls if call.layer is layer]
        if len(calls) > 1:
            raise GraphError(f'{self.name}: sub_model: {layer.name} was fed {len(calls)} times. Name what one of the '
                             f"calls gave, for example '{self.names.short(calls[0].outputs[0])}'.")
        return list(calls[0].outputs)

    def _check_outputs(self, made: List[Kensor], wanted: int, expected: str) -> None:
        if len(made) != wanted:
            raise GraphError(f'{self.name}: {expected}, received {made[0].layer.name}, which gives {len(made)}.')


def _again(call: Call, known: Dict[Kensor, Kensor]) -> List[Kensor]:
    """The outputs of a call that is fed with other Kensors; of the call itself if they are the same."""
    return list(call.outputs) if all(known[kensor] is kensor for kensor in call.inputs) else call.again(known)
