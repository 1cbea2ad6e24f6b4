"""Lengths that only the data have, and that do not suit: the same text on every backend."""
import numpy as np
import pytest

from keraflow import TrainStep
from keraflow import backend as B
from keraflow.callbacks import Callback
from keraflow.errors import DataError, KeraFlowError, ShapeError
from keraflow.layers import (LSTM, Activation, Convolution1D, Convolution2D, Cropping1D, Dense, ElementWiseAverage,
                             ElementWiseMax, ElementWiseMult, ElementWiseSum, Embedding, GlobalPooling1D, Input, Layer,
                             Pooling1D, Pooling2D, SeparableConvolution2D, TimeDistributed)
from keraflow.models import Model, Sequential


def fed(layer, *lengths, nb_feature=2):
    """What a layer of series of unknown length gives for series of these lengths."""
    inputs = [Input((None, nb_feature)) for _ in lengths]
    model = Model(inputs, layer(inputs if layer.multi_input else inputs[0]))
    return model.predict([np.ones((1, length, nb_feature)) for length in lengths])


AT_LEAST = 'a: expected lengths of at least {}, received shape (1, 3, 2). {}'


@pytest.mark.parametrize('make, lengths, text', [
    (lambda: Convolution1D(1, 5, name='a'), [3], AT_LEAST.format('5 (time)', "Use pad='same', or smaller kernels.")),
    (lambda: Convolution1D(1, 2, dilation=3, name='a'), [3], AT_LEAST.format('4 (time)', "Use pad='same', or smaller kernels.")),
    (lambda: Cropping1D((1, 2), name='a'), [3], AT_LEAST.format('4 (time)', 'Crop less.')),
    (lambda: Pooling1D('avg', 4, name='a'), [3], AT_LEAST.format('4 (time)', "Use pad='same', or smaller windows.")),
    (lambda: Pooling1D('max', 4, name='a'), [3], AT_LEAST.format('4 (time)', "Use pad='same', or smaller windows.")),
    (lambda: Sequential([Activation('tanh'), Pooling1D('max', 4, name='a')]), [3], AT_LEAST.format('4 (time)', "Use pad='same', or smaller windows.")),
    (lambda: ElementWiseSum(name='a'), [3, 4], 'a: expected inputs of one shape, received (1, 3, 2), (1, 4, 2).'),
])
def test_a_layer_says_which_length_does_not_suit(make, lengths, text):
    with pytest.raises(ShapeError) as caught:
        fed(make(), *lengths)
    assert str(caught.value) == text
    assert np.all(np.isfinite(fed(make(), *[9] * len(lengths))))


@pytest.mark.parametrize('make', [lambda **options: Convolution2D(1, 5, 2, name='c', **options), lambda **options: SeparableConvolution2D(1, 5, 2, name='c', **options),
                                  lambda **options: Pooling2D('avg', (5, 2), name='c', **options)], ids=['whole', 'separable', 'pooling'])
@pytest.mark.parametrize('data_format', ['channels_first', 'channels_last'])
def test_of_images(make, data_format):
    """A length that is one too short, for which TensorFlow gives an empty result, or the input."""
    def shaped(*lengths):
        return (1, *lengths) if data_format == 'channels_first' else (*lengths, 1)
    image = Input(shaped(None, None))
    made = make(data_format=data_format)
    model = Model(image, made(image))
    for lengths in ((4, 4), (9, 1), (3, 1)):
        with pytest.raises(ShapeError) as caught:
            model.predict(np.ones((2, *shaped(*lengths))))
        assert str(caught.value) == (f'c: expected lengths of at least 5 (rows), 2 (cols), received shape {(2, *shaped(*lengths))}. '
                                     f'{made.short_advice}')
        with pytest.raises(DataError) as caught:
            B.compile(lambda x: (made.run([x]), []), [B.TensorSpec((None, *shaped(None, None)), 'float32')])(
                np.ones((2, *shaped(*lengths)), 'float32'))
        assert str(caught.value) == f'c: expected lengths of at least 5 (rows), 2 (cols), received a shorter input. {made.short_advice}'
    assert model.predict(np.ones((2, *shaped(5, 2)))).shape == (2, 1, 1, 1)
    known = Input(shaped(5, 2))
    np.testing.assert_allclose(model.predict(np.ones((2, *shaped(5, 2)))), Model(known, made(known)).predict(np.ones((2, *shaped(5, 2)))))


def test_in_training_and_of_targets():
    series = Input((None, 2))
    model = Model(series, TimeDistributed(Dense(1))(Convolution1D(2, 3, name='c')(series)))
    model.compile('sgd', 'mse')
    before = model.get_weights()
    for method in (lambda *data: model.fit(*data, nb_epoch=1, verbose=0), model.evaluate):
        with pytest.raises(ShapeError, match=r'^c: expected lengths of at least 3 \(time\), received shape \(4, 1, 2\)'):
            method(np.ones((4, 1, 2)), np.ones((4, 1, 1)))
        with pytest.raises(ShapeError, match=r'^y_true: expected a target of the shape of the prediction, \(4, 3, 1\), received \(4, 5, 1\)'):
            method(np.ones((4, 5, 2)), np.ones((4, 5, 1)))
    for name, value in model.get_weights().items():
        np.testing.assert_array_equal(value, before[name])


def test_in_a_training_step_of_ones_own():
    series = Input((None, 2))
    layer = Convolution1D(1, 3, name='c')
    layer(series)
    step = TrainStep(lambda x: B.mean(layer(x)), series, layer, 'sgd')
    with pytest.raises(ShapeError, match=r'^c: expected lengths of at least 3 \(time\), received shape \(4, 1, 2\)'):
        step(np.ones((4, 1, 2)))
    assert np.isfinite(step(np.ones((4, 3, 2))))


MERGING = [ElementWiseSum, ElementWiseMult, ElementWiseAverage, ElementWiseMax]


@pytest.mark.parametrize('lengths', [(1, 4), (4, 1)])
@pytest.mark.parametrize('cls', MERGING, ids=lambda cls: cls.__name__)
def test_a_series_of_one_step_is_not_repeated(cls, lengths):
    with pytest.raises(ShapeError) as caught:
        fed(cls(name='a'), *lengths)
    assert str(caught.value) == f'a: expected inputs of one shape, received (1, {lengths[0]}, 2), (1, {lengths[1]}, 2).'
    run = B.compile(lambda *x: (cls(name='a').run(list(x)), []), [B.TensorSpec((None, None, 2), 'float32')] * 2)
    with pytest.raises(DataError) as caught:
        run(*(np.ones((1, length, 2), 'float32') for length in lengths))
    assert str(caught.value) == 'a: expected inputs of one shape, received some of different lengths along axis 1.'


@pytest.mark.parametrize('lengths', [(1, 4), (4, 1)])
@pytest.mark.parametrize('function', [lambda x, y: x + y, lambda x, y: B.maximum(x, y), lambda x, y: B.where(y > 0., y, x)], ids=['add', 'maximum', 'where'])
def test_operations_repeat_what_is_known_to_be_of_one_step(function, lengths):
    x, y, one = Input((None, 2)), Input((None, 2)), Input((1, 2))
    series = [np.full((1, length, 2), length, 'float32') for length in (*lengths, 1)]
    with pytest.raises(DataError, match='expected inputs of one length along axis 1, received different ones. Make an Input of the length 1 if '
                                        'it shall be repeated.$'):
        Model([x, y], function(x, y)).predict(series[:2])
    longer = series[0 if lengths[0] == 4 else 1]
    found = Model([x, one], function(x, one)).predict([longer, series[2]])
    assert found.shape == (1, 4, 2)


@pytest.mark.parametrize('lengths', [(1, 4), (4, 1)])
@pytest.mark.parametrize('loss', ['mse', 'binary_crossentropy', 'sparse_categorical_crossentropy'])
def test_a_target_of_one_step_is_not_repeated(loss, lengths):
    nb_class = 1 if loss != 'sparse_categorical_crossentropy' else 3
    series = Input((None, nb_class))
    model = Model(series, TimeDistributed(Dense(nb_class, activation='sigmoid'))(series))
    model.compile('sgd', loss)
    text = (rf'^y_true: expected a target of the shape of the prediction, \(2, {lengths[0]}, {nb_class}\), '
            rf'received \(2, {lengths[1]}, {nb_class}\)\. ')
    for method in (lambda *data: model.fit(*data, nb_epoch=1, verbose=0), model.evaluate):
        with pytest.raises(ShapeError, match=text):
            method(np.ones((2, lengths[0], nb_class)), np.ones((2, lengths[1], 1), 'int32'))
        method(np.ones((2, 3, nb_class)), np.ones((2, 3, 1), 'int32'))


def test_a_message_of_any_characters():
    text = """it's "{0}" [a\\b]: 100 %41 until here\n\u00e4 \u2014"""
    run = B.compile(lambda x: ([B.require(x, x > 0., text)], []), [B.TensorSpec((None,), 'float32')])
    with pytest.raises(DataError) as caught:
        run(np.zeros(1, 'float32'))
    assert str(caught.value) == text.replace('\n', '\\n')        # no message has control characters


class Wrong(Layer):
    """Fails in a way that only the backend knows."""

    def output(self, x):
        return x + B.ones((B.shape(x)[1] + 1, 2))


def test_other_errors_are_those_of_the_backend():
    with pytest.raises(Exception) as caught:
        fed(Wrong(), 3)
    assert not isinstance(caught.value, KeraFlowError)


@pytest.mark.parametrize('layer', [lambda: LSTM(2), lambda: GlobalPooling1D('max'), lambda: GlobalPooling1D('avg')], ids=['LSTM', 'max', 'avg'])
def test_series_without_a_step(layer):
    series = Input((None, 2), name='x')
    with pytest.raises(DataError) as caught:
        Model(series, layer()(series), name='m').predict(np.ones((3, 0, 2)))
    assert str(caught.value) == 'm: predict: x: expected at least one value along each axis, received shape (3, 0, 2).'


class CountsRuns(Activation):
    """Counts how often its code runs."""

    nb_run = 0

    def output(self, x):
        type(self).nb_run += 1
        return super().output(x)


@pytest.fixture
def counted(monkeypatch):
    monkeypatch.setattr(CountsRuns, 'nb_run', 0)
    return CountsRuns('linear')


def test_what_fails_elsewhere_runs_no_layer_again(counted):
    series = Input((None, 1))
    model = Model(series, TimeDistributed(Dense(1))(counted(series)))
    model.compile('sgd', 'mse')
    data = np.ones((8, 3, 1), 'float32')

    class Fails(Callback):
        def on_batch_end(self, batch, logs):
            raise RuntimeError('mine')

    def batches():
        yield data, data
        raise RuntimeError('mine')

    model.fit(data, data, nb_epoch=1, verbose=0)
    before = counted.nb_run
    for fail in (lambda: model.fit(data, data, nb_epoch=1, verbose=0, callbacks=[Fails()]), lambda: model.fit(batches, nb_epoch=1, verbose=0)):
        with pytest.raises(RuntimeError, match='mine'):
            fail()
    assert counted.nb_run == before


@pytest.mark.parametrize('length, nb_more', [(None, [1, 1, 2]), (3, [0, 0, 0])], ids=['unknown', 'known'])
def test_layers_are_run_once_more_for_unknown_lengths_alone(counted, length, nb_more):
    words = Input([length], dtype='int32')
    model = Model(words, counted(Embedding(2, 1, name='words')(words)))
    model.predict(np.ones((1, 3), 'int32'))
    before = counted.nb_run
    for nb_word, wanted in zip((3, 3, length or 4), nb_more):
        with pytest.raises(DataError, match='words: expected indices from 0 to 1, received larger ones'):
            model.predict(np.full((1, nb_word), 9))
        assert counted.nb_run == before + wanted
