"""Metrics against scikit-learn, weighted and over several batches; targets that are numbers of classes."""
import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score, roc_auc_score, top_k_accuracy_score

from keraflow import backend as B
from keraflow import objectives
from keraflow.callbacks import Callback
from keraflow.errors import ArgumentError, DataError, KeraFlowWarning, ShapeError
from keraflow.layers import Activation, Dense, Input, Lambda, TimeDistributed
from keraflow.metrics import AUC, Average, Metric, Precision, Recall, TopKAccuracy, ratio
from keraflow.models import Model
from keraflow.optimizers import SGD

NB_SAMPLE, NB_CLASS = 50, 6
DRAW = np.random.default_rng(21)
#: Predictions in the middles of 20 bins, so that many are equal, and targets that agree with them more often than not.
CHANCE = (DRAW.integers(0, 20, (NB_SAMPLE, 1)) + 0.5) / 20
LABEL = (DRAW.uniform(size=(NB_SAMPLE, 1)) < CHANCE).astype('float64')
SCORES = DRAW.uniform(size=(NB_SAMPLE, NB_CLASS))
NUMBERS = np.where(DRAW.uniform(size=NB_SAMPLE) < 0.4, SCORES.argmax(1), DRAW.integers(0, NB_CLASS, NB_SAMPLE))
WEIGHTS = DRAW.integers(0, 4, NB_SAMPLE).astype('float64')


def passing(nb_value, loss, metrics):
    """A model whose outputs are its inputs, and stay so in training."""
    x = Input(nb_value)
    model = Model(x, Dense(nb_value, initial_weights=[np.eye(nb_value), np.zeros(nb_value)], name='y')(x))
    model.compile(SGD(lr=1e-12), loss, metrics=metrics)
    return model


def expected_of_two_classes(weights):
    label, chance = LABEL.ravel(), CHANCE.ravel()
    return {'precision': precision_score(label, chance > 0.5, sample_weight=weights),
            'recall': recall_score(label, chance > 0.5, sample_weight=weights),
            'sure': precision_score(label, chance > 0.6, sample_weight=weights),
            'found': recall_score(label, chance > 0.2, sample_weight=weights),
            'auc': roc_auc_score(label, chance, sample_weight=weights)}


@pytest.mark.parametrize('weights', [None, WEIGHTS], ids=['unweighted', 'weighted'])
def test_two_classes_over_batches(weights):
    model = passing(1, 'mse', ['precision', 'recall', Precision(0.6, name='sure'), Recall(0.2, name='found'), AUC(20)])
    expected = expected_of_two_classes(weights)
    assert len(set(expected.values())) == 5 and all(0.3 < value < 1 for value in expected.values())
    for batch_size in (7, NB_SAMPLE):
        found = model.evaluate(CHANCE, LABEL, sample_weights=weights, batch_size=batch_size)
        assert list(found) == ['loss', *expected]
        for name, value in expected.items():
            assert type(found[name]) is float and found[name] == pytest.approx(value, rel=1e-6), name
    validation = (CHANCE, LABEL) if weights is None else (CHANCE, LABEL, weights)
    [logs] = model.fit(CHANCE, LABEL, sample_weights=weights, batch_size=7, nb_epoch=1, verbose=0,
                       validation_data=validation)
    for name, value in expected.items():
        assert logs[name] == logs[f'val_{name}'] == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize('weights', [None, WEIGHTS], ids=['unweighted', 'weighted'])
@pytest.mark.parametrize('loss, target', [('mse', np.eye(NB_CLASS)[NUMBERS]),
                                          ('sparse_categorical_crossentropy', NUMBERS)], ids=['one-hot', 'numbers'])
def test_the_right_class_among_the_first(loss, target, weights):
    model = passing(NB_CLASS, loss, ['top_k_accuracy', TopKAccuracy(1, name='top_1'), TopKAccuracy(2, name='top_2'), 'acc'])
    found = model.evaluate(SCORES, target, sample_weights=weights, batch_size=9)
    for name, k in (('top_k_accuracy', 5), ('top_1', 1), ('top_2', 2)):
        expected = top_k_accuracy_score(NUMBERS, SCORES, k=k, sample_weight=weights, labels=range(NB_CLASS))
        assert found[name] == pytest.approx(expected, rel=1e-6), name
    assert found['acc'] == pytest.approx(accuracy_score(NUMBERS, SCORES.argmax(1), sample_weight=weights), rel=1e-6)
    assert found['acc'] == pytest.approx(found['top_1'], rel=1e-6)


def test_the_area_is_as_near_as_the_bins_are_fine():
    chance = np.random.default_rng(3).uniform(size=(400, 1))
    label = np.random.default_rng(4).uniform(size=(400, 1)) < chance
    model = passing(1, 'mse', [AUC(10, name='coarse'), AUC()])
    found, exact = model.evaluate(chance, label), roc_auc_score(label, chance)
    assert 1e-4 < abs(found['coarse'] - exact) < 0.05 and abs(found['auc'] - exact) < 5e-4


def test_the_area_of_predictions_on_the_edges():
    found = passing(1, 'mse', [AUC(4)]).evaluate([[0.], [1.], [0.], [1.], [0.25]], [[0], [1], [0], [0], [1]])
    assert found['auc'] == pytest.approx(roc_auc_score([0, 1, 0, 0, 1], [0., 1., 0., 1., 0.25]), rel=1e-6)


def undefined(act, nan):
    """What `act` returns, where these metrics are NaN and no others, and what is told of them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        found = act()
    assert {name for name, value in found.items() if np.isnan(value)} == set(nan)
    assert all(issubclass(one.category, KeraFlowWarning) for one in caught)
    return [str(one.message) for one in caught]


class OfSums(Metric):
    """One of the program's own."""

    default_name = 'own'
    nb_total = 3

    def totals(self, y_pred, y_true, weights):
        return B.concatenate([ratio(y_pred * y_true, y_true, weights), B.zeros((1,))], 0)

    def missing(self, counts):
        return 'target but 0'


@pytest.mark.parametrize('x, y, weights, nan', [
    ([0.1, 0.2], [0, 0], None, {'precision': 'positive prediction', 'recall': 'positive sample', 'auc': 'positive sample',
                                'own': 'target but 0'}),
    ([0.1, 0.9], [1, 1], None, {'auc': 'negative sample'}),
    ([0.8, 0.9], [1, 0], [1, 0], {'auc': 'negative sample'}),
    ([0.8, 0.3], [1, 0], [0, 2], {'precision': 'positive prediction', 'recall': 'positive sample', 'auc': 'positive sample',
                                  'own': 'target but 0'}),
    ([0.3, 0.2], [1, 0], None, {'precision': 'positive prediction'}),
    ([0.9, 0.2], [1, 0], [0, 0], {'acc': 'sample that counts', 'precision': 'positive prediction', 'recall': 'positive sample',
                                  'auc': 'sample that counts', 'own': 'target but 0', 'top': 'sample that counts'})])
def test_nothing_to_divide_by(x, y, weights, nan):
    model = passing(1, 'mse', ['acc', 'precision', 'recall', 'auc', OfSums(), TopKAccuracy(1, name='top'), 'mae'])
    name = model.name
    told = [f'{name}: {metric}: it is undefined, and NaN: there is no {missing}.' for metric, missing in nan.items()]
    x, y = np.array(x)[:, None], np.array(y)[:, None]
    batch = (x, y) if weights is None else (x, y, np.array(weights))
    assert undefined(lambda: model.evaluate(lambda: iter([batch])), nan) == told
    assert undefined(lambda: model.evaluate(lambda: iter([batch])), nan) == []      # it is known by now
    model.compile(SGD(lr=1e-12), 'mse', metrics=[one.metric for one in model._functions.metrics])
    history = {}
    assert undefined(lambda: history.update(model.fit(lambda: iter([batch]), nb_epoch=2, verbose=0, validation_data=lambda: iter([batch]))[1])
                     or history, [*nan, *(f'val_{one}' for one in nan)]) == told


def test_batches_without_a_class_are_told_of_in_the_logs_of_batches_alone():
    seen = []

    class Noting(Callback):
        def on_batch_end(self, batch, logs):
            seen.append((logs['auc'], logs['recall']))
    model = passing(1, 'mse', ['auc', 'recall'])
    [logs] = model.fit(np.array([[0.2], [0.8]]), np.array([[0], [1]]), batch_size=1, nb_epoch=1, shuffle=False, verbose=0,
                       callbacks=[Noting()])
    assert np.isnan(seen[0]).all() and np.isnan(seen[1][0]) and seen[1][1] == 1 and (logs['auc'], logs['recall']) == (1., 1.)


def test_predictions_that_are_nan_are_told_of_by_the_loss_alone():
    x = Input(1)
    model = Model(x, Lambda(lambda h: h * np.nan)(x))
    model.compile('sgd', 'mse', metrics=['mae'])
    assert undefined(lambda: model.evaluate(np.ones((2, 1)), np.ones((2, 1))), ['loss', 'mae']) == []


def test_each_value_of_an_output_is_a_prediction():
    chance, label = CHANCE.reshape(-1, 5), LABEL.reshape(-1, 5)
    weights = WEIGHTS[:10]
    found = passing(5, 'mse', ['precision', AUC(20)]).evaluate(chance, label, sample_weights=weights)
    spread = np.repeat(weights, 5)
    assert found['precision'] == pytest.approx(
        precision_score(label.ravel(), chance.ravel() > 0.5, sample_weight=spread), rel=1e-6)
    assert found['auc'] == pytest.approx(roc_auc_score(label.ravel(), chance.ravel(), sample_weight=spread), rel=1e-6)


def test_more_batches_than_wait_to_be_read():
    model = passing(1, 'mse', ['recall', AUC(20)])
    repeated = np.tile(CHANCE, (3, 1)), np.tile(LABEL, (3, 1))
    found = model.evaluate(*repeated, batch_size=1)
    assert found['auc'] == pytest.approx(roc_auc_score(LABEL, CHANCE), rel=1e-6)
    assert found['loss'] == pytest.approx(np.mean((LABEL - CHANCE) ** 2), rel=1e-6)


def test_names_of_metrics():
    x = Input(2)
    model = Model(x, [Dense(1, name='p')(x), Dense(1, name='q')(x)])
    model.compile('sgd', ['mse', 'mse'], metrics={'p': ['recall', Average('mae', name='error')], 'q': 'recall'})
    assert list(model.evaluate(np.ones((3, 2)), [np.ones((3, 1))] * 2)) == ['loss', 'recall(p)', 'error(p)', 'recall(q)']


@pytest.mark.parametrize('metrics, name', [
    (['auc', AUC(10)], 'auc'), ([objectives.hinge, 'hinge'], 'hinge'), ([Average('mae', name='loss')], 'loss')])
def test_two_metrics_of_one_name(metrics, name):
    with pytest.raises(ArgumentError) as caught:
        passing(1, 'mse', metrics)
    assert str(caught.value).split(': ', 1)[1] == (
        f"metrics: expected different names, received '{name}' for two. "
        'Write for example Average(objective, name=...) or AUC(name=...).')


# -- targets that are numbers of classes ----------------------------------------------------------------------------------

def classifier(*shape):
    x = Input(shape, name='x')
    dense = Dense(3, activation='softmax', name='y' if len(shape) == 1 else 'inner')
    model = Model(x, (dense if len(shape) == 1 else TimeDistributed(dense, name='y'))(x), name='m')
    model.compile('sgd', 'sparse_categorical_crossentropy', metrics=['acc', 'sparse_categorical_accuracy'])
    return model


@pytest.mark.parametrize('shape, target', [
    ((4,), [0, 2, 1, 1, 0]), ((4,), [[0.], [2.], [1.], [1.], [0.]]), ((2, 4), [[0, 2], [2, 1], [1, 1], [1, 0], [0, 2]]),
    ((2, 4), [[[0], [2]], [[2], [1]], [[1], [1]], [[1], [0]], [[0], [2]]]), ((None, 4), [[0, 2], [2, 1], [1, 1], [1, 0], [0, 2]])])
def test_numbers_of_classes(shape, target):
    model = classifier(*shape)
    inputs = np.random.default_rng(5).normal(size=(5, 4) if len(shape) == 1 else (5, 2, 4))
    weights = np.array([1., 0., 2., 3., 0.5])
    probabilities = model.predict(inputs)
    numbers = np.array(target, int).reshape(probabilities.shape[:-1])
    losses = -np.log(np.take_along_axis(probabilities, numbers[..., None], -1)).reshape(5, -1).mean(1)
    found = model.evaluate(inputs, target, sample_weights=weights, batch_size=2)
    assert found['loss'] == pytest.approx(np.sum(losses * weights) / 4, rel=1e-5)
    right = np.mean(np.reshape(probabilities.argmax(-1) == numbers, (5, -1)), 1)
    assert found['acc'] == found['sparse_categorical_accuracy'] == pytest.approx(np.average(right, weights=weights), rel=1e-6)
    # The same as training on the same targets as vectors.
    other = Model(model.inputs, model.outputs)
    other.compile('sgd', 'categorical_crossentropy')
    before = model.get_weights()
    trained = model.fit(inputs, target, batch_size=2, nb_epoch=2, shuffle=False, verbose=0)
    after = list(model.get_weights().values())
    model.set_weights(list(before.values()))
    expected = other.fit(inputs, np.eye(3)[numbers], batch_size=2, nb_epoch=2, shuffle=False, verbose=0)
    for one, wanted in zip(after, other.get_weights().values()):
        np.testing.assert_allclose(one, wanted, rtol=1e-6)
    assert [logs['loss'] for logs in trained] == pytest.approx([logs['loss'] for logs in expected], rel=1e-6)


@pytest.mark.parametrize('target, text', [
    ([0, 3, 1], 'm: evaluate: y: expected class indices from 0 to 2, received 3 in sample 1. '
                'The output needs a unit for each class.'),
    ([0, 1, -1], 'm: evaluate: y: expected class indices from 0 to 2, received -1 in sample 2. '
                 'Pass ignore_label=-1 to compile if it marks samples to ignore.'),
    ([0, 1, 2 ** 32], 'm: evaluate: y: expected class indices from 0 to 2, received 4294967296 in sample 2. '
                      'The output needs a unit for each class.'),
    (np.eye(3), 'm: evaluate: y: expected an array of shape (None, 1), received (3, 3). '
                "Write .argmax(axis=-1) for class indices, or use the loss 'categorical_crossentropy'."),
])
def test_numbers_that_are_refused(target, text):
    with pytest.raises(DataError) as caught:
        classifier(4).evaluate(np.ones((3, 4)), target)
    assert str(caught.value) == text


def test_a_metric_that_wants_another_target_than_the_loss():
    x = Input(3)
    model = Model(x, Activation('softmax')(x), name='m')
    for metric in ('mse', 'precision', 'categorical_accuracy'):
        model.compile('sgd', 'sparse_categorical_crossentropy', metrics=[metric])
        with pytest.raises(ShapeError) as caught:
            model.evaluate(np.ones((2, 3)), [0, 1])
        assert str(caught.value) == (
            'y_true: expected a target of the shape of the prediction, (None, 3), received (None, 1). For numbers of '
            "classes there are 'sparse_categorical_crossentropy' and 'sparse_categorical_accuracy'.")
