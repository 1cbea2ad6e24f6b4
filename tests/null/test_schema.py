"""What arguments may be: the checks of annotations, and the words for them."""
from typing import Any, Callable, Dict, List, Literal, Optional, Sequence, Union

import numpy as np
import pytest

from keraflow import activations, schema
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError
from keraflow.layers import Dense, Layer
from keraflow.optimizers import SGD
from keraflow.regularizers import L1
from keraflow.schema import (Activation, Axes, Beta, Constraints, DType, Finite, Fraction, Function, Initialization,
                             Name, Natural, NonNegative, PositiveFloat, PositiveInt, Rate, Regularizer, Regularizers,
                             expected)
from keraflow.serialization import Serializable

INF, NAN = float('inf'), float('nan')
#: (annotation, the words for it, what it takes, right types with wrong values, wrong types)
ANNOTATIONS = [
    (int, 'an integer', [0, -1, np.int32(3)], [], [1., '1', True, None, np.float32(1), np.True_]),
    (float, 'a number', [0, 1.5, np.float32(2), INF], [], ['1', True, None, 1j]),
    (bool, 'True or False', [True, False, np.False_], [], [0, 1, 'True', None]),
    (str, 'a string', ['', 'a'], [], [b'a', 1, None]),
    (Any, 'Any', [None, 1, object()], [], []),
    (PositiveInt, 'an integer of at least 1', [1, np.int64(7)], [0, -3], [1., True, '1', None]),
    (Natural, 'an integer of at least 0', [0, 1], [-1], [0., False]),
    (Finite, 'a finite number', [-1, 1e300, 0.], [INF, -INF, NAN], ['0']),
    (PositiveFloat, 'a number above 0', [1, 1e-30], [0, -1, INF, NAN], [True, '1']),
    (NonNegative, 'a number of at least 0', [0, 2.], [-1e-30, INF], [None]),
    (Rate, 'a number of at least 0 and below 1', [0, 0.5], [1, 1., -0.1, NAN], ['0.5']),
    (Beta, 'a number above 0 and below 1', [0.5], [0, 1], ['0.5']),
    (Fraction, 'a number from 0 to 1', [0, 1, 0.3], [1.1, -0.1, NAN], [None]),
    (Name, "a name of letters, digits, '_', '-' and '.' (at most 128)", ['a', '1', 'a.b-c_D', '_', 'a' * 128],
     ['', 'a b', '.a', 'a.', 'a/b', 'a\n', 'ü', 'a' * 129], [1, None]),
    (DType, "one of 'bool', 'int32', 'int64', 'float32', 'float64'", ['bool', 'float64'], [], ['float16', 'Float32', 32]),
    (Literal[1, 'a'], "one of 1, 'a'", [1, 'a'], [], [True, 1., 'b']),
    (Optional[int], 'an integer or None', [None, 3], [], ['3', 3.]),
    (Optional[PositiveInt], 'an integer of at least 1 or None', [None, 3], [0], ['3']),
    (Axes, 'an integer or a list (an integer each)', [-1, [0, 1], (2,), []], [], [None, [0.5], '01']),
    (Sequence[PositiveInt], 'a list (an integer of at least 1 each)', [[1, 2], (), (3,)], [[1, 0]], [3, ['a'], {1: 2}, 'ab']),
    (List[str], 'a list (a string each)', [['a'], ('b',)], [], ['ab', [1]]),
    (Union[str, Sequence[int]], 'a string or a list (an integer each)', ['a', [1]], [], [1, ['a']]),
    (Dict[str, int], 'a dict of an integer', [{}, {'a': 1}], [], [{'a': 'b'}, {1: 1}, [1]]),
    (Callable, 'Callable', [len, L1(), int], [], [3, 'len']),
    (np.ndarray, 'an array', [np.ones(2)], [], [[1, 2]]),
    (Function, 'a function (a name, a function or an object)', [len, activations.tanh], [], ['tanh', 3, None]),
    (L1, 'L1', [L1()], [], [SGD(), 'l1']),
    ('Unknown', 'Unknown', [3, None], [], []),
]


@pytest.mark.parametrize('annotation, words, right, wrong_values, wrong_types', ANNOTATIONS, ids=[str(it[1])[:30] for it in ANNOTATIONS])
def test_annotation(annotation, words, right, wrong_values, wrong_types):
    if annotation is not Callable:
        assert expected(annotation) == words
    for value in right:
        schema.check(value, annotation, 'C: a')
    for values, kind in ((wrong_values, ArgumentError), (wrong_types, ArgumentTypeError)):
        for value in values:
            with pytest.raises(KeraFlowError) as caught:
                schema.check(value, annotation, 'C: a')
            assert type(caught.value) is kind, value
            assert str(caught.value).startswith(f'C: a: expected {expected(annotation)}, received ')


@pytest.mark.parametrize('annotation, value, kind, text', [
    (Activation, 'sofmax', ArgumentError, "there is no activation 'sofmax'. Did you mean 'softmax'?"),
    (Activation, 3, ArgumentTypeError, 'expected an activation (a name, a function or an object), received 3.'),
    (Activation, None, ArgumentTypeError, 'expected an activation (a name, a function or an object), received None.'),
    (Optional[Activation], 'tahn', ArgumentError, "there is no activation 'tahn'. Did you mean 'tanh'?"),
    (Initialization, 'zeros', ArgumentError, "there is no initialization 'zeros'. Did you mean 'zero'?"),
    (Regularizer, SGD(), ArgumentTypeError, 'expected a regularizer (a name, a function or an object), received '
                                            'SGD(lr=0.01, momentum=0.0, decay=0.0, nesterov=False).'),
    (Regularizers, {'W': 'l9x'}, ArgumentError, "W: there is no regularizer 'l9x'. Choose one of L1, L1L2, L2, l1, l1l2, l2."),
    (Regularizers, ['l1', 3], ArgumentTypeError, '1: expected a regularizer (a name, a function or an object), received 3.'),
    (Regularizers, 'l1', ArgumentTypeError, "expected a dict or a list by parameter, such as {'W': 'l2'} or ['l2'], received 'l1'."),
    (Constraints, L1(), ArgumentTypeError,
     "expected a dict or a list by parameter, such as {'W': 'nonneg'} or ['nonneg'], received L1(l1=0.01)."),
])
def test_slots_for_objects(annotation, value, kind, text):
    with pytest.raises(KeraFlowError) as caught:
        schema.check(value, annotation, 'C: a')
    assert type(caught.value) is kind and str(caught.value) == f'C: a: {text}'


def test_slots_take_names_functions_classes_objects_and_none_for_a_parameter():
    for annotation, values in ((Activation, ['tanh', activations.tanh, lambda x: x]), (Regularizer, ['l1', L1, L1(0.1), len]),
                               (Regularizers, [None, {}, {'W': 'l1', 'b': None}, ['l1', L1(0.1)], (None, L1)])):
        for value in values:
            schema.check(value, annotation, 'C: a')


def test_the_kind_in_an_annotation():
    for annotation, kind in ((Activation, 'activation'), (Optional[Regularizer], 'regularizer'), (Regularizers, 'regularizer'),
                             (Sequence[Activation], 'activation'), (Dict[str, Constraints], 'constraint'), (int, ''), (Any, '')):
        assert schema.kind_in(annotation) == kind
    kinds = schema.kinds_of(Dense)
    assert (kinds['init'], kinds['activation'], kinds['regularizers'], kinds['output_dim']) == (
        'initialization', 'activation', 'regularizer', '')


# -- signatures ---------------------------------------------------------------------------------------------------------

class Base(Serializable):
    def __init__(self, size: PositiveInt = 1, name: Optional[str] = None):
        self.size, self.name = size, name


class Middle(Base):
    def __init__(self, rate: Rate, *, flag: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.flag = rate, flag


class Leaf(Middle):
    pass


class Closed(Middle):
    def __init__(self, only):
        super().__init__(0.5)


def test_the_arguments_of_base_classes_are_part_of_the_signature():
    parameters = schema.arguments_of(Leaf)
    assert list(parameters) == ['rate', 'flag', 'size', 'name']
    assert [one.positional for one in parameters.values()] == [True, False, False, False]
    assert [one.owner for one in parameters.values()] == [Middle, Middle, Base, Base]
    assert parameters['size'].annotation == PositiveInt and parameters['size'].default == 1
    assert list(schema.arguments_of(Closed)) == ['only'] and schema.arguments_of(Closed)['only'].annotation is Any


def test_an_argument_that_a_class_changes_is_its_own():
    class Narrow(Base):
        def __init__(self, size: Literal[2] = 2, **kwargs):
            super().__init__(size, **kwargs)
    assert schema.arguments_of(Narrow)['size'].annotation == Literal[2]
    assert list(schema.arguments_of(Narrow)) == ['size', 'name']


def test_an_annotation_that_cannot_be_read_checks_nothing():
    class Unreadable(Serializable):
        def __init__(self, size: 'NoSuchName'):   # noqa: F821
            self.size = size
    assert Unreadable('anything').size == 'anything'


def test_what_a_call_passes_by_order_and_by_name():
    assert vars(Leaf(0.5, size=3)).items() >= {'rate': 0.5, 'size': 3, 'name': None, 'flag': False}.items()
    assert vars(Base(3, 'n')).items() >= {'size': 3, 'name': 'n'}.items()
    assert vars(Base()).items() >= {'size': 1, 'name': None}.items()


@pytest.mark.parametrize('cls, args, kwargs, kind, text', [
    (Leaf, (), {}, ArgumentTypeError, "Leaf: the argument 'rate' is missing: a number of at least 0 and below 1."),
    (Leaf, (0.5, True), {}, ArgumentTypeError,
     'Leaf: expected at most 1 positional argument(s) (rate), received 2. Pass the others by name.'),
    (Leaf, (0.5,), {'rate': 0.5}, ArgumentTypeError, "Leaf: the argument 'rate' is given twice."),
    (Leaf, (0.5,), {'sizes': 3}, ArgumentTypeError, "Leaf: there is no argument 'sizes'. Did you mean 'size'?"),
    (Closed, (1,), {'size': 3}, ArgumentTypeError, "Closed: there is no argument 'size'. Choose one of only."),
    (Leaf, (1.5,), {}, ArgumentError, 'Leaf: rate: expected a number of at least 0 and below 1, received 1.5.'),
    (Leaf, (0.5,), {'size': 0}, ArgumentError, 'Leaf: size: expected an integer of at least 1, received 0.'),
    (Leaf, (0.5,), {'size': np.ones((2, 3))}, ArgumentTypeError,
     'Leaf: size: expected an integer of at least 1, received an array of shape (2, 3).'),
    (Leaf, (0.5,), {'flag': 1}, ArgumentTypeError, 'Leaf: flag: expected True or False, received 1.'),
    (Dense, (), {'units': 3}, ArgumentTypeError, "Dense: there is no argument 'units'. Did you mean 'output_dim'?"),
    (Dense, (3,), {'name': 'a b'}, ArgumentError,
     "Dense: name: expected a name of letters, digits, '_', '-' and '.' (at most 128) or None, received 'a b'."),
])
def test_a_call_that_is_refused(cls, args, kwargs, kind, text):
    with pytest.raises(KeraFlowError) as caught:
        cls(*args, **kwargs)
    assert type(caught.value) is kind and str(caught.value) == text


def test_a_layer_checks_before_its_constructor_runs():
    ran = []

    class Noted(Layer):
        def __init__(self, size: PositiveInt, **kwargs):
            ran.append(size)
            super().__init__(**kwargs)
    with pytest.raises(ArgumentError, match='Noted: size: expected an integer of at least 1, received 0.'):
        Noted(0)
    assert ran == [] and isinstance(Noted(2), Layer) and ran == [2]
