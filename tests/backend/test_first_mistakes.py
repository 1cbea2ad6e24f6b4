"""What the first Keraflow got wrong, each with the small test that would have told."""
import ast
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow import objectives, regularizers
from keraflow.callbacks import Callback, EarlyStopping
from keraflow.errors import ModelFileError
from keraflow.files.tensors import read_tensors
from keraflow.layers import Concatenate, Dense, ElementWiseSum, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.serialization import serialize, unserialize

X = np.random.default_rng(1).normal(size=(5, 3)).astype('float32')
Z = np.random.default_rng(2).normal(size=(5, 3)).astype('float32')
Y = np.random.default_rng(3).normal(size=(5, 2)).astype('float32')


def linear(**kwargs):
    """A model of one layer, y = x W + b."""
    x = Input(3, name='x')
    return Model(x, Dense(2, name='y', **kwargs)(x), name='m')


def squares(weights):
    """The loss of each sample under the mean square error."""
    return ((X @ weights['y/W'] + weights['y/b'] - Y) ** 2).mean(axis=1)


def test_the_path_list_doubled_at_every_residual_block():
    x = y = Input(1)
    for _ in range(40):
        y = ElementWiseSum()([y, Dense(1)(y)])
    assert len(y.path) == 80 and len(y.trainable_params) == 80
    assert len(serialize(Model(x, y))['args']['path']) == 80


def test_two_calls_of_a_shared_layer_had_one_output_name():
    a, b = Input(3), Input(3)
    shared = Dense(2)
    model = Model([a, b], Concatenate()([shared(a), shared(b)]))
    again = unserialize(json.loads(json.dumps(serialize(model))))
    again.set_weights(model.get_weights())
    found, W = again.predict([X, Z]), model.get_weights()['dense1/W']
    np.testing.assert_allclose(found, np.hstack([X @ W, Z @ W]), atol=1e-6)
    assert not np.allclose(found[:, :2], found[:, 2:])


def test_a_model_saved_the_heads_of_other_models():
    x = Input(3, name='x')
    h = Dense(4, name='h')(x)
    one, _ = Dense(2, name='one')(h), Dense(2, name='other')(h)
    model = Model(x, one)
    assert list(serialize(model)['args']['layers']) == ['x', 'h', 'one']
    assert sorted(model.get_weights()) == ['h/W', 'h/b', 'one/W', 'one/b']


class Host(Layer):
    def output(self, x):
        return self.embed(Dense(2))(x)

    def output_shape(self, input_shape):
        return (input_shape[0], 2)


def test_embed_inside_output_made_new_weights_on_each_call_of_a_host():
    a, b, host = Input(3), Input(3), Host(name='host')
    model = Model([a, b], Concatenate()([host(a), host(b)]))
    weights = model.get_weights()
    assert sorted(weights) == ['host/0/W', 'host/0/b']
    W = weights['host/0/W']
    np.testing.assert_allclose(model.predict([X, Z]), np.hstack([X @ W, Z @ W]), atol=1e-6)


def test_nothing_was_saved_without_overwrite(tmp_path):
    model, arch, weights = linear(), tmp_path / 'a.json', tmp_path / 'w.safetensors'
    model.save_to_file(arch, weights)
    np.testing.assert_array_equal(Model.load_from_file(arch, weights).predict(X), model.predict(X))


def test_the_short_names_of_regularizers_had_a_space():
    assert [type(regularizers.get(name)) for name in ('l1', 'l2', 'l1l2')] == [
        regularizers.L1, regularizers.L2, regularizers.L1L2]


def test_a_regularizer_given_as_a_string_did_nothing():
    model = linear(regularizers=['l1'])
    model.compile(SGD(lr=1e-30), 'mse')
    weights = model.get_weights()
    loss = model.fit(X, Y, batch_size=5, nb_epoch=1, verbose=0)[0]['loss']
    assert np.isclose(loss, squares(weights).mean() + 0.01 * np.abs(weights['y/W']).sum(), rtol=1e-5)


def test_nobody_read_the_flag_that_early_stopping_set():
    model = linear()
    model.compile(SGD(lr=1e-30), 'mse')
    assert len(model.fit(X, Y, nb_epoch=20, verbose=0, callbacks=[EarlyStopping('loss', patience=2, min_delta=0.1)])) == 4


def test_on_train_end_was_called_with_other_arguments():
    class Notes(Callback):
        def on_train_begin(self, logs):
            self.notes = [logs]

        def on_train_end(self, logs):
            self.notes.append(logs)
    model, callback = linear(), Notes()
    model.compile('sgd', 'mse')
    history = model.fit(X, Y, nb_epoch=2, verbose=0, callbacks=[callback])
    assert callback.notes == [{}, history[-1]] and callback.model is model


def test_a_second_compile_was_ignored():
    model = linear()
    model.compile('sgd', 'mse')
    model.fit(X, Y, nb_epoch=1, verbose=0)
    model.compile(SGD(lr=1e-30), 'mae')
    before = model.get_weights()
    loss = model.fit(X, Y, nb_epoch=1, verbose=0)[0]['loss']
    assert np.isclose(loss, np.abs(X @ before['y/W'] + before['y/b'] - Y).mean(), rtol=1e-5)
    np.testing.assert_array_equal(model.get_weights()['y/W'], before['y/W'])


def test_clipnorm_raised():
    model = linear()
    before = model.get_weights()
    model.compile(SGD(lr=1., clipnorm=0.001), 'mse')
    model.fit(X, Y, batch_size=5, nb_epoch=1, verbose=0)
    moves = [after - before[name] for name, after in model.get_weights().items()]
    assert np.isclose(np.sqrt(sum(np.sum(move ** 2) for move in moves)), 0.001, rtol=1e-3)


def test_the_loss_of_an_epoch_was_averaged_without_the_sizes_of_the_batches():
    model = linear()
    model.compile(SGD(lr=1e-30), 'mse')
    losses = squares(model.get_weights())
    found = model.fit(X, Y, batch_size=4, nb_epoch=1, shuffle=False, verbose=0)[0]['loss']
    assert np.isclose(found, losses.mean(), rtol=1e-5)
    assert not np.isclose(losses.mean(), (losses[:4].mean() + losses[4]) / 2, rtol=1e-2)


class Stacked(Host):
    def __init__(self, layers, **kwargs):
        super().__init__(**kwargs)
        self.layers = layers


def test_inherited_arguments_were_lost_and_lists_of_objects_not_entered():
    one = Stacked([Dense(2, regularizers=[regularizers.L1(0.5)])], name='s', trainable=False)
    again = unserialize(json.loads(json.dumps(serialize(one))), custom_objects=[Stacked])
    assert (again.name, again.trainable) == ('s', False)
    assert again.layers[0].output_dim == 2 and again.layers[0].regularizers[0].l1 == 0.5


def test_a_json_file_could_run_a_program(tmp_path):
    ran, path = tmp_path / 'ran', tmp_path / 'a.json'
    program = {'class_name': 'Popen', 'module_name': 'subprocess', 'params': {'args': [sys.executable, '-c', f'open({str(ran)!r}, "w")']}}
    path.write_text(json.dumps(program))
    with pytest.raises(ModelFileError) as caught:
        Model.load_from_file(path)
    assert str(caught.value) == (
        f"{path}: the first format's 'subprocess.Popen' is not known. If it is yours, pass custom_objects=[...].")
    assert not ran.exists()


def test_weights_were_pickled(tmp_path):
    path = tmp_path / 'w.safetensors'
    linear().save_weights(path)
    assert sorted(read_tensors(path)[0]) == ['y/W', 'y/b']
    assert int.from_bytes(path.read_bytes()[:8], 'little') < 1000 and path.read_bytes()[8:9] == b'{'
    sources = [path for it in (keraflow, type(B.current())) for path in Path(inspect.getfile(it)).parent.rglob('*.py')]
    assert len(sources) > 50
    imported = {name.partition('.')[0] for path in sources for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, (ast.Import, ast.ImportFrom))
                for name in [getattr(node, 'module', None) or '', *(alias.name for alias in node.names)]}
    assert 'numpy' in imported and not imported & {'pickle', 'cPickle', 'dill', 'joblib', 'marshal', 'shelve'}


def test_the_first_import_wrote_a_settings_file_and_printed_a_line(backend_name, tmp_path):
    done = subprocess.run([sys.executable, '-c', 'import keraflow.models; keraflow.backend.name()'], capture_output=True, text=True,
                          cwd=tmp_path, env={**os.environ, 'KERAFLOW_HOME': str(tmp_path), 'KERAFLOW_BACKEND': backend_name})
    assert (done.returncode, done.stdout) == (0, '') and 'Using' not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_inputs_shared_their_defaults():
    one, other = Input(3), Input(3)
    mutable = [name for name, value in vars(one).items() if isinstance(value, (list, dict, set))]
    assert mutable and not [name for name in mutable if vars(one)[name] is vars(other)[name]]
    assert one.name != other.name
    first, second = Sequential(), Sequential()
    first.add(Dense(2))
    assert second.layers == () and len(first.layers) == 1


def test_predict_of_two_outputs_of_different_shapes_raised():
    x = Input(3)
    found = Model(x, [Dense(2, init='one')(x), Dense(4, init='one')(x)]).predict(X, batch_size=2)
    assert [one.shape for one in found] == [(5, 2), (5, 4)]
    np.testing.assert_allclose(found[1], np.repeat(X.sum(axis=1, keepdims=True), 4, axis=1), rtol=1e-5, atol=1e-6)


def test_the_arguments_of_the_poisson_objective_were_exchanged():
    predicted, true = np.abs(Y) + 1, np.abs(Y) + 3
    found = B.eval(objectives.poisson(B.constant(predicted), B.constant(true)))
    expected = predicted - true * np.log(predicted)
    assert np.isclose(np.mean(found), expected.mean(), rtol=1e-5)
    assert not np.isclose(expected.mean(), (true - predicted * np.log(true)).mean(), rtol=1e-2)


def same_twice(node):
    """Whether a comparison (of a value, or by a function of NumPy's tests) has the same thing on both sides."""
    if isinstance(node, ast.Compare) and not isinstance(node.ops[0], (ast.Is, ast.IsNot)):     # `is` asks for a cache
        sides = [node.left, *node.comparators]
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(('allclose', 'array_equal', 'isclose', 'assert_close')):
        sides = node.args[:2]
    else:
        return False
    texts = [ast.unparse(side) for side in sides]
    # Two calls may differ: a cache, a seed.
    return any(one == other and '(' not in one for one, other in zip(texts, texts[1:]))


def test_tests_compared_a_value_with_itself():
    assert all(same_twice(ast.parse(text).body[0].value) for text in ('a.b == a.b', 'np.allclose(x[0], x[0])', 'a < b == b'))
    assert not any(same_twice(ast.parse(text).body[0].value) for text in ('a == b', 'f() == f()', 'np.allclose(a, b)', 'print(a, a)'))
    files = sorted(Path(__file__).parent.parent.rglob('*.py'))
    found = [f'{path.name}:{node.lineno}' for path in files for node in ast.walk(ast.parse(path.read_text())) if same_twice(node)]
    assert found == [] and len(files) > 20
