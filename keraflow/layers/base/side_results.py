"""Return losses and updates of the calls of a layer."""
from typing import Any, List, Tuple

from keraflow import backend as B
from keraflow.arguments import to_list
from keraflow.graph.parameters import parameters_of, penalties

__all__ = ['losses_for', 'losses_of', 'updates_for', 'updates_of']


def losses_of(layer: Any) -> List[Any]:
    """Return the losses of the regularizers of a layer, and those that its calls add."""
    return [*_penalties(layer), *(one.value for one in layer._calls.record().added.values())]


def updates_of(layer: Any) -> List[Tuple[Any, Any]]:
    """Return pairs of a state and its value after all calls of a layer."""
    return layer._calls.record().updates


def losses_for(layer: Any, inputs: Any) -> List[Any]:
    """Return the losses that depend on these inputs of calls; for None, on parameters alone."""
    if inputs is None:
        added = layer._calls.record().added
        return [*_penalties(layer), *(one.value for one in added.values() if not one.is_conditional)]
    return [one.value for one in layer._calls.record(to_list(inputs)).added.values() if one.is_conditional]


def updates_for(layer: Any, inputs: Any) -> List[Tuple[Any, Any]]:
    """Return the updates that depend on these inputs of calls; for None, on no input."""
    record = layer._calls.record(None if inputs is None else to_list(inputs))
    return [(one.variable, one.value) for one in record.values.values() if one.is_conditional == (inputs is not None)]


def _penalties(layer: Any) -> List[Any]:
    def compute() -> List[Any]:
        return [value for _, value in penalties(parameters_of([layer]))]
    return B.symbolic(compute, []) if layer._calls.are_symbolic else compute()
