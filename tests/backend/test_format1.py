"""Files that the first version of the format wrote load forever, and mean what they meant."""
import json
import re

import numpy as np
import pytest
from format1 import FOLDER, MODELS, PROGRAM, Shifted

import keraflow.utils  # noqa: F401 (fills the registry)
from keraflow import backend as B
from keraflow import registry
from keraflow.deprecation import current_name
from keraflow.files.plaindata import read_plain
from keraflow.layers import Input
from keraflow.models import Model
from keraflow.serialization import serialize, unserialize


def arrays_of(name, prefix):
    with np.load(FOLDER / f'{name}.npz', allow_pickle=False) as arrays:
        return {key[2:]: arrays[key] for key in arrays.files if key.startswith(f'{prefix}/')}


def assert_as_it_was(model, name):
    found, expected = model.predict(arrays_of(name, 'x')), arrays_of(name, 'y')
    assert model.output_names() == list(expected)
    for one, other in zip(found if isinstance(found, list) else [found], expected.values()):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def by_current_names(data):
    """Data of objects whose arguments were renamed since."""
    if not isinstance(data, dict):
        return [by_current_names(item) for item in data] if isinstance(data, list) else data
    cls = registry.find(data.get('class', ''))
    args = {current_name(cls and cls.target, name): by_current_names(item) for name, item in data.get('args', {}).items()}
    return {**data, 'args': args} if args else {name: by_current_names(item) for name, item in data.items()}


def test_every_file_belongs_to_a_model():
    assert {path.name for path in FOLDER.iterdir()} >= {
        'README.md', 'objects.json', *(f'{name}.{end}' for name in MODELS for end in ('yaml', 'json', 'safetensors', 'npz'))}


@pytest.mark.parametrize('name', MODELS)
@pytest.mark.parametrize('extension', ['yaml', 'json'])
def test_model(name, extension, tmp_path):
    model = Model.load_from_file(FOLDER / f'{name}.{extension}', FOLDER / f'{name}.safetensors', custom_objects=PROGRAM)
    assert_as_it_was(model, name)
    paths = tmp_path / f'a.{extension}', tmp_path / 'w.safetensors'
    model.save_to_file(*paths)
    assert_as_it_was(Model.load_from_file(*paths, custom_objects=PROGRAM), name)


def test_arguments_that_were_renamed_are_written_by_their_new_names(tmp_path):
    model = Model.load_from_file(FOLDER / 'words.yaml', FOLDER / 'words.safetensors', custom_objects=PROGRAM)
    model.save_arch(tmp_path / 'a.yaml')
    for text in ((tmp_path / 'a.yaml').read_text(), model.to_python()):
        assert not re.search(r'\b(n|repeat|stride|pool_length|size|dropout|dropout_W|dropout_U|rate|sigma|pad)\b(?=: [\d[]|=[\d(])', text)
        for word in ('repeats', 'strides', 'pool_size', 'drop_rate', 'drop_rate_W', 'drop_rate_U', 'std', 'padding'):
            assert re.search(rf'\b{word}\b', text) or text.startswith(('from', 'import')), word
    assert model.get_layer('noisy').embedded_layers[0].std == 0.25


def test_the_two_formats_hold_the_same():
    for name in MODELS:
        assert read_plain(FOLDER / f'{name}.yaml') == read_plain(FOLDER / f'{name}.json')


def test_weights_belong_to_the_model_of_a_program_that_passes_what_was_written_as_lists():
    model = Model.load_from_file(FOLDER / 'graph.yaml', custom_objects=PROGRAM)
    built = {'three': (1., 2.), 'four': np.array([1., -1., 0.5])}
    for name, shift in built.items():
        model.get_layer(name).shift = shift
    model.get_layer('three').notes = {'a': [1, (2, None)], 'b': np.int64(3), 'c': np.True_}
    model.load_weights(FOLDER / 'graph.safetensors')
    assert_as_it_was(model, 'graph')


def test_values_of_arguments_are_those_of_the_file():
    layer = Model.load_from_file(FOLDER / 'graph.json', custom_objects=PROGRAM).get_layer('three')
    assert isinstance(layer, Shifted) and layer.shift == [1., 2.] and layer.scale == float(np.float32(0.1))
    assert layer.notes == {'a': [1, [2, None]], 'b': 3, 'c': True}


def test_every_object_has_the_arguments_of_the_file():
    for data in json.loads((FOLDER / 'objects.json').read_text()):
        made = serialize(unserialize(data))
        assert made.get('class') == data.get('class') and made.get('function') == data.get('function')
        for name, value in by_current_names(data).get('args', {}).items():
            assert made['args'][name] == value, data
        assert serialize(unserialize(made)) == made


def test_a_kensor_that_the_program_made_takes_loaded_layers():
    model = Model.load_from_file(FOLDER / 'layers.yaml', FOLDER / 'layers.safetensors')
    x = Input(4)
    again = Model(x, model(x)).predict(arrays_of('layers', 'x')['x'])
    np.testing.assert_allclose(again, arrays_of('layers', 'y')['flat'], rtol=1e-5, atol=1e-6)
    assert B.is_tensor(model(np.zeros((1, 4), 'float32')))
