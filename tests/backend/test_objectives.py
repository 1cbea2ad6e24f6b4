"""Objectives and metrics against NumPy, with their gradients, and cross-entropies far out."""
import functools

import numpy as np
import pytest
from differences import check, values_and_gradients

from keraflow import activations
from keraflow import backend as B
from keraflow import objectives
from keraflow.errors import ArgumentError, ArgumentTypeError, ShapeError
from keraflow.objectives.base import target_of

EPSILON = 1e-7
FLOATX = ['float32', 'float64']


@pytest.fixture(autouse=True)
def float64(backend_name):
    B.set_floatx('float64')


def total(x):
    return np.sum(x, -1, keepdims=True)


def clip(p):
    return np.clip(p, EPSILON, 1)


def softmax(z):
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / total(powers)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def direction(y):
    return y / np.sqrt(total(y ** 2))


#: What each objective is, in NumPy.
FORMULAS = {
    'square_error': lambda p, t: (p - t) ** 2,
    'absolute_error': lambda p, t: np.abs(p - t),
    'absolute_percentage_error': lambda p, t: 100 * np.abs(p - t) / np.clip(np.abs(t), EPSILON, None),
    'squared_logarithmic_error': lambda p, t: (
        np.log(np.clip(p, EPSILON, None) + 1) - np.log(np.clip(t, EPSILON, None) + 1)) ** 2,
    'huber': lambda p, t: np.where(np.abs(p - t) <= 1, (p - t) ** 2 / 2, np.abs(p - t) - 0.5),
    'log_cosh': lambda p, t: np.log(np.cosh(p - t)),
    'cosine_proximity': lambda p, t: -direction(p) * direction(t),
    'hinge': lambda p, t: np.maximum(1 - t * p, 0),
    'squared_hinge': lambda p, t: np.maximum(1 - t * p, 0) ** 2,
    'binary_crossentropy': lambda p, t: -t * np.log(clip(p)) - (1 - t) * np.log(clip(1 - p)),
    'categorical_crossentropy': lambda p, t: -total(t * np.log(clip(p))),
    'kullback_leibler_divergence': lambda p, t: total(clip(t) * np.log(clip(t) / clip(p))),
    'poisson': lambda p, t: p - t * np.log(p + EPSILON),
}


def samples(name, shape):
    """A prediction and a target that the objective is made for."""
    draw = np.random.default_rng(11)
    p, t = draw.normal(size=(2, *shape))
    if name in ('binary_crossentropy', 'categorical_crossentropy', 'kullback_leibler_divergence'):
        return sigmoid(p), sigmoid(t)
    if 'hinge' in name:
        return p, np.sign(t)
    if name == 'poisson':
        return np.exp(p), draw.poisson(2., shape).astype('float64')
    return (np.abs(p), np.abs(t)) if 'logarithmic' in name else (p, t)


def bound(objective, target):
    return lambda p: objective(p, target)


@pytest.mark.parametrize('shape', [(3, 2, 4), (5, 1)])
def test_values_and_gradients(shape):
    pairs = {name: samples(name, shape) for name in FORMULAS}
    check({name: bound(objectives.get(name), B.constant(t)) for name, (_, t) in pairs.items()},
          {name: bound(FORMULAS[name], t) for name, (_, t) in pairs.items()},
          {name: p for name, (p, _) in pairs.items()})


def test_every_objective_is_here():
    accuracies = {'accuracy', 'binary_accuracy', 'categorical_accuracy', 'sign_accuracy', 'sparse_categorical_accuracy'}
    others = {'Target', 'wants', 'get', 'sparse_categorical_crossentropy'}
    assert set(objectives.__all__) - accuracies - others == set(FORMULAS)


def test_huber_with_other_deltas():
    p, t = np.random.default_rng(3).normal(size=(2, 5, 4)) * 3
    deltas = {'small': 0.25, 'large': 2.5}
    check({name: lambda p, delta=delta: objectives.huber(p, B.constant(t), delta) for name, delta in deltas.items()},
          {name: lambda p, delta=delta: np.where(np.abs(p - t) <= delta, (p - t) ** 2 / 2,
                                                 delta * (np.abs(p - t) - delta / 2)) for name, delta in deltas.items()},
          dict.fromkeys(deltas, p))


@pytest.mark.parametrize('floatx', FLOATX)
def test_log_cosh_of_small_and_large_errors(floatx):
    B.set_floatx(floatx)
    p = np.array([[0., 1e-6, -1e-3, 0.5, -1., 20., -1e4, 1e4]])
    value, gradient = values_and_gradients({'f': lambda p: objectives.log_cosh(p, B.zeros_like(p))}, {'f': p},
                                           {'f': np.ones((1, 8))})['f']
    rtol = 1e-6 if floatx == 'float32' else 1e-13
    small = 1e-3 ** 2 / 2 - 1e-3 ** 4 / 12
    np.testing.assert_allclose(value, [[0, 5e-13, small, np.log(np.cosh(0.5)), np.log(np.cosh(1)), 20 - np.log(2),
                                        1e4 - np.log(2), 1e4 - np.log(2)]], rtol=max(rtol, 1e-12), atol=0)
    np.testing.assert_allclose(gradient, np.tanh(p), rtol=rtol, atol=0)


def test_sparse_crossentropy_of_probabilities_and_logits():
    draw = np.random.default_rng(8)
    z, numbers = 3 * draw.normal(size=(2, 4, 3)), draw.integers(0, 3, (2, 4))
    right = np.eye(3)[numbers]
    one, last = B.constant(numbers), B.constant(numbers[..., None].astype('int32'), 'int32')
    check({'softmax': lambda z: objectives.sparse_categorical_crossentropy(activations.softmax(z), last),
           'without the last axis': lambda z: objectives.sparse_categorical_crossentropy(activations.softmax(z), one),
           'probabilities': lambda p: objectives.sparse_categorical_crossentropy(p, one)},
          {'softmax': lambda z: -total(right * np.log(softmax(z))),
           'without the last axis': lambda z: -total(right * np.log(softmax(z))),
           'probabilities': lambda p: -total(right * np.log(clip(p)))},
          {'softmax': z, 'without the last axis': z, 'probabilities': softmax(z)})


def test_sparse_crossentropy_of_large_logits():
    B.set_floatx('float32')
    z = B.constant([[1e4, -1e4, 0.], [-1e4, 1e4, -1e4]])
    found = B.eval(objectives.sparse_categorical_crossentropy(activations.softmax(z), B.constant([[1], [1]])))
    np.testing.assert_allclose(found, [[2e4], [0]])


def test_targets_that_objectives_want():
    wanted = {objectives.square_error: ((None, 7, 4), 'float64', None),
              objectives.sparse_categorical_crossentropy: ((None, 7, 1), 'int32', 4),
              objectives.sparse_categorical_accuracy: ((None, 7, 1), 'int32', 4),
              functools.partial(objectives.sparse_categorical_accuracy): ((None, 7, 1), 'int32', 4)}
    for objective, target in wanted.items():
        assert tuple(target_of(objective, (None, 7, 4), 'int32')) == target
    assert target_of(objectives.huber, (None, 4), 'float32').dtype == 'float32'


def test_a_target_of_another_shape_than_the_prediction():
    for name in [*FORMULAS, 'categorical_accuracy', 'binary_accuracy']:
        with pytest.raises(ShapeError) as caught:
            objectives.get(name)(B.constant(np.ones((2, 3))), B.constant(np.ones((2, 1))))
        assert str(caught.value) == (
            'y_true: expected a target of the shape of the prediction, (2, 3), received (2, 1). For numbers of classes '
            "there are 'sparse_categorical_crossentropy' and 'sparse_categorical_accuracy'."), name


def test_crossentropies_of_activations():
    draw = np.random.default_rng(2)
    z, t = 3 * draw.normal(size=(2, 4, 3))
    z[0] = 0.       # where the formula of max(z, 0) has a kink, and the loss has none
    t = softmax(t)
    target = B.constant(t)
    check({'softmax': lambda z: objectives.categorical_crossentropy(activations.softmax(z), target),
           'sigmoid': lambda z: objectives.binary_crossentropy(activations.sigmoid(z), target),
           'sigmoids': lambda z: objectives.categorical_crossentropy(activations.sigmoid(z), target),
           'crossed': lambda z: objectives.binary_crossentropy(activations.softmax(z), target),
           'axis': lambda z: objectives.categorical_crossentropy(activations.softmax(z, axis=0), target)},
          {'softmax': lambda z: -total(t * np.log(softmax(z))),
           'sigmoid': lambda z: -t * np.log(sigmoid(z)) - (1 - t) * np.log(1 - sigmoid(z)),
           'sigmoids': lambda z: -total(t * np.log(sigmoid(z))),
           'crossed': lambda z: -t * np.log(softmax(z)) - (1 - t) * np.log(1 - softmax(z)),
           'axis': lambda z: -total(t * np.log(softmax(z.T).T))},
          dict.fromkeys(['softmax', 'sigmoid', 'sigmoids', 'crossed', 'axis'], z))


@pytest.mark.parametrize('floatx', FLOATX)
def test_crossentropies_of_large_logits(floatx):
    B.set_floatx(floatx)
    z = np.array([[1e4, -1e4, 0.], [-1e4, 1e4, -1e4], [1e4, 1e4, -1e4], [20., 0., -20.]])
    t = np.array([[0., 1., 0.], [0., 1., 0.], [1., 0., 0.], [1., 0., 0.]])
    target = B.constant(t)
    found = values_and_gradients(
        {'softmax': lambda z: objectives.categorical_crossentropy(activations.softmax(z), target),
         'sigmoid': lambda z: objectives.binary_crossentropy(activations.sigmoid(z), target),
         'clipped': lambda z: objectives.categorical_crossentropy(B.dot(B.softmax(z), np.eye(3)), target),
         'clipped binary': lambda z: objectives.binary_crossentropy(B.dot(B.sigmoid(z), np.eye(3)), target)},
        dict.fromkeys(['softmax', 'sigmoid', 'clipped', 'clipped binary'], z),
        {'softmax': np.ones((4, 1)), 'sigmoid': np.ones((4, 3)), 'clipped': np.ones((4, 1)),
         'clipped binary': np.ones((4, 3))})
    rtol = 1e-6 if floatx == 'float32' else 1e-14
    tiny = np.log1p(np.exp(-20.))
    value, gradient = found['softmax']
    # float32 has no 2e-9 beside 20: that of the last row is compared absolutely.
    np.testing.assert_allclose(value[:3], [[2e4], [0], [np.log(2)]], rtol=rtol, atol=1e-12)
    np.testing.assert_allclose(value[3], tiny + np.exp(-40), rtol=1e-6, atol=3e-9 if floatx == 'float32' else 0)
    np.testing.assert_allclose(gradient[:3], [[1, -1, 0], [0, 0, 0], [-0.5, 0.5, 0]], rtol=rtol, atol=1e-12)
    value, gradient = found['sigmoid']
    np.testing.assert_allclose(value, [[1e4, 1e4, np.log(2)], [0, 0, 0], [0, 1e4, 0], [tiny, np.log(2), tiny]],
                               rtol=rtol, atol=1e-30)
    np.testing.assert_allclose(gradient, [[1, -1, 0.5], [0, 0, 0], [0, 1, 0], [-np.exp(-20), 0.5, np.exp(-20)]],
                               rtol=10 * rtol, atol=1e-7 if floatx == 'float32' else 1e-15)
    for name in ('clipped', 'clipped binary'):
        value, gradient = found[name]
        assert np.all(np.isfinite(value)) and np.all(np.isfinite(gradient)), name
    assert found['clipped'][0][0, 0] == pytest.approx(-np.log(EPSILON), rel=1e-5)


@pytest.mark.parametrize('floatx', FLOATX)
def test_edges_are_finite(floatx):
    B.set_floatx(floatx)
    p = np.array([[0., 0., 0.], [1., 0., 1.], [1e-12, 0., 0.]])
    t = np.array([[0., 0., 0.], [0., 0., 1.], [1., 0., 0.]])
    target = B.constant(t)
    shapes = {name: FORMULAS[name](np.ones((3, 3)), np.ones((3, 3))).shape for name in FORMULAS}
    found = values_and_gradients({name: bound(objectives.get(name), target) for name in FORMULAS},
                                 dict.fromkeys(FORMULAS, p), {name: np.ones(shape) for name, shape in shapes.items()})
    for name, (value, gradient) in found.items():
        assert value.dtype == floatx and np.all(np.isfinite(value)) and np.all(np.isfinite(gradient)), name
    value, gradient = found['cosine_proximity']
    np.testing.assert_allclose(value, [[0, 0, 0], [0, 0, -np.sqrt(0.5)], [0, 0, 0]], atol=1e-6)
    assert np.abs(gradient).max() <= 1.     # a vector without direction is not scaled up


def test_poisson_is_least_where_the_prediction_is_the_target():
    rates = np.array([[1.], [2.], [3.], [4.], [5.]])
    values = B.eval(objectives.poisson(B.constant(rates), B.constant(np.full((5, 1), 3.))))
    assert np.argmin(values) == 2


def test_accuracies():
    B.set_floatx('float32')
    p = np.array([[0.1, 0.7, 0.2], [0.8, 0.1, 0.1], [0.3, 0.3, 0.4]])
    t = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 1]])
    one, target = np.array([[0.2], [0.9], [0.6]]), np.array([[0], [1], [0]])
    results = B.eval([
        objectives.accuracy(B.constant(p), B.constant(t)),
        objectives.categorical_accuracy(B.constant(p), B.constant(t.astype('float64'), 'float64')),
        objectives.accuracy(B.constant(one), B.constant(target)),
        objectives.binary_accuracy(B.constant(p), B.constant(t.astype('int32'))),
        objectives.accuracy(B.constant(np.stack([p, p[::-1]])), B.constant(np.stack([t, t]))),
        objectives.binary_accuracy(B.constant(t), B.constant(t)),
        objectives.accuracy(B.constant(p), B.constant([[1], [2], [2]])),
        objectives.accuracy(B.constant(p), B.constant([1, 2, 2])),
        objectives.sparse_categorical_accuracy(B.constant(np.stack([p, p[::-1]])), B.constant([[1, 0, 2], [1, 0, 2]])),
    ])
    expected = [[[1], [0], [1]], [[1], [0], [1]], [[1], [1], [0]], [[1, 1, 1], [0, 1, 0], [1, 1, 0]],
                [[[1], [0], [1]], [[0], [0], [0]]], np.ones((3, 3)), [[1], [0], [1]],
                [[1], [0], [1]], [[[1], [1], [1]], [[0], [1], [0]]]]
    for found, wanted in zip(results, expected):
        assert found.dtype == 'float32'
        np.testing.assert_array_equal(found, wanted)


def test_accuracy_of_an_unknown_number_of_samples():
    accuracy = B.compile(lambda p, t: ([objectives.accuracy(p, t)], []), [B.TensorSpec((None, 1), 'float64')] * 2)
    p, t = np.array([[0.2], [0.9], [0.6]]), np.array([[0.], [1.], [0.]])
    np.testing.assert_array_equal(accuracy(p, t)[0], [[1], [1], [0]])


def test_targets_of_other_dtypes():
    B.set_floatx('float32')
    t = np.array([[0, 1, 0], [1, 0, 0]])
    p = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])
    targets = [B.constant(t.astype(dtype), dtype) for dtype in ('float64', 'int32', 'int64', 'bool')]
    prediction = B.constant(p)
    results = iter(B.eval([objectives.get(name)(prediction, target) for name in FORMULAS for target in targets]))
    for name in FORMULAS:
        expected = FORMULAS[name](p, t.astype('float64'))
        for _ in targets:
            found = next(results)
            assert found.dtype == 'float32'
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_delta_that_is_refused():
    with pytest.raises(ArgumentError) as caught:
        objectives.huber(B.constant([[0.]]), B.constant([[0.]]), delta=0)
    assert str(caught.value) == 'huber: delta: expected a number above 0, received 0.'


OBJECTIVES = [getattr(objectives, name) for name in objectives.__all__ if name not in ('Target', 'wants', 'get')]


@pytest.mark.parametrize('objective', OBJECTIVES, ids=lambda objective: objective.__name__)
def test_objectives_take_arrays_and_lists_as_they_take_tensors(objective):
    rng = np.random.default_rng(0)
    y_pred = rng.uniform(0.1, 0.9, (4, 3))
    y_true = np.array([[0], [2], [1], [2]]) if 'sparse' in objective.__name__ else np.eye(3)[[0, 2, 1, 2]]
    expected = B.eval(objective(B.constant(y_pred), B.constant(y_true)))
    for given in ((y_pred, y_true), (y_pred.tolist(), y_true.tolist()), (B.constant(y_pred), y_true)):
        made = objective(*given)
        assert B.dtype(made) == 'float64'
        np.testing.assert_array_equal(B.eval(made), expected)
    with pytest.raises(ArgumentTypeError) as error:
        objective(y_pred, 'a')
    assert str(error.value) == f"{objective.__name__}: y_true: expected an array of numbers, received 'a'."


@pytest.mark.parametrize('question', ['static_shape', 'ndim', 'dtype'])
def test_questions_about_tensors_are_not_asked_of_arrays(question):
    with pytest.raises(ArgumentTypeError) as error:
        getattr(B, question)(np.ones((2, 3)))
    assert str(error.value) == f'{question}: expected a tensor, received an array of shape (2, 3).'
