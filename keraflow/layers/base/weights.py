"""The weights of a layer, those of the layers in it included: how they are named, listed, read and set."""
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.arguments import as_numbers, assign, split_arrays
from keraflow.errors import ArgumentError, ArgumentTypeError, BackendError, ShapeError
from keraflow.graph.guards import changing, reading
from keraflow.graph.parameters import parameters_of
from keraflow.graph.tensor_checks import check_fits
from keraflow.graph.trainability import as_read
from keraflow.layers.base.access import LayerAccess
from keraflow.layers.base.variables import Parameter, Variables

__all__ = ['Weights']


class Weights(LayerAccess):
    """The part of :class:`~keraflow.layers.Layer` that has weights."""

    def __init__(self, name: Optional[str]) -> None:
        super().__init__(name)
        self._variables: Dict[str, Any] = {}
        self._states: set = set()       # the names of those that training does not change
        self._given: Dict[str, Dict[str, Any]] = {'regularizer': {}, 'constraint': {}}
        self._backend: Any = None
        self._guard: Any = None         # of the variables, where a model runs the layer: see guards.py

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
            check_fits(array, B.dtype(variables[name]), f'{where}: {name}')
        for name, array in arrays.items():
            B.current().set_value(variables[name], array)

    # -- the layers in it ---------------------------------------------------------------------------------------------

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

    # -- checks -------------------------------------------------------------------------------------------------------

    def _is_linked(self) -> bool:
        """Whether the parameters are there."""
        return self._backend is not None

    def _check_linked(self, advice: str) -> None:
        if not self._is_linked():
            raise ArgumentError(f'{self.name}: the layer has no parameters before it is fed. {advice}')

    def _check_backend(self) -> None:
        if self._backend not in (None, B.current()):
            raise BackendError(f"{self.name}: was made on the backend '{self._backend.name}', the current one is "
                               f"'{B.name()}'. Call keraflow.backend.use('{self._backend.name}') first.")
