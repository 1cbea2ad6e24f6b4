"""What the arguments of a constructor may be, declared once: as annotations of ``__init__``.

The same annotations check calls in Python and arguments in files. An annotation is a plain type, a union, a sequence or
dict of such, or one of the names below (``PositiveInt``, ``Activation``, ...), which say more than the type.
"""
import inspect
import keyword
import os
import re
from typing import Annotated, Any, Callable, Dict, List, Literal, NamedTuple, Sequence, Tuple, Union, get_args

from keraflow import registry
from keraflow.annotations import check, expected, hints_of, is_open, kind_in, takes_list
from keraflow.annotations.marks import Kind, PerParameter, Rule, number
from keraflow.arguments import dtype_name
from keraflow.deprecation import current_names
from keraflow.errors import ArgumentTypeError, nearest
from keraflow.owned import owned

__all__ = ['Argument', 'as_taken', 'bind', 'check', 'check_arguments', 'kind_in', 'kinds_of', 'arguments_of',
           'slots_of', 'Activation', 'Axes', 'Beta', 'Constraint', 'Constraints', 'DType', 'Finite', 'Fraction',
           'Function', 'Initialization', 'Name', 'LearningRate', 'Natural', 'NonNegative', 'Objective', 'Path',
           'PositiveFloat', 'PositiveInt', 'Rate', 'Regularizer', 'Regularizers', 'Rule', 'takes_list']


_NAME = re.compile(r'[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,126}[A-Za-z0-9_\-])?')

PositiveInt = Annotated[int, Rule('an integer of at least 1', lambda value: value >= 1)]
Natural = Annotated[int, Rule('an integer of at least 0', lambda value: value >= 0)]
Finite = Annotated[float, number('a finite number', lambda value: True)]
PositiveFloat = Annotated[float, number('a number above 0', lambda value: value > 0)]
NonNegative = Annotated[float, number('a number of at least 0', lambda value: value >= 0)]
Rate = Annotated[float, number('a number of at least 0 and below 1', lambda value: 0 <= value < 1)]
Beta = Annotated[float, number('a number above 0 and below 1', lambda value: 0 < value < 1)]
Fraction = Annotated[float, number('a number from 0 to 1', lambda value: 0 <= value <= 1)]
Name = Annotated[str, Rule("a name of letters, digits, '_', '-' and '.' (at most 128)",
                           lambda value: bool(_NAME.fullmatch(value)))]
Path = Annotated[Union[str, os.PathLike], Rule('a path', lambda value: True)]
DType = Literal['bool', 'int32', 'int64', 'float32', 'float64']
Axes = Union[int, List[int]]

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


class Argument(NamedTuple):
    """One argument of a constructor."""

    name: str
    annotation: Any
    default: Any            # inspect.Parameter.empty if there is none
    positional: bool
    owner: type             # the class whose __init__ lists it
    is_changeable: bool     # whether its default is mutable, and would be shared by all objects


def arguments_of(cls: Any) -> Dict[str, Argument]:
    """Return the arguments that ``cls(...)`` takes, including those that ``**kwargs`` passes on to base classes.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> list(arguments_of(Dense))[:3]
    ['output_dim', 'init', 'activation']
    """
    if cls not in _arguments:
        _arguments[cls] = _find_arguments(cls)
    return _arguments[cls]


_arguments: Dict[type, Dict[str, Argument]] = {}


def _find_arguments(cls: type) -> Dict[str, Argument]:
    found: Dict[str, Argument] = {}
    for owner in cls.__mro__:
        init = owner.__dict__.get('__init__')
        if not inspect.isfunction(init):
            continue
        listed = _listed(init, owner, found)
        if not any(one.kind is one.VAR_KEYWORD for one in listed):
            break
    new = cls.__new__
    if not found and inspect.isfunction(new):       # a named tuple, or an Enum
        _listed(new, cls, found)
    return found


def _listed(function: Callable, owner: type, found: Dict[str, Argument]) -> List[inspect.Parameter]:
    """List the arguments of a function after the first; add those with names that no other class has to `found`."""
    listed = list(inspect.signature(function).parameters.values())[1:]
    hints = hints_of(function)
    for one in listed:
        if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL) and one.name not in found:
            positional = one.kind is not one.KEYWORD_ONLY and (
                not found or all(p.owner is owner for p in found.values()))
            found[one.name] = Argument(one.name, hints.get(one.name, Any), one.default, positional, owner,
                                       owned(one.default) is not one.default)
    return listed


def kinds_of(cls: Any) -> Dict[str, str]:
    """Return the kinds of the slots of a constructor, by argument; '' for an argument that is not a slot."""
    return {name: kind for name, (kind, _) in slots_of(cls).items()}


def slots_of(cls: Any) -> Dict[str, Tuple[str, bool]]:
    """Return for each argument of a constructor the kind of objects that it takes, and whether values may be converted.

    The kind is '' for an argument that takes no objects. Arguments of keraflow's own classes treat lists and
    tuples, and numbers of NumPy and others, as equal.
    """
    if cls not in _slots:
        own = registry.is_builtin(cls)
        _slots[cls] = {name: (kind_in(one.annotation), own and not is_open(one.annotation))
                       for name, one in arguments_of(cls).items()}
    return _slots[cls]


_slots: Dict[type, Dict[str, Tuple[str, bool]]] = {}


def bind(cls: type, args: Sequence, kwargs: Dict[str, Any], defaults: Dict[str, Any]) -> Dict[str, Any]:
    """Return the arguments of a call by name, checked, and completed by `defaults` and copies of mutable defaults.

    Raises
    ------
    ArgumentTypeError
        For an unknown, missing, duplicate or surplus argument, or one of the wrong type.
    ArgumentError
        For a value that the annotation does not allow.
    """
    parameters, where = arguments_of(cls), cls.__name__
    positional = [name for name, one in parameters.items() if one.positional]
    if len(args) > len(positional):
        advice = getattr(cls, 'positional_advice', 'Pass the others by name.')
        raise ArgumentTypeError(f'{where}: expected at most {len(positional)} positional argument(s) '
                                f'({", ".join(positional)}), received {len(args)}. {advice}')
    passed = dict(zip(positional, args))
    for name, value in current_names(cls, kwargs, where).items():
        if name not in parameters:
            raise ArgumentTypeError(f"{where}: there is no argument '{name}'. {nearest(name, parameters)}")
        if name in passed:
            raise ArgumentTypeError(f"{where}: the argument '{name}' is given twice.")
        passed[name] = value
    passed = {**defaults, **passed}
    for name, one in parameters.items():
        if name in passed:
            passed[name] = as_taken(passed[name], one.annotation)
            check(passed[name], one.annotation, f'{where}: {name}', one.default)
        elif one.default is inspect.Parameter.empty:
            raise ArgumentTypeError(f"{where}: the argument '{name}' is missing: {expected(one.annotation)}.")
        elif one.is_changeable:
            passed[name] = one.default
    return passed


def as_taken(value: Any, annotation: Any) -> Any:
    """Return the value of an argument as it is kept: a dtype by its name."""
    name = dtype_name(value)
    return name if name is not value and DType in (annotation, *get_args(annotation)) else value


def check_arguments(function: Callable, arguments: Dict[str, Any]) -> None:
    """Raise unless a function takes these arguments by name, besides its first one.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        For an argument that it does not have, or a value that its annotations do not allow.
    """
    where = function.__name__
    try:
        listed = inspect.signature(function).parameters
    except (TypeError, ValueError):     # a function of another language: no known arguments
        listed = {}     # type: ignore[assignment]
    named = [name for name, one in listed.items() if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    named = named[registry.is_builtin(function):]       # ours take a tensor or a shape first
    takes_any = not listed or any(one.kind is one.VAR_KEYWORD for one in listed.values())
    hints = hints_of(function)
    for name, value in arguments.items():
        if name not in named and not (takes_any and name.isidentifier() and not keyword.iskeyword(name)):
            raise ArgumentTypeError(f'{where}: there is no argument {name[:60]!r}. {nearest(name, named)}'.rstrip())
        if name in listed:
            check(value, hints.get(name, Any), f'{where}: {name}', listed[name].default)
