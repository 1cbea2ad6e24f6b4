"""Run a layer inside the ``output`` of another layer, its host."""
from typing import Any, Callable

from keraflow.backend.tensor_info import info_of
from keraflow.errors import ArgumentTypeError, describe
from keraflow.layers.base.inputs import advice_for_class, as_tensor
from keraflow.layers.base.kept_values import is_layer
from keraflow.layers.base.masks import inherit_mask
from keraflow.layers.base.run_state import run_of
from keraflow.shapes import unlist

__all__ = ['embedded']


def embedded(host: Any, layer: Any) -> Callable:
    """Return a function on tensors that runs the layer in the slot of `layer`.

    Raises
    ------
    ArgumentTypeError
        If it is not a layer.
    """
    if not is_layer(layer):
        raise ArgumentTypeError(f'{host.name}: embed: expected a layer, received {describe(layer)}.'
                                f'{advice_for_class(layer)}')
    inner = host._slots.take(layer)

    def run(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        fed, own = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors], run_of(host)
        fed = [inherit_mask(as_tensor(inner, tensor), () if own is None else own.inputs) for tensor in fed]
        if own is not None and any(info_of(tensor).mask is not None for tensor in fed):
            own.hands_mask_in = True
        return unlist(inner.run(fed, inner.call_signature.given(inner, args, kwargs)))
    return run
