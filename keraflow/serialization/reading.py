"""Rebuild objects from plain data."""
import functools
import inspect
from typing import Any, Dict

from keraflow import registry, schema
from keraflow.deprecation import current_names
from keraflow.errors import KeraFlowError, SerializationError, describe
from keraflow.schema import NO_SLOT
from keraflow.serialization import values
from keraflow.serialization.locations import Location, free_path

__all__ = ['Reader']


class Reader:
    """One run of :func:`~keraflow.unserialize`: knows which layer was made at which location."""

    def __init__(self, customs: Dict[str, registry.Entry]):
        self._customs = customs
        self._made: Dict[str, Any] = {}         # layers, by their paths

    def read(self, data: Any, location: Location) -> Any:
        """Return the value that plain data represent."""
        location.check_depth()
        if isinstance(data, list):
            return [self.read(item, location.item(f'[{index}]')) for index, item in enumerate(data)]
        # The constructor looks names up in the registry, which need not know the custom ones.
        if isinstance(data, str) and location.slot.kind not in ('', 'function') and data in self._customs:
            return self._find(data, location).target
        if not isinstance(data, dict):
            return data
        if values.is_value(data):
            return self._value(data, location)
        if not values.is_form(data):
            return {key: self.read(item, location.item(f'.{key}')) for key, item in data.items()}
        if 'function' in data:
            return self._function(data, location)
        return self._object(data, location) if 'class' in data else self._shared(data['shared'], location)

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
        function = self._find(data['function'], location).target
        if inspect.isclass(function):
            raise location.refusal(f"'{data['function']}' is a class, not a function.")
        if 'args' not in data:
            return function
        args = self.read(data['args'], location.argument('args'))
        if not isinstance(args, dict):
            raise location.refusal(f"the 'args' of '{data['function']}' are not a mapping.")
        with location.in_errors():
            args = current_names(function, args, function.__name__, warns=False)
            schema.check_arguments(function, args, function.__name__)
        return functools.partial(function, **args)

    def _object(self, data: Dict[str, Any], location: Location) -> Any:
        cls, args = self._find(data['class'], location).target, data.get('args', {})
        if not inspect.isclass(cls) or not isinstance(args, dict):
            raise location.refusal(f"'{data['class']}' is not a class, or its 'args' are not a mapping.")
        with location.in_errors():
            args = current_names(cls, args, cls.__name__, warns=False)
        slots = schema.slots_of(cls)
        given = {name: self.read(value, location.argument(name, slots.get(name, NO_SLOT)))
                 for name, value in args.items()}
        try:
            made = cls(**(cls.unpack_init_param(given) if hasattr(cls, 'unpack_init_param') else given))
        except SerializationError:
            raise
        except KeraFlowError as error:
            raise location.refusal(error) from error
        except Exception as error:      # constructors may raise anything on data that their schema accepts
            raise location.refusal(f'{type(error).__name__} in {cls.__name__}: {error}') from error
        self._learn(made, data.get('learned') or {}, location)
        if registry.kind_of(made) == 'layer':
            self._made[free_path(location.path, self._made)] = made
        return made

    def _learn(self, made: Any, learned: Any, location: Location) -> None:
        """Restore what an object had learned."""
        names = getattr(made, 'learned_attributes', {})
        if not isinstance(learned, dict) or not learned.keys() <= names.keys():
            raise location.refusal(f"'learned': expected a mapping of {', '.join(names) or 'nothing'}, received "
                                   f'{describe(learned)}.')
        for name, data in learned.items():
            value = self.read(data, location.learned(name))
            location.check_learned(made, name, value)
            setattr(made, name, value)

    def _shared(self, path: Any, location: Location) -> Any:
        if not isinstance(path, str) or path not in self._made:
            raise location.refusal(f"'shared' names {path!r:.60}, but there is no earlier layer.")
        return self._made[path]

    def _find(self, id: Any, location: Location) -> registry.Entry:
        kind = '' if location.slot.kind == 'function' else location.slot.kind  # functions are registered without a kind
        entry = registry.find(id, kind, self._customs) if isinstance(id, str) else None
        if entry is None and kind in registry.ALSO and isinstance(id, str):
            entry = registry.find(id, registry.ALSO[kind], self._customs)
        if entry is None:
            wanted = registry.article(location.slot.kind) if location.slot.kind else 'a class or function'
            raise location.refusal(f"'{id!s:.60}' is not {wanted} that is registered. If it is yours, put "
                                   '@keraflow.register above it and import its module first, or pass '
                                   'custom_objects=[...].')
        return entry
