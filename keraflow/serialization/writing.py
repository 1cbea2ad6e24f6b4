"""Write objects as plain data."""
import functools
import inspect
from typing import Any, Dict, Set

import numpy as np

from keraflow import registry, schema
from keraflow.deprecation import current_names
from keraflow.errors import SerializationError
from keraflow.sameness import same
from keraflow.schema import NO_SLOT
from keraflow.serialization import values
from keraflow.serialization.locations import Location, free_path
from keraflow.serialization.serializable import Serializable, pack_init_params

__all__ = ['AmbiguousId', 'Writer']


class AmbiguousId(SerializationError):
    """Two definitions have one id, so that whatever is written could mean either."""


class Writer:
    """One run of :func:`~keraflow.serialize`: knows where each layer was first written, and what each id means."""

    def __init__(self) -> None:
        self._paths: Dict[int, str] = {}        # of layers
        self._taken: Set[str] = set()
        self._named: Dict[str, Any] = {}        # classes and functions, by id

    def write(self, value: Any, location: Location) -> Any:
        """Return a value as plain data."""
        location.check_depth()
        value = values.lenient(value) if location.slot.is_lenient else value
        kind = type(value)      # exactly: one of a subclass would come back as one of its base class
        if value is None or kind in (str, bool) or kind in (int, float) and values.is_number(value):
            return value
        if kind is list:
            return [self.write(item, location.item(f'[{index}]')) for index, item in enumerate(value)]
        if kind is dict and all(type(key) is str for key in value) and not values.is_form(value):
            return {key: self.write(item, location.item(f'.{key}')) for key, item in value.items()}
        with location.in_errors(values.Refusal):
            form = values.encode(value, lambda item, step: self.write(item, location.item(step)), location.max_array)
        if form is not None:
            return form
        if isinstance(value, functools.partial):
            return self._partial(value, location)
        if inspect.isroutine(value):
            return self._function(value, location)
        if inspect.isclass(value):
            return {'as': 'class', 'value': self._id(value, location)}
        return self._object(value, location)

    def _partial(self, value: functools.partial, location: Location) -> Dict[str, Any]:
        function = value.func
        if value.args or inspect.isclass(function):
            raise location.refusal(f'a functools.partial of {function.__name__} cannot be saved with arguments by '
                                   'position, or of a class. Pass the arguments of a function by name: '
                                   'functools.partial(function, factor=2).')
        with location.in_errors():
            args = current_names(function, value.keywords, function.__name__, warns=False)
            schema.check_arguments(function, args, function.__name__)
        return {'function': self._id(function, location), 'args': self.write(dict(args), location.argument('args'))}

    def _function(self, value: Any, location: Location) -> Any:
        name, kind = self._id(value, location), location.slot.kind
        is_by_name = kind not in ('', 'function') and registry.find(name, kind)
        return name if is_by_name else {'function': name}

    def _object(self, value: Any, location: Location) -> Dict[str, Any]:
        _check_is_data(value, location)
        cls = getattr(value, '_sketched_class', None) or type(value)
        name = self._id(cls, location)
        if registry.kind_of(value) == 'layer':
            if id(value) in self._paths:
                return {'shared': self._paths[id(value)]}
            self._paths[id(value)] = free_path(location.path, self._taken)
            self._taken.add(self._paths[id(value)])
        slots = schema.slots_of(cls)
        data = {'class': name, 'args': {
            argument: self.write(it, location.argument(argument, slots.get(argument, NO_SLOT)))
            for argument, it in pack_init_params(value).items()}}
        if isinstance(value, Serializable) and value.learned_attributes:
            data['learned'] = {name: self._learned(value, name, location) for name in value.learned_attributes}
        return data

    def _learned(self, value: Serializable, name: str, location: Location) -> Any:
        learned = getattr(value, name)
        location.check_learned(type(value), name, learned)
        return self.write(learned, location.learned(name))

    def _id(self, target: Any, location: Location) -> str:
        """Return the id of a class or a function, and make sure that it means nothing else in these data."""
        with location.in_errors(SerializationError):
            name = registry.id_of(target)
        first = self._named.setdefault(name, target)
        if not same(first, target):
            raise AmbiguousId(f"{location.path}: '{name}' would mean two different definitions. "
                              f'{registry.advice_for(target)}')
        return name


def _check_is_data(value: Any, location: Location) -> None:
    """Raise unless an object can be rebuilt from its arguments."""
    why = value._why_not_rebuilt() if isinstance(value, Serializable) else ''
    if why:
        raise location.refusal(f'{type(value).__name__}: {why}')
    if isinstance(value, Serializable) or _keeps_arguments(type(value)):
        return
    if hasattr(value, 'dtype') and hasattr(value, 'shape') and not isinstance(value, (np.ndarray, np.generic)):
        raise location.refusal('a tensor or a variable cannot be saved among arguments. Pass an array, B.eval(...) of '
                               'a tensor, or make a parameter of it in init_param().')
    raise location.refusal(f'an object of class {type(value).__name__} cannot be saved: it is not plain data. If the '
                           'class is yours, put @keraflow.register above it.')


def _keeps_arguments(cls: type) -> bool:
    """Return whether a class is registered, and not a container whose constructor says nothing about its content."""
    holds_more = issubclass(cls, (list, tuple, dict, set, frozenset, str, int, float, np.ndarray))
    return registry.entry_of(cls) is not None and (not holds_more or bool(schema.arguments_of(cls)))
