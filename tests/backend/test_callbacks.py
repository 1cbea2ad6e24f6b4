"""The callbacks that keraflow has."""
import csv
import os

import numpy as np
import pytest
from counting import X, Y, compile_with, counting, fit, lost, said, told, weight

from keraflow import backend as B
from keraflow import schedules
from keraflow.callbacks import (Callback, CSVLogger, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau,
                                TensorBoard, TerminateOnNaN)
from keraflow.errors import ArgumentError, KeraFlowWarning, ModelFileError, SerializationError
from keraflow.layers import Dense, Input, Lambda
from keraflow.metrics import Average
from keraflow.models import Model
from keraflow.optimizers import SGD, Adam


def test_the_rate_of_each_epoch_is_that_of_the_function():
    model = counting()
    fit(model, LearningRateScheduler(lambda epoch: [0.5, 0.25, 2.][epoch]), nb_epoch=3)
    assert weight(model) == -2.75 and model.optimizer.lr == 2.


@pytest.mark.parametrize('arguments, values, rates', [
    ({'patience': 1, 'factor': 0.5}, [3, 3, 2, 2, 2], [1, 1, .5, .5, .25]),
    ({'patience': 2, 'factor': 0.5}, [3, 3, 3, 3, 3, 3], [1, 1, 1, .5, .5, .25]),
    ({'patience': 1, 'factor': 0.5, 'cooldown': 2}, [3, 3, 3, 3, 3, 3], [1, 1, .5, .5, .25, .25]),
    ({'patience': 1, 'factor': 0.5, 'min_lr': 0.4}, [3, 3, 3, 3], [1, 1, .5, .4]),
    ({'patience': 1, 'factor': 0.5, 'min_lr': 2.}, [3, 3, 3], [1, 1, 1]),
    ({'patience': 1, 'factor': 0.5, 'mode': 'max'}, [1, 2, 3, 3, 3], [1, 1, 1, 1, .5]),
    ({'patience': 1, 'factor': 0.5, 'min_delta': 1.}, [3, 2.5, 2.2, 0], [1, 1, .5, .25])])
def test_the_rate_is_lowered_where_nothing_gets_better(arguments, values, rates):
    model, steps = counting(), []

    class Watch(Callback):
        def on_batch_begin(self, batch, logs):
            steps.append(weight(model))

        def on_train_end(self, logs):
            steps.append(weight(model))

    said(ReduceLROnPlateau('loss', **arguments), values, model, 'loss', Watch())
    assert np.allclose(-np.diff(steps), rates)


@pytest.mark.parametrize('callback', [LearningRateScheduler(lambda epoch: 1.), ReduceLROnPlateau('loss')])
def test_a_rate_that_follows_a_schedule_is_not_set_by_a_callback(callback):
    model = counting(schedules.ExponentialDecay(0.1, 0.5, 10))
    with pytest.raises(ArgumentError) as caught:
        fit(model, callback)
    assert str(caught.value) == (f'm: {type(callback).__name__}: expected an optimizer whose lr is a number, received SGD with a '
                                 'schedule. Leave one of the two out.')
    assert weight(model) == 0


def test_a_rate_that_cannot_be_is_reported_with_the_name_of_the_optimizer():
    with pytest.raises(ArgumentError) as caught:
        fit(counting(), LearningRateScheduler(lambda epoch: -1.))
    assert str(caught.value).startswith('SGD: lr: expected a number above 0')


# -- NaN ----------------------------------------------------------------------------------------------------------------

def test_training_ends_with_a_loss_that_is_no_number():
    x = Input(1, name='x')
    model = Model(x, Dense(1, name='y', init='zero')(x), name='m')
    model.compile(SGD(lr=1e-6), lambda y_pred, y_true: B.sqrt(y_true))
    seen = []

    class Watch(Callback):
        def on_batch_end(self, batch, logs):
            seen.append(batch)

    with pytest.warns(KeraFlowWarning) as caught:
        history = model.fit(np.ones((5, 1)), np.array([[1.], [1.], [-1.], [1.], [1.]]), batch_size=1, nb_epoch=3, shuffle=False,
                            verbose=0, callbacks=[TerminateOnNaN(), Watch()])
    assert [str(one.message) for one in caught if one.category is KeraFlowWarning] == [
        'm: TerminateOnNaN: the loss of batch 2 is nan. Training ends. Try a lower learning rate, or clipnorm.']
    assert seen == [0, 1, 2] and len(history) == 1 and np.isnan(history[0]['loss'])


NOT_SAVED = 'm: ModelCheckpoint: epoch 2 is not saved: there are values that are NaN or infinite.'


def test_a_nan_never_replaces_a_good_file(tmp_path):
    model, path = counting(), tmp_path / 'w.safetensors'
    with pytest.warns(KeraFlowWarning) as caught:
        said(ModelCheckpoint(path), [1., float('nan')], model)
    assert told(caught) == [lost('nan'), NOT_SAVED]
    other = counting()
    other.load_weights(path)
    assert weight(other) == -1
    with pytest.warns(KeraFlowWarning) as caught:
        said(ModelCheckpoint(path, overwrite=True, monitor='loss', save_best_only=True), [1., float('-inf')], counting())
    assert told(caught) == [lost('-inf'), NOT_SAVED]
    other.load_weights(path)
    assert weight(other) == -1

    class Breaks(Callback):
        def on_epoch_end(self, epoch, logs):
            if epoch == 1:
                self.model.set_weights({'y/W': np.full((1, 1), np.nan), 'y/b': np.zeros(1)})

    with pytest.warns(KeraFlowWarning) as caught:
        fit(counting(), Breaks(), ModelCheckpoint(path, overwrite=True), nb_epoch=2)
    assert told(caught) == [NOT_SAVED]
    other.load_weights(path)
    assert weight(other) == -1
    assert os.listdir(tmp_path) == ['w.safetensors']


def diverging(factor, optimizer=None):
    """One weight, which each batch multiplies by -`factor`, and the square of it as the loss."""
    x = Input(1, name='x')
    model = Model(x, Dense(1, name='y', bias=False, initial_weights=[np.ones((1, 1))])(x), name='m')
    model.compile(optimizer or SGD(lr=(1 + factor) / 2), 'mse')
    return model


def test_the_good_weights_are_there_after_a_loss_that_is_no_number():
    for restores in (True, False):
        model = diverging(1e4)
        with pytest.warns(KeraFlowWarning) as caught:
            history = model.fit(np.ones((3, 1)), np.zeros((3, 1)), batch_size=1, nb_epoch=5, verbose=0, shuffle=False,
                                callbacks=[TerminateOnNaN(restores)])
        # -1e4, 1e8, -1e12; then 1e16, -1e20, the square of which is infinite in float32.
        assert told(caught) == ['m: TerminateOnNaN: the loss of batch 2 is inf. Training ends. Try a lower learning rate, or clipnorm.']
        assert len(history) == 2 and history[1]['loss'] == np.inf and history.nb_skipped == [0, 1]
        assert weight(model) == pytest.approx(-1e20, rel=1e-4)


def test_what_the_optimizer_knows_is_good_again_too():
    model = diverging(0., Adam(lr=1e-3))
    x, bad = np.ones((4, 1)), np.array([[0.], [0.], [0.], [1e30]])
    with pytest.warns(KeraFlowWarning):
        model.fit(x, bad, batch_size=1, nb_epoch=2, verbose=0, shuffle=False, callbacks=[TerminateOnNaN()])
    other = diverging(0., Adam(lr=1e-3))
    other.fit(x[:3], bad[:3], batch_size=1, nb_epoch=1, verbose=0, shuffle=False)
    for one in range(2):        # and goes on from there
        assert weight(model) == weight(other) and weight(model) == pytest.approx(1. - (3 + one) * 1e-3, rel=1e-5)
        for name, variable in model.optimizer.state().items():
            np.testing.assert_array_equal(B.get_value(variable), B.get_value(other.optimizer.state()[name]))
        fit(model, nb_epoch=1), fit(other, nb_epoch=1)


def test_an_epoch_that_ends_with_broken_weights_ends_training():
    class Breaks(Callback):
        def on_epoch_end(self, epoch, logs):
            if epoch == 1:
                self.model.set_weights({'y/W': np.full((1, 1), np.nan)})

    model = counting()
    with pytest.warns(KeraFlowWarning) as caught:
        assert len(fit(model, Breaks(), TerminateOnNaN())) == 2
    assert told(caught) == ['m: TerminateOnNaN: epoch 2 has left weights that are NaN or infinite. Training ends. Try a lower learning '
                            'rate, or clipnorm.']
    assert weight(model) == -1.


# -- ModelCheckpoint ----------------------------------------------------------------------------------------------------

def test_a_file_for_each_epoch_named_by_number_and_loss(tmp_path):
    fit(counting(), ModelCheckpoint(tmp_path / 'w{epoch:02d}{loss:+.1f}.safetensors', arch=tmp_path / 'm.json'), nb_epoch=3)
    assert sorted(os.listdir(tmp_path)) == ['m.json', 'w01+0.0.safetensors', 'w02-2.0.safetensors', 'w03-4.0.safetensors']
    loaded = Model.load_from_file(tmp_path / 'm.json', tmp_path / 'w02-2.0.safetensors')
    assert weight(loaded) == -2


NAMES = ['f1.macro', 'mae(left.arm)', 'a{b}', '{c}', 'top%5', 'x:y', 'epochs', 'acc', 'acc ', 'l[0]', 'e!r', 'm.__class__']


def test_names_of_metrics_with_any_signs_in_names_of_files(tmp_path):
    model = compile_with(counting(), *(Free(name) for name in NAMES))
    template = '|'.join(f'{{{name}:.1f}}' for name in NAMES) + '|{epoch:02d}|{{x}}|{{{epoch}}}|100%|%d|{loss:.0f}.y.safetensors'
    fit(model, ModelCheckpoint(tmp_path / template), nb_epoch=1)
    numbers = '|'.join(f'{number}.0' for number in range(len(NAMES)))
    assert os.listdir(tmp_path) == [f'{numbers}|01|{{x}}|{{1}}|100%|%d|0.y.safetensors']


class Free(Average):
    """A metric of any name, and its place in the list as the value."""

    def __init__(self, free):
        super().__init__(lambda y_pred, y_true: y_pred * 0. + NAMES.index(free), larger_is_better=True)
        self.free = free

    @property
    def label(self):
        return self.free


def test_only_the_best_is_saved_also_over_several_calls_of_fit(tmp_path):
    model, path = counting(), tmp_path / 'best.safetensors'
    best = ModelCheckpoint(path, monitor='loss', save_best_only=True)
    other = counting()
    for values, expected in (([3, 1, 2], -2), ([2, 1, 2], -2), ([2, 0, 2], -8)):
        said(best, values, model)
        other.load_weights(path)
        assert weight(other) == expected
    assert best.best == 0


def test_files_of_others_are_not_replaced(tmp_path):
    path = tmp_path / 'w.safetensors'
    path.write_bytes(b'precious')
    model = counting()
    with pytest.raises(FileExistsError) as caught:
        fit(model, ModelCheckpoint(path))
    assert str(caught.value) == f'{path} exists already. Pass overwrite=True to replace it.'
    assert weight(model) == 0
    second = tmp_path / 'w-2.safetensors'
    second.write_bytes(b'precious')
    with pytest.raises(FileExistsError):
        fit(model, ModelCheckpoint(tmp_path / 'w-{epoch}.safetensors'))
    assert weight(model) == -2 and path.read_bytes() == second.read_bytes() == b'precious'
    fit(model, ModelCheckpoint(path, overwrite=True))
    assert path.read_bytes() != b'precious'


def test_what_cannot_be_saved_is_reported_before_the_first_epoch(tmp_path):
    x = Input(1)
    unsavable = Model(x, Dense(1, name='y')(Lambda(lambda h: h)(x)), name='m')
    unsavable.compile('sgd', 'mse')
    before = unsavable.get_weights()
    with pytest.raises(SerializationError, match='a lambda cannot be saved'):
        fit(unsavable, ModelCheckpoint(arch=tmp_path / 'm.json'))
    assert all(np.array_equal(before[name], array) for name, array in unsavable.get_weights().items())
    model = counting()
    for callback, error, text in (
            (ModelCheckpoint(tmp_path / 'w.npz'), ModelFileError, 'Let the name end with .safetensors.'),
            (ModelCheckpoint(tmp_path / 'no' / 'w-{epoch}.safetensors'), FileNotFoundError, 'does not exist. Create it first.')):
        with pytest.raises(error, match=text):
            fit(model, callback)
    assert weight(model) == 0
    assert os.listdir(tmp_path) == []


# -- logs in files ------------------------------------------------------------------------------------------------------

def rows(path, separator=','):
    with open(path, newline='', encoding='utf-8') as file:
        return list(csv.reader(file, delimiter=separator))


def test_a_line_for_each_epoch(tmp_path):
    path = tmp_path / 'log.csv'
    model, seen = counting(), []

    class Watch(Callback):
        def on_epoch_begin(self, epoch, logs):
            seen.append(len(rows(path)))

    history = fit(model, CSVLogger(path), Watch(), nb_epoch=3, validation_data=(X, Y))
    expected = [['epoch', 'loss', 'val_loss'], *([str(number), repr(logs['loss']), repr(logs['val_loss'])]
                                                 for number, logs in enumerate(history, 1))]
    assert rows(path) == expected and seen == [1, 2, 3]
    with pytest.raises(FileExistsError):
        fit(model, CSVLogger(path))
    fit(model, CSVLogger(path, append=True), nb_epoch=1, validation_data=(X, Y))
    assert rows(path)[:4] == expected and rows(path)[4][0] == '1'
    with pytest.raises(ArgumentError) as caught:
        fit(model, CSVLogger(path, append=True))
    assert str(caught.value) == (f'm: CSVLogger: expected a file with the columns epoch, loss, received {path} with epoch, loss, '
                                 'val_loss. Choose another path.')
    logger = CSVLogger(path, separator=';', overwrite=True)
    fit(model, logger, nb_epoch=1)
    fit(model, logger, nb_epoch=1)
    assert [row[0] for row in rows(path, ';')] == ['epoch', '1', '1']


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_tensorboard_reads_its_files_back(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    model = counting(0.5)
    callback = TensorBoard(tmp_path / 'logs')
    history = fit(model, callback, nb_epoch=3, validation_data=(X, Y))
    assert sorted(os.listdir(tmp_path / 'logs')) == ['train', 'validation']

    def read(run, tag):
        accumulator = EventAccumulator(str(tmp_path / 'logs' / run))
        accumulator.Reload()
        assert tag in accumulator.Tags()['scalars']
        return [(event.step, event.value) for event in accumulator.Scalars(tag)]

    assert read('train', 'loss') == [(number, logs['loss']) for number, logs in enumerate(history, 1)]
    assert read('validation', 'loss') == [(number, logs['val_loss']) for number, logs in enumerate(history, 1)]
    assert read('train', 'lr') == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert np.allclose([value for _, value in read('train', 'data_wait')], history.data_wait)
    fit(model, callback, nb_epoch=1)
    assert len(os.listdir(tmp_path / 'logs' / 'train')) == 2 and len(os.listdir(tmp_path / 'logs' / 'validation')) == 1
