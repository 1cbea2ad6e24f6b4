"""Callbacks that watch whether a number gets better: names, directions, patience."""
import functools
import os
import warnings

import numpy as np
import pytest
from counting import X, Y, compile_with, counting, fit, lost, said, says, told, weight

from keraflow import backend as B
from keraflow import objectives
from keraflow.callbacks import Callback, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from keraflow.errors import ArgumentError, KeraFlowWarning
from keraflow.layers import Dense, Input
from keraflow.metrics import Average, Metric, Precision, TopKAccuracy, ratio
from keraflow.models import Model
from keraflow.optimizers import SGD

# -- the name to monitor ------------------------------------------------------------------------------------------------

MISTAKES = [
    (lambda: EarlyStopping('los'), {}, "m: EarlyStopping: monitor: expected one of loss, received 'los'. Did you mean 'loss'?"),
    (lambda: EarlyStopping(), {}, "m: EarlyStopping: monitor: there is no 'val_loss' without validation. Pass validation_data or "
     'validation_split to fit.'),
    (lambda: ReduceLROnPlateau('val_los'), {'validation_split': 0.5},
     "m: ReduceLROnPlateau: monitor: expected one of loss, val_loss, received 'val_los'. Did you mean 'val_loss'?"),
    (lambda: ModelCheckpoint('w.safetensors', save_best_only=True, monitor='acc'), {},
     "m: ModelCheckpoint: monitor: expected one of loss, received 'acc'. Choose one of loss."),
    (lambda: ModelCheckpoint('w-{val_loss}.safetensors'), {}, "m: ModelCheckpoint: weights: there is no 'val_loss' without "
     'validation. Pass validation_data or validation_split to fit.'),
    *[(lambda path=path: ModelCheckpoint(f'w-{path}.safetensors'), {},
       f'm: ModelCheckpoint: weights: expected {{epoch}} or {{loss}}, alone or with a format as in {{epoch:02d}}, received {field}. {advice}')
      for path, field, advice in [
          ('{epoch}-{lss:.2f}', '{lss}', "Did you mean 'loss'?"), ('{epoch[0]}', '{epoch[0]}', "Did you mean 'epoch'?"),
          ('{epoch.__class__.__init__}', '{epoch.__class__.__init__}', 'Choose one of epoch, loss.'),
          ('{0}', '{0}', 'Choose one of epoch, loss.'), ('{epoch!r}', '{epoch!r}', "Did you mean 'epoch'?")]],
    *[(lambda path=path: ModelCheckpoint(arch=path), {}, 'm: ModelCheckpoint: arch: expected {epoch} or {loss}, received a single '
       f"brace in '{path}'. Write a brace that is part of the path twice.") for path in ('{epoch:{loss.real}}.json', '{epoch.json')],
    (lambda: ModelCheckpoint('{epoch:z}.safetensors'), {},
     'm: ModelCheckpoint: weights: expected a format of integers, such as {epoch:04d}, received {epoch:z}.'),
]


@pytest.mark.parametrize('make, arguments, text', MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_a_name_that_fit_does_not_report_is_reported_before_the_first_epoch(make, arguments, text, tmp_path, monkeypatch):
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
    ({'min_delta': 0.5}, [3, 2, 1.6, 0], 3, 1), ({'mode': 'max'}, [1, 2, 3, 2, 9], 4, 2),
    ({'baseline': 1.5, 'patience': 1}, [3, 2, 1], 2, 1), ({'baseline': 2.5, 'patience': 1}, [3, 2, 1], 3, 2)])
def test_early_stopping_stops_after_as_many_epochs_that_are_no_better(arguments, values, nb_epoch, best):
    stopping = EarlyStopping('loss', **arguments)
    assert len(said(stopping, values)) == nb_epoch
    assert stopping.best_epoch == best
    assert stopping.stopped_epoch == (nb_epoch - 1 if nb_epoch < len(values) else None)


def test_auto_is_up_for_accuracies_and_down_for_the_rest():
    model = counting()
    model.compile(SGD(lr=1.), 'mse', metrics=['acc', 'mae'])
    for name, values, nb_epoch in (('acc', [1, 2, 3, 2], 4), ('acc', [3, 2, 1, 0], 2), ('mae', [1, 2, 3, 2], 2), ('mae', [3, 2, 1, 0], 4)):
        history = fit(says(model, name, values), EarlyStopping(name), nb_epoch=4)
        assert len(history) == nb_epoch


def test_an_epoch_without_a_class_is_no_better_than_any(tmp_path):
    x = Input(1)
    model = Model(x, Dense(1, init='one')(x))
    model.compile(SGD(lr=1e-30), 'mse', metrics=['auc'])
    path, kept = tmp_path / 'best.safetensors', []
    one_class, wrong, right = [1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]
    given = iter([one_class, wrong, one_class, right, one_class, one_class])

    class Keep(Callback):
        def on_epoch_end(self, epoch, logs):
            kept.append(path.exists())
    stopping, rate = EarlyStopping('val_auc', patience=1), ReduceLROnPlateau('val_auc', patience=3)
    saving = ModelCheckpoint(path, monitor='val_auc', save_best_only=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        history = model.fit(np.arange(4.)[:, None], np.array(right)[:, None], nb_epoch=9, verbose=0, callbacks=[stopping, saving, Keep(), rate], validation_data=lambda: iter(
            [(np.arange(4.)[:, None], np.array(next(given))[:, None])]))
    assert [str(one.message) for one in told] == [
        f'{model.name}: auc: it is undefined, and NaN: there is no negative sample.',
        *(f'{model.name}: ModelCheckpoint: epoch {number} is not saved: there are values that are NaN or infinite.' for number in (1, 3, 5, 6))]
    np.testing.assert_array_equal(history.column('val_auc'), [np.nan, 0., np.nan, 1., np.nan, np.nan])
    assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch) == (1., 3, 5) and saving.best == 1. and kept[:2] == [False, True]


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

        fit(says(model, 'loss', [3, 1, 2, 2]), EarlyStopping('loss', patience=9, restore_best_weights=True), Ends(), nb_epoch=4)
        assert weight(model) == -2


def test_early_stopping_begins_anew_with_each_fit():
    stopping = EarlyStopping('loss')
    assert len(said(stopping, [1, 2, 3])) == 2
    assert len(said(stopping, [9, 8, 9])) == 3


def test_the_best_weights_are_restored_also_if_none_reaches_the_baseline():
    for values, nb_epoch, best in (([3, 1, 2, 2, 2], 4, 1), ([3, 2, 1, 0.5, 0.25], 4, 3), ([float('nan'), 1, 2, 3, 4], 4, 1)):
        model, stopping = counting(), EarlyStopping('told', mode='min', patience=3, baseline=0.1, restore_best_weights=True)
        compile_with(model, Average(lambda y_pred, y_true: y_pred, name='told'))
        assert len(said(stopping, values, model, 'told')) == nb_epoch
        assert stopping.best_epoch == best and stopping.best == values[best]
        assert weight(model) == -1. - best
    model, stopping = counting(), EarlyStopping('loss', mode='max', patience=1, baseline=2., restore_best_weights=True)
    assert len(said(stopping, [1, 3, 2, 2], model)) == 4 and (stopping.best, stopping.best_epoch, weight(model)) == (3, 1, -2)


def test_nothing_is_restored_where_nothing_was_good():
    model, stopping = counting(), EarlyStopping('loss', patience=1, restore_best_weights=True)
    with pytest.warns(KeraFlowWarning):
        assert len(said(stopping, [float('nan'), float('inf'), 1], model)) == 2
    assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch, weight(model)) == (None, None, 1, -2)


def test_a_nan_is_no_better_and_told_once():
    stopping = EarlyStopping('loss', patience=1)
    with pytest.warns(KeraFlowWarning) as caught:
        assert len(said(stopping, [3, float('nan'), 1, float('inf'), float('nan'), 0])) == 5
    assert told(caught) == [lost('nan')] and stopping.best_epoch == 2


# -- which way is better ------------------------------------------------------------------------------------------------

class Worse(Metric):
    """A metric of the program whose name says something else."""

    default_name = 'accuracy_of_auc'
    larger_is_better = False

    def totals(self, y_pred, y_true, weights):
        return ratio(y_pred, B.ones_like(y_pred), weights)


class Unknown(Worse):
    default_name = 'acc'
    larger_is_better = None


def recall_error(y_pred, y_true):
    return B.abs(y_pred - y_true)


def vacc(y_pred, y_true):
    return y_pred


vacc.larger_is_better = True
UP = [TopKAccuracy(3, name='top_3'), TopKAccuracy(2), 'acc', 'auc', Precision(name='p'), 'recall', Average('accuracy', name='loss_of_sense'),
      vacc, Average(functools.partial(vacc), name='wrapped'), Average(recall_error, name='err', larger_is_better=True)]
DOWN = ['mae', Average('mse', name='accident'), 'cosine_proximity', Average(functools.partial(objectives.huber, delta=2.), name='recalled'),
        Worse(), Average(recall_error, larger_is_better=False), Average('acc', name='misses', larger_is_better=False)]


@pytest.mark.parametrize('up, metrics', [(True, UP), (False, DOWN)], ids=['up', 'down'])
def test_a_metric_says_itself_which_way_is_better(up, metrics, tmp_path):
    model = compile_with(counting(), *metrics)
    names = model._functions.names[1:]
    assert len(names) == len(metrics)
    values = [2, 3, 3, 3] if up else [2, 1, 1, 1]       # in the other direction the first one is the best
    for name in names:
        stopping = EarlyStopping(name, patience=1)
        assert len(said(stopping, values, model, name)) == 4 and stopping.best_epoch == 1, name
        best = ModelCheckpoint(tmp_path / f'{name}.safetensors', monitor=name, save_best_only=True)
        said(best, values, model, name)
        assert best.best == values[1], name
        model.optimizer.lr = 1.
        said(ReduceLROnPlateau(name, factor=0.5, patience=2), values, model, name)
        assert model.optimizer.lr == 0.5, name
        assert model.larger_is_better(f'val_{name}') is up


def test_names_of_outputs_and_terms_do_not_matter():
    x = Input(1, name='x')
    model = Model(x, [Dense(1, name='acceleration', regularizers=['l2'])(x), Dense(2, name='place')(x)], name='m')
    model.compile('sgd', ['mse', 'mse'], metrics={'acceleration': 'mae', 'place': ['mse', TopKAccuracy(1)]}, report_terms=True)
    for name in ('loss', 'loss(acceleration)', 'L2(acceleration/W)', 'mae(acceleration)', 'square_error(place)', 'mse(place)'):
        assert model.larger_is_better(name) is model.larger_is_better(f'val_{name}') is False
    assert model.larger_is_better('top_k_accuracy(place)') is True
    stopping = EarlyStopping('val_mae(acceleration)', restore_best_weights=True)
    data = np.ones((4, 1)), [np.ones((4, 1)), np.ones((4, 2))]
    model.fit(*data, nb_epoch=3, verbose=0, callbacks=[stopping], validation_data=data)
    assert stopping.best_epoch == 2


@pytest.mark.parametrize('metric, name', [(recall_error, 'recall_error'), (Unknown(), 'acc'), (lambda y_pred, y_true: y_pred, '<lambda>'),
                                          (Average(recall_error, name='auc'), 'auc'), (Worse(name='f1'), None)])
def test_a_way_that_nobody_knows_is_reported_before_the_first_epoch(metric, name, tmp_path):
    model = compile_with(counting(), metric)
    for make in (EarlyStopping, ReduceLROnPlateau,
                 functools.partial(ModelCheckpoint, tmp_path / 'w.safetensors', save_best_only=True, overwrite=True)):
        for monitor in (name, f'val_{name}') if name else ():
            callback = make(monitor=monitor)
            with pytest.raises(ArgumentError) as caught:
                fit(model, callback, validation_data=(X, Y))
            assert str(caught.value) == (
                f"m: {type(callback).__name__}: mode: expected 'min' or 'max', because nothing says whether more of '{monitor}' is "
                "better, received 'auto'. Write mode='max' if it is, or let the metric say larger_is_better.")
            assert weight(model) == 0
            fit(model, make(monitor=monitor, mode='max'), nb_epoch=0, validation_data=(X, Y))
        fit(model, make(monitor='loss'), nb_epoch=0)
    fit(model, ModelCheckpoint(tmp_path / 'all.safetensors', monitor=name or 'f1'), nb_epoch=1)      # monitors nothing


def test_a_callback_without_a_model_guesses_nothing():
    with pytest.raises(ArgumentError) as caught:
        EarlyStopping('val_acc').is_better(2., 1.)
    assert str(caught.value).startswith("EarlyStopping: mode: expected 'min' or 'max', because nothing says whether more of 'val_acc'")
    assert EarlyStopping('val_acc', mode='max').is_better(2., 1.) and EarlyStopping('acc', mode='min').is_better(1., 2.)
