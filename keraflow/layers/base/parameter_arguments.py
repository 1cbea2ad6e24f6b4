"""The arguments of a layer for its parameters and those of embedded layers: regularizers, constraints, initial values.

They are read once, when the parameters are made.
"""
import array
from typing import Any, Dict, Sequence

import numpy as np

# Imported because they register the names of regularizers and constraints.
import keraflow.constraints  # noqa: F401
import keraflow.regularizers  # noqa: F401
from keraflow import backend as B
from keraflow import schema
from keraflow.arguments import assign, is_array_like, split_arrays
from keraflow.errors import ArgumentError, ArgumentTypeError, describe
from keraflow.graph.call_arguments import replaced
from keraflow.layers.base.code_names import names_reached
from keraflow.layers.base.weights import assign_weights, owners
from keraflow.owned import owned
from keraflow.sameness import same

__all__ = ['KINDS', 'apply_arguments', 'by_parameter', 'check_not_read', 'check_planned', 'complete_arguments',
           'give_initial_weights', 'initial_values']

#: What a parameter may be given besides its value, by argument of the layer.
KINDS = {'regularizers': 'regularizer', 'constraints': 'constraint'}


def by_parameter(name: str) -> Any:
    """Return a property for an argument about parameters, which a layer reads once, when they are made."""
    def get(self: Any) -> Any:
        return owned(vars(self)[name])

    def set(self: Any, value: Any) -> None:
        if self._parameters.are_made:
            raise ArgumentError(f'{self.name}: {name} are read in its first call, and can no longer be '
                                f'set. Make a layer with {name}=, and give it the weights of this one with '
                                'set_weights.')
        vars(self)[name] = owned(value)     # where saving looks it up
    return property(get, set, doc=f'The {name} that were given: a copy, by name or in the order of the parameters.')


def initial_values(name: str) -> Any:
    """Return a property for an argument with values of parameters, which a layer reads once and then releases."""
    def get(self: Any) -> Any:
        return replaced(vars(self)[name], lambda values: values, _is_array)     # an immutable view

    def set(self: Any, value: Any) -> None:
        if not isinstance(value, (dict, list, tuple, type(None))) and not _is_array(value) and not is_array_like(value):
            raise ArgumentTypeError(f'{type(self).__name__}: {name}: expected a dict by name, a list or an array, '
                                    f'received {describe(value)}.')
        if self._parameters.are_made:
            raise ArgumentError(f'{self.name}: {name} are read in its first call, and can no longer be '
                                'set. Write set_weights(...).')
        vars(self)[name] = replaced(value, _array_of, _is_array)
    return property(get, set, doc=f'The {name} that were given: copies, until the first call of the layer.')


def apply_arguments(layer: Any, names: Sequence[str]) -> None:
    """Give parameters what the layer's arguments have for them; these may also name parameters that are made later."""
    own = layer._parameters
    for argument, kind in KINDS.items():
        where, given = f'{layer.name}: {argument}', getattr(layer, argument)
        for name, one in () if given is None else assign(_about(layer, names, given), names, where).items():
            own.give(kind, name, one, where)
    if layer.initial_weights is not None:
        values = _about(layer, names, layer.initial_weights)
        assign_weights(layer, {name: own[name].variable for name in names}, values, 'initial_weights')


def check_planned(layer: Any, names: Sequence[str]) -> None:
    """Raise if a layer's arguments are for other parameters than those that it is going to make itself."""
    for argument in KINDS:
        given = getattr(layer, argument)
        if isinstance(given, dict):     # without those for embedded layers
            given = {name: one for name, one in given.items() if '/' not in name}
        if given is not None:
            assign(given, names, f'{layer.name}: {argument}')


def complete_arguments(layer: Any) -> None:
    """Give parameters of embedded layers what dicts have for them; raise for names that the first run did not make."""
    given = {argument: getattr(layer, argument) for argument in (*KINDS, 'initial_weights')}
    if all(one is None for one in given.values()):      # the usual case
        return
    found = owners(layer)
    for argument, one in given.items():
        where, value = f'{layer.name}: {argument}', one if argument in KINDS else split_arrays(one)
        by_name = isinstance(value, dict)
        value = layer.present_names(value) if by_name else value
        for name, part in assign(value, list(found if by_name else layer._parameters), where).items():
            if argument in KINDS:
                owner, own_name = found[name]
                owner._parameters.give(KINDS[argument], own_name, part, where)


def give_initial_weights(host: Any, layer: Any, number: int) -> None:
    """Give a layer in a slot, before it runs, what ``initial_weights`` of its host has for its parameters."""
    prefixes = {str(number), *(name for name, one in host.layer_ids().items() if one is layer)}
    given = host.initial_weights if isinstance(host.initial_weights, dict) else {}
    own = {name.split('/', 1)[1]: value for name, value in given.items()
           if isinstance(name, str) and '/' in name and name.split('/')[0] in prefixes}
    if own and layer.built:
        layer.set_weights(own)
    elif own:
        its_own = layer.initial_weights
        vars(layer)['initial_weights'] = {**its_own, **own} if isinstance(its_own, dict) else own   # no more copies


def check_not_read(layer: Any, name: str, value: Any) -> None:
    """Raise if an argument changes after the parameters were made from it; arguments of all layers, such as
    `trainable`, are not read then."""
    cls = type(layer)
    if layer.built and name in names_reached(cls, 'init_param', 'param_specs') and \
            'kind' not in vars(schema.arguments_of(cls)[name].owner) and not same(vars(layer)[name], value):
        raise ArgumentError(f'{layer.name}: {name} is read in its first call, and can no longer be set. '
                            f'Make a layer with {name}= in its place.')


def _about(layer: Any, names: Sequence[str], value: Any) -> Dict[str, Any]:
    """Return what an argument has for these parameters; a list is in the order in which parameters are made."""
    listed = split_arrays(value)
    by_name = listed if isinstance(listed, dict) else dict(zip(layer._parameters, listed))
    return {name: one for name, one in by_name.items() if name in names}


def _is_array(value: Any) -> bool:
    """Return whether a value has numbers that the program may change in place, whichever library it belongs to."""
    return hasattr(value, '__array__') or isinstance(value, (memoryview, bytearray, array.array)) or \
        not isinstance(value, (str, int, float, list, tuple, dict, type(None))) and B.is_tensor(value)


def _array_of(value: Any) -> np.ndarray:
    """Return a copy, as an array, of the present values of `value`."""
    if not isinstance(value, np.ndarray) and B.is_tensor(value):
        with B.outside_graph():
            value = B.eval(value)
    made = np.array(np.asarray(value))      # some libraries do not copy even if asked to
    made.setflags(write=False)
    return made
