"""BatchNormalization in training, against NumPy: values, gradients, moving statistics, shared, embedded, frozen and masked."""
import contextlib

import numpy as np
import pytest
from differences import check

from keraflow import backend as B
from keraflow.errors import KeraFlowWarning, ShapeError
from keraflow.graph.records import recording
from keraflow.layers import (BatchNormalization, Bidirectional, Dense, ElementWiseSum, Input, Layer, LayerNormalization,
                             Masking, TimeDistributed)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD

X = np.random.default_rng(3).normal(1., 2., (6, 3))
Y = np.random.default_rng(4).normal(size=(6, 3))


@pytest.fixture(autouse=True)
def float64(backend_name):
    B.set_floatx('float64')


def normalized(x, axes, epsilon=1e-3):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def normalized_where(x, counts, epsilon=1e-3):
    """By the moments of the values that count, for the last axis."""
    return np.stack([(x[..., place] - x[..., place][counts].mean()) / np.sqrt(x[..., place][counts].var() + epsilon)
                     for place in range(x.shape[-1])], -1)


def in_training(layer, shape):
    """The layer as a function of a tensor, in the train phase."""
    layer(Input(shape[1:]))

    def run(x):
        with B.phase('train'), recording():
            return layer.run([B.identity(x)])[0]
    return run


# -- what training computes ---------------------------------------------------------------------------------------------

COUNTS = np.array([[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 1]], bool)


def test_values_and_gradients_in_training():
    rng = np.random.default_rng(5)
    arrays = {'vectors': rng.normal(2., 3., (7, 4)), 'images': rng.normal(size=(3, 2, 4, 3)), 'sequences': rng.normal(size=(3, 5, 2)),
              'no parameters': rng.normal(size=(4, 2)), 'one sample': rng.normal(size=(1, 3))}
    references = {'vectors': lambda x: 2. * normalized(x, 0) + 3., 'images': lambda x: normalized(x, (0, 2, 3), 0.1),
                  'sequences': lambda x: normalized(x, (0, 1)), 'no parameters': lambda x: normalized(x, 0),
                  'one sample': lambda x: 0. * x}
    layers = {'vectors': BatchNormalization(initial_weights={'gamma': np.full(4, 2.), 'beta': np.full(4, 3.)}),
              'images': BatchNormalization(epsilon=0.1), 'sequences': BatchNormalization(-1),
              'no parameters': BatchNormalization(scale=False, center=False), 'one sample': BatchNormalization()}
    check({name: in_training(layer, arrays[name].shape) for name, layer in layers.items()}, references, arrays)


def test_masked_steps_are_no_part_of_the_statistics():
    x = np.random.default_rng(6).normal(size=(3, 4, 2))
    layer = BatchNormalization(-1, momentum=0.5)
    inputs = Input((4, 2), mask_value=9.)
    model = Model(inputs, layer(inputs))
    x[~COUNTS] = 9.
    model.compile(SGD(lr=1e-30), 'mse')
    expected = np.where(COUNTS[..., None], normalized_where(x, COUNTS), 0.)
    found = model.predict(x, train_mode=True)
    np.testing.assert_allclose(np.where(COUNTS[..., None], found, 0.), expected, rtol=1e-10, atol=1e-12)
    model.fit(x, x, batch_size=3, nb_epoch=1, verbose=0)
    values = x[COUNTS]
    np.testing.assert_allclose(layer.get_weights()['moving_mean'], 0.5 * values.mean(0), rtol=1e-10)
    np.testing.assert_allclose(layer.get_weights()['moving_variance'], 0.5 + 0.5 * values.var(0), rtol=1e-10)
    assert layer(inputs).mask_shape == (None, 4)


def wrapped():
    """BatchNormalization of the features of a series: by itself, and in wrappers and other layers."""
    def layer():
        return BatchNormalization(momentum=0.5)
    return {'itself': BatchNormalization(-1, momentum=0.5), 'TimeDistributed': TimeDistributed(layer()),
            'Sequential': TimeDistributed(Sequential([Dense(2, init='identity', trainable=False), layer()])),
            'model': TimeDistributed(Sequential([Input(2), layer()])), 'Bidirectional': Bidirectional(BatchNormalization(-1, momentum=0.5), 'ave'),
            'both': Bidirectional(TimeDistributed(layer()), 'ave')}


@pytest.mark.parametrize('kind', ['itself', 'TimeDistributed', 'Sequential', 'model', 'Bidirectional', 'both'])
def test_masked_steps_do_not_count_in_wrappers(kind):
    x = np.random.default_rng(6).normal(size=(3, 4, 2))
    x[~COUNTS] = 9.
    inputs = Input((None, 2), mask_value=9.)
    model = Model(inputs, wrapped()[kind](inputs))
    assert model.outputs[0].mask_shape == (None, None)
    found = model.predict(x, train_mode=True)
    np.testing.assert_allclose(found[COUNTS], normalized_where(x, COUNTS)[COUNTS], rtol=1e-10)
    model.compile(SGD(lr=1e-30), 'mse')
    model.fit(x, x, batch_size=3, nb_epoch=1, verbose=0)
    weights = {name.rsplit('/', 1)[-1]: value for name, value in model.get_weights().items()}
    np.testing.assert_allclose(weights['moving_mean'], 0.5 * x[COUNTS].mean(0), rtol=1e-10)
    np.testing.assert_allclose(weights['moving_variance'], 0.5 + 0.5 * x[COUNTS].var(0), rtol=1e-10)


def test_where_no_value_counts_the_moving_statistics_stay():
    x = np.random.default_rng(6).normal(size=(3, 4, 2))
    x[:, 2:] = 9.
    inputs = Input((4, 2), mask_value=9.)
    for layer, kept in ((BatchNormalization(0, momentum=0.5), 2), (BatchNormalization(-1, momentum=0.5), 0)):
        model = Model(inputs, layer(inputs))
        model.compile(SGD(lr=1e-30), 'mse')
        means = x[:, :2].mean((0, 2)) if kept else x[:, :2].mean((0, 1))
        for data in (x, np.full_like(x, 9.)):
            model.fit(data, data, batch_size=3, nb_epoch=1, verbose=0)
            np.testing.assert_allclose(layer.get_weights()['moving_mean'], [*means / 2, *[0.] * kept], rtol=1e-10)
        assert np.all(layer.get_weights()['moving_variance'][2:] == 1.)


@pytest.mark.parametrize('inner_mask', [False, True])
def test_a_series_of_series_of_which_steps_are_masked(inner_mask):
    x = np.random.default_rng(6).normal(size=(3, 4, 5, 2))
    counts = np.repeat(COUNTS[:, :, None], 5, 2)
    inner = [TimeDistributed(BatchNormalization())]
    if inner_mask:
        x[:, :, 3] = 7.
        counts[:, :, 3] = False
        inner.insert(0, Masking(7.))
    x[~COUNTS] = 9.
    inputs = Input((4, 5, 2), mask_value=9.)
    model = Model(inputs, TimeDistributed(Sequential(inner))(inputs))
    found = model.predict(x, train_mode=True)
    np.testing.assert_allclose(found[counts], normalized_where(x, counts)[counts], rtol=1e-10)


def test_gradients_where_steps_are_masked():
    x = np.random.default_rng(6).normal(size=(3, 4, 2))
    layer = BatchNormalization(-1)
    layer(Input((4, 2)))

    def masked(x):
        mask = B.constant(COUNTS)
        with B.phase('train'), recording():
            y = layer.run([layer.set_tensor_mask(B.identity(x), mask)])[0]
        return B.where(B.expand_dims(mask, -1), y, 0.)

    check({'masked': masked}, {'masked': lambda x: np.where(COUNTS[..., None], normalized_where(x, COUNTS), 0.)}, {'masked': x})


# -- moving statistics --------------------------------------------------------------------------------------------------

def moved(mean, variance, batches, momentum):
    """After the updates by some batches."""
    for batch in batches:
        mean = momentum * mean + (1 - momentum) * batch.mean(0)
        variance = momentum * variance + (1 - momentum) * batch.var(0)
    return mean, variance


def test_fit_moves_the_statistics_which_prediction_uses_and_files_keep(tmp_path):
    x = Input(3)
    model = Model(x, BatchNormalization(momentum=0.8, name='bn')(x))
    model.compile(SGD(lr=0.1), 'mse')
    model.fit(X, Y, batch_size=4, nb_epoch=2, shuffle=False, verbose=0)
    weights = model.get_weights()
    mean, variance = moved(0., 1., [X[:4], X[4:]] * 2, 0.8)
    np.testing.assert_allclose(weights['bn/moving_mean'], mean, rtol=1e-10)
    np.testing.assert_allclose(weights['bn/moving_variance'], variance, rtol=1e-10)
    assert [one.trainable for one in model.parameters()] == [True, True, False, False]
    expected = (X - mean) / np.sqrt(variance + 1e-3) * weights['bn/gamma'] + weights['bn/beta']
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-10)
    model.evaluate(X, Y)
    model.predict(X, train_mode=True)
    np.testing.assert_array_equal(model.get_weights()['bn/moving_mean'], weights['bn/moving_mean'])
    model.save_weights(tmp_path / 'bn.safetensors')
    other = Model(x, BatchNormalization(momentum=0.8, name='bn')(x))
    other.load_weights(tmp_path / 'bn.safetensors')
    np.testing.assert_allclose(other.predict(X), expected, rtol=1e-10)


def test_a_shared_layer_moves_once_for_each_call():
    x, y = Input(3), Input(3)
    layer = BatchNormalization(momentum=0.7)
    model = Model([x, y], ElementWiseSum()([layer(x), layer(y)]))
    model.compile(SGD(lr=0.1), 'mse')
    model.fit([X, 5 * Y], Y, batch_size=6, nb_epoch=2, verbose=0)
    mean, variance = moved(0., 1., [X, 5 * Y] * 2, 0.7)
    weights = layer.get_weights()
    np.testing.assert_allclose(weights['moving_mean'], mean, rtol=1e-10)
    np.testing.assert_allclose(weights['moving_variance'], variance, rtol=1e-10)


class Host(Layer):
    """Normalizes what it embeds another layer for."""

    def output(self, x):
        return self.embed(BatchNormalization(momentum=0.5))(self.embed(Dense(3, init='identity', trainable=False))(x))


def hosts():
    inner_input = Input(3)
    return {'a host': Host(), 'a model': Model(inner_input, BatchNormalization(momentum=0.5)(inner_input)),
            'a Sequential': Sequential([Sequential([BatchNormalization(momentum=0.5)])])}


@pytest.mark.parametrize('kind', ['a host', 'a model', 'a Sequential'])
def test_in_other_layers(kind):
    x, host = Input(3), hosts()[kind]
    model = Model(x, host(x))
    model.compile(SGD(lr=1e-30), 'mse')
    model.fit(X, Y, batch_size=6, nb_epoch=1, verbose=0)
    mean, variance = moved(0., 1., [X], 0.5)
    np.testing.assert_allclose(model.predict(X), (X - mean) / np.sqrt(variance + 1e-3), rtol=1e-10)


# -- frozen -------------------------------------------------------------------------------------------------------------

def frozen_models():
    x = Input(3)
    inner = Input(3)
    return {'itself': Model(x, BatchNormalization(trainable=False)(x)), 'a host': Model(x, Host(trainable=False)(x)),
            'a model in the model': Model(x, Model(inner, BatchNormalization()(inner), trainable=False)(x)),
            'the model': Model(x, BatchNormalization()(x), trainable=False)}


@pytest.mark.parametrize('kind', ['itself', 'a host', 'a model in the model', 'the model'])
def test_frozen_by(kind):
    inputs = Input(3)
    frozen = frozen_models()[kind]
    model = frozen if kind == 'the model' else Model(inputs, Dense(3, init='identity')(frozen(inputs)))
    weights = {name: np.array([2., 3., 4.]) for name in model.get_weights() if 'moving' in name}
    model.set_weights(weights)
    expected = (X - [2., 3., 4.]) / np.sqrt(np.array([2., 3., 4.]) + 1e-3)
    np.testing.assert_allclose(model.predict(X, train_mode=kind != 'the model'), expected, rtol=1e-10)
    model.compile(SGD(lr=1e-30), 'mse')
    with pytest.warns(KeraFlowWarning, match='no parameter is trainable') if kind == 'the model' else contextlib.nullcontext():
        [history] = model.fit(X, expected, batch_size=6, nb_epoch=1, verbose=0)
    assert history['loss'] < 1e-20
    for name, value in weights.items():
        np.testing.assert_array_equal(model.get_weights()[name], value)


# -- mistakes -----------------------------------------------------------------------------------------------------------

MISTAKES = [
    (lambda: BatchNormalization(0, name='bn'), (None, 3), 'bn: expected an input whose axis 1 (the batch is axis 0) has a known length, received shape '
     '(None, None, 3). Give the Input that length.'),
    (lambda: BatchNormalization(2, name='bn'), (4, 3), 'bn: expected an input of rank 4 or more, received shape (None, 4, 3).'),
    (lambda: LayerNormalization([0, 1], name='ln'), (None, 3), 'ln: expected an input whose axis 1 (the batch is axis 0) has a known length, '
     'received shape (None, None, 3). Give the Input that length.'),
    (lambda: LayerNormalization((-1, 1), name='ln'), 3, 'ln: expected an input of rank 3 or more, received shape (None, 3).'),
]


@pytest.mark.parametrize('make, shape, text', MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(make, shape, text):
    with pytest.raises(ShapeError) as caught:
        make()(Input(shape))
    assert str(caught.value) == text


def test_another_length_than_before():
    for layer, shape, other, wanted in ((BatchNormalization(0, name='n'), (3, 2), (4, 2), 'axis 1 (the batch is axis 0) has length 3'),
                                        (LayerNormalization((0, -1), name='n'), (3, 2), (3, 4), 'axis -1 has length 2')):
        layer(Input(shape))
        with pytest.raises(ShapeError) as caught:
            layer(Input(other))
        assert str(caught.value) == (
            f'n: expected an input whose {wanted}, received shape {(None, *other)}. The layer was built for that length; make '
            'another layer for this one.')
