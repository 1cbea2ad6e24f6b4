"""How many nodes the graph of a step has once Theano has optimized it: what a change adds to every step shows here."""
import pytest
from step_networks import build_step

from keraflow_backends.theano_backend import execution
from keraflow_backends.theano_backend.configure import theano


# The bounds are a twentieth above what was counted.
@pytest.mark.parametrize('network, most', [('MLP', 90), ('CNN', 149), ('LSTM', 185)])
def test_a_step_has_no_more_nodes(network, most, monkeypatch):
    monkeypatch.setattr(execution, 'own_mode', lambda: theano.compile.mode.Mode('py', 'fast_run'))      # no C is compiled
    assert len(build_step(network)._run.build().maker.fgraph.apply_nodes) <= most
