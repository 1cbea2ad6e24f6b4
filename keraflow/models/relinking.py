"""Rebuild a graph of layers from the path in a file."""
import re
from typing import Any, Dict, List, Tuple

from keraflow.arguments import to_list
from keraflow.errors import SerializationError, describe
from keraflow.graph.call_arguments import decoded
from keraflow.graph.kensor import Kensor
from keraflow.layers.base import Layer
from keraflow.layers.input import Input
from keraflow.shapes import unlist

__all__ = ['relinked']

#: What follows a layer's name in the name of an output of one of its calls.
_NUMBERED = re.compile(r'_([0-9]{1,9})(?:\.[0-9]+)?')


def relinked(layers: Any, path: Any, inputs: Any, outputs: Any) -> Tuple[List[Kensor], List[Kensor]]:
    """Call the layers as the path says, and return the Kensors that `inputs` and `outputs` name.

    A plan has checked all of it: see :mod:`keraflow.models.graph_data`.

    Raises
    ------
    SerializationError
        If a call gives another number of outputs than there are names, which a plan need not know.
    """
    kensors = _relink(layers, path)
    return [kensors[name] for name in inputs], [kensors[name] for name in outputs]


def _relink(layers: Dict[str, Layer], path: List[list]) -> Dict[str, Kensor]:
    """Call the layers as the path says, and return the Kensors by name."""
    namer = object()    # no model: the one that takes the layers keeps the names of the file
    for name, layer in layers.items():
        layer._name.suggest(name, namer)
    kensors: Dict[str, Kensor] = {name: layer for name, layer in layers.items() if isinstance(layer, Input)}
    for fed, layer_name, made, *arguments in path:
        inputs, layer, names = [kensors[name] for name in fed], layers[layer_name], to_list(made)
        given = decoded(arguments[0], kensors) if arguments else {}
        outputs = to_list(layer(inputs if layer.multi_input else unlist(inputs), **given))
        if len(outputs) != len(names):
            raise SerializationError(f"Model: path: '{layer_name}' has {len(outputs)} output(s), but {len(names)} "
                                     f'name(s) are given: {describe(made)}.')
        numbered = _NUMBERED.fullmatch(names[0][len(layer_name):])
        if numbered is not None:
            outputs[0].call.suggest_number(int(numbered[1]), None, namer)
        kensors.update(zip(names, outputs))
    return kensors
