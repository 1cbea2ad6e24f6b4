"""Dot: masks and mistakes; and the mistakes of layers of learned activations."""
import numpy as np
import pytest

from keraflow.errors import ArgumentError, GraphError, KeraFlowWarning, ShapeError
from keraflow.layers import Dot, Input, PReLU
from keraflow.models import Model


def test_the_product_has_the_mask_of_the_first_input():
    x, y = Input((3, 2), mask_value=0.), Input((None, 2), mask_value=0.)
    assert Dot()([x, y]).mask_shape == (None, 3)
    assert Dot()([x, Input(2)]).mask_shape == (None, 3)
    with pytest.warns(KeraFlowWarning, match='the mask of its input is lost, because Dot neither'):
        assert Dot(0)([x, Input((3, 4))]).mask_shape is None


def test_a_norm_of_zero_divides_nothing():
    x, y = Input(2), Input(2)
    found = Model([x, y], Dot(normalize=True)([x, y])).predict([np.zeros((1, 2)), np.ones((1, 2))])
    np.testing.assert_array_equal(found, [[0.]])


MISTAKES = [
    (lambda: Dot([0, 1, 2]), ArgumentError, 'Dot: axes: expected one axis or two, received [0, 1, 2].'),
    (lambda: Dot(name='d')([Input(3)]), GraphError, 'd: expected two inputs, received 1. Write Dot()([x, y]).'),
    (lambda: Dot(name='d')([Input(3), Input((2, 2, 3))]), ShapeError, 'd: expected an input of rank 2 to 3, received shape (None, 2, 2, 3). '
     'Put a Reshape() before it.'),
    (lambda: Dot((0, 1), name='d')([Input(3), Input((3, 4))]), ShapeError, 'd: expected inputs of one length along axes (0, 1), '
     'received (None, 3) and (None, 3, 4). Choose other axes.'),
    (lambda: PReLU(name='p')(Input((None, 3))), ShapeError, 'p: expected an input whose lengths are known but for the batch and '
     'shared_axes, received shape (None, None, 3). Put the axes of unknown length into shared_axes.'),
]


@pytest.mark.parametrize('make, kind, text', MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text


def test_another_shape_than_before():
    layer = PReLU(shared_axes=1, name='p')
    layer(Input((3, 4)))
    layer(Input((3, 5)))
    with pytest.raises(ShapeError) as caught:
        layer(Input((4, 4)))
    assert str(caught.value) == ('p: expected an input that fits alpha of shape (3, 1), received shape (None, 4, 4). Make another layer for '
                                 'this one.')
