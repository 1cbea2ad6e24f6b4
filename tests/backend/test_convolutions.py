"""Convolutions and pooling: numbers that can be checked by eye, laws that join layers, and mistakes."""
import numpy as np
import pytest

from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowWarning, ShapeError
from keraflow.layers import (Activation, Convolution1D, Convolution2D, Convolution3D, Cropping1D, Cropping2D,
                             Deconvolution2D, Dense, Dropout, ElementWiseSum, GlobalPooling2D, Input, Pooling1D,
                             Pooling2D, SeparableConvolution2D, UnSampling2D, ZeroPadding1D, ZeroPadding2D)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD

LAST = 'channels_last'


def predicted(layer, x, weights=None):
    """What a layer gives for an array."""
    model = Sequential([Input(np.shape(x)[1:]), layer])
    if weights:
        layer.set_weights(weights)
    return model.predict(np.asarray(x, 'float32'))


def random(*shape):
    return np.random.default_rng(3).uniform(-1., 1., shape).astype('float32')


# -- numbers ------------------------------------------------------------------------------------------------------------

def test_kernels_are_not_flipped():
    kernel = np.array([[1., 10.], [100., 1000.]]).reshape(1, 1, 2, 2)
    image = np.array([[1., 2., 3.], [4., 5., 6.]]).reshape(1, 1, 2, 3)
    np.testing.assert_array_equal(predicted(Convolution2D(1, 2, 2, bias=False), image, {'W': kernel}), [[[[5421., 6532.]]]])


@pytest.mark.parametrize('length, window, stride, expected', [
    (5, 4, 1, [3, 4, 4, 3, 2]), (6, 3, 2, [3, 3, 2]), (5, 3, 2, [2, 3, 2]), (7, 2, 3, [2, 2, 1]), (3, 1, 2, [1, 1]), (1, 3, 1, [1])])
def test_the_odd_cell_of_padding_is_at_the_end(length, window, stride, expected):
    ones = np.ones((1, length, 1))
    for pooled in (False, True):
        if pooled:
            made = predicted(Pooling1D('avg', window, stride, 'same'), ones)
            expected = np.ones_like(expected)
        else:
            made = predicted(Convolution1D(1, window, stride, 'same', bias=False), ones, {'W': np.ones((1, 1, window, 1))})
        np.testing.assert_allclose(made.ravel(), expected, rtol=1e-6)


def test_the_largest_of_a_window_with_padding_may_be_negative():
    np.testing.assert_array_equal(predicted(Pooling1D('max', 2, 1, 'same'), [[[-3.], [-1.], [-2.]]]), [[[-1.], [-1.], [-2.]]])


def test_a_pixel_becomes_a_kernel():
    kernel = random(1, 1, 3, 2)
    np.testing.assert_allclose(predicted(Deconvolution2D(1, 3, 2, strides=5, bias=False), [[[[2.]]]], {'W': kernel}), 2 * kernel, rtol=1e-6)


# -- laws ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('pad, side', [('valid', (7, 8)), ('same', (8, 6))])
def test_a_deconvolution_is_the_adjoint_of_a_convolution(pad, side):
    """``sum(conv(x) * y) = sum(x * deconv(y))``, where the kernels' inputs and outputs change places."""
    W, x = random(2, 3, 3, 2), random(1, 2, *side)
    through = predicted(Convolution2D(3, 3, 2, (2, 3), pad, bias=False), x, {'W': W})
    y = random(*through.shape)
    back = predicted(Deconvolution2D(2, 3, 2, (2, 3), pad, bias=False), y, {'W': W.swapaxes(0, 1)})
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(through * y), np.sum(x * back), rtol=1e-4)


def test_a_separable_convolution_is_one_with_kernels_that_are_products():
    depth, point, x = random(2, 2, 3, 3), random(4, 5, 1, 1), random(2, 2, 6, 5)
    W = np.einsum('cmij,cmk->ckij', depth, point.reshape(2, 2, 5))
    one = predicted(SeparableConvolution2D(5, 3, 3, depth_multiplier=2, bias=False), x, {'W_depth': depth, 'W_point': point})
    np.testing.assert_allclose(one, predicted(Convolution2D(5, 3, 3, bias=False), x, {'W': W}), atol=1e-5)


def test_a_volume_of_one_layer_is_an_image_and_an_image_of_one_row_is_a_series():
    W, x = random(2, 3, 1, 2), random(2, 2, 1, 6)
    image = predicted(Convolution2D(3, 1, 2, bias=False), x, {'W': W})
    volume = predicted(Convolution3D(3, 1, 1, 2, bias=False), x[:, :, None], {'W': W[:, :, None]})
    series = predicted(Convolution1D(3, 2, bias=False), x[:, :, 0].swapaxes(1, 2), {'W': W[:, :, 0].transpose(1, 2, 0)[None]})
    np.testing.assert_allclose(volume[:, :, 0], image, rtol=1e-5)
    np.testing.assert_allclose(series.swapaxes(1, 2), image[:, :, 0], rtol=1e-5)


def network(data_format):
    """Two branches of convolutions with other layers between them."""
    def at(layer, *args, **kwargs):
        return layer(*args, data_format=data_format, **kwargs)
    x = Input((2, 9, 8) if data_format == 'channels_first' else (9, 8, 2))
    h = at(Convolution2D, 4, 3, 3, pad='same', activation='relu', name='a')(at(ZeroPadding2D, 1)(x))
    h = Dropout(0.)(Activation('tanh')(at(Pooling2D, 'max')(h)))
    k = at(Convolution2D, 4, 2, 2, pad='same', dilation=2, name='b')(h)
    h = at(SeparableConvolution2D, 3, 3, 3, activation='sigmoid', name='c')(ElementWiseSum()([h, k]))
    h = at(Cropping2D, (1, 0))(at(Deconvolution2D, 3, 2, 2, strides=2, name='d')(at(UnSampling2D, (1, 2))(h)))
    return Model(x, Dense(2, activation='softmax', name='e')(at(GlobalPooling2D, 'avg')(h)))


def test_both_formats_train_alike_with_the_same_kernels():
    first, last = network('channels_first'), network(LAST)
    last.set_weights(first.get_weights())
    x, y = random(6, 2, 9, 8), np.eye(2, dtype='float32')[[0, 1, 1, 0, 1, 0]]
    for model, data in ((first, x), (last, np.moveaxis(x, 1, -1))):
        model.compile(SGD(0.5), 'categorical_crossentropy')
        model.fit(data, y, batch_size=3, nb_epoch=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(first.predict(x), last.predict(np.moveaxis(x, 1, -1)), rtol=1e-5)
    for name, array in first.get_weights().items():
        np.testing.assert_allclose(last.get_weights()[name], array, atol=1e-5)


def test_integers_are_taken_as_reals():
    x = Input((1, 3, 3), dtype='int32')
    made = Model(x, [Convolution2D(1, 2, 2, name='c', bias=False)(x), Pooling2D('avg')(x)])
    made.set_weights({'c/W': np.ones((1, 1, 2, 2))})
    sums, means = made.predict(np.arange(9, dtype='int32').reshape(1, 1, 3, 3))
    np.testing.assert_allclose(sums, [[[[8., 12.], [20., 24.]]]])
    np.testing.assert_allclose(means, [[[[2.]]]])


@pytest.mark.parametrize('options', [{'strides': 2, 'pad': 'same'}, {'data_format': 'channels_first'}], ids=['strides', 'first'])
def test_the_mask_of_a_series_is_lost_with_a_warning(options):
    with pytest.warns(KeraFlowWarning, match='the mask of its input is lost, because Convolution1D neither'):
        Convolution1D(2, 2, **options)(Input((5, 2), mask_value=0.))


# -- mistakes -----------------------------------------------------------------------------------------------------------

def feed_two_depths():
    layer = Convolution2D(2, 3, 3, name='c')
    layer(Input((1, 5, 5)))
    layer(Input((2, 5, 5)))


MISTAKES = [
    (lambda: Convolution2D(2, 3, 3, strides=(1, 2, 3)), ArgumentError,
     'Convolution2D: strides: expected one integer for each of 2 axes, or one for all, received (1, 2, 3).'),
    (lambda: Pooling2D('max', pool_size=[2]), ArgumentError,
     'Pooling2D: pool_size: expected one integer for each of 2 axes, or one for all, received [2].'),
    (lambda: Pooling2D('mean'), ArgumentTypeError, "Pooling2D: mode: expected one of 'max', 'avg', received 'mean'."),
    (lambda: Convolution2D(2, 3, 3, pad='full'), ArgumentTypeError, "Convolution2D: pad: expected one of 'valid', 'same', received 'full'."),
    (lambda: Convolution1D(2, 0), ArgumentError, 'Convolution1D: kernel_row: expected an integer of at least 1, received 0.'),
    (lambda: Convolution2D(2, 3), ArgumentTypeError, "Convolution2D: the argument 'kernel_col' is missing: an integer of at least 1."),
    (lambda: ZeroPadding1D((1, 2, 3)), ArgumentError, 'ZeroPadding1D: padding: expected an integer or a pair, received (1, 2, 3).'),
    (lambda: ZeroPadding2D(((1, 2, 3), 1)), ArgumentError,
     'ZeroPadding2D: padding: expected an integer or a pair for each of 2 axes, or one integer for all, received ((1, 2, 3), 1).'),
    (lambda: Cropping2D((1, 2, 1)), ArgumentError,
     'Cropping2D: cropping: expected an integer or a pair for each of 2 axes, or one integer for all, received (1, 2, 1).'),
    (lambda: Cropping1D(2, name='c')(Input((4, 3))), ShapeError, 'c: expected lengths of at least 5 (time), received shape (None, 4, 3). Crop less.'),
    (lambda: Convolution2D(2, 3, 3, name='c')(Input((5, 5))), ShapeError,
     'c: expected a 4-D input (batch, channels, rows, cols), received shape (None, 5, 5).'),
    (lambda: Convolution1D(2, 3, name='c')(Input(5)), ShapeError, 'c: expected a 3-D input (batch, time, channels), received shape (None, 5).'),
    (lambda: Convolution2D(2, 3, 3, name='c')(Input((None, 5, 5))), ShapeError,
     'c: expected an input (batch, channels, rows, cols) whose axis channels has a known length, received shape (None, None, 5, 5). Give the Input that length.'),
    (lambda: Convolution2D(2, 3, 3, dilation=2, name='c')(Input((1, 5, 4))), ShapeError,
     "c: expected lengths of at least 5 (rows), 5 (cols), received shape (None, 1, 5, 4). Use pad='same', or smaller kernels."),
    (lambda: Pooling2D('max', (2, 3), data_format=LAST, name='p')(Input((1, 5, 4))), ShapeError,
     "p: expected lengths of at least 2 (rows), 3 (cols), received shape (None, 1, 5, 4). Use pad='same', or smaller windows."),
    (feed_two_depths, ShapeError, 'c: expected an input (batch, channels, rows, cols) whose axis channels has length 1, received shape (None, 2, 5, 5). The layer was built for that '
     'length; make another layer for this one.'),
]


@pytest.mark.parametrize('make, kind, text', MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text
