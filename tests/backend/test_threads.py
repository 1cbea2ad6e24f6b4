"""Threads do not see each other's builds and runs: what is in force in one is not in another, and a layer may run in several at once."""
import sys
import threading
import warnings

import numpy as np
import pytest
from threads import at_once, elsewhere, switching

import keraflow
from keraflow import argscope
from keraflow import backend as B
from keraflow import random
from keraflow.errors import ArgumentTypeError, DataError
from keraflow.graph import naming
from keraflow.graph.records import frozen, runs_frozen
from keraflow.layers import BatchNormalization, Dense, Dropout, Input, Layer, SimpleRNN
from keraflow.layers.base.masks import counted_samples, running_on_parts
from keraflow.layers.base.run_state import running_host
from keraflow.models import Model
from keraflow.preprocessing.sequence import pad_sequences

ONES = np.ones((4, 6), 'float32')


@pytest.mark.parametrize('context, ask, inside', [
    (lambda: B.phase('train'), B.current_phase, 'train'),
    (lambda: frozen(True), runs_frozen, True),
    (lambda: running_on_parts('samples', 1), counted_samples, 'samples'),
    (lambda: argscope(Dense, bias=False), lambda: Dense(2).bias, False),
    (lambda: random.using(np.random.default_rng(3)), lambda: random.generator().bit_generator.state,
     np.random.default_rng(3).bit_generator.state)], ids=['phase', 'frozen', 'counted samples', 'argscope', 'generator'])
def test_what_holds_in_one_thread_does_not_in_another(context, ask, inside):
    outside, entered, leave = ask(), threading.Event(), threading.Event()

    def hold():
        with context():
            entered.set()
            assert leave.wait(60)
            return ask()

    def look():
        assert entered.wait(60)
        seen = ask()
        with context():         # left before the other thread leaves its own
            assert ask() == inside
        leave.set()
        return seen, ask()
    assert at_once(hold, look) == [inside, (outside, outside)]
    assert ask() == outside


def test_a_scope_that_is_kept_may_be_entered_by_several_threads():
    scope, gate = argscope(Dense, activation='tanh'), threading.Barrier(2)

    def enter():
        with scope:
            gate.wait(60)
            made = Dense(2).activation
            gate.wait(60)
        return made, Dense(2).activation
    expected = (keraflow.activations.tanh, keraflow.activations.linear)
    assert at_once(enter, enter) == [expected, expected]


def test_a_record_has_nothing_of_another_thread():
    drop, norm = Dropout(0.5), BatchNormalization()
    with keraflow.phase('train'), keraflow.recording() as record:
        elsewhere(lambda: norm(ONES))
        unchanged = elsewhere(lambda: B.eval(drop(ONES)))
    assert record.updates == [] and record.layers == {}
    np.testing.assert_array_equal(unchanged, ONES)


def test_a_generator_that_holds_a_phase_may_be_closed_by_another_thread():
    def held():
        with keraflow.phase('train'):
            yield B.current_phase()
    one = held()
    assert elsewhere(lambda: next(one)) == 'train'
    one.close()
    assert B.current_phase() == 'test'


class Meeting(Layer):
    """Embeds two layers and adds a loss; threads that run it at once meet between the two."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._gate = None

    def output(self, x):
        h = self.embed(Dense(3, init='one'))(x)
        if self._gate is not None:
            self._gate.wait(60)
        assert running_host() is self
        self.add_loss(B.sum(h), x)
        return self.embed(Dense(2, init='one'))(self.set_tensor_mask(h, None))

    def output_shape(self, input_shape):
        return (input_shape[0], 2)


def test_a_layer_runs_in_two_threads_at_once():
    layer = Meeting()
    layer(Input(6))
    layer._gate = threading.Barrier(2)

    def run(factor):
        with keraflow.recording() as record:
            y = layer(ONES * factor)
        return float(B.eval(record.losses[0])), B.eval(y)
    for (loss, y), factor in zip(at_once(lambda: run(1.), lambda: run(2.)), (1., 2.)):
        assert loss == pytest.approx(4 * 3 * 6 * factor)
        np.testing.assert_allclose(y, np.full((4, 2), 18 * factor), rtol=1e-6)


def test_the_first_run_of_a_layer_by_several_threads_makes_its_parts_once():
    made = []

    class Slow(Layer):
        def init_param(self, input_shape):
            made.append(threading.get_ident())
            threading.Event().wait(0.05)
            self.set_trainable_params('W', np.ones(input_shape[1:]))

        def output(self, x):
            return self.embed(Dense(2))(x * self.W)

        def output_shape(self, input_shape):
            return (input_shape[0], 2)
    layer = Slow()
    kensors = at_once(*[lambda: layer(Input(6))] * 4)
    assert len(made) == 1 and layer.variables.names == ['W', '0/W', '0/b']
    assert sorted(one.name for one in kensors) == [f'{layer.name}_{number}' for number in range(4)]


def test_threads_that_ask_for_a_symbolic_tensor_get_it_of_one_placeholder():
    class Slow(Layer):
        def output(self, x):
            threading.Event().wait(0.02)
            return x * 2.
    x = Input(6)
    y = Slow()(Slow()(x))
    for tensor in at_once(*[lambda: y.tensor] * 3):
        np.testing.assert_allclose(B.function([x.tensor], [tensor])(ONES)[0], 4 * ONES)


def test_no_name_is_given_twice():
    with switching():
        found = at_once(*[lambda: [naming.unique('threaded') for _ in range(2000)]] * 4)
        layers = [Dense(2) for _ in range(200)]
        named = at_once(*[lambda: [layer.name for layer in layers]] * 4)
    assert len({name for names in found for name in names}) == 8000
    assert all(names == named[0] for names in named) and len(set(named[0])) == 200


@pytest.fixture
def no_filters(monkeypatch):
    """Refuses changes of the filters of warnings by keraflow: they would be those of all threads."""
    entered = warnings.catch_warnings.__enter__

    def refuse(self):
        caller = sys._getframe(1).f_globals['__name__']
        assert not caller.startswith('keraflow'), f'{caller} changes the filters of warnings of all threads'
        return entered(self)
    monkeypatch.setattr(warnings.catch_warnings, '__enter__', refuse)


def test_no_filter_of_warnings_is_changed_while_data_are_read_and_functions_are_built(no_filters):
    x = Input((None, 2))
    model = Model(x, Dense(1)(SimpleRNN(3)(x)))
    model.compile('sgd', 'mse')
    rows = [[[1., 2.], [3., 4.]]] * 4
    model.fit(lambda: iter([(rows, [[1.]] * 4)] * 3), nb_epoch=1, verbose=0)
    for ragged in ([[[1., 2.]], [[1., 2.], [3., 4.]]], [[[1., 2.], [3.]]] * 2, [[[1., 2.], 3.]]):
        with pytest.raises(DataError) as caught:
            model.predict(ragged)
        assert str(caught.value) == (f'{model.name}: predict: {x.name}: expected samples of one shape, received some of different '
                                     'shapes. Pad them to one length.')
    with pytest.raises(DataError):
        pad_sequences([[[1, 2], [3]]])
    with pytest.raises(ArgumentTypeError):
        Dense(2, initial_weights={'W': [[1., 2.], [3.]]})(Input(2))
