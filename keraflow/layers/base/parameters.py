"""The parameters of a layer: how they are made.

:mod:`keraflow.layers.base.parameter_arguments` gives them what the arguments of the layer say of them, and
:mod:`keraflow.layers.base.weights` lists, reads and sets them.
"""
import inspect
from typing import Any, Dict, List, Optional, Sequence

from keraflow import backend as B
from keraflow import initializations, registry
from keraflow.arguments import as_numbers
from keraflow.backend.contract import FLOATS
from keraflow.backend.dtypes import value_dtype
from keraflow.checked import checked
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, ShapeError, describe
from keraflow.graph.tensor_checks import check_fits
from keraflow.layers.base.parameter_arguments import ParameterArguments, refusal_for_state
from keraflow.layers.base.slots import run_of
from keraflow.layers.base.unused import mark_owned
from keraflow.schema import Constraint, DType, Initialization, Name, Natural, Regularizer
from keraflow.serialization import same

__all__ = ['ParameterOwner']


class ParameterOwner(ParameterArguments):
    """The part of :class:`~keraflow.layers.Layer` that makes parameters."""

    def __init__(self, name: Optional[str], dtype: Any) -> None:
        super().__init__(name)
        self._dtype = dtype
        self._asked: Dict[str, Dict[str, Any]] = {'regularizer': {}, 'constraint': {}}      # by add_weight()

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
                raise refusal_for_state(f'{self.name}: {name}: {kind}', one)
        with B.outside_graph():
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

    @property
    def dtype(self) -> Any:
        """Of the parameters; ``None`` before it is known."""
        return self._dtype

    def _build(self, input_shape: Any, dtypes: List[str]) -> None:
        """Make the parameters for inputs of this shape and these dtypes."""
        self._dtype = self._dtype or next((dtype for dtype in dtypes if dtype in FLOATS), B.floatx())
        with B.outside_graph():
            self.init_param(input_shape)
        self._apply_arguments(list(self._variables))
        self._backend = B.current()

    def _first_run_is_over(self) -> bool:
        """Whether the first run is over, in which all parameters are made."""
        raise NotImplementedError

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
        check_fits(array, dtype, f'{self.name}: {name}')
        return B.current().variable(array, dtype, f'{self.name}/{name}')


def _is_alike(one: Any, other: Any) -> bool:
    """Whether two regularizers or constraints do the same, also objects of a class that says nothing of equality."""
    return same(one, other) or type(one) is type(other) and not inspect.isroutine(one) and hasattr(one, '__dict__') \
        and same(vars(one), vars(other))
