"""Arguments of single calls: ``layer(x, scale=2., mask=m)``."""
import copy
import inspect

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, KeraFlowError, SerializationError, ShapeError
from keraflow.layers import (LSTM, Activation, Concatenate, Dense, ElementWiseSum, GlobalPooling1D, Input, Lambda,
                             Layer, MultiInputLayer)
from keraflow.models import Model

X = np.random.default_rng(7).normal(size=(5, 4)).astype('float32')
S = np.random.default_rng(8).normal(size=(5, 3, 4)).astype('float32')
M = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 1], [1, 0, 1]], bool)


@keraflow.register(id='call-scaled')
class Scaled(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('W', np.full(input_shape[1], 2.))

    def output(self, x, scale=1., plus=None, *, power=1):
        y = scale * (x * self.W) ** power
        if plus is not None:
            y = y + (sum(plus.values()) if isinstance(plus, dict) else plus)
        return y


@keraflow.register(id='call-open')
class Open(Layer):
    def output(self, x, **factors):
        for factor in factors.values():
            x = x * factor
        return x


@keraflow.register(id='call-several')
class Several(MultiInputLayer):
    def output(self, x, weights):
        return sum(one * weight for one, weight in zip(x, weights))


@keraflow.register(id='call-host')
class Host(Layer):
    def output(self, x, scale=1.):
        return self.embed(Scaled())(x, 3., plus=x, power=2) * scale


def reloaded(model, extension, tmp_path):
    model.save_to_file(tmp_path / f'a.{extension}', tmp_path / 'w.safetensors', overwrite=True)
    return Model.load_from_file(tmp_path / f'a.{extension}', tmp_path / 'w.safetensors')


def from_source(model):
    namespace = {}
    source = model.to_python().replace(f'from {__name__} import', '#')
    exec(source, {'Scaled': Scaled, 'Several': Several, 'Open': Open, 'Host': Host}, namespace)
    namespace['model'].set_weights(model.get_weights())
    return namespace['model']


def made():
    x, y = Input(4, name='x'), Input(4, name='y')
    layer = Scaled(name='s')
    h = layer(x, 3., plus={'a': y, 'b': np.arange(4.)}, power=2)
    again = layer(h, plus=[0.5][0])
    plain = layer(x)
    total = Several(name='w')([x, y], [0.25, plain])
    return Model([x, y], [again, total, Open(name='o')(x, three=3, y=y), Host(name='h')(x, scale=2)], name='m')


def values(x, y):
    h = 3 * (2 * x) ** 2 + y + np.arange(4.)
    return [2 * h + 0.5, 0.25 * x + 2 * x * y, 3 * x * y, 2 * (3 * (2 * x) ** 2 + x)]


def check(model):
    for found, expected in zip(model.predict([X, 2 * X]), values(X, 2 * X)):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_calls_have_arguments_of_their_own(tmp_path):
    model = made()
    check(model)
    for again in (copy.deepcopy(model), from_source(model), reloaded(model, 'json', tmp_path),
                  reloaded(model, 'yaml', tmp_path), keraflow.unserialize(keraflow.serialize(made())),
                  model.insert_after('y', Activation('linear')), model.replace('s', Scaled(name='t'))):
        check(again)
    assert model.path[0] == [['x'], 's', 's_0', {'scale': 3., 'plus': {'a': {'input': 'y'}, 'b': model.path[0][3]['plus']['b']},
                                                 'power': 2}]
    assert [len(step) for step in model.path] == [4, 4, 3, 4, 4, 4]
    assert reloaded(model, 'json', tmp_path).path[1:] == model.path[1:]


def test_parts_of_a_model_keep_the_arguments_of_calls():
    model = made()
    part = model.sub_model(['x', 'y'], 's_0')
    np.testing.assert_allclose(part.predict([X, 2 * X]), 3 * (2 * X) ** 2 + 2 * X + np.arange(4), rtol=1e-5)
    outer_x, outer_y = Input(4), Input(4)
    check(Model([outer_x, outer_y], model([outer_x, outer_y])))
    with pytest.raises(GraphError, match='the end depends on the Input y, too'):
        model.sub_model('x', 's_0')


def test_a_layer_tells_of_calls_with_arguments():
    x, y = Input(4), Input(4)
    layer = Scaled(name='s')
    out = layer.apply(x, plus=y)
    assert layer.get_input_at(0) is x and layer.get_output_at(0) is out and out.path[0][0] == [x.name, y.name]
    assert layer.input_kensor_shape == (None, 4)


def test_arguments_of_calls_on_tensors():
    layer = Scaled()
    np.testing.assert_allclose(B.eval(layer(X, 3., plus=B.constant(X))), 7 * X, rtol=1e-5)
    twin = copy.deepcopy(layer)
    assert twin.W is not layer.W
    np.testing.assert_allclose(B.eval(twin(X, power=2)), 4 * X ** 2, rtol=1e-5)


def test_a_copy_of_a_layer_whose_calls_need_arguments():
    layer = Several(name='several')
    layer([Input(4), Input(4)], [Input(4), 2.])
    twin = copy.deepcopy(layer)
    np.testing.assert_allclose(B.eval(twin([X, X], [1., 2.])), 3 * X, rtol=1e-5)


def test_gradients_go_through_kensors_among_the_arguments():
    x, y = Input(4), Input(4)
    inner = Dense(4, init='one')
    model = Model([x, y], Scaled()(x, plus=inner(y)))
    model.compile('sgd', 'mse')
    before = model.get_weights()
    model.fit([X, X], X, nb_epoch=1, verbose=0)
    assert all(not np.array_equal(model.get_weights()[name], value) for name, value in before.items())


# -- masks ---------------------------------------------------------------------------------------------------------------

def averages(mask):
    return np.stack([S[sample][mask[sample]].mean(0) for sample in range(5)])


def test_a_mask_by_hand_is_the_mask_of_the_input(tmp_path):
    x, given = Input((3, 4), name='x'), Input(3, dtype='bool', name='given')
    pooling = GlobalPooling1D('avg')
    model = Model([x, given], [pooling(x, mask=given), pooling(x)], name='m')
    for one in (model, reloaded(model, 'yaml', tmp_path), copy.deepcopy(model), from_source(model)):
        masked, plain = one.predict([S, M])
        np.testing.assert_allclose(masked, averages(M), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(plain, S.mean(1), rtol=1e-5, atol=1e-6)
    through = Activation('linear')(x, mask=given)
    assert through.mask_shape == (None, 3) and x.mask_shape is None
    np.testing.assert_allclose(Model([x, given], pooling(through)).predict([S, M]), averages(M), rtol=1e-5, atol=1e-6)


def test_a_mask_by_hand_wins_over_that_of_the_input():
    x = Input((3, 4), mask_value=0.)
    data = S * M[:, :, None]
    steps = Input(3)
    model = Model([x, steps], GlobalPooling1D('avg')(x, mask=steps > 0))
    all_of_them = np.ones((5, 3))
    np.testing.assert_allclose(model.predict([data, all_of_them]), data.mean(1), rtol=1e-5, atol=1e-6)


def test_masks_of_several_inputs_and_on_tensors():
    x, y, given = Input((3, 4)), Input((3, 4)), Input(3, dtype='bool')
    both = ElementWiseSum()([x, y], mask=[given, None])
    model = Model([x, y, given], GlobalPooling1D('avg')(both))
    np.testing.assert_allclose(model.predict([S, 0 * S, M]), averages(M), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(B.eval(GlobalPooling1D('avg')(S, mask=M)), averages(M), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(B.eval(GlobalPooling1D('avg')(S, mask=None)), S.mean(1), rtol=1e-5, atol=1e-6)


def test_a_recurrent_layer_takes_a_mask_by_hand():
    x, given = Input((3, 4)), Input(3, dtype='bool')
    layer = LSTM(2)
    short = layer(x[:, :2])
    cut = layer(x, mask=given)
    model = Model([x, given], [cut, short])
    only_two = np.array([[True, True, False]] * 5)
    found, expected = model.predict([S, only_two])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@keraflow.register(id='call-reads-mask')
class ReadsMask(Layer):
    def output(self, x, mask=None, scale=1.):
        return scale * x * B.cast(B.expand_dims(mask, -1), 'float32')


def test_output_is_given_the_mask_by_hand():
    x, given = Input((3, 4)), Input(3, dtype='bool')
    model = Model([x, given], ReadsMask()(x, scale=2., mask=given))
    np.testing.assert_allclose(model.predict([S, M]), 2 * S * M[:, :, None], rtol=1e-6)


# -- mistakes ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('call, error, text', [
    (lambda x: Dense(2, name='d')(x, scale=2.), ArgumentTypeError,
     "d: call: there is no argument 'scale'. Choose one of mask."),
    (lambda x: Dense(2, name='d')(x, activation='relu'), ArgumentTypeError,
     "d: call: there is no argument 'activation'. Pass it where the layer is made: Dense(activation=...)."),
    (lambda x: Dense(2, name='d')(x, training=True), ArgumentTypeError,
     "d: call: there is no argument 'training'. Write train_mode=True for predict, or `with keraflow.phase('train'):` around it."),
    (lambda x: Scaled(name='s')(x, scael=2.), ArgumentTypeError, "s: call: there is no argument 'scael'. Did you mean 'scale'?"),
    (lambda x: Scaled(name='s')(x, 2., scale=2.), ArgumentTypeError, "s: call: the argument 'scale' is given twice."),
    (lambda x: Dense(2, name='d')(x, x), ArgumentTypeError,
     'd: call: expected at most 1 positional argument(s) (x), received 2. Pass the others by name.'),
    (lambda x: Concatenate(name='c')(x, x), ArgumentTypeError,
     'c: call: expected at most 1 positional argument(s) (x), received 2. Put several inputs into a list.'),
    (lambda x: Scaled(name='s')(x, plus=B.constant(1.)), ArgumentTypeError,
     's: the argument plus of the call: expected numbers, strings, arrays, Kensors, and lists and dicts of these, received a '
     'tensor of the backend. Pass other objects where the layer is made.'),
    (lambda x: Scaled(name='s')(x, plus=[Dense(2, name='d')]), ArgumentTypeError,
     's: the argument plus of the call: expected numbers, strings, arrays, Kensors, and lists and dicts of these, received '
     '<Dense d>. Pass other objects where the layer is made.'),
    (lambda x: Scaled(name='s')(x, plus={'input': 1}), ArgumentTypeError,
     "s: the argument plus of the call: expected a dict with strings as keys, not input alone, received {'input': 1}."),
    (lambda x: Scaled(name='s')(X, plus=x), GraphError, 's: expected only Kensors, but also received ndarray. Make an Input for it.'),
    (lambda x: Activation('relu', name='a')(x, mask=x), ShapeError,
     'a: mask: expected truth values of shape (batch, time), here (None, 4), received float32 of shape (None, 4). Write for '
     'example B.not_equal(x, 0).'),
    (lambda x: Activation('relu', name='a')(x, mask=Input(3, dtype='bool')), ShapeError,
     'a: mask: expected truth values of shape (batch, time), here (None, 4), received bool of shape (None, 3). Write for '
     'example B.not_equal(x, 0).'),
    (lambda x: ElementWiseSum(name='e')([x, x], mask=x > 0), ArgumentError,
     'e: mask: expected a list of 2 mask(s) (or None), one for each input, received 1.'),
    (lambda x: Lambda(lambda it: it, name='l')(x, mask='no'), ArgumentTypeError,
     "l: mask: expected an array of numbers, received 'no'."),
])
def test_mistakes(call, error, text):
    with pytest.raises(error) as caught:
        call(Input(4))
    assert str(caught.value) == text and isinstance(caught.value, KeraFlowError)


@pytest.mark.parametrize('fourth, text', [
    ({'scael': 2.}, "s: call: there is no argument 'scael'. Did you mean 'scale'?"),
    ({'plus': {'input': 'z'}}, 'Model: path: expected [names of inputs that are there, name of a layer, name of the output], '
     "received [['x'], 's', 's_0', {'plus': {'input': 'z'}}]."),
    (3, 'Model: path: expected [names of inputs that are there, name of a layer, name of the output], '
     "received [['x'], 's', 's_0', 3]."),
])
def test_mistakes_in_files(fourth, text):
    x = Input(4, name='x')
    data = keraflow.serialize(Model(x, Scaled(name='s')(x, scale=2.)))
    assert data['args']['path'] == [[['x'], 's', 's_0', {'scale': 2.}]]
    data['args']['path'][0][3] = fourth
    with pytest.raises(SerializationError) as caught:
        keraflow.unserialize(data)
    assert str(caught.value) == text


def test_arguments_that_the_program_changes_later_stay_as_they_were():
    x, layer = Input(4), Scaled()
    scale, plus = np.array([1., 2., 3., 4.]), {'a': 5.}
    model = Model(x, layer(x, scale=scale, plus=plus))
    scale[:] = 0
    plus['a'] = 0.
    assert model.path[0][3]['plus'] == {'a': 5.} and np.array_equal(model.path[0][3]['scale'], [1, 2, 3, 4])
    np.testing.assert_allclose(Model(x, layer.get_output_at(0)).predict(np.ones((1, 4))), [[7., 9., 11., 13.]])


def test_every_layer_says_what_its_calls_take():
    assert Scaled.call_signature.names == ['scale', 'plus', 'power'] and Open.call_signature.is_open
    assert 'kwargs' in inspect.signature(Layer.__call__).parameters
