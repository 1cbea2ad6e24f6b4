"""Between convolutions with the channels first there is no transposition: one at the beginning of a chain, one at its end."""
import numpy as np
import pytest
import tensorflow as tf
from chains import CHAINS, input_shape

from keraflow import backend as B
from keraflow.graph.records import recording
from keraflow.layers import Convolution2D, ElementWiseSum, Flatten, GlobalPooling2D, Input
from keraflow.models import Model

SHAPE = input_shape('channels_first')


def transpositions(outputs):
    """What outputs are made from that is transposed and has a batch, as kernels and numbers for each channel have not.

    The masks of dropout do not count: they are drawn in the layout of the model, so that each backend drops the same.
    What is transposed twice in the same way counts once, because TensorFlow computes it once.
    """
    waiting, found = [it.op for it in outputs], set()
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting.extend(it.op for it in op.inputs)
    return len({op.inputs[0].name for op in found if op.type == 'Transpose' and op.outputs[0].shape[0] is None
                and not any(it.op.type == 'Cast' and it.op.inputs[0].dtype == tf.bool for it in op.inputs[0].op.inputs)})


def counted(build, phase='train', shape=SHAPE):
    """The transpositions in the output of a network, and in its gradients."""
    x = Input(shape)
    model = Model(x, build(x))
    weights = [one.variable for one in model.parameters() if one.trainable]

    def run(tensor):
        with B.phase(phase), recording():
            loss = B.value_and_gradients(lambda: (B.sum(B.square(model.run([tensor])[0])), None), weights)
            return transpositions(model.run([tensor])), transpositions(loss[2])
    return B.trace(run, [B.TensorSpec((None, *shape), 'float32')])


@pytest.mark.parametrize('chain', CHAINS)
@pytest.mark.parametrize('phase', ['train', 'test'])
def test_one_at_the_beginning_and_one_at_the_end(chain, phase):
    # In the gradients that of the gradient where the chain ends comes in addition.
    assert counted(lambda x: Flatten()(chain(x, 'channels_first')), phase) == (2, 3)


@pytest.mark.parametrize('chain', CHAINS)
def test_none_at_the_end_where_images_are_pooled(chain):
    assert counted(lambda x: GlobalPooling2D('avg')(chain(x, 'channels_first'))) == (1, 1)


@pytest.mark.parametrize('chain', [it for it in CHAINS if it.__name__ != 'activated'])
def test_none_at_the_end_also_where_lengths_are_not_known(chain):
    assert counted(lambda x: GlobalPooling2D('avg')(chain(x, 'channels_first')), shape=(SHAPE[0], None, None)) == (1, 1)


def test_what_is_no_result_of_a_convolution_is_transposed():
    def build(x):
        return GlobalPooling2D('max')(Convolution2D(3, 3, 3)(ElementWiseSum()([x, Convolution2D(3, 3, 3, pad='same')(x)])))
    assert counted(build)[0] == 1


def test_activations_along_the_columns_and_the_channels():
    def chain(axis):
        return lambda x: GlobalPooling2D('avg')(Convolution2D(3, 3, 3)(
            Convolution2D(3, 3, 3, activation=lambda y: B.softmax(y, axis))(x)))
    # TensorFlow's softmax along another axis than the last one transposes twice, and so does its gradient.
    assert counted(chain(1)) == (1, 1) and counted(chain(-1))[0] == 3


def test_what_is_transposed_is_right_outside_of_graphs():
    x, W = np.random.default_rng(0).normal(size=(2, 3, 5, 4)), np.ones((3, 3, 1, 1))
    made = B.relu(B.conv(B.constant(x), W))
    np.testing.assert_allclose(B.eval(made), np.maximum(np.broadcast_to(x.sum(1, keepdims=True), x.shape), 0), rtol=1e-5)
    assert isinstance(made, tf.Tensor)


def test_a_program_takes_gradients_of_what_a_layer_gave():
    first, second = (Convolution2D(2, 1, 1, init='one', initial_weights={'b': np.zeros(2)}) for _ in range(2))
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 3, 5, 4)), tf.float32)

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            between = first(x)
            tape.watch(between)
            loss = tf.reduce_sum(second(between) ** 2) / 2
        return tape.gradient(loss, between)
    # Both channels of `between` are the sum of x, and both channels behind it the sum of those.
    first(x), second(first(x))
    np.testing.assert_allclose(gradient(x), np.broadcast_to(4 * np.sum(x, 1, keepdims=True), (2, 2, 5, 4)), rtol=1e-4)
