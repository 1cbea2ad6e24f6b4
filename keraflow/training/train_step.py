"""``TrainStep``: a custom training step, written once for every backend."""
from typing import Any, Callable, Dict, List, Literal, Sequence, Union

import numpy as np

from keraflow import backend as B
from keraflow import random, registry, schema
from keraflow.arguments import to_list
from keraflow.backend.contract import Finite
from keraflow.backend.refusals import NotFinite
from keraflow.backend.tensor_checks import check_scalar
from keraflow.data.array_spec import ArraySpec
from keraflow.data.arrays import check_lengths, read_arrays
from keraflow.errors import ArgumentError, DataError
from keraflow.graph.parameters import parameters_of, penalties
from keraflow.graph.records import recording
from keraflow.graph.trainability import Trainability
from keraflow.layers.base import Layer
from keraflow.layers.input import Input
from keraflow.optimizers import Optimizer
from keraflow.owned import owned
from keraflow.training.finite import finite_states, not_finite_in_step
from keraflow.training.model_function import ModelFunction, ModelLoop

__all__ = ['TrainStep']


class TrainStep:
    """A compiled function that takes one step to minimize a custom loss whenever it is called.

    Parameters
    ----------
    loss_fn : function
        From tensors, one for each of `inputs`, to the scalar loss, or to a list of the loss and further scalars,
        ``[loss, one, other]``. It calls models and layers on tensors, and functions of the backend (``B.mean(...)``),
        in the phase ``'train'``.
    inputs : Input or list of Input
        Shapes and dtypes of the tensors.
    train : layer, model or list of them
        The layers whose trainable parameters are updated. All others stay unchanged.
    optimizer : str or Optimizer
        Used by this step alone. Its state is named as in ``get_weights`` of `train` (``'m/dense1/W'``), after the
        number of the layer if there are several (``'m/0/dense1/W'``).
    execution : {'plain', 'compiled', 'whole', 'auto'}
        How it runs on a backend that has several ways, as for :meth:`Model.compile`. Each call has one batch, which
        gains from being compiled with large parameters and with loops over time, and else loses some tenths of a
        millisecond. ``'auto'`` compiles after some hundred calls, if the rule of ``compile`` does.
    on_nan : {'raise', 'ignore'}
        What to do if the loss, or a gradient, is NaN or infinite: raise an error and change nothing, or take the step
        nevertheless.

    Raises
    ------
    ArgumentError
        If no layer in `train` has trainable parameters.

    Notes
    -----
    The loss includes the regularizers of the updated parameters, and what layers add in the run (``add_loss``, activity
    regularizers). Constraints are applied, and states, such as those of BatchNormalization, are updated. Which layers
    are trainable is read when the step is made, for which the loss is traced once.

    Examples
    --------
    >>> from keraflow.layers import Dense, Input
    >>> from keraflow.models import Sequential
    >>> model = Sequential([Input(2), Dense(1, init='zero')])
    >>> step = TrainStep(lambda x, y: B.mean(B.square(model(x) - y)), [Input(2), Input(1)], model, 'sgd')
    >>> float(step([[1., 1.]], [[3.]]))
    9.0
    """

    def __init__(self, loss_fn: Callable, inputs: Union[Input, Sequence[Input]], train: Union[Layer, Sequence[Layer]],
                 optimizer: Union[str, Optimizer], execution: schema.Execution = 'plain',
                 on_nan: Literal['raise', 'ignore'] = 'raise'):
        schema.check(loss_fn, Callable, 'TrainStep: loss_fn')
        schema.check(on_nan, Literal['raise', 'ignore'], 'TrainStep: on_nan')
        for kensor in to_list(inputs):
            schema.check(kensor, Input, 'TrainStep: inputs')
        self._array_specs = [ArraySpec.of(kensor) for kensor in to_list(inputs)]
        specs = [kensor.spec for kensor in to_list(inputs)]
        schema.check(execution, schema.Execution, 'TrainStep: execution')
        self._loss_fn = owned(loss_fn)
        self._is_guarded = on_nan == 'raise'
        self.optimizer = registry.resolve('optimizer', optimizer, 'TrainStep: optimizer: ')
        layers = to_list(train)
        for layer in layers:
            schema.check(layer, Layer, 'TrainStep: train')
        self._parameters = parameters_of(layers)
        variables = [one.variable for one in self._parameters if one.trainable]
        if not variables:
            raise ArgumentError('TrainStep: train: expected layers with trainable parameters, received none. '
                                'Feed the layers first.')
        names = _names_in(layers)
        self.optimizer.build(variables, [names[id(variable)] for variable in variables], self)
        with B.phase('train'), recording() as record:
            # Which layers the loss runs, and how many scalars there are, shows only in a run.
            self._nothing = np.zeros(len(to_list(B.trace(self._loss_fn, specs))))
        all_layers = [*layers, *record.layers.values()]
        self._trainability = Trainability(all_layers)
        made_with = self._build, specs, all_layers, random.Stream(), self._computed_with
        self._function = ModelFunction(*made_with) if execution == 'plain' else None
        self._loop = ModelLoop(*made_with, execution=execution)

    def __call__(self, *arrays: Any) -> Any:
        """Take a step on a batch, and return the loss before it, or the list that `loss_fn` returns.

        Raises
        ------
        DataError
            If the arrays do not match the Inputs.
        NotFiniteError
            If the loss, or a gradient, is NaN or infinite, unless that is to be ignored. The step has changed nothing.
        """
        names = [spec.name for spec in self._array_specs]
        if len(arrays) != len(names):
            raise DataError(f"TrainStep: expected {len(names)} array(s) ({', '.join(names)}), received {len(arrays)}.")
        batch = read_arrays(dict(zip(names, arrays)), self._array_specs, 'TrainStep')
        check_lengths(dict(zip(names, batch)), 'TrainStep')
        try:
            values = self._values(batch)
        except NotFinite as stop:
            raise not_finite_in_step(stop) from None
        return values[0] if len(values) == 1 else list(values)

    def explain(self) -> str:
        """Return in words how it runs: on which backend, in which way, and why."""
        loop = self._loop.latest
        return (f'TrainStep: on {B.name()} {B.current().version()}, in {B.floatx()}\n'
                f'step: {loop.execution} ({loop.reason})')

    def _values(self, batch: List[Any]) -> np.ndarray:
        """Take a step, and return the scalars."""
        if self._function is not None:
            return np.asarray(self._function(*batch)[0])
        self._loop.prepare(1)
        numbers = np.arange(len(batch[0])).reshape(1, -1)
        return self._loop.sum(self._loop.load(batch), numbers, self._nothing).astype(self._dtype)

    def _computed_with(self) -> List[Any]:
        return [*self._trainability.layers, self.optimizer,
                *(part for one in self._parameters for part in (one.regularizer, one.constraint))]

    def _build(self, *tensors: Any) -> tuple:
        with B.phase('train'), recording() as record, self._trainability.kept():
            def loss_fn() -> tuple:
                given = to_list(self._loss_fn(*tensors))
                for one in given or [given]:
                    check_scalar(one, 'TrainStep: loss_fn')
                added = [value for _, value in penalties(self._parameters)]
                added += [one.value for one in record.added.values()]
                return sum((B.cast(one, B.dtype(given[0])) for one in added), given[0]), given
            loss, given, updates = self.optimizer.minimize(loss_fn, self._parameters)
        self._dtype = B.dtype(loss)
        updates = [*updates, finite_states(record.updates, self._parameters), *record.updates]
        if not self._is_guarded:
            updates = [one for one in updates if not isinstance(one, Finite)]
        values = [loss, *given[1:]]
        return [B.stack([B.cast(one, B.dtype(loss)) for one in values])], updates


def _names_in(layers: Sequence[Layer]) -> Dict[int, str]:
    """Return the names of parameters by the ``id()`` of the variable, after the number of the layer if there are
    several."""
    names: Dict[int, str] = {}
    for number, layer in enumerate(layers):
        for one in parameters_of([layer]):
            names.setdefault(id(one.variable), one.name if len(layers) == 1 else f'{number}/{one.name}')
    return names
