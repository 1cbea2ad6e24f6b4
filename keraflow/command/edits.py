"""From one architecture to another: which layers, calls and arguments differ, an edit a line."""
import inspect
import json
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from keraflow.command.normal import defaults_of, target_of
from keraflow.command.pairing import (Graph, args_of, calls_of, class_of, ends_of, has_shared, is_automatic, matched,
                                      unnamed)
from keraflow.files.refusal import excerpt
from keraflow.layers.network import Network
from keraflow.serialization.values import is_form

__all__ = ['Edit', 'array_edits', 'data_edits', 'model_edits']

_ABSENT = object()


class Edit(NamedTuple):
    """A difference: ``-``, ``+`` or ``~``, where it is, and what was and is there."""

    sign: str
    where: str
    old: Optional[str] = None
    new: Optional[str] = None

    def __str__(self) -> str:
        values = ' -> '.join(one for one in (self.old, self.new) if one is not None)
        return f'{self.sign} {self.where}' + (f': {values}' if values else '')

    @classmethod
    def of(cls, where: str, old: Any, new: Any) -> 'Edit':
        """Return that from one value to another, either of which may be absent."""
        if old is _ABSENT:
            return cls('+', where, None, _shown(new))
        return cls('-', where, _shown(old)) if new is _ABSENT else cls('~', where, _shown(old), _shown(new))


def model_edits(old: Any, new: Any) -> Tuple[List[Edit], Dict[str, str]]:
    """Return the edits from one model to another, and the names of the layers of the old one in the new one."""
    # What refers to a layer does so by its name, which would not mean the same layer if it were overlooked.
    differ = _Differ(may_renumber=not has_shared([old, new]))
    differ.values('model', '', old, new)
    return differ.edits, differ.names


def data_edits(what: str, old: Any, new: Any) -> List[Edit]:
    """Return the edits of plain data that are not a model's graph."""
    differ = _Differ()
    differ.values(what, '', old, new)
    return differ.edits


def array_edits(what: str, old: Dict[str, np.ndarray], new: Dict[str, np.ndarray]) -> List[Edit]:
    """Return the edits of named arrays: other names, shapes, dtypes and values."""
    edits = [Edit('-', f'{what} {name}', _kind(array)) for name, array in old.items() if name not in new]
    for name, array in new.items():
        if name not in old:
            edits.append(Edit('+', f'{what} {name}', None, _kind(array)))
        elif _kind(array) != _kind(old[name]):
            edits.append(Edit('~', f'{what} {name}', _kind(old[name]), _kind(array)))
        elif array.tobytes() != old[name].tobytes():
            edits.append(Edit('~', f'{what} {name}', None, _moved(old[name], array)))
    return edits


def _kind(array: np.ndarray) -> str:
    return f'{array.dtype} {array.shape}'


def _moved(old: np.ndarray, new: np.ndarray) -> str:
    """Return how many values have other bits, and how far apart they are."""
    bits, others = (np.frombuffer(one.tobytes(), 'uint8').reshape(one.size, one.itemsize) for one in (old, new))
    moved = (bits != others).any(axis=1)
    of_all = f'{np.count_nonzero(moved)} of {old.size} values differ'
    before, now = (one.ravel()[moved] for one in (old, new))
    if old.dtype.kind in 'iu':      # which float64 would round
        return f'{of_all}, by up to {max(abs(int(one) - int(other)) for one, other in zip(before, now)):.3g}'
    before, now = (one.astype('float64') for one in (before, now))
    with np.errstate(invalid='ignore'):
        distance = np.abs(before - now)[(before != now) & ~(np.isnan(before) & np.isnan(now))]
    if not distance.size:
        return f'{of_all} in nothing but the sign of 0 or the bits of NaN'
    return f'{of_all}, by up to {distance.max():.3g}'


class _Differ:
    def __init__(self, may_renumber: bool = True) -> None:
        self._may_renumber = may_renumber
        self.edits: List[Edit] = []
        self.names: Dict[str, str] = {}

    def values(self, place: str, path: str, old: Any, new: Any) -> None:
        """Compare two values at a path in a place, which is a layer or another part of the file."""
        if json.dumps(old, sort_keys=True, default=str) == json.dumps(new, sort_keys=True, default=str) \
                and not _graph_of(old):
            return
        where = f'{place}: {path}' if path else place
        if _graph_of(old) and _graph_of(new) and class_of(old) != class_of(new):
            self.edits.append(Edit('~', where, class_of(old), class_of(new)))
            self._graphs(place, *(Graph.of(args_of(one), place == 'model').with_path() for one in (old, new)))
        elif _is_object(old) and _is_object(new) and class_of(old) == class_of(new):
            self._objects(place, path, old, new)
        elif isinstance(old, dict) and isinstance(new, dict) and not is_form(old) and not is_form(new):
            self._mappings(place, path, old, new)
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and _has_parts(old + new):
            for number, (one, other) in enumerate(zip(old, new)):
                self.values(place, f'{path}[{number}]', one, other)
        else:
            self.edits.append(Edit.of(where, old, new))

    def _mappings(self, place: str, path: str, old: Dict[str, Any], new: Dict[str, Any]) -> None:
        for key in {**old, **new}:
            inner = f'{path}.{key}' if path else key
            if key in old and key in new:
                self.values(place, inner, old[key], new[key])
            else:
                self.edits.append(Edit.of(f'{place}: {inner}', old.get(key, _ABSENT), new.get(key, _ABSENT)))

    def _objects(self, place: str, path: str, old: Dict[str, Any], new: Dict[str, Any]) -> None:
        args, others = ({**defaults_of(one), **args_of(one)} for one in (old, new))
        if _graph_of(old) and _graph_of(new):
            self._graphs(place, *(Graph.of(one, place == 'model') for one in (args, others)))
            args, others = ({name: value for name, value in one.items() if name not in _GRAPH and
                             not (name == 'names' and isinstance(one['layers'], list))} for one in (args, others))
        self._mappings(place, path, args, others)
        self.values(place, f'{path}.learned' if path else 'learned', old.get('learned'), new.get('learned'))

    # -- graphs -------------------------------------------------------------------------------------------------------

    def _graphs(self, place: str, old: Graph, new: Graph) -> None:
        inside = '' if place == 'model' else place.removeprefix('layer ') + '/'
        pairs = matched(old.layers, new.layers, self._may_renumber)
        kept = set(pairs.values())
        # A layer that is gone must not be taken for another one that has its name now.
        names = {one: pairs.get(one, f'removed {one}' if one in new.layers else one) for one in old.layers}
        self.names.update({inside + one: inside + other for one, other in names.items()})
        for one, layer in old.layers.items():
            if one in pairs:
                self._layers(f'layer {inside}{one}', one, pairs[one], layer, new.layers[pairs[one]])
            else:
                self.edits.append(Edit('-', f'layer {inside}{one}', class_of(layer)))
        self.edits += [Edit('+', f'layer {inside}{one}', None, class_of(layer)) for one, layer in new.layers.items()
                       if one not in kept]
        self._calls(place, inside, old, new, names)
        row = [names.get(one, one) for one in old.row if one in pairs or one not in old.layers]
        other = [one for one in new.row if one in kept or one not in new.layers]
        if row != other:
            texts = (', '.join(some) or 'none' for some in (row, other))
            self.edits.append(Edit('~', f'{place}: layers in a row', *texts))

    def _layers(self, what: str, name: str, new_name: str, old: Any, new: Any) -> None:
        if name != new_name and not (is_automatic(name, old) and is_automatic(new_name, new)):
            self.edits.append(Edit.of(f'{what}: name', name, new_name))
        if class_of(old) == class_of(new):
            self.values(what, '', unnamed(old), unnamed(new))
        else:
            self.edits.append(Edit('~', what, class_of(old), class_of(new)))

    def _calls(self, place: str, inside: str, old: Graph, new: Graph, names: Dict[str, str]) -> None:
        calls, others = calls_of(old, names), calls_of(new, {})
        for key in {**calls, **others}:
            one, other = calls.get(key), others.get(key)
            if one != other:
                sign = '+' if one is None else '-' if other is None else '~'
                self.edits.append(Edit(sign, f'call {inside}{key}', one, other))
        for end in ('inputs', 'outputs'):
            ends, other_ends = ends_of(old, end, names), ends_of(new, end, {})
            if ends != other_ends:
                self.edits.append(Edit.of(f'{inside}{end}', ends, other_ends))


#: The arguments of a model that are its graph.
_GRAPH = ('layers', 'path', 'inputs', 'outputs')


def _graph_of(data: Any) -> Any:
    """Return the layers of a form that describes a model, else None."""
    target = target_of(data)[0] if _is_object(data) else None
    is_other = target is not None and not (inspect.isclass(target) and issubclass(target, Network))
    return args_of(data).get('layers') if _is_object(data) and not is_other else None


def _is_object(data: Any) -> bool:
    return isinstance(data, dict) and is_form(data) and 'class' in data


def _has_parts(items: Sequence[Any]) -> bool:
    return any(isinstance(one, (dict, list)) for one in items)


def _shown(value: Any) -> str:
    if _is_object(value) and _graph_of(value):
        return class_of(value)
    if _is_object(value):
        args = ', '.join(f'{name}={_shown(one)}' for name, one in args_of(value).items())
        return f"{value['class']}({args})"[:200]
    return excerpt(value)
