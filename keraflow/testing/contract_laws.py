"""The laws of plugins: methods, settings, devices, variables, and what is known of tensors."""
import inspect
from typing import Any, Callable, List

import numpy as np

from keraflow.backend.contract import Backend, TensorSpec
from keraflow.errors import BackendError, ShapeError
from keraflow.testing.expectations import expect, refuses
from keraflow.testing.numerics import assert_close, using_floatx

__all__ = ['CONTRACT_LAWS', 'public_names']


def _has_all_methods(backend: Any) -> None:
    """All methods of the contract are there."""
    missing = [name for name in sorted(public_names(Backend)) if _is_open(name, getattr(type(backend), name, None))]
    expect(not missing, 'an implementation of every method', f'none of {", ".join(missing)}')
    expect(isinstance(backend.name, str) and backend.name != '', 'a name', repr(backend.name))
    expect(backend.inner_format in ('channels_first', 'channels_last'), 'an inner format of convolutions',
           repr(backend.inner_format))


def _is_open(name: str, method: Any) -> bool:
    """Return whether a method is the contract's own, which only documents what it should do."""
    return method is getattr(Backend, name) and inspect.isfunction(method) and \
        'NotImplementedError' in inspect.unwrap(method).__code__.co_names


def _has_the_same_arguments(backend: Any) -> None:
    """All methods have the arguments and defaults of the contract."""
    for name in sorted(public_names(Backend)):
        wanted, found = getattr(Backend, name), getattr(type(backend), name)
        if callable(wanted):
            expected, received = _signature(wanted), _signature(found)
            expect(expected == received, f'{name}{expected}', f'{name}{received}')


def _signature(method: Callable) -> tuple:
    return tuple((one.name, one.default if one.default is not one.empty else '(required)')
                 for one in list(inspect.signature(method).parameters.values())[1:])


def _has_nothing_else(backend: Any) -> None:
    """There is nothing public beyond the contract."""
    more = sorted(public_names(type(backend)) - public_names(Backend))
    expect(not more, 'no other public attributes', ', '.join(more))


# -- settings and devices ---------------------------------------------------------------------------------------------

def _has_settings(backend: Any) -> None:
    """Floatx is what was set, and decides the dtype of reals."""
    for dtype in ('float64', 'float32'):
        with using_floatx(dtype, backend):
            expect(backend.floatx() == dtype, dtype, backend.floatx())
            for made in (backend.zeros((2,)), backend.constant(0.5), backend.variable(np.zeros(2)),
                         backend.placeholder((None,))):
                expect(backend.dtype(made) == dtype, dtype, backend.dtype(made))
    expect(isinstance(backend.version(), str) and backend.version() != '', 'a version', repr(backend.version()))


def _has_devices(backend: Any) -> None:
    """Tensors are made on an existing device, and an unknown one is refused."""
    devices, nb_thread = backend.devices(), backend.nb_thread()
    expect(type(nb_thread) is int and nb_thread > 0, 'a number of threads', nb_thread)
    expect('cpu' in devices, "a list with 'cpu'", devices)
    for name in devices:
        with backend.device(name):
            assert_close(f'made on {name}', backend.get_value(backend.variable([1., 2.])), [1., 2.], 0)
    text = f"device: there is no device 'gpu:99'; this machine has {', '.join(devices)}."
    refuses(BackendError, text, lambda: backend.device('gpu:99').__enter__())


# -- variables and values ---------------------------------------------------------------------------------------------

def _keeps_values(backend: Any) -> None:
    """Variables keep what they are set to, and return copies."""
    array = np.arange(6.).reshape(2, 3)
    variable = backend.variable(array, name='layer1/W')
    expect(backend.is_variable(variable) and backend.is_tensor(variable), 'a variable that is a tensor', 'none')
    array[0, 0] = 7.
    value = backend.get_value(variable)
    assert_close('after the array that it was made from was changed', value, np.arange(6.).reshape(2, 3), 0)
    value[0, 0] = 7.
    assert_close('after a value that it gave was changed', backend.get_value(variable), np.arange(6.).reshape(2, 3), 0)
    array = np.full((2, 3), 3)
    backend.set_value(variable, array)
    expect(backend.get_value(variable).dtype == backend.floatx(), backend.floatx(), backend.get_value(variable).dtype)
    array[0, 0] = 7
    assert_close('after the array that was set was changed', backend.get_value(variable), np.full((2, 3), 3.), 0)
    refuses(ShapeError, 'set_value: expected an array of shape (2, 3), received (3, 2).', backend.set_value, variable,
            np.zeros((3, 2)))
    refuses(ShapeError, 'set_value: expected an array of shape (2, 3), received ().', backend.set_value, variable, 1.)
    expect(backend.static_shape(variable) == (2, 3), (2, 3), backend.static_shape(variable))


def _gives_dtypes(backend: Any) -> None:
    """Variables and constants have the dtype asked for, that of an integer array, or floatx."""
    floatx = backend.floatx()
    cases: List[tuple] = [
        (np.zeros(2, 'int32'), None, 'int32'), (np.zeros(2, 'int64'), None, 'int64'), (np.zeros(2), None, floatx),
        (0.5, None, floatx),
        (1, None, floatx), (np.zeros(2, 'int32'), 'float64', 'float64'), (np.zeros(2), 'int64', 'int64'),
        ([0.5, 1.5], None, floatx),
        (np.array([True, False]), 'bool', 'bool'), (np.zeros(2, 'float64'), 'float32', 'float32')]
    for value, dtype, expected in cases:
        for make in (backend.variable, backend.constant):
            made = make(value, dtype)
            expect(backend.dtype(made) == expected, f'{expected} for {value!r} as {dtype}', backend.dtype(made))
            expect(backend.ndim(made) == np.ndim(value), f'{np.ndim(value)} axes', backend.ndim(made))
    expect(not backend.is_variable(backend.constant(1.)), 'a constant that is not a variable', 'one that is')
    for other in (1., np.zeros(2), [1.], None, 'x'):
        expect(not backend.is_tensor(other) and not backend.is_variable(other), f'{other!r} to be no tensor',
               'it is one')


def _evaluates(backend: Any) -> None:
    """Eval returns arrays for tensors that depend on no placeholder."""
    variable = backend.variable([1., 2.])
    total = backend.eval(backend.sum(variable))
    expect(isinstance(total, np.ndarray) and total.shape == (), 'an array', repr(total))
    several = backend.eval([variable, backend.constant([1, 2], 'int64'), backend.add(variable, 1)])
    expect(isinstance(several, list), 'a list for a list', type(several).__name__)
    for received, expected in zip(several, ([1., 2.], [1, 2], [2., 3.])):
        assert_close('eval', received, expected, 0)
    backend.set_value(variable, [3., 4.])
    assert_close('eval after set_value', backend.eval(variable), [3., 4.], 0)


def _works_outside_graph(backend: Any) -> None:
    """Outside of the graph, what is made from values can be evaluated while a graph is built around it."""
    def fn(x: Any) -> Any:
        with backend.outside_graph():
            return backend.eval(backend.add(backend.constant([1., 2.]), 1.))
    assert_close('a value inside trace', backend.trace(fn, [TensorSpec((None,), 'float32')]), [2., 3.], 0)


def _runs_without_autograph(backend: Any) -> None:
    """A function that no library rewrites returns what it returns."""
    received = backend.no_autograph(lambda x, y: [x, y])(1, y='two')
    expect(received == [1, 'two'], [1, 'two'], received)


def _knows_shapes(backend: Any) -> None:
    """What is known of a shape is kept, and can be queried."""
    x = backend.placeholder((None, 3), 'int32', 'x')
    expect((backend.static_shape(x), backend.dtype(x), backend.ndim(x)) == ((None, 3), 'int32', 2), '(None, 3) int32',
           backend.static_shape(x))
    expect(backend.is_tensor(x) and not backend.is_variable(x), 'a placeholder to be a tensor, not a variable',
           'something else')

    def known() -> List[tuple]:
        said = backend.with_static_shape(backend.identity(x), (2, 3))
        return [backend.static_shape(it) for it in (said, backend.add(x, x), backend.reshape(x, (-1, 3)),
                                                    backend.sum(x, 0))]
    found = backend.symbolic(known, [])
    expect(found == [(2, 3), (None, 3), (None, 3), (3,)], [(2, 3), (None, 3), (None, 3), (3,)], found)
    other = backend.symbolic(lambda: backend.identity(x), [])
    expect(other is not x, 'another object from identity', 'the same')


def public_names(cls: type) -> set:
    """Return the public names of a class."""
    return {name for name in dir(cls) if not name.startswith('_')}


CONTRACT_LAWS = (_has_all_methods, _has_the_same_arguments, _has_nothing_else, _has_settings, _has_devices,
                 _keeps_values, _gives_dtypes,
                 _evaluates, _works_outside_graph, _runs_without_autograph, _knows_shapes)
