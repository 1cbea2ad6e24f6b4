"""The laws of what the definitions of operations say: masks, values that are moved, layouts, real results."""
import contextlib
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from keraflow.arguments import to_list
from keraflow.backend.contract import FLOATS, METHODS, OPERATIONS, TensorSpec
from keraflow.backend.layouts import sources_of, to_outer
from keraflow.backend.method_info import MethodInfo
from keraflow.testing.cases import CASES
from keraflow.testing.expectations import expect
from keraflow.testing.operands import Operand, Reshaped, operands_of, pool
from keraflow.testing.operation_cases import Case

__all__ = ['PROPERTY_LAWS', 'direct_cases']

#: The sample and the time step of `x` that are changed.
PLACE = (0, 0)
#: What an operation on an image is given, by the name of the argument.
OF_IMAGES: Dict[str, Any] = {
    'axis': 1, 'axes': [0, 2, 3, 1], 'drop_rate': 0.5, 'dtype': 'float32', 'keepdims': True, 'lengths': [2, 3],
    'max_value': 1., 'message': 'no message', 'min_value': 0., 'nb_axis': 2,
    'padding': [(0, 0), (0, 0), (1, 0), (0, 2)], 'repeats': 2, 'reps': [1, 1, 1, 1], 'shape': [-1, 3]}
#: Operations that take no image, or nothing else than an axis of length 1.
OTHERS = ('dot', 'matmul', 'squeeze', 'squeeze_axes')


class _Run(NamedTuple):
    """A case, what the operation was given as arrays, and what it gave."""

    case: Case
    given: Dict[str, Any]
    result: np.ndarray

    @property
    def method(self) -> MethodInfo:
        """What is known of the operation."""
        return METHODS[self.case.operation]

    @property
    def values(self) -> List[np.ndarray]:
        """The operands whose numbers become part of the result."""
        values = [self.given[name] for name in self.method.values if self.given[name] is not None]
        return [np.asarray(one) for value in values for one in (value if isinstance(value, list) else [value])]


def direct_cases(kind: str) -> List[Case]:
    """List the cases of operations that are one call of it, on operands of a kind."""
    return [case for case in CASES if case.operation in OPERATIONS and case.call is None and kind in case.kinds]


def _runs(backend: Any, dtype: str, *changes: Dict[str, np.ndarray]) -> List[List[_Run]]:
    """All cases in one function, run on the pool, and with each of these changes of it."""
    arrays, cases = pool(dtype), direct_cases(dtype[0])

    def builder(*tensors: Any) -> tuple:
        operands, made = dict(zip(arrays, tensors)), {}
        for case in cases:
            args = _filled(case.args, operands, backend)
            with contextlib.suppress(Exception):    # of any kind: the table of operations reports it
                made[case.label] = getattr(backend, case.operation)(*args, **case.kwargs)
        cases[:] = [case for case in cases if case.label in made]
        return list(made.values()), []
    run = backend.compile(builder, [TensorSpec(array.shape, array.dtype.name, name) for name, array in arrays.items()])
    found = []
    for change in ({}, *changes):
        changed = {**arrays, **change}
        results = run(*changed.values())        # builds the function, which keeps the cases that work
        given = [METHODS[case.operation].arguments(_filled(case.args, changed, np), case.kwargs) for case in cases]
        found.append([_Run(*one) for one in zip(cases, given, map(np.array, results))])
    return found


def _filled(value: Any, operands: Dict[str, Any], module: Any) -> Any:
    """Replace the names of operands in a case by operands; `module` has the function ``reshape`` for these."""
    if isinstance(value, Operand):
        return operands[value]
    if isinstance(value, Reshaped):
        return module.reshape(operands[value.operand], value.shape)
    if isinstance(value, (list, tuple)) and operands_of(value):
        return [_filled(item, operands, module) for item in value]
    return value


# -- the laws ---------------------------------------------------------------------------------------------------------

def _moves_values(backend: Any) -> None:
    """An operation that moves values returns values of its operands."""
    for run in _runs(backend, 'float64')[0]:
        if run.method.moves_values and not run.method.converts:
            left = ~np.isin(run.result, np.concatenate([np.ravel(one) for one in run.values]).astype(run.result.dtype))
            left &= ~np.isnan(run.result)
            expect(not left.any(), f'values of its operands from {run.case.label}', run.result[left][:1])


def _gives_reals(backend: Any) -> None:
    """An operation returns reals for integers if it declares that, and no others."""
    for run in _runs(backend, 'int64')[0]:
        if 'dtype' not in run.given and all(value.dtype.kind in 'ib' for value in run.values):
            expected, dtype = 'a real result' if run.method.is_real else 'integers or bools', run.result.dtype.name
            expect((dtype in FLOATS) == run.method.is_real, f'{expected} from {run.case.label}', dtype)


def _keeps_masks(backend: Any) -> None:
    """An operation that keeps a mask leaves each sample and each time step in place."""
    x = pool('float64')['x']
    changed = x.copy()
    changed[PLACE] += np.array([0.125, 0.25, 0.375, 0.5])
    before, after = _runs(backend, 'float64', {'x': changed})
    for one, other in zip(before, after):
        if 'x' in operands_of(one.case.args) and not any(isinstance(it, Reshaped) for it in one.case.args) and \
                one.method.leaves_steps(one.given, x.ndim) and one.result.shape[:2] == x.shape[:2]:
            _check_steps(one, other)


def _check_steps(one: _Run, other: _Run) -> None:
    """Raise if the step that was changed is at another place of the result, or changes others without being told to."""
    with np.errstate(invalid='ignore'):
        differs = ~np.isclose(one.result, other.result, 0, 1e-9, equal_nan=True)
    changed = list(map(tuple, np.argwhere(differs.reshape(*differs.shape[:2], -1).any(-1)).tolist()))
    along = [axis % one.result.ndim for axis in to_list(one.given.get('axis', ())) if axis is not None]
    # Along an axis given as an argument, each step depends on others, too.
    fixed = [axis for axis in (0, 1) if axis not in along]
    others = [place for place in changed if any(place[axis] != PLACE[axis] for axis in fixed)]
    wrong = others or (changed if PLACE not in changed else [])
    expect(not wrong, f'each time step at its place from {one.case.label}', f'another one at {wrong[:1]}')


def _keeps_layouts(backend: Any) -> None:
    """An operation that keeps layouts remembers the inner one of its result, and others do not."""
    def remembering(image: Any) -> Dict[str, bool]:
        calls = {name: _of_image(backend, METHODS[name], to_outer(backend, image)) for name in sorted(OPERATIONS)}
        made = {}
        for name, given in calls.items():
            with contextlib.suppress(Exception):    # of any kind, as above
                made.update({} if given is None else {name: getattr(backend, name)(**given)})
        return {name: sources_of(to_list(one))[0] is not to_list(one)[0] for name, one in made.items()}
    for name, remembers in backend.trace(remembering, [TensorSpec((2, 3, 4, 5), 'float32')]).items():
        expected, received = ('one', 'none') if METHODS[name].keeps_layout else ('none', 'one')
        expect(remembers == METHODS[name].keeps_layout, f'{expected} that {name} remembers', received)


def _of_image(backend: Any, method: MethodInfo, image: Any) -> Optional[Dict[str, Any]]:
    """Arguments of an operation on an image; ``None`` if it takes none, or receives the format."""
    operands = {'x': image, 'y': image, 'condition': backend.greater(image, 0.), 'tensors': [image, image]}
    known = {name: value for name, value in {**OF_IMAGES, **operands}.items() if name in method.names}
    is_complete = known.keys() | method.defaults.keys() >= set(method.names)
    is_other = 'data_format' in method.names or method.name in OTHERS or not operands.keys() & known
    return known if is_complete and not is_other else None


#: What definitions say, checked on the table of operations.
PROPERTY_LAWS: Sequence[Any] = (_moves_values, _gives_reals, _keeps_masks, _keeps_layouts)
