"""A training that is ended at any place, and resumed from a file, goes on as if it had not been ended."""
import itertools
import json
import random
import signal
import subprocess
import sys

import killed
import numpy as np
import pytest
from killed import drawn
from resumed import DATA, NB_BATCH, NB_EPOCH, OPTIMIZERS, Died, Dies, Saves, callbacks, fit, made, result, uninterrupted

import keraflow
from keraflow import backend as B
from keraflow.callbacks import ModelCheckpoint
from keraflow.layers import Dense, Dropout, Input, Lambda
from keraflow.models import Sequential

EXECUTIONS = {'tensorflow': ('plain', 'compiled', 'whole')}


def saved_after(path, data, folder, every=1, keep=1000, optimizer='Adam', by_batch=False, more=(), **kwargs):
    """Train with a file after each batch; return the result."""
    return uninterrupted(data, folder, optimizer, by_batch, [*more, ModelCheckpoint(path, every=every, keep=keep)], **kwargs)


def resumed(path, data, folder, optimizer='Adam', by_batch=False, more=(), nb_epoch=NB_EPOCH, changes=(), **kwargs):
    """Resume in what might be another program; return the result."""
    keraflow.seed(77)
    model = made(optimizer, **kwargs)
    return result(model, *fit(model, data, folder, optimizer, by_batch, more, nb_epoch, resume=path, resume_changes=changes), folder)


@pytest.mark.parametrize('data', DATA)
def test_any_data_are_resumed_in_the_right_place(data, tmp_path):
    found = saved_after(tmp_path / 't-{step:03d}-{epoch}.safetensors', data, tmp_path, is_small=True)
    files = sorted(tmp_path.glob('t-*.safetensors'))
    nb_batch = NB_BATCH - (data == 'a part of a function')
    assert len(files) == nb_batch * NB_EPOCH
    for number in (nb_batch - 1, nb_batch + 1):
        assert resumed(files[number], data, tmp_path, is_small=True) == found, files[number].name
    # It is resumed a second time, from a file of the first.
    with pytest.raises(Died):
        resumed(files[1], data, tmp_path, is_small=True, changes=('callbacks',), more=[
            ModelCheckpoint(tmp_path / 'again.safetensors', every=1), Dies('on_batch_end', nb_batch)])
    assert resumed(tmp_path / 'again.safetensors', data, tmp_path, is_small=True, changes=('callbacks',)) == found


def choices_for(backend):
    """All optimizers and roads, with callbacks for batches and without, on data of each kind in turn."""
    every = list(itertools.product(OPTIMIZERS, EXECUTIONS.get(backend, ('auto',)), (False, True)))
    random.Random(0).shuffle(every)
    for number in itertools.count():
        yield (*every[number % len(every)], list(DATA)[number % len(DATA)])


def test_every_optimizer_and_road_is_resumed_after_any_batch(backend_name, trials, tmp_path):
    for number, (rng, choice) in enumerate(zip(trials(3), choices_for(backend_name))):
        optimizer, execution, by_batch, data = choice
        print(choice)
        folder = tmp_path / str(number)
        (folder / 'alone').mkdir(parents=True)
        given = {'optimizer': optimizer, 'by_batch': by_batch, 'execution': execution}
        expected = uninterrupted(data, folder / 'alone', **given)
        # Saving changes nothing, however many batches lie between.
        assert saved_after(folder / 't-{step:03d}-{epoch}.safetensors', data, folder, every=rng.choice((1, 1, 3)), **given) == expected
        files = sorted(folder.glob('t-*.safetensors'))
        for path in rng.sample(files, 2):
            assert resumed(path, data, folder, **given) == expected, path.name


def test_a_program_that_is_killed_is_continued_by_another(backend_name, trials, tmp_path):
    choices = itertools.islice(choices_for(backend_name), 1, None)
    for number, (rng, (optimizer, execution, by_batch, data)) in enumerate(zip(trials(1), choices)):
        folder = tmp_path / str(number)
        folder.mkdir()
        given = {'data': data, 'optimizer': optimizer, 'by_batch': by_batch, 'execution': execution, **drawn(rng, rng.choice((1, 1, 3)))}
        print(given)
        for is_victim in True, False:
            done = subprocess.run([sys.executable, killed.__file__, backend_name, str(folder), json.dumps({**given, 'is_victim': is_victim})],
                                  capture_output=True, text=True)
            assert done.returncode == (-signal.SIGKILL if is_victim else 0), done.stderr[-2000:]
        is_same, different = json.loads(done.stdout.splitlines()[-1])
        assert is_same, different
        assert not [one for one in folder.iterdir() if one.name.startswith('.')] or given['seconds'] is not None


@pytest.mark.parametrize('hook, when', [('on_train_begin', 1), ('on_epoch_begin', 2), ('on_batch_begin', 5), ('on_batch_begin', 6),
                                        ('on_batch_end', 6), ('on_batch_end', 8), ('on_epoch_end', 2)])
@pytest.mark.parametrize('place', [0, 2, 9])
def test_a_callback_of_the_program_saves_in_a_hook(hook, when, place, tmp_path):
    def train(saves, **kwargs):
        keraflow.seed(1)
        model, path = made('SGD', is_small=True), tmp_path / 't.safetensors'
        watching = callbacks('SGD', tmp_path, False, by_batch=True)
        watching.insert(place, saves)
        arguments = DATA['arrays'](tmp_path)
        history = model.fit(nb_epoch=3, verbose=0, callbacks=watching, **arguments, **kwargs)
        watching.remove(saves)
        return result(model, history, watching, tmp_path), path
    found, path = train(Saves(tmp_path / 't.safetensors', hook, when))
    assert train(Saves(None, hook, 0), resume=path)[0] == found


def test_a_training_is_prolonged(tmp_path):
    path = tmp_path / 't.safetensors'
    whole = uninterrupted('validated', tmp_path)
    (tmp_path / 'log.csv').unlink()
    keraflow.seed(1)
    fit(made(), 'validated', tmp_path, more=[ModelCheckpoint(path, keep=1)], nb_epoch=2)
    assert resumed(path, 'validated', tmp_path) == whole


def test_a_training_that_a_callback_ended_stays_ended(tmp_path):
    class Ends(Dies):
        def on_epoch_end(self, epoch, logs):
            self.model.stop_training = self.model.stop_training or epoch == 1
    path = tmp_path / 't.safetensors'
    found = saved_after(path, 'arrays', tmp_path, keep=1, is_small=True, more=[Ends()])
    assert len(found['history']) == 2
    assert resumed(path, 'arrays', tmp_path, is_small=True, more=[Ends()]) == found


def test_a_file_of_between_two_calls_of_fit_begins_the_second(tmp_path):
    keraflow.seed(1)
    model = made(is_small=True)
    fit(model, 'arrays', tmp_path, nb_epoch=2)
    model.save_training(tmp_path / 't.safetensors')
    (tmp_path / 'log.csv').unlink()
    expected = result(model, *fit(model, 'arrays', tmp_path, nb_epoch=2), tmp_path)
    (tmp_path / 'log.csv').unlink()
    assert resumed(tmp_path / 't.safetensors', 'arrays', tmp_path, is_small=True, nb_epoch=2) == expected


def test_the_road_is_that_of_before_even_if_more_steps_would_choose_another(tmp_path):
    path, model = tmp_path / 't.safetensors', made(is_small=True)
    fit(model, 'in order', tmp_path, nb_epoch=100)      # of the 500 steps that repay compiling
    (tmp_path / 'log.csv').unlink()
    model.save_training(path)
    expected = result(model, *fit(model, 'in order', tmp_path, nb_epoch=30), tmp_path)
    (tmp_path / 'log.csv').unlink()
    other = made(is_small=True)
    other.load_training(path)
    assert result(other, *fit(other, 'in order', tmp_path, nb_epoch=30), tmp_path) == expected
    assert other.explain().splitlines()[1].split('(')[0] == model.explain().splitlines()[1].split('(')[0]
    assert B.name() != 'tensorflow' or 'whole' in other.explain()


def average(x):
    return B.mean(x, 1)


def test_series_of_many_lengths_run_as_before(tmp_path):
    """A loop that is compiled as a whole has functions of its own for the first few lengths alone."""
    def series():
        for length in range(1, 7):
            yield np.ones((2, length, 3), 'float32') * length, np.ones((2, 2), 'float32')

    def train(**kwargs):
        keraflow.seed(1)
        model = Sequential([Input((None, 3)), Lambda(average), Dropout(0.3), Dense(2)], name='m')
        model.compile('adam', 'mse', execution='whole')
        history = model.fit(series, nb_epoch=2, verbose=0, **kwargs)
        return list(history), {name: value.tolist() for name, value in model.get_weights().items()}, model._functions.expected_steps
    expected = train(callbacks=[ModelCheckpoint(tmp_path / 't-{step:02d}.safetensors', every=1, keep=100)])
    assert train(resume=tmp_path / 't-08.safetensors') == expected
    assert B.name() != 'tensorflow' or len(expected[-1][0][-1]) == 4
