"""Which layers of two models are the same, and what each is fed with, in names that can be compared.

Names say which layer is which. Numbers are overlooked only of layers that the user did not name, only where the models
have other names, and only where no doubt is left: nothing that differs may look the same.
"""
import difflib
import json
import re
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Tuple

from keraflow.command.normal import target_of
from keraflow.graph.call_arguments import decoded, kensors_named
from keraflow.graph.naming import distinct

__all__ = ['Graph', 'args_of', 'calls_of', 'class_of', 'ends_of', 'has_shared', 'is_automatic', 'matched', 'unnamed']


class Graph(NamedTuple):
    """The graph in the arguments of a model.

    Attributes
    ----------
    layers : dict
        By name.
    row : list of str
        The names in the order of a Sequential, one for each time that a layer is in it; empty for a Model.
    path, inputs, outputs
        Those of a Model, of which nobody has checked that they are any.
    """

    layers: Dict[str, Any]
    row: List[str]
    path: Any = None
    inputs: Any = None
    outputs: Any = None

    @classmethod
    def of(cls, args: Dict[str, Any], is_whole: bool) -> 'Graph':
        """Return that of a model, which is the whole one or one inside another."""
        layers, (path, inputs, outputs) = args.get('layers'), (args.get(key) for key in ('path', 'inputs', 'outputs'))
        if isinstance(layers, dict):
            return cls(layers, [], path, inputs, outputs)
        return cls(*_row(layers, args.get('names'), is_whole), path, inputs, outputs)

    def with_path(self) -> 'Graph':
        """Return the graph of a Sequential that begins with an Input as that of a Model."""
        if not self.row or self.path is not None or class_of(self.layers.get(self.row[0])) != 'Input':
            return self
        path: List[Any] = []
        fed, times = self.row[0], Counter[str]()
        for name in self.row[1:]:
            path.append([[fed], name, f'{name}_{times[name]}'])
            fed, times[name] = path[-1][-1], times[name] + 1
        return Graph(self.layers, [], path, [self.row[0]], [fed])


def _row(listed: Any, names: Any, is_whole: bool) -> Tuple[Dict[str, Any], List[str]]:
    """Return the layers of a Sequential by name, and the names in order."""
    listed, names = (some if isinstance(some, list) else [] for some in (listed, names))
    own = [number for number, one in enumerate(listed) if not _shared(one)]
    users = [args_of(listed[number]).get('name') for number in own]
    kept = [names[place] if user is None and place < len(names) else user for place, user in enumerate(users)]
    found = distinct([None if name is None else str(name) for name in kept],
                     [class_of(listed[number]).lower() for number in own])
    by_number = dict(zip(own, found))
    # The place that a reference names is counted from the whole model: elsewhere it is not followed.
    again = {f'layers[{number}]': name for number, name in by_number.items()} if is_whole else {}
    row = [by_number[number] if number in by_number else again.get(_shared(one), f'shared {_shared(one)}')
           for number, one in enumerate(listed)]
    return {name: listed[number] for number, name in by_number.items()}, row


def _shared(layer: Any) -> str:
    found = layer.get('shared') if isinstance(layer, dict) and len(layer) == 1 else None
    return found if isinstance(found, str) else ''


def has_shared(data: Any) -> bool:
    """Return whether anything in plain data refers to another part of them, by a place that contains names."""
    if isinstance(data, list):
        return any(map(has_shared, data))
    return isinstance(data, dict) and ('shared' in data or any(map(has_shared, data.values())))


def args_of(data: Any) -> Dict[str, Any]:
    """Return the arguments in a form, {} if there are none."""
    found = data.get('args') if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def class_of(layer: Any) -> str:
    """Return the id of the class of a layer."""
    return target_of(layer)[1] or 'layer'


def unnamed(layer: Any) -> Any:
    """Return a layer without its name, which is compared by itself."""
    args = {key: value for key, value in args_of(layer).items() if key != 'name'}
    return {**layer, 'args': args} if args_of(layer) else layer


def is_automatic(name: str, layer: Any) -> bool:
    """Return whether a layer has the name that its class and a number make, and the user gave none."""
    target, id = target_of(layer)
    prefix = getattr(target, '__name__', id).lower()
    return bool(prefix) and args_of(layer).get('name') is None and \
        bool(re.fullmatch(f'{re.escape(prefix)}[1-9][0-9]*', name))


def matched(old: Dict[str, Any], new: Dict[str, Any], may_renumber: bool) -> Dict[str, str]:
    """Return the names in a new model of the layers that an old one has, too."""
    by_names = {one: one for one in old if one in new}
    if not may_renumber or old.keys() == new.keys():
        return by_names
    found = _aligned(old, new, {one for one in by_names if not (is_automatic(one, old[one]) and
                                                                is_automatic(one, new[one]))})
    return by_names if _cross(found, old, new) else found


def _aligned(old: Dict[str, Any], new: Dict[str, Any], fixed: Any) -> Dict[str, str]:
    """Match layers by name if it is one of some, others where they are alike and in the same order."""
    texts, others = ([f'={name}' if name in fixed else json.dumps(unnamed(one), sort_keys=True, default=str)
                      for name, one in some.items()] for some in (old, new))
    found = {name: name for name in fixed}
    left, right = list(old), list(new)
    for tag, start, stop, first, last in difflib.SequenceMatcher(None, texts, others, False).get_opcodes():
        if tag == 'equal':
            found.update(zip(left[start:stop], right[first:last]))
        else:
            found.update(_of_one_class(old, [one for one in left[start:stop] if one not in fixed],
                                       new, [one for one in right[first:last] if one not in fixed]))
    return {one: found[one] for one in old if one in found}


def _of_one_class(old: Dict[str, Any], names: List[str], new: Dict[str, Any], others: List[str]) -> Dict[str, str]:
    free, found = list(others), {}
    for needs_name in (True, False):
        for one in names:
            match = None if one in found else next((other for other in free if class_of(old[one]) == class_of(
                new[other]) and (one == other or not needs_name)), None)
            if match is not None:
                found[one] = match
                free.remove(match)
    return found


def _cross(found: Dict[str, str], old: Dict[str, Any], new: Dict[str, Any]) -> bool:
    """Return whether layers with automatic names come in another order of their numbers."""
    numbers: Dict[str, List[Tuple[Any, Any]]] = {}
    for one, other in found.items():
        if is_automatic(one, old[one]) and is_automatic(other, new[other]):
            # Of two numbers without leading zeros the longer one is larger.
            numbers.setdefault(class_of(old[one]), []).append(((len(one), one), (len(other), other)))
    return any([number for _, number in sorted(some)] != sorted(number for _, number in some)
               for some in numbers.values())


def calls_of(graph: Graph, names: Dict[str, str]) -> Dict[str, str]:
    """Return the calls of a graph by what they make, described, with layers by the names that they have elsewhere."""
    found: Dict[str, str] = {}
    kensors = _kensors(graph, names)
    for step in _steps(graph.path):
        layer, made = str(step[1]), _names(step[2])
        text = f'fed by {", ".join(kensors.get(name, name) for name in _names(step[0]))}'
        if not all(name.startswith(f'{layer}_') for name in made):
            text = f'{names.get(layer, layer)} {text}'      # which the names of what is made do not say
        if any(step[3:]):
            named = {name: {'input': kensors.get(name, name)} for name in kensors_named(step[3:])}
            given = decoded(step[3:], named)
            text += f' with {", ".join(json.dumps(one, sort_keys=True) for one in given)}'
        found[', '.join(kensors[name] for name in made)] = text
    return found


def ends_of(graph: Graph, end: str, names: Dict[str, str]) -> List[str]:
    """Return the inputs or the outputs of a graph, with layers by the names that they have elsewhere."""
    kensors = _kensors(graph, names)
    return [kensors.get(name, name) for name in _names(getattr(graph, end))]


def _kensors(graph: Graph, names: Dict[str, str]) -> Dict[str, str]:
    """Return the names that Kensors have elsewhere, which begin with that of their layer, by those that they have."""
    found = dict(names)
    for step in _steps(graph.path):
        layer = str(step[1])
        for made in _names(step[2]):
            is_own = made.startswith(f'{layer}_')
            found[made] = names.get(layer, layer) + made[len(layer):] if is_own else made
    return found


def _steps(path: Any) -> List[Any]:
    """Return the calls in a path; what is none stands for one of a layer without a name."""
    listed = path if isinstance(path, list) else [] if path is None else [path]
    return [step if isinstance(step, list) and len(step) > 2 and isinstance(step[0], list) else
            [[], '', f'path[{number}]', step] for number, step in enumerate(listed)]


def _names(data: Any) -> List[str]:
    """Return names in a file, of which nobody has checked that they are any."""
    return list(map(str, data)) if isinstance(data, list) else [] if data is None else [str(data)]
