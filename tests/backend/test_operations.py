"""Operators and functions of the backend on Kensors: each makes a layer that is saved."""
import numpy as np
import pytest
from journeys import predictions, reloaded

import keraflow
from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, BackendError, SerializationError, ShapeError
from keraflow.layers import Dense, Input, Operation
from keraflow.models import Model, Sequential

X = np.random.default_rng(3).normal(size=(5, 4)).astype('float32')


W = np.arange(8.).reshape(4, 2)
OPERATORS = [
    (lambda x, y: x + y, 'add'), (lambda x, y: 1 - x, 'subtract'), (lambda x, y: x * y * 2, 'multiply'), (lambda x, y: 2. / (y * y + 1), 'divide'),
    (lambda x, y: x // 0.3, 'floor_divide'), (lambda x, y: x % 0.7, 'mod'), (lambda x, y: (x * x + 1) ** y, 'power'),
    (lambda x, y: x @ W, 'dot'), (lambda x, y: -x, 'negative'), (lambda x, y: abs(x), 'abs'), (lambda x, y: x[:, 1:3], 'getitem'),
    (lambda x, y: (x + y)[..., -1], 'getitem'), (lambda x, y: np.ones(4) + x, 'add'),
    (lambda x, y: (x < y) & ~(x <= 0) | (x > 1) & (y >= 0), 'logical_or'), (lambda x, y: np.float32(2) * x, 'multiply'),
]


@pytest.mark.parametrize('function, operation', OPERATORS)
def test_operators_compute_what_numpy_computes(function, operation):
    x, y = Input(4), Input(4)
    kensor = function(x, y)
    assert kensor.layer.operation == operation
    model = Model([x, y], [kensor, x + y])
    other = np.ascontiguousarray(X[::-1])
    expected = function(X, other)
    for one in (model, reloaded(model)):
        np.testing.assert_allclose(one.predict([X, other])[0], expected, rtol=2e-5, atol=1e-5)


def test_functions_of_the_backend_take_kensors():
    x, y = Input((3, 4)), Input((3, 4))
    kensor = B.concatenate([B.sum(x, axis=1), B.max(y, axis=-2)], axis=-1)
    assert kensor.shape == (None, 8)
    one, other = np.ones((2, 3, 4)), np.arange(24.).reshape(2, 3, 4)
    found = predictions([x, y], kensor, one, other)
    np.testing.assert_allclose(found, np.concatenate([one.sum(1), other.max(1)], 1))
    assert B.sum(np.ones(3)) is not None and not hasattr(B.sum(np.ones(3)), 'call')


def test_the_same_kensor_twice_is_one_input():
    x = Input(4)
    squared = x * x
    assert squared.call.inputs == (x,) and squared.layer.args == [{'input': 0}, {'input': 0}]


def test_several_results():
    x = Input((3, 4))
    one, other = B.split(x, [1, 3], 2)
    assert (one.shape, other.shape) == ((None, 3, 1), (None, 3, 3)) and one.layer is other.layer
    model = Model(x, [other * 2, one])
    values = np.random.default_rng(1).normal(size=(2, 3, 4)).astype('float32')
    for found in (model.predict(values), reloaded(model).predict(values)):
        np.testing.assert_allclose(found[0], values[..., 1:] * 2, rtol=1e-6)
        np.testing.assert_array_equal(found[1], values[..., :1])
    names = {}
    exec(model.to_python(), names)
    np.testing.assert_array_equal(names['model'].predict(values)[1], values[..., :1])


def test_a_list_of_numbers_is_an_array():
    x = Input(4)
    for kensor, expected in ((x * [1, 2, 3, 4], X * [1, 2, 3, 4]), ([1., 0., 0., 1.] - x, [1, 0, 0, 1] - X),
                             (x @ [[1.], [2.], [3.], [4.]], X @ [[1], [2], [3], [4]])):
        np.testing.assert_allclose(predictions(x, kensor, X), expected, rtol=1e-5, atol=1e-6)


def test_an_operation_in_a_sequential_fed_twice():
    layer = Operation('square', [{'input': 0}], name='square')
    x = Input(4)
    model = Model(x, Sequential([layer, Dense(3, init='one'), Operation('negative', [{'input': 0}])])(layer(x)))
    for one in (model, reloaded(model)):
        np.testing.assert_allclose(one.predict(X), np.tile(-np.sum(X ** 4, axis=1, keepdims=True), 3), rtol=1e-4)


@pytest.mark.parametrize('function, keeps', [
    (lambda x, y: x * 2, True), (lambda x, y: y - x, True), (lambda x, y: x @ np.ones((2, 3)), True), (lambda x, y: B.softmax(x), True),
    (lambda x, y: B.concatenate([x, y], axis=-1), True), (lambda x, y: B.concatenate([x, y], axis=2), True),
    (lambda x, y: B.cumsum(x, axis=1), True), (lambda x, y: B.sum(x, axis=2, keepdims=True), True),
    (lambda x, y: x[:, ::-1], False), (lambda x, y: B.concatenate([x, y], axis=1), False), (lambda x, y: B.concatenate([x, x], 1), False),
    (lambda x, y: B.concatenate([x, y], axis=0), False), (lambda x, y: B.sum(x, axis=1, keepdims=True), False),
    (lambda x, y: B.split(x, [3, 2], 1)[0], False), (lambda x, y: B.matmul(B.transpose(x, (0, 2, 1)), x), False),
    (lambda x, y: B.split(x, [1, 1])[1], True), (lambda x, y: x[:, :, 0], True), (lambda x, y: x[..., :1], True), (lambda x, y: x[:, :, None], True),
    (lambda x, y: x[..., None], True), (lambda x, y: x[:], True), (lambda x, y: B.sum(x, axis=-1), True), (lambda x, y: B.max(x, [2]), True),
    (lambda x, y: B.squeeze(x[:, :, :1], -1), True), (lambda x, y: B.expand_dims(x, 2), True), (lambda x, y: B.expand_dims(x, -2), True),
    (lambda x, y: B.stack([x, y], -1), True), (lambda x, y: B.flatten(B.expand_dims(x, -1), 3), True), (lambda x, y: B.flip(x, 2), True),
    (lambda x, y: B.repeat(x, 2, 2), True), (lambda x, y: y[:, :1] + x, True), (lambda x, y: B.one_hot(B.argmax(x, 2), 2), True),
    (lambda x, y: B.sum(x), False), (lambda x, y: x[:, None], False), (lambda x, y: x[..., 1:, 0], False), (lambda x, y: x[None, ..., 0], False),
    (lambda x, y: B.expand_dims(x, 1), False), (lambda x, y: B.stack([x, y], 1), False), (lambda x, y: B.flatten(x, 2), False),
    (lambda x, y: B.repeat(x, 2, 1), False), (lambda x, y: B.pad(x, [(0, 0), (1, 1), (0, 0)]), False),
    (lambda x, y: B.pool(x, [2], 'max', [2], 'valid', 'channels_last'), False), (lambda x, y: B.reshape(x, (-1, 1, 2)), False),
])
def test_a_mask_stays_where_no_step_moves(function, keeps):
    x, y = Input((None, 2), mask_value=0., name='x'), Input((None, 2), name='y')
    if keeps:
        kensor = function(x, y)
        assert kensor.mask_shape == (None, None)
        return
    with pytest.warns(UserWarning, match='the mask of its input is lost'):
        kensor = function(x, y)
    assert kensor.mask_shape is None


def test_mistakes_with_operators():
    x, y = Input(4, name='x'), Input(3)
    with pytest.raises(ShapeError) as caught:
        x + y
    assert str(caught.value).endswith(": add({'input': 0}, {'input': 1}) cannot be applied to inputs of shapes (None, 4), (None, 3).")
    with pytest.raises(TypeError) as caught:
        bool(x > 0)
    assert str(caught.value).endswith('has no value yet, so it is neither true nor false. Use B.where for values; write x is y '
                                      'to ask for the same Kensor, as any(x is one for one in kensors) does.')
    with pytest.raises(TypeError):
        list(x)


ADVICE = 'Write a NumPy array, a layer such as GaussianNoise for noise, or a Lambda that computes with tensors.'
LISTED = 'Use B.gather(x, indices, axis) for positions that are listed.'


@pytest.mark.parametrize('act, kind, text', [
    (lambda x: x + object(), ArgumentTypeError, f'expected Kensors, arrays, numbers and lists of them, received an object of class object. {ADVICE}'),
    (lambda x: x + B.constant(3.), ArgumentTypeError,
     f'expected Kensors, arrays, numbers and lists of them, received a tensor of the backend. {ADVICE}'),
    (lambda x: x + None, ArgumentTypeError, 'add: y: expected a tensor, an array or a number, received None.'),
    (lambda x: x * 'a', ArgumentTypeError, "multiply: y: expected a tensor, an array or a number, received 'a'."),
    (lambda x: x + np.array(['a']), ArgumentError, "Operation: args: expected a dict such as {'input': 0}, received {'array': ['a'], 'dtype': 'str32'}."),
    (lambda x: x @ 2., ArgumentTypeError, 'Operation: dot: expected Kensors and arrays, received 2.0.'),
    (lambda x: x[:, [0, 2]], ArgumentTypeError,
     f'getitem: expected integers, slices, None and ... as an index, received [0, 2]. {LISTED}'),
    (lambda x: x[x > 0], ArgumentTypeError,
     'getitem: expected integers, slices, None and ... as an index, received truth values. Use B.where(condition, x, y) to choose values.'),
    (lambda x: x[x], ArgumentTypeError, f'Operation: getitem: expected integers, slices, None and ... as an index, received a Kensor. {LISTED}'),
    (lambda x: x[True], ArgumentTypeError, f'getitem: expected integers, slices, None and ... as an index, received True. {LISTED}'),
])
def test_arguments_that_are_refused(act, kind, text):
    with pytest.raises(kind) as caught:
        act(Input((3, 4)))
    assert str(caught.value) == text


@pytest.mark.parametrize('act, text', [
    (lambda x: B.dot(x, x), 'dot: expected a second factor of at most two axes, received shape (None, 3, 4). Use B.matmul for a product in each sample.'),
    (lambda x: B.dot(x, np.ones((2, 4, 1))), 'dot: expected a second factor of at most two axes, received shape (2, 4, 1). '
                                             'Use B.matmul for a product in each sample.'),
    (lambda x: x @ x, "expected factors that match, received the lengths (4,) and (3,): matmul({'input': 0}, {'input': 0}) cannot be applied to "
                      'inputs of shapes (None, 3, 4).'),
])
def test_shapes_that_are_refused(act, text):
    with pytest.raises(ShapeError) as caught:
        act(Input((3, 4)))
    assert str(caught.value).partition(': ')[2] == text


@pytest.mark.parametrize('args, text', [
    (('exec', []), "Operation: there is no operation 'exec'. Choose one of abs, add, add_bias,"),
    (('seed', [3]), "Operation: there is no operation 'seed'."),
    (('add', [{'input': 0}, {'input': 2}]), "Operation: add: args: expected {'input': number} for the numbers from 0 on, received 0, 2."),
    (('add', [{'input': 0}, {'input': 'a'}]), "Operation: args: expected a dict such as {'input': 0}, received {'input': 'a'}."),
    (('add', [{'input': 0}, {'array': [1], 'dtype': 'V1000000000000'}]), "expected a dict such as {'input': 0}, received {'array': [1],"),
    (('add', [{'input': 0}, {'array': ['a'], 'dtype': 'float32'}]), "expected a dict such as {'input': 0}, received {'array': ['a'],"),
    (('getitem', [{'input': 0}, {'slice': [0]}]), "Operation: args: expected a dict such as {'input': 0}, received {'slice': [0]}."),
    (('getitem', [{'input': 0}]), "Operation: getitem: args: expected [{'input': 0}, index]."),
    (('square', [{'input': 0, 'more': 1}]), "Operation: args: expected a dict such as {'input': 0}, received {'input': 0, 'more': 1}."),
])
def test_operations_in_a_file_are_checked(args, text):
    with pytest.raises(SerializationError) as caught:
        keraflow.unserialize({'class': 'Operation', 'args': {'operation': args[0], 'args': args[1]}})
    assert text in str(caught.value)


def test_devices():
    with B.device('cpu'):
        assert B.eval(B.constant(1.) + 1.) == 2
    with pytest.raises(BackendError) as caught:
        B.device('gpu:9')
    assert str(caught.value) == f"device: there is no device 'gpu:9'; this machine has {', '.join(B.devices())}."


def test_functions_refuse_what_they_cannot_be_given_or_set():
    variable, x = B.variable(np.ones(3)), B.placeholder((None,))
    pair, short = B.symbolic(lambda x: B.stack([x[0], x[0]]), [x]), np.zeros(2)
    wrong = [
        ([variable], [], ArgumentTypeError, 'inputs: expected placeholders, received a variable, whose value each run reads. Write '
                                            'B.set_value to change it.'),
        ([x, x], [], ArgumentError, 'inputs: expected each placeholder once, received one several times.'),
        ([3.], [], ArgumentTypeError, 'inputs: expected a list of placeholders, received [3.0].'),
        ([x], [(x, x)], ArgumentTypeError, 'updates: expected pairs of a variable and its new value, received a pair that begins with a '
                                           'tensor.'),
        ([x], [variable], ArgumentTypeError, 'updates: expected pairs of a variable and its new value, received a tensor.'),
        ([x], [(variable, x), (variable, x)], ArgumentError, 'updates: expected each variable once, received one several times.'),
        *(([x], [(variable, value)], ShapeError, 'updates: expected a new value of shape (3,), as the variable has, received one of '
                                                 'shape (2,).') for value in (pair, short))]
    for inputs, updates, kind, text in wrong:
        with pytest.raises(kind) as caught:
            B.function(inputs, [x], updates)
        assert str(caught.value) == f'function: {text}'
    B.function([x], [x], [(variable, np.full(3, 5.))])(np.ones(2))
    np.testing.assert_array_equal(B.get_value(variable), np.full(3, 5.))
