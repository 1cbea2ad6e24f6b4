"""The parameters of a layer: how they are made, named, listed, read and set."""
import inspect
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

# Imported for what they register: the names that `regularizers` and `constraints` may be given.
import keraflow.constraints  # noqa: F401
import keraflow.regularizers  # noqa: F401
from keraflow import backend as B
from keraflow import initializations, registry
from keraflow.arguments import as_numbers, assign, split_arrays
from keraflow.backend.contract import FLOATS
from keraflow.backend.dtypes import value_dtype
from keraflow.checked import checked
from keraflow.errors import ArgumentError, ArgumentTypeError, BackendError, GraphError, ShapeError, describe
from keraflow.guards import changing, reading
from keraflow.layers.slots import run_of
from keraflow.layers.unused import mark_owned
from keraflow.layers.variables import Parameter, Variables, by_parameter, first_values
from keraflow.parameters import parameters_of
from keraflow.schema import Constraint, DType, Initialization, Name, Natural, Regularizer
from keraflow.serialization import Serializable, same
from keraflow.tensor_checks import check_held
from keraflow.trainability import as_read

__all__ = ['ParameterOwner']


class ParameterOwner(Serializable):
    """The part of :class:`~keraflow.layers.Layer` that has parameters."""

    name: Any
    initial_weights = first_values('initial_weights')
    regularizers = by_parameter('regularizers')
    constraints = by_parameter('constraints')

    def __init__(self, dtype: Any) -> None:
        self._dtype = dtype
        self._variables: Dict[str, Any] = {}
        self._states: set = set()
        self._given: Dict[str, Dict[str, Any]] = {'regularizer': {}, 'constraint': {}}
        self._asked: Dict[str, Dict[str, Any]] = {'regularizer': {}, 'constraint': {}}      # by add_weight()
        self._backend: Any = None
        self._guard: Any = None         # of the variables, where a model runs the layer: see guards.py

    # -- what a layer uses to make them -------------------------------------------------------------------------------

    def init_param(self, input_shape: Any) -> None:
        """Make the parameters, with :meth:`set_trainable_params`, for inputs of this static shape (a list of them
        for several)."""

    def set_trainable_params(self, *pairs: Any) -> None:
        """Register parameters: ``set_trainable_params('W', W, 'b', b)``. Each becomes a variable and an attribute.

        Parameters
        ----------
        *pairs : str, array, str, array, ...
            Names and initial values (arrays, variables or tensors), in the order in which lists of weights,
            regularizers and constraints go.
        """
        self._set_variables(pairs, 'set_trainable_params')

    def set_state_params(self, *pairs: Any) -> None:
        """Register state: variables that are saved with the weights, but that only ``add_update`` changes."""
        self._states.update(self._set_variables(pairs, 'set_state_params'))

    @checked
    def add_weight(self, name: Name, shape: Sequence[Natural], dtype: Optional[DType] = None,
                   init: Initialization = 'glorot_uniform', regularizer: Optional[Regularizer] = None,
                   trainable: bool = True, constraint: Optional[Constraint] = None) -> Any:
        """Make a parameter, or find it again: may also be written inside of ``output``.

        Parameters
        ----------
        name : str
        shape : sequence of int
        dtype : str, optional
            That of the layer unless given.
        init : str or function
            Initialization of its value.
        regularizer, constraint : str or object, optional
            Those among the arguments of the layer win.
        trainable : bool
            Whether it is a parameter that training changes, or a state.

        Returns
        -------
        variable
            The one of that name, of this shape.

        Raises
        ------
        ShapeError
            If there is one of that name and another shape.
        ArgumentError
            If there is one of that name that was made with another dtype, regularizer or constraint, or as no state;
            and for a regularizer or constraint of a state, which would count nothing.
        """
        shape, asked = tuple(shape), {'regularizer': regularizer, 'constraint': constraint}
        asked = {kind: registry.resolve(kind, one, f'{self.name}: {name}: ') for kind, one in asked.items()
                 if one is not None}
        if name in self._variables:
            return self._found_again(name, shape, dtype, asked, trainable)
        for kind, one in asked.items():
            if not trainable:
                raise _for_a_state(f'{self.name}: {name}: {kind}', one)
        with B.eagerly():
            value = initializations.values_of(init, shape, f'{self.name}: {name}')
            variable = self._new_variable(name, value, dtype or self.dtype)
            self._set_variables([name, variable], 'add_weight')
        if not trainable:
            self._states.add(name)
        for kind, one in asked.items():
            self._given[kind][name] = self._asked[kind][name] = one
        if self._backend is not None:   # init_param() is over: what the layer was given for the others is theirs
            self._apply_arguments([name])
        return self._variables[name]

    def _found_again(self, name: str, shape: tuple, dtype: Optional[str], asked: Dict[str, Any],
                     trainable: bool) -> Any:
        """The parameter of this name, if it was made with what is asked for now."""
        variable, is_state = self._variables[name], name in self._states
        found = tuple(B.static_shape(variable))
        if found != shape:
            raise ShapeError(f'{self.name}: {name}: expected shape {found}, as it was made with, received {shape}.')
        before = {kind: self._asked[kind].get(name) for kind in asked}
        differences = [(kind, describe(before[kind]), describe(one)) for kind, one in asked.items()
                       if not _is_alike(before[kind], one)]
        if dtype not in (None, B.dtype(variable)):
            differences.append(('dtype', B.dtype(variable), str(dtype)))
        if not trainable and not is_state:
            differences.append(('trainable', 'True', 'False'))
        for what, wanted, received in differences:
            raise ArgumentError(f'{self.name}: {name}: {what}: expected {wanted}, as it was made with, received '
                                f'{received}.')
        return variable

    # -- what users call ----------------------------------------------------------------------------------------------

    def parameters(self, trainable: bool = True, prefix: str = '') -> Iterator[Parameter]:
        """The parameters, in the order in which they were made, followed by those of embedded layers."""
        trainable = trainable and self.trainable
        for name, variable in self._variables.items():
            yield Parameter(prefix + name, variable, trainable and name not in self._states,
                            self._given['regularizer'].get(name), self._given['constraint'].get(name))
        for name, layer in self.layer_ids().items():
            yield from layer.parameters(trainable, f'{prefix}{name}/')

    @property
    def trainable(self) -> bool:
        """Whether training changes the parameters; while functions of a model are built, what ``compile`` read."""
        return as_read(self, vars(self)['trainable'])

    @trainable.setter
    def trainable(self, value: bool) -> None:
        vars(self)['trainable'] = value     # where it is looked up when it is saved

    @property
    def dtype(self) -> Any:
        """Of the parameters; ``None`` before it is known."""
        return self._dtype

    @property
    def embedded_layers(self) -> Tuple[Any, ...]:
        """The layers that this one consists of."""
        raise NotImplementedError

    def layer_ids(self) -> Dict[str, Any]:
        """The layers that this one consists of by the names that weights use: here the numbers of their slots."""
        return {str(number): layer for number, layer in enumerate(self.embedded_layers)}

    def inner_layer(self, name: str) -> Any:
        """The layer among those that it consists of which is called so here, or by itself; None if there is none."""
        names = self.layer_ids()
        return names.get(name) or next((layer for layer in names.values() if layer.name == name), None)

    def present_names(self, by_name: Dict[str, Any]) -> Dict[str, Any]:
        """A dict by names of parameters, in which the number of a slot also stands for the name of the layer in it."""
        names = self._names_by_slots()
        present = set(names.values())
        return {name if name in present else names.get(name, name): one for name, one in by_name.items()}

    def _names_by_slots(self) -> Dict[str, str]:
        """The names of the parameters, by the names in which all embedded layers are numbers."""
        found = {name: name for name in self._variables}
        for slot, (name, layer) in zip(self._slot_names(), self.layer_ids().items()):
            found.update({f'{slot}/{numbered}': f'{name}/{its_name}'
                          for numbered, its_name in layer._names_by_slots().items()})
        return found

    def _slot_names(self) -> List[str]:
        return list(self.layer_ids())

    def reset_states(self) -> None:
        """Let the recurrent layers in it that are stateful start their next batch with zeros.

        Raises
        ------
        ArgumentError
            If there is none.
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

    @property
    def variables(self) -> Variables:
        """All parameters as variables of the backend: ``layer.variables.W``, ``layer.variables['0/W']``."""
        return Variables.of(parameters_of([self]))

    weights = variables

    @property
    def trainable_variables(self) -> Variables:
        """Those that training changes."""
        return Variables.of([one for one in parameters_of([self]) if one.trainable])

    trainable_weights = trainable_variables

    @property
    def non_trainable_variables(self) -> Variables:
        """Those that training does not change: states, and the parameters of frozen layers."""
        return Variables.of([one for one in parameters_of([self]) if not one.trainable])

    non_trainable_weights = non_trainable_variables

    def count_params(self) -> int:
        """The number of numbers in all parameters.

        Raises
        ------
        ArgumentError
            If the layer has no parameters yet because it was not fed.
        """
        self._check_linked('Feed it first.')
        return sum(int(np.prod(B.static_shape(variable))) for variable in self.variables)

    def get_weights(self) -> Dict[str, np.ndarray]:
        """Copies of all parameters (trainable and state) by name; those of embedded layers as ``0/W``.

        They are of one moment, also where another thread trains a model with the layer: of no step only a part.
        """
        self._check_backend()
        with reading(self):
            return {one.name: B.get_value(one.variable) for one in parameters_of([self])}

    def set_weights(self, weights: Any) -> None:
        """Set parameters from a dict by name (some may be missing), a list in the order of :meth:`get_weights`, or one
        array.

        Raises
        ------
        ArgumentError
            For an unknown name or too many arrays; also if the layer has no parameters yet because it was not fed.
        ShapeError
            For an array of another shape. Then no parameter is changed.
        """
        self._check_backend()
        variables = {one.name: one.variable for one in parameters_of([self])}
        if not variables:
            self._check_linked('Feed it, or pass initial_weights=.')
        if weights is None:
            raise ArgumentTypeError(f'{self.name}: weights: expected a dict by name, a list or an array, '
                                    'received None.')
        with changing(self):
            self._assign_weights(variables, weights, 'weights')

    def _first_run_is_over(self) -> bool:
        """Whether the first run is over, in which all parameters are made."""
        raise NotImplementedError

    def _is_linked(self) -> bool:
        """Whether the parameters are there."""
        return self._backend is not None

    # -- building -----------------------------------------------------------------------------------------------------

    def _build(self, input_shape: Any, dtypes: List[str]) -> None:
        """Make the parameters for inputs of this shape and these dtypes."""
        self._dtype = self._dtype or next((dtype for dtype in dtypes if dtype in FLOATS), B.floatx())
        with B.eagerly():
            self.init_param(input_shape)
        self._apply_arguments(list(self._variables))
        self._backend = B.current()

    def _apply_arguments(self, names: Sequence[str]) -> None:
        """Give these parameters what the layer's arguments say of them; they may also speak of others, made later."""
        for kind in ('regularizer', 'constraint'):
            where = f'{self.name}: {kind}s'
            for name, one in assign(self._about(names, getattr(self, f'{kind}s')), names, where).items():
                self._give_to_parameter(kind, name, one, where)
        variables = {name: self._variables[name] for name in names}
        self._assign_weights(variables, self._about(names, self.initial_weights), 'initial_weights')

    def _about(self, names: Sequence[str], value: Any) -> Any:
        """What an argument says of these parameters; a list is in the order in which parameters are made."""
        listed = [] if value is None else split_arrays(value)
        by_name = listed if isinstance(listed, dict) else dict(zip(self._variables, listed))
        return {name: one for name, one in by_name.items() if name in names}

    def _complete_arguments(self) -> None:
        """Give parameters of embedded layers what dicts say of them; raise for names that the first run did not
        make."""
        owners = self._owners()
        for kind in self._given:
            where, given = f'{self.name}: {kind}s', getattr(self, f'{kind}s')
            given = self.present_names(given) if isinstance(given, dict) else given
            names = list(owners if isinstance(given, dict) else self._variables)
            for name, one in assign(given, names, where).items():
                owner, own_name = owners[name]
                owner._give_to_parameter(kind, own_name, one, where)
        weights = split_arrays(self.initial_weights)
        weights = self.present_names(weights) if isinstance(weights, dict) else weights
        assign(weights, list(owners if isinstance(weights, dict) else self._variables), f'{self.name}: initial_weights')

    def _give_to_parameter(self, kind: str, name: str, one: Any, where: str) -> None:
        given = registry.resolve(kind, one, f'{where}: ')
        if name in self._states:
            raise _for_a_state(f'{where}: {name}', given)
        self._given[kind][name] = given

    def give_initial_weights(self, layer: 'ParameterOwner', number: int) -> None:
        """Give the layer in a slot, before it runs, what `initial_weights` says of its parameters."""
        prefixes = {str(number), *(name for name, one in self.layer_ids().items() if one is layer)}
        given = self.initial_weights if isinstance(self.initial_weights, dict) else {}
        own = {name.split('/', 1)[1]: value for name, value in given.items()
               if isinstance(name, str) and '/' in name and name.split('/')[0] in prefixes}
        if own and layer._is_linked():
            layer.set_weights(own)
        elif own:
            its_own = layer.initial_weights
            vars(layer)['initial_weights'] = {**its_own, **own} if isinstance(its_own, dict) else own   # no more copies

    def _owners(self, prefix: str = '') -> Dict[str, Tuple['ParameterOwner', str]]:
        """By the name of each parameter, those of embedded layers included, its layer and its name there."""
        found: Dict[str, Tuple[ParameterOwner, str]] = {prefix + name: (self, name) for name in self._variables}
        for number, layer in self.layer_ids().items():
            found.update(layer._owners(f'{prefix}{number}/'))
        return found

    def _forget_parameters(self) -> None:
        for name in self._variables:
            delattr(self, name)
        self._variables.clear()
        self._states.clear()
        for one in (*self._given.values(), *self._asked.values()):
            one.clear()
        self._dtype = self._passed.get('dtype')
        self._backend = None

    def _initialize(self, name: str, init: Any, shape: Sequence[Any]) -> None:
        """Register a parameter with the values that an initialization gives for this shape, and for no other."""
        self.set_trainable_params(name, initializations.values_of(init, shape, f'{self.name}: {name}'))

    def _set_variables(self, pairs: Sequence[Any], where: str) -> List[str]:
        names = list(pairs[::2])
        if len(pairs) % 2 or not all(isinstance(name, str) for name in names):
            raise ArgumentTypeError(f"{self.name}: expected names and values in turn, {where}('W', W, 'b', b).")
        for name, value in zip(names, pairs[1::2]):
            if self._first_run_is_over() and run_of(self) is not None:
                raise GraphError(f"{self.name}: output() makes the parameter '{name}', which its first run did not "
                                 'make. Make it in init_param(), or in every run.')
            if name in self._variables:
                raise ArgumentError(f"{self.name}: '{name}' is a parameter of the layer already. Give each a name of "
                                    'its own, and let the layer call init_param() itself, when it is fed or by '
                                    'build().')
            if vars(self).get(name, getattr(type(self), name, None)) is not None or '/' in name:
                raise ArgumentError(f"{self.name}: '{name}' cannot be the name of a parameter, because the layer has "
                                    'an attribute of that name. Choose another.')
            if not B.is_variable(value):
                value = self._new_variable(name, B.eval(value) if B.is_tensor(value) else value, self.dtype)
            self._variables[name] = mark_owned(value)
            setattr(self, name, value)
        return names

    def _new_variable(self, name: str, value: Any, dtype: Optional[str]) -> Any:
        array = as_numbers(value, f'{self.name}: {name}')
        dtype = dtype or value_dtype(value, B.floatx())
        check_held(array, dtype, f'{self.name}: {name}')
        return B.current().variable(array, dtype, f'{self.name}/{name}')

    def _assign_weights(self, variables: Dict[str, Any], weights: Any, what: str) -> None:
        """Check all arrays, then set them all."""
        where = f'{self.name}: {what}'
        weights = split_arrays(weights)
        given = assign(self.present_names(weights) if isinstance(weights, dict) else weights, list(variables), where)
        arrays = {name: as_numbers(value, f'{where}: {name}') for name, value in given.items()}
        for name, array in arrays.items():
            wanted = tuple(B.static_shape(variables[name]))
            if array.shape != wanted:
                raise ShapeError(f'{where}: {name}: expected an array of shape {wanted}, received {array.shape}.')
            check_held(array, B.dtype(variables[name]), f'{where}: {name}')
        for name, array in arrays.items():
            B.current().set_value(variables[name], array)

    # -- checks -------------------------------------------------------------------------------------------------------

    def _check_linked(self, advice: str) -> None:
        if not self._is_linked():
            raise ArgumentError(f'{self.name}: the layer has no parameters before it is fed. {advice}')

    def _check_backend(self) -> None:
        if self._backend not in (None, B.current()):
            raise BackendError(f"{self.name}: was made on the backend '{self._backend.name}', the current one is "
                               f"'{B.name()}'. Call keraflow.backend.use('{self._backend.name}') first.")


def _for_a_state(where: str, one: Any) -> ArgumentError:
    return ArgumentError(f'{where}: expected None for a state, which training does not change, received '
                         f'{describe(one)}. Leave it out.')


def _is_alike(one: Any, other: Any) -> bool:
    """Whether two regularizers or constraints do the same, also objects of a class that says nothing of equality."""
    return same(one, other) or type(one) is type(other) and not inspect.isroutine(one) and hasattr(one, '__dict__') \
        and same(vars(one), vars(other))
