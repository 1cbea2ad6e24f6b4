"""Optimizers: steps against NumPy, clipping, the learning rate, and what is kept between steps."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow import optimizers
from keraflow.errors import ArgumentError
from keraflow.schedules import PolynomialDecay

NB_STEP = 20


# -- the same in NumPy: from parameter, gradient, slots (which it changes), t and lr to the new parameter --------------

def sgd(momentum=0., decay=0., nesterov=False):
    def step(p, g, s, t, lr):
        lr = lr / (1 + decay * (t - 1))
        s['v'] = momentum * s.get('v', 0) - lr * g
        return p + momentum * s['v'] - lr * g if nesterov else p + s['v']
    return step


def rmsprop(rho=0.9, epsilon=1e-8):
    def step(p, g, s, t, lr):
        s['a'] = rho * s.get('a', 0) + (1 - rho) * g ** 2
        return p - lr * g / (np.sqrt(s['a']) + epsilon)
    return step


def adagrad(epsilon=1e-8):
    def step(p, g, s, t, lr):
        s['a'] = s.get('a', 0) + g ** 2
        return p - lr * g / (np.sqrt(s['a']) + epsilon)
    return step


def adadelta(rho=0.95, epsilon=1e-8):
    def step(p, g, s, t, lr):
        s['a'] = rho * s.get('a', 0) + (1 - rho) * g ** 2
        update = g * np.sqrt(s.get('d', 0) + epsilon) / np.sqrt(s['a'] + epsilon)
        s['d'] = rho * s.get('d', 0) + (1 - rho) * update ** 2
        return p - lr * update
    return step


def adam(beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    def step(p, g, s, t, lr):
        s['m'] = beta_1 * s.get('m', 0) + (1 - beta_1) * g
        s['v'] = beta_2 * s.get('v', 0) + (1 - beta_2) * g ** 2
        return p - lr * np.sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t) * s['m'] / (np.sqrt(s['v']) + epsilon)
    return step


def adamax(beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    def step(p, g, s, t, lr):
        s['m'] = beta_1 * s.get('m', 0) + (1 - beta_1) * g
        s['u'] = np.maximum(beta_2 * s.get('u', 0), np.abs(g))
        return p - lr / (1 - beta_1 ** t) * s['m'] / (s['u'] + epsilon)
    return step


def adamw(weight_decay=0.01, **arguments):
    def step(p, g, s, t, lr):
        return adam(**arguments)(p, g, s, t, lr) - lr * weight_decay * p
    return step


def nadam(beta_1=0.9, beta_2=0.999, epsilon=1e-8, momentum_decay=0.004):
    def step(p, g, s, t, lr):
        mu = [beta_1 * (1 - 0.5 * 0.96 ** (i * momentum_decay)) for i in range(1, t + 2)]
        s['m'] = mu[t - 1] * s.get('m', 0) + (1 - mu[t - 1]) * g
        s['v'] = beta_2 * s.get('v', 0) + (1 - beta_2) * g ** 2
        m = mu[t] * s['m'] / (1 - np.prod(mu)) + (1 - mu[t - 1]) * g / (1 - np.prod(mu[:t]))
        return p - lr * m / (np.sqrt(s['v'] / (1 - beta_2 ** t)) + epsilon)
    return step


def ftrl(beta=1., l1=0., l2=0.):
    """Algorithm 1 of the paper, with a z that makes the first weights the best ones before there is a gradient."""
    def step(p, g, s, t, lr):
        z, a = s.get('z', -p * beta / lr), s.get('a', 0)
        s['z'] = z + g - (np.sqrt(a + g ** 2) - np.sqrt(a)) / lr * p
        s['a'] = a + g ** 2
        p = np.where(np.abs(s['z']) <= l1, 0,
                     -(s['z'] - np.sign(s['z']) * l1) / ((beta + np.sqrt(s['a'])) / lr + l2))
        s['d'] = -s['z'] - p * (beta + np.sqrt(s['a'])) / lr
        return p
    return step


def clipped(gradients, clipnorm=None, clipvalue=None):
    if clipnorm:
        norm = np.sqrt(sum(np.sum(g ** 2) for g in gradients))
        gradients = [g * min(1., clipnorm / norm) for g in gradients]
    return [np.clip(g, -clipvalue, clipvalue) for g in gradients] if clipvalue else gradients


#: (class, learning rate, arguments of the rule, clipping)
CASES = [
    ('SGD', sgd, 0.1, {}, {}),
    ('SGD', sgd, 0.1, {'momentum': 0.9}, {}),
    ('SGD', sgd, 0.1, {'momentum': 0.9, 'nesterov': True}, {}),
    ('SGD', sgd, 0.1, {'momentum': 0.5, 'decay': 0.1, 'nesterov': True}, {'clipnorm': 2.}),
    ('SGD', sgd, 0.1, {'decay': 0.1}, {}),
    ('SGD', sgd, 0.1, {'nesterov': True}, {'clipvalue': 0.3}),
    ('SGD', sgd, 0.1, {}, {'clipnorm': 1}),
    ('SGD', sgd, 0.1, {}, {'clipnorm': 1., 'clipvalue': 0.2}),
    ('RMSprop', rmsprop, 0.01, {}, {}),
    ('RMSprop', rmsprop, 0.01, {'rho': 0.5, 'epsilon': 1e-3}, {'clipvalue': 0.5}),
    ('Adagrad', adagrad, 0.1, {}, {}),
    ('Adagrad', adagrad, 0.1, {'epsilon': 1e-2}, {'clipnorm': 0.5}),
    ('Adadelta', adadelta, 1., {}, {}),
    ('Adadelta', adadelta, 0.5, {'rho': 0.9, 'epsilon': 1e-4}, {'clipvalue': 0.5}),
    ('Adam', adam, 0.01, {}, {}),
    ('Adam', adam, 0.01, {'beta_1': 0.8, 'beta_2': 0.99, 'epsilon': 1e-4}, {'clipnorm': 1.}),
    ('Adamax', adamax, 0.01, {}, {}),
    ('Adamax', adamax, 0.01, {'beta_1': 0.8, 'beta_2': 0.99, 'epsilon': 1e-4}, {'clipvalue': 0.5}),
    ('AdamW', adamw, 0.01, {}, {}),
    ('AdamW', adamw, 0.1, {'weight_decay': 0.5, 'beta_1': 0.8, 'epsilon': 1e-4}, {'clipnorm': 1.}),
    ('Nadam', nadam, 0.01, {}, {}),
    ('Nadam', nadam, 0.01, {'beta_1': 0.8, 'beta_2': 0.99, 'epsilon': 1e-4, 'momentum_decay': 1.}, {'clipvalue': 0.5}),
    ('Ftrl', ftrl, 0.1, {}, {}),
    ('Ftrl', ftrl, 0.5, {'beta': 0.3, 'l1': 3., 'l2': 0.2}, {'clipvalue': 2.}),
]


def loss_of(x, W, b):
    return B.sum(x * B.square(W - 1.)) * 0.5 + B.sum(B.square(b - B.sum(x, 0))) * 0.5


def gradients_of(x, W, b):
    return [x * (W - 1), b - x.sum(0)]


def start():
    return np.random.default_rng(4).normal(size=(3, 2)), np.random.default_rng(5).normal(size=2)


def compiled(several, dtype):
    """A step of several optimizers, each on parameters of its own, in one function; and the parameters."""
    parameters = [[B.variable(value, dtype) for value in start()] for _ in several]
    for optimizer, own in zip(several, parameters):
        optimizer.build(own)

    def builder(x):
        losses, updates = [], []
        for optimizer, own in zip(several, parameters):
            loss, _, gradients = B.value_and_gradients(lambda own=own: (loss_of(x, *own), None), own)
            losses.append(loss)
            updates += optimizer.updates(own, gradients)
        return losses, updates
    return B.compile(builder, [B.TensorSpec((3, 2), dtype)]), parameters


@pytest.mark.parametrize('floatx, rtol', [('float64', 1e-11), ('float32', 1e-4)])
def test_steps(floatx, rtol):
    B.set_floatx(floatx)
    xs = np.random.default_rng(6).uniform(0.1, 2., (NB_STEP, 3, 2)).astype(floatx)
    several = [getattr(optimizers, name)(lr=lr, **arguments, **clip) for name, _, lr, arguments, clip in CASES]
    step, parameters = compiled(several, floatx)
    for x in xs:
        step(x)
    for (name, rule, lr, arguments, clip), optimizer, own in zip(CASES, several, parameters):
        case = f'{name} {arguments} {clip}'
        expected, slots = list(start()), [{}, {}]
        for t, x in enumerate(xs, 1):
            gradients = clipped(gradients_of(x.astype('float64'), *expected), **clip)
            expected = [rule(**arguments)(p, g, s, t, lr) for p, g, s in zip(expected, gradients, slots)]
        for variable, value in zip(own, expected):
            found = B.get_value(variable)
            assert found.dtype == floatx
            np.testing.assert_allclose(found, value, rtol=rtol, atol=rtol, err_msg=case)
        state = {name: B.get_value(variable) for name, variable in optimizer.state().items()}
        assert state.pop('iterations') == NB_STEP
        state.pop('product', None)
        for place, value in state.items():
            slot, index = place.split('/')
            assert value.dtype == floatx
            np.testing.assert_allclose(value, slots[int(index)][slot], rtol=rtol, atol=rtol, err_msg=f'{case} {place}')


def test_one_optimizer_for_parameters_of_two_dtypes():
    W, b = B.variable(start()[0], 'float32'), B.variable(start()[1], 'float64')
    optimizer = optimizers.Adam(clipnorm=3.)
    optimizer.build([W, b])
    x = np.ones((3, 2))

    def builder():
        return [], optimizer.updates([W, b], [W - 1., b - 3.])
    step = B.compile(builder, [])
    B.set_value(optimizer.state()['iterations'], 999_999)       # far on, powers are still exact
    step()
    gradients = clipped(gradients_of(x, *start()), clipnorm=3.)
    for variable, value, gradient, dtype, rtol in zip([W, b], start(), gradients, ['float32', 'float64'], [1e-6, 1e-7]):
        found = B.get_value(variable)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, adam()(value, gradient, {}, 1_000_000, 0.001), rtol=rtol)
    assert [B.dtype(variable) for variable in optimizer.state().values()] == [
        'int64', 'float32', 'float32', 'float64', 'float64']


def test_the_learning_rate_acts_on_compiled_functions():
    builds = []
    parameter = B.variable(np.zeros(2))
    optimizer = optimizers.SGD(lr=0.5)
    optimizer.build([parameter])

    def builder():
        builds.append(1)
        return [], optimizer.updates([parameter], [B.ones_like(parameter)])
    step = B.compile(builder, [])
    step()
    optimizer.lr = 0.25
    step()
    np.testing.assert_allclose(B.get_value(parameter), [-0.75, -0.75])
    assert len(builds) == 1 and optimizer.lr == 0.25
    optimizer.build([parameter])        # compiled again, it goes on with the rate that was set
    step = B.compile(builder, [])
    step()
    np.testing.assert_allclose(B.get_value(parameter), [-1., -1.])
    assert B.get_value(optimizer.state()['iterations']) == 1


def test_gradients_of_zero_are_not_scaled_to_nan():
    cases = [optimizers.get(name) for name in ('SGD', 'RMSprop', 'Adagrad', 'Adadelta', 'Adam', 'Adamax', 'Nadam', 'Ftrl')]
    for optimizer in cases:
        optimizer.clipnorm = 1.
    parameters = [B.variable(np.ones(2)) for _ in cases]
    for optimizer, parameter in zip(cases, parameters):
        optimizer.build([parameter])

    def builder():
        return [], [pair for optimizer, parameter in zip(cases, parameters)
                    for pair in optimizer.updates([parameter], [B.zeros_like(parameter)])]
    step = B.compile(builder, [])
    step()
    step()
    for parameter in parameters:
        np.testing.assert_array_equal(B.get_value(parameter), [1, 1])


def test_state():
    parameters = [B.variable(np.zeros((3, 2))), B.variable(np.zeros(()))]
    names = {
        'SGD': [], 'RMSprop': ['a/0', 'a/1'], 'Adagrad': ['a/0', 'a/1'], 'Adadelta': ['a/0', 'd/0', 'a/1', 'd/1'],
        'Adam': ['m/0', 'v/0', 'm/1', 'v/1'], 'Adamax': ['m/0', 'u/0', 'm/1', 'u/1'],
        'AdamW': ['m/0', 'v/0', 'm/1', 'v/1'], 'Nadam': ['m/0', 'v/0', 'm/1', 'v/1', 'product'],
        'Ftrl': ['a/0', 'd/0', 'a/1', 'd/1']}
    for name, slots in names.items():
        optimizer = optimizers.get(name)
        optimizer.build(parameters)
        state = optimizer.state()
        assert list(state) == ['iterations', *slots]
        for place in slots[:4]:
            assert B.get_value(state[place]).shape == ((3, 2) if place.endswith('0') else ())
    momentum = optimizers.SGD(momentum=0.9)
    momentum.build(parameters)
    assert list(momentum.state()) == ['iterations', 'v/0', 'v/1']
    momentum.build([])
    assert list(momentum.state()) == ['iterations'] and len(momentum.updates([], [])) == 1


def test_a_state_that_is_restored_continues():
    first, second = optimizers.Adam(lr=0.1), optimizers.Adam(lr=0.1)
    step, (own, other) = compiled([first, second], 'float32')
    x = np.ones((3, 2), 'float32')
    for _ in range(3):
        step(x)
    before = [B.get_value(variable) for variable in [*own, *first.state().values()]]
    step(x)
    expected = [B.get_value(variable) for variable in own]
    for variable, value in zip([*other, *second.state().values()], before):
        B.set_value(variable, value)
    step(x)
    for variable, value in zip(other, expected):
        np.testing.assert_array_equal(B.get_value(variable), value)


def test_the_momentum_of_nadam():
    optimizer = optimizers.Nadam(momentum_decay=1.)
    step, [own] = compiled([optimizer], 'float64')
    x = np.ones((3, 2))
    step(x)
    step(x)
    assert B.get_value(optimizer.state()['product']) == pytest.approx(0.9 ** 2 * (1 - 0.48) * (1 - 0.4608), rel=1e-14)
    optimizer.build(own)
    assert B.get_value(optimizer.state()['product']) == 1.


def test_ftrl_keeps_weights_at_zero():
    optimizer, parameter = optimizers.Ftrl(lr=0.5, l1=1.), B.variable([0., 0.])
    optimizer.build([parameter])
    step = B.compile(lambda g: ([], optimizer.updates([parameter], [g])), [B.TensorSpec((2,), 'float32')])
    for _ in range(4):
        step(np.array([0.2, 0.3], 'float32'))
    found = B.get_value(parameter)      # the sums of the gradients are 0.8 and 1.2
    assert found[0] == 0. and found[1] == pytest.approx(-(1.2 - 1.) / ((1. + 0.6) / 0.5), rel=1e-5)


def test_ftrl_with_a_rate_of_zero():
    optimizer, parameter = optimizers.Ftrl(lr=PolynomialDecay(0.1, 1), l1=0.5, l2=0.5), B.variable([0., 3.])
    optimizer.build([parameter])
    step = B.compile(lambda: ([], optimizer.updates([parameter], [B.ones_like(parameter)])), [])
    step()
    before = B.get_value(parameter)
    step()
    np.testing.assert_array_equal(B.get_value(parameter), before)


def test_parameters_of_another_model():
    ours, theirs = B.variable(np.zeros(2)), B.variable(np.zeros(2))
    optimizer = optimizers.SGD()
    optimizer.build([ours])
    for variables in ([theirs], [ours, theirs], []):
        with pytest.raises(ArgumentError) as caught:
            optimizer.updates(variables, variables)
        assert str(caught.value) == ('SGD: expected the parameters that this optimizer was built for, received others. '
                                     'Give each model its own optimizer.')
