"""What layers say of shapes before there is a backend is what they have on one; the guide's SequentialLayer rests on that."""
import numpy as np
import pytest
from catalogue import LAYERS
from guide import SequentialLayer

import keraflow
from keraflow import backend as B
from keraflow import layer_register
from keraflow.arguments import to_list
from keraflow.layers import (GRU, LSTM, Activation, BatchNormalization, Bidirectional, Concatenate, Convolution1D,
                             Convolution2D, Dense, Dropout, ElementWiseSum, Embedding, Flatten, Input, Lambda,
                             LayerNormalization, MultiHeadAttention, Operation, PermuteDims, Pooling2D, Reshape,
                             SimpleRNN, TimeDistributed)
from keraflow.models import Model, Sequential

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


def linked(sample):
    """A sample of the catalogue, called on Inputs."""
    given = sample.input_shapes if isinstance(sample.input_shapes, list) else [sample.input_shapes]
    dtypes = to_list(sample.options.get('dtype')) if sample.options.get('dtype') else [None] * len(given)
    fed, layer = [Input(shape, dtype=dtype) for shape, dtype in zip(given, dtypes * len(given))], sample.make()
    return Model(fed, to_list(layer(fed if layer.multi_input else fed[0])))


def planned_and_built(model):
    """The shapes and numbers of parameters of each call: in the plan of a file, and in the model."""
    plan = keraflow.plan(keraflow.serialize(model))
    calls = [call for call in model.calls if call.fed]
    outer = [one for one in plan.layers if '/' not in one.name and one.cls != 'Input']
    names = {id(layer): name for name, layer in model.layer_ids().items()}
    return ({one.name: (list(one.output_shapes), one.nb_parameter) for one in outer},
            {names[id(call.layer)]: ([kensor.shape for kensor in call.outputs],
                                     sum(array.size for array in call.layer.get_weights().values())) for call in calls})


#: What programs compute.
OF_PROGRAMS = {'Foreign', 'Lambda'}
SAVED = [pytest.param(one, id=f'{name}-{number}') for name, some in LAYERS.items() if name not in {*OF_PROGRAMS, 'Input'}
         for number, one in enumerate(some)]


@pytest.mark.filterwarnings('ignore:.*mask of its input is lost')
@pytest.mark.parametrize('sample', SAVED)
def test_the_plan_of_a_file_knows_what_the_model_has(sample):
    planned, built = planned_and_built(linked(sample))
    assert planned == built


def normalized(*layers):
    """A chain of layers that ends with a normalization of features."""
    return Sequential([*layers, BatchNormalization()])


# Of images, the channels are last in LAST, first in FIRST, and not to be seen in SQUARE.
LAST, FIRST, SQUARE = (9, 10, 3), (3, 9, 10), (8, 8, 8)
LATER = {'data_format': 'channels_last'}
PLACED = {
    'last': lambda: normalized(Input(LAST)),
    'first': lambda: normalized(Input(FIRST)),
    'of unknown size': lambda: normalized(Input((3, None, None))),
    'not seen': lambda: normalized(Input(SQUARE)),
    'of a convolution': lambda: normalized(Input(LAST), Convolution2D(5, 3, 3, **LATER)),
    'of a convolution, by its word': lambda: normalized(Input(SQUARE), Convolution2D(5, 3, 3, **LATER)),
    'of a series, first': lambda: normalized(Input((6, 4)), Convolution1D(5, 3, data_format='channels_first')),
    'of a series, last': lambda: normalized(Input((6, 4)), Convolution1D(5, 3)),
    'kept': lambda: normalized(Input(SQUARE), Pooling2D('max', pool_size=2, **LATER), Dropout(0.5), Activation('relu')),
    'moved': lambda: normalized(Input(FIRST), PermuteDims((1, 2, 0))),
    'made': lambda: normalized(Input(60), Reshape((4, 5, 3))),
    'kept or not, by reshaping': lambda: normalized(Input(SQUARE), Convolution2D(5, 3, 3, **LATER), Reshape((5, 6, 6))),
    'of rows': lambda: normalized(Input(7, dtype='int32'), Embedding(9, 4)),
    'of states': lambda: normalized(Input((None, 4)), Bidirectional(LSTM(3, return_sequences=True))),
    'of states of a turned series': lambda: normalized(
        Input((6, 6)), Convolution1D(4, 3, data_format='channels_first'),
        Bidirectional(SimpleRNN(4, return_sequences=True), merge_mode='sum')),
    'in time': lambda: normalized(Input((None, *FIRST)), TimeDistributed(Convolution2D(2, 3, 3))),
    'inside, in time': lambda: Sequential([Input((5, *LAST)), TimeDistributed(
        Sequential([Convolution2D(4, 3, 3, **LATER), BatchNormalization(), LayerNormalization()]))]),
    'in a layer without Input': lambda: Sequential([Input(LAST), Sequential([BatchNormalization(), Flatten(), Dense(2)])]),
    'of a model': lambda: normalized(Input(FIRST), Sequential([Input(FIRST), Convolution2D(4, 3, 3), Dropout(0.1)])),
    'in a model that is not told': lambda: normalized(Input(SQUARE), Convolution2D(8, 1, 1, **LATER),
                                                      Sequential([Input(SQUARE), Dropout(0.5)])),
    'joined': lambda: normalized(Input(LAST), joined(Concatenate(), Convolution2D(4, 1, 1, **LATER))),
    'of an operation': lambda: normalized(Input(LAST), Convolution2D(4, 1, 1, **LATER), Operation('exp', [{'input': 0}]))}


def joined(joining, layer):
    x = Input(LAST)
    return Model(x, joining([layer(x), x]))


@pytest.mark.parametrize('case', PLACED)
def test_the_plan_of_a_file_knows_where_features_are(case):
    planned, built = planned_and_built(PLACED[case]())
    if case == 'in a model that is not told':       # the features of what a model is fed may be elsewhere than in it
        assert planned.pop('batchnormalization1') == ([(None, 8, 8, 8)], None) and built.pop('batchnormalization1')
    assert planned == built


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


@pytest.mark.parametrize('operation, expected', [
    (lambda x, y: B.matmul(x, B.transpose(y, (0, 2, 1))), (None, 3, 3)),
    (lambda x, y: B.matmul(x, np.ones(4, 'float32')), (None, 3)),
    (lambda x, y: B.gather(x, [2, 0], 1), (None, 2, 4)),
    (lambda x, y: B.one_hot(B.argmax(x), 4), (None, 3, 4)),
    (lambda x, y: B.one_hot(B.argmin(x, 1), 3), (None, 4, 3)),
    (lambda x, y: B.reshape(x, (-1, 2, 6)), (None, 2, 6)),
    (lambda x, y: B.reshape(x[0], (2, -1)), (2, 6)),
    (lambda x, y: B.flatten(x, 2), (None, 12)),
    (lambda x, y: B.squeeze(x[:, :1], 1), (None, 4)),
    (lambda x, y: B.stack([x, y], 1), (None, 2, 3, 4)),
    (lambda x, y: B.stack([x, y, x], -1), (None, 3, 4, 3)),
    (lambda x, y: B.repeat(x, 2, 1), (None, 6, 4)),
    (lambda x, y: B.tile(x, (1, 2, 3)), (None, 6, 12)),
    (lambda x, y: B.pad(x, ((0, 0), (1, 0), (2, 1))), (None, 4, 7)),
    (lambda x, y: B.flip(x, 1), (None, 3, 4))])
def test_operations_say_the_shape_that_they_have(operation, expected):
    x, y = Input((3, 4)), Input((3, 4))
    model = Model([x, y], operation(x * y, y))
    planned, built = planned_and_built(model)
    assert planned == built and model.outputs[0].shape == expected
    computed = model.predict([np.ones((2, 3, 4), 'float32')] * 2)
    assert all(n in (None, m) for n, m in zip(expected, computed.shape)) and computed.ndim == len(expected)
