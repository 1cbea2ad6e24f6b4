"""Objectives and metrics of the program: arguments called y_true and y_pred mean that, in whatever order they stand."""
import functools

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.layers import Activation, Input
from keraflow.metrics import Average, Metric, ratio
from keraflow.models import Model
from keraflow.objectives import Target, wants

P = np.array([[1., 2.], [3., 5.]])
T = np.array([[2., 0.], [7., 1.]])


def quantile(truth, prediction, share):
    error = truth - prediction
    return B.maximum(error * share, error * (share - 1.))


def expected(share=0.9):
    error = T - P
    return np.mean(np.maximum(error * share, error * (share - 1)))


def true_first(y_true, y_pred):
    return quantile(y_true, y_pred, 0.9)


def predicted_first(y_pred, y_true):
    return quantile(y_true, y_pred, 0.9)


def by_position(prediction, truth):
    return quantile(truth, prediction, 0.9)


def shared(share, y_true, y_pred):
    return quantile(y_true, y_pred, share)


def with_defaults(share=0.9, y_true=None, y_pred=None):
    return quantile(y_true, y_pred, share)


def by_name_alone(*, y_true, y_pred, share=0.9):
    return quantile(y_true, y_pred, share)


def positional_alone(y_true, y_pred, /, share=0.9):
    return quantile(y_true, y_pred, share)


def half_named(y_true, prediction):
    return quantile(y_true, prediction, 0.9)


def half_named_otherwise(target, y_pred):
    return quantile(target, y_pred, 0.9)


def any_arguments(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)
    return call


def handed_on(function):
    @functools.wraps(function)
    def call(a, b):
        return function(a, b)
    return call


def turned(function):
    @functools.wraps(function)
    def call(y_pred, y_true):
        return function(y_true, y_pred)
    return call


class Quantile:
    def __init__(self, share=0.9):
        self.share = share

    def __call__(self, y_true, y_pred):
        return quantile(y_true, y_pred, self.share)

    def loss(self, y_true, y_pred):
        return self(y_true, y_pred)

    @staticmethod
    def fixed(y_true, y_pred):
        return true_first(y_true, y_pred)

    @classmethod
    def of_class(cls, y_true, y_pred):
        return cls()(y_true, y_pred)


WAYS = {
    'y_true first': true_first, 'y_pred first': predicted_first, 'other names': by_position,
    'a lambda': lambda y_true, y_pred: true_first(y_true, y_pred),
    'partial by position': functools.partial(shared, 0.9), 'partial by name': functools.partial(shared, share=0.9),
    'partial of a partial': functools.partial(functools.partial(by_name_alone), share=0.9),
    'behind another argument': with_defaults, 'by name alone': by_name_alone, 'by position alone': positional_alone,
    'one name': half_named, 'the other name': half_named_otherwise,
    'wrapped': any_arguments(true_first), 'wrapped with other names': handed_on(true_first), 'turned': turned(true_first),
    'an object': Quantile(), 'a method': Quantile().loss, 'a static method': Quantile.fixed, 'a class method': Quantile.of_class,
    'with its target': wants(lambda shape: Target(shape, 'float32'))(lambda y_true, y_pred: true_first(y_true, y_pred))}


@pytest.mark.parametrize('way', WAYS)
def test_an_objective_gets_the_prediction_and_the_target(way):
    x = Input(2)
    model = Model(x, Activation('linear')(x))
    model.compile('sgd', WAYS[way], metrics=[Average(WAYS[way], name='again')])
    assert model.evaluate(P, T) == pytest.approx({'loss': expected(), 'again': expected()}, rel=1e-6)


class Missed(Metric):
    default_name = 'missed'

    def totals(self, y_true, y_pred, weights):
        return ratio(B.relu(y_true - y_pred), B.ones_like(y_pred), weights)


class MissedInOrder(Missed):
    default_name = 'missed_in_order'

    def totals(self, found, wanted, weights):
        return super().totals(wanted, found, weights)


def test_a_metric_of_the_program_gets_them_by_name_too():
    x = Input(2)
    model = Model(x, Activation('linear')(x))
    model.compile('sgd', 'mse', metrics=[Missed(), MissedInOrder()])
    found = model.evaluate(P, T, sample_weights=[1., 3.])
    right = np.sum(np.maximum(T - P, 0) * [[1], [3]]) / 8
    assert found['missed'] == pytest.approx(right, rel=1e-6) and found['missed_in_order'] == pytest.approx(right, rel=1e-6)
