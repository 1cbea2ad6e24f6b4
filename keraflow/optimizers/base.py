"""What all optimizers have in common: slots, the step count, the learning rate, clipping.

The coefficients of a step are computed once, in float64, and rounded to the dtype of the parameters at the end, so that
a step is the same on every backend.
"""
import contextvars
import copy
import functools
import math
import weakref
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow import registry, schema
from keraflow.backend.contract import Finite, FusedUpdates, Rows
from keraflow.backend.tensor_checks import check_fits, check_new_value, check_shape, described
from keraflow.errors import ArgumentError, ArgumentTypeError, describe
from keraflow.schema import LearningRate, PositiveFloat
from keraflow.serialization import Serializable, pack_init_params

__all__ = ['Optimizer']


class Optimizer(Serializable):
    """Base of optimizers.

    Subclasses define :attr:`slot_names`, :meth:`coefficients` and :meth:`update_rule`, and keep the learning rate as
    ``self.lr``.
    They may declare :attr:`skips_zeros`.

    Parameters
    ----------
    clipnorm : float, optional
        Scale all gradients by ``clipnorm / max(norm, clipnorm)``, where ``norm`` is the Euclidean norm of all of them
        together: their direction does not change.
    clipvalue : float, optional
        Clip each value of the gradients to ``[-clipvalue, clipvalue]``, after `clipnorm`.

    References
    ----------
    .. [1] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks", ICML, 2013
       (clipnorm).

    Examples
    --------
    >>> class SignDescent(Optimizer):
    ...     def __init__(self, lr: float = 0.01, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.lr = lr
    ...     def coefficients(self, t, lr):
    ...         return {'lr': lr}
    ...     def update_rule(self, c, param, gradient):
    ...         return [param - c.lr * B.sign(gradient)]
    >>> SignDescent(lr=0.1).lr
    0.1
    """

    kind = 'optimizer'
    required_methods = {'coefficients': ('updates',), 'update_rule': ('updates',)}
    renamed_members = {'numbers': 'coefficients', 'rule': 'update_rule'}
    omit_if_default = frozenset({'clipnorm', 'clipvalue'})
    set_without_rebuild = frozenset({'lr'})
    #: Names of the variables that are kept for each parameter.
    slot_names: Tuple[str, ...] = ()
    #: Whether :meth:`update_rule` works elementwise, and leaves a parameter and its slots unchanged where the gradient
    #: is 0. Then only the rows of a table that were looked up are computed. It applies to the class that sets it, not
    #: to one that overrides :meth:`update_rule` or :meth:`updates`.
    skips_zeros = False

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if 'skips_zeros' not in vars(cls) and vars(cls).keys() & {'update_rule', 'updates'}:
            cls.skips_zeros = False

    def __init__(self, clipnorm: Optional[PositiveFloat] = None, clipvalue: Optional[PositiveFloat] = None):
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self._backend: Any = None
        self._lr: Any = None
        self._iterations: Any = None
        self._variables: List[Any] = []
        self._slots: List[Dict[str, Any]] = []      # for each parameter, by name
        self._owner: Optional[weakref.ref] = None
        self._owner_name = ''

    def __deepcopy__(self, memo: Dict[int, Any]) -> 'Optimizer':
        """Return an optimizer with the same arguments, for another model."""
        return type(self)(**self.unpack_init_param(copy.deepcopy(pack_init_params(self), memo)))

    # -- what an optimizer defines ----------------------------------------------------------------------------------

    def coefficients(self, t: Any, lr: Any) -> Dict[str, Any]:
        """Return the coefficients of a step by name: Python numbers, or float64 scalars computed from `t` and `lr`.

        Parameters
        ----------
        t : tensor
            The number of steps including this one: 1, 2, ... as a float64 scalar.
        lr : tensor
            The learning rate, a float64 scalar.
        """
        raise NotImplementedError

    def update_rule(self, c: Any, param: Any, gradient: Any, *slots: Any) -> Sequence[Any]:
        """Return the new value of a parameter, followed by those of its slots.

        Parameters
        ----------
        c : namespace
            The :meth:`coefficients` as attributes, in the dtype of the parameter.
        param, gradient, *slots : tensor
            A parameter, its gradient, and its slots in the order of :attr:`slot_names`.
        """
        raise NotImplementedError

    # -- what a model uses ------------------------------------------------------------------------------------------

    @property
    def lr(self) -> Any:
        """The learning rate: a number, or a schedule. Setting a number affects functions that are already compiled.

        Raises
        ------
        ArgumentError
            When it is set on an optimizer in use, and the old or the new one is a schedule.
        """
        if 'lr' not in vars(self):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute 'lr'")   # as hasattr expects
        return vars(self)['lr']

    @lr.setter
    def lr(self, value: Any) -> None:
        where = f'{type(self).__name__}: lr'
        schema.check(value, LearningRate, where)
        value = registry.resolve('schedule', value, f'{where}: ') if isinstance(value, str) or callable(value) \
            else float(value)
        if self._iterations is not None:
            if callable(value) or callable(self.lr):
                raise ArgumentError(f'{where}: a schedule is part of the compiled step and cannot change. '
                                    'Compile again, with a new optimizer.')
            self._check_rate(value)
            self._backend.set_value(self._lr, value)
        vars(self)['lr'] = value    # where saving looks it up

    @property
    def current_lr(self) -> float:
        """The learning rate of the next step: :attr:`lr`, or the value of its schedule."""
        if not callable(self.lr):
            return self.lr
        step = 0 if self._iterations is None else self._backend.get_value(self._iterations)
        return float(B.eval(self._rate(B.constant(step, 'float64'))))

    @property
    def first_lr(self) -> Any:
        """The learning rate that it was made with, whatever has been set since."""
        return self._passed.get('lr', schema.arguments_of(type(self))['lr'].default)

    def _taken(self, name: str, value: Any) -> Any:
        value, before, slots = super()._taken(name, value), vars(self)[name], self.slot_names
        # Which slots there are may depend on the argument: look with the new value, and put the old one back.
        vars(self)[name] = value
        slots_then, vars(self)[name] = self.slot_names, before
        if self._iterations is not None and slots_then != slots:
            raise ArgumentError(f'{type(self).__name__}: {name}: expected a value that keeps the slots as they were '
                                f'built ({", ".join(slots) or "none"}), received {describe(value)}. Compile '
                                'again, with a new optimizer.')
        return value

    def build(self, variables: Sequence[Any], names: Optional[Sequence[str]] = None, owner: Any = None) -> None:
        """Make the slots of these parameters, and restart the step count. Not allowed inside a builder.

        Parameters
        ----------
        variables : list of variable
        names : list of str, optional
            Names for the slots in :meth:`state`; by default numbers.
        owner : object, optional
            The model, or any other owner of these parameters.

        Raises
        ------
        ArgumentError
            If it was built for another owner before: its state is not discarded silently.
        """
        if owner is not None:
            self._claim(owner)
        if 'lr' not in vars(self):
            raise ArgumentError(f'{type(self).__name__}: there is no learning rate. Write self.lr = lr in __init__.')
        self._backend = B.current()  # the rate may be set while another is in use
        self._variables = list(variables)
        if not callable(self.lr):
            self._check_rate(self.lr)
        self._lr = None if callable(self.lr) else B.variable(self.lr, dtype='float64', name='lr')
        self._iterations = B.variable(0, dtype='int64', name='iterations')
        if names is None:
            names = [str(number) for number in range(len(self._variables))]
        self._slots = [{f'{slot}/{name}': B.variable(np.zeros(B.static_shape(variable)), dtype=B.dtype(variable),
                                                     name=f'{slot}/{name}') for slot in self.slot_names}
                       for variable, name in zip(self._variables, names)]

    def _claim(self, owner: Any) -> None:
        """Belong to `owner` from now on, even after that is gone, so that nothing depends on garbage collection."""
        name = getattr(owner, 'name', type(owner).__name__)
        if self._owner is not None and self._owner() is not owner:
            raise ArgumentError(f'{name}: optimizer: expected its own optimizer, received the '
                                f'{type(self).__name__} that was built for {self._owner_name}. Give each model its '
                                'own optimizer: copy.deepcopy(optimizer) makes one with the same arguments.')
        self._owner, self._owner_name = weakref.ref(owner), name

    def minimize(self, loss_fn: Callable[[], Tuple[Any, Any]],
                 parameters: Sequence[Any]) -> Tuple[Any, Any, List[Any]]:
        """Take one step downhill, inside a builder.

        Parameters
        ----------
        loss_fn : function
            Takes no arguments, and returns the scalar loss and anything else.
        parameters : list of Parameter
            The parameters this optimizer was built for. Trainable ones are updated, subject to their constraints.

        Returns
        -------
        loss, anything else, updates as a builder returns them
            Nothing is updated unless the loss is finite, and of each layer the gradient of its smallest parameter. That
            costs next to nothing, and tells of what flows back: the gradient of a bias is a sum over all that flows
            through its layer, and through those that feed it.
        """
        trained = [one for one in parameters if one.trainable]
        variables = [one.variable for one in trained]
        # A constraint may change rows without a gradient, too.
        by_rows = [self.skips_zeros and one.constraint is None for one in trained]
        loss, rest, gradients = B.value_and_row_gradients(loss_fn, variables, by_rows)
        constrained = {id(one.variable): one for one in parameters if one.constraint is not None}

        def step(*gradients: Any) -> List[tuple]:
            return [(variable, _constrained(constrained[id(variable)], value) if id(variable) in constrained else value)
                    for variable, value in self.updates(variables, gradients)]
        finite = Finite({'loss': loss, **_smallest(trained, gradients)})
        if any(isinstance(one, Rows) for one in gradients):     # their number is known in the run alone
            return loss, rest, [finite, *step(*gradients)]
        # It may draw random numbers, which are those of this model whoever computes the step.
        return loss, rest, [finite, FusedUpdates(functools.partial(contextvars.copy_context().run, step), gradients)]

    def updates(self, variables: Sequence[Any], gradients: Sequence[Any]) -> List[Tuple[Any, Any]]:
        """Compute one step, as pairs ``(variable, new value)`` for the parameters, their slots and the step count.

        Nothing is changed, so several builders may call it, several times. A gradient of type
        :class:`~keraflow.backend.contract.Rows` yields new values of that type.

        Raises
        ------
        ArgumentError
            If the variables are not those of the latest :meth:`build`.
        """
        # By identity: == of variables compares values.
        if [id(variable) for variable in variables] != [id(variable) for variable in self._variables]:
            raise ArgumentError(f'{type(self).__name__}: expected the parameters that this optimizer was built for, '
                                'received others. Give each model its own optimizer.')
        t = B.add(B.cast(self._iterations, 'float64'), 1)
        coefficients = self.coefficients(t, self._rate(B.subtract(t, 1)))
        if not isinstance(coefficients, dict):
            raise ArgumentTypeError(f'{type(self).__name__}: coefficients: expected a dict by name, '
                                    f'received {described(coefficients)}.')
        gradients = self._clipped(gradients)
        rounded: Dict[str, Any] = {}
        updates = [(self._iterations, B.add(self._iterations, 1))]
        for variable, gradient, slots in zip(variables, gradients, self._slots):
            dtype = B.dtype(variable)
            if dtype not in rounded:
                rounded[dtype] = SimpleNamespace(**{name: _as_tensor(value, dtype)
                                                    for name, value in coefficients.items()})
            before = [variable, *slots.values()]
            updates += zip(before, self._updated(rounded[dtype], before, gradient))
        return updates

    def state(self) -> Dict[str, Any]:
        """Return the variables to save in order to continue later: ``'iterations'``, ``'m/dense1/W'``, and so on."""
        if self._iterations is None:
            return {}
        return {'iterations': self._iterations,
                **{name: variable for slots in self._slots for name, variable in slots.items()}}

    def _updated(self, c: Any, before: Sequence[Any], gradient: Any) -> Sequence[Any]:
        """Return new values of a parameter and its slots, only for the rows that a gradient has."""
        if not isinstance(gradient, Rows):
            return self._new_values(c, before, gradient)
        rows = self._new_values(c, [B.gather(one, gradient.indices) for one in before], gradient.values)
        return [Rows(gradient.indices, one) for one in rows]

    def _new_values(self, c: Any, before: Sequence[Any], gradient: Any) -> Sequence[Any]:
        """Call :meth:`update_rule`, and check the result."""
        values, where = self.update_rule(c, before[0], gradient, *before[1:]), f'{type(self).__name__}: update_rule'
        is_list = isinstance(values, (list, tuple))
        if not is_list or len(values) != len(before):
            raise ArgumentTypeError(f'{where}: expected a list of the new values of '
                                    f'({", ".join(["param", *self.slot_names])}), received '
                                    f'{f"a list of {len(values)}" if is_list else described(values)}.')
        for value, old in zip(values, before):
            check_shape(value, B.static_shape(old), where)
        return values

    def _check_rate(self, rate: float) -> None:
        for dtype in sorted(set(map(B.dtype, self._variables))):
            check_fits(np.asarray(rate), dtype, f'{type(self).__name__}: lr')

    def _rate(self, step: Any) -> Any:
        return _as_tensor(self.lr(step), 'float64') if callable(self.lr) else self._lr

    def _clipped(self, gradients: Sequence[Any]) -> Sequence[Any]:
        # No row occurs twice in Rows, so that their norm is that of the dense gradient.
        clipped = [one.values if isinstance(one, Rows) else one for one in gradients]
        if self.clipnorm is not None and clipped:
            # Parameters may differ in dtype.
            squares = [B.cast(B.sum(B.square(gradient)), 'float64') for gradient in clipped]
            norm = B.sqrt(sum(squares[1:], squares[0]))
            scale = B.divide(self.clipnorm, B.maximum(norm, self.clipnorm))
            clipped = [gradient * B.cast(scale, B.dtype(gradient)) for gradient in clipped]
        if self.clipvalue is not None:
            clipped = [B.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in clipped]
        return [Rows(one.indices, values) if isinstance(one, Rows) else values
                for one, values in zip(gradients, clipped)]


def _smallest(parameters: Sequence[Any], gradients: Sequence[Any]) -> Dict[str, Any]:
    """Return of each layer the smallest gradient, by name, from the last layer to the first; of a matrix a row."""
    found: Dict[str, Tuple[Any, Any]] = {}
    for one, gradient in zip(parameters, gradients):
        layer = one.name.rpartition('/')[0]
        if layer not in found or _size(one) < _size(found[layer][0]):
            found[layer] = one, gradient
    return {f'gradient of {one.name}': _part(gradient, B.static_shape(one.variable))
            for one, gradient in reversed(found.values())}


def _size(parameter: Any) -> int:
    return math.prod(B.static_shape(parameter.variable))


def _part(gradient: Any, shape: Sequence[int]) -> Any:
    """Return a gradient with the shape of its parameter as a vector: of a matrix the first row, of Rows the sum."""
    if isinstance(gradient, Rows):
        return B.sum(gradient.values)
    if len(shape) > 1:
        gradient, shape = gradient[0], shape[1:]
    return B.reshape(gradient, [math.prod(shape)])


def _constrained(parameter: Any, value: Any) -> Any:
    """Apply the constraint of a parameter to its new value."""
    found = parameter.constraint(value)
    check_new_value(found, parameter.variable, f'{parameter.name}: constraint')
    return found


def _as_tensor(value: Any, dtype: str) -> Any:
    return B.cast(value, dtype) if B.is_tensor(value) else B.constant(value, dtype)
