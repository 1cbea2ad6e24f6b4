"""The parameters of layers, each variable once, and the penalties of their regularizers."""
from typing import Any, Dict, Iterable, List, Tuple

from keraflow.backend.tensor_checks import check_scalar

__all__ = ['parameters_of', 'penalties']


def parameters_of(layers: Iterable[Any]) -> List[Any]:
    """Return the parameters of layers and embedded layers, each variable once; trainable if any owner trains it."""
    found: Dict[int, Any] = {}
    for layer in {id(layer): layer for layer in layers}.values():
        for one in layer.parameters():
            before = found.get(id(one.variable))
            trainable = one.trainable or (before is not None and before.trainable)
            found[id(one.variable)] = (before or one)._replace(trainable=trainable)
    return list(found.values())


def penalties(parameters: Iterable[Any]) -> List[Tuple[str, Any]]:
    """Return the penalties of the regularizers of trained parameters, with labels."""
    found = []
    for one in parameters:
        if one.regularizer is not None and one.trainable:
            label = f'{getattr(one.regularizer, "__name__", type(one.regularizer).__name__)}({one.name})'
            value = one.regularizer(one.variable)
            check_scalar(value, label)
            found.append((label, value))
    return found
