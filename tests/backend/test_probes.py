"""What a model predicted when it was saved is compared with what it predicts when it is loaded."""
import warnings

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import KeraFlowWarning, ModelFileError
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import (LSTM, BatchNormalization, Convolution2D, Dense, Embedding, Flatten, GlobalPooling2D, Input,
                             Lambda, Layer, Reshape, TimeDistributed)
from keraflow.models import Model, Sequential
from keraflow.training.model_function import _Build

X = np.random.default_rng(6).normal(size=(6, 3)).astype('float32')


def net():
    return Sequential([Input(3, name='x'), Dense(4, activation='tanh', name='h'), BatchNormalization(name='n'),
                       Dense(2, activation='softmax', name='y')], name='m')


def probes_in(path):
    arrays, metadata = read_tensors(path)
    return {name: array for name, array in arrays.items() if name.startswith('probes/')}, metadata.get('probes')


def saved(model, tmp_path, **arguments):
    model.save(tmp_path / 'm.keraflow', overwrite=True, **arguments)
    return tmp_path / 'm.keraflow'


def moved(path, change):
    """Write the file anew after a change of its tensors and metadata."""
    arrays, metadata = read_tensors(path)
    change(arrays, metadata)
    path.write_bytes(dump_tensors(arrays, metadata))
    return path


@pytest.fixture
def compiled(monkeypatch):
    """What is compiled: the functions of models that are built."""
    found, build = [], _Build.build
    monkeypatch.setattr(_Build, 'build', lambda self, layers: self._guards or found.append(1) or build(self, layers))
    return found


# -- when they are written and compared ---------------------------------------------------------------------------------

def test_saving_and_loading_compile_nothing(tmp_path, compiled):
    model = net()
    model.compile('adam', 'categorical_crossentropy')
    path = saved(model, tmp_path)
    assert probes_in(path) == ({}, None)
    keraflow.load(path)
    assert compiled == []
    model.predict(X)
    assert compiled == [1]
    path = saved(model, tmp_path)
    arrays, text = probes_in(path)
    assert list(arrays) == ['probes/input/x', 'probes/output/y'] and B.name() in text and len(compiled) == 1
    again = keraflow.load(path)
    assert compiled == [1]
    again.predict(X)
    assert compiled == [1, 1]
    model.get_layer('h').activation = 'relu'     # predict is to be compiled anew
    assert probes_in(saved(model, tmp_path)) == ({}, None) and compiled == [1, 1]


def test_they_are_what_the_model_predicts(tmp_path):
    model = net()
    path = saved(model, tmp_path, probes=True)
    arrays, _ = probes_in(path)
    assert arrays['probes/input/x'].shape == (4, 3)
    np.testing.assert_allclose(model.predict(arrays['probes/input/x']), arrays['probes/output/y'], rtol=1e-5)
    assert probes_in(saved(model, tmp_path, probes=False)) == ({}, None)


@pytest.mark.filterwarnings('error')
def test_a_model_that_predicts_the_same_is_silent(tmp_path):
    path = saved(net(), tmp_path, probes=True)
    keraflow.load(path).predict(X)
    keraflow.load(path, verify=True).predict(X)


def test_what_moved_is_told_once_with_its_size(tmp_path):
    path = moved(saved(net(), tmp_path, probes=True), lambda arrays, metadata: arrays['probes/output/y'].__setitem__((0, 0), 0.125))
    largest = np.abs(probes_in(path)[0]['probes/output/y']).max()
    here = f'{B.name()} {B.current().version()} in float32'
    with pytest.raises(ModelFileError) as caught:
        keraflow.load(path, verify=True)
    found = keraflow.load(path)
    with pytest.warns(KeraFlowWarning) as told:
        found.predict(X)
    assert str(told[0].message) == str(caught.value)
    arrays, _ = probes_in(path)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        off = abs(float(found.predict(arrays['probes/input/x'])[0, 0]) - 0.125)
    start = f'{path}: the model predicts something else on {here} than when it was saved, on {here}: y by '
    assert str(caught.value).startswith(start[:300])
    if len(start) < 240:
        by, reach = str(caught.value)[len(start):-1].split(', where values reach ')
        assert float(by) == pytest.approx(off, rel=1e-2) and float(reach) == pytest.approx(largest, rel=1e-2)


def test_a_layer_that_computes_something_else_is_noticed(tmp_path, monkeypatch):
    path = saved(net(), tmp_path, probes=True)
    output = Dense.output
    monkeypatch.setattr(Dense, 'output', lambda self, x: output(self, x) * 1.01)
    with pytest.raises(ModelFileError, match='the model predicts something else on'):
        keraflow.load(path, verify=True)


@pytest.mark.filterwarnings('error')
def test_a_model_that_is_changed_on_purpose_is_not_compared(tmp_path):
    path = saved(net(), tmp_path, probes=True)
    trained = keraflow.load(path)
    trained.compile('sgd', 'mse')
    trained.fit(X, np.ones((6, 2)), nb_epoch=1, verbose=0)
    other = keraflow.load(path)
    other.get_layer('h').activation = 'relu'
    longer = keraflow.load(path)
    longer.add(Dense(2))
    for model in (trained, other, longer):
        model.predict(X)
        arrays, _ = probes_in(saved(model, tmp_path))
        np.testing.assert_allclose(model.predict(arrays['probes/input/x']), next(iter(arrays[name] for name in arrays if 'output' in name)),
                                   rtol=1e-5)


def test_they_are_kept_by_a_file_that_is_written_anew(tmp_path):
    path = saved(net(), tmp_path, probes=True)
    first, model = path.read_bytes(), keraflow.load(path)
    assert saved(model, tmp_path).read_bytes() == first
    model.predict(X)
    assert saved(model, tmp_path).read_bytes() == first
    model.set_weights({'h/W': np.ones((3, 4))})
    assert saved(model, tmp_path).read_bytes() != first
    assert saved(keraflow.load(path), tmp_path).read_bytes() == path.read_bytes()


def test_a_program_of_other_reals_compares_to_its_own_rounding(tmp_path):
    path = saved(net(), tmp_path, probes=True)
    B.set_floatx('float64')
    try:
        keraflow.load(path, verify=True)
    finally:
        B.set_floatx('float32')


# -- states and random numbers ------------------------------------------------------------------------------------------

def test_states_begin_anew_and_are_left_as_they_were(tmp_path):
    model = Sequential([Input((5, 3), batch_size=2, name='x'), LSTM(4, stateful=True, name='y')], name='s')
    x = np.ones((2, 5, 3), 'float32')
    model.predict(x)
    before = model.get_weights()
    path = saved(model, tmp_path)
    assert all(np.array_equal(before[name], array) for name, array in model.get_weights().items())
    arrays, _ = probes_in(path)
    assert arrays['probes/input/x'].shape == (2, 5, 3)
    again = keraflow.load(path, verify=True)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert saved(keraflow.load(path), tmp_path).read_bytes() == path.read_bytes()
    model.reset_states()
    np.testing.assert_allclose(model.predict(arrays['probes/input/x']), arrays['probes/output/y'], rtol=1e-5)


@keraflow.register(id='noisy-in-test-probes')
class Noisy(Layer):
    """Draws whenever it runs."""

    def output(self, x):
        return x + B.random_uniform(B.shape(x), 0., 1.) if B.ndim(x) else x

    def output_shape(self, input_shape):
        return input_shape


def test_a_model_that_draws_has_none_and_its_random_numbers_stay(tmp_path):
    B.seed(3)
    model = Sequential([Input(3), Noisy()], name='m')
    first, position = model.predict(X), model._stream.position
    with pytest.warns(KeraFlowWarning) as told:
        path = saved(model, tmp_path, probes=True)
    assert str(told[0].message) == 'm: save: it draws random numbers when it predicts, so there are no probes.'
    assert model._stream.position == position and not np.array_equal(model.predict(X), first)
    assert probes_in(path) == ({}, '{"none": "it draws random numbers when it predicts, so there are no probes."}')


# -- what is drawn ------------------------------------------------------------------------------------------------------

@keraflow.register(id='shifted-in-test-probes')
class Shifted(Layer):
    """Takes integers from 5 to 7."""

    input_range = (5, 8)

    def output(self, x):
        return B.cast(B.require(B.require(x, B.greater_equal(x, 5), 'too small'), B.less(x, 8), 'too large'), 'float32')

    def output_shape(self, input_shape):
        return input_shape


def words(*layers, **arguments):
    return Sequential([Input((6,), dtype='int32', name='x', **arguments), *layers], name='m')


@pytest.mark.parametrize('make, low, high', [
    (lambda: words(Embedding(3, 2)), 0, 3),
    (lambda: words(Reshape((3, 2)), Flatten(), Embedding(3, 2)), 0, 3),
    (lambda: words(Reshape((6, 1)), TimeDistributed(Embedding(3, 2))), 0, 3),
    (lambda: words(Shifted()), 5, 8),
    (lambda: words(words(Embedding(3, 2))), 0, 3)])
def test_integers_are_drawn_in_the_range_that_layers_know(tmp_path, make, low, high):
    arrays, _ = probes_in(saved(make(), tmp_path, probes=True))
    drawn = arrays['probes/input/x']
    assert drawn.dtype == 'int32' and low <= drawn.min() and drawn.max() < high and len(np.unique(drawn)) == high - low


def test_an_input_of_two_layers_has_what_both_take(tmp_path):
    x = Input((20,), dtype='int32', name='x')
    model = Model(x, [Embedding(9, 2, name='a')(x), Embedding(4, 2, name='b')(x[:, 3:]), Shifted(name='c')(B.cast(x, 'int32'))])
    with pytest.warns(KeraFlowWarning, match=r"nothing tells which integers the input 'x' may hold, so there are no probes\.$"):
        saved(model, tmp_path, probes=True)        # 5 to 7, and 0 to 3
    model = Model(x, [Embedding(9, 2, name='d')(x), Shifted(name='e')(x)])
    drawn = probes_in(saved(model, tmp_path, probes=True))[0]['probes/input/x']
    assert 5 <= drawn.min() and drawn.max() < 8


def test_without_a_known_range_there_are_none_and_that_is_said(tmp_path):
    model = words(Lambda(widened))
    path = saved(model, tmp_path)
    model.predict(np.ones((2, 6), 'int32'))
    path = saved(model, tmp_path)       # silent: nobody asked
    reason = "nothing tells which integers the input 'x' may hold, so there are no probes."
    assert probes_in(path) == ({}, '{"none": "%s"}' % reason)
    with pytest.warns(KeraFlowWarning) as told:
        keraflow.load(path, verify=True, custom_objects=[widened])
    assert str(told[0].message) == f'{path}: it cannot be verified: {reason}'
    with pytest.warns(KeraFlowWarning) as told:
        keraflow.load(saved(net(), tmp_path), verify=True)
    assert str(told[0].message) == f'{path}: it cannot be verified: it was saved without probes. Save the model with probes=True.'


def widened(x):
    return B.cast(x, 'float32') * 2.


def test_lengths_that_nobody_knows_are_tried(tmp_path):
    x = Input((3, None, None), name='x')
    model = Model(x, GlobalPooling2D('max', name='y')(Convolution2D(2, 11, 11, pad='valid')(x)))
    assert probes_in(saved(model, tmp_path, probes=True))[0]['probes/input/x'].shape == (4, 3, 32, 32)


def test_large_samples_are_one_and_those_of_millions_of_numbers_none(tmp_path):
    def mean(length):
        x = Input((3, length, length), name='x')
        return Model(x, GlobalPooling2D('avg', name='y')(x), name='m')
    assert probes_in(saved(mean(148), tmp_path, probes=True))[0]['probes/input/x'].shape == (1, 3, 148, 148)
    with pytest.warns(KeraFlowWarning, match='^m: save: there are no probes: the inputs would have millions of numbers.$'):
        saved(mean(1200), tmp_path, probes=True)


def test_the_end_of_a_sequence_is_masked(tmp_path):
    model = words(Embedding(50, 2), LSTM(3), mask_value=0)
    drawn = probes_in(saved(model, tmp_path, probes=True))[0]['probes/input/x']
    assert drawn[-1, -1] == 0 and drawn[:-1].any()


def refusing(x):
    return B.require(x, B.greater(x, 100.), 'expected large numbers.')


def test_a_model_that_refuses_what_is_drawn_has_none(tmp_path):
    model = Sequential([Input(3), Lambda(refusing)], name='m')
    with pytest.warns(KeraFlowWarning, match='^m: save: there are no probes: .*expected large'):
        saved(model, tmp_path, probes=True)


# -- files that are not to be trusted -----------------------------------------------------------------------------------

@pytest.mark.parametrize('change, text', [
    (lambda arrays, metadata: metadata.update(probes='[]'), 'the description of the probes is damaged.'),
    (lambda arrays, metadata: metadata.update(probes='{"none": "a\\u001b[31m"}'), 'the description of the probes is damaged.'),
    (lambda arrays, metadata: metadata.update(probes=metadata['probes'].replace('float32', 'float8')), 'the description of the probes is damaged.'),
    (lambda arrays, metadata: arrays.pop('probes/input/x'), "expected probes for ['x', 'y'], found ['y']."),
    (lambda arrays, metadata: arrays.pop('probes/output/y'), "expected probes for ['x', 'y'], found ['x']."),
    (lambda arrays, metadata: arrays.update({'probes/input/x': np.zeros((2, 7), 'float32')}),
     "expected an array of float32 and (None, 3) for 'x', found one of float32 and (2, 7)."),
    (lambda arrays, metadata: arrays.update({'probes/input/x': np.zeros((), 'float32')}),
     "expected an array of float32 and (None, 3) for 'x', found one of float32 and ()."),
    (lambda arrays, metadata: arrays.update({'probes/input/x': np.zeros((2, 3), 'int8')}),
     "expected an array of float32 and (None, 3) for 'x', found one of int8 and (2, 3).")])
def test_probes_that_are_damaged_are_refused(tmp_path, change, text):
    path = moved(saved(net(), tmp_path, probes=True), change)
    with pytest.raises(ModelFileError) as caught:
        keraflow.load(path)
    assert str(caught.value) == f'{path}: probes: {text}'
