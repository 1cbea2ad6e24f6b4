"""Layers made of layers: one copy of what is embedded, however often the host runs."""
import numpy as np
import pytest

from keraflow import activations
from keraflow import backend as B
from keraflow.errors import ArgumentError, GraphError, ShapeError
from keraflow.layers import Activation, Convolution1D, Dense, ElementWiseSum, Input, Lambda, Layer, PReLU
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.utils import serialize, unserialize

X = np.random.default_rng(1).normal(size=(4, 3)).astype('float32')
Y = np.random.default_rng(2).normal(size=(4, 2)).astype('float32')


class Host(Layer):
    """Makes its inner layers where it uses them."""

    def __init__(self, regularizers_inside=None, constraints_inside=None, **kwargs):
        super().__init__(**kwargs)
        self.regularizers_inside = regularizers_inside
        self.constraints_inside = constraints_inside

    def output(self, x):
        h = self.embed(Dense(5, activation='tanh'))(x)
        return self.embed(Dense(2, regularizers=self.regularizers_inside, constraints=self.constraints_inside))(h)

    def output_shape(self, input_shape):
        return (input_shape[0], 2)


class Keeper(Layer):
    """Keeps one inner layer and uses it twice, with one made on the fly before and one after."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def output(self, x):
        x = self.embed(Dense(3))(x)
        x = self.embed(self.inner)(x)
        x = self.embed(Dense(3, activation='tanh'))(x)
        return self.embed(self.inner)(x)

    def output_shape(self, input_shape):
        return self.inner.output_shape(input_shape)


class Changing(Layer):
    """Embeds what the test says."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.now = lambda: [Dense(3)]

    def output(self, x):
        for layer in self.now():
            x = self.embed(layer)(x)
        return x


def dense(x, weights, prefix, activation=lambda z: z):
    return activation(x @ weights[prefix + '/W'] + weights[prefix + '/b'])


def test_a_host_fed_twice_has_one_copy_which_training_moves():
    host, a, b = Host(name='host'), Input(3, name='a'), Input(3, name='b')
    model = Model([a, b], ElementWiseSum()([host(a), host(b)]))
    weights = model.get_weights()
    assert sorted(weights) == ['host/0/W', 'host/0/b', 'host/1/W', 'host/1/b']
    assert len(host.embedded_layers) == 2

    def formula(w):
        return sum(dense(dense(x, w, 'host/0', np.tanh), w, 'host/1') for x in (X, -2 * X))

    assert np.allclose(model.predict([X, -2 * X]), formula(weights), atol=1e-5)
    model.compile(SGD(lr=0.1), 'mse')
    before = model.evaluate([X, -2 * X], Y)['loss']
    model.fit([X, -2 * X], Y, nb_epoch=3, verbose=0)
    trained = model.get_weights()
    assert all(not np.array_equal(trained[name], weights[name]) for name in weights)
    assert model.evaluate([X, -2 * X], Y)['loss'] < before
    assert np.allclose(model.predict([X, -2 * X]), formula(trained), atol=1e-5)
    assert sorted(trained) == sorted(weights)


def test_freezing_the_host_freezes_what_it_embeds():
    x = Input(3)
    host = Host(trainable=False, name='host')
    model = Model(x, Dense(2, name='out')(host(x)))
    assert [one.name for one in model.parameters() if one.trainable] == ['out/W', 'out/b']
    before = model.get_weights()
    model.compile('sgd', 'mse')
    model.fit(X, Y, nb_epoch=1, verbose=0)
    after = model.get_weights()
    assert [name for name in before if not np.array_equal(before[name], after[name])] == ['out/W', 'out/b']


def test_regularizers_and_constraints_of_inner_layers_act():
    x = Input(3)
    model = Model(x, Host(['l2'], {'W': 'nonneg'}, name='host')(x))
    model.compile(SGD(lr=0.1), 'mse')
    W = model.get_weights()['host/1/W']
    assert W.min() < 0
    plain = model.evaluate(X, Y)['loss']
    history = model.fit(X, Y, nb_epoch=1, verbose=0)
    assert np.isclose(history[0]['loss'], plain + 0.01 * np.sum(W ** 2), rtol=1e-5)
    assert model.get_weights()['host/1/W'].min() >= 0
    assert model.get_weights()['host/0/W'].min() < 0


def test_a_kept_layer_used_twice_is_one_slot_among_those_made_on_the_fly():
    x = Input(3)
    keeper = Keeper(Dense(3, name='inner'), name='keeper')
    a, b = keeper(x), keeper(x)
    assert len(keeper.embedded_layers) == 3
    assert keeper.embedded_layers[1] is keeper.inner
    model = Model(x, ElementWiseSum()([a, b]))
    w = model.get_weights()
    assert len(w) == 6

    h = dense(X, w, 'keeper/0')
    h = dense(h, w, 'keeper/1')
    h = dense(h, w, 'keeper/2', np.tanh)
    assert np.allclose(model.predict(X), 2 * dense(h, w, 'keeper/1'), atol=1e-5)


@pytest.mark.parametrize('order', ['kmm', 'mkm', 'mmk', 'kmkmk', 'mkkm', 'kk'])
def test_kept_and_made_layers_mix_in_any_order(order):
    kept = Dense(3, name='kept')
    host = Changing()
    host.now = lambda: [kept if letter == 'k' else Dense(3, activation='tanh') for letter in order]
    host(Input(3))
    layers = host.embedded_layers
    assert len(layers) == order.count('m') + 1
    for _ in range(2):
        host(Input(3))
    assert host.embedded_layers == layers


def test_a_host_whose_kept_layers_come_and_go_in_later_runs():
    kept = Dense(3)
    host = Changing()
    host.now = lambda: [Dense(3), kept, Dense(3)]
    host(Input(3))
    host.now = lambda: [kept, Dense(3), Dense(3), kept]
    host(Input(3))
    assert len(host.embedded_layers) == 3


def test_a_kept_layer_may_come_at_another_place_in_later_runs():
    host = Changing()
    host.kept = Dense(3)
    host.now = lambda: [host.kept, Dense(3)]
    host(Input(3))
    host.now = lambda: [Dense(3), host.kept]
    taken = []
    vars(host)['embed'] = lambda layer: taken.append(host._slots.take(layer)) or (lambda x: x)
    host(Input(3))
    assert taken == [host.embedded_layers[1], host.kept]


def test_other_arguments_in_a_later_run_are_an_error():
    host = Changing(name='host')
    host.now = lambda: [Dense(3), Activation('tanh')]
    host(Input(3))
    host.now = lambda: [Dense(3), Activation('relu')]
    with pytest.raises(GraphError) as caught:
        host(Input(3))
    assert str(caught.value) == ("host: slot 1 holds Activation(activation='tanh'), but output() now embeds "
                                 "Activation(activation='relu'). output() must embed the same layers in each run.")
    host.now = lambda: [Dense(3), Dense(3)]
    with pytest.raises(GraphError, match=r'host: slot 1 holds Activation\(activation=\'tanh\'\), but output\(\) now embeds Dense'):
        host(Input(3))


def test_more_or_fewer_layers_in_a_later_run_are_an_error():
    host = Changing(name='host')
    host.now = lambda: [Dense(3), Dense(3)]
    host(Input(3))
    host.now = lambda: [Dense(3)] * 1
    with pytest.raises(GraphError) as caught:
        host(Input(3))
    assert str(caught.value) == ('host: output() embedded fewer layers than in its first run. Make layers that are not used in '
                                 'every run in __init__, and keep them as attributes.')
    host.now = lambda: [Dense(3), Dense(3), Dense(3)]
    with pytest.raises(GraphError) as caught:
        host(Input(3))
    assert str(caught.value) == ('host: output() embeds more layers than in its first run. Make layers that are not used in '
                                 'every run in __init__, and keep them as attributes.')
    host.now = lambda: [Dense(3), Dense(3)]
    assert host(Input(3)).shape == (None, 3)


def test_a_layer_cannot_embed_itself():
    host = Changing(name='host')
    host.now = lambda: [host]
    with pytest.raises(GraphError) as caught:
        host(Input(3))
    assert str(caught.value) == 'host: a layer cannot embed itself.'


def test_a_first_run_that_fails_leaves_no_slots_and_the_next_one_works():
    host = Changing(name='host')
    host.now = lambda: [Dense(3), Dense(4), Dense(3, initial_weights={'W': np.zeros((9, 9))})]
    with pytest.raises(ShapeError):
        host(Input(3))
    assert host.embedded_layers == () and host.get_weights() == {}
    host.now = lambda: [Dense(3, bias=False)]
    assert host(Input(3)).shape == (None, 3)
    assert sorted(host.get_weights()) == ['0/W']


def test_a_later_run_that_fails_changes_nothing():
    host = Changing(name='host')
    host.now = lambda: [Dense(3)]
    host(Input(3))
    weights = host.get_weights()
    host.now = lambda: [Dense(3), Lambda(lambda x: x[:, :1] @ 'no')]
    with pytest.raises(Exception):
        host(Input(3))
    host.now = lambda: [Dense(3)]
    host(Input(3))
    assert all(np.array_equal(weights[name], array) for name, array in host.get_weights().items())


class Nest(Layer):
    """A host of hosts."""

    def output(self, x):
        return self.embed(Dense(2))(self.embed(Host())(x)) + self.embed(Host())(x)

    def output_shape(self, input_shape):
        return (input_shape[0], 2)


def test_hosts_nest_and_are_rebuilt():
    x = Input(3)
    nest = Nest(name='nest')
    model = Model(x, ElementWiseSum()([nest(x), nest(x)]))
    names = [one.name for one in model.parameters()]
    # In Python self.embed(Dense(2)) is evaluated before its argument.
    assert names == [f'nest/{slot}/{one}' for slot in ('0', '1/0', '1/1', '2/0', '2/1') for one in ('W', 'b')]
    again = unserialize(serialize(model), custom_objects=[Nest])
    assert [one.name for one in again.parameters()] == names
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(X), model.predict(X))


class TensorInfo(Layer):
    """Notes what its inner layer knows of its input."""

    seen: list = []

    def support_mask(self):
        return True

    def output(self, x):
        mask = self.get_tensor_mask(x)
        TensorInfo.seen.append((self.get_tensor_shape(x), None if mask is None else B.ndim(mask)))
        return x


class Looks(Layer):
    """Gives the inner layer results of backend functions."""

    def output(self, x):
        self.embed(TensorInfo())(x)
        self.embed(TensorInfo())(B.concatenate([x * 2, B.exp(x)], axis=-1))
        self.embed(TensorInfo())(B.sum(x, axis=1))
        return self.embed(TensorInfo())(B.tanh(x))


def test_an_inner_layer_knows_shape_and_mask_also_behind_backend_functions():
    TensorInfo.seen = []
    x = Input((4, 3), mask_value=0)
    y = Looks()(x)
    assert TensorInfo.seen[:4] == [((None, 4, 3), 2), ((None, 4, 6), 2), ((None, 3), None), ((None, 4, 3), 2)]
    assert (y.shape, y.mask_shape) == ((None, 4, 3), (None, 4))
    TensorInfo.seen = []
    Looks()(Input((4, 3)))
    assert TensorInfo.seen[:4] == [((None, 4, 3), None), ((None, 4, 6), None), ((None, 3), None), ((None, 4, 3), None)]


class Reads(Layer):
    """Hands the result of a function of its input to a layer that notes what it knows of it."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def output(self, x):
        return self.embed(TensorInfo())(self.function(x))


@pytest.mark.parametrize('function', [
    B.sigmoid, B.softplus, activations.softmax, lambda x: B.exp(x) * 2, lambda x: 1 - B.softmax(x),
    lambda x: B.concatenate([B.sigmoid(x), x])], ids=['sigmoid', 'softplus', 'softmax', 'exp', 'rest', 'joined'])
def test_what_is_remembered_of_logarithms_and_features_hides_no_mask(function):
    TensorInfo.seen = []
    assert Reads(function)(Input((4, 3), mask_value=0)).mask_shape == (None, 4)
    assert {ndim for _, ndim in TensorInfo.seen} == {2}


class MaskOf(Layer):
    """The mask of its input, as numbers."""

    def output(self, x):
        return B.cast(self.get_tensor_mask(x), B.floatx())


@pytest.mark.parametrize('activation', ['relu', 'softmax', PReLU])
def test_the_mask_of_a_convolution_is_its_own_whatever_activation_it_has(activation):
    data = np.ones((1, 4, 3))
    data[0, 3:] = 0
    x = Input((None, 3), mask_value=0)
    activation = activation if isinstance(activation, str) else activation(shared_axes=[0])
    model = Model(x, MaskOf()(Convolution1D(2, 2, activation=activation)(x)))
    assert model.predict(data).tolist() == [[1, 1, 0]]


def test_a_layer_shared_between_a_host_and_the_graph_is_one():
    inner = Dense(3, name='inner')
    x = Input(3)
    keeper = Keeper(inner, name='keeper')
    model = Model(x, ElementWiseSum()([inner(x), keeper(x)]))
    variables = {id(one.variable) for one in model.parameters()}
    assert len(variables) == 6
    again = unserialize(serialize(model), custom_objects=[Keeper])
    assert again.get_layer('keeper').inner is again.get_layer('inner')
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(X), model.predict(X))
    model.compile(SGD(lr=0.1), 'mse')
    model.fit(X, X, nb_epoch=1, verbose=0)
    assert sorted(model.get_weights()) == ['inner/W', 'inner/b', 'keeper/0/W', 'keeper/0/b', 'keeper/2/W', 'keeper/2/b']
    assert not np.array_equal(model.predict(X), again.predict(X))
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(X), model.predict(X))


def test_hosts_with_attribute_layers_are_rebuilt_with_their_arguments():
    keeper = Keeper(Dense(3, regularizers=['l1'], name='inner'), name='keeper')
    data = serialize(keeper)
    assert data['args']['inner']['class'] == 'Dense' and data['args']['inner']['args']['regularizers'] == ['l1']
    again = unserialize(data, custom_objects=[Keeper])
    assert serialize(again) == data
    assert again.inner is not keeper.inner


def test_weights_of_a_host_are_set_by_name_and_checked():
    host = Host(name='host')
    with pytest.raises(ArgumentError) as caught:
        host.set_weights({'0/W': np.ones((3, 5))})
    assert str(caught.value) == 'host: the layer has no parameters before its first call. Feed it, or pass initial_weights=.'
    host(Input(3))
    host.set_weights({'0/W': np.ones((3, 5))})
    assert np.array_equal(host.get_weights()['0/W'], np.ones((3, 5)))
    with pytest.raises(ArgumentError) as caught:
        host.set_weights({'2/W': np.ones((3, 5))})
    assert str(caught.value) == "host: weights: there is no '2/W'. Did you mean '1/W'?"
    with pytest.raises(ShapeError) as caught:
        host.set_weights({'0/b': np.zeros(5), '0/W': np.ones((5, 3))})
    assert str(caught.value) == 'host: weights: 0/W: expected an array of shape (3, 5), received (5, 3).'


def test_sequential_in_a_sequential_is_a_host_in_a_host():
    inner = Sequential([Dense(4), Activation('tanh')], name='inner')
    outer = Sequential([inner, Dense(2)], name='outer')
    x = Input(3)
    model = Model(x, outer(x))
    w = model.get_weights()
    assert sorted(w) == ['outer/0/0/W', 'outer/0/0/b', 'outer/1/W', 'outer/1/b']
    assert np.allclose(model.predict(X), dense(dense(X, w, 'outer/0/0', np.tanh), w, 'outer/1'), atol=1e-5)
