"""Steps that are left out because a number in them is NaN or infinite: what else is looked at, and what to say."""
import math
from typing import Any, Optional, Sequence

from keraflow import backend as B
from keraflow.backend.contract import Finite
from keraflow.backend.refusals import NotFinite
from keraflow.data.arrays import not_finite
from keraflow.errors import NotFiniteError

__all__ = ['finite_states', 'not_finite_in_fit', 'not_finite_in_step']

#: How much of a path is shown.
_MAX_PATH = 80


def finite_states(updates: Sequence[tuple], parameters: Sequence[Any]) -> Finite:
    """Return the new values of states, which must be finite: they may be infinite though the loss is not."""
    names = {id(one.variable): one.name for one in parameters}
    return Finite({f'new value of {names.get(id(one), "a state")}': B.reshape(value, [math.prod(B.static_shape(one))])
                   for one, value in updates if 'float' in B.dtype(one)})


def not_finite_in_fit(model: Any, stop: NotFinite, epoch: int, batch: int, saved: Optional[str]) -> NotFiniteError:
    """Return the error of `fit` for a batch, counted from 0 in its epoch; `saved` is the last good file."""
    problem = _problem(stop, f' of batch {batch}')
    broken = next(iter(not_finite(model.get_weights())), None)
    if broken is not None:
        problem += f', after an earlier step left NaN or infinity in {broken}'
    kept = '' if broken is not None else ' Weights, states and the optimizer are those before it.'
    file = '' if saved is None else f' The last file is {saved if len(saved) <= _MAX_PATH else "..." + saved[-77:]}.'
    return NotFiniteError(f"{model.name}: fit: epoch {epoch + 1}: {problem}.{kept}{file} Look at its data, try a lower "
                          "learning rate, or clipnorm, or pass on_nan='skip'.", problem, stop.value, epoch, batch)


def not_finite_in_step(stop: NotFinite) -> NotFiniteError:
    """Return the error of a step of the program's own."""
    problem = _problem(stop, '')
    return NotFiniteError(f'TrainStep: {problem}. Weights, states and the optimizer are those before the step. Look at '
                          "its arrays, try a lower learning rate, or clipnorm, or pass on_nan='ignore'.", problem,
                          stop.value)


def _problem(stop: NotFinite, of_batch: str) -> str:
    if stop.name == 'loss' or stop.name.startswith(('gradient of ', 'new value of ')):
        return f'the {stop.name}{of_batch} is {stop.value}'
    return f'the term {stop.name} of the loss{of_batch} is {stop.value}'
