"""Layers say shapes and parameters where no backend can be imported; that these are the real ones is a law of check_layer."""
import json
import pathlib
import subprocess
import sys

import pytest

from keraflow.layers import (LSTM, Activation, Bidirectional, Convolution2D, Dense, Embedding, Flatten, Lambda, Layer,
                             Operation, ParameterSpec, PReLU, TimeDistributed)
from keraflow.models import Sequential
from keraflow.shapes import product

CATALOGUE = pathlib.Path(__file__).parents[1] / 'conformance'
ASK = """
import json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        assert name.partition('.')[0] not in ('keraflow_backends', 'tensorflow', 'theano'), name

sys.meta_path.insert(0, Refuse())
from catalogue import LAYERS
told = {}
for name, samples in LAYERS.items():
    for sample in samples if name not in ('Input', 'Model', 'Sequential') else ():      # whose samples have Kensors
        layer, given = sample.make(), sample.input_shapes
        fed = [(None, *(one if isinstance(one, tuple) else (one,))) for one in (given if isinstance(given, list) else [given])]
        fed = fed if layer.multi_input else fed[0]
        said = layer.output_shape(fed) is not None, layer.param_shapes(fed) is not None
        told[name] = [one and before for one, before in zip(said, told.get(name, (True, True)))]
print(json.dumps(told))
"""


def test_every_layer_of_the_catalogue_says_what_can_be_derived():
    ran = subprocess.run([sys.executable, '-c', ASK], cwd=CATALOGUE, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert len(told) > 50
    # What functions of programs compute and embed.
    assert {name for name, (shape, _) in told.items() if not shape} == {'Foreign', 'Lambda'}
    # Where features are in series and images is known by the layers before.
    assert {name for name, (_, parameters) in told.items() if not parameters} == \
        {'BatchNormalization', 'Foreign', 'Lambda', 'LayerNormalization'}


def test_layers_in_layers():
    dense = Dense(4)
    layer = Sequential([TimeDistributed(Convolution2D(2, 3, 3, activation=PReLU(shared_axes=(1, 2)))),
                        TimeDistributed(Sequential([Flatten(), dense, Dense(4), dense])), Bidirectional(LSTM(5)), Dense(1)])
    shapes = layer.param_shapes((None, None, 1, 8, 8))
    assert shapes['0/0/W'] == (1, 2, 3, 3) and shapes['0/0/0/alpha'] == (2, 1, 1)
    assert [name for name in shapes if name.startswith('1/')] == ['1/0/1/W', '1/0/1/b', '1/0/2/W', '1/0/2/b']
    assert sum(map(product, shapes.values())) == 18 + 2 + 2 + 72 * 4 + 4 + 20 + 2 * 4 * (4 * 5 + 25 + 5) + 11
    assert layer.output_shape((None, None, 1, 8, 8)) == (None, 1)


class Makes(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('W', [1.])


class Says(Makes):
    def param_specs(self, input_shape):
        return {'W': ParameterSpec(input_shape[1:])}


class Computes(Layer):
    def output(self, x):
        return Dense(3)(x)


class Hosts(Computes):
    def embedded_inputs(self, input_shape):
        return {'0': (Dense(3), input_shape)}


def test_classes_of_the_program():
    assert [one().param_shapes((None, 2)) for one in (Makes, Says, Computes, Hosts)] == \
        [None, {'W': (2,)}, None, {'0/W': (2, 3), '0/b': (3,)}]
    assert type('Mine', (Dense,), {})(3).param_shapes((None, 2)) == {'W': (2, 3), 'b': (3,)}
    assert Sequential([Lambda(abs), Dense(3)]).param_shapes((None, 2)) is None
    assert Sequential([Computes(), Embedding(3, 4)]).output_shape((None, 2)) is None


def test_a_large_layer_is_counted_and_not_made():
    layer = Dense(10 ** 9)
    assert product(layer.param_shapes((None, 10 ** 9))['W']) == 10 ** 18 and not layer.built
    assert Activation('relu').param_shapes((None, 3)) == {}


X, Y, FULL = {'input': 0}, {'input': 1}, {'slice': [None, None, None]}


@pytest.mark.parametrize('operation, args, kwargs, fed, expected', [
    ('add', [X, Y], None, [(None, 5, 1), (None, 1, 4)], (None, 5, 4)),
    ('multiply', [X, 2.5], None, [(None, 3)], (None, 3)),
    ('where', [X, Y, {'array': [1., 2., 3.], 'dtype': 'float32'}], None, [(None, 1), (7, 1)], (7, 3)),
    ('clip', [X, 0., 1.], None, [(None, 3)], (None, 3)),
    ('exp', [X], None, [(None, None, 3)], (None, None, 3)),
    ('softmax', [X], {'axis': 1}, [(None, 4, 3)], (None, 4, 3)),
    ('sum', [X], {'axis': [1, -1]}, [(None, 4, 3, 2)], (None, 3)),
    ('max', [X, -1, True], None, [(None, 4)], (None, 1)),
    ('mean', [X], None, [(None, 4)], ()),
    ('getitem', [X, [FULL, {'slice': [1, None, 2]}, None, 0]], None, [(None, 6, 3)], (None, 3, 1)),
    ('getitem', [X, [{'ellipsis': True}, {'slice': [-2, None, None]}]], None, [(None, None, 3)], (None, None, 2)),
    ('getitem', [X, [0]], None, [(None, None, 3)], (None, 3)),
    ('getitem', [X, [FULL, {'slice': [1, None, None]}]], None, [(None, None)], (None, None)),
    ('dot', [X, {'array': [[1.], [2.]], 'dtype': 'float32'}], None, [(None, 2)], (None, 1)),
    ('dot', [X, {'array': [1., 2.], 'dtype': 'float32'}], None, [(None, 3, 2)], (None, 3)),
    ('transpose', [X, [0, 2, 1]], None, [(None, 3, 2)], (None, 2, 3)),
    ('transpose', [X, [0, -1, 1]], None, [(None, 3, 2)], (None, 2, 3)),
    ('expand_dims', [X, -1], None, [(None, 3)], (None, 3, 1)),
    ('concatenate', [[X, Y, X], 1], None, [(None, 3), (5, None)], (5, None)),
    ('concatenate', [[X, Y]], None, [(None, 4, 3), (None, 4, 2)], (None, 4, 5)),
    ('split', [X, [1, 2], 1], None, [(None, 3, 4)], [(None, 1, 4), (None, 2, 4)]),
    ('one_hot', [X, 3], None, [(None,)], (None, 3)),
    ('gather', [X, Y, 1], None, [(None, 9, 4), (6, 2)], (None, 6, 2, 4)),
    ('gather', [X, [3, 0, 3]], {'axis': -1}, [(None, 4)], (None, 3)),
    ('matmul', [X, Y], None, [(None, 5, 3), (7, 3, 2)], (7, 5, 2)),
    ('matmul', [X, {'array': [1., 2.], 'dtype': 'float32'}], None, [(None, 5, 2)], (None, 5)),
    ('reshape', [X, [-1, 2, 3]], None, [(None, 6)], (None, 2, 3)),
    ('reshape', [X, [2, -1]], None, [(4, 3)], (2, 6)),
    ('reshape', [X, [Y, 3]], None, [(None, 6), ()], None),
    ('flatten', [X, 2], None, [(None, 4, 3)], (None, 12)),
    ('flatten', [X, 2], None, [(None, None, 3)], (None, None)),
    ('squeeze', [X, 1], None, [(None, 1, 3)], (None, 3)),
    ('stack', [[X, Y], 1], None, [(None, 3), (5, None)], (5, 2, 3)),
    ('stack', [[X, Y, X]], {'axis': -1}, [(None, 3), (None, 3)], (None, 3, 3)),
    ('repeat', [X, 2, 1], None, [(None, 3)], (None, 6)),
    ('tile', [X, [1, 3]], None, [(None, 3)], (None, 9)),
    ('pad', [X, [[0, 0], [1, 2]]], None, [(None, 3)], (None, 6)),
    ('flip', [X, 1], None, [(None, 3)], (None, 3)),
    ('argmax', [X], None, [(None, 4, 3)], (None, 4)),
    ('conv', [X, Y], None, [(None, 3, 8, 8), (3, 2, 3, 3)], None),
])
def test_operations(operation, args, kwargs, fed, expected):
    assert Operation(operation, args, kwargs).output_shape(fed) == expected
