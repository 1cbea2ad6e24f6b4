"""Serializable: an object is rebuilt from the arguments of its ``__init__``."""
import inspect
from typing import TYPE_CHECKING, Any, Collection, Dict, List, Tuple

from keraflow import registry, schema
from keraflow.deprecation import rename_members, renamed_arguments
from keraflow.errors import SerializationError
from keraflow.owned import owned
from keraflow.sameness import same
from keraflow.serialization.changes import Changes
from keraflow.serialization.constructors import is_wrapped, wrap_constructor
from keraflow.serialization.reserved import check_attribute, check_class_names, check_complete, check_constructor
from keraflow.serialization.signatures import ShownSignature

__all__ = ['Serializable', 'call_text', 'pack_init_params', 'snapshot']

_MISSING = object()


class Serializable:
    """Base of everything that is rebuilt from the arguments of its ``__init__``.

    The rule for a class: ``__init__`` stores each argument under its own name, as passed. If it does not, the original
    argument is remembered, so that the rebuilt object still behaves like the original.

    ``__init__`` receives copies of arrays, lists, dicts and sets, so that later changes by the program affect neither
    the object nor what is saved. Only arguments that are never saved are shared.
    """

    #: The kind of slot that objects of the class fit into, for example ``'layer'``.
    kind = ''
    #: Arguments that are omitted from the data while they have their default values.
    omit_if_default: frozenset = frozenset()
    #: Arguments that are never part of the data, and are shared with the program instead of copied.
    never_saved: frozenset = frozenset()
    #: Attributes that an object learned from data, which files keep besides its arguments, with their annotations.
    learned_attributes: Dict[str, Any] = {}
    #: Arguments that may be set without rebuilding functions: a change takes effect in another way, or later.
    set_without_rebuild: frozenset = frozenset()
    #: What programs try to set as attributes although it is set elsewhere, with what to write instead.
    set_elsewhere: Dict[str, str] = {}
    #: Methods that a class of the program must define, each with the alternatives to it.
    required_methods: Dict[str, Tuple[str, ...]] = {}
    #: Methods to which a class may add arguments.
    extensible_methods: frozenset = frozenset()
    #: Methods and attributes by the old names that classes and programs may still use, with the current ones; those of
    #: base classes hold as well.
    renamed_members = {'quiet_arguments': 'omit_if_default', 'unsaved_arguments': 'never_saved',
                       'unfollowed_arguments': 'set_without_rebuild', 'open_methods': 'extensible_methods'}
    _current_names: Dict[str, str] = {}     # of these, and of the attributes that keep renamed arguments
    _passed: Dict[str, Any]         # the arguments
    _kept: frozenset                # those read from the attributes instead
    _given_by_class: Dict[str, Any] = {}    # those that only __init__ gives base classes, with their first values
    _set_at = 0                     # the last change, as `Changes` counts
    _sketched_class: Any = None     # the class of what this is a sketch of, if it is another

    def __init_subclass__(cls, **kwargs: Any):
        renamed = {old: now for one in reversed(cls.__mro__)
                   for old, now in vars(one).get('renamed_members', {}).items()}
        rename_members(cls, renamed)      # first: the checks go by current names
        check_class_names(cls)
        check_constructor(cls)
        cls._current_names = {**renamed, **{old: one.name for old, one in renamed_arguments(cls).items()}}
        super().__init_subclass__(**kwargs)

    __signature__ = ShownSignature()

    if not TYPE_CHECKING:       # type checkers would accept any argument and attribute
        def __new__(cls, /, *args: Any, **kwargs: Any) -> Any:
            check_complete(cls)
            if not is_wrapped(cls.__init__):
                wrap_constructor(cls, Serializable)
            make = super().__new__
            return make(cls) if make is object.__new__ else make(cls, *args, **kwargs)      # object's takes none

        def __getattr__(self, name: str) -> Any:
            return object.__getattribute__(self, type(self)._current_names.get(name, name))

    def __dir__(self) -> List[str]:
        return [name for name in super().__dir__() if name not in self._current_names]

    def _remember(self, given: Dict[str, Any], passed: Dict[str, Any], gives: Collection[str]) -> None:
        """Remember the arguments, as the program gave them and as ``__init__`` received them: copied; and those that
        an ``__init__`` of the program `gives` base classes itself."""
        arguments, shared, state = schema.arguments_of(type(self)), self.never_saved, vars(self)
        kept = frozenset([name for name, one in arguments.items() if name not in shared and name in state
                          and self._keeps(name, given.get(name, one.default), one)])
        passed = {name: passed[name] if name in kept else owned(value)
                  for name, value in given.items() if name not in shared}
        made = {name: owned(state[name]) for name in schema.passed_on(type(self))
                if name in gives and name not in given and name in state and name not in shared}
        state.update(_kept=kept, _passed=passed, _given_by_class=made)

    def __setattr__(self, name: str, value: Any) -> None:
        name = self._current_names.get(name, name)
        check_attribute(self, name)
        if name[0] != '_' and '_kept' in vars(self):
            if name in self._kept:
                value = self._taken(name, value)
            elif self._computes_with(name):
                self._note_change(name, value)
        super().__setattr__(name, value)

    def _taken(self, name: str, value: Any) -> Any:
        """Return a new value for an argument as the constructor takes it, and note the change."""
        one, before = schema.arguments_of(type(self))[name], vars(self).get(name, _MISSING)
        value = one.taken(owned(value), type(self).__name__)
        # A class whose attribute is no string keeps what a name stands for, not the name.
        if isinstance(value, str) and one.kind and not isinstance(before, str):
            value = registry.resolve(one.kind, value)
        if name not in self.set_without_rebuild:
            self._note_change(name, value)
        return value

    def _computes_with(self, name: str) -> bool:
        """Return whether the object may compute with an attribute that is not an argument."""
        return name not in self.never_saved

    def _note_change(self, name: str, value: Any) -> None:
        if not same(vars(self).get(name, _MISSING), value):
            vars(self)['_set_at'] = Changes.count()      # past __setattr__, which calls this

    def __repr__(self) -> str:
        return call_text(self) if hasattr(self, '_passed') else f'<{type(self).__name__} (being made)>'

    def _keeps(self, name: str, value: Any, parameter: schema.Argument) -> bool:
        """Return whether the attribute `name` is what was passed, so that it is read from now on."""
        attribute = vars(self)[name]
        if attribute is value:
            return True
        if not isinstance(value, str) or isinstance(attribute, str):
            return same(attribute, value)
        # __init__ may have looked a name up: the attribute is then what was passed, too.
        meant = registry.find(value, parameter.kind) if parameter.kind else None
        return meant is not None and (attribute is meant.target or
                                      same(attribute, registry.resolve(parameter.kind, value)))

    def pack_init_param(self) -> Dict[str, Any]:
        """Return the arguments to rebuild the object from. Override it where ``__init__`` changes an argument.

        An override that calls ``super().pack_init_param()`` gets the attributes with the arguments' names, undoes the
        change, and returns the dict. Without an override, an argument that ``__init__`` changed is remembered as it was
        passed.
        """
        return {name: value if name in self._kept or name not in vars(self) else owned(vars(self)[name])
                for name, value in self._remembered_arguments().items()}

    @classmethod
    def unpack_init_param(cls, params: Dict[str, Any]) -> Dict[str, Any]:
        """Return the arguments of ``__init__`` from those of :meth:`pack_init_param`: the same unless overridden."""
        return params

    def _why_not_rebuilt(self) -> str:
        """Say why the arguments of ``__init__`` do not rebuild the object as it is; '' if they do."""
        changed = next((name for name, value in self._given_by_class.items()
                        if not same(vars(self).get(name, _MISSING), value)), None)
        return '' if changed is None else (
            f'{changed} was changed since __init__ gave it to a base class. Let __init__ take {changed}, too, and pass '
            'it on.')

    def _meaning(self) -> list:
        """Return what is equal in two objects of a class that mean the same."""
        return [pack_init_params(self), {name: getattr(self, name) for name in self.learned_attributes}]

    def _remembered_arguments(self) -> Dict[str, Any]:
        arguments, made = {}, schema.passed_on(type(self))
        for name, one in schema.arguments_of(type(self)).items():
            value = vars(self)[name] if name in self._kept else self._passed.get(name, one.default)
            is_omitted = name in self.never_saved or name in self._given_by_class or \
                name in self.omit_if_default and same(value, one.default) or \
                name in made and name not in self._kept and name not in self._passed
            if not is_omitted and value is not inspect.Parameter.empty:
                arguments[name] = owned(value)
        return arguments


rename_members(Serializable, Serializable.renamed_members)


def pack_init_params(obj: Any) -> Dict[str, Any]:
    """Return the arguments of ``__init__`` from which `obj` can be rebuilt, by name, as Python values.

    Parameters
    ----------
    obj : object
        A layer, model, regularizer, optimizer, ..., or an object of any class that stores each argument of its
        ``__init__`` under its own name.

    Raises
    ------
    SerializationError
        If an argument was neither stored nor remembered.

    Examples
    --------
    >>> from keraflow.regularizers import L1
    >>> pack_init_params(L1(0.5))
    {'l1': 0.5}
    """
    # The base class's own method gives overrides the attributes; without an override, what was passed counts.
    if isinstance(obj, Serializable) and type(obj).pack_init_param is Serializable.pack_init_param:
        return obj._remembered_arguments()
    if hasattr(obj, 'pack_init_param'):
        return obj.pack_init_param()
    params = {}
    for name in schema.arguments_of(type(obj)):
        if not hasattr(obj, name):
            raise SerializationError(f"{type(obj).__name__}: the argument '{name}' of __init__ cannot be saved, "
                                     "because it was not kept. "
                                     f'Write self.{name} = {name} in __init__.')
        params[name] = getattr(obj, name)
    return params


def call_text(obj: Any) -> str:
    """Return the call that makes `obj`, for messages.

    Examples
    --------
    >>> from keraflow.regularizers import L1
    >>> call_text(L1(0.5))
    'L1(l1=0.5)'
    """
    params = pack_init_params(obj)
    arguments = ', '.join(f'{name}={getattr(value, "__name__", value)!r}' for name, value in params.items())
    return f'{type(obj).__name__}({arguments})'


def snapshot(value: Any) -> Any:
    """Return a value as it is now, to compare with :func:`~keraflow.sameness.same` later.

    Of an object it is the class and the arguments, which do not follow later changes.
    """
    if isinstance(value, Serializable):
        return [type(value), snapshot(pack_init_params(value))]
    if isinstance(value, (list, tuple)):
        return [snapshot(one) for one in value]
    if isinstance(value, dict):
        return {key: snapshot(one) for key, one in value.items()}
    return owned(value)
