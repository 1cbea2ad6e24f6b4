"""What a copy of a layer keeps beside its arguments: attributes that the program has set since the layer was made."""
import copy
from typing import Any, Dict

import numpy as np

from keraflow import backend as B
from keraflow import schema
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.slots import kept_values
from keraflow.serialization import same

__all__ = ['copy_attributes']

_PLAIN = (type(None), bool, int, float, str, np.ndarray, np.generic, InputSpec)


def copy_attributes(layer: Any, made: Any, memo: Dict[int, Any]) -> None:
    """Give `made`, which has the arguments of `layer`, the attributes that it lacks, and plain values that differ.

    Nothing that the layer makes itself, such as its parameters.
    """
    own, others = vars(layer), vars(made)
    for name in own.keys() - set(layer._parameters) - layer.never_copied:
        value = own[name]
        is_changed = name not in schema.arguments_of(type(layer)) and name[0] != '_' and _is_plain(value) and \
            not same(value, others.get(name))
        if name not in others or is_changed:
            setattr(made, name, _copied(value, memo))


def _copied(value: Any, memo: Dict[int, Any]) -> Any:
    if B.is_tensor(value):
        return value
    try:
        return copy.deepcopy(value, memo)
    except TypeError:       # of what cannot be copied, such as an open file
        return value


def _is_plain(value: Any) -> bool:
    return all(isinstance(one, _PLAIN) for one in kept_values(value))
