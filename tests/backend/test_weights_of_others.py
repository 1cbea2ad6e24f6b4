"""Weights in part, by other names, of other dtypes, from other tools, and of models that predict the same or differently."""
import functools
import warnings

import numpy as np
import pytest
from safetensors.numpy import save_file

import keraflow
from keraflow import backend as B
from keraflow.errors import ArgumentError, KeraFlowWarning, ModelFileError
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import (GRU, LSTM, Activation, BatchNormalization, Dense, Dropout, GaussianNoise, Input, Lambda,
                             Layer, TimeDistributed)
from keraflow.models import Model, Sequential

X = np.random.default_rng(6).normal(size=(4, 3)).astype('float32')


def net(hidden=4, nb_out=2, names=('h', 'y'), name='m'):
    return Sequential([Input(3, name='x'), Dense(hidden, activation='tanh', name=names[0]), Dense(nb_out, name=names[1])], name=name)


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'w.safetensors'


def refusal(load, kind=ModelFileError):
    with pytest.raises(kind) as caught:
        load()
    assert len(str(caught.value)) <= 300 and str(caught.value).isprintable()
    return str(caught.value)


def unchanged(model, load, kind=ModelFileError):
    before = model.get_weights()
    text = refusal(load, kind)
    assert all(np.array_equal(before[name], array) for name, array in model.get_weights().items())
    return text


# -- in part ------------------------------------------------------------------------------------------------------------

def test_part_of_a_file_is_taken_and_all_is_reported(path):
    old, new = net(), net(nb_out=5, names=('h', 'y'))
    old.save_weights(path)
    before = new.get_weights()
    report = new.load_weights(path, partial=True)
    assert (report.taken, report.missing, report.unexpected) == (('h/W', 'h/b'), (), ())
    assert report.other_shape == {'y/W': ((4, 2), (4, 5)), 'y/b': ((2,), (5,))}
    assert str(report) == 'taken: h/W, h/b\nother shape: y/W (4, 2), expected (4, 5), y/b (2,), expected (5,)'
    found = new.get_weights()
    for name in report.taken:
        np.testing.assert_array_equal(found[name], old.get_weights()[name])
    for name in report.other_shape:
        np.testing.assert_array_equal(found[name], before[name])
    report = net(names=('h', 'z')).load_weights(path, partial=True)
    assert (report.taken, report.missing, report.unexpected) == (('h/W', 'h/b'), ('z/W', 'z/b'), ('y/W', 'y/b'))


def test_a_whole_file_has_a_report_too(path):
    net().save_weights(path)
    assert net().load_weights(path).taken == ('h/W', 'h/b', 'y/W', 'y/b')


def test_a_file_of_which_nothing_fits_is_told(path):
    net().save_weights(path)
    with pytest.warns(KeraFlowWarning) as told:
        report = net(names=('a', 'b')).load_weights(path, partial=True)
    assert report.taken == () and str(told[0].message) == (
        f'{path}: none of its weights fits the model, which is as it was. Pass names={{...}}, with the name in the model for each name in '
        'the file.')


def test_names_of_a_file_in_a_report_are_escaped(path):
    path.write_bytes(dump_tensors({'a\x1b[31m\u202e': np.zeros(2, 'float32'), **net().get_weights()}))
    assert r"unexpected: a\x1b[31m\u202e" in str(net().load_weights(path, partial=True))


# -- by other names, from other tools -----------------------------------------------------------------------------------

NAMES = {'0.weight': 'h/W', '0.bias': 'h/b', '1.weight': 'y/W'}


def test_names_are_mapped(path):
    model, other = net(), net()
    arrays = model.get_weights()
    save_file({**{theirs: arrays[ours] for theirs, ours in NAMES.items()}, 'y/b': arrays['y/b']}, path)
    text = unchanged(other, lambda: other.load_weights(path, names=NAMES))
    assert text == (f'{path}: the file holds no SHA-256: keraflow did not write it, and damage would not be noticed. If you trust it, pass '
                    'require_digest=False.')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        other.load_weights(path, names=NAMES, require_digest=False)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


@pytest.mark.parametrize('names, text', [
    ({'0.wieght': 'h/W'}, "m: load_weights: names: there is no '0.wieght' in the file. Did you mean '0.weight'?"),
    ({'0.weight': 'h/w'}, "m: load_weights: names: there is no 'h/w' in the model. Did you mean 'h/W'?"),
    ({'h/W': '0.weight'}, "m: load_weights: names: there is no 'h/W' in the file. Write it the other way: the name in the file first."),
    ({'0.weight': 'h/W', '0.bias': 'h/W'}, "m: load_weights: names: expected one array for each weight, received two for 'h/W'.")])
def test_a_map_with_a_mistake_is_refused(path, names, text):
    model = net()
    arrays = model.get_weights()
    save_file({theirs: arrays[ours] for theirs, ours in NAMES.items()}, path)
    assert unchanged(model, lambda: model.load_weights(path, names=names, partial=True, require_digest=False), ArgumentError) == text


def test_weights_of_unknown_architecture_are_told(path):
    model = net()
    path.write_bytes(dump_tensors(model.get_weights()))
    with pytest.warns(KeraFlowWarning) as told:
        net().load_weights(path)
    assert str(told[0].message) == (
        f'{path}: the file does not say which architecture its weights belong to: only names, shapes and dtypes were compared. Pass '
        'same_architecture=False if that is enough.')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        net().load_weights(path, same_architecture=False)


# -- dtypes and numbers -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('dtype', ['int8', 'uint8', 'bool', 'float16', 'int32', 'int64'])
def test_another_dtype_is_refused_unless_asked_for(path, dtype):
    model = net()
    arrays = {**model.get_weights(), 'h/W': np.ones((3, 4), dtype)}
    path.write_bytes(dump_tensors(arrays, {'format': 'keraflow'}))
    for partial in (False, True):
        assert unchanged(model, lambda: model.load_weights(path, partial=partial)) == (
            f'{path}: the weights do not fit: h/W is {dtype}, expected float32; pass cast=True.')
    model.load_weights(path, same_architecture=False, cast=True)
    np.testing.assert_array_equal(model.get_weights()['h/W'], np.ones((3, 4), 'float32'))


def test_float64_is_rounded_if_asked_for_and_what_overflows_is_refused(path):
    model = net()
    arrays = {name: array.astype('float64') / 3 for name, array in model.get_weights().items()}
    path.write_bytes(dump_tensors(arrays))
    assert 'h/W is float64, which float32 cannot hold; set KERAFLOW_FLOATX=float64; h/b' in unchanged(
        model, lambda: model.load_weights(path, same_architecture=False))
    model.load_weights(path, same_architecture=False, cast=True)
    np.testing.assert_array_equal(model.get_weights()['h/W'], arrays['h/W'].astype('float32'))
    path.write_bytes(dump_tensors({**arrays, 'h/b': np.full(4, 1e200)}))
    assert 'h/b' in unchanged(model, lambda: model.load_weights(path, same_architecture=False, cast=True))


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_told(path, tmp_path, value):
    model = net()
    model.set_weights({'h/b': [0., value, 0., 0.]})
    model.save_weights(path)
    model.save(tmp_path / 'm.keraflow')
    text = 'there are values that are NaN or infinite among the weights h/b: training had failed when they were saved.'
    for load, place in ((lambda: net().load_weights(path), path), (lambda: keraflow.load(tmp_path / 'm.keraflow'), tmp_path / 'm.keraflow')):
        with pytest.warns(KeraFlowWarning) as told:
            load()
        assert str(told[0].message) == f'{place}: {text}'


@pytest.mark.filterwarnings('error')
def test_large_finite_weights_are_not(path):
    model = net()
    model.set_weights({'h/W': np.full((3, 4), 3e38)})
    model.save_weights(path)
    net().load_weights(path)


# -- of models that predict the same ------------------------------------------------------------------------------------

def x():
    return Input(3, name='x')


def graph(*layers, inputs=None, name=None):
    start = out = x() if inputs is None else inputs
    for layer in layers:
        out = layer(out)
    return Model(start, out, name=name)


def hidden(**arguments):
    return Dense(4, **{'activation': 'tanh', 'name': 'h', **arguments})


def out(**arguments):
    return Dense(2, name='y', **arguments)


SAME = {
    'a model of the same graph': lambda: graph(hidden(), out()),
    'another name': lambda: graph(hidden(), out(), name='other'),
    'dropout': lambda: graph(Dropout(0.3), hidden(), Dropout(0.5), GaussianNoise(0.1), out(), Dropout(0.1)),
    'training alone': lambda: graph(hidden(init='he_normal', regularizers=['l2'], trainable=False, activity_regularizer='l1'),
                                    out(constraints=['maxnorm'])),
    'a fixed batch size': lambda: graph(hidden(), out(), inputs=Input(3, batch_size=4, name='x')),
}
OTHER = {
    'activation': (lambda: graph(hidden(activation='relu'), out()), 'activation of h relu, received tanh'),
    'a layer more': (lambda: graph(hidden(), Activation('relu', name='a'), out()), 'the layer a Activation, received none'),
    'the order': (lambda: graph(Activation('tanh', name='a'), hidden(), out()), 'the layer a Activation, received none'),
}


@pytest.mark.parametrize('same', SAME)
def test_weights_of_a_model_that_predicts_the_same_fit(path, tmp_path, same):
    model, other = net(), SAME[same]()
    model.save_weights(path)
    other.load_weights(path)
    np.testing.assert_allclose(other.predict(X), model.predict(X), rtol=1e-6)
    model.save(tmp_path / 'm.keraflow')
    SAME[same]().load_weights(tmp_path / 'm.keraflow')
    other.save_weights(path, overwrite=True)
    net().load_weights(path)


@pytest.mark.parametrize('other', OTHER)
def test_weights_of_one_that_does_not_are_refused_and_the_difference_is_named(path, other):
    net().save_weights(path)
    make, words = OTHER[other]
    model = make()
    text = unchanged(model, lambda: model.load_weights(path))
    assert f'w.safetensors: the weights belong to a model of another architecture, which predicts differently: expected {words}' in text
    assert text.endswith('. Pass same_architecture=False to transfer them.')
    model.load_weights(path, same_architecture=False)


def test_lengths_and_loops_that_are_written_out_do_not_count(path):
    def series(length, **arguments):
        i = Input((length, 3), name='x')
        return Model(i, Dense(2, name='y')(BatchNormalization(momentum=arguments.pop('momentum', 0.9), name='n')(
            LSTM(4, name='r', **arguments)(i))))
    series(None).save_weights(path)
    series(5, unroll=True, momentum=0.5, drop_rate_W=0.3).load_weights(path)
    model = series(5, go_backwards=True)
    assert 'expected go_backwards of r True, received False' in unchanged(model, lambda: model.load_weights(path))


def test_networks_in_a_network_are_compared_by_their_graphs(path):
    def inner(activation, *more):
        return Sequential([Input(3), Dense(3, activation=activation, name='d'), *more], name='inner')
    model = graph(inner('tanh'), out())
    model.save_weights(path)
    i = Input(3)
    graph(Model(i, Dropout(0.2)(Dense(3, activation='tanh', name='d')(i)), name='inner'), out()).load_weights(path)
    other = graph(inner('relu'), out())
    assert 'activation of inner/d relu, received tanh' in unchanged(other, lambda: other.load_weights(path))


def test_wrapped_and_embedded_layers_count(path):
    i = Input((5, 3), name='x')
    Model(i, TimeDistributed(Dense(2, activation='tanh', regularizers=['l1']), name='t')(i)).save_weights(path)
    Model(i, TimeDistributed(Dense(2, activation='tanh', init='zero'), name='t')(i)).load_weights(path)
    other = Model(i, TimeDistributed(Dense(2), name='t')(i))
    assert 'layer.activation of t linear, received tanh' in unchanged(other, lambda: other.load_weights(path))


class Scaled(Layer):
    """Computes with arguments that others use in training alone."""

    def __init__(self, std, momentum=1., **kwargs):
        super().__init__(**kwargs)
        self.std = std
        self.momentum = momentum

    def output(self, x):
        return x * self.std * self.momentum


class Always(Dropout):
    """Is not only there in training."""

    def output(self, x):
        return x * 2.


def test_classes_of_the_program_are_not_mistaken_for_ours(path):
    graph(Scaled(2., name='s'), hidden(), out()).save_weights(path)
    model = graph(Scaled(3., momentum=2., name='s'), hidden(), out())
    with pytest.raises(ModelFileError) as caught:
        model.load_weights(path)
    assert set(caught.value.differences) == {'std of s 3.0, received 2.0', 'momentum of s 2.0, received 1.0'}
    graph(Always(0.5, name='a'), hidden(), out()).save_weights(path, overwrite=True)
    model = graph(hidden(), out())
    with pytest.raises(ModelFileError) as caught:
        model.load_weights(path)
    assert 'the layer a none, received Always' in caught.value.differences


def doubled(x, factor=2.):
    return x * factor


def test_functions_are_compared_by_name_and_their_arguments(path):
    def with_function(function):
        return graph(Lambda(function, name='f'), hidden(), out())
    with_function(functools.partial(doubled, factor=3.)).save_weights(path)
    model = with_function(functools.partial(doubled, factor=4.))
    assert 'output_fn.factor of f 4.0, received 3.0' in unchanged(model, lambda: model.load_weights(path))


def test_states_given_to_a_call_count(path):
    def series(second):
        i, first, other = Input((5, 3), name='x'), Input(4, name='s'), Input(4, name='t')
        return Model([i, first, other], [GRU(4, name='r')([i, other if second else first]), first * 1., other * 1.])
    series(False).save_weights(path)
    series(False).load_weights(path)
    model = series(True)
    assert 'the inputs of r_0' in unchanged(model, lambda: model.load_weights(path))


def test_a_damaged_description_is_refused(path):
    net().save_weights(path)
    arrays, metadata = read_tensors(path)
    for text in ('[]', '{', '{"parts": {}, "arguments": {"a": 1}}', '{"parts": []}', *(
            f'{{"parts": {{}}, "arguments": {wrong}}}' for wrong in ('-1', 'null', '[]', '"a"'))):
        path.write_bytes(dump_tensors(arrays, {**metadata, 'predictions': text}))
        assert unchanged(net(), lambda: net().load_weights(path)).startswith(f'{path}: predictions')
    assert B.name()
