"""Modules of TensorFlow and layers of Keras as layers of keraflow."""
import keras
import numpy as np
import tensorflow as tf

import keraflow
from keraflow.layers import Dense, Foreign, Input
from keraflow.models import Model

X = np.random.default_rng(13).normal(size=(6, 3)).astype('float32')


class Affine(tf.Module):
    """Makes its variables when it is called first, as Sonnet's modules do."""

    def __init__(self, size):
        super().__init__()
        self.size = size
        self.kernel = None

    def __call__(self, x):
        if self.kernel is None:
            self.kernel = tf.Variable(tf.random.normal([x.shape[1], self.size]), name='kernel')
            self.offset = tf.Variable(tf.zeros([self.size]), name='offset', trainable=False)
        return x @ self.kernel + self.offset


@keraflow.register(id='affine-in-test-foreign')
def make_affine(size):
    return Affine(size)


@keraflow.register(id='keras-in-test-foreign')
def make_keras(size):
    return keras.Sequential([keras.layers.Dense(size, activation='tanh'), keras.layers.BatchNormalization(momentum=0.5)])


def moved(before, layer):
    return {name for name, value in layer.get_weights().items() if not np.array_equal(before[name], value)}


def test_a_module_is_trained_frozen_and_saved(tmp_path):
    x = Input(3)
    layer = Foreign(make_affine, {'size': 4}, regularizers={'kernel': 'l2'}, name='foreign')
    model = Model(x, Dense(2)(layer(x)))
    assert layer.variables.names == ['kernel', 'offset'] and layer.trainable_variables.names == ['kernel']
    before = layer.get_weights()
    model.compile('sgd', 'mse')
    model.fit(X, np.zeros((6, 2)), nb_epoch=1, verbose=0)
    assert moved(before, layer) == {'kernel'} and len(model.outputs[0].regularizers) == 1
    model.save_to_file(str(tmp_path / 'a.yaml'), str(tmp_path / 'w.safetensors'))
    again = Model.load_from_file(str(tmp_path / 'a.yaml'), str(tmp_path / 'w.safetensors'))
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)
    layer.trainable = False
    model.compile('sgd', 'mse')
    before = layer.get_weights()
    model.fit(X, np.zeros((6, 2)), nb_epoch=1, verbose=0)
    assert moved(before, layer) == set()


def test_layers_of_keras():
    x = Input(3)
    layer = Foreign(make_keras, {'size': 4}, phase_argument='training')
    model = Model(x, Dense(2)(layer(x)))
    assert set(layer.variables.names) == {'kernel', 'bias', 'gamma', 'beta', 'moving_mean', 'moving_variance'}
    assert set(layer.non_trainable_variables.names) == {'moving_mean', 'moving_variance'}
    before = layer.get_weights()
    model.predict(X)
    assert moved(before, layer) == set()
    model.compile('sgd', 'mse')
    model.fit(X, np.ones((6, 2)), nb_epoch=1, verbose=0)
    assert moved(before, layer) == set(before)
    again = keraflow.unserialize(keraflow.serialize(model))
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)
    w = model.get_weights()
    prefix = next(name for name in w if name.endswith('/kernel'))[:-len('kernel')]
    h = np.tanh(X @ w[f'{prefix}kernel'] + w[f'{prefix}bias'])
    h = (h - w[f'{prefix}moving_mean']) / np.sqrt(w[f'{prefix}moving_variance'] + 1e-3) * w[f'{prefix}gamma'] + w[f'{prefix}beta']
    np.testing.assert_allclose(model.capture(f'{prefix}output', X), h, rtol=1e-4, atol=1e-4)
    layer.trainable = False
    model.compile('sgd', 'mse')
    before = layer.get_weights()
    model.fit(X, np.ones((6, 2)), nb_epoch=1, verbose=0)
    assert moved(before, layer) == set()
