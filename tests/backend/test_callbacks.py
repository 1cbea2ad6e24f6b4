"""The callbacks that keraflow has."""
import csv
import os

import numpy as np
import pytest

from keraflow import backend as B
from keraflow import schedules
from keraflow.callbacks import (Callback, CSVLogger, EarlyStopping, LearningRateScheduler, ModelCheckpoint,
                                ReduceLROnPlateau, TensorBoard, TerminateOnNaN)
from keraflow.errors import ArgumentError, KeraFlowWarning, ModelFileError, SerializationError
from keraflow.layers import Dense, Input, Lambda
from keraflow.models import Model
from keraflow.optimizers import SGD

X, Y = np.ones((4, 1), 'float32'), np.zeros((4, 1), 'float32')


def counting(lr=1.):
    """Training takes ``lr`` off each of the two weights in each batch, and the loss is the prediction."""
    x = Input(1, name='x')
    model = Model(x, Dense(1, name='y', init='zero')(x), name='m')
    model.compile(SGD(lr=lr), lambda y_pred, y_true: y_pred - y_true)
    return model


def weight(model):
    return model.get_weights()['y/W'].item()


def fit(model, *callbacks, nb_epoch=5, **kwargs):
    return model.fit(X, Y, batch_size=4, nb_epoch=nb_epoch, verbose=0, callbacks=list(callbacks), **kwargs)


class Says(Callback):
    """Puts numbers of its choice into the logs of the epochs, before other callbacks see them."""

    def __init__(self, name, values):
        self.name, self.values = name, values

    def on_epoch_end(self, epoch, logs):
        logs[self.name] = self.values[epoch]


def said(callback, values, model=None, name='loss'):
    """How a callback sees these values of the epochs; the history."""
    return fit(model or counting(), Says(name, values), callback, nb_epoch=len(values))


# -- the name to monitor ------------------------------------------------------------------------------------------------

MISTAKES = [
    (lambda: EarlyStopping('los'), {}, "m: EarlyStopping: monitor: expected one of loss, received 'los'. Did you mean 'loss'?"),
    (lambda: EarlyStopping(), {}, "m: EarlyStopping: monitor: there is no 'val_loss' without validation. Pass validation_data or "
     'validation_split to fit.'),
    (lambda: ReduceLROnPlateau('val_los'), {'validation_split': 0.5},
     "m: ReduceLROnPlateau: monitor: expected one of loss, val_loss, received 'val_los'. Did you mean 'val_loss'?"),
    (lambda: ModelCheckpoint('w.safetensors', save_best_only=True, monitor='acc'), {},
     "m: ModelCheckpoint: monitor: expected one of loss, received 'acc'. Choose one of loss."),
    (lambda: ModelCheckpoint('w-{epoch}-{lss:.2f}.safetensors'), {},
     "m: ModelCheckpoint: weights: expected one of epoch, loss, received 'lss'. Did you mean 'loss'?"),
    (lambda: ModelCheckpoint('w-{val_loss}.safetensors'), {}, "m: ModelCheckpoint: weights: there is no 'val_loss' without "
     'validation. Pass validation_data or validation_split to fit.'),
    (lambda: ModelCheckpoint(arch='{epoch.__class__.__init__}.json'), {},
     "m: ModelCheckpoint: arch: expected one of epoch, loss, received 'epoch.__class__.__init__'. Choose one of epoch, loss."),
    (lambda: ModelCheckpoint('{epoch[0]}.safetensors'), {},
     "m: ModelCheckpoint: weights: expected one of epoch, loss, received 'epoch[0]'. Did you mean 'epoch'?"),
    (lambda: ModelCheckpoint('{0}.safetensors'), {},
     "m: ModelCheckpoint: weights: expected one of epoch, loss, received '0'. Choose one of epoch, loss."),
    *[(lambda path=path: ModelCheckpoint(path), {}, f"m: ModelCheckpoint: weights: expected names such as {{epoch:02d}}, received '{path}'. "
       'Write a name and a format, and twice a brace that is part of the path.')
      for path in ('{epoch!r}.safetensors', '{epoch:{loss.real}}.safetensors', '{epoch.safetensors', '{epoch:z}.safetensors')],
]


@pytest.mark.parametrize('make, arguments, text', MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_a_name_that_fit_does_not_report_is_told_before_the_first_epoch(make, arguments, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, hooks = counting(), []

    class Watch(Callback):
        def on_train_begin(self, logs):
            hooks.append('on_train_begin')

    with pytest.raises(ArgumentError) as caught:
        fit(model, Watch(), make(), **arguments)
    assert str(caught.value) == text
    assert hooks == [] and weight(model) == 0 and os.listdir() == []


def test_metrics_and_both_of_the_validation_can_be_monitored():
    model = counting()
    model.compile(SGD(lr=1.), 'mse', metrics=['mae', 'acc'])
    for name in ('loss', 'mae', 'acc', 'val_loss', 'val_mae', 'val_acc'):
        assert len(fit(model, EarlyStopping(name, patience=9), nb_epoch=2, validation_data=(X, Y))) == 2


# -- EarlyStopping ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('arguments, values, nb_epoch, best', [
    ({}, [3, 2, 1, 0], 4, 3), ({}, [3, 2, 2, 0], 3, 1), ({'patience': 1}, [3, 2, 2, 1, 1, 1, 0], 6, 3),
    ({'min_delta': 0.5}, [3, 2, 1.6, 0], 3, 1), ({'mode': 'max'}, [1, 2, 3, 2, 9], 4, 2), ({}, [3, float('nan'), 1], 2, 0),
    ({'baseline': 1.5, 'patience': 1}, [3, 2, 1], 2, None), ({'baseline': 2.5, 'patience': 1}, [3, 2, 1], 3, 2)])
def test_early_stopping_stops_after_as_many_epochs_that_are_no_better(arguments, values, nb_epoch, best):
    stopping = EarlyStopping('loss', **arguments)
    assert len(said(stopping, values)) == nb_epoch
    assert stopping.best_epoch == best
    assert stopping.stopped_epoch == (nb_epoch - 1 if nb_epoch < len(values) else None)


def test_auto_is_up_for_accuracies_and_down_for_the_rest():
    model = counting()
    model.compile(SGD(lr=1.), 'mse', metrics=['acc', 'mae'])
    for name, values, nb_epoch in (('acc', [1, 2, 3, 2], 4), ('acc', [3, 2, 1, 0], 2), ('val_acc', [1, 2, 1, 2], 3),
                                   ('mae', [1, 2, 3, 2], 2), ('val_mae', [3, 2, 1, 0], 4)):
        history = fit(model, Says(name, values), EarlyStopping(name), nb_epoch=4, validation_data=(X, Y))
        assert len(history) == nb_epoch


@pytest.mark.parametrize('restore, expected', [(True, -2.), (False, -4.)])
def test_the_best_weights_are_restored(restore, expected):
    model = counting()
    said(EarlyStopping('loss', patience=1, restore_best_weights=restore), [3, 1, 2, 2, 2], model)
    assert weight(model) == expected


def test_the_best_weights_are_restored_after_the_last_epoch_and_after_ctrl_c():
    for last in (None, KeyboardInterrupt):
        model = counting()

        class Ends(Callback):
            def on_batch_begin(self, batch, logs):
                if last and weight(model) == -3:
                    raise last

        fit(model, Says('loss', [3, 1, 2, 2]), EarlyStopping('loss', patience=9, restore_best_weights=True), Ends(), nb_epoch=4)
        assert weight(model) == -2


def test_early_stopping_begins_anew_with_each_fit():
    stopping = EarlyStopping('loss')
    assert len(said(stopping, [1, 2, 3])) == 2
    assert len(said(stopping, [9, 8, 9])) == 3


# -- the learning rate --------------------------------------------------------------------------------------------------

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

    fit(model, Says('loss', values), ReduceLROnPlateau('loss', **arguments), Watch(), nb_epoch=len(values))
    assert np.allclose(-np.diff(steps), rates)


@pytest.mark.parametrize('callback', [LearningRateScheduler(lambda epoch: 1.), ReduceLROnPlateau('loss')])
def test_a_rate_that_follows_a_schedule_is_not_set_by_a_callback(callback):
    model = counting(schedules.ExponentialDecay(0.1, 0.5, 10))
    with pytest.raises(ArgumentError) as caught:
        fit(model, callback)
    assert str(caught.value) == (f'm: {type(callback).__name__}: expected an optimizer whose lr is a number, received SGD with a '
                                 'schedule. Leave one of the two out.')
    assert weight(model) == 0


def test_a_rate_that_cannot_be_is_told_with_the_name_of_the_optimizer():
    with pytest.raises(ArgumentError) as caught:
        fit(counting(), LearningRateScheduler(lambda epoch: -1.))
    assert str(caught.value).startswith('SGD: lr: expected a number above 0')


# -- NaN ----------------------------------------------------------------------------------------------------------------

@pytest.mark.filterwarnings('ignore:invalid value:RuntimeWarning')     # NumPy's, of which Theano without C is made
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


def test_a_nan_never_replaces_a_good_file(tmp_path):
    model, path = counting(), tmp_path / 'w.safetensors'
    text = 'm: ModelCheckpoint: epoch 2 is not saved: there are values that are NaN or infinite.'
    with pytest.warns(KeraFlowWarning, match=text):
        said(ModelCheckpoint(path), [1., float('nan')], model)
    other = counting()
    other.load_weights(path)
    assert weight(other) == -1
    with pytest.warns(KeraFlowWarning, match=text):
        said(ModelCheckpoint(path, overwrite=True, monitor='loss', save_best_only=True), [1., float('-inf')], counting())
    other.load_weights(path)
    assert weight(other) == -1

    class Breaks(Callback):
        def on_epoch_end(self, epoch, logs):
            if epoch == 1:
                self.model.set_weights({'y/W': np.full((1, 1), np.nan), 'y/b': np.zeros(1)})

    with pytest.warns(KeraFlowWarning, match=text):
        fit(counting(), Breaks(), ModelCheckpoint(path, overwrite=True), nb_epoch=2)
    other.load_weights(path)
    assert weight(other) == -1
    assert os.listdir(tmp_path) == ['w.safetensors']


# -- ModelCheckpoint ----------------------------------------------------------------------------------------------------

def test_a_file_for_each_epoch_named_by_number_and_loss(tmp_path):
    fit(counting(), ModelCheckpoint(tmp_path / 'w{epoch:02d}{loss:+.1f}.safetensors', arch=tmp_path / 'm.json'), nb_epoch=3)
    assert sorted(os.listdir(tmp_path)) == ['m.json', 'w01+0.0.safetensors', 'w02-2.0.safetensors', 'w03-4.0.safetensors']
    loaded = Model.load_from_file(tmp_path / 'm.json', tmp_path / 'w02-2.0.safetensors')
    assert weight(loaded) == -2


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


def test_what_cannot_be_saved_is_told_before_the_first_epoch(tmp_path):
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


# -- errors in hooks ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('hook, steps', [('check_names', 0), ('on_train_begin', 0), ('on_epoch_begin', 0), ('on_batch_begin', 0),
                                         ('on_batch_end', 1), ('on_epoch_end', 1), ('on_train_end', 5)])
def test_an_error_in_a_hook_reaches_the_caller_with_the_weights_of_the_last_complete_batch(hook, steps, monkeypatch):
    model, error = counting(), RuntimeError('mine')

    def fails(self, *args):
        raise error

    after = []

    class Watch(Callback):
        def on_train_end(self, logs):
            after.append(logs)

    with pytest.raises(RuntimeError) as caught:
        fit(model, Watch(), type('Fails', (Callback,), {hook: fails})())
    assert caught.value is error and caught.traceback[-1].name == 'fails'
    assert weight(model) == -steps
    assert len(after) == (hook == 'on_train_end')
    assert len(fit(model)) == 5 and weight(model) == -steps - 5
