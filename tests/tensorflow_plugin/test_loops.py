"""What a loop over time does in each step."""
import collections

import numpy as np
import pytest
import tensorflow as tf

from keraflow import backend as B
from keraflow.layers import GRU, LSTM, Input, SimpleRNN


def operations_of_a_step(layer):
    layer(Input((7, 3)))
    function = tf.function(lambda x: layer.run([x]), autograph=False).get_concrete_function(tf.TensorSpec((None, 7, 3)))
    [body] = [it for it in function.graph.as_graph_def().library.function if 'while_body' in it.signature.name]
    return collections.Counter(node.op for node in body.node_def)


@pytest.mark.parametrize('return_sequences', [False, True])
def test_an_lstm(return_sequences):
    found = operations_of_a_step(LSTM(4, inner_activation='sigmoid', return_sequences=return_sequences))
    assert found['TensorListGetItem'] == found['MatMul'] == 1       # its input, and one product for all gates
    assert found['TensorListSetItem'] == return_sequences           # outputs are collected only where they are wanted
    # Two of the sums count: time, and for TensorFlow the runs of the loop.
    assert (found['Sigmoid'], found['Tanh'], found['Mul'], found['AddV2']) == (1, 2, 3, 4)


def gradients(layer, x):
    """The gradients of a layer's parameters, as a function of TensorFlow."""
    layer(Input(tuple(x.shape[1:])))
    return B.no_autograph(lambda x: B.value_and_gradients(
        lambda: (B.sum(B.square(layer.run([x]))), None), layer.trainable_variables)[2])


@pytest.mark.parametrize('cls, nb_product', [(SimpleRNN, 1), (GRU, 2), (LSTM, 1)])
def test_the_gradient_of_a_matrix_is_one_product_after_the_loop(cls, nb_product):
    x = tf.constant(np.random.default_rng(1).normal(size=(2, 7, 3)).astype('float32'))
    run = gradients(cls(4), x)
    function = tf.function(run, autograph=False).get_concrete_function(x)
    graph = function.graph.as_graph_def()
    bodies = [it for it in graph.library.function if '_body' in it.signature.name]
    # Forward, and back: the product with the transposed matrix, but neither the first one again nor the matrix's gradient.
    assert [sum(node.op == 'MatMul' for node in body.node_def) for body in bodies] == [nb_product, nb_product]
    compiled = tf.function(run, autograph=False, jit_compile=True)(x)
    for one, other in zip(function(x), compiled):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_prediction_keeps_nothing_for_gradients():
    x = tf.zeros((2, 7, 3))
    layer = LSTM(4)
    layer(Input((7, 3)))
    graph = tf.function(lambda x: layer.run([x]), autograph=False).get_concrete_function(x).graph.as_graph_def()
    [body] = [it for it in graph.library.function if 'while_body' in it.signature.name]
    assert not any('SetItem' in node.op or 'PushBack' in node.op for node in body.node_def)
