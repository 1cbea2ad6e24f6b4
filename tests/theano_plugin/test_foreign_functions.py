"""Functions of Theano graphs as layers of keraflow."""
import numpy as np

import keraflow
from keraflow.layers import Dense, Foreign, Input
from keraflow.models import Model
from keraflow_backends.theano_backend.configure import T, theano

X = np.random.default_rng(13).normal(size=(6, 3)).astype('float32')


@keraflow.register(id='theano-in-test-foreign')
def make_affine(size):
    kernel = theano.shared(np.random.default_rng(0).normal(size=(3, size)).astype('float32'), name='kernel')
    offset = theano.shared(np.zeros(size, 'float32'))
    count = theano.shared(np.int64(1), name='name')
    return lambda x: T.tanh(T.dot(x, kernel) + offset) / T.cast(count, 'float32')


def test_a_function_is_trained_frozen_and_saved(tmp_path):
    x = Input(3)
    layer = Foreign(make_affine, {'size': 4}, regularizers={'kernel': 'l2'})
    model = Model(x, Dense(2)(layer(x)))
    assert layer.variables.names == ['kernel', 'variable', 'name_1'] and layer.trainable_variables.names == ['kernel', 'variable']
    w = layer.get_weights()
    np.testing.assert_allclose(keraflow.backend.eval(layer(X)), np.tanh(X @ w['kernel'] + w['variable']), rtol=1e-5)
    model.compile('sgd', 'mse')
    model.fit(X, np.ones((6, 2)), nb_epoch=1, verbose=0)
    moved = {name for name, value in layer.get_weights().items() if not np.array_equal(w[name], value)}
    assert moved == {'kernel', 'variable'} and len(model.outputs[0].regularizers) == 1
    model.save_to_file(str(tmp_path / 'a.yaml'), str(tmp_path / 'w.safetensors'))
    again = Model.load_from_file(str(tmp_path / 'a.yaml'), str(tmp_path / 'w.safetensors'))
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)
    layer.trainable = False
    w = layer.get_weights()
    model.compile('sgd', 'mse')
    model.fit(X, np.zeros((6, 2)), nb_epoch=1, verbose=0)
    np.testing.assert_array_equal(layer.get_weights()['kernel'], w['kernel'])
