"""Cross-entropies of what is computed from probabilities: products, sums, means, powers, what is left to 1, and bounds."""
import numpy as np
import pytest
from differences import check, values_and_gradients

from keraflow import activations
from keraflow import backend as B
from keraflow import objectives
from keraflow.layers import (Activation, Dense, ElementWiseAverage, ElementWiseMax, ElementWiseMult, ElementWiseSum,
                             Input, Lambda, TimeDistributed)
from keraflow.models import Model
from keraflow.optimizers import SGD

DRAW = np.random.default_rng(11)
Z = DRAW.normal(size=(2, 3, 4)) * 40
EPSILON = 1e-7


@pytest.fixture(autouse=True)
def float64(backend_name):
    B.set_floatx('float64')


def log_sum(*parts):
    return np.logaddexp.reduce(np.stack(np.broadcast_arrays(*parts)), 0)


def folded(x, axis, keepdims=False):
    return np.logaddexp.reduce(x, axis, keepdims=keepdims)


def of_softmax(z):
    """The logarithms of a softmax, and of what is left to 1: of the sum of the other classes."""
    log = z - folded(z, -1, True)
    others = np.stack([folded(np.delete(log, place, -1), -1) for place in range(z.shape[-1])], -1)
    return log, others


def of_sigmoid(z):
    return -np.logaddexp(0, -z), -np.logaddexp(0, z)


KEPT = np.array([1., 0., 2., 0.5])
#: A function of p on the backend, and its logarithm and that of what is left to 1 from those of p and 1 - p, in NumPy.
ARITHMETIC = {
    'p * 1': (lambda p: p * 1., lambda p, q: p, lambda p, q: q), '1 * p': (lambda p: 1 * p, lambda p, q: p, lambda p, q: q),
    'p / 1': (lambda p: p / 1., lambda p, q: p, lambda p, q: q), 'p + 0': (lambda p: p + 0., lambda p, q: p, lambda p, q: q),
    'p - 0': (lambda p: p - 0, lambda p, q: p, lambda p, q: q), 'p ** 1': (lambda p: p ** 1, lambda p, q: p, lambda p, q: q),
    'a number of NumPy': (lambda p: np.float64(1) * p + np.float64(0), lambda p, q: p, lambda p, q: q),
    'functions': (lambda p: B.divide(B.add(B.multiply(p, 3), 0.), 3.), lambda p, q: p, lambda p, q: q),
    'abs and relu': (lambda p: B.relu(B.abs(p)), lambda p, q: p, lambda p, q: q),
    'the rest': (lambda p: 1. - p, lambda p, q: q, lambda p, q: p), 'the rest of the rest': (lambda p: 1 - (1. - p), lambda p, q: p, lambda p, q: q),
    'a half': (lambda p: p / 2, lambda p, q: p - np.log(2), lambda p, q: log_sum(q, np.log(1.)) - np.log(2)),
    'the rest of a half': (lambda p: 0.5 - p / 2, lambda p, q: q - np.log(2), lambda p, q: log_sum(p, 0.) - np.log(2)),
    'itself twice': (lambda p: (p + p) / 2., lambda p, q: p, lambda p, q: q),
    'average': (lambda p: (p + p[:, ::-1] + p[::-1]) / 3, lambda p, q: log_sum(p, p[:, ::-1], p[::-1]) - np.log(3), lambda p, q: log_sum(q, q[:, ::-1], q[::-1]) - np.log(3)),
    'weighted average': (lambda p: 0.3 * p + p[:, ::-1] * 0.7, lambda p, q: log_sum(p + np.log(0.3), p[:, ::-1] + np.log(0.7)),
                         lambda p, q: log_sum(q + np.log(0.3), q[:, ::-1] + np.log(0.7))),
    'Python\'s sum': (lambda p: sum([p, p[:, ::-1]]) / 2, lambda p, q: log_sum(p, p[:, ::-1]) - np.log(2), lambda p, q: log_sum(q, q[:, ::-1]) - np.log(2)),
    'with the uniform distribution': (lambda p: 0.9 * p + 0.1 / 4, lambda p, q: log_sum(p + np.log(0.9), np.log(0.025)), lambda p, q: log_sum(q + np.log(0.9), np.log(0.075))),
    'mean': (lambda p: B.mean(p, 1), lambda p, q: folded(p, 1) - np.log(3), lambda p, q: folded(q, 1) - np.log(3)),
    'mean of a stack': (lambda p: B.mean(B.stack([p, p[:, ::-1]]), 0), lambda p, q: log_sum(p, p[:, ::-1]) - np.log(2), lambda p, q: log_sum(q, q[:, ::-1]) - np.log(2)),
    'mean of all': (lambda p: B.mean(p, [0, 1], keepdims=True), lambda p, q: folded(folded(p, 0), 0)[None, None] - np.log(6), lambda p, q: folded(folded(q, 0), 0)[None, None] - np.log(6)),
    'sum': (lambda p: B.sum(p, 1) / 3, lambda p, q: folded(p, 1) - np.log(3), lambda p, q: folded(q, 1) - np.log(3)),
    'product': (lambda p: p * p[:, ::-1], lambda p, q: p + p[:, ::-1], lambda p, q: log_sum(q, p + q[:, ::-1])),
    'noisy or': (lambda p: 1. - (1. - p) * (1. - p[:, ::-1]), lambda p, q: log_sum(p, q + p[:, ::-1]), lambda p, q: q + q[:, ::-1]),
    'gate': (lambda p: (p * p[:, ::-1] + (1. - p) * p[::-1]) / 1., lambda p, q: log_sum(p + p[:, ::-1], q + p[::-1]), None),
    'all of them': (lambda p: B.prod(p, 1), lambda p, q: p.sum(1), None),
    'square': (lambda p: B.square(p), lambda p, q: 2 * p, None), 'root': (lambda p: B.sqrt(p), lambda p, q: p / 2, None),
    'power': (lambda p: p ** 0.3, lambda p, q: 0.3 * p, None), 'powers': (lambda p: B.power(p, B.constant(KEPT)), lambda p, q: p * KEPT, None),
    'sharpened': (lambda p: p ** 2 / B.sum(p ** 2, -1, keepdims=True), lambda p, q: 2 * p - folded(2 * p, -1, True), None),
    'Bayes': (lambda p: p * p[:, ::-1] / B.sum(p * p[:, ::-1], -1, keepdims=True), lambda p, q: p + p[:, ::-1] - folded(p + p[:, ::-1], -1, True), None),
    'bounds without effect': (lambda p: B.minimum(B.maximum(B.clip(p, 0, 1), 0.), 1.), lambda p, q: p, lambda p, q: q),
}


def losses(function, of, rest, activation, in_numpy):
    """Categorical and binary cross-entropy on the backend and in NumPy."""
    log, left = in_numpy(Z)
    target = DRAW.integers(0, 3, of(log, left).shape) / 2.

    def reference(z):
        return -np.sum(target * of(*in_numpy(z)), -1, keepdims=True)

    def of_both(z):
        log, left = in_numpy(z)
        return -target * of(log, left) - (1 - target) * rest(log, left)
    yield 'categorical', lambda z: objectives.categorical_crossentropy(function(activation(z)), B.constant(target)), reference
    if rest:
        yield 'binary', lambda z: objectives.binary_crossentropy(function(activation(z)), B.constant(target)), of_both


@pytest.mark.parametrize('activation', ['softmax', 'sigmoid'])
def test_logarithms_are_computed_through_arithmetic(activation):
    functions, references = {}, {}
    for name, case in ARITHMETIC.items():
        for loss, function, reference in losses(*case, getattr(activations, activation), {'softmax': of_softmax, 'sigmoid': of_sigmoid}[activation]):
            functions[f'{loss}: {name}'], references[f'{loss}: {name}'] = function, reference
    check(functions, references, dict.fromkeys(functions, Z))


#: Of logits z: a function on the backend, and its logarithm and that of what is left to 1 in NumPy.
BY_HAND = {
    'softmax': (lambda z: B.exp(z) / B.sum(B.exp(z), -1, keepdims=True), lambda z: of_softmax(z)[0], None),
    'shares': (lambda z: (lambda e: e / B.sum(e, axis=-1, keepdims=True))(B.exp(z)), *(lambda z, part=part: of_softmax(z)[part] for part in (0, 1))),
    'shifted softmax': (lambda z: (lambda e: B.divide(e, B.sum(e, [-1], True)))(B.exp(z - B.max(z, -1, keepdims=True))), *(lambda z, part=part: of_softmax(z)[part] for part in (0, 1))),
    'exp of log_softmax': (lambda z: B.exp(B.log_softmax(z)), lambda z: of_softmax(z)[0], None),
    'logistic': (lambda z: 1. / (1. + B.exp(-z)), *(lambda z, part=part: of_sigmoid(z)[part] for part in (0, 1))),
    'logistic of odds': (lambda z: (lambda odds: odds / (1 + odds))(B.exp(z)), *(lambda z, part=part: of_sigmoid(z)[part] for part in (0, 1))),
    'softplus': (lambda z: B.softplus(z) / 1000., lambda z: np.log(np.logaddexp(0, z)) - np.log(1000), None),
}


def test_probabilities_by_hand():
    functions, references = {}, {}
    target = DRAW.integers(0, 3, Z.shape) / 2.
    for name, (function, of, rest) in BY_HAND.items():
        functions[name] = lambda z, f=function: objectives.categorical_crossentropy(f(z), B.constant(target))
        references[name] = lambda z, of=of: -np.sum(target * of(z), -1, keepdims=True)
        if rest:
            functions[f'{name}, binary'] = lambda z, f=function: objectives.binary_crossentropy(f(z), B.constant(target))
            references[f'{name}, binary'] = lambda z, of=of, rest=rest: -target * of(z) - (1 - target) * rest(z)
    check(functions, references, dict.fromkeys(functions, Z))


@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_confident_mistakes_have_the_gradient_of_the_formula(floatx):
    """However the probabilities are kept, copied, averaged with themselves or bounded: softmax(z) - y, and sigmoid(z) - y."""
    B.set_floatx(floatx)
    same = {name: ARITHMETIC[name][0] for name in ARITHMETIC if name in ('p * 1', 'p + 0', 'p / 1', 'functions', 'itself twice', 'abs and relu', 'the rest of the rest', 'bounds without effect')}
    same.update({
        'clip': lambda p: B.clip(p, 1e-7, 1. - 1e-7), 'clip below': lambda p: B.clip(p, 1e-7, 1), 'maximum': lambda p: B.maximum(p, B.epsilon()), 'least': lambda p: B.minimum(1. - 1e-6, B.maximum(1e-6, p)),
        'a little more': lambda p: p + 1e-12, 'normalized': lambda p: (p + 1e-12) / (1. + 1e-12), 'cast': lambda p: B.cast(p, B.dtype(p)), 'identity': lambda p: B.identity(p),
        'where': lambda p: B.where(np.array([[True], [True], [False]]), p, p * 1.), 'or zeros': lambda p: B.where(np.array([[True]]), p, B.zeros_like(p)),
        'beside others': lambda p: B.concatenate([B.constant([[0.25, 0.5, 0.25]]), p], 0)[1:],
        'rows': lambda p: B.gather(p, B.constant([0, 1, 2])), 'several': lambda p: B.squeeze(B.mean(B.stack([p, p]), 0, keepdims=True), 0)})
    z = np.array([[1000., -1000., 0.], [-50., 50., 0.], [0., 200., -200.]])
    y = np.array([[0., 1., 0.], [1., 0., 0.], [0., 0., 1.]])
    functions, expected = {}, {}
    with np.errstate(over='ignore'):
        expected = {'categorical': np.exp(of_softmax(z)[0]) - y, 'sparse': np.exp(of_softmax(z)[0]) - y, 'divergence': np.exp(of_softmax(z)[0]) - y,
                    'binary': 1 / (1 + np.exp(-z)) - y, 'one of several': None}
    for name, keep in same.items():
        functions[f'categorical: {name}'] = lambda z, keep=keep: objectives.categorical_crossentropy(keep(activations.softmax(z)), B.constant(y))
        functions[f'sparse: {name}'] = lambda z, keep=keep: objectives.sparse_categorical_crossentropy(keep(activations.softmax(z)), B.constant([[1], [0], [2]]))
        functions[f'divergence: {name}'] = lambda z, keep=keep: objectives.kullback_leibler_divergence(keep(activations.softmax(z)), B.constant(y))
        functions[f'binary: {name}'] = lambda z, keep=keep: objectives.binary_crossentropy(keep(activations.sigmoid(z)), B.constant(y))
    found = values_and_gradients(functions, dict.fromkeys(functions, z), {name: np.ones((3, 3 if name.startswith('binary') else 1)) for name in functions})
    for name, (value, gradient) in found.items():
        assert np.all(np.isfinite(value)) and np.all(value[:, :1 if value.shape[1] == 1 else 3] >= 0), name
        wanted = expected[name.partition(':')[0]]
        if name.startswith('divergence'):       # also the other classes count, with epsilon
            np.testing.assert_allclose(gradient[y == 1], wanted[y == 1], rtol=1e-5, err_msg=name)
            continue
        np.testing.assert_allclose(gradient, wanted, rtol=1e-5, atol=1e-6, err_msg=name)


# -- what other numbers do ----------------------------------------------------------------------------------------------

def test_bounds_that_are_meant_have_no_gradient_beyond():
    z, y = np.array([[5., -1.]]), np.array([[0., 1.]])
    functions = {'clip': lambda z: objectives.categorical_crossentropy(B.clip(activations.softmax(z), 0.1, 0.9), B.constant(y)),
                 'rest': lambda z: objectives.binary_crossentropy(B.minimum(activations.sigmoid(z), 0.8), B.constant(1 - y)),
                 'uniform': lambda z: objectives.categorical_crossentropy(0.9 * activations.softmax(z) + 0.05, B.constant(y))}
    found = values_and_gradients(functions, dict.fromkeys(functions, z), {'clip': np.ones((1, 1)), 'rest': 1 - y, 'uniform': np.ones((1, 1))})
    p = 1 / (1 + np.exp(6.))
    np.testing.assert_allclose(found['clip'][0], [[-np.log(0.1)]], rtol=1e-12)
    np.testing.assert_allclose(found['rest'][0][0, 0], -np.log(0.8), rtol=1e-12)
    np.testing.assert_allclose(found['uniform'][0], [[-np.log(0.9 * p + 0.05)]], rtol=1e-12)
    np.testing.assert_array_equal(found['clip'][1], [[0., 0.]])
    np.testing.assert_array_equal(found['rest'][1], [[0., 0.]])
    slope = 0.9 * p * (1 - p) / (0.9 * p + 0.05)
    np.testing.assert_allclose(found['uniform'][1], [[slope, -slope]], rtol=1e-12)


def test_a_small_bound_gives_the_value():
    p = np.array([[1e-9, 1 - 1e-9, 0.3]])
    z, y = np.log(p) - np.log1p(-p), np.array([[1., 0., 1.]])
    functions = {'clip': lambda z: objectives.binary_crossentropy(B.clip(activations.sigmoid(z), 1e-7, 1 - 1e-7), B.constant(y)),
                 'maximum': lambda z: objectives.binary_crossentropy(B.maximum(activations.sigmoid(z), 1e-7), B.constant(y)),
                 'add': lambda z: objectives.binary_crossentropy(activations.sigmoid(z) + 1e-7, B.constant(y))}
    found = values_and_gradients(functions, dict.fromkeys(functions, z), dict.fromkeys(functions, np.ones((1, 3))))
    np.testing.assert_allclose(found['clip'][0], -np.log([[1e-7, 1e-7, 0.3]]), rtol=1e-9)
    np.testing.assert_allclose(found['maximum'][0], -np.log([[1e-7, 1e-9, 0.3]]), rtol=1e-7)
    np.testing.assert_allclose(found['add'][0][y == 1], -np.log([1e-9 + 1e-7, 0.3 + 1e-7]), rtol=1e-9)
    for name, (_, gradient) in found.items():
        np.testing.assert_allclose(gradient, p - y, rtol=1e-6, err_msg=name)


WEIGHTS = np.array([[2., 0., -1.], [0.5, 1., 3.]])


def test_a_factor_that_is_a_tensor():
    """Where it is positive it has a logarithm; elsewhere the product is a number like any other."""
    z, y = np.array([[1., -900., 30.], [-900., 2., -2.]]), np.ones((2, 3))
    functions = {'multiply': lambda z: objectives.binary_crossentropy(activations.sigmoid(z) * B.constant(WEIGHTS), B.constant(y)),
                 'reflected': lambda z: objectives.binary_crossentropy(WEIGHTS * activations.sigmoid(z), B.constant(y)),
                 'divide': lambda z: objectives.binary_crossentropy(activations.sigmoid(z) / B.constant(WEIGHTS + 0.5), B.constant(y)),
                 'twice': lambda z: objectives.binary_crossentropy(activations.sigmoid(z) * B.constant(-np.ones((2, 3))) * B.constant(-np.ones((2, 3)) / 2), B.constant(y))}
    log = of_sigmoid(z)[0]
    with np.errstate(divide='ignore', invalid='ignore'):
        expected = {'multiply': np.where(WEIGHTS > 0, np.minimum(log + np.log(WEIGHTS), 0), np.log(EPSILON)),
                    'divide': np.where(WEIGHTS > -0.5, np.minimum(log - np.log(WEIGHTS + 0.5), 0), np.log(EPSILON))}
    expected['reflected'], expected['twice'] = expected['multiply'], np.maximum(log - np.log(2), np.log(EPSILON))
    found = values_and_gradients(functions, dict.fromkeys(functions, z), dict.fromkeys(functions, np.ones((2, 3))))
    for name, (value, gradient) in found.items():
        np.testing.assert_allclose(value, -expected[name], rtol=1e-9, err_msg=name)
        assert np.all(np.isfinite(gradient)), name


def test_a_sum_with_what_may_be_negative_is_a_number():
    z, y = np.array([[0.5, -1., 2.]]), np.array([[1., 1., 1.]])
    others = np.array([[-0.4, 0.2, 0.1]])
    functions = {'sum': lambda p: p + B.constant(others), 'of a product': lambda p: p * B.constant([[-1., 1., 0.5]]) + (1. - p) * B.constant([[3., -0.5, 1.]]),
                 'difference': lambda p: p - p * 0.5, 'swish': lambda p: B.constant(z) * p, 'negative': lambda p: -p * -1., 'dot': lambda p: B.dot(p, np.eye(3) * 0.7)}
    p = 1 / (1 + np.exp(-z))
    values = {'sum': p + others, 'of a product': p * [[-1., 1., 0.5]] + (1 - p) * [[3., -0.5, 1.]], 'difference': p / 2, 'swish': z * p, 'negative': p, 'dot': 0.7 * p}
    for name, function in functions.items():
        found = B.eval(B.symbolic(lambda: objectives.binary_crossentropy(function(activations.sigmoid(B.constant(z))), B.constant(y)), []))
        np.testing.assert_allclose(found, -np.log(np.clip(values[name], EPSILON, 1)), rtol=1e-9, err_msg=name)


def test_an_operand_of_another_kind_may_give_anything():
    class Other:
        __array_priority__ = 1e6

        def __rmul__(self, tensor):
            return 'product'
    assert B.sigmoid(B.constant([1.])) * Other() == 'product'


# -- chains, layers, models ---------------------------------------------------------------------------------------------

def test_chains_are_computed_without_recursion_and_once():
    p = B.sigmoid(B.constant([-900.]))
    for _ in range(1500):
        p = B.expand_dims(p, 0)[0] * 1.
    for _ in range(60):         # 2 ** 60 logarithms, if each was computed wherever it is needed
        p = (p + p) / 2.
    np.testing.assert_allclose(B.eval(objectives.binary_crossentropy(p, B.constant([1.]))), [900.], rtol=1e-12)


W = np.array([[1., -1., 0.], [0.5, 2., -1.]])
X = np.array([[600., -200.], [-500., 300.], [100., 900.], [300., 0.]])


def softmax(name):
    return Dense(3, activation='softmax', initial_weights={'W': W}, name=name)


#: Layers on two softmaxes of the same x, of W and of twice W, and the logarithm of what they give from the two.
HEADS = {
    'average of itself': (lambda p, q: ElementWiseAverage()([p, p]), lambda p, q: p), 'largest of itself': (lambda p, q: ElementWiseMax()([p, p]), lambda p, q: p),
    'average': (lambda p, q: ElementWiseAverage()([p, q]), lambda p, q: np.logaddexp(p, q) - np.log(2)), 'product': (lambda p, q: ElementWiseMult()([p, q]), lambda p, q: p + q),
    'sum': (lambda p, q: ElementWiseSum()([p * 0.25, 0.75 * q]), lambda p, q: np.logaddexp(p + np.log(0.25), q + np.log(0.75))),
    'Kensors': (lambda p, q: (p * 1. + q) / 2., lambda p, q: np.logaddexp(p, q) - np.log(2)), 'functions': (lambda p, q: B.mean(B.stack([p, q], 1), 1), lambda p, q: np.logaddexp(p, q) - np.log(2)),
    'Lambda': (lambda p, q: Lambda(lambda t: B.clip(t, 1e-7, 1.) * 1.)(p), lambda p, q: np.maximum(p, np.log(1e-7))), 'relu': (lambda p, q: Activation('relu')(p), lambda p, q: p),
    'steps': (lambda p, q: TimeDistributed(Lambda(lambda t: 1. * t))(B.stack([p, q], 1))[:, 0], lambda p, q: p),
}


@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_models_whose_outputs_are_computed_from_probabilities_are_trained(floatx):
    B.set_floatx(floatx)
    logs = [of_softmax(X @ W)[0], of_softmax(X @ (2 * W))[0]]
    target = np.argmin(logs[0], -1)
    for name, (head, of) in HEADS.items():
        x = Input(2)
        model = Model(x, head(softmax('one')(x), Dense(3, activation='softmax', initial_weights={'W': 2 * W}, name='two')(x)))
        model.compile(SGD(lr=0.001), 'sparse_categorical_crossentropy')
        before, expected = model.get_weights(), -of(*logs)[np.arange(4), target]
        np.testing.assert_allclose(model.evaluate(X, target)['loss'], expected.mean(), rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(model.evaluate(X, target, sample_weights=np.arange(4.))['loss'], np.sum(expected * np.arange(4)) / 3, rtol=1e-5, err_msg=name)
        model.fit(X, target, nb_epoch=1, verbose=0)
        after = model.get_weights()
        assert all(np.all(np.isfinite(after[one])) for one in after) and np.any(after['one/W'] != before['one/W']), name


@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_rates_far_out(floatx):
    """The logarithm of a rate has its gradient where epsilon covers its value."""
    B.set_floatx(floatx)
    z, y = np.array([[-300., 0.5, 3.], [-60., -200., 1.]]), np.array([[2., 1., 0.], [1., 3., 2.]])
    rates = {'exponential': np.exp(z), 'softplus': np.log1p(np.exp(z)), 'by hand': np.exp(z)}
    slopes = {'exponential': np.exp(z), 'softplus': 1 / (1 + np.exp(-z)), 'by hand': np.exp(z)}
    functions = {'exponential': lambda z: objectives.poisson(activations.exponential(z), B.constant(y)), 'softplus': lambda z: objectives.poisson(activations.softplus(z), B.constant(y)),
                 'by hand': lambda z: objectives.poisson(B.exp(z) * 1., B.constant(y))}
    found = values_and_gradients(functions, dict.fromkeys(functions, z), dict.fromkeys(functions, np.ones((2, 3))))
    for name, (value, gradient) in found.items():
        rate, slope = rates[name], slopes[name]
        with np.errstate(divide='ignore', invalid='ignore'):
            of_log = np.where(rate < EPSILON, 1., slope / (rate + EPSILON))
        np.testing.assert_allclose(value, rate - y * np.log(rate + EPSILON), rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(gradient, slope - y * of_log, rtol=1e-5, err_msg=name)
