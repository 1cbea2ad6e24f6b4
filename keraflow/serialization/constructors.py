"""Make constructors check, copy and remember their arguments."""
import functools
import itertools
import threading
from typing import Any, Callable, Optional

from keraflow import sameness, schema
from keraflow.owned import owned
from keraflow.schema.argument_scopes import defaults_for, no_argscope

__all__ = ['is_wrapped', 'wrap_constructor']

_LOCK = threading.Lock()


def is_wrapped(init: Any) -> bool:
    """Return whether a constructor checks and remembers arguments already."""
    return getattr(init, '__code__', None) is _CODE


def wrap_constructor(cls: Any, base: type) -> None:
    """Let the ``__init__`` of a class, which `base` is the base of, check and remember its arguments.

    Call it before the first object is made, and not when the class is: decorators such as ``dataclass`` write an
    ``__init__`` only later.
    """
    with _LOCK:
        owner = next(one for one in cls.__mro__ if '__init__' in vars(one))
        if is_wrapped(owner.__init__):      # by another thread
            return
        if issubclass(owner, base):
            owner.__init__ = _remembering(owner.__init__, written=owner.__init__)
        else:
            cls.__init__ = _remembering(_inherited(cls, base), written=None)


def _remembering(init: Callable, written: Optional[Callable]) -> Callable:
    """Return an ``__init__`` that binds, checks and copies the arguments for `init`, and remembers them after it.

    When called by that of a subclass, it only runs `init`: the arguments of the subclass are checked and copied
    already.
    """
    @functools.wraps(init)
    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:
        state = vars(self)
        if '_is_being_made' in state:
            init(self, *args, **kwargs)
            return
        cls = type(self)
        given = schema.bind(cls, args, kwargs, defaults_for(cls))
        passed = {name: value if name in cls.never_saved else owned(value) for name, value in given.items()}
        state['_is_being_made'] = True
        try:
            with no_argscope():
                init(self, **passed)
        finally:
            del state['_is_being_made']
        self._remember(given, passed)
    setattr(__init__, 'written', written)
    return __init__


def _inherited(cls: Any, base: Any) -> Callable:
    """Return an ``__init__`` for a class that inherits it from a class outside keraflow."""
    # Not that of a Protocol, which would not call any other.
    *_, last = itertools.takewhile(lambda one: one is cls or vars(one).get('_is_protocol'), cls.__mro__)

    def __init__(self: Any, **arguments: Any) -> None:
        init = super(last, type(self)).__init__
        if init is object.__init__ and type(self).__new__ is not base.__new__:
            arguments = {}      # which that took
        init(self, **arguments)
    return __init__


_CODE = _remembering(object.__init__, None).__code__
sameness.WRAPPERS.add(_CODE)
