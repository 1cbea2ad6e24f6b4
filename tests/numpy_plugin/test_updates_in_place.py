"""Variables that a function writes into: nobody else sees that memory."""
import threading

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import DataError, ShapeError

SHAPE = (400, 500)      # of which the new value is computed in blocks
RNG = np.random.default_rng(0)


@pytest.fixture
def pair():
    values = RNG.random((2, *SHAPE)).astype('float32')
    return [B.variable(one) for one in values], values


def test_outputs_and_views_are_from_before(pair):
    (a, b), (x, y) = pair
    run = B.function([], [a, a[:2], B.transpose(b), B.sum(a)],
                     [(a, B.reshape(b, SHAPE) + B.identity(a) * 2.), (b, B.identity(a) - b)])
    found = run()
    for one, expected in zip(found[:3], (x, x[:2], y.T)):
        np.testing.assert_array_equal(one, expected)
    np.testing.assert_allclose(found[3], x.sum(), rtol=1e-5)
    np.testing.assert_allclose(B.get_value(a), y + x * 2, rtol=1e-6)
    np.testing.assert_allclose(B.get_value(b), x - y, rtol=1e-6)
    run()
    np.testing.assert_array_equal(found[0], x)


def test_values_that_change_places(pair):
    (a, b), (x, y) = pair
    B.function([], [], [(a, b), (b, a)])()
    B.set_value(a, B.get_value(a) + 1)
    np.testing.assert_array_equal(B.get_value(a), y + 1)
    np.testing.assert_array_equal(B.get_value(b), x)


def test_what_was_given_is_not_kept(pair):
    (a, _), (x, _) = pair
    fed = B.placeholder(SHAPE)
    run, array = B.function([fed], [fed], [(a, fed)]), x.copy()
    [found] = run(array)
    array += 1
    found += 2
    np.testing.assert_array_equal(B.get_value(a), x)


def test_a_condition_that_does_not_hold_changes_nothing(pair):
    (a, b), (x, y) = pair
    fed = B.placeholder((2,))
    run = B.function([fed], [], [(a, a * B.sum(B.require(fed, fed > 0, 'no'))), (b, b + 1.)])
    with pytest.raises(DataError, match='^no$'):
        run(np.array([1, -1]))
    np.testing.assert_array_equal(B.get_value(a), x)
    np.testing.assert_array_equal(B.get_value(b), y)


def test_a_new_value_has_the_shape_of_the_variable():
    v, fed = B.variable(np.ones((2, 3)), name='v'), B.placeholder((None, 3))
    with pytest.raises(ShapeError) as caught:
        B.compile(lambda: ([], [(v, v[0])]), [])()
    assert str(caught.value) == "updates: expected a new value with 2 axes for variable 'v', received one with 1."
    with pytest.raises(ShapeError) as caught:
        B.function([fed], [], [(v, fed)])(np.ones((4, 3)))
    assert str(caught.value) == "updates: expected a new value of shape (2, 3) for variable 'v', received (4, 3)."
    np.testing.assert_array_equal(B.get_value(v), 1.)


def test_several_threads_run_one_function():
    fed = B.placeholder((None, 300))
    run, wrong = B.function([fed], [B.sum(B.exp(fed - 1.) * 2. + B.exp(-fed), 1)]), []

    def work(number):
        x = np.random.default_rng(number).random((number + 1, 300)).astype('float32')
        for _ in range(50):
            if not np.allclose(run(x)[0], (np.exp(x - 1) * 2 + np.exp(-x)).sum(1), rtol=1e-4):
                wrong.append(number)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []
