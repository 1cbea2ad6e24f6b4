"""Functions of arrays that do not call NumPy's own of the same name, compared with plain ones."""
import itertools
import math

import numpy as np
import pytest

from keraflow_backends.numpy_backend.functions import FUNCTIONS

REALS = np.array([[0., -0., 1.5, -2.], [np.nan, np.inf, -np.inf, 1e-30], [3., 4., 5., -6.]])
FLAGS = np.array([[1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 1]], bool)


@pytest.mark.parametrize('dtype', ['float32', 'float64', 'int32', 'int64', 'bool'])
def test_values_are_selected_to_the_last_bit(dtype):
    """Whatever is not selected, of arrays in any order of memory, and of broadcast ones."""
    x = np.nan_to_num(REALS, posinf=7, neginf=-7).astype(dtype) if dtype[0] in 'ib' else REALS.astype(dtype)
    other = x[::-1, ::-1]
    for condition, one, two in ((FLAGS, x, other), (FLAGS.T, x.T, other.T), (FLAGS[:, ::2], x[:, 1::2], other[:, ::2]),
                                (FLAGS[:, :1], x, other), (FLAGS, x, x[0]), (FLAGS, x, x[0, 0]), (FLAGS, x[:1], other),
                                (FLAGS[0, 0], x, other), (FLAGS[0], x, other[0])):
        found, expected = FUNCTIONS['where'](condition, one, two), np.where(condition, one, two)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(np.signbit(found.astype('float64')), np.signbit(expected.astype('float64')))


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_what_is_masked_is_zero_even_of_nan(dtype):
    x = REALS.astype(dtype)
    for condition, one in ((FLAGS, x), (FLAGS.T, x.T), (FLAGS[:, :1], x), (FLAGS, x[:1]), (FLAGS[1, 1], x)):
        found, expected = FUNCTIONS['masked'](condition, one), np.where(condition, one, np.zeros((), dtype))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('dtype, tolerance', [('float32', 1e-6), ('float64', 1e-15)])
def test_functions_of_numbers_are_exact_and_finite_far_out(dtype, tolerance):
    x = np.array([-800., -90., -20., -3., -1e-9, 0., 1e-9, 0.5, 3., 20., 90., 800.], dtype)
    wide = [float(one) for one in x]
    expected = {'sigmoid': [1 / (1 + math.exp(-one)) if one > -700 else 0. for one in wide],
                'softplus': [max(one, 0.) + math.log1p(math.exp(-abs(one))) for one in wide],
                'erf': [math.erf(one) for one in wide], 'relu': [max(one, 0.) for one in wide]}
    for name, values in expected.items():
        with np.errstate(all='ignore'):
            found = FUNCTIONS[name](x)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, values, rtol=tolerance, atol=1e-37 if dtype == 'float32' else 1e-300, err_msg=name)


@pytest.mark.parametrize('dtype, tolerance', [('float32', 5e-7), ('float64', 1e-15)])
def test_erf_is_that_of_python_wherever_it_changes(dtype, tolerance):
    x = np.concatenate([np.linspace(-7, 7, 20001), np.linspace(-.5, .5, 2001), [np.inf, -np.inf, np.nan, 1e30]]).astype(dtype)
    with np.errstate(all='raise', under='ignore'):
        found = FUNCTIONS['erf'](x)
    np.testing.assert_allclose(found, [math.erf(float(one)) for one in x], rtol=tolerance)
    assert found.dtype == dtype and FUNCTIONS['erf'](x[0]).shape == () and np.signbit(FUNCTIONS['erf'](np.array(-0., dtype)))


@pytest.mark.parametrize('like', [(3, 4), (4,), (1, 4), (3, 1), (), (1, 1), (2, 3, 4), (2, 1, 4), (1, 3, 1)])
def test_sums_undo_broadcasting(like):
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 4))
    for one in (x, x.transpose(0, 2, 1).copy().transpose(0, 2, 1)):
        found = FUNCTIONS['sum_to_like'](one, np.empty(like))
        expected = np.zeros(like)
        for place in itertools.product(*map(range, x.shape)):
            cell = tuple(0 if n == 1 else i for i, n in zip(place[3 - len(like):], like))
            expected[cell] += one[place]
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize('axis', [0, 1, 2])
@pytest.mark.parametrize('indices', [np.array([1, 0, 1, 1]), np.array([[0, 1], [1, 1]]), np.array(1), np.zeros((0,), 'int64')])
def test_what_was_taken_is_added_back(axis, indices):
    x = np.zeros((2, 3, 2))
    g = np.random.default_rng(1).uniform(-1, 1, np.take(x, indices, axis).shape)
    expected = np.zeros_like(x)
    np.add.at(expected, (slice(None),) * axis + (indices,), g)
    np.testing.assert_allclose(FUNCTIONS['add_at'](g, indices, x, axis=axis), expected, atol=1e-12)


def test_a_long_sum_in_float32_loses_no_digits():
    x = np.full((3, 1_000_000), 0.1, 'float32')
    for one in (x, x.T):
        assert abs(FUNCTIONS['sum'](one, axis=None, keepdims=False) / (3e6 * float(np.float32(0.1))) - 1) < 1e-7
