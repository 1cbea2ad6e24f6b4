"""The table of everything that a file may name: keraflow's own classes and functions, and those the program registers.

Loading looks ids up in this table. It never imports a module and calls nothing else.
"""
import inspect
from contextvars import ContextVar
from typing import Any, Callable, Iterator, NamedTuple, Optional, Sequence

from keraflow.errors import ArgumentError, ArgumentTypeError, SerializationError, describe, nearest
from keraflow.sameness import same, same_origin

__all__ = ['Entry', 'advice_for', 'builtin', 'custom', 'entry_of', 'find', 'id_of', 'ids', 'is_builtin', 'kind_of',
           'register', 'resolve']


#: Kinds for which a function is not enough.
OBJECTS = ('layer', 'optimizer')

#: Kinds whose objects may also be used for another kind: a layer as an activation is embedded.
ALSO = {'activation': 'layer'}


class Entry(NamedTuple):
    """A row of the table. `kind` is '' for a function that may be used wherever functions may."""

    id: str
    kind: str
    target: Any
    builtin: bool


#: How an object is made of a class that is given in its place.
making: 'ContextVar[Callable[[type], Any]]' = ContextVar('making', default=lambda cls: cls())

_entries: dict = {}     # (kind, id) -> Entry
_aliases: dict = {}     # (kind, alias) -> id
_by_target: dict = {}   # class or function -> Entry


def builtin(kind: str, *aliases: str, id: Optional[str] = None) -> Callable:
    """Register keraflow's own classes and functions, with short names that users may write for them."""
    def add(target: Any) -> Any:
        entry = Entry(id or target.__name__, kind, target, True)
        _add(entry)
        for alias in aliases:
            _aliases[kind, alias] = entry.id
        return target
    return add


def register(target: Any = None, *, id: Optional[str] = None, **others: Any) -> Any:
    """Allow files to name a class or function of the program.

    Parameters
    ----------
    target : class or function
        Layers, regularizers, constraints, optimizers; functions used as activations, initializations, objectives or in
        Lambda layers.
    id : str, optional
        The name to use in files; ``__name__`` by default. Must not be an id of keraflow's own.

    Raises
    ------
    ArgumentError
        If the id is taken by another object, for example by a function of the same definition that closes over other
        values.

    Notes
    -----
    Running a notebook cell again, changed or not, redefines its classes and functions: the id then means the new ones.

    Examples
    --------
    >>> import keraflow
    >>> @keraflow.register
    ... def cube(x):
    ...     return x * x * x
    >>> keraflow.serialize(cube)
    {'function': 'cube'}
    """
    for name in others:
        raise ArgumentTypeError(f"register: there is no argument '{name}'. Did you mean 'id'?")
    if target is None:
        return lambda it: register(it, id=id)
    if not callable(target) or not hasattr(target, '__name__'):
        raise ArgumentTypeError(f'register: expected a class or a function, received {describe(target)}.')
    entry = Entry(id or target.__name__, _kind_of_target(target), target, False)
    if entry.id == '<lambda>':
        raise ArgumentError('register: a lambda has no name. Write it as a function with def, or pass id=.')
    if _is_own(entry.id):
        raise ArgumentError(f"register: the id '{entry.id}' is taken by one of keraflow's own. Choose another with "
                            'register(id=...).')
    for other in entries():
        if other.id == entry.id and _other_values(other.target, target):
            raise ArgumentError(
                f"register: the id '{entry.id}' is taken by a {_what(target)} of the same definition that computes "
                f'with other values. {advice_for(target)}')
        if other.id == entry.id and not _redefines(other.target, target):
            its_name = f'{other.target.__module__}.{other.target.__qualname__}'
            raise ArgumentError(
                f"register: the id '{entry.id}' is taken by {its_name}. Choose another with register(id=...).")
    _add(entry)
    return target


def custom(objects: Any) -> dict:
    """Convert ``custom_objects`` of a user, a list of classes and functions or a dict by id, to a dict by id.

    Raises
    ------
    ArgumentError
        If an id is one of keraflow's own.
    """
    if objects is not None and not isinstance(objects, (dict, list, tuple, set)):
        raise ArgumentTypeError(f'custom_objects: expected a list or a dict, received {describe(objects)}.')
    for one in (objects.values() if isinstance(objects, dict) else objects or ()):
        if not callable(one) or not isinstance(objects, dict) and not hasattr(one, '__name__'):
            raise ArgumentTypeError(f'custom_objects: expected classes and functions, received {describe(one)}.')
    pairs = objects.items() if isinstance(objects, dict) else [(it.__name__, it) for it in objects or ()]
    named: dict = {}
    for id, target in pairs:
        if not same(named.setdefault(id, target), target):
            raise ArgumentError(f"custom_objects: '{id}' is the name of two definitions that differ. Pass the one "
                                'that the file means.')
    for id, target in named.items():
        if _is_own(id):
            raise ArgumentError(f"custom_objects: '{id}' is the id of one of keraflow's own. Rename yours.")
    return {id: Entry(id, _kind_of_target(target), target, False) for id, target in named.items()}


def find(id: str, kind: str = '', customs: Optional[dict] = None) -> Optional[Entry]:
    """Return the entry with this id (or alias) that may be used as a `kind` (``''``: any); None if there is none."""
    if customs and id in customs:
        return customs[id] if customs[id].kind in ('', kind) or not kind else None
    entry = _entries.get((kind, _aliases.get((kind, id), id))) if kind else None
    if entry is not None:
        return entry
    own = _aliases.get(('', id), id)
    return _entries.get(('', own)) if kind else next((entry for entry in entries() if entry.id in (id, own)), None)


def ids(kind: str) -> list:
    """Return all ids and aliases of a kind."""
    return sorted({id for (k, id) in [*_entries, *_aliases] if k == kind})


def id_of(target: Any) -> str:
    """Return the id under which a class or function is written to files; its ``__name__`` if it is not registered.

    Raises
    ------
    SerializationError
        For a lambda, and for a name that belongs to one of keraflow's own.
    """
    if target in _by_target:
        id, kind = _by_target[target].id, _by_target[target].kind
        if not same(_entries[kind, id].target, target):
            raise SerializationError(f"'{id}' is now the id of another {_what(target)}, which was registered later. "
                                     'Rebuild what you save with that one, or register the older one, which it '
                                     "still has, under its own id: keraflow.register(id='...').")
        return id
    name = target.__name__
    if name == '<lambda>':
        raise SerializationError(
            'a lambda cannot be saved. Write it as a function with def and put @keraflow.register above it.')
    if find(name) is not None or _is_own(name):
        own = f" For keraflow's own, pass '{name}'." if inspect.isroutine(target) and _is_own(name) else ''
        raise SerializationError(
            f"'{name}' is the id of another class or function. Put @keraflow.register(id=...) above yours.{own}")
    return name


def entry_of(target: Any) -> Optional[Entry]:
    """Return the row of a class or function; None if it is not registered."""
    return _by_target.get(target)


def is_builtin(target: Any) -> bool:
    """Return whether a class or function is one of keraflow's own."""
    return target in _by_target and _by_target[target].builtin


def kind_of(value: Any) -> str:
    """Return the kind of an object or function; '' if it is unknown."""
    is_target = inspect.isclass(value) or type(value) not in _by_target and inspect.isroutine(value)
    target = value if is_target else type(value)
    entry = _by_target.get(target)
    return entry.kind if entry else _kind_of_target(target)


def resolve(kind: str, value: Any, where: str = '', names: Optional[Sequence[str]] = None) -> Any:
    """Return the object that a name, a class, or an object means as a `kind`.

    Parameters
    ----------
    kind : str
        For example ``'activation'``.
    value : str, class, function or object
        A string is looked up; a class is called without arguments; anything else is used as it is.
    where : str
        Start of the message.
    names : list of str, optional
        The names that the message may suggest; by default all of the kind.

    Raises
    ------
    ArgumentError
        If nothing has that name.
    ArgumentTypeError
        If the object is of another kind.

    Examples
    --------
    >>> import keraflow.regularizers
    >>> resolve('regularizer', 'l1').l1
    0.01
    """
    if isinstance(value, str):
        entry = find(value, kind)
        if entry is None:
            raise ArgumentError(f"{where}there is no {kind} '{value}'. {nearest(value, names or ids(kind))}")
        value = entry.target
    elif kind_of(value) not in (kind, ALSO.get(kind)) and (
            kind_of(value) or kind in OBJECTS or not _makes_or_is_callable(value)):
        raise ArgumentTypeError(f'{where}expected {article(kind)} (a name, a function or an object), '
                                f'received {describe(value)}.')
    return making.get()(value) if inspect.isclass(value) else value


def article(kind: str) -> str:
    """Return the kind with its article."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _makes_or_is_callable(value: Any) -> bool:
    return any('__call__' in vars(one) for one in value.__mro__) if inspect.isclass(value) else callable(value)


def _add(entry: Entry) -> None:
    _entries[entry.kind, entry.id] = entry
    _by_target[entry.target] = entry


def _kind_of_target(target: Any) -> str:
    return getattr(target, 'kind', '') if inspect.isclass(target) else ''


def _is_own(id: str) -> bool:
    """Return whether a name is an id or a short name of keraflow's own."""
    return any(entry.builtin for entry in entries() if entry.id == id) or id in {it for _, it in list(_aliases)}


def _redefines(old: Any, new: Any) -> bool:
    """Return whether `new` redefines `old` in the same place of the program, as when a notebook cell is run again."""
    return same(old, new) or (old.__module__, old.__qualname__) == (new.__module__, new.__qualname__)


def _other_values(old: Any, new: Any) -> bool:
    """Return whether both come from one definition, such as one in a function or a loop, with different values."""
    return not same(old, new) and same_origin(old, new)


def _what(target: Any) -> str:
    return 'class' if inspect.isclass(target) else 'function'


def advice_for(target: Any) -> str:
    """Advise how to get two ids for two functions or classes of one definition."""
    name = target.__name__
    if inspect.isclass(target):
        return f"Give {name} an argument for what differs, or each class its own id: register(id='...')."
    return (f"Write {name} with an argument for what differs and pass functools.partial({name}, argument=...), or give "
            "each its own id: register(id='...').")


def entries() -> Iterator[Entry]:
    """Iterate over a snapshot of all rows: another thread may register more."""
    return iter(list(_entries.values()))
