"""Migrate the first Keraflow's file format (2016) to today's, by a pure function over data."""
from collections import Counter
from typing import Any, Dict, List

from keraflow.errors import SerializationError, describe

__all__ = ['is_first_format', 'migrate']

_KEYS = {'class_name', 'module_name', 'params'}

#: Modules whose objects the first Keraflow saved. A name in one of them is an id of ours.
_MODULES = {f'keraflow.{name}' for name in (
    'activations', 'constraints', 'initializations', 'layers.base', 'layers.convolution', 'layers.core',
    'layers.embeddings', 'layers.recurrent', 'layers.wrappers', 'models', 'objectives', 'optimizers', 'regularizers')}


def is_first_format(data: Any) -> bool:
    """Return whether `data` describe an object in the first format."""
    return isinstance(data, dict) and _KEYS <= set(data)


def migrate(data: Any, customs: Dict[str, Any]) -> Any:
    """Return `data` of the first format as today's.

    The names of a module and a class are joined to one key; the key is looked up among what the program knows, and
    never split, imported or walked. `customs` are the program's classes by id.

    Raises
    ------
    SerializationError
        If the data name anything else, or do not say which call feeds which.
    """
    if isinstance(data, list):
        return [migrate(item, customs) for item in data]
    if not isinstance(data, dict):
        return data
    if not is_first_format(data):
        return {key: migrate(item, customs) for key, item in data.items()}
    params = migrate(data['params'], customs)
    _expect(isinstance(params, dict), "'params'", 'a mapping', params)
    if data['class_name'] == 'function':
        name = _known(data['module_name'], data.get('name'), customs)
        return {'function': name, 'args': params} if params else {'function': name}
    name = _known(data['module_name'], data['class_name'], customs)
    if name == 'Model':
        params = _model(params)
    return {'class': name, 'args': {key: value for key, value in params.items() if value not in ({}, None)}}


def _known(module: Any, name: Any, customs: Dict[str, Any]) -> str:
    _expect(isinstance(module, str), "'module_name'", 'a string', module)
    _expect(isinstance(name, str), 'name of a class or function', 'a string', name)
    key = f'{module}.{name}'
    if module in _MODULES:
        return name
    for identifier, entry in customs.items():
        if key == f'{entry.target.__module__}.{entry.target.__qualname__}':
            return identifier
    raise SerializationError(
        f"the first format's '{key:.100}' is not known. If it is yours, pass custom_objects=[...].")


def _model(params: Dict[str, Any]) -> Dict[str, Any]:
    listed: Any = params.get('layers')
    path: Any = params.get('path')
    outputs: Any = params.get('output_names')
    _expect(isinstance(listed, list) and all(map(_is_named_layer, listed)), "'layers'", 'a list of layers with names',
            listed)
    _expect(isinstance(path, list) and all(map(_is_step, path)), "'path'", 'a list of [inputs, layer, output]', path)
    _expect(_is_list_of_strings(outputs), "'output_names'", 'a list of strings', outputs)
    layers = {layer['args']['name']: layer for layer in listed}
    path = _distinct(path)
    for name, times in Counter(output for _, _, output in path).items():
        if times > 1:
            raise SerializationError(
                f"two calls of a shared layer are both called '{name}': the first format does not say which of them "
                "feeds "
                'where. Build the model in Python and set its weights.')
    inputs = [name for name, layer in layers.items() if layer['class'] == 'Input']
    return {'name': params.get('name'), 'layers': layers, 'path': path, 'inputs': inputs, 'outputs': outputs}


def _expect(holds: bool, what: str, expected: str, received: Any) -> None:
    if not holds:
        raise SerializationError(f"the first format's {what}: expected {expected}, received {describe(received)}.")


def _is_named_layer(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get('args'), dict) and isinstance(data['args'].get('name'), str)


def _is_step(data: Any) -> bool:
    return isinstance(data, list) and len(data) == 3 and _is_list_of_strings(data[0]) and _is_list_of_strings(data[1:])


def _is_list_of_strings(data: Any) -> bool:
    return isinstance(data, list) and all(isinstance(item, str) for item in data)


def _distinct(path: List[list]) -> List[list]:
    """Return the calls of a path, each once: the first Keraflow wrote those before a fork once for each branch."""
    found: Dict[str, list] = {}
    for inputs, layer, output in path:
        found.setdefault(repr([inputs, layer, output]), [inputs, layer, output])
    return list(found.values())
