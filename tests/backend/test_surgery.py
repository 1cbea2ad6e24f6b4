"""Models made from models: the parts that stay are the same layers with the same weights."""
import numpy as np
import pytest

from keraflow import serialize
from keraflow.errors import ArgumentTypeError, GraphError
from keraflow.layers import Activation, Dense, ElementWiseSum, Input, Layer
from keraflow.models import Model, Sequential

X = np.random.default_rng(2).normal(size=(4, 3)).astype('float32')


def affine(layer, x):
    weights = layer.get_weights()
    return x @ weights['W'] + weights['b']


class Parts:
    """A graph with a shared layer and a branch, and its pieces."""

    def __init__(self):
        self.x = Input(3, name='x')
        self.shared = Dense(3, name='shared')
        self.tanh = Activation('tanh', name='tanh')
        self.head = Dense(2, name='head')
        self.other = Dense(2, name='other')
        h = self.tanh(self.shared(self.x))
        self.total = ElementWiseSum(name='total')
        joined = self.total([self.shared(h), h])
        self.model = Model(self.x, [self.head(joined), self.other(h)], name='m')


def test_replace():
    parts = Parts()
    before = parts.model.predict(X)
    new = Dense(5, name='new')
    model = parts.model.replace('head', new)
    first, second = model.predict(X)
    h = np.tanh(affine(parts.shared, X))
    np.testing.assert_allclose(first, affine(new, affine(parts.shared, h) + h), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(second, before[1])
    assert [layer.name for layer in model.layers] == ['x', 'shared', 'tanh', 'total', 'new', 'other']
    np.testing.assert_array_equal(parts.model.predict(X)[0], before[0])
    relu = parts.model.replace(parts.tanh, Activation('relu'))
    h = np.maximum(affine(parts.shared, X), 0)
    np.testing.assert_allclose(relu.predict(X)[0], affine(parts.head, affine(parts.shared, h) + h), rtol=1e-4, atol=1e-5)


def test_a_frozen_model_stays_frozen():
    x = Input(3)
    model = Model(x, Dense(2, name='d')(x), name='m', trainable=False, activity_regularizer='l2')
    new = model.replace('d', Dense(2))
    assert not new.trainable and new.activity_regularizer == 'l2' and new.name != 'm'
    assert new.trainable_variables.names == []
    part = model.sub_model(x, 'd')
    assert not part.trainable and part.activity_regularizer is None     # what it gives is another output


def test_insert_after_each_call():
    parts = Parts()
    model = parts.model.insert_after('shared', Activation('sigmoid'))

    def shared(x):
        return 1 / (1 + np.exp(-affine(parts.shared, x)))
    h = np.tanh(shared(X))
    np.testing.assert_allclose(model.predict(X)[0], affine(parts.head, shared(h) + h), rtol=1e-4, atol=1e-5)
    doubled = parts.model.insert_after('x', Dense(3, init='identity', initial_weights={'W': 2 * np.eye(3)}))
    np.testing.assert_allclose(doubled.predict(X)[1], parts.model.predict(2 * X)[1], rtol=1e-4, atol=1e-5)


def test_remove():
    parts = Parts()
    layers = [Input(3), Dense(4, name='a'), Activation('tanh', name='t'), Dense(2, name='b')]
    model = Sequential(layers).remove('t')
    np.testing.assert_allclose(model.predict(X), affine(layers[3], affine(layers[1], X)), rtol=1e-4, atol=1e-5)
    with pytest.raises(GraphError) as caught:
        parts.model.remove('total')
    assert str(caught.value) == 'm: remove: total has 2 input(s) and 1 output(s), which cannot replace each other. Use replace.'


def test_sub_model():
    parts = Parts()
    tail = parts.model.sub_model('tanh/output', 'head')
    h = np.tanh(X)
    np.testing.assert_allclose(tail.predict(h), affine(parts.head, affine(parts.shared, h) + h), rtol=1e-4, atol=1e-5)
    assert [layer.name for layer in tail.layers][1:] == ['shared', 'total', 'head']
    start = parts.model.sub_model(parts.x, [parts.model.get_kensor('shared_0'), 'tanh'])
    np.testing.assert_allclose(start.predict(X)[1], np.tanh(start.predict(X)[0]), rtol=1e-5, atol=1e-6)
    with pytest.raises(GraphError) as caught:
        parts.model.sub_model('shared_1', 'total')
    assert str(caught.value) == 'm: sub_model: the end depends on the Input x, too. Add it to the starts.'


def test_a_kensor_of_a_model_is_the_output_of_another_model():
    parts = Parts()
    hidden = Model(parts.model.inputs, parts.model.get_kensor('tanh/output'))
    np.testing.assert_allclose(hidden.predict(X), np.tanh(affine(parts.shared, X)), rtol=1e-5, atol=1e-6)
    assert parts.model.get_kensor('shared_1') is parts.total.get_input_at(0)[0]
    assert parts.model.get_kensor('x') is parts.x
    with pytest.raises(GraphError) as caught:
        parts.model.get_kensor('shared/output')
    assert str(caught.value) == ("m: there is no Kensor 'shared/output'. There are x, shared_0, tanh/output, shared_1, "
                                 'total/output, head/output, other/output.')


def test_a_sequential_becomes_a_model():
    model = Sequential([Input(3), Dense(4, name='a'), Dense(2, name='b')])
    changed = model.replace('b', Dense(3, name='c'))
    assert type(changed) is Model and changed.outputs[0].shape == (None, 3)
    assert changed.get_layer('a') is model.layers[1]
    assert [step[1] for step in serialize(changed)['args']['path']] == ['a', 'c']


def test_a_name_is_that_in_the_model(backend_name):
    numbered = type(f'Numbered_{backend_name}_', (Layer,), {})      # a class of which there is no object yet
    first, second = numbered(), numbered()
    first(Input(3))
    x = Input(3)
    model = Model(x, first(second(x)))
    prefix = f'numbered_{backend_name}_'
    assert (second.name, first.name) == (f'{prefix}1', f'{prefix}2')      # the model begins with the second
    assert model.get_layer(f'{prefix}1') is second and model.get_layer(f'{prefix}2') is first
    assert model.get_kensor(f'{prefix}1_0').layer is second and model.get_kensor(f'{prefix}2/output').layer is first


@pytest.mark.parametrize('act, kind, text', [
    (lambda parts: parts.model.replace('heed', Dense(2)), GraphError, "m: there is no layer 'heed'. It has x, shared, tanh, total, head, other."),
    (lambda parts: parts.model.remove(Dense(2, name='stranger')), GraphError,
     'm: <Dense stranger> is not a layer of this model. It has x, shared, tanh, total, head, other.'),
    (lambda parts: parts.model.remove('x'), GraphError, 'm: the Input x can be neither replaced nor removed. Use sub_model.'),
    (lambda parts: parts.model.replace('head', 'tanh'), ArgumentTypeError, "m: replace: new: expected a layer, received 'tanh'."),
])
def test_mistakes(act, kind, text):
    with pytest.raises(kind) as caught:
        act(Parts())
    assert str(caught.value) == text
