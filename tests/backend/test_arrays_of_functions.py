"""What the functions of ``B.function`` make of the arrays that they are given, silently and alike."""
import warnings

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentError, ShapeError


@pytest.mark.parametrize('given, expected', [
    ([1e300, -1e300, np.nan], [np.inf, -np.inf, np.nan]), (np.array([2 ** 53 + 1, 1, 2]), [2. ** 53, 1, 2]), ([True, 0, 2], [1, 0, 2])])
def test_numbers_are_cast_without_a_warning(given, expected):
    x = B.placeholder((3,))
    run = B.function([x], [x * 1.])
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        np.testing.assert_array_equal(run(given)[0], np.array(expected, 'float32'))


def test_reals_are_cast_to_integers_without_a_warning():
    x = B.placeholder((2,), 'int32')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert B.function([x], [x + 0])([1.9, 1e300])[0][0] == 1


def test_what_is_given_is_copied_and_checked():
    x = B.placeholder((None, 3))
    run, array = B.function([x], [x]), np.ones((2, 3), 'float32')
    [found] = run(array)
    array += 1
    np.testing.assert_array_equal(found, 1)
    for given, kind, text in (([], ArgumentError, 'expected 1 array(s), received 0.'),
                              ([array[0]], ShapeError, 'expected an array of shape (None, 3), received (3,).'),
                              ([array[:, :2]], ShapeError, 'expected an array of shape (None, 3), received (2, 2).')):
        with pytest.raises(kind) as caught:
            run(*given)
        assert str(caught.value) == f'function: {text}'
