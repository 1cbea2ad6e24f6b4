"""Values that plain data cannot say come back as they went: their types, dtypes and shapes, in JSON and in YAML."""
import collections
import enum
import functools
import typing

import numpy as np
import pytest

import keraflow
from keraflow.errors import SerializationError
from keraflow.files.plaindata import dump_json, dump_yaml, parse_json, parse_yaml
from keraflow.layers import Dense, Input, Lambda, Layer
from keraflow.models import Sequential
from keraflow.regularizers import L1
from keraflow.serialization import Serializable, serialize, unserialize
from keraflow.serialization.values import MAX_ARRAY, escape, unescape, version_of


class Keeps(Serializable):
    """Any value, and one that is annotated."""

    def __init__(self, value=None, numbers: typing.Sequence[float] = ()):
        self.value = value
        self.numbers = numbers


class Colour(enum.Enum):
    RED = 'r'


class Point(typing.NamedTuple):
    x: int
    y: int = 0


def rebuilt(obj, customs=(Keeps,)):
    made = [unserialize(parse(dump(serialize(obj)), 'text'), list(customs)) for dump, parse in
            ((dump_json, parse_json), (dump_yaml, parse_yaml))]
    assert serialize(made[0]) == serialize(made[1]) == serialize(obj)
    return made[0]


def refusal(make):
    with pytest.raises(SerializationError) as caught:
        make()
    return str(caught.value)


def assert_equal(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype and found.shape == expected.shape
        np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for (key, item), (other_key, other) in zip(found.items(), expected.items()):
            assert_equal(key, other_key)
            assert_equal(item, other)
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_equal(one, other)
    elif isinstance(expected, (float, np.floating)):
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


VALUES = [
    (), (1,), (8, 8), ((1, 2), [3, (4,)]), [()], {'a': (1,)}, ('x', None, True, 0.5),
    np.float32(0.1), np.float64(0.1), np.float16(0.1), np.int64(-3), np.int8(5), np.uint8(200), np.bool_(True), np.bool_(False),
    np.float64('inf'), np.float32('nan'), np.str_('relu'),
    np.array([1., 2.]), np.arange(6).reshape(2, 3), np.zeros((0, 3)), np.array(5), np.array([True, False]), np.ones((2, 1, 2), 'float32'),
    np.array([np.nan, np.inf, -np.inf, 0.1], 'float32'), np.array([0.1], 'float16'), np.array([1, 2], 'uint8'), np.zeros((2, 0), bool),
    float('inf'), float('-inf'), float('nan'), -0., 1., 1,
    10 ** 17 - 1, 10 ** 17, -10 ** 17, 2 ** 62, -2 ** 63, 2 ** 64, 10 ** 40, 10 ** 1000 - 1, np.int64(2 ** 62), np.int64(-2 ** 63),
    np.uint64(2 ** 64 - 1), np.array([2 ** 62, 1, -2 ** 63]), np.array([[2 ** 64 - 1], [10 ** 17]], 'uint64'), np.array(10 ** 17),
    {10 ** 18: (10 ** 20, [2 ** 63])}, {10 ** 17, 3}, slice(1, 10 ** 5), range(10 ** 17, 10 ** 18),
    {1: 'a', 2: 'b'}, {(1, 2): [3]}, {None: 1, True: 2, 1.5: 3}, {np.int64(3): np.float32(0.5)}, {}, {'': 1},
    collections.OrderedDict([('b', 1), ('a', 2)]),
    {1, 2}, {'a', 'b'}, set(), frozenset({(1, 2)}), {'words': {'the', 'a'}},
    range(3), range(1, 10, 2), slice(None, 3), slice(1, None, -1), (slice(None), Ellipsis, 0), ...,
    np.dtype('float32'), np.dtype(bool), np.float32, np.int64, np.bool_, float, int, bool, str,
    [np.float32(1), (np.arange(2), {'a': np.bool_(True)})]]


@pytest.mark.parametrize('value', VALUES, ids=range(len(VALUES)))
def test_value(value):
    for wrapped in (value, [value], {'a': value}, (value, [value]), {'as': value, 'value': value}):
        assert_equal(rebuilt(Keeps(wrapped)).value, wrapped)
    assert_equal(rebuilt([value])[0], value)


@pytest.mark.parametrize('numbers', [(1., 2.), [1., 2.], (np.float32(1),), (1, 2)])
def test_an_annotated_argument_of_the_program_keeps_its_type_too(numbers):
    assert_equal(rebuilt(Keeps(numbers=numbers)).numbers, numbers)


def test_arguments_of_a_function_keep_theirs():
    one = rebuilt(Lambda(functools.partial(scale, by=(1, np.float32(2)))), [scale]).output_fn
    assert_equal(one.keywords, {'by': (1, np.float32(2))})
    assert_equal(rebuilt(Lambda(scale, arguments={'by': (2,)}), [scale]).arguments, {'by': (2,)})


def scale(x, by=1):
    return x * by


def test_what_takes_either_has_a_list_in_the_file_and_plain_numbers():
    data = serialize([Dense(np.int64(3), regularizers=('l1', None)), Input((np.int64(4), None))])
    assert data[0]['args']['output_dim'] == 3 and type(data[0]['args']['output_dim']) is int
    assert data[0]['args']['regularizers'] == ['l1', None] and data[1]['args']['shape'] == [4, None]
    assert version_of(data) == 1 and version_of(serialize([(1,)])) == 2


def test_objects_in_values_and_a_layer_that_occurs_again():
    layer = Dense(3)
    again = rebuilt(Keeps((L1(0.5), {1: layer}, [layer, {2: (layer,)}])))
    assert again.value[0].l1 == 0.5
    assert again.value[1][1] is again.value[2][0] is again.value[2][1][2][0]


def test_classes():
    assert rebuilt(Keeps([Dense, L1])).value == [Dense, L1]
    layer = Dense(3, regularizers={'W': L1}, activation='tanh')
    assert rebuilt(layer).regularizers == {'W': L1}
    assert refusal(lambda: unserialize({'as': 'class', 'value': 'os.system'})).startswith("'os.system' is not a class or function")
    assert refusal(lambda: unserialize({'as': 'class', 'value': 'relu'})) == "'relu' is a function, not a class."
    assert refusal(lambda: unserialize({'as': 'class', 'value': ['Dense']})).startswith("'['Dense']' is not a class or function")
    data = serialize(layer)
    data['args']['regularizers']['W']['value'] = 'SGD'
    assert refusal(lambda: unserialize(data)).startswith("regularizers.W: 'SGD' is not a regularizer")


def test_named_tuples_and_other_containers_of_the_program():
    assert refusal(lambda: serialize(Keeps(Point(1)))).startswith('value: an object of class Point cannot be saved: it is not plain data.')
    keraflow.register(Point)
    keraflow.register(Colour)
    assert_equal(rebuilt(Keeps([Point(1, 2), {'a': Colour.RED}])).value, [Point(1, 2), {'a': Colour.RED}])

    @keraflow.register
    class Counts(dict):
        pass
    assert refusal(lambda: serialize(Counts(a=1))).startswith('an object of class Counts cannot be saved: it is not plain data.')


@pytest.mark.parametrize('value, text', [
    (np.zeros(MAX_ARRAY + 1), f'an array of {MAX_ARRAY + 1} numbers is too large to be saved as plain data; the limit is '
                              f'{MAX_ARRAY}. Make it a parameter of the layer, which is saved with the weights: self.add_weight(name, shape, '
                              'init=..., trainable=False).'),
    (np.array(['a']), "NumPy's str32 cannot be saved. Choose one of bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, "
                      'float16, float32, float64, or pass a list of strings and numbers.'),
    (np.complex64(1), "NumPy's complex64 cannot be saved. Choose one of bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, "
                      'float16, float32, float64, or pass a list of strings and numbers.'),
    (np.array([None]), "NumPy's object cannot be saved. Choose one of bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, "
                       'float16, float32, float64, or pass a list of strings and numbers.'),
    (10 ** 1000, 'an integer of more than 1000 digits cannot be saved. Pass a string, and make the integer of it in the class.'),
    (np.ma.array([1]), 'an object of class MaskedArray cannot be saved: it is not plain data. If the class is yours, put '
                       '@keraflow.register above it.'),
])
def test_what_cannot_come_back_is_refused_when_saving(value, text):
    assert refusal(lambda: serialize(Keeps([value]))) == f'value[0]: {text}'


NO_VALUE = ("expected a value 'as' one of tuple, array, number, float, text, dict, OrderedDict, set, frozenset, range, slice, ellipsis, "
            'dtype, type, received ')


@pytest.mark.parametrize('data', [
    {'as': 'bytes', 'value': 'aa'}, {'as': 3, 'value': 1}, {'as': ['tuple'], 'value': []}, {'as': 'tuple', 'value': [], 'dtype': 'int8'},
    {'as': 'number', 'value': 1}, {'as': 'array', 'value': [], 'dtype': 'int8'}, {'as': 'tuple', 'value': [], 'shape': [0]},
    {'as': None, 'value': None}])
def test_other_forms_are_refused(data):
    assert refusal(lambda: unserialize([data])).startswith(f'[0]: {NO_VALUE}')


@pytest.mark.parametrize('data', [
    {'as': 'tuple', 'value': 'ab'}, {'as': 'tuple', 'value': {}}, {'as': 'tuple', 'value': None},
    {'as': 'array', 'dtype': 'object', 'shape': [1], 'value': [1]}, {'as': 'array', 'dtype': ['int8'], 'shape': [1], 'value': [1]},
    {'as': 'array', 'dtype': '|V9', 'shape': [1], 'value': [1]}, {'as': 'array', 'dtype': 'int8', 'shape': [2], 'value': [1]},
    {'as': 'array', 'dtype': 'int8', 'shape': [-1], 'value': [1]}, {'as': 'array', 'dtype': 'int8', 'shape': [-1, -1], 'value': [1]},
    {'as': 'array', 'dtype': 'int8', 'shape': [True], 'value': [1]}, {'as': 'array', 'dtype': 'int8', 'shape': 1, 'value': [1]},
    {'as': 'array', 'dtype': 'int8', 'shape': [1] * 33, 'value': [1]}, {'as': 'array', 'dtype': 'int8', 'shape': [1], 'value': [200]},
    {'as': 'array', 'dtype': 'int8', 'shape': [1], 'value': [1.]}, {'as': 'array', 'dtype': 'int8', 'shape': [1], 'value': [True]},
    {'as': 'array', 'dtype': 'bool', 'shape': [1], 'value': [1]}, {'as': 'array', 'dtype': 'float32', 'shape': [1], 'value': [1e300]},
    {'as': 'array', 'dtype': 'float32', 'shape': [1], 'value': ['1']}, {'as': 'array', 'dtype': 'float32', 'shape': [1], 'value': [True]},
    {'as': 'array', 'dtype': 'float32', 'shape': [1], 'value': [[1.]]}, {'as': 'array', 'dtype': 'float64', 'shape': [0, 10 ** 15], 'value': 0},
    {'as': 'array', 'dtype': 'int8', 'shape': [MAX_ARRAY + 1], 'value': [1] * (MAX_ARRAY + 1)},
    {'as': 'number', 'dtype': 'int', 'value': '12'}, {'as': 'number', 'dtype': 'int', 'value': 10 ** 18},
    {'as': 'number', 'dtype': 'int', 'value': '+' + '1' * 18}, {'as': 'number', 'dtype': 'int', 'value': ' ' + '1' * 18},
    {'as': 'number', 'dtype': 'int', 'value': '1_' * 18 + '1'}, {'as': 'number', 'dtype': 'int', 'value': '1' * 5000},
    {'as': 'number', 'dtype': 'int', 'value': '1e18'}, {'as': 'number', 'dtype': 'int', 'value': None},
    {'as': 'number', 'dtype': 'int64', 'value': '5'}, {'as': 'number', 'dtype': 'int64', 'value': str(2 ** 63)},
    {'as': 'array', 'dtype': 'uint8', 'shape': [1], 'value': [str(2 ** 62)]}, {'as': 'array', 'dtype': 'bool', 'shape': [1], 'value': ['1' * 18]},
    {'as': 'array', 'dtype': 'uint64', 'shape': [1], 'value': [str(-10 ** 17)]},
    {'as': 'number', 'dtype': 'uint8', 'value': -1}, {'as': 'number', 'dtype': 'float16', 'value': 1e9},
    {'as': 'number', 'dtype': 'float64', 'value': None}, {'as': 'float', 'value': 1.}, {'as': 'float', 'value': 'Infinity'},
    {'as': 'float', 'value': []}, {'as': 'text', 'value': 3}, {'as': 'dict', 'value': {}}, {'as': 'dict', 'value': [[1]]},
    {'as': 'dict', 'value': [[1, 2], [1, 3]]}, {'as': 'dict', 'value': [[[], 2]]}, {'as': 'dict', 'value': ['ab', 'cd', 3]},
    {'as': 'set', 'value': [[1]]}, {'as': 'set', 'value': 'ab'}, {'as': 'range', 'value': [0, 1]}, {'as': 'range', 'value': [0, 1, 0]},
    {'as': 'range', 'value': [0, None, 1]}, {'as': 'slice', 'value': [0, 1, '2']}, {'as': 'slice', 'value': [True, 1, 2]},
    {'as': 'ellipsis', 'value': 1}, {'as': 'dtype', 'value': 'object'}, {'as': 'dtype', 'value': 'i4,(2,3)f8'}, {'as': 'dtype', 'value': []},
    {'as': 'type', 'value': 'object'}, {'as': 'type', 'value': 'os.system'}, {'as': 'type', 'value': []}])
def test_reading_is_strict(data):
    assert refusal(lambda: unserialize({'a': data})).startswith(f"a: expected the value of '{data['as']}', received ")


def test_what_lists_may_hold_is_said_at_its_place():
    assert refusal(lambda: unserialize({'as': 'tuple', 'value': [1, {'class': 'no'}]})).startswith("[1]: 'no' is not a class or function")


def test_a_dict_of_the_first_version_stays_a_dict():
    old = [{'as': 'tuple', 'value': [1]}, {'class': 'Keeps', 'args': {'value': {'as': 'x', 'value': {'as': 'y', 'value': 1}}}}]
    read = unserialize(escape(old), [Keeps])
    assert read[0] == {'as': 'tuple', 'value': [1]} and read[1].value == {'as': 'x', 'value': {'as': 'y', 'value': 1}}
    assert unescape(escape(old)) == old
    assert unescape(serialize(Keeps((1, np.float32(0.5), np.arange(4).reshape(2, 2))))) == {
        'class': 'Keeps', 'args': {'value': [1, 0.5, [[0, 1], [2, 3]]], 'numbers': []}}


def test_what_a_constructor_changed_is_what_was_passed_then():
    class Changes(Serializable):
        def __init__(self, value):
            self.value = np.asarray(value) * 2
    given = np.ones(2)
    one = Changes(given)
    given[0] = 7
    assert_equal(rebuilt(one, [Changes]).value, np.array([2., 2.]))
    nested = [[1], {'a': [2]}]
    one = Changes.__new__(Changes)
    one = Nested(nested)
    nested[0].append(5)
    nested[1]['a'].append(5)
    assert serialize(one)['args']['value'] == [[1], {'a': [2]}]


class Nested(Serializable):
    def __init__(self, value):
        self.value = len(value)


def test_a_layer_without_an_annotation_in_a_model():
    class Framed(Layer):
        def __init__(self, size=None, **kwargs):
            super().__init__(**kwargs)
            self.size = size
    made = rebuilt(Sequential([Framed((8, 8)), Framed([8, 8])]), [Framed])
    assert_equal([layer.size for layer in made.layers], [(8, 8), [8, 8]])
