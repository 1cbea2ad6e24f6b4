"""Rebuild objects from plain data."""
import functools
import inspect
from typing import Any, Dict

from keraflow import registry, schema
from keraflow.deprecation import current_names
from keraflow.errors import KeraFlowError, SerializationError, describe
from keraflow.schema import NO_SLOT
from keraflow.serialization import values
from keraflow.serialization.places import Place, free_path

__all__ = ['Reader']


class Reader:
    """One run of :func:`~keraflow.unserialize`: knows which layer was made at which place."""

    def __init__(self, customs: Dict[str, registry.Entry]):
        self._customs = customs
        self._made: Dict[str, Any] = {}         # layers, by their paths

    def read(self, data: Any, place: Place) -> Any:
        """Return the value that plain data represent."""
        place.check_depth()
        if isinstance(data, list):
            return [self.read(item, place.item(f'[{index}]')) for index, item in enumerate(data)]
        if isinstance(data, str) and place.slot.kind not in ('', 'function') and data in self._customs:
            return self._find(data, place).target
        if not isinstance(data, dict):
            return data
        if values.is_value(data):
            return self._value(data, place)
        if not values.is_form(data):
            return {key: self.read(item, place.item(f'.{key}')) for key, item in data.items()}
        if 'function' in data:
            return self._function(data, place)
        return self._object(data, place) if 'class' in data else self._shared(data['shared'], place)

    def _value(self, data: Dict[str, Any], place: Place) -> Any:
        if data['as'] == 'class':
            return self._class(data['value'], place)
        with place.in_errors(values.Refusal):
            return values.decode(data, lambda item, step: self.read(item, place.item(step)), place.max_array)

    def _class(self, id: Any, place: Place) -> type:
        cls = self._find(id, place).target
        if not inspect.isclass(cls):
            raise place.refusal(f"'{id}' is a function, not a class.")
        return cls

    def _function(self, data: Dict[str, Any], place: Place) -> Any:
        function = self._find(data['function'], place).target
        if inspect.isclass(function):
            raise place.refusal(f"'{data['function']}' is a class, not a function.")
        if 'args' not in data:
            return function
        args = self.read(data['args'], place.argument('args'))
        if not isinstance(args, dict):
            raise place.refusal(f"the 'args' of '{data['function']}' are not a mapping.")
        with place.in_errors():
            args = current_names(function, args, function.__name__, is_told=False)
            schema.check_arguments(function, args, function.__name__)
        return functools.partial(function, **args)

    def _object(self, data: Dict[str, Any], place: Place) -> Any:
        cls, args = self._find(data['class'], place).target, data.get('args', {})
        if not inspect.isclass(cls) or not isinstance(args, dict):
            raise place.refusal(f"'{data['class']}' is not a class, or its 'args' are not a mapping.")
        with place.in_errors():
            args = current_names(cls, args, cls.__name__, is_told=False)
        slots = schema.slots_of(cls)
        given = {name: self.read(value, place.argument(name, slots.get(name, NO_SLOT))) for name, value in args.items()}
        try:
            made = cls(**(cls.unpack_init_param(given) if hasattr(cls, 'unpack_init_param') else given))
        except SerializationError:
            raise
        except KeraFlowError as error:
            raise place.refusal(error) from error
        except Exception as error:      # constructors may raise anything on data that their schema accepts
            raise place.refusal(f'{type(error).__name__} in {cls.__name__}: {error}') from error
        self._learn(made, data.get('learned') or {}, place)
        if registry.kind_of(made) == 'layer':
            self._made[free_path(place.path, self._made)] = made
        return made

    def _learn(self, made: Any, learned: Any, place: Place) -> None:
        """Restore what an object had learned."""
        names = getattr(made, 'learned_attributes', {})
        if not isinstance(learned, dict) or not learned.keys() <= names.keys():
            raise place.refusal(f"'learned': expected a mapping of {', '.join(names) or 'nothing'}, received "
                                f'{describe(learned)}.')
        for name, data in learned.items():
            value = self.read(data, place.learned(name))
            place.check_learned(made, name, value)
            setattr(made, name, value)

    def _shared(self, path: Any, place: Place) -> Any:
        if not isinstance(path, str) or path not in self._made:
            raise place.refusal(f"'shared' names {path!r:.60}, but there is no earlier layer.")
        return self._made[path]

    def _find(self, id: Any, place: Place) -> registry.Entry:
        kind = '' if place.slot.kind == 'function' else place.slot.kind
        entry = registry.find(id, kind, self._customs) if isinstance(id, str) else None
        if entry is None and kind in registry.ALSO and isinstance(id, str):
            entry = registry.find(id, registry.ALSO[kind], self._customs)
        if entry is None:
            wanted = registry.article(place.slot.kind) if place.slot.kind else 'a class or function'
            raise place.refusal(f"'{id!s:.60}' is not {wanted} that is registered. If it is yours, put "
                                '@keraflow.register above it and import its module first, or pass '
                                'custom_objects=[...].')
        return entry
