"""``keraflow inspect``: what a file holds, without building any of it."""
from typing import Any, Dict, List, Mapping

import numpy as np

import keraflow
from keraflow.command.console import print_json, say, table
from keraflow.command.normal import target_of
from keraflow.command.parser import FINE
from keraflow.command.sources import MODEL, Source, customs, read_source
from keraflow.data.arrays import not_finite
from keraflow.files.refusal import excerpt
from keraflow.models.onefile import read_whole

__all__ = ['inspect']

#: How long a line about a setting may be.
_LONG = 160
#: What of a training is shown; the rest describes the model.
_SHOWN = ('lr', 'execution', 'stream', 'fit', 'environment', 'optimizer')


def inspect(arguments: Any) -> int:
    """Check a file, and print what it holds."""
    source = read_source(arguments.file)
    plan = _checked(source, arguments.weights)
    if arguments.json:
        print_json(_data(source, plan))
        return FINE
    say(f'{source.path}: {source.what}{_version(source)}')
    for line in [] if plan is None else str(plan).splitlines()[1:]:
        say(line)
    for line in [*_of_settings(source), *_of_training(source)]:
        say(line)
    for what, arrays in (('weights', source.weights), ('optimizer', source.slots), ('other arrays', source.others)):
        for line in _listed(what, arrays, is_whole=plan is None):
            say(line)
    if source.weights and not source.has_digest:
        say('there is no SHA-256: another program wrote the file, and damage would go unnoticed')
    return FINE


def _checked(source: Source, weights: Any) -> Any:
    """Return the plan of a model, whose file is checked by what reads it; None for a file without one."""
    if source.what == MODEL:
        return read_whole(source.path, customs()).plan
    return None if source.model is None else keraflow.plan(source.path, weights, customs())


def _version(source: Source) -> str:
    if source.version == '0':
        return " in the first Keraflow's format"
    return f', format version {source.version}' if source.version else ''


def _of_settings(source: Source) -> List[str]:
    args = source.settings.get('args') if isinstance(source.settings, dict) else None
    if not isinstance(args, dict):
        return []
    return ['compiled with:', *(f'  {name}: {_short(value)}' for name, value in args.items() if value)]


def _of_training(source: Source) -> List[str]:
    found = source.training or {}
    lines = [f'  {name}: {_short(found[name])}' for name in _SHOWN if found.get(name)]
    return ['training:', *lines] if lines else []


def _listed(what: str, arrays: Mapping[str, np.ndarray], is_whole: bool) -> List[str]:
    if not arrays:
        return []
    nb_byte = sum(one.nbytes for one in arrays.values())
    nb_number = sum(one.size for one in arrays.values())
    head = f'{what}: {len(arrays)} arrays, {nb_number:,} numbers, {nb_byte:,} bytes'
    broken = not_finite(arrays)
    told = [f'  not finite: {", ".join(map(excerpt, broken[:3]))}{" and others" * (len(broken) > 3)}'] if broken else []
    rows = [[f'  {name}', one.dtype, one.shape, f'{one.size:,}'] for name, one in arrays.items()] if is_whole else []
    return [head, *told, *(table(rows, right=[3]) if rows else [])]


def _short(value: Any) -> str:
    text = _brief(value)
    return text if len(text) <= _LONG else f'{text[:_LONG - 3]}...'


def _brief(value: Any) -> str:
    """Return plain data in one line, objects as they are written in programs."""
    _, id = target_of(value)
    if id:
        args = value.get('args')
        args = args if isinstance(args, dict) else {}
        return f"{id}({', '.join(f'{name}={_brief(one)}' for name, one in args.items())})" if args else id
    if isinstance(value, dict):
        return ', '.join(f'{name}: {_brief(one)}' for name, one in value.items())
    if isinstance(value, list):
        return f"[{', '.join(map(_brief, value))}]"
    return value if isinstance(value, str) else excerpt(value)


def _data(source: Source, plan: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = {'file': source.path, 'kind': source.what, 'version': source.version,
                             'has_digest': source.has_digest}
    if plan is not None:
        found['model'] = {'name': plan.name, 'class': plan.cls, 'nb_parameter': plan.nb_parameter,
                          'layers': [{'name': one.name, 'class': one.cls, 'inputs': list(one.inputs),
                                      'output_shapes': list(one.output_shapes), 'nb_parameter': one.nb_parameter}
                                     for one in plan.layers]}
    if source.settings is not None:
        found['settings'] = source.settings
    if source.training is not None:
        found['training'] = source.training
    for part in ('weights', 'slots', 'others'):
        found[part] = {name: {'dtype': str(one.dtype), 'shape': list(one.shape)}
                       for name, one in getattr(source, part).items()}
    return found
