"""A whole model in one file: what is in it, that it goes on training exactly, and what is refused."""
import copy
import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

import keraflow
from keraflow import backend as B
from keraflow import optimizers, registry, schedules
from keraflow.callbacks import Callback
from keraflow.errors import ModelFileError, SerializationError
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import LSTM, BatchNormalization, Dense, Dropout, Embedding, Input, Lambda
from keraflow.metrics import AUC, Metric, ratio
from keraflow.models import Model, Sequential

X = np.random.default_rng(6).normal(size=(24, 3)).astype('float32')
Y = np.eye(2, dtype='float32')[np.arange(24) % 2]


def net(**arguments):
    model = Sequential([Input(3, name='x'), Dense(4, activation='tanh', name='h'), Dropout(0.3), BatchNormalization(name='n'),
                        Dense(2, activation='softmax', name='y')], name='m')
    model.compile(**{'optimizer': 'adam', 'loss': 'categorical_crossentropy', 'metrics': ['acc', AUC()], **arguments})
    return model


def trained(**arguments):
    B.seed(4)
    model = net(**arguments)
    model.fit(X, Y, batch_size=8, nb_epoch=2, verbose=0)
    return model


def same_state(one, other):
    ours, theirs = one.training_variables(), other.training_variables()
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(B.get_value(ours[name]), B.get_value(theirs[name]), name)


# -- it goes on ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('optimizer', [
    lambda: optimizers.SGD(lr=0.1, momentum=0.9, nesterov=True), lambda: optimizers.RMSprop(clipnorm=1.), lambda: optimizers.Adagrad(),
    lambda: optimizers.Adadelta(), lambda: optimizers.Adam(lr=schedules.ExponentialDecay(0.1, 0.9, 2)), lambda: optimizers.AdamW()])
def test_a_loaded_model_goes_on_exactly(tmp_path, optimizer):
    model = trained(optimizer=optimizer())
    model.save(tmp_path / 'm.keraflow')
    again = keraflow.load(tmp_path / 'm.keraflow')
    assert type(again) is Sequential and again.name == 'm' and again.optimizer is not model.optimizer
    same_state(model, again)
    expected, found = (one.fit(X, Y, batch_size=8, nb_epoch=2, verbose=0) for one in (model, again))
    assert found == expected and set(found[0]) == {'loss', 'acc', 'auc'}
    same_state(model, again)


def test_fit_goes_on_from_it(tmp_path):
    """As from what save_training writes outside of fit: it says where the weights are, and not where a fit is."""
    model, path = trained(), tmp_path / 'm.keraflow'
    model.save(path, probes=True)
    model.save_training(tmp_path / 'm.safetensors')
    history = model.fit(X, Y, batch_size=8, nb_epoch=4, initial_epoch=2, verbose=0)
    for file in path, tmp_path / 'm.safetensors', None:
        again, given = net(), {'resume': file}
        if file is None:
            again.load_training(path)
        assert again.fit(X, Y, batch_size=8, nb_epoch=4, initial_epoch=2, verbose=0, **given) == history
        same_state(model, again)
    for other, text in [
            (net(optimizer='sgd'), f'{path}: training is resumed as it was: expected the optimizer SGD, received Adam'),
            (net(loss='mse'), f'{path}: training is resumed as it was: expected the loss of y_0 square_error, received ')]:
        with pytest.raises(ModelFileError) as caught:
            other.fit(X, Y, batch_size=8, nb_epoch=4, verbose=0, resume=path)
        assert str(caught.value).startswith(text)


def test_fit_does_not_go_on_from_a_file_without_training(tmp_path):
    model, path = net(), tmp_path / 'm.keraflow'
    model.save(path, training=False)
    for go_on in (lambda: model.fit(X, Y, verbose=0, resume=path)), (lambda: model.load_training(path)):
        with pytest.raises(ModelFileError) as caught:
            go_on()
        assert str(caught.value) == (
            f'{path}: it holds a model without its training. Load it with keraflow.load and begin another fit, or pass a file that '
            'model.save wrote after compile, with training=True.')
    with pytest.raises(FileNotFoundError, match='there is no training to resume. Begin without resume, as with resume=path if os.path'):
        model.fit(X, Y, verbose=0, resume=tmp_path / 'other.keraflow')


def test_a_learning_rate_that_was_changed_is_kept_and_so_is_the_first_one(tmp_path):
    model = trained()
    model.optimizer.lr = 0.5
    model.save(tmp_path / 'm.keraflow')
    again = keraflow.load(tmp_path / 'm.keraflow')
    assert again.optimizer.lr == 0.5 and again.optimizer.first_lr == 0.001


def smooth(y_pred, y_true, factor=0.1):
    return B.mean(B.square(y_pred - y_true), -1) * factor


class Half(Metric):
    """A metric of the program."""

    larger_is_better = True

    def totals(self, y_pred, y_true, weights):
        return ratio(B.cast(B.greater(y_pred, 0.5), B.floatx()), B.ones_like(y_pred), weights)


class Plain(optimizers.SGD):
    """An optimizer of the program."""


def test_all_settings_of_compile_come_back(tmp_path):
    def two(**arguments):
        B.seed(1)
        x = Input(3, name='x')
        h = Dense(4, name='h')(x)
        model = Model(x, [Dense(2, activation='softmax', name=name)(h) for name in ('a', 'b', 'c')], name='two')
        model.compile(Plain(lr=0.3), {'a': functools.partial(smooth, factor=0.5), 'b': None, 'c': 'sparse_categorical_crossentropy'},
                      metrics={'a': [Half(), 'mae'], 'c': 'acc'}, report_terms=True, ignore_label={'c': -1}, execution='plain')
        return model
    model, labels = two(), np.arange(24).reshape(24, 1) % 3 - 1
    model.save(tmp_path / 'm.keraflow')
    with pytest.raises(ModelFileError) as caught:
        keraflow.load(tmp_path / 'm.keraflow')
    assert f"{tmp_path / 'm.keraflow'}: compile: optimizer: 'Plain' is not an optimizer that is registered." in str(caught.value)
    again = keraflow.load(tmp_path / 'm.keraflow', custom_objects=[smooth, Half, Plain])
    expected, found = (one.fit(X, {'a': Y, 'c': labels}, nb_epoch=2, verbose=0, shuffle=False) for one in (model, again))
    assert found == expected
    assert set(found[0]) == {'loss', 'loss(a)', 'loss(c)', 'Half(a)', 'mae(a)', 'acc(c)'}
    assert again.larger_is_better('Half(a)') is True
    alone = keraflow.load(tmp_path / 'm.keraflow', training=False)
    assert not alone.is_compiled and alone.get_weights().keys() == model.get_weights().keys()
    two().save(tmp_path / 'again.keraflow')
    keraflow.load(tmp_path / 'again.keraflow', custom_objects=[smooth, Half, Plain]).save(tmp_path / 'third.keraflow')
    assert (tmp_path / 'third.keraflow').read_bytes() == (tmp_path / 'again.keraflow').read_bytes()


def test_what_was_frozen_after_compile_is_trained_as_compile_read_it(tmp_path):
    B.seed(8)
    judge = Sequential([Input(3, name='x'), Dense(4, name='h'), Sequential([Input(4), Dense(2, name='d')], name='inner')], name='judge')
    judge.get_layer('h').trainable = False
    judge.compile(optimizers.SGD(0.1, momentum=0.9), 'mse')
    judge.trainable = False
    judge.get_layer('h').trainable = True
    judge.get_layer('inner/d').trainable = False
    judge.save(tmp_path / 'm.keraflow')
    again = keraflow.load(tmp_path / 'm.keraflow')
    assert (again.trainable, again.get_layer('h').trainable, again.get_layer('inner/d').trainable) == (False, True, False)
    for model in (judge, again):
        with pytest.warns(keraflow.errors.KeraFlowWarning, match='trainable of judge was changed after compile'):
            model.fit(X, Y, nb_epoch=2, verbose=0)
    same_state(judge, again)
    judge.save(tmp_path / 'a.keraflow')
    again.save(tmp_path / 'b.keraflow')
    assert (tmp_path / 'a.keraflow').read_bytes() == (tmp_path / 'b.keraflow').read_bytes()


def test_reals_of_a_program_with_the_other_floatx(tmp_path):
    trained().save(tmp_path / 'm.keraflow', probes=True)
    expected = trained().fit(X, Y, nb_epoch=1, verbose=0)
    B.set_floatx('float64')
    try:
        again = keraflow.load(tmp_path / 'm.keraflow', verify=True)
        assert again.get_weights()['h/W'].dtype == 'float64'
        assert again.fit(X, Y, nb_epoch=1, verbose=0)[0]['loss'] == pytest.approx(expected[0]['loss'], rel=1e-3)
    finally:
        B.set_floatx('float32')


def test_a_model_that_is_saved_in_a_callback_is_saved_again_as_the_same_bytes(tmp_path):
    class Save(Callback):
        def on_batch_end(self, batch, logs):
            self.model.save(tmp_path / 'a.keraflow', overwrite=True)
    B.seed(4)
    net().fit(X, Y, batch_size=8, nb_epoch=1, verbose=0, callbacks=[Save()])
    keraflow.load(tmp_path / 'a.keraflow').save(tmp_path / 'b.keraflow')
    assert (tmp_path / 'a.keraflow').read_bytes() == (tmp_path / 'b.keraflow').read_bytes()


def test_a_model_that_is_not_compiled_is_not_compiled_when_loaded(tmp_path):
    x = Input(3, name='x')
    model = Model(x, Dense(2, name='y')(x), name='plain')
    model.save(tmp_path / 'm.keraflow')
    again = keraflow.load(tmp_path / 'm.keraflow')
    assert not again.is_compiled and type(again) is Model
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@keraflow.register(id='counted-in-test-one-file')
def counted(shape):
    counted.times += 1
    return np.ones(shape)


def test_no_initial_values_are_drawn_where_weights_follow(tmp_path):
    counted.times = 0
    model = Sequential([Input(3), Dense(4, init=counted), BatchNormalization()], name='m')
    model.save(tmp_path / 'm.keraflow')
    model.save_to_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    assert counted.times == 1
    for again in (keraflow.load(tmp_path / 'm.keraflow'), Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')):
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert counted.times == 1
    Model.load_from_file(tmp_path / 'm.yaml')
    assert counted.times == 2


def test_states_of_layers_come_back(tmp_path):
    model = Sequential([Input((4,), batch_size=2, dtype='int32', name='x'), Embedding(9, 3), LSTM(2, stateful=True)], name='s')
    words = np.arange(8).reshape(2, 4)
    model.predict(words)
    model.save(tmp_path / 'm.keraflow')
    np.testing.assert_array_equal(keraflow.load(tmp_path / 'm.keraflow').predict(words), model.predict(words))


def test_a_copy_of_a_loaded_model_is_a_model_of_its_own(tmp_path):
    model = trained()
    model.save(tmp_path / 'm.keraflow')
    again = keraflow.load(tmp_path / 'm.keraflow')
    other = copy.deepcopy(again)
    assert not other.is_compiled
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


# -- the same bytes -----------------------------------------------------------------------------------------------------

def test_a_loaded_model_is_saved_as_the_same_bytes(tmp_path):
    trained().save(tmp_path / 'a.keraflow')
    keraflow.load(tmp_path / 'a.keraflow').save(tmp_path / 'b.keraflow')
    assert (tmp_path / 'a.keraflow').read_bytes() == (tmp_path / 'b.keraflow').read_bytes()


def test_the_same_model_built_twice_is_saved_as_the_same_bytes(tmp_path, backend_name):
    for name in 'ab':
        trained().save(tmp_path / f'{name}.keraflow')
    assert (tmp_path / 'a.keraflow').read_bytes() == (tmp_path / 'b.keraflow').read_bytes()
    code = f'import test_one_file; test_one_file.trained().save({str(tmp_path / "c.keraflow")!r})'
    for hashing in '12':        # sets have another order
        environment = {**os.environ, 'KERAFLOW_BACKEND': backend_name, 'PYTHONHASHSEED': hashing, 'PYTHONPATH': str(Path(__file__).parent)}
        subprocess.run([sys.executable, '-c', code], check=True, env=environment)
        assert (tmp_path / 'a.keraflow').read_bytes() == (tmp_path / 'c.keraflow').read_bytes()
        (tmp_path / 'c.keraflow').unlink()


# -- what is in it ------------------------------------------------------------------------------------------------------

def test_another_tool_reads_it(tmp_path):
    model = trained()
    model.save(tmp_path / 'm.keraflow')
    arrays = load_file(tmp_path / 'm.keraflow')
    for name, array in model.get_weights().items():
        np.testing.assert_array_equal(arrays[f'weights/{name}'], array)
    assert {'optimizer/iterations', 'optimizer/m/h/W', 'optimizer/v/h/W'} <= set(arrays)
    with safe_open(tmp_path / 'm.keraflow', 'np') as file:
        metadata = file.metadata()
    assert set(metadata) == {'format', 'version', 'sha256', 'architecture', 'predictions', 'model', 'compile', 'training'}
    model.save_arch(tmp_path / 'm.json')
    assert metadata['model'] == (tmp_path / 'm.json').read_text()


def test_without_its_training_it_holds_weights_alone(tmp_path):
    model = trained()
    model.save(tmp_path / 'm.keraflow', training=False)
    arrays, metadata = read_tensors(tmp_path / 'm.keraflow')
    assert list(arrays) == [f'weights/{name}' for name in model.get_weights()] and not {'compile', 'training'} & set(metadata)
    assert not keraflow.load(tmp_path / 'm.keraflow').is_compiled


def test_its_weights_are_loaded_like_those_of_a_weights_file(tmp_path):
    model, other = trained(), net()
    model.save(tmp_path / 'm.keraflow')
    other.load_weights(tmp_path / 'm.keraflow')
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    model.save_training(tmp_path / 't.safetensors')
    another = net()
    with pytest.warns(keraflow.errors.KeraFlowWarning, match='does not say which architecture'):
        assert another.load_weights(tmp_path / 't.safetensors').taken == tuple(model.get_weights())
    np.testing.assert_array_equal(another.predict(X), model.predict(X))


# -- what cannot be written ---------------------------------------------------------------------------------------------

def test_a_lambda_as_loss_is_refused_before_a_file_is_opened(tmp_path):
    model = net(loss=lambda y_pred, y_true: B.mean(B.square(y_pred - y_true), -1), metrics=None)
    with pytest.raises(SerializationError) as caught:
        model.save(tmp_path / 'm.keraflow')
    assert str(caught.value) == (
        f"{tmp_path / 'm.keraflow'}: compile: loss.y: a lambda cannot be saved. Write it as a function with def and put "
        '@keraflow.register above it. Or pass training=False, to save the model without its settings of compile.')
    assert list(tmp_path.iterdir()) == []
    model.save(tmp_path / 'm.keraflow', training=False)
    np.testing.assert_array_equal(keraflow.load(tmp_path / 'm.keraflow').predict(X), model.predict(X))


def test_a_lambda_in_a_layer_is_refused_but_its_weights_are_saved_and_that_is_said(tmp_path):
    def twice():
        return Sequential([Input(3), Dense(2, name='h'), Lambda(lambda x: x * 2, name='twice')], name='m')
    model, other, weights = twice(), twice(), tmp_path / 'w.safetensors'
    with pytest.raises(SerializationError, match=r'^layers\[2\]\.output_fn: a lambda cannot be saved\.'):
        model.save(tmp_path / 'm.keraflow')
    assert list(tmp_path.iterdir()) == []
    with pytest.warns(keraflow.errors.KeraFlowWarning) as told:
        model.save_weights(weights)
    assert re.search(r'w\.safetensors: the weights are saved, without a digest of the architecture: when they are loaded, functions in it are '
                     r'compared by name\. layers\[2\]\.output_fn: a lambda cannot be saved\..* above it\.$', str(told[0].message))
    other.load_weights(weights)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_names_and_existing_files(tmp_path):
    model = trained()
    for name in ('m.h5', 'm.safetensors', 'm'):
        with pytest.raises(ModelFileError) as caught:
            model.save(tmp_path / name)
        assert str(caught.value) == (f"{tmp_path / name}: a whole model is one file .keraflow. Let the name end with it, or write "
                                     "model.save_to_file('model.yaml', 'model.safetensors').")
        with pytest.raises(ModelFileError) as caught:
            keraflow.load(tmp_path / name)
        assert str(caught.value) == (f"{tmp_path / name}: a whole model is one file .keraflow. Let the name end with it, or write "
                                     "Model.load_from_file('model.yaml', 'model.safetensors').")
    with pytest.raises(ModelFileError) as caught:
        Model.load_from_file(tmp_path / 'm.keraflow')
    assert str(caught.value) == f"{tmp_path / 'm.keraflow'}: a whole model is in this file. Write keraflow.load(path)."
    model.save(tmp_path / 'm.keraflow')
    with pytest.raises(FileExistsError):
        model.save(tmp_path / 'm.keraflow')
    model.save(tmp_path / 'm.keraflow', True)
    assert [path.name for path in tmp_path.iterdir()] == ['m.keraflow']


# -- files that are not to be trusted -----------------------------------------------------------------------------------

def refusal(tmp_path, change):
    trained().save(tmp_path / 'm.keraflow', overwrite=True)
    arrays, metadata = read_tensors(tmp_path / 'm.keraflow')
    change(arrays, metadata)
    (tmp_path / 'm.keraflow').write_bytes(dump_tensors(arrays, metadata))
    with pytest.raises(ModelFileError) as caught:
        keraflow.load(tmp_path / 'm.keraflow')
    text = str(caught.value)
    assert text.startswith(str(tmp_path / 'm.keraflow')) and len(text) <= 300 and text.isprintable()
    return text[len(str(tmp_path / 'm.keraflow')):]


@pytest.mark.parametrize('change, text', [
    (lambda arrays, metadata: metadata.update(format='pt'), ': this is not the file of a whole model, as model.save writes it.'),
    (lambda arrays, metadata: metadata.update(format='keraflow'),
     ': this is not the file of a whole model, as model.save writes it. It holds weights alone: write model.load_weights.'),
    (lambda arrays, metadata: metadata.update(version='1.0'), ": the file has format version '1.0', this keraflow reads 1."),
    (lambda arrays, metadata: metadata.update(version='2\n'), r": the file has format version '2\n', this keraflow reads 1."),
    (lambda arrays, metadata: metadata.pop('model'), ": its metadata are damaged: unknown [], lacking ['model']."),
    (lambda arrays, metadata: metadata.update(more='1'), ": its metadata are damaged: unknown ['more'], lacking []."),
    (lambda arrays, metadata: metadata.pop('training'), ': its metadata are damaged: unknown [], lacking [].'),
    (lambda arrays, metadata: metadata.update(model='{'), ': model'),
    (lambda arrays, metadata: metadata.update(model='[]'), ': model: this is not the architecture of a keraflow model.'),
    (lambda arrays, metadata: metadata.update(compile='{"class": "Dense", "args": {"output_dim": 3}}'),
     ': compile: expected the settings of compile, found Dense.'),
    (lambda arrays, metadata: metadata.update(compile=metadata['compile'].replace('"Adam"', '"Dense"')), ": compile: optimizer: 'Dense' is not"),
    (lambda arrays, metadata: metadata.update(compile=metadata['compile'].replace('categorical_crossentropy', 'crossentropy')),
     ': compile'),
    (lambda arrays, metadata: metadata.update(compile=metadata['compile'].replace('"y"', '"z"')), ": compile: m: loss: there is no 'z'."),
    (lambda arrays, metadata: metadata.update(compile=metadata['compile'].replace('"report_terms": false', '"trainable": {"z": true}')),
     ": compile: m: compile: trainable: there is no layer 'z'."),
    (lambda arrays, metadata: metadata.update(training=json.dumps({**json.loads(metadata['training']), 'format': 'other'})),
     ": expected the state of a training, found the format 'other'."),
    (lambda arrays, metadata: metadata.update(training='[]'), ': training: the state of the training is damaged.'),
    (lambda arrays, metadata: metadata.update(training='{"stream": 1}'), ': training: the state of the training is damaged.'),
    (lambda arrays, metadata: arrays.update({'more/W\n': arrays['weights/h/W']}),
     r": the tensor 'more/W\n' is neither a weight nor a slot of the optimizer."),
    (lambda arrays, metadata: arrays.pop('weights/h/W'), ': '),
    (lambda arrays, metadata: arrays.pop('optimizer/m/h/W'), ': the training does not fit: missing optimizer/m/h/W'),
    (lambda arrays, metadata: arrays.update({'weights/h/W': arrays['weights/h/W'].T.copy()}), ': '),
    (lambda arrays, metadata: arrays.update({'weights/h/W': arrays['weights/h/W'].astype('float16')}), ': ')])
def test_what_is_damaged_is_refused(tmp_path, change, text):
    assert refusal(tmp_path, change).startswith(text)


def test_notes_of_a_person_are_kept_out_of_it(tmp_path):
    trained().save(tmp_path / 'm.keraflow')
    arrays, metadata = read_tensors(tmp_path / 'm.keraflow')
    (tmp_path / 'm.keraflow').write_bytes(dump_tensors(arrays, {**metadata, 'x_note': 'the good one'}))
    same_state(keraflow.load(tmp_path / 'm.keraflow'), trained())


def test_compile_settings_name_nothing_that_is_not_registered(tmp_path):
    for id in ('subprocess.Popen', 'os.system', 'builtins.eval', 'keraflow.utils.get_from_module'):
        text = refusal(tmp_path, lambda arrays, metadata: metadata.update(
            compile=metadata['compile'].replace('"categorical_crossentropy"', '{"function": "%s"}' % id)))
        assert text.startswith(f": compile: loss.y: '{id}' is not an objective that is registered.")


def test_the_settings_are_part_of_the_table_but_fit_nowhere_else():
    assert registry.find('CompileSettings').kind == 'settings'
    data = {'class': 'Dense', 'args': {'output_dim': 2, 'activation': {'class': 'CompileSettings', 'args': {}}}}
    with pytest.raises(SerializationError, match="'CompileSettings' is not an activation"):
        keraflow.unserialize(data)
