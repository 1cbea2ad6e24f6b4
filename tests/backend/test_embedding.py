"""Embedding: indices that are not there, dropout of rows, masks, training."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError
from keraflow.layers import Dense, Embedding, Flatten, Input, Lambda, TimeDistributed
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.testing import assert_close

TEXT = 'words: expected indices from 0 to 4, received larger ones. Make vocabulary_size larger than the largest index.'
NEGATIVE = 'words: expected indices from 0 to 4, received negative ones. Number words from 0, or from 1 if 0 is padding.'


def embedding_model(*layers, dtype='int32', **options):
    return Sequential([Input(3, dtype=dtype), *layers, Embedding(5, 2, name='words', **options), Flatten(), Dense(1)])


def refused(call, text=TEXT):
    with pytest.raises(DataError) as caught:
        call()
    assert str(caught.value) == text


@pytest.mark.parametrize('wrong', [5, -1, 10 ** 6, -10 ** 6])
@pytest.mark.parametrize('dtype', ['int32', 'int64'])
def test_an_index_that_is_not_there_is_refused_and_nothing_is_changed(wrong, dtype):
    model = embedding_model(dtype=dtype)
    model.compile('sgd', 'mse')
    x, y = np.array([[0, 1, 4], [2, 3, wrong]]), np.ones((2, 1))
    before = model.get_weights()
    for call in (lambda: model.fit(x, y, verbose=0), lambda: model.evaluate(x, y), lambda: model.predict(x)):
        refused(call, TEXT if wrong > 0 else NEGATIVE)
    for name, array in model.get_weights().items():
        assert_close(name, array, before[name], 0)
    assert model.predict(x[:1]).shape == (1, 1)


def test_an_index_that_a_layer_computes_is_refused():
    def next_index(x):
        return x + 1
    model = embedding_model(Lambda(next_index))
    assert model.predict(np.array([[0, 1, 3]])).shape == (1, 1)
    refused(lambda: model.predict(np.array([[0, 1, 4]])))
    x = Input((2, 3), dtype='int32')
    nested = Model(x, TimeDistributed(Embedding(5, 2, name='words'))(x))
    assert nested.predict(np.full((1, 2, 3), 4)).shape == (1, 2, 3, 2)
    refused(lambda: nested.predict(np.full((1, 2, 3), 5)))


def test_an_index_of_a_raw_array_is_refused():
    layer = Embedding(5, 2, name='words')
    layer(Input(3, dtype='int32'))
    assert_close('rows', B.eval(layer(np.array([[0, 4]]))), layer.get_weights()['W'][[[0, 4]]], 0)
    refused(lambda: B.eval(layer(np.array([[0, 5]]))))
    refused(lambda: B.eval(layer(np.array([[0, -1]]))), NEGATIVE)


def test_numbers_that_are_no_indices_are_refused_when_the_layer_is_fed():
    for dtype in (None, 'bool'):
        with pytest.raises(ArgumentTypeError) as caught:
            Embedding(5, 2, name='words')(Input(3, dtype=dtype))
        assert str(caught.value) == f"words: expected integers, received {dtype or 'float32'}. Write Input(..., dtype='int32')."


@pytest.mark.parametrize('name', ['input_dim', 'num_embeddings'])
def test_the_words_of_other_libraries_are_told_ours(name):
    with pytest.raises(ArgumentTypeError) as caught:
        Embedding(output_dim=2, **{name: 5})
    assert str(caught.value) == f"Embedding: there is no argument '{name}'. Did you mean 'vocabulary_size'?"
    with pytest.raises(ArgumentError, match='Embedding: vocabulary_size: expected an integer of at least 1, received 0.'):
        Embedding(0, 2)


def test_dropout_takes_whole_rows_and_the_same_ones_everywhere_in_a_batch():
    x = Input(40, dtype='int32')
    model = Model(x, Embedding(30, 6, 'one', drop_rate=0.5)(x))
    indices = np.random.default_rng(0).integers(0, 30, (5, 40))
    assert_close('without training', model.predict(indices), np.ones((5, 40, 6)), 0)
    outputs = model.predict(indices, train_mode=True)
    assert set(np.unique(outputs)) == {0., 2.}
    rows = {index: {tuple(row) for row in outputs[indices == index]} for index in range(30)}
    assert all(found in ({(0.,) * 6}, {(2.,) * 6}) for found in rows.values())
    assert 0.2 < np.mean([found == {(0.,) * 6} for found in rows.values()]) < 0.8


def test_the_mask_of_the_indices_goes_on():
    kensor = Embedding(5, 2)(Input((None,), dtype='int32', mask_value=0))
    assert kensor.shape == (None, None, 2) and kensor.mask_shape == (None, None)
    assert Embedding(5, 2)(Input(3, dtype='int32')).mask_shape is None


def test_rows_that_no_index_names_stay_and_others_move_by_the_sum_of_their_gradients():
    x = Input(3, dtype='int32')
    layer = Embedding(5, 2)
    model = Model(x, layer(x))
    model.compile(SGD(lr=0.5), 'mse')
    before, indices = layer.get_weights()['W'].astype('float64'), np.array([[1, 1, 3]])
    targets = np.arange(6.).reshape(1, 3, 2)
    model.fit(indices, targets, nb_epoch=1, verbose=0)
    expected = before.copy()
    for place, index in enumerate(indices[0]):      # the loss is the mean over six numbers
        expected[index] -= 0.5 * 2 * (before[index] - targets[0, place]) / 6
    assert_close('the table', layer.get_weights()['W'], expected, 1e-6)
