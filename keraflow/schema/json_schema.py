"""What JSON Schema has for an annotation: the same types and ranges, for editors and other programs."""
import collections.abc
import inspect
from typing import Annotated, Any, Callable, Dict, List, Literal, TypeVar, get_args, get_origin

import numpy as np

from keraflow.schema.marks import Kind, PerParameter, Rule, marks_of
from keraflow.schema.matching import LISTS, UNIONS

__all__ = ['Schema', 'any_of', 'by_parameter', 'json_schema']

#: A schema, as plain data. An empty one allows everything.
Schema = Dict[str, Any]

_TYPES: Dict[Any, str] = {int: 'integer', float: 'number', bool: 'boolean', str: 'string', None: 'null',
                          type(None): 'null'}
#: The names of types that a schema allows beside each other.
_ONLY_TYPE = {'type'}


def json_schema(annotation: Any, of_kind: Callable[[str], Schema], of_value: Callable[[str], Schema]) -> Schema:
    """Return the schema of the plain data that files have for what an annotation allows.

    Parameters
    ----------
    annotation
    of_kind : function
        Returns the schema of a registered class or function of a kind; in the plural, of some by parameter.
    of_value : function
        Returns the schema of a value that plain data lack, such as ``'tuple'`` or ``'array'``.

    Examples
    --------
    >>> from keraflow.schema import PositiveInt
    >>> json_schema(PositiveInt, lambda kind: {}, lambda tag: {})
    {'type': 'integer', 'minimum': 1}
    """
    origin, args = get_origin(annotation), get_args(annotation)
    base = annotation if origin is None else origin

    def inner(one: Any) -> Schema:
        return json_schema(one, of_kind, of_value)
    if origin is Annotated:
        return _marked(inner(args[0]), marks_of(annotation), of_kind)
    if origin in UNIONS:
        return any_of([inner(one) for one in args])
    if origin is Literal:
        return {'enum': list(args)}
    if isinstance(annotation, TypeVar) or hasattr(annotation, '__supertype__'):
        return {}
    if base in _TYPES:
        return {'type': _TYPES[base]}
    if base is tuple:
        return any_of([_tuple([inner(one) for one in args if one is not Ellipsis], args[-1:] == (Ellipsis,)),
                       of_value('tuple')])
    if base in LISTS:
        items = {'items': inner(args[0])} if args and inner(args[0]) else {}
        return any_of([{'type': 'array', **items}, of_value('tuple')])
    if base is np.ndarray:
        return any_of([{'type': ['array', 'number', 'boolean']}, of_value('array')])
    if inspect.isclass(base) and issubclass(base, collections.abc.Mapping):
        more = {'additionalProperties': inner(args[1])} if len(args) == 2 and inner(args[1]) else {}
        return any_of([{'type': 'object', **more}, of_value('dict')])
    kind = vars(base).get('kind') if inspect.isclass(base) else None
    if kind:
        return of_kind(kind)
    return of_kind('function') if base is collections.abc.Callable else {}


def any_of(options: List[Schema]) -> Schema:
    """Return the schema of what any of some schemas allows, as short as it can be written."""
    if {} in options:
        return {}
    flat: List[Schema] = []
    for one in options:
        flat += [it for it in (one['anyOf'] if set(one) == {'anyOf'} else [one]) if it not in flat]
    bare = [one['type'] for one in flat if set(one) == _ONLY_TYPE and isinstance(one['type'], str)]
    flat = [one for one in flat if not (set(one) == _ONLY_TYPE and isinstance(one['type'], str))]
    if bare:
        flat.append({'type': bare if len(bare) > 1 else bare[0]})
    return flat[0] if len(flat) == 1 else {'anyOf': flat}


def by_parameter(one: Schema) -> Schema:
    """Return the schema of objects by the names of parameters, or in their order; null stands for none."""
    one = any_of([one, {'type': 'null'}])
    return {'anyOf': [{'type': 'object', 'additionalProperties': one}, {'type': 'array', 'items': one},
                      {'type': 'null'}]}


def _tuple(items: List[Schema], is_repeated: bool) -> Schema:
    if is_repeated or not items:
        return {'type': 'array', **({'items': items[0]} if items and items[0] else {})}
    return {'type': 'array', 'prefixItems': items, 'minItems': len(items), 'maxItems': len(items)}


def _marked(schema: Schema, marks: List[Any], of_kind: Callable[[str], Schema]) -> Schema:
    for mark in marks:
        if isinstance(mark, Rule):
            schema = {**schema, **dict(mark.schema)}
        elif isinstance(mark, Kind):
            schema = of_kind(mark.name)
        elif isinstance(mark, PerParameter):
            schema = of_kind(f'{mark.name}s')
    return schema
