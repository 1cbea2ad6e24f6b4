"""Reductions of an axis without cells are those of the neutral element, on every backend."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.testing.numerics import using_floatx


@pytest.mark.parametrize('shape, axis', [((2, 0), 1), ((2, 0), 0), ((2, 0), None), ((0, 3), 0), ((2, 0, 3), (0, 1)), ((0,), 0)])
@pytest.mark.parametrize('dtype', ['float32', 'float64', 'int32', 'int64'])
@pytest.mark.parametrize('is_known', [True, False])
def test_extrema_of_no_values(shape, axis, dtype, is_known):
    x = B.placeholder(shape if is_known else [None] * len(shape), dtype)
    made = B.symbolic(lambda x: [B.max(x, axis), B.min(x, axis, keepdims=True), B.sum(x, axis), B.prod(x, axis)], [x])
    least, most = (-np.inf, np.inf) if dtype[0] == 'f' else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    given = np.zeros(shape, dtype)
    expected = [np.max(given, axis, initial=least), np.min(given, axis, initial=most, keepdims=True), given.sum(axis), given.prod(axis)]
    for found, one in zip(B.function([x], made)(given), expected):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, one)


def test_the_gradient_and_the_logarithm_of_a_sum_of_no_values():
    with using_floatx('float64'):
        x = B.placeholder((2, None))
        made = B.symbolic(lambda x: [B.logsumexp(x, 1), *B.gradients(B.sum(B.max(x, 1)), [x])], [x])
        of_none, gradient = B.function([x], made)(np.zeros((2, 0)))
        np.testing.assert_array_equal(of_none, [-np.inf, -np.inf])
        assert gradient.shape == (2, 0)
        np.testing.assert_array_equal(B.function([x], made)([[1., 3., 3.], [2., 1., 0.]])[1], [[0, .5, .5], [1, 0, 0]])
