"""Model and Sequential: layers that are made of a graph of layers, and can be trained."""
from typing import Any, Dict, Iterator, List, Optional, Sequence

from keraflow import backend as B
from keraflow import shapes
from keraflow.arguments import to_list
from keraflow.errors import ArgumentTypeError, GraphError, SerializationError, ShapeError
from keraflow.kensor import Call, Kensor, calls_behind, replay
from keraflow.layers.base import Layer, Parameter
from keraflow.layers.input import Input
from keraflow.registry import builtin
from keraflow.saving import SavingMixin
from keraflow.schema import Name
from keraflow.shapes import unlist
from keraflow.summary import summary_table
from keraflow.training import TrainingMixin

__all__ = ['Model', 'Sequential']


@builtin('layer')
class Model(TrainingMixin, SavingMixin, Layer):
    """All that is computed between some Inputs and some outputs.

    Parameters
    ----------
    inputs : Input or list of Input
        Where data enter. Every one is needed for the outputs, and there are no others.
    outputs : Kensor or list of Kensor
        What is predicted. A Sequential that starts with an Input stands for its output.
    name : str, optional
    trainable : bool
        Whether training changes the parameters of any layer in it.

    Attributes
    ----------
    inputs, outputs : list of Kensor
    layers : list of Layer
        Each once, a layer after those that feed it.

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> x = Input(4, name='x')
    >>> model = Model(x, Dense(3, name='y')(x))
    >>> [layer.name for layer in model.layers]
    ['x', 'y']
    """

    def __init__(self, inputs: Any, outputs: Any, name: Optional[Name] = None, trainable: bool = True):
        super().__init__(name=name, trainable=trainable)
        self._set_graph([self._as_input(it) for it in to_list(inputs)], [self._as_output(it) for it in to_list(outputs)])

    # -- the graph --------------------------------------------------------------------------------------------------

    def _as_input(self, it: Any) -> Input:
        if isinstance(it, Sequential) and it.layers and isinstance(it.layers[0], Input):
            it = it.layers[0]
        if not isinstance(it, Input):
            raise GraphError(f'{self.name}: inputs: expected an Input, received {it!r}. Start the model at an Input.')
        return it

    def _as_output(self, it: Any) -> Kensor:
        kensor = it.as_kensor() if isinstance(it, Layer) else it
        if not isinstance(kensor, Kensor):
            raise GraphError(f'{self.name}: outputs: expected a Kensor, received {it!r}. Pass what a layer returned.')
        return kensor

    def _set_graph(self, inputs: List[Input], outputs: List[Kensor]) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.calls: List[Call] = calls_behind(outputs)
        self.layers = list({id(call.layer): call.layer for call in self.calls}.values())
        self._check_graph()
        self.multi_input = len(inputs) > 1

    def _check_graph(self) -> None:
        if not self.outputs or not self.inputs:
            raise GraphError(f'{self.name}: expected at least one input and one output.')
        for kensor in self.inputs:
            if not any(kensor is layer for layer in self.layers):
                raise GraphError(f"{self.name}: no output depends on the Input '{kensor.name}'. Remove it from inputs, or use it.")
            if kensor.batch_size != self.inputs[0].batch_size:
                raise GraphError(f'{self.name}: the Inputs have different batch sizes: {[it.batch_size for it in self.inputs]}.')
        for layer in self.layers:
            if isinstance(layer, Input) and not any(layer is kensor for kensor in self.inputs):
                raise GraphError(f"{self.name}: the outputs depend on the Input '{layer.name}', which is not one of inputs. Add it.")
        if len({layer.name for layer in self.layers}) < len(self.layers):
            raise GraphError(f'{self.name}: {self._twice()} is the name of two layers. Give each layer of a model its own name.')

    def _twice(self) -> str:
        names = sorted(layer.name for layer in self.layers)
        return next(f"'{one}'" for one, following in zip(names, names[1:]) if one == following)

    def layer_ids(self) -> Dict[str, Layer]:
        """The layers by the names that files and weights use: the user's, else class and position, the same in each run of a program."""
        taken = {layer.user_name for layer in self.layers}
        counts: Dict[str, int] = {}
        found = {}
        for layer in self.layers:
            identifier = layer.user_name
            while identifier is None or (identifier in found or layer.user_name is None and identifier in taken):
                prefix = type(layer).__name__.lower()
                counts[prefix] = counts.get(prefix, 0) + 1
                identifier = f'{prefix}{counts[prefix]}'
            found[identifier] = layer
        return found

    @property
    def path(self) -> List[list]:
        """The calls as ``[input names, layer name, output name(s)]``, with the names of :meth:`layer_ids`."""
        ids = {id(layer): name for name, layer in self.layer_ids().items()}
        names = self._kensor_ids(ids)
        return [[[names[kensor] for kensor in call.inputs], ids[id(call.layer)], unlist([names[kensor] for kensor in call.outputs])]
                for call in self.calls if call.inputs]

    def _kensor_ids(self, ids: Dict[int, str]) -> Dict[Kensor, str]:
        counts: Dict[int, int] = {}
        names = {}
        for call in self.calls:
            name = ids[id(call.layer)]
            number = counts[id(call.layer)] = counts.get(id(call.layer), -1) + 1
            for position, kensor in enumerate(call.outputs):
                names[kensor] = f'{name}_{number}' + (f'.{position}' if len(call.outputs) > 1 else '') if call.inputs else name
        return names

    def get_layer(self, name: str) -> Layer:
        """The layer of this name."""
        for identifier, layer in self.layer_ids().items():
            if name in (layer.name, identifier):
                return layer
        raise GraphError(f"{self.name}: there is no layer '{name}'. It has {', '.join(self.layer_ids())}.")

    # -- a model is a layer -----------------------------------------------------------------------------------------

    def check_input_shape(self, input_shape: Any) -> None:
        for kensor, shape in zip(self.inputs, input_shape if self.multi_input else [input_shape]):
            if not shapes.agree(kensor.shape, shape):
                raise ShapeError(f"{self.name}: expected shape {kensor.shape} for the input '{kensor.name}', received {shape}.")

    def output(self, x: Any) -> Any:
        tensors = replay(self.calls, self._bind(x if self.multi_input else [x]))
        return unlist([tensors[kensor] for kensor in self.outputs])

    def output_shape(self, input_shape: Any) -> Any:
        return unlist([kensor.shape for kensor in self.outputs])

    def _bind(self, tensors: Sequence[Any]) -> Dict[Kensor, Any]:
        """Tensors for the Inputs; one with a mask value makes its own mask."""
        return {kensor: tensor if kensor.mask_value is None else kensor.mark(B.identity(tensor))
                for kensor, tensor in zip(self.inputs, tensors)}

    def parameters(self, trainable: bool = True, prefix: str = '') -> Iterator[Parameter]:
        for name, layer in self.layer_ids().items():
            yield from layer.parameters(trainable and self.trainable, f'{prefix}{name}/')

    @property
    def embedded_layers(self) -> List[Layer]:
        return list(self.layers)

    def summary(self) -> str:
        """Print a table of the layers, with shapes, numbers of parameters and connections, and return it as a string."""
        text = summary_table(self)
        print(text)
        return text

    # -- files ------------------------------------------------------------------------------------------------------

    def pack_init_param(self) -> Dict[str, Any]:
        ids = self.layer_ids()
        names = self._kensor_ids({id(layer): name for name, layer in ids.items()})
        params = {'layers': ids, 'path': self.path, 'inputs': [names[kensor] for kensor in self.inputs],
                  'outputs': [names[kensor] for kensor in self.outputs]}
        return {**self._remembered_common(), **params}

    def _remembered_common(self) -> Dict[str, Any]:
        return {name: value for name, value in self._remembered_arguments().items() if name in ('name', 'trainable')}

    @classmethod
    def unpack_init_param(cls, params: Dict[str, Any]) -> Dict[str, Any]:
        rest = dict(params)
        try:
            layers, path, inputs, outputs = (rest.pop(key) for key in ('layers', 'path', 'inputs', 'outputs'))
        except KeyError as error:
            raise SerializationError(f'Model: {error} is missing. A model has layers, path, inputs and outputs.') from None
        kensors = _relink(layers, path)
        for name in [*inputs, *outputs]:
            if name not in kensors:
                raise SerializationError(f"Model: there is no '{name!s:.60}' among the Inputs and the outputs of the path.")
        return {'inputs': [kensors[name] for name in inputs], 'outputs': [kensors[name] for name in outputs], **rest}


def _relink(layers: Any, path: Any) -> Dict[str, Kensor]:
    """Feed the layers as the path says; the Kensors by name."""
    if not isinstance(layers, dict) or not all(isinstance(layer, Layer) for layer in layers.values()):
        raise SerializationError('Model: layers: expected a mapping from names to layers.')
    for name, layer in layers.items():
        layer.suggest_name(name)
    kensors: Dict[str, Kensor] = {name: layer for name, layer in layers.items() if isinstance(layer, Input)}
    for step in path:
        try:
            fed, layer_name, made = step
            inputs, layer = [kensors[name] for name in fed], layers[layer_name]
        except (KeyError, TypeError, ValueError):
            raise SerializationError(f'Model: path: expected [names of inputs that are there, name of a layer, name of the output], '
                                     f'received {step!r:.100}.') from None
        outputs = to_list(layer(inputs if layer.multi_input else unlist(inputs)))
        kensors.update(zip(to_list(made), outputs))
    return kensors


@builtin('layer')
class Sequential(Model):
    """Layers, each fed with the output of the one before.

    If the first one is an Input, it is a model, and a Kensor wherever one is wanted. Else it is a layer, with one input or several
    as its first layer has.

    Parameters
    ----------
    layers : list of Layer
        More can be added with :meth:`add`.
    name : str, optional
    trainable : bool

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> Sequential([Input(4), Dense(3)]).outputs[0].shape
    (None, 3)
    >>> Sequential([Dense(3), Dense(2)])(Input(4)).shape
    (None, 2)
    """

    def __init__(self, layers: Sequence[Any] = (), name: Optional[Name] = None, trainable: bool = True):
        Layer.__init__(self, name=name, trainable=trainable)
        self.layers: List[Layer] = []
        self.inputs: List[Input] = []
        self.outputs: List[Kensor] = []
        self.calls = []
        for layer in layers:
            self.add(layer)

    @property
    def is_model(self) -> bool:
        """Whether the first layer is an Input."""
        return bool(self.layers) and isinstance(self.layers[0], Input)

    def add(self, layer: Layer) -> None:
        """Append a layer. A model that was compiled must be compiled again."""
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(f'{type(self).__name__}: layers: expected a layer, received {layer!r:.60}.')
        if self._backend is not None:
            raise GraphError(f'{self.name}: a layer cannot be added after the Sequential was fed. Add all layers first.')
        self.layers.append(layer)
        if isinstance(layer, Input) and len(self.layers) > 1:
            raise GraphError(f'{self.name}: an Input can only be the first layer.')
        if self.is_model:
            self._extend(layer)
        else:
            self.multi_input = self.layers[0].multi_input

    def _extend(self, layer: Layer) -> None:
        kensor = layer.as_kensor() if isinstance(layer, Input) else layer(self.outputs[0])
        first = self.layers[0]
        assert isinstance(first, Input)
        if isinstance(kensor, list):
            raise GraphError(f'{self.name}: the layer {layer.name} has several outputs. Use Model.')
        self.inputs, self.outputs = [first], [kensor]
        self.calls.append(kensor.call)
        self.forget_training()

    def layer_ids(self) -> Dict[str, Layer]:
        return super().layer_ids() if self.is_model else {str(number): layer for number, layer in enumerate(self.layers)}

    def as_kensor(self) -> Kensor:
        if not self.is_model:
            return super().as_kensor()
        return self.outputs[0]

    def check_input_shape(self, input_shape: Any) -> None:
        if self.is_model:
            super().check_input_shape(input_shape)
        elif self.layers:
            self.layers[0].check_input_shape(input_shape)
        else:
            raise GraphError(f'{self.name}: the Sequential has no layers. Add one first.')

    def output(self, x: Any) -> Any:
        if self.is_model:
            return super().output(x)
        for layer in self.layers:
            x = self.embed(layer)(x)
        return x

    def output_shape(self, input_shape: Any) -> Any:
        if self.is_model:
            return super().output_shape(input_shape)
        for layer in self.layers:
            input_shape = layer.output_shape(input_shape)
        return input_shape

    def pack_init_param(self) -> Dict[str, Any]:
        return {'layers': list(self.layers), **self._remembered_common()}

    @classmethod
    def unpack_init_param(cls, params: Dict[str, Any]) -> Dict[str, Any]:
        return params
