"""Sketches of models: a graph is checked, and its shapes and parameters derived, without a backend."""
import contextlib
import re
from collections import Counter
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from keraflow.backend.contract import TensorSpec
from keraflow.errors import GraphError, KeraFlowError, SerializationError, ShapeError, describe
from keraflow.graph.call_arguments import kensors_named
from keraflow.layers.base import Layer
from keraflow.layers.base.channels import PlacedShape, placed_for
from keraflow.layers.base.parameter_arguments import check_planned
from keraflow.layers.base.planned import EmbeddedInputs, PlannedPart, planned_parts
from keraflow.layers.input import Input
from keraflow.schema import Name, Regularizer
from keraflow.serialization.locations import Location
from keraflow.serialization.sketching import current_sketcher, is_stand_in
from keraflow.shapes import Shape, agree, is_shape, product, unlist

__all__ = ['GraphSketch', 'PlannedCall', 'class_of', 'is_name', 'size_of']

#: Letters of any script: a layer is named after its class, if nothing else.
_NAME = re.compile(r'(?!\.)[\w.\-]{1,128}(?<!\.)')


class PlannedCall(NamedTuple):
    """A call in the graph of a model that is planned.

    Attributes
    ----------
    layer : str
        The name of the layer.
    cls : str
        The name of its class.
    inputs, outputs : tuple of str
        The names of what it is fed and of what it gives; an Input gives itself.
    arguments : tuple of str
        The names of the Kensors among its other arguments.
    shapes : tuple of (tuple or None)
        Of the outputs; None if only a backend knows.
    nb_parameter : int or None
        How many numbers the parameters of the layer have, for its first call; None if not known.
    sketch : Layer
    """

    layer: str
    cls: str
    inputs: Tuple[str, ...]
    outputs: Tuple[str, ...]
    arguments: Tuple[str, ...]
    shapes: Tuple[Optional[Shape], ...]
    nb_parameter: Optional[int]
    sketch: Any


class GraphSketch(Layer):
    """What is known of a model before it is built.

    Attributes
    ----------
    planned : list of PlannedCall
        The calls, each after those that feed it, with the Inputs.
    row : list of Layer
        The layers of a Sequential that does not begin with an Input.
    """

    _places_features = False

    def __init__(self, name: Optional[Name] = None, trainable: bool = True,
                 activity_regularizer: Optional[Regularizer] = None):
        super().__init__(name=name, trainable=trainable, activity_regularizer=activity_regularizer)
        self.planned: List[PlannedCall] = []
        self._inner: Dict[str, Any] = {}
        self._specs: Dict[str, TensorSpec] = {}
        self._fed: Dict[int, Any] = {}          # by the id() of a layer, the shapes of its first inputs
        self._ends: Tuple[List[str], List[str]] = ([], [])
        self._times: Dict[str, int] = Counter()
        self.row: List[Any] = []
        self._latest_row: List[Any] = []
        self._graph: Dict[str, Any] = {}

    @classmethod
    def of(cls, model: Any, given: Dict[str, Any], graph: Dict[str, Any]) -> 'GraphSketch':
        """Return one for a class of models, from the arguments besides the graph, and those of the graph."""
        common = ('name', 'trainable', 'activity_regularizer')
        made = cls(**{name: value for name, value in given.items() if name in common})
        made._sketched_class, made._graph = model, {**graph, **given}
        made._name.suggest(model.__name__.lower(), made)       # no number is taken for what is not built
        return made

    # -- what it consists of ------------------------------------------------------------------------------------------

    def add_layers(self, layers: Dict[str, Any], location: Location) -> None:
        """Take the layers by name; the Inputs are there for calls from now on."""
        for name, layer in layers.items():
            self._inner[name] = layer
            if not is_stand_in(layer):
                layer._name.suggest(name, self)
            if isinstance(layer, Input):
                spec = _unknown() if is_stand_in(layer) else \
                    TensorSpec(PlacedShape(layer.shape, layer.features), layer.dtype)
                self._note(name, layer, (), [name], [spec], location)

    def call(self, name: str, fed: Sequence[str], made: Optional[List[str]], arguments: Dict[str, Any],
             location: Location) -> List[str]:
        """Call a layer: check its inputs, derive the shapes of its outputs, and return the names of these."""
        sketcher = current_sketcher()
        layer = self._inner[name]
        specs = [self._specs[one] for one in fed]
        with _named(layer, location):
            if sketcher is not None:
                sketcher.budget.spend_objects(1, self.name)
            shapes = _shapes_of_outputs(layer, specs, arguments)
        given = len(made) if made is not None else 1
        if shapes is not None and made is not None and len(shapes) != given:
            raise location.key(2).refusal(f"Model: path: '{name}' has {len(shapes)} output(s), but {given} name(s) are "
                                          f'given: {describe(made)}.')
        if made is None:
            number = self._times[name]
            made = [f'{name}_{number}'] if shapes is None or len(shapes) == 1 else \
                [f'{name}_{number}.{index}' for index in range(len(shapes))]
        self._times[name] += 1
        self._note(name, layer, fed, made, [_unknown(shape) for shape in shapes or [None] * len(made)], location,
                   tuple(kensors_named(arguments)))
        return made

    def line_up(self, layers: List[Any]) -> None:
        """Become a row of layers without an Input, whose shapes are those of the layer itself."""
        self.row = layers
        self.multi_input = not is_stand_in(layers[0]) and layers[0].multi_input

    def end(self, inputs: List[str], outputs: List[str]) -> None:
        """Take the names of the inputs and the outputs."""
        self._ends = (inputs, outputs)
        self.multi_input = len(inputs) > 1

    def _note(self, name: str, layer: Any, fed: Sequence[str], made: List[str], specs: List[TensorSpec],
              location: Location, arguments: Tuple[str, ...] = ()) -> None:
        self._specs.update(zip(made, specs))
        number = None
        if id(layer) not in self._fed:
            shapes = [self._specs[one].shape for one in fed]
            is_list = not is_stand_in(layer) and layer.multi_input
            self._fed[id(layer)] = None if None in shapes else shapes if is_list else unlist(shapes)
            with location.in_errors(), _named(layer, location):
                number = _spend(layer, self._fed[id(layer)], name)
        self.planned.append(PlannedCall(name, class_of(layer).__name__, tuple(fed), tuple(made), arguments,
                                        tuple(one.shape for one in specs), number, layer))

    # -- as a layer ---------------------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape: Any) -> None:
        if self.row:
            self._along(input_shape)
        for name, shape in zip(self._ends[0], input_shape if self.multi_input else [input_shape]):
            wanted = self._specs[name].shape
            if wanted is not None and shape is not None and not agree(wanted, shape):
                raise ShapeError(f"{self.name}: expected shape {wanted} for the input '{name}', received {shape}.")

    def output_shape(self, input_shape: Any) -> Any:
        if self.row:
            return self._along(input_shape)[-1]
        inputs, outputs = ([self._specs[name].shape for name in end] for end in self._ends)
        fed = input_shape if self.multi_input else [input_shape]
        return None if None in inputs or None in outputs else unlist(placed_for(inputs, outputs, fed))

    def embedded_inputs(self, input_shape: Any) -> EmbeddedInputs:
        if self.row:
            fed: Dict[int, Any] = {}
            for layer, shape in zip(self.row, self._along(input_shape)):
                fed.setdefault(id(layer), (layer, shape))
            return {str(number): one for number, one in enumerate(fed.values())}
        return {name: (layer, self._fed[id(layer)]) for name, layer in self._inner.items()
                if not isinstance(layer, Input) and id(layer) in self._fed}

    def _along(self, input_shape: Any) -> List[Any]:
        """Return the shapes that the layers of a row are fed, and that of the last output, after checking them."""
        if self._latest_row and _are_placed_alike(self._latest_row[0], input_shape):
            return self._latest_row     # once, or rows in rows would take twice as long each
        shapes = [input_shape]
        for layer in self.row:
            fed = shapes[-1] if isinstance(shapes[-1], list) else [shapes[-1]]
            found = _shapes_of_outputs(layer, list(map(_unknown, fed)), {})
            shapes.append(None if found is None else unlist(found))
        self._latest_row = shapes
        return shapes

    @property
    def outputs(self) -> List[str]:
        """The names of the outputs."""
        return self._ends[1]

    @property
    def known(self) -> Dict[str, TensorSpec]:
        """The shapes and dtypes of what calls may be fed, by name; '' is a dtype that is not known."""
        return self._specs

    @property
    def nb_parameter(self) -> Optional[int]:
        """How many numbers the parameters of its layers have; None if not known."""
        numbers: Dict[int, Optional[int]] = {}
        for one in self.planned:        # of the first call of each
            numbers.setdefault(id(one.sketch), one.nb_parameter)
        return None if None in numbers.values() else sum(filter(None, numbers.values()))

    def pack_init_param(self) -> Dict[str, Any]:
        return self._graph      # to sketch it again

    @property
    def name_prefix(self) -> str:
        return self._sketched_class.__name__.lower() if self._sketched_class else super().name_prefix


def is_name(text: Any) -> bool:
    """Return whether a file may give a layer this name."""
    return isinstance(text, str) and bool(_NAME.fullmatch(text))


def class_of(sketch: Any) -> Any:
    """Return the class that a sketch is of."""
    return getattr(sketch, '_sketched_class', None) or type(sketch)


def _unknown(shape: Any = None) -> TensorSpec:
    """Return the spec of a Kensor whose dtype, and perhaps shape, is not known."""
    return TensorSpec(shape, '')


@contextlib.contextmanager
def _named(layer: Any, location: Location) -> Iterator[None]:
    """Let errors in a ``with`` block be refusals, those of arguments that the schema accepts included."""
    try:
        yield
    except SerializationError:
        raise
    except KeraFlowError as error:
        raise location.refusal(error) from error
    except Exception as error:
        raise location.refusal(f'{type(error).__name__} in {type(layer).__name__}: {error}') from error


def _shapes_of_outputs(layer: Any, specs: List[TensorSpec], arguments: Dict[str, Any]) -> Optional[List[Any]]:
    """Return the shapes of the outputs of a call, after checking its inputs; None if they are not known."""
    if is_stand_in(layer):
        return None
    if arguments:
        layer.call_signature.given(layer, (), arguments)
    if not specs:
        raise GraphError(f'{layer.name}: is called on an empty list. Feed it.')
    if len(specs) > 1 and not layer.multi_input:
        raise GraphError(f'{layer.name}: expected one input, received {len(specs)}. Join them first, with '
                         'Concatenate().')
    shapes = [one.shape for one in specs]
    if None in shapes:
        return None
    layer._check_inputs(specs)
    shape = shapes if layer.multi_input else shapes[0]
    layer.check_input_shape(shape)
    found = layer.output_shape(shape)
    return None if found is None else [found] if is_shape(found) else list(found)


def _spend(layer: Any, fed: Any, name: str) -> Optional[int]:
    """Spend what a layer needs that is fed inputs of a shape, and return how many numbers its parameters have."""
    if isinstance(layer, GraphSketch) and layer.planned:        # which spent it
        return layer.nb_parameter
    parts = planned_parts(layer, fed)
    if all(part.specs is not None for part in parts):
        for part in parts:
            check_planned(part.layer, list(part.specs or ()))
    sizes = {id(part.layer): _size(part) for part in parts}
    number = None if None in sizes.values() else sum(filter(None, sizes.values()))
    sketcher = current_sketcher()
    if sketcher is None:
        return number
    new = [part for part in parts if id(part.layer) not in sketcher.seen]
    sketcher.seen.update(sizes)
    if number is None:
        sketcher.budget.is_complete = False
    sketcher.budget.spend_parameters(sum(sizes[id(part.layer)] or 0 for part in new), name)
    sketcher.budget.spend_unrolled(sum(map(_unrolled, new)), name)
    return number


def _are_placed_alike(one: Any, other: Any) -> bool:
    listed = [shape if isinstance(shape, list) else [shape] for shape in (one, other)]
    return one == other and all(getattr(a, 'features', a) == getattr(b, 'features', b) for a, b in zip(*listed))


def _size(part: PlannedPart) -> Optional[int]:
    return None if part.specs is None else size_of({name: one.shape for name, one in part.specs.items()})


def _unrolled(part: PlannedPart) -> int:
    """Return how many steps a layer takes one by one when it is built."""
    return 0 if is_stand_in(part.layer) or part.input_shape is None else part.layer._nb_unrolled(part.input_shape)


def size_of(shapes: Optional[Dict[str, Shape]]) -> Optional[int]:
    """Return how many numbers parameters of these shapes have; None if not known."""
    sizes = [product(shape) for shape in (shapes or {}).values()]
    return None if shapes is None or None in sizes else sum(filter(None, sizes))
