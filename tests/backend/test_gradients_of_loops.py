"""Gradients through loops over time: those of central differences, and of the same steps written out."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.errors import BackendError
from keraflow.testing import assert_close
from keraflow.testing.numerics import numerical_gradient, using_floatx

NB_STEP, BATCH, DIM = 4, 3, 2
NAMES = ('x', 'h', 'U', 'V', 'b', 'outside')


@pytest.fixture(autouse=True)
def in_float64():
    with using_floatx('float64'):
        yield


def values():
    shapes = ((NB_STEP, BATCH, DIM), (BATCH, DIM), (DIM, DIM), (DIM, DIM), (DIM,), (DIM, DIM))
    return [np.random.default_rng(5).uniform(-1, 1, shape) for shape in shapes]


MASK = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], bool)


def one_product(slices, states, constants):
    U, V, b, outside = constants
    return [B.tanh(slices[0] + B.dot(states[0], U) + b)]


def several_products(slices, states, constants):
    """One matrix in two products, one of them by matmul; a product that nothing uses; a matrix that also adds."""
    U, V, b, outside = constants
    z = B.sigmoid(B.matmul(states[0], U) + b)
    B.dot(z, V)
    return [z * states[0] + (1 - z) * B.tanh(B.dot(z * states[0], V) + B.dot(slices[0], U) + V[0])]


def states_of_several_kinds(slices, states, constants):
    """A count, a state that is only added to, and one that does not depend on the one before."""
    U, V, b, outside = constants
    h, total, count, last = states
    return [B.tanh(B.dot(h, U) + slices[0] * (1 + 0.1 * B.cast(count, 'float64'))),
            total + B.sum(B.dot(h, V), 1, keepdims=True), count + 1, slices[0]]


def a_loop_in_a_step(slices, states, constants):
    U, V, b, outside = constants
    _, [h] = B.loop(lambda inner, state, _: [B.tanh(B.dot(state[0], V) + inner[0])], [B.stack([slices[0], slices[0]])],
                    [B.dot(states[0], U)], collect=False)
    return [h]


def nothing_of_the_state(slices, states, constants):
    return [B.dot(slices[0], constants[0])]


STEPS = [one_product, several_products, states_of_several_kinds, a_loop_in_a_step, nothing_of_the_state]


def loss_of(step, tensors, unroll=False, mask=None, closed=False, collect=True):
    """A loss of the outputs and the last states."""
    x, h, *constants = tensors
    states = [h]
    if step is states_of_several_kinds:
        states += [B.zeros((BATCH, 1)), B.zeros((BATCH, 1), 'int64'), h * 2]
    given = (lambda slices, states, _: step(slices, states, constants)) if closed else step
    outputs, last = B.scan(given, [x], states, () if closed else constants, mask, unroll, collect)
    ends = sum(B.sum(B.square(one)) * (2. + place) for place, one in enumerate(last) if B.dtype(one) == 'float64')
    return ends + B.sum(outputs * outputs * outputs) if collect else ends


def gradients_of(step, arrays, mask=None, length=NB_STEP, **options):
    """The loss and the gradients of all arrays, which are variables."""
    variables = [B.variable(array) for array in arrays]
    masks = [] if mask is None else [mask]

    def builder(*given):
        loss, _, gradients = B.value_and_gradients(
            lambda: (loss_of(step, [B.identity(it) for it in variables], mask=given[0] if given else None, **options), None),
            variables)
        return [loss, *gradients], []
    specs = [TensorSpec((NB_STEP, BATCH), 'bool') for _ in masks]
    return [np.asarray(it) for it in B.compile(builder, specs)(*masks)]


@pytest.mark.parametrize('options', [{}, {'mask': MASK}, {'closed': True}, {'collect': False}], ids=lambda it: ''.join(it) or 'plain')
@pytest.mark.parametrize('step', STEPS, ids=lambda step: step.__name__)
def test_gradients_are_those_of_the_steps_written_out(step, options):
    found = gradients_of(step, values(), **options)
    expected = gradients_of(step, values(), unroll=True, **options)
    for name, one, other in zip(('loss', *NAMES), found, expected):
        assert_close(name, one, other, 1e-12)
    assert any(np.abs(one).max() > 1e-3 for one in found[1:])


@pytest.mark.parametrize('step', STEPS, ids=lambda step: step.__name__)
def test_gradients_are_central_differences(step):
    arrays = values()
    specs = [TensorSpec(array.shape, 'float64') for array in arrays]
    run = B.compile(lambda *tensors: ([loss_of(step, tensors)], []), specs)
    expected = numerical_gradient(lambda *given: float(run(*given)[0]), arrays)
    for name, one, other in zip(NAMES, gradients_of(step, arrays)[1:], expected):
        assert_close(name, one, other, 1e-7)


@pytest.mark.parametrize('collect', [False, True])
@pytest.mark.parametrize('step', STEPS, ids=lambda step: step.__name__)
def test_gradients_of_gradients_are_those_of_the_steps_written_out(step, collect):
    """Of the sum of the squares of the gradients."""
    def second(unroll):
        variables = [B.variable(array) for array in values()]

        def slope():
            _, _, gradients = B.value_and_gradients(
                lambda: (loss_of(step, [B.identity(it) for it in variables], unroll, collect=collect), None), variables)
            return sum(B.sum(B.square(it)) for it in gradients), None

        def builder():
            loss, _, gradients = B.value_and_gradients(slope, variables)
            return [loss, *gradients], []
        return [np.asarray(it) for it in B.compile(builder, [])()]
    for name, one, other in zip(('loss', *NAMES), second(False), second(True)):
        assert_close(name, one, other, 1e-10)


@pytest.mark.parametrize('unroll', [False, True])
def test_the_third_gradient_is_right_or_refused(unroll):
    """That of w + w**2 + w**3 is 6."""
    w = B.variable(2.)

    def builder():
        third, _ = B.scan(lambda slices, states, _: [states[0] * w], [B.zeros((3, 1))], [B.ones((1,))], unroll=unroll)
        found = B.sum(third)
        for _ in range(3):
            [found] = B.gradients(found, [w])
        return [found], []
    if B.name() == 'theano' and not unroll:
        with pytest.raises(BackendError, match='gradients: Theano knows the first and the second gradient of a loop over time, not the '
                                               'third. Write the steps out with unroll=True, or use another backend'):
            B.compile(builder, [])()
    else:
        assert float(B.compile(builder, [])()[0]) == 6.


@pytest.mark.parametrize('batch', [0, 1, 3])
@pytest.mark.parametrize('length', [0, 1, 5])
def test_lengths_that_are_unknown(length, batch):
    if not length and B.name() == 'theano':
        pytest.skip('theano.scan takes no empty sequence')
    U = B.variable(values()[2])

    def builder(x):
        def loss():
            step = one_product
            zeros = B.zeros((B.shape(x)[1], DIM))
            outputs, [last] = B.loop(step, [x], [zeros], [B.identity(U), U, U[0], U])
            return B.sum(B.square(outputs)) + B.sum(last), None
        total, _, gradients = B.value_and_gradients(loss, [U])
        return [total, *gradients], []
    x = np.random.default_rng(2).uniform(-1, 1, (length, batch, DIM))
    total, found = [np.asarray(it) for it in B.compile(builder, [TensorSpec((None, None, DIM), 'float64')])(x)]

    def by_hand(U):
        h, total = np.zeros((batch, DIM)), 0.
        for one in x:
            h = np.tanh(one + h @ U + U[0])
            total += np.sum(h ** 2)
        return total + h.sum()
    assert_close('the loss', total, by_hand(values()[2]), 1e-12)
    assert_close('the gradient', found, numerical_gradient(by_hand, [values()[2]])[0], 1e-8)


def test_what_a_step_draws_is_the_same_with_gradients():
    """And so is what is drawn after the loop, in which a step may have been run several times."""
    U = B.variable(values()[2])

    def step(slices, states, constants):
        return [B.tanh(slices[0] + B.dot(B.dropout(states[0], 0.5), constants[0]))]

    def loss():
        _, [last] = B.loop(step, [B.constant(values()[0])], [B.constant(values()[1])], [B.identity(U)], collect=False)
        return B.sum(B.square(last)), None

    def first_run(builder):
        B.seed(3)
        return [np.asarray(it) for it in B.compile(builder, [])()]

    def with_gradients():
        total, _, gradients = B.value_and_gradients(loss, [U])
        return [total, B.random_uniform((3,)), *gradients], []

    def without():
        return [loss()[0], B.random_uniform((3,))], []
    total, after, gradient = first_run(with_gradients)
    expected, drawn = first_run(without)
    assert_close('the loss', total, expected, 1e-12)
    assert_close('a draw after the loop', after, drawn, 0)

    def changed(U_now):
        B.set_value(U, U_now)
        return first_run(without)[0]
    assert_close('the gradient', gradient, numerical_gradient(changed, [values()[2]])[0], 1e-7)
