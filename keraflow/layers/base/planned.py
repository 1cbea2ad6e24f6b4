"""What a layer knows from the shape of its input, before it is built: no backend is used, and nothing is drawn."""
import functools
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from keraflow.layers.base.channels import PlacedShape, are_placed
from keraflow.schema import Initialization
from keraflow.serialization.reserved import of_program
from keraflow.shapes import Shape, is_shape

__all__ = ['EmbeddedInputs', 'ParameterSpec', 'ParameterSpecs', 'PlannedPart', 'SHAPE_HOOKS', 'declares_parameters',
           'planned_parts', 'shape_hook', 'shapes_of_parameters']

#: The methods of a layer that take the shape of its input.
SHAPE_HOOKS = ('output_shape', 'param_specs', 'embedded_inputs')


class ParameterSpec(NamedTuple):
    """The properties of a parameter before it is made.

    Attributes
    ----------
    shape : tuple of int
    init : str or function
        Initialization of its value.
    trainable : bool
        Whether training changes it; else it is a state.
    """

    shape: Tuple[Any, ...]
    init: Initialization = 'zero'
    trainable: bool = True


ParameterSpecs = Optional[Dict[str, ParameterSpec]]
#: Layers by their names in weights, each with the shape of its input (a list for several inputs).
EmbeddedInputs = Optional[Dict[str, Tuple[Any, Any]]]


def shape_hook(method: Callable) -> Callable:
    """Let a method of ``input_shape`` accept one shape even if its layer takes several inputs.

    For an unknown shape it returns ``None``. Shapes of outputs that follow from placed ones are placed.
    """
    if hasattr(method, '_is_shape_hook'):
        return method
    is_output = method.__name__ == 'output_shape'

    @functools.wraps(method)
    def answer(self: Any, input_shape: Any, *args: Any, **kwargs: Any) -> Any:
        if self.multi_input and is_shape(input_shape):
            input_shape = [input_shape]
        if input_shape is None or self.multi_input and any(shape is None for shape in input_shape):
            return None
        found = method(self, input_shape, *args, **kwargs)
        return _placed(self, found, input_shape) if is_output else found
    setattr(answer, '_is_shape_hook', True)
    return answer


def _placed(layer: Any, found: Any, input_shape: Any) -> Any:
    """Return the shapes of outputs with the axis of the features, as far as that is known before a run."""
    fed = input_shape if layer.multi_input else [input_shape]

    def placed(shape: Shape) -> Shape:
        if isinstance(shape, PlacedShape) and shape.features is not None:
            return shape
        is_said = isinstance(shape, PlacedShape) or layer._places_features and layer._is_declared
        return PlacedShape(shape, layer._features_of(shape, fed)) if is_said and are_placed(fed) else tuple(shape)
    if is_shape(found):
        return placed(found)
    return list(map(placed, found)) if isinstance(found, (list, tuple)) and all(map(is_shape, found)) else found


class PlannedPart(NamedTuple):
    """A layer, or one that is embedded in it, before it is built.

    Attributes
    ----------
    prefix : str
        What its parameters' names begin with.
    layer : Layer
    input_shape
        What it is going to be fed; ``None`` if unknown.
    specs : dict or None
        Its own parameters by name; ``None`` if those, or the layers in it, are unknown before a run.
    """

    prefix: str
    layer: Any
    input_shape: Any
    specs: ParameterSpecs


def planned_parts(layer: Any, input_shape: Any) -> List[PlannedPart]:
    """Return a layer and those that it embeds, for inputs of a shape; a layer in two places once."""
    found: Dict[int, PlannedPart] = {}
    _add_parts(found, '', layer, input_shape)
    return list(found.values())


def _add_parts(found: Dict[int, PlannedPart], prefix: str, layer: Any, input_shape: Any) -> None:
    if id(layer) in found:
        return
    own, inner = layer.param_specs(input_shape), layer.embedded_inputs(input_shape)
    is_known = inner is not None and layer._is_declared
    found[id(layer)] = PlannedPart(prefix, layer, input_shape, own if is_known else None)
    for name, (one, shape) in (inner or {}).items():
        _add_parts(found, f'{prefix}{name}/', one, shape)


def shapes_of_parameters(layer: Any, input_shape: Any) -> Optional[Dict[str, Shape]]:
    """Return the shapes of all parameters of a layer by name, for inputs of a shape; ``None`` if they are unknown
    before a run."""
    found: Dict[str, Shape] = {}
    for part in planned_parts(layer, input_shape):
        if part.specs is None:
            return None
        found.update({part.prefix + name: tuple(spec.shape) for name, spec in part.specs.items()})
    return found


def declares_parameters(cls: type) -> bool:
    """Return whether a class declares all parameters that it makes.

    A class of the program may make others in its own methods, unless it declares them there.
    """
    for one in of_program(cls):
        if not vars(one).keys().isdisjoint(('param_specs', 'embedded_inputs')):
            return True
        if not vars(one).keys().isdisjoint(('init_param', 'output')):
            return False
    return True
