"""How a model is rebuilt: from the graph that it is given, or by an ``__init__`` of the program that makes its own.

A class of models whose ``__init__`` makes the layers is rebuilt from its arguments, as any other object is.
"""
from typing import Any, Collection, Dict, List, Optional, Sequence

from keraflow import schema
from keraflow.arguments import to_list
from keraflow.errors import GraphError, describe
from keraflow.graph.call_arguments import parts_in
from keraflow.graph.kensor import Kensor
from keraflow.layers.base import Layer
from keraflow.layers.base.embedded_changes import EMBEDDED_ARGUMENTS
from keraflow.layers.input import Input
from keraflow.serialization.reserved import of_program
from keraflow.training.training import TrainableNetwork

__all__ = ['RebuiltNetwork', 'are_each', 'has_own_constructor']


class RebuiltNetwork(TrainableNetwork):
    """A network that can be trained, and knows from which arguments it is rebuilt."""

    _own_graph: Optional[List[Layer]] = None    # the layers, if __init__ of the program makes its own graph

    def _as_input(self, it: Any) -> Input:
        if getattr(it, 'is_model', False):      # a Sequential that starts with an Input
            it = it.layers[0]
        if not isinstance(it, Input):
            raise GraphError(f'{self.name}: inputs: expected an Input, received {describe(it)}. '
                             'Start the model at an Input.')
        return it

    def _as_output(self, it: Any) -> Kensor:
        kensor = it.as_kensor() if isinstance(it, Layer) else it
        if not isinstance(kensor, Kensor):
            advice = getattr(it, 'how_to_feed', ' Pass what a layer returned.')
            raise GraphError(f'{self.name}: outputs: expected a Kensor, received {describe(it)}.{advice}')
        return kensor

    def _remember(self, given: Dict[str, Any], passed: Dict[str, Any], gives: Collection[str]) -> None:
        super()._remember(given, passed, gives)
        if has_own_constructor(type(self)) and not self._is_given(given):
            self._own_graph = list(self._own_layers)
            for layer in self._own_layers:
                self._changes.note(layer)

    def __deepcopy__(self, memo: Dict[int, Any]) -> Any:
        made = super().__deepcopy__(memo)
        if self._own_graph is not None and made.built and self.built:   # its layers are no copies
            made.set_weights(self.get_weights())
        return made

    def _is_given(self, given: Dict[str, Any]) -> bool:
        """Return whether the graph is the one among the arguments, and not another that ``__init__`` made."""
        try:
            inputs = [self._as_input(it) for it in to_list(given.get('inputs'))]
            outputs = [self._as_output(it) for it in to_list(given.get('outputs'))]
        except GraphError:
            return False
        return are_each(inputs, self._own_inputs) and are_each(outputs, self._own_outputs)

    def _why_not_rebuilt(self) -> str:
        arguments = schema.arguments_of(type(self))
        advice = 'Save Model(model.inputs, model.outputs) instead'
        if self._own_graph is None:
            taken = [name for name in self._names_of_graph() if name in arguments]
            return f"its class has an argument '{taken[0]}', which is a word for the graph in files. {advice}, or " \
                   'call the argument something else.' if taken else super()._why_not_rebuilt()
        if not are_each(self._own_graph, self._own_layers):
            return f'it has layers that were added after __init__, which makes its graph. {advice}.'
        given = self._remembered_arguments()
        if any(True for _ in parts_in(list(given.values()), lambda it: isinstance(it, Kensor) and not isinstance(
                it, Layer))):
            return f'its __init__ makes another graph of the Kensors that it is given. {advice}.'
        changed = next(iter(given.get(EMBEDDED_ARGUMENTS, ())), None)
        return super()._why_not_rebuilt() if changed is None else (
            f"the layer '{changed}' was changed after __init__, which makes it. {advice}, or make the change in "
            '__init__.')

    def _names_of_graph(self) -> Sequence[str]:
        return 'layers', 'path'     # besides inputs and outputs

    def _besides_graph(self, *graph: str) -> Dict[str, Any]:
        """Return the arguments of ``__init__`` besides those of the graph."""
        arguments = schema.arguments_of(type(self))
        return {name: value for name, value in self._remembered_arguments().items()
                if name in arguments and name not in graph}


def has_own_constructor(cls: type) -> bool:
    """Return whether the ``__init__`` of a class of models is one of the program, which may make the graph itself."""
    return any('__init__' in vars(one) for one in of_program(cls) if one is not object)


def are_each(some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Return whether two sequences have the very same items."""
    return list(map(id, some)) == list(map(id, others))
