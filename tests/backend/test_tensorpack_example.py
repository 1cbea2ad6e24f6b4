"""The example of tensorpack's page on symbolic layers: written with argscope and LinearWrap it is the plain model."""
import numpy as np

import keraflow
from keraflow import LinearWrap, argscope
from keraflow import backend as B
from keraflow import layer_register
from keraflow.layers import Activation, Convolution2D, Dense, Dropout, Flatten, Input, Pooling2D
from keraflow.models import Model

IMAGES = np.random.default_rng(20).normal(size=(3, 1, 12, 11)).astype('float32')


@layer_register()
def ScaledInTensorpackExample(x, factor):
    return Activation('tanh')(x * factor)


def shifted(kensor, by, factor=1.):
    return kensor * factor + by


def wrapped():
    image = Input((1, 12, 11), name='image')
    with argscope(Convolution2D, nb_kernel=4, kernel_row=3, kernel_col=3, activation='relu', pad='same'):
        y = (LinearWrap(image)
             .Convolution2D('conv0')
             .Pooling2D('pool0', 'max')
             .Convolution2D('conv1', pad='valid')
             .Convolution2D('conv2', kernel_row=5, kernel_col=5)
             .Flatten('flat')
             .Dense('fc0', 16, activation='relu')
             .Dropout('dropout', drop_rate=0.5)
             .B.multiply(0.5)
             .apply(shifted, 0.25, factor=2.)
             .ScaledInTensorpackExample('scaled', 0.5)
             .Dense('fc1', output_dim=10, activation='linear')())
        with argscope([Convolution2D, Pooling2D], data_format='channels_last', pad='same'), argscope(Convolution2D, kernel_row=1, kernel_col=1):
            last = LinearWrap(image).Convolution2D('conv3', strides=(2, 2)).Pooling2D('pool3', 'max')()
    return Model(image, [y, last], name='m')


def plain():
    image = Input((1, 12, 11), name='image')
    x = Convolution2D(4, 3, 3, pad='same', activation='relu', name='conv0')(image)
    x = Pooling2D('max', name='pool0')(x)
    x = Convolution2D(4, 3, 3, pad='valid', activation='relu', name='conv1')(x)
    x = Convolution2D(4, 5, 5, pad='same', activation='relu', name='conv2')(x)
    x = Flatten(name='flat')(x)
    x = Dense(16, activation='relu', name='fc0')(x)
    x = Dropout(0.5, name='dropout')(x)
    x = B.multiply(x, 0.5)
    x = shifted(x, 0.25, factor=2.)
    x = ScaledInTensorpackExample('scaled', x, 0.5)
    y = Dense(10, activation='linear', name='fc1')(x)
    z = Convolution2D(4, 1, 1, strides=(2, 2), pad='same', activation='relu', data_format='channels_last', name='conv3')(image)
    return Model(image, [y, Pooling2D('max', pad='same', data_format='channels_last', name='pool3')(z)], name='m')


def test_both_ways_are_the_same_model(tmp_path):
    B.seed(3)
    one = wrapped()
    B.seed(3)
    other = plain()
    assert keraflow.serialize(one) == keraflow.serialize(other)
    assert one.variables.names == other.variables.names and one.variables.names[0] == 'conv0/W' and 'fc1/b' in one.variables.names
    for name, value in one.get_weights().items():
        np.testing.assert_array_equal(value, other.get_weights()[name])
    found = one.predict(IMAGES)
    for array, wanted in zip(found, other.predict(IMAGES)):
        np.testing.assert_array_equal(array, wanted)
    w = one.get_weights()
    flat = one.capture('flat/output', IMAGES)
    h = np.maximum(flat @ w['fc0/W'] + w['fc0/b'], 0) * 0.5 * 2 + 0.25
    np.testing.assert_allclose(found[0], np.tanh(h * 0.5) @ w['fc1/W'] + w['fc1/b'], rtol=1e-4, atol=1e-5)
    one.save_to_file(str(tmp_path / 'm.yaml'), str(tmp_path / 'm.safetensors'))
    again = Model.load_from_file(str(tmp_path / 'm.yaml'), str(tmp_path / 'm.safetensors'))
    for array, wanted in zip(again.predict(IMAGES), found):
        np.testing.assert_array_equal(array, wanted)
    assert __name__ not in (tmp_path / 'm.yaml').read_text()
