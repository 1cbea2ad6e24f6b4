"""Warn, once after the first run, of what a layer keeps as if it were part of it, but is not."""
import types
from typing import Any, Iterator, Tuple

from keraflow import backend as B
from keraflow.errors import warn
from keraflow.layers.base.code_names import names_used
from keraflow.layers.base.kept_values import is_layer, kept_values

__all__ = ['mark_owned', 'tell_unused']

_OWNED = '_keraflow_owned'
#: Attributes to skip: those that every layer has, and plain values.
_MACHINERY = frozenset({'_parameters', '_calls', '_name', '_slots', '_changes', '_reports',
                        '_first_run', '_passed', '_kept'})
_OTHER_TYPES = frozenset({type(None), bool, int, float, str, types.FunctionType})


def mark_owned(variable: Any) -> Any:
    """Mark a variable as a parameter of a layer, and return it."""
    setattr(variable, _OWNED, True)
    return variable


def tell_unused(layer: Any) -> None:
    """Warn of layers that `layer` made for itself and did not call, and of variables that are not parameters.

    Arguments are exempt, and so are layers that were called elsewhere: keeping a template, a neighbour or a teacher is
    not a mistake. A class that asks for the phase may call the layer in the other one.
    """
    found = [(place, one) for name, value in vars(layer).items()
             if type(value) not in _OTHER_TYPES and name not in _MACHINERY
             for place, one in _places(name, value) if _seems_a_part(one)]
    if not found:
        return
    spared = {id(one) for value in layer._passed.values() for one in kept_values(value)}
    spared |= {id(layer), *map(id, layer.embedded_layers)}
    # What this run did not call, a run in another phase may.
    asks_for_phase = bool(names_used(type(layer).__mro__, {'current_phase', 'in_train_phase'}))
    for place, one in found:
        if id(one) not in spared and not is_layer(one):
            name = place.partition('[')[0]
            warn(f"{layer.name}: {place} is a variable but not a parameter: it is neither trained nor saved. Write "
                 f"self.set_trainable_params('{name}', ...), or set_state_params, instead of self.{name} = ...")
        elif id(one) not in spared and not asks_for_phase:
            warn(f'{layer.name}: {place} is a {type(one).__name__} that output() does not call: it is not part of the '
                 'layer. Call it, or remove it.')


def _places(name: str, value: Any) -> Iterator[Tuple[str, Any]]:
    """Yield what an attribute holds, with its place: ``blocks[1]``."""
    if isinstance(value, (dict, list, tuple)):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(f'{name}[{key!r}]', one)
    else:
        yield name, value


def _seems_a_part(value: Any) -> bool:
    """Return whether a value is a layer that was never called, or a variable that is not a parameter of any layer."""
    if is_layer(value):
        return not value.built and not value._calls.are_symbolic
    return type(value) not in _OTHER_TYPES and not hasattr(value, _OWNED) and B.is_variable(value)
