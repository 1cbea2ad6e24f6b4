"""The laws of gradients that every plugin obeys."""
from typing import Any, Callable, List

import numpy as np

from keraflow.backend.contract import Rows, TensorSpec
from keraflow.testing.numerics import assert_close, numerical_gradient, using_floatx

__all__ = ['GRADIENT_LAWS']


def _has_gradients(backend: Any) -> None:
    """Value_and_gradients gives loss, aux and gradients; zeros where the loss does not depend on a variable."""
    with using_floatx('float64', backend):
        used, unused, start = backend.variable([1., 2.]), backend.variable([[3.]]), np.array([1., 2.])

        def loss_fn() -> tuple:
            return backend.sum(backend.multiply(backend.sin(used), backend.square(used))), {'twice': backend.multiply(used, 2)}

        def builder() -> tuple:
            loss, aux, gradients = backend.value_and_gradients(loss_fn, [used, unused])
            return [loss, aux['twice'], *gradients], [(used, backend.subtract(used, gradients[0]))]
        [expected] = numerical_gradient(lambda x: np.sum(np.sin(x) * x ** 2), [start])
        loss, twice, gradient, zeros = [np.asarray(it) for it in backend.compile(builder, [])()]
        assert_close('loss', loss, np.sum(np.sin(start) * start ** 2), 1e-12)
        assert_close('aux', twice, 2 * start, 0)
        assert_close('gradient', gradient, expected, 1e-8)
        assert_close('gradient of what the loss does not depend on', zeros, [[0.]], 0)
        assert_close('a variable after a step', backend.get_value(used), start - gradient, 1e-12)
        backend.set_value(used, start)
        loss, _, gradients = backend.value_and_gradients(loss_fn, [used, unused])
        for received, wanted in zip(backend.eval([loss, *gradients]), (np.sum(np.sin(start) * start ** 2), expected, [[0.]])):
            assert_close('outside of a builder', received, wanted, 1e-8)


def _has_gradients_of_graphs(backend: Any) -> None:
    """Gradients differentiates a scalar that is already there, with regard to variables and placeholders."""
    x, variable, unused = backend.placeholder((None,), 'float64'), backend.variable([1., 2.], 'float64'), backend.variable([1.], 'float64')
    loss = backend.symbolic(lambda: backend.sum(backend.multiply(backend.square(x), variable)), [])
    found = backend.function([x], backend.gradients(loss, [x, variable, unused]))([3., 4.])
    for received, expected in zip(found, ([6., 16.], [9., 16.], [0.])):
        assert_close('gradient', received, expected, 1e-12)


def _stops_gradients(backend: Any) -> None:
    """What stop_gradient gives is a constant to gradients, and integers have none."""
    variable = backend.variable([1., 2.], 'float64')

    def builder() -> tuple:
        def loss_fn() -> tuple:
            constant, whole = backend.stop_gradient(variable), backend.cast(backend.cast(variable, 'int32'), 'float64')
            return backend.sum(backend.multiply(backend.add(constant, whole), variable)), None
        return backend.value_and_gradients(loss_fn, [variable])[2], []
    assert_close('gradient', np.asarray(backend.compile(builder, [])()[0]), [2., 4.], 1e-12)


def _has_gradients_by_rows(backend: Any) -> None:
    """Gradients by rows are those of the whole table, and rows as a new value leave the others as they are."""
    start, weights = np.arange(1., 11.).reshape(5, 2), np.arange(8.).reshape(2, 2, 2)
    places, others = np.array([[3, 1], [1, 4]]), np.array([1, 0])
    expected = np.zeros_like(start)
    np.add.at(expected, places, weights)
    np.add.at(expected, others, 2 * start[others])
    specs = [TensorSpec((None, None), 'int64'), TensorSpec((None,), 'int64')]

    def lookups(table: Any, places: Any, others: Any) -> Any:
        weighted = backend.multiply(backend.gather(table, places), weights)
        return backend.add(backend.sum(weighted), backend.sum(backend.square(backend.gather(table, others))))

    def step(tables: List[Any], *indices: Any) -> tuple:
        def loss_fn() -> tuple:
            asked, unasked, tied, _ = (lookups(table, *indices) for table in tables)
            return backend.add(backend.add(asked, unasked), backend.add(tied, backend.sum(backend.square(tables[2])))), None
        _, _, gradients = backend.value_and_row_gradients(loss_fn, tables, [True, False, True, True])
        return [gradients[1]], [(table, _down(backend, table, gradient)) for table, gradient in zip(tables, gradients)]

    def compiled(tables: List[Any]) -> Callable:
        return backend.compile(lambda *indices: step(tables, *indices), specs)

    def function(tables: List[Any]) -> Callable:
        tensors = [backend.placeholder(*spec) for spec in specs]
        return backend.function(tensors, *backend.symbolic(lambda *indices: step(tables, *indices), tensors))
    for make in (compiled, function):
        with using_floatx('float64', backend):
            tables = [backend.variable(start) for _ in range(4)]
            [gradient] = make(tables)(places, others)
        assert_close('a gradient that was not asked for by rows', np.asarray(gradient), expected, 1e-12)
        names = ('rows', 'all that was not asked for by rows', 'what is used otherwise, too', 'what is not used')
        for name, table, gradient in zip(names, tables, (expected, expected, expected + 2 * start, 0.)):
            assert_close(f'{name}, after a step', backend.get_value(table), start - gradient, 1e-12)


def _down(backend: Any, variable: Any, gradient: Any) -> Any:
    """A step as long as the gradient, from where a variable is."""
    if isinstance(gradient, Rows):
        return Rows(gradient.indices, backend.subtract(backend.gather(variable, gradient.indices), gradient.values))
    return backend.subtract(variable, gradient)


GRADIENT_LAWS = (_has_gradients, _has_gradients_of_graphs, _stops_gradients, _has_gradients_by_rows)
