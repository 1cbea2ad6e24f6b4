"""What layers say of shapes before there is a backend is what they have on one; the guide's SequentialLayer rests on that."""
import numpy as np
import pytest
from catalogue import LAYERS
from guide import SequentialLayer

from keraflow import layer_register
from keraflow.arguments import to_list
from keraflow.layers import (GRU, LSTM, Activation, BatchNormalization, Bidirectional, Concatenate, Convolution2D,
                             Dense, ElementWiseSum, Flatten, Input, Lambda, LayerNormalization, MultiHeadAttention)
from keraflow.models import Model

WITH_ONE_INPUT = [pytest.param(one, number == 0, id=f'{name}-{number}') for name, some in LAYERS.items()
                  for number, one in enumerate(some) if not isinstance(one.input_shapes, list)]


@pytest.mark.filterwarnings('ignore:.*mask of its input is lost')
@pytest.mark.parametrize('sample, is_first', WITH_ONE_INPUT)
def test_each_layer_works_in_the_guides_sequential_layer(sample, is_first):
    fed = Input(sample.input_shapes, dtype=to_list(sample.options.get('dtype'))[0])
    layer = sample.make()
    alone, inside = to_list(layer(fed)), to_list(SequentialLayer([sample.make()])(fed))
    assert [(one.shape, one.dtype) for one in inside] == [(one.shape, one.dtype) for one in alone]
    host, weights = inside[0].layer, {f'0/{name}': array for name, array in layer.get_weights().items()}
    assert {name: array.shape for name, array in host.get_weights().items()} == \
        {name: array.shape for name, array in weights.items()}
    if is_first:
        host.set_weights(weights)
        data = np.random.default_rng(0).integers(0, 5, [2, *(length or 4 for length in fed.shape[1:])]).astype(fed.dtype)
        found = to_list(Model(fed, alone + inside).predict(data))
        for one, other in zip(found, found[len(alone):]):
            np.testing.assert_allclose(other, one, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('name', ['Model', 'Sequential'])
def test_models_say_shapes_and_parameters(name):
    """What other layers say without a backend is in tests/null/test_planned.py."""
    for sample in LAYERS[name]:
        layer, given = sample.make(), sample.input_shapes if isinstance(sample.input_shapes, list) else [sample.input_shapes]
        fed = [(None, *(one if isinstance(one, tuple) else (one,))) for one in given]
        fed = fed if layer.multi_input else fed[0]
        assert layer.output_shape(fed) is not None and layer.param_shapes(fed) is not None


@pytest.mark.parametrize('data_format, channels', [('channels_first', 8), ('channels_last', 8)])
def test_a_built_model_knows_where_features_are(data_format, channels):
    x = Input((3, 9, 10))
    h = BatchNormalization()(Convolution2D(channels, 3, 3, pad='same', data_format=data_format)(x))
    model = Model(x, Concatenate()([h, LayerNormalization()(h)]))
    assert model.param_shapes((None, 3, 9, 10)) == {name: array.shape for name, array in model.get_weights().items()}
    assert h.layer.param_shapes(h.shape)['gamma'] == (channels,) and BatchNormalization().param_shapes(h.shape) is None


@layer_register
def Doubled(x):
    return Activation('relu')(x) * 2


def test_layers_follow_each_other_whatever_they_know_of_their_shapes():
    chain = SequentialLayer([LSTM(4, return_sequences=True), Lambda(lambda x: x[:, 1:]), Bidirectional(GRU(2, return_sequences=True)),
                             MultiHeadAttention(2, 3), ElementWiseSum(), Doubled(), Flatten(), Dense(5)])
    assert chain.output_shape((None, 6, 3)) is None
    assert chain(Input((6, 3))).shape == (None, 5)
    known = SequentialLayer(chain.layers[2:])
    assert known.output_shape((None, 6, 3)) is None and SequentialLayer(known.layers[:3]).output_shape((None, 6, 3)) == (None, 6, 4)
