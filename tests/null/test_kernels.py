"""Kernels that are flipped, against NumPy's convolution, and against lists."""
import numpy as np
import pytest

from keraflow.errors import ArgumentTypeError, ShapeError
from keraflow.utils import convert_kernel


def test_a_series_convolved_with_a_kernel_is_correlated_with_the_converted_one():
    series, kernel = np.array([1., 2., 4., 8., 3.]), np.array([1., 10., 100.])
    converted = convert_kernel(kernel.reshape(1, 1, 3)).ravel()
    np.testing.assert_array_equal(np.convolve(series, kernel, 'valid'), np.correlate(series, converted, 'valid'))
    np.testing.assert_array_equal(converted, [100., 10., 1.])


def test_only_the_spatial_axes_are_flipped():
    kernel = np.arange(24).reshape(2, 2, 2, 3)
    np.testing.assert_array_equal(convert_kernel(kernel)[1, 0], [[17, 16, 15], [14, 13, 12]])
    np.testing.assert_array_equal(convert_kernel(kernel, 'tf')[0, 1], kernel[1, 0])
    np.testing.assert_array_equal(convert_kernel(convert_kernel(kernel)), kernel)


@pytest.mark.parametrize('args, kind, text', [
    ((np.zeros((1, 1, 2)), 'first'), ArgumentTypeError, "convert_kernel: dim_ordering: expected one of 'th', 'tf', received 'first'."),
    ((np.zeros((2, 2)),), ShapeError, 'convert_kernel: expected an array of at least 3 axes, received shape (2, 2).')])
def test_mistakes(args, kind, text):
    with pytest.raises(kind) as caught:
        convert_kernel(*args)
    assert str(caught.value) == text
