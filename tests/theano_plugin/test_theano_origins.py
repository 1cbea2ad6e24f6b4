"""Where the program was when it made a node of Theano's, as Theano shows it."""
import keraflow
from keraflow.backend.contract import TensorSpec
from keraflow_backends.theano_backend.configure import T, theano


def test_the_trace_of_a_node_has_the_line_of_the_program():
    y = T.exp(T.vector())   # the line that is sought
    [trace] = y.tag.trace
    assert trace[-1] == (__file__, trace[-1][1], 'test_the_trace_of_a_node_has_the_line_of_the_program', None) and len(trace) == 8
    assert 'y = T.exp(T.vector())   # the line that is sought' in theano.graph.utils.get_variable_trace_string(y)


def test_the_trace_leaves_out_theano_at_its_end():
    y = T.vector().sum()
    assert y.tag.trace[0][-1][2] == 'test_the_trace_leaves_out_theano_at_its_end'


def test_a_graph_that_is_thrown_away_has_no_traces():
    made = []
    keraflow.backend.trace(lambda x: made.append(T.exp(x)), [TensorSpec((None, 2), 'float32')])
    assert made[0].tag.trace == [] and T.exp(T.vector()).tag.trace != []
