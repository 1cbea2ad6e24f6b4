"""What the predictions of a model depend on besides its weights, so that weights of another model are known.

Plain data like a recipe of its training, without what matters in training alone: it is the same for a Sequential and a
Model of the same graph, with and without Dropout, and for Inputs of any lengths.
"""
from typing import Any, Dict, FrozenSet, List

from keraflow import schema
from keraflow.files.json_text import parse_json
from keraflow.files.plaindata import dump_json
from keraflow.files.refusal import refusal
from keraflow.graph.kensor import Kensor
from keraflow.layers.base.embedded_changes import EMBEDDED_ARGUMENTS
from keraflow.layers.input import Input
from keraflow.layers.network import Network
from keraflow.models.recipe import Difference, Recipe, Writer, differences

__all__ = ['differing', 'predictions_text']

#: Kinds of arguments, and words anywhere in them, that matter in training alone. A layer's class may name others.
_TRAINING_KINDS = frozenset({'initialization', 'regularizer', 'constraint'})
_TRAINING_WORDS = frozenset({'trainable', 'regularizers', 'constraints', 'activity_regularizer'})
_RATES = 'drop_rate', 'dropout'
#: Arguments of Inputs that data must suit, but on which no prediction depends.
_OF_INPUTS = frozenset({'shape', 'batch_size'})


def predictions_text(network: Network) -> str:
    """Return, as text for the metadata of a file, what the predictions of a network depend on."""
    return dump_json(_recipe(network))


def differing(network: Network, text: str, where: str) -> List[Difference]:
    """Describe why a network predicts differently, with the same weights, than the one that a text describes.

    Raises
    ------
    ModelFileError
        If the text is damaged.
    """
    place = f'{where}: predictions'
    saved = parse_json(text, place)
    if type(saved) is not dict or set(saved) != {'parts', 'arguments'} or \
            not all(type(one) is dict for one in saved.values()) or \
            not all(type(one) is dict for one in saved['arguments'].values()):
        raise refusal(place, 'its description of the model is damaged.')
    return differences(_recipe(network), saved)


def _recipe(network: Network) -> Recipe:
    writer = Writer()
    _add(writer, network, '')
    return {'parts': writer.parts, 'arguments': writer.arguments}


def _add(writer: Writer, network: Network, prefix: str) -> None:
    """Add the layers of a network, whose own begin with a prefix, and what feeds them."""
    if not network.calls:
        return
    names, seen = network.names.kensors, _passed_on(network)
    for name, layer in network.layer_ids().items():
        if isinstance(layer, Network) and layer.calls:
            writer.parts[f'the layer {prefix}{name}'] = 'a network'
            _add(writer, layer, f'{prefix}{name}/')
        elif not _is_absent(layer):
            part = f'the layer {prefix}{name}'
            writer.add(part, layer)
            without = _not_compared(layer)
            writer.arguments[part] = {path: value for path, value in writer.arguments[part].items()
                                      if _matters(path, without)}
    for call in network.calls:
        if call.inputs and not _is_absent(call.layer):
            what = ', '.join(prefix + names[kensor] for kensor in call.outputs)
            writer.parts[f'the inputs of {what}'] = [names[seen[kensor]] for kensor in call.fed]
            if call.arguments:
                writer.add(f'the arguments of {what}', _named(call.arguments, names, seen))
    ends = f'of {prefix[:-1]}' if prefix else 'of the model'
    writer.parts[f'the inputs {ends}'] = network.input_names()
    writer.parts[f'the outputs {ends}'] = [names[seen[kensor]] for kensor in network.outputs]


def _passed_on(network: Network) -> Dict[Kensor, Kensor]:
    """Return for each Kensor the one whose values it has when nothing is trained."""
    seen: Dict[Kensor, Kensor] = {}
    for call in network.calls:
        for kensor in call.outputs:
            seen[kensor] = seen[call.fed[0]] if _is_absent(call.layer) else kensor
    return seen


def _named(arguments: Any, names: Dict[Kensor, str], seen: Dict[Kensor, Kensor]) -> Any:
    if isinstance(arguments, Kensor):
        return names[seen.get(arguments, arguments)]
    if isinstance(arguments, dict):
        return {name: _named(one, names, seen) for name, one in arguments.items()}
    if isinstance(arguments, (list, tuple)):
        return [_named(one, names, seen) for one in arguments]
    return arguments


def _is_absent(layer: Any) -> bool:
    """Return whether a layer passes its input on when nothing is trained, as its class says that defines `output`."""
    for cls in type(layer).__mro__:
        if 'acts_only_in_training' in vars(cls) or 'output' in vars(cls):
            return bool(vars(cls).get('acts_only_in_training', False))
    return False


def _not_compared(layer: Any) -> FrozenSet[str]:
    """Return the arguments of a layer on which no prediction depends, as its class and their kinds say."""
    cls = type(layer)
    named = _OF_INPUTS if cls is Input else frozenset(getattr(cls, 'predicts_without', ()))
    return named | {name for name, kind in schema.kinds_of(cls).items() if kind in _TRAINING_KINDS}


def _matters(path: str, without: FrozenSet[str]) -> bool:
    """Return whether predictions depend on an argument, or on a part of one: ``'layer.activation'``."""
    words = path.replace('[', '.').split('.')
    if words[0] in without or words[0] == EMBEDDED_ARGUMENTS and len(words) < 3:     # which were changed, not how
        return False
    return not any(word in _TRAINING_WORDS or word.startswith(_RATES) for word in words)
