"""Evaluate the table of operations: many cases in one compiled function, each judged separately."""
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.contract import DTYPES, FLOATS, TensorSpec, common_dtype
from keraflow.shapes import agree
from keraflow.testing.cases import CASES
from keraflow.testing.numerics import assert_close, numerical_gradient, random_weights, using_floatx
from keraflow.testing.operands import GROUPS, KNOWN_AXES, UNTYPED, Group, Operand, Reshaped, operands_of, pool
from keraflow.testing.operation_cases import Case

__all__ = ['Evaluation']

#: Tolerance by the dtype of the result, in units of max(1, |expected|).
TOLERANCE = {'float32': 3e-6, 'float64': 1e-12}
GRADIENT_TOLERANCE = 1e-6
#: The group in which gradients are checked.
EXACT = Group('float64', 'float64', True)


class Result(NamedTuple):
    """The result of a case: an array and what was known of it before, or an error."""

    value: Optional[np.ndarray] = None
    dtype: str = ''
    shape: tuple = ()
    error: Optional[Exception] = None


class Evaluation:
    """The cases, computed by one backend. A group is computed when one of its cases is first needed.

    Parameters
    ----------
    backend : Backend
    cases : sequence of Case
    """

    def __init__(self, backend: Any, cases: Sequence[Case] = CASES):
        self.backend = backend
        self.cases = cases
        self._values: Dict[Group, List[Result]] = {}
        self._gradients: Optional[List[Result]] = None

    def check(self, number: int) -> None:
        """Raise an AssertionError unless a case has the right values, dtypes, static shapes and gradient."""
        case = self.cases[number]
        for group in GROUPS:
            if group.kind in case.kinds:
                if group not in self._values:
                    self._values[group] = self._compute(group)
                _check_value(case, group, self._values[group][number])
        if case.smooth and 'f' in case.kinds and _float_operands(case):
            if self._gradients is None:
                self._gradients = self._compute_gradients()
            _check_gradient(case, self._gradients[number])

    def _compute(self, group: Group) -> List[Result]:
        arrays = pool(group.dtype)

        def make(number: int, tensors: Sequence[Any]) -> Any:
            return _call(self.backend, self.cases[number], dict(zip(arrays, tensors)))
        numbers = [number for number, case in enumerate(self.cases) if group.kind in case.kinds]
        with using_floatx(group.floatx, self.backend):
            found = self._run(numbers, make, _specs(arrays, group.known), list(arrays.values()))
        return [found.get(number, Result()) for number in range(len(self.cases))]

    def _compute_gradients(self) -> List[Result]:
        """Return for each case the gradients with respect to its operands, as one vector."""
        with using_floatx(EXACT.floatx, self.backend):
            variables = {name: self.backend.variable(array, array.dtype.name) for name,
                         array in pool(EXACT.dtype).items()}
            numbers = [number for number,
                       case in enumerate(self.cases) if case.smooth and 'f' in case.kinds and _float_operands(case)]
            found = self._run(numbers, lambda number, tensors: self._gradient(self.cases[number], variables), [], [])
        return [found.get(number, Result()) for number in range(len(self.cases))]

    def _run(self, numbers: Sequence[int], make: Callable, specs: Sequence[TensorSpec],
             arrays: Sequence[np.ndarray]) -> Dict[int, Result]:
        """Run one function for all; if it cannot be built or run, one for each half, down to single cases."""
        results: Dict[int, Result] = {}

        def builder(*tensors: Any) -> tuple:
            outputs = []
            for number in numbers:
                try:
                    made = make(number, tensors)
                    results[number] = Result(None, self.backend.dtype(made), tuple(self.backend.static_shape(made)))
                    outputs.append(made)
                except Exception as error:  # any error is the result of this case
                    results[number] = Result(error=error)
            return outputs, []
        try:
            values = iter([np.array(it) for it in self.backend.compile(builder, specs)(*arrays)])
        except Exception as error:
            if len(numbers) == 1:
                return {numbers[0]: Result(error=error)}
            half = len(numbers) // 2
            return {**self._run(numbers[:half], make, specs, arrays), **self._run(numbers[half:], make, specs, arrays)}
        return {number: result if result.error else result._replace(value=next(values)) for number,
                result in sorted(results.items())}

    def _gradient(self, case: Case, variables: Dict[str, Any]) -> Any:
        backend = self.backend
        weights = random_weights(np.shape(_expected(case, pool(EXACT.dtype))))

        def loss_fn() -> tuple:
            # As tensors: a variable is an operand, too, but slicing it differs between backends.
            operands = {str(name): backend.identity(variables[name]) for name in operands_of(case.args)}
            result = _call(backend, case, operands)
            return backend.sum(backend.multiply(backend.cast(result, 'float64'), weights)), None
        _, _, gradients = backend.value_and_gradients(loss_fn, [variables[name] for name in _float_operands(case)])
        return backend.concatenate([backend.cast(backend.reshape(gradient, (-1,)), 'float64')
                                    for gradient in gradients], 0)


def _specs(arrays: Dict[str, np.ndarray], known: bool) -> List[TensorSpec]:
    return [TensorSpec(array.shape if known
                       else tuple(KNOWN_AXES.get(name, {}).get(axis) for axis in range(array.ndim)), array.dtype.name,
                       name)
            for name, array in arrays.items()]


def _fill(value: Any, operands: Dict[str, Any], reshape: Any) -> Any:
    if isinstance(value, Operand):
        return operands[value]
    if isinstance(value, Reshaped):
        return reshape(operands[value.operand], value.shape)
    if isinstance(value, list) and operands_of(value):
        return [_fill(item, operands, reshape) for item in value]
    return value


def _call(backend: Any, case: Case, operands: Dict[str, Any]) -> Any:
    args = [_fill(value, operands, backend.reshape) for value in case.args]
    if case.call is not None:
        return case.call(backend, *args, **case.kwargs)
    return getattr(backend, case.operation)(*args, **case.kwargs)


def _expected(case: Case, arrays: Dict[str, np.ndarray]) -> np.ndarray:
    """Compute the expected result with NumPy, in float64."""
    def widen(array: np.ndarray) -> np.ndarray:
        # NumPy computes functions of bools in float16.
        return array.astype('float64') if array.dtype.kind == 'f' or (array.dtype.kind == 'b'
                                                                      and case.rule == 'real') else array
    wide = {name: array if name in UNTYPED else widen(array) for name, array in arrays.items()}
    with np.errstate(all='ignore'):
        return np.asarray(case.expected(*[_fill(value, wide, np.reshape) for value in case.args], **case.kwargs))


def _expected_dtype(case: Case, group: Group, arrays: Dict[str, np.ndarray]) -> str:
    dtypes = [arrays[name].dtype.name for name in operands_of(case.args) if name not in UNTYPED]
    dtypes = dtypes or [arrays[name].dtype.name for name in operands_of(case.args)] or [group.dtype]
    common = common_dtype(*dtypes)
    rules = {'same': common, 'real': common if common in FLOATS else group.floatx,
             'count': 'int64' if common == 'bool' else common,
             'floatx': group.floatx}
    return case.rule if case.rule in DTYPES else rules[case.rule]


def _check_value(case: Case, group: Group, result: Result) -> None:
    arrays = pool(group.dtype)
    lengths = 'static lengths' if group.known else 'unknown lengths'
    where = f'{case.label} of {group.dtype} with floatx {group.floatx} and {lengths}'
    if result.error is not None:
        raise AssertionError(f'{where}: expected a value, received {type(result.error).__name__}: '
                             f'{result.error}') from result.error
    assert result.value is not None
    dtype, expected = _expected_dtype(case, group, arrays), _expected(case, arrays)
    if result.value.dtype.name != dtype or result.dtype != dtype:
        raise AssertionError(f'{where}: expected dtype {dtype}, received {result.value.dtype.name} '
                             f'(known as {result.dtype}).')
    assert_close(where, result.value, expected.astype(dtype) if dtype not in FLOATS else expected,
                 TOLERANCE.get(dtype, 0))
    if not agree(result.shape, expected.shape) or (case.fixed and group.known and None in result.shape):
        raise AssertionError(f'{where}: expected the static shape {expected.shape}, received {result.shape}.')


def _float_operands(case: Case) -> List[str]:
    names: Tuple[str, ...] = tuple(dict.fromkeys(operands_of(case.args)))
    return [name for name in names if name not in ('condition', 'index', 'wide_index', 'int32', 'int64', 'boolean',
                                                   'float32')]


def _check_gradient(case: Case, result: Result) -> None:
    where = f'gradient of {case.label} in float64'
    if result.error is not None:
        raise AssertionError(f'{where}: expected a value, received {type(result.error).__name__}: '
                             f'{result.error}') from result.error
    arrays, names = pool(EXACT.dtype), _float_operands(case)
    weights = random_weights(np.shape(_expected(case, arrays)))

    def loss(*values: np.ndarray) -> float:
        return float(np.sum(_expected(case, {**arrays, **dict(zip(names, values))}) * weights))
    expected = numerical_gradient(loss, [arrays[name] for name in names])
    # Values far out have no digits left for a difference.
    scale = max(1., float(np.abs(loss(*(arrays[name] for name in names)))))
    assert_close(where, result.value, np.concatenate([np.ravel(one) for one in expected]), GRADIENT_TOLERANCE * scale)
