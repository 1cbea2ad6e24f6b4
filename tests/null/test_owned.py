"""Copies that objects keep of what a program gives them: whatever it then does to its own values, theirs stay."""
import array
import collections
import functools
import tracemalloc
import typing

import numpy as np
import pytest

from keraflow.owned import owned
from keraflow.regularizers import L1
from keraflow.sameness import same
from keraflow.serialization import Serializable, pack_init_params, serialize


class Pair(typing.NamedTuple):
    one: typing.Any
    other: typing.Any = 0


class Keeps(Serializable):
    def __init__(self, value=None, **kwargs):
        self.value = value


def fill(values):
    """Set all numbers of an array, also through the array that it is a view of."""
    (values if values.base is None else values.base)[...] = 0


def locked(values):
    values.setflags(write=False)
    return values


def empty(values):
    values.clear()


def of_array(values):
    return np.asarray(values).tolist()


#: What is given, what the program does to it, what is seen of it.
CHANGES = {
    'an array': (lambda: np.arange(3.), fill, of_array),
    'without axes': (lambda: np.array(3.), fill, of_array),
    'a view': (lambda: np.arange(12.)[2:8:2], fill, of_array),
    'backwards': (lambda: np.arange(3.)[::-1], fill, of_array),
    'transposed': (lambda: np.arange(6.).reshape(2, 3).T, fill, of_array),
    'a view that cannot be written': (lambda: locked(np.arange(12.)[:3]), fill, of_array),
    'broadcast': (lambda: np.broadcast_to(np.arange(3.), (2, 3)), fill, of_array),
    'records': (lambda: np.array([(1, 2.)], [('a', 'int32'), ('b', 'float64')]), lambda it: it.__setitem__('a', 0), of_array),
    'masked': (lambda: np.ma.array([1., 2.], mask=[False, True]), fill, lambda it: it.filled(-1.).tolist()),
    'of objects': (lambda: np.array([[1], [2, 3]], object), lambda it: it[1].append(4), lambda it: [list(one) for one in it]),
    'a list': (lambda: [1, 2], empty, list),
    'a list that is filled again': (lambda: [1, 2], lambda it: it.__setitem__(slice(None), [3, 4]), list),
    'arrays in a list': (lambda: [np.arange(3.)], lambda it: fill(it[0]), lambda it: it[0].tolist()),
    'arrays in a tuple': (lambda: (1, np.arange(3.)), lambda it: fill(it[1]), lambda it: it[1].tolist()),
    'arrays in a named tuple': (lambda: Pair(np.arange(3.)), lambda it: fill(it.one), lambda it: it.one.tolist()),
    'a dict': (lambda: {'a': 1}, empty, dict),
    'a nested dict': (lambda: {'a': {'b': [np.arange(3.)]}}, lambda it: fill(it['a']['b'][0]), lambda it: it['a']['b'][0].tolist()),
    'an ordered dict': (lambda: collections.OrderedDict(a=[1]), lambda it: it['a'].append(2), lambda it: list(it.items())),
    'a dict with a default': (lambda: collections.defaultdict(list, a=[1]), lambda it: it['b'].append(2), dict),
    'counts': (lambda: collections.Counter('aab'), lambda it: it.update('b'), dict),
    'a set': (lambda: {1, 2}, empty, sorted),
    'a queue': (lambda: collections.deque([[1]], 3), lambda it: it[0].append(2), lambda it: (it.maxlen, [list(one) for one in it])),
    'bytes': (lambda: bytearray(b'ab'), lambda it: it.__setitem__(0, 0), bytes),
    'memory': (lambda: memoryview(np.arange(3.)), lambda it: it.__setitem__(1, 9.), lambda it: it.tolist()),
    'an array of Python': (lambda: array.array('d', [1., 2.]), lambda it: it.append(3.), lambda it: it.tolist()),
    'arguments of a function': (lambda: functools.partial(max, [np.arange(3.)], key=[1]),
                                lambda it: (fill(it.args[0][0]), it.keywords['key'].append(2)),
                                lambda it: (it.args[0][0].tolist(), list(it.keywords['key']))),
}


@pytest.mark.parametrize('name', CHANGES)
def test_what_is_kept_stays_as_it_was(name):
    make, change, seen = CHANGES[name]
    given, expected = make(), seen(make())
    kept, one, remembered = owned(given), Keeps(given), pack_init_params(Keeps(given))
    assert type(kept) is type(one.value) is type(given)
    change(given)
    assert seen(given) != expected
    assert seen(kept) == seen(one.value) == seen(pack_init_params(one)['value']) == seen(remembered['value']) == expected
    change(remembered['value'])
    change(pack_init_params(one)['value'])
    assert seen(remembered['value']) != expected and seen(one.value) == expected


def test_a_file_becomes_an_array(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / 'x.npy', 'w+', 'float32', (3,))
    mapped[:] = 1
    one = Keeps([mapped])
    mapped[:] = 0
    assert type(one.value[0]) is np.ndarray and one.value[0].tolist() == [1, 1, 1]
    assert serialize(one.value) == [{'as': 'array', 'dtype': 'float32', 'shape': [3], 'value': [1., 1., 1.]}]


def test_what_is_no_value_stays_the_same_object():
    class Other:
        pass

    class Frame(tuple):
        def __new__(cls, one, other):
            return super().__new__(cls, (one, other))
    function = functools.partial(max, key=len)
    for it in (L1(0.5), Other(), Frame(1, [2]), len, L1, function, np.float32(1), np.random.default_rng(0), (1, 'a', len), frozenset({1}), ..., 'a'):
        assert owned(it) is it and Keeps(it).value is it and Keeps([it]).value[0] is it and owned({'a': it})['a'] is it


def test_what_a_function_says_of_itself_stays():
    loss = functools.partial(max, key=[1])
    loss.larger_is_better = True
    assert owned(loss) is not loss and owned(loss).larger_is_better is True


def test_defaults_of_a_class_are_shared_by_no_objects():
    table = np.ones(2)

    class Defaults(Serializable):
        def __init__(self, sizes=[1], table=table):     # noqa: B006
            self.sizes, self.table = sizes, table
    one = Defaults()
    one.sizes.append(2)
    table[:] = 0
    assert one.table.tolist() == [1, 1] and Defaults().sizes == [1] and Defaults().table.tolist() == [0, 0]
    assert pack_init_params(one)['sizes'] == [1, 2]


def test_a_constructor_that_changes_what_it_was_given_in_place():
    class Scaled(Serializable):
        def __init__(self, values, names):
            values *= 2
            names.append('last')
            self.values, self.names = values, names
    values, names = np.array([1., np.nan]), ['first']
    one = Scaled(values, names)
    assert names == ['first'] and values[0] == 1 and one.values[0] == 2
    again = Scaled(**pack_init_params(one))
    assert again.values[0] == 2 and again.names == ['first', 'last']


def test_an_attribute_is_followed_whatever_numbers_it_has():
    one = Keeps(np.array([np.nan, 1.]))
    one.value[1] = 5
    assert pack_init_params(one)['value'][1] == 5
    one.value = 3
    assert pack_init_params(one)['value'] == 3


def test_an_override_may_undo_a_change_in_place():
    class Centred(Serializable):
        def __init__(self, values):
            self.values = values - 1

        def pack_init_param(self):
            params = super().pack_init_param()
            params['values'] += 1
            return params
    one = Centred(np.ones(2))
    for _ in range(2):
        assert pack_init_params(one)['values'].tolist() == [1, 1] and one.values.tolist() == [0, 0]


def test_what_is_never_saved_is_shared():
    class Recorder(Serializable):
        never_saved = frozenset({'log'})

        def __init__(self, log):
            self.log = log
    log = []
    Recorder(log).log.append(1)
    assert log == [1] and pack_init_params(Recorder(log)) == {}


def test_a_large_array_is_copied_once():
    given = np.ones(1_000_000)
    tracemalloc.start()
    try:
        kept = [Keeps(given)]
        size, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept and size < 1.1 * given.nbytes and peak < 1.3 * given.nbytes


@pytest.mark.parametrize('one, other, expected', [
    (np.array([1., np.nan]), np.array([1., np.nan]), True), (np.array([1., np.nan]), np.array([np.nan, 1.]), False),
    (np.array([[1], [2, 3]], object), np.array([[1], [2, 3]], object), True), (np.array([[1], [2]], object), np.array([[1], [3]], object), False),
    (np.array(['a']), np.array(['a']), True), (np.array(['a']), np.array(['b']), False)])
def test_arrays_mean_the_same(one, other, expected):
    assert same(one, other) is expected
