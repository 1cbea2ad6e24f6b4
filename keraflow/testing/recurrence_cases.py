"""The table of loops over time, with their results as loops in NumPy."""
from typing import Any, Callable, List, Tuple

import numpy as np

from keraflow.testing.operands import Operand
from keraflow.testing.operation_cases import Case

__all__ = ['CASES']

x, y, other, one, condition = map(Operand, ('x', 'y', 'other', 'one', 'condition'))


def _loop(step: Callable, sequences: List[Any], states: List[Any], constants: Tuple[Any, ...] = (),
          mask: Any = None) -> Tuple[Any, List[Any]]:
    """Compute the loop in NumPy."""
    outputs = []
    for time in range(len(sequences[0])):
        made = step([it[time] for it in sequences], states, constants)
        if mask is not None:
            made = [np.where(mask[time].reshape(-1, *(1,) * (new.ndim - 1)), new, old) for new,
                    old in zip(made, states)]
        states = list(made)
        outputs.append(states[0])
    return np.stack(outputs), states


def _running(slices: List[Any], states: List[Any], constants: Any) -> List[Any]:
    return [states[0] + slices[0] * 0.5]


def _coupled(slices: List[Any], states: List[Any], constants: Any) -> List[Any]:
    (a, b), (h, c), (k,) = slices, states, constants
    return [c * 0.5 + a * k, h * a - b * c * 0.25]


def _part(number: int) -> Callable:
    """Select from the result of a loop: the outputs (0), or the last value of a state (1, 2)."""
    return lambda made: made[0] if number == 0 else made[1][number - 1]


def _case(text: str, args: tuple, operation: str, run: Callable, expected: Callable, part: int,
          smooth: bool = True) -> Case:
    take = _part(part)
    return Case(operation, args, {}, lambda *tensors: take(expected(*tensors)), 'same', 'f',
                lambda backend, *tensors: take(run(backend, *tensors)), smooth, True, f'{text}, part {part}')


def _cases() -> List[Case]:
    cases = []
    for part in (0, 1):
        cases.append(_case('a running sum', (x, y), 'loop', lambda B, x, y: B.loop(_running, [x], [y[0]]),
                           lambda x, y: _loop(_running, [x], [y[0]]), part))
        cases.append(_case('states with an axis of length 1', (one,), 'loop',
                           lambda B, one: B.loop(_running, [one], [one[0]]),
                           lambda one: _loop(_running, [one], [one[0]]), part))
    for part in (1, 2):
        cases.append(_case('two states alone', (x, y, other), 'loop',
                           lambda B, x, y, k: B.loop(_coupled, [x, y], [y[0], x[1]], [k], collect=False),
                           lambda x, y, k: _loop(_coupled, [x, y], [y[0], x[1]], (k,)), part))
    for part in (0, 1, 2):
        cases.append(_case('two sequences, two states and a constant', (x, y, other), 'loop',
                           lambda B, x, y, k: B.loop(_coupled, [x, y], [y[0], x[1]], [k]),
                           lambda x, y, k: _loop(_coupled, [x, y], [y[0], x[1]], (k,)), part))
        for unroll in (False, True):
            cases.append(_scan(unroll, part))
    cases.append(_case('without a mask', (x, y), 'scan', lambda B, x, y: B.scan(_running, [x], [y[0]]),
                       lambda x, y: _loop(_running, [x], [y[0]]), 0))
    return cases


def _scan(unroll: bool, part: int) -> Case:
    def run(backend: Any, x: Any, y: Any, k: Any, condition: Any) -> Any:
        mask = condition[:, :, 0]
        if unroll:      # the number of time steps must be known, in every group
            mask = backend.with_static_shape(mask, (2, None))
        return backend.scan(_coupled, [x, y], [y[0], x[1]], [k], mask, unroll)
    return _case('masked, unrolled' if unroll else 'masked', (x, y, other, condition), 'scan', run,
                 lambda x, y, k, mask: _loop(_coupled, [x, y], [y[0], x[1]], (k,), mask[:, :, 0]), part)


#: Every case of loops.
CASES: Tuple[Case, ...] = tuple(_cases())
