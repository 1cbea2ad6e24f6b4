"""What a loop over time does in each step."""
import collections

import pytest
import tensorflow as tf

from keraflow.layers import LSTM, Input


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
