"""Read, plan, build: plain data are checked as a whole before any object that they describe is built."""
import contextvars
from typing import Any, Dict, Optional

from keraflow import registry
from keraflow.contexts import bound
from keraflow.errors import SerializationError
from keraflow.files.limits import Limits
from keraflow.schema.argument_scopes import no_argscope
from keraflow.serialization.budget import Budget, current_budget, within
from keraflow.serialization.locations import Location
from keraflow.serialization.migration import is_first_format, migrate
from keraflow.serialization.reading import Reader, Table
from keraflow.serialization.sketching import Sketcher, current_sketcher

__all__ = ['ObjectPlan', 'is_rebuilding']

_rebuilding: contextvars.ContextVar[bool] = contextvars.ContextVar('_rebuilding', default=False)
#: Deeper data than this cannot be those of objects, whose depth is limited more strictly.
_MAX_DEPTH = 200
_NESTING = (list, dict)


class ObjectPlan:
    """What some plain data are going to become: checked, with what every id means, and with a sketch of the result.

    Parameters
    ----------
    data
        Copied, so that what was checked is what is built.
    custom_objects : list or dict, optional
        Classes and functions of the program that the data may name.
    limits : Limits
    nb_byte : int, optional
        The size of the weights file, which bounds the parameters.

    Attributes
    ----------
    sketch
        Looks like the result, but for what is not known before building.
    nb_parameter : int or None
        How many numbers the parameters will have; None if only a backend knows.

    Raises
    ------
    SerializationError
        If the data describe nothing that can be built; ``steps`` lead to what is wrong.
    """

    def __init__(self, data: Any, custom_objects: Any = None, limits: Limits = Limits(),
                 nb_byte: Optional[int] = None):
        self._customs = registry.custom(custom_objects)
        data = _copied(data, _MAX_DEPTH)
        self._data = migrate(data, self._customs) if is_first_format(data) else data
        self._table: Table = {}
        self._budget = Budget(limits, nb_byte)
        self._budget.spend_objects(_nb_object(self._data), 'data')
        with no_argscope(), bound(_rebuilding, True):
            self.sketch = Sketcher(self._customs, self._table, self._budget).sketch(self._data)
        self.nb_parameter = self._budget.nb_parameter if self._budget.is_complete else None

    def build(self) -> Any:
        """Build what the data describe: constructors are called with the arguments that were checked.

        Raises
        ------
        SerializationError
            For what only a constructor of the program or a backend can refuse.
        """
        with no_argscope(), bound(_rebuilding, True), within(current_budget() or self._budget.again()):
            return Reader(self._customs, self._table).read(self._data, Location())


def sketched(data: Any, customs: Dict[str, registry.Entry]) -> Any:
    """Return a sketch of what plain data represent, for a constructor that is itself run for a sketch."""
    outer = current_sketcher()
    assert outer is not None
    try:
        return outer.inner(customs).sketch(data)
    except SerializationError as error:
        error.steps = ()        # in data that no file has
        raise


def is_rebuilding() -> bool:
    """Return whether objects are being rebuilt now: warnings about them were issued when they were made first."""
    return _rebuilding.get()


def _copied(data: Any, depth: int) -> Any:
    """Copy plain data, of which nothing is assumed but that a reading of them must end."""
    if not isinstance(data, _NESTING):
        return data
    if not depth:
        raise SerializationError(f'the data are nested deeper than {_MAX_DEPTH}, or contain themselves.')
    if isinstance(data, list):
        return [_copied(item, depth - 1) if isinstance(item, _NESTING) else item for item in data]
    return {key: _copied(item, depth - 1) if isinstance(item, _NESTING) else item for key, item in data.items()}


def _nb_object(data: Any) -> int:
    """Count the objects that plain data describe, which takes a hundredth of the time of sketching them."""
    is_dict = isinstance(data, dict)
    inner = data.values() if is_dict else data if isinstance(data, list) else ()
    return (is_dict and 'class' in data) + sum([_nb_object(one) for one in inner if isinstance(one, _NESTING)])
