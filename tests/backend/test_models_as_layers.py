"""Models as layers of other models, in odd places."""
import copy

import numpy as np
import pytest

import keraflow
from keraflow import LinearWrap, argscope
from keraflow import backend as B
from keraflow import layer_register
from keraflow.errors import GraphError
from keraflow.layers import Activation, Dense, Dropout, ElementWiseSum, Input, TimeDistributed
from keraflow.models import Model, Sequential

X = np.random.default_rng(21).normal(size=(5, 4)).astype('float32')


def made(name=None, output_dim=4):
    x = Input(4)
    return Model(x, Dense(output_dim, activation='tanh', name='d')(x), name=name)


def value(model, x):
    """What a model of :func:`made` gives."""
    weights = model.get_weights()
    return np.tanh(x @ weights['d/W'] + weights['d/b'])


def from_file(model, folder):
    paths = folder / 'model.yaml', folder / 'model.safetensors'
    model.save_to_file(*paths, overwrite=True)
    return Model.load_from_file(*paths)


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_one_file_loaded_twice_is_two_models(tmp_path):
    one, other = (from_file(made(), tmp_path) for _ in range(2))
    x = Input(4)
    model = Model(x, one(other(x)))
    assert len(model.variables) == 4
    assert_close(from_file(model, tmp_path).predict(X), value(one, value(other, X)))
    named, same = (from_file(made('encoder'), tmp_path) for _ in range(2))
    with pytest.raises(GraphError) as caught:
        Model(x, named(same(x)), name='m')
    assert str(caught.value) == ("m: 'encoder' is the name of two layers. Give each layer of a model its own name, as copy.deepcopy gives "
                                 'copies.')
    assert_close(Model(x, named(copy.deepcopy(same)(x))).predict(X), value(named, value(same, X)))


def test_a_model_fed_with_its_own_inputs():
    model = made('encoder')
    [x] = model.inputs
    both = Model(x, [model(x), model.outputs[0]])
    assert both.variables.names == ['encoder/d/W', 'encoder/d/b']
    again = keraflow.unserialize(keraflow.serialize(both))
    assert len(again.variables) == 2
    again.set_weights(both.get_weights())
    for one in (*both.predict(X), *again.predict(X)):
        assert_close(one, value(model, X))


def test_models_in_models_in_models(tmp_path):
    innermost = model = made()
    for _ in range(4):
        x = Input(4)
        model = Model(x, model(Activation('relu')(model(x))))
    expected = value(innermost, X)
    for _ in range(15):     # a relu stands between a model and itself, on each level
        expected = value(innermost, np.maximum(expected, 0))
    assert len(model.variables) == 2 and model.variables.names[0] == 'model1/model1/model1/model1/d/W'
    names = {}
    exec(model.to_python(), names)
    names['model'].set_weights(list(model.get_weights().values()))
    for one in (model, from_file(model, tmp_path), copy.deepcopy(model), names['model']):
        assert_close(one.predict(X), expected)


def test_what_is_frozen_in_a_model_stays_so_in_the_outer_one_and_in_files(tmp_path):
    inner = made('inner')
    x, z = Input(4), Input(4)
    middle = Model(x, Dense(4, name='m')(inner(x)), name='middle')
    outer = Model(z, Dense(2, name='o')(middle(z)))
    inner.get_layer('d').trainable = False
    expected = ['middle/m/W', 'middle/m/b', 'o/W', 'o/b']
    assert outer.trainable_variables.names == from_file(outer, tmp_path).trainable_variables.names == expected
    inner.get_layer('d').trainable, middle.trainable = True, False
    assert outer.trainable_variables.names == from_file(outer, tmp_path).trainable_variables.names == ['o/W', 'o/b']
    assert inner.trainable_variables.names == ['d/W', 'd/b'] and middle.trainable_variables.names == []
    before = outer.get_weights()
    outer.compile('sgd', 'mse')
    outer.fit(X, np.zeros((5, 2)), nb_epoch=1, verbose=0)
    assert [name for name, array in outer.get_weights().items() if not np.array_equal(array, before[name])] == ['o/W', 'o/b']


def test_a_model_in_a_sequential_over_time_and_in_a_function():
    model = made('encoder')

    @layer_register(id='uses-in-test-models-as-layers')
    def uses(x):
        return 2. * model(x)
    x, series = Input(4), Input((3, 4))
    head, tail = Sequential([Input(4), model, Dropout(0.5)]), Sequential([model, Activation('relu'), model])
    h = value(model, X)
    assert_close(head.predict(X), h)
    assert_close(Model(x, tail(x)).predict(X), value(model, np.maximum(h, 0)))
    host = uses(name='host')
    joined = Model(x, [host(x), model(x)])
    assert_close(joined.predict(X)[0], 2 * h)
    assert joined.variables.names == ['host/encoder/d/W', 'host/encoder/d/b']
    over_time = Model(series, TimeDistributed(model)(series))
    values = np.stack([X, 2 * X, 3 * X], axis=1)
    assert_close(over_time.predict(values), np.stack([h, value(model, 2 * X), value(model, 3 * X)], axis=1))


def test_a_model_of_several_inputs_and_outputs_is_shared():
    a, b = Input(4), Input(4)
    model = Model([a, b], [a + b, a * b], name='both')
    x, y = Input(4), Input(4)
    total, product = model([x, y])
    again = model([Activation('linear')(total), Activation('linear')(product)])
    outer = Model([x, y], [*again, Sequential([model, ElementWiseSum()])([x, y])])
    other = keraflow.unserialize(keraflow.serialize(outer))
    for one in (outer, other):
        first, second, third = one.predict([X, 3 * X])
        assert_close(first, 4 * X + 3 * X ** 2)
        assert_close(second, 12 * X ** 3)
        assert_close(third, 4 * X + 3 * X ** 2)


def test_scopes_and_chains_make_models_that_files_and_programs_make_again():
    def net(x):
        return LinearWrap(x).Dense('a').Dense('b', 3).B.square().Dense()()
    with argscope(Dense, output_dim=4, bias=False):
        x = Input(4)
        model = Model(x, net(x))
    assert model.variables.names == ['a/W', 'b/W', 'dense1/W']
    data = keraflow.serialize(model)
    with argscope(Dense, output_dim=9, bias=True):
        names = {}
        exec(model.to_python(), names)
        assert keraflow.serialize(keraflow.unserialize(data)) == data == keraflow.serialize(names['model'])
        assert copy.deepcopy(model).variables.names == model.variables.names
        changed = model.replace('b', Dense(3, name='c'))
    assert changed.variables.names == ['a/W', 'c/W', 'c/b', 'dense1/W'] and B.ndim(changed.outputs[0]) == 2
