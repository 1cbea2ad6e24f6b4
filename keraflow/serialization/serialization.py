"""Objects as plain data and back: an object is rebuilt from the arguments of its ``__init__``.

``serialize`` turns an object into dicts, lists, strings and numbers; ``unserialize`` looks the ids in them up in
:mod:`keraflow.registry`, checks the whole, and then calls constructors with checked arguments. A file can do nothing
else.
"""
from typing import Any, Optional

from keraflow import registry
from keraflow.files.limits import Limits
from keraflow.serialization.locations import Location
from keraflow.serialization.planning import ObjectPlan, sketched
from keraflow.serialization.sketching import is_sketching
from keraflow.serialization.writing import Writer

__all__ = ['serialize', 'unserialize']


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


def unserialize(data: Any, custom_objects: Any = None, limits: Optional[Limits] = None) -> Any:
    """Rebuild the object that :func:`serialize` turned into `data`, by its constructor.

    Parameters
    ----------
    data
        What ``serialize`` returned, or an object in the first Keraflow's format.
    custom_objects : list or dict, optional
        Classes and functions of the program that the data may name, besides the registered ones.
    limits : Limits, optional
        How large the object may be.

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
    if is_sketching():
        return sketched(data, registry.custom(custom_objects))
    return ObjectPlan(data, custom_objects, limits or Limits()).build()
