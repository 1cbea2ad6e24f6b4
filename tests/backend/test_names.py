"""The one name of each layer and Kensor in a model: what is shown, logged and saved is what all methods take."""
import copy
import re

import numpy as np
import pytest

import keraflow
from keraflow.errors import GraphError
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import Concatenate, Dense, ElementWiseSum, Input, Layer, TimeDistributed
from keraflow.models import Model, Sequential

X = np.random.default_rng(5).normal(size=(6, 4)).astype('float32')


@keraflow.layer_register(id='names-block')
def block(x, output_dim=3):
    return Dense(output_dim)(Dense(5, name='d')(x))


@keraflow.layer_register(id='names-twice')
def twice(x):
    return Dense(2, name='d')(Dense(3, name='d')(Dense(4, name='1')(x)))


@keraflow.register(id='names-adds-loss')
class AddsLoss(Layer):
    def output(self, x):
        self.add_loss(keraflow.backend.mean(x))
        return x


def made_in_another_order(name='d'):
    """A model whose layers were fed in another order than that in which it has them."""
    x = Input(4)
    last, third, second = Dense(1), Dense(3), Dense(5)
    side = last(x)
    middle = second(x)
    return Model(x, Concatenate()([third(middle), middle, side]), name=name)


def shared():
    """A model that has some layers of another one, and new ones before them."""
    model = made_in_another_order()
    x = Input(4)
    dense1, dense2, dense3 = (model.get_layer(f'dense{number}') for number in (1, 2, 3))
    return Model(x, Concatenate()([dense3(Dense(4)(x)), dense2(dense1(x))]))


def joined():
    """A model that joins the graphs of two whose layers are called the same."""
    one, other = made_in_another_order(), made_in_another_order()
    return Model([one.inputs[0], other.inputs[0]], ElementWiseSum()([one.outputs[0], other.outputs[0]]))


def surgical():
    model = made_in_another_order()
    return model.insert_after('dense1', Dense(5)).replace('dense2', Dense(6))


def part():
    model = made_in_another_order()
    return model.sub_model('dense1', 'dense2')


def nested():
    inner, x = made_in_another_order(), Input(4)
    return Model(x, [block()(Dense(4)(x)), inner(x)])


def listed():
    other = made_in_another_order()
    return Sequential([Input(4), Dense(4), other.layers[1], other.layers[2]])


def added():
    model = Sequential([Input(4), Dense(3)])
    model.add(Dense(2))
    model.add(Dense(2, name='dense1'))
    return model


def as_a_layer():
    model = Sequential([Dense(3), Dense(2, name='named'), block()])
    model(Input(4))
    return model


MODELS = [made_in_another_order, shared, joined, surgical, part, nested, listed, added, as_a_layer,
          lambda: copy.deepcopy(made_in_another_order(name=None))]


def rows(model):
    """Names and numbers of parameters that the summary prints."""
    found = [re.match(r'\s*(\S+) \(\w+\)(.*)', line) for line in model.summary().splitlines()[3:-1]]
    return [(match[1], int(re.findall(r'(?<![\w(/.])(\d+)(?![\w),/])', match[2])[0])) for match in found]


@pytest.mark.parametrize('make', MODELS)
def test_what_the_summary_shows_is_what_the_methods_mean(make):
    model = make()
    weights = model.get_weights()
    told = rows(model)
    assert len({name for name, _ in told}) == len(told) >= len(model.layers)
    for name, count in told:
        layer = model.get_layer(name)
        assert (layer.count_params() if layer.variables else 0) == count
        own = {key[len(name) + 1:]: value for key, value in weights.items() if key.startswith(f'{name}/')}
        for key, value in layer.get_weights().items():
            if key in own:      # a variable that two layers share is listed with the first of them
                np.testing.assert_array_equal(own[key], value)
    for layer in model.layers:
        try:
            assert model.get_layer(layer.name) is layer
        except GraphError as error:
            assert 'may mean 2 layers' in str(error)
    for call in model.calls:
        for kensor in call.outputs:
            assert model.get_kensor(model.names.short(kensor)) is kensor
            try:
                assert model.get_kensor(kensor.name) is kensor
            except GraphError as error:
                assert 'may mean 2 Kensors' in str(error)


@pytest.mark.parametrize('make', [make for make in MODELS if make is not as_a_layer])
@pytest.mark.parametrize('extension', ['yaml', 'json'])
def test_the_same_model_is_saved_as_the_same_bytes_and_loads_with_the_same_names(make, extension, tmp_path):
    one, other = make(), make()
    for number, model in enumerate((one, other)):
        model.save_arch(tmp_path / f'{number}.{extension}')
    first = (tmp_path / f'0.{extension}').read_bytes()
    assert (tmp_path / f'1.{extension}').read_bytes() == first
    one.save_weights(tmp_path / 'w.safetensors')
    loaded = Model.load_from_file(tmp_path / f'0.{extension}', tmp_path / 'w.safetensors')
    assert rows(loaded) == rows(one) and list(loaded.get_weights()) == list(one.get_weights())
    assert [loaded.names.short(it) for it in loaded.names.kensors] == [one.names.short(it) for it in one.names.kensors]
    loaded.save_arch(tmp_path / f'again.{extension}')
    assert (tmp_path / f'again.{extension}').read_bytes() == first
    data = [np.ones((6, kensor.shape[1]), 'float32') for kensor in one.inputs]
    for x, y in zip(one.predict(data), loaded.predict(data)):
        np.testing.assert_array_equal(x, y)


def test_surgery_means_the_layer_that_the_summary_shows():
    model = made_in_another_order()
    assert dict(rows(model)) == {'input1': 0, 'dense1': 25, 'dense2': 18, 'dense3': 5, 'concatenate1': 0}
    assert model.get_layer('dense3').output_dim == 1
    changed = model.replace('dense3', Dense(2))
    assert [kensor.shape[1] for kensor in changed.get_layer('concatenate1').get_input_at(-1)] == [3, 5, 2]
    assert dict(rows(changed))['dense3'] == 10
    np.testing.assert_array_equal(model.capture('dense3/output', X), model.predict(X)[:, 8:])
    np.testing.assert_array_equal(model.capture(model.get_layer('dense2').output_kensor.name, X), model.predict(X)[:, :3])


def test_a_layer_keeps_its_name_in_models_that_share_it():
    model = made_in_another_order()
    names = {layer.output_dim: layer.name for layer in model.layers if isinstance(layer, Dense)}
    assert names == {5: 'dense1', 3: 'dense2', 1: 'dense3'}
    assert [layer.name for layer in part().layers] == ['input1', 'dense2']
    assert sorted(shared().layer_ids()) == ['concatenate1', 'dense1', 'dense2', 'dense3', 'dense4', 'input1']
    assert shared().get_layer('dense4').output_dim == 4


def test_layers_of_two_models_that_are_called_the_same_are_told_apart():
    model = joined()
    with pytest.raises(GraphError) as caught:
        model.get_layer('dense1')
    assert str(caught.value) == (f"{model.name}: 'dense1' may mean 2 layers. Here they are called dense4, dense7: write one "
                                 'of these.')
    with pytest.raises(GraphError) as caught:
        model.capture('dense1/output', [X, X])
    assert str(caught.value) == (f"{model.name}: 'dense1/output' may mean 2 Kensors. Here they are called dense4/output, "
                                 'dense7/output: write one of these.')
    assert model.input_names() == ['input2', 'input3']
    first = model.predict({'input2': X, 'input3': 0 * X})
    np.testing.assert_array_equal(first, model.predict([X, 0 * X]))
    assert not np.array_equal(first, model.predict({'input3': X, 'input2': 0 * X}))


def test_two_layers_of_one_name_are_refused():
    x = Input(4)
    settled = made_in_another_order().get_layer('dense2')
    for make in (lambda: Model(x, [Dense(2, name='y')(x), Dense(2, name='y')(x)], name='m'),
                 lambda: Model(x, ElementWiseSum()([Dense(2, name='y')(x), Dense(2, name='y')(x)]), name='m')):
        with pytest.raises(GraphError) as caught:
            make()
        assert str(caught.value) == ("m: 'y' is the name of two layers. Give each layer of a model its own name, as "
                                     'copy.deepcopy gives copies.')
    chain = Sequential([Input(5), settled], name='s')
    with pytest.raises(GraphError) as caught:
        chain.add(Dense(3, name='dense2'))
    assert str(caught.value).startswith("s: 'dense2' is the name of two layers.")
    assert chain.predict(np.ones((2, 5))).shape == (2, 3) and len(chain.layers) == 2


def test_targets_logs_and_terms_have_these_names():
    inputs = Input(4)
    second, first = Dense(2), Dense(2)
    second(Input(4))
    model = Model(inputs, [first(inputs), AddsLoss()(second(inputs))], name='m')
    model.compile('sgd', {'dense1': 'mse', 'addsloss1': 'mae'}, {'dense1': ['mae']}, report_terms=True)
    history = model.fit({'input1': X}, {'dense1': X[:, :2], 'addsloss1': X[:, 2:]}, nb_epoch=1, verbose=0)
    assert list(history[0]) == ['loss', 'loss(dense1)', 'loss(addsloss1)', 'addsloss1/loss', 'mae(dense1)']


def test_calls_are_numbered_in_the_model():
    layer, x, y = Dense(2, name='a'), Input(4), Input(4)
    later, sooner = layer(y), layer(x)
    assert (later.name, sooner.name) == ('a_0', 'a_1')
    model = Model([x, y], Concatenate()([sooner, later]))
    assert (later.name, sooner.name) == ('a_1', 'a_0')
    assert [model.get_kensor(name) for name in ('a_0', 'a_1')] == [sooner, later]
    single = Dense(2, name='b')(x)
    assert (single.name, single.numbered_name) == ('b/output', 'b_0')


def test_names_that_a_function_gives_are_kept():
    x = Input(4)
    model = Model(x, [block(name='outer')(x), twice(name='twice')(x)], name='m')
    assert sorted(model.variables.names) == [
        'outer/1/W', 'outer/1/b', 'outer/d/W', 'outer/d/b', 'twice/0/W', 'twice/0/b', 'twice/2/W', 'twice/2/b',
        'twice/d/W', 'twice/d/b']
    assert model.get_layer('outer/d').output_dim == 5 and model.capture('outer/d/output', X).shape == (6, 5)
    assert model.get_layer('outer/1').name == 'outer/1' and model.get_layer('twice/d').output_dim == 3


def test_files_in_which_these_layers_are_numbers_still_load(tmp_path):
    x = Input(4)
    model = Model(x, block(name='outer')(x), name='m')
    weights = model.get_weights()
    by_number = {name.replace('/d/', '/0/'): value for name, value in weights.items()}
    model.set_weights({name: 0 * value for name, value in weights.items()})
    model.set_weights(by_number)
    np.testing.assert_array_equal(model.get_weights()['outer/d/W'], weights['outer/d/W'])

    model.save_to_file(tmp_path / 'a.json', tmp_path / 'w.safetensors')
    arrays, metadata = read_tensors(tmp_path / 'w.safetensors')
    numbered = {name.replace('/d/', '/0/'): array for name, array in arrays.items()}
    (tmp_path / 'numbered.safetensors').write_bytes(dump_tensors(numbered, metadata))
    loaded = Model.load_from_file(tmp_path / 'a.json', tmp_path / 'numbered.safetensors')
    np.testing.assert_array_equal(loaded.get_weights()['outer/d/W'], weights['outer/d/W'])
    for key in ('d/W', '0/W'):
        given = block(regularizers={key: 'l2'}, initial_weights={key: np.ones((4, 5))})
        given(Input(4))
        assert [one.name for one in given.parameters() if one.regularizer] == ['d/W']
        np.testing.assert_array_equal(given.get_weights()['d/W'], 1)


def test_messages_of_embedded_layers_say_where_they_are():
    @keraflow.layer_register(id='names-wrong')
    def wrong(x):
        return Dense(3)(keraflow.backend.expand_dims(x, 1))
    with pytest.raises(keraflow.errors.ShapeError) as caught:
        wrong(name='host')(Input(4))
    assert str(caught.value).startswith('host/0: expected a 2-D input (batch, input_dim)')


def test_layers_are_shared_rightly_whose_names_have_dots():
    series, vector = Input((3, 4)), Input(4)
    inner, other = Dense(2, name='i'), Dense(2, name='a.layer')
    outputs = [TimeDistributed(inner, name='a')(series), other(vector), inner(vector), TimeDistributed(other)(series)]
    model = Model([series, vector], outputs)
    loaded = keraflow.unserialize(keraflow.serialize(model))
    assert loaded.get_layer('a').layer is loaded.get_layer('i')
    assert loaded.get_layer('timedistributed1').layer is loaded.get_layer('a.layer')
    assert len(loaded.variables) == 4 and keraflow.serialize(loaded) == keraflow.serialize(model)


def test_variables_of_the_backend_have_the_names_of_parameters():
    x = Input(4)
    layer = block(name='outer')(x).layer
    dense = Dense(2, name='named')
    dense(x)
    assert [variable.name.split(':')[0] for variable in dense.variables] == ['named/W', 'named/b']
    assert layer.variables['1/W'].name.split(':')[0] == 'outer/1/W'
