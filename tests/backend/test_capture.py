"""Arrays of any Kensor and of what embedded layers gave."""
import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import GraphError
from keraflow.layers import Activation, BatchNormalization, Dense, Dropout, Input, Layer
from keraflow.models import Model, Sequential

X = np.random.default_rng(12).normal(size=(7, 3)).astype('float32')


class Block(Layer):
    """``tanh(x @ W + b)`` twice, by one layer, and both halves of it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = Sequential([Dense(3, activation='tanh'), BatchNormalization()])

    def output(self, x):
        twice = self.embed(self.inner)(self.embed(self.inner)(x))
        one, other = self.embed(Halves())(twice)
        return one + other

    def output_shape(self, input_shape):
        return input_shape


class Halves(Layer):
    def output(self, x):
        return [x / 2, x * 0.5 + 1]

    def output_shape(self, input_shape):
        return [input_shape, input_shape]


def made():
    x = Input(3, name='x')
    h = Dense(3, name='a')(x)
    h = Block(name='block')(h)
    return Model(x, Activation('relu', name='relu')(Dropout(0.5, name='drop')(h)), name='m')


def test_kensors_and_embedded_layers():
    model = made()
    w = model.get_weights()

    def inner(it):
        it = np.tanh(it @ w['block/0/0/W'] + w['block/0/0/b'])
        return it, it / np.sqrt(1 + model.get_layer('block/0/1').epsilon)
    a = X @ w['a/W'] + w['a/b']
    first, second = inner(a), inner(inner(a)[1])
    names = ['a/output', 'x', 'block/0/0_0', 'block/0_0', 'block/0_1', 'block/1/output.1', 'relu_0']
    found = model.capture(names, X, batch_size=4)
    for one, other in zip(found, [a, X, first[0], first[1], second[1], second[1] * 0.5 + 1, np.maximum(second[1] + 1, 0)]):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.capture('relu/output', X), model.predict(X))
    assert model.capture('a_0', X).shape == (7, 3) and len(model.capture(['a_0'], X)) == 1
    assert model.get_layer('block/0/0') is model.get_layer('block').inner.layers[0]


def test_train_mode_leaves_no_trace():
    model = made()
    before = model.get_weights()
    trained = model.capture('block/0/1_0', X, train_mode=True)
    np.testing.assert_allclose(trained.mean(0), 0, atol=1e-5)
    dropped, kept = model.capture(['drop/output', 'block/output'], np.ones((50, 3)), batch_size=50, train_mode=True)
    assert np.any(dropped == 0) and np.allclose(dropped[dropped != 0], 2 * kept[dropped != 0], rtol=1e-5)
    for name, value in model.get_weights().items():
        np.testing.assert_array_equal(value, before[name])


def test_layers_of_models_in_models():
    inside, x = Input(3), Input(3)
    inner = Model(inside, Dense(2, name='d')(inside), name='inner')
    model = Model(x, inner(Activation('tanh')(x)))
    w = inner.get_weights()
    np.testing.assert_allclose(model.capture('inner/d/output', X), np.tanh(X) @ w['d/W'] + w['d/b'], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('name, text', [
    ('b/output', "m: there is no Kensor 'b/output'. There are x, a/output, block/output, drop/output, relu/output."),
    ('blok/0/output', "m: there is no layer 'blok'. It has x, a, block, drop, relu."),
    ('block/2/output', "m: there is no layer 'block/2'. block has 0, 1."),
    ('block/0/output', "m: capture: there is no 'block/0/output': the layer ran 2 time(s), whose outputs are called block/0_0, block/0_1 and so on."),
    ('block/1_1', "m: capture: there is no 'block/1_1': the layer ran 1 time(s)."),
    ('block/1/output', "m: capture: there is no 'block/1/output': the layer gave 2 tensor(s): write 'block/1/output.0' for the first one."),
    ('block/1_0.2', "m: capture: there is no 'block/1_0.2': the layer gave 2 tensor(s)."),
])
def test_mistakes(name, text):
    with pytest.raises(GraphError) as caught:
        made().capture(name, X)
    assert str(caught.value) == text


def test_a_scalar_has_no_samples():
    x = Input(3)
    model = Model(x, [x * 2, keraflow.layers.Lambda(lambda it: it * B.sum(it))(x)], name='n')
    total = B.sum(x)
    with pytest.raises(GraphError) as caught:
        Model(x, [model.outputs[0], total], name='n').capture(f'{total.layer.name}/output', X)
    assert str(caught.value) == f"n: capture: the output '{total.layer.name}/output' is a scalar, which has no axis of samples."
