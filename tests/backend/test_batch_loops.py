"""Training in calls of many batches: the same as in calls of one, whatever way the backend runs them."""
import threading

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.callbacks import Callback
from keraflow.callbacks.callback import CallbackList
from keraflow.data import batch_sources
from keraflow.errors import ArgumentTypeError, DataError, ModelFileError
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import LSTM, BatchNormalization, Dense, Dropout, Embedding, Input, Lambda, Layer
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD, Adam
from keraflow.training.pace import Pace

RNG = np.random.default_rng(3)
X = RNG.normal(size=(23, 6)).astype('float32')
Y = RNG.normal(size=(23, 2)).astype('float32')
EXECUTIONS = ['plain', 'compiled', 'whole']

#: More steps than a loop waits for before it is built for what only many repay.
MANY = 10 ** 6


def network(execution, **kwargs):
    """Dropout, states that training updates, a metric, and clipping."""
    B.seed(7)
    model = Sequential([Input(6, name='x'), Dense(8, activation='tanh'), Dropout(0.3), BatchNormalization(), Dense(2, name='y')], name='m')
    model.compile(Adam(lr=0.01, clipnorm=1.), 'mse', metrics=['mae'], execution=execution, **kwargs)
    return model


def expecting(nb_step, model):
    """Let training expect further steps."""
    model._functions.train_loop((0,)).prepare(nb_step)
    return model


def paced(model, lengths, monkeypatch):
    """Let parts of batches have these lengths, again and again."""
    def parts(self, indices):
        at, number = 0, 0
        while at < len(indices):
            length = lengths[number % len(lengths)]
            yield indices[at:at + length]
            at, number = at + length, number + 1
    monkeypatch.setattr(Pace, 'parts', parts)
    return model


def results(model, *callbacks, x=X, y=Y, **kwargs):
    history = model.fit(x, y, batch_size=4, nb_epoch=3, verbose=0, callbacks=list(callbacks), validation_split=0.2, **kwargs)
    return [dict(one) for one in history], model.get_weights(), model.optimizer.state()


def same(one, other):
    """Compare bit for bit."""
    assert one[0] == other[0]
    for name in one[1]:
        np.testing.assert_array_equal(one[1][name], other[1][name])
    for name in one[2]:
        np.testing.assert_array_equal(B.get_value(one[2][name]), B.get_value(other[2][name]))


class Follows(Callback):
    def __init__(self):
        self.sizes, self.losses = [], []

    def on_batch_end(self, batch, logs):
        self.sizes.append((batch, logs['size']))
        self.losses.append(logs['loss'])


@pytest.mark.parametrize('execution, nb_step', [('plain', 0), ('plain', MANY), ('compiled', MANY), ('whole', 0)])
def test_how_many_batches_a_call_has_changes_no_bit(execution, nb_step, monkeypatch):
    def made():
        return expecting(nb_step, network(execution))
    expected = results(paced(made(), [1], monkeypatch))
    for lengths in [2], [3, 1], [64]:
        same(results(paced(made(), lengths, monkeypatch)), expected)
    follows = Follows()
    same(results(made(), follows), expected)
    assert follows.sizes == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 2)] * 3       # 18 of 23: the rest validates
    same(results(made(), Callback()), expected)


def test_the_executions_agree_but_for_rounding():
    B.set_floatx('float64')
    found = [results(network(execution)) for execution in EXECUTIONS]
    B.set_floatx('float32')
    for history, weights, _ in found:
        np.testing.assert_allclose([one['loss'] for one in history], [one['loss'] for one in found[0][0]], rtol=1e-9)
        for name, value in weights.items():
            np.testing.assert_allclose(value, found[0][1][name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('read_ahead', [1, 2, 64])
def test_arrays_that_are_read_in_windows_give_the_same(read_ahead, monkeypatch, tmp_path):
    expected = results(network('auto'))
    monkeypatch.setattr(batch_sources, '_MAX_WINDOW_BYTES', 100)
    monkeypatch.setattr(batch_sources, '_MAX_READ_AHEAD', read_ahead)
    same(results(network('auto')), expected)
    np.save(tmp_path / 'x.npy', X)
    same(results(network('auto'), x=np.load(tmp_path / 'x.npy', mmap_mode='r')), expected)


@pytest.mark.parametrize('execution', EXECUTIONS)
def test_batches_of_an_iterable_may_differ_in_size(execution):
    sizes = [4, 1, 3, 2, 7, 5, 1]
    bounds = np.cumsum([0, *sizes])
    batches = [(X[a:b], Y[a:b]) for a, b in zip(bounds, bounds[1:])]
    found = []
    for one, nb_step in ('plain', 0), (execution, 0), (execution, MANY):
        model = expecting(nb_step, network(one))
        model.fit(lambda: iter(batches), nb_epoch=2, verbose=0)
        found.append(model.get_weights().values())
    for one, *others in zip(*found):
        for other in others:
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


class Checked(Layer):
    """Require numbers of at most 5, outside and inside of a loop over time."""

    def __init__(self, in_loop: bool, **kwargs):
        super().__init__(**kwargs)
        self.in_loop = in_loop

    def output(self, x):
        def check(x):
            return B.require(x, x <= 5., 'checked: expected numbers of at most 5.')
        if not self.in_loop:
            return check(x)
        return B.scan(lambda now, states, _: [states[0] * 0. + check(now[0])], [B.transpose(x, (1, 0))], [x[:, 0]])[1][0]


@pytest.mark.parametrize('in_loop', [False, True])
@pytest.mark.parametrize('execution', EXECUTIONS)
def test_a_batch_that_is_refused_changes_nothing_and_is_the_last(execution, in_loop):
    x = np.ones((12, 3), 'float32')
    x[7, 1] = 6.
    model = Sequential([Input(3), Checked(in_loop), Lambda(lambda x: B.reshape(B.sum(x, -1), (-1, 1)) if B.ndim(x) > 1 else B.reshape(x, (-1, 1))),
                        Dense(1, init='zero')])
    model.compile(SGD(lr=0.01), 'mse', execution=execution)
    with pytest.raises(DataError, match='^checked: expected numbers of at most 5.$'):
        model.fit(x, np.ones((12, 1)), batch_size=2, nb_epoch=1, shuffle=False, verbose=0)
    assert B.get_value(model.optimizer.state()['iterations']) == 3
    assert all(np.isfinite(value).all() for value in model.get_weights().values())


@pytest.mark.parametrize('execution', EXECUTIONS)
def test_numbers_of_words_that_the_network_makes_are_checked(execution):
    model = Sequential([Input(1), Lambda(lambda x: B.cast(x[:, 0:1], 'int32')), Embedding(3, 2), Lambda(lambda x: B.sum(x, 1)), Dense(1)])
    model.compile(Adam(), 'mse', execution=execution)
    model.fit([[0.], [2.]], [[1.], [1.]], nb_epoch=1, verbose=0)
    with pytest.raises(DataError, match='mbedding|gather'):
        model.fit([[0.], [7.]], [[1.], [1.]], nb_epoch=1, verbose=0)


def test_execution_is_checked_and_explained():
    with pytest.raises(ArgumentTypeError, match="execution: expected one of 'auto', 'plain', 'compiled', 'whole', received 'fast'"):
        network('fast')
    model = network('auto')
    assert model.explain().splitlines()[1] == 'fit: not called yet'
    model.fit(X, Y, nb_epoch=1, verbose=0)
    assert model.explain() == f'm: on {B.name()} {B.current().version()}, in float32\nfit: plain ({model._functions.latest_loop.reason})'


def test_a_training_that_is_continued_runs_as_before(tmp_path):
    model = network('whole')
    model.fit(X, Y, nb_epoch=1, verbose=0)
    model.save_training(tmp_path / 'a.safetensors')
    other = network('auto')
    other.load_training(tmp_path / 'a.safetensors')
    assert other._functions.execution == model._functions.latest_loop.execution
    assert other._functions.test_loop((0,))._execution == 'auto'        # evaluation was not whole before, either
    chosen = network('plain')
    chosen.load_training(tmp_path / 'a.safetensors')
    assert chosen._functions.execution == 'plain'
    arrays, metadata = read_tensors(tmp_path / 'a.safetensors')
    for text in 'fast', '':
        (tmp_path / 'b.safetensors').write_bytes(dump_tensors(arrays, {**metadata, 'execution': text}))
        with pytest.raises(ModelFileError, match='execution: expected one of auto, plain, compiled, whole, received'):
            network('auto').load_training(tmp_path / 'b.safetensors')
    del metadata['execution']
    (tmp_path / 'c.safetensors').write_bytes(dump_tensors(arrays, metadata))
    other.load_training(tmp_path / 'c.safetensors')
    assert other._functions.execution == 'auto'


def test_what_the_program_writes_into_its_arrays_after_the_first_batch_changes_nothing():
    class Spoils(Callback):
        def on_epoch_end(self, epoch, logs):
            x[:] = 100.
    x, expected = X.copy(), results(network('auto'))
    same(results(network('auto'), Spoils(), x=x), expected)
    assert (x == 100.).all()


def test_callbacks_that_follow_batches():
    class Hooked(Callback):
        pass
    one, model = Hooked(), network('auto')
    assert not CallbackList([Callback(), one], model).follow_batches
    one.on_batch_begin = lambda batch, logs: None
    assert CallbackList([one], model).follow_batches


def test_a_loop_over_time_and_another_thread(monkeypatch):
    B.seed(1)
    model = Sequential([Input((5, 3)), LSTM(4), Dense(1)])
    model.compile('adam', 'mse', execution='whole')
    x, y = RNG.normal(size=(16, 5, 3)).astype('float32'), np.ones((16, 1), 'float32')
    thread = threading.Thread(target=lambda: model.fit(x, y, nb_epoch=20, batch_size=4, verbose=0))
    thread.start()
    while thread.is_alive():
        assert np.isfinite(model.predict(x)).all()
    first = model.evaluate(x, y)['loss']
    assert isinstance(model, Model) and np.isclose(first, np.mean((model.predict(x) - y) ** 2), rtol=1e-4)
