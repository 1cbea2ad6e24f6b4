"""Steps that compute the rows of a table that were looked up, and leave the others alone."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow import optimizers
from keraflow.backend.contract import Backend
from keraflow.constraints import MaxNorm
from keraflow.layers import LSTM, Dense, ElementWiseSum, Embedding, Flatten, Input, Layer, TimeDistributed
from keraflow.models import Model, Sequential
from keraflow.schedules import ExponentialDecay
from keraflow.testing import assert_close, numerical_gradient
from keraflow.training.train_step import TrainStep

SIZE, DIM, NB_EPOCH = 7, 3, 3
#: A batch of two after the other, in which indices occur again; 0, 3 and 6 are never looked up.
X = np.array([[1, 1, 4, 2], [5, 1, 4, 4], [2, 2, 2, 5], [1, 5, 2, 4]])
Y = np.random.default_rng(1).normal(size=(4, 4, DIM))
START = np.random.default_rng(2).normal(size=(SIZE, DIM))


@pytest.fixture(autouse=True)
def in_float64():
    B.set_floatx('float64')


def spied(base, **own):
    """A class like `base` with attributes of its own, and the set of the shapes of what its rule is given as a whole."""
    whole = set()

    class Spied(base):
        skips_zeros = base.skips_zeros      # said again, because the rule is a new one

        def update_rule(self, c, param, gradient, *slots):
            if B.is_variable(param):
                whole.add(B.static_shape(param))
            return super().update_rule(c, param, gradient, *slots)
    for name, value in own.items():
        setattr(Spied, name, value)
    return Spied, whole


def trained(build, base, arguments, **own):
    """The weights after some epochs of `fit`, and what was updated as a whole."""
    B.seed(3)
    cls, whole = spied(base, **own)
    model = build()
    model.compile(cls(**arguments), 'mse')
    x = [X, X[:, ::-1]][:len(model.inputs)]
    y = Y if model.outputs[0].shape[1:] == Y.shape[1:] else Y.sum((1, 2)).reshape(4, 1)
    model.fit(x, y, batch_size=2, nb_epoch=NB_EPOCH, shuffle=False, verbose=0)
    return model.get_weights(), whole


def one_lookup(**options):
    return Sequential([Input(4, dtype='int32'), Embedding(SIZE, DIM, initial_weights={'W': START}, **options)])


def two_lookups():
    inputs, table = [Input(4, dtype='int32'), Input(4, dtype='int64')], Embedding(SIZE, DIM)
    return Model(inputs, Dense(1)(Flatten()(ElementWiseSum()([table(x) for x in inputs]))))


def masked():
    return Sequential([Input((None,), dtype='int32', mask_value=4), Embedding(SIZE, DIM), LSTM(2), Dense(1)])


def over_time():
    x = Input((4,), dtype='int32')
    return Model(x, TimeDistributed(Embedding(SIZE, DIM))(x))


def dropped():
    return one_lookup(drop_rate=0.5)


# -- against NumPy ----------------------------------------------------------------------------------------------------

def sgd(p, g, a, lr):
    return p - lr * g, a


def adagrad(p, g, a, lr):
    a = a + g ** 2
    return p - lr * g / (np.sqrt(a) + 1e-8), a


def steps(rule, rates, clip=lambda g: g):
    """The table after steps on the mean of the squares of ``W[x] - y``."""
    p, a = START, np.zeros_like(START)
    for number, lr in enumerate(rates):
        part = slice(0, 2) if number % 2 == 0 else slice(2, 4)
        g = np.zeros_like(p)
        np.add.at(g, X[part], 2 * (p[X[part]] - Y[part]) / Y[part].size)
        p, a = rule(p, clip(g), a, lr)
    return p


NB_STEP = 2 * NB_EPOCH
FORMULAS = [
    (optimizers.SGD, {'lr': 0.5}, steps(sgd, [0.5] * NB_STEP)),
    (optimizers.SGD, {'lr': 0.5, 'decay': 0.1, 'nesterov': True}, steps(sgd, [0.5 / (1 + 0.1 * t) for t in range(NB_STEP)])),
    (optimizers.SGD, {'lr': ExponentialDecay(0.5, 0.5, 2)}, steps(sgd, [0.5 * 0.5 ** (t / 2) for t in range(NB_STEP)])),
    (optimizers.SGD, {'lr': 0.5, 'clipnorm': 0.3}, steps(sgd, [0.5] * NB_STEP, lambda g: g * min(1, 0.3 / np.sqrt(np.sum(g ** 2))))),
    (optimizers.Adagrad, {'lr': 0.2}, steps(adagrad, [0.2] * NB_STEP)),
    (optimizers.Adagrad, {'lr': 0.2, 'clipvalue': 0.1}, steps(adagrad, [0.2] * NB_STEP, lambda g: np.clip(g, -0.1, 0.1))),
]


@pytest.mark.parametrize('base, arguments, expected', FORMULAS, ids=range(len(FORMULAS)))
def test_fit_by_rows(base, arguments, expected):
    weights, whole = trained(one_lookup, base, arguments)
    [table] = weights.values()
    assert_close('the table', table, expected, 1e-10)
    assert_close('rows that were not looked up', table[[0, 3, 6]], START[[0, 3, 6]], 0)
    assert whole == set()


def test_a_step_of_the_programs_own():
    layer = Embedding(SIZE, DIM, initial_weights={'W': START})
    layer(Input(4, dtype='int32'))
    cls, whole = spied(optimizers.Adagrad)
    step = TrainStep(lambda x, y: B.mean(B.square(layer(x) - y)), [Input(4, dtype='int32'), Input((4, DIM))], layer, cls(lr=0.2))
    for _ in range(NB_EPOCH):
        step(X[:2], Y[:2])
        step(X[2:], Y[2:])
    assert_close('the table', layer.get_weights()['W'], steps(adagrad, [0.2] * NB_STEP), 1e-10)
    assert whole == set()


# -- against steps of the whole table -----------------------------------------------------------------------------------

@pytest.mark.parametrize('base, arguments', [(optimizers.SGD, {'lr': 0.2, 'decay': 0.1}), (optimizers.Adagrad, {'clipnorm': 0.1})], ids=['sgd', 'adagrad'])
@pytest.mark.parametrize('build', [two_lookups, masked, over_time, dropped])
def test_by_rows_as_with_the_whole_table(build, base, arguments):
    found, whole = trained(build, base, arguments)
    expected, all_whole = trained(build, base, arguments, skips_zeros=False)
    assert (SIZE, DIM) not in whole and (SIZE, DIM) in all_whole
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert_close(name, found[name], array, 1e-10)
    assert any(np.any(array != first) for array, first in zip(expected.values(), build().get_weights().values()))


# -- where the whole table is computed ----------------------------------------------------------------------------------

class Tied(Layer):
    """The rows of a table, times the table: a prediction of each row."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = Embedding(SIZE, DIM, initial_weights={'W': START})

    def output(self, x):
        rows = self.embed(self.table)(x)
        return B.dot(B.dot(rows, B.transpose(self.table.W)), self.table.W)

    def output_shape(self, input_shape):
        return (*input_shape, DIM)


class InALoop(Layer):
    """The sum over time of rows that are taken in the steps of a loop."""

    def init_param(self, input_shape):
        self.set_trainable_params('W', START)

    def output(self, x):
        def step(slices, states, constants):
            return [B.add(states[0], B.gather(constants[0], slices[0]))]
        zeros = B.zeros((B.shape(x)[0], DIM))
        rows, _ = B.loop(step, [B.transpose(x)], [zeros], [self.W])
        return B.transpose(rows, (1, 0, 2))

    def output_shape(self, input_shape):
        return (*input_shape, DIM)


class Decaying(optimizers.SGD):
    """Moves what has no gradient, and says nothing of it."""

    def update_rule(self, c, param, gradient):
        [moved] = super().update_rule(c, param, gradient)
        return [moved - param * 0.1]


class Noisy(optimizers.SGD):
    """Changes the gradients, and says nothing of it."""

    def updates(self, variables, gradients):
        return super().updates(variables, [gradient + 0.1 for gradient in gradients])


def rows_of(W):
    return W[X[:2]]


def unchanged(p, g):
    return p - 0.5 * g


def bounded(p, g):
    p = p - 0.5 * g
    norms = np.sqrt(np.sum(p ** 2, 0, keepdims=True))
    return p * np.minimum(norms, 0.5) / (norms + B.epsilon())


#: (layer, optimizer, the same in NumPy: output, penalty, step)
WHOLE = {
    'tied': (Tied, optimizers.SGD, lambda W: rows_of(W) @ W.T @ W, lambda W: 0., unchanged),
    'loop': (InALoop, optimizers.SGD, lambda W: np.cumsum(rows_of(W), 1), lambda W: 0., unchanged),
    'regularizer': (lambda: Embedding(SIZE, DIM, initial_weights={'W': START}, regularizers={'W': 'l2'}), optimizers.SGD,
                    rows_of, lambda W: 0.01 * np.sum(W ** 2), unchanged),
    'constraint': (lambda: Embedding(SIZE, DIM, initial_weights={'W': START}, constraints={'W': MaxNorm(0.5)}),
                   optimizers.SGD, rows_of, lambda W: 0., bounded),
    'rule': (lambda: Embedding(SIZE, DIM, initial_weights={'W': START}), Decaying, rows_of, lambda W: 0.,
             lambda p, g: p - 0.5 * g - 0.1 * p),
    'updates': (lambda: Embedding(SIZE, DIM, initial_weights={'W': START}), Noisy, rows_of, lambda W: 0.,
                lambda p, g: p - 0.5 * (g + 0.1)),
}


@pytest.mark.parametrize('case', WHOLE)
def test_a_step_of_the_whole_table(case):
    make, optimizer, output, penalty, step = WHOLE[case]
    x = Input(4, dtype='int32')
    model = Model(x, make()(x))
    model.compile(optimizer(0.5), 'mse')
    model.fit(X[:2], Y[:2], nb_epoch=1, verbose=0)
    [gradient] = numerical_gradient(lambda W: np.mean((output(W) - Y[:2]) ** 2) + penalty(W), [START])
    [table] = model.get_weights().values()
    assert_close('the table', table, step(START, gradient), 1e-7)


def test_momentum_moves_on_what_is_not_looked_up():
    layer = Embedding(SIZE, DIM, initial_weights={'W': START})
    x = Input(4, dtype='int32')
    model = Model(x, layer(x))
    model.compile(optimizers.SGD(0.5, momentum=0.9), 'mse')
    p, v = START, np.zeros_like(START)
    for part in (slice(0, 2), slice(2, 4)):
        model.fit(X[part], Y[part], nb_epoch=1, verbose=0)
        g = np.zeros_like(p)
        np.add.at(g, X[part], 2 * (p[X[part]] - Y[part]) / Y[part].size)
        v = 0.9 * v - 0.5 * g
        p = p + v
    assert_close('the table', layer.get_weights()['W'], p, 1e-10)


def test_which_optimizers_leave_rows_alone():
    leaving = [name for name in optimizers.__all__ if name not in ('Optimizer', 'get') and getattr(optimizers, name)().skips_zeros]
    assert leaving == ['SGD', 'Adagrad']
    assert not optimizers.SGD(momentum=0.1).skips_zeros


def test_a_backend_without_gradients_by_rows(monkeypatch):
    monkeypatch.setattr(type(B.current()), 'value_and_row_gradients', Backend.value_and_row_gradients)
    weights, whole = trained(one_lookup, optimizers.Adagrad, {'lr': 0.2})
    [table] = weights.values()
    assert_close('the table', table, steps(adagrad, [0.2] * NB_STEP), 1e-10)
    assert whole == {(SIZE, DIM)}
