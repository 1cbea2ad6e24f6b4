"""Derive graphs from that of a model: replace, insert or remove a layer, or extract a part of the graph.

Each function returns the ends of another graph, inputs and outputs, and leaves the model unchanged. Both graphs share
their common layers, and so their parameters. A layer is given as itself or by its name.
"""
from typing import Any, Callable, Dict, List, Sequence, Tuple, Union

from keraflow.arguments import to_list
from keraflow.errors import GraphError, describe
from keraflow.graph.kensor import Call, Kensor, calls_behind
from keraflow.layers.base import Layer
from keraflow.layers.input import Input
from keraflow.layers.network import Network

__all__ = ['part', 'with_inserted', 'with_replaced', 'without']

#: Inputs and outputs.
Ends = Tuple[Sequence[Kensor], Sequence[Kensor]]
#: Takes a call of the old graph and the new Kensors by old ones; returns the Kensors that replace its outputs.
Change = Callable[[Call, Dict[Kensor, Kensor]], List[Kensor]]


def with_replaced(model: Network, layer: Union[Layer, str], new: Layer) -> Ends:
    """Return the graph with `new` everywhere in place of `layer`."""
    old = _layer_of(model, layer)

    def change(call: Call, known: Dict[Kensor, Kensor]) -> List[Kensor]:
        made = call.again(known, new)
        _check_outputs(model, made, len(call.outputs), f'replace: expected a layer of {len(call.outputs)} output(s) in '
                                                       f'place of {old.name}')
        return made
    return _changed(model, old, change)


def with_inserted(model: Network, layer: Union[Layer, str], new: Layer) -> Ends:
    """Return the graph in which each output of `layer` passes through `new`."""
    old = _layer_of(model, layer, inputs_too=True)

    def change(call: Call, known: Dict[Kensor, Kensor]) -> List[Kensor]:
        made = [to_list(new([kensor] if new.multi_input else kensor)) for kensor in _again(call, known)]
        for some in made:
            _check_outputs(model, some, 1, f'insert_after: expected a layer of 1 output(s) behind {old.name}')
        return [kensor for kensor, in made]
    return _changed(model, old, change)


def without(model: Network, layer: Union[Layer, str]) -> Ends:
    """Return the graph in which the inputs of `layer` take the place of its outputs."""
    old = _layer_of(model, layer)

    def change(call: Call, known: Dict[Kensor, Kensor]) -> List[Kensor]:
        if len(call.fed) > 1 or len(call.outputs) > 1:
            raise GraphError(f'{model.name}: remove: {old.name} has {len(call.fed)} input(s) and '
                             f'{len(call.outputs)} output(s), which cannot replace each other. Use replace.')
        return [known[kensor] for kensor in call.fed]
    return _changed(model, old, change)


def part(model: Network, start: Any, end: Any) -> Ends:
    """Return the graph from some layers or Kensors to others, with Inputs in place of the first.

    Raises
    ------
    GraphError
        If an end depends on other Inputs than the starts.
    """
    starts, ends = ([kensor for one in to_list(given) for kensor in _kensors_of(model, one)]
                    for given in (start, end))
    inputs = {kensor: Input(list(kensor.shape[1:]), batch_size=kensor.shape[0], dtype=kensor.dtype)
              for kensor in starts}
    known: Dict[Kensor, Kensor] = dict(inputs)
    for call in calls_behind(ends, known):
        if not call.inputs:
            raise GraphError(f'{model.name}: sub_model: the end depends on the Input {call.layer.name}, too. '
                             'Add it to the starts.')
        known.update(zip(call.outputs, call.again(known)))
    return list(inputs.values()), [known[kensor] for kensor in ends]


def _changed(model: Network, layer: Layer, change: Change) -> Ends:
    """Return the graph in which the calls of `layer` are changed."""
    known: Dict[Kensor, Kensor] = {}
    for call in model.calls:
        known.update(zip(call.outputs, change(call, known) if call.layer is layer else _again(call, known)))
    return model.inputs, [known[kensor] for kensor in model.outputs]


def _layer_of(model: Network, given: Union[Layer, str], inputs_too: bool = False) -> Layer:
    layer = model.get_layer(given) if isinstance(given, str) else given
    if not any(layer is one for one in model.layers):
        raise GraphError(f'{model.name}: {describe(given)} is not a layer of this model. It has '
                         f"{', '.join(model.layer_ids())}.")
    if isinstance(layer, Input) and not inputs_too:
        raise GraphError(f'{model.name}: the Input {layer.name} can be neither replaced nor removed. Use sub_model.')
    return layer


def _kensors_of(model: Network, given: Any) -> List[Kensor]:
    if isinstance(given, Kensor):
        return [given]
    if isinstance(given, str) and model.inner_layer(given) is None:
        return [model.get_kensor(given)]
    layer = _layer_of(model, given, inputs_too=True)
    calls = [call for call in model.calls if call.layer is layer]
    if len(calls) > 1:
        raise GraphError(f'{model.name}: sub_model: {layer.name} was called {len(calls)} times. Name an output of '
                         f"one of the calls, for example '{model.names.short(calls[0].outputs[0])}'.")
    return list(calls[0].outputs)


def _check_outputs(model: Network, made: List[Kensor], wanted: int, expected: str) -> None:
    if len(made) != wanted:
        raise GraphError(f'{model.name}: {expected}, received {made[0].layer.name}, which gives {len(made)}.')


def _again(call: Call, known: Dict[Kensor, Kensor]) -> List[Kensor]:
    """Return the outputs of a call on other Kensors; those of the call itself if they are the same."""
    return list(call.outputs) if all(known[kensor] is kensor for kensor in call.inputs) else call.again(known)
