"""What docs/composing.rst says corresponds to other systems' names: a check for each row of its tables."""
import copy
import doctest
import logging
import re
from pathlib import Path

import numpy as np
import pytest

import keraflow
from keraflow import LinearWrap, argscope
from keraflow import backend as B
from keraflow import layer_register
from keraflow.errors import KeraFlowWarning, ShapeError
from keraflow.layers import BatchNormalization, Convolution2D, Dense, Dropout, Foreign, Input, Lambda, Layer, Pooling2D
from keraflow.models import Model

PAGE = Path(__file__).parents[2] / 'docs' / 'composing.rst'
X = np.random.default_rng(30).normal(size=(4, 3)).astype('float32')


class Every(Layer):
    """One of everything that a layer may do."""

    def init_param(self, input_shape):
        self.add_weight('W', (3,), init='one', regularizer='l1')
        self.add_weight('state', (), init='zero', trainable=False)

    def output(self, x, mask=None):
        self.mask = mask
        self.add_loss(B.sum(x), inputs=x)
        self.add_update(self.state, B.sum(x), inputs=x)
        return x * self.W


class Fed:
    def __init__(self, **kwargs):
        self.x = Input(3)
        self.layer = Every(name='every', **kwargs)
        self.y = self.layer(self.x)

    def value(self, tensor):
        return B.function([self.x.tensor], [tensor])(X)[0]


@layer_register(id='ConvBlockInCorrespondence')
def ConvBlock(x, output_dim, factor=1):
    return Dense(output_dim)(x) * factor


@layer_register(id='SwappedInCorrespondence')
def Swapped(tensors):
    return tensors[::-1]


def weights_and_activity():
    layer = Dense(2, trainable=False, name='d', dtype='float64', activity_regularizer='l1')
    layer(Input(3))
    return (layer.name, layer.trainable, layer.dtype) == ('d', False, 'float64') and layer.activity_regularizer is not None


def mask_of_input():
    layer, by_hand = Every(), Every()
    layer(Input((2, 3), mask_value=0.))
    by_hand(Input((2, 3)), mask=Input(2, dtype='bool'))
    return layer.mask is not None and by_hand.mask is not None


def scaled_call():
    class Scaled(Layer):
        def output(self, x, scale=1.):
            return scale * x
    x = Input(3)
    return np.array_equal(Model(x, Scaled()(x, scale=2.)).predict(X), 2 * X)


def a_copy():
    fed = Fed()
    other = copy.deepcopy(fed.layer)
    other.set_weights({'W': np.zeros(3)})
    return np.all(fed.layer.get_weights()['W'] == 1) and other.name != 'every'


def existing_weight():
    fed = Fed()
    return fed.layer.add_weight('W', (3,)) is fed.layer.W


def wrong_rank():
    with pytest.raises(ShapeError) as caught:
        Dense(2, name='d')(Input((3, 4)))
    return str(caught.value) == ('d: expected a 2-D input (batch, input_dim), received shape (None, 3, 4). '
                                 'Put a Flatten() before it, or run it on each step with TimeDistributed(...).')


def frozen_by_compile():
    layer = Dense(2)
    x = Input(3)
    model = Model(x, layer(x))
    layer.trainable = False
    before = layer.get_weights()['W']
    model.compile('sgd', 'mse')
    with pytest.warns(KeraFlowWarning, match='no parameter is trainable'):
        model.fit(X, np.zeros((4, 2)), nb_epoch=1, verbose=0)
    return np.array_equal(layer.get_weights()['W'], before)


def without_scope():
    @keraflow.layer_register(id='correspondence-without-scope', use_scope=False)
    def plain(x, units):
        return Dense(units)(x)
    return plain(Input(3), 2).shape == (None, 2) and LinearWrap(Input(3)).apply(lambda x: Dense(2)(x))().shape == (None, 2)


TF_LAYERS = {
    '``__init__``': weights_and_activity,
    '``__call__``': lambda: Fed().y.shape == (None, 3),
    '``__call__(*args, **kwargs)``': scaled_call,
    '``__call__(mask=)``': mask_of_input,
    '``__call__(scope=)``': lambda: Fed().layer.variables.names == ['W', 'state'],
    '``__deepcopy__``': a_copy,
    '``activity_regularizer``': lambda: len(Fed(activity_regularizer='l2').layer.losses) == 3,
    '``add_loss``': lambda: len(Fed().layer.losses) == 2,
    '``add_update``': lambda: len(Fed().layer.updates) == 1,
    '``add_variable``': existing_weight,
    '``apply``': lambda: Every().apply(Input(3)).shape == (None, 3),
    '``build``': lambda: not hasattr(Every(), 'W') and hasattr(Fed().layer, 'W'),
    '``call``': lambda: np.allclose(B.eval(Every()(X)), X),
    '``count_params``': lambda: Fed().layer.count_params() == 4,
    '``dtype``': lambda: Every().dtype is None and Fed().layer.dtype == 'float32',
    '``get_input_at``': lambda: (fed := Fed()).layer.get_input_at(0) is fed.x,
    '``get_input_shape_at``': lambda: (fed := Fed()) and fed.layer.get_input_shape_at(0) == (None, 3),
    '``get_losses_for``': lambda: np.isclose((fed := Fed()).value(fed.layer.get_losses_for(fed.x)[0]), X.sum(), rtol=1e-3, atol=1e-4),
    '``get_output_at``': lambda: (fed := Fed()).layer.get_output_at(0) is fed.y,
    '``get_output_shape_at``': lambda: (fed := Fed()) and fed.layer.get_output_shape_at(0) == (None, 3),
    '``get_updates_for``': lambda: (fed := Fed()).layer.get_updates_for(fed.x)[0][0] is fed.layer.state,
    '``graph``': lambda: (fed := Fed()).y.path == [[[fed.x.name], 'every', 'every_0']],
    '``input``': lambda: (fed := Fed()).layer.input_kensor is fed.x,
    '``input_shape``': lambda: (fed := Fed()) and fed.layer.input_kensor_shape == (None, 3),
    '``input_spec``': wrong_rank,
    '``losses``': lambda: np.isclose((fed := Fed()).value(fed.layer.losses[0]), 0.03),
    '``name``': lambda: Fed().layer.name == 'every',
    '``non_trainable_variables``': lambda: Fed().layer.non_trainable_variables.names == ['state'],
    '``non_trainable_weights``': lambda: Fed().layer.non_trainable_weights.names == ['state'],
    '``output``': lambda: (fed := Fed()).layer.output_kensor is fed.y,
    '``output_shape``': lambda: (fed := Fed()) and fed.layer.output_kensor_shape == (None, 3),
    '``scope_name``': lambda: Fed().layer.scope_name == 'every',
    '``trainable``': frozen_by_compile,
    '``trainable_variables``': lambda: Fed().layer.trainable_variables.names == ['W'],
    '``trainable_weights``': lambda: Fed().layer.trainable_weights.names == ['W'],
    '``updates``': lambda: np.isclose((fed := Fed()).value(fed.layer.updates[0][1]), X.sum(), rtol=1e-3, atol=1e-4),
    '``variables``': lambda: Fed().layer.variables.names == ['W', 'state'],
    '``weights``': lambda: Fed().layer.weights.names == ['W', 'state'],
}


def told_shapes():
    heard = []
    log, handler = logging.getLogger('keraflow.shapes'), logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage())
    log.addHandler(handler)
    keraflow.show_shapes()
    try:
        Dense(2, name='fc')(Input(3))
    finally:
        keraflow.show_shapes(False)
        log.removeHandler(handler)
    return heard == ['fc: (None, 3) -> (None, 2)']


def scoped():
    with argscope([Dense, ConvBlock], output_dim=5):
        return Dense().output_dim == ConvBlock().output_dim == 5


def model_of(layer):
    x = Input(3)
    return Model(x, layer(x))


def dropped_in_training():
    ones = np.ones((50, 10), 'float32')
    with keraflow.phase('train'):
        return np.any(B.eval(Dropout(0.5)(ones)) == 0) and B.current_phase() == 'train'


def recorded(layer):
    with keraflow.phase('train'), keraflow.recording() as run:
        layer(X)
    return run


def reused():
    layer = Dense(2)
    return np.array_equal(B.eval(layer(X)), B.eval(layer(X))) and len(layer.variables) == 2


def pooled():
    image = np.arange(16.).reshape(1, 1, 4, 4)
    return np.array_equal(B.eval(Pooling2D('max')(image)), [[[[5, 7], [13, 15]]]])


def normalized():
    with keraflow.phase('train'):
        y = B.eval(BatchNormalization()(X))
    return np.allclose(y.mean(0), 0, atol=1e-5) and np.allclose(y.std(0), 1, atol=1e-2)


TENSORPACK = {
    '``layer_register``': lambda: ConvBlock(2)(Input(3)).layer.variables.names == ['0/W', '0/b'],
    '``layer_register(use_scope=False)``': without_scope,
    "``Conv2D('conv0', x, 32, 3)``": lambda: ConvBlock('conv0', Input(3), 32, 3).layer.name == 'conv0',
    'list of tensors': lambda: [it.shape for it in Swapped()([Input(3), Input(2)])] == [(None, 2), (None, 3)],
    'printed shapes': told_shapes,
    '``argscope``': scoped,
    '``LinearWrap``': lambda: LinearWrap(Input(3)).Dense('fc0', 10)().layer.name == 'fc0',
    '``LinearWrap.apply``': lambda: LinearWrap(Input(3)).apply(lambda x, n: x[:, :n], 2)().shape == (None, 2),
    '``LinearWrap.tf``': lambda: LinearWrap(Input(3)).B.square()().layer.operation == 'square',
    '``LinearWrap.tensor``': lambda: LinearWrap(Input(3)).Dense(2).tensor().shape == (None, 2),
    '``LinearWrap.print_tensor``': lambda: LinearWrap(Input(3)).print_tensor().Dense(2)().shape == (None, 2),
    '``variables.W``': lambda: (layer := Dense(2))(Input(3)) is not None and layer.variables.W is layer.W,
    '``name/W``': lambda: (model := model_of(Dense(2, name='name'))).variables['name/W'] is model.get_layer('name').W,
    '``name/output``': lambda: (model := model_of(Dense(2, name='name'))).get_kensor('name/output') is model.outputs[0],
    '``TowerContext(is_training=)``': dropped_in_training,
    '``is_training``': lambda: B.current_phase() == 'test',
    '``reuse=True``': reused,
    'regularization losses': lambda: np.isclose(B.eval(recorded(Dense(2, init='one', regularizers=['l1'])).losses[0]), 0.06),
    '``UPDATE_OPS``': lambda: len(recorded(BatchNormalization()).updates) == 2,
    'symbolic functions of others': lambda: np.allclose(model_of(Lambda(B.tanh)).predict(X), np.tanh(X), atol=1e-6),
    'Keras, Sonnet': lambda: np.allclose(model_of(Foreign(lambda: lambda x: x * 2)).predict(X), 2 * X),
    '``Conv2D``': lambda: Convolution2D(4, 3, 3)(Input((1, 5, 5))).shape == (None, 4, 3, 3),
    '``MaxPooling``': pooled,
    '``FullyConnected``': lambda: np.allclose(B.eval(Dense(1, init='one')(X)), X.sum(1, keepdims=True), atol=1e-5),
    '``Dropout``': lambda: np.array_equal(B.eval(Dropout(0.5)(X)), X),
    '``BatchNorm``': normalized,
}


def rows(title):
    """The first cells of the table below a title of the page."""
    text = PAGE.read_text().split(f'\n{title}\n---')[1].split('\n\n')[1]
    lines = text.splitlines()[3:-1]
    return [re.split(r'  +', line)[0] for line in lines]


@pytest.mark.parametrize('title, checks', [('From tf.layers.Layer', TF_LAYERS), ('From tensorpack', TENSORPACK)])
def test_each_row_has_a_check(title, checks):
    assert rows(title) == list(checks)


@pytest.mark.parametrize('row', TF_LAYERS)
def test_tf_layers(row):
    assert TF_LAYERS[row]()


@pytest.mark.parametrize('row', TENSORPACK)
def test_tensorpack(row):
    assert TENSORPACK[row]()


def test_the_examples_of_the_page_run():
    found = doctest.testfile(str(PAGE), module_relative=False, encoding='utf-8')
    assert found.failed == 0 and found.attempted > 10
