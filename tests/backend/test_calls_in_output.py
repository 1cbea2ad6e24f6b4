"""Layers that are called on tensors inside ``output``: they are parts of the host, as if they were embedded."""
import copy

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import GraphError, KeraFlowWarning
from keraflow.layers import (LSTM, Activation, BatchNormalization, Bidirectional, Dense, Dropout, Input, Lambda, Layer,
                             TimeDistributed)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD

X = np.random.default_rng(3).normal(size=(5, 3)).astype('float32')


class MadeInOutput(Layer):
    def output(self, x):
        return Dense(2)(Dense(3, activation='tanh', regularizers=['l2'])(x))

    def output_shape(self, input_shape):
        return (input_shape[0], 2)


class KeptAsAttribute(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = Dense(3, activation='tanh', regularizers=['l2'])
        self.others = {'last': [Dense(2)]}

    def output(self, x):
        return self.others['last'][0](self.first(x))

    def output_shape(self, input_shape):
        return (input_shape[0], 2)


class CalledTwice(Layer):
    """A layer of a name inside output."""

    def output(self, x):
        dense = Dense(3)
        return dense(x) + dense(dense(x))


def two_layers(weights, x, prefix=''):
    h = np.tanh(x @ weights[f'{prefix}0/W'] + weights[f'{prefix}0/b'])
    return h @ weights[f'{prefix}1/W'] + weights[f'{prefix}1/b']


@pytest.mark.parametrize('host', [MadeInOutput, KeptAsAttribute])
def test_their_parameters_are_listed_trained_and_regularized(host):
    x = Input(3)
    model = Model(x, host(name='h')(x))
    weights = model.get_weights()
    assert sorted(weights) == ['h/0/W', 'h/0/b', 'h/1/W', 'h/1/b']
    np.testing.assert_allclose(model.predict(X), two_layers(weights, X, 'h/'), rtol=1e-4, atol=1e-5)
    model.compile(SGD(lr=0.1), 'mse')
    Y = X[:, :2]
    plain = np.mean((two_layers(weights, X, 'h/') - Y) ** 2)
    history = model.fit(X, Y, nb_epoch=1, verbose=0)
    np.testing.assert_allclose(history[0]['loss'], plain + 0.01 * np.sum(weights['h/0/W'] ** 2), rtol=1e-4)
    after = model.get_weights()
    assert all(not np.array_equal(weights[name], after[name]) for name in weights)
    np.testing.assert_allclose(model.predict(X), two_layers(after, X, 'h/'), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('host', [MadeInOutput, KeptAsAttribute, CalledTwice])
def test_they_survive_files_and_copies(host, tmp_path):
    x = Input(3)
    model = Model(x, host(name='h')(x))
    model.save_to_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    loaded = Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors', custom_objects=[host])
    for again in (loaded, copy.deepcopy(model)):
        np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-5, atol=1e-6)


def test_a_layer_made_in_output_and_called_twice_has_one_slot():
    x = Input(3)
    model = Model(x, CalledTwice(name='h')(x))
    W, b = (model.get_weights()[f'h/0/{name}'] for name in 'Wb')
    once = X @ W + b
    assert len(model.get_weights()) == 2
    np.testing.assert_allclose(model.predict(X), once + once @ W + b, rtol=1e-4, atol=1e-5)
    model.compile('sgd', 'mse')
    model.fit(X, X, nb_epoch=1, verbose=0)


def test_layers_called_in_lambda():
    outside = Dense(2, name='outside')
    x = Input(3)
    model = Model(x, Lambda(lambda it: outside(Dense(4, name='inside')(it)), name='f')(x))
    assert sorted(model.get_weights()) == ['f/0/W', 'f/0/b', 'f/1/W', 'f/1/b']
    np.testing.assert_array_equal(model.predict(X), model.predict(X))
    model.compile('sgd', 'mse')
    before = model.get_weights()
    model.fit(X, X[:, :2], nb_epoch=1, verbose=0)
    assert all(not np.array_equal(before[name], one) for name, one in model.get_weights().items() if name[-1] == 'W')


def test_a_model_kept_as_a_teacher_is_a_part_and_may_be_frozen():
    z = Input(3)
    teacher = Model(z, Dense(2, name='t')(z), name='teacher')

    class Distilled(Layer):
        def __init__(self, teacher, **kwargs):
            super().__init__(**kwargs)
            self.teacher = teacher
            teacher.trainable = False

        def output(self, x):
            return self.teacher(x) + Dense(2)(x)

        def output_shape(self, input_shape):
            return None
    x = Input(3)
    model = Model(x, Distilled(teacher, name='d')(x))
    assert sorted(model.get_weights()) == ['d/0/t/W', 'd/0/t/b', 'd/1/W', 'd/1/b']
    model.compile('sgd', 'mse')
    before = teacher.get_weights()
    model.fit(X, X[:, :2], nb_epoch=1, verbose=0)
    np.testing.assert_array_equal(before['t/W'], teacher.get_weights()['t/W'])


def test_hosts_in_hosts_and_wrappers():
    class Outer(Layer):
        def output(self, x):
            return Bidirectional(LSTM(2, return_sequences=True))(TimeDistributed(MadeInOutput())(x))

        def output_shape(self, input_shape):
            return None
    x = Input((4, 3))
    model = Model(x, Outer(name='o')(x))
    names = list(model.get_weights())
    assert 'o/0/0/1/W' in names and any(name.startswith('o/1/1/') for name in names)
    series = np.stack([X] * 4, axis=1)
    np.testing.assert_array_equal(model.predict(series), model.predict(series))
    model.compile('sgd', 'mse')
    model.fit(series, np.zeros((5, 4, 4)), nb_epoch=1, verbose=0)


def test_updates_and_losses_of_called_layers_are_the_models():
    class Normed(Layer):
        def output(self, x):
            return BatchNormalization()(Dropout(0.5)(Activation('relu', activity_regularizer='l1')(x)))
    x = Input(3)
    layer = Normed()
    model = Model(x, layer(x))
    assert len(layer.updates) == 2 and len(layer.losses) == 1 and len(model.updates) == 2


def test_layers_called_in_init_param_are_no_parts():
    class Measures(Layer):
        def init_param(self, input_shape):
            probe = Dense(2)(B.ones((1, input_shape[1])))
            self.set_state_params('n', np.full(1, float(B.eval(B.shape(probe)[1]))))

        def output(self, x):
            return x * self.n
    x = Input(3)

    class Host(Layer):
        def output(self, x):
            return Measures()(x)
    model = Model(x, Host(name='h')(x))
    assert list(model.get_weights()) == ['h/0/n']
    np.testing.assert_allclose(model.predict(X), 2 * X)


def test_a_model_has_the_layers_of_its_graph_alone():
    class Longer(Model):
        def output(self, x):
            return Dense(2, name='more')(super().output(x))
    x = Input(3)
    model = Longer(x, Dense(3)(x), name='m')
    with pytest.raises(GraphError) as caught:
        model(Input(3))
    assert str(caught.value) == ('m: output() calls <Dense more>, which is not a layer of this model: a model has those of its graph '
                                 'alone. Call the model and the layer in output() of a Layer.')


# -- what runs do not all embed ------------------------------------------------------------------------------------------

class LogitsInTraining(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.softmax = Activation('softmax')

    def output(self, x):
        return B.in_train_phase(lambda: x * 1., lambda: self.softmax(x))


def test_a_kept_layer_without_parameters_may_come_in_a_later_run():
    x = Input(3)
    model = Model(x, LogitsInTraining()(x))
    exponentials = np.exp(X)
    for _ in range(2):
        np.testing.assert_allclose(model.predict(X), exponentials / exponentials.sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(model.predict(X, train_mode=True), X)


def test_one_with_parameters_may_not():
    class Late(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = Dense(3, name='late')

        def output(self, x):
            return B.in_train_phase(lambda: x * 1., lambda: self.dense(x))
    x = Input(3)
    model = Model(x, Late(name='h')(x))
    for _ in range(2):
        with pytest.raises(GraphError) as caught:
            model.predict(X)
        assert str(caught.value) == ("h: output() embeds late, which has parameters, for the first time after its first run, which "
                                     "is in the phase 'train'. Call it in that run, too.")
    assert not model.get_weights()


class WeightLater(Layer):
    def __init__(self, way, **kwargs):
        super().__init__(**kwargs)
        self.way = way

    def output(self, x):
        if B.current_phase() == 'test':
            if self.way == 'add_weight':
                return x * self.add_weight('late', (3,), init='one')
            getattr(self, self.way)('late', np.ones(3))
        return x * 1.


@pytest.mark.parametrize('way', ['add_weight', 'set_trainable_params', 'set_state_params'])
def test_a_parameter_made_after_the_first_run_is_refused_in_that_run(way):
    x = Input(3)
    model = Model(x, WeightLater(way, name='w')(x))
    for _ in range(2):
        with pytest.raises(GraphError) as caught:
            model.predict(X)
        assert str(caught.value) == ("w: output() makes the parameter 'late', which its first run did not make. Make it in "
                                     'init_param(), or in every run.')
    assert not model.get_weights()


# -- what is no part and looks like one ----------------------------------------------------------------------------------

class Forgets(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(3)
        self.rest = [Dense(3), {'x': Dropout(0.5)}]

    def output(self, x):
        return self.dense(x)


def test_a_layer_that_is_never_called_is_reported_once():
    layer = Forgets(name='h')
    with pytest.warns(KeraFlowWarning) as caught:
        layer(Input(3))
    assert sorted(str(one.message) for one in caught) == [
        'h: rest[0] is a Dense that output() does not call: it is not part of the layer. Call it, or remove it.',
        "h: rest[1]['x'] is a Dropout that output() does not call: it is not part of the layer. Call it, or remove it."]
    layer(Input(3))


def test_references_are_no_mistake():
    class Keeps(Layer):
        """A template that is copied, a neighbour, a teacher, and a layer of the other phase."""

        def __init__(self, template, **kwargs):
            super().__init__(**kwargs)
            self.template = template
            self.parts = [copy.deepcopy(template) for _ in range(2)]

        def output(self, x):
            for part in self.parts:
                x = part(x)
            return x
    neighbour, host = Dense(3), Keeps(Dense(3))
    neighbour(Input(3))
    host.neighbour, host.inputs = neighbour, Input(3)
    z = Input(3)
    host.teacher = Model(z, Dense(2)(z))
    host(Input(3))
    LogitsInTraining()(Input(3))
    assert len(host.get_weights()) == 4


def test_a_variable_that_is_no_parameter_is_reported():
    class Keeps(Layer):
        def init_param(self, input_shape):
            self.set_trainable_params('W', B.variable(np.ones(3)))
            self.scale = B.variable(2.)
            self.more = {'a': [B.variable(1.)]}

        def output(self, x):
            return x * self.W * self.scale

    with pytest.warns(KeraFlowWarning) as caught:
        layer = Keeps(name='k')
        layer(Input(3))
    assert [str(one.message) for one in caught] == [
        f"k: {place} is a variable but not a parameter: it is neither trained nor saved. Write self.set_trainable_params('{name}', "
        f'...), or set_state_params, instead of self.{name} = ...' for place, name in (('scale', 'scale'), ("more['a'][0]", 'more'))]
    assert list(layer.get_weights()) == ['W']


def test_a_variable_of_another_layer_or_of_an_argument_is_no_mistake():
    first = Dense(3, name='first')
    first(Input(3))

    class Tied(Layer):
        def __init__(self, given, **kwargs):
            super().__init__(**kwargs)
            self.given = given

        def init_param(self, input_shape):
            self.table = first.W
            self.set_trainable_params('own', first.b)

        def output(self, x):
            return B.dot(x, self.table) * self.given + self.own
    Tied(B.variable(1.))(Input(3))


# -- a first run that fails ----------------------------------------------------------------------------------------------

class Fails(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(2)
        self.host = MadeInOutput()

    def output(self, x):
        y = Dense(3)(self.host(self.dense(x)))
        if self.get_tensor_shape(x)[1] == 3:
            raise ValueError('three')
        return y

    def output_shape(self, input_shape):
        return None


def test_a_host_whose_first_feed_failed_is_as_before_and_so_are_its_parts():
    host = Fails(name='h')
    for _ in range(2):
        with pytest.raises(ValueError, match='three'):
            host(Input(3))
        assert not host.get_weights() and not host.dense.get_weights() and not host.embedded_layers
    x = Input(4)
    for one in (copy.deepcopy(host), host):
        model = Model(x, one(x))
        assert one.get_weights()['0/W'].shape == (4, 2) and len(one.get_weights()) == 8
        model.predict(np.ones((2, 4)))


@pytest.mark.parametrize('make, wrong, right', [
    (lambda: Dense(2), (3, 3), 3), (lambda: MadeInOutput(), (3, 3), 3), (lambda: LSTM(2), 3, (4, 3)),
    (lambda: Sequential([Dense(3), Dense(2)]), (4, 3), 3), (lambda: TimeDistributed(LSTM(2)), (4, 3), (4, 5, 3)),
    (lambda: Dense(2, initial_weights={'W': np.ones((4, 2))}), 3, 4)])
def test_a_layer_whose_first_feed_failed_can_be_copied_and_fed_again(make, wrong, right):
    layer = make()
    with pytest.raises(keraflow.errors.KeraFlowError):
        layer(Input(wrong))
    again = copy.deepcopy(layer)
    assert again(Input(right)).shape == layer(Input(right)).shape
    assert len(again.get_weights()) == len(layer.get_weights()) > 0


def test_a_part_that_was_fed_before_keeps_its_parameters_where_its_host_fails():
    host = Fails(name='h')
    host.dense(Input(3))
    before = host.dense.get_weights()
    with pytest.raises(ValueError, match='three'):
        host(Input(3))
    np.testing.assert_array_equal(host.dense.get_weights()['W'], before['W'])
