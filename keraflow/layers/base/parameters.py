"""Make the parameters of a layer, and keep what each of them was given."""
import inspect
from typing import Any, Dict, Iterable, Iterator, Optional, Sequence

from keraflow import backend as B
from keraflow import initializations, registry
from keraflow.arguments import as_numbers
from keraflow.backend.dtypes import value_dtype
from keraflow.backend.tensor_checks import check_fits
from keraflow.errors import ArgumentError, ArgumentTypeError, BackendError, GraphError, ShapeError, describe
from keraflow.layers.base.parameter_arguments import apply_arguments
from keraflow.layers.base.planned import ParameterSpec
from keraflow.layers.base.run_state import run_of
from keraflow.layers.base.unused import mark_owned
from keraflow.layers.base.variables import Parameter
from keraflow.serialization import same
from keraflow.serialization.budget import current_budget
from keraflow.shapes import product

__all__ = ['Parameters', 'refusal_for_state']


class Parameters:
    """The parameters that a layer makes itself, by name and in their order.

    Whatever makes a parameter ends in :meth:`make`: ``param_specs``, ``set_trainable_params``, ``set_state_params`` and
    ``add_weight``.

    Parameters
    ----------
    layer : Layer
        Each variable becomes an attribute of it.
    dtype : str, optional
        The layer's argument.

    Attributes
    ----------
    dtype : str or None
        The default dtype of parameters; ``None`` before it is known.
    backend : Backend or None
        That on which they were made; ``None`` until ``init_param`` has run.
    guard : Guard or None
        That of the variables, once a model runs the layer; see guards.py.
    """

    __slots__ = ('_layer', 'dtype', 'backend', 'guard', '_own', '_asked')

    def __init__(self, layer: Any, dtype: Optional[str]):
        self._layer = layer
        self.dtype = dtype
        self.backend: Any = None
        self.guard: Any = None
        self._own: Dict[str, Parameter] = {}
        self._asked: Dict[str, Dict[str, Any]] = {}     # regularizers and constraints passed to add()

    def __len__(self) -> int:
        return len(self._own)

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __contains__(self, name: str) -> bool:
        return name in self._own

    def __getitem__(self, name: str) -> Parameter:
        """Return the parameter with a name; it is trainable unless it is a state."""
        return self._own[name]

    @property
    def are_made(self) -> bool:
        """Whether ``init_param`` has made them; there may be none."""
        return self.backend is not None

    def values(self) -> Iterable[Parameter]:
        """Return the parameters themselves, in their order."""
        return self._own.values()

    @property
    def states(self) -> Dict[str, Any]:
        """The variables of states, by name."""
        return {name: one.variable for name, one in self._own.items() if not one.trainable}

    def make_pairs(self, pairs: Sequence[Any], where: str, is_state: bool = False) -> None:
        """Make parameters from names and values in turn.

        Raises
        ------
        ArgumentTypeError
            If names and values do not alternate.
        """
        names = pairs[::2]
        if len(pairs) % 2 or not all(isinstance(name, str) for name in names):
            raise ArgumentTypeError(f"{self._layer.name}: expected names and values in turn, {where}('W', W, 'b', b).")
        for name, value in zip(names, pairs[1::2]):
            self.make(name, value, is_state)

    def make(self, name: str, value: Any, is_state: bool = False, dtype: Optional[str] = None, **asked: Any) -> None:
        """Make a parameter from an array, a tensor or a variable, perhaps with a regularizer and a constraint."""
        self._check_name(name)
        if not B.is_variable(value):    # a variable is adopted as it is
            value = self._variable(name, B.eval(value) if B.is_tensor(value) else value, dtype or self.dtype)
        self._own[name] = Parameter(name, mark_owned(value), not is_state, **asked)
        if asked:
            self._asked[name] = asked
        setattr(self._layer, name, value)
        if self.are_made:       # the others have their arguments
            apply_arguments(self._layer, [name])

    def initialize(self, name: str, init: Any, shape: Sequence[Any], **how: Any) -> None:
        """Make a parameter with the values of an initialization, which must have this shape."""
        budget = current_budget()
        if budget is not None:      # before anything is drawn
            budget.spend_parameters(product(shape) or 0, self._layer.name)
        self.make(name, initializations.values_of(init, shape, f'{self._layer.name}: {name}'), **how)

    def make_specs(self, specs: Dict[str, ParameterSpec]) -> None:
        """Make parameters from their specs."""
        for name, spec in specs.items():
            self.initialize(name, spec.init, spec.shape, is_state=not spec.trainable)

    def add(self, name: str, shape: tuple, dtype: Optional[str], init: Any, is_state: bool, **given: Any) -> Any:
        """Return the variable of a parameter, which is made if there is none, perhaps with a regularizer and a
        constraint."""
        asked = {kind: registry.resolve(kind, one, f'{self._layer.name}: {name}: ') for kind, one in given.items()
                 if one is not None}
        if name in self._own:
            return self._found(name, shape, dtype, is_state, asked)
        for kind, one in asked.items() if is_state else ():
            raise refusal_for_state(f'{self._layer.name}: {name}: {kind}', one)
        with B.outside_graph():     # output() may be the caller
            self.initialize(name, init, shape, is_state=is_state, dtype=dtype, **asked)
        return self._own[name].variable

    def _found(self, name: str, shape: tuple, dtype: Optional[str], is_state: bool, asked: Dict[str, Any]) -> Any:
        """Return the variable with this name, if it was made with the same properties."""
        where, variable = f'{self._layer.name}: {name}', self._own[name].variable
        found = tuple(B.static_shape(variable))
        if found != shape:
            raise ShapeError(f'{where}: expected shape {found}, as it was made with, received {shape}.')
        before = self._asked.get(name, {})
        differences = [(kind, describe(before.get(kind)), describe(one)) for kind, one in asked.items()
                       if not _is_alike(before.get(kind), one)]
        if dtype not in (None, B.dtype(variable)):
            differences.append(('dtype', B.dtype(variable), str(dtype)))
        if is_state and self._own[name].trainable:
            differences.append(('trainable', 'True', 'False'))
        for what, wanted, received in differences:
            raise ArgumentError(f'{where}: {what}: expected {wanted}, as it was made with, received {received}.')
        return variable

    def give(self, kind: str, name: str, one: Any, where: str) -> None:
        """Give a parameter a regularizer or a constraint from the argument that `where` names."""
        given = registry.resolve(kind, one, f'{where}: ')
        if not self._own[name].trainable:
            raise refusal_for_state(f'{where}: {name}', given)
        self._own[name] = self._own[name]._replace(**{kind: given})

    def check_made(self, advice: str) -> None:
        """Raise if the parameters are not made yet."""
        if not self._layer.built:
            raise ArgumentError(f'{self._layer.name}: the layer has no parameters before its first call. {advice}')

    def check_backend(self) -> None:
        """Raise if the parameters were made on another backend than that in use."""
        if self.backend not in (None, B.current()):
            raise BackendError(f"{self._layer.name}: was made on the backend '{self.backend.name}', the current one is "
                               f"'{B.name()}'. Call keraflow.backend.use('{self.backend.name}') first.")

    def forget(self, dtype: Optional[str]) -> None:
        """Return to the state before the first run of the layer, whose argument dtype is given."""
        for name in self._own:
            delattr(self._layer, name)
        self._own.clear()
        self._asked.clear()
        self.dtype = dtype
        self.backend = None

    def _check_name(self, name: str) -> None:
        layer = self._layer
        if layer._first_run.is_over and run_of(layer) is not None:
            raise GraphError(f"{layer.name}: output() makes the parameter '{name}', which its first run did not make. "
                             'Make it in init_param(), or in every run.')
        if name in self._own:
            raise ArgumentError(f"{layer.name}: '{name}' is a parameter of the layer already. Give each its own "
                                'name, and let the layer call init_param() itself, when it is called or by build().')
        if vars(layer).get(name, getattr(type(layer), name, None)) is not None or '/' in name:
            raise ArgumentError(f"{layer.name}: '{name}' cannot be the name of a parameter, because the layer has an "
                                'attribute of that name. Choose another.')

    def _variable(self, name: str, value: Any, dtype: Optional[str]) -> Any:
        where = f'{self._layer.name}: {name}'
        array = as_numbers(value, where)
        dtype = dtype or value_dtype(value, B.floatx())
        check_fits(array, dtype, where)
        return B.current().variable(array, dtype, f'{self._layer.name}/{name}')


def refusal_for_state(where: str, one: Any) -> ArgumentError:
    """Return the error for a regularizer or a constraint of a state, which would do nothing."""
    return ArgumentError(f'{where}: expected None for a state, which training does not change, received '
                         f'{describe(one)}. Leave it out.')


def _is_alike(one: Any, other: Any) -> bool:
    """Return whether two regularizers or constraints do the same, even if their class does not define equality."""
    return same(one, other) or type(one) is type(other) and not inspect.isroutine(one) and hasattr(one, '__dict__') \
        and same(vars(one), vars(other))
