"""A model is a layer: its outputs may be regularized, too."""
import copy

import numpy as np

import keraflow
from keraflow import backend as B
from keraflow.layers import Dense, Input
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.regularizers import L1

X = np.random.default_rng(42).normal(size=(6, 3)).astype('float32')


def fitted(model):
    model.compile(SGD(lr=1e-30), 'mse', report_terms=True)
    return model.fit(X, X, nb_epoch=1, batch_size=6, verbose=0)[-1]


def made(regularizer):
    x = Input(3)
    return Model(x, Dense(3, init='one', name='d')(x), name='inside', activity_regularizer=regularizer)


def test_a_model_that_is_trained_itself():
    model = made('l2')
    expected = 0.01 * np.sum(model.predict(X) ** 2) / 6
    np.testing.assert_allclose(fitted(model)['inside/activity'], expected, rtol=1e-4)
    assert model.evaluate(X, X)['inside/activity'] == 0.
    [loss] = B.function([model.inputs[0].tensor], model.losses)(X)
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


def test_models_in_models_by_all_ways_of_making_them():
    x = Input(3)
    block = Sequential([Dense(3, init='one'), Dense(3, init='one')], activity_regularizer=L1(0.5), name='block')
    model = Model(x, block(made(L1(0.25))(x)), name='outside')
    inside = np.abs(model.capture('inside/output', X)).sum() / 6
    expected = {'inside/activity': 0.25 * inside, 'block/activity': 0.5 * 9 * inside}
    names = {}
    exec(model.to_python(), names)
    for one in (model, keraflow.unserialize(keraflow.serialize(model)), copy.deepcopy(model), names['model']):
        logs = fitted(one)
        for name, value in expected.items():
            np.testing.assert_allclose(logs[name], value, rtol=1e-4)
    assert "activity_regularizer=L1(l1=0.25))" in model.to_python()
