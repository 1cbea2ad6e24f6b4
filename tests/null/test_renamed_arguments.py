"""Arguments that were called something else are taken by their old names, too: in calls, as attributes and in files."""
import functools
import inspect

import numpy as np
import pytest
from format1 import FOLDER

from keraflow import utils
from keraflow.backend import Backend
from keraflow.datasets import imdb
from keraflow.deprecation import current_name, renamed_arguments
from keraflow.errors import ArgumentError, ArgumentTypeError, SerializationError
from keraflow.layers import (GRU, LSTM, Convolution1D, Embedding, GaussianNoise, Lambda, Layer, Pooling1D, Repeat,
                             SimpleRNN, UnSampling1D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)
from keraflow.models.digests import digest_of, is_digest
from keraflow.models.recipe import differences
from keraflow.preprocessing import sequence, text
from keraflow.schema import arguments_of
from keraflow.schema.argument_scopes import argscope
from keraflow.serialization import serialize, unserialize

#: Of each class: the arguments that it needs, the old name, the new one, and a value and another one.
CLASSES = [(Repeat, {}, 'n', 'repeats', 2, 3), (UnSampling1D, {}, 'repeat', 'repeats', 2, 3),
           (Embedding, {'vocabulary_size': 3, 'output_dim': 2}, 'dropout', 'drop_rate', 0.5, 0.25),
           *((cls, {'output_dim': 2}, f'dropout_{one}', f'drop_rate_{one}', 0.5, 0.25) for cls in (SimpleRNN, GRU, LSTM) for one in 'WU'),
           (GaussianNoise, {}, 'sigma', 'std', 0.5, 0.25),
           (Convolution1D, {'nb_kernel': 2, 'kernel_row': 3}, 'stride', 'strides', 2, 3),
           (Pooling1D, {'mode': 'max'}, 'stride', 'strides', 2, 3), (Pooling1D, {'mode': 'max'}, 'pool_length', 'pool_size', 3, 4),
           *((cls, {}, 'pad', 'padding', 1, 2) for cls in (ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)),
           (text.Tokenizer, {}, 'nb_words', 'vocabulary_size', 5, 6),
           (text.Tokenizer, {}, 'split', 'separator', '-', '+')]
#: Of each function of the backend the old names, with the new ones.
OPERATIONS = {'repeat': {'n': 'repeats'}, 'dropout': {'rate': 'drop_rate'}, 'pool': {'size': 'pool_size'}}
#: Calls of other functions, each by the old and by the new name of an argument.
FUNCTIONS = [(utils.to_categorical, {'y': [0, 2]}, 'nb_classes', 'nb_class', 4),
             (text.hashing_trick, {'text': 'a b'}, 'n', 'vocabulary_size', 50),
             (text.one_hot, {'text': 'a b'}, 'n', 'vocabulary_size', 50),
             *((one, {'text': 'a-b', **needed}, 'split', 'separator', '-') for one, needed in (
                 (text.text_to_word_sequence, {}), (text.hashing_trick, {'vocabulary_size': 50}), (text.one_hot, {'vocabulary_size': 50}))),
             (sequence.make_sampling_table, {}, 'size', 'vocabulary_size', 4),
             (sequence.pad_sequences, {'sequences': [[1], [2, 3]]}, 'padding', 'padding_side', 'post'),
             (sequence.pad_sequences, {'sequences': [[1], [2, 3]], 'maxlen': 1}, 'truncating', 'truncation_side', 'post')]
ids = [f'{cls.__name__}-{old}' for cls, _, old, *_ in CLASSES]


@pytest.mark.parametrize('cls, needed, old, new, value, other', CLASSES, ids=ids)
def test_calls_and_attributes(cls, needed, old, new, value, other):
    made, same = cls(**needed, **{old: value}), cls(**needed, **{new: value})       # without a warning
    assert repr(made) == repr(same) and serialize(made) == serialize(same)
    assert getattr(made, old) == getattr(made, new) == value
    setattr(made, old, other)
    assert getattr(made, old) == getattr(made, new) == other
    assert old not in dir(made) and old not in vars(made) and old not in arguments_of(cls)
    with argscope(cls, **{old: value}):
        assert getattr(cls(**needed), new) == value and getattr(cls(**needed, **{new: other}), new) == other


@pytest.mark.parametrize('cls, needed, old, new, value, other', CLASSES, ids=ids)
def test_files(cls, needed, old, new, value, other):
    data = serialize(cls(**needed, **{new: value}))
    assert data['args'][new] == value and old not in data['args']
    before = {**data, 'args': {old if name == new else name: it for name, it in data['args'].items()}}
    assert serialize(unserialize(before)) == data


@pytest.mark.parametrize('cls, needed, old, new, value, other', CLASSES, ids=ids)
def test_both_names_at_once(cls, needed, old, new, value, other):
    refusal = f"{cls.__name__}: the argument '{new}' is given twice, once as '{old}'."
    for given in ({old: value, new: other}, {new: other, old: value}):
        with pytest.raises(ArgumentTypeError) as caught:
            cls(**needed, **given)
        assert str(caught.value) == refusal
        with pytest.raises(SerializationError) as refused:
            unserialize({'class': cls.__name__, 'args': given})
        assert str(refused.value) == refusal
        with pytest.raises(ArgumentTypeError) as caught:
            argscope(cls, **given)
        assert str(caught.value) == f'argscope: {refusal}'


@pytest.mark.parametrize('function, needed, old, new, value', FUNCTIONS, ids=[f'{one.__name__}-{old}' for one, _, old, *_ in FUNCTIONS])
def test_functions(function, needed, old, new, value):
    np.testing.assert_array_equal(function(**needed, **{old: value}), function(**needed, **{new: value}))
    assert old not in inspect.signature(function).parameters
    for given in ({old: value, new: value}, {new: value, old: value}):
        with pytest.raises(ArgumentTypeError) as caught:
            function(**needed, **given)
        assert str(caught.value) == f"{function.__name__}: the argument '{new}' is given twice, once as '{old}'."


def test_these_are_all_classes_with_old_names():
    assert {(cls, old): new for cls, _, old, new, *_ in CLASSES} == {
        (cls, old): one.name for cls in {cls for cls, *_ in CLASSES} for old, one in renamed_arguments(cls).items()}
    modules = imdb, sequence, text, utils
    assert {function for function, *_ in FUNCTIONS} | {imdb.load_data} == {
        one for module in modules for _, one in inspect.getmembers(module, inspect.isfunction) if renamed_arguments(one)}
    assert OPERATIONS == {name: {old: one.name for old, one in renamed_arguments(method).items()}
                          for name, method in inspect.getmembers(Backend) if renamed_arguments(method)}


def test_a_tokenizer_of_a_file():
    tokenizer = text.Tokenizer.load_from_file(FOLDER / 'tokenizer.json')
    assert tokenizer.vocabulary_size == 4 and tokenizer.texts_to_sequences(['the cat and a dog']) == [[1, 3, 2]]


def test_what_differs_between_models_of_before_and_after():
    def recipe(n, rate, word, other):
        arguments = {'the layer a': {word: n}, 'the layer b': {'layer': 'LSTM', f'layer.{other}': rate, 'output_fn': 'B.repeat', f'output_fn.{word}': 2}}
        return {'parts': {'the layer a': 'Repeat', 'the layer b': 'TimeDistributed'}, 'arguments': arguments}

    now = recipe(2, 0.5, 'repeats', 'drop_rate_W')
    assert differences(now, recipe(2, 0.5, 'n', 'dropout_W')) == []
    assert differences(now, recipe(3, 0.25, 'n', 'dropout_W')) == ['repeats of a 2, received 3', 'layer.drop_rate_W of b 0.5, received 0.25']


@pytest.mark.parametrize('part,before,now', [
    ('Operation', {'operation': 'reverse', 'args': 'a list of 2'}, {'operation': 'flip', 'args': 'a list of 2'}),
    ('Operation', {'operation': 'repeat', 'kwargs': 'a dict of axis, n', 'kwargs.n': 2, 'kwargs.axis': 1},
     {'operation': 'repeat', 'kwargs': 'a dict of axis, repeats', 'kwargs.repeats': 2, 'kwargs.axis': 1}),
    ('Operation', {'operation': 'pool', 'kwargs': 'a dict of size', 'kwargs.size': 'a list of 1', 'kwargs.size[0]': 2},
     {'operation': 'pool', 'kwargs': 'a dict of pool_size', 'kwargs.pool_size': 'a list of 1', 'kwargs.pool_size[0]': 2}),
    ('Lambda', {'output_fn': 'B.reverse', 'output_fn.axis': 1}, {'output_fn': 'B.flip', 'output_fn.axis': 1}),
    ('ZeroPadding2D', {'pad': 'a list of 2', 'pad[0]': 1}, {'padding': 'a list of 2', 'padding[0]': 1}),
    ('Host', {'embedded_arguments': 'a dict of 0', 'embedded_arguments.0': 'a dict of sigma', 'embedded_arguments.0.sigma': 0.5},
     {'embedded_arguments': 'a dict of 0', 'embedded_arguments.0': 'a dict of std', 'embedded_arguments.0.std': 0.5})])
def test_training_of_before_goes_on_with_functions_and_embedded_layers_that_had_other_words(part, before, now):
    def recipe(arguments):
        return {'parts': {'the layer a': part}, 'arguments': {'the layer a': arguments}}
    assert differences(recipe(now), recipe(before)) == differences(recipe(now), recipe(now)) == []
    last = list(before)[-1]
    assert len(differences(recipe(now), recipe({**before, last: 'other'}))) == 1


def test_weights_of_before_belong_to_a_model_with_a_changed_embedded_layer():
    def architecture(changed):
        layers = {'input1': {'class': 'Input', 'args': {'shape': [4, 3], 'batch_size': None, 'mask_value': None}},
                  'rh1': {'class': 'RH', 'args': {'embedded_arguments': {'0': changed}}}}
        return {'class': 'Model', 'args': {'layers': layers, 'path': [[['input1'], 'rh1', 'rh1_0']], 'inputs': ['input1'], 'outputs': ['rh1_0']}}

    saved = 'c6ffe9c5eb088a3f608d0a49654e28d58069843bf62ad171983b2f928baa2dc6'      # with 'pad' for 'padding'
    assert is_digest(saved, architecture({'padding': 2})) and is_digest(digest_of(architecture({'padding': 2})), architecture({'padding': 2}))
    none = {'class': 'RH', 'args': {'embedded_arguments': None}}     # as a class saves it that defines omit_if_default without those of Layer
    assert digest_of(none) == digest_of({'class': 'RH', 'args': {}})
    assert not is_digest(saved, architecture({'padding': 3})) and not is_digest(saved, architecture({'repeats': 2}))


def test_words_of_the_program_in_a_recipe_are_its_own():
    here, there = ({'parts': {'the layer a': 'Lambda'}, 'arguments': {'the layer a': {
        'arguments': 'a dict of n', 'arguments.n': value}}} for value in (1, 2))
    assert differences(here, here) == [] and differences(here, there) == ['arguments.n of a 1, received 2']


def test_functions_of_the_backend_in_files():
    layer = unserialize({'class': 'Lambda', 'args': {'output_fn': {'function': 'B.repeat', 'args': {'n': 2, 'axis': 1}}}})
    assert serialize(layer)['args']['output_fn'] == {'function': 'B.repeat', 'args': {'repeats': 2, 'axis': 1}}
    made = Lambda(functools.partial(layer.output_fn.func, n=2, axis=1))
    assert serialize(made) == serialize(layer)
    layer = unserialize({'class': 'Operation', 'args': {'operation': 'repeat', 'args': [{'input': 0}], 'kwargs': {'n': 2, 'axis': 1}}})
    assert layer.kwargs == {'repeats': 2, 'axis': 1}


def test_an_argument_of_a_class_of_the_program_is_its_own():
    class Often(Repeat):
        def __init__(self, n):
            super().__init__(n * 10)
            self.n = n

    made = Often(n=3)
    assert (made.n, made.repeats) == (3, 30) and current_name(Often, 'n') == 'n'


def test_a_class_of_the_program_has_an_argument_that_its_base_class_has_by_another_name_now():
    class Often(Repeat):
        def __init__(self, n=2, **kwargs):
            super().__init__(n * 10, **kwargs)
            self.n = n

    class Forgetful(LSTM):
        def __init__(self, output_dim, dropout_W=0.5, **kwargs):
            super().__init__(output_dim, dropout_W=dropout_W / 2, **kwargs)

    made, other = Often(3, name='a'), Forgetful(2, dropout_U=0.1)
    assert (made.n, made.repeats, Often().repeats, made.name) == (3, 30, 20, 'a')
    assert (other.drop_rate_W, other.drop_rate_U) == (0.25, 0.1)
    for one in (made, other):
        rebuilt = unserialize(serialize(one), custom_objects=[Often, Forgetful])
        assert serialize(rebuilt) == serialize(one)
    assert serialize(other)['args']['dropout_W'] == 0.5 and 'drop_rate_W' not in serialize(other)['args']


def test_a_class_of_the_program_hands_an_old_name_on():
    class Twice(Repeat):
        def __init__(self, axis=0):
            super().__init__(n=2, axis=axis)

    class Times(Repeat):
        pass

    assert Twice(axis=1).repeats == Twice().n == 2 and Times(n=3).repeats == 3


def test_other_attributes_are_as_they_were():
    assert current_name(Layer, 'n') == 'n'
    with pytest.raises(AttributeError, match="^'Repeat' object has no attribute 'repeat'$"):
        Repeat(2).repeat
    with pytest.raises(ArgumentError, match="^Repeat: repeats: expected an integer of at least 1, received 0.$"):
        Repeat(2).n = 0
