"""Padding, and pairs of words."""
import collections
import math

import numpy as np
import pytest

from keraflow import random
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError
from keraflow.preprocessing.sequence import make_sampling_table, pad_sequences, skipgrams

RAGGED = [[1], [2, 3], [4, 5, 6], []]


@pytest.mark.parametrize('arguments, expected', [
    ({}, [[0, 0, 1], [0, 2, 3], [4, 5, 6], [0, 0, 0]]),
    ({'padding_side': 'post'}, [[1, 0, 0], [2, 3, 0], [4, 5, 6], [0, 0, 0]]),
    ({'maxlen': 2}, [[0, 1], [2, 3], [5, 6], [0, 0]]),
    ({'maxlen': 2, 'truncation_side': 'post', 'padding_side': 'post'}, [[1, 0], [2, 3], [4, 5], [0, 0]]),
    ({'maxlen': 4, 'value': 9}, [[9, 9, 9, 1], [9, 9, 2, 3], [9, 4, 5, 6], [9, 9, 9, 9]]),
])
def test_padding(arguments, expected):
    padded = pad_sequences(RAGGED, **arguments)
    assert padded.tolist() == expected and padded.dtype == np.int32
    assert pad_sequences([np.array(it, int) for it in RAGGED], **arguments).tolist() == expected
    assert pad_sequences((it for it in RAGGED), **arguments).tolist() == expected


def test_steps_of_a_shape():
    padded = pad_sequences([[], [[1.5, 2.]], [[3., 4.], [5., 6.]]], dtype='float64', value=-1.)
    assert padded.tolist() == [[[-1, -1], [-1, -1]], [[-1, -1], [1.5, 2]], [[3, 4], [5, 6]]]


@pytest.mark.parametrize('call, error, text', [
    (lambda: pad_sequences([]), DataError, 'pad_sequences: there are no sequences.'),
    (lambda: pad_sequences([[1], [0.5]]), DataError, 'pad_sequences: sequence 1: its numbers do not fit into int32. Pass another dtype.'),
    (lambda: pad_sequences([[2 ** 40]]), DataError, 'pad_sequences: sequence 0: its numbers do not fit into int32. Pass another dtype.'),
    (lambda: pad_sequences([[2 ** 24 + 1]], dtype='float32'), DataError,
     'pad_sequences: sequence 0: its numbers do not fit into float32. Pass another dtype.'),
    (lambda: pad_sequences([[2 ** 53 + 1]], dtype='float64'), DataError,
     'pad_sequences: sequence 0: its numbers do not fit into float64. Pass another dtype.'),
    (lambda: pad_sequences([[1e39]], dtype='float32'), DataError,
     'pad_sequences: sequence 0: its numbers do not fit into float32. Pass another dtype.'),
    (lambda: pad_sequences([[2]], dtype='bool'), DataError,
     'pad_sequences: sequence 0: its numbers do not fit into bool. Pass another dtype.'),
    *((lambda value=value, dtype=dtype: pad_sequences([[1], [0, 1]], value=value, dtype=dtype), DataError,
       f'pad_sequences: value: expected a number that {dtype} can hold, received {value}. Pass another one, or another dtype.')
      for value, dtype in ((0.5, 'int32'), (-0.1, 'int32'), (3e9, 'int32'), (7, 'bool'), (1e39, 'float32'), (2 ** 24 + 1, 'float32'))),
    (lambda: pad_sequences(['ab']), DataError, "pad_sequences: sequence 0: expected numbers, received 'ab'."),
    (lambda: pad_sequences([1, 2]), DataError, 'pad_sequences: sequence 0: expected numbers, received 1.'),
    (lambda: pad_sequences([[1, [2]]]), DataError, 'pad_sequences: sequence 0: its steps have different shapes.'),
    (lambda: pad_sequences([[[1, 2]], [[1, 2, 3]]]), DataError, 'pad_sequences: sequence 1: expected steps of shape (2,), received (3,).'),
    (lambda: pad_sequences([[1]], maxlen=0), ArgumentError, 'pad_sequences: maxlen: expected an integer of at least 1 or None, received 0.'),
    (lambda: pad_sequences([[1]], padding_side='left'), ArgumentTypeError,
     "pad_sequences: padding_side: expected one of 'pre', 'post', received 'left'."),
    (lambda: pad_sequences([[1]], max_len=3), ArgumentTypeError,
     "pad_sequences: there is no argument 'max_len'. Did you mean 'maxlen'?"),
    (lambda: skipgrams([1, 4], 4), DataError,
     'skipgrams: sequence: expected integers from 0 to 3, the last word of the vocabulary.'),
    (lambda: skipgrams([-1], 4), DataError, 'skipgrams: sequence: expected integers from 0 to 3, the last word of the vocabulary.'),
    (lambda: skipgrams([0.5], 4), DataError, 'skipgrams: sequence: expected integers from 0 to 3, the last word of the vocabulary.'),
    (lambda: skipgrams([1], 4, sampling_table=[1., 1.]), ArgumentError,
     'skipgrams: sampling_table: expected 4 probabilities, received 2. Write make_sampling_table(4).'),
    (lambda: skipgrams([1, 1], 2), DataError,
     'skipgrams: vocabulary_size: expected at least 3 for negative pairs, which need another word, received 2. '
     'Pass negative_samples=0 for positive pairs alone.'),
    (lambda: make_sampling_table(0), ArgumentError, 'make_sampling_table: vocabulary_size: expected an integer of at least 1, received 0.'),
])
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


def test_the_sampling_table_follows_zipf():
    table = make_sampling_table(3000, sampling_factor=1e-4)
    harmonic = np.cumsum(1 / np.arange(1, 3000))
    frequency = 1 / (np.arange(1, 3000) * harmonic)
    np.testing.assert_allclose(table[1:], np.minimum(1, np.sqrt(1e-4 / frequency)), rtol=1e-2)
    rank = 10
    by_hand = math.sqrt(1e-4 * (rank * (math.log(rank) + 0.5772156649015329) + 0.5 - 1 / 120))
    assert table[rank] == pytest.approx(by_hand, rel=1e-14) and table[0] == table[1] and table[2999] == 1.


def positive_by_hand(words, window):
    return [[word, other] for at, word in enumerate(words) for there, other in enumerate(words)
            if word and other and at != there and abs(at - there) <= window]


@pytest.mark.parametrize('words', [[1, 2, 3, 4, 5], [1, 0, 2, 2, 0, 3], [3], [0, 0], []])
@pytest.mark.parametrize('window', [1, 2, 7])
def test_positive_pairs(words, window):
    couples, labels = skipgrams(words, 6, window, negative_samples=0, shuffle=False)
    assert couples.tolist() == positive_by_hand(words, window) and labels.tolist() == [1] * len(couples)
    mixed, _ = skipgrams(words, 6, window, negative_samples=0)
    assert sorted(mixed.tolist()) == sorted(couples.tolist())


def test_negative_pairs():
    words = np.random.default_rng(0).integers(1, 50, 200)
    with random.using(np.random.default_rng(1)):
        couples, labels = skipgrams(words, 50, 2, negative_samples=1.5, shuffle=False)
    positive = positive_by_hand(words.tolist(), 2)
    negative = couples[len(positive):]
    assert couples[:len(positive)].tolist() == positive
    assert labels.tolist() == [1] * len(positive) + [0] * int(1.5 * len(positive))
    assert set(negative[:, 1].tolist()) == set(range(1, 50))            # each other word, and no padding
    assert (negative[:, 0] != negative[:, 1]).all()
    count = collections.Counter(negative[:, 0].tolist())
    begins = collections.Counter(first for first, _ in positive)
    assert all(begins[word] <= count[word] <= 2 * begins[word] for word in begins)
    with random.using(np.random.default_rng(1)):
        np.testing.assert_array_equal(skipgrams(words, 50, 2, negative_samples=1.5, shuffle=False)[0], couples)
    with random.using(np.random.default_rng(2)):
        mixed, mixed_labels = skipgrams(words, 50, 2, negative_samples=1., categorical=True)
    assert mixed_labels.shape == (len(mixed), 2) and (mixed_labels.sum(axis=1) == 1).all()
    assert sorted(mixed[mixed_labels[:, 1] == 1].tolist()) == sorted(positive) and 0 < mixed_labels[:len(positive), 0].sum()


def test_each_other_word_is_as_likely():
    with random.using(np.random.default_rng(0)):
        couples, labels = skipgrams([1, 2, 3], 5, 2, negative_samples=2000, shuffle=False)
    count = collections.Counter(map(tuple, couples[labels == 0].tolist()))
    assert set(count) == {(word, other) for word in (1, 2, 3) for other in (1, 2, 3, 4) if word != other}
    assert max(abs(number - 12000 / 9) for number in count.values()) < 5 * math.sqrt(12000 / 9)


@pytest.mark.parametrize('share, expected', [(0.29, 29), (0.57, 57), (1.15, 115), (0.004, 0)])
def test_the_number_of_negative_pairs(share, expected):
    _, labels = skipgrams([1, 2] * 25 + [1], 9, 1, negative_samples=share)       # 100 positive ones
    assert len(labels) == 100 + expected


def test_frequent_words_begin_fewer_pairs():
    words = np.tile([1, 2], 5000)
    with random.using(np.random.default_rng(0)):
        couples, _ = skipgrams(words, 3, 1, negative_samples=0, sampling_table=[0., 0.25, 1.])
    assert (couples[:, 0] == 2).sum() in (9999, 10000)
    assert (couples[:, 0] == 1).sum() == pytest.approx(2500, abs=300)   # 4.9 standard deviations
