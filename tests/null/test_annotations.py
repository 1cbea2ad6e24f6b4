"""Annotations that programs write today: what they allow, the words for them, and that what cannot be judged is not refused."""
from __future__ import annotations

import collections
import collections.abc
import dataclasses
import numbers
import re
import typing
from typing import (Annotated, Any, Callable, ClassVar, Dict, FrozenSet, Generic, Hashable, Iterable, List, Literal,
                    Mapping, NewType, Optional, Protocol, Sequence, Set, Tuple, Type, TypedDict, TypeVar, Union)

import numpy as np
import pytest

from keraflow import schema
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError
from keraflow.layers import Dense, Layer
from keraflow.regularizers import L1
from keraflow.schema import Activation, PositiveInt, expected, hints_of
from keraflow.serialization import Serializable, serialize, unserialize

if typing.TYPE_CHECKING:
    from nowhere import Unknown


class Sized(Protocol):
    size: int

    def grow(self) -> None: ...


@typing.runtime_checkable
class Grows(Protocol):
    def grow(self) -> None: ...


class Plant:
    def grow(self) -> None:
        """For Grows."""


class Options(TypedDict):
    rate: float


Item = TypeVar('Item')
Number = TypeVar('Number', int, str)
Plantish = TypeVar('Plantish', bound=Plant)
UserId = NewType('UserId', int)


class Crate(Generic[Item]):
    pass


class Abstract(collections.abc.Sized):
    pass


@dataclasses.dataclass
class Record:
    a: int = 0


#: (annotation, the words for it, what it takes, what it refuses)
ANNOTATIONS = [
    (int | None, 'an integer or None', [None, 3], ['3', 1.5, True]),
    (int | str | None, 'an integer or a string or None', [None, 3, 'a'], [1.5]),
    (Optional[int | str], 'an integer or a string or None', [None, 3, 'a'], [1.5]),
    (Optional[Literal['a'] | PositiveInt], "one of 'a' or an integer of at least 1 or None", ['a', 1, None], ['b', 0]),
    (tuple, 'a tuple', [(), (1, 'a'), [8, 8]], [3, 'ab', {1: 2}]),
    (Tuple, 'a tuple', [(), (1, 'a')], [3]),
    (tuple[int, str], 'a tuple (an integer, a string)', [(1, 'a'), [1, 'a']], [(1, 2), ('a', 1), (1,), (1, 'a', 2), 'ab', ()]),
    (Tuple[int, str], 'a tuple (an integer, a string)', [(1, 'a')], [(1, 2), (1, 'a', 'b')]),
    (Tuple[PositiveInt, PositiveInt], 'a tuple (an integer of at least 1, an integer of at least 1)', [(1, 2)], [(1, 0), (1,)]),
    (tuple[int, ...], 'a list (an integer each)', [(), (1,), (1, 2, 3)], [(1, 'a'), 3]),
    (tuple[()], 'a tuple', [()], [(1,)]),
    (tuple[tuple[int, str], ...], 'a list (a tuple (an integer, a string) each)', [((1, 'a'), (2, 'b'))], [((1, 2),)]),
    (list, 'a list', [[], [1], (1,)], [3, 'ab']),
    (List, 'a list', [[], [1]], [3]),
    (list[int], 'a list (an integer each)', [[1], ()], [['a'], 3]),
    (Sequence, 'a list', [[1], (1,), range(3), collections.deque([1])], ['ab', b'a', 3, {1}]),
    (Sequence[int], 'a list (an integer each)', [[1], range(3)], [['a'], 'ab']),
    (collections.abc.Sequence[int], 'a list (an integer each)', [[1], (2,)], [['a']]),
    (dict, 'a dict', [{}, {1: 2}], [[], 3]),
    (dict[str, float], 'a dict of a number', [{}, {'a': 1.}, {'a': 1}], [{'a': 'b'}, {1: 1.}, []]),
    (Mapping[str, int], 'a dict of an integer', [{'a': 1}, collections.OrderedDict(a=1)], [{'a': 'b'}, 3]),
    (Mapping, 'a dict', [{}, {1: 2}], [[]]),
    (set[int], 'a set (an integer each)', [{1}, set()], [{'a'}, [1]]),
    (Set[str], 'a set (a string each)', [{'a'}], [{1}]),
    (FrozenSet[int], 'a set (an integer each)', [frozenset({1})], [frozenset({'a'}), {1}]),
    (Iterable, 'Iterable', [[1], 'ab', {1}, iter([])], [3]),
    (Iterable[str], 'Iterable', [['a'], iter(['a'])], [3]),
    (Callable, 'a function', [len, int, Plant], [3, 'len']),
    (Callable[[int], str], 'a function', [len], [3]),
    (Callable[..., Any] | None, 'a function or None', [None, len], [3]),
    (Any, 'Any', [None, 1, object()], []),
    (object, 'object', [None, True, 3, object()], []),
    (Hashable, 'Hashable', [True, 3, 'a', 2 ** 70], [[]]),
    (numbers.Number, 'Number', [3, 1.5, 2 ** 70], ['3']),
    (complex, 'complex', [1j, 1, 1.5], ['a', True]),
    (bytes, 'bytes', [b'a'], ['a']),
    (np.ndarray, 'an array', [np.ones(2)], [[1]]),
    (np.bool_, None, [np.True_], [3]),
    (np.floating, 'floating', [np.float32(1)], [1., 'a']),
    (Type[Layer], 'a class', [Dense, Layer], [L1, Dense(3), 'Dense']),
    (type[Layer] | None, 'a class or None', [Dense, None], [3]),
    (type, 'a class', [int, Dense], [3]),
    (Type[Any], 'a class', [int], [3]),
    (Type[Dense | L1], 'a class', [Dense, L1], [Layer]),
    (Sized, 'Sized', [Plant(), 3, None], []),
    (Grows, 'Grows', [Plant()], [3]),
    (Options, 'Options', [{'rate': 1.}, {}], []),
    (Item, None, [3, 'a', None], []),
    (Number, None, [3, 'a'], [1.5, None]),
    (Plantish, None, [Plant()], [3]),
    (UserId, 'an integer', [3], ['a']),
    (Crate[int], 'Crate', [Crate()], [3]),
    (Crate, 'Crate', [Crate()], [3]),
    (Plant, 'Plant', [Plant()], [3, Plant]),
    (Record, 'Record', [Record()], [{'a': 1}]),
    (Abstract, 'Abstract', [], [3]),
    (ClassVar[int], None, [3, 'a'], []),
    (Annotated[int, 'of anything'], 'an integer', [0, -3], ['a']),
    (Annotated[PositiveInt, 'of anything'], 'an integer of at least 1', [1], [0, 'a']),
    (Annotated[Union[int, None], Plant()], 'an integer or None', [None, 1], ['a']),
    (typing.ForwardRef('Unknown'), None, [3, None], []),
    ('Unknown', 'Unknown', [3, None], []),
    (None, 'None', [None], [3]),
    (typing.Deque[int], 'deque', [collections.deque([1])], [[1]]),
    (typing.DefaultDict[str, int], 'a dict of an integer', [collections.defaultdict(int, a=1)], [{'a': 1}]),
    (typing.Counter[str], 'Counter', [collections.Counter('ab')], [{}]),
    (Literal[True, None, 2], 'one of True, None, 2', [True, None, 2], [1, 2., False]),
    ([int], "[<class 'int'>]", [3, 'a'], []),
    ((int, str), None, [3, 'a'], []),
    (3, '3', [3, 'a'], []),
    (typing.Pattern, 'Pattern', [re.compile('a')], ['a']),
    (Iterable['Unknown'], 'Iterable', [[1]], [3]),
    (dict['Unknown', int], 'a dict of an integer', [{3: 3}], [{3: 'a'}]),
]


@pytest.mark.parametrize('annotation, words, right, wrong', ANNOTATIONS, ids=range(len(ANNOTATIONS)))
def test_annotation(annotation, words, right, wrong):
    if words is not None:
        assert expected(annotation) == words
    for value in right:
        schema.check(value, annotation, 'C: a')
    for value in wrong:
        with pytest.raises(KeraFlowError) as caught:
            schema.check(value, annotation, 'C: a')
        assert str(caught.value).startswith(f'C: a: expected {expected(annotation)}, received ')
        assert type(caught.value) in (ArgumentError, ArgumentTypeError)


def test_a_wrong_value_and_a_wrong_type_are_told_apart():
    for annotation in (PositiveInt | None, Tuple[PositiveInt, str], list[PositiveInt], Annotated[PositiveInt, 1]):
        wrong, other = {Tuple[PositiveInt, str]: ((0, 'a'), (0, 0)), list[PositiveInt]: ([0], ['a'])}.get(annotation, (0, 'a'))
        for value, kind in ((wrong, ArgumentError), (other, ArgumentTypeError)):
            with pytest.raises(KeraFlowError) as caught:
                schema.check(value, annotation, 'C: a')
            assert type(caught.value) is kind


def test_the_registrys_own_advice_in_a_union_of_today():
    with pytest.raises(ArgumentError) as caught:
        schema.check('tahn', Activation | None, 'C: a')
    assert str(caught.value) == "C: a: there is no activation 'tahn'. Did you mean 'tanh'?"


# -- constructors of a program, whose annotations are strings here -------------------------------------------------------

class Program(Serializable):
    def __init__(self, size: int | None = None, shape: tuple[int, ...] = (), grows: Grows | None = None, box: Crate[int] | None = None,
                 sized: Sized = None, rate: float = None, names: list[str] = None, activation: Activation = 'tanh',
                 unknown: Unknown = 3, wrong: np.nothing = 4, inner: Program | None = None, sizes: Dict[str, int] = None):
        self.size, self.shape, self.grows, self.box, self.sized, self.rate = size, shape, grows, box, sized, rate
        self.names, self.activation, self.unknown, self.wrong, self.inner, self.sizes = names, activation, unknown, wrong, inner, sizes


def test_annotations_that_cannot_be_evaluated_leave_the_others_in_force():
    hints = hints_of(Program.__init__)
    assert hints['size'] == int | None and hints['unknown'] is Any and hints['wrong'] is Any and hints['inner'] == Program | None
    for arguments, text in (({'size': 'a'}, "Program: size: expected an integer or None, received 'a'."),
                            ({'shape': (1, 'a')}, "Program: shape: expected a list (an integer each), received (1, 'a')."),
                            ({'activation': 'tahn'}, "Program: activation: there is no activation 'tahn'. Did you mean 'tanh'?"),
                            ({'grows': 3}, 'Program: grows: expected Grows or None, received 3.'),
                            ({'inner': 3}, 'Program: inner: expected Program or None, received 3.')):
        with pytest.raises(KeraFlowError) as caught:
            Program(**arguments)
        assert str(caught.value) == text
    assert schema.kinds_of(Program)['activation'] == 'activation'


def test_an_argument_may_be_its_default():
    one = Program(size=None, sized=None, rate=None, names=None, sizes=None, unknown='x', wrong=Plant())
    assert one.rate is None
    again = unserialize(serialize(Program(size=3, shape=(1, 2), inner=Program())), [Program])
    assert (again.size, again.shape, again.inner.rate, again.names) == (3, (1, 2), None, None)


def test_local_classes():
    class Local:
        pass

    class Uses(Serializable):
        def __init__(self, local: Local, size: int | None = None):
            self.local = local
    assert isinstance(Uses(Local()).local, Local) and Uses(3).local == 3
    with pytest.raises(ArgumentTypeError):
        Uses(Local(), size='a')
