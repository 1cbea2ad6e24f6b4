"""Convolutions in either format: the same numbers and the same training; gradients of what lies between two of them."""
import numpy as np
import pytest
from chains import CHAINS, input_shape

from keraflow import backend as B
from keraflow.layers import GlobalPooling2D, Input
from keraflow.models import Model
from keraflow.optimizers import SGD


@pytest.mark.parametrize('chain', [it for it in CHAINS if it.__name__ not in ('dropped', 'activated')])
def test_both_formats_train_alike(chain):
    x, y = np.random.default_rng(0).normal(size=(4, *input_shape('channels_first'))).astype('float32'), np.ones((4, 3), 'float32')
    found, weights = [], None
    for data_format in ('channels_first', 'channels_last'):
        inputs = Input(input_shape(data_format))
        model = Model(inputs, GlobalPooling2D('avg', data_format=data_format)(chain(inputs, data_format)))
        weights = weights or list(model.get_weights().values())
        model.set_weights(weights)
        model.compile(SGD(lr=0.1), 'mse')
        images = x if data_format == 'channels_first' else np.moveaxis(x, 1, -1)
        history = model.fit(images, y, batch_size=2, nb_epoch=2, shuffle=False, verbose=0)
        found.append([[one['loss'] for one in history], model.predict(images), *model.get_weights().values()])
    for first, last in zip(*found):
        np.testing.assert_allclose(first, last, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('data_format', ['channels_first', 'channels_last'])
def test_gradients_of_what_lies_between_convolutions(data_format):
    axis = 1 if data_format == 'channels_first' else -1
    array = np.random.default_rng(1).normal(size=(2, 3, 4, 5))
    nb_channel = array.shape[axis]
    first, second = np.ones((nb_channel, 2, 1, 1)), np.ones((2, 1, 1, 1))

    def builder(x):
        between = B.conv(x, first, data_format=data_format)

        def loss_fn():
            both = B.sum(B.square(B.conv(B.relu(between), second, data_format=data_format))) + B.sum(B.flatten(between))
            return both, None
        [later] = B.value_and_gradients(loss_fn, [between])[2]
        between = B.conv(x, first, data_format=data_format)
        [before] = B.gradients(loss_fn()[0], [between])
        return [later, before], []
    # Both channels between are the same sum, and the result is the sum of both where that is positive.
    total = array.sum(axis, keepdims=True)
    expected = np.repeat(4 * np.maximum(total, 0) + 1, 2, axis)
    for found in B.compile(builder, [B.TensorSpec(array.shape, 'float64')])(array):
        np.testing.assert_allclose(found, expected, rtol=1e-10)
