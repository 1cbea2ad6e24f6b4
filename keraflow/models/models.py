"""Model and Sequential: layers that are made of a graph of layers, and can be trained."""
import re
from typing import Any, Dict, List, Optional, Sequence

from keraflow import schema
from keraflow.arguments import to_list
from keraflow.errors import ArgumentTypeError, GraphError, SerializationError, describe
from keraflow.graph.call_arguments import decoded, kensors_named
from keraflow.graph.kensor import Kensor
from keraflow.graph.naming import distinct, two_of_one_name
from keraflow.layers.base import Layer, advice_for_class
from keraflow.layers.base.weights import Weights
from keraflow.layers.input import Input
from keraflow.layers.network import Network
from keraflow.models.resuming import ResumableNetwork
from keraflow.models.saving import SavableNetwork
from keraflow.models.surgery import SurgicalNetwork
from keraflow.models.to_python import COMMON, to_python
from keraflow.registry import builtin
from keraflow.schema import Name, Regularizer
from keraflow.shapes import unlist
from keraflow.training.loop import check_not_training

__all__ = ['Model', 'Sequential']

#: What follows the name of a layer in that of an output of one of its calls.
_NUMBERED = re.compile(r'_([0-9]{1,9})(?:\.[0-9]+)?')


@builtin('layer')
class Model(ResumableNetwork, SavableNetwork, SurgicalNetwork):
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
    activity_regularizer : str or object, optional
        A regularizer of the outputs; see :class:`~keraflow.layers.Layer`.

    Attributes
    ----------
    inputs, outputs : tuple of Kensor
    layers : tuple of Layer
        Each once, a layer after those that feed it.

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> x = Input(4, name='x')
    >>> model = Model(x, Dense(3, name='y')(x))
    >>> [layer.name for layer in model.layers]
    ['x', 'y']
    """

    def __init__(self, inputs: Any, outputs: Any, name: Optional[Name] = None, trainable: bool = True,
                 activity_regularizer: Optional[Regularizer] = None):
        super().__init__(name=name, trainable=trainable, activity_regularizer=activity_regularizer)
        self._set_ends([self._as_input(it) for it in to_list(inputs)], [self._as_output(it) for it in to_list(outputs)])

    def _as_input(self, it: Any) -> Input:
        if isinstance(it, Sequential) and it.layers and isinstance(it.layers[0], Input):
            it = it.layers[0]
        if not isinstance(it, Input):
            raise GraphError(f'{self.name}: inputs: expected an Input, received {describe(it)}. '
                             'Start the model at an Input.')
        return it

    def _as_output(self, it: Any) -> Kensor:
        kensor = it.as_kensor() if isinstance(it, Layer) else it
        if not isinstance(kensor, Kensor):
            advice = getattr(it, 'how_to_feed', ' Pass what a layer returned.')
            raise GraphError(f'{self.name}: outputs: expected a Kensor, received {describe(it)}.{advice}')
        return kensor

    def _made(self, inputs: Any, outputs: Any, **common: Any) -> 'Model':
        return Model(inputs, outputs, trainable=self.trainable, **common)

    def to_python(self) -> str:
        """Python source that builds the same model; see :func:`keraflow.models.to_python.to_python`."""
        return to_python(self)

    def pack_init_param(self) -> Dict[str, Any]:
        names = self.names.kensors
        params = {'layers': self.layer_ids(), 'path': self.path, 'inputs': [names[kensor] for kensor in self.inputs],
                  'outputs': [names[kensor] for kensor in self.outputs]}
        return {**self._remembered_common(), **params}

    def _remembered_common(self) -> Dict[str, Any]:
        return {name: value for name, value in self._remembered_arguments().items() if name in COMMON}

    @classmethod
    def unpack_init_param(cls, params: Dict[str, Any]) -> Dict[str, Any]:
        rest = dict(params)
        try:
            layers, path, inputs, outputs = (rest.pop(key) for key in ('layers', 'path', 'inputs', 'outputs'))
        except KeyError as error:
            raise SerializationError(
                f'Model: {error} is missing. A model has layers, path, inputs and outputs.') from None
        for what, names in (('inputs', inputs), ('outputs', outputs)):
            if not _are_names(names):
                raise SerializationError(f'Model: {what}: expected a list of names, received {describe(names)}.')
        kensors = _relink(layers, path)
        for name in [*inputs, *outputs]:
            if name not in kensors:
                raise SerializationError(
                    f"Model: there is no '{name!s:.60}' among the Inputs and the outputs of the path.")
        return {'inputs': [kensors[name] for name in inputs], 'outputs': [kensors[name] for name in outputs], **rest}


def _relink(layers: Any, path: Any) -> Dict[str, Kensor]:
    """Feed the layers as the path says; the Kensors by name."""
    if not isinstance(layers, dict) or not all(isinstance(layer, Layer) for layer in layers.values()):
        raise SerializationError('Model: layers: expected a mapping from names to layers.')
    namer = object()
    for name, layer in layers.items():
        layer.suggest_name(name, namer)
    kensors: Dict[str, Kensor] = {name: layer for name, layer in layers.items() if isinstance(layer, Input)}
    if not isinstance(path, list):
        raise SerializationError(f'Model: path: expected a list of calls, received {describe(path)}.')
    for step in path:
        if not _is_call(step) or step[1] not in layers or not kensors.keys() >= {*step[0], *kensors_named(step[3:])}:
            raise SerializationError(f'Model: path: expected [names of inputs that are there, name of a layer, name '
                                     'of the output], '
                                     f'received {step!r:.100}.')
        fed, layer_name, made, *arguments = step
        inputs, layer = [kensors[name] for name in fed], layers[layer_name]
        given = decoded(arguments[0], kensors) if arguments else {}
        outputs = to_list(layer(inputs if layer.multi_input else unlist(inputs), **given))
        numbered = _NUMBERED.fullmatch(str(to_list(made)[0])[len(str(layer_name)):]) if made else None
        if numbered is not None:
            outputs[0].call.suggest_number(int(numbered[1]), None, namer)
        kensors.update(zip(to_list(made), outputs))
    return kensors


def _is_call(step: Any) -> bool:
    """Whether a step of a path is made of names, and perhaps a dict of arguments."""
    return isinstance(step, (list, tuple)) and len(step) in (3, 4) and _are_names(step[0]) and _are_names(
        [step[1], *to_list(step[2])]) and all(isinstance(one, dict) for one in step[3:])


def _are_names(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and all(isinstance(name, str) for name in data)


@builtin('layer')
class Sequential(Model):
    """Layers, each fed with the output of the one before.

    If the first one is an Input, it is a model, and a Kensor wherever one is wanted. Else it is a layer, with one
    input or several as its first layer has.

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
        Network.__init__(self, name=name, trainable=trainable, activity_regularizer=activity_regularizer)
        self._set_graph([], [])
        self._by_name: Dict[str, Layer] = {}
        for layer in layers:
            self._append(layer)
        self._settle_names()

    @property
    def is_model(self) -> bool:
        """Whether the first layer is an Input."""
        return bool(self._own_layers) and isinstance(self._own_layers[0], Input)

    def add(self, layer: Layer) -> None:
        """Append a layer. A model that was compiled must be compiled again."""
        self._append(layer)
        self._settle_names()

    def _append(self, layer: Layer) -> None:
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(f'{type(self).__name__}: layers: expected a layer, received {describe(layer)}.'
                                    f'{advice_for_class(layer)}')
        check_not_training(self, f'{self.name}: add', 'Add all layers first.')
        if self._backend is not None:
            raise GraphError(
                f'{self.name}: a layer cannot be added after the Sequential was fed. Add all layers first.')
        kept = layer.name_kept_from(self._as_namer)
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
        return super().layer_ids() if self.is_model else Weights.layer_ids(self)

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

    def output(self, x: Any) -> Any:
        if self.is_model:
            return super().output(x)
        for layer in self.layers:
            x = self.embed(layer)(x)
        return x

    def output_shape(self, input_shape: Any) -> Any:
        return super().output_shape(input_shape) if self.is_model else None     # what the last layer said of its output

    def pack_init_param(self) -> Dict[str, Any]:
        # Names are part of it where they do not follow from the list alone, because other models share layers.
        names = list(self.names.layers)
        layers = list(self.names.layers.values())
        are_own = names == distinct([layer.user_name for layer in layers], [layer.name_prefix for layer in layers])
        return {'layers': list(self.layers), **({} if are_own else {'names': names}), **self._remembered_common()}

    @classmethod
    def unpack_init_param(cls, params: Dict[str, Any]) -> Dict[str, Any]:
        rest = dict(params)
        names, namer = rest.pop('names', []), object()
        layers = list({id(layer): layer for layer in rest.get('layers', []) if isinstance(layer, Layer)}.values())
        if names:
            schema.check(names, Sequence[Name], 'Sequential: names')
        for name, layer in zip(names, layers):
            layer.suggest_name(name, namer)
        return rest
