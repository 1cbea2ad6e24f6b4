"""Constraints and regularizers against NumPy, with their gradients."""
import numpy as np
import pytest
from differences import check, values_and_gradients

from keraflow import backend as B
from keraflow.constraints import MaxNorm, NonNeg, UnitNorm
from keraflow.errors import ShapeError
from keraflow.regularizers import L1, L1L2, L2

EPSILON = 1e-7


@pytest.fixture(autouse=True)
def float64(backend_name):
    B.set_floatx('float64')


def norm(w, axis):
    return np.sqrt(np.sum(w ** 2, axis=axis, keepdims=True))


def max_norm(m, axis):
    return lambda w: w * np.clip(norm(w, axis), 0, m) / (EPSILON + norm(w, axis))


def unit_norm(axis):
    return lambda w: w / (EPSILON + norm(w, axis))


CASES = {
    'maxnorm': ((5, 3), MaxNorm(), max_norm(2, 0)),
    'maxnorm rows': ((5, 3), MaxNorm(m=1, axis=-1), max_norm(1, 1)),
    'maxnorm kernels': ((2, 3, 2, 2), MaxNorm(1.5, axis=[0, 2, 3]), max_norm(1.5, (0, 2, 3))),
    'maxnorm vector': ((4,), MaxNorm(m=0.5), max_norm(0.5, 0)),
    'unitnorm': ((5, 3), UnitNorm(), unit_norm(0)),
    'unitnorm kernels': ((2, 3, 2, 2), UnitNorm(axis=(0, 2, 3)), unit_norm((0, 2, 3))),
    'nonneg': ((5, 3), NonNeg(), lambda w: np.maximum(w, 0)),
    'l1': ((5, 3), L1(0.3), lambda w: 0.3 * np.sum(np.abs(w))),
    'l2': ((5, 3), L2(0.3), lambda w: 0.3 * np.sum(w ** 2)),
    'l1l2': ((5, 3), L1L2(0.3, 0.2), lambda w: 0.3 * np.sum(np.abs(w)) + 0.2 * np.sum(w ** 2)),
}


def test_values_and_gradients():
    draw = np.random.default_rng(3)
    arrays = {name: draw.normal(size=shape) for name, (shape, _, _) in CASES.items()}
    functions, references = ({name: case[place] for name, case in CASES.items()} for place in (1, 2))
    check(functions, references, arrays)


def test_what_the_constraints_are_for():
    w = 3 * np.random.default_rng(3).normal(size=(6, 4))
    w[:, 0] *= 0.01
    bounded, unit, positive = B.eval([it(B.constant(w)) for it in (MaxNorm(m=2.5), UnitNorm(), NonNeg())])
    np.testing.assert_allclose(norm(bounded, 0)[0], [norm(w, 0)[0, 0], 2.5, 2.5, 2.5], rtol=1e-5)
    np.testing.assert_allclose(norm(unit, 0), np.ones((1, 4)), rtol=1e-5)
    assert positive.min() == 0 and np.all(positive[w > 0] == w[w > 0])


@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_a_parameter_of_zeros(floatx):
    B.set_floatx(floatx)
    functions = {'maxnorm': MaxNorm(), 'unitnorm': UnitNorm(), 'nonneg': NonNeg(), 'l1': L1(), 'l2': L2()}
    weights = {name: np.ones(() if name in ('l1', 'l2') else (3, 2)) for name in functions}
    found = values_and_gradients(functions, dict.fromkeys(functions, np.zeros((3, 2))), weights)
    for name, (value, gradient) in found.items():
        assert value.dtype == floatx and np.all(value == 0) and np.all(np.isfinite(gradient)), name


def test_a_parameter_of_integers():
    w = np.array([[3, -1], [4, 0]], 'int32')
    functions, expected = (MaxNorm(2, axis=0), UnitNorm(), NonNeg()), (max_norm(2, 0)(w), unit_norm(0)(w), np.maximum(w, 0))
    for function, wanted, dtype in zip(functions, expected, ('float64', 'float64', 'int32')):
        found = B.eval(function(B.variable(w)))
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_an_axis_that_is_not_there():
    with pytest.raises(ShapeError) as caught:
        MaxNorm(axis=1)(B.variable(np.ones(3)))
    assert str(caught.value) == 'MaxNorm: there is no axis 1 in a parameter of 1 axis, (3,). Pass another axis=.'
    with pytest.raises(ShapeError) as caught:
        UnitNorm(axis=[0, -3])(B.variable(np.ones((3, 2))))
    assert str(caught.value) == 'UnitNorm: there is no axis -3 in a parameter of 2 axes, (3, 2). Pass another axis=.'
