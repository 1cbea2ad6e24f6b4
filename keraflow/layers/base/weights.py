"""Name, list and set the weights of a layer, including those of embedded layers."""
from typing import Any, Dict, Iterator, List, Tuple

from keraflow import backend as B
from keraflow.arguments import as_numbers, assign, split_arrays
from keraflow.backend.tensor_checks import check_fits
from keraflow.errors import ArgumentTypeError, ShapeError
from keraflow.graph.guards import changing
from keraflow.graph.parameters import parameters_of
from keraflow.layers.base.variables import Parameter

__all__ = ['assign_weights', 'owners', 'parameters_in', 'present_names', 'set_weights']


def parameters_in(layer: Any, trainable: bool, prefix: str) -> Iterator[Parameter]:
    """Yield the parameters of a layer, then those of the layers inside it."""
    for one in layer._parameters.values():
        yield one._replace(name=prefix + one.name, trainable=trainable and one.trainable)
    for name, inner in layer.layer_ids().items():
        yield from inner.parameters(trainable, f'{prefix}{name}/')


def owners(layer: Any, prefix: str = '') -> Dict[str, Tuple[Any, str]]:
    """Return, by the name of each parameter, the layer that made it and its name there."""
    found = {prefix + name: (layer, name) for name in layer._parameters}
    for number, inner in layer.layer_ids().items():
        found.update(owners(inner, f'{prefix}{number}/'))
    return found


def assign_weights(layer: Any, variables: Dict[str, Any], weights: Any, what: str) -> None:
    """Check all arrays for variables of a layer, then set all.

    Raises
    ------
    ShapeError
        For an array of another shape.
    """
    where = f'{layer.name}: {what}'
    weights = split_arrays(weights)
    given = assign(layer.present_names(weights) if isinstance(weights, dict) else weights, list(variables), where)
    arrays = {name: as_numbers(value, f'{where}: {name}') for name, value in given.items()}
    for name, array in arrays.items():
        wanted = tuple(B.static_shape(variables[name]))
        if array.shape != wanted:
            raise ShapeError(f'{where}: {name}: expected an array of shape {wanted}, received {array.shape}.')
        check_fits(array, B.dtype(variables[name]), f'{where}: {name}')
    for name, array in arrays.items():
        B.current().set_value(variables[name], array)


def set_weights(layer: Any, weights: Any) -> None:
    """Set parameters of a layer, including those of embedded layers.

    Raises
    ------
    ArgumentTypeError
        If `weights` is None.
    """
    variables = {one.name: one.variable for one in parameters_of([layer])}
    if not variables:
        layer._parameters.check_made('Feed it, or pass initial_weights=.')
    if weights is None:
        raise ArgumentTypeError(f'{layer.name}: weights: expected a dict by name, a list or an array, received None.')
    with changing(layer):
        assign_weights(layer, variables, weights, 'weights')


def present_names(layer: Any, by_name: Dict[str, Any]) -> Dict[str, Any]:
    """Return a dict by current names of parameters; its keys may have slot numbers instead of names of layers."""
    names = _names_by_slots(layer)
    present = set(names.values())
    return {name if name in present else names.get(name, name): one for name, one in by_name.items()}


def _names_by_slots(layer: Any) -> Dict[str, str]:
    """Return the names of the parameters, by those in which all embedded layers are numbers."""
    found = {name: name for name in layer._parameters}
    slots: List[str] = layer._slot_names()
    for slot, (name, inner) in zip(slots, layer.layer_ids().items()):
        found.update({f'{slot}/{numbered}': f'{name}/{its_name}'
                      for numbered, its_name in _names_by_slots(inner).items()})
    return found
