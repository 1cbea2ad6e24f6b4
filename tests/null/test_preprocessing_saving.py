"""A Tokenizer and an ImageDataGenerator in files: they give the same numbers after loading, and nothing is pickled."""
import copy
import json

import numpy as np
import pytest

import keraflow
from keraflow.errors import ModelFileError, SerializationError
from keraflow.layers import Dense
from keraflow.preprocessing.image import ImageDataGenerator
from keraflow.preprocessing.text import Tokenizer
from keraflow.sameness import same

TEXTS = ['the cat and the dog', 'as class value', 'the end']
IMAGES = np.random.default_rng(0).normal(size=(6, 3, 5, 5)).astype('float32')


def fitted(**arguments):
    tokenizer = Tokenizer(**arguments)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


def generator(**arguments):
    made = ImageDataGenerator(**arguments)
    made.fit(IMAGES)
    return made


@keraflow.register(id='halved-in-test-preprocessing-saving')
def halved(image):
    return image / 2


def through(one, tmp_path, end):
    path = tmp_path / f'one.{end}'
    one.save_to_file(path)
    return type(one).load_from_file(path)


ENDS = ['json', 'yaml', 'yml', 'data', 'text']


def rebuilt(one, tmp_path, end):
    if end == 'data':
        return keraflow.unserialize(keraflow.serialize(one))
    if end == 'text':
        return keraflow.unserialize(json.loads(json.dumps(keraflow.serialize(one))))
    return through(one, tmp_path, end)


@pytest.mark.parametrize('end', ENDS)
@pytest.mark.parametrize('arguments', [{}, {'vocabulary_size': 3}, {'char_level': True}, {'lower': False, 'filters': 'x'}])
def test_a_tokenizer_gives_the_same_numbers(arguments, end, tmp_path):
    one = fitted(**arguments)
    other = rebuilt(one, tmp_path, end)
    assert type(other) is Tokenizer and same(one, other)
    texts = [*TEXTS, 'a dog, the cat!']
    assert other.texts_to_sequences(texts) == one.texts_to_sequences(texts)
    for mode in ('binary', 'count', 'freq', 'tfidf'):
        np.testing.assert_array_equal(other.texts_to_matrix(texts, mode), one.texts_to_matrix(texts, mode))
    other.fit_on_texts(['more of the end'])
    one.fit_on_texts(['more of the end'])
    assert other.word_index == one.word_index and list(other.word_index) == list(one.word_index)


@pytest.mark.parametrize('end', ENDS)
def test_a_tokenizer_that_saw_sequences_or_nothing(end, tmp_path):
    one = Tokenizer(vocabulary_size=6)
    one.fit_on_sequences([[1, 2], [2, 5]])
    other = rebuilt(one, tmp_path, end)
    np.testing.assert_array_equal(other.sequences_to_matrix([[2, 5, 5]], 'tfidf'), one.sequences_to_matrix([[2, 5, 5]], 'tfidf'))
    assert other.index_docs == {1: 1, 2: 2, 5: 1}
    (tmp_path / 'more').mkdir()
    assert rebuilt(Tokenizer(separator='-'), tmp_path / 'more', end).separator == '-'


@pytest.mark.parametrize('end', ENDS)
@pytest.mark.parametrize('arguments', [{'featurewise_center': True}, {'featurewise_center': True, 'featurewise_std_normalization': True},
                                       {'zca_whitening': True}, {'rescale': 0.5, 'preprocessing_function': halved}])
def test_a_generator_gives_the_same_images(arguments, end, tmp_path):
    one = generator(**arguments, rotation_range=10., zoom_range=(0.5, 2.))
    other = rebuilt(one, tmp_path, end)
    for name in ('mean', 'std', 'principal_components'):
        found, expected = getattr(other, name), getattr(one, name)
        assert type(found) is type(expected)
        if expected is not None:
            assert found.dtype == expected.dtype and found.shape == expected.shape
            np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(other.standardize(IMAGES[0]), one.standardize(IMAGES[0]))
    for one_batch, other_batch in zip(one.flow(IMAGES, batch_size=3, seed=1), other.flow(IMAGES, batch_size=3, seed=1)):
        np.testing.assert_array_equal(one_batch, other_batch)


def test_two_that_learned_different_things_are_not_the_same():
    one, other = fitted(), fitted()
    assert same(one, other)
    other.fit_on_texts(['again'])
    assert not same(one, other) and same(copy.deepcopy(other), other)


# -- what is refused ----------------------------------------------------------------------------------------------------

def refusal(make, kind=SerializationError):
    with pytest.raises(kind) as caught:
        make()
    return str(caught.value)


def test_a_file_is_not_replaced_unless_asked(tmp_path):
    fitted().save_to_file(tmp_path / 't.json')
    with pytest.raises(FileExistsError):
        fitted().save_to_file(tmp_path / 't.json')
    fitted(vocabulary_size=2).save_to_file(tmp_path / 't.json', overwrite=True)
    assert Tokenizer.load_from_file(tmp_path / 't.json').vocabulary_size == 2


@pytest.mark.parametrize('change, text', [
    (lambda it: it.update(word_index=[1]), "Tokenizer: word_index: expected a dict of an integer of at least 0, received [1]."),
    (lambda it: it.update(word_index={'the': -1}), "Tokenizer: word_index: expected a dict of an integer of at least 0, received {'the': -1}."),
    (lambda it: it.update(document_count=True), 'Tokenizer: document_count: expected an integer of at least 0, received True.'),
    (lambda it: it.update(lower=3), "'learned': expected a mapping of word_counts, word_docs, word_index, index_docs, document_count, received "),
])
def test_what_was_learned_is_checked_when_it_is_read(change, text):
    data = keraflow.serialize(fitted())
    change(data['learned'])
    assert refusal(lambda: keraflow.unserialize(data)).startswith(text)


def test_what_no_class_learns_is_refused():
    data = {**keraflow.serialize(Dense(3)), 'learned': {'output_dim': 4}}
    assert refusal(lambda: keraflow.unserialize(data)) == "'learned': expected a mapping of nothing, received {'output_dim': 4}."
    data['learned'] = [3]
    assert refusal(lambda: keraflow.unserialize(data)) == "'learned': expected a mapping of nothing, received [3]."


@pytest.mark.parametrize('mean, text', [
    (0.5, 'ImageDataGenerator: mean: expected an array of finite numbers or None, received 0.5.'),
    (np.array([np.nan]), 'ImageDataGenerator: mean: expected an array of finite numbers or None, received an array of shape (1,).'),
    (np.array(['a']), 'ImageDataGenerator: mean: expected an array of finite numbers or None, received an array of shape (1,).'),
    (np.zeros(1_000_001), 'mean: an array of 1000001 numbers is too large to be saved as plain data; the limit is 1000000. '
                          'Learn it from the data again, or save it separately with np.save.')])
def test_what_cannot_come_back_is_refused_when_saving(mean, text, tmp_path):
    one = generator(featurewise_center=True)
    one.mean = mean
    assert refusal(lambda: one.save_to_file(tmp_path / 'g.json')) == text
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused(tmp_path):
    path = tmp_path / 't.json'
    fitted().save_to_file(path)
    assert refusal(lambda: ImageDataGenerator.load_from_file(path), ModelFileError) == (
        f'{path}: expected a ImageDataGenerator, found Tokenizer.')
    good = json.loads(path.read_text())
    for data, text in (([], 'this is not a file of a Tokenizer.'), ({**good, 'format': 'x'}, 'this is not a file of a Tokenizer.'),
                       ({**good, 'more': 1}, 'this is not a file of a Tokenizer.'),
                       ({**good, 'version': 3}, 'the file has format version 3, this keraflow reads 2. Install the keraflow that wrote it, '
                                                'or a newer one.'),
                       ({**good, 'preprocessor': {'class': 'os.system'}}, "'os.system' is not a class or function that is registered.")):
        path.write_text(json.dumps(data))
        assert refusal(lambda: Tokenizer.load_from_file(path), ModelFileError).startswith(f'{path}: {text}')
