"""Batches of new lengths compile nothing where a run may say how many samples count, and their numbers are their own."""
import functools

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.layers import (GRU, LSTM, BatchNormalization, Bidirectional, Convolution2D, Dense, Dropout,
                             ElementWiseSum, Embedding, Flatten, GlobalPooling1D, Input, LayerNormalization, Masking,
                             MultiHeadAttention, TimeDistributed)
from keraflow.metrics import AUC
from keraflow.models import Model, Sequential
from keraflow_backends.jax_backend import execution, padding
from keraflow_backends.jax_backend.execution import Jitted


def transformer(causal=False):
    words = Input((None,), dtype='int32', mask_value=0)
    x = Embedding(7, 6)(words)
    x = LayerNormalization()(ElementWiseSum()([x, MultiHeadAttention(2, 3, causal=causal)(x)]))
    return Model(words, Dense(2, activation='softmax')(GlobalPooling1D('avg')(TimeDistributed(Dense(5))(x))))


def recurrent(*layers):
    return Sequential([Input((None, 3)), Masking(), *layers, Dense(2, activation='softmax')])


MODELS = {
    'mlp': (lambda: Sequential([Input(4), Dense(5, activation='relu', regularizers={'W': 'l2'}), BatchNormalization(),
                                Dropout(.5), Dense(2, activation='softmax')]), (4,)),
    'cnn': (lambda: Sequential([Input((2, 4, 4)), Convolution2D(3, 2, 2, activation='tanh'), BatchNormalization(),
                                Flatten(), Dense(2, activation='softmax')]), (2, 4, 4)),
    'words': (lambda: Sequential([Input(4, dtype='int32'), Embedding(7, 3), Flatten(), Dense(2, activation='softmax')]),
              (4,)),
    'lstm': (lambda: recurrent(LSTM(4, return_sequences=True), LSTM(3)), (5, 3)),
    'gru': (lambda: recurrent(Bidirectional(GRU(3))), (5, 3)),
    'series of series': (lambda: Sequential([Input((4, 5, 3)), TimeDistributed(LSTM(4)), GRU(3), Dense(2, activation='softmax')]),
                         (4, 5, 3)),
    'transformer': (transformer, (5,)), 'causal': (lambda: transformer(True), (5,))}


def data_of(name, nb_sample=40):
    model, shape = MODELS[name][0](), MODELS[name][1]
    random = np.random.default_rng(0)
    X = random.integers(1, 7, (nb_sample, *shape)).astype(model.inputs[0].dtype)
    if model.inputs[0].shape[1] is None:
        X[::3, -2:] = 0         # which masks leave out
    return model, X, np.eye(2, dtype='float32')[random.integers(0, 2, nb_sample)]


@pytest.fixture
def compiled(monkeypatch):
    """How long the batches were that functions were traced for."""
    lengths = []

    def noting(name):
        traced = getattr(Jitted, name)

        def noted(self, *args):
            lengths.append(args[-1][0].shape[0] if args[-1] else 0)
            return traced(self, *args)
        monkeypatch.setattr(Jitted, name, noted)
    noting('_traced')
    noting('_traced_batch')
    return lengths


@pytest.mark.parametrize('name', list(MODELS))
def test_new_lengths_of_the_last_batch_compile_nothing(name, compiled):
    model, X, _ = data_of(name)
    model.compile('sgd', 'mse')
    whole = model.predict(X, batch_size=8)
    assert compiled == [8]
    compiled.clear()
    for nb_sample in (40, 19, 23, 8, 35):
        found = model.predict(X[:nb_sample], batch_size=8)
        np.testing.assert_allclose(found, whole[:nb_sample], rtol=1e-5, atol=1e-6)
    assert compiled == []


def test_lengths_that_come_often_are_compiled(compiled):
    model, X, _ = data_of('mlp')
    model.predict(X, batch_size=8)
    for _ in range(20):
        model.predict(X[:3])
    assert compiled == [8, 3]


@pytest.mark.parametrize('name', list(MODELS))
def test_evaluating_new_lengths_of_the_last_batch_compiles_nothing(name, compiled):
    model, X, Y = data_of(name)
    model.compile('sgd', 'categorical_crossentropy', metrics=['accuracy'])
    weights = np.linspace(0., 2., 40, dtype='float32')
    model.evaluate(X, Y, batch_size=8)
    model.evaluate(X, Y, batch_size=8, sample_weights=weights)
    model.predict(X, batch_size=8)
    assert compiled == [8, 8, 8]
    for nb_sample in (39, 19, 3):
        X, Y, weights = X[:nb_sample], Y[:nb_sample], weights[:nb_sample]
        found = model.predict(X, batch_size=8).astype('float64')
        losses = -np.log((found * Y).sum(1))
        right = found.argmax(1) == Y.argmax(1)
        plain, weighted = (model.evaluate(X, Y, batch_size=8, sample_weights=one) for one in (None, weights))
        np.testing.assert_allclose([plain['loss'], plain['accuracy']], [losses.mean(), right.mean()], rtol=1e-5)
        counts = (weights != 0).sum()
        np.testing.assert_allclose([weighted['loss'], weighted['accuracy']], [
            (losses * weights).sum() / counts, (right * weights).sum() / weights.sum()], rtol=1e-5)
    assert compiled == [8, 8, 8]


def test_metrics_and_terms_over_padded_batches(compiled):
    x = Input(3)
    model = Model(x, Dense(1, activation='sigmoid', activity_regularizer='l2')(x))
    model.compile('sgd', lambda y_pred, y_true: B.square(y_pred - y_true), metrics=[AUC(), 'mae'])
    random = np.random.default_rng(1)
    X, Y = random.normal(size=(20, 3)).astype('float32'), random.integers(0, 2, (20, 1)).astype('float32')
    model.evaluate(X[:16], Y[:16], batch_size=8)
    found = model.evaluate(X, Y, batch_size=8)
    assert compiled == [8]
    alone = model.evaluate(X, Y, batch_size=20)     # of 20, for which it is compiled
    assert compiled == [8, 20]
    assert found.keys() == alone.keys()
    np.testing.assert_allclose(list(found.values()), list(alone.values()), rtol=1e-5)
    predicted = model.predict(X)
    np.testing.assert_allclose([found['loss'], found['mae']], [
        np.square(predicted - Y).mean(), np.abs(predicted - Y).mean()], rtol=1e-5)
    assert 0 < found['auc'] < 1


def test_a_device_takes_samples_itself(compiled, monkeypatch):
    model, X, Y = data_of('mlp')
    model.compile('sgd', 'categorical_crossentropy')
    expected = model.evaluate(X[:19], Y[:19], batch_size=8)
    monkeypatch.setattr(execution, 'taking', lambda arrays: functools.partial(padding._taken, arrays))
    assert model.evaluate(X[:19], Y[:19], batch_size=8) == expected
    assert compiled == [8]


def test_what_draws_is_not_padded(compiled):
    x = B.placeholder((None, 2))
    run = B.function([x], [x + B.random_normal(B.shape(x), 0., 1., 'float32')])
    for nb_row in (8, 5):
        assert run(np.ones((nb_row, 2)))[0].shape == (nb_row, 2)
    assert compiled == [8, 5]


def of_loop(x, of_step=B.tanh):
    """The sums over time, of (batch, time, features)."""
    before = B.zeros([B.shape(x)[0], 2])
    return B.loop(lambda slices, states, _: [states[0] + of_step(slices[0])], [B.transpose(x, [1, 0, 2])], [before])[0]


TABLE = np.arange(40., dtype='float32').reshape(20, 2)

#: Functions of (batch, time, 2) of which a run may say how many rows count.
COUNTED = {
    # reductions over rows
    'mean': lambda x: x - B.mean(x, 0),
    'mean of all': lambda x: x * B.mean(x, keepdims=True),
    'sum': lambda x: x / B.sqrt(B.sum(B.square(x), [0, 2], keepdims=True)),
    'sum of all': B.sum,
    'product': lambda x: B.prod(B.sum(x, 2), 0),
    'extrema': lambda x: B.max(x, 0) - B.min(x) + B.cast(B.argmax(x, 0), 'float32'),
    'conditions': lambda x: B.logical_and(B.all(B.greater(x, 0.), 0), B.any(B.greater(x, 8.))),
    'parts': lambda x: B.sum(B.flatten(x)) / B.mean(B.reshape(x, [-1])),
    # lengths as numbers
    'length': lambda x: x * B.cast(B.shape(x)[0], 'float32'),
    'lengths': lambda x: B.cast(B.prod(B.shape(x)), 'float32') / B.sum(x),
    'length of parts': lambda x: B.cast(B.shape(B.reshape(x, [-1, 2]))[0], 'float32') * x,
    # rows that stay apart
    'folded': lambda x: B.reshape(B.tanh(B.reshape(x, [-1, 2])), [B.shape(x)[0], B.shape(x)[1], 2]),
    'split': lambda x: B.reshape(x, [-1, B.shape(x)[1], 1, 2]),
    'split behind time': lambda x: B.reshape(B.transpose(x, [1, 0, 2]), [B.shape(x)[1], B.shape(x)[0], 2, 1]),
    'joined': lambda x: B.concatenate([x, B.flip(x, 1)], 1),
    'stacked': lambda x: B.stack([x, 2. * x], 0),
    'moved': lambda x: B.transpose(x, [2, 1, 0]),
    'steps': lambda x: x[:, 1] + x[:, -1, :] + x[..., 0, :],
    'new axis': lambda x: x[:, None, ..., :1],
    'places': lambda x: x[:, np.array([[0, 1], [2, 0]])],
    'taken': lambda x: B.gather(x, [0, 0, 1], 2),
    'looked up': lambda x: B.gather(TABLE, B.cast(x, 'int64')),
    'products': lambda x: B.matmul(x, B.transpose(x, [0, 2, 1])),
    'products with one': lambda x: B.matmul(np.ones((1, 4, 3), 'float32'), x),
    'three for a row': lambda x: B.sum(B.reshape(x, [-1, B.shape(x)[1] - 1, 1]), 0),
    'columns': lambda x: B.dot(TABLE[:2], B.transpose(x[:, 0])),
    'filled': lambda x: x + B.zeros([B.shape(x)[0], 1, 2]),
    'filled parts': lambda x: B.sum(B.reshape(x, [-1, 2]) + B.ones([B.shape(B.reshape(x, [-1, 2]))[0], 1]), 0),
    'padded': lambda x: B.pad(x, [(0, 0), (1, 2), (0, 0)]),
    'along time': lambda x: B.softmax(x, 1) + B.cumsum(x, 1),
    'repeated': lambda x: B.tile(B.repeat(x, 2, 2), [1, 2, 1]),
    'windows': lambda x: B.pool(B.conv(x, np.ones((2, 2, 2), 'float32'), data_format='channels_last'), [2],
                                data_format='channels_last'),
    'lost axis': lambda x: B.squeeze(B.sum(x, 1, keepdims=True), 1),
    'loop': of_loop, 'sum over a loop': lambda x: B.sum(of_loop(x), 1)}

#: Functions whose rows depend on each other in other ways.
OTHERS = {
    'flip': lambda x: B.flip(x, 0), 'cumsum': lambda x: B.cumsum(x, 0), 'softmax': lambda x: B.softmax(x, 0),
    'first': lambda x: x - x[:1], 'but one': lambda x: x[1:], 'half': lambda x: x[:B.shape(x)[0] // 2],
    'gram': lambda x: B.dot(x[:, 0], B.transpose(x[:, 0])),
    'numbered': lambda x: B.sum(x, [1, 2]) * B.cast(B.arange(B.shape(x)[0]), 'float32'),
    'repeated': lambda x: B.repeat(x, 2, 0), 'joined': lambda x: B.concatenate([x, x], 0),
    'in two': lambda x: B.reshape(x, [2, -1]), 'time for rows': lambda x: B.reshape(x, [B.shape(x)[1], -1]),
    'across time': lambda x: B.reshape(B.transpose(x, [1, 0, 2]), [-1, 2]),
    'other length': lambda x: B.reshape(x, [-1, B.shape(x)[1] + 1, 1]),       # which shows when lengths are known
    'mean in a loop': lambda x: of_loop(x, lambda slice: slice - B.mean(slice, 0)),
    'loop over rows': lambda x: B.loop(lambda slices, states, _: [states[0] + slices[0]], [x[:, 0]], [B.zeros([2])])[0]}


def run_on(mix, nb_row, run):
    array = np.arange(1., 1. + 60., dtype='float32').reshape(10, 3, 2)[:nb_row] / 8.
    expected = B.eval(B.symbolic(lambda: mix(B.constant(array)), []))
    np.testing.assert_allclose(run(array)[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('mix', list(COUNTED))
def test_rows_that_are_counted(mix, compiled):
    x = B.placeholder((None, None, 2))
    run = B.function([x], [B.symbolic(COUNTED[mix], [x])])
    run_on(COUNTED[mix], 7, run)
    compiled.clear()
    run_on(COUNTED[mix], 5, run)
    run_on(COUNTED[mix], 1, run)
    assert [nb for nb in compiled if nb] == []


@pytest.mark.parametrize('mix', list(OTHERS))
def test_samples_that_depend_on_others_are_not_padded(mix, compiled):
    x = B.placeholder((None, None, 2))
    run = B.function([x], [B.symbolic(OTHERS[mix], [x])])
    for nb_row in (8, 4):
        run_on(OTHERS[mix], nb_row, run)
    assert [nb for nb in compiled if nb][-2:] == [8, 4]
