"""Where the features are: default axes, softmax and objectives over classes, and what is told of pictures read otherwise."""
import copy
from functools import partial

import numpy as np
import pytest

from keraflow import backend as B
from keraflow import unserialize
from keraflow.activations import log_softmax, softmax
from keraflow.errors import KeraFlowWarning, ShapeError
from keraflow.layers import (Activation, BatchNormalization, Concatenate, Convolution1D, Convolution2D, Convolution3D,
                             Deconvolution2D, Dropout, Embedding, Flatten, GlobalPooling2D, Input, Lambda, Layer,
                             LayerNormalization, PermuteDims, Pooling1D, Pooling2D, Reshape, SeparableConvolution2D,
                             TimeDistributed, UnSampling2D, ZeroPadding2D)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD

FIRST, LAST = 'channels_first', 'channels_last'


def random(*shape):
    return np.random.default_rng(3).uniform(-1., 1., shape).astype('float32')


def by_softmax(z, axis):
    powers = np.exp(z - z.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def after(*layers, shape):
    x = Input(shape)
    kensor = x
    for layer in layers:
        kensor = layer(kensor)
    return Model(x, kensor)


# -- softmax ------------------------------------------------------------------------------------------------------------

MAKERS = {
    'Convolution1D first': (lambda **k: Convolution1D(3, 2, data_format=FIRST, **k), (2, 7), 1),
    'Convolution1D last': (lambda **k: Convolution1D(3, 2, **k), (7, 2), 2),
    'Convolution2D first': (lambda **k: Convolution2D(3, 2, 2, **k), (2, 6, 7), 1),
    'Convolution2D last': (lambda **k: Convolution2D(3, 2, 2, data_format=LAST, **k), (6, 7, 2), 3),
    'Convolution3D first': (lambda **k: Convolution3D(3, 2, 2, 2, **k), (2, 5, 6, 7), 1),
    'Convolution3D last': (lambda **k: Convolution3D(3, 2, 2, 2, data_format=LAST, **k), (5, 6, 7, 2), 4),
    'Deconvolution2D first': (lambda **k: Deconvolution2D(3, 2, 2, **k), (2, 6, 7), 1),
    'SeparableConvolution2D first': (lambda **k: SeparableConvolution2D(3, 2, 2, **k), (2, 6, 7), 1),
}


@pytest.mark.parametrize('name', MAKERS)
def test_the_softmax_of_a_convolution_is_over_its_channels(name):
    make, shape, axis = MAKERS[name]
    x = random(2, *shape)
    plain = after(make(name='c'), shape=shape)
    z = plain.predict(x)
    layers = {'inside': [make(activation='softmax', name='c')], 'after': [make(name='c'), Activation('softmax')],
              'later': [make(name='c'), Activation('linear'), Dropout(0.5), Activation('softmax')]}
    for where, some in layers.items():
        made = after(*some, shape=shape)
        made.set_weights(plain.get_weights())
        np.testing.assert_allclose(made.predict(x), by_softmax(z, axis), rtol=1e-4, atol=1e-6, err_msg=where)


def test_an_axis_that_is_given_is_the_axis():
    x = random(2, 2, 6, 7)
    plain = after(Convolution2D(3, 2, 2, name='c'), shape=(2, 6, 7))
    for axis in (1, 2, 3, -1, -3):
        made = after(Convolution2D(3, 2, 2, activation=partial(softmax, axis=axis), name='c'), shape=(2, 6, 7))
        made.set_weights(plain.get_weights())
        np.testing.assert_allclose(made.predict(x), by_softmax(plain.predict(x), axis), rtol=1e-4, atol=1e-6)


def test_tensors_of_which_nothing_is_known_have_their_features_last():
    z = random(2, 3, 6, 7)
    np.testing.assert_allclose(B.eval(softmax(B.constant(z))), by_softmax(z, -1), rtol=1e-5)
    np.testing.assert_allclose(np.exp(B.eval(log_softmax(B.constant(z)))), by_softmax(z, -1), rtol=1e-5)
    scores = after(Lambda(lambda t: B.expand_dims(t, 1) * B.ones((2, 1, 1))), Activation('softmax'), shape=(6, 7))
    np.testing.assert_allclose(scores.predict(z[:, 0]), np.stack([by_softmax(z[:, 0], -1)] * 2, 1), rtol=1e-5)


@pytest.mark.parametrize('layers, shape, axis', [
    (lambda: [Pooling2D('max', 2), ZeroPadding2D(1), UnSampling2D(2)], (2, 6, 8), 1),
    (lambda: [Convolution2D(5, 2, 2), PermuteDims((1, 2, 0))], (2, 6, 8), 3),
    (lambda: [Convolution2D(5, 2, 2), PermuteDims((2, 0, 1))], (2, 6, 8), 2),
    (lambda: [Lambda(lambda t: t * 2.)], (2, 6, 8), 1),
    (lambda: [Reshape((8, 6, 1)), Reshape((3, 4, 4))], (48,), 3),       # nothing tells: the last one
    (lambda: [Reshape((2, 5, 6))], (60,), 1),
    (lambda: [Reshape((5, 6, 2))], (60,), 3),
    (lambda: [TimeDistributed(Convolution2D(4, 2, 2))], (3, 2, 5, 6), 2),
    (lambda: [TimeDistributed(Convolution2D(4, 2, 2)), Activation('tanh')], (3, 2, 5, 6), 2),
    (lambda: [TimeDistributed(Convolution1D(4, 2))], (3, 5, 2), 3),
    (lambda: [Sequential([Convolution2D(4, 2, 2)]), Activation('relu')], (2, 5, 6), 1),
    (lambda: [GlobalPooling2D('avg')], (2, 5, 6), 1)], ids=lambda it: None)
def test_where_the_features_are_is_handed_on(layers, shape, axis):
    model = after(*layers(), Activation('softmax'), shape=shape)
    sums = model.predict(random(2, *shape)).sum(axis)
    np.testing.assert_allclose(sums, np.ones_like(sums), rtol=1e-5)


def test_rows_of_a_table_are_features():
    x = Input((3, 5), dtype='int32')
    model = Model(x, Activation('softmax')(Embedding(9, 4)(x)))
    np.testing.assert_allclose(model.predict(np.ones((2, 3, 5), int)).sum(-1), np.ones((2, 3, 5)), rtol=1e-5)


# -- objectives ---------------------------------------------------------------------------------------------------------

def moved(array, data_format):
    """An array (batch, classes, rows, cols) in a format."""
    return array if data_format == FIRST else np.moveaxis(array, 1, -1)


@pytest.mark.parametrize('data_format', [FIRST, LAST])
@pytest.mark.parametrize('loss', ['categorical_crossentropy', 'sparse_categorical_crossentropy', 'kullback_leibler_divergence', 'cosine'])
def test_losses_of_each_pixel(data_format, loss):
    x, numbers = random(3, 4, 5, 6), np.random.default_rng(0).integers(0, 3, (3, 5, 6))
    truth = np.moveaxis(np.eye(3)[numbers], -1, 1)
    model = after(Convolution2D(3, 1, 1, activation='softmax', data_format=data_format), shape=moved(x, data_format).shape[1:])
    model.compile(SGD(1e-3), loss, metrics=['acc', 'sparse_categorical_accuracy' if 'sparse' in loss else 'categorical_accuracy'])
    target = numbers if 'sparse' in loss else moved(truth, data_format)
    found = model.evaluate(moved(x, data_format), target)
    p = np.moveaxis(model.predict(moved(x, data_format)), 1 if data_format == FIRST else 3, 1).astype(float)
    right = -np.log((p * truth).sum(1)).mean()
    right = {'cosine': -((p * truth).sum(1) / np.sqrt((p ** 2).sum(1))).mean() / 3,
             'kullback_leibler_divergence': right + 2 * 1e-7 * (np.log(1e-7))}.get(loss, right)
    assert found['loss'] == pytest.approx(right, rel=1e-4, abs=1e-5)
    hits = (p.argmax(1) == numbers).mean()
    assert list(found.values())[1:] == pytest.approx([hits, hits])
    model.fit(moved(x, data_format), target, nb_epoch=1, verbose=0)


def test_large_logits_of_pixels_are_exact():
    model = after(Convolution2D(2, 1, 1, activation='softmax', bias=False, name='c'), shape=(1, 5, 6))
    model.set_weights({'c/W': [[[[1.]], [[-1.]]]]})
    model.compile(SGD(0.01), 'categorical_crossentropy')
    x, truth = np.full((1, 1, 5, 6), 40.), np.stack([np.zeros((1, 5, 6)), np.ones((1, 5, 6))], 1)
    assert model.evaluate(x, truth)['loss'] == pytest.approx(80.)       # log(1 + exp(80))
    model.fit(x, truth, nb_epoch=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()['c/W'].ravel(), [1 - 0.4, -1 + 0.4], rtol=1e-5)


@pytest.mark.parametrize('shape, axis', [((2, 4, 5), 1), ((4, 5, 2), 3), ((3, 28, 28), 1), ((28, 28, 3), 3), ((4, 5), 2)])
def test_predictions_that_come_from_an_input_alone(shape, axis):
    model = after(Activation('linear'), shape=shape)
    model.compile('sgd', 'categorical_crossentropy', metrics=['acc'])
    nb_class = (1, *shape)[axis]
    numbers = np.random.default_rng(1).integers(0, nb_class, np.delete((2, *shape), axis))
    truth = np.moveaxis(np.eye(nb_class)[numbers], -1, axis)
    nearly = np.where(truth == 1, 0.9, 0.1 / (nb_class - 1))
    assert model.evaluate(nearly, truth) == pytest.approx({'loss': -np.log(0.9), 'acc': 1.})


# -- what is told -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('make, shape, axes, known, other', [
    (lambda **k: Convolution2D(4, 3, 3, **k), (28, 28, 3), '(batch, channels, rows, cols)', -1, LAST),
    (lambda **k: UnSampling2D(2, **k), (28, 28, 1), '(batch, channels, rows, cols)', -1, LAST),
    (lambda **k: Convolution3D(4, 3, 3, 1, **k), (9, 8, 7, 2), '(batch, channels, x, y, z)', -1, LAST)])
def test_pictures_that_are_read_otherwise_are_told(make, shape, axes, known, other):
    with pytest.warns(KeraFlowWarning) as caught:
        make(name='seen')(Input(shape))
    assert [str(it.message) for it in caught] == [
        f'seen: an input of shape {(None, *shape)} is read as {axes}, but its channels seem to be axis {known} (the last is -1). '
        f"If they are, write data_format='{other}', else data_format='channels_first'."]
    make(data_format=LAST)(Input(shape))        # as advised
    make(data_format=FIRST)(Input(shape))


def test_layers_of_different_formats_are_told():
    h = Convolution2D(8, 3, 3, data_format=LAST)(Input((28, 28, 3)))
    with pytest.warns(KeraFlowWarning, match=r'^pool: an input of shape \(None, 26, 26, 8\) is read as'):
        Pooling2D('max', 2, name='pool')(Activation('relu')(h))
    series = Convolution1D(8, 3, data_format=FIRST)(Input((3, 28)))
    with pytest.warns(KeraFlowWarning, match=r"seem to be axis -2 \(the last is -1\)\. If they are, write data_format='channels_first'"):
        Pooling1D('max', 2)(series)


def test_what_is_no_picture_or_is_read_as_it_looks_is_not_told():
    for shape in ((3, 28, 28), (28, 28, 64), (3, 28, 3), (64, 4, 4), (64, None, None), (3, None, None)):
        Convolution2D(4, 1, 1)(Input(shape))
    Convolution2D(4, 1, 1)(Reshape((3, 8, 8))(Flatten()(Input((8, 8, 3)))))
    Convolution1D(4, 2)(Input((28, 3)))


# -- default axes -------------------------------------------------------------------------------------------------------

def normalized(x, axis, epsilon=1e-3):
    axes = tuple(at for at in range(x.ndim) if at != axis)
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


SEVERAL = {
    'vectors': (lambda: [], (5,), 1), 'series': (lambda: [], (7, 5), 2), 'images': (lambda: [], (3, 8, 9), 1),
    'images that look otherwise': (lambda: [], (8, 9, 3), 3), 'images of which nothing tells': (lambda: [], (6, 8, 9), 1),
    'channels last': (lambda: [Convolution2D(6, 1, 1, data_format=LAST), Activation('relu')], (8, 9, 2), 3),
    'channels first': (lambda: [Convolution2D(3, 1, 1, data_format=FIRST), Dropout(0.)], (2, 8, 5), 1),
    'series, features first': (lambda: [Convolution1D(4, 1, data_format=FIRST)], (2, 8), 1),
    'volumes': (lambda: [Convolution3D(4, 1, 1, 1, data_format=LAST)], (5, 6, 7, 2), 4),
    'images in time': (lambda: [TimeDistributed(Convolution2D(4, 1, 1))], (3, 2, 5, 6), 2),
    'a model': (lambda: [Sequential([Input((8, 9, 2)), Convolution2D(6, 1, 1, data_format=LAST)])], (8, 9, 2), 3),
}


@pytest.mark.parametrize('name', SEVERAL)
def test_normalization_is_of_the_features(name):
    make, shape, axis = SEVERAL[name]
    x = random(5, *shape)
    before, last = make(), BatchNormalization(name='norm')
    model = after(*before, last, shape=shape)
    seen = Model(model.inputs[0], last.get_input_at(0)) if before else None
    z = (seen.predict(x) if before else x).astype(float)
    np.testing.assert_allclose(model.predict(x, train_mode=True), normalized(z, axis), rtol=1e-3, atol=1e-4)
    assert last.get_weights()['gamma'].shape == (z.shape[axis],)
    if axis > 0:
        over = LayerNormalization()
        layered = Model(model.inputs[0], over(last.get_input_at(0))).predict(x)
        right = (z - z.mean(axis, keepdims=True)) / np.sqrt(z.var(axis, keepdims=True) + 1e-5)
        np.testing.assert_allclose(layered, right, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('name', SEVERAL)
def test_joined_along_the_features(name):
    make, shape, axis = SEVERAL[name]
    x = Input(shape)
    kensors = [x, x]
    for number in range(2):
        for layer in make() or [Activation('linear')]:
            kensors[number] = layer(kensors[number])
    joined = Model(x, [*kensors, Concatenate()(kensors)])
    one, other, both = joined.predict(random(2, *shape))
    np.testing.assert_array_equal(both, np.concatenate([one, other], axis))
    assert joined.outputs[2].shape[axis] == both.shape[axis]


def test_copies_and_files_have_the_same_axes(tmp_path):
    class Block(Layer):
        def output(self, x):
            return self.embed(BatchNormalization())(self.embed(Activation('tanh'))(x))
    x = Input((8, 9, 2))
    h = Convolution2D(6, 1, 1, data_format=LAST)(x)
    layer, block = BatchNormalization(), Block()
    model = Model(x, [layer(h), block(h), Concatenate()([h, h])])
    data = random(3, 8, 9, 2)
    for one in (layer, block):
        twin = copy.deepcopy(one)
        assert {key: value.shape for key, value in twin.get_weights().items()} == \
            {key: value.shape for key, value in one.get_weights().items()}
    twin = copy.deepcopy(model)
    for one, other in zip(twin.predict(data), model.predict(data)):
        np.testing.assert_array_equal(one, other)
    saved = Model(x, [layer(h), Concatenate()([h, h])])
    saved.save_to_file(tmp_path / 'a.yaml', tmp_path / 'w.safetensors')
    assert 'axis: null' in (tmp_path / 'a.yaml').read_text()
    loaded = Model.load_from_file(tmp_path / 'a.yaml', tmp_path / 'w.safetensors')
    for one, other in zip(loaded.predict(data), saved.predict(data)):
        np.testing.assert_array_equal(one, other)


def test_an_axis_that_a_file_names_is_kept():
    layer = unserialize({'class': 'BatchNormalization', 'args': {'axis': 0}})
    layer(Input((7, 5)))
    assert layer.get_weights()['gamma'].shape == (7,)


def test_wrapped_layers():
    x = random(3, 4, 8, 5)
    model = after(TimeDistributed(BatchNormalization()), shape=(4, 8, 5))
    np.testing.assert_allclose(model.predict(x, train_mode=True), normalized(x.astype(float), 3), rtol=1e-3, atol=1e-4)
    joined = after(TimeDistributed(Convolution2D(6, 1, 1, data_format=LAST)), TimeDistributed(BatchNormalization()), shape=(4, 8, 5, 2))
    assert joined.layers[-1].get_weights()['0/gamma'].shape == (6,)


@pytest.mark.parametrize('call, text', [
    (lambda: Concatenate(name='c')([Input((9, 5)), Input((8, 5))]),
     'c: expected inputs of one shape but for axis 2 (that of the features), received (None, 9, 5), (None, 8, 5).'),
    (lambda: Concatenate(axis=0, name='c')([Input((9, 5)), Input((8, 4))]),
     'c: expected inputs of one shape but for axis 1 (0 of a sample), received (None, 9, 5), (None, 8, 4).'),
    (lambda: BatchNormalization(name='n')(Input((9, None))),
     'n: expected an input whose axis -1 has a known length, received shape (None, 9, None). Give the Input that length.')])
def test_messages_say_which_axis_is_meant(call, text):
    with pytest.raises(ShapeError) as caught:
        call()
    assert str(caught.value) == text


# -- functions of the backend, whose default axis is the last one -------------------------------------------------------

def own_layer(x):
    class Likeliest(Layer):
        def output(self, x):
            return B.cast(B.argmax(x), 'float32')

        def output_shape(self, input_shape):
            return None
    return Likeliest()(x)


ALONG_THE_LAST = {
    'a function in a Lambda': ('softmax', lambda x: Lambda(B.softmax)(x)),
    'called in a Lambda': ('log_softmax', lambda x: Lambda(lambda h: B.log_softmax(h))(x)),
    'an activation': ('softmax', lambda x: Convolution2D(3, 1, 1, activation=B.softmax)(x)),
    'behind layers that keep the axes': ('softmax', lambda x: Activation(B.softmax)(Dropout(0.5)(x))),
    'of a Kensor': ('argmin', lambda x: B.argmin(x)),
    'of two Kensors': ('concatenate', lambda x: B.concatenate([x, x])),
    'with arguments before the axis': ('split', lambda x: B.split(x, [2, 5])[0]),
    'in a layer of the program': ('argmax', own_layer)}


@pytest.mark.parametrize('name', ALONG_THE_LAST)
def test_a_function_that_works_along_the_last_axis_of_pictures_is_reported(name):
    operation, act = ALONG_THE_LAST[name]
    with pytest.warns(KeraFlowWarning) as caught:
        act(Convolution2D(3, 1, 1, data_format=FIRST)(Input((2, 6, 7))))
    also = f" The activation '{operation}' works along the features." if 'softmax' in operation else ''
    assert {str(one.message) for one in caught} == {
        f'{operation}: no axis is given, so it works along the last one, but the features are along axis -3. Write axis=-3, or '
        f'axis=-1 for the last one.{also}'}


@pytest.mark.parametrize('act', [
    lambda x: Lambda(B.softmax, arguments={'axis': 1})(x), lambda x: Lambda(partial(B.softmax, axis=-1))(x), lambda x: B.argmax(x, 1),
    lambda x: B.concatenate([x, x], axis=-1), lambda x: Activation('softmax')(x), lambda x: Activation(softmax)(x),
    lambda x: Lambda(B.softmax)(Flatten()(x)), lambda x: Lambda(B.softmax)(Convolution2D(3, 1, 1, data_format=LAST)(PermuteDims((1, 2, 0))(x)))])
def test_where_the_axis_is_said_or_is_that_of_the_features_there_is_no_warning(act):
    act(Convolution2D(3, 1, 1, data_format=FIRST)(Input((2, 6, 7))))


def test_what_is_reported_computes_along_the_last_axis_as_its_function_does():
    x = random(2, 2, 6, 7)
    with pytest.warns(KeraFlowWarning):
        model = after(Convolution2D(3, 1, 1, init='one', data_format=FIRST), Lambda(B.softmax), shape=(2, 6, 7))
        found = model.predict(x)
    np.testing.assert_allclose(found, by_softmax(np.repeat(x.sum(1, keepdims=True), 3, 1), -1), rtol=1e-5)


def images_behind_a_convolution():
    return Convolution2D(8, 3, 3, data_format=LAST)(Input((28, 28, 3)))


@pytest.mark.parametrize('make, layer, axis, place, channels, shape', [
    (lambda: Input((3, 32, 32)), BatchNormalization, 1, -2, -3, (None, 3, 32, 32)),
    (lambda: Input((3, 32, 32)), BatchNormalization, 2, -1, -3, (None, 3, 32, 32)),
    (lambda: Input((3, None, 32)), LayerNormalization, 2, -1, -3, (None, 3, None, 32)),
    (lambda: Input((32, 32, 3)), BatchNormalization, 1, -2, -1, (None, 32, 32, 3)),
    (images_behind_a_convolution, BatchNormalization, 0, -3, -1, (None, 26, 26, 8)),
    (lambda: Convolution3D(4, 2, 2, 2)(Input((1, 5, 6, 7))), BatchNormalization, 1, -3, -4, (None, 4, 4, 5, 6)),
    (lambda: Input((3, 32, 32)), Concatenate, 1, -2, -3, (None, 3, 32, 32))])
def test_an_axis_of_images_that_seems_to_be_counted_with_the_batch_is_reported_once(make, layer, axis, place, channels, shape):
    x, one = make(), layer(axis=axis, name='one')
    fed = [x, x] if layer is Concatenate else x
    with pytest.warns(KeraFlowWarning) as caught:
        once = one(fed)
    one(fed)
    assert [str(it.message) for it in caught] == [
        f'one: axis={axis} is counted without the batch: it is axis {place} of an input of shape {shape} (the last is -1), whose '
        f'channels are axis {channels}. If they are meant, leave axis out or write axis={channels}, else write axis={place}.']
    meant = layer(axis=place)(fed)      # which is not told, and is the same
    assert meant.shape == once.shape and layer(axis=channels)(fed).features == channels


@pytest.mark.parametrize('make', [
    lambda: BatchNormalization(axis=0)(Input((3, 32, 32))), lambda: BatchNormalization(axis=2)(Input((32, 32, 3))),
    lambda: LayerNormalization(axis=[1, 2])(Input((3, 32, 32))), lambda: BatchNormalization(axis=1)(Input((64, 7, 7))),
    lambda: Concatenate(axis=0)([Embedding(5, 4)(Input(3, dtype='int32')), Embedding(5, 4)(Input(6, dtype='int32'))]),
    lambda: Concatenate(axis=2, include_batch_dim=True)([Input((3, 32, 32)), Input((3, 32, 32))]),
    lambda: BatchNormalization(axis=1)(Input((5, 4)))])
def test_an_axis_is_not_told_where_it_is_that_of_the_channels_or_nothing_tells_that_there_are_images(make):
    make()
