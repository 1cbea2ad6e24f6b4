"""Check the graph of a model in plain data, and sketch the model."""
from typing import Any, Dict, Iterable, List, Sequence, Set

from keraflow import schema
from keraflow.arguments import to_list
from keraflow.errors import describe, nearest
from keraflow.graph.call_arguments import kensors_named
from keraflow.graph.naming import distinct, two_of_one_name
from keraflow.layers.base import Layer, advice_for_class
from keraflow.layers.input import Input
from keraflow.models.sketches import GraphSketch, class_of, is_name
from keraflow.schema import Name
from keraflow.serialization.locations import Location
from keraflow.serialization.sketching import is_stand_in

__all__ = ['GRAPH', 'check_case', 'sketched_model', 'sketched_row']

#: What describes the graph of a model.
GRAPH = ('layers', 'path', 'inputs', 'outputs')
_LETTERS = "letters, digits, '_', '-' and '.' (at most 128)"


def sketched_model(cls: Any, given: Dict[str, Any], location: Location) -> GraphSketch:
    """Sketch a model of a class, from the arguments in a file.

    Raises
    ------
    SerializationError
        With the place of what is wrong in the graph.
    """
    rest = dict(given)
    for key in GRAPH:
        if key not in rest:
            raise location.key('class').refusal(f"Model: '{key}' is missing. A model has layers, path, inputs and "
                                                'outputs.')
    graph = {key: rest.pop(key) for key in GRAPH}
    schema.check_arguments(cls, rest, cls.__name__)
    made = GraphSketch.of(cls, rest, graph)
    places = {key: location.key('args', key) for key in GRAPH}
    _check_layers(graph['layers'], places['layers'])
    made.add_layers(graph['layers'], places['layers'])
    _call(made, graph['layers'], graph['path'], places['path'])
    for key in ('inputs', 'outputs'):
        _check_names(made, graph[key], key, places[key])
    made.end(graph['inputs'], graph['outputs'])
    _check_ends(made, graph, places)
    return made


def sketched_row(cls: Any, given: Dict[str, Any], location: Location) -> GraphSketch:
    """Sketch a Sequential, from the arguments in a file."""
    rest = dict(given)
    listed, names = rest.pop('layers', []), rest.pop('names', [])
    schema.check_arguments(cls, {'layers': listed, **rest}, cls.__name__)
    made = GraphSketch.of(cls, rest, {key: given[key] for key in ('layers', 'names') if key in given})
    at = location.key('args', 'layers')
    for index, layer in enumerate(listed):
        if not isinstance(layer, Layer):
            raise at.key(index).refusal(f'{cls.__name__}: layers: expected a layer, received {describe(layer)}.'
                                        f'{advice_for_class(layer)}')
        if index and isinstance(layer, Input):
            raise at.key(index).refusal(f'{cls.__name__}: an Input can only be the first layer.')
    if names:
        with location.key('args', 'names').in_errors():
            schema.check(names, Sequence[Name], 'Sequential: names')
    layers = list({id(layer): layer for layer in listed}.values())
    users = [vars(layer).get('_passed', {}).get('name') for layer in layers]
    taken: Set[str] = set()
    for index, name in enumerate(users):
        if name in taken:
            raise at.key(index).refusal(f'{made.name}: {two_of_one_name(name)}')
        taken.update([name] if name is not None else [])
    kept = [user or (names[index] if index < len(names) else None) for index, user in enumerate(users)]
    named = dict(zip(distinct(kept, [_prefix(layer) for layer in layers]), layers))
    check_case(list(named), at)
    made.add_layers(named, at)
    of = {id(layer): name for name, layer in named.items()}
    if listed and isinstance(listed[0], Input):
        fed = first = [of[id(listed[0])]]
        for index, layer in enumerate(listed[1:], 1):
            fed = made.call(of[id(layer)], fed, None, {}, at.key(index))
        made.end(first, fed)
    elif listed:
        made.line_up(listed)
    return made


def check_case(names: List[str], location: Location) -> None:
    """Raise if two names differ in nothing but upper and lower case, which some file systems and tools ignore."""
    known: Dict[str, str] = {}
    for name in names:
        other = known.setdefault(name.casefold(), name)
        if other != name:
            raise location.key(name).refusal(f"Model: layers: '{name}' and '{other}' differ only in upper and lower "
                                             'case. Rename one.')


def _prefix(layer: Any) -> str:
    return class_of(layer).__name__.lower() if is_stand_in(layer) else layer.name_prefix


def _check_layers(layers: Any, location: Location) -> None:
    if not isinstance(layers, dict) or not all(isinstance(layer, Layer) for layer in layers.values()):
        raise location.refusal('Model: layers: expected a mapping from names to layers.')
    for name, layer in layers.items():
        at = location.key(name)
        if not is_name(name):
            raise at.refusal(f'Model: layers: expected a name of {_LETTERS}, received {ascii(name)[:60]}.')
        user = vars(layer).get('_passed', {}).get('name')
        if user not in (None, name):
            raise at.refusal(f"Model: layers: the layer '{name}' has the name '{user}' among its arguments. Write one "
                             'of them in both places.')
    check_case(list(layers), location)


def _call(made: GraphSketch, layers: Dict[str, Any], path: Any, location: Location) -> None:
    if not isinstance(path, list):
        raise location.refusal(f'Model: path: expected a list of calls, received {describe(path)}.')
    known = made.known
    for index, step in enumerate(path):
        at = location.key(index)
        if not _is_call(step) or not _is_known(step, layers, known):
            raise at.refusal(_advice(step, layers, known, path[index:]))
        names = to_list(step[2])
        if isinstance(layers[step[1]], Input):
            raise at.key(1).refusal(f"Model: path: the Input '{step[1]}' takes data, not the output of a layer.")
        if not names:
            raise at.key(2).refusal('Model: path: expected the name of an output, received [].')
        for name in names:
            if name in known or names.count(name) > 1:
                raise at.key(2).refusal(f"Model: path: '{name}' is there already. Give each output of a call its own "
                                        'name.')
            if not is_name(name):
                raise at.key(2).refusal(f'Model: path: expected a name of {_LETTERS}, received {ascii(name)[:60]}.')
        made.call(step[1], step[0], names, step[3] if len(step) > 3 else {}, at)


def _is_known(step: Any, layers: Dict[str, Any], known: Any) -> bool:
    return step[1] in layers and all(name in known for name in [*step[0], *kensors_named(step[3:])])


def _is_call(step: Any) -> bool:
    """Return whether a step of a path consists of names, and perhaps a dict of arguments."""
    return isinstance(step, (list, tuple)) and len(step) in (3, 4) and _are_names(step[0]) and _are_names(
        [step[1], *to_list(step[2])]) and all(isinstance(one, dict) for one in step[3:])


def _are_names(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and all(isinstance(name, str) for name in data)


def _advice(step: Any, layers: Dict[str, Any], known: Any, rest: List[Any]) -> str:
    """Say what is wrong with a step of a path."""
    text = ('Model: path: expected [names of inputs that are there, name of a layer, name of the output], received '
            f'{describe(step)}.')
    if not _is_call(step):
        return text
    if step[1] not in layers:
        return text + _suggestion(step[1], layers)
    missing = next(name for name in [*step[0], *kensors_named(step[3:])] if name not in known)
    if any(_is_call(later) and missing in to_list(later[2]) for later in rest):
        return f"{text} '{missing[:60]}' is made later: put its call first, and let no call feed itself."
    return text + _suggestion(missing, known)


def _suggestion(name: str, names: Iterable[str]) -> str:
    advice = nearest(name, names)
    return f' {advice}' if advice.startswith('Did') else ''


def _check_names(made: GraphSketch, names: Any, what: str, location: Location) -> None:
    if not _are_names(names):
        raise location.refusal(f'Model: {what}: expected a list of names, received {describe(names)}.')
    for index, name in enumerate(names):
        if name not in made.known:
            raise location.key(index).refusal(f"Model: there is no '{name!s:.60}' among the Inputs and the outputs of "
                                              f'the path.{_suggestion(name, made.known)}')
        if name in names[:index]:
            raise location.key(index).refusal(f"Model: {what}: expected each Kensor once, received '{name}' twice.")


def _check_ends(made: GraphSketch, graph: Dict[str, Any], places: Dict[str, Location]) -> None:
    """Raise unless the outputs depend on all that is there, and on no other Input than those of the model."""
    inputs, layers = graph['inputs'], graph['layers']
    if not inputs or not graph['outputs']:
        raise places['outputs' if inputs else 'inputs'].refusal(f'{made.name}: expected at least one input and one '
                                                                'output.')
    needed, used = set(graph['outputs']), set()
    for index, step in reversed(list(enumerate(graph['path']))):
        if needed.isdisjoint(to_list(step[2])):
            raise places['path'].key(index).refusal(f"Model: path: no output depends on '{to_list(step[2])[0]}'. "
                                                    'Remove the call, or add it to outputs.')
        needed.update(step[0], kensors_named(step[3:]))
        used.add(step[1])
    for name, layer in layers.items():
        is_input = isinstance(layer, Input)
        if name not in (needed if is_input else used):
            why = f"no output depends on the Input '{name}'" if is_input else f"the layer '{name}' is never called"
            raise places['layers'].key(name).refusal(f'Model: layers: {why}. Remove it, or use it.')
        if is_input and name not in inputs:
            raise places['inputs'].refusal(f"{made.name}: the outputs depend on the Input '{name}', which is not one "
                                           'of inputs. Add it.')
    for index, name in enumerate(inputs):
        if not isinstance(layers.get(name), Input):
            raise places['inputs'].key(index).refusal(f"Model: inputs: '{name}' is not an Input. Start the model at an "
                                                      'Input.')
