"""Objects as plain data and back: an object is rebuilt from the arguments of its ``__init__``.

``serialize`` turns an object into dicts, lists, strings and numbers; ``unserialize`` looks the ids in them up in
:mod:`keraflow.registry`, and calls constructors with checked arguments. A file can do nothing else.
"""
import contextvars
import functools
import inspect
from typing import Any, Collection, Dict, NamedTuple, Set

import numpy as np

from keraflow import registry, schema
from keraflow.argument_scopes import no_argscope
from keraflow.contexts import bound
from keraflow.deprecation import current_names
from keraflow.errors import KeraFlowError, SerializationError, describe
from keraflow.sameness import same
from keraflow.serialization import values
from keraflow.serialization.migration import is_first_format, migrate
from keraflow.serialization.serializable import Serializable, call_text, pack_init_params, snapshot
from keraflow.serialization.values import is_form

__all__ = ['Serializable', 'call_text', 'is_rebuilding', 'pack_init_params', 'serialize', 'snapshot', 'unserialize',
           'same']

_rebuilding: contextvars.ContextVar[bool] = contextvars.ContextVar('_rebuilding', default=False)

#: Deeper nesting of objects than this is refused instead of exhausting the stack.
MAX_DEPTH = 50
#: How many numbers an array may have that an object learned from data.
MAX_LEARNED = 1_000_000


def serialize(obj: Any) -> Any:
    """`obj` as plain data: dicts, lists, strings, numbers, booleans and None.

    Parameters
    ----------
    obj : object
        An object whose class keeps the rule of :class:`Serializable`, a registered function, or containers of such.

    Returns
    -------
    data
        ``{'class': id, 'args': {...}}`` for an object, ``{'function': id}`` for a function. A layer that occurs again
        is ``{'shared': place}``. A value that JSON does not know is ``{'as': 'tuple', 'value': [...]}``, and comes back
        as it was: tuples, arrays of up to 10,000 numbers, NumPy's numbers and dtypes, sets, dicts with any keys. The
        arrays given as ``initial_weights`` are not part of it: weights are saved as weights.

    Raises
    ------
    SerializationError
        For lambdas, for two definitions of one name, and for values that could not come back.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> serialize(Dense(3, bias=False))
    {'class': 'Dense', 'args': {'output_dim': 3, 'init': 'glorot_uniform', 'activation': 'linear', 'bias': False}}
    """
    return _Writer().write(obj, _Place())


def unserialize(data: Any, custom_objects: Any = None) -> Any:
    """The object that :func:`serialize` turned into `data`, made anew by its constructor.

    Parameters
    ----------
    data
        What ``serialize`` returned, or an object in the first Keraflow's format.
    custom_objects : list or dict, optional
        Classes and functions of the program that the data may name, beside the registered ones.

    Raises
    ------
    SerializationError
        If the data name something that is not registered or have arguments that a constructor refuses, with the place.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> unserialize(serialize(Dense(3))).output_dim
    3
    """
    customs = registry.custom(custom_objects)
    if is_first_format(data):
        data = migrate(data, customs)
    with no_argscope(), bound(_rebuilding, True):
        return _Reader(customs).read(data, _Place())


def is_rebuilding() -> bool:
    """Whether objects are made from data now: what is unlikely was told when they were made first."""
    return _rebuilding.get()


class _Place(NamedTuple):
    """Where a value stands in the data, and what that place wants."""

    text: str = ''
    kind: str = ''          # of the objects that fit there; '' for no slot
    depth: int = 0
    closed: bool = False    # whether a list will do for a tuple there, and a plain number for one of NumPy
    max_array: int = values.MAX_ARRAY

    def inside(self, step: str) -> '_Place':
        """The place of an item."""
        text = f'{self.text}{step}' if self.text else step.lstrip('.')
        return _Place(text, self.kind, self.depth + 1, self.closed, self.max_array)

    def argument(self, name: str, kind: str = '', closed: bool = False, max_array: int = values.MAX_ARRAY) -> '_Place':
        """The place of an argument of an object or a function, or of what an object learned."""
        return _Place(f'{self.text}.{name}' if self.text else name, kind, self.depth + 1, closed, max_array)

    def check_depth(self) -> None:
        """Raise if it is too deep."""
        if self.depth > MAX_DEPTH:
            raise self.refusal(f'objects are nested deeper than {MAX_DEPTH}.')

    def refusal(self, text: Any) -> SerializationError:
        """The error to raise."""
        return SerializationError(f'{self.text}: {text}' if self.text else str(text))


class _Writer:
    """One run of :func:`serialize`: knows where each layer was written first, and what each id means."""

    def __init__(self) -> None:
        self.places: Dict[int, str] = {}
        self.named: Dict[str, Any] = {}
        self.taken: Set[str] = set()

    def write(self, value: Any, place: _Place) -> Any:
        place.check_depth()
        value = values.plain(value) if place.closed else value
        kind = type(value)
        if value is None or kind in (str, bool) or kind in (int, float) and values.is_number(value):
            return value
        if kind is list:
            return [self.write(item, place.inside(f'[{index}]')) for index, item in enumerate(value)]
        if kind is dict and all(type(key) is str for key in value) and not is_form(value):
            return {key: self.write(item, place.inside(f'.{key}')) for key, item in value.items()}
        try:
            form = values.encode(value, lambda item, step: self.write(item, place.inside(step)), place.max_array)
        except values.Refusal as error:
            raise place.refusal(error) from None
        return self._object(value, place) if form is None else form

    def _object(self, value: Any, place: _Place) -> Any:
        if isinstance(value, functools.partial):
            return self._partial(value, place)
        if inspect.isroutine(value):
            name = self._id(value, place)
            by_name = place.kind not in ('', 'function') and registry.find(name, place.kind)
            return name if by_name else {'function': name}
        if inspect.isclass(value):
            return {'as': 'class', 'value': self._id(value, place)}
        if not isinstance(value, Serializable) and not _keeps_arguments(type(value)):
            if hasattr(value, 'dtype') and hasattr(value, 'shape') and not isinstance(value, (np.ndarray, np.generic)):
                raise place.refusal('a tensor or a variable cannot be saved among arguments. Pass an array, '
                                    'B.eval(...) of a tensor, or make a parameter of it in init_param().')
            raise place.refusal(f'an object of class {type(value).__name__} cannot be saved: it is not plain data. If '
                                'the class is yours, put @keraflow.register above it.')
        name = self._id(type(value), place)
        if registry.kind_of(value) == 'layer':
            if id(value) in self.places:
                return {'shared': self.places[id(value)]}
            self.places[id(value)] = _free(place.text, self.taken)
            self.taken.add(self.places[id(value)])
        slots = schema.slots_of(type(value))
        data = {'class': name, 'args': {
            argument: self.write(it, place.argument(argument, *slots.get(argument, ())))
            for argument, it in pack_init_params(value).items()}}
        if isinstance(value, Serializable) and value.learned_attributes:
            data['learned'] = {name: self._learned(value, name, place) for name in value.learned_attributes}
        return data

    def _learned(self, value: Serializable, name: str, place: _Place) -> Any:
        learned = getattr(value, name)
        _check_learned(value, name, learned, place)
        return self.write(learned, place.argument(name, max_array=MAX_LEARNED))

    def _partial(self, value: functools.partial, place: _Place) -> Dict[str, Any]:
        function = value.func
        if value.args or inspect.isclass(function):
            raise place.refusal(f'a functools.partial of {function.__name__} cannot be saved with arguments by '
                                'position, or of a class. Pass the arguments of a function by name: '
                                'functools.partial(function, factor=2).')
        try:
            args = current_names(function, value.keywords, function.__name__, is_told=False)
            schema.check_arguments(function, args, function.__name__)
        except KeraFlowError as error:
            raise place.refusal(error) from None
        return {'function': self._id(function, place), 'args': self.write(dict(args), place.argument('args'))}

    def _id(self, target: Any, place: _Place) -> str:
        """The id of a class or function, which means no other one in these data."""
        try:
            name = registry.id_of(target)
        except SerializationError as error:
            raise place.refusal(error) from None
        first = self.named.setdefault(name, target)
        if not same(first, target):
            raise place.refusal(f"'{name}' would stand for two definitions that are not the same. "
                                f'{registry.advice_for(target)}')
        return name


class _Reader:
    """One run of :func:`unserialize`: knows which layer was made at which place."""

    def __init__(self, customs: Dict[str, registry.Entry]):
        self.customs = customs
        self.made: Dict[str, Any] = {}

    def read(self, data: Any, place: _Place) -> Any:
        place.check_depth()
        if isinstance(data, list):
            return [self.read(item, place.inside(f'[{index}]')) for index, item in enumerate(data)]
        if isinstance(data, dict):
            return self._dict(data, place)
        if isinstance(data, str) and place.kind and place.kind != 'function' and data in self.customs:
            return self._find(data, place).target
        return data

    def _dict(self, data: dict, place: _Place) -> Any:
        if values.is_value(data):
            return self._value(data, place)
        if not is_form(data):
            return {key: self.read(item, place.inside(f'.{key}')) for key, item in data.items()}
        if 'function' in data:
            return self._function(data, place)
        if 'class' in data:
            return self._object(data, place)
        if not isinstance(data['shared'], str) or data['shared'] not in self.made:
            raise place.refusal(f"'shared' names {data['shared']!r:.60}, where no layer was before.")
        return self.made[data['shared']]

    def _value(self, data: dict, place: _Place) -> Any:
        if data['as'] == 'class':
            return self._class(data['value'], place)
        try:
            return values.decode(data, lambda item, step: self.read(item, place.inside(step)), place.max_array)
        except values.Refusal as error:
            raise place.refusal(error) from None

    def _function(self, data: dict, place: _Place) -> Any:
        function = self._find(data['function'], place).target
        if inspect.isclass(function):
            raise place.refusal(f"'{data['function']}' is a class, not a function.")
        if 'args' not in data:
            return function
        args = self.read(data['args'], place.argument('args'))
        if not isinstance(args, dict):
            raise place.refusal(f"the 'args' of '{data['function']}' are not a mapping.")
        args = self._by_current_names(function, args, place)
        try:
            schema.check_arguments(function, args, function.__name__)
        except KeraFlowError as error:
            raise place.refusal(error) from error
        return functools.partial(function, **args)

    def _by_current_names(self, owner: Any, args: Dict[str, Any], place: _Place) -> Dict[str, Any]:
        try:
            return current_names(owner, args, owner.__name__, is_told=False)
        except KeraFlowError as error:
            raise place.refusal(error) from error

    def _class(self, id: Any, place: _Place) -> type:
        cls = self._find(id, place).target
        if not inspect.isclass(cls):
            raise place.refusal(f"'{id}' is a function, not a class.")
        return cls

    def _object(self, data: dict, place: _Place) -> Any:
        cls, args, learned = self._find(data['class'], place).target, data.get('args', {}), data.get('learned', {})
        if not inspect.isclass(cls) or not isinstance(args, dict):
            raise place.refusal(f"'{data['class']}' is not a class, or its 'args' are not a mapping.")
        slots, args = schema.slots_of(cls), self._by_current_names(cls, args, place)
        given = {name: self.read(value, place.argument(name, *slots.get(name, ()))) for name, value in args.items()}
        try:
            made = cls(**(cls.unpack_init_param(given) if hasattr(cls, 'unpack_init_param') else given))
        except SerializationError:
            raise
        except KeraFlowError as error:
            raise place.refusal(error) from error
        except Exception as error:      # whatever a constructor raises on data that its schema let pass
            raise place.refusal(f'{type(error).__name__} in {cls.__name__}: {error}') from error
        if learned:
            self._learn(made, learned, place)
        if registry.kind_of(made) == 'layer':
            self.made[_free(place.text, self.made)] = made
        return made

    def _learn(self, made: Any, learned: Any, place: _Place) -> None:
        """Give an object back what it had learned."""
        names = getattr(made, 'learned_attributes', {})
        if not isinstance(learned, dict) or not learned.keys() <= names.keys():
            raise place.refusal(f"'learned': expected a mapping of {', '.join(names) or 'nothing'}, received "
                                f'{describe(learned)}.')
        for name, data in learned.items():
            value = self.read(data, place.argument(name, max_array=MAX_LEARNED))
            _check_learned(made, name, value, place)
            setattr(made, name, value)

    def _find(self, id: Any, place: _Place) -> registry.Entry:
        kind = '' if place.kind == 'function' else place.kind
        entry = registry.find(id, kind, self.customs) if isinstance(id, str) else None
        if entry is None and kind in registry.ALSO and isinstance(id, str):
            entry = registry.find(id, registry.ALSO[kind], self.customs)
        if entry is None:
            wanted = registry.article(place.kind) if place.kind else 'a class or function'
            raise place.refusal(f"'{id!s:.60}' is not {wanted} that is registered. If it is yours, put "
                                '@keraflow.register above it and import its module first, or pass '
                                'custom_objects=[...].')
        return entry


def _check_learned(made: Serializable, name: str, value: Any, place: _Place) -> None:
    try:
        schema.check(value, made.learned_attributes[name], f'{type(made).__name__}: {name}')
    except KeraFlowError as error:
        raise place.refusal(error) from error


def _keeps_arguments(cls: type) -> bool:
    """Whether a class is registered, and no container of which no argument of a constructor says what is in it."""
    holds_more = issubclass(cls, (list, tuple, dict, set, frozenset, str, int, float, np.ndarray))
    return registry.entry_of(cls) is not None and (not holds_more or bool(schema.arguments_of(cls)))


def _free(place: str, taken: Collection[str]) -> str:
    """A place by which a layer is found again: names may have dots, so that two places can be written alike."""
    while place in taken:
        place += '~'
    return place
