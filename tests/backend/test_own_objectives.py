"""Objectives and metrics of the program: which argument is which, what they do with masks, and labels of -1 and 1."""
import functools

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import KeraFlowWarning
from keraflow.layers import Activation, Input
from keraflow.metrics import Average, Metric, ratio
from keraflow.models import Model

P = np.array([[1., 2.], [3., 5.]])
T = np.array([[2., 0.], [7., 1.]])


def passing(shape=2, **kwargs):
    x = Input(shape, **kwargs)
    return Model(x, Activation('linear')(x), name='m')


def scored(loss, p, t, metrics=None, **kwargs):
    model = passing(p.shape[1:], **kwargs)
    model.compile('sgd', loss, metrics=metrics)
    return model.evaluate(p, t)


def missed(truth, prediction):
    return B.relu(truth - prediction)


NAMED = {
    'target, output': lambda target, output: missed(target, output), 't, p': lambda t, p: missed(t, p),
    'true, pred': lambda true, pred: missed(true, pred), 'y, y_hat': lambda y, y_hat: missed(y, y_hat),
    'labels, predictions': lambda labels, predictions: missed(labels, predictions),
    'Y, out': lambda Y, out: missed(Y, out), 'out, expected': lambda out, expected: missed(expected, out),
    'y_pred, p': lambda y_pred, p: missed(p, y_pred),
    'with others': functools.partial(lambda weight, labels, logits: missed(labels, logits) * weight, 1.),
    'with a default': lambda targets, outputs, t=0.: missed(targets, outputs) + t}


@pytest.mark.parametrize('way', NAMED)
def test_common_names_say_which_argument_is_the_target(way):
    right = np.mean(np.maximum(T - P, 0))
    found = scored(NAMED[way], P, T, [Average(NAMED[way], name='again')])
    assert found == pytest.approx({'loss': right, 'again': right}, rel=1e-6)


def of_counts(function):
    class Counted(Metric):
        default_name = 'counted'

        def totals(self, targets, outputs, weights):
            return ratio(function(targets, outputs), B.ones_like(outputs), weights)
    return Counted()


def test_common_names_count_in_metrics_too():
    assert scored('mse', P, T, [of_counts(missed)])['counted'] == pytest.approx(np.mean(np.maximum(T - P, 0)), rel=1e-6)


def unwrapped(function):
    def w(*a, **k):
        return function(*a, **k)
    return w


ORDER = ('m: {}: {}: expected arguments called y_pred and y_true, in any order, received {}: the prediction is passed first, and then the '
         'target. Call them y_pred and y_true.')


def test_an_order_that_goes_by_position_is_reported_once():
    def l(a, b):        # noqa: E743
        return missed(b, a)
    for function, names in ((l, 'a, b'), (unwrapped(missed), 'no names')):
        model = passing()
        for loss, metrics, where in ((function, None, 'loss'), ('mse', [function], 'metrics')):
            with pytest.warns(KeraFlowWarning) as told:
                model.compile('sgd', loss, metrics=metrics)
            assert [str(one.message) for one in told] == [ORDER.format(where, function.__name__, names)]
            model.evaluate(P, T)


X = np.array([[[1.], [0.], [0.], [0.]], [[1.], [1.], [1.], [0.]]])
FOLDED = ('{}: expected a value for each part of a sample, of which the mask leaves some out, received {}: parts that do not count are in it, '
          'with targets of 0. Keep the axes of the mask; the model takes the mean of what counts.')


def folds(y_true, y_pred):
    return B.mean(B.abs(y_pred - y_true), axis=[1, 2])


def keeps(y_true, y_pred):
    return B.sum(B.mean(B.abs(y_pred - y_true), axis=1), axis=-1, keepdims=True)


def differs(y_true, y_pred):
    return B.square(y_pred[:, 1:] - y_pred[:, :-1])


@pytest.mark.parametrize('function, shape', [(folds, (None,)), (keeps, (None, 1)), (differs, (None, 3)),
                                             (functools.partial(folds), (None,))])
def test_a_function_that_puts_masked_steps_together_is_reported(function, shape):
    for loss, metrics in ((function, None), ('mse', [Average(function, name='own')])):
        with pytest.warns(KeraFlowWarning) as told:
            scored(loss, X, X + 1., metrics, mask_value=0.)
        name = getattr(function, '__name__', function)
        assert {str(one.message) for one in told} == {FOLDED.format(name, shape)}
    scored(function, X, X + 1.)         # nothing is masked


def test_a_function_that_keeps_the_steps_is_right():
    assert scored(lambda y_true, y_pred: B.mean(B.abs(y_pred - y_true), axis=-1), X, X + 1., mask_value=0.)['loss'] == pytest.approx(1.)


SIGNS = np.array([[1.], [-1.], [1.], [-1.], [1.]])
MARGINS = np.array([[0.3], [-2.], [1.4], [0.1], [1e-30]])


@pytest.mark.parametrize('loss', ['hinge', 'squared_hinge'])
@pytest.mark.parametrize('name', ['acc', 'accuracy', 'binary_accuracy', 'sign_accuracy'])
def test_an_accuracy_beside_a_margin_looks_at_signs(loss, name):
    found = scored(loss, MARGINS, SIGNS, [name])
    assert list(found) == ['loss', name] and found[name] == pytest.approx(0.8, rel=1e-6)
    x = np.array([[[0.3], [0.], [-0.2]]])
    assert scored(loss, x, np.array([[[1.], [5.], [1.]]]), [name], mask_value=0.)[name] == 0.5


def test_of_several_features_it_is_that_of_classes():
    assert scored('hinge', np.array([[0.3, 0.1], [-1., 2.]]), np.array([[1., -1.], [1., -1.]]), ['acc'])['acc'] == 0.5


@pytest.mark.parametrize('loss, p, t, name, text', [
    ('mse', MARGINS, SIGNS, 'acc', "expected 0 and 1, received -1 and 1: -1 in sample 1. For these there is the metric 'sign_accuracy'."),
    ('mae', MARGINS, SIGNS, 'binary_accuracy',
     "expected 0 and 1, received -1 and 1: -1 in sample 1. For these there is the metric 'sign_accuracy'."),
    ('binary_crossentropy', np.array([[0.9, 0.8, 0.1]]), np.array([[1., 1., 0.]]), 'acc',
     'expected one class with the largest value, received several in sample 0. For classes that may be true together there is the metric '
     "'binary_accuracy'."),
    ('mse', MARGINS, 0.5 + SIGNS / 2, 'sign_accuracy', 'expected -1 and 1, received 0 and 1: 0 in sample 1. Write 2 * y - 1.')])
def test_labels_that_an_accuracy_does_not_know_are_told(loss, p, t, name, text):
    with pytest.warns(KeraFlowWarning) as told:
        scored(loss, p, t, [name])
    assert [str(one.message) for one in told] == [f'm: evaluate: y: activation1: {name}: {text}']
