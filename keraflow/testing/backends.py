"""check_backend: the laws that every plugin obeys."""
import inspect
from typing import Any, Callable, List, Sequence

import numpy as np

from keraflow.backend.contract import Backend, TensorSpec
from keraflow.errors import ArgumentError, BackendError, DataError, ShapeError
from keraflow.testing.cases import CASES
from keraflow.testing.gradient_laws import GRADIENT_LAWS
from keraflow.testing.numerics import assert_close, using_floatx
from keraflow.testing.operation_cases import UNTABLED, Case
from keraflow.testing.operations import Evaluation

__all__ = ['BACKEND_LAWS', 'check_backend', 'uncovered']

MANY = 20000    # draws: means are then within 0.02 of what is expected, by five standard deviations


def check_backend(backend: Any) -> None:
    """Check a plugin against the contract: its methods, and the values, dtypes and gradients of all operations.

    Parameters
    ----------
    backend : Backend
        An instance of the plugin's class.

    Raises
    ------
    AssertionError
        With one line for each law and each case that does not hold.

    Notes
    -----
    ``BACKEND_LAWS`` are the laws as functions of a backend, and ``keraflow.testing.cases.CASES`` the table of operations,
    which ``keraflow.testing.operations.Evaluation`` computes: use them to report failures one by one.

    Examples
    --------
    >>> class Nothing(Backend):
    ...     pass
    >>> check_backend(Nothing())
    Traceback (most recent call last):
    ...
    AssertionError: ... of ... checks failed:
    all methods of the contract are there: expected ...
    """
    evaluation = Evaluation(backend)
    checks: List[Callable] = [*(_bound(law, backend) for law in BACKEND_LAWS), *(_bound(evaluation.check, number) for number in range(len(CASES)))]
    failures = [text for text in map(_failure, checks) if text]
    if failures:
        raise AssertionError(f'{len(failures)} of {len(checks)} checks failed:\n' + '\n'.join(failures))


def uncovered(cases: Sequence[Case] = CASES) -> List[str]:
    """Methods of the contract that neither the table of operations nor :data:`UNTABLED` has."""
    return sorted(_public(Backend) - {case.operation for case in cases} - set(UNTABLED) - {'name'})


def _bound(check: Callable, argument: Any) -> Callable:
    def run() -> None:
        check(argument)
    run.__doc__ = check.__doc__ if check in BACKEND_LAWS else ''
    return run


def _failure(check: Callable) -> str:
    law = (check.__doc__ or '').strip().rstrip('.')
    where = f'{law[0].lower()}{law[1:]}: ' if law else ''
    try:
        check()
    except AssertionError as error:
        return f'{where}{error}'
    except Exception as error:  # whatever a plugin does wrong
        return f'{where}expected no error, received {type(error).__name__}: {error}'
    return ''


def _expect(holds: bool, expected: Any, received: Any) -> None:
    if not holds:
        raise AssertionError(f'expected {expected}, received {received}.')


def _refuses(kind: Any, text: str, function: Callable, *args: Any) -> None:
    try:
        function(*args)
    except kind as error:
        _expect(text in str(error), f'the message {text!r}', repr(str(error)))
    else:
        raise AssertionError(f'expected {kind.__name__}: {text}, received no error.')


def _public(cls: type) -> set:
    return {name for name in dir(cls) if not name.startswith('_')}


def _run(backend: Any, build: Callable, *arrays: np.ndarray) -> List[np.ndarray]:
    """Compile a function of arrays whose lengths are not known, and call it."""
    specs = [TensorSpec((None,) * array.ndim, array.dtype.name) for array in arrays]
    return [np.array(it) for it in backend.compile(lambda *tensors: (build(*tensors), []), specs)(*arrays)]


# -- the contract -----------------------------------------------------------------------------------------------------

def _has_all_methods(backend: Any) -> None:
    """All methods of the contract are there."""
    missing = [name for name in sorted(_public(Backend)) if _is_open(name, getattr(type(backend), name, None))]
    _expect(not missing, 'an implementation of every method', f'none of {", ".join(missing)}')
    _expect(isinstance(backend.name, str) and backend.name != '', 'a name', repr(backend.name))


def _is_open(name: str, method: Any) -> bool:
    """Whether a method is the contract's own, which says only what it should do."""
    return method is getattr(Backend, name) and inspect.isfunction(method) and 'NotImplementedError' in method.__code__.co_names


def _has_the_same_arguments(backend: Any) -> None:
    """All methods have the arguments and defaults of the contract."""
    for name in sorted(_public(Backend)):
        wanted, found = getattr(Backend, name), getattr(type(backend), name)
        if callable(wanted):
            expected, received = _signature(wanted), _signature(found)
            _expect(expected == received, f'{name}{expected}', f'{name}{received}')


def _signature(method: Callable) -> tuple:
    return tuple((one.name, one.default if one.default is not one.empty else '(required)')
                 for one in list(inspect.signature(method).parameters.values())[1:])


def _has_nothing_else(backend: Any) -> None:
    """There is nothing public beyond the contract."""
    more = sorted(_public(type(backend)) - _public(Backend))
    _expect(not more, 'no other public attributes', ', '.join(more))


# -- settings and devices ---------------------------------------------------------------------------------------------

def _has_settings(backend: Any) -> None:
    """Floatx is what was set, and decides on the dtype of reals."""
    for dtype in ('float64', 'float32'):
        with using_floatx(dtype, backend):
            _expect(backend.floatx() == dtype, dtype, backend.floatx())
            for made in (backend.zeros((2,)), backend.constant(0.5), backend.variable(np.zeros(2)), backend.placeholder((None,))):
                _expect(backend.dtype(made) == dtype, dtype, backend.dtype(made))
    _expect(isinstance(backend.version(), str) and backend.version() != '', 'a version', repr(backend.version()))


def _has_devices(backend: Any) -> None:
    """Things are made on a device that there is, and another one is refused."""
    devices = backend.devices()
    _expect('cpu' in devices, "a list with 'cpu'", devices)
    for name in devices:
        with backend.device(name):
            assert_close(f'made on {name}', backend.get_value(backend.variable([1., 2.])), [1., 2.], 0)
    text = f"device: there is no device 'gpu:99'; this machine has {', '.join(devices)}."
    _refuses(BackendError, text, lambda: backend.device('gpu:99').__enter__())


# -- variables and values ---------------------------------------------------------------------------------------------

def _keeps_values(backend: Any) -> None:
    """Variables keep what is set, and give copies."""
    array = np.arange(6.).reshape(2, 3)
    variable = backend.variable(array, name='layer1/W')
    _expect(backend.is_variable(variable) and backend.is_tensor(variable), 'a variable that is a tensor', 'none')
    array[0, 0] = 7.
    value = backend.get_value(variable)
    assert_close('after the array that it was made from was changed', value, np.arange(6.).reshape(2, 3), 0)
    value[0, 0] = 7.
    assert_close('after a value that it gave was changed', backend.get_value(variable), np.arange(6.).reshape(2, 3), 0)
    array = np.full((2, 3), 3)
    backend.set_value(variable, array)
    _expect(backend.get_value(variable).dtype == backend.floatx(), backend.floatx(), backend.get_value(variable).dtype)
    array[0, 0] = 7
    assert_close('after the array that was set was changed', backend.get_value(variable), np.full((2, 3), 3.), 0)
    _refuses(ShapeError, 'set_value: expected an array of shape (2, 3), received (3, 2).', backend.set_value, variable, np.zeros((3, 2)))
    _refuses(ShapeError, 'set_value: expected an array of shape (2, 3), received ().', backend.set_value, variable, 1.)
    _expect(backend.static_shape(variable) == (2, 3), (2, 3), backend.static_shape(variable))


def _gives_dtypes(backend: Any) -> None:
    """Variables and constants have the dtype asked for, that of an integer array, or floatx."""
    floatx = backend.floatx()
    cases: List[tuple] = [
        (np.zeros(2, 'int32'), None, 'int32'), (np.zeros(2, 'int64'), None, 'int64'), (np.zeros(2), None, floatx), (0.5, None, floatx),
        (1, None, floatx), (np.zeros(2, 'int32'), 'float64', 'float64'), (np.zeros(2), 'int64', 'int64'), ([0.5, 1.5], None, floatx),
        (np.array([True, False]), 'bool', 'bool'), (np.zeros(2, 'float64'), 'float32', 'float32')]
    for value, dtype, expected in cases:
        for make in (backend.variable, backend.constant):
            made = make(value, dtype)
            _expect(backend.dtype(made) == expected, f'{expected} for {value!r} as {dtype}', backend.dtype(made))
            _expect(backend.ndim(made) == np.ndim(value), f'{np.ndim(value)} axes', backend.ndim(made))
    _expect(not backend.is_variable(backend.constant(1.)), 'a constant that is no variable', 'one that is')
    for other in (1., np.zeros(2), [1.], None, 'x'):
        _expect(not backend.is_tensor(other) and not backend.is_variable(other), f'{other!r} to be no tensor', 'it is one')


def _evaluates(backend: Any) -> None:
    """Eval gives arrays of tensors that depend on no placeholder."""
    variable = backend.variable([1., 2.])
    total = backend.eval(backend.sum(variable))
    _expect(isinstance(total, np.ndarray) and total.shape == (), 'an array', repr(total))
    several = backend.eval([variable, backend.constant([1, 2], 'int64'), backend.add(variable, 1)])
    _expect(isinstance(several, list), 'a list for a list', type(several).__name__)
    for received, expected in zip(several, ([1., 2.], [1, 2], [2., 3.])):
        assert_close('eval', received, expected, 0)
    backend.set_value(variable, [3., 4.])
    assert_close('eval after set_value', backend.eval(variable), [3., 4.], 0)


def _works_eagerly(backend: Any) -> None:
    """Inside of eagerly, what is made from values can be evaluated while a graph is built around it."""
    def fn(x: Any) -> Any:
        with backend.eagerly():
            return backend.eval(backend.add(backend.constant([1., 2.]), 1.))
    assert_close('a value inside of trace', backend.trace(fn, [TensorSpec((None,), 'float32')]), [2., 3.], 0)


def _runs_verbatim(backend: Any) -> None:
    """A function that is run verbatim gives what it gives."""
    received = backend.verbatim(lambda x, y: [x, y])(1, y='two')
    _expect(received == [1, 'two'], [1, 'two'], received)


def _knows_shapes(backend: Any) -> None:
    """What is known of a shape is kept, and can be said."""
    x = backend.placeholder((None, 3), 'int32', 'x')
    _expect((backend.static_shape(x), backend.dtype(x), backend.ndim(x)) == ((None, 3), 'int32', 2), '(None, 3) int32', backend.static_shape(x))
    _expect(backend.is_tensor(x) and not backend.is_variable(x), 'a placeholder to be a tensor, not a variable', 'something else')

    def known() -> List[tuple]:
        said = backend.with_static_shape(backend.identity(x), (2, 3))
        return [backend.static_shape(it) for it in (said, backend.add(x, x), backend.reshape(x, (-1, 3)), backend.sum(x, 0))]
    found = backend.symbolic(known, [])
    _expect(found == [(2, 3), (None, 3), (None, 3), (3,)], [(2, 3), (None, 3), (None, 3), (3,)], found)
    other = backend.symbolic(lambda: backend.identity(x), [])
    _expect(other is not x, 'another object from identity', 'the same')


# -- functions --------------------------------------------------------------------------------------------------------

def _runs_functions(backend: Any) -> None:
    """Function gives outputs for arrays, computed from the values before the updates."""
    x, variable = backend.placeholder((None, 2)), backend.variable([1., 2.])
    made = backend.symbolic(lambda x: (backend.multiply(x, variable), backend.add(variable, 1.)), [x])
    run = backend.function([x], [made[0], variable], [(variable, made[1])])
    for step in range(2):
        product, before = run([[2, 3]])
        expected = np.array([1., 2.]) + step
        assert_close('the output', product, [expected * [2., 3.]], 0)
        assert_close('a variable that is an output, before the update', before, expected, 0)
        assert_close('the variable after the update', backend.get_value(variable), expected + 1, 0)
    _expect(isinstance(product, np.ndarray) and product.dtype == backend.floatx(), f'an array of {backend.floatx()}', repr(product))
    _refuses(ArgumentError, 'function: expected 1 array(s), received 2.', run, [[1, 2]], [[1, 2]])
    _refuses(ShapeError, 'function: expected an array of shape (None, 2), received (1, 3).', run, [[1., 2., 3.]])


def _compiles_builders(backend: Any) -> None:
    """Compile gives outputs of the values before the updates, and updates from each other's values."""
    one, other, count = backend.variable([1., 2.]), backend.variable([3., 4.]), backend.variable(0, 'int64')

    def builder(x: Any) -> tuple:
        outputs = [backend.add(one, x), backend.sum(other), backend.shape(x)]
        return outputs, [(one, other), (other, one), (count, backend.add(count, 1))]
    run = backend.compile(builder, [TensorSpec((None,), backend.floatx(), 'x')])
    for step in range(3):
        values = [np.asarray(it) for it in run(np.ones(2, backend.floatx()))]
        first, second = ([1., 2.], [3., 4.])[::-1 if step % 2 else 1]
        for received, expected in zip(values, (np.add(first, 1), np.sum(second), [2])):
            assert_close(f'output of call {step}', received, expected, 0)
        assert_close(f'a variable after call {step}', backend.get_value(one), second, 0)
    assert_close('a count', backend.get_value(count), 3, 0)
    backend.set_value(one, [0., 0.])
    assert_close('a call after set_value', np.asarray(run(np.zeros(2, backend.floatx()))[0]), [0., 0.], 0)
    for size in (1, 5):
        length = np.asarray(backend.compile(lambda x: ([backend.shape(x)], []), [TensorSpec((None,), 'int32')])(np.zeros(size, 'int32'))[0])
        assert_close('the shape of a batch of another length', length, [size], 0)


def _casts_updates(backend: Any) -> None:
    """A new value is cast to the dtype of its variable."""
    real, whole = backend.variable([0.5], 'float32'), backend.variable([3], 'int32')
    backend.compile(lambda: ([], [(real, backend.add(backend.cast(real, 'float64'), 1)), (whole, backend.multiply(whole, 2.5))]), [])()
    assert_close('float32 from float64', backend.get_value(real), [1.5], 0)
    assert_close('int32 from floatx', backend.get_value(whole), [7], 0)


def _traces(backend: Any) -> None:
    """Trace and symbolic return what the function returns."""
    found = backend.trace(lambda x, y: (backend.static_shape(backend.add(x, y)), backend.dtype(y), 'anything'),
                          [TensorSpec((None, 3), 'float32'), TensorSpec((None, 1), 'int32')])
    _expect(found == ((None, 3), 'int32', 'anything'), ((None, 3), 'int32', 'anything'), found)
    x = backend.placeholder((2,))
    y = backend.symbolic(lambda x: backend.multiply(x, 2), [x])
    z = backend.symbolic(lambda: backend.add(x, y), [])
    assert_close('two symbolic runs after one another', backend.function([x], [z])([1., 2.])[0], [3., 6.], 0)


def _knows_variables(backend: Any) -> None:
    """The variables that a function uses are found, in the order of use and each once."""
    first, second, unused = (backend.variable(np.full(3, value), 'float32') for value in (1., 2., 3.))

    def fn(x: Any) -> Any:
        return backend.add(backend.multiply(backend.add(x, second), first), backend.multiply(second, 2.))
    used = backend.variables_used(fn, [TensorSpec((None, 3), 'float32')])
    _expect([id(one.variable) for one in used] == [id(second), id(first)], 'two variables', used)
    _expect(all(one.trainable and isinstance(one.name, str) for one in used), 'trainable ones with names', used)


def _requires(backend: Any) -> None:
    """What is required is looked at in each run: then the values pass, or there is a DataError and nothing is changed."""
    total = backend.variable([0.], 'float64')

    def required(x: Any) -> Any:
        return backend.require(x, backend.greater(x, 0), 'x: expected numbers above 0 [all].')

    def builder(x: Any) -> tuple:
        checked = required(x)
        return [checked], [(total, backend.add(total, backend.sum(checked, keepdims=True)))]
    spec, text = TensorSpec((None,), 'float64'), 'x: expected numbers above 0 [all].'
    symbolic = backend.placeholder(*spec)
    compiled = backend.compile(builder, [spec])
    for run in (compiled, backend.function([symbolic], backend.symbolic(lambda: [required(symbolic)], []))):
        assert_close('what passes', np.asarray(run(np.array([1., 2.]))[0]), [1., 2.], 0)
        _refuses(DataError, text, run, np.array([1., 0.]))
    assert_close('after a refusal', backend.get_value(total), [3.], 0)
    _refuses(DataError, text, lambda: backend.eval(required(backend.constant([-1.]))))


# -- random numbers ---------------------------------------------------------------------------------------------------

def _draws(backend: Any) -> None:
    """Random numbers have the right distribution, shape and dtype."""
    def draw(x: Any) -> list:
        n = backend.shape(x)[0]
        return [backend.random_uniform((n,), -1., 3.), backend.random_normal((n, 1), 2., 0.5), backend.random_binomial((n,), 0.3),
                backend.random_uniform((2, 3), dtype='float64'), backend.random_normal((3,), dtype='float64'), backend.random_binomial((2,), 0.5, 'int32'), backend.random_normal(backend.shape(x), dtype='float64')]
    uniform, normal, hits, *typed = _run(backend, draw, np.zeros(MANY, 'float32'))
    _expect([it.dtype.name for it in (uniform, normal, hits)] == [backend.floatx()] * 3, backend.floatx(), uniform.dtype.name)
    _expect([(it.dtype.name, it.shape) for it in typed] == [('float64', (2, 3)), ('float64', (3,)), ('int32', (2,)), ('float64', (MANY,))], 'the dtypes and shapes asked for',
            [(it.dtype.name, it.shape) for it in typed])
    _expect(normal.shape == (MANY, 1), (MANY, 1), normal.shape)
    _expect(uniform.min() >= -1. and uniform.max() < 3., 'numbers in [-1, 3)', f'{uniform.min()} to {uniform.max()}')
    _expect(set(np.unique(hits)) == {0., 1.}, 'zeros and ones', np.unique(hits))
    for what, received, expected in (('mean of uniform', uniform.mean(), 1.), ('deviation of uniform', uniform.std(), 4 / np.sqrt(12)),
                                     ('mean of normal', normal.mean(), 2.), ('deviation of normal', normal.std(), 0.5), ('share of ones', hits.mean(), 0.3)):
        assert_close(what, received, expected, 0.05)
    neighbours = np.corrcoef(uniform[1:], uniform[:-1])[0, 1]
    _expect(abs(neighbours) < 0.05, 'independent numbers', f'a correlation of {neighbours:.3f}')


def _is_seeded(backend: Any) -> None:
    """The same seed gives the same numbers, also to compiled functions; each run and each draw other ones."""
    run = backend.compile(lambda: ([backend.random_uniform((50,)), backend.random_uniform((50,)), backend.random_normal((50,))], []), [])
    backend.seed(3)
    first, second = [[np.array(it) for it in run()] for _ in range(2)]
    backend.seed(3)
    again = [np.array(it) for it in run()]
    backend.seed(4)
    other = [np.array(it) for it in run()]
    for one, same in zip(first, again):
        assert_close('the same seed', same, one, 0)
    for what, pair in (('the next run', (first[0], second[0])), ('another draw', (first[0], first[1])), ('another seed', (first[0], other[0]))):
        _expect(not np.any(pair[0] == pair[1]), f'other numbers from {what}', 'some that are equal')


def _drops(backend: Any) -> None:
    """Dropout keeps the mean, scales what it keeps, and passes the gradient to that alone."""
    variable = backend.variable(np.full((MANY // 20, 20), 3.), 'float64')

    def builder() -> tuple:
        def loss_fn() -> tuple:
            dropped = backend.dropout(variable, 0.25)
            return backend.sum(dropped), [dropped, backend.dropout(variable, 0.25), backend.dropout(variable, 0.5, (backend.shape(variable)[0], 1))]
        _, outputs, gradients = backend.value_and_gradients(loss_fn, [variable])
        return [*outputs, *gradients], []
    dropped, other, rows, gradient = [np.array(it) for it in backend.compile(builder, [])()]
    _expect(dropped.dtype == 'float64', 'float64', dropped.dtype)
    kept = dropped != 0
    assert_close('what is kept', dropped[kept], np.full(kept.sum(), 4.), 1e-6)
    assert_close('share of what is kept', kept.mean(), 0.75, 0.02)
    assert_close('gradient', gradient, np.where(kept, 1 / 0.75, 0.), 1e-6)
    _expect(bool(np.any(dropped != other)), 'another mask for each call', 'the same')
    _expect(bool(np.all((rows == rows[:, :1])) and 0.3 < (rows == 0).mean() < 0.7), 'one number for each row from noise_shape', 'others')


#: Everything but the table of operations.
BACKEND_LAWS = (_has_all_methods, _has_the_same_arguments, _has_nothing_else, _has_settings, _has_devices, _keeps_values, _gives_dtypes, _evaluates,
                _works_eagerly, _runs_verbatim, _knows_shapes, _runs_functions, _compiles_builders, _casts_updates, _traces, *GRADIENT_LAWS, _knows_variables, _requires, _draws, _is_seeded, _drops)
