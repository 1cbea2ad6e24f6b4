"""What differs from a training that is resumed is refused, or accepted by name; damaged files give way to older ones."""
import json
from pathlib import Path

import numpy as np
import pytest
from resumed import SIZE, X, Y, batches, endless

import keraflow
from keraflow.callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, KeraFlowWarning, ModelFileError
from keraflow.files.packing import pack, unpack
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import Dense, Dropout, Input
from keraflow.models import Sequential
from keraflow.optimizers import SGD, Adam

GIVEN = {'x': X, 'y': Y, 'batch_size': SIZE, 'nb_epoch': 3, 'verbose': 0}


def model_of(optimizer=None, loss='mse', metrics=('mae',), drop_rate=0.4, **kwargs):
    model = Sequential([Input(3), Dropout(drop_rate, name='d'), Dense(2, name='y')], name='m')
    model.compile(optimizer or Adam(0.05), loss, metrics=list(metrics), **kwargs)
    return model


def ended(path, nb_step=6, given=GIVEN, **kwargs):
    """Leave the file of a training that was ended in its second epoch."""
    class Ends(ModelCheckpoint):
        def pause(self, at, is_end, is_terminated):
            super().pause(at, is_end, is_terminated)
            if at.nb_step == nb_step:
                raise KeyboardInterrupt
    keraflow.seed(1)
    model = model_of()
    model.fit(callbacks=[EarlyStopping('loss', patience=5), Ends(path, every=1, **kwargs)], **given)
    return path


def changed(**kwargs):
    return {**GIVEN, **kwargs}


DIFFERENCES = [
    ({'optimizer': lambda: Adam(0.1)}, {}, 'lr of the optimizer 0.1, received 0.05', 'lr'),
    ({'optimizer': lambda: Adam(0.05, beta_1=0.8)}, {}, 'beta_1 of the optimizer 0.8, received 0.9', 'beta_1'),
    ({'loss': 'mae'}, {}, 'the loss of y_0 absolute_error, received square_error', 'loss'),
    ({'drop_rate': 0.25}, {}, 'drop_rate of d 0.25, received 0.4', 'drop_rate'),
    ({}, {'y': Y + 1}, 'y of the data', 'y'),
    ({}, {'x': X * 2}, 'x of the data', 'x'),
    ({}, {'sample_weights': np.ones(15)}, 'sample_weights of the data float32 (15,)', 'sample_weights'),
    ({}, {'validation_data': (X, Y)}, 'the validation data arrays, received none', 'validation'),
    ({}, {'callbacks': []}, 'the callback EarlyStopping none, received passed', 'callbacks'),
    ({}, {'callbacks': [EarlyStopping('loss', patience=4)]}, 'patience of the callback EarlyStopping 4, received 5', 'patience'),
]
FIXED = [({'batch_size': 5}, 'batch_size of the data 5, received 4', 'batch_size'),
         ({'x': X[:12], 'y': Y[:12]}, 'nb_sample of the data 12, received 15', 'nb_sample'),
         ({'shuffle': False}, 'shuffle of the data False, received True', 'shuffle'),
         ({'initial_epoch': 1}, 'initial_epoch of fit 1, received 0', 'initial_epoch')]


def test_each_difference_is_refused_by_name_and_accepted_by_name(tmp_path):
    path = ended(tmp_path / 't.safetensors')
    for compiled, given, text, word in DIFFERENCES:
        model = model_of(**{name: value() if name == 'optimizer' else value for name, value in compiled.items()})
        before, given = model.get_weights(), {'callbacks': [EarlyStopping('loss', patience=5)], **changed(**given)}
        with pytest.raises(ModelFileError) as caught:
            model.fit(resume=path, **given)
        [told] = caught.value.differences
        assert told.startswith(text), told
        assert str(caught.value).startswith(f'{path}: training is resumed as it was: expected {text}')
        assert f'Or pass resume_changes=({word!r},).' in str(caught.value) and len(str(caught.value)) <= 300
        assert all(np.array_equal(before[name], value) for name, value in model.get_weights().items())
    for given, text, word in FIXED:
        with pytest.raises(ModelFileError) as caught:
            model_of().fit(resume=path, callbacks=[EarlyStopping('loss', patience=5)], **changed(**given))
        assert text in caught.value.differences and f'{word} cannot change.' in str(caught.value)
        with pytest.raises(ArgumentError) as refused:
            model_of().fit(resume=path, resume_changes=('lr', word), callbacks=[EarlyStopping('loss', patience=5)], **changed(**given))
        assert str(refused.value) == (
            f"m: resume_changes: '{word}' cannot change, because it decides which samples a batch has. Leave it out, or write "
            'model.load_training and begin another fit.')


@pytest.mark.parametrize('word, advice', [
    ('learing_rate', "Did you mean 'lr'?"), ('learning_rate', "Did you mean 'lr'?"), ('los', "Did you mean 'loss'?"),
    ('drop_rat', "Did you mean 'drop_rate'?"), ('metric', "Did you mean 'metrics'?"), ('patienc', "Did you mean 'patience'?"),
    ('qqqq', 'Choose one of callbacks, data, execution, layers, loss, lr, metrics, on_nan, optimizer, sample_weights, trainable, '
             'validation, x, y, or the name of a layer, a callback or an argument.')])
def test_names_of_what_may_differ_that_mean_nothing_are_refused(word, advice, tmp_path):
    path, model = ended(tmp_path / 't.safetensors'), model_of(Adam(0.5))
    before = model.get_weights()
    for file in path, tmp_path / 'outside.safetensors':
        if not file.exists():       # one of outside of fit, which says nothing of callbacks and data
            model_of().save_training(file)
        with pytest.raises(ArgumentError) as caught:
            model.fit(resume=file, resume_changes=('lr', word), callbacks=[EarlyStopping('loss', patience=5)], **GIVEN)
        assert str(caught.value) == f"m: resume_changes: nothing is called '{word}'. {advice}"
    assert all(np.array_equal(before[name], value) for name, value in model.get_weights().items()) and model.optimizer.lr == 0.5


def test_names_of_what_does_not_differ_are_accepted(tmp_path):
    """So that one program may say what may differ at any time."""
    words = ('lr', 'loss', 'callbacks', 'validation', 'metrics', 'd', 'y/W', 'patience', 'EarlyStopping', 'trainable', 'execution')
    path = ended(tmp_path / 't.safetensors')
    assert len(model_of().fit(resume=path, resume_changes=words, callbacks=[EarlyStopping('loss', patience=5)], **GIVEN)) == 3


def test_all_differences_are_told(tmp_path):
    path = ended(tmp_path / 't.safetensors')
    with pytest.raises(ModelFileError) as caught:
        model_of(SGD(), 'mae', drop_rate=0.25).fit(resume=path, **changed(y=Y + 1, batch_size=5))
    assert len(caught.value.differences) == 6 and str(caught.value).endswith('; and 3 more. batch_size cannot change.')


def test_what_was_accepted_is_recorded_and_holds(tmp_path):
    path = ended(tmp_path / 't.safetensors')
    model, watch = model_of(Adam(0.5), 'mae'), EarlyStopping('loss', patience=1)
    kept = ModelCheckpoint(path, every=1)
    history = model.fit(resume=path, resume_changes=('lr', 'loss', 'patience'), callbacks=[watch, kept], **GIVEN)
    assert model.optimizer.lr == 0.5 and watch.patience == 1 and len(history) == 3
    arrays, metadata = read_tensors(path)
    [change] = unpack(metadata['fit'], arrays, '')['changes']
    assert change == {'epoch': 1, 'batch': 2, 'changes': [
        'the loss of y_0 absolute_error, received square_error', 'lr of the optimizer 0.5, received 0.05',
        'patience of the callback EarlyStopping 1, received 5']}
    again = model_of(Adam(0.5), 'mae')      # the file is now that of a training with these
    again.fit(resume=path, callbacks=[EarlyStopping('loss', patience=1), ModelCheckpoint(path, every=1)], **changed(nb_epoch=4))
    assert len(unpack(read_tensors(path)[1]['fit'], read_tensors(path)[0], '')['changes']) == 1


def test_arrays_that_the_program_fills_again_are_those_that_were_trained_on(tmp_path):
    path, x = tmp_path / 't.safetensors', X.copy()

    class Spoils(Callback):
        def on_epoch_end(self, epoch, logs):
            x[:] = 100.
    history = model_of().fit(callbacks=[Spoils(), ModelCheckpoint(path, every='epoch')], **changed(x=x, nb_epoch=2))
    assert len(history) == 2 and (x == 100.).all()
    assert len(model_of().fit(callbacks=[Spoils()], resume=path, **changed(x=X.copy()))) == 3


def test_another_machine_is_told(tmp_path):
    path = ended(tmp_path / 't.safetensors')
    arrays, metadata = read_tensors(path)
    there = json.loads(metadata['environment'])
    assert set(there) == {'keraflow', 'backend', 'numpy', 'python', 'machine', 'threads', 'devices'}
    path.write_bytes(dump_tensors(arrays, {**metadata, 'environment': json.dumps({**there, 'threads': '7', 'numpy': '1.0'})}))
    with pytest.warns(KeraFlowWarning) as caught:
        model_of().fit(resume=path, callbacks=[EarlyStopping('loss', patience=5)], **GIVEN)
    assert [str(one.message) for one in caught] == [
        f'{path}: the training may go on differently in the last bits: expected numpy {np.__version__}, received 1.0; threads '
        f"{there['threads']}, received 7."]


# -- files --------------------------------------------------------------------------------------------------------------

def test_the_newest_files_are_kept_and_a_damaged_one_gives_way_to_the_one_before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = ended(Path('t.safetensors'), keep=3)
    names = ['t.1.safetensors', 't.2.safetensors', 't.safetensors']
    assert sorted(one.name for one in tmp_path.iterdir()) == names
    steps = {name: unpack(read_tensors(tmp_path / name)[1]['fit'], read_tensors(tmp_path / name)[0], '')['nb_step'] for name in names}
    assert steps == {'t.safetensors': 6, 't.1.safetensors': 5, 't.2.safetensors': 4}
    whole = path.read_bytes()
    path.write_bytes(whole[:len(whole) // 2])
    expected = [EarlyStopping('loss', patience=5)]

    class First(ModelCheckpoint):
        """Looks at the files after the first save."""

        def pause(self, at, is_end, is_terminated):
            super().pause(at, is_end, is_terminated)
            if not hasattr(self, 'seen'):
                self.seen = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    first, before = First(path, every=1, keep=3), (tmp_path / 't.1.safetensors').read_bytes()
    with pytest.warns(KeraFlowWarning) as caught:
        history = model_of().fit(resume=path, callbacks=[*expected, first], **GIVEN)
    assert [str(one.message).split(': ')[0] for one in caught] == [str(path)]
    assert str(caught[0].message).endswith('Training is resumed from the file before it, t.1.safetensors.')
    # What is damaged did not take the place of what is not.
    assert first.seen['t.1.safetensors'] == before and len(history) == 3 and first.seen['t.safetensors'] != whole[:len(whole) // 2]
    for name in names:
        (tmp_path / name).write_bytes(b'{}')
    with pytest.raises(ModelFileError):
        model_of().fit(resume=path, callbacks=expected, **GIVEN)
    with pytest.raises(FileNotFoundError) as missing:
        model_of().fit(resume=tmp_path / 'none.safetensors', callbacks=expected, **GIVEN)
    assert str(missing.value) == (f'{tmp_path / "none.safetensors"}: there is no training to resume. Begin without resume, as with '
                                  'resume=path if os.path.exists(path) else None.')


def test_files_with_names_of_their_own(tmp_path):
    path = tmp_path / 't-{epoch:02d}-{batch}.safetensors'
    ended(path, keep=2)
    assert sorted(one.name for one in tmp_path.iterdir()) == ['t-02-1.safetensors', 't-02-2.safetensors']
    (tmp_path / 't-02-2.safetensors').write_bytes(b'')
    with pytest.warns(KeraFlowWarning, match='t-02-1.safetensors'):
        history = model_of().fit(resume=path, callbacks=[EarlyStopping('loss', patience=5), ModelCheckpoint(path, every=1, keep=2)], **GIVEN)
    assert len(history) == 3
    assert sorted(one.name for one in tmp_path.iterdir()) == ['t-03-3.safetensors', 't-03-4.safetensors']


def test_names_of_files_that_cannot_be_filled_in_or_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    choices = 'expected {epoch}, {batch} or {step}'
    for name, text in [
            ('t-{epoch.real}', f"{choices}, alone or with a format as in {{epoch:02d}}, received {{epoch.real}}. Did you mean 'epoch'?"),
            ('t-{epoch!r:>3}', f"{choices}, alone or with a format as in {{epoch:02d}}, received {{epoch!r}}. Did you mean 'epoch'?"),
            ('t-{epoch[0]}', f"{choices}, alone or with a format as in {{epoch:02d}}, received {{epoch[0]}}. Did you mean 'epoch'?"),
            ('t-{zz}', f'{choices}, alone or with a format as in {{epoch:02d}}, received {{zz}}. Choose one of batch, epoch, step.'),
            ('t-{epoch', f"{choices}, received a single brace in 't-{{epoch.safetensors'. Write a brace that is part of the path twice."),
            ('t-{epoch:x}', 'expected a format of integers, such as {epoch:04d}, received {epoch:x}.'),
            ('{epoch}/t', "expected fields in the name of the file alone, received them in that of its folder in '{epoch}/t.safetensors'. "
                          'Write the folder without.')]:
        path = f'{name}.safetensors'
        for fit, where in [(lambda: model_of().fit(callbacks=[ModelCheckpoint(path, every=1)], **GIVEN), 'ModelCheckpoint: path'),
                           (lambda: model_of().fit(resume=path, **GIVEN), 'resume')]:
            with pytest.raises(ArgumentError) as caught:
                fit()
            assert str(caught.value) == f'm: {where}: {text}'
    with pytest.raises(FileNotFoundError) as missing:
        model_of().fit(resume='t[1]-{step}.safetensors', **GIVEN)
    assert str(missing.value) == ('t[1]-{step}.safetensors: there is no training to resume. Begin without resume, as with '
                                  "resume=path if glob.glob('t[[]1]-*.safetensors') else None.")
    assert not list(tmp_path.iterdir())


def test_braces_of_the_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / '{a}').mkdir()
    path = '{{a}}/{{b}}-{step}.safetensors'
    ended(path, keep=2)
    assert sorted(one.name for one in (tmp_path / '{a}').iterdir()) == ['{b}-5.safetensors', '{b}-6.safetensors']
    for resume in path, '{a}/{b}-6.safetensors':
        watch, kept = EarlyStopping('loss', patience=5), ModelCheckpoint(path, every=1, keep=2)
        assert len(model_of().fit(resume=resume, callbacks=[watch, kept], **GIVEN)) == 3
        assert watch.resumed_from == kept.resumed_from == '{a}/{b}-6.safetensors'
        assert (tmp_path / '{a}' / '{b}-12.safetensors').exists()
        ended(path, keep=2, overwrite=True)


def test_existing_files_are_not_replaced(tmp_path):
    path = ended(tmp_path / 't.safetensors')
    for given in {'path': path}, {'path': tmp_path / 't-{step}.safetensors'}:
        if given['path'] != path:
            (tmp_path / 't-1.safetensors').write_bytes(b'')
        with pytest.raises(FileExistsError):
            model_of().fit(callbacks=[ModelCheckpoint(every=1, **given)], **GIVEN)
        model_of().fit(callbacks=[ModelCheckpoint(every=1, overwrite=True, **given)], **GIVEN)


def test_arguments_of_the_callback(tmp_path):
    for make, kind, text in [
            (lambda: ModelCheckpoint(arch='a.yaml', every=1), ArgumentTypeError,
             'ModelCheckpoint: expected every, keep and on_sigterm with a path alone, which is then that of the training, received arch '
             'or save_best_only. Pass another ModelCheckpoint for these.'),
            (lambda: ModelCheckpoint('a.safetensors', save_best_only=True, keep=2), ArgumentTypeError, None),
            (lambda: ModelCheckpoint('a.safetensors', every='batch'), ArgumentTypeError,
             "ModelCheckpoint: every: expected an integer of at least 1 or one of 'epoch' or None, received 'batch'."),
            (lambda: model_of().fit(callbacks=[ModelCheckpoint('a.yaml', every=1)], **GIVEN), ArgumentError,
             "m: ModelCheckpoint: path: expected a name that ends with .safetensors, received 'a.yaml'."),
            (lambda: model_of().fit(callbacks=[ModelCheckpoint('{loss}.safetensors', every=1)], **GIVEN), ArgumentError,
             'm: ModelCheckpoint: path: expected {epoch}, {batch} or {step}, alone or with a format as in {epoch:02d}, received {loss}. '
             'Choose one of batch, epoch, step.')]:
        with pytest.raises(kind) as caught:
            make()
        assert text is None or str(caught.value) == text


def test_values_that_are_lost_are_not_saved(tmp_path):
    path = tmp_path / 't.safetensors'

    class Loses(Callback):
        def on_epoch_end(self, epoch, logs):
            if epoch == 1:
                self.model.set_weights({**self.model.get_weights(), 'y/b': np.full(2, np.nan)})
    with pytest.warns(KeraFlowWarning, match='step 8 is not saved: there are values that are NaN or infinite'):
        model_of().fit(callbacks=[ModelCheckpoint(path, every='epoch'), Loses()], **changed(nb_epoch=2))
    assert unpack(read_tensors(path)[1]['fit'], read_tensors(path)[0], '')['epoch'] == 1


def test_damaged_descriptions(tmp_path):
    path = ended(tmp_path / 't.safetensors')
    arrays, metadata = read_tensors(path)
    state = unpack(metadata['fit'], arrays, '')
    others = {name: one for name, one in arrays.items() if not name.startswith('fit/')}
    model = model_of()
    before = model.get_weights()

    def refused(metadata, arrays):
        path.write_bytes(dump_tensors(arrays, metadata))
        with pytest.raises(ModelFileError) as caught:
            model.fit(resume=path, callbacks=[EarlyStopping('loss', patience=5)], **GIVEN)
        assert str(caught.value).isprintable() and len(str(caught.value)) <= 300
        assert all(np.array_equal(before[name], value) for name, value in model.get_weights().items())
    for changes in [{'epoch': -1}, {'epoch': 1.}, {'nb_batch': '2'}, {'part': 'never'}, {'totals': [np.zeros(2), None]}, {'totals': [None, None]},
                    {'order': {'seed': 1}}, {'order': {'seed': -1, 'number': 1, 'epoch': 1, 'sequence': None}}, {'history': 3},
                    {'history': [{'loss': 1.}, 2]}, {'hook': ('close', 0, ())}, {'hook': ('on_batch_end', 9, ())}, {'callbacks': [1]},
                    {'data': [{'begun': 1}, None]}, {'data_wait': ['x']}, {'prepared': [3]}, {'changes': 3}]:
        text, more = pack({**state, **changes}, 'fit')
        refused({**metadata, 'fit': text}, {**others, **more})
    for name in state.keys() - {'nb_left_out', 'nb_skipped'}:      # which the first files of this version lack
        text, more = pack({key: value for key, value in state.items() if key != name}, 'fit')
        refused({**metadata, 'fit': text}, {**others, **more})
    for name, text in [('fit', ''), ('fit', '{"dict": 3}'), ('fit', '{"never": 3}'), ('fit', '[' * 200 + ']' * 200), ('fit_recipe', '{}'),
                       ('fit_recipe', ''), ('environment', '[]'), ('environment', '{"threads": 3}'), ('steps', '{}'), ('steps', '[[0]]'),
                       ('steps', '[[["x"], 1]]'), ('steps', '[[[0], 1, 3]]')]:
        refused({**metadata, name: text}, arrays)
    refused(metadata, others)
    random = np.random.default_rng(0)
    for _ in range(60):         # a character of the description, with a digest that is right
        text = list(metadata['fit'])
        text[random.integers(len(text))] = random.choice(list('{}[]",:0e-.nullabc'))
        try:
            changed_state = unpack(''.join(text), arrays, '')
        except ModelFileError:
            refused({**metadata, 'fit': ''.join(text)}, arrays)
        else:
            assert isinstance(changed_state, (dict, type(state))) or changed_state is not None


# -- data that are iterables --------------------------------------------------------------------------------------------

def test_batches_that_are_others_are_refused(tmp_path):
    given = {'nb_epoch': 3, 'verbose': 0, 'x': batches}

    def reversed_batches():
        return reversed(list(batches()))

    def few():
        return list(batches())[:1]
    path = ended(tmp_path / 't.safetensors', given=given)
    watch = EarlyStopping('loss', patience=5)
    for data in reversed_batches, lambda: iter(few()):
        with pytest.raises(DataError) as caught:
            model_of().fit(resume=path, callbacks=[watch], **{**given, 'x': data})
        assert str(caught.value) == (
            'm: fit: batch 1 of the iterable is not the one that training was resumed after. Let it give the same batches again, or define '
            'get_state and set_state, which restore it.')
    path = ended(tmp_path / 'u.safetensors', given={**given, 'x': endless(), 'nb_batch': 4})
    begun = endless()
    next(begun)
    with pytest.raises(ArgumentError) as refused:
        model_of().fit(resume=path, callbacks=[watch], **{**given, 'x': begun, 'nb_batch': 4})
    assert str(refused.value) == ('m: fit: expected a generator from which no batch was taken, to go on in the right place, received one that '
                                  'has begun. Make it anew.')
    with pytest.raises(ModelFileError, match='nb_batch of the data 3, received 4'):
        model_of().fit(resume=path, callbacks=[watch], **{**given, 'x': endless(), 'nb_batch': 3})


def test_batches_that_are_others_in_each_epoch_are_refused(tmp_path):
    """Also where an epoch begins, so that none of them was trained on."""
    given, watch = {'nb_epoch': 4, 'verbose': 0}, EarlyStopping('loss', patience=5)

    def drawing(seed):
        draws = np.random.default_rng(seed)

        def batches_drawn():
            order = draws.permutation(15)
            return ((X[order[at:at + SIZE]], Y[order[at:at + SIZE]]) for at in range(0, 15, SIZE))
        return batches_drawn
    path = tmp_path / 't.safetensors'
    for nb_epoch, kind, text in [
            (1, DataError, 'm: fit: batch 0 of the iterable is not the one that training was resumed after. Let it give the same batches '
             'again, or define get_state and set_state, which restore it.'),
            (2, ModelFileError, f'{path}: the batches of x were others in each epoch, and nothing says what the next ones are. Let the '
             'iterable give the same ones, or define get_state and set_state, which restore it.')]:
        model_of().fit(drawing(0), callbacks=[watch, ModelCheckpoint(path, every='epoch', overwrite=True)],
                       **{**given, 'nb_epoch': nb_epoch})
        with pytest.raises(kind) as caught:
            model_of().fit(drawing(1), callbacks=[watch], resume=path, **given)
        assert str(caught.value) == text
    model_of().fit(batches, callbacks=[watch, ModelCheckpoint(path, every='epoch', overwrite=True)], **{**given, 'nb_epoch': 2})
    assert len(model_of().fit(batches, callbacks=[watch], resume=path, **given)) == 4


def test_states_that_no_file_can_hold_are_refused(tmp_path):
    class Odd(Callback):
        def get_state(self):
            return {1, 2}

    class OddData:
        def __iter__(self):
            return batches()

        def get_state(self):
            return open

        def set_state(self, state):
            pass
    for given, text in [
            ({'callbacks': [Odd()], **GIVEN}, 'm: get_state of the callback Odd: expected numbers, strings, arrays, and lists, tuples and '
             'dicts of them, received {1, 2}.'),
            ({'nb_epoch': 1, 'verbose': 0, 'x': OddData(), 'callbacks': []}, 'm: fit: get_state of an object of class OddData: expected numbers, '
             'strings, arrays, and lists and dicts of them, received function open.')]:
        with pytest.raises(ArgumentTypeError) as caught:
            model_of().fit(**{**given, 'callbacks': [*given['callbacks'], ModelCheckpoint(tmp_path / 't.safetensors', every=1)]})
        assert str(caught.value) == text


def test_what_is_lost_is_told(tmp_path):
    class Sets(Callback):
        def __init__(self, given):
            self.given, self.seen, self.other, self.function = given, set(), [len], len
    with pytest.warns(KeraFlowWarning) as caught:
        model_of().fit(callbacks=[Sets({1}), ModelCheckpoint(tmp_path / 't.safetensors', every=1)], **GIVEN)
    assert [str(one.message) for one in caught] == [
        'm: get_state of the callback Sets: no file can hold seen, other, which a training that is resumed begins anew. Define get_state and '
        'set_state.']


def test_a_log_that_was_moved(tmp_path):
    (tmp_path / 'other').mkdir()
    path, log = tmp_path / 't.safetensors', tmp_path / 'log.csv'
    model_of().fit(callbacks=[CSVLogger(log), ModelCheckpoint(path, keep=1)], **changed(nb_epoch=2))
    with pytest.warns(KeraFlowWarning, match='lacks epochs of before training was resumed'):
        model_of().fit(resume=path, callbacks=[CSVLogger(tmp_path / 'other' / 'log.csv')], **GIVEN)
    assert [line[0] for line in (tmp_path / 'other' / 'log.csv').read_text().splitlines()] == ['e', '3']


def test_a_model_of_another_thread_has_no_place(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    class Elsewhere(Callback):
        def on_batch_end(self, batch, logs):
            with ThreadPoolExecutor() as threads:
                threads.submit(self.model.save_training, tmp_path / 't.safetensors', overwrite=True).result()
    model_of().fit(callbacks=[Elsewhere()], **GIVEN)
    assert 'fit' not in read_tensors(tmp_path / 't.safetensors')[1]
    assert len(model_of().fit(resume=tmp_path / 't.safetensors', **GIVEN)) == 3
