"""Digests of architectures, by which weights are known to belong to a model.

An argument or an operation stands in them by the name that it had first, so that weights of before it was renamed
belong to it, too.
"""
import hashlib
import json
from typing import Any, Dict, Iterator, Sequence

from keraflow import registry
from keraflow.backend.contract import METHODS, OLD_NAMES
from keraflow.deprecation import renamed_arguments
from keraflow.layers.base.embedded_changes import EMBEDDED_ARGUMENTS
from keraflow.serialization.values import unescape

__all__ = ['digest_of', 'is_digest']

#: Arguments that do not change what a model predicts from its weights: these fit whatever the arguments are.
_ONLY_TRAINING = ('trainable', 'regularizers', 'constraints', 'activity_regularizer', 'name', 'init', 'inner_init',
                  'forget_bias_init', 'gamma_init', 'beta_init', 'drop_rate', 'dropout', 'dropout_W', 'dropout_U',
                  'drop_rate_W', 'drop_rate_U', 'sigma', 'std')
#: Those that the first digests left out, which are still in files.
_ONLY_TRAINING_AT_FIRST = ('trainable', 'regularizers', 'constraints')
#: The ids of functions of the backend that had others.
_FIRST_FUNCTIONS = {f'B.{name}': f'B.{old}' for old, name in OLD_NAMES.items()}


def digest_of(data: Any) -> str:
    """Compute the digest of an architecture."""
    return _digest(data, _ONLY_TRAINING)


def is_digest(saved: str, data: Any) -> bool:
    """Return whether a digest matches an architecture, as computed now or in the first versions."""
    return saved in (_digest(data, arguments, embedded) for embedded in _classes_embedded(data)
                     for arguments in (_ONLY_TRAINING, _ONLY_TRAINING_AT_FIRST))


def _classes_embedded(data: Any) -> Iterator[type]:
    """Yield the classes that embedded layers may have: any without renamed arguments, then those that have some."""
    yield object
    if f'"{EMBEDDED_ARGUMENTS}"' in json.dumps(unescape(data)):     # otherwise all of them have the same digest
        for one in registry.entries():
            if one.kind == 'layer' and renamed_arguments(one.target):
                yield one.target


def _digest(data: Any, left_out: Sequence[str], embedded: type = object) -> str:
    """SHA-256 of an architecture without some arguments.

    It does not say of which classes embedded layers are: their arguments have the first names of those of `embedded`.
    """
    named = unescape(_by_first_names(data, embedded))
    text = json.dumps(_without(left_out, named), sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()


def _without(arguments: Sequence[str], data: Any) -> Any:
    if isinstance(data, list):
        return [_without(arguments, item) for item in data]
    if isinstance(data, dict):
        rest = {key: _without(arguments, item) for key, item in data.items() if key not in arguments}
        # A host in which only such arguments were changed is as it was.
        return {key: item for key, item in rest.items() if key != EMBEDDED_ARGUMENTS or item and any(item.values())}
    return data


def _by_first_names(data: Any, embedded: type) -> Any:
    if isinstance(data, list):
        return [_by_first_names(item, embedded) for item in data]
    if not isinstance(data, dict):
        return data
    data = {key: _by_first_names(item, embedded) for key, item in data.items()}
    changed = data.get(EMBEDDED_ARGUMENTS)
    if isinstance(changed, dict):
        data[EMBEDDED_ARGUMENTS] = {slot: _first_names(embedded, args) if isinstance(args, dict) else args
                                    for slot, args in changed.items()}
    id, args = data.get('class', data.get('function')), data.get('args')
    if not isinstance(id, str):
        return data
    if id in _FIRST_FUNCTIONS and 'function' in data:
        data['function'] = _FIRST_FUNCTIONS[id]
    if not isinstance(args, dict):
        return data
    entry = registry.find(id, 'layer') or registry.find(id)
    if entry is None:
        return data
    if id == 'Operation':
        method = METHODS[args['operation']]
        args = {**args, 'operation': method.old_name or method.name, 'kwargs': args['kwargs'] and
                _first_names(method.method, args['kwargs'])}
    return {**data, 'args': _first_names(entry.target, args)}


def _first_names(owner: Any, args: Dict[str, Any]) -> Dict[str, Any]:
    first = {one.name: old for old, one in renamed_arguments(owner).items()}
    return {first.get(name, name): value for name, value in args.items()}
