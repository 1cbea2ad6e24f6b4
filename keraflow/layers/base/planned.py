"""What a layer knows from the shape of its input, before it is built: no backend is used, and nothing is drawn."""
import functools
from typing import Any, Callable, Dict, NamedTuple, Optional, Set, Tuple

from keraflow.layers.base.kept_values import is_layer
from keraflow.schema import Initialization
from keraflow.serialization.reserved import of_program
from keraflow.shapes import Shape, is_shape

__all__ = ['EmbeddedInputs', 'ParameterSpec', 'ParameterSpecs', 'SHAPE_HOOKS', 'embedded_if_layer', 'shape_hook',
           'shapes_of_parameters']

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

    For an unknown shape it returns ``None``.
    """
    if hasattr(method, '_is_shape_hook'):
        return method

    @functools.wraps(method)
    def answer(self: Any, input_shape: Any, *args: Any, **kwargs: Any) -> Any:
        if self.multi_input and is_shape(input_shape):
            input_shape = [input_shape]
        if input_shape is None or self.multi_input and any(shape is None for shape in input_shape):
            return None
        return method(self, input_shape, *args, **kwargs)
    setattr(answer, '_is_shape_hook', True)
    return answer


def embedded_if_layer(value: Any, shape: Any) -> EmbeddedInputs:
    """Return the only layer that another embeds, such as its activation, if `value` is a layer."""
    return {'0': (value, shape)} if is_layer(value) else {}


def shapes_of_parameters(layer: Any, input_shape: Any, prefix: str = '',
                         seen: Optional[Set[int]] = None) -> Optional[Dict[str, Shape]]:
    """Return the shapes of all parameters of a layer by name, for inputs of a shape.

    Layers `seen` already, by ``id()``, are left out. The result is ``None`` if the shapes are unknown before a run.
    """
    seen = set() if seen is None else seen
    if id(layer) in seen:   # a layer in two places has one set of parameters
        return {}
    seen.add(id(layer))
    own, inner = layer.param_specs(input_shape), layer.embedded_inputs(input_shape)
    if own is None or inner is None or not _declares_parameters(type(layer)):
        return None
    found = {prefix + name: tuple(spec.shape) for name, spec in own.items()}
    for name, (one, shape) in inner.items():
        its = shapes_of_parameters(one, shape, f'{prefix}{name}/', seen)
        if its is None:
            return None
        found.update(its)
    return found


def _declares_parameters(cls: type) -> bool:
    """Return whether a class declares all parameters that it makes.

    A class of the program may make others in its own methods, unless it declares them there.
    """
    for one in of_program(cls):
        if not vars(one).keys().isdisjoint(('param_specs', 'embedded_inputs')):
            return True
        if not vars(one).keys().isdisjoint(('init_param', 'output')):
            return False
    return True
