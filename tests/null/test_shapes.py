"""Static shapes, in which a length may be unknown."""
import numpy as np
import pytest

from keraflow import shapes


@pytest.mark.parametrize('value, expected', [
    ((), True), ((None, 3), True), ([2, np.int64(3)], True), ((None,), True),
    (((None, 3), (None, 4)), False), ([(2, 3)], False), (3, False), (None, False), ('ab', False), ((2.,), False), ((True,), False),
])
def test_is_shape(value, expected):
    assert shapes.is_shape(value) is expected


def test_as_shape_is_a_tuple_of_plain_integers():
    shape = shapes.as_shape([None, np.int64(3), 4])
    assert shape == (None, 3, 4) and [type(length) for length in shape[1:]] == [int, int]


@pytest.mark.parametrize('one, other, agreed', [
    ((None, 3), (5, 3), (5, 3)), ((None, None), (None, 3), (None, 3)), ((), (), ()), ((2, 3), (2, 3), (2, 3)),
    ((2, None, 1), (None, 4, None), (2, 4, 1)),
    ((2, 3), (2, 4), None), ((1, 3), (2, 3), None), ((3,), (3, 3), None), ((), (None,), None), ((0,), (None,), (0,)),
])
def test_agree_and_merge(one, other, agreed):
    assert shapes.agree(one, other) is shapes.agree(other, one) is (agreed is not None)
    if agreed is not None:
        assert shapes.merge(one, other) == shapes.merge(other, one) == agreed


@pytest.mark.parametrize('lengths, expected', [((), 1), ((2, 3), 6), ((2, None), None), ((0, None), None), ((0, 5), 0)])
def test_product(lengths, expected):
    assert shapes.product(lengths) == expected


@pytest.mark.parametrize('parts, axis, expected', [
    ([(None, 3), (None, 4)], 1, (None, 7)), ([(None, 3), (5, 4), (None, 1)], 1, (5, 8)),
    ([(None, 3), (None, None)], 1, (None, None)), ([(None, 2, 3), (None, 2, 3)], 2, (None, 2, 6)), ([(None, 2, 3), (None, 5, 3)], 1, (None, 7, 3)),
    ([(2, None), (3, 4)], 0, (5, 4)), ([(None, 3)], 1, (None, 3)),
])
def test_concatenate(parts, axis, expected):
    assert shapes.concatenate(parts, axis) == expected


@pytest.mark.parametrize('shape, target, expected', [
    ((4, 3), (2, -1), (2, 6)), ((4, 3), (12,), (12,)), ((4, 3), (5, -1), None), ((4, 3), (13,), None), ((4, 3), (-1, 3, 2), (2, 3, 2)),
    ((None, 3), (-1, 3), (None, 3)), ((None, 3), (5,), (5,)), ((0, 3), (-1, 3), (0, 3)), ((0, 3), (0, -1), None), ((), (1, -1), (1, 1)),
])
def test_reshape(shape, target, expected):
    assert shapes.reshape(shape, target) == expected
    if expected is not None and None not in shape:
        assert np.zeros(shape).reshape(target).shape == expected


def test_unlist():
    assert shapes.unlist([3]) == 3 and shapes.unlist([3, 4]) == [3, 4] and shapes.unlist([]) == []
