"""Copy a layer: equal arguments, attributes and values, with new variables."""
import copy
from typing import Any, Dict

import numpy as np

from keraflow import backend as B
from keraflow import schema
from keraflow.errors import SerializationError
from keraflow.graph import naming
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.kept_values import kept_values
from keraflow.layers.base.running import build_for
from keraflow.serialization import pack_init_params, same

__all__ = ['copied']

_DATA_TYPES = (type(None), bool, int, float, str, np.ndarray, np.generic, InputSpec)


def copied(layer: Any, memo: Dict[int, Any]) -> Any:
    """Return a copy of a layer; the outermost one gets a new name, so that both can be in one model.

    Raises
    ------
    SerializationError
        If the arguments do not rebuild the layer.
    """
    outermost = not memo    # copy.deepcopy hands its memo to what is inside
    why = layer._why_not_rebuilt()
    if why:
        raise SerializationError(f'{layer.name}: a copy cannot be made: {why}')
    params = copy.deepcopy(pack_init_params(layer), memo)
    if outermost and 'name' in params:
        params['name'] = naming.unique(params['name'])
    made = memo[id(layer)] = type(layer)(**layer.unpack_init_param(params))
    first = layer._first_run
    if not first.specs:
        made.initial_weights = layer.initial_weights    # never_saved, and so not among params
    _copy_attributes(layer, made, memo)
    if first.specs and not made.built:
        build_for(made, first.specs, first.arguments)
        made.set_weights(layer.get_weights())
    return made


def _copy_attributes(layer: Any, made: Any, memo: Dict[int, Any]) -> None:
    """Give `made` the attributes of `layer` that the program has set: those it lacks, and plain values that differ.

    What a layer makes itself, such as its parameters, is left out.
    """
    own, others = vars(layer), vars(made)
    for name in own.keys() - set(layer._parameters) - layer.never_copied:
        value = own[name]
        is_changed = name not in schema.arguments_of(type(layer)) and name[0] != '_' and _is_data(value) and \
            not same(value, others.get(name))
        if name not in others or is_changed:
            setattr(made, name, _copied(value, memo))


def _copied(value: Any, memo: Dict[int, Any]) -> Any:
    if B.is_tensor(value):
        return value
    try:
        return copy.deepcopy(value, memo)
    except TypeError:       # something that cannot be copied, such as an open file
        return value


def _is_data(value: Any) -> bool:
    return all(isinstance(one, _DATA_TYPES) for one in kept_values(value))
