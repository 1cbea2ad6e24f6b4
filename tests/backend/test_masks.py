"""Masks: who makes them, hands them on, changes them, reads them, and is told when one is lost."""
import gc
import warnings
import weakref
from functools import partial

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import KeraFlowWarning
from keraflow.layers import (GRU, Activation, Concatenate, Convolution1D, Cropping1D, Dropout, ElementWiseMult,
                             ElementWiseSum, ExpandDims, Flatten, GlobalPooling1D, Input, Lambda, Layer, Masking,
                             MultiInputLayer, PermuteDims, Pooling1D, Repeat, Reshape, UnSampling1D, ZeroPadding1D)
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
    supports_masking = True


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

TEXT = ('{0}: the mask of its input is lost, because {1} neither passes it on nor reads it: later layers treat masked steps as '
        'steps that count. If you intend that, put a Masking(None) before it.')

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


class MaskedMean(Layer):
    """The mean of the steps that count; it takes the mask as an argument."""

    def output(self, x, mask=None):
        if mask is None:
            return B.mean(x, axis=1)
        counts = B.expand_dims(B.cast(mask, B.dtype(x)), -1)
        return B.sum(x * counts, axis=1) / B.sum(counts, axis=1)

    def output_shape(self, input_shape):
        return (input_shape[0], input_shape[2])


class FirstMask(MultiInputLayer):
    """The mask of its first input as numbers; the second one has none."""

    def output(self, x, mask):
        assert mask[1] is None
        return B.cast(mask[0], 'int32')

    def output_shape(self, input_shape):
        return input_shape[0][:2]


def test_an_argument_named_mask_is_given_the_mask():
    expected = [X[0][MASK[0]].mean(0), X[1][MASK[1]].mean(0)]
    for value, wanted in ((0., expected), (None, X.mean(1))):
        fed = Input((3, 2), mask_value=value)
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            made = MaskedMean()(fed)
        np.testing.assert_allclose(Model(fed, made).predict(X), wanted, rtol=1e-6)
    fed, other = Input((3, 2), mask_value=0.), Input((3, 2))
    np.testing.assert_array_equal(Model([fed, other], FirstMask()([fed, other])).predict([X, X]), MASK)


class Twice(GRU):
    """Reads the mask as the layer that it extends does, without naming it."""

    def output(self, x):
        return super().output(x) * 2


class Half(GlobalPooling1D):
    def output(self, x, mask=None):
        return super().output(x) / 2


def test_a_subclass_that_calls_output_hands_the_mask_on():
    x = Input((5, 2), mask_value=0.)
    for layer, again, factor in ((GRU(3, init='one'), Twice(3, init='one'), 2), (GlobalPooling1D('avg'), Half('avg'), 0.5)):
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            found = [layer(x), again(x)]
        model = Model(x, found)
        again.set_weights(layer.get_weights())
        one, other = model.predict(SERIES)
        np.testing.assert_allclose(other, one * factor, rtol=1e-6)


class Older(Layer):
    """In the words of the first Keraflow."""

    def __init__(self, keeps=True, **kwargs):
        super().__init__(**kwargs)
        self.keeps = keeps

    def support_mask(self):
        return self.keeps


class Newer(Older):
    supports_masking = False


class OlderDropout(Dropout):
    def support_mask(self):
        return super().support_mask()


def test_support_mask_is_the_older_word_for_supports_masking():
    x = Input((3, 2), mask_value=0.)
    assert Dropout(0.5).support_mask() and not Flatten().support_mask()
    assert Older()(x).mask_shape == OlderDropout(0.1)(x).mask_shape == (None, 3)
    for layer in Older(False), Newer():
        with pytest.warns(KeraFlowWarning, match='mask of its input is lost'):
            assert layer(x).mask_shape is None


class Asks(Layer):
    """Its class does not say that it reads the mask: something else asks for it while it runs."""

    def output(self, x):
        return B.sum(look_at(self, x), axis=1)


def look_at(layer, x):
    layer.get_tensor_mask(x)
    return x


def test_asking_for_a_mask_silences_nothing():
    with pytest.warns(KeraFlowWarning, match='mask of its input is lost, because Asks neither'):
        Asks()(Input((3, 2), mask_value=0.))


# -- series that become shorter or longer --------------------------------------------------------------------------------

SERIES = np.array([[[1, -2], [3, -4], [5, -6], [0, 0], [0, 0]], [[-1, 7], [0, 0], [-9, 5], [-8, 3], [0, 0]],
                   [[0, 0]] * 5], 'float32')
STEPS = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0]], bool)


def values_and_mask(layer, x=SERIES):
    for length in (x.shape[1], None):
        fed = Input((length, x.shape[2]), mask_value=0.)
        made = layer(fed)
        found = Model(fed, [made, ReadMask()(made)]).predict(x)
        assert made.mask_shape == (None, found[1].shape[1] if length else None)
    return found


def windows(mode, least, ends):
    """The windows of SERIES that begin and end at these steps; those count of which so many steps do."""
    made = np.zeros((3, len(ends), 2))
    mask = np.zeros((3, len(ends)), bool)
    for sample in range(3):
        for number, (start, stop) in enumerate(ends):
            counted = SERIES[sample, start:stop][STEPS[sample, start:stop]]
            mask[sample, number] = len(counted) >= least
            if len(counted):
                made[sample, number] = counted.max(0) if mode == 'max' else counted.mean(0)
    return made, mask


@pytest.mark.parametrize('pad, stride, dilation', [('valid', 1, 1), ('valid', 2, 1), ('valid', 1, 2), ('same', 1, 1), ('same', 1, 2)])
@pytest.mark.parametrize('window', [2, 3])
def test_a_masked_series_is_convolved_as_a_shorter_one(pad, stride, dilation, window):
    layer = Convolution1D(2, window, stride, pad, dilation=dilation, initial_weights={'b': [1., -2.]})
    series = np.random.default_rng(3).normal(size=(1, 9, 2)).astype('float32') + 5
    padded = np.concatenate([series, np.zeros((1, 4, 2), 'float32')], axis=1)
    values, mask = values_and_mask(layer, padded)
    x = Input((9, 2))
    shorter = Model(x, layer(x)).predict(series)
    np.testing.assert_array_equal(mask[0], np.arange(mask.shape[1]) < shorter.shape[1])
    np.testing.assert_allclose(values[:, :shorter.shape[1]], shorter, rtol=1e-5, atol=1e-5)


def test_a_convolution_takes_steps_that_do_not_count_for_0():
    layer = Convolution1D(1, 3, pad='same', initial_weights=[np.ones((1, 1, 3, 2)), [0.]])
    values, mask = values_and_mask(Sequential([Masking(-1.), layer]), np.where(STEPS[..., None], SERIES, -1))
    np.testing.assert_array_equal(mask, STEPS)
    sums = SERIES.sum(axis=2)
    np.testing.assert_allclose(values[..., 0], sums + np.pad(sums, [(0, 0), (1, 1)])[:, :-2] + np.pad(sums, [(0, 0), (1, 1)])[:, 2:], rtol=1e-6)


@pytest.mark.parametrize('mode', ['max', 'avg'])
def test_windows_of_a_masked_series(mode):
    values, mask = values_and_mask(Pooling1D(mode, 2))
    expected, counted = windows(mode, 2, [(0, 2), (2, 4)])
    np.testing.assert_array_equal(mask, counted)
    np.testing.assert_allclose(values[counted], expected[counted], rtol=1e-6)
    values, mask = values_and_mask(Pooling1D(mode, 3, 2, 'same'))
    expected, counted = windows(mode, 1, [(0, 2), (1, 4), (3, 5)])
    np.testing.assert_array_equal(mask, counted)
    np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.parametrize('mode', ['max', 'avg'])
def test_a_masked_series_is_pooled_as_a_shorter_one(mode):
    x = Input((None, 2), mask_value=0.)
    free = Input((None, 2))
    found = Model(x, GlobalPooling1D(mode)(x)).predict(SERIES)
    shorter = Model(free, GlobalPooling1D(mode)(free))
    for sample in (0, 1):
        np.testing.assert_allclose(found[sample], shorter.predict(SERIES[sample][STEPS[sample]][None])[0], rtol=1e-6)
    np.testing.assert_array_equal(found[2], [0., 0.])
    windows_of_all = Model(x, Pooling1D(mode, 2)(x)).predict(SERIES)[:1, :1]
    np.testing.assert_allclose(windows_of_all, Model(free, Pooling1D(mode, 2)(free)).predict(SERIES[:1, :3]), rtol=1e-6)


@pytest.mark.parametrize('layer', [GlobalPooling1D, partial(Pooling1D, pool_size=2, pad='same')])
@pytest.mark.parametrize('mode', ['max', 'avg'])
def test_gradients_where_no_step_counts_are_0(mode, layer):
    scale = B.variable(np.ones((3, 5, 2)), 'float32')
    layer = layer(mode)

    def builder(x):
        def loss():
            return B.sum(layer.run([layer.set_tensor_mask(x * scale, Masking().get_tensor_mask(masked(x)))])[0]), None
        return [B.value_and_gradients(loss, [scale])[2][0]], []
    found = np.asarray(B.compile(builder, [B.TensorSpec((3, 5, 2), 'float32')])(SERIES)[0])
    assert np.isfinite(found).all() and not found[~STEPS].any() and found[STEPS].any()


def test_borders_and_repeated_steps_of_a_masked_series():
    values, mask = values_and_mask(ZeroPadding1D((1, 2)))
    np.testing.assert_array_equal(mask, np.pad(STEPS, [(0, 0), (1, 2)]))
    values, mask = values_and_mask(Cropping1D((1, 0)))
    np.testing.assert_array_equal(mask, STEPS[:, 1:])
    np.testing.assert_array_equal(values, SERIES[:, 1:])
    values, mask = values_and_mask(UnSampling1D(3))
    np.testing.assert_array_equal(mask, np.repeat(STEPS, 3, 1))


@pytest.mark.parametrize('make', [partial(Pooling1D, 'max'), partial(Pooling1D, 'max', pad='same'), partial(GlobalPooling1D, 'avg'),
                                  partial(ZeroPadding1D, 1), partial(Cropping1D, 1), UnSampling1D], ids=lambda make: make.func.__name__
                         if isinstance(make, partial) else make.__name__)
def test_a_mask_is_not_that_of_features_that_come_first(make):
    with pytest.warns(KeraFlowWarning, match='the mask of its input is lost'):
        assert make(data_format='channels_first')(Input((5, 4), mask_value=0.)).mask_shape is None


def test_a_layer_that_lost_a_mask_keeps_no_tensor_of_the_run():
    fed = []

    class Loses(Layer):
        def output(self, x):
            fed.append(weakref.ref(x))
            return B.sum(x, 1)
    layer = Loses()
    with pytest.warns(KeraFlowWarning, match='mask of its input is lost'):
        layer(Input((3, 2), mask_value=0.))
    gc.collect()
    assert fed and all(one() is None for one in fed)
