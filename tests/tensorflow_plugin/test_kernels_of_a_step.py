"""How many operations the graph of a step has: what a change adds to every step shows here, not in a time."""
import pytest
from step_networks import build_step

from keraflow_backends.tensorflow_backend import private_api

#: What computes nothing.
FREE = {'Const', 'Identity', 'NoOp', 'Placeholder', '_Arg', '_Retval'}


#: More than a loop waits for before it is built for the size of its batches.
MANY = 10 ** 6


# The bounds are a twentieth above what was counted, with what runs only for a batch that is not finite.
@pytest.mark.parametrize('network, nb_step, mask_value, most', [
    ('MLP', 0, None, 313), ('MLP', MANY, None, 279), ('CNN', 0, None, 474), ('CNN', MANY, None, 426),
    ('LSTM', 0, None, 670), ('LSTM', MANY, None, 579), ('LSTM', 0, 0., 713), ('LSTM', MANY, 0., 605)])
def test_a_step_has_no_more_operations(network, nb_step, mask_value, most, monkeypatch):
    made, call = [], private_api.direct_call
    monkeypatch.setattr(private_api, 'direct_call', lambda concrete: made.append(concrete) or call(concrete))
    build_step(network, nb_step, mask_value)
    graph = made[0].graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert 100 < sum(node.op not in FREE for node in nodes) <= most
