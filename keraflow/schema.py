"""What the arguments of a constructor may be, written once: as annotations of ``__init__``.

The same annotations check calls in Python and arguments in files. An annotation is a plain type, a union, a sequence or
dict of such, or one of the names below (``PositiveInt``, ``Activation``, ...), which say more than the type.
"""
import collections.abc
import inspect
import math
import os
import re
from typing import (Annotated, Any, Callable, Dict, List, Literal, NamedTuple, Sequence, Union, get_args, get_origin,
                    get_type_hints)

import numpy as np

from keraflow import registry
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, describe, nearest

__all__ = ['Parameter', 'bind', 'check', 'kind_in', 'kinds_of', 'parameters_of', 'Activation', 'Axes',
           'Beta', 'Constraint', 'Constraints', 'DType', 'Finite', 'Fraction', 'Function', 'Initialization', 'Name',
           'LearningRate', 'Natural', 'NonNegative', 'Objective', 'Path', 'PositiveFloat', 'PositiveInt', 'Rate',
           'Regularizer', 'Regularizers', 'takes_list']


class Rule(NamedTuple):
    """A further condition on a value, and the words for it."""

    text: str
    holds: Callable


class Kind(NamedTuple):
    """A slot for one kind of the registry's objects."""

    name: str

    @property
    def text(self) -> str:
        """The words for it."""
        return f'{registry.article(self.name)} (a name, a function or an object)'


class PerParameter(NamedTuple):
    """A slot for objects of one kind, a dict by the names of a layer's parameters or a list in their order."""

    name: str
    example: str

    @property
    def text(self) -> str:
        """The words for it."""
        return f"a dict or a list by parameter, such as {{'W': {self.example!r}}} or [{self.example!r}]"


def _number(text: str, holds: Callable) -> Rule:
    return Rule(text, lambda value: math.isfinite(value) and holds(value))


_NAME = re.compile(r'[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,126}[A-Za-z0-9_\-])?')

PositiveInt = Annotated[int, Rule('an integer of at least 1', lambda value: value >= 1)]
Natural = Annotated[int, Rule('an integer of at least 0', lambda value: value >= 0)]
Finite = Annotated[float, _number('a finite number', lambda value: True)]
PositiveFloat = Annotated[float, _number('a number above 0', lambda value: value > 0)]
NonNegative = Annotated[float, _number('a number of at least 0', lambda value: value >= 0)]
Rate = Annotated[float, _number('a number of at least 0 and below 1', lambda value: 0 <= value < 1)]
Beta = Annotated[float, _number('a number above 0 and below 1', lambda value: 0 < value < 1)]
Fraction = Annotated[float, _number('a number from 0 to 1', lambda value: 0 <= value <= 1)]
Name = Annotated[str, Rule("a name of letters, digits, '_', '-' and '.' (at most 128)",
                           lambda value: bool(_NAME.fullmatch(value)))]
Path = Annotated[Union[str, os.PathLike], Rule('a path', lambda value: True)]
DType = Literal['bool', 'int32', 'int64', 'float32', 'float64']
Axes = Union[int, Sequence[int]]

Activation = Annotated[Union[str, Callable], Kind('activation')]
Initialization = Annotated[Union[str, Callable], Kind('initialization')]
Regularizer = Annotated[Any, Kind('regularizer')]
Constraint = Annotated[Any, Kind('constraint')]
Objective = Annotated[Union[str, Callable], Kind('objective')]
LearningRate = Union[PositiveFloat, Annotated[Union[str, Callable], Kind('schedule')]]
Function = Annotated[Callable, Kind('function')]
_ByParameter = Union[Dict[str, Any], Sequence[Any], None]
Regularizers = Annotated[_ByParameter, PerParameter('regularizer', 'l2')]
Constraints = Annotated[_ByParameter, PerParameter('constraint', 'nonneg')]


class Parameter(NamedTuple):
    """One argument of a constructor."""

    name: str
    annotation: Any
    default: Any            # inspect.Parameter.empty if there is none
    positional: bool
    owner: type             # the class whose __init__ lists it


def parameters_of(cls: Any) -> Dict[str, Parameter]:
    """The arguments that ``cls(...)`` takes, those that ``**kwargs`` passes on to base classes included.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> list(parameters_of(Dense))[:3]
    ['output_dim', 'init', 'activation']
    """
    if cls not in _parameters:
        _parameters[cls] = _find_parameters(cls)
    return _parameters[cls]


_parameters: Dict[type, Dict[str, Parameter]] = {}


def _find_parameters(cls: type) -> Dict[str, Parameter]:
    found: Dict[str, Parameter] = {}
    for owner in cls.__mro__:
        init = owner.__dict__.get('__init__')
        if not inspect.isfunction(init):
            continue
        listed = list(inspect.signature(init).parameters.values())[1:]
        hints = _hints(init)
        for one in listed:
            if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL) and one.name not in found:
                positional = one.kind is not one.KEYWORD_ONLY and (
                    not found or all(p.owner is owner for p in found.values()))
                found[one.name] = Parameter(one.name, hints.get(one.name, Any), one.default, positional, owner)
        if not any(one.kind is one.VAR_KEYWORD for one in listed):
            break
    return found


def kinds_of(cls: Any) -> Dict[str, str]:
    """The kinds of the slots of a constructor, by argument; '' for an argument that is no slot."""
    return {name: kind_in(one.annotation) for name, one in parameters_of(cls).items()}


def bind(cls: type, args: Sequence, kwargs: Dict[str, Any], defaults: Dict[str, Any]) -> Dict[str, Any]:
    """The arguments that a call passes, by name, with `defaults` for those that it does not; each checked against its
    annotation.

    Raises
    ------
    ArgumentTypeError
        For an unknown, missing, double or superfluous argument, or one of the wrong type.
    ArgumentError
        For a value outside of what the annotation allows.
    """
    parameters, where = parameters_of(cls), cls.__name__
    positional = [name for name, one in parameters.items() if one.positional]
    if len(args) > len(positional):
        advice = getattr(cls, 'positional_advice', 'Pass the others by name.')
        raise ArgumentTypeError(f'{where}: expected at most {len(positional)} positional argument(s) '
                                f'({", ".join(positional)}), received {len(args)}. {advice}')
    passed = dict(zip(positional, args))
    for name, value in kwargs.items():
        if name not in parameters:
            raise ArgumentTypeError(f"{where}: there is no argument '{name}'. {nearest(name, parameters)}")
        if name in passed:
            raise ArgumentTypeError(f"{where}: the argument '{name}' is given twice.")
        passed[name] = value
    passed = {**defaults, **passed}
    for name, one in parameters.items():
        if name in passed:
            check(passed[name], one.annotation, f'{where}: {name}')
        elif one.default is inspect.Parameter.empty:
            raise ArgumentTypeError(f"{where}: the argument '{name}' is missing: {expected(one.annotation)}.")
    return passed


def check(value: Any, annotation: Any, where: str) -> None:
    """Raise unless `value` is what `annotation` allows; the message starts with `where`."""
    if _matches(value, annotation):
        return
    _explain(value, annotation, where)
    error = ArgumentError if _matches(value, _bare(annotation)) else ArgumentTypeError
    raise error(f'{where}: expected {expected(annotation)}, received {describe(value)}.')


def _explain(value: Any, annotation: Any, where: str) -> None:
    """Raise the registry's own error, which knows near names, if what is wrong is one object of a kind."""
    for mark in getattr(annotation, '__metadata__', ()):
        if isinstance(mark, Kind) and mark.name != 'function' and value is not None:
            registry.resolve(mark.name, value, f'{where}: ')
        if isinstance(mark, PerParameter) and isinstance(value, (dict, list, tuple)):
            for key, one in value.items() if isinstance(value, dict) else enumerate(value):
                if one is not None:
                    registry.resolve(mark.name, one, f'{where}: {key}: ')
    options = [one for one in get_args(annotation) if one is not type(None)] if get_origin(annotation) is Union else []
    for one in options:
        if kind_in(one) and (len(options) == 1 or isinstance(value, str)):
            _explain(value, one, where)


def kind_in(annotation: Any) -> str:
    """The kind of object that a slot takes, also inside ``Optional``, a sequence or a dict; '' if none."""
    for mark in getattr(annotation, '__metadata__', ()):
        if isinstance(mark, (Kind, PerParameter)):
            return mark.name
    return next(filter(None, map(kind_in, get_args(annotation))), '')


def expected(annotation: Any) -> str:
    """The words for what an annotation allows."""
    for mark in getattr(annotation, '__metadata__', ()):
        return mark.text
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Union:
        return ' or '.join(dict.fromkeys(map(expected, args)))
    if origin is Literal:
        return 'one of ' + ', '.join(map(repr, args))
    if _is_sequence(origin):
        return 'a list' if args[0] is Any else f'a list ({expected(args[0])} each)'
    if origin is dict:
        return f'a dict of {expected(args[1])}'
    if 'kind' in getattr(annotation, '__dict__', ()):  # the base of a kind
        return registry.article(annotation.kind)
    return _WORDS.get(annotation, getattr(annotation, '__name__', str(annotation)))


_WORDS = {Callable: 'a function', int: 'an integer', float: 'a number', bool: 'True or False', str: 'a string',
          type(None): 'None', np.ndarray: 'an array', list: 'a list', dict: 'a dict'}


def _matches(value: Any, annotation: Any) -> bool:
    if annotation is Any or isinstance(annotation, str):
        return True
    if hasattr(annotation, '__metadata__'):
        return all(_obeys(value, annotation.__origin__, mark) for mark in annotation.__metadata__)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Union:
        return any(_matches(value, one) for one in args)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in args)
    if _is_sequence(origin):
        return isinstance(value, (list, tuple)) and all(_matches(one, args[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(_matches(k, args[0]) and _matches(v, args[1]) for k, v in value.items())
    return _is_instance(value, origin or annotation)


def _obeys(value: Any, base: Any, mark: Any) -> bool:
    if isinstance(mark, Rule):
        return _matches(value, base) and mark.holds(value)
    if isinstance(mark, PerParameter):
        if not _matches(value, base):
            return False
        items = value.values() if isinstance(value, dict) else value or ()
        return all(one is None or _obeys(one, Any, Kind(mark.name)) for one in items)
    if mark.name == 'function':
        return callable(value)
    try:
        registry.resolve(mark.name, value)
    except KeraFlowError:
        return False
    return True


def _bare(annotation: Any) -> Any:
    """An annotation without its rules, to tell a wrong value from a wrong type."""
    if hasattr(annotation, '__metadata__'):
        return annotation.__origin__
    args = get_args(annotation)
    if get_origin(annotation) is Union:
        return Union[tuple(_bare(one) for one in args)]
    return List[_bare(args[0])] if _is_sequence(get_origin(annotation)) else annotation  # type: ignore[misc]


def takes_list(annotation: Any) -> bool:
    """Whether an annotation asks for a list or a tuple, as ``list``, ``List[int]`` and ``Sequence[int]`` do."""
    return _is_sequence(get_origin(annotation) or annotation) and annotation is not str


def _is_sequence(origin: Any) -> bool:
    return inspect.isclass(origin) and issubclass(origin, collections.abc.Sequence)


def _is_instance(value: Any, cls: Any) -> bool:
    if cls is bool:
        return isinstance(value, (bool, np.bool_))
    if isinstance(value, (bool, np.bool_)):
        return cls is object
    if isinstance(value, int) and not -2 ** 63 <= value < 2 ** 63:      # no array and no other language has it
        return False
    if cls is int:
        return isinstance(value, (int, np.integer))
    if cls is float:
        return isinstance(value, (int, float, np.integer, np.floating))
    return callable(value) if cls in (Callable, _CALLABLE) else not inspect.isclass(cls) or isinstance(value, cls)


_CALLABLE = get_origin(Callable[[], None])


def _hints(init: Callable) -> Dict[str, Any]:
    try:
        return get_type_hints(init, include_extras=True)
    except (NameError, TypeError):      # a user's annotation that cannot be evaluated checks nothing
        return {}
