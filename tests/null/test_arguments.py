"""What users give for several named things: dicts, lists, one value."""
from typing import Any

import numpy as np
import pytest

from keraflow.arguments import as_array, assign, is_array_like, split_arrays, to_list
from keraflow.errors import ArgumentError, ArgumentTypeError
from keraflow.schema import Path
from keraflow.schema.checked import checked


def test_to_list():
    given = [1]
    assert to_list(given) is given
    assert (to_list((1, 2)), to_list('ab'), to_list(None), to_list({'a': 1})) == ([1, 2], ['ab'], [None], [{'a': 1}])


def nested(depth):
    value = 1.
    for _ in range(depth):
        value = [value]
    return value


def test_lists_are_arrays_of_up_to_32_axes():
    assert as_array(nested(32)).ndim == 32
    for depth in (33, 70):
        with pytest.raises(ValueError, match='^lists are nested deeper than 32$'):
            as_array(nested(depth))


@pytest.mark.parametrize('value, expected', [
    (None, {}), ({}, {}), ([], {}), (['l1'], {'W': 'l1'}), (('l1', 'l2'), {'W': 'l1', 'b': 'l2'}), ([None, 'l2'], {'b': 'l2'}),
    ({'b': 'l2', 'W': 'l1'}, {'W': 'l1', 'b': 'l2'}), ({'W': None, 'b': 0}, {'b': 0}),
])
def test_assign(value, expected):
    found = assign(value, ['W', 'b'], 'd: regularizers')
    assert list(found.items()) == list(expected.items())


@pytest.mark.parametrize('value, names, kind, text', [
    ({'w': 1}, ['W', 'b'], ArgumentError, "d: there is no 'w'. Did you mean 'W'?"),
    ({3: 1}, ['W', 'b'], ArgumentError, "d: there is no '3'. Choose one of W, b."),
    ([1, 2, 3], ['W', 'b'], ArgumentError, 'd: expected at most 2 (W, b), received 3.'),
    ([1], [], ArgumentError, 'd: expected at most 0 (there are none), received 1.'),
    ('l1', ['W', 'b'], ArgumentTypeError, "d: expected a dict by name or a list in the order W, b, received 'l1'."),
])
def test_what_cannot_be_assigned(value, names, kind, text):
    with pytest.raises(kind) as caught:
        assign(value, names, 'd')
    assert str(caught.value) == text


def test_one_value_for_the_only_name():
    assert assign('mse', ['y'], 'm: loss', single=True) == {'y': 'mse'}
    with pytest.raises(ArgumentTypeError):
        assign('mse', ['y', 'z'], 'm: loss', single=True)


@pytest.mark.parametrize('value, expected', [
    (np.ones(2), True), (3, True), (2.5, True), ([1, 2], True), ([[1., 2.], [3., 4.]], True), (((True,),), True), (np.float32(1), True),
    ([np.ones(2)], False), ([np.ones(2), np.ones(3)], False), ([[np.ones(2)]], False), ([], False), (None, False), ({}, False),
    ([{}], False), (['a'], False),
])
def test_what_is_one_array(value, expected):
    assert is_array_like(value) is expected
    split = split_arrays(value)
    assert split == [value] if expected and not isinstance(value, np.ndarray) else len(split) == 1 if expected else split is value


def test_methods_check_their_arguments():
    class Model:
        name = 'm'

        @checked
        def fit(self, x, nb_epoch: int = 10):
            """Train."""
            return x, nb_epoch

        @classmethod
        @checked
        def load(cls, path: Path, **others: Any):
            return path, others
    assert Model().fit(1, nb_epoch=3) == (1, 3) and Model.fit.__doc__ == 'Train.'
    assert Model.load('p', a=1) == ('p', {'a': 1})
    for call, text in [
            (lambda: Model().fit(1, epochs=3), "m: fit: there is no argument 'epochs'. Did you mean 'nb_epoch'?"),
            (lambda: Model().fit(1, '3'), "m: fit: nb_epoch: expected an integer, received '3'."),
            (lambda: Model().fit(), "m: fit: the argument 'x' is missing."),
            (lambda: Model.load(3), 'Model: load: path: expected a path, received 3.')]:
        with pytest.raises(ArgumentTypeError) as caught:
            call()
        assert str(caught.value) == text
    with pytest.raises(ArgumentError) as caught:
        Model.load('a\0b')
    assert str(caught.value) == "Model: load: path: expected a path, received 'a\\x00b'."
