"""argscope, LinearWrap, functions as layers: each is the same model as the plain way of writing it."""
import json

import numpy as np
import pytest

import keraflow
from keraflow import LinearWrap, argscope
from keraflow import backend as B
from keraflow import layer_register
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError
from keraflow.layers import Activation, Dense, Dropout, ElementWiseSum, Highway, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.schema import PositiveInt

X = np.random.default_rng(3).normal(size=(5, 4)).astype('float32')


def predictions(inputs, outputs, *arrays):
    return Model(inputs, outputs).predict(list(arrays))


def reloaded(model):
    """The model after a journey through JSON, with its weights."""
    other = keraflow.unserialize(json.loads(json.dumps(keraflow.serialize(model))))
    other.set_weights(model.get_weights())
    return other


# -- argscope -----------------------------------------------------------------------------------------------------------

def test_explicit_arguments_win_then_the_innermost_scope():
    with argscope(Dense, activation='relu', init='he_normal', output_dim=7):
        outer = Dense()
        with argscope([Dense, Highway], activation='tanh'):
            inner, positional, highway = Dense(3), Dense(3, 'zero', 'sigmoid'), Highway()
        again = Dense(output_dim=2)
    after = Dense(3)
    found = [(one.output_dim, one.init.__name__, one.activation.__name__) for one in (outer, inner, positional, again, after)]
    assert found == [(7, 'he_normal', 'relu'), (3, 'he_normal', 'tanh'), (3, 'zero', 'sigmoid'), (2, 'he_normal', 'relu'),
                     (3, 'glorot_uniform', 'linear')]
    assert highway.activation.__name__ == 'tanh' and highway.init.__name__ == 'glorot_uniform'


def test_resolved_arguments_are_saved_and_a_scope_changes_nothing_that_is_loaded():
    with argscope(Dense, activation='relu', regularizers=['l2']):
        model = Sequential([Input(4), Dense(3)])
    data = keraflow.serialize(model)
    assert data['args']['layers'][1]['args']['activation'] == 'relu'
    plain = keraflow.serialize(Sequential([Input(4), Dense(3)]))
    with argscope(Dense, activation='tanh', regularizers=['l1'], bias=False):
        assert keraflow.serialize(keraflow.unserialize(data)) == data
        assert keraflow.serialize(keraflow.unserialize(plain)) == plain


class Host(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = Dense(3)

    def output(self, x):
        return self.embed(Dense(2))(self.embed(self.inner)(x))

    def output_shape(self, input_shape):
        return (input_shape[0], 2)


def test_a_scope_does_not_reach_into_a_layer():
    with argscope(Dense, bias=False):
        host = Host()
        host(Input(4))
    assert sorted(host.get_weights()) == ['0/W', '0/b', '1/W', '1/b']
    host(Input(4))


@pytest.mark.parametrize('classes, arguments, kind, text', [
    (Dense, {'units': 3}, ArgumentTypeError, "argscope: Dense: there is no argument 'units'. Did you mean 'output_dim'?"),
    ([Dense, Dropout], {'activation': 'relu'}, ArgumentTypeError, "argscope: Dropout: there is no argument 'activation'. Choose one of"),
    (Dense, {'activation': 'rleu'}, ArgumentError, "argscope: Dense: activation: there is no activation 'rleu'. Did you mean 'relu'?"),
    ('Dense', {}, ArgumentTypeError, "argscope: expected a class or a list of classes, received 'Dense'."),
])
def test_mistakes_in_a_scope(classes, arguments, kind, text):
    with pytest.raises(kind) as caught:
        with argscope(classes, **arguments):
            raise AssertionError('not reached')
    assert str(caught.value).startswith(text)


# -- LinearWrap ---------------------------------------------------------------------------------------------------------

def test_a_chain_is_the_plain_model():
    def plain():
        x = Input(4, name='x')
        h = Dense(8, activation='relu', init='he_normal', name='fc0')(x)
        h = Dropout(0.5, name='drop')(h)
        h = Dense(8, activation='relu', init='he_normal', bias=False, name='fc1')(h)
        h = h * 0.5
        h = B.square(h)
        h = Highway(name='gate')(h)
        h = Dense(3, activation='softmax', init='he_normal', name='fc2')(h)
        return Model(x, Activation('tanh')(h), name='m')

    def wrapped():
        x = Input(4, name='x')
        with argscope(Dense, activation='relu', init='he_normal'):
            y = (LinearWrap(x)
                 .Dense('fc0', 8)
                 .Dropout('drop', 0.5)
                 .Dense('fc1', 8, bias=False)
                 .apply(lambda kensor, factor: kensor * factor, 0.5)
                 .B.square()
                 .Highway('gate')
                 .Dense('fc2', 3, activation='softmax')
                 .Activation(activation='tanh')())
        return Model(x, y, name='m')

    B.seed(1)
    one = plain()
    B.seed(1)
    other = wrapped()
    assert keraflow.serialize(one) == keraflow.serialize(other)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    np.testing.assert_array_equal(reloaded(other).predict(X), one.predict(X))


def test_a_chain_knows_registered_layers_and_starts_at_a_model():
    y = LinearWrap(Sequential([Input(4), Dense(3)])).ComposingBlock('b', 5)()
    assert y.shape == (None, 5) and y.layer.name == 'b'
    assert repr(LinearWrap(y)) == f'LinearWrap({y!r})'


def test_mistakes_in_a_chain():
    with pytest.raises(GraphError) as caught:
        LinearWrap(Input(4)).Dens(3)
    assert str(caught.value) == "LinearWrap: there is no layer 'Dens'. Did you mean 'Dense'?"
    with pytest.raises(ArgumentTypeError) as caught:
        LinearWrap(Dense)
    assert str(caught.value) == 'LinearWrap: expected a Kensor, received class Dense. Start at an Input.'
    with pytest.raises(AttributeError):
        LinearWrap(Input(4)).B.squeare()


# -- functions as layers ------------------------------------------------------------------------------------------------

@layer_register()
def ComposingBlock(x, output_dim: PositiveInt, activation='relu', rate=0.):
    """Two layers."""
    h = Dense(output_dim, activation=activation, regularizers=['l2'])(x)
    return Dropout(rate)(Dense(output_dim)(h))


@layer_register(id='composing-mean')
def mean_and_sum(tensors):
    total = tensors[0]
    for tensor in tensors[1:]:
        total = B.add(total, tensor)
    return [total / len(tensors), total]


@layer_register()
def ComposingTower(x, depth):
    for number in range(depth):
        x = ComposingBlock(f'block{number}', x, 4) if number % 2 else ElementWiseSum()([x, ComposingBlock(4)(x)])
    return x


def block(weights, x, place=''):
    h = np.maximum(x @ weights[f'{place}0/W'] + weights[f'{place}0/b'], 0)
    return h @ weights[f'{place}1/W'] + weights[f'{place}1/b']


def test_a_function_is_a_layer_and_can_be_called_both_ways():
    x = Input(4)
    one, other = ComposingBlock(6, name='conv0')(x), ComposingBlock('conv1', x, 6, rate=0.5)
    unnamed = ComposingBlock(x, 6)
    assert [it.shape for it in (one, other, unnamed)] == [(None, 6)] * 3
    assert one.layer.name == 'conv0' and other.layer.name == 'conv1' and other.layer.rate == 0.5
    weights = one.layer.get_weights()
    assert sorted(weights) == ['0/W', '0/b', '1/W', '1/b']
    np.testing.assert_allclose(predictions(x, one, X), block(weights, X), rtol=1e-5, atol=1e-6)
    assert len(one.regularizers) == 1 and ComposingBlock.__doc__ == 'Two layers.'


def test_a_function_of_several_tensors_with_several_results():
    x, y = Input(4), Input(4)
    mean, total = mean_and_sum()([x, y])
    found = predictions([x, y], [mean, total], X, 2 * X)
    np.testing.assert_allclose(found[0], 1.5 * X, rtol=1e-6)
    np.testing.assert_allclose(found[1], 3 * X, rtol=1e-6)
    model = Model([x, y], [mean, total])
    np.testing.assert_array_equal(reloaded(model).predict([X, X])[1], model.predict([X, X])[1])


def test_functions_of_functions_are_saved_shared_frozen_and_trained():
    x = Input(4)
    tower = ComposingTower(3, name='tower')
    model = Model(x, tower(Activation('tanh')(tower(x))))
    weights = tower.get_weights()
    assert sorted({name.rsplit('/', 2)[0] for name in weights}) == ['0', '2', '3']

    def once(it):
        it = it + block(weights, it, '0/')
        it = block(weights, it, '2/')
        return it + block(weights, it, '3/')
    np.testing.assert_allclose(model.predict(X), once(np.tanh(once(X))), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(reloaded(model).predict(X), model.predict(X))
    model.compile('sgd', 'mse')
    model.fit(X, np.zeros((5, 4)), nb_epoch=1, verbose=0)
    assert not np.array_equal(tower.get_weights()['0/0/W'], weights['0/0/W'])
    tower.trainable = False
    assert not Model(x, tower(x)).outputs[0].trainable_params


def test_a_scope_reaches_registered_functions():
    with argscope(ComposingBlock, output_dim=3, activation='tanh'):
        layer = ComposingBlock()
    assert (layer.output_dim, layer.activation) == (3, 'tanh')
    with argscope([ComposingBlock, Dense], activation='sigmoid'):
        kensor = ComposingBlock(3)(Input(4))
    assert keraflow.serialize(kensor.layer)['args'] == {'output_dim': 3, 'activation': 'sigmoid', 'rate': 0.}


def starred(x, *sizes):
    return x


def hiding(x, trainable):
    return x


@pytest.mark.parametrize('make, kind, text', [
    (lambda: layer_register(3), ArgumentTypeError, 'layer_register: expected a function, received 3.'),
    (lambda: layer_register(starred), ArgumentTypeError, 'layer_register: starred: expected a function of a tensor and named arguments, '
                                                         'received starred(x, *sizes). Name its arguments.'),
    (lambda: layer_register(hiding), ArgumentError, "layer_register: hiding: 'trainable' cannot be the name of an argument, because each "
                                                    'layer has an attribute of that name. Choose another.'),
    (lambda: ComposingBlock(0), ArgumentError, 'ComposingBlock: output_dim: expected an integer of at least 1, received 0.'),
    (lambda: ComposingBlock(3, units=4), ArgumentTypeError, "ComposingBlock: there is no argument 'units'. Did you mean 'output_dim'?"),
    (lambda: ComposingBlock(), ArgumentTypeError, "ComposingBlock: the argument 'output_dim' is missing: an integer of at least 1."),
])
def test_mistakes_with_functions(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text
