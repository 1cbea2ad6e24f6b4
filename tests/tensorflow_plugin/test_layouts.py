"""Between convolutions with the channels first there is no transposition: one at the beginning of a chain, one at its end."""
import numpy as np
import pytest
import tensorflow as tf

from keraflow import backend as B
from keraflow.layers import Activation, Convolution2D, Dropout, ElementWiseSum, Flatten, Input, Pooling2D
from keraflow.models import Model

SHAPE = (3, 9, 8)


def convolution(**kwargs):
    return Convolution2D(3, 3, 3, pad='same', **kwargs)


def chain(x):
    return Flatten()(convolution()(Pooling2D('max')(convolution(activation='relu')(convolution(activation='tanh')(x)))))


def other_layers_between(x):
    return Flatten()(convolution()(Activation('relu')(Dropout(0.5)(convolution()(x)))))


def branches(x):
    h = convolution(activation='relu')(x)
    return Flatten()(ElementWiseSum()([h, convolution()(convolution()(h))]))


def softmax_between(x):
    return Flatten()(convolution()(convolution(activation='softmax')(x)))


def transpositions(outputs):
    """The transpositions of tensors with a batch that outputs are made from: those of kernels have no None."""
    waiting, found = [it.op for it in outputs], set()
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting.extend(it.op for it in op.inputs)
    return sum(op.type == 'Transpose' and op.outputs[0].shape[0] is None for op in found)


@pytest.mark.parametrize('build, expected', [(chain, 2), (other_layers_between, 2), (branches, 2), (softmax_between, 4)])
@pytest.mark.parametrize('phase', ['train', 'test'])
def test_the_number_of_transpositions(build, expected, phase):
    x = Input(SHAPE)
    model = Model(x, build(x))

    def run(tensor):
        with B.phase(phase):
            return model.run([tensor])
    assert B.trace(lambda tensor: transpositions(run(tensor)), [B.TensorSpec((None, *SHAPE), 'float32')]) == expected


def test_gradients_take_no_more_of_them():
    x = Input(SHAPE)
    model = Model(x, chain(x))
    weights = [one.variable for one in model.parameters()]

    def count(tensor):
        _, _, gradients = B.value_and_gradients(lambda: (B.sum(B.square(model.run([tensor])[0])), None), weights)
        return transpositions(gradients)
    # Those of the chain, and that of the gradient where the chain ends.
    assert B.trace(count, [B.TensorSpec((None, *SHAPE), 'float32')]) == 3


def test_what_is_transposed_is_right_outside_of_graphs():
    x, W = np.random.default_rng(0).normal(size=(2, 3, 5, 4)), np.ones((3, 3, 1, 1))
    made = B.relu(B.conv(B.constant(x), W))
    np.testing.assert_allclose(B.eval(made), np.maximum(np.broadcast_to(x.sum(1, keepdims=True), x.shape), 0), rtol=1e-5)
    assert isinstance(made, tf.Tensor)
