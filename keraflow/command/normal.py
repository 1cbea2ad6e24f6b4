"""Architectures in one form, whichever version wrote them: today's names of arguments, and defaults filled in."""
import inspect
from typing import Any, Dict, Tuple

from keraflow import registry, schema
from keraflow.backend.contract import METHODS, OLD_NAMES
from keraflow.deprecation import current_names
from keraflow.errors import KeraFlowError
from keraflow.files.checking import check_plain
from keraflow.files.limits import Limits
from keraflow.serialization.values import is_form, is_note, is_number

__all__ = ['by_current_names', 'defaults_of', 'target_of', 'without_notes']


def target_of(data: Any) -> Tuple[Any, str]:
    """Return the class or function that a form names, None if it is unknown, and its id."""
    id = data.get('class', data.get('function')) if isinstance(data, dict) and is_form(data) else None
    if not isinstance(id, str):
        return None, ''
    entry = registry.find(id, 'layer') or registry.find(id)
    return (None if entry is None else entry.target), id


def by_current_names(data: Any) -> Any:
    """Return plain data in which arguments and operations have the names that they have today."""
    if isinstance(data, list):
        return [by_current_names(one) for one in data]
    if not isinstance(data, dict):
        return data
    data = {key: by_current_names(one) for key, one in data.items()}
    target, id = target_of(data)
    if 'function' in data and id.startswith('B.'):
        data['function'] = f'B.{OLD_NAMES.get(id[2:], id[2:])}'
    args = data.get('args')
    if target is None or not isinstance(args, dict):
        return data
    if id == 'Operation' and isinstance(args.get('operation'), str):
        args = _of_operation(args)
    return {**data, 'args': current_names(target, args, id, warns=False)}


def without_notes(data: Any) -> Any:
    """Return plain data without a person's notes, which stand in objects and among their arguments."""
    if isinstance(data, list):
        return [without_notes(one) for one in data]
    if not isinstance(data, dict):
        return data
    data = {key: without_notes(one) for key, one in data.items()}
    if not is_form(data) or not isinstance(data.get('args', {}), dict):
        return data
    args = {'args': {key: one for key, one in data['args'].items() if not is_note(key)}} if 'args' in data else {}
    return {**{key: one for key, one in data.items() if not is_note(key)}, **args}


def _of_operation(args: Dict[str, Any]) -> Dict[str, Any]:
    name = OLD_NAMES.get(args['operation'], args['operation'])
    method, kwargs = METHODS.get(name), args.get('kwargs')
    if method is None or not isinstance(kwargs, dict):
        return args
    return {**args, 'operation': name, 'kwargs': current_names(method.method, kwargs, name, warns=False)}


def defaults_of(data: Any) -> Dict[str, Any]:
    """Return the defaults that are plain data of the arguments of the class or function that a form names."""
    target, _ = target_of(data)
    if not inspect.isclass(target):
        return {}
    return {name: _plainly(one.default) for name, one in schema.arguments_of(target).items() if _is_plain(one.default)}


def _is_plain(value: Any) -> bool:
    try:
        check_plain(_plainly(value), Limits())
    except (KeraFlowError, TypeError):
        return False
    return not isinstance(value, (int, float)) or is_number(value)


def _plainly(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
