"""Loops over sequences without time steps, whose other lengths only the data show."""
import numpy as np
import pytest

from keraflow import backend as B


def sums(x, w, b):
    """The last state and the states of all steps of a small recurrent network, with a bias and a condition."""
    def step(slices, states, constants):
        [one] = slices
        one = B.require(one, B.any(one > 1), 'never of zeros')
        new = B.tanh(B.dot(B.concatenate([one, states[0]], -1), w) + b) * B.mean(one, -1, keepdims=True)
        return [new + B.max(states[0], 0), states[1] + B.sum(new, -1)]
    initial = [B.zeros((B.shape(x)[1], 3)) + b, B.zeros((B.shape(x)[1],))]
    collected, states = B.loop(step, [x], initial)
    return B.sum(B.square(collected)) + B.sum(states[0] * 2.) + B.sum(states[1])


@pytest.mark.parametrize('shape', [(0, 5, 2), (0, 0, 2), (0, 1, 2)])
@pytest.mark.parametrize('order', [1, 2])
def test_gradients_of_no_steps(shape, order):
    x, w, b = B.placeholder((None, None, 2)), B.variable(np.ones((5, 3))), B.variable([1., 2., 3.])

    def build(x):
        loss = sums(x, w, b)
        for _ in range(order - 1):
            loss = sum(B.sum(B.square(one)) for one in B.gradients(loss, [x, w, b]))
        return [loss, *B.gradients(loss, [x, w, b])]
    loss, of_x, of_w, of_b = B.function([x], B.symbolic(build, [x]))(np.zeros(shape))
    count = shape[1]
    # The last state is the initial one: the bias, as often as there are samples.
    gradient = np.full(3, 2. * count) if order == 1 else np.zeros(3)
    np.testing.assert_array_equal(loss, 12. * count if order == 1 else 12. * count ** 2)
    assert of_x.shape == shape
    np.testing.assert_array_equal(of_w, np.zeros((5, 3)))
    np.testing.assert_array_equal(of_b, gradient)
