"""Objects as plain data and back: an object is rebuilt from the arguments of its ``__init__``.

``serialize`` turns an object into dicts, lists, strings and numbers; ``unserialize`` looks the ids in them up in
:mod:`keraflow.registry`, and calls constructors with checked arguments. A file can do nothing else.
"""
import functools
import inspect
from typing import Any, Dict

import numpy as np

from keraflow import registry, schema
from keraflow.errors import KeraFlowError, SerializationError
from keraflow.firstformat import is_first_format, migrate
from keraflow.scopes import defaults_for, no_argscope

__all__ = ['Serializable', 'call_text', 'pack_init_params', 'serialize', 'snapshot', 'unserialize', 'same']

#: Deeper nesting of objects than this is refused instead of exhausting the stack.
MAX_DEPTH = 50
_MISSING = object()


class _Remembering(type):
    """Checks the arguments of a constructor call, makes the object, and remembers them."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        passed = schema.bind(cls, args, kwargs, defaults_for(cls))
        with no_argscope():
            made = super().__call__(**passed)
        made._remember(passed)
        return made


class Serializable(metaclass=_Remembering):
    """Base of everything that is rebuilt from the arguments of its ``__init__``.

    The rule for a class: ``__init__`` stores each argument under its own name, as passed. Where it does not, what was
    passed is remembered, so that the rebuilt object behaves like the original all the same.
    """

    #: The kind of slot that objects of the class fit into, for example ``'layer'``.
    kind = ''
    #: Arguments that are left out of the data while they have their default values.
    quiet_arguments: frozenset = frozenset()
    #: Arguments that are never part of the data.
    unsaved_arguments: frozenset = frozenset()

    def _remember(self, passed: Dict[str, Any]) -> None:
        self._passed = {name: _snapshot(value) for name, value in passed.items()}
        self._kept = frozenset(name for name, one in schema.parameters_of(type(self)).items()
                               if self._keeps(name, passed.get(name, one.default), one))

    def __repr__(self) -> str:
        return call_text(self) if hasattr(self, '_passed') else f'<{type(self).__name__} (being made)>'

    def _keeps(self, name: str, value: Any, parameter: schema.Parameter) -> bool:
        """Whether the attribute `name` is what was passed, so that it may be followed from now on."""
        attribute = vars(self).get(name, _MISSING)
        if same(attribute, value):
            return True
        kind = schema.kind_in(parameter.annotation)
        return isinstance(value, str) and bool(kind) and registry.find(value, kind) is not None and \
            same(attribute, registry.resolve(kind, value))

    def pack_init_param(self) -> Dict[str, Any]:
        """The arguments to rebuild the object from. Override it where ``__init__`` changes an argument.

        An override that calls ``super().pack_init_param()`` gets the attributes of the arguments' names, undoes the
        change, and returns the dict. Without an override an argument that ``__init__`` changed is remembered as it was
        passed.
        """
        return {name: vars(self).get(name, value) for name, value in self._remembered_arguments().items()}

    @classmethod
    def unpack_init_param(cls, params: Dict[str, Any]) -> Dict[str, Any]:
        """The arguments of ``__init__`` from what :meth:`pack_init_param` gave; both are the same unless overridden."""
        return params

    def _remembered_arguments(self) -> Dict[str, Any]:
        arguments = {}
        for name, one in schema.parameters_of(type(self)).items():
            value = vars(self)[name] if name in self._kept else self._passed.get(name, one.default)
            quiet = name in self.quiet_arguments and same(value, one.default)
            if not quiet and name not in self.unsaved_arguments and value is not inspect.Parameter.empty:
                arguments[name] = value
        return arguments


def pack_init_params(obj: Any) -> Dict[str, Any]:
    """The arguments of ``__init__`` from which `obj` can be made again, by name, as Python values.

    Parameters
    ----------
    obj : object
        A layer, model, regularizer, optimizer, ..., or an object of any class that keeps each argument of its
        ``__init__`` under its own name.

    Raises
    ------
    SerializationError
        If an argument was neither kept nor remembered.

    Examples
    --------
    >>> from keraflow.regularizers import L1
    >>> pack_init_params(L1(0.5))
    {'l1': 0.5}
    """
    if type(obj).__dict__.get('pack_init_param') is None and isinstance(obj, Serializable) and not _overrides(obj):
        return obj._remembered_arguments()
    if hasattr(obj, 'pack_init_param'):
        return obj.pack_init_param()
    params = {}
    for name in schema.parameters_of(type(obj)):
        if not hasattr(obj, name):
            raise SerializationError(f"{type(obj).__name__}: the argument '{name}' of __init__ cannot be saved, "
                                     "because it was not kept. "
                                     f'Write self.{name} = {name} in __init__.')
        params[name] = getattr(obj, name)
    return params


def call_text(obj: Any) -> str:
    """The call that makes `obj`, for messages.

    Examples
    --------
    >>> from keraflow.regularizers import L1
    >>> call_text(L1(0.5))
    'L1(l1=0.5)'
    """
    params = pack_init_params(obj)
    arguments = ', '.join(f'{name}={getattr(value, "__name__", value)!r}' for name, value in params.items())
    return f'{type(obj).__name__}({arguments})'


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
        is ``{'shared': place}``. The arrays given as ``initial_weights`` are not part of it: weights are saved as
        weights.

    Raises
    ------
    SerializationError
        For lambdas, and for values that are neither plain nor rebuilt from their arguments.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> serialize(Dense(3, bias=False))
    {'class': 'Dense', 'args': {'output_dim': 3, 'init': 'glorot_uniform', 'activation': 'linear', 'bias': False}}
    """
    return _Writer().write(obj, '', '')


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
    with no_argscope():
        return _Reader(customs).read(data, '', '')


def same(one: Any, other: Any) -> bool:
    """Whether two arguments mean the same: equal plain values and arrays, functions of one definition, objects of
    one class with the same arguments."""
    if one is other:
        return True
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is not type(other):
        return _is_number(one) and _is_number(other) and bool(one == other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and bool(np.array_equal(one, other))
    if inspect.isfunction(one):
        return one.__code__ is other.__code__ and same(_bound_by(one), _bound_by(other))
    if isinstance(one, functools.partial):
        return same([one.func, one.args, one.keywords], [other.func, other.args, other.keywords])
    if isinstance(one, Serializable):
        return same(pack_init_params(one), pack_init_params(other))
    try:
        return bool(one == other)
    except Exception:       # an __eq__ that cannot answer does not say that they are the same
        return False


def snapshot(value: Any) -> Any:
    """A value as it is now, to be compared with :func:`same` later: of an object its class and arguments, which do not
    follow later changes of it."""
    if isinstance(value, Serializable):
        return [type(value), snapshot(pack_init_params(value))]
    if isinstance(value, (list, tuple)):
        return [snapshot(one) for one in value]
    if isinstance(value, dict):
        return {key: snapshot(one) for key, one in value.items()}
    return value.copy() if isinstance(value, np.ndarray) else value


def _bound_by(function: Any) -> list:
    """The values beside its code that a function computes with: defaults, and what it closes over."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [function.__defaults__, function.__kwdefaults__, [it for it in cells if it is not function]]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _snapshot(value: Any) -> Any:
    return value.copy() if isinstance(value, (list, dict)) else value


def _overrides(obj: Serializable) -> bool:
    return type(obj).pack_init_param is not Serializable.pack_init_param


class _Writer:
    """One run of :func:`serialize`: knows where each layer was written first."""

    def __init__(self) -> None:
        self.places: Dict[int, str] = {}

    def write(self, value: Any, place: str, kind: str, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise SerializationError(f'{_at(place)}objects are nested deeper than {MAX_DEPTH}.')
        if value is None or isinstance(value, (str, bool)):
            return value
        if isinstance(value, (np.bool_, np.integer, np.floating)):
            return value.item()
        if isinstance(value, (int, float)):
            return value
        if isinstance(value, np.ndarray):
            return value.tolist()
        if isinstance(value, (list, tuple)):
            return [self.write(item, f'{place}[{index}]', kind, depth + 1) for index, item in enumerate(value)]
        if isinstance(value, dict):
            return self._dict(value, place, kind, depth)
        return self._object(value, place, kind, depth)

    def _dict(self, value: dict, place: str, kind: str, depth: int) -> dict:
        if _is_form(value):
            raise SerializationError(f"{_at(place)}a dict with the keys {', '.join(map(repr, value))} cannot be saved, "
                                     'because in files it stands for an object. Use other keys.')
        return {self._key(key, place): self.write(item, _join(place, key), kind, depth + 1)
                for key, item in value.items()}

    def _key(self, key: Any, place: str) -> str:
        if not isinstance(key, str):
            raise SerializationError(f'{_at(place)}the keys of a dict must be strings, received {key!r}.')
        return key

    def _object(self, value: Any, place: str, kind: str, depth: int) -> Any:
        try:
            if isinstance(value, functools.partial) and not value.args:
                arguments = self.write(value.keywords, _join(place, 'args'), '', depth + 1)
                return {'function': registry.id_of(value.func), 'args': arguments}
            if inspect.isroutine(value):
                name = registry.id_of(value)
                return name if kind and registry.find(name, kind) else {'function': name}
            name = registry.id_of(type(value))
        except SerializationError as error:
            raise SerializationError(f'{_at(place)}{error}') from None
        if not isinstance(value, Serializable) and registry.find(name) is None:
            raise SerializationError(f'{_at(place)}an object of class {type(value).__name__} cannot be saved: it is '
                                     'not plain data. If the class is yours, put @keraflow.register above it.')
        if registry.kind_of(value) == 'layer':
            if id(value) in self.places:
                return {'shared': self.places[id(value)]}
            self.places[id(value)] = place
        kinds = schema.kinds_of(type(value))
        return {'class': name, 'args': {
            argument: self.write(it, _join(place, argument), kinds.get(argument, ''), depth + 1)
            for argument, it in pack_init_params(value).items()}}


class _Reader:
    """One run of :func:`unserialize`: knows which layer was made at which place."""

    def __init__(self, customs: Dict[str, registry.Entry]):
        self.customs = customs
        self.made: Dict[str, Any] = {}

    def read(self, data: Any, place: str, kind: str, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise SerializationError(f'{_at(place)}objects are nested deeper than {MAX_DEPTH}.')
        if isinstance(data, list):
            return [self.read(item, f'{place}[{index}]', kind, depth + 1) for index, item in enumerate(data)]
        if isinstance(data, dict):
            return self._dict(data, place, kind, depth)
        if isinstance(data, str) and kind and kind != 'function' and data in self.customs:
            return self._find(data, place, kind).target
        return data

    def _dict(self, data: dict, place: str, kind: str, depth: int) -> Any:
        if not _is_form(data):
            return {key: self.read(item, _join(place, key), kind, depth + 1) for key, item in data.items()}
        if 'shared' in data:
            if not isinstance(data['shared'], str) or data['shared'] not in self.made:
                raise SerializationError(
                    f"{_at(place)}'shared' names {data['shared']!r:.60}, where no layer was before.")
            return self.made[data['shared']]
        if 'function' in data:
            target = self._find(data['function'], place, kind).target
            if inspect.isclass(target):
                raise SerializationError(f"{_at(place)}'{data['function']}' is a class, not a function.")
            if 'args' not in data:
                return target
            args = self.read(data['args'], _join(place, 'args'), '', depth + 1)
            if not isinstance(args, dict):
                raise SerializationError(f"{_at(place)}the 'args' of '{data['function']}' are not a mapping.")
            return functools.partial(target, **args)
        return self._object(data, place, kind, depth)

    def _object(self, data: dict, place: str, kind: str, depth: int) -> Any:
        cls, args = self._find(data['class'], place, kind).target, data.get('args', {})
        if not inspect.isclass(cls) or not isinstance(args, dict):
            raise SerializationError(f"{_at(place)}'{data['class']}' is not a class, or its 'args' are not a mapping.")
        kinds = schema.kinds_of(cls)
        values = {name: self.read(value, _join(place, name), kinds.get(name, ''), depth + 1)
                  for name, value in args.items()}
        try:
            made = cls(**(cls.unpack_init_param(values) if hasattr(cls, 'unpack_init_param') else values))
        except SerializationError:
            raise
        except KeraFlowError as error:
            raise SerializationError(f'{_at(place)}{error}') from error
        except Exception as error:      # whatever a constructor raises on data that its schema let pass
            raise SerializationError(f'{_at(place)}{type(error).__name__} in {cls.__name__}: {error}') from error
        self.made[place] = made
        return made

    def _find(self, id: Any, place: str, kind: str) -> registry.Entry:
        entry = registry.find(id, '' if kind == 'function' else kind, self.customs) if isinstance(id, str) else None
        if entry is None:
            wanted = registry.article(kind) if kind else 'a class or function'
            raise SerializationError(
                f"{_at(place)}'{id!s:.60}' is not {wanted} that is registered. If it is yours, put @keraflow.register "
                'above it and import its module first, or pass custom_objects=[...].')
        return entry


def _is_form(data: dict) -> bool:
    """Whether a dict is one of the three forms that stand for an object: a class, a function, one that was before."""
    keys = set(data)
    return keys == {'shared'} or any(form in keys and keys <= {form, 'args'} for form in ('class', 'function'))


def _join(place: str, key: str) -> str:
    return f'{place}.{key}' if place else str(key)


def _at(place: str) -> str:
    return f'{place}: ' if place else ''
