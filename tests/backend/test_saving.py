"""Models in files: what is written, what is refused, and that reading a file runs nothing and leaves nothing behind."""
import functools
import json
import random as python_random
import re
import sys

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow import initializations, random
from keraflow.errors import ModelFileError, SerializationError
from keraflow.files.plaindata import read_plain
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import Activation, Concatenate, Dense, Input, Lambda, Layer
from keraflow.models import Model, Sequential
from keraflow.regularizers import Regularizer

X = np.random.default_rng(6).normal(size=(4, 3)).astype('float32')


def small(name='m', hidden=4, out_name='y'):
    x = Input(3, name='x')
    h = Dense(hidden, activation='tanh', regularizers=['l1'], name='h')(x)
    return Model(x, Dense(2, constraints={'W': 'maxnorm'}, name=out_name)(h), name=name)


class Scale(Layer):
    """Not registered."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def output(self, x):
        return x * self.factor


class Noted(Layer):
    """Keeps anything."""

    def __init__(self, note, **kwargs):
        super().__init__(**kwargs)
        self.note = note

    def output(self, x):
        return x


@keraflow.register
class RegisteredScale(Scale):
    """Registered."""


@keraflow.register(id='doubled-in-test-saving')
def doubled(x):
    return x * 2


class L3(Regularizer):
    """A regularizer of the program's own."""

    def __init__(self, l3=0.1):
        self.l3 = l3

    def __call__(self, param):
        return B.sum(B.abs(param * param * param)) * self.l3


# -- writing ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('extension', ['json', 'yaml', 'yml'])
def test_a_model_comes_back_from(tmp_path, extension):
    model = small()
    arch, weights = tmp_path / f'a.{extension}', tmp_path / 'w.safetensors'
    model.save_to_file(arch, weights)
    again = Model.load_from_file(arch, weights)
    assert again.name == 'm' and [layer.name for layer in again.layers] == ['x', 'h', 'y']
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.layers[1].regularizers == ['l1'] and again.layers[2].constraints == {'W': 'maxnorm'}
    assert keraflow.serialize(again) == keraflow.serialize(model)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([arch.name, weights.name])


def test_the_file_says_what_it_is(tmp_path):
    small().save_arch(str(tmp_path / 'a.json'))
    data = json.loads((tmp_path / 'a.json').read_text())
    assert {key: data[key] for key in ('format', 'version')} == {'format': 'keraflow', 'version': 1}
    assert data['model']['class'] == 'Model'
    assert data['model']['args']['path'] == [[['x'], 'h', 'h_0'], [['h_0'], 'y', 'y_0']]
    assert data['model']['args']['layers']['h'] == {'class': 'Dense', 'args': {
        'output_dim': 4, 'init': 'glorot_uniform', 'activation': 'tanh', 'bias': True, 'name': 'h', 'regularizers': ['l1']}}


def test_json_and_yaml_hold_the_same(tmp_path):
    model = small()
    model.save_arch(tmp_path / 'a.json')
    model.save_arch(tmp_path / 'a.yaml')
    assert read_plain(tmp_path / 'a.json') == read_plain(tmp_path / 'a.yaml')


def test_dump_args_go_to_json_or_yaml(tmp_path):
    model = small()
    model.save_arch(tmp_path / 'a.json', indent=4)
    assert '\n    "format": "keraflow"' in (tmp_path / 'a.json').read_text()
    model.save_arch(tmp_path / 'a.yaml', default_flow_style=True)
    assert (tmp_path / 'a.yaml').read_text().startswith('{')
    assert read_plain(tmp_path / 'a.json') == read_plain(tmp_path / 'a.yaml')


def test_nothing_is_written_over_a_file_unless_asked_for(tmp_path):
    arch, weights = tmp_path / 'a.json', tmp_path / 'w.safetensors'
    weights.write_bytes(b'mine')
    with pytest.raises(FileExistsError) as caught:
        small().save_to_file(arch, weights)
    assert str(caught.value) == f'{weights} exists already. Pass overwrite=True to replace it.'
    assert [path.name for path in tmp_path.iterdir()] == ['w.safetensors'] and weights.read_bytes() == b'mine'
    model = small()
    model.save_to_file(arch, weights, overwrite=True)
    model.save_to_file(arch, weights, True)
    with pytest.raises(FileExistsError):
        model.save_arch(arch)
    with pytest.raises(FileExistsError):
        model.save_weights(weights)
    assert np.array_equal(Model.load_from_file(arch, weights).predict(X), model.predict(X))


def test_architecture_and_weights_can_be_saved_and_loaded_alone(tmp_path):
    B.seed(5)
    model = small()
    model.save_arch(tmp_path / 'a.yaml')
    model.save_weights(tmp_path / 'w.safetensors')
    again = Model.load_from_file(tmp_path / 'a.yaml')
    assert not np.array_equal(again.predict(X), model.predict(X))
    again.load_weights(tmp_path / 'w.safetensors')
    assert np.array_equal(again.predict(X), model.predict(X))
    arrays, metadata = read_tensors(tmp_path / 'w.safetensors')
    assert sorted(arrays) == ['h/W', 'h/b', 'y/W', 'y/b'] and metadata['format'] == 'keraflow'


def test_unnamed_layers_get_the_same_names_in_every_program(tmp_path):
    Dense(2)(Input(3))      # uses up numbers
    x = Input(3)
    model = Model(x, Dense(2)(Dense(4)(x)))
    assert sorted(model.get_weights()) == ['dense1/W', 'dense1/b', 'dense2/W', 'dense2/b']
    model.save_to_file(tmp_path / 'a.json', tmp_path / 'w.safetensors')
    assert np.array_equal(Model.load_from_file(tmp_path / 'a.json', tmp_path / 'w.safetensors').predict(X), model.predict(X))


def test_a_model_without_parameters_has_an_empty_weights_file(tmp_path):
    model = Sequential([Input(3), Activation('tanh')])
    model.save_to_file(tmp_path / 'a.json', tmp_path / 'w.safetensors')
    again = Model.load_from_file(tmp_path / 'a.json', tmp_path / 'w.safetensors')
    assert np.allclose(again.predict(X), np.tanh(X), atol=1e-6)


def test_partial_functions_are_saved_with_their_arguments(tmp_path):
    init = functools.partial(initializations.uniform, scale=0.3)
    model = Sequential([Input(3), Dense(50, init=init, activation=functools.partial(keraflow.activations.relu, alpha=0.5))])
    model.save_to_file(tmp_path / 'a.yaml', tmp_path / 'w.safetensors')
    again = Model.load_from_file(tmp_path / 'a.yaml', tmp_path / 'w.safetensors')
    assert np.array_equal(again.predict(X), model.predict(X))
    fresh = Model.load_from_file(tmp_path / 'a.yaml')
    assert 0.25 < np.abs(fresh.layers[1].get_weights()['W']).max() <= 0.3


# -- what cannot be saved -----------------------------------------------------------------------------------------------

def test_a_lambda_is_refused_before_a_file_is_opened(tmp_path):
    model = Sequential([Input(3), Lambda(lambda x: x * 2, name='twice')])
    with pytest.raises(SerializationError) as caught:
        model.save_to_file(tmp_path / 'a.json', tmp_path / 'w.safetensors')
    assert str(caught.value) == ('layers[1].output_fn: a lambda cannot be saved. Write it as a function with def and put '
                                 '@keraflow.register above it.')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('note, text', [
    (np.random.default_rng(0), 'an object of class Generator cannot be saved: it is not plain data. If the class is yours, put '
                               '@keraflow.register above it.'),
    (b'a', 'an object of class bytes cannot be saved: it is not plain data. If the class is yours, put @keraflow.register above it.'),
])
def test_what_is_no_plain_data_is_refused_before_a_file_is_opened(tmp_path, note, text):
    with pytest.raises(SerializationError) as caught:
        Sequential([Input(3), Noted(note)]).save_arch(tmp_path / 'a.json')
    assert str(caught.value) == f'layers[1].note: {text}'
    assert list(tmp_path.iterdir()) == []


def test_other_names_of_files_are_refused_before_a_file_is_opened(tmp_path):
    with pytest.raises(ModelFileError, match=r'a\.pkl: '):
        small().save_to_file(tmp_path / 'a.pkl', tmp_path / 'w.safetensors')
    with pytest.raises(ModelFileError) as caught:
        small().save_to_file(tmp_path / 'a.json', tmp_path / 'w.pkl')
    assert str(caught.value) == f"{tmp_path / 'w.pkl'}: weights are saved as safetensors. Let the name end with .safetensors."
    assert list(tmp_path.iterdir()) == []


# -- weights that do not fit --------------------------------------------------------------------------------------------

def test_weights_of_another_architecture_are_refused(tmp_path):
    path = tmp_path / 'w.safetensors'
    small().save_weights(path)
    x = Input(3, name='x')
    other = Model(x, Dense(2, name='y')(Dense(4, activation='relu', name='h')(x)), name='m')
    before = other.get_weights()
    with pytest.raises(ModelFileError) as caught:
        other.load_weights(path)
    assert str(caught.value) == (
        f'{path}: the weights belong to a model of another architecture, which predicts differently: expected activation of h relu, '
        'received tanh. Pass same_architecture=False to transfer them.')
    assert all(np.array_equal(before[name], array) for name, array in other.get_weights().items())
    other.load_weights(path, same_architecture=False)
    assert not np.array_equal(before['h/W'], other.get_weights()['h/W'])


def test_weights_are_kept_by_a_model_that_trains_in_another_way(tmp_path):
    path = tmp_path / 'w.safetensors'
    model = small()
    model.save_weights(path)
    x = Input(3, name='x')
    other = Model(x, Dense(2, trainable=False, name='y')(Dense(4, activation='tanh', name='h')(x)), name='m')
    other.load_weights(path)
    assert np.array_equal(other.predict(X), model.predict(X))


def test_one_report_of_all_that_does_not_fit(tmp_path):
    path = tmp_path / 'w.safetensors'
    model = small()
    arrays = model.get_weights()
    del arrays['h/b']
    arrays['z/W'] = np.zeros(2, 'float32')
    arrays['h/W'] = np.zeros((5, 5), 'float32')
    arrays['y/b'] = np.zeros(2, 'float64')
    path.write_bytes(dump_tensors(arrays))
    before = model.get_weights()
    with pytest.raises(ModelFileError) as caught:
        model.load_weights(path)
    assert str(caught.value) == (
        f'{path}: the weights do not fit: missing h/b; unexpected z/W; h/W has shape (5, 5), expected (3, 4); '
        'and 1 more.')
    assert caught.value.differences[3:] == ('y/b is float64, which float32 cannot hold; set KERAFLOW_FLOATX=float64',)
    assert all(np.array_equal(before[name], array) for name, array in model.get_weights().items())


def test_damaged_weights_are_refused(tmp_path):
    path = tmp_path / 'w.safetensors'
    model = small()
    model.save_weights(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match='damaged'):
        model.load_weights(path)


# -- files that are not to be trusted -----------------------------------------------------------------------------------

def first_format(class_name, module_name, params):
    layers = [{'class_name': 'Input', 'module_name': 'keraflow.layers.base', 'params': {'shape': [3], 'name': 'x'}},
              {'class_name': class_name, 'module_name': module_name, 'params': {'name': 'evil', **params}}]
    return {'class_name': 'Model', 'module_name': 'keraflow.models', 'params': {
        'name': 'm', 'layers': layers, 'path': [[['x'], 'evil', 'evil_0']], 'output_names': ['evil_0']}}


def refusal(tmp_path, data, **kwargs):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(data))
    with pytest.raises(ModelFileError) as caught:
        Model.load_from_file(path, **kwargs)
    place, text = re.fullmatch(r'(.*?a\.json(?::1)?): (.*)', str(caught.value)).groups()     # all of it is in one line
    assert place in (str(path), f'{path}:1')
    return text


def test_a_first_format_file_that_names_a_program_is_refused_and_nothing_runs(tmp_path):
    ran = tmp_path / 'ran'
    command = {'args': ['touch', str(ran)]}
    assert refusal(tmp_path, first_format('Popen', 'subprocess', command)) == (
        "the first format's 'subprocess.Popen' is not known. If it is yours, pass custom_objects=[...].")
    assert refusal(tmp_path, {'class_name': 'Popen', 'module_name': 'subprocess', 'params': command}) == (
        "the first format's 'subprocess.Popen' is not known. If it is yours, pass custom_objects=[...].")
    assert "'os.system'" in refusal(tmp_path, first_format('Dense', 'keraflow.layers.core', {'output_dim': 2, 'activation': {
        'class_name': 'function', 'module_name': 'os', 'name': 'system', 'params': {}}}))
    assert 'is not' in refusal(tmp_path, first_format('np.load', 'keraflow.models', {}))
    assert not ran.exists()


def test_a_module_that_a_file_names_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / 'trap_in_test_saving.py').write_text('raise SystemExit')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert 'is not known' in refusal(tmp_path, first_format('Layer', 'trap_in_test_saving', {}))
    data = {'format': 'keraflow', 'version': 1, 'model': {'class': 'trap_in_test_saving.Layer', 'args': {}}}
    assert 'is not a class or function that is registered' in refusal(tmp_path, data)
    assert 'trap_in_test_saving' not in sys.modules


def test_the_first_format_knows_the_programs_classes_by_where_they_are_defined(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(first_format('Scale', Scale.__module__, {'factor': 3})))
    model = Model.load_from_file(path, custom_objects=[Scale])
    assert np.array_equal(model.predict(X), X * 3)


@pytest.mark.parametrize('change, text', [
    (lambda params: params.pop('layers'), "the first format's 'layers': expected a list of layers with names, received None."),
    (lambda params: params['path'].append(['x']),
     "the first format's 'path': expected a list of [inputs, layer, output], received [[['x'], 'evil', 'evil_0'], ['x']]."),
    (lambda params: params.update(output_names='y'), "the first format's 'output_names': expected a list of strings, received 'y'."),
    (lambda params: params['layers'][1].update(params=3), "the first format's 'params': expected a mapping, received 3."),
    (lambda params: params['layers'][1].update(module_name=[]), "the first format's 'module_name': expected a string, received []."),
    (lambda params: params.update(path=[[['z'], 'evil', 'evil_0']]),
     'Model: path: expected [names of inputs that are there, name of a layer, name of the output], '
     "received [['z'], 'evil', 'evil_0']."),
])
def test_a_damaged_first_format_file_is_refused_with_the_place(tmp_path, change, text):
    data = first_format('Dense', 'keraflow.layers.core', {'output_dim': 2})
    change(data['params'])
    assert refusal(tmp_path, data) == text


def with_model(**changes):
    data = {'format': 'keraflow', 'version': 1, 'model': keraflow.serialize(small())}
    data.update(changes)
    return data


def test_files_that_are_no_models_are_refused(tmp_path):
    assert refusal(tmp_path, []) == 'this is not the architecture of a keraflow model.'
    assert refusal(tmp_path, with_model(format='onnx')) == 'this is not the architecture of a keraflow model.'
    assert refusal(tmp_path, with_model(more=1)) == 'this is not the architecture of a keraflow model.'
    for version in (3, 0, True, '1', 1.5):
        assert refusal(tmp_path, with_model(version=version)) == (
            f'the file has format version {version}, this keraflow reads 1 to 2. Install the keraflow that wrote it, or a newer one.')
    assert refusal(tmp_path, with_model(model=keraflow.serialize(Dense(2)))) == 'expected a model, found Dense.'


def test_arguments_in_a_file_are_checked_like_those_of_a_call(tmp_path):
    data = with_model()
    layers = data['model']['args']['layers']
    layers['h']['args']['output_dim'] = '4'
    assert refusal(tmp_path, data) == "layers.h: Dense: output_dim: expected an integer of at least 1, received '4'."
    layers['h']['args'].update(output_dim=4, activation='sofmax')
    assert refusal(tmp_path, data) == "layers.h: Dense: activation: there is no activation 'sofmax'. Did you mean 'softmax'?"
    layers['h']['args'].update(activation={'function': 'mean_square'})
    assert refusal(tmp_path, data) == (
        "layers.h.activation: 'mean_square' is not an activation that is registered. If it is yours, put @keraflow.register above it "
        'and import its module first, or pass custom_objects=[...].')
    layers['h']['args'].update(activation='tanh', units=3)
    assert refusal(tmp_path, data) == "layers.h: Dense: there is no argument 'units'. Did you mean 'output_dim'?"


# -- the program's own classes ------------------------------------------------------------------------------------------

def test_an_unregistered_class_is_refused_with_advice_and_loads_with_custom_objects(tmp_path):
    path = tmp_path / 'a.json'
    model = Sequential([Input(3), Scale(3, name='scale')])
    model.save_arch(path)
    with pytest.raises(ModelFileError) as caught:
        Model.load_from_file(path)
    assert str(caught.value) == (
        f"{path}:17: layers[1]: 'Scale' is not a class or function that is registered. If it is yours, put @keraflow.register above it and "
        'import its module first, or pass custom_objects=[...].')
    for given in ([Scale], {'Scale': Scale}):
        assert np.array_equal(Model.load_from_file(path, custom_objects=given).predict(X), X * 3)


def test_registered_classes_and_functions_load_without_more(tmp_path):
    keraflow.register(L3)
    x = Input(3)
    out = Concatenate()([RegisteredScale(2)(x), Lambda(doubled)(x), Activation(doubled)(x)])
    model = Model(x, Dense(2, activation=doubled, regularizers={'W': L3(0.2)})(out))
    model.save_to_file(tmp_path / 'a.yaml', tmp_path / 'w.safetensors')
    assert 'doubled-in-test-saving' in (tmp_path / 'a.yaml').read_text()
    again = Model.load_from_file(tmp_path / 'a.yaml', tmp_path / 'w.safetensors')
    assert np.array_equal(again.predict(X), model.predict(X))
    assert [layer for layer in again.layers if isinstance(layer, Dense)][0].regularizers['W'].l3 == 0.2


# -- nothing is left behind ---------------------------------------------------------------------------------------------

def test_loading_leaves_generators_and_modules_as_they_were(tmp_path):
    small().save_to_file(tmp_path / 'a.json', tmp_path / 'w.safetensors')
    Model.load_from_file(tmp_path / 'a.json', tmp_path / 'w.safetensors')
    B.seed(11)
    python_random.seed(11)
    before = [random.generator(), random.generator().bit_generator.state, python_random.getstate(), np.random.get_state()[1].tolist(),
              set(sys.modules)]
    Model.load_from_file(tmp_path / 'a.json', tmp_path / 'w.safetensors')
    after = [random.generator(), random.generator().bit_generator.state, python_random.getstate(), np.random.get_state()[1].tolist(),
             set(sys.modules)]
    assert after[0] is before[0] and after[1:] == before[1:]


def test_a_model_loaded_without_weights_starts_from_weights_that_do_not_depend_on_the_seed(tmp_path):
    small().save_arch(tmp_path / 'a.json')
    B.seed(1)
    first = Model.load_from_file(tmp_path / 'a.json').get_weights()
    B.seed(2)
    second = Model.load_from_file(tmp_path / 'a.json').get_weights()
    assert np.array_equal(first['h/W'], second['h/W'])


def resumed(model, path, limits):
    shapes = [(2, *one.shape[1:]) for one in (*model.inputs, *model.outputs)]
    model.fit(*map(np.ones, shapes), nb_epoch=1, verbose=0, resume=path, limits=limits)


@pytest.mark.parametrize('load', [
    lambda model, folder, limits: model.load_weights(folder / 'w.safetensors', limits=limits),
    lambda model, folder, limits: model.load_weights(folder / 'm.keraflow', limits=limits),
    lambda model, folder, limits: model.load_training(folder / 't.safetensors', limits=limits),
    lambda model, folder, limits: model.load_training(folder / 'm.keraflow', limits=limits),
    lambda model, folder, limits: resumed(model, folder / 't.safetensors', limits),
    lambda model, folder, limits: resumed(model, folder / 'm.keraflow', limits),
    lambda model, folder, limits: Model.load_from_file(folder / 'm.yaml', folder / 'w.safetensors', limits=limits)])
def test_the_size_of_a_file_is_limited_by_an_argument(tmp_path, load):
    model = small()
    model.compile('sgd', 'mse')
    model.save(tmp_path / 'm.keraflow')
    model.save_training(tmp_path / 't.safetensors')
    model.save_to_file(tmp_path / 'm.yaml', tmp_path / 'w.safetensors')
    load(model, tmp_path, keraflow.Limits())
    with pytest.raises(ModelFileError, match='the limit is 99. If you trust it, pass larger limits.'):
        load(model, tmp_path, keraflow.Limits(max_tensor_bytes=99))
