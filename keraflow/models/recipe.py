"""How a model is built and compiled, as plain data kept in a file, and the differences between two such recipes.

Only what training depends on is part of it: neither initial values nor the names of the program. A function is
identified by its name; what cannot be part of an architecture, such as a lambda, by a description.
"""
import functools
import hashlib
import inspect
import math
import re
from typing import Any, Dict, FrozenSet, List, Set

import numpy as np

from keraflow import registry, schema
from keraflow.backend.contract import METHODS, OLD_NAMES
from keraflow.deprecation import current_name, renamed_arguments
from keraflow.errors import SerializationError
from keraflow.files.refusal import excerpt
from keraflow.layers.base.embedded_changes import EMBEDDED_ARGUMENTS
from keraflow.serialization import pack_init_params
from keraflow.serialization.locations import MAX_DEPTH

__all__ = ['GENERAL_WORDS', 'Difference', 'Recipe', 'Writer', 'differences', 'recipe_of', 'words_of']

#: ``parts``: the objects, by description (``'the optimizer'``); ``arguments``: the arguments of each. All values are
#: plain data.
Recipe = Dict[str, Dict[str, Any]]

#: Arguments of layers that training does not depend on. Whether it is trainable is recorded for each parameter.
_LEFT_OUT = frozenset({'name', 'trainable', 'initial_weights'})
#: JSON files hold no integers with more digits.
_MAX_INT = 10 ** 17
#: What a program writes to name one of several things.
_PLURALS = {'callback': 'callbacks', 'layer': 'layers', 'metric': 'metrics'}
#: Words that name differences of any model: what ``compile`` and ``fit`` are told.
GENERAL_WORDS = ('callbacks', 'data', 'execution', 'layers', 'loss', 'lr', 'metrics', 'on_nan', 'optimizer',
                 'sample_weights', 'trainable', 'validation', 'x', 'y')
#: The description of a dict, before its keys.
_DICT = 'a dict of '


def recipe_of(model: Any) -> Recipe:
    """Return the recipe of a compiled model."""
    functions, kensors = model._functions, model.names.kensors
    writer = Writer()
    writer.add('the optimizer', model.optimizer)
    if 'lr' in writer.arguments['the optimizer']:       # its present value is stored separately
        writer.write('the optimizer', 'lr', model.optimizer.first_lr)
    outputs = dict(zip(model.output_names(), model.outputs))
    for one in functions.losses:
        part = f'the loss of {kensors[outputs[one.output]]}'
        writer.add(part, one.objective)
        writer.write(part, 'ignore_label', one.ignored)
    for name, layer in model.layer_ids().items():
        writer.add(f'the layer {name}', layer)
    for fed, _, made, *arguments in model.path:
        what = made if isinstance(made, str) else ', '.join(made)
        writer.parts[f'the inputs of {what}'] = fed
        if arguments:
            writer.add(f'the arguments of {what}', arguments[0])
    writer.add('the activity_regularizer', model.activity_regularizer)
    for one in functions.parameters:
        writer.parts[one.name] = 'trainable' if one.trainable else 'frozen'
    return {'parts': writer.parts, 'arguments': writer.arguments}


class Difference(str):
    """One difference in words: ``'lr of the optimizer 0.1, received 0.001'``.

    Attributes
    ----------
    word : str
        What differs, as a program names it: ``'lr'``.
    words : frozenset of str
        All that it may be named by.
    """

    word: str
    words: FrozenSet[str]

    @classmethod
    def of(cls, what: str, mine: Any, other: Any) -> 'Difference':
        """Return the difference between two values of `what`, such as ``'lr of the optimizer'``."""
        words = _words(what)
        is_of_training = all(one in ('trainable', 'frozen', 'none') for one in (mine, other))
        made = cls(f'{_shown(what)} {_shown(mine)}, received {_shown(other)}')
        made.word = 'trainable' if is_of_training else words[0]
        made.words = frozenset([*words, made.word])
        return made


def words_of(recipe: Recipe) -> Set[str]:
    """Return all words by which a difference from a recipe may be named."""
    parts, words = recipe['parts'], set(GENERAL_WORDS)
    for part in parts:
        words.update(_words(part))
    for part, arguments in recipe['arguments'].items():
        for name in _by_current_names(parts.get(part), arguments) if isinstance(arguments, dict) else ():
            words.update(_words(f'{name} of {part}'))
    return words


def _words(what: str) -> List[str]:
    return [_PLURALS.get(word, word) for word in re.split(r'[\s.\[\]()]+', what) if word not in ('', 'the', 'of')]


def differences(here: Recipe, there: Recipe, of_both_alone: bool = False) -> List[Difference]:
    """List the differences: ``'the optimizer SGD, received Adam'`` where the first recipe has SGD.

    Arguments that only one recipe has are skipped: another version of a class may have others. So are parts, with
    `of_both_alone`.
    """
    parts, others = here['parts'], there['parts']
    found = [(part, parts.get(part, 'none'), others.get(part, 'none')) for part in {**parts, **others}
             if not of_both_alone or part in parts and part in others]
    for part, arguments in here['arguments'].items():
        given = there['arguments'].get(part)
        if parts.get(part) == others.get(part) and isinstance(given, dict):
            arguments, given = (_by_current_names(parts.get(part), one) for one in (arguments, given))
            found += [(f"{name} of {part.removeprefix('the layer ')}", value, given[name])
                      for name, value in arguments.items() if name in given]
    return [Difference.of(what, mine, other) for what, mine, other in found if mine != other]


def _by_current_names(id: Any, given: Dict[str, Any]) -> Dict[str, Any]:
    """Return what a recipe says of a part, where arguments and functions may have been renamed since."""
    names = {name: _current_path(id, given, name) for name in given}
    return {now: _current_value(id, names, name, given[name]) for name, now in names.items()}


def _current_path(id: Any, given: Dict[str, Any], path: str) -> str:
    inside, _, last = path.rpartition('.')
    word, bracket, rest = last.partition('[')
    owner = given.get(inside) if inside else id
    entry = registry.find(owner) if isinstance(owner, str) else None
    if entry is not None:
        word = current_name(entry.target, word)
    elif id == 'Operation' and inside == 'kwargs':
        method = METHODS.get(_current_operation(given.get('operation')))
        word = word if method is None else current_name(method.method, word)
    elif inside.startswith(EMBEDDED_ARGUMENTS):         # of a layer whose class is not recorded
        word = _words_of_layers().get(word, word)
    return (f'{_current_path(id, given, inside)}.' if inside else '') + word + bracket + rest


def _current_value(id: Any, names: Dict[str, str], path: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.startswith(_DICT):             # it lists the keys
        keys = value[len(_DICT):].split(', ')
        return _DICT + ', '.join(sorted(names.get(f'{path}.{key}', key).rpartition('.')[2] for key in keys))
    if id == 'Operation' and path == 'operation':
        return _current_operation(value)
    return f'B.{_current_operation(value[2:])}' if value.startswith('B.') else value


def _current_operation(name: Any) -> Any:
    return OLD_NAMES.get(name, name) if isinstance(name, str) else name


def _words_of_layers() -> Dict[str, str]:
    """Return the current names of arguments of layers, by their old ones."""
    return {old: one.name for entry in registry.entries() if entry.kind == 'layer'
            for old, one in renamed_arguments(entry.target).items()}


def _shown(value: Any) -> str:
    return excerpt(value)[1:-1] if isinstance(value, str) else excerpt(value)


class Writer:
    """Takes objects apart into plain values, from which, unlike an architecture, nothing is rebuilt."""

    def __init__(self) -> None:
        self.parts: Dict[str, Any] = {}
        self.arguments: Dict[str, Dict[str, Any]] = {}

    def add(self, part: str, value: Any) -> None:
        """Record an object or a function."""
        self.parts[part] = _leaf(value)
        self.arguments[part] = {}
        for name, inner in _inside(value).items():
            self.write(part, name, inner)

    def write(self, part: str, name: str, value: Any) -> None:
        """Record an argument of a part, and what is inside it."""
        self.arguments[part][name] = _leaf(value)
        for inner, it in _inside(value).items() if name.count('.') + name.count('[') < MAX_DEPTH else ():
            self.write(part, name + inner if inner.startswith('[') else f'{name}.{inner}', it)


def _leaf(value: Any) -> Any:
    """Return a plain value itself, or a description of any other."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return _leaf(value.item())
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) and abs(value) < _MAX_INT else repr(value)
    if isinstance(value, str):
        return value if value.isprintable() else ascii(value)
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f'an array of shape {value.shape} ({digest[:16]})'
    if isinstance(value, (list, tuple)):
        return f'a list of {len(value)}'
    if isinstance(value, dict):
        return _DICT + (', '.join(sorted(map(str, value))) or 'nothing')
    target = value.func if isinstance(value, functools.partial) else value
    target = target if inspect.isroutine(target) or inspect.isclass(target) else type(target)
    try:
        return registry.id_of(target)
    except SerializationError:
        return target.__name__  # not registered: a name is enough where nothing is rebuilt


def _inside(value: Any) -> Dict[str, Any]:
    """Return the parts of a value by name, including arguments that files leave out."""
    if value is None or isinstance(value, (bool, int, float, str, np.generic, np.ndarray)):
        return {}
    if isinstance(value, (list, tuple)):
        return {f'[{number}]': item for number, item in enumerate(value)}
    if isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, functools.partial):
        return {**_inside(value.args), **value.keywords}
    if inspect.isroutine(value) or inspect.isclass(value):
        return {}
    try:
        # Objects of classes that keraflow does not know are compared by class alone.
        given = pack_init_params(value)
    except SerializationError:
        return {}
    kinds, arguments = schema.kinds_of(type(value)), schema.arguments_of(type(value))
    defaults = {name: one.default for name, one in arguments.items() if one.default is not inspect.Parameter.empty}
    return {name: it for name, it in {**defaults, **given}.items()
            if name not in _LEFT_OUT and kinds.get(name) != 'initialization'}
