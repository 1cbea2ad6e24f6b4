"""Plan objects: check the data that describe them, and sketch the objects, before any is built.

A sketch is an object of the same class, made by keraflow's own constructor, which only stores its arguments: it names
nothing, draws nothing and asks no backend. A class of the program is not called while its data are checked: for it
stands an object without attributes, of which nothing is known but its class.
"""
import contextvars
from typing import Any, Dict, Iterator, List, Optional, Set

from keraflow import registry, schema
from keraflow.contexts import bound
from keraflow.errors import KeraFlowError, SerializationError
from keraflow.serialization.budget import Budget
from keraflow.serialization.locations import Location
from keraflow.serialization.reading import Reader, Table
from keraflow.serialization.reserved import of_program

__all__ = ['Sketcher', 'current_sketcher', 'is_sketching', 'is_stand_in']

_sketcher: 'contextvars.ContextVar[Optional[Sketcher]]' = contextvars.ContextVar('_sketcher', default=None)

#: Of classes that are written in Python (``Py_TPFLAGS_HEAPTYPE``).
_IN_PYTHON = 1 << 9
#: What a layer of which only the class is known answers to questions about shapes.
_NOT_KNOWN = dict.fromkeys(('output_shape', 'param_specs', 'embedded_inputs'), lambda input_shape: None)


class Sketcher(Reader):
    """A reading of plain data that makes sketches.

    Parameters
    ----------
    customs, table : dict
        Those of :class:`~keraflow.serialization.reading.Reader`.
    budget : Budget
        What the sketched objects need is spent from it.

    Attributes
    ----------
    seen : set of int
        The ``id()`` of each layer whose parameters are counted.
    """

    def __init__(self, customs: Dict[str, registry.Entry], table: Table, budget: Budget):
        super().__init__(customs, table)
        self.budget = budget
        self.seen: Set[int] = set()
        self._sketches: List[Any] = []      # kept, so that no other object gets an id() among these:
        self._unknown: Set[int] = set()

    def sketch(self, data: Any) -> Any:
        """Return a sketch of what plain data represent."""
        with bound(_sketcher, self), bound(registry.making, _made_of):
            return self.read(data, Location())

    def inner(self, customs: Dict[str, registry.Entry]) -> 'Sketcher':
        """Return one for data that a constructor made while this one sketches, which spends from the same budget."""
        made = Sketcher(customs, {}, self.budget)
        made.seen, made._sketches, made._unknown = self.seen, self._sketches, self._unknown
        return made

    def make(self, cls: Any, given: Dict[str, Any], location: Location) -> Any:
        holds_unknown = bool(self._unknown) and any(id(one) in self._unknown for one in _parts(given))
        with _Blaming(cls, given, location):
            # The graph of a model is data, whatever its class is, unless __init__ of the program makes it.
            is_model = hasattr(cls, '_sketched') and not _changes_arguments(cls)
            made = cls._sketched(given, location) if is_model else None
            if made is None and registry.is_builtin(cls) and not holds_unknown:
                made = super().make(cls, given, location)
            elif made is None:
                holds_unknown = True
                _check_arguments(cls, given)
                made = _stand_in(cls, given)
        self._sketches.append(made)
        if holds_unknown:
            self._unknown.add(id(made))
        return made

    def learn(self, made: Any, learned: Dict[str, Any]) -> None:
        if not is_stand_in(made):
            super().learn(made, learned)


def current_sketcher() -> Optional[Sketcher]:
    """Return the sketcher whose data are read now; None if there is none."""
    return _sketcher.get()


def is_sketching() -> bool:
    """Return whether what is made now is a sketch, which no program will see."""
    return _sketcher.get() is not None


def is_stand_in(layer: Any) -> bool:
    """Return whether an object stands for one of a class of the program, of which nothing else is known."""
    return '_stands_for' in getattr(layer, '__dict__', ())


def _stand_in(cls: Any, given: Dict[str, Any]) -> Any:
    """Return an object of a class of the program that ``__init__`` has not seen."""
    base = next(one for one in cls.__mro__ if not one.__flags__ & _IN_PYTHON)       # object, mostly
    try:
        made = base.__new__(cls)
        vars(made).update(_stands_for=cls, _passed=given, **(_NOT_KNOWN if registry.kind_of(made) == 'layer' else {}))
    except TypeError:       # an abstract class, which cannot be built either; or one with __slots__
        return None
    return made


def _made_of(cls: type) -> Any:
    return cls() if registry.is_builtin(cls) else _stand_in(cls, {})


def _check_arguments(cls: Any, given: Dict[str, Any]) -> None:
    """Raise unless a constructor takes these arguments."""
    if not _changes_arguments(cls):
        beside: Set[str] = set(getattr(cls, 'beside_arguments', ())).difference(schema.arguments_of(cls))
        schema.bind(cls, (), {name: value for name, value in given.items() if name not in beside}, {})


def _changes_arguments(cls: Any) -> bool:
    """Return whether code of the program changes the arguments in a file before ``__init__`` takes them."""
    return any('unpack_init_param' in vars(one) for one in of_program(cls))


def _parts(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (list, tuple, dict)):
            waiting.extend(one.values() if isinstance(one, dict) else one)
        else:
            yield one


class _Blaming:
    """Let errors about the arguments of an object have the place of the argument that is to blame."""

    __slots__ = ('_cls', '_given', '_location')

    def __init__(self, cls: Any, given: Dict[str, Any], location: Location):
        self._cls, self._given, self._location = cls, given, location

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if not isinstance(error, KeraFlowError):
            return
        if isinstance(error, SerializationError) and error.steps and error.steps != self._location.steps:
            return
        blamed = schema.signature_of(self._cls).blamed(self._given) or self._named_in(str(error))
        location = self._location if blamed is None else self._location.key('args', blamed)
        if isinstance(error, SerializationError):
            error.steps = location.steps
            return
        raise location.refusal(error) from error

    def _named_in(self, text: str) -> Optional[str]:
        """Return the argument that the message of a constructor begins with: ``'Dense: init: expected ...'``."""
        words = text.removeprefix(f'{self._location.path}: ').split(': ', 2)
        return words[1] if len(words) == 3 and words[1] in self._given else None
