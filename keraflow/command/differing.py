"""``keraflow diff``: how two files differ, an edit a line."""
from typing import Any, Dict, List

import numpy as np

from keraflow.command.console import print_json, say
from keraflow.command.edits import Edit, array_edits, data_edits, model_edits
from keraflow.command.normal import by_current_names, without_notes
from keraflow.command.parser import DIFFERS, FINE
from keraflow.command.sources import Source, read_source
from keraflow.errors import ArgumentError, nearest

__all__ = ['diff']

PARTS = ('model', 'settings', 'training', 'weights')


def diff(arguments: Any) -> int:
    """Compare two files."""
    chosen = _chosen(arguments.only)
    a, b = read_source(arguments.a), read_source(arguments.b)
    edits: List[Edit] = []
    renamed: Dict[str, str] = {}
    if a.model is not None and b.model is not None:
        edits, renamed = model_edits(*(without_notes(by_current_names(one.model)) for one in (a, b)))
    if 'model' not in chosen:
        edits = []
    for part in chosen:
        held = [_holds(source, part) for source in (a, b)]
        if held == [True, True] and part != 'model':
            edits += _compared(part, a, b, renamed)
        elif sum(held) == 1:
            sign, source = ('-', a) if held[0] else ('+', b)
            edits.append(Edit(sign, f'{part} (only in {source.path})'))
    if arguments.json:
        print_json({'a': a.path, 'b': b.path, 'edits': [one._asdict() for one in edits]})
    else:
        for one in edits:
            say(one)
    return DIFFERS if edits else FINE


def _chosen(only: Any) -> List[str]:
    chosen = list(PARTS) if only is None else [one.strip() for one in only.split(',')]
    for one in chosen:
        if one not in PARTS:
            raise ArgumentError(f"--only: there is no part '{one}'. {nearest(one, PARTS)}")
    return [part for part in PARTS if part in chosen]


def _holds(source: Source, part: str) -> bool:
    return bool(source.weights) if part == 'weights' else getattr(source, part) is not None


def _compared(part: str, a: Source, b: Source, renamed: Dict[str, str]) -> List[Edit]:
    if part == 'weights':
        return array_edits('weights', _by_new_names(a.weights, renamed), b.weights)
    old, new = (by_current_names(getattr(one, part)) for one in (a, b))
    if part == 'settings':
        return data_edits(part, _renamed_keys(old, renamed), new)
    if a.model is not None and b.model is not None:     # these, and the settings, are what a recipe describes
        old, new = ({name: value for name, value in one.items() if name != 'recipe'} for one in (old, new))
    return data_edits(part, old, new) + array_edits('optimizer', _by_new_names(a.slots, renamed, 1), b.slots)


def _renamed_keys(settings: Any, renamed: Dict[str, str]) -> Any:
    """Return settings of ``compile`` by the names that outputs have in the other model."""
    args = settings.get('args') if isinstance(settings, dict) else None
    if not isinstance(args, dict):
        return settings
    return {**settings, 'args': {name: {renamed.get(key, key): one for key, one in value.items()}
                                 if isinstance(value, dict) else value for name, value in args.items()}}


def _by_new_names(arrays: Dict[str, np.ndarray], renamed: Dict[str, str], nb_before: int = 0) -> Dict[str, np.ndarray]:
    """Return arrays by the names that their layers have in the other model, after some words that are kept."""
    found = {}
    for name, array in arrays.items():
        *words, own = name.split('/')
        before, layer, after = words[:nb_before], words[nb_before:], [own]
        while layer and '/'.join(layer) not in renamed:     # of an embedded layer: the name of its host
            after.insert(0, layer.pop())
        found['/'.join([*before, *(renamed['/'.join(layer)].split('/') if layer else ()), *after])] = array
    return found
