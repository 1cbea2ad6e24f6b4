"""Texts as numbers."""
import hashlib
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from keraflow import serialize
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError
from keraflow.preprocessing.text import FILTERS, Tokenizer, hashing_trick, one_hot, text_to_word_sequence

TEXTS = ['The cat and the dog.', 'The end; the END!', '']


@pytest.mark.parametrize('text, arguments, words', [
    ("It's a dog-house,\n isn't it?", {}, ["it's", 'a', 'dog', 'house', "isn't", 'it']),
    ('A b', {'lower': False}, ['A', 'b']),
    ('a.b c', {'filters': ''}, ['a.b', 'c']),
    ('a b|c', {'separator': '|', 'filters': ''}, ['a b', 'c']),
    ('a,b|c', {'separator': '|', 'filters': ','}, ['a', 'b', 'c']),
    ('Übung — naïve', {}, ['übung', '—', 'naïve']),
    ('', {}, []), ('...', {}, []), (FILTERS, {}, []),
])
def test_words(text, arguments, words):
    assert text_to_word_sequence(text, **arguments) == words


def test_the_hash_is_the_same_in_every_run():
    words = ['the', 'cat', 'and', 'the', 'dog']
    expected = [1 + int(hashlib.blake2b(word.encode(), digest_size=8).hexdigest(), 16) % 49 for word in words]
    assert hashing_trick(TEXTS[0], 50) == one_hot(TEXTS[0], 50) == expected == [35, 22, 41, 35, 45]
    code = f'from keraflow.preprocessing.text import one_hot; assert one_hot({TEXTS[0]!r}, 50) == {expected}'
    for seed in '1', '2':
        subprocess.run([sys.executable, '-c', code], check=True, env={**os.environ, 'PYTHONHASHSEED': seed})
    numbers = hashing_trick(' '.join(map(str, range(1000))), 5)
    assert set(numbers) == {1, 2, 3, 4}
    assert hashing_trick('a bb ccc', 100, hash_function=len) == [2, 3, 4]
    assert hashing_trick('\ud800', 10)[0] > 0                          # half of a pair, as broken texts have it


def test_words_are_numbered_by_frequency():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.word_index == {'the': 1, 'end': 2, 'cat': 3, 'and': 4, 'dog': 5}
    assert tokenizer.word_counts == {'the': 4, 'cat': 1, 'and': 1, 'dog': 1, 'end': 2}
    assert tokenizer.word_docs == {'the': 2, 'cat': 1, 'and': 1, 'dog': 1, 'end': 1} and tokenizer.document_count == 3
    assert tokenizer.texts_to_sequences(['a dog, the end', '']) == [[5, 1, 2], []]
    tokenizer.fit_on_texts(['dog ' * 9])
    assert tokenizer.word_index == {'dog': 1, 'the': 2, 'end': 3, 'cat': 4, 'and': 5} and tokenizer.document_count == 4


def test_only_frequent_words():
    tokenizer = Tokenizer(vocabulary_size=3)
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.texts_to_sequences(TEXTS) == [[1, 1], [1, 2, 1, 2], []]
    assert tokenizer.texts_to_matrix(TEXTS, 'count').tolist() == [[0, 2, 0], [0, 2, 2], [0, 0, 0]]


def test_characters():
    tokenizer = Tokenizer(char_level=True)
    tokenizer.fit_on_texts(['Abba', 'b.'])
    assert tokenizer.word_index == {'b': 1, 'a': 2, '.': 3}
    assert tokenizer.texts_to_sequences(['ABC.']) == [[2, 1, 3]]


@pytest.mark.parametrize('mode, rows', [
    ('binary', [[0, 1, 0, 1, 1, 1], [0, 1, 1, 0, 0, 0], [0] * 6]),
    ('count', [[0, 2, 0, 1, 1, 1], [0, 2, 2, 0, 0, 0], [0] * 6]),
    ('freq', [[0, .4, 0, .2, .2, .2], [0, .5, .5, 0, 0, 0], [0] * 6]),
    ('tfidf', [[0, (1 + math.log(2)) * math.log(1 + 3 / 3), 0] + [math.log(1 + 3 / 2)] * 3,
               [0, (1 + math.log(2)) * math.log(1 + 3 / 3), (1 + math.log(2)) * math.log(1 + 3 / 2), 0, 0, 0], [0] * 6]),
])
def test_matrices(mode, rows):
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    matrix = tokenizer.texts_to_matrix(TEXTS, mode)
    np.testing.assert_allclose(matrix, rows, rtol=1e-6)
    assert matrix.dtype == np.float32 and matrix.shape == (3, 6)
    assert tokenizer.texts_to_matrix([], mode).shape == (0, 6)


def test_sequences_without_texts():
    tokenizer = Tokenizer(vocabulary_size=4)
    assert tokenizer.sequences_to_matrix([[1, 1, 9], np.array([3])]).tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]
    tokenizer.fit_on_sequences([[1, 1, 2], [1]])
    np.testing.assert_allclose(tokenizer.sequences_to_matrix([[1, 2, 2]], 'tfidf'),
                               [[0, math.log(1 + 2 / 3), (1 + math.log(2)) * math.log(1 + 2 / 2), 0]], rtol=1e-6)


def test_arguments_are_data():
    assert serialize(Tokenizer(5, char_level=True))['args'] == {
        'vocabulary_size': 5, 'filters': FILTERS, 'lower': True, 'separator': ' ', 'char_level': True}


def fitted():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


@pytest.mark.parametrize('call, error, text', [
    (lambda: text_to_word_sequence(3), ArgumentTypeError, 'text_to_word_sequence: text: expected a string, received 3.'),
    (lambda: hashing_trick('a', 1), ArgumentError, 'hashing_trick: vocabulary_size: expected an integer of at least 2, received 1.'),
    (lambda: Tokenizer(num_words=3), ArgumentTypeError, "Tokenizer: there is no argument 'num_words'. Did you mean 'vocabulary_size'?"),
    (lambda: Tokenizer().fit_on_texts('a text'), ArgumentTypeError,
     "Tokenizer: texts: expected a list of strings, received 'a text'. Write [text] for one text."),
    (lambda: Tokenizer().fit_on_texts(['a', 3]), ArgumentTypeError, 'Tokenizer: text 1: expected a string, received 3.'),
    (lambda: Tokenizer().texts_to_sequences(['a']), DataError, 'Tokenizer: there are no words yet. Call fit_on_texts() first.'),
    (lambda: Tokenizer().sequences_to_matrix([[1]]), DataError,
     'Tokenizer: the number of columns is not known. Pass vocabulary_size, or call fit_on_texts() first.'),
    (lambda: Tokenizer(3).sequences_to_matrix([[1]], 'tfidf'), DataError,
     'Tokenizer: tfidf needs counts. Call fit_on_texts() or fit_on_sequences() first.'),
    (lambda: fitted().texts_to_matrix(TEXTS, 'sum'), ArgumentTypeError,
     "Tokenizer: mode: expected one of 'binary', 'count', 'freq', 'tfidf', received 'sum'."),
    (lambda: fitted().sequences_to_matrix(TEXTS), DataError,
     'Tokenizer: sequence 0: expected integers of at least 0. Call texts_to_sequences() on texts.'),
    (lambda: fitted().sequences_to_matrix([[1], [-1]]), DataError,
     'Tokenizer: sequence 1: expected integers of at least 0. Call texts_to_sequences() on texts.'),
])
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text
