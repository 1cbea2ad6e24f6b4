"""Activity regularizers of layers inside others: the sum over what counts, divided by the number of samples."""
import numpy as np
import pytest

from keraflow.layers import (LSTM, Activation, BatchNormalization, Bidirectional, Dense, Flatten, Input, Layer, Masking,
                             SimpleRNN, TimeDistributed)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.regularizers import L2

X = np.random.default_rng(4).normal(size=(4, 5, 3)).astype('float32')
#: A series of which two samples are shorter.
MASKED = X.copy()
MASKED[0, 3:] = MASKED[2, 1:] = 0.
COUNTS = np.any(MASKED != 0, axis=-1, keepdims=True)


def terms(layer, data, mask_value=None):
    """What the activity regularizers add to the loss of a model of this layer alone."""
    x = Input(data.shape[1:], mask_value=mask_value)
    model = Model(x, layer(x))
    model.compile(SGD(lr=1e-9), 'mse', report_terms=True)
    logs = model.fit(data, np.zeros_like(model.predict(data)), batch_size=len(data), nb_epoch=1, verbose=0)[0]
    return [value for name, value in logs.items() if name.endswith('activity')]


def affine(layer, x):
    weights = layer.get_weights()
    return x @ weights['W'] + weights['b']


def squares(x):
    return 0.5 * np.sum(np.square(x)) / len(x)


def test_inside_of_time_distributed():
    inner = Dense(2, activity_regularizer=L2(0.5))
    found = terms(TimeDistributed(inner), X)
    np.testing.assert_allclose(found, [squares(affine(inner, X))], rtol=1e-4)


def test_steps_that_are_masked_are_left_out():
    inner = Dense(2, activity_regularizer=L2(0.5), initial_weights={'b': [1., 2.]})
    found = terms(TimeDistributed(inner), MASKED, mask_value=0.)
    np.testing.assert_allclose(found, [squares(affine(inner, MASKED) * COUNTS)], rtol=1e-4)


def test_of_the_wrapper_itself_and_of_what_is_inside():
    inner = Dense(2, activity_regularizer=L2(0.5), initial_weights={'b': [1., 2.]})
    outer = TimeDistributed(inner, activity_regularizer=L2(0.5))
    found = terms(outer, MASKED, mask_value=0.)
    np.testing.assert_allclose(found, [squares(affine(inner, MASKED) * COUNTS)] * 2, rtol=1e-4)


def test_a_wrapper_in_a_wrapper():
    inner = Dense(2, activity_regularizer=L2(0.5))
    data = np.stack([X, 2 * X, X - 1], axis=1)
    found = terms(TimeDistributed(TimeDistributed(inner, activity_regularizer=L2(0.5))), data)
    np.testing.assert_allclose(found, [squares(affine(inner, data))] * 2, rtol=1e-4)


class Host(Layer):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def output(self, x):
        return self.inner(x)

    def output_shape(self, input_shape):
        return None


@pytest.mark.parametrize('wrap', [lambda inner: Sequential([inner, Activation('tanh')]), Host,
                                  lambda inner: Sequential([Input(3), inner])])
def test_inside_of_a_host_that_is_distributed(wrap):
    inner = Dense(2, activity_regularizer=L2(0.5))
    found = terms(TimeDistributed(wrap(inner)), X)
    np.testing.assert_allclose(found, [squares(affine(inner, X))], rtol=1e-4)


def test_a_host_around_the_wrapper_and_what_follows_count_samples():
    inner, head = Dense(2, activity_regularizer=L2(0.5)), Dense(2, activity_regularizer=L2(0.5))
    found = terms(Sequential([TimeDistributed(inner), Flatten(), head]), X)
    h = affine(inner, X)
    np.testing.assert_allclose(found, [squares(h), squares(affine(head, h.reshape(4, 10)))], rtol=1e-4)


def rnn(weights, x, counts):
    """All outputs of a simple recurrent layer; masked steps keep the state."""
    h, outputs = np.zeros((len(x), weights['U'].shape[0])), []
    for time in range(x.shape[1]):
        new = np.tanh(x[:, time] @ weights['W'] + h @ weights['U'] + weights['b'])
        h = np.where(counts[:, time], new, h)
        outputs.append(h)
    return np.stack(outputs, axis=1)


@pytest.mark.parametrize('data, mask_value', [(X, None), (MASKED, 0.)])
def test_both_directions_count(data, mask_value):
    inner = SimpleRNN(2, activation='tanh', return_sequences=True, activity_regularizer=L2(0.5))
    both = Bidirectional(inner)
    found = terms(both, data, mask_value)
    counts = COUNTS if mask_value is not None else np.ones_like(COUNTS)
    forward = rnn(inner.get_weights(), data, counts) * counts
    backward = rnn(both.backward_layer.get_weights(), data[:, ::-1], counts[:, ::-1]) * counts[:, ::-1]
    np.testing.assert_allclose(found, [squares(forward), squares(backward)], rtol=1e-4)


def test_bidirectional_inside_of_time_distributed():
    inner = SimpleRNN(2, activation='tanh', return_sequences=False, activity_regularizer=L2(0.5))
    both = Bidirectional(inner, merge_mode='sum')
    data = np.stack([X, 2 * X, X - 1], axis=1)
    found = terms(TimeDistributed(both), data)
    flat = data.reshape(12, 5, 3)
    every = np.ones((12, 5, 1), bool)
    expected = [0.5 * np.sum(np.square(rnn(layer.get_weights(), x, every)[:, -1])) / 4
                for layer, x in ((inner, flat), (both.backward_layer, flat[:, ::-1]))]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_layers_with_statistics_and_masks_inside():
    layer = BatchNormalization(activity_regularizer=L2(0.5), epsilon=1e-6)
    found = terms(TimeDistributed(layer), X)
    np.testing.assert_allclose(found, [0.5 * X[..., 0].size * 3 / 4], rtol=1e-3)    # the squares have the mean 1
    inner = LSTM(2, activity_regularizer=L2(0.5))
    data = np.stack([MASKED, MASKED], axis=1)
    found = terms(TimeDistributed(Sequential([Masking(0.), inner])), data)
    x = Input((5, 3), mask_value=0.)
    expected = Model(x, inner(x)).predict(MASKED)
    np.testing.assert_allclose(found, [2 * squares(expected)], rtol=1e-4)
