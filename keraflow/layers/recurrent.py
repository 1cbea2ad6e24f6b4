"""Recurrent layers: a cell that is applied to each time step of a sequence."""
import functools
from typing import Any, Callable, Iterator, List, Sequence, Tuple

import numpy as np

from keraflow import activations
from keraflow import backend as B
from keraflow import initializations
from keraflow.backend.contract import TensorSpec
from keraflow.backend.logarithms import log_of, log_of_rest
from keraflow.backend.tensor_info import Logs, Step, annotate, info_of
from keraflow.deprecation import renamed
from keraflow.errors import ArgumentError, ShapeError
from keraflow.layers.base import MultiInputLayer
from keraflow.layers.base.input_spec import InputSpec
from keraflow.layers.base.kept_values import is_layer
from keraflow.layers.base.planned import EmbeddedInputs, ParameterSpec, ParameterSpecs
from keraflow.registry import builtin
from keraflow.schema import Activation, Initialization, PositiveInt, Rate
from keraflow.serialization.budget import current_budget
from keraflow.shapes import Shape, agree

__all__ = ['GRU', 'LSTM', 'Recurrent', 'SimpleRNN']


class Recurrent(MultiInputLayer):
    """Base of recurrent layers: everything except the cell.

    Subclasses name their gates, group them into products, and define :meth:`cell`. Each gate has a matrix `W` for the
    input, a matrix `U` for the previous output, and a bias `b`, named ``W_i``, ... for the gate ``'i'``. The products
    with all `W` are computed as one, before the loop, for all time steps together.

    Parameters
    ----------
    output_dim : int
        Length of the output of each time step.
    init, inner_init : str or function
        Initialization of `W` and of `U`.
    activation : str or function
        Activation of the output.
    return_sequences : bool
        Whether to return the outputs of all time steps, instead of the last one.
    go_backwards : bool
        Whether to start at the last time step. Outputs are returned in the order of computation.
    stateful : bool
        Whether each batch starts with the final states of the one before, in training and in prediction, until
        :meth:`reset_states`. Sample `i` of a batch continues sample `i` of the one before, so the Input needs a
        `batch_size`, and ``fit`` needs ``shuffle=False``.
    unroll : bool
        Whether to write out the time steps instead of a loop. Building then takes longer and more memory, but short
        sequences run faster. Their length must be known.
    drop_rate_W, drop_rate_U : float
        Rates of dropout, in training, on the input and on the previous output. The same values are dropped at all time
        steps and for all gates.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : ``(batch, time, input_dim)``, or a list of it and the states to start with, each ``(batch, output_dim)``
    output : ``(batch, output_dim)``, or ``(batch, time, output_dim)`` with `return_sequences`
    mask : a masked time step changes no state; its output repeats the one before
    W : ``(input_dim, output_dim)`` for each gate
    U : ``(output_dim, output_dim)`` for each gate
    b : ``(output_dim,)`` for each gate

    References
    ----------
    .. [1] Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks",
       NIPS, 2016.
    """

    #: The gates, grouped by their common product with the previous output.
    gates: Tuple[Tuple[str, ...], ...] = ()
    #: Names of the states; the first one is the output.
    states: Tuple[str, ...] = ('h',)
    #: Whether the only state is the output of the activation.
    activates_output = False
    predicts_without = frozenset({'unroll'})

    @renamed(dropout_W='drop_rate_W', dropout_U='drop_rate_U')
    def __init__(self, output_dim: PositiveInt, init: Initialization = 'glorot_uniform',
                 inner_init: Initialization = 'orthogonal', activation: Activation = 'tanh', *,
                 return_sequences: bool = False, go_backwards: bool = False, stateful: bool = False,
                 unroll: bool = False, drop_rate_W: Rate = 0., drop_rate_U: Rate = 0., **kwargs: Any):
        super().__init__(**kwargs)
        self.output_dim = output_dim
        self.init = initializations.get(init)
        self.inner_init = initializations.get(inner_init)
        self.activation = activations.get(activation)
        self.return_sequences = return_sequences
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.drop_rate_W = drop_rate_W
        self.drop_rate_U = drop_rate_U

    # -- what a subclass defines ------------------------------------------------------------------------------------

    def cell(self, x: Any, visible: Any, states: List[Any], U: List[Any]) -> List[Any]:
        """Compute the states after one time step.

        Parameters
        ----------
        x : tensor
            ``W x + b`` of all gates, concatenated, ``(batch, gates * output_dim)``.
        visible : tensor
            The previous output, after dropout.
        states : list of tensor
            The previous states.
        U : list of tensor
            The concatenated matrices of each group of gates.
        """
        raise NotImplementedError

    def initial_bias(self, gate: str) -> np.ndarray:
        """Return the initial bias of a gate."""
        return np.zeros(self.output_dim)

    # -- shapes and parameters --------------------------------------------------------------------------------------

    @property
    def input_spec(self) -> InputSpec:  # type: ignore[override]
        return InputSpec(('batch', 'time', 'input_dim'), known=(1,) if self.unroll else (),
                         fixed=(0, 2) if self.stateful else (2,))

    def _check_inputs(self, received: List[TensorSpec]) -> None:
        super()._check_inputs(received[:1])     # check_input_shape() derives what initial states must be

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        first, *states = input_shape
        if states and len(states) != len(self.states):
            raise ShapeError(f'{self.name}: expected an input and no or {len(self.states)} initial state(s) '
                             f'({", ".join(self.states)}), received {len(states)}.')
        for shape in states:
            if not agree(shape, (first[0], self.output_dim)):
                raise ShapeError(f'{self.name}: expected initial states of shape {(first[0], self.output_dim)}, '
                                 f'received {shape}.')
        if self.stateful and states:
            raise ArgumentError(f'{self.name}: stateful=True starts with the states of the batch before, received '
                                'initial states as well. Leave one of them out.')

    def param_specs(self, input_shape: List[Shape]) -> ParameterSpecs:
        batch, _, input_dim = input_shape[0]
        gates, n = self._all_gates(), self.output_dim
        specs = {_parameter('W', gate): ParameterSpec((input_dim, n), self.init) for gate in gates}
        specs.update({_parameter('U', gate): ParameterSpec((n, n), self.inner_init) for gate in gates})
        specs.update({_parameter('b', gate): ParameterSpec((n,), lambda shape, gate=gate: self.initial_bias(gate))
                      for gate in gates})
        if self.stateful:
            specs.update({name: ParameterSpec((batch, n), trainable=False) for name in self.states})
        return specs

    def embedded_inputs(self, input_shape: List[Shape]) -> EmbeddedInputs:
        return None if any(map(is_layer, vars(self).values())) else {}     # an activation runs inside the loop

    def _nb_unrolled(self, input_shape: Any) -> int:
        return input_shape[0][1] or 0 if self.unroll else 0

    def output_shape(self, input_shape: List[Shape]) -> Shape:
        batch, time, _ = input_shape[0]
        return (batch, time, self.output_dim) if self.return_sequences else (batch, self.output_dim)

    def reset_states(self) -> None:
        """Reset the states to zeros.

        Raises
        ------
        ArgumentError
            If the layer is not stateful.
        """
        if not self.stateful:
            raise ArgumentError(f'{self.name}: reset_states: the layer keeps no states. Make it with stateful=True.')
        for variable in self._parameters.states.values():
            B.set_value(variable, np.zeros(B.static_shape(variable)))

    def _stateful_layers(self) -> Iterator[Any]:
        if self.stateful:
            yield self

    # -- running ----------------------------------------------------------------------------------------------------

    def output(self, x: List[Any], *, mask: Sequence[Any] = (None,)) -> Any:
        sequence, *states = x
        counted = self._in_order(mask[0])
        batch = self.get_tensor_shape(sequence)[0] or B.shape(sequence)[0]
        steps = self._in_order(sequence)
        if self.drop_rate_W:
            # One mask for all steps.
            steps = B.in_train_phase(
                lambda: B.dropout(steps, self.drop_rate_W, (1, batch, B.static_shape(steps)[2])), steps)
        # Outside the loop: one product for all steps and all gates.
        inputs = B.dot(steps, self._joined('W', self._all_gates())) + self._joined('b', self._all_gates())
        states, constants = states or self._first_states(batch), self._constants(batch)
        # A loop loses logarithms; whether the activation has any shows at the first states.
        logs = info_of(self.activation(states[0])).logs if self.activates_output else None
        outputs: Any
        budget = current_budget()
        if self.unroll and budget is not None:
            budget.spend_unrolled(B.static_shape(inputs)[0] or 0, self.name)
        outputs, last = B.scan(self._step, [inputs], states, constants, counted, self.unroll,
                               self.return_sequences or logs is not None)
        if logs:
            again = functools.partial(self._logs, outputs, inputs, states[0], constants, counted)
            annotate(outputs, logs=Logs(Step(functools.partial(again, log_of)),
                                        Step(functools.partial(again, log_of_rest)) if logs.rest else None, logs.total))
            last = [outputs[-1], *last[1:]]  # a part of outputs has their logarithms, the loop's own state has none
        if self.stateful:
            for name, value in zip(self.states, last):
                self.add_update(getattr(self, name), value, inputs=x)
        return B.transpose(outputs, (1, 0, 2)) if self.return_sequences else last[0]

    def output_mask(self, input_mask: List[Any], input_shape: List[Shape]) -> Any:
        mask = input_mask[0] if self.return_sequences else None
        return mask if mask is None or not self.go_backwards else B.flip(mask, 1)

    def _logs(self, outputs: Any, inputs: Any, first: Any, constants: List[Any], mask: Any, log: Callable) -> Any:
        """Return the logarithms of outputs that are probabilities; none are recorded inside the loop."""
        before = B.concatenate([B.expand_dims(first, 0), outputs[:-1]], 0)
        found = log(B.current(), self._step([inputs], [before], constants)[0])      # all steps at once
        if mask is None:
            return found
        kept = B.log(B.clip(first, B.epsilon(), 1.))
        return B.scan(lambda steps, _, __: steps, [found], [kept], (), mask, self.unroll)[0]

    def _in_order(self, tensor: Any) -> Any:
        """Move time first in a tensor of axes batch, time, ... (if any), in the order of the steps."""
        if tensor is None:
            return None
        ordered = B.transpose(tensor, (1, 0, *range(2, B.ndim(tensor))))
        return B.flip(ordered, 0) if self.go_backwards else ordered

    def _first_states(self, batch: Any) -> List[Any]:
        if self.stateful:
            return [B.identity(self.pending_value(getattr(self, name))) for name in self.states]
        return [B.zeros((batch, self.output_dim), self.dtype) for _ in self.states]

    def _constants(self, batch: Any) -> List[Any]:
        """Return what each time step uses: the matrices of each group of gates and, in training, the dropout masks."""
        matrices = [self._joined('U', group) for group in self.gates]
        if not self.drop_rate_U:
            return matrices
        ones = B.ones((batch, self.output_dim), self.dtype)
        # One mask for all steps: it is drawn outside the loop.
        return matrices + B.in_train_phase(lambda: [B.dropout(ones, self.drop_rate_U)], [])

    def _step(self, slices: List[Any], states: List[Any], constants: List[Any]) -> List[Any]:
        matrices, kept = constants[:len(self.gates)], constants[len(self.gates):]
        visible = states[0] * kept[0] if kept else states[0]
        return self.cell(slices[0], visible, states, matrices)

    def _all_gates(self) -> List[str]:
        return [gate for group in self.gates for gate in group]

    def _joined(self, kind: str, gates: Sequence[str]) -> Any:
        """Concatenate the parameters of one kind."""
        parts = [getattr(self, _parameter(kind, gate)) for gate in gates]
        return B.concatenate(parts, -1) if len(parts) > 1 else parts[0]


def _parameter(kind: str, gate: str) -> str:
    return f'{kind}_{gate}' if gate else kind


@builtin('layer')
class SimpleRNN(Recurrent):
    """Feed a layer with its own previous output: ``h = activation(x @ W + h @ U + b)``.

    Parameters, shapes
        As for :class:`Recurrent`; the parameters are `W`, `U` and `b`, the state is `h`.

    References
    ----------
    .. [1] J. L. Elman, "Finding structure in time", Cognitive Science, 1990.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> SimpleRNN(4)(Input((None, 3))).shape
    (None, 4)
    """

    W: Any
    U: Any
    b: Any
    gates = (('',),)
    activates_output = True

    def cell(self, x: Any, visible: Any, states: List[Any], U: List[Any]) -> List[Any]:
        return [self.activation(x + B.dot(visible, U[0]))]


class _Gated(Recurrent):
    """Recurrent layers whose gates have their own activation."""

    def __init__(self, output_dim: PositiveInt, init: Initialization = 'glorot_uniform',
                 inner_init: Initialization = 'orthogonal', activation: Activation = 'tanh',
                 inner_activation: Activation = 'hard_sigmoid', **kwargs: Any):
        super().__init__(output_dim, init, inner_init, activation, **kwargs)
        self.inner_activation = activations.get(inner_activation)


@builtin('layer')
class GRU(_Gated):
    """Gated recurrent unit.

    ::

        z = inner_activation(x @ W_z + h @ U_z + b_z)
        r = inner_activation(x @ W_r + h @ U_r + b_r)
        h = z * h + (1 - z) * activation(x @ W_h + (r * h) @ U_h + b_h)

    Parameters
    ----------
    inner_activation : str or function
        Activation of the gates `z` and `r`.
    **kwargs
        The arguments of :class:`Recurrent`, which also describes the shapes. The state is `h`.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
       translation", EMNLP, 2014.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> GRU(4, return_sequences=True)(Input((5, 3))).shape
    (None, 5, 4)
    """

    gates = (('z', 'r'), ('h',))

    def cell(self, x: Any, visible: Any, states: List[Any], U: List[Any]) -> List[Any]:
        [h], n = states, self.output_dim
        x_gates, x_h = B.split(x, (2 * n, n))
        z, r = B.split(self.inner_activation(x_gates + B.dot(visible, U[0])), (n, n))
        return [z * h + (1 - z) * self.activation(x_h + B.dot(r * visible, U[1]))]


@builtin('layer')
class LSTM(_Gated):
    """Long short-term memory.

    ::

        i = inner_activation(x @ W_i + h @ U_i + b_i)
        f = inner_activation(x @ W_f + h @ U_f + b_f)
        o = inner_activation(x @ W_o + h @ U_o + b_o)
        c = f * c + i * activation(x @ W_c + h @ U_c + b_c)
        h = o * activation(c)

    Parameters
    ----------
    inner_activation : str or function
        Activation of the gates `i`, `f` and `o`.
    forget_bias_init : str or function
        Initialization of `b_f`: ones by default, so that the layer initially remembers.
    **kwargs
        The arguments of :class:`Recurrent`, which also describes the shapes. The states are `h` and `c`.

    References
    ----------
    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation, 1997.
    .. [2] R. Jozefowicz, W. Zaremba and I. Sutskever, "An empirical exploration of recurrent network architectures",
       ICML, 2015 (`forget_bias_init`).

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> x, h, c = Input((None, 3)), Input(4), Input(4)
    >>> LSTM(4)([x, h, c]).shape
    (None, 4)
    """

    gates = (('i', 'f', 'o', 'c'),)
    states = ('h', 'c')

    def __init__(self, output_dim: PositiveInt, init: Initialization = 'glorot_uniform',
                 inner_init: Initialization = 'orthogonal', activation: Activation = 'tanh',
                 inner_activation: Activation = 'hard_sigmoid', forget_bias_init: Initialization = 'one',
                 **kwargs: Any):
        super().__init__(output_dim, init, inner_init, activation, inner_activation, **kwargs)
        self.forget_bias_init = initializations.get(forget_bias_init)

    def initial_bias(self, gate: str) -> np.ndarray:
        return self.forget_bias_init((self.output_dim,)) if gate == 'f' else super().initial_bias(gate)

    def cell(self, x: Any, visible: Any, states: List[Any], U: List[Any]) -> List[Any]:
        c, n = states[1], self.output_dim
        gates, new = B.split(x + B.dot(visible, U[0]), (3 * n, n))
        i, f, o = B.split(self.inner_activation(gates), (n, n, n))
        c = f * c + i * self.activation(new)
        return [o * self.activation(c), c]
