"""The laws of gradients that every plugin obeys."""
from typing import Any, Callable, Dict, List

import numpy as np

from keraflow.backend.contract import Rows, TensorSpec
from keraflow.backend.windows import DATA_FORMATS, PADS
from keraflow.testing.convolution_cases import pooled
from keraflow.testing.numerics import assert_close, numerical_gradient, random_weights, using_floatx

__all__ = ['GRADIENT_LAWS']


def _has_gradients(backend: Any) -> None:
    """Value_and_gradients returns loss, aux and gradients; zeros if the loss does not depend on a variable."""
    with using_floatx('float64', backend):
        used, unused, start = backend.variable([1., 2.]), backend.variable([[3.]]), np.array([1., 2.])

        def loss_fn() -> tuple:
            return backend.sum(backend.multiply(backend.sin(used),
                                                backend.square(used))), {'twice': backend.multiply(used, 2)}

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
        for received, wanted in zip(backend.eval([loss, *gradients]),
                                    (np.sum(np.sin(start) * start ** 2), expected, [[0.]])):
            assert_close('outside a builder', received, wanted, 1e-8)


def _has_gradients_of_graphs(backend: Any) -> None:
    """Gradients differentiates an existing scalar with respect to variables and placeholders."""
    x = backend.placeholder((None,), 'float64')
    variable, unused = backend.variable([1., 2.], 'float64'), backend.variable([1.], 'float64')
    loss = backend.symbolic(lambda: backend.sum(backend.multiply(backend.square(x), variable)), [])
    found = backend.function([x], backend.gradients(loss, [x, variable, unused]))([3., 4.])
    for received, expected in zip(found, ([6., 16.], [9., 16.], [0.])):
        assert_close('gradient', received, expected, 1e-12)


def _stops_gradients(backend: Any) -> None:
    """The result of stop_gradient is a constant to gradients, and integers have none."""
    variable = backend.variable([1., 2.], 'float64')

    def builder() -> tuple:
        def loss_fn() -> tuple:
            constant, whole = backend.stop_gradient(variable), backend.cast(backend.cast(variable, 'int32'), 'float64')
            return backend.sum(backend.multiply(backend.add(constant, whole), variable)), None
        return backend.value_and_gradients(loss_fn, [variable])[2], []
    assert_close('gradient', np.asarray(backend.compile(builder, [])()[0]), [2., 4.], 1e-12)


def _has_gradients_by_rows(backend: Any) -> None:
    """Gradients by rows are those of the whole table, and rows as a new value leave the others unchanged."""
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
            return backend.add(backend.add(asked, unasked),
                               backend.add(tied, backend.sum(backend.square(tables[2])))), None
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
    """Step along the gradient from the value of a variable."""
    if isinstance(gradient, Rows):
        return Rows(gradient.indices, backend.subtract(backend.gather(variable, gradient.indices), gradient.values))
    return backend.subtract(variable, gradient)


def _shares_gradients(backend: Any) -> None:
    """Equal maxima share the gradient: evenly, or all to the first argument, or all to the first in a window."""
    x, y = np.array([[0., 2., 2.], [1., 1., 1.], [-1., 3., -1.]]), np.array([[0., 2., 1.], [1., 2., 1.], [0., 3., -1.]])
    for sign, name, function in ((1., 'max', backend.max), (-1., 'min', backend.min)):
        for axis in (None, 0, -1, [0, 1]):
            _check_gradient(backend, f'{name}({axis})', lambda x: function(x, axis), sign * x,
                            lambda weights: _shared(x, weights, axis))
    for sign, name, function in ((1., 'maximum', backend.maximum), (-1., 'minimum', backend.minimum)):
        _check_gradient(backend, name, lambda x: function(x, sign * y), sign * x, lambda weights: weights * (x >= y))
        _check_gradient(backend, f'{name}, second argument', lambda x: function(sign * y, x), sign * x,
                        lambda weights: weights * (x > y))
        _check_gradient(backend, f'{name} of the same', lambda x: function(x, x), x, lambda weights: weights)
    _check_gradient(backend, 'clip', lambda x: backend.clip(x, 0., 2.), x,
                    lambda weights: weights * (x >= 0) * (x <= 2))
    _check_gradient(backend, 'relu', backend.relu, x, lambda weights: weights * (x > 0))
    _check_gradient(backend, 'relu with a bound', lambda x: backend.relu(x, 0.5, 2.), x,
                    lambda weights: weights * np.where(x > 0, x <= 2, 0.5))
    _check_gradient(backend, 'abs', backend.abs, x, lambda weights: weights * np.sign(x))


def _shares_gradients_in_windows(backend: Any) -> None:
    """The first of equal maxima in a window gets the gradient of the window, even if windows overlap."""
    cells = np.array([2, 0, 1, 1, 0, 2, 2, 1, 0, 0, 1, 2, 2, 2])
    for shape, size, strides in (((1, 2, 7), (3,), (2,)), ((2, 1, 5, 4), (2, 2), (1, 1)),
                                 ((1, 2, 4, 5), (3, 3), (2, 2)), ((1, 2, 4, 3), (2, 2), (3, 3)),
                                 ((1, 1, 3, 4, 3), (2, 2, 2), (1, 2, 1))):
        many = np.resize(cells, shape).astype('float64')
        for pad in PADS:
            for data_format in DATA_FORMATS:
                options: Dict[str, Any] = {'strides': strides, 'pad': pad, 'data_format': data_format}
                for x in (many, np.zeros(shape)):
                    x = x if data_format == 'channels_first' else np.moveaxis(x, 1, -1)
                    # As if each cell were a bit larger than those after it.
                    ordered = x - 1e-3 * np.arange(x.size).reshape(x.shape)
                    _check_gradient(backend, f'pool of {x.tolist()}, {size}, {options}',
                                    lambda x: backend.pool(x, size, **options), x,
                                    lambda weights: numerical_gradient(lambda x: np.sum(pooled(x, size,
                                                                                               **options) * weights),
                                                                       [ordered])[0])
    _check_gradient(backend, 'pool of -inf', lambda x: backend.pool(x, (3, 3), strides=(2, 2), pad='same'),
                    np.full((1, 1, 4, 3), -np.inf),
                    lambda weights: np.eye(4)[:, [0, 2]] @ weights @ np.eye(3)[[0, 1]])


def _has_gradients_at_zero(backend: Any) -> None:
    """The gradient of std and norm is 0 where they are 0, and softplus has the slope 1/2 at 0."""
    x = np.array([[3., 3., 3.], [0., 0., 0.], [3., 4., 0.]])
    lengths = np.where(np.any(x, 1, keepdims=True), np.sqrt(np.sum(x * x, 1, keepdims=True)), 1.)
    _check_gradient(backend, 'norm', lambda x: backend.norm(x, 1, keepdims=True), x,
                    lambda weights: weights * x / lengths)
    centred = x - np.mean(x, 1, keepdims=True)
    spread = np.where(np.any(centred, 1, keepdims=True), np.std(x, 1, keepdims=True), 1.)
    _check_gradient(backend, 'std', lambda x: backend.std(x, 1, keepdims=True), x,
                    lambda weights: weights * centred / (3 * spread))
    _check_gradient(backend, 'softplus', backend.softplus, x, lambda weights: weights / (1 + np.exp(-x)))


def _shared(x: np.ndarray, weights: np.ndarray, axis: Any) -> np.ndarray:
    axis = tuple(axis) if isinstance(axis, list) else axis
    hit = x == np.max(x, axis, keepdims=True)
    return hit * np.reshape(weights, np.max(x, axis, keepdims=True).shape) / np.sum(hit, axis, keepdims=True)


def _check_gradient(backend: Any, name: str, function: Callable, x: np.ndarray, expected: Callable) -> None:
    """Raise unless the weighted sum of a function's result has the gradient expected for the weights."""
    with using_floatx('float64', backend):
        variable, weights = backend.variable(x), []

        def loss_fn() -> tuple:
            made = function(backend.identity(variable))
            weights.append(random_weights(backend.static_shape(made)))
            return backend.sum(backend.multiply(made, weights[-1])), None
        [gradient] = backend.compile(lambda: (backend.value_and_gradients(loss_fn, [variable])[2], []), [])()
    assert_close(f'gradient of {name}', np.asarray(gradient), expected(weights[-1]), 1e-9)


GRADIENT_LAWS = (_has_gradients, _has_gradients_of_graphs, _stops_gradients, _has_gradients_by_rows, _shares_gradients,
                 _shares_gradients_in_windows, _has_gradients_at_zero)
