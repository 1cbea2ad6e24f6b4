"""The JSON Schema of architecture files, made of the signatures by which files are checked when they are read."""
import inspect
import re
from collections import Counter
from typing import Any, Dict, List

from keraflow import registry, schema
from keraflow.backend.contract import OLD_NAMES
from keraflow.deprecation import renamed_arguments
from keraflow.files.json_text import parse_json
from keraflow.files.plaindata import dump_json
from keraflow.layers.base.embedded_changes import EMBEDDED_ARGUMENTS
from keraflow.models import Model, Sequential
from keraflow.models.saving import VERSION
from keraflow.models.weight_files import FORMAT
from keraflow.schema.json_schema import Schema, any_of, by_parameter, json_schema

__all__ = ['architecture_schema']

_DRAFT = 'https://json-schema.org/draft/2020-12/schema'
#: Where a person's notes may stand: in the file, in objects and among arguments.
_NOTES: Schema = {'patternProperties': {'^x_': {}}}
#: Ids that functions of the backend had.
_OLD_FUNCTIONS = {f'B.{old}' for old in OLD_NAMES}
#: Which arguments are written once.
_SEVERAL, _SHORT = 3, 60
_NAMES: Schema = {'type': 'array', 'items': {'type': 'string'}}
#: The values that plain data lack, see `serialization/values.py`.
_VALUES = {'tuple': {'type': 'array'}, 'dict': {'type': 'array'}, 'array': {'type': 'array'}}

_GRAPH: Dict[str, Schema] = {
    'layers': {'description': 'The layers by name.', 'type': 'object',
               'additionalProperties': {'$ref': '#/$defs/layer'}},
    'path': {'description': 'The calls: names of what is fed, the name of the layer, names for what it returns, and '
                            'perhaps other arguments of the call.',
             'type': 'array', 'items': {'type': 'array', 'minItems': 3, 'maxItems': 4, 'prefixItems': [
                 _NAMES, {'type': 'string'}, {'type': ['string', 'array'], 'items': {'type': 'string'}},
                 {'type': 'object'}]}},
    'inputs': {'description': 'The names of the Inputs.', **_NAMES},
    'outputs': {'description': 'The names of what is predicted.', **_NAMES}}


def architecture_schema() -> Schema:
    """Return the schema of an architecture file of today's format, with all classes that are registered."""
    definitions: Dict[str, Schema] = {}
    for kind in sorted({one.kind for one in registry.entries() if one.kind}):
        definitions[kind] = _any_of_kind(kind)
        definitions[f'{kind}s'] = by_parameter(_reference(kind))
        for one in _classes(kind):
            definitions[f'{kind}.{one.id}'] = _arguments(one.target)
    definitions['function'] = _form('function', sorted({one.id for one in registry.entries()
                                                        if not inspect.isclass(one.target)} | _OLD_FUNCTIONS))
    definitions['model'] = {'allOf': [{'$ref': '#/$defs/layer'}, {'properties': {'class': {
        'enum': [one.id for one in _classes('layer') if issubclass(one.target, Model)]}}}]}
    for tag, value in _VALUES.items():
        definitions[f'as {tag}'] = {'type': 'object', 'required': ['as', 'value'], 'additionalProperties': False,
                                    'properties': {'as': {'const': tag}, 'value': value, 'dtype': {'type': 'string'},
                                                   'shape': {'type': 'array', 'items': {'type': 'integer'}}}}
    definitions.update(_shared(definitions))
    found = {'$schema': _DRAFT, 'title': 'The architecture of a keraflow model', 'type': 'object',
             'required': ['format', 'version', 'model'], 'additionalProperties': False, **_NOTES,
             'properties': {'format': {'const': FORMAT}, 'version': {'enum': list(range(1, VERSION + 1))},
                            'model': {'$ref': '#/$defs/model'}},
             '$defs': _reached('model', definitions)}
    return parse_json(dump_json(found), 'schema')       # plain data, and no part in it twice


def _shared(definitions: Dict[str, Schema]) -> Dict[str, Schema]:
    """Let classes refer to arguments that several of them have, and return these."""
    found: Dict[str, Schema] = {}
    names: Dict[str, str] = {}
    times = Counter(dump_json(one) for its in definitions.values() for one in its.get('properties', {}).values())
    for its in definitions.values():
        for name, one in its.get('properties', {}).items():
            text = dump_json(one)
            if times[text] >= _SEVERAL and len(text) > _SHORT:
                if text not in names:
                    number = sum(key.startswith(f'argument.{name}.') for key in found) + 1
                    names[text] = f'argument.{name}.{number}'
                    found[names[text]] = one
                its['properties'][name] = _reference(names[text])
    return found


def _reached(name: str, definitions: Dict[str, Schema]) -> Dict[str, Schema]:
    """Return a definition and all that it refers to, in the order of their names."""
    found: Dict[str, Schema] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = definitions[name]
            waiting += re.findall(r'"#/\$defs/([^"]+)"', dump_json(found[name]))
    return dict(sorted(found.items()))


def _classes(kind: str) -> List[registry.Entry]:
    return sorted((one for one in registry.entries() if one.kind == kind and inspect.isclass(one.target)),
                  key=lambda one: one.id)


def _functions(kind: str) -> List[str]:
    return sorted(one.id for one in registry.entries()
                  if one.kind in ('', kind) and not inspect.isclass(one.target))


def _reference(kind: str) -> Schema:
    return {'$ref': f'#/$defs/{kind}'}


def _any_of_kind(kind: str) -> Schema:
    """Return the schema of a name, a class or a function of a kind."""
    classes, functions = _classes(kind), _functions(kind)
    options: List[Schema] = []
    if kind not in registry.OBJECTS:
        options.append({'enum': sorted({*registry.ids(kind), *(one for one in functions if not one.startswith('B.'))})})
        options.append(_form('function', sorted({*functions, *_OLD_FUNCTIONS})))
    objects = _form('class', [one.id for one in classes])
    objects['allOf'] = [{'if': {'properties': {'class': {'const': one.id}}, 'required': ['class']},
                         'then': _needs(one.target, f'{kind}.{one.id}')} for one in classes]
    if kind == 'layer':
        # One schema, so that an editor tells what is wrong with the class that is there.
        objects['properties']['shared'] = {'type': 'string', 'description': 'The place of an earlier layer, which '
                                           'this one is.'}
        objects['oneOf'] = [{'required': [objects.pop('required')[0]]}, {'required': ['shared'], 'maxProperties': 1}]
    options += [objects] if classes else []
    options += [_reference(registry.ALSO[kind])] if kind in registry.ALSO else []
    return any_of(options)


def _needs(cls: Any, name: str) -> Schema:
    """Return what a form of a class must have."""
    arguments = {'properties': {'args': {'$ref': f'#/$defs/{name}'}}}
    return {**arguments, 'required': ['args']} if _required(cls) else arguments


def _form(key: str, ids: List[str]) -> Schema:
    more = {'learned': {'type': 'object'}} if key == 'class' else {}
    return {'type': 'object', 'required': [key], 'additionalProperties': False, **_NOTES,
            'properties': {key: {'enum': ids}, 'args': {'type': 'object'}, **more}}


def _is_of_graph(cls: Any) -> bool:
    """Return whether files hold the graph of a model in place of the arguments ``inputs`` and ``outputs``."""
    return issubclass(cls, Model) and {'inputs', 'outputs'} <= schema.arguments_of(cls).keys()


def _required(cls: Any) -> List[str]:
    if _is_of_graph(cls):
        return list(_GRAPH)
    return [name for name, one in schema.arguments_of(cls).items() if one.default is inspect.Parameter.empty]


def _arguments(cls: Any) -> Schema:
    """Return the schema of the arguments of a class, with what its page says of them."""
    told, properties, of_graph = _described(cls), {}, _is_of_graph(cls)
    for name, one in schema.arguments_of(cls).items():
        if name in getattr(cls, 'never_saved', ()) or of_graph and name in ('inputs', 'outputs'):
            continue
        made = json_schema(one.annotation, _reference, lambda tag: {'$ref': f'#/$defs/as {tag}'})
        if one.default is None:         # which is allowed whatever the annotation says
            made = any_of([made, {'type': 'null'}])
        properties[name] = {**({'description': told[name]} if name in told else {}), **made}
        if type(one.default) in (bool, int, float, str):
            properties[name]['default'] = one.default
    if of_graph:
        properties.update(_GRAPH)
    elif issubclass(cls, Sequential) and 'layers' in properties:
        properties['layers'] = {**properties['layers'], 'type': 'array', 'items': {'$ref': '#/$defs/layer'}}
    if EMBEDDED_ARGUMENTS in properties:
        properties[EMBEDDED_ARGUMENTS] = {'type': ['object', 'null']}
    old = {word: one.name for word, one in renamed_arguments(cls).items() if one.name in properties}
    for word, name in old.items():
        properties[word] = {**properties[name], 'description': f'The old name of {name}.', 'deprecated': True}
    found: Schema = {'type': 'object', 'properties': properties, 'additionalProperties': False, **_NOTES}
    names = [name for name in _required(cls) if name in properties]
    found['required'] = [name for name in names if name not in old.values()]
    either = [{'anyOf': [{'required': [one]} for one in (name, *(word for word in old if old[word] == name))]}
              for name in names if name in old.values()]
    if either:
        found['allOf'] = either
    text = inspect.getdoc(cls)
    return {'description': _plain(text.split('\n\n')[0]), **found} if text else found


#: A parameter of a docstring, ``name, other : type``, and the indented text below.
_PARAMETER = re.compile(r'^(\w[\w, ]*) : [^\n]*\n((?:    [^\n]*\n|\n(?=    ))*)|^(\w[\w, ]*)\n((?:    [^\n]*\n)+)',
                        re.MULTILINE)


def _described(cls: Any) -> Dict[str, str]:
    """Return what the docstrings of a class, and of those it passes arguments on to, say of each argument."""
    found: Dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        text = inspect.cleandoc(owner.__doc__ or '')
        section = re.search(r'^Parameters\n-+\n(.*?)(?=^\w+\n-+\n|\Z)', text + '\n', re.MULTILINE | re.DOTALL)
        for names, told, others, more in _PARAMETER.findall(section[1]) if section else ():
            if told.strip() or more.strip():
                found.update(dict.fromkeys((names or others).split(', '), _plain(told or more)))
    return found


def _plain(text: str) -> str:
    """Return text of a docstring in one line, without the marks of reStructuredText."""
    text = re.sub(r':\w+:`~?(?:[^`]*\.)?([^`.]*)`', r'\1', text).replace('``', "'")
    return ' '.join(text.split())
