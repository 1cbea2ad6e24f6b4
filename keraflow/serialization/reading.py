"""Rebuild objects from plain data."""
import difflib
import functools
import inspect
from typing import Any, Dict, FrozenSet, Optional, Tuple, Union

from keraflow import registry, schema
from keraflow.deprecation import current_names
from keraflow.errors import KeraFlowError, SerializationError, describe
from keraflow.schema import NO_SLOT
from keraflow.serialization import values
from keraflow.serialization.locations import MAX_DEPTH, Location, free_path

__all__ = ['Reader', 'Table']

#: What the ids in some data mean, by the kind of slot: each is looked up once.
Table = Dict[Tuple[str, str], registry.Entry]

#: Values that mean themselves, wherever they are.
_PLAIN = frozenset({type(None), bool, int, float})
#: Similar ids are looked for only for one that a person may have written.
_MAX_ID = 60
_NO_ARGUMENTS: Dict[str, Any] = {}


class Reader:
    """One reading of plain data, which knows what was made at which location.

    Parameters
    ----------
    customs : dict
        The program's classes and functions by id.
    table : dict
        What ids mean; those that are looked up are added.
    """

    def __init__(self, customs: Dict[str, registry.Entry], table: Table):
        self._customs = customs
        self._table = table
        self._made: Dict[str, Any] = {}         # layers, by their paths
        # The constructor looks names up in the registry, which need not know the custom ones.
        self._plain = _PLAIN if customs else _PLAIN | {str}

    def read(self, data: Any, location: Location) -> Any:
        """Return the value that plain data represent."""
        location.check_depth()
        if isinstance(data, str):
            is_custom = data in self._customs and location.slot.kind not in ('', 'function')
            return self._find(data, location).target if is_custom else data
        if not isinstance(data, (list, dict)):
            return data
        plain = self._plain_in(location)
        if isinstance(data, list):
            return [item if type(item) in plain else self.read(item, location.item(f'[{index}]', index))
                    for index, item in enumerate(data)]
        if values.is_value(data):
            return self._value(data, location)
        if not values.is_form(data):
            return {key: item if type(item) in plain else self.read(item, location.item(f'.{key}', key))
                    for key, item in data.items()}
        if not location.takes_objects:
            raise location.refusal(f'expected arrays and numbers, received {describe(data)}.')
        if 'function' in data:
            return self._function(data, location)
        return self._object(data, location) if 'class' in data else self._shared(data['shared'], location)

    def make(self, cls: Any, given: Dict[str, Any], location: Location) -> Any:
        """Return an object of a class from its arguments."""
        try:
            return cls(**(cls.unpack_init_param(given) if hasattr(cls, 'unpack_init_param') else given))
        except SerializationError:
            raise
        except KeraFlowError as error:
            raise location.refusal(error) from error
        except Exception as error:      # constructors may raise anything on data that their schema accepts
            raise location.refusal(f'{type(error).__name__} in {cls.__name__}: {error}') from error

    def learn(self, made: Any, learned: Dict[str, Any]) -> None:
        """Give an object what it had learned."""
        for name, value in learned.items():
            setattr(made, name, value)

    def _plain_in(self, location: Location) -> FrozenSet[type]:
        """Return the types of values that need not be read: none where the inside of a location is too deep."""
        return self._plain if location.depth < MAX_DEPTH else frozenset()

    def _value(self, data: Dict[str, Any], location: Location) -> Any:
        if data['as'] == 'class':
            return self._class(data['value'], location)
        with location.in_errors(values.Refusal):
            return values.decode(data, lambda item, step: self.read(item, location.item(step)), location.max_array)

    def _class(self, id: Any, location: Location) -> type:
        cls = self._find(id, location).target
        if not inspect.isclass(cls):
            raise location.refusal(f"'{id}' is a function, not a class.")
        return cls

    def _function(self, data: Dict[str, Any], location: Location) -> Any:
        function = self._find(data['function'], location, 'function').target
        if inspect.isclass(function):
            raise location.key('function').refusal(f"'{data['function']}' is a class, not a function.")
        if 'args' not in data:
            return function
        args = self.read(data['args'], location.argument('args')._replace(steps=(*location.steps, 'args')))
        if not isinstance(args, dict):
            raise location.key('args').refusal(f"the 'args' of '{data['function']}' are not a mapping.")
        with location.key('args').in_errors():
            args = current_names(function, args, function.__name__, warns=False)
        signature = schema.signature_of(function)
        for name, value in args.items():
            with location.key('args', name).in_errors():
                signature.check({name: value}, function.__name__)
        return functools.partial(function, **args)

    def _object(self, data: Dict[str, Any], location: Location) -> Any:
        cls, args = self._find(data['class'], location, 'class').target, data.get('args', _NO_ARGUMENTS)
        if not inspect.isclass(cls) or not isinstance(args, dict):
            raise location.key('class').refusal(f"'{data['class']}' is not a class, or its 'args' are not a mapping.")
        try:
            args = current_names(cls, args, cls.__name__, warns=False)
        except KeraFlowError as error:
            raise location.refusal(error) from error
        slots, plain = schema.slots_of(cls), self._plain_in(location)
        # What files of keraflow's own classes never have, such as initial weights, can only be data.
        only_data = getattr(cls, 'never_saved', ()) if registry.is_builtin(cls) else ()
        given = {}
        for name, value in args.items():
            if name in slots or not values.is_note(name):
                given[name] = value if type(value) in plain else self.read(
                    value, location.argument(name, slots.get(name, NO_SLOT), name not in only_data))
        made = self.make(cls, given, location)
        if data.get('learned') is not None:
            self.learn(made, self._learned(cls, data['learned'], location))
        if registry.kind_of(made) == 'layer':
            self._made[free_path(location.path, self._made)] = made
        return made

    def _learned(self, cls: Any, learned: Any, location: Location) -> Dict[str, Any]:
        """Return what an object of a class had learned, checked."""
        names = getattr(cls, 'learned_attributes', {})
        if not isinstance(learned, dict) or not learned.keys() <= names.keys():
            raise location.key('learned').refusal(f"'learned': expected a mapping of {', '.join(names) or 'nothing'}, "
                                                  f'received {describe(learned)}.')
        found = {}
        for name, data in learned.items():
            at = location.learned(name)
            found[name] = self.read(data, at)
            at._replace(path=location.path).check_learned(cls, name, found[name])
        return found

    def _shared(self, path: Any, location: Location) -> Any:
        if not isinstance(path, str) or path not in self._made:
            raise location.key('shared').refusal(f"'shared' names {path!r:.60}, but there is no earlier layer.")
        return self._made[path]

    def _find(self, id: Any, location: Location, *keys: Union[str, int]) -> registry.Entry:
        """Return what an id means in a location, as in the table or, the first time, as registered; messages are about
        a part of the location."""
        kind = location.slot.kind
        entry = self._table.get((id, kind)) if isinstance(id, str) else None
        if entry is None:
            entry = _entry(id, kind, self._customs)
            if entry is None:
                raise location.key(*keys).refusal(_unknown(id, kind))
            self._table[id, kind] = entry
        return entry


def _entry(id: Any, kind: str, customs: Dict[str, registry.Entry]) -> Optional[registry.Entry]:
    if not isinstance(id, str):
        return None
    kind = '' if kind == 'function' else kind       # functions are registered without a kind
    entry = registry.find(id, kind, customs)
    return registry.find(id, registry.ALSO[kind], customs) if entry is None and kind in registry.ALSO else entry


def _unknown(id: Any, kind: str) -> str:
    wanted = registry.article(kind) if kind else 'a class or function'
    names = registry.ids(kind) if kind not in ('', 'function') else {entry.id for entry in registry.entries()}
    own = {name.lower(): name for name in names}
    # Closely: an id of the program that is not registered is no misspelt one of keraflow's.
    close = difflib.get_close_matches(id.lower(), own, 1, .75) if isinstance(id, str) and len(id) <= _MAX_ID else []
    near = f" Did you mean '{own[close[0]]}'?" if close else ''
    return (f"'{id!s:.60}' is not {wanted} that is registered.{near} If it is yours, put @keraflow.register above it "
            'and import its module first, or pass custom_objects=[...].')
