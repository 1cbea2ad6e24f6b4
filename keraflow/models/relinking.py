"""Rebuild a graph of layers from the path in a file."""
import re
from typing import Any, Dict, List, Tuple

from keraflow.arguments import to_list
from keraflow.errors import SerializationError, describe
from keraflow.graph.call_arguments import decoded, kensors_named
from keraflow.graph.kensor import Kensor
from keraflow.layers.base import Layer
from keraflow.layers.input import Input
from keraflow.shapes import unlist

__all__ = ['relinked']

#: What follows a layer's name in the name of an output of one of its calls.
_NUMBERED = re.compile(r'_([0-9]{1,9})(?:\.[0-9]+)?')


def relinked(layers: Any, path: Any, inputs: Any, outputs: Any) -> Tuple[List[Kensor], List[Kensor]]:
    """Call the layers as the path says, and return the Kensors that `inputs` and `outputs` name.

    Raises
    ------
    SerializationError
        If names are not lists, or mean nothing in the path.
    """
    for what, names in (('inputs', inputs), ('outputs', outputs)):
        if not _are_names(names):
            raise SerializationError(f'Model: {what}: expected a list of names, received {describe(names)}.')
    kensors = _relink(layers, path)
    for name in [*inputs, *outputs]:
        if name not in kensors:
            raise SerializationError(
                f"Model: there is no '{name!s:.60}' among the Inputs and the outputs of the path.")
    return [kensors[name] for name in inputs], [kensors[name] for name in outputs]


def _relink(layers: Any, path: Any) -> Dict[str, Kensor]:
    """Call the layers as the path says, and return the Kensors by name."""
    if not isinstance(layers, dict) or not all(isinstance(layer, Layer) for layer in layers.values()):
        raise SerializationError('Model: layers: expected a mapping from names to layers.')
    namer = object()    # no model: the one that takes the layers keeps the names of the file
    for name, layer in layers.items():
        layer._name.suggest(name, namer)
    kensors: Dict[str, Kensor] = {name: layer for name, layer in layers.items() if isinstance(layer, Input)}
    if not isinstance(path, list):
        raise SerializationError(f'Model: path: expected a list of calls, received {describe(path)}.')
    for step in path:
        if not _is_call(step) or step[1] not in layers or not kensors.keys() >= {*step[0], *kensors_named(step[3:])}:
            raise SerializationError(f'Model: path: expected [names of inputs that are there, name of a layer, name '
                                     'of the output], '
                                     f'received {step!r:.100}.')
        fed, layer_name, made, *arguments = step
        inputs, layer = [kensors[name] for name in fed], layers[layer_name]
        given = decoded(arguments[0], kensors) if arguments else {}
        outputs = to_list(layer(inputs if layer.multi_input else unlist(inputs), **given))
        numbered = _NUMBERED.fullmatch(str(to_list(made)[0])[len(str(layer_name)):]) if made else None
        if numbered is not None:
            outputs[0].call.suggest_number(int(numbered[1]), None, namer)
        kensors.update(zip(to_list(made), outputs))
    return kensors


def _is_call(step: Any) -> bool:
    """Return whether a step of a path consists of names, and perhaps a dict of arguments."""
    return isinstance(step, (list, tuple)) and len(step) in (3, 4) and _are_names(step[0]) and _are_names(
        [step[1], *to_list(step[2])]) and all(isinstance(one, dict) for one in step[3:])


def _are_names(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and all(isinstance(name, str) for name in data)
