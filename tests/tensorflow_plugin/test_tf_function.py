"""Layers called inside a tf.function of the program."""
import numpy as np
import tensorflow as tf

import keraflow
from keraflow.layers import BatchNormalization, Dense
from keraflow.models import Sequential

X = np.random.default_rng(9).normal(size=(6, 3)).astype('float32')


def test_parameters_are_made_in_the_first_run_and_shared():
    layer = Sequential([Dense(4, activation='tanh'), BatchNormalization(momentum=0.5), Dense(2, regularizers=['l1'])])

    @tf.function
    def train(x):
        with keraflow.phase('train'), keraflow.recording() as run, tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(x) ** 2) + tf.add_n(run.losses)
        for variable, gradient in zip(layer.trainable_variables, tape.gradient(loss, layer.trainable_variables)):
            variable.assign_sub(0.1 * gradient)
        for variable, value in run.updates:
            variable.assign(value)
        return loss

    losses = [float(train(tf.constant(X))) for _ in range(5)]
    assert losses[-1] < losses[0] and np.any(layer.get_weights()['1/moving_mean'])
    assert layer.variables.names == ['0/W', '0/b', '1/gamma', '1/beta', '1/moving_mean', '1/moving_variance', '2/W', '2/b']
    test = tf.function(lambda x: layer(x))
    w = layer.get_weights()
    h = np.tanh(X @ w['0/W'] + w['0/b'])
    h = (h - w['1/moving_mean']) / np.sqrt(w['1/moving_variance'] + layer.layers[1].epsilon) * w['1/gamma'] + w['1/beta']
    np.testing.assert_allclose(test(X), h @ w['2/W'] + w['2/b'], rtol=1e-4, atol=1e-4)


def test_penalties_of_a_layer_that_has_met_tensors_alone_are_of_the_place_where_they_are_asked_for():
    layer = Dense(2, init='one', regularizers=['l2'])
    layer(X)
    assert [float(loss) for loss in layer.losses] == [np.float32(0.06)]
    assert float(tf.function(lambda x: tf.reduce_sum(layer(x)) * 0 + tf.add_n(layer.losses))(X)) == np.float32(0.06)
