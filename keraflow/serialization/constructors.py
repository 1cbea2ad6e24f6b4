"""Make constructors check, copy and remember their arguments."""
import functools
import inspect
import itertools
import threading
from typing import Any, Callable, Dict, Optional

from keraflow import sameness, schema
from keraflow.errors import KeraFlowError
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
        if not issubclass(owner, base):
            cls.__init__ = _remembering(_inherited(cls, base), written=None)
        # Those of base classes too, which notice what they are given by the others.
        for one in cls.__mro__:
            init = vars(one).get('__init__') if issubclass(one, base) else None
            if inspect.isfunction(init) and not is_wrapped(init):
                one.__init__ = _remembering(init, written=init)


def _remembering(init: Callable, written: Optional[Callable]) -> Callable:
    """Return an ``__init__`` that binds, checks and copies the arguments for `init`, and remembers them after it.

    When called by that of a subclass, it only runs `init`: the arguments of the subclass are checked and copied
    already.
    """
    @functools.wraps(init)
    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:
        state = vars(self)
        if '_is_being_made' in state:
            gives = state['_is_being_made']
            gives.update(init.__code__.co_varnames[1:len(args) + 1] if hasattr(init, '__code__') else (), kwargs)
            # What keraflow's own classes pass on to their bases is not what the program gives them.
            state['_is_being_made'] = set() if init.__module__.startswith('keraflow.') else gives
            init(self, *args, **kwargs)
            state['_is_being_made'] = gives
            return
        cls = type(self)
        given = schema.bind(cls, args, kwargs, defaults_for(cls))
        passed = {name: value if name in cls.never_saved else owned(value) for name, value in given.items()}
        gives = state['_is_being_made'] = set()
        try:
            with no_argscope():
                init(self, **passed)
        except TypeError as error:
            raise _blamed(error, cls, given) from error
        finally:
            del state['_is_being_made']
        self._remember(given, passed, gives)
    setattr(__init__, 'written', written)
    return __init__


def _blamed(error: TypeError, cls: type, given: Dict[str, Any]) -> TypeError:
    """Return the error for an argument that neither the program nor the ``__init__`` of its class gives a base class;
    other errors as they are."""
    lacking = [one for name, one in schema.arguments_of(cls).items()
               if one.default is inspect.Parameter.empty and name not in given]
    if isinstance(error, KeraFlowError) or ' missing ' not in str(error):
        return error
    return next((one.missing(cls.__name__) for one in lacking if f"'{one.name}'" in str(error)), error)


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
