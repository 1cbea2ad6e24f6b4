"""What is known of a Theano graph's lengths before there are data."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ShapeError

SHAPES = [
    (lambda x: x[:, 1:], (None, 2, 4)),
    (lambda x: x[:, ::-1, 2:30], (None, 3, 2)),
    (lambda x: x[::-1, 0::-1, :4:-1], (None, 1, 0)),
    (lambda x: x[:, -1], (None, 4)),
    (lambda x: x[2:5], (None, 3, 4)),
    (lambda x: x[:, None, :, 0], (None, 1, 3)),
    (lambda x: -x * 0.5 + np.ones(4, 'float32'), (None, 3, 4)),
    (lambda x: B.add(x, B.placeholder((5, None, None))), (5, 3, 4)),
    (lambda x: B.flatten(x), (None,)),
    (lambda x: B.flatten(x, 2), (None, 12)),
    (lambda x: B.reshape(x, (-1, 12)), (None, 12)),
    (lambda x: B.reshape(x, (6, -1)), (6, None)),
    (lambda x: B.reshape(x, (B.shape(x)[0], 2, -1)), (None, 2, 6)),
    (lambda x: B.reshape(x, (B.shape(x * 2)[0] * 3, -1)), (None, None)),
    (lambda x: B.reshape(x[:2], (B.shape(x)[1], -1)), (3, None)),
    (lambda x: B.reshape(x, B.shape(x)), (None, 3, 4)),
    (lambda x: B.zeros((2, B.shape(x)[2] * 3 - 1)), (2, 11)),
    (lambda x: B.zeros(B.shape(x)[1:]), (3, 4)),
    (lambda x: B.arange(B.shape(x)[1]), (3,)),
    (lambda x: B.dot(x, np.ones((4, 7), 'float32')), (None, 3, 7)),
    (lambda x: B.matmul(x, B.transpose(x, (0, 2, 1))), (None, 3, 3)),
    (lambda x: B.gather(x, [[0, 2]], axis=1), (None, 1, 2, 4)),
    (lambda x: B.gather(x, B.placeholder((None, 6), 'int32'), axis=-1), (None, 3, None, 6)),
    (lambda x: B.one_hot(B.argmax(x), 5), (None, 3, 5)),
    (lambda x: B.sum(x, -1), (None, 3)),
    (lambda x: B.mean(x, (0, 1), keepdims=True), (1, 1, 4)),
    (lambda x: B.max(x, 0), (3, 4)),
    (lambda x: B.logsumexp(x, 1), (None, 4)),
    (lambda x: B.cumsum(x), (None, 3, 4)),
    (lambda x: B.softmax(B.flatten(x, 2)), (None, 12)),
    (lambda x: B.softmax(x, 1), (None, 3, 4)),
    (lambda x: B.concatenate([x, x[:, 1:]], 1), (None, 5, 4)),
    (lambda x: B.concatenate([x, x], 0), (None, 3, 4)),
    (lambda x: B.concatenate([x, B.zeros((5, 3, 4))]), (5, 3, 8)),
    (lambda x: B.stack([x, x], 1), (None, 2, 3, 4)),
    (lambda x: B.repeat(x, 2, 1), (None, 6, 4)),
    (lambda x: B.tile(x, (1, 2, 3)), (None, 6, 12)),
    (lambda x: B.squeeze(B.expand_dims(x, 1), 1), (None, 3, 4)),
    (lambda x: B.flip(B.stop_gradient(B.identity(x)), 1), (None, 3, 4)),
    (lambda x: B.where(x[:, :, :1] > 0, x, 0), (None, 3, 4)),
    (lambda x: B.dropout(x, 0.5), (None, 3, 4)),
    (lambda x: B.random_normal((B.shape(x)[1], 2)), (3, 2)),
    (lambda x: B.with_static_shape(x, (7, None, 4)), (7, 3, 4)),
    (lambda x: B.gradients(B.sum(B.square(B.dot(x, np.ones((4, 2), 'float32')))), [x])[0], (None, 3, 4)),
]


@pytest.mark.parametrize('number', range(len(SHAPES)))
def test_static_shape(number):
    expression, expected = SHAPES[number]
    assert B.static_shape(expression(B.placeholder((None, 3, 4)))) == expected


def test_static_shape_of_ops_without_a_rule():
    from keraflow_backends.theano_backend.configure import T
    x = B.placeholder((None, 3, 8, 8))
    y = T.nnet.conv2d(x, B.variable(np.ones((5, 3, 3, 3))), border_mode='valid')
    assert B.static_shape(y) == (None, 5, 6, 6)
    assert B.static_shape(T.eye(B.shape(x)[1], 4)) == (3, 4)


def test_static_shape_does_not_compile_or_recurse():
    x = B.placeholder((None, 3))
    y = x
    for _ in range(3000):
        y = y * 2
    assert B.static_shape(y) == (None, 3)


def test_static_shape_of_a_variable():
    variable = B.variable(np.ones((1, 3)))
    assert B.static_shape(variable) == (1, 3)
    assert B.static_shape(B.add(variable, B.placeholder((None, 3)))) == (None, 3)


def test_lengths_that_are_known_to_be_1_broadcast():
    x = B.placeholder((None, 3))
    column = B.concatenate([x, x])[:, 2:3]      # Theano does not know that this is a column
    narrow = B.with_static_shape(B.placeholder((None, None)), (None, 1))
    added, multiplied, chosen = B.function([x, narrow.owner.inputs[0]], [
        B.add(x, column), B.multiply(narrow, x), B.where(column, narrow, x)])([[1, 2, 0], [3, 4, 5]], [[1], [2]])
    assert added.tolist() == [[1, 2, 0], [8, 9, 10]]
    assert multiplied.tolist() == [[1, 2, 0], [6, 8, 10]]
    assert chosen.tolist() == [[1, 2, 0], [2, 2, 2]]


def test_with_static_shape_leaves_the_tensor_itself_alone():
    x = B.placeholder((None, 3))
    known = B.with_static_shape(x, (2, None))
    assert B.static_shape(known) == (2, 3) and B.static_shape(x) == (None, 3)
    assert B.with_static_shape(x, (None, 3)) is x
    with pytest.raises(ShapeError) as error:
        B.with_static_shape(x, (2, 4))
    assert str(error.value) == 'with_static_shape: a tensor of shape (None, 3) cannot have the shape (2, 4).'
