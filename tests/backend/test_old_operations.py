"""Operations that have another name now: the old one works in programs and in files, and is listed nowhere."""
import functools

import numpy as np
import pytest
from format1 import FOLDER

import keraflow
from keraflow import backend as B
from keraflow.backend.contract import METHODS, OLD_NAMES, OPERATIONS, Backend
from keraflow.files.plaindata import read_plain
from keraflow.layers import Input, Lambda
from keraflow.layers.operation import Operation
from keraflow.models import Model

NAMES = {'switch': 'where', 'reverse': 'flip', 'batch_dot': 'matmul', 'random_binomial': 'random_bernoulli'}
X = np.arange(24, dtype='float32').reshape(2, 3, 4)


def test_the_old_names():
    assert OLD_NAMES == NAMES
    for old, name in NAMES.items():
        assert getattr(B, old) is getattr(B, name) and getattr(B, name).__name__ == name
        assert old not in dir(B) and old not in B.__all__ and name in dir(B)
        assert not hasattr(Backend, old) and not hasattr(B.current(), old) and old not in METHODS and old not in OPERATIONS


def test_functions_by_their_old_names():
    np.testing.assert_array_equal(B.eval(B.switch(X > 7, X, 0.)), np.where(X > 7, X, 0))
    np.testing.assert_array_equal(B.eval(B.reverse(x=X, axis=1)), X[:, ::-1])
    np.testing.assert_array_equal(B.eval(B.batch_dot(X, X.transpose(0, 2, 1))), X @ X.transpose(0, 2, 1))
    drawn = B.eval(B.random_binomial((1000,), 0.25))
    assert set(drawn.tolist()) == {0., 1.} and 150 < drawn.sum() < 350


def test_kensors_by_their_old_names():
    x = Input((3, 4))
    y = B.reverse(B.switch(x > 7, x, 0.), 1)
    assert y.layer.operation == 'flip' and B.batch_dot(x, B.transpose(x, (0, 2, 1))).layer.operation == 'matmul'
    np.testing.assert_array_equal(Model(x, y).predict(X), np.where(X > 7, X, 0)[:, ::-1])


@pytest.mark.parametrize('old', [name for name in NAMES if name != 'random_binomial'])
def test_a_layer_by_an_old_name_is_written_by_the_current_one(old):
    args = {'switch': [{'input': 0}, {'input': 1}, 0.], 'reverse': [{'input': 0}, 1], 'batch_dot': [{'input': 0}, {'input': 1}]}[old]
    for layer in (Operation(old, args), keraflow.unserialize({'class': 'Operation', 'args': {'operation': old, 'args': args}})):
        assert layer.operation == NAMES[old]
    assert keraflow.serialize(layer)['args']['operation'] == NAMES[old]


def test_a_function_by_its_old_name_is_written_by_the_current_one():
    written = keraflow.serialize(Lambda(functools.partial(B.reverse, axis=-1)))
    assert written['args']['output_fn'] == {'function': 'B.flip', 'args': {'axis': -1}}
    data = read_plain(FOLDER / 'operations.json')['model']['args']['layers']['turned']
    assert data['args']['output_fn'] == {'function': 'B.reverse', 'args': {'axis': -1}}
    assert keraflow.serialize(keraflow.unserialize(data))['args']['output_fn'] == written['args']['output_fn']


@pytest.mark.parametrize('left, right', [
    ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((4, 2, 3), (3,)), ((2, 3), (4, 3, 2)), ((4, 2, 3), (3, 2)), ((3,), (4, 3, 2)),
    ((1, 2, 3), (4, 3, 2)), ((4, 2, 3), (1, 3, 2)), ((5, 1, 2, 3), (4, 3, 2)), ((5, 1, 2, 3), (1, 4, 3, 2))])
def test_matmul_is_that_of_numpy(left, right):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(left).astype('float32'), rng.standard_normal(right).astype('float32')
    run = B.compile(lambda x, y: ([B.matmul(x, y), x @ y], []), [B.TensorSpec(one.shape, 'float32') for one in (x, y)])
    for found in run(x, y):
        np.testing.assert_allclose(found, np.matmul(x, y), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(B.eval(B.matmul(np.rint(3 * x).astype('int32'), np.rint(3 * y).astype('int32'))),
                                  np.matmul(np.rint(3 * x), np.rint(3 * y)))


def test_products_of_kensors_are_those_of_numpy():
    x, y = Input((3, 4)), Input((4, 3))
    model = Model([x, y], [x @ y, y @ x, x @ np.ones((4, 1)), np.ones((2, 3)) @ x])
    other = X.transpose(0, 2, 1)
    for found, expected in zip(model.predict([X, other]), (X @ other, other @ X, X.sum(-1, keepdims=True), np.ones((2, 3)) @ X)):
        np.testing.assert_allclose(found, expected)
    assert [kensor.layer.operation for kensor in (x @ y, x @ np.ones((4, 1)), np.ones((2, 3)) @ x)] == ['matmul', 'dot', 'matmul']
