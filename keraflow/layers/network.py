"""A layer made of a graph of layers: the common base of Model and Sequential."""
from collections import Counter
from typing import Any, Dict, List, Optional, Sequence, Tuple

from keraflow import backend as B
from keraflow import random, shapes
from keraflow.arguments import to_list
from keraflow.errors import BackendError, GraphError, ShapeError, describe
from keraflow.graph import naming
from keraflow.graph.call_arguments import encoded
from keraflow.graph.kensor import Call, Kensor, calls_behind, replay, symbolic_tensors
from keraflow.graph.records import RunRecord, frozen, recording
from keraflow.layers.base import Layer
from keraflow.layers.base.calls import Calls
from keraflow.layers.base.channels import PlacedShape, placed_for
from keraflow.layers.base.embedded_changes import EMBEDDED_ARGUMENTS, EmbeddedArguments, EmbeddedChanges
from keraflow.layers.base.planned import EmbeddedInputs
from keraflow.layers.base.reporting import penalize
from keraflow.layers.base.run_state import running_host
from keraflow.layers.diagram import diagram_of
from keraflow.layers.input import Input
from keraflow.layers.network_names import Names
from keraflow.layers.parts import Part
from keraflow.layers.summary import summary_table
from keraflow.plots import Picture, shown_in_notebook
from keraflow.schema import Natural, Path
from keraflow.schema.checked import checked
from keraflow.shapes import unlist

__all__ = ['Network', 'NetworkCalls', 'NetworkChanges']


class NetworkCalls(Calls):
    """The calls of a network; before the first one, its own graph represents them."""

    __slots__ = ()

    @property
    def are_symbolic(self) -> bool:
        return bool(self._layer.calls) or super().are_symbolic

    def record(self, fed: Optional[Sequence[Kensor]] = None) -> RunRecord:
        network = self._layer
        if len(self) or not network.calls:
            return super().record(fed)
        with B.phase('train'), recording() as record, frozen(not network.trainable):
            outputs = symbolic_tensors(network.outputs, keep=False)
            B.symbolic(lambda: penalize(network, outputs), [])
        return record


class NetworkChanges(EmbeddedChanges):
    """Changes of the layers of a network, by their names there; of a graph without calls as of any host."""

    __slots__ = ()

    def layers(self) -> Dict[str, Any]:
        return dict(self._host.names.layers) if self._host.calls else super().layers()

    def are_complete(self) -> bool:
        # A graph that no host makes is written as it is.
        return bool(self._came_with) if self._host.calls else super().are_complete()

    def note_parts(self) -> None:
        for layer in self._host.layers if self._host.calls else ():
            self.note(layer)

    def take(self, arguments: EmbeddedArguments) -> None:
        super().take(arguments)
        if self._host.calls:
            self.check_keys('layer')


class Network(Layer):
    """Everything computed between Inputs and outputs, as one layer.

    Attributes
    ----------
    inputs : tuple of Input
    outputs : tuple of Kensor
    calls : tuple of Call
        The calls behind the outputs, each after those that feed it.
    layers : tuple of Layer
        Each once, after those that feed it.
    names : Names
        The names of the layers and Kensors.
    """

    inputs = Part('Where data enter.')
    outputs = Part('What is predicted.')
    calls = Part('The calls behind the outputs, a call after those that feed it.')
    layers = Part('Each layer once, after those that feed it.')

    def __init__(self, **common: Any):
        super().__init__(**common)
        self._calls = NetworkCalls(self)
        self._changes = NetworkChanges(self, common.get(EMBEDDED_ARGUMENTS))
        self._as_namer = object()       # names the layers; they would keep the network itself alive
        self.names = Names(self, [], [], self._as_namer)
        # A model that output() makes in each run is not one of the program's.
        self._stream = random.Stream(is_counted=running_host() is None)

    def _set_graph(self, inputs: Sequence[Input], outputs: Sequence[Kensor], calls: Sequence[Call] = (),
                   layers: Sequence[Layer] = ()) -> None:
        self._own_inputs, self._own_outputs = list(inputs), list(outputs)
        self._own_calls, self._own_layers = list(calls), list(layers)

    def _set_ends(self, inputs: Sequence[Input], outputs: Sequence[Kensor]) -> None:
        calls = calls_behind(outputs)
        self._set_graph(inputs, outputs, calls, list({id(call.layer): call.layer for call in calls}.values()))
        self._check_graph()
        self.multi_input = len(inputs) > 1

    def _check_graph(self) -> None:
        if not self.outputs or not self.inputs:
            raise GraphError(f'{self.name}: expected at least one input and one output.')
        ends: Dict[str, Sequence[Kensor]] = {'inputs': self.inputs, 'outputs': self.outputs}
        for what, kensors in ends.items():
            for kensor, count in Counter(kensors).items():
                if count > 1:
                    raise GraphError(f"{self.name}: {what}: expected each Kensor once, received '{kensor.name}' twice.")
        for kensor in self.inputs:
            if not any(kensor is layer for layer in self.layers):
                raise GraphError(
                    f"{self.name}: no output depends on the Input '{kensor.name}'. Remove it from inputs, or use it.")
            if kensor.batch_size != self.inputs[0].batch_size:
                raise GraphError(
                    f'{self.name}: the Inputs have different batch sizes: {[it.batch_size for it in self.inputs]}. '
                    'Give them the same, or none.')
        for layer in self.layers:
            if isinstance(layer, Input) and not any(layer is kensor for kensor in self.inputs):
                raise GraphError(
                    f"{self.name}: the outputs depend on the Input '{layer.name}', which is not one of inputs. Add it.")
        self._settle_names()

    def _settle_names(self) -> None:
        layers = list({id(layer): layer for layer in self.layers}.values())
        with naming.LOCK:   # another thread may name the same layers for its model
            self.names = Names(self, layers, self.calls, self._as_namer)

    def layer_ids(self) -> Dict[str, Layer]:
        """Return the layers by their names in the network, which are the same in each run of a program."""
        return dict(self.names.layers)

    def inner_layer(self, name: str) -> Any:
        return self.names.layer(name) if self.calls else super().inner_layer(name)

    @property
    def path(self) -> List[list]:
        """The calls as ``[input names, layer name, output name(s)]``, with the names of :meth:`layer_ids`.

        Arguments of a call are a fourth item, with ``{'input': name}`` for a Kensor.
        """
        names = self.names.kensors
        return [[[names[kensor] for kensor in call.fed], self.names.of[id(call.layer)],
                 unlist([names[kensor] for kensor in call.outputs]),
                 *([encoded(call.arguments, names)] if call.arguments else [])]
                for call in self.calls if call.inputs]

    @checked
    def get_kensor(self, name: str) -> Kensor:
        """Return the Kensor with a name.

        Parameters
        ----------
        name : str
            ``'conv0/output'`` for the output of the only call of a layer, ``'conv0_1'`` for that of its second call;
            ``'split0/output.1'`` and ``'split0_1.1'`` for the second of several outputs. An Input has its own name.

        Raises
        ------
        GraphError
            If there is none; the message lists the names.
        """
        return self.names.kensor(name)

    @checked
    def get_layer(self, name: str) -> Layer:
        """Return the layer with a name; ``'host/0'`` for an embedded one.

        Raises
        ------
        GraphError
            If there is none; the message lists the names.
        """
        layer: Layer = self
        inner = name.split('/')
        # A name may begin with that of the network itself, unless a layer in it has the same one.
        is_whole = inner[0] == self.name and len(inner) > 1 and self.inner_layer(inner[0]) is None
        for one in inner[is_whole:]:
            found = layer.inner_layer(one)
            if found is None:
                has = f"{layer.name} has {', '.join(layer.layer_ids()) or 'none'}."
                if layer is self:
                    name, has = one, f"It has {', '.join(self.layer_ids())}."
                raise GraphError(f"{self.name}: there is no layer '{name}'. {has}")
            layer = found
        return layer

    # -- a model is a layer -----------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape: Any) -> None:
        for kensor, shape in zip(self.inputs, input_shape if self.multi_input else [input_shape]):
            if not shapes.agree(kensor.shape, shape):
                raise ShapeError(
                    f"{self.name}: expected shape {kensor.shape} for the input '{kensor.name}', received {shape}.")

    def embed(self, layer: Layer) -> Any:
        if not any(layer is one for one in self.layers):
            raise GraphError(f'{self.name}: output() calls {describe(layer)}, which is not a layer of this model: a '
                             'model has those of its graph alone. Call the model and the layer in output() of a Layer.')
        return super().embed(layer)

    def run(self, tensors: List[Any], arguments: Optional[Dict[str, Any]] = None) -> List[Any]:
        with random.drawing(random.drawn_stream() or self._stream):     # that of the outermost model
            return super().run(tensors, arguments)

    def output(self, x: Any, *, mask: Any = None) -> Any:
        tensors = replay(self.calls, self._bind(x if self.multi_input else [x], to_list(mask)))
        return unlist([tensors[kensor] for kensor in self.outputs])

    def output_shape(self, input_shape: Any) -> Any:
        fed = input_shape if self.multi_input else [input_shape]
        inputs, outputs = ([PlacedShape(kensor.shape, kensor.features) for kensor in end]
                           for end in (self.inputs, self.outputs))
        return unlist(placed_for(inputs, outputs, fed))

    _places_features = False

    def embedded_inputs(self, input_shape: Any) -> EmbeddedInputs:
        fed: Dict[int, List[Any]] = {}
        for call in self.calls:
            fed.setdefault(id(call.layer), [kensor.shape for kensor in call.fed])
        shapes_by_layer = {name: (layer, fed[id(layer)]) for name, layer in self.names.layers.items()}
        return {name: (layer, shapes if layer.multi_input else shapes[0])
                for name, (layer, shapes) in shapes_by_layer.items() if shapes}

    def _bind(self, tensors: Sequence[Any], masks: Sequence[Any]) -> Dict[Kensor, Any]:
        """Make tensors for the Inputs. One with a mask value computes its mask, others are fed theirs."""
        own = [self.set_tensor_mask(tensor, mask) for tensor, mask in zip(tensors, masks)]
        return {kensor: tensor if kensor.mask_value is None else kensor.mark(tensor)
                for kensor, tensor in zip(self.inputs, own)}

    @property
    def embedded_layers(self) -> Tuple[Layer, ...]:
        return self.layers

    @property
    def built(self) -> bool:
        return bool(self._own_calls) or super().built

    def summary(self) -> str:
        """Print a table of the layers, with shapes, parameter counts and connections, and return it as a string."""
        text = summary_table(self)
        print(text)
        return text

    @checked
    def plot(self, path: Optional[Path] = None, depth: Optional[Natural] = None, overwrite: bool = False) -> Picture:
        """Draw the graph: the calls of the layers with their shapes and parameters, and the layers inside them.

        Parameters
        ----------
        path : path, optional
            A file to write. A name that ends with ``.svg`` makes a picture; ``.html`` a page for a browser, in which
            it can be moved, zoomed and searched, and layers are opened by a click.
        depth : int, optional
            How many levels of layers inside layers are open. By default all in a picture, and none in a page.
        overwrite : bool
            Whether to replace an existing file.

        Returns
        -------
        Picture
            Notebooks show it. Its attributes ``svg`` and ``html`` are the text of the files, the same bytes for the
            same model.

        Examples
        --------
        >>> from keraflow.layers import Dense, Input
        >>> from keraflow.models import Sequential
        >>> Sequential([Input(4), Dense(3)], name='small').plot()
        <Picture of small: 2 boxes>
        """
        picture = Picture(diagram_of(self), depth)
        if path is not None:
            picture.save(path, overwrite)
        return picture

    def _repr_svg_(self) -> Optional[str]:      # for notebooks
        return shown_in_notebook(diagram_of(self))

    def input_names(self) -> List[str]:
        """Return the names of the Inputs, by which data may be passed."""
        return [self.names.of[id(kensor)] for kensor in self._own_inputs]

    def output_names(self) -> List[str]:
        """Return the names of the output layers, or of the Kensors if one layer has several outputs."""
        layers = [id(kensor.layer) for kensor in self.outputs]
        return [self.names.of[layer] if layers.count(layer) == 1 else self.names.short(kensor)
                for layer, kensor in zip(layers, self.outputs)]

    def check_runnable(self) -> None:
        """Raise unless the network has Inputs and was made on the current backend."""
        if not self._own_inputs:
            raise GraphError(f'{self.name}: a Sequential is a model only if its first layer is an Input. '
                             'Write Sequential([Input(...), ...]), or use it as a layer.')
        self._check_backend()

    def _check_backend(self) -> None:
        super()._check_backend()
        made_on = self._own_inputs[0].backend_name if self._own_inputs else B.name()
        if made_on != B.name():
            raise BackendError(f"{self.name}: was made on the backend '{made_on}', the current one is '{B.name()}'. "
                               f"Call keraflow.backend.use('{made_on}') first.")
