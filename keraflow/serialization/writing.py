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
from keraflow.serialization.places import Place, free_path
from keraflow.serialization.serializable import Serializable, pack_init_params

__all__ = ['Writer']


class Writer:
    """One run of :func:`~keraflow.serialize`: knows where each layer was first written, and what each id means."""

    def __init__(self) -> None:
        self._paths: Dict[int, str] = {}        # of layers
        self._taken: Set[str] = set()
        self._named: Dict[str, Any] = {}        # classes and functions, by id

    def write(self, value: Any, place: Place) -> Any:
        """Return a value as plain data."""
        place.check_depth()
        value = values.lenient(value) if place.slot.is_lenient else value
        kind = type(value)
        if value is None or kind in (str, bool) or kind in (int, float) and values.is_number(value):
            return value
        if kind is list:
            return [self.write(item, place.item(f'[{index}]')) for index, item in enumerate(value)]
        if kind is dict and all(type(key) is str for key in value) and not values.is_form(value):
            return {key: self.write(item, place.item(f'.{key}')) for key, item in value.items()}
        with place.in_errors(values.Refusal):
            form = values.encode(value, lambda item, step: self.write(item, place.item(step)), place.max_array)
        if form is not None:
            return form
        if isinstance(value, functools.partial):
            return self._partial(value, place)
        if inspect.isroutine(value):
            return self._function(value, place)
        if inspect.isclass(value):
            return {'as': 'class', 'value': self._id(value, place)}
        return self._object(value, place)

    def _partial(self, value: functools.partial, place: Place) -> Dict[str, Any]:
        function = value.func
        if value.args or inspect.isclass(function):
            raise place.refusal(f'a functools.partial of {function.__name__} cannot be saved with arguments by '
                                'position, or of a class. Pass the arguments of a function by name: '
                                'functools.partial(function, factor=2).')
        with place.in_errors():
            args = current_names(function, value.keywords, function.__name__, is_told=False)
            schema.check_arguments(function, args, function.__name__)
        return {'function': self._id(function, place), 'args': self.write(dict(args), place.argument('args'))}

    def _function(self, value: Any, place: Place) -> Any:
        name, kind = self._id(value, place), place.slot.kind
        is_by_name = kind not in ('', 'function') and registry.find(name, kind)
        return name if is_by_name else {'function': name}

    def _object(self, value: Any, place: Place) -> Dict[str, Any]:
        _check_is_data(value, place)
        name = self._id(type(value), place)
        if registry.kind_of(value) == 'layer':
            if id(value) in self._paths:
                return {'shared': self._paths[id(value)]}
            self._paths[id(value)] = free_path(place.path, self._taken)
            self._taken.add(self._paths[id(value)])
        slots = schema.slots_of(type(value))
        data = {'class': name, 'args': {
            argument: self.write(it, place.argument(argument, slots.get(argument, NO_SLOT)))
            for argument, it in pack_init_params(value).items()}}
        if isinstance(value, Serializable) and value.learned_attributes:
            data['learned'] = {name: self._learned(value, name, place) for name in value.learned_attributes}
        return data

    def _learned(self, value: Serializable, name: str, place: Place) -> Any:
        learned = getattr(value, name)
        place.check_learned(value, name, learned)
        return self.write(learned, place.learned(name))

    def _id(self, target: Any, place: Place) -> str:
        """Return the id of a class or a function, and make sure that it means nothing else in these data."""
        with place.in_errors(SerializationError):
            name = registry.id_of(target)
        first = self._named.setdefault(name, target)
        if not same(first, target):
            raise place.refusal(f"'{name}' would mean two different definitions. "
                                f'{registry.advice_for(target)}')
        return name


def _check_is_data(value: Any, place: Place) -> None:
    """Raise unless an object can be rebuilt from its arguments."""
    if isinstance(value, Serializable) or _keeps_arguments(type(value)):
        return
    if hasattr(value, 'dtype') and hasattr(value, 'shape') and not isinstance(value, (np.ndarray, np.generic)):
        raise place.refusal('a tensor or a variable cannot be saved among arguments. Pass an array, B.eval(...) of a '
                            'tensor, or make a parameter of it in init_param().')
    raise place.refusal(f'an object of class {type(value).__name__} cannot be saved: it is not plain data. If the '
                        'class is yours, put @keraflow.register above it.')


def _keeps_arguments(cls: type) -> bool:
    """Return whether a class is registered, and not a container whose constructor says nothing about its content."""
    holds_more = issubclass(cls, (list, tuple, dict, set, frozenset, str, int, float, np.ndarray))
    return registry.entry_of(cls) is not None and (not holds_more or bool(schema.arguments_of(cls)))
