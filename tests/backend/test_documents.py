"""What the guides show works as they show it: the developer's guide first, then the tutorial."""
import numpy as np
from guide import SequentialLayer

from keraflow import backend as B
from keraflow import objectives, regularizers, utils
from keraflow.layers import Activation, Concatenate, Dense, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.utils import serialize, unserialize

X = np.random.default_rng(0).normal(size=(5, 6)).astype('float32')


class HalfDense(Layer):
    """The second half of the units, fully connected."""

    def __init__(self, output_dim, init='glorot_uniform', activation='linear', **kwargs):
        super(HalfDense, self).__init__(**kwargs)
        self.output_dim = output_dim
        self.init = utils.get_from_module('initializations', init)
        self.activation = utils.get_from_module('activations', activation)

    def init_param(self, input_shape):
        W = self.init((input_shape[1] // 2, self.output_dim))
        self.set_trainable_params('W', W)

    def output(self, x):
        input_dim = self.get_tensor_shape(x)[1]
        return self.activation(B.dot(x[:, input_dim // 2:], self.W))

    def output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)


class Embedding64(Layer):
    """A host that makes its inner layer where it uses it."""

    def output(self, x):
        return self.embed(Dense(64, regularizers=['l1']))(x)

    def output_shape(self, input_shape):
        return (input_shape[0], 64)


class MyLayer(Layer):
    """Changes an argument in the constructor."""

    def __init__(self, output_dim, additional_dim, **kwargs):
        super(MyLayer, self).__init__(**kwargs)
        self.output_dim = output_dim + additional_dim
        self.additional_dim = additional_dim

    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones((input_shape[1], self.output_dim)))

    def output(self, x):
        return B.dot(x, self.W)

    def output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)


class MyPackedLayer(MyLayer):
    """And undoes the change when it is saved."""

    def pack_init_param(self):
        params = super(MyPackedLayer, self).pack_init_param()
        params['output_dim'] = params['output_dim'] - self.additional_dim
        return params


def test_half_dense_computes_and_trains():
    x = Input(6)
    model = Model(inputs=x, outputs=HalfDense(2, activation='tanh', name='half')(x))
    W = model.get_weights()['half/W']
    assert W.shape == (3, 2)
    assert np.allclose(model.predict(X), np.tanh(X[:, 3:] @ W), atol=1e-6)
    model.compile(optimizer='sgd', loss='mse')
    model.fit(X, X[:, :2], nb_epoch=1, verbose=0)
    assert not np.array_equal(model.get_weights()['half/W'], W)


def test_half_dense_is_rebuilt_with_the_names_and_the_common_arguments():
    layer = HalfDense(2, activation='tanh', regularizers=['l2'], trainable=False, name='half')
    assert serialize(layer) == {'class': 'HalfDense', 'args': {
        'output_dim': 2, 'init': 'glorot_uniform', 'activation': 'tanh', 'name': 'half', 'trainable': False,
        'regularizers': ['l2']}}
    again = unserialize(serialize(layer), custom_objects=[HalfDense])
    assert again.activation is layer.activation and again.init is layer.init
    assert (again.output_dim, again.name, again.trainable, again.regularizers) == (2, 'half', False, ['l2'])


def test_a_dense_embedded_in_output_is_the_hosts_own_and_is_regularized():
    x = Input(6)
    host = Embedding64(name='host')
    model = Model(x, host(x))
    W, b = model.get_weights()['host/0/W'], model.get_weights()['host/0/b']
    assert W.shape == (6, 64)
    assert np.allclose(model.predict(X), X @ W + b, atol=1e-5)
    model.compile('sgd', 'mse')
    Y = np.zeros((5, 64))
    plain = model.evaluate(X, Y)['loss']
    assert np.isclose(plain, np.mean((X @ W + b) ** 2), rtol=1e-5)
    history = model.fit(X, Y, nb_epoch=1, verbose=0)
    assert np.isclose(history[0]['loss'], plain + 0.01 * np.abs(W).sum(), rtol=1e-5)


def test_a_sequential_layer_built_on_embed():
    x = Input(6)
    sequential = SequentialLayer([Dense(4, activation='relu'), Dense(2)], name='seq')
    model = Model(x, sequential(x))
    weights = model.get_weights()
    assert sorted(weights) == ['seq/0/W', 'seq/0/b', 'seq/1/W', 'seq/1/b']
    hidden = np.maximum(X @ weights['seq/0/W'] + weights['seq/0/b'], 0)
    assert np.allclose(model.predict(X), hidden @ weights['seq/1/W'] + weights['seq/1/b'], atol=1e-5)
    again = unserialize(serialize(model), custom_objects=[SequentialLayer])
    again.set_weights(weights)
    assert np.allclose(again.predict(X), model.predict(X), atol=1e-6)


def test_my_layer_with_pack_init_param_is_saved_as_it_was_called():
    layer = MyPackedLayer(1, 2)
    assert layer.output_dim == 3
    assert serialize(layer) == {'class': 'MyPackedLayer', 'args': {'output_dim': 1, 'additional_dim': 2}}
    again = unserialize(serialize(layer), custom_objects=[MyPackedLayer])
    assert (again.output_dim, again.additional_dim) == (3, 2)
    assert again(Input(6)).shape == (None, 3)


def test_my_layer_without_pack_init_param_too_behaves_like_the_original():
    layer = MyLayer(1, 2, constraints={'W': 'nonneg'})
    assert serialize(layer) == {'class': 'MyLayer', 'args': {'output_dim': 1, 'additional_dim': 2,
                                                             'constraints': {'W': 'nonneg'}}}
    again = unserialize(serialize(layer), custom_objects=[MyLayer])
    assert (again.output_dim, again.additional_dim, again.constraints) == (3, 2, {'W': 'nonneg'})
    twice = unserialize(serialize(again), custom_objects=[MyLayer])
    assert twice.output_dim == 3


def test_tutorial_a_layer_turns_a_kensor_into_a_kensor():
    x = Input(shape=(100,))
    dense = Dense(output_dim=64, init='uniform', activation='linear')
    assert dense(x).shape == (None, 64)


def test_tutorial_a_shared_layer_has_one_W_and_one_b():
    d = Dense(50)
    y1, y2 = d(Input(100)), d(Input(100))
    assert y1.layer is y2.layer is d
    assert sorted(d.get_weights()) == ['W', 'b']


def test_tutorial_concatenate_takes_a_list():
    joined = Concatenate(axis=0)([Dense(50)(Input(100)), Dense(20)(Input(100))])
    assert joined.shape == (None, 70)
    assert Dense(2)(joined).shape == (None, 2)


def test_tutorial_sequential_is_a_model_whether_listed_or_added_to():
    added = Sequential()
    added.add(Input(6))
    added.add(Dense(4))
    added.add(Dense(2))
    added.add(Activation('softmax'))
    listed = Sequential([Input(6), Dense(4), Dense(2), Activation('softmax')])
    listed.set_weights(list(added.get_weights().values()))
    found = added.predict(X)
    assert np.allclose(found.sum(axis=1), 1)
    assert np.allclose(listed.predict(X), found)
    added.compile(optimizer='sgd', loss='categorical_crossentropy')
    assert set(added.evaluate(X, np.eye(2)[[0, 1, 0, 1, 1]])) == {'loss'}


def test_tutorial_sequential_with_an_input_is_a_kensor():
    seq = Sequential([Input(6), Dense(4), Dense(3), Activation('softmax')])
    out = Dense(2)(seq)
    assert out.shape == (None, 2)
    model = Model(inputs=seq, outputs=out)
    assert [type(layer).__name__ for layer in model.layers] == ['Input', 'Dense', 'Dense', 'Activation', 'Dense']
    weights = out.layer.get_weights()
    assert np.allclose(model.predict(X), seq.predict(X) @ weights['W'] + weights['b'], atol=1e-6)


def test_tutorial_sequential_without_an_input_is_a_layer_of_as_many_inputs_as_its_first():
    seq = Sequential()
    seq.add(Concatenate())
    seq.add(Dense(4))
    input1, input2 = Input(6), Input(6)
    model = Model([input1, input2], seq([input1, input2]))
    weights = seq.get_weights()
    assert sorted(weights) == ['1/W', '1/b']
    assert np.allclose(model.predict([X, -X]), np.hstack([X, -X]) @ weights['1/W'] + weights['1/b'], atol=1e-5)


def test_tutorial_two_inputs_and_two_outputs_by_name_and_by_order():
    x1, x2 = Input(6, name='x1'), Input(3, name='x2')
    y1 = Dense(2, name='output1', activation='softmax')(x1)
    y2 = Dense(4, name='output2')(x2)
    model = Model(inputs=[x1, x2], outputs=[y1, y2])
    model.compile(optimizer='sgd', loss={'output1': 'categorical_crossentropy', 'output2': 'square_error'},
                  metrics={'output1': objectives.get('acc')})
    Z, T1, T2 = X[:, :3], np.eye(2)[[0, 1, 0, 1, 1]], X[:, :4]
    by_name = model.evaluate({'x2': Z, 'x1': X}, {'output2': T2, 'output1': T1})
    by_order = model.evaluate([X, Z], [T1, T2])
    assert by_name == by_order
    model.compile(optimizer='sgd', loss=['categorical_crossentropy', 'square_error'])
    assert model.evaluate([X, Z], [T1, T2])['loss'] == by_name['loss']
    first, second = model.predict({'x1': X, 'x2': Z})
    assert first.shape == (5, 2) and second.shape == (5, 4)


def test_tutorial_initial_weights_as_a_dict_a_list_or_one_value():
    W, b = np.array([[1., 2.], [3., 4.]]), np.array([5., 6.])

    def made(initial_weights):
        layer = Dense(2, init='zero', initial_weights=initial_weights)
        layer(Input(2))
        return [array.tolist() for array in layer.get_weights().values()]

    everything = [W.tolist(), b.tolist()]
    assert made({'W': W, 'b': b}) == made({'W': W.tolist(), 'b': b.tolist()}) == made([W, b]) == everything
    assert made({'W': W.tolist()}) == made([W]) == made(W) == made(W.tolist()) == [W.tolist(), [0., 0.]]


def test_tutorial_regularizers_by_name_and_by_order():
    given = [{'W': regularizers.L1(0.5), 'b': regularizers.L2(0.1)}, [regularizers.L1(0.5), regularizers.L2(0.1)]]
    for it in given:
        layer = Dense(2, regularizers=it)
        found = layer(Input(2)).regularizers
        assert [variable for variable, _ in found] == [layer.W, layer.b]
        assert [type(one) for _, one in found] == [regularizers.L1, regularizers.L2]


def test_tutorial_a_model_is_saved_and_loaded(tmp_path):
    model = Sequential([Input(6), Dense(4, activation='relu'), Dense(2)])
    model.save_to_file(tmp_path / 'arch.json', tmp_path / 'weights.safetensors', indent=2)
    again = Sequential.load_from_file(tmp_path / 'arch.json', tmp_path / 'weights.safetensors')
    assert isinstance(again, Sequential)
    assert np.allclose(again.predict(X), model.predict(X))
    assert '\n  "' in (tmp_path / 'arch.json').read_text()
