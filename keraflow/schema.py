"""What the arguments of a constructor may be, declared once: as annotations of ``__init__``.

The same annotations check calls in Python and arguments in files. An annotation is a plain type, a union, a sequence or
dict of such, or one of the names below (``PositiveInt``, ``Activation``, ...), which say more than the type.
"""
import inspect
import os
import re
from typing import Annotated, Any, Callable, Dict, List, NamedTuple, Sequence, Union

from keraflow import registry
from keraflow.annotations import Argument, Signature, check, is_open, kind_in, takes_list
from keraflow.annotations.marks import DType, Kind, PerParameter, Rule, number
from keraflow.deprecation import current_names

__all__ = ['Argument', 'NO_SLOT', 'bind', 'check', 'check_arguments', 'kind_in', 'kinds_of', 'arguments_of',
           'slots_of', 'Activation', 'Axes', 'Beta', 'Constraint', 'Constraints', 'DType', 'Finite', 'Fraction',
           'Function', 'Initialization', 'Name', 'LearningRate', 'Natural', 'NonNegative', 'Objective', 'Path',
           'PositiveFloat', 'PositiveInt', 'Rate', 'Regularizer', 'Regularizers', 'Rule', 'Slot', 'takes_list']


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


def arguments_of(cls: Any) -> Dict[str, Argument]:
    """Return the arguments that ``cls(...)`` takes, including those that ``**kwargs`` passes on to base classes.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> list(arguments_of(Dense))[:3]
    ['output_dim', 'init', 'activation']
    """
    return _signature(cls).arguments


def _signature(cls: type) -> Signature:
    if cls not in _signatures:
        _signatures[cls] = Signature(_find_arguments(cls))
    return _signatures[cls]


_signatures: Dict[type, Signature] = {}


def _find_arguments(cls: type) -> List[Argument]:
    found: Dict[str, Argument] = {}
    for owner in cls.__mro__:
        init = owner.__dict__.get('__init__')
        if not inspect.isfunction(init):
            continue
        if not _add_arguments(found, init, owner):
            break
    new = cls.__new__
    if not found and inspect.isfunction(new):       # a named tuple, or an Enum
        _add_arguments(found, new, cls)
    return list(found.values())


def _add_arguments(found: Dict[str, Argument], function: Callable, owner: type) -> bool:
    """Add the arguments of a function after the first that no other class has; return whether it takes more."""
    signature = Signature.of(function, start=1)
    is_first = not found
    for name, one in signature.arguments.items():
        found.setdefault(name, Argument(name, one.annotation, one.default, is_first and one.positional, owner))
    return signature.is_open


class Slot(NamedTuple):
    """What an argument of a constructor takes.

    Attributes
    ----------
    kind : str
        The kind of objects; '' for none.
    is_lenient : bool
        Whether it takes a list as a tuple, and a plain number as one of NumPy: files then have the plainer one.
    """

    kind: str = ''
    is_lenient: bool = False


#: Of what is no argument of a constructor.
NO_SLOT = Slot()


def slots_of(cls: Any) -> Dict[str, Slot]:
    """Return what each argument of a constructor takes; those of keraflow's own classes are lenient."""
    if cls not in _slots:
        own = registry.is_builtin(cls)
        _slots[cls] = {name: Slot(kind_in(one.annotation), own and not is_open(one.annotation))
                       for name, one in arguments_of(cls).items()}
    return _slots[cls]


_slots: Dict[type, Dict[str, Slot]] = {}


def kinds_of(cls: Any) -> Dict[str, str]:
    """Return the kind of objects that each argument of a constructor takes; '' for none."""
    return {name: slot.kind for name, slot in slots_of(cls).items()}


def bind(cls: Any, args: Sequence, kwargs: Dict[str, Any], defaults: Dict[str, Any]) -> Dict[str, Any]:
    """Return the arguments for a constructor by name, checked; with `defaults`, and mutable defaults of the class.

    Raises
    ------
    ArgumentTypeError
        For an unknown, missing, duplicate or surplus argument, or one of the wrong type.
    ArgumentError
        For a value that the annotation does not allow.
    """
    where = cls.__name__
    return _signature(cls).bind(args, current_names(cls, kwargs, where), where,
                                getattr(cls, 'positional_advice', ''), defaults)


def check_arguments(target: Any, arguments: Dict[str, Any], where: str) -> None:
    """Raise unless a constructor, or a function besides its first argument, takes these arguments by name.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        For an argument that it does not have, or a value that its annotations do not allow.
    """
    signature = _signature(target) if inspect.isclass(target) else \
        Signature.of(target, start=registry.is_builtin(target))     # ours are called with a tensor or a shape
    signature.check(arguments, where)
