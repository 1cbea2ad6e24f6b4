"""Layers that give several tensors: in paths, files, models, hosts, surgery and programs."""
import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import GraphError
from keraflow.layers import Activation, Dense, ElementWiseSum, Input, Layer
from keraflow.models import Model, Sequential

X = np.random.default_rng(4).normal(size=(5, 3)).astype('float32')


@keraflow.register(id='halves-in-test-several-outputs')
class Halves(Layer):
    """``x * W`` and ``x - W``."""

    def init_param(self, input_shape):
        self.set_trainable_params('W', np.arange(1., 4.))

    def output(self, x):
        return [x * self.W, x - self.W]

    def output_shape(self, input_shape):
        return [input_shape, input_shape]


@keraflow.register(id='crossed-in-test-several-outputs')
class Crossed(Layer):
    """What two embedded layers give, mixed."""

    def output(self, x):
        one, other = self.embed(Halves())(x)
        return [other, self.embed(ElementWiseSum())([one, one])]

    def output_shape(self, input_shape):
        return None


W = np.array([1., 2., 3.], 'float32')


def halves(x):
    return [x * W, x - W]


def branched():
    """A layer of two outputs that is fed twice; outputs are used crosswise, and one is dropped."""
    x = Input(3, name='x')
    layer = Halves(name='halves')
    one, other = layer(x)
    _, again = layer(ElementWiseSum(name='sum')([other, x]))
    return Model(x, [again, Activation('tanh', name='tanh')(one)], name='branched')


def expected(x):
    one, other = halves(x)
    return [halves(other + x)[1], np.tanh(one)]


def assert_all_close(found, wanted):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_names_paths_and_access():
    model = branched()
    layer = model.get_layer('halves')
    assert [kensor.name for kensor in layer.get_output_at(0)] == ['halves_0.0', 'halves_0.1']
    assert layer.get_output_shape_at(1) == [(None, 3), (None, 3)] == layer.output_kensor_shape
    steps = [[['x'], 'halves', ['halves_0.0', 'halves_0.1']], [['halves_0.1', 'x'], 'sum', 'sum_0'],
             [['sum_0'], 'halves', ['halves_1.0', 'halves_1.1']]]
    assert model.outputs[0].path == steps
    assert model.path == [*steps, [['halves_0.0'], 'tanh', 'tanh_0']]
    assert model.get_kensor('halves_1.1') is model.outputs[0]
    assert 'halves_0.0' in model.summary()


def test_replay_files_and_programs():
    model = branched()
    assert_all_close(model.predict(X), expected(X))
    data = keraflow.serialize(model)
    again = keraflow.unserialize(data)
    assert keraflow.serialize(again) == data
    assert_all_close(again.predict(X), expected(X))
    names = {}
    exec(model.to_python(), names)
    assert keraflow.serialize(names['model']) == data
    assert_all_close(names['model'].predict(X), expected(X))
    assert_all_close([B.eval(it) for it in model.get_layer('halves')(X)], halves(X))


def test_models_of_several_outputs_nest():
    model, x = branched(), Input(3)
    a, b = model(x)
    c, d = model(Activation('linear')(b))
    outer = Model(x, [ElementWiseSum()([a, c]), d])
    first = expected(X)
    second = expected(first[1])
    assert_all_close(outer.predict(X), [first[0] + second[0], second[1]])
    assert outer.variables.names == ['branched/halves/W']
    again = keraflow.unserialize(keraflow.serialize(outer))
    assert_all_close(again.predict(X), outer.predict(X))


def test_hosts_of_layers_with_several_outputs():
    host = Crossed(name='crossed')
    x = Input(3)
    model = Model(x, host(Activation('linear')(host(x)[1])))
    inner = 2 * X * W
    assert_all_close(model.predict(X), [inner - W, 2 * inner * W])
    assert host.variables.names == ['0/W']
    assert_all_close(keraflow.unserialize(keraflow.serialize(model)).predict(X), model.predict(X))


def test_a_sequential_has_several_outputs_where_its_layers_take_them():
    x = Input(3)
    tail = Sequential([Activation('tanh'), Halves()])
    assert_all_close(Model(x, tail(x)).predict(X), halves(np.tanh(X)))
    model = Sequential([Input(3), Halves(name='halves'), ElementWiseSum(name='sum')], name='s')
    ending = Sequential([Input(3), Activation('tanh'), Halves()], name='e')
    for one, expected_one in ((model, [sum(halves(X))]), (ending, halves(np.tanh(X)))):
        other = keraflow.unserialize(keraflow.serialize(one))
        names = {}
        exec(one.to_python(), names)
        for it in (one, other, names['model']):
            assert_all_close([it.predict(X)] if len(expected_one) == 1 else it.predict(X), expected_one)
    ending.add(ElementWiseSum())
    assert_all_close([ending.predict(X)], [sum(halves(np.tanh(X)))])
    nested = Sequential([Input(3), Halves()])
    assert_all_close(Model(x, nested(x)).predict(X), halves(X))


def test_a_sequential_of_several_outputs_is_no_kensor():
    several = Sequential([Input(3), Halves(name='halves')], name='s')
    with pytest.raises(GraphError) as caught:
        several.add(Dense(2, name='dense'))
    assert str(caught.value) == 'dense: expected one input, received 2. Join them first, with Concatenate() or with operators on Kensors such as a + b, or write a MultiInputLayer.'
    assert [layer.name for layer in several.layers[1:]] == ['halves'] and len(several.predict(X)) == 2
    with pytest.raises(GraphError) as caught:
        Dense(2)(several)
    assert str(caught.value) == 's: expected a Kensor, received a Sequential with 2 outputs. Take one of its outputs.'
    with pytest.raises(GraphError) as caught:
        Sequential([Halves(name='halves'), Dense(2, name='dense')], name='s')(Input(3))
    assert str(caught.value) == 'dense: expected one input, received 2. Join them first, with Concatenate() or with operators on Kensors such as a + b, or write a MultiInputLayer.'


def test_no_output():
    class Nothing(Layer):
        def output(self, x):
            return []

        def output_shape(self, input_shape):
            return None
    with pytest.raises(GraphError) as caught:
        Nothing(name='n')(Input(3))
    assert str(caught.value) == 'n: output() returned an empty list, expected at least one tensor.'


def test_training_moves_what_each_output_needs():
    model = branched()
    model.compile('sgd', ['mse', 'mse'], metrics={'tanh': 'mae'})
    [logs] = model.fit(X, [np.zeros((5, 3))] * 2, nb_epoch=1, batch_size=5, verbose=0)
    one, other = expected(X)
    np.testing.assert_allclose(logs['loss'], np.mean(one ** 2) + np.mean(other ** 2), rtol=1e-5)
    assert np.all(model.get_weights()['halves/W'] != W)


def test_surgery():
    model = branched()
    x = model.inputs[0]
    swapped = model.replace('halves', Crossed())
    first = [X - W, 2 * X * W]
    second = [first[1] + X - W, 2 * (first[1] + X) * W]
    assert_all_close(swapped.predict(X), [second[1], np.tanh(first[0])])
    after = model.insert_after('halves', Activation('relu', name='relu'))
    one, other = (np.maximum(it, 0) for it in halves(X))
    assert_all_close(after.predict(X), [np.maximum(halves(other + X)[1], 0), np.tanh(one)])
    part = Model(x, model.get_layer('halves')(x)).sub_model(x, 'halves')
    assert_all_close(part.predict(X), halves(X))
    for act, text in (
            (lambda: model.remove('halves'), 'branched: remove: halves has 1 input(s) and 2 output(s), which cannot replace each other. Use '
                                             'replace.'),
            (lambda: model.replace('halves', Dense(3, name='dense')), 'branched: replace: expected a layer of 2 output(s) in place of halves, '
                                                                      'received dense, which gives 1.'),
            (lambda: model.insert_after('tanh', Halves(name='more')), 'branched: insert_after: expected a layer of 1 output(s) behind tanh, '
                                                                      'received more, which gives 2.')):
        with pytest.raises(GraphError) as caught:
            act()
        assert str(caught.value) == text


def test_a_part_from_some_outputs_to_others():
    model = branched()
    with pytest.raises(GraphError) as caught:
        model.sub_model('x', 'halves')
    assert str(caught.value) == "branched: sub_model: halves was called 2 times. Name an output of one of the calls, for example 'halves_0.0'."
    x = Input(3)
    single = Model(x, Halves(name='halves')(x))
    assert_all_close(Model(x, single.get_kensor('halves/output.1')).predict([X])[None], halves(X)[1:])
    with pytest.raises(GraphError) as caught:
        single.get_kensor('halves/output')
    assert str(caught.value).endswith("There are input1, halves/output.0, halves/output.1.")
