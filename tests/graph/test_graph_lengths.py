"""Lengths that only the data have: none is taken for known because two stand-ins for it give the same number."""
import numpy as np
import pytest

from keraflow import backend as B


@pytest.mark.parametrize('make, shape', [
    (lambda x, n: x[:, :3], (None, None, 4)), (lambda x, n: x[:, -3:], (None, None, 4)), (lambda x, n: x[:2, 0], (None, 4)),
    (lambda x, n: x[:, :3, :2], (None, None, 2)), (lambda x, n: x[..., None, :3, 1:3], (None, 1, None, 2)),
    (lambda x, n: x[:, :1], (None, None, 4)), (lambda x, n: x[:, 6000], (None, 4)), (lambda x, n: x[:, -1], (None, 4)), (lambda x, n: x[:, 7, 1:], (None, 3)),
    (lambda x, n: x[:, np.array([5, 2])], (None, 2, 4)), (lambda x, n: x[:, B.constant([5, 2])], (None, 2, 4)),
    (lambda x, n: x[:, :n], (None, None, 4)), (lambda x, n: x[:, n - 1], (None, 4)),
    (lambda x, n: B.split(x, [1, 3], axis=1)[1], (None, 3, 4)),     # which is refused in a run unless there are as many
    (lambda x, n: B.zeros((n % 4, 2)), (None, 2)), (lambda x, n: B.zeros((n - n % 4,)), (None,)),
    (lambda x, n: B.zeros((B.minimum(n, 100), B.maximum(n, 10 ** 6))), (None, None)),
    (lambda x, n: B.zeros((B.where(n > 4, 4, 5),)), (None,)), (lambda x, n: B.zeros((n // 10 ** 5, 2)), (None, 2)),
    (lambda x, n: B.zeros((2 * n, B.shape(x)[2] % 3)), (None, 1)),
    (lambda x, n: B.reshape(x, (-1, 128, 128)), (None, 128, 128)), (lambda x, n: B.reshape(x, (-1, 2)), (None, 2)),
    (lambda x, n: B.pool(x, (20000,), data_format='channels_last'), (None, None, 4))])
def test_what_follows_from_unknown_lengths_is_unknown(make, shape):
    x = B.placeholder((None, None, 4))
    assert B.static_shape(B.symbolic(lambda x: make(x, B.shape(x)[1]), [x])) == shape


def test_joining_what_an_index_has_cut_short():
    """Two steps where the index would take three: the gradients of what follows are not moved by one."""
    x, w = B.placeholder((None, None)), B.variable([[1., 2.], [3., 4.]])

    def build(x):
        joined = B.concatenate([x[:, :3], w], axis=1)
        return [joined, *B.gradients(B.sum(B.square(joined)), [x, w])]
    joined, of_x, of_w = B.function([x], B.symbolic(build, [x]))([[5., 6.], [7., 8.]])
    np.testing.assert_array_equal(joined, [[5, 6, 1, 2], [7, 8, 3, 4]])
    np.testing.assert_array_equal(of_x, [[10, 12], [14, 16]])
    np.testing.assert_array_equal(of_w, [[2, 4], [6, 8]])


def test_an_index_is_that_of_when_it_was_written():
    x, places = B.placeholder((3,)), np.array([0, 1])
    run = B.function([x], [x[places]])
    places[:] = 2
    np.testing.assert_array_equal(run(np.arange(3.))[0], [0, 1])
