"""Which arguments the constructor of a class takes, and their binding."""
import inspect
from typing import Any, Callable, Collection, Dict, List, NamedTuple, Sequence

from keraflow import registry
from keraflow.deprecation import current_names, renamed_arguments
from keraflow.schema.checking import is_open
from keraflow.schema.signature import Argument, Signature

__all__ = ['NO_SLOT', 'Slot', 'arguments_of', 'bind', 'check_arguments', 'kinds_of', 'passed_on', 'signature_of',
           'slots_of']


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
        arguments = _find_arguments(cls)
        own = next((one for one in cls.__mro__ if inspect.isfunction(vars(one).get('__init__'))), None)
        is_of_program = own is not None and not registry.is_builtin(own)
        _signatures[cls] = Signature(arguments, passed_on=[one.name for one in arguments
                                                           if is_of_program and one.owner is not own])
    return _signatures[cls]


def passed_on(cls: Any) -> Collection[str]:
    """Return the arguments of base classes that an ``__init__`` of the program takes, but may give itself."""
    return _signature(cls).passed_on


_signatures: Dict[type, Signature] = {}


def _find_arguments(cls: type) -> List[Argument]:
    found: Dict[str, Argument] = {}
    for owner in cls.__mro__:
        init = owner.__dict__.get('__init__')
        if not inspect.isfunction(init):
            continue
        if not _add_arguments(found, init, owner):      # without **kwargs it passes nothing on
            break
    new = cls.__new__
    if not found and inspect.isfunction(new):       # a named tuple, or an Enum
        _add_arguments(found, new, cls)
    return list(found.values())


def _add_arguments(found: Dict[str, Argument], function: Callable, owner: type) -> bool:
    """Add the arguments of a function after the first that no other class has; return whether it takes more.

    One that a subclass has by its old name is that of the subclass, which passes it on.
    """
    signature = Signature.of(function, start=1)
    is_first = not found
    replaced = {one.name for old, one in renamed_arguments(function).items() if old in found}
    for name, one in signature.arguments.items():
        if name in replaced:
            continue
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


#: For what is not an argument of a constructor.
NO_SLOT = Slot()


def slots_of(cls: Any) -> Dict[str, Slot]:
    """Return what each argument of a constructor takes; those of keraflow's own classes are lenient."""
    if cls not in _slots:
        own = registry.is_builtin(cls)
        _slots[cls] = {name: Slot(one.kind, own and not is_open(one.annotation))
                       for name, one in arguments_of(cls).items()}
    return _slots[cls]


_slots: Dict[type, Dict[str, Slot]] = {}


def kinds_of(cls: Any) -> Dict[str, str]:
    """Return the kind of objects that each argument of a constructor takes; '' for none."""
    return {name: slot.kind for name, slot in slots_of(cls).items()}


def bind(cls: Any, args: Sequence, kwargs: Dict[str, Any], defaults: Dict[str, Any]) -> Dict[str, Any]:
    """Return the arguments for a constructor by name, checked, under their current names.

    Defaults and errors are those of :meth:`Signature.bind`.
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
    signature_of(target).check(arguments, where)


def signature_of(target: Any) -> Signature:
    """Return the arguments of a constructor, or those of a function besides its first one."""
    return _signature(target) if inspect.isclass(target) else \
        Signature.of(target, start=registry.is_builtin(target))     # ours are called with a tensor or a shape
