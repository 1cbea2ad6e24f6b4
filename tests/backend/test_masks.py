"""Masks: who makes them, hands them on, changes them, reads them, and is told when one is lost."""
import warnings
from functools import partial

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import KeraFlowWarning
from keraflow.layers import (Activation, Concatenate, Dropout, ElementWiseMult, ElementWiseSum, ExpandDims, Flatten,
                             Input, Lambda, Layer, Masking, PermuteDims, Repeat, Reshape)
from keraflow.models import Model, Sequential

X = np.array([[[1, 2], [0, 0], [0, 3]], [[0, 0], [4, 0], [0, 0]]], 'float32')
MASK = np.array([[1, 0, 1], [0, 1, 0]], bool)


class ReadMask(Layer):
    """Its mask, as numbers."""

    def output(self, x):
        return B.cast(self.get_tensor_mask(x), 'int32')

    def output_shape(self, input_shape):
        return input_shape[:2]


class Keeps(Layer):
    def support_mask(self):
        return True


class Loses(Layer):
    pass


class KeepsInside(Layer):
    def output(self, x):
        return self.embed(Keeps())(x * 2)


class LosesInside(Layer):
    def output(self, x):
        return self.embed(Loses(name='inner'))(x * 2)


class Forgets(Layer):
    """Embeds a layer that cannot know of the mask."""

    def output(self, x):
        return self.embed(Keeps())(B.sum(x, axis=1))

    def output_shape(self, input_shape):
        return (input_shape[0], input_shape[2])


def masks_of(layers, x=X, mask_value=0., inputs=1):
    """The mask behind each of some layers that are fed with a masked Input, computed by one function."""
    fed = [Input(x.shape[1:], mask_value=mask_value) for _ in range(inputs)]
    made = [layer(fed if layer.multi_input else fed[0]) for layer in layers]
    for kensor in made:
        assert kensor.mask_shape is not None, kensor.layer
    found = Model(fed, [ReadMask()(kensor) for kensor in made]).predict([x] * inputs)
    found = found if isinstance(found, list) else [found]
    for kensor, mask in zip(made, found):
        assert kensor.mask_shape == (None, *mask.shape[1:]), kensor.layer
    return found


KEEPING = [
    Keeps, KeepsInside, Masking, partial(Activation, 'tanh'), partial(Dropout, 0.5), partial(Dropout, 0.), partial(ExpandDims, 1),
    partial(ExpandDims, -1), partial(Reshape, (3, 1, 2)), partial(PermuteDims, (0, 1)), partial(Repeat, 3, axis=1),
    lambda: Sequential([Activation('relu'), Keeps()]),
]


def test_layers_that_keep_the_time_axis_keep_the_mask():
    for number, mask in enumerate(masks_of([make() for make in KEEPING])):
        np.testing.assert_array_equal(mask, MASK, err_msg=str(number))


def test_layers_that_change_the_time_axis_change_the_mask():
    x = Input((3, 2), mask_value=0.)
    other = Input((2, 2))
    repeated, joined, batches = Repeat(2)(x), Concatenate(0)([x, other]), Concatenate(0, include_batch_dim=True)([x, x])
    assert [one.mask_shape for one in (repeated, joined, batches)] == [(None, 6), (None, 5), (None, 3)]
    y = np.ones((2, 2, 2), 'float32')
    found = Model([x, other], [ReadMask()(one) for one in (repeated, joined)]).predict([X, y])
    np.testing.assert_array_equal(found[0], np.repeat(MASK, 2, 1))
    np.testing.assert_array_equal(found[1], [[1, 0, 1, 1, 1], [0, 1, 0, 1, 1]])
    doubled = B.compile(lambda x: (ReadMask().run(Concatenate(0, include_batch_dim=True).run([Keeps().run([masked(x)])[0]] * 2)), []),
                        [B.TensorSpec((None, 3, 2), 'float32')])(X)[0]
    np.testing.assert_array_equal(doubled, np.concatenate([MASK, MASK]))


def masked(x):
    return Masking().run([x])[0]


def test_several_masks_are_joined_by_and():
    x, y, free = Input((3, 2), mask_value=0.), Input((3, 2), mask_value=5.), Input((3, 2))
    data = X.copy()
    data[0, 0] = 5
    layers = ElementWiseSum(), ElementWiseMult(), Concatenate(1), Concatenate(-1)
    found = Model([x, y, free], [ReadMask()(layer([free, x, y])) for layer in layers]).predict([X, data, X])
    for mask in found:
        np.testing.assert_array_equal(mask, [[0, 0, 1], [0, 1, 0]])
    again = Model([x, free], ReadMask()(ElementWiseSum()([free, x]))).predict([X, X])
    np.testing.assert_array_equal(again, MASK)


def test_masking():
    x = Input((None, 2), mask_value=4.)
    y = Masking()(x)
    assert (y.shape, y.mask_shape) == ((None, None, 2), (None, None))
    model = Model(x, [y, ReadMask()(y), ReadMask()(Masking(3.)(Masking(None)(y)))])
    data = np.array([[[4, 4], [0, 0], [3, 3], [1, 4]]], 'float32')
    values, mask, other = model.predict(data)
    np.testing.assert_array_equal(values, data)
    np.testing.assert_array_equal(mask, [[0, 0, 1, 1]])
    np.testing.assert_array_equal(other, [[1, 1, 0, 1]])
    ids = Input(3, dtype='int32')
    np.testing.assert_array_equal(Model(ids, ReadMask()(Masking(7)(ids))).predict(np.array([[7, 0, 1]], 'int32')), [[0, 1, 1]])


def test_a_mask_goes_through_models():
    inner_input = Input((3, 2))
    inner = Model(inner_input, Activation('tanh')(inner_input))
    same = Model(*[Input((3, 2), name='same')] * 2)
    own = Input((3, 2), mask_value=0.)
    makes = Model(own, Activation('tanh')(own))
    x, free = Input((3, 2), mask_value=0.), Input((3, 2))
    found = Model([x, free], [ReadMask()(inner(x)), ReadMask()(same(x)), ReadMask()(makes(free))]).predict([X, X])
    for mask in found:
        np.testing.assert_array_equal(mask, MASK)
    assert inner(free).mask_shape is None


# -- lost masks ---------------------------------------------------------------------------------------------------------

TEXT = ('{0}: the mask of its input is lost, because {1} neither hands it on nor reads it: what follows takes the masked steps for '
        'steps that count. If that is meant, put a Masking(None) before it.')

LOSING = [(Loses, 'Loses'), (partial(Flatten, name='f'), 'Flatten'), (lambda: Lambda(lambda x: x * 1), 'Lambda'), (partial(ExpandDims, 0), 'ExpandDims'),
          (partial(Reshape, (2, 3)), 'Reshape'), (partial(Reshape, (-1, 2), include_batch_dim=True), 'Reshape'),
          (partial(PermuteDims, (1, 0)), 'PermuteDims'), (Forgets, 'Forgets')]


@pytest.mark.parametrize('make, kind', LOSING, ids=[f'{kind}-{number}' for number, (_, kind) in enumerate(LOSING)])
def test_a_layer_that_loses_a_mask_says_so_once(make, kind):
    x, layer = Input((3, 2), mask_value=0.), make()
    with pytest.warns(KeraFlowWarning) as caught:
        y = layer(x)
    assert [str(one.message) for one in caught] == [TEXT.format(layer.name, kind)]
    assert caught[0].filename == __file__
    assert y.mask_shape is None
    layer(x)
    Model(x, y).predict(X)
    make()(Input((3, 2)))
    make()(Masking(None)(x))


def test_an_embedded_layer_that_loses_a_mask_says_so_alone():
    x = Input((3, 2), mask_value=0.)
    for make in (LosesInside, lambda: Sequential([Keeps(), Loses(name='inner'), Keeps()])):
        with pytest.warns(KeraFlowWarning) as caught:
            assert make()(x).mask_shape is None
        assert [str(one.message) for one in caught] == [TEXT.format('inner', 'Loses')]


def test_an_inner_layer_of_a_model_says_so_when_the_model_is_given_a_mask():
    inner_input = Input((3, 2))
    inner = Model(inner_input, Loses(name='inner')(inner_input))
    with pytest.warns(KeraFlowWarning) as caught:
        inner(Input((3, 2), mask_value=0.))
    assert [str(one.message) for one in caught] == [TEXT.format('inner', 'Loses')]


def test_a_layer_that_reads_a_mask_need_not_hand_it_on():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert ReadMask()(Input((3, 2), mask_value=0.)).mask_shape is None
