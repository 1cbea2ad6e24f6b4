"""Results where NumPy itself gives something else: of scalars, of indices from the end, and memory that is not one's own."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import DataError
from keraflow.testing.numerics import using_floatx


def test_softplus_of_a_scalar():
    with using_floatx('float64'):
        np.testing.assert_allclose(B.eval(B.softplus(B.constant(1.))), np.log1p(np.e), rtol=1e-15)
        np.testing.assert_allclose(B.eval(B.softplus(B.constant(-1e3))), 0., atol=1e-300)


def test_a_negative_index_is_refused_in_a_run():
    """Taken as counted from the end, its part of the gradient and that of the same place would not be added up."""
    x, places = B.variable([[1., 2.], [3., 4.]]), B.placeholder((None,), 'int64')
    run = B.function([places], B.symbolic(lambda places: B.gradients(B.sum(B.gather(x, places)), [x]), [places]))
    np.testing.assert_array_equal(run([1, 1])[0], [[0, 0], [2, 2]])
    with pytest.raises(DataError, match='gather: indices: expected integers from 0 to 1, received others.'):
        run([1, -1])


def test_results_may_be_written_in():
    x = B.placeholder((None, 1))
    of_sum, filled = B.function([x], B.symbolic(lambda x: [
        B.gradients(B.sum(B.square(B.sum(x, 0))), [x])[0], B.full((4,), B.sum(x))], [x]))(np.ones((3, 1)))
    of_sum[0], filled[0] = 7, 8
    np.testing.assert_array_equal(of_sum, [[7], [6], [6]])
    np.testing.assert_array_equal(filled, [8, 3, 3, 3])


def test_a_variable_set_to_a_repeated_number_can_have_rows_set():
    x = B.variable([2.])
    B.function([], [], [(x, B.full((1,), B.sum(x) + 1.))])()
    assert x.value.flags.writeable
    np.testing.assert_array_equal(B.get_value(x), [3])


def test_the_mixed_second_gradient_of_a_power_with_exponent_0():
    with using_floatx('float64'):
        x, y = B.variable(2.), B.variable(0.)

        def build():
            of_x, of_y = B.gradients(B.power(x, y), [x, y])
            return [*B.gradients(of_x, [y]), *B.gradients(of_y, [x])]
        np.testing.assert_allclose(B.function([], B.symbolic(build, []))(), [0.5, 0.5], rtol=1e-15)


@pytest.mark.parametrize('multiply', [B.dot, B.matmul])
def test_products_over_an_axis_without_cells(multiply):
    x, y = B.placeholder((None, 3, None)), B.placeholder((None, 4))
    run = B.function([x, y], B.symbolic(lambda x, y: [multiply(x, y), *B.gradients(B.sum(multiply(x, y)), [x, y])], [x, y]))
    made, of_x, of_y = run(np.ones((2, 3, 0)), np.ones((0, 4)))
    np.testing.assert_array_equal(made, np.zeros((2, 3, 4)))
    assert (of_x.shape, of_y.shape) == ((2, 3, 0), (0, 4))
