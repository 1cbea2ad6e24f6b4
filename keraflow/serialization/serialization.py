"""Objects as plain data and back: an object is rebuilt from the arguments of its ``__init__``.

``serialize`` turns an object into dicts, lists, strings and numbers; ``unserialize`` looks the ids in them up in
:mod:`keraflow.registry`, and calls constructors with checked arguments. A file can do nothing else.
"""
import contextvars
from typing import Any

from keraflow import registry
from keraflow.contexts import bound
from keraflow.schema.argument_scopes import no_argscope
from keraflow.serialization.locations import Location
from keraflow.serialization.migration import is_first_format, migrate
from keraflow.serialization.reading import Reader
from keraflow.serialization.writing import Writer

__all__ = ['is_rebuilding', 'serialize', 'unserialize']

_rebuilding: contextvars.ContextVar[bool] = contextvars.ContextVar('_rebuilding', default=False)


def serialize(obj: Any) -> Any:
    """Return `obj` as plain data: dicts, lists, strings, numbers, booleans and None.

    Parameters
    ----------
    obj : object
        An object whose class follows the rule of :class:`Serializable`, a registered function, or containers of these.

    Returns
    -------
    data
        ``{'class': id, 'args': {...}}`` for an object, ``{'function': id}`` for a function. A repeated layer is
        ``{'shared': place}``. A value that JSON lacks is ``{'as': 'tuple', 'value': [...]}``, and is restored exactly:
        tuples, arrays of up to 10,000 numbers, NumPy's numbers and dtypes, sets, dicts with any keys. Arrays passed as
        ``initial_weights`` are not included: weights are saved as weights.

    Raises
    ------
    SerializationError
        For lambdas, for two definitions with one name, and for values that could not be restored.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> serialize(Dense(3, bias=False))
    {'class': 'Dense', 'args': {'output_dim': 3, 'init': 'glorot_uniform', 'activation': 'linear', 'bias': False}}
    """
    return Writer().write(obj, Location())


def unserialize(data: Any, custom_objects: Any = None) -> Any:
    """Rebuild the object that :func:`serialize` turned into `data`, by its constructor.

    Parameters
    ----------
    data
        What ``serialize`` returned, or an object in the first Keraflow's format.
    custom_objects : list or dict, optional
        Classes and functions of the program that the data may name, besides the registered ones.

    Raises
    ------
    SerializationError
        If the data name something unregistered or have invalid arguments; the message says where.

    Examples
    --------
    >>> from keraflow.layers import Dense
    >>> unserialize(serialize(Dense(3))).output_dim
    3
    """
    customs = registry.custom(custom_objects)
    if is_first_format(data):
        data = migrate(data, customs)
    with no_argscope(), bound(_rebuilding, True):
        return Reader(customs).read(data, Location())


def is_rebuilding() -> bool:
    """Return whether objects are being rebuilt now: warnings about them were issued when they were made first."""
    return _rebuilding.get()
