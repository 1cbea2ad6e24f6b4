"""Between convolutions with the channels last no image is transposed: once at the beginning of a chain, once at its end."""
import numpy as np
import pytest
from chains import CHAINS, input_shape

from keraflow import backend as B
from keraflow.graph.records import recording
from keraflow.layers import Convolution2D, Flatten, GlobalPooling2D, Input
from keraflow.models import Model
from keraflow_backends.theano_backend.configure import theano

SHAPE = input_shape('channels_last')


def transpositions(outputs):
    """How many images are transposed, when Theano has rewritten the graph; not kernels, nor numbers for each channel.

    The masks of dropout do not count: they are drawn in the layout of the model, so that each backend drops the same.
    """
    orders = ([0, 3, 1, 2], [0, 2, 3, 1])
    nodes = theano.function(list(inputs_of(outputs)), outputs, mode=theano.compile.mode.Mode('py', 'fast_run')).maker.fgraph.toposort()
    return sum(isinstance(node.op, theano.tensor.elemwise.DimShuffle) and list(node.op.new_order) in orders and not any(node.op.input_broadcastable)
               and node.outputs[0].dtype != 'bool'
               for node in nodes)


def inputs_of(outputs):
    return (it for it in theano.graph.basic.graph_inputs(outputs) if not isinstance(it, (theano.compile.SharedVariable, theano.graph.basic.Constant)))


def counted(build, phase='train', shape=SHAPE):
    """The transpositions in the output of a network, and in its gradients."""
    x = Input(shape)
    model = Model(x, build(x))
    with B.phase(phase), recording():
        [made] = model.run([B.placeholder((None, *shape))])
    gradients = B.gradients(B.sum(B.square(made)), [one.variable for one in model.parameters() if one.trainable])
    return transpositions([made]), transpositions(gradients)


@pytest.mark.parametrize('chain', CHAINS)
def test_one_at_the_beginning_and_one_at_the_end(chain):
    # In the gradients that of the gradient where the chain ends comes in addition.
    assert counted(lambda x: Flatten()(chain(x, 'channels_last'))) == (2, 3)


@pytest.mark.parametrize('chain', CHAINS)
def test_none_at_the_end_where_images_are_pooled(chain):
    assert counted(lambda x: GlobalPooling2D('avg', data_format='channels_last')(chain(x, 'channels_last'))) == (1, 1)


def test_none_at_the_end_also_where_lengths_are_not_known():
    assert counted(lambda x: GlobalPooling2D('avg', data_format='channels_last')(CHAINS[0](x, 'channels_last')),
                   shape=(None, None, SHAPE[-1])) == (1, 1)


def test_a_program_takes_gradients_of_what_a_layer_gave():
    first, second = (Convolution2D(2, 1, 1, init='one', data_format='channels_last') for _ in range(2))
    x = theano.tensor.tensor4()
    for layer, channels in ((first, 3), (second, 2)):
        layer(Input((5, 4, channels)))
    between = first(B.with_static_shape(x, (None, 5, 4, 3)))
    gradient = theano.grad((second(between) ** 2).sum() / 2, between)
    value = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype('float32')
    expected = np.broadcast_to(4 * value.sum(-1, keepdims=True), (2, 5, 4, 2))
    np.testing.assert_allclose(theano.function([x], gradient)(value), expected, rtol=1e-4)
