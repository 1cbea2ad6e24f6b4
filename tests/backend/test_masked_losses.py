"""Losses and metrics of outputs that have a mask: a padded sequence counts as the shorter one."""
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score, roc_auc_score, top_k_accuracy_score

from keraflow import backend as B
from keraflow.errors import KeraFlowWarning
from keraflow.layers import GRU, LSTM, Activation, Dense, Input, TimeDistributed
from keraflow.metrics import Metric, Precision, TopKAccuracy, ratio
from keraflow.models import Model
from keraflow.optimizers import SGD

DRAW = np.random.default_rng(31)
#: In front, at the end, inside, and nowhere.
MASK = np.array([[0, 0, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]], bool)
WEIGHTS = np.array([1., 0., 2., 3.])
#: Predictions, none of them 0; masked steps are.
CHANCE = np.where(MASK, (DRAW.integers(0, 20, MASK.shape) + 0.5) / 20, 0.)[..., None]
LABEL = (DRAW.uniform(size=CHANCE.shape) < np.where(MASK[..., None], CHANCE, 0.5)).astype('float64')
STEPS = MASK.sum(1)


def passing(nb_value, loss, metrics=None, time=None):
    """A model whose outputs are its inputs, with their mask."""
    x = Input((time, nb_value), mask_value=0.)
    model = Model(x, Activation('linear')(x))
    model.compile('sgd', loss, metrics=metrics)
    return model


@pytest.mark.parametrize('weights', [None, WEIGHTS], ids=['unweighted', 'weighted'])
@pytest.mark.parametrize('time', [None, 5])
def test_of_two_classes(weights, time):
    model = passing(1, 'mse', ['precision', 'recall', 'auc', 'accuracy'], time)
    found = model.evaluate(CHANCE, LABEL, sample_weights=weights, batch_size=3)
    squares = np.sum((CHANCE - LABEL)[..., 0] ** 2 * MASK, 1) / STEPS
    counted = np.ones(4) if weights is None else weights
    assert found['loss'] == pytest.approx(np.sum(squares * counted) / np.count_nonzero(counted), rel=1e-6)
    label, chance = LABEL[MASK].ravel(), CHANCE[MASK].ravel()
    each = np.repeat(counted, STEPS)
    assert found['precision'] == pytest.approx(precision_score(label, chance > 0.5, sample_weight=each), rel=1e-6)
    assert found['recall'] == pytest.approx(recall_score(label, chance > 0.5, sample_weight=each), rel=1e-6)
    assert found['auc'] == pytest.approx(roc_auc_score(label, chance, sample_weight=each), rel=1e-6)
    assert found['accuracy'] == pytest.approx(accuracy_score(label, chance > 0.5, sample_weight=each), rel=1e-6)


def test_of_several_classes():
    scores = np.where(MASK[..., None], DRAW.uniform(0.1, 1., (*MASK.shape, 4)), 0.)
    numbers = DRAW.integers(0, 4, MASK.shape)
    chances = scores / np.maximum(scores.sum(-1, keepdims=True), 1e-3)
    found = passing(4, 'sparse_categorical_crossentropy', [TopKAccuracy(2), 'accuracy']).evaluate(chances, numbers, batch_size=3)
    likelihood = np.log(np.maximum(np.take_along_axis(chances, numbers[..., None], -1)[..., 0], 1e-7))
    assert found['loss'] == pytest.approx(-np.mean(np.sum(likelihood * MASK, 1) / STEPS), rel=1e-5)
    assert found['top_k_accuracy'] == pytest.approx(top_k_accuracy_score(numbers[MASK], chances[MASK], k=2, labels=range(4)), rel=1e-6)
    assert found['accuracy'] == pytest.approx(np.mean((chances.argmax(-1) == numbers)[MASK]), rel=1e-6)


def test_trained_on_a_padded_sequence_is_trained_on_the_shorter_one():
    weights, trained = None, []
    x, y = DRAW.normal(size=(2, 3, 2)), DRAW.normal(size=(2, 3, 1))
    for pad in (0, 2):
        sequence = Input((None, 2), mask_value=0.)
        model = Model(sequence, TimeDistributed(Dense(1))(GRU(3, return_sequences=True)(sequence)))
        weights = weights or list(model.get_weights().values())
        model.set_weights(weights)
        model.compile(SGD(lr=0.5), 'mse', metrics=['mae'])
        around = [(0, 0), (pad, 0), (0, 0)]
        history = model.fit(np.pad(x, around), np.pad(y, around, constant_values=7.), nb_epoch=2, verbose=0)
        trained.append((history.column('loss') + history.column('mae'), model.get_weights()))
    np.testing.assert_allclose(trained[1][0], trained[0][0], rtol=1e-5)
    for one, other, start in zip(trained[0][1].values(), trained[1][1].values(), weights):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-6)
        assert np.max(np.abs(one - start)) > 1e-3


def test_a_sequence_without_a_step_adds_nothing():
    sequence = Input((3, 2), mask_value=0.)
    model = Model(sequence, TimeDistributed(Dense(1, init='one'))(sequence))
    model.compile(SGD(lr=0.1), 'mse', metrics=['precision'])
    x, y = np.zeros((2, 3, 2)), np.ones((2, 3, 1))
    with pytest.warns(KeraFlowWarning, match='precision: it is undefined, and NaN: there is no positive prediction.'):
        assert model.evaluate(x, y) == pytest.approx({'loss': 0., 'precision': np.nan}, nan_ok=True)
    x[1, 0] = 1.
    before = list(model.get_weights().values())
    [logs] = model.fit(x, y, nb_epoch=1, verbose=0)
    assert logs['loss'] == pytest.approx(1.)        # (1 + 1 - 1) ** 2 of the one sample that has a step
    for start, value in zip(before, model.get_weights().values()):
        np.testing.assert_allclose(value, start - 0.2, rtol=1e-6)     # the gradient of a square of 1


def test_activity_of_masked_steps_does_not_count():
    sequence = Input((4, 2), mask_value=0.)
    model = Model(sequence, LSTM(3, return_sequences=True, activity_regularizer='l2', name='lstm')(sequence))
    model.compile(SGD(lr=1e-30), 'mse', report_terms=True)
    x = np.random.default_rng(8).normal(size=(5, 4, 2))
    lengths = [4, 2, 1, 0, 3]
    for sample, length in zip(x, lengths):
        sample[length:] = 0.
    outputs = model.predict(x)
    expected = 0.01 * sum(np.sum(one[:length] ** 2) for one, length in zip(outputs, lengths)) / 5
    assert np.any(outputs[2, 1:])
    [logs] = model.fit(x, np.zeros((5, 4, 3)), nb_epoch=1, batch_size=5, verbose=0)
    np.testing.assert_allclose(logs['lstm/activity'], expected, rtol=1e-5)


class SureSamples(Metric):
    """Share of the samples that end above a half: one value for a sample."""

    default_name = 'sure'

    def totals(self, y_pred, y_true, weights):
        sure = B.greater(y_pred[:, -1, 0], 0.5)
        return ratio(sure, B.ones_like(sure), weights)


def test_where_no_time_axis_is_left():
    x = np.array([[[0.2], [0.9]], [[0.8], [0.]], [[0.], [0.]]])
    model = passing(1, lambda y_pred, y_true: B.sum(y_pred, [1, 2]), [SureSamples()], 2)
    with pytest.warns(KeraFlowWarning, match='Keep the axes of the mask; the model takes the mean of what counts.'):
        found = model.evaluate(x, x)
    assert found == {'loss': pytest.approx(1.9 / 2), 'sure': pytest.approx(1 / 2)}      # the third has no step that counts
    ids = Input(3, mask_value=0.)
    model = Model(ids, Activation('linear')(ids))
    model.compile('sgd', 'categorical_crossentropy', metrics=[TopKAccuracy(1), Precision()])
    found = model.evaluate(np.array([[0., 0.2, 0.8]]), np.array([[0., 0., 1.]]))
    assert found == {'loss': pytest.approx(-np.log(0.8), rel=1e-5), 'top_k_accuracy': 1., 'precision': 1.}
