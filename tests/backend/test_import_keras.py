"""Models of Keras as models of keraflow: they predict the same, and what has no match is refused by name."""
import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import load_file

import keraflow
from keraflow import import_keras
from keraflow.errors import ArgumentError, ArgumentTypeError, ModelFileError
from keraflow.layers import GRU, LSTM, Bidirectional, Dense, Highway, Input
from keraflow.models import Model, Sequential
from keraflow.models.keras.archive import read_keras
from keraflow.models.keras.arrays import arrays_of
from keraflow.models.keras.translation import TRANSLATIONS

FOLDER = Path(__file__).parents[1] / 'data' / 'keras'
NAMES = sorted(path.stem for path in FOLDER.glob('*.keras'))


def data_of(name):
    """The inputs of a model of Keras, and what it predicts."""
    arrays = load_file(FOLDER / f'{name}.safetensors')
    return [[arrays[f'{letter}{number}'] for number in range(sum(one[0] == letter for one in arrays))] for letter in 'xy']


def as_list(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize('name', NAMES)
def test_it_predicts_what_keras_does(name):
    x, y = data_of(name)
    found = as_list(import_keras(FOLDER / f'{name}.keras').predict(x if len(x) > 1 else x[0]))
    assert len(found) == len(y)
    for one, wanted in zip(found, y):
        np.testing.assert_allclose(one, wanted, rtol=1e-5, atol=1e-6)
        assert np.ptp(wanted) > 1e-3


def test_every_layer_of_the_table_is_in_a_model():
    seen = set()
    for name in NAMES:
        data, _ = read_keras(FOLDER / f'{name}.keras')
        seen |= set(re.findall(r'"class_name": "(\w+)"', json.dumps(data)))
    assert set(TRANSLATIONS) <= seen


def test_it_is_a_model_like_any_other(tmp_path):
    x, [y] = data_of('words')
    model = import_keras(FOLDER / 'words.keras')
    model.compile('sgd', 'mse')
    model.save_to_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    again = Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    np.testing.assert_allclose(again.predict(x[0]), y, rtol=1e-5, atol=1e-6)
    losses = model.fit(x[0], y + 1, nb_epoch=20, verbose=0).history['loss']
    assert losses[-1] < losses[0]
    assert [layer.name for layer in model.layers][-1] == data_of_layers('words')[-1]


def data_of_layers(name):
    data, _ = read_keras(FOLDER / f'{name}.keras')
    return [one['config']['name'] for one in data['config']['layers']]


@pytest.mark.parametrize('name', NAMES)
def test_weights_go_back_as_they_came(name):
    model = import_keras(FOLDER / f'{name}.keras')
    _, arrays = read_keras(FOLDER / f'{name}.keras')
    exported = model.export_keras_weights()
    assert sum(array.size for one in exported.values() for array in one) == sum(one.size for one in model.get_weights().values())
    if name == 'recurrent':
        for number, array in enumerate(exported[data_of_layers(name)[1]]):
            np.testing.assert_array_equal(arrays(f'layers/lstm/cell/vars/{number}', array.shape), array)


@pytest.mark.parametrize('name', NAMES)
def test_arrays_are_turned_there_and_back(name):
    for layer in import_keras(FOLDER / f'{name}.keras').layers:
        own = layer.get_weights()
        for one in arrays_of(layer):
            shapes = {key: np.shape(value) for key, value in own.items()}
            array = np.random.default_rng(1).normal(size=one.keras_shape(shapes))
            np.testing.assert_array_equal(one.to_keras(one.to_own(array, shapes)), array)


def test_weights_that_keras_has_no_layer_for():
    model = Sequential([Input(3), Highway(name='h')])
    with pytest.raises(ArgumentError, match=r"export_keras_weights: Keras has no layer for the weights of 'h' \(Highway\)"):
        model.export_keras_weights()


@pytest.mark.parametrize('layer, shapes', [
    (lambda: LSTM(3, stateful=True), [(2, 12), (3, 12), (12,)]), (lambda: GRU(3, stateful=True), [(2, 9), (3, 9), (9,)]),
    (lambda: Bidirectional(LSTM(3, stateful=True)), 2 * [(2, 12), (3, 12), (12,)])])
def test_states_are_no_weights_in_keras(layer, shapes):
    model = Sequential([Input((4, 2), batch_size=2), layer()])
    assert [array.shape for array in model.export_keras_weights().popitem()[1]] == shapes


# -- from descriptions --------------------------------------------------------------------------------------------------

def start(shape=(None, 3)):
    return {'class_name': 'InputLayer', 'config': {'name': 'x', 'batch_shape': list(shape), 'dtype': 'float32'}}


def dense(**others):
    return {'class_name': 'Dense', 'config': {'name': 'd', 'units': 2, 'activation': 'linear', 'use_bias': True, **others}}


@pytest.mark.parametrize('shape', [(None, 5, 3), (None, None, 3), (None, 5, 4, 3)])
def test_dense_on_series_and_images(shape):
    W, b = np.arange(6.).reshape(3, 2), np.ones(2)
    model = import_keras({'name': 'm', 'layers': [start(shape), dense()]}, [W, b])
    x = np.random.default_rng(0).normal(size=(2, *(length or 4 for length in shape[1:])))
    np.testing.assert_allclose(model.predict(x), x @ W + b, rtol=1e-5, atol=1e-6)
    assert keraflow.plan(keraflow.serialize(model)).nb_parameter == 8
    [exported] = model.export_keras_weights().values()
    np.testing.assert_array_equal(exported[0], W)


def test_dense_on_one_rank_alone():
    def call(name, *fed):
        return {'args': [{'class_name': '__keras_tensor__', 'config': {'keras_history': [name, *fed]}}], 'kwargs': {}}
    flat = {'class_name': 'Flatten', 'config': {'name': 'f', 'data_format': 'channels_last'}, 'inbound_nodes': [call('x', 0, 0)]}
    for fed in (['x', 'f'], ['f', 'x']):
        shared = {**dense(), 'inbound_nodes': [call(name, 0, 0) for name in fed]}
        with pytest.raises(ModelFileError, match=r"^import_keras: 'd': d: expected"):
            import_keras({'layers': [{**start((None, 1, 3)), 'inbound_nodes': []}, flat, shared], 'input_layers': [['x', 0, 0]],
                          'output_layers': [['d', 0, 0]]})


def test_weights_as_a_list():
    W, b = np.arange(6.).reshape(3, 2), np.ones(2)
    model = import_keras({'name': 'm', 'layers': [start(), dense()]}, [W, b])
    np.testing.assert_allclose(model.predict(np.ones((1, 3))), [[7, 10]])
    for weights, message in (([W], r'expected 2 arrays, one for each of layers/dense/vars/0, layers/dense/vars/1, received 1'),
                             ([W.T, b], r'layers/dense/vars/0: expected shape \(3, 2\), received \(2, 3\)')):
        with pytest.raises(ArgumentError, match=message):
            import_keras({'name': 'm', 'layers': [start(), dense()]}, weights)


def test_weights_are_set_all_or_none(monkeypatch):
    made = []
    monkeypatch.setattr(Dense, 'set_weights', lambda layer, weights: made.append(layer))
    second = {'class_name': 'Dense', 'config': {**dense()['config'], 'name': 'e'}}
    with pytest.raises(ArgumentError):
        import_keras({'layers': [start(), dense(), second]}, [np.ones((3, 2)), np.ones(2), np.ones((2, 2)), np.ones(3)])
    assert made == []


def test_without_an_input_the_shape_that_it_was_built_for_counts():
    model = import_keras({'name': 'm', 'layers': [dense()], 'build_input_shape': [None, 4]})
    assert model.inputs[0].shape == (None, 4)


REFUSED = [
    ({'class_name': 'DepthwiseConv2D', 'config': {'name': 'd'}}, r"'d' \(DepthwiseConv2D\): keraflow has no layer that computes this"),
    ({'class_name': 'Lambda', 'config': {'name': 'd'}}, r"'d' \(Lambda\): keraflow has no layer that computes this"),
    ({**dense(), 'registered_name': 'mine>Dense'}, r"'d' \(Dense\): keraflow has no layer that computes this"),
    ({**dense(), 'module': 'os'}, r"'d' \(Dense\): keraflow has no layer that computes this"),
    (dense(activation='hard_sigmoid'), r"'d' \(Dense\): activation='hard_sigmoid' has no match"),
    (dense(activation={'class_name': 'function', 'config': 'mine'}), r"activation='mine' has no match"),
    (dense(new_argument=3), r"'d' \(Dense\): new_argument=3 has no match"),
    (dense(kernel_regularizer={'class_name': 'OrthogonalRegularizer', 'config': {}}), r"kernel_regularizer='OrthogonalRegularizer' has no"),
    (dense(kernel_constraint={'class_name': 'MaxNorm', 'config': {'max_value': 2, 'axis': 1}}), 'kernel_constraint='),
    (dense(activity_regularizer={'class_name': 'L2', 'config': {'l2': 0.1}}), 'activity_regularizer='),
    (dense(units='3'), r"'d' \(Dense\): Dense: output_dim: expected an integer of at least 1, received '3'"),
    (dense(units=True), 'output_dim'),
    (dense(name='../x'), 'a name of letters'),
    ({'class_name': 'GRU', 'config': {'name': 'd', 'units': 2, 'reset_after': True}}, r'reset_after=True has no match\. keraflow resets'),
    ({'class_name': 'Conv2D', 'config': {'name': 'd', 'filters': 2, 'kernel_size': [2], 'strides': [1, 1], 'groups': 1}},
     r'kernel_size=\[2\]: expected 2 integers'),
    ({'class_name': 'Conv2D', 'config': {'name': 'd', 'filters': 2, 'kernel_size': [2, 2], 'groups': 3}}, 'groups=3 has no match'),
    ({'class_name': 'Reshape', 'config': {'name': 'd', 'target_shape': None}}, r"'d' \(Reshape\)"),
    ({'class_name': 'Bidirectional', 'config': {'name': 'd', 'layer': 3}}, r"'d' \(Bidirectional\)"),
    ({'class_name': 'Permute', 'config': {'name': 'd', 'dims': 'ab'}}, r"'d' \(Permute\)"),
]


@pytest.mark.parametrize('layer, message', REFUSED)
def test_what_has_no_match_is_refused_by_name(layer, message):
    with pytest.raises(ModelFileError, match=message) as caught:
        import_keras({'name': 'm', 'layers': [start(), layer]})
    assert len(str(caught.value)) <= 300


def test_all_that_has_no_match_is_named():
    layers = [{'class_name': 'Lambda', 'config': {'name': f'l{number}'}} for number in range(5)]
    with pytest.raises(ModelFileError, match=r"'l0' \(Lambda\).*'l1' \(Lambda\).*'l2' \(Lambda\).*And 2 more"):
        import_keras({'layers': [start(), *layers]})


def tensor(name, number=0, output=0):
    return {'class_name': '__keras_tensor__', 'config': {'keras_history': [name, number, output]}}


def functional(args, kwargs=None, outputs=('d', 0, 0), nodes=None):
    nodes = [{'args': args, 'kwargs': kwargs or {}}] if nodes is None else nodes
    return {'layers': [{**start(), 'inbound_nodes': []}, {**dense(), 'inbound_nodes': nodes}], 'input_layers': [['x', 0, 0]],
            'output_layers': [list(outputs)]}


def test_a_functional_description():
    assert import_keras(functional([tensor('x')], {'training': None})).output_names() == ['d']


@pytest.mark.parametrize('data, message', [
    (functional([tensor('d')]), "the layer 'd' is fed by itself"),
    (functional([tensor('nowhere')]), "the layer 'd' is fed by itself, or by a layer that is not there"),
    (functional([tensor('x', 0, 3)]), "there is no output 3 of the layer 'x'"),
    (functional([tensor('x')], outputs=('d', 1, 0)), "there is no output 0 of the layer 'd'"),
    (functional([tensor('x')], {'training': True}), 'training=True has no match'),
    (functional([tensor('x')], {'mask': tensor('x')}), r"'d': d: mask: expected truth values of shape \(batch, time\)"),
    (functional([tensor('x')], {'mask': True}), 'mask=True has no match'),
    (functional([tensor('x'), 1.5]), r"'d' \(Dense\): a call with 1.5 has no match"),
    (functional([tensor('x'), tensor('x')]), "'d'"),
    (functional([{'class_name': '__keras_tensor__', 'config': {}}]), 'expected the place of a tensor, found None'),
    (functional([], nodes=[['x', 0, 0, {}]]), 'a description by an earlier Keras'),
    ({'layers': 'x'}, 'no description of a Functional or Sequential model'),
    ({'layers': [3]}, 'no description of a Functional or Sequential model'),
    ({}, 'no description of a Functional or Sequential model'),
    ({'layers': [start((None,)), dense()]}, 'keraflow needs an axis after the batch'),
])
def test_graphs_that_are_none(data, message):
    with pytest.raises(ModelFileError, match=message):
        import_keras(data)


@pytest.mark.parametrize('source', [None, 3, [1]])
def test_what_is_no_model(source):
    with pytest.raises(ArgumentTypeError, match='import_keras: source: expected a path, the dict of get_config or a model of Keras'):
        import_keras(source)


# -- files --------------------------------------------------------------------------------------------------------------

def changed(path, **members):
    """A copy of a file with other members, or without one that is None."""
    with zipfile.ZipFile(FOLDER / 'vectors.keras') as archive, zipfile.ZipFile(path, 'w') as made:
        for name in archive.namelist():
            content = members.get(name.partition('.')[0], archive.read(name))
            if content is not None:
                made.writestr(name, content)
    return path


@pytest.mark.parametrize('members, message', [
    ({'metadata': b'{"keras_version": "2.9.0"}'}, "expected a file of Keras 3, found version '2.9.0'"),
    ({'metadata': b'[]'}, 'expected a file of Keras 3, found version None'),
    ({'metadata': b'\xff'}, 'metadata.json is no text in UTF-8'),
    ({'config': b'{"a": 1, "a": 2}'}, "'a'"),
    ({'config': b'{}'}, 'no description'),
    ({'config': None}, 'expected one member config.json, found 0. The file is damaged, or a different one.'),
    ({'model': b'nothing'}, 'this is not a complete HDF5 file'),
    ({'model': None}, 'expected one member model.weights.h5, found 0')])
def test_files_that_are_damaged(tmp_path, members, message):
    assert import_keras(changed(tmp_path / 'right.keras')) is not None
    with pytest.raises(ModelFileError, match=re.escape(message)):
        import_keras(changed(tmp_path / 'm.keras', **members))


def test_a_file_cut_short(tmp_path):
    content = (FOLDER / 'masked.keras').read_bytes()
    for length in range(0, len(content), 997):
        (tmp_path / 'm.keras').write_bytes(content[:length])
        with pytest.raises(ModelFileError, match='m.keras'):
            import_keras(tmp_path / 'm.keras')


def test_weights_that_expand_too_much(tmp_path):
    with zipfile.ZipFile(FOLDER / 'vectors.keras') as archive, \
            zipfile.ZipFile(tmp_path / 'm.keras', 'w', zipfile.ZIP_DEFLATED) as made:
        for name in ('metadata.json', 'config.json'):
            made.writestr(name, archive.read(name))
        made.writestr('model.weights.h5', bytes(10_000_000))
    with pytest.raises(ModelFileError, match='model.weights.h5: it unpacks to more than [0-9]+ bytes, which are too many for'):
        import_keras(tmp_path / 'm.keras')


def test_compression_that_keras_does_not_use(tmp_path):
    with zipfile.ZipFile(FOLDER / 'vectors.keras') as archive, zipfile.ZipFile(tmp_path / 'm.keras', 'w', zipfile.ZIP_BZIP2) as made:
        for name in archive.namelist():
            made.writestr(name, archive.read(name))
    with pytest.raises(ModelFileError) as caught:
        import_keras(tmp_path / 'm.keras')
    assert str(caught.value) == (f'{tmp_path}/m.keras: metadata.json: it is encrypted, or compressed in a way that Keras does not use. '
                                 'Save the model anew with Keras 3.')


def test_other_names_of_files(tmp_path):
    shutil.copy(FOLDER / 'vectors.keras', tmp_path / 'm.zip')
    with pytest.raises(ModelFileError, match=r'expected a file that ends with \.keras'):
        import_keras(tmp_path / 'm.zip')
    with pytest.raises(ArgumentError, match='has weights. Pass weights for a dict alone'):
        import_keras(FOLDER / 'vectors.keras', [1])


def with_arrays(path, change):
    """A copy of a file whose HDF5 was changed."""
    with zipfile.ZipFile(FOLDER / 'masked.keras') as archive:
        content = io.BytesIO(archive.read('model.weights.h5'))
        with h5py.File(content, 'a') as file:
            change(h5py, file)
        with zipfile.ZipFile(path, 'w') as made:
            for name in ('metadata.json', 'config.json'):
                made.writestr(name, archive.read(name))
            made.writestr('model.weights.h5', content.getvalue())
    return path


PLACE = 'layers/gru/cell/vars/0'


def external_link(h5py, file):
    del file[PLACE]
    file[PLACE] = h5py.ExternalLink('canary.h5', '/x')


def soft_link(h5py, file):
    del file[PLACE]
    file[PLACE] = h5py.SoftLink('/layers/gru/cell/vars/1')


def external_storage(h5py, file):
    shape = file[PLACE].shape
    del file[PLACE]
    file.create_dataset(PLACE, shape, 'float32', external=[('canary.raw', 0, 10000)])


def virtual(h5py, file):
    shape = file[PLACE].shape
    del file[PLACE]
    layout = h5py.VirtualLayout(shape, 'float32')
    layout[...] = h5py.VirtualSource('canary.h5', 'x', shape=shape)
    file.create_virtual_dataset(PLACE, layout)


def other_filter(h5py, file):
    values = file[PLACE][()]
    del file[PLACE]
    file.create_dataset(PLACE, data=values, chunks=values.shape, compression='lzf')


def huge(h5py, file):
    del file[PLACE]
    file.create_dataset(PLACE, (2 ** 40,), 'float32', chunks=(1024,))


def text(h5py, file):
    shape = file[PLACE].shape
    del file[PLACE]
    file.create_dataset(PLACE, shape, h5py.string_dtype())


def missing(h5py, file):
    del file[PLACE]


def packed(h5py, file):
    values = file[PLACE][()]
    del file[PLACE]
    file.create_dataset(PLACE, data=values, chunks=values.shape, compression='gzip', shuffle=True)


@pytest.mark.parametrize('change, message', [
    (external_link, 'there is a link to another place'), (soft_link, 'there is a link to another place'),
    (external_storage, 'the array is in another file'), (virtual, 'the array is in another file'),
    (other_filter, 'is encoded by a program of its own'), (huge, r'expected numbers of shape \(3, 9\), found \(1099511627776,\)'),
    (text, r'expected numbers of shape \(3, 9\)'), (missing, r'expected an array layers/gru/cell/vars/0, of shape \(3, 9\); there is none')])
def test_arrays_of_other_places_are_not_opened(tmp_path, change, message):
    with pytest.raises(ModelFileError, match=message):
        import_keras(with_arrays(tmp_path / 'm.keras', change))


def test_arrays_that_hdf5_itself_packs(tmp_path):
    x, [y] = data_of('masked')
    model = import_keras(with_arrays(tmp_path / 'm.keras', packed))
    np.testing.assert_allclose(model.predict(x[0]), y, rtol=1e-5, atol=1e-6)


def test_the_page_lists_all_layers():
    page = (Path(__file__).parents[2] / 'docs' / 'keras.rst').read_text()
    table = page.split('=====  =====')[2]
    assert set(TRANSLATIONS) == {word for line in table.splitlines() for word in re.findall(r'[A-Z]\w+', line[:55])}
