"""A file of a training decides nothing but what the training is: no file is touched, and no method replaced, because it says so."""
import numpy as np
import pytest

import keraflow
from keraflow.callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from keraflow.errors import ModelFileError
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import Dense, Input
from keraflow.models import Sequential

X = np.random.default_rng(0).normal(size=(20, 4))


class Counts(Callback):
    """A callback of the program, with an argument that is a path."""

    def __init__(self, path='own.txt', limit=3):
        self.path, self.limit, self.nb_epoch = path, limit, 0
        self.note = None

    def on_epoch_end(self, epoch, logs):
        self.nb_epoch += 1


def train(nb_epoch, callbacks, execution='auto', **kwargs):
    keraflow.seed(1)
    model = Sequential([Input(4, name='x'), Dense(1, name='d')], name='m')
    model.compile('adam', 'mse', execution=execution)
    before = model.get_weights()
    try:
        return model.fit(X, X[:, :1], batch_size=10, nb_epoch=nb_epoch, verbose=0, callbacks=callbacks, **kwargs)
    except ModelFileError:
        for name, value in model.get_weights().items():
            np.testing.assert_array_equal(value, before[name])
        raise


@pytest.fixture
def callbacks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda: [ModelCheckpoint('t.safetensors', every=1), ModelCheckpoint('best.safetensors', monitor='loss', save_best_only=True),
                    CSVLogger('log.csv'), EarlyStopping('loss', patience=9), ReduceLROnPlateau('loss', patience=9), Counts()]


def forge(old, new, path='t.safetensors'):
    """Write something else into the state of a running fit."""
    arrays, metadata = read_tensors(path)
    assert metadata['fit'].count(old) >= 1
    metadata['fit'] = metadata['fit'].replace(old, new)
    with open(path, 'wb') as file:
        file.write(dump_tensors(arrays, metadata))


def test_all_callbacks_go_on(callbacks):
    train(2, callbacks())
    forge('["best_epoch",1]', '["best_epoch",1]')
    again = callbacks()
    assert len(train(4, again, resume='t.safetensors')) == 4
    assert again[-1].nb_epoch == 4
    with open('log.csv') as file:
        assert [line.partition(',')[0] for line in file] == ['epoch', '1', '2', '3', '4']


@pytest.mark.parametrize('old, new', [
    ('["_nb_worse",0]', '["_nb_worse",[]]'), ('["_nb_worse",0]', '["_nb_worse","a"]'), ('["_nb_worse",0]', '["monitor","zz"]'),
    ('["_nb_worse",0]', '["model",3]'), ('["_nb_worse",0]', '["on_epoch_end",3]'), ('["_nb_worse",0]', '["where","a"]'),
    ('["best_epoch",1]', '["best_epoch","a"]'), ('["nb_epoch",2]', '["path","precious.txt"]'), ('["nb_epoch",2]', '["nb_epoch","2"]'),
    ('["nb_epoch",2]', '["get_state",2]'), ('["nb_epoch",2]', '[7,2]'), ('["written",["t.safetensors"]]', '["written",3]'),
    ('["written",["t.safetensors"]]', '["written",[3]]'), ('["epoch",2]', '["epoch",71]'), ('["totals",[', '["totals",[null,'),
    ('["data",[null,null]]', '["data",[]]')])
def test_states_that_no_callback_had_are_refused_before_anything_changes(callbacks, old, new):
    train(2, callbacks())
    forge(old, new)
    with pytest.raises(ModelFileError, match='t.safetensors: its description of the training is damaged'):
        train(4, callbacks(), resume='t.safetensors')


@pytest.mark.parametrize('size', ['3', '-1', '"a"', 'null', '0'])
def test_lines_of_a_log_are_not_cut(callbacks, size):
    train(2, callbacks())
    with open('log.csv') as file:
        before = file.read()
    forge(f'["size",{len(before)}]', f'["size",{size}]')
    with pytest.raises(ModelFileError, match='its description of the training is damaged'):
        train(4, callbacks(), resume='t.safetensors')
    with open('log.csv') as file:
        assert file.read() == before


def test_no_other_file_is_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def series():
        return [ModelCheckpoint('t-{step}.safetensors', every=1, keep=1)]
    train(2, series())
    (tmp_path / 'precious.txt').write_text('mine')
    (tmp_path / 'u-1.safetensors').write_text('mine')
    forge('["t-4.safetensors"]', '["precious.txt","u-1.safetensors","t-4.safetensors"]', 't-4.safetensors')
    train(4, series(), resume='t-{step}.safetensors')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['precious.txt', 't-8.safetensors', 'u-1.safetensors']


def test_no_other_file_is_replaced(callbacks, tmp_path):
    train(2, callbacks())
    forge('["best.safetensors","best.safetensors"]', '["other.safetensors"]')
    (tmp_path / 'other.safetensors').write_text('mine')
    others = callbacks()
    others[1] = ModelCheckpoint('other.safetensors', monitor='loss', save_best_only=True)
    train(3, others, resume='t.safetensors')            # it is the callback's own name: what was written may be replaced
    assert (tmp_path / 'other.safetensors').read_bytes()[:4] != b'mine'
    (tmp_path / 'third.safetensors').write_text('mine')
    others[1] = ModelCheckpoint('third.safetensors', monitor='loss', save_best_only=True)
    with pytest.raises(FileExistsError, match='third.safetensors'):
        train(4, others, resume='t.safetensors')
    assert (tmp_path / 'third.safetensors').read_text() == 'mine'


@pytest.mark.parametrize('execution', ['auto', 'plain', 'compiled', 'whole'])
def test_the_same_program_goes_on_whatever_way_it_asked_for(callbacks, execution):
    train(2, callbacks()[:1], execution)
    assert len(train(3, callbacks()[:1], execution, resume='t.safetensors')) == 3
    other = 'whole' if execution == 'plain' else 'plain'
    if execution != 'auto':
        with pytest.raises(ModelFileError, match=f'expected execution {other}, received {execution}'):
            train(4, callbacks()[:1], other, resume='t.safetensors')
