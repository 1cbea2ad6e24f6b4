"""How many operations the graph of a step has: what a change adds to every step shows here, not in a time."""
import pytest
from step_networks import build_step

from keraflow_backends.tensorflow_backend import private_api

#: What computes nothing.
FREE = {'Const', 'Identity', 'NoOp', 'Placeholder', '_Arg', '_Retval'}


# The bounds are a twentieth above what was counted.
@pytest.mark.parametrize('network, most', [('MLP', 269), ('CNN', 403), ('LSTM', 625)])
def test_a_step_has_no_more_operations(network, most, monkeypatch):
    made, call = [], private_api.direct_call
    monkeypatch.setattr(private_api, 'direct_call', lambda concrete: made.append(concrete) or call(concrete))
    build_step(network)
    graph = made[0].graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert 100 < sum(node.op not in FREE for node in nodes) <= most
