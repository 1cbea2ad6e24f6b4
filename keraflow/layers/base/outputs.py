"""Check the outputs of a layer against ``output_shape``, and annotate them with what is known."""
from typing import Any, List

from keraflow import backend as B
from keraflow import schema, shapes
from keraflow.arguments import is_array_like
from keraflow.backend.deferral import Deferred
from keraflow.backend.tensor_checks import described
from keraflow.backend.tensor_info import annotate, info_of
from keraflow.errors import GraphError, ShapeError, describe
from keraflow.layers.base.kept_values import is_layer
from keraflow.shapes import Shape

__all__ = ['annotated', 'declared_shapes']


def declared_shapes(layer: Any, input_shape: Any, outputs: List[Any]) -> List[Shape]:
    """Return the shape of each output, from ``output_shape`` or else from the backend.

    Raises
    ------
    ShapeError
        If ``output_shape`` returns anything but shapes or None.
    """
    declared = layer.output_shape(input_shape)
    if declared is None:
        return [layer.get_tensor_shape(tensor) if B.is_tensor(tensor) else () for tensor in outputs]
    several = [declared] if shapes.is_shape(declared) else declared
    if not isinstance(several, (list, tuple)) or not all(map(shapes.is_shape, several)):
        raise ShapeError(f'{layer.name}: output_shape(): expected a shape such as (None, 3), a list of shapes or None, '
                         f'received {describe(declared)}.')
    return [shapes.as_shape(one) for one in several]


def annotated(layer: Any, input_shape: Any, outputs: List[Any], declared: List[Shape], mask: Any) -> List[Any]:
    """Return the outputs with their shape, mask and feature axis.

    Raises
    ------
    GraphError, ShapeError
        If ``output`` does not return tensors, or not those that ``output_shape`` declares.
    """
    if len(outputs) != len(declared):
        raise ShapeError(f'{layer.name}: output_shape() gives {len(declared)} shape(s), but output() '
                         f'{len(outputs)} tensor(s). Make them the same number.')
    if not outputs:
        raise GraphError(f'{layer.name}: output() returned an empty list, expected at least one tensor.')
    fed, found = input_shape if layer.multi_input else [input_shape], []
    for tensor, shape in zip(outputs, declared):
        if not B.is_tensor(tensor):
            raise GraphError(f'{layer.name}: output() returned {described(tensor)}, expected a tensor. '
                             f'{_advice_on_result(tensor)}')
        actual = shapes.as_shape(B.static_shape(tensor))
        if not shapes.agree(shape, actual):
            raise _other_shape(layer, shape, actual)
        known = shapes.merge(shape, actual)
        named = B.with_static_shape(tensor, known)
        # A mask that output() or an embedded layer recorded belongs to the output.
        info = info_of(tensor)
        kept = mask if info.mask is None else info.mask
        features = layer._features_of(known, fed) if info.features is None else info.features
        found.append(annotate(named, shape=known, mask=kept, features=features))
    return found


def _other_shape(layer: Any, declared: Shape, actual: Shape) -> ShapeError:
    for name, kind in schema.kinds_of(type(layer)).items():
        if kind == 'activation' and is_layer(vars(layer).get(name)):
            return ShapeError(f'{layer.name}: {name}: expected a layer that keeps the shape, as PReLU() does, received '
                              f'{vars(layer)[name]!r}, with which the output is {actual} and not {declared}. Feed it '
                              'with the output of this layer.')
    return ShapeError(f'{layer.name}: output_shape() says {declared}, but output() gives {actual}. '
                      'Let output_shape() return the shape of what output() returns.')


def _advice_on_result(value: Any) -> str:
    if value is None:
        return 'Does it end with return?'
    if isinstance(value, dict):
        return 'Return a list of tensors.'
    if isinstance(value, Deferred):
        return 'Compute it from the tensors that output() is given.'
    is_array = is_array_like(value) and not isinstance(value, str)
    return 'Write B.constant(...) of it.' if is_array else 'Compute it with functions of keraflow.backend.'
