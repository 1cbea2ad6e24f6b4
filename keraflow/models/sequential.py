"""Sequential: layers one after another."""
from typing import Any, Dict, List, Optional, Sequence

from keraflow import schema
from keraflow.arguments import to_list
from keraflow.errors import ArgumentTypeError, GraphError, describe
from keraflow.graph.kensor import Kensor
from keraflow.graph.naming import distinct, two_of_one_name
from keraflow.layers.base import Layer, advice_for_class
from keraflow.layers.base.planned import EmbeddedInputs
from keraflow.layers.input import Input
from keraflow.layers.network import Network
from keraflow.models.graph_data import sketched_row
from keraflow.models.models import Model
from keraflow.models.rebuilt import are_each, has_own_constructor
from keraflow.models.sketches import GraphSketch
from keraflow.registry import builtin
from keraflow.schema import Name, Regularizer
from keraflow.serialization.locations import Location
from keraflow.shapes import unlist
from keraflow.training.loop import check_not_training

__all__ = ['Sequential']


@builtin('layer')
class Sequential(Model):
    """Layers in a row, each fed with the output of the one before.

    If the first one is an Input, it is a model, and can be used as a Kensor. Otherwise it is a layer, with one input or
    several like its first layer.

    Parameters
    ----------
    layers : list of Layer
        More can be added with :meth:`add`.
    name : str, optional
    trainable : bool
    activity_regularizer : str or object, optional
        A regularizer of the outputs; see :class:`~keraflow.layers.Layer`.

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> Sequential([Input(4), Dense(3)]).outputs[0].shape
    (None, 3)
    >>> Sequential([Dense(3), Dense(2)])(Input(4)).shape
    (None, 2)
    """

    def __init__(self, layers: Sequence[Any] = (), name: Optional[Name] = None, trainable: bool = True,
                 activity_regularizer: Optional[Regularizer] = None):
        # Not Model's, which wants inputs and outputs.
        Network.__init__(self, name=name, trainable=trainable, activity_regularizer=activity_regularizer)
        self._set_graph([], [])
        self._by_name: Dict[str, Layer] = {}
        for layer in layers:
            self._append(layer)
        self._settle_names()

    #: What files have beside the arguments of ``__init__``.
    beside_arguments = frozenset({'names'})

    @property
    def is_model(self) -> bool:
        """Whether the first layer is an Input."""
        return bool(self._own_layers) and isinstance(self._own_layers[0], Input)

    def add(self, layer: Layer) -> None:
        """Append a layer. A compiled model must be compiled again."""
        self._append(layer)
        self._settle_names()

    def _append(self, layer: Layer) -> None:
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(f'{type(self).__name__}: layers: expected a layer, received {describe(layer)}.'
                                    f'{advice_for_class(layer)}')
        check_not_training(self, f'{self.name}: add', 'Add all layers first.')
        if self._parameters.are_made:
            raise GraphError(
                f'{self.name}: a layer cannot be added after the Sequential was called. Add all layers first.')
        kept = layer._name.kept_from(self._as_namer)
        if kept is not None:
            other = self._by_name.setdefault(kept, layer)
            if other is not layer and (layer.user_name or other.user_name):
                raise GraphError(f"{self.name}: {two_of_one_name(kept)}")
        if isinstance(layer, Input) and self._own_layers:
            raise GraphError(f'{self.name}: an Input can only be the first layer.')
        if isinstance(layer, Input):
            self._own_inputs = [layer]
            self._extend([layer.as_kensor()])
        elif self.is_model:
            self._extend(to_list(layer(unlist(self.outputs))))
        elif not self._own_layers:
            self.multi_input = layer.multi_input
        self._own_layers.append(layer)

    def _extend(self, kensors: List[Kensor]) -> None:
        self._own_outputs = kensors
        self._own_calls.append(kensors[0].call)
        self.forget_training()

    def layer_ids(self) -> Dict[str, Layer]:
        return super().layer_ids() if self.is_model else self._numbered_layers()

    def _settle_names(self) -> None:
        if self.is_model:
            super()._settle_names()

    def as_kensor(self) -> Kensor:
        if not self.is_model:
            return super().as_kensor()
        if len(self.outputs) > 1:
            raise GraphError(f'{self.name}: expected a Kensor, received a Sequential with {len(self.outputs)} outputs. '
                             'Take one of its outputs.')
        return self.outputs[0]

    def check_input_shape(self, input_shape: Any) -> None:
        if self.is_model:
            super().check_input_shape(input_shape)
        elif self.layers:
            self.layers[0].check_input_shape(input_shape)
        else:
            raise GraphError(f'{self.name}: the Sequential has no layers. Add one first.')

    def output(self, x: Any, *, mask: Any = None) -> Any:
        if self.is_model:
            return super().output(x, mask=mask)
        for layer in self.layers:
            x = self.embed(layer)(x)
        return x

    def embedded_inputs(self, input_shape: Any) -> EmbeddedInputs:
        if self.is_model:
            return super().embedded_inputs(input_shape)
        fed: Dict[int, Any] = {}
        for layer in self.layers:
            fed.setdefault(id(layer), (layer, input_shape))  # a layer that occurs again keeps its first slot
            input_shape = layer.output_shape(input_shape)
        return {str(number): one for number, one in enumerate(fed.values())}

    def output_shape(self, input_shape: Any) -> Any:
        if self.is_model:
            return super().output_shape(input_shape)
        for layer in self.layers:
            input_shape = layer.output_shape(input_shape)
        return input_shape

    def _is_given(self, given: Dict[str, Any]) -> bool:
        layers = given.get('layers', ())
        return isinstance(layers, (list, tuple)) and are_each(layers, self._own_layers)

    def _why_not_rebuilt(self) -> str:
        if self._own_graph is None and self._own_layers and 'layers' not in schema.arguments_of(type(self)):
            return 'its __init__ takes no layers, but some were added. Save Sequential(model.layers) instead.'
        return super()._why_not_rebuilt().replace('Model(model.inputs, model.outputs)', 'Sequential(model.layers)')

    def _names_of_graph(self) -> Sequence[str]:
        return () if self._are_names_own() else ('names',)

    def _are_names_own(self) -> bool:
        layers = list(self.names.layers.values())
        return list(self.names.layers) == distinct([layer.user_name for layer in layers],
                                                   [layer.name_prefix for layer in layers])

    def pack_init_param(self) -> Dict[str, Any]:
        if self._own_graph is not None:
            return self._besides_graph()
        # Names are included if they do not follow from the list alone, because other models share layers.
        names = {} if self._are_names_own() else {'names': list(self.names.layers)}
        return {'layers': list(self.layers), **names, **self._besides_graph('layers')}

    @classmethod
    def _sketched(cls, given: Dict[str, Any], location: Location) -> Optional[GraphSketch]:
        return None if has_own_constructor(cls) else sketched_row(cls, given, location)

    @classmethod
    def unpack_init_param(cls, params: Dict[str, Any]) -> Dict[str, Any]:
        rest = dict(params)
        if 'names' in schema.arguments_of(cls):     # of the program
            return rest
        names, namer = rest.pop('names', []), object()
        layers = list({id(layer): layer for layer in rest.get('layers', [])}.values())
        for name, layer in zip(names, layers):
            layer._name.suggest(name, namer)
        return rest
