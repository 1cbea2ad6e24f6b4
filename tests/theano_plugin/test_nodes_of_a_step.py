"""How many nodes the graph of a step has once Theano has optimized it: what a change adds to every step shows here."""
import pytest

from keraflow.layers import LSTM, BatchNormalization, Convolution2D, Dense, Dropout, Flatten, Input
from keraflow.models import Sequential

#: By network: its layers, the shape of a sample, and the most nodes, a twentieth above what was counted.
NETWORKS = {
    'MLP': (lambda: [Dense(8, activation='relu'), Dropout(0.2)], (6,), 90),
    'CNN': (lambda: [Convolution2D(4, 3, 3, activation='relu'), BatchNormalization(), Flatten()], (1, 8, 8), 149),
    'LSTM': (lambda: [LSTM(8)], (5, 6), 185),
}


@pytest.mark.parametrize('network', list(NETWORKS))
def test_a_step_has_no_more_nodes(network, monkeypatch):
    import theano

    from keraflow_backends.theano_backend import execution
    layers, shape, most = NETWORKS[network]
    monkeypatch.setattr(execution, 'own_mode', lambda: theano.compile.mode.Mode('py', 'fast_run'))      # no C is compiled
    model = Sequential([Input(shape), *layers(), Dense(3, activation='softmax')])
    model.compile('adam', 'categorical_crossentropy', metrics=['acc'])
    loop = model._functions.train_loop((0,)).latest
    assert len(loop._run.build().maker.fgraph.apply_nodes) <= most
