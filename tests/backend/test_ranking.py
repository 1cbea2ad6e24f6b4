"""Metrics of which prediction is before which: ties, NaN, infinity, masks; areas against counted pairs."""
import itertools

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentTypeError, DataError, KeraFlowWarning
from keraflow.layers import Activation, Convolution2D, Input, Lambda
from keraflow.metrics import AUC, Average, TopKAccuracy, auc_of
from keraflow.models import Model

DRAW = np.random.default_rng(8)


def passing(shape, metrics, loss='mse', of=lambda h: h, **kwargs):
    """A model that predicts a function of its inputs."""
    x = Input(shape, name='x', **kwargs)
    model = Model(x, Lambda(of, name='y')(x), name='m')
    model.compile('sgd', loss, metrics=metrics)
    return model


# -- the most likely classes --------------------------------------------------------------------------------------------

def chance_of_a_hit(values, right, k):
    """How often `right` is among the first `k`, over all orders in which a sort may leave equal values."""
    if np.isnan(values).any():
        return 0.
    orders = list(itertools.permutations(range(len(values))))
    found = [right in sorted(order, key=lambda number: -values[number])[:k] for order in orders]
    return np.mean(found)


VALUES = np.concatenate([
    DRAW.integers(0, 3, (40, 5)).astype(float), DRAW.normal(size=(5, 5)), np.full((2, 5), 0.2), np.full((2, 5), np.nan),
    [[-np.inf, 0, 0, -np.inf, -np.inf], [np.inf, np.inf, 0, 1, 2], [-np.inf] * 5, [np.nan, 1, 2, 3, 4], [4, 3, np.nan, 1, 1]]])
RIGHT = np.arange(len(VALUES)) % 5
K = (1, 2, 3, 5, 7)


@pytest.mark.parametrize('loss', ['mse', 'sparse_categorical_crossentropy'])
def test_a_tie_counts_as_its_share(loss):
    metrics = [*(TopKAccuracy(k, name=f'top_{k}') for k in K), 'acc']
    y = RIGHT if loss[0] == 's' else np.eye(5)[RIGHT]

    def odd(h):     # what no input may be
        return B.where(B.equal(h, 99.), np.inf, B.where(B.equal(h, -99.), -np.inf, B.where(B.equal(h, 98.), np.nan, h)))
    inputs = np.where(np.isnan(VALUES), 98., np.clip(VALUES, -99., 99.))
    found = passing(5, metrics, loss, odd).evaluate(inputs, y, batch_size=7)
    chances = {k: np.array([chance_of_a_hit(values, right, k) for values, right in zip(VALUES.astype('float32'), RIGHT)]) for k in K}
    assert 0.2 < np.mean(chances[1]) < 0.6 and not set(chances[1]) <= {0., 1.}
    for k in K:
        assert found[f'top_{k}'] == pytest.approx(np.mean(chances[k]), rel=1e-6), k
    assert found['acc'] == pytest.approx(np.mean(chances[1]), rel=1e-6)


def test_a_dead_and_a_diverged_network():
    y = np.eye(10)[np.arange(50) % 10]
    metrics = [TopKAccuracy(1, name='top_1'), TopKAccuracy(5, name='top_5'), 'categorical_accuracy']
    dead = passing(10, metrics, of=lambda h: B.softmax(h * 0.)).evaluate(np.ones((50, 10)), y)
    assert [dead[name] for name in ('top_1', 'top_5', 'categorical_accuracy')] == pytest.approx([0.1, 0.5, 0.1], rel=1e-6)
    diverged = passing(10, metrics, of=lambda h: h * np.nan).evaluate(np.ones((50, 10)), y)
    assert [diverged[name] for name in ('top_1', 'top_5', 'categorical_accuracy')] == [0., 0., 0.]
    binary = passing(1, ['acc', 'precision', 'recall', 'auc'], of=lambda h: h * np.nan)
    with pytest.warns(KeraFlowWarning, match='precision: it is undefined, and NaN: there is no positive prediction.'):
        found = binary.evaluate(np.ones((4, 1)), [[0], [1], [1], [0]])
    assert [found[name] for name in ('acc', 'recall', 'auc')] == [0., 0., 0.] and np.isnan(found['precision'])


def test_numbers_of_classes_of_steps_without_their_axis():
    values, right = VALUES[:40].reshape(8, 5, 5), RIGHT[:40].reshape(8, 5)
    found = passing((5, 5), ['sparse_categorical_accuracy', TopKAccuracy(2)], 'sparse_categorical_crossentropy').evaluate(values, right)
    for name, k in (('sparse_categorical_accuracy', 1), ('top_k_accuracy', 2)):
        expected = np.mean([chance_of_a_hit(one, number, k) for one, number in zip(VALUES[:40], RIGHT[:40])])
        assert found[name] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize('nb_col', [1, 2])
@pytest.mark.parametrize('loss', ['mse', 'sparse_categorical_crossentropy'])
def test_classes_where_the_channels_are(loss, nb_col):
    draw = np.random.default_rng(9)
    x = Input((2, 3, nb_col), name='x')
    model = Model(x, Convolution2D(4, 1, 1, activation='softmax', name='y')(x))
    model.compile('sgd', loss, metrics=['acc', TopKAccuracy(1, name='top_1'), TopKAccuracy(2, name='top_2')])
    images, right = draw.normal(size=(10, 2, 3, nb_col)), draw.integers(0, 4, (10, 3, nb_col))
    found = model.evaluate(images, right[..., None] if loss[0] == 's' else np.moveaxis(np.eye(4)[right], -1, 1), batch_size=4)
    order = np.argsort(-model.predict(images), axis=1)
    for name, k in (('acc', 1), ('top_1', 1), ('top_2', 2)):
        assert found[name] == pytest.approx(np.mean((order[:, :k] == right[:, None]).any(1)), rel=1e-6), name


# -- what does not count ------------------------------------------------------------------------------------------------

def test_a_sample_without_a_step_counts_nowhere():
    draw = np.random.default_rng(2)
    steps = draw.normal(size=(5, 4, 3)) + 1
    steps[1, 2:] = steps[3] = 0       # one is short, one is empty
    y = np.eye(3)[draw.integers(0, 3, (5, 4))]
    metrics = ['acc', 'mse', 'mae', TopKAccuracy(1), 'precision', Average(per_sequence, name='whole')]
    x = Input((4, 3), mask_value=0., name='x')
    model = Model(x, Activation('linear')(x))
    model.compile('sgd', 'mse', metrics=metrics)
    kept = [0, 1, 2, 4]
    with pytest.warns(KeraFlowWarning, match='^per_sequence: expected a value for each part of a sample'):
        some, alone = model.evaluate(steps, y, batch_size=2), model.evaluate(steps[kept], y[kept], batch_size=3)
    for name in ('acc', 'mse', 'mae', 'top_k_accuracy', 'precision', 'whole'):
        assert some[name] == pytest.approx(alone[name], rel=1e-6), name
    lengths = [4, 2, 4, 4]
    expected = np.mean([np.mean((steps[i, :n] - y[i, :n]) ** 2) for i, n in zip(kept, lengths)])
    assert some['mse'] == pytest.approx(expected, rel=1e-5)
    right = np.concatenate([steps[i, :n].argmax(-1) == y[i, :n].argmax(-1) for i, n in zip(kept, lengths)])
    assert some['acc'] == pytest.approx(np.mean(right), rel=1e-5)
    assert some['acc'] == pytest.approx(some['top_k_accuracy'], rel=1e-6)
    with pytest.warns(KeraFlowWarning) as caught:
        empty = model.evaluate(steps[3:4], y[3:4])
    assert empty.pop('loss') == 0 and np.isnan([*empty.values()]).all()
    assert [str(one.message) for one in caught if one.category is KeraFlowWarning] == [
        f'{model.name}: {name}: it is undefined, and NaN: there is no {"positive prediction" if name == "precision" else "sample that counts"}.'
        for name in empty]


def per_sequence(y_pred, y_true):
    """One value for each sequence, which is NaN for one of zeros."""
    total = B.sum(B.abs(y_pred), [1, 2])
    return total / total


# -- areas --------------------------------------------------------------------------------------------------------------

def by_pairs(y, p, weights=None):
    weights = np.ones(np.size(y)) if weights is None else np.asarray(weights, float)
    y, p = np.asarray(y).ravel() > 0.5, np.asarray(p, 'float64').ravel()
    won = total = 0.
    for i in np.flatnonzero(y):
        pair = weights[i] * weights[~y]
        won += np.sum(pair * ((p[i] > p[~y]) + 0.5 * (p[i] == p[~y])))
        total += pair.sum()
    return won / total


def scores(kind, y):
    draw = np.random.default_rng(5)
    logits = draw.normal(size=len(y)) * 2 + y * 3
    with np.errstate(over='ignore'):
        return {'probabilities': 1 / (1 + np.exp(-logits)), 'rare': np.where(y == 1, 1e-3, 6e-4) * draw.uniform(0.5, 1.5, len(y)),
                'rarer': np.exp(logits - 30.), 'certain': 1 - np.exp(-logits - 8.), 'logits': logits, 'large scores': logits * 300,
                'far below': logits * 5 - 60, 'tied': np.round(logits) / 10 + 0.05, 'wide': np.exp(logits * 3),
                'equal': np.zeros(len(y)) + 0.5}[kind].astype('float32')


KINDS = ('probabilities', 'rare', 'rarer', 'certain', 'logits', 'large scores', 'far below', 'tied', 'wide')


@pytest.mark.parametrize('weighted', [False, True])
def test_the_area_is_within_its_bound(weighted):
    y = (np.random.default_rng(4).uniform(size=500) < 0.2).astype(float)
    weights = np.random.default_rng(3).integers(0, 4, 500) / 2 if weighted else None
    area = AUC()
    model = passing(1, [area])
    for kind in KINDS:
        p = scores(kind, y)
        found = model.evaluate(p[:, None], y[:, None], sample_weights=weights, batch_size=64)['auc']
        exact = by_pairs(y, p, weights)
        assert exact == pytest.approx(auc_of(y, p, weights), rel=1e-12), kind
        assert abs(found - exact) <= area.error_bound + 1e-7, kind
        assert abs(found - exact) < 2e-3 and (kind == 'tied' or area.error_bound < 6e-3), (kind, found, exact, area.error_bound)
    assert found != exact


def test_equal_predictions_and_bins_that_are_too_wide_are_told():
    y = np.arange(6) % 2
    text = ('m: auc: it may be off by up to 0.50, because positive and negative samples share '
            'bins. keraflow.metrics.auc_of(y_true, y_pred) is exact.')
    for nb_bin, p in ((None, np.full(6, 0.5)), (None, 0.5 + y * 1e-6), (2, 0.6 + y * 0.1), (500, 1e-3 + y * 1e-4), (500, 2. + y)):
        model = passing(1, [AUC(nb_bin)])
        with pytest.warns(KeraFlowWarning) as caught:
            found = model.evaluate(p[:, None], y[:, None], batch_size=2)
            assert model.evaluate(p[:, None], y[:, None]) == pytest.approx(found)
        assert [str(one.message) for one in caught] == [text] and found['auc'] == 0.5
        assert model._functions.metrics[0].metric.error_bound == 0.5
        exact = auc_of(y, p)
        assert exact == (0.5 if p[0] == p[1] else 1.)


def test_no_pair_with_a_nan_is_won():
    p = np.array([0.9, np.nan, 0.2, 0.1, np.nan, 0.8])
    y = np.array([1, 1, 1, 0, 0, 0])
    expected = 3 / 9         # 0.9 is before 0.1 and 0.8, 0.2 before 0.1
    assert auc_of(y, p) == pytest.approx(expected)
    inputs = np.where(np.isnan(p), -1., p)[:, None]
    model = passing(1, ['auc'], of=lambda h: B.where(B.less(h, 0.), np.nan, h))
    assert model.evaluate(inputs, y[:, None])['auc'] == pytest.approx(expected, rel=1e-6)


def test_areas_of_steps_that_count():
    draw = np.random.default_rng(6)
    steps = draw.uniform(0.1, 0.9, size=(20, 6, 1))
    length = draw.integers(0, 7, 20)
    counted = np.arange(6) < length[:, None]
    steps[~counted] = -7.
    y = (draw.uniform(size=(20, 6, 1)) < np.abs(steps)).astype(float)
    x = Input((6, 1), mask_value=-7., name='x')
    model = Model(x, Activation('linear')(x))
    model.compile('sgd', 'mse', metrics=['auc'])
    assert model.evaluate(steps, y, batch_size=6)['auc'] == pytest.approx(by_pairs(y[counted], steps[counted]), abs=1e-3)


def test_an_area_from_arrays():
    draw = np.random.default_rng(7)
    y, p, weights = draw.integers(0, 2, (30, 4)), np.round(draw.uniform(size=(30, 4)), 1), draw.integers(0, 3, 30)
    assert auc_of(y, p) == pytest.approx(by_pairs(y, p), rel=1e-12)
    assert auc_of(y.tolist(), p.astype('float16'), weights) == pytest.approx(
        by_pairs(y, p.astype('float16'), np.repeat(weights, 4)), rel=1e-12)
    assert auc_of(y, np.where(y == 1, np.inf, -np.inf)) == 1. and auc_of(y, -y) == 0. and auc_of(y, y * 0.) == 0.5


@pytest.mark.parametrize('arguments, text', [
    (([0, 1], [0.1, 0.2, 0.3]), 'auc_of: expected a target for each prediction, received arrays of shape (2,) and (3,).'),
    (([0, 1], [0.1, 0.2], [1]), 'auc_of: sample_weights: expected a finite number of at least 0 for each value or each sample, received '
     'an array of shape (1,).'),
    (([0, 1], [0.1, 0.2], [1, -1]), 'auc_of: sample_weights: expected a finite number of at least 0 for each value or each sample, '
     'received an array of shape (2,).'),
    (([1, 1], [0.1, 0.2]), 'auc_of: expected positive and negative samples with a weight above 0, received 2 positive and 0 negative '
     'ones.'),
    (([0, 1, 1], [0.1, 0.2, 0.3], [0, 1, 1]), 'auc_of: expected positive and negative samples with a weight above 0, received 2 '
     'positive and 0 negative ones.')])
def test_arrays_without_an_area(arguments, text):
    with pytest.raises(DataError) as caught:
        auc_of(*arguments)
    assert str(caught.value) == text


def test_auc_of_refuses_what_is_no_number():
    for given, name, text in ((([0, 'a'], [0.1, 0.2]), 'y_true', "[0, 'a']"), (([0, 1], ['a', 'b']), 'y_pred', "['a', 'b']"),
                              (([0, 1], [0.1, 0.2], 'a'), 'sample_weights', "'a'")):
        with pytest.raises(ArgumentTypeError) as error:
            auc_of(*given)
        assert str(error.value) == f'auc_of: {name}: expected an array of numbers, received {text}.'
