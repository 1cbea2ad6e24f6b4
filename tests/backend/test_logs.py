"""Cross-entropies of probabilities far out: exact from the logits, wherever values were only moved since, else with a gradient."""
import numpy as np
import pytest
from differences import check, values_and_gradients

from keraflow import activations
from keraflow import backend as B
from keraflow import objectives
from keraflow.layers import (Activation, Bidirectional, Concatenate, Cropping1D, Dense, Dropout, ElementWiseMax,
                             ExpandDims, Flatten, GaussianNoise, GlobalPooling1D, Input, Lambda, Masking, PermuteDims,
                             Repeat, Reshape, SimpleRNN, SpatialDropout1D, TimeDistributed, UnSampling1D)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD

EPSILON = 1e-7
DRAW = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def float64(backend_name):
    B.set_floatx('float64')


def log_softmax(z, axis=-1):
    centred = z - z.max(axis, keepdims=True)
    return centred - np.log(np.exp(centred).sum(axis, keepdims=True))


def log_sigmoid(z):
    return -np.logaddexp(0, -z)


# -- functions of the backend -----------------------------------------------------------------------------------------

CONDITION = np.array([[True], [False], [True]])
#: What moves values of a tensor (2, 3, 4), on the backend and in NumPy.
MOVES = {
    'reshape': (lambda p: B.reshape(p, (-1, 4)), lambda p: p.reshape(-1, 4)),
    'reshape of the classes': (lambda p: B.reshape(p, (3, 2, 4)), lambda p: p.reshape(3, 2, 4)),
    'flatten': (lambda p: B.flatten(p, 2), lambda p: p.reshape(2, 12)),
    'transpose': (lambda p: B.transpose(p, (1, 0, 2)), lambda p: p.transpose(1, 0, 2)),
    'other classes': (lambda p: B.transpose(p, (0, 2, 1)), lambda p: p.transpose(0, 2, 1)),
    'slice': (lambda p: p[:, -1], lambda p: p[:, -1]), 'slices': (lambda p: p[..., ::-1][:, None, 1:], lambda p: p[..., ::-1][:, None, 1:]),
    'some classes': (lambda p: p[:, :, 1:3], lambda p: p[:, :, 1:3]),
    'expand_dims': (lambda p: B.expand_dims(p, 1), lambda p: p[:, None]),
    'squeeze': (lambda p: B.squeeze(B.expand_dims(p, 0), 0), lambda p: p), 'squeeze_axes': (lambda p: B.squeeze_axes(B.expand_dims(p, 0), [0]), lambda p: p),
    'concatenate': (lambda p: B.concatenate([p, p[:, :1]], axis=1), lambda p: np.concatenate([p, p[:, :1]], 1)),
    'stack': (lambda p: B.stack([p[0], p[1]], 1), lambda p: np.stack([p[0], p[1]], 1)),
    'split': (lambda p: B.split(p, [1, 2], 1)[1], lambda p: p[:, 1:]), 'repeat': (lambda p: B.repeat(p, 2, 1), lambda p: p.repeat(2, 1)),
    'tile': (lambda p: B.tile(p, (1, 2, 1)), lambda p: np.tile(p, (1, 2, 1))), 'flip': (lambda p: B.flip(p, axis=1), lambda p: p[:, ::-1]),
    'gather': (lambda p: B.gather(p, B.constant([2, 0, 2, 1]), 2), lambda p: p.take([2, 0, 2, 1], 2)),
    'identity': (lambda p: B.identity(x=p), lambda p: p), 'as_real': (lambda p: B.as_real(p), lambda p: p),
    'require': (lambda p: B.require(p, True, 'never'), lambda p: p), 'with_static_shape': (lambda p: B.with_static_shape(B.identity(p), (2, 3, 4)), lambda p: p),
    'max': (lambda p: B.max(p, 1), lambda p: p.max(1)), 'min': (lambda p: B.min(p, axis=1, keepdims=True), lambda p: p.min(1, keepdims=True)),
    'maximum': (lambda p: B.maximum(p[0], p[1]), lambda p: np.maximum(p[0], p[1])), 'minimum': (lambda p: B.minimum(p[0], p[1]), lambda p: np.minimum(p[0], p[1])),
    'where': (lambda p: B.where(CONDITION, p[0], p[1]), lambda p: np.where(CONDITION, p[0], p[1])),
    'several': (lambda p: B.flatten(B.flip(B.split(B.transpose(p, (2, 0, 1)), [2, 2], 0)[1], 2), 2),
                lambda p: p.transpose(2, 0, 1)[2:, :, ::-1].reshape(2, 6)),
}
Z = DRAW.normal(size=(2, 3, 4)) * 60
TARGETS = {name: DRAW.integers(0, 3, move(Z).shape) / 2. for name, (_, move) in MOVES.items()}


def test_logits_are_remembered_through_what_only_moves_values():
    functions, references = {}, {}
    for name, (move, in_numpy) in MOVES.items():
        target = TARGETS[name]

        def softmax(z, move=move, target=target):
            return objectives.categorical_crossentropy(move(activations.softmax(z)), B.constant(target))

        def sigmoid(z, move=move, target=target):
            return objectives.binary_crossentropy(move(activations.sigmoid(z)), B.constant(target))

        def of_softmax(z, move=in_numpy, target=target):
            return -np.sum(target * move(log_softmax(z)), -1, keepdims=True)

        def of_sigmoid(z, move=in_numpy, target=target):
            # What is picked of p is picked of 1 - p, too.
            place = move(z)
            return -target * log_sigmoid(place) - (1 - target) * log_sigmoid(-place)
        functions.update({f'{name} of softmax': softmax, f'{name} of sigmoid': sigmoid})
        references.update({f'{name} of softmax': of_softmax, f'{name} of sigmoid': of_sigmoid})
    check(functions, references, dict.fromkeys(functions, Z))


def test_the_axis_of_a_softmax_need_not_be_the_last_one():
    target = DRAW.integers(0, 2, (2, 4, 3)).astype('float64')
    check({'f': lambda z: objectives.categorical_crossentropy(B.transpose(activations.softmax(z, 1), (0, 2, 1)), B.constant(target))},
          {'f': lambda z: -np.sum(target * log_softmax(z, 1).transpose(0, 2, 1), -1, keepdims=True)}, {'f': Z})


def test_integers_and_truth_values_have_no_logarithms():
    for dtype in ('int32', 'bool'):
        found = objectives.categorical_crossentropy(B.cast(B.sigmoid(B.constant([[0., 90.]])), dtype), B.constant([[0., 1.]]))
        np.testing.assert_allclose(B.eval(found), [[0.]], atol=1e-6)


# -- layers -----------------------------------------------------------------------------------------------------------

W = np.array([[1., -1.], [0.5, 2.]])
X = np.array([[[60., -20.], [-50., 30.], [10., 90.]], [[30., 0.], [80., -10.], [-70., 10.]]])


def dense(activation='softmax'):
    return Dense(2, activation=activation, initial_weights={'W': W})


def steps(activation='softmax'):
    return TimeDistributed(dense(activation))


def recurrent(**options):
    return SimpleRNN(2, activation='softmax', initial_weights={'W': W, 'U': W.T}, **options)


def of_recurrent(x, order=slice(None), counted=None):
    h, found = np.zeros((2, 2)), []
    for t in range(3)[order]:
        z = x[:, t] @ W + h @ W.T
        made = log_softmax(z)
        if counted is not None:
            made = np.where(counted[:, t, None], made, found[-1] if found else np.log(EPSILON))
        found.append(made)
        h = np.exp(made) if counted is None else np.where(counted[:, t, None], np.exp(made), h)
    return np.stack(found, 1)


LOGS = log_softmax(X @ W)


def layers_and_logs():
    """Layers to be fed one after the other with X, and the logarithms of what they give."""
    return {
        'TimeDistributed': (steps(), LOGS), 'an activation over steps': ([steps('linear'), Activation('softmax')], LOGS),
        'a function': ([steps('linear'), Lambda(lambda t: B.softmax(t))], LOGS), 'Reshape': ([steps(), Reshape((2, 3))], LOGS.reshape(2, 2, 3)),
        'Flatten': ([steps(), Flatten()], LOGS.reshape(2, 6)), 'PermuteDims': ([steps(), PermuteDims([1, 0]), PermuteDims([1, 0])], LOGS),
        'ExpandDims': ([steps(), ExpandDims(1)], LOGS[:, :, None]), 'Repeat': ([steps(), Repeat(3)], LOGS.repeat(3, 1)),
        'UnSampling1D': ([steps(), UnSampling1D(2)], LOGS.repeat(2, 1)), 'Cropping1D': ([steps(), Cropping1D((1, 1))], LOGS[:, 1:2]),
        'Dropout that is off': ([steps(), Dropout(0.5), SpatialDropout1D(0.3), GaussianNoise(0.1), Dropout(0.)], LOGS),
        'identities': ([steps(), Activation('linear'), Lambda(lambda t: t), Masking(None)], LOGS),
        'a model': (Sequential([Input((3, 2)), steps(), Sequential([Input((3, 2)), Activation('linear')])]), LOGS),
        'the largest': ([steps(), GlobalPooling1D('max')], LOGS.max(1)), 'SimpleRNN': (recurrent(return_sequences=True), of_recurrent(X)),
        'the last step': (recurrent(), of_recurrent(X)[:, -1]), 'unrolled': (recurrent(unroll=True, return_sequences=True), of_recurrent(X)),
        'backwards': (recurrent(go_backwards=True, return_sequences=True), of_recurrent(X, slice(None, None, -1))),
    }


def test_logits_are_remembered_through_layers():
    x, tensors, expected = Input((3, 2)), [], []

    def loss(y, logs):
        target = DRAW.integers(0, 3, logs.shape) / 2.
        tensors.append(B.symbolic(lambda: objectives.categorical_crossentropy(y.tensor, B.constant(target)), []))
        expected.append(-np.sum(target * logs, -1, keepdims=True))
    cases = layers_and_logs()
    for layers, logs in cases.values():
        y = x
        for layer in layers if isinstance(layers, list) else [layers]:
            y = layer(y)
        loss(y, logs)
    p = steps()(x)
    loss(p[:, -1], LOGS[:, -1])
    loss(Concatenate(0)([p, p[:, ::-1]]), np.concatenate([LOGS, LOGS[:, ::-1]], 1))
    loss(ElementWiseMax()([p, p[:, ::-1]]), np.maximum(LOGS, LOGS[:, ::-1]))
    loss(B.stack([p, p], 1), np.stack([LOGS, LOGS], 1))
    forward, backward = Bidirectional(recurrent(return_sequences=True), merge_mode=None)(x)
    loss(forward, of_recurrent(X))
    wanted = [*cases, 'Kensor', 'Concatenate', 'ElementWiseMax', 'B.stack', 'Bidirectional']
    for name, found, one in zip(wanted, B.function([x.tensor], tensors)(X), expected):
        np.testing.assert_allclose(found, one, rtol=1e-9, err_msg=name)


def test_logits_of_steps_that_a_mask_leaves_out():
    data = X.copy()
    data[0, 1:], data[1, 0] = 0., 0.
    counted = np.any(data != 0., -1)
    x = Input((3, 2), mask_value=0.)
    target = np.ones((2, 2)) * 0.5
    last = B.symbolic(lambda: objectives.categorical_crossentropy(recurrent()(x).tensor, B.constant(target)), [])
    logs = of_recurrent(data, counted=counted)
    [found] = B.function([x.tensor], [last])(data)
    np.testing.assert_allclose(found, -np.sum(target * logs[:, -1], -1, keepdims=True), rtol=1e-9)
    model = Model(x, recurrent(return_sequences=True)(x))
    model.compile('sgd', 'categorical_crossentropy')
    one = np.tile([0., 1.], (2, 3, 1))
    losses = np.sum(-logs[..., 1] * counted, 1) / counted.sum(1)
    np.testing.assert_allclose(model.evaluate(data, one)['loss'], losses.mean(), rtol=1e-9)


@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_a_sequence_far_out_is_trained(floatx):
    B.set_floatx(floatx)
    x = Input((3, 2))
    model = Model(x, recurrent(return_sequences=True)(x))
    model.compile(SGD(lr=0.01), 'sparse_categorical_crossentropy')
    before, wrong = model.get_weights(), np.argmin(of_recurrent(X), -1)
    first, second = (model.fit(X, wrong, nb_epoch=1, verbose=0).column('loss')[0] for _ in range(2))
    assert first > second > 16.2
    assert all(np.any(model.get_weights()[name] != before[name]) for name in before if name[-1] in 'WU')


# -- logits that are infinite, or gone --------------------------------------------------------------------------------

@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_infinite_logits(floatx):
    B.set_floatx(floatx)
    z, right = np.array([[1., 2., -np.inf], [-np.inf, 0., -np.inf]]), np.array([[0., 1., 0.], [0., 1., 0.]])
    edges, target = np.array([[np.inf, -np.inf, 0.]]), np.array([[1., 0., 1.]])
    share = np.array([[0.5, 0.5, 0.], [0., 1., 0.]])
    functions = {
        'categorical': lambda z: objectives.categorical_crossentropy(activations.softmax(z), B.constant(right)),
        'sparse': lambda z: objectives.sparse_categorical_crossentropy(activations.softmax(z), B.constant([[1], [1]])),
        'divergence': lambda z: objectives.kullback_leibler_divergence(activations.softmax(z), B.constant(share)),
        'binary': lambda z: objectives.binary_crossentropy(activations.sigmoid(z), B.constant(target)),
        'moved': lambda z: objectives.categorical_crossentropy(activations.softmax(z)[:1, ::-1], B.constant(right[:1, ::-1].copy()))}
    found = values_and_gradients(functions, {**dict.fromkeys(functions, z), 'binary': edges}, {
        **dict.fromkeys(functions, np.ones((2, 1))), 'binary': np.ones((1, 3)), 'moved': np.ones((1, 1))})
    p, loss = np.exp(2.) / (np.exp(1.) + np.exp(2.)), np.log1p(np.exp(-1.))
    for name in ('categorical', 'sparse'):
        np.testing.assert_allclose(found[name][0], [[loss], [0.]], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(found[name][1], [[1 - p, p - 1, 0.], [0., 0., 0.]], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found['moved'][0], [[loss]], rtol=1e-6)
    np.testing.assert_allclose(found['divergence'][0], [[np.log(0.5) - (np.log(p) + np.log(1 - p)) / 2], [0.]], rtol=1e-5, atol=1e-5)
    assert np.all(np.isfinite(found['divergence'][1]))
    np.testing.assert_allclose(found['binary'][0], [[0., 0., np.log(2.)]], rtol=1e-6)
    np.testing.assert_allclose(found['binary'][1], [[0., 0., -0.5]], rtol=1e-6)


@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_an_infinite_logit_is_a_very_large_one(floatx):
    """One that is infinite has the probability 1, and several share it; so do all where all are minus infinity."""
    B.set_floatx(floatx)
    z = np.array([[np.inf, 0., -np.inf], [np.inf, 5., np.inf], [-np.inf] * 3, [0., 1., -np.inf], [np.nan, 0., 1.]])
    p = np.array([[1., 0., 0.], [0.5, 0., 0.5], [1 / 3] * 3, [1 / (1 + np.e), np.e / (1 + np.e), 0.], [np.nan] * 3])
    right = np.array([[1., 0., 0.], [0., 0., 1.], [0., 1., 0.], [0., 1., 0.], [1., 0., 0.]])
    wrong = np.array([[0., 1., 0.], [0., 1., 0.], [1., 0., 0.], [0., 0., 1.], [1., 0., 0.]])
    functions = {'p': activations.softmax, 'log': activations.log_softmax,
                 'right': lambda z: objectives.categorical_crossentropy(activations.softmax(z) * 1., B.constant(right)),
                 'sparse': lambda z: objectives.sparse_categorical_crossentropy(activations.softmax(z), B.constant(right.argmax(1)[:, None])),
                 'divergence': lambda z: objectives.kullback_leibler_divergence(activations.softmax(z), B.constant(p)),
                 'wrong': lambda z: objectives.categorical_crossentropy(activations.softmax(z), B.constant(wrong))}
    shapes = {**dict.fromkeys(functions, (5, 1)), 'p': (5, 3), 'log': (5, 3)}
    found = values_and_gradients(functions, dict.fromkeys(functions, z), {name: np.ones(shape) for name, shape in shapes.items()})
    np.testing.assert_allclose(found['p'][0][:4], p[:4], rtol=1e-6)
    losses = -np.log([1., 0.5, 1 / 3, np.e / (1 + np.e), np.nan])
    for name in ('right', 'sparse'):
        np.testing.assert_allclose(found[name][0][:, 0], losses, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found['divergence'][0][:4, 0], 0., atol=1e-4)
    assert np.all(found['wrong'][0][[0, 1, 3]] > 1e37)
    for name, (value, gradient) in found.items():
        assert np.all(np.isfinite(gradient[:4])) and not np.any(np.isnan(value[:4])) and np.isnan(value[4, 0]), name
    # Of the finite logits it is the formula's, softmax(z) - y, and none of the infinite ones.
    np.testing.assert_allclose(found['wrong'][1][:4], np.where(np.isfinite(z), p - wrong, 0.)[:4], rtol=1e-6)


@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_probabilities_whose_logits_are_gone(floatx):
    """The value is bounded, and the gradient is that of the logarithm."""
    B.set_floatx(floatx)
    z, right = np.array([[40., -40.], [0., 30.]]), np.array([[0., 1.], [1., 0.]])

    def gone(p):
        return B.dot(p, np.eye(2))
    functions = {'categorical': lambda z: objectives.categorical_crossentropy(gone(activations.softmax(z)), B.constant(right)),
                 'sparse': lambda z: objectives.sparse_categorical_crossentropy(gone(activations.softmax(z)), B.constant([[1], [0]])),
                 'divergence': lambda z: objectives.kullback_leibler_divergence(gone(activations.softmax(z)), B.constant(right)),
                 'binary': lambda z: objectives.binary_crossentropy(gone(activations.sigmoid(z)), B.constant(right))}
    found = values_and_gradients(functions, {**dict.fromkeys(functions, z), 'binary': -np.abs(z)}, {
        **dict.fromkeys(functions, np.ones((2, 1))), 'binary': right})
    for name in ('categorical', 'sparse', 'divergence'):
        value, gradient = found[name]
        np.testing.assert_allclose(value, [[-np.log(EPSILON)]] * 2, rtol=1e-5)
        np.testing.assert_allclose(gradient, [[1., -1.], [-1., 1.]], rtol=1e-5)
    np.testing.assert_allclose(found['binary'][0][right == 1], [-np.log(EPSILON), np.log(2.)], rtol=1e-5)
    np.testing.assert_allclose(found['binary'][1][right == 1], [-1., -0.5], rtol=1e-5)


def test_a_probability_of_zero_has_a_gradient():
    p, target = np.array([[0., -0.5, 1.]]), B.constant([[1., 1., 0.]])
    found = values_and_gradients({'f': lambda p: objectives.binary_crossentropy(p, target)}, {'f': p}, {'f': np.ones((1, 3))})['f']
    np.testing.assert_allclose(found[0], np.full((1, 3), -np.log(EPSILON)), rtol=1e-6)
    np.testing.assert_allclose(found[1], [[-1 / EPSILON, -1 / EPSILON, 1 / EPSILON]], rtol=1e-6)
