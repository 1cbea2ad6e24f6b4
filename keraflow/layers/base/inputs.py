"""Convert and check the inputs of a layer, and give them the masks of a call."""
import itertools
from typing import Any, List

import numpy as np

from keraflow import backend as B
from keraflow import shapes
from keraflow.arguments import as_numbers, is_array_like
from keraflow.backend.contract import FLOATS, TensorSpec
from keraflow.backend.dtypes import value_dtype
from keraflow.backend.tensor_checks import check_fits, check_numbers
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.errors import ArgumentError, GraphError, ShapeError, describe
from keraflow.layers.base.channels import PlacedShape
from keraflow.layers.base.input_spec import check_rank, required_specs
from keraflow.layers.base.run_state import run_of

__all__ = ['advice_for_class', 'annotatable', 'as_tensor', 'check_inputs', 'checked_specs', 'in_own_dtype', 'shape_of',
           'spec_of', 'with_masks']


def as_tensor(layer: Any, value: Any) -> Any:
    """Return a tensor for a tensor or an array, of NumPy or of the library, that a layer is called on.

    Raises
    ------
    GraphError
        If the value is neither a tensor nor an array.
    """
    adopted = value if B.is_tensor(value) else B.current().adopt(value)
    if adopted is not None:
        return adopted
    if isinstance(value, str) or not is_array_like(value):
        raise GraphError(f'{layer.name}: expected a Kensor, a tensor or an array, received {describe(value)}.'
                         f'{advice_for_class(value)}')
    check_fits(as_numbers(value, layer.name), value_dtype(value, B.floatx()), layer.name)
    return B.current().constant(value)  # not by the facade, whose check would not name the layer


def advice_for_class(value: Any) -> str:
    """Return what to write in place of a class of layers, or of something else that is not a layer yet."""
    return f' Make an object of it: {value.__name__}(...).' if isinstance(value, type) else \
        getattr(value, 'how_to_feed', '')


def checked_specs(layer: Any, tensors: List[Any]) -> List[TensorSpec]:
    """Return the specs of the inputs of a layer, after checking them.

    Raises
    ------
    GraphError
        If there are no inputs, or several for a layer that takes one.
    """
    if not tensors:
        raise GraphError(f'{layer.name}: was called on an empty list. Pass at least one Kensor.')
    if len(tensors) > 1 and not layer.multi_input:
        raise GraphError(
            f'{layer.name}: expected one input, received {len(tensors)}. Join them first, with Concatenate() or with '
            'operators on Kensors such as a + b, or write a MultiInputLayer.')
    layer._check_backend()
    received = [spec_of(layer, tensor) for tensor in tensors]
    layer._check_inputs(received)
    layer.check_input_shape(shape_of(layer, received))
    return received


def check_inputs(layer: Any, received: List[TensorSpec]) -> None:
    """Raise unless the inputs of a layer match its ``input_spec``."""
    first = layer._first_run.specs if layer._parameters.are_made else itertools.repeat(None)
    for spec, one, before in zip(required_specs(layer.name, layer.input_spec, len(received)), received, first):
        spec.check(layer.name, one, before)
    # The first Keraflow's name for the rank of the input.
    for one in received if callable(getattr(type(layer), 'input_dimension', None)) else ():
        check_rank(layer.name, layer.input_dimension(), one)


def spec_of(layer: Any, tensor: Any) -> TensorSpec:
    """Return the static shape, with what is known of the features, and the dtype of a tensor."""
    return TensorSpec(PlacedShape(layer.get_tensor_shape(tensor), info_of(tensor).features), B.dtype(tensor))


def shape_of(layer: Any, received: List[TensorSpec]) -> Any:
    """Return the input shape for the hooks of a layer: a shape, or a list of shapes."""
    return [one.shape for one in received] if layer.multi_input else received[0].shape


def with_masks(layer: Any, tensors: List[Any], given: Any) -> List[Any]:
    """Return the inputs with the masks of a call: one mask, or a list of masks (or None).

    Raises
    ------
    ArgumentError
        If there is not one mask for each input.
    """
    masks = list(given) if isinstance(given, (list, tuple)) and layer.multi_input else [given]
    if len(masks) != len(tensors):
        raise ArgumentError(f'{layer.name}: mask: expected a list of {len(tensors)} mask(s) (or None), one for each '
                            f'input, received {len(masks)}.')
    return [tensor if mask is None else
            annotate(B.identity(tensor), **info_of(tensor)._replace(mask=_mask_for(layer, tensor, mask))._asdict())
            for tensor, mask in zip(tensors, masks)]


def in_own_dtype(layer: Any, tensor: Any) -> Any:
    """Return an input in the dtype of the parameters, if both are real: some libraries compute in one dtype only."""
    dtype = B.dtype(tensor)
    if not layer._parameters or dtype == layer.dtype or dtype not in FLOATS:
        return tensor
    info = info_of(tensor)
    return annotate(B.cast(tensor, layer.dtype), shape=info.shape, mask=info.mask, features=info.features)


def annotatable(layer: Any, tensor: Any) -> Any:
    """Return a tensor that may be annotated: a copy of an input or a parameter, whose own annotations must stay."""
    run = run_of(layer)
    is_foreign = run is not None and any(tensor is one for one in run.inputs) or B.is_variable(tensor)
    return B.identity(tensor) if is_foreign else tensor


def _mask_for(layer: Any, tensor: Any, mask: Any) -> Any:
    check_numbers(mask, f'{layer.name}: mask')
    mask = mask if B.is_tensor(mask) else B.constant(np.asarray(mask))
    expected, received = layer.get_tensor_shape(tensor)[:2], tuple(B.static_shape(mask))
    if B.dtype(mask) != 'bool' or len(expected) < 2 or not shapes.agree(expected, received):
        raise ShapeError(f'{layer.name}: mask: expected truth values of shape (batch, time), here {expected}, '
                         f'received {B.dtype(mask)} of shape {received}. Write for example B.not_equal(x, 0).')
    return mask
