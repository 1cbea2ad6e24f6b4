"""LayerAccess: what every layer has, and what a program may ask it."""
from typing import Any, Collection, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.errors import ArgumentError, GraphError, SerializationError
from keraflow.graph.guards import changing, reading
from keraflow.graph.kensor import Kensor
from keraflow.graph.parameters import parameters_of
from keraflow.graph.trainability import as_read
from keraflow.habits import no_attribute
from keraflow.layers.base.calls import Calls
from keraflow.layers.base.channels import PlacedShape, inherited_features
from keraflow.layers.base.code_names import names_used
from keraflow.layers.base.copying import copied
from keraflow.layers.base.embedded_changes import EmbeddedArguments, EmbeddedChanges
from keraflow.layers.base.first_run import FirstRun
from keraflow.layers.base.inputs import check_inputs
from keraflow.layers.base.layer_name import LayerName
from keraflow.layers.base.parameter_arguments import by_parameter, check_not_read, initial_values
from keraflow.layers.base.parameters import Parameters
from keraflow.layers.base.planned import shapes_of_parameters
from keraflow.layers.base.reporting import Reports
from keraflow.layers.base.run_state import run_of
from keraflow.layers.base.running import build
from keraflow.layers.base.side_results import losses_for, losses_of, updates_for, updates_of
from keraflow.layers.base.slots import Slots
from keraflow.layers.base.variables import Parameter, Variables
from keraflow.layers.base.weights import parameters_in, present_names, set_weights
from keraflow.sameness import same
from keraflow.schema.checked import checked
from keraflow.serialization import Serializable
from keraflow.serialization.reserved import of_program
from keraflow.shapes import Shape, unlist

__all__ = ['LayerAccess']


class LayerAccess(Serializable):
    """The base of :class:`~keraflow.layers.Layer`: what every layer has, whatever it computes.

    ``__init__`` makes an object for each thing; the methods below give access to them.
    """

    #: Attributes that a copy does not get.
    never_copied: frozenset = frozenset()
    renamed_members = {'fresh_attributes': 'never_copied'}
    initial_weights = initial_values('initial_weights')
    regularizers = by_parameter('regularizers')
    constraints = by_parameter('constraints')
    _name: LayerName
    _parameters: Parameters
    _slots: Slots
    _calls: Calls
    _changes: EmbeddedChanges
    _reports: Reports
    _first_run: FirstRun

    def __init__(self, name: Optional[str], dtype: Optional[str], embedded_arguments: EmbeddedArguments):
        vars(self).update(
            _name=LayerName(self, name), _parameters=Parameters(self, dtype), _slots=Slots(self), _calls=Calls(self),
            _changes=EmbeddedChanges(self, embedded_arguments), _reports=Reports(self), _first_run=FirstRun())

    def _remember(self, given: Dict[str, Any], passed: Dict[str, Any], gives: Collection[str]) -> None:
        if '_slots' not in vars(self):
            raise ArgumentError(f'{type(self).__name__}: __init__ does not call super().__init__(**kwargs). '
                                'Write it as its first line.')
        super()._remember(given, passed, gives)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self._name.shown()}>'

    # -- the name -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The user's name, or that in the first model or host that takes the layer; before that, it is numbered by
        class when first asked for."""
        return self._name.text

    @name.setter
    def name(self, name: str) -> None:
        raise ArgumentError(f'{self!r}: its name cannot be changed, because Kensors and files refer to it. Pass '
                            f'name={name!r} where the layer is made.')

    @property
    def name_prefix(self) -> str:
        """The word before the number where the user gave no name: by default its class."""
        return type(self).__name__.lower()

    @property
    def user_name(self) -> Optional[str]:
        """The name that the user gave; None if none."""
        return self._passed.get('name')

    # -- the parameters -----------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the parameters now, for a static input shape with the batch (a list of shapes for several inputs).

        Examples
        --------
        >>> from keraflow.layers import Dense
        >>> dense = Dense(2)
        >>> dense.build((None, 3))
        >>> dense.built, dense.count_params()
        (True, 8)
        """
        build(self, input_shape)

    @property
    def built(self) -> bool:
        """Whether the parameters are made."""
        return self._parameters.are_made

    @property
    def dtype(self) -> Any:
        """The dtype of the parameters; ``None`` before it is known."""
        return self._parameters.dtype

    @property
    def trainable(self) -> bool:
        """Whether training changes the parameters. Functions of a model keep what ``compile`` read."""
        return as_read(self, vars(self)['trainable'])

    @trainable.setter
    def trainable(self, value: bool) -> None:
        vars(self)['trainable'] = value     # where saving looks it up

    def parameters(self, trainable: bool = True, prefix: str = '') -> Iterator[Parameter]:
        """Yield the parameters in the order in which they were made, then those of embedded layers."""
        return parameters_in(self, trainable and self.trainable, prefix)

    @property
    def variables(self) -> Variables:
        """All parameters, as variables of the backend: ``layer.variables.W``, ``layer.variables['0/W']``."""
        return Variables.of(parameters_of([self]))

    @property
    def trainable_variables(self) -> Variables:
        """The variables that training changes."""
        return Variables.of([one for one in parameters_of([self]) if one.trainable])

    @property
    def non_trainable_variables(self) -> Variables:
        """The variables that training does not change: states, and parameters of frozen layers."""
        return Variables.of([one for one in parameters_of([self]) if not one.trainable])

    def count_params(self) -> int:
        """Count the numbers in all parameters.

        Raises
        ------
        ArgumentError
            If the parameters are not made yet.
        """
        self._parameters.check_made('Feed it first.')
        return sum(int(np.prod(B.static_shape(variable))) for variable in self.variables)

    def param_shapes(self, input_shape: Any) -> Optional[Dict[str, Shape]]:
        """Return the shapes of all parameters, those of embedded layers included, for a static input shape (a list of
        shapes for several inputs). No backend is asked, and nothing is made.

        ``None`` if they are not known before they are made: a class with its own :meth:`output` must define
        :meth:`param_specs`.

        Examples
        --------
        >>> from keraflow.layers import Dense, TimeDistributed
        >>> TimeDistributed(Dense(2)).param_shapes((None, 5, 3))
        {'0/W': (3, 2), '0/b': (2,)}
        """
        return shapes_of_parameters(self, input_shape)

    def get_weights(self) -> Dict[str, np.ndarray]:
        """Return copies of all parameters and states by name; ``0/W`` for one of an embedded layer.

        All are of the same step, even if another thread trains the layer.
        """
        self._check_backend()
        with reading(self):
            return {one.name: B.get_value(one.variable) for one in parameters_of([self])}

    def set_weights(self, weights: Any) -> None:
        """Set parameters and states from a dict by name (some may be missing), a list in the order of
        :meth:`get_weights`, or one array.

        Raises
        ------
        ArgumentError
            For an unknown name or too many arrays; also if the parameters are not made yet.
        ShapeError
            If an array has the wrong shape. Nothing is changed then.
        """
        self._check_backend()
        set_weights(self, weights)

    def present_names(self, by_name: Dict[str, Any]) -> Dict[str, Any]:
        """Return a dict by current names of parameters; its keys may have slot numbers instead of names of layers."""
        return present_names(self, by_name)

    def _check_backend(self) -> None:
        self._parameters.check_backend()

    # -- the layers in it ---------------------------------------------------------------------------------------------

    @property
    def embedded_layers(self) -> Tuple[Any, ...]:
        """The layers inside this one: those in its slots."""
        return tuple(self._slots.layers)

    def layer_ids(self) -> Dict[str, Any]:
        """Return the layers inside this one by the names that weights use: their slot numbers."""
        return self._numbered_layers()

    def embedded_changes(self) -> Dict[str, Dict[str, Any]]:
        """Return the ``embedded_arguments`` that give another such layer the embedded layers of this one."""
        return self._changes.now()

    def inner_layer(self, name: str) -> Any:
        """Return the layer inside this one with a name, its own or that of :meth:`layer_ids`; None if there is none."""
        names = self.layer_ids()
        return names.get(name) or next((layer for layer in names.values() if layer.name == name), None)

    def reset_states(self) -> None:
        """Let stateful recurrent layers inside this one start their next batch with zeros.

        Raises
        ------
        ArgumentError
            If there are none.
        """
        layers = list(self._stateful_layers())
        if not layers:
            raise ArgumentError(f'{self.name}: reset_states: no layer in it keeps states. Make a recurrent one with '
                                'stateful=True.')
        with changing(self):
            for layer in layers:
                layer.reset_states()

    def _stateful_layers(self) -> Iterator[Any]:
        for layer in self.embedded_layers:
            yield from layer._stateful_layers()

    def _numbered_layers(self) -> Dict[str, Any]:
        return {str(number): layer for number, layer in enumerate(self.embedded_layers)}

    def _slot_names(self) -> List[str]:
        """Return the names that older files have for those of :meth:`layer_ids`."""
        return list(self.layer_ids())

    # -- the calls ----------------------------------------------------------------------------------------------------

    @property
    def nb_call(self) -> int:
        """The number of calls on Kensors."""
        return len(self._calls)

    @checked
    def get_input_at(self, index: int) -> Any:
        """Return the input Kensor (or list of Kensors) of a call.

        Raises
        ------
        GraphError
            If there is no such call.
        """
        return unlist(list(self._calls.at(index).fed))

    @checked
    def get_output_at(self, index: int) -> Any:
        """Return the output Kensor (or list of Kensors) of a call; raises as :meth:`get_input_at`."""
        return unlist(list(self._calls.at(index).outputs))

    @checked
    def get_input_shape_at(self, index: int) -> Any:
        """Return the static input shape (or list of shapes) of a call; raises as :meth:`get_input_at`."""
        return unlist([kensor.shape for kensor in self._calls.at(index).fed])

    @checked
    def get_output_shape_at(self, index: int) -> Any:
        """Return the static output shape (or list of shapes) of a call; raises as :meth:`get_input_at`."""
        return unlist([kensor.shape for kensor in self._calls.at(index).outputs])

    @property
    def input_kensor(self) -> Any:
        """The input of the only call; a CallError if there is none or several."""
        return unlist(list(self._calls.only('input').fed))

    @property
    def output_kensor(self) -> Any:
        """The output of the only call; a CallError if there is none or several."""
        return unlist(list(self._calls.only('output').outputs))

    @property
    def input_kensor_shape(self) -> Any:
        """The static input shape of all calls; a CallError if they differ, or there is no call."""
        return self._calls.common(list(map(self.get_input_shape_at, range(self.nb_call))), 'input')

    @property
    def output_kensor_shape(self) -> Any:
        """The static output shape of all calls; a CallError if they differ, or there is no call."""
        return self._calls.common(list(map(self.get_output_shape_at, range(self.nb_call))), 'output')

    def as_kensor(self) -> Kensor:
        """Raise a GraphError; an Input, and a Sequential that starts with one, return the Kensor they represent."""
        raise GraphError(f'{self.name}: expected a Kensor, received the layer {type(self).__name__} itself. '
                         f'Feed it first: {type(self).__name__}(...)(x).')

    def _link(self, kensors: List[Kensor], arguments: Dict[str, Any]) -> List[Kensor]:
        return self._calls.link(kensors, arguments)

    # -- what the calls yield besides Kensors -------------------------------------------------------------------------
    # Symbolic tensors of a run in the train phase, fed by ``kensor.tensor`` of the Inputs. For calls on tensors, use
    # :func:`keraflow.recording`; a layer that was only called on tensors still yields the values of its regularizers.

    @property
    def losses(self) -> List[Any]:
        """Scalars of the regularizers and of ``add_loss``; those that depend on parameters alone count once."""
        return losses_of(self)

    @property
    def updates(self) -> List[Tuple[Any, Any]]:
        """Pairs of a state and its value after all calls."""
        return updates_of(self)

    def get_losses_for(self, inputs: Any) -> List[Any]:
        """Return the losses that depend on the inputs of some calls.

        Parameters
        ----------
        inputs : Kensor, list of Kensor or None
            The inputs of a call; ``None`` for the losses that depend on parameters alone.

        Raises
        ------
        GraphError
            If the layer was not called on these Kensors.
        """
        return losses_for(self, inputs)

    def get_updates_for(self, inputs: Any) -> List[Tuple[Any, Any]]:
        """Return the updates that depend on the inputs of some calls; as :meth:`get_losses_for`."""
        return updates_for(self, inputs)

    # -- arguments and attributes that are set ------------------------------------------------------------------------

    def _taken(self, name: str, value: Any) -> Any:
        if run_of(self) is None:
            value = super()._taken(name, value)
            check_not_read(self, name, value)
            return value
        before = vars(self)[name]
        if not same(before, value):     # set by init_param() or output(), which a rebuilt layer calls again
            self._passed[name] = before
            self._kept -= {name}
        return value

    def _computes_with(self, name: str) -> bool:
        return run_of(self) is None and name not in self.never_copied and \
            bool(names_used(of_program(type(self)), {name}, skipped=('__init__',)))

    def _remembered_arguments(self) -> Dict[str, Any]:
        return self._changes.added_to(super()._remembered_arguments())

    def _forget_parameters(self) -> None:
        """Return to the state before the first run."""
        self._parameters.forget(self._passed.get('dtype'))
        self._slots.forget()
        self._reports.forget()
        self._first_run.forget()

    def _nb_unrolled(self, input_shape: Any) -> int:
        """Return how many steps the layer takes one by one when it is built, which no shape of a parameter bounds."""
        return 0

    def _features_of(self, shape: Shape, fed: Sequence[PlacedShape]) -> Optional[int]:
        """Return the axis of the features of an output of this shape, unless what the layer calls says it."""
        return inherited_features(shape, fed)

    def _check_inputs(self, received: List[TensorSpec]) -> None:
        check_inputs(self, received)

    # -- copies, and old names ----------------------------------------------------------------------------------------

    def __deepcopy__(self, memo: Dict[int, Any]) -> Any:
        """Return a layer with equal arguments and values, and variables of its own. It gets a new name (the layers
        inside it keep theirs), so that both can be in one model."""
        return copied(self, memo)

    def __copy__(self) -> Any:
        raise GraphError(f'{self.name}: copy.copy would share the parameters of this {type(self).__name__} without '
                         'saying so. Write copy.deepcopy for a copy with its own parameters, or use the same object '
                         'twice.')

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise SerializationError(f'{self.name}: a layer is not pickled, because reading a pickle can run code. '
                                 'Write keraflow.serialize(layer) and get_weights(), or copy.deepcopy for a copy.')

    def __getattr__(self, name: str) -> Any:
        now = self._current_names.get(name, name)
        if now != name or hasattr(type(self), name):        # a property that itself raised an AttributeError
            return object.__getattribute__(self, now)
        raise no_attribute(f"'{type(self).__name__}' object", name, dir(type(self)))
