"""Regularizers, constraints and initial weights that a host gives to parameters of the layers in it."""
import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow import layer_register
from keraflow.constraints import MaxNorm
from keraflow.errors import ArgumentError, ShapeError
from keraflow.layers import Bidirectional, Dense, Input, SimpleRNN, TimeDistributed
from keraflow.models import Model
from keraflow.optimizers import SGD
from keraflow.regularizers import L1, L2

X = np.random.default_rng(41).normal(size=(6, 3)).astype('float32')


@layer_register(id='twice-in-test-host-arguments')
def Twice(x, output_dim):
    scale = keraflow.add_weight('scale', (1,), init='one')
    return Dense(output_dim, regularizers=['l1'])(Dense(output_dim)(x) * scale)


@layer_register(id='host-in-test-host-arguments')
def Host(x, output_dim):
    return Twice(output_dim)(x)


def test_a_registered_function_takes_regularizers_and_constraints_by_name():
    x = Input(3)
    host = Host(2, regularizers={'0/0/W': L2(0.5), '0/1/W': L1(0.25), '0/scale': 'l2'}, constraints={'0/1/b': MaxNorm(0.1)}, name='host')
    model = Model(x, host(x))
    model.compile(SGD(lr=1.), 'mse', report_terms=True)
    w = model.get_weights()
    [logs] = model.fit(X, np.full((6, 2), 100.), nb_epoch=1, batch_size=6, verbose=0)
    expected = {'L2(host/0/scale)': 0.01, 'L2(host/0/0/W)': 0.5 * np.sum(w['host/0/0/W'] ** 2),
                'L1(host/0/1/W)': 0.25 * np.abs(w['host/0/1/W']).sum()}
    assert [name for name in logs if name.startswith('L')] == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(logs[name], value, rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(model.get_weights()['host/0/1/b']), 0.1, rtol=1e-4)
    again = keraflow.unserialize(keraflow.serialize(model))
    assert [type(one).__name__ for _, one in again.outputs[0].regularizers] == ['L2', 'L2', 'L1'] and len(again.outputs[0].constraints) == 1


def test_any_host_takes_them_in_eager_runs_too():
    layer = Bidirectional(SimpleRNN(2, init='one'), regularizers={'0/W': L1(1.)})
    with keraflow.recording() as run:
        layer(np.ones((1, 4, 3), 'float32'))
    np.testing.assert_allclose([float(it) for it in B.eval(run.losses)], [6.], rtol=1e-6)


W = np.arange(6.).reshape(3, 2)


def test_initial_weights_by_name_hold_from_the_first_run_on():
    host = Host(2, initial_weights={'0/0/W': W, '0/1/W': np.eye(2), '0/scale': [2.]})
    np.testing.assert_allclose(B.eval(host(X)), X @ W * 2, rtol=1e-5)
    linked = Host(2, initial_weights={'0/0/W': W})
    linked(Input(3))
    np.testing.assert_array_equal(linked.get_weights()['0/0/W'], W)
    assert np.ptp(linked.get_weights()['0/1/W']) > 0


def test_initial_weights_of_a_layer_that_was_fed_before():
    inner = SimpleRNN(2)
    inner(Input((None, 3)))
    host = TimeDistributed(inner, initial_weights={'0/W': W})
    host(Input((4, None, 3)))
    np.testing.assert_array_equal(inner.get_weights()['W'], W)


def test_initial_weights_that_do_not_fit():
    with pytest.raises(ArgumentError, match=r"^host\d+/0/0: initial_weights: there is no 'V'. Choose one of W, b.$"):
        Host(2, initial_weights={'0/0/V': W})(Input(3))
    with pytest.raises(ArgumentError, match=r"^host: initial_weights: there is no '7/W'"):
        Host(2, name='host', initial_weights={'7/W': W})(Input(3))
    with pytest.raises(ShapeError, match=r'^host\d+/0/0: initial_weights: W: expected an array of shape \(3, 2\), received \(2, 2\).$'):
        Host(2, initial_weights={'0/0/W': np.eye(2)})(Input(3))


@pytest.mark.parametrize('argument, value', [('regularizers', 'l2'), ('constraints', 'nonneg')])
def test_a_name_that_is_not_there(argument, value):
    with pytest.raises(ArgumentError) as caught:
        Host(2, name='host', **{argument: {'0/0/V': value}})(Input(3))
    assert str(caught.value) == f"host: {argument}: there is no '0/0/V'. Did you mean '0/0/W'?"
