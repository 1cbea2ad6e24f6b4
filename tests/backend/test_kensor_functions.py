"""Functions of the backend that are given Kensors: operations make layers, others tell what is known or refuse."""
import importlib

import numpy as np
import pytest

import keraflow
from keraflow import activations
from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, GraphError, ShapeError
from keraflow.layers import Input, Lambda
from keraflow.models import Model

X = np.random.default_rng(40).normal(size=(3, 1, 4, 4)).astype('float32')


@pytest.mark.parametrize('call, old, new, value', [
    (lambda x, **given: B.repeat(x, axis=1, **given), 'n', 'repeats', 2), (B.pool, 'size', 'pool_size', [2, 2]),
    (B.dropout, 'rate', 'drop_rate', 0.)], ids=['repeat', 'pool', 'dropout'])
def test_arguments_by_old_names(call, old, new, value):
    x = Input((1, 4, 4))
    made, wanted = call(x, **{old: value}), call(x, **{new: value})
    assert made.layer.kwargs == wanted.layer.kwargs and made.layer.kwargs[new] == value
    np.testing.assert_array_equal(B.eval(call(B.constant(X), **{old: value})), Model(x, wanted).predict(X))
    with pytest.raises(ArgumentTypeError) as caught:
        call(x, **{old: value, new: value})
    assert str(caught.value) == f"{made.layer.operation}: the argument '{new}' is given twice, once as '{old}'."


def test_families_of_operations_make_layers():
    x = Input((1, 4, 4))
    kernels = np.ones((1, 2, 3, 3), 'float32')
    outputs = [B.reshape(x, [B.shape(x)[0], 2, 8]), B.pad(x, [(0, 0), (0, 0), (0, 0), (1, 0)], 5.), B.pool(x, (2, 2)), B.conv(x, kernels),
               B.require(x, B.sum(x) < 100, 'too much'), activations.softmax(B.reshape(x, (-1, 16)))]
    model = Model(x, outputs)
    pooled = X.reshape(3, 1, 2, 2, 2, 2).max(axis=(3, 5))
    windows = np.lib.stride_tricks.sliding_window_view(X, (3, 3), (2, 3)).sum(axis=(-2, -1)).repeat(2, axis=1)
    exponentials = np.exp(X.reshape(3, 16))
    expected = [X.reshape(3, 2, 8), np.pad(X, [(0, 0), (0, 0), (0, 0), (1, 0)], constant_values=5.), pooled, windows, X,
                exponentials / exponentials.sum(1, keepdims=True)]
    for one in (model, keraflow.unserialize(keraflow.serialize(model))):
        for found, wanted in zip(one.predict(X), expected):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    with pytest.raises(DataError) as caught:
        model.predict(X + 100)
    assert str(caught.value).endswith('too much')


def test_what_is_known_without_a_value():
    x = Input((5, 3))
    assert (B.ndim(x), B.static_shape(x), B.dtype(x > 0), B.is_tensor(x), B.is_variable(x)) == (3, (None, 5, 3), 'bool', False, False)


@pytest.mark.parametrize('name, args', [('eval', []), ('get_value', []), ('constant', []), ('with_static_shape', [(None, 3)])])
def test_other_functions_refuse_kensors(name, args):
    x = Input(3, name='x')
    with pytest.raises(ArgumentTypeError) as caught:
        getattr(B, name)(x, *args)
    assert str(caught.value) == (f'B.{name}: expected tensors of the backend, received <Input x>, which has no value yet. '
                                 'Write kensor.tensor for its symbolic tensor.')


@pytest.mark.parametrize('name, args, kwargs', [
    ('sum', [], {'axis': 4}), ('sum', [], {'axis': [0, -4]}), ('argmax', [3], {}), ('cumsum', [5], {}), ('softmax', [4], {}),
    ('gather', [np.array([0, 1]), 3], {}), ('transpose', [[0, 1, 3]], {}), ('expand_dims', [7], {}), ('squeeze', [1], {}),
    ('repeat', [2, 3], {}), ('flip', [3], {}), ('tile', [[2, 2]], {}), ('reshape', [[5, 5]], {}), ('split', [[1, 1], 3], {}),
    ('dot', [np.ones((4, 2))], {}), ('matmul', [np.ones((2, 2, 3))], {}), ('add', [np.ones((2, 5))], {}),
    ('clip', [np.zeros(4), None], {})])
def test_axes_and_lengths_that_are_not_there(name, args, kwargs):
    x = Input((2, 3), batch_size=2)
    with pytest.raises(ShapeError) as caught:
        getattr(B, name)(x, *args, **kwargs)
    assert f': {name}({{\'input\': 0}}' in str(caught.value) and str(caught.value).endswith(
        'cannot be applied to inputs of shapes (2, 2, 3).')


@pytest.mark.parametrize('name, shape, args', [
    ('conv', (2, 5, 5), [np.ones((3, 2, 3, 3))]), ('conv', (2, 2, 5), [np.ones((2, 2, 3, 3))]),
    ('conv', (2, 6), [np.ones((2, 1, 3)), None, 'valid', [3]]), ('depthwise_conv', (2, 5, 5), [np.ones((3, 2, 3, 3))]),
    ('pool', (2, 2, 2), [[3, 3]]), ('pool', (4,), [[3, 3]]), ('add_bias', (2, 5, 5), [np.ones(3)])])
def test_windows_that_do_not_fit(name, shape, args):
    with pytest.raises(ShapeError) as caught:
        getattr(B, name)(Input(shape), *args)
    assert str(caught.value).endswith(f'cannot be applied to inputs of shapes {(None, *shape)}.')


def test_classes_that_are_no_integers():
    with pytest.raises(ArgumentTypeError) as caught:
        B.one_hot(Input(3), 2)
    assert str(caught.value) == "one_hot: expected integers as indices, received float32. Write B.cast(x, 'int32')."


@pytest.mark.parametrize('dtype', ['float16', 'foo'])
def test_dtypes_that_are_not_there(dtype):
    with pytest.raises(ArgumentError) as caught:
        B.cast(Input(3), dtype)
    assert str(caught.value) == f"cast: expected one of bool, int32, int64, float32, float64, received '{dtype}'."


@pytest.mark.parametrize('name, axis', [('concatenate', 1), ('concatenate', 5), ('stack', 0)])
def test_tensors_that_cannot_be_joined(name, axis):
    with pytest.raises(ShapeError) as caught:
        getattr(B, name)([Input((2, 3)), Input((2, 4))], axis)
    assert str(caught.value).endswith(f"{name}([{{'input': 0}}, {{'input': 1}}], {axis}) cannot be applied to inputs of "
                                      'shapes (None, 2, 3), (None, 2, 4).')


@pytest.mark.parametrize('act, text', [
    (lambda x: np.exp(x), 'np.exp: expected arrays, received <Input x>. Write B.exp(x), a function of keraflow.backend.'),
    (lambda x: np.abs(x), 'np.absolute: expected arrays, received <Input x>. Write B.abs(x), a function of keraflow.backend.'),
    (lambda x: np.arctan(x), 'np.arctan: expected arrays, received <Input x>. Write functions of keraflow.backend, such as B.tanh(x).'),
    (lambda x: np.add.reduce(x), 'np.add.reduce: expected arrays, received <Input x>. Write functions of keraflow.backend, such as '
                                 'B.tanh(x).'),
])
def test_functions_of_numpy_say_what_to_write(act, text):
    with pytest.raises(ArgumentTypeError) as caught:
        act(Input(3, name='x'))
    assert str(caught.value) == text


def test_functions_of_the_library_say_what_to_write(backend_name):
    if backend_name == 'numpy':     # whose functions are those above
        return
    x, library = Input(3, name='x'), importlib.import_module('tensorflow' if backend_name == 'tensorflow' else 'theano.tensor')
    name = 'TensorFlow' if backend_name == 'tensorflow' else 'Theano'
    for act in (lambda: library.tanh(x), lambda: library.maximum(x, x)):
        with pytest.raises(ArgumentTypeError) as caught:
            act()
        assert str(caught.value) == (f'{name}: received <Input x>, which has no value yet. Write the function of keraflow.backend, '
                                     'such as B.tanh(x), or call it on the input of a Lambda.')


@pytest.mark.parametrize('act, told', [
    (lambda x: x + np.ones((500, 300)), "add({'input': 0}, an array of shape (500, 300))"),
    (lambda x: B.concatenate([x, np.ones((4, 7, 8))], axis=1), "concatenate([{'input': 0}, an array of shape (4, 7, 8)], axis=1)"),
    (lambda x: B.where(x > 0, x, np.zeros((90, 90))), "where({'input': 0}, {'input': 1}, an array of shape (90, 90))"),
    (lambda x: B.matmul(x, np.ones((200, 50, 60))), "matmul({'input': 0}, an array of shape (200, 50, 60))"),
    (lambda x: B.transpose(x, list(range(1000))), 'transpose({\'input\': 0}, [0, 1, 2, 3, 4, 5, 6, 7, ...])'),
], ids=['operator', 'listed', 'where', 'product', 'long list'])
def test_a_message_has_the_shapes_of_arrays_and_not_their_values(act, told):
    with pytest.raises(ShapeError) as caught:
        act(Input(2))
    assert told in str(caught.value) and len(str(caught.value)) < 250


@pytest.mark.parametrize('tensor', [lambda: B.random_normal((4, 3)), lambda: B.arange(3), lambda: B.zeros((4, 3))])
@pytest.mark.parametrize('act', [lambda x, y: x + y, lambda x, y: y + x, lambda x, y: x < y, lambda x, y: y < x, lambda x, y: y @ x,
                                 lambda x, y: B.maximum(y, x)])
def test_tensors_beside_kensors_are_refused_with_what_to_write(act, tensor):
    with pytest.raises(ArgumentTypeError) as caught:
        act(Input(3), tensor())
    assert str(caught.value) == ('expected Kensors, arrays, numbers and lists of them, received a tensor of the backend. Write a NumPy '
                                 'array, a layer such as GaussianNoise for noise, or a Lambda that computes with tensors.')


@pytest.mark.parametrize('act, operation', [
    (lambda x, y: x * y, 'multiply'), (lambda x, y: y * x, 'multiply'), (lambda x, y: x ** y, 'power'), (lambda x, y: x == y, 'equal'),
    (lambda x, y: x > y, 'less'), (lambda x, y: y > x, 'greater'), (lambda x, y: x @ y, 'dot'), (lambda x, y: B.add(x, y), 'add'),
    (lambda x, y: B.concatenate([x, y]), 'concatenate')])
def test_a_kensor_in_a_lambda_is_refused_with_what_to_write(act, operation):
    y = Input(3)
    Model(y, y + 1, name='named')
    with pytest.raises(ArgumentTypeError) as caught:
        Lambda(lambda x: act(x, y), name='f')(Input(3))
    assert str(caught.value) == (f'f: {operation}: received {y!r}, which has no value in this layer, together with a tensor. Write the '
                                 'operation on Kensors, outside the layer, or feed a MultiInputLayer with both.')
    with pytest.raises(GraphError, match=r'expected a tensor\. Compute it from the tensors that output\(\) is given\.'):
        Lambda(lambda x: B.tanh(y))(Input(3))


def test_arrays_on_the_left_are_operands():
    x, array = Input(3), np.array([1., 2., 3.])
    model = Model(x, [array + x, array - x, array * x, array / x, array % x, array ** x, np.add(array, x)])
    data = np.array([[2., 4., 0.5]])
    for found, expected in zip(model.predict(data), (array + data, array - data, array * data, array / data, array % data,
                                                     array ** data, array + data)):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
