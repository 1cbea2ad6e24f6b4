"""How many operations the graph of a step has: what a change adds to every step shows here, not in a time."""
import pytest

from keraflow.layers import LSTM, BatchNormalization, Convolution2D, Dense, Dropout, Flatten, Input
from keraflow.models import Sequential
from keraflow_backends.tensorflow_backend import private_api

#: What computes nothing.
FREE = {'Const', 'Identity', 'NoOp', 'Placeholder', '_Arg', '_Retval'}

#: By network: its layers, the shape of a sample, and the most operations, a twentieth above what was counted.
NETWORKS = {
    'MLP': (lambda: [Dense(8, activation='relu'), Dropout(0.2)], (6,), 269),
    'CNN': (lambda: [Convolution2D(4, 3, 3, activation='relu'), BatchNormalization(), Flatten()], (1, 8, 8), 403),
    'LSTM': (lambda: [LSTM(8)], (5, 6), 625),
}


@pytest.mark.parametrize('network', list(NETWORKS))
def test_a_step_has_no_more_operations(network, monkeypatch):
    layers, shape, most = NETWORKS[network]
    made, call = [], private_api.direct_call
    monkeypatch.setattr(private_api, 'direct_call', lambda concrete: made.append(concrete) or call(concrete))
    model = Sequential([Input(shape), *layers(), Dense(3, activation='softmax')])
    model.compile('adam', 'categorical_crossentropy', metrics=['acc'], execution='plain')
    model._functions.train_loop((0,)).latest.build()
    graph = made[0].graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert 100 < sum(node.op not in FREE for node in nodes) <= most
