"""What a layer keeps as if it were part of it, and is not: told once, after its first run."""
from typing import Any, Iterator, Tuple

from keraflow import backend as B
from keraflow.errors import warn
from keraflow.layers.class_checks import names_used
from keraflow.layers.slots import is_layer, kept_values

__all__ = ['mark_owned', 'tell_unused']

_OWNED = '_keraflow_owned'


def mark_owned(variable: Any) -> Any:
    """Note that a variable is a parameter of a layer, and return it."""
    setattr(variable, _OWNED, True)
    return variable


def tell_unused(layer: Any) -> None:
    """Warn of layers that `layer` made for itself and did not call, and of variables that are nobody's parameters.

    Of its arguments nothing is said, nor of a layer that was fed elsewhere: to keep a template, a neighbour or a
    teacher is no mistake. A class that asks for the phase may call the layer in the other one.
    """
    embedded = {id(one) for one in layer.embedded_layers}
    for name, value in _own_values(layer):
        if is_layer(value):
            if id(value) not in embedded and not value._is_linked() and not value._has_kensors() and \
                    not names_used(type(layer).__mro__, {'current_phase', 'in_train_phase'}):
                warn(f'{layer.name}: {name} is a {type(value).__name__} that output() does not call: it is no part of '
                     'the layer. Call it, or leave it out.')
        elif B.is_variable(value) and not hasattr(value, _OWNED):
            warn(f"{layer.name}: {name} is a variable that is no parameter: it is neither trained nor saved. Write "
                 f"self.set_trainable_params('{name}', ...), or set_state_params, in the place of self.{name} = ...")


def _own_values(layer: Any) -> Iterator[Tuple[str, Any]]:
    """What the attributes of a layer keep that were not among its arguments."""
    given = {id(one) for value in layer._passed.values() for one in kept_values(value)}
    for name, value in vars(layer).items():
        for one in kept_values(value):
            if id(one) not in given and one is not layer:
                yield name, one
