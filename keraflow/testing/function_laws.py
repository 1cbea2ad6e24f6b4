"""The laws of plugins: from symbolic tensors to functions of arrays."""
from typing import Any, Callable

import numpy as np

from keraflow.backend.contract import Finite, FusedUpdates, TensorSpec
from keraflow.backend.refusals import NotFinite
from keraflow.errors import ArgumentError, DataError, ShapeError
from keraflow.testing.expectations import expect, refuses
from keraflow.testing.numerics import assert_close

__all__ = ['FUNCTION_LAWS']


def _runs_functions(backend: Any) -> None:
    """Function returns outputs for arrays, computed from the values before the updates."""
    x, variable = backend.placeholder((None, 2)), backend.variable([1., 2.])
    made = backend.symbolic(lambda x: (backend.multiply(x, variable), backend.add(variable, 1.)), [x])
    run = backend.function([x], [made[0], variable], [(variable, made[1])])
    for step in range(2):
        product, before = run([[2, 3]])
        expected = np.array([1., 2.]) + step
        assert_close('the output', product, [expected * [2., 3.]], 0)
        assert_close('a variable that is an output, before the update', before, expected, 0)
        assert_close('the variable after the update', backend.get_value(variable), expected + 1, 0)
    expect(isinstance(product, np.ndarray) and product.dtype == backend.floatx(), f'an array of {backend.floatx()}',
           repr(product))
    refuses(ArgumentError, 'function: expected 1 array(s), received 2.', run, [[1, 2]], [[1, 2]])
    refuses(ShapeError, 'function: expected an array of shape (None, 2), received (1, 3).', run, [[1., 2., 3.]])


def _compiles_builders(backend: Any) -> None:
    """Compile returns outputs of the values before the updates, and updates from each other's values."""
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
        length = np.asarray(backend.compile(lambda x: ([backend.shape(x)], []),
                                            [TensorSpec((None,), 'int32')])(np.zeros(size, 'int32'))[0])
        assert_close('the shape of a batch of another length', length, [size], 0)


def _casts_updates(backend: Any) -> None:
    """A new value is cast to the dtype of its variable."""
    real, whole = backend.variable([0.5], 'float32'), backend.variable([3], 'int32')
    backend.compile(lambda: ([], [(real, backend.add(backend.cast(real, 'float64'), 1)),
                                  (whole, backend.multiply(whole, 2.5))]), [])()
    assert_close('float32 from float64', backend.get_value(real), [1.5], 0)
    assert_close('int32 from floatx', backend.get_value(whole), [7], 0)


def _traces(backend: Any) -> None:
    """Trace and symbolic return what the function returns."""
    found = backend.trace(lambda x, y: (backend.static_shape(backend.add(x, y)), backend.dtype(y), 'anything'),
                          [TensorSpec((None, 3), 'float32'), TensorSpec((None, 1), 'int32')])
    expect(found == ((None, 3), 'int32', 'anything'), ((None, 3), 'int32', 'anything'), found)
    x = backend.placeholder((2,))
    y = backend.symbolic(lambda x: backend.multiply(x, 2), [x])
    z = backend.symbolic(lambda: backend.add(x, y), [])
    assert_close('two symbolic runs after one another', backend.function([x], [z])([1., 2.])[0], [3., 6.], 0)


def _computes_outside(backend: Any) -> None:
    """Functions and Python's operators also take symbolic tensors outside symbolic."""
    x, variable = backend.placeholder((None, 2), 'float64'), backend.variable([1., 2.], 'float64')
    y = sum([x, 1. - x * variable, backend.square(x)[:, ::-1]]) / 2. + np.array([0.5, 1.])
    given = np.array([[1., 2.], [3., -4.]])
    found, = backend.function([x], [y])(given)
    assert_close('the output', found, (given + 1 - given * [1., 2.] + given[:, ::-1] ** 2) / 2 + [0.5, 1.], 1e-12)
    positive = backend.require(x, x > 0, 'x: expected numbers above 0.')
    refuses(DataError, 'x: expected numbers above 0.', backend.function([x], [positive]), given)
    total, _ = backend.scan(lambda one, states, constants: [states[0] + one[0] * constants[0]], [x],
                            [backend.zeros_like(x[0])], [x[1]])
    assert_close('a loop', backend.function([x], [total])(given)[0], np.cumsum(given * given[1], 0), 1e-12)
    gradient, = backend.gradients(backend.sum(backend.square(x * variable)), [variable])
    assert_close('a gradient', backend.function([x], [gradient])(given)[0], 2 * (given ** 2).sum(0) * [1., 2.], 1e-12)


def _knows_variables(backend: Any) -> None:
    """The variables that a function uses are found, in order of creation and each once."""
    first, second, unused = (backend.variable(np.full(3, value), 'float32') for value in (1., 2., 3.))

    def fn(x: Any) -> Any:
        return backend.add(backend.multiply(backend.add(x, second), first), backend.multiply(second, 2.))
    used = backend.variables_used(fn, [TensorSpec((None, 3), 'float32')])
    expect([id(one.variable) for one in used] == [id(first), id(second)], 'two variables', used)
    expect(all(one.trainable and isinstance(one.name, str) for one in used), 'trainable ones with names', used)


def _requires(backend: Any) -> None:
    """Requirements are checked in each run: either the values pass, or there is a DataError and nothing changes."""
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
        refuses(DataError, text, run, np.array([1., 0.]))
    assert_close('after a refusal', backend.get_value(total), [3.], 0)
    refuses(DataError, text, lambda: backend.eval(required(backend.constant([-1.]))))


def _runs_batches(backend: Any) -> None:
    """A function runs over consecutive batches as if called with each, and stops at one that is refused."""
    given, count = np.linspace(0.1, 1., 14).reshape(7, 2), backend.variable(0., 'float64')

    def builder(x: Any) -> tuple:
        x = backend.require(x, backend.greater(x, 0.), 'x: expected numbers above 0.')
        return [backend.add(x, count), backend.cast(backend.sum(x, 1), 'int32')], [(count, backend.add(count, 1.))]
    run = backend.compile(builder, [TensorSpec((None, 2), 'float64')])
    numbers = np.repeat([0., 1., 2.], [3, 3, 1])[:, None]
    for place, expected in enumerate((given + numbers, given.sum(1).astype('int32'))):
        backend.set_value(count, 0.)
        parts = [np.asarray(outputs[place]) for outputs in run.of_batches([given], 3)]
        assert_close(f'output {place} of three batches', np.concatenate(parts), expected, 1e-12)
    given[4] = -1.
    refuses(DataError, 'x: expected numbers above 0.', run.of_batches, [given], 2)
    assert_close('after a refusal', backend.get_value(count), 3. + 2., 0)
    scalar = backend.compile(lambda x: ([backend.sum(x)], []), [TensorSpec((None, 2), 'float64')])
    sums = [float(np.asarray(value)) for [value] in scalar.of_batches([np.ones((5, 2))], 2)]
    assert_close('a scalar of each batch', np.array(sums), [4., 4., 2.], 1e-12)


def _loops_over_batches(backend: Any) -> None:
    """A loop over batches sums outputs and sets variables after each, in calls of any number of batches."""
    given = np.linspace(0.1, 1., 12).reshape(6, 2)
    indices = np.array([[4, 0], [3, 3], [5, 1]])
    for execution in ('auto', 'plain', 'compiled', 'whole'):
        sums = {}
        for lengths in ((3,), (1, 1, 1), (1, 2)):
            variable, count = backend.variable([0.7, 0.3], 'float64'), backend.variable(0, 'int64')

            def builder(x: Any) -> tuple:
                fused = FusedUpdates(lambda y: [(variable, backend.multiply(variable, backend.sum(y, 0)))], [x])
                return [backend.sum(backend.multiply(x, variable), 0)], [fused, (count, backend.add(count, 1))]
            loop = backend.batch_loop(builder, [TensorSpec((None, 2), 'float64')], execution)
            loop.prepare(10 ** 6)
            loaded, total, start = loop.load([given]), np.zeros(2), 0
            for length in lengths:
                total = loop.sum(loaded, indices[start:start + length], total)
                start += length
            sums[lengths] = total, backend.get_value(variable)
            assert_close(f'a count of batches, {execution}', backend.get_value(count), 3, 0)
        value, expected = np.array([0.7, 0.3]), np.zeros(2)
        for row in indices:
            expected, value = expected + (given[row] * value).sum(0), value * given[row].sum(0)
        for lengths, found in sums.items():
            for what, received, right in zip(('the sum', 'the variable'), found, (expected, value)):
                assert_close(f'{what}, {execution}', received, right, 1e-12)
                expect(np.array_equal(received, sums[3,][what == 'the variable']), f'{what} of one call, {execution}',
                       f'another one of calls of {lengths} batches')


def _requires_in_loops(backend: Any) -> None:
    """What a batch of a loop requires is checked, also inside a loop over time; the batches before it have run."""
    text = 'x: expected numbers above 0.'

    def required(x: Any) -> Any:
        return backend.require(x, backend.greater(x, 0), text)

    def over_time(x: Any) -> Any:
        return backend.loop(lambda now, states, _: [states[0] + required(now[0])], [backend.transpose(x, (1, 0))],
                            [x[:, 0] * 0.])[1][0]

    given = np.ones((8, 3))
    given[5, 1] = -1.
    for execution in ('plain', 'compiled', 'whole'):
        for check in (required, over_time):
            count, late = backend.variable(0., 'float64'), backend.variable(0., 'float64')

            def builder(x: Any) -> tuple:
                total = backend.sum(check(x), keepdims=True)
                fused = FusedUpdates(lambda y: [(late, backend.add(late, required(backend.sum(y))))], [x])
                return [backend.reshape(total, (1,))], [(count, backend.add(count, 1.)), fused]
            loop = backend.batch_loop(builder, [TensorSpec((None, 3), 'float64')], execution)
            loaded, batches = loop.load([given]), np.arange(8).reshape(4, 2)
            refuses(DataError, text, loop.sum, loaded, batches, np.zeros(1))
            for variable, expected in (count, 2), (late, 12):
                assert_close(f'after a refusal, {execution}', backend.get_value(variable), expected, 0)
            assert_close(f'what goes on, {execution}', loop.sum(loaded, batches[3:], np.zeros(1)), [6], 0)


def _stops_unless_finite(backend: Any) -> None:
    """A batch with numbers that are not finite sets nothing, and those after it do not run."""
    given = np.linspace(0.1, 1., 16).reshape(8, 2)
    given[5, 1] = np.inf
    batches = np.arange(8).reshape(4, 2)
    for execution in ('plain', 'compiled', 'whole'):
        count, product = backend.variable(0, 'int64'), backend.variable([0.7, 0.3], 'float64')

        def builder(x: Any) -> tuple:
            sums = backend.sum(backend.multiply(x, product), 0)
            finite = [Finite({'one': backend.mean(x[:, 0])}), Finite({'all': backend.sum(x, 0)})]
            fused = FusedUpdates(lambda y: [(product, backend.multiply(product, backend.sum(y, 0)))], [x])
            return [sums], [*finite, fused, (count, backend.add(count, 1))]
        loop = backend.batch_loop(builder, [TensorSpec((None, 2), 'float64')], execution)
        value, total = np.array([0.7, 0.3]), np.zeros(2)
        for row in batches[:2]:
            total, value = total + (given[row] * value).sum(0), value * given[row].sum(0)
        stop = _stop_of(loop.sum, loop.load([given]), batches, np.zeros(2))
        expect((stop.name, stop.value, stop.nb_done) == ('all', np.inf, 2), f'a stop, {execution}', repr(vars(stop)))
        assert_close(f'the total before a stop, {execution}', stop.total, total, 1e-12)
        assert_close(f'a variable after a stop, {execution}', backend.get_value(product), value, 1e-12)
        assert_close(f'a count after a stop, {execution}', backend.get_value(count), 2, 0)
        loop.sum(loop.load([given]), batches[3:], np.zeros(2))
        assert_close(f'what goes on, {execution}', backend.get_value(count), 3, 0)
    run = backend.compile(builder, [TensorSpec((None, 2), 'float64')])
    expect(_stop_of(run, given[5:6]).name == 'all', 'a stop of a function', 'another name')
    assert_close('a count after a stop of a function', backend.get_value(count), 3, 0)
    run(given[:1])
    assert_close('a count after a function', backend.get_value(count), 4, 0)


def _stop_of(run: Callable, *args: Any) -> NotFinite:
    try:
        run(*args)
    except NotFinite as stop:
        return stop
    raise AssertionError('expected NotFinite, received results')


def _divides_integers(backend: Any) -> None:
    """Integers are not divided by 0, and have no negative powers."""
    spec = TensorSpec((None,), 'int32')
    for name, wrong, text in (('floor_divide', 0, 'other than 0'), ('mod', 0, 'other than 0'),
                              ('power', -1, 'of at least 0')):
        run = backend.compile(lambda x, y: ([getattr(backend, name)(x, y)], []), [spec, spec])
        assert_close(name, np.asarray(run(np.array([7, -7], 'int32'), np.array([2, 3], 'int32'))[0]),
                     {'floor_divide': [3, -3], 'mod': [1, 2], 'power': [49, -343]}[name], 0)
        refuses(DataError, f'{name}: y: expected integers {text}.', run, np.array([7, 7], 'int32'),
                np.array([2, wrong], 'int32'))


FUNCTION_LAWS = (_runs_functions, _compiles_builders, _casts_updates, _traces, _computes_outside, _knows_variables,
                 _requires, _runs_batches, _loops_over_batches, _requires_in_loops, _stops_unless_finite,
                 _divides_integers)
