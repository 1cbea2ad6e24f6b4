"""How objects come to be: arguments are checked, copied and remembered once, whatever kind of Python class it is."""
import abc
import copy
import dataclasses
import functools
import inspect
import pydoc
import traceback
from typing import Generic, Protocol, TypeVar

import pytest

import keraflow.models  # noqa: F401 (fills the registry)
from keraflow import initializations, schema
from keraflow.constraints import Constraint, NonNeg
from keraflow.errors import ArgumentTypeError, SerializationError
from keraflow.layers import LSTM, Dense, Layer
from keraflow.registry import register
from keraflow.regularizers import L1, Regularizer
from keraflow.sameness import same
from keraflow.schema import argument_scopes
from keraflow.schema.argument_scopes import argscope
from keraflow.serialization import pack_init_params, serialize, unserialize

T = TypeVar('T')


class Plain:
    """Of another library: it knows nothing of keraflow."""

    def __init__(self, size=1, **kwargs):
        super().__init__(**kwargs)
        self.size = size


class Sized(Protocol):
    def area(self) -> int: ...


class Named(Regularizer):
    def __init__(self, name: str = 'a'):
        self.name = name

    def __call__(self, param):
        return 0


class Scaled(Named):
    def __init__(self, scale: float = 1., **kwargs):
        super().__init__(**kwargs)
        self.scale = scale


def args(obj):
    return serialize(obj)['args']


@pytest.fixture
def bound(monkeypatch):
    """The classes for which arguments were bound and checked, in their order."""
    found, bind = [], schema.bind
    monkeypatch.setattr(schema, 'bind', lambda cls, *given: found.append(cls) or bind(cls, *given))
    return found


# -- once for each object ----------------------------------------------------------------------------------------------

def test_only_the_outermost_constructor_checks_and_remembers(bound):
    made = Scaled(2., name='b')
    assert bound == [Scaled] and args(made) == {'scale': 2., 'name': 'b'}
    assert args(Named('c')) == {'name': 'c'}        # which was the inner one
    assert bound == [Scaled, Named]
    assert args(Scaled(name='b')) == {'scale': 1., 'name': 'b'} and bound == [Scaled, Named, Scaled]


def test_a_base_that_is_called_by_name(bound):
    class Mine(Layer):
        def __init__(self, factor: float, name: str = 'mine'):
            Layer.__init__(self, name=name)
            self.factor = factor
    Layer()                     # whether or not objects of the base were made before
    made = Mine(2.)
    assert bound == [Layer, Mine] and args(made) == {'factor': 2.} and made.name == 'mine'
    assert made.user_name is None


def test_objects_that_a_constructor_makes_are_checked_for_themselves(bound):
    class Outer(Named):
        def __init__(self, inner='inner', **kwargs):
            self.made = Named(inner)
            super().__init__(**kwargs)
            self.inner = inner
    made = Outer('b')
    assert bound == [Outer, Named] and args(made.made) == {'name': 'b'}
    with pytest.raises(ArgumentTypeError, match='^Named: name: expected a string, received 3'):
        Outer(3)


def test_what_a_subclass_hands_on_is_not_checked_again():
    class Mine(Named):
        def __init__(self, number: int = 1):
            super().__init__(name=number)       # a number, for itself
    assert Mine(3).name == 3 and args(Mine(3)) == {'number': 3}
    with pytest.raises(TypeError, match=r"__init__\(\) got an unexpected keyword argument 'nme'"):
        type('Wrong', (Named,), {'__init__': lambda self: Named.__init__(self, nme=3)})()


def test_an_object_that_is_initialized_twice(bound):
    made = Scaled(2., name='b')
    made.__init__(3.)
    assert bound == [Scaled, Scaled] and args(made) == {'scale': 3., 'name': 'a'}
    with pytest.raises(ArgumentTypeError):
        made.__init__('x')
    assert repr(made) == "Scaled(scale=3.0, name='a')"
    layer = Dense(2, bias=False)
    layer.__init__(3, name='other')
    assert (layer.output_dim, layer.bias, layer.name, layer.user_name) == (3, True, 'other', 'other')
    assert args(layer)['output_dim'] == 3


def test_a_constructor_that_raises():
    class Mine(Regularizer):
        def __init__(self, factor: float = 1.):
            if factor > 1:
                raise ValueError('too large')
            self.factor = factor

        def __call__(self, param):
            return 0
    with pytest.raises(ValueError, match='^too large$') as caught:
        Mine(3)
    own = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__) if 'keraflow' in frame.filename]
    assert len(own) <= 3        # this test, keraflow, the constructor
    assert args(Mine(0.5)) == {'factor': 0.5}
    made = Mine(0.5)
    with pytest.raises(ValueError):
        made.__init__(3)
    assert args(made) == {'factor': 0.5} and '_is_being_made' not in vars(made)
    bare = Mine.__new__(Mine)
    with pytest.raises(ValueError):
        bare.__init__(3)
    assert repr(bare) == '<Mine (being made)>'
    bare.__init__(0.25)
    assert args(bare) == {'factor': 0.25}


def test_a_scope_is_not_in_force_inside(monkeypatch):
    seen = []

    class Mine(Layer):
        def __init__(self, factor: float = 1., **kwargs):
            seen.append(argument_scopes.defaults_for(Mine))
            super().__init__(**kwargs)
            self.factor = factor
    with argscope(Mine, factor=3.):
        assert Mine().factor == 3. and Mine(factor=2.).factor == 2. and argument_scopes.defaults_for(Mine)
    assert seen == [{}, {}] and Mine().factor == 1.


# -- kinds of classes --------------------------------------------------------------------------------------------------

def test_a_class_without_a_constructor():
    class Mine(NonNeg):
        pass
    assert args(Mine()) == args(NonNeg()) == {} and repr(Mine()) == 'Mine()'
    with pytest.raises(ArgumentTypeError) as caught:
        Mine(3)
    assert str(caught.value) == 'Mine: expected at most 0 positional argument(s), received 1.'
    with pytest.raises(TypeError):
        type('Wrong', (NonNeg,), {'__init__': lambda self: super(NonNeg, self).__init__(size=3)})()


def test_an_abstract_class():
    class Abstract(Layer, abc.ABC):
        def __init__(self, factor: float = 1., **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        @abc.abstractmethod
        def scaled(self): ...

    class Whole(Abstract):
        def scaled(self):
            return 2 * self.factor
    with pytest.raises(TypeError, match="^Can't instantiate abstract class Abstract"):
        Abstract()
    assert Whole(3.).scaled() == 6. and args(Whole(3., name='a')) == {'factor': 3., 'name': 'a'}
    with pytest.raises(ArgumentTypeError, match="^Whole: there is no argument 'facto'. Did you mean 'factor'?"):
        Whole(facto=2)
    assert isinstance(Whole(), Abstract) and not issubclass(Dense, Abstract)
    assert Abstract.register(int) is int


def test_a_generic_class():
    class Mine(Layer, Generic[T]):
        def __init__(self, size: int = 1, **kwargs):
            super().__init__(**kwargs)
            self.size = size

    class Other(Named, Generic[T]):
        pass
    assert args(Mine[int](3, name='g')) == args(Mine(3, name='g')) == {'size': 3, 'name': 'g'}
    assert args(copy.deepcopy(Other[int]('b'))) == {'name': 'b'}
    assert str(inspect.signature(Mine)).startswith('(size: int = 1, *, name: ')


@pytest.mark.parametrize('bases', [(Layer, Sized), (Sized, Layer)], ids=['after', 'before'])
def test_a_class_that_keeps_a_protocol(bases):
    class Mine(*bases):
        def area(self):
            return 3
    assert args(Mine(name='m')) == {'name': 'm'} and list(schema.arguments_of(Mine)) == list(schema.arguments_of(Layer))


def test_a_base_of_another_library_before_and_after():
    class Before(Plain, Layer):
        pass

    class After(NonNeg, Plain):
        pass

    class Below(Before):
        def __init__(self, more: int = 2, **kwargs):
            super().__init__(**kwargs)
            self.more = more
    NonNeg()                    # whose constructor does not stand in the way then
    assert args(Before(4, name='b')) == {'size': 4, 'name': 'b'} and Before(4).size == 4
    assert args(After(4)) == args(After(size=4)) == {'size': 4}
    assert args(Below(size=3, more=5)) == {'more': 5, 'size': 3}
    assert '__init__' not in vars(Plain) or not hasattr(Plain.__init__, '__wrapped__')
    assert Plain(size=3).size == 3


@pytest.mark.parametrize('bases', [(Regularizer,), (Plain, Regularizer), (NonNeg,)])
@pytest.mark.parametrize('body', [{}, {'__init__': lambda self, **kwargs: super(type(self), self).__init__(**kwargs)}])
def test_a_class_that_was_used_is_the_same_as_one_that_was_not(bases, body):
    used, other = (type('Mine', bases, {'__call__': lambda self, param: 0, **body}) for _ in range(2))
    used()
    assert same(used, other) and same(other, used) and same(used, used)
    changed = type('Mine', bases, {'__call__': used.__call__, '__init__': lambda self: None})
    assert not same(used, changed)


def test_an_inherited_constructor_of_two_bases():
    class First(Layer):
        def __init__(self, first: int = 1, **kwargs):
            super().__init__(**kwargs)
            self.first = first

    class Second(Layer):
        def __init__(self, second: int = 1, **kwargs):
            super().__init__(**kwargs)
            self.second = second

    class Both(First, Second):
        pass
    assert args(Both(first=3, second=4, name='b')) == {'first': 3, 'second': 4, 'name': 'b'}
    assert args(First(3)) == {'first': 3} and args(Second(4)) == {'second': 4}
    assert str(inspect.signature(Both)).startswith('(first: int = 1, *, second: int = 1, name: ')


@pytest.mark.parametrize('bases', [(Regularizer,), (Plain, Regularizer), (Regularizer, Plain), (L1,)])
def test_a_dataclass(bases):
    @dataclasses.dataclass
    class Mine(*bases):
        rates: list = dataclasses.field(default_factory=list)
        scale: float = 0.5

        def __call__(self, param):
            return self.scale
    given = [1, 2]
    made = Mine(given, scale=2.)
    given.append(3)
    assert args(made) == {'rates': [1, 2], 'scale': 2.}
    assert copy.deepcopy(made) == made != Mine([1, 2])
    with pytest.raises(ArgumentTypeError, match='^Mine: scale: expected a number, received '):
        Mine([], 'x')


def test_a_class_that_makes_objects_itself():
    class Mine(Constraint):
        def __new__(cls, size):
            made = super().__new__(cls)
            made.size = size
            return made

        def __call__(self, param):
            return param

    class Single(Regularizer):
        one = None

        def __new__(cls, *args, **kwargs):
            cls.one = cls.one or super().__new__(cls)
            return cls.one

        def __init__(self, rate: float = 1.):
            self.rate = rate

        def __call__(self, param):
            return 0
    assert args(Mine(3)) == args(Mine(size=3)) == {'size': 3}
    first, second = Single(2.), Single(3.)
    assert first is second and args(first) == {'rate': 3.}


def test_a_class_with_slots():
    class Mine(Regularizer):
        __slots__ = ('factor',)

        def __init__(self, factor: float = 1.):
            self.factor = factor

        def __call__(self, param):
            return 0
    assert args(Mine(3)) == {'factor': 3}


def test_a_constructor_that_looks_like_another_one():
    class Mine(Dense):
        @functools.wraps(Dense.__init__)
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.extra = 3
    Dense(3)
    assert args(Mine(2))['output_dim'] == 2 and Mine(2).extra == 3

    class Mine2(Dense):
        @functools.wraps(Dense.__init__)
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.extra = 4
    Mine2.__qualname__ = Mine.__qualname__
    assert not same(Mine, Mine2)


def test_a_constructor_that_is_replaced():
    class Mine(Named):
        def __init__(self, name: str = 'b'):
            super().__init__(name)

    def other(self, name: str = 'c'):
        Named.__init__(self, name + '!')
    Mine()
    Mine.__init__ = other
    assert Mine().name == 'c!' and args(Mine('d')) == {'name': 'd'}


def test_copies_are_made_without_a_constructor(bound):
    made = Scaled(2., name='b')
    others = copy.copy(made), copy.deepcopy(made)
    assert bound == [Scaled] and [args(one) for one in others] == [args(made)] * 2
    others[0].scale = 5.
    assert (made.scale, others[0].scale) == (2., 5.) and pack_init_params(others[0])['scale'] == 5.


# -- what tools show ---------------------------------------------------------------------------------------------------

def test_an_object_has_no_signature_of_its_class():
    assert not hasattr(L1(), '__signature__')
    assert str(inspect.signature(L1())) == '(param: Any) -> Any'
    assert str(inspect.signature(L1)) == '(l1: NonNegative = 0.01)'


def test_help_and_documentation_are_those_of_the_class():
    L1()
    text = pydoc.plain(pydoc.render_doc(L1))
    assert 'class L1(Regularizer)\n |  L1(l1: NonNegative = 0.01)' in text and '__init__(self, l1: ' in text
    assert L1.__init__.__qualname__ == 'L1.__init__' and inspect.getsource(L1.__init__).lstrip().startswith('def __init__(')


# -- arguments that an __init__ of the program gives its base class ------------------------------------------------------

@register(id='constructors_linear')
class Linear(Dense):
    """Gives its base class a default of that, and something else."""

    def __init__(self, extra: int = 1, **kwargs):
        super().__init__(3, activation='linear', init='uniform', **kwargs)
        self.extra = extra


@register(id='constructors_more_linear')
class MoreLinear(Linear):
    def __init__(self, **kwargs):
        super().__init__(extra=1, **kwargs)


@register(id='constructors_recurrent')
class Recurrent(LSTM):
    """Gives nothing but a number: what LSTM passes on to its own base is not given by the program."""

    def __init__(self, **kwargs):
        super().__init__(4, **kwargs)


@pytest.mark.parametrize('cls, given, args', [
    (Linear, {}, {'extra': 1, 'bias': True}), (Linear, {'extra': 2, 'bias': False, 'name': 'a'}, {'extra': 2, 'bias': False, 'name': 'a'}),
    (MoreLinear, {}, {'bias': True})])
def test_what_init_gives_its_base_class_is_not_saved_even_if_it_is_the_default(cls, given, args):
    data = serialize(cls(**given))
    assert data['args'] == args
    again = unserialize(data)
    assert type(again) is cls and again.init is initializations.uniform and again.extra == args.get('extra', 1)
    assert serialize(again) == data


@pytest.mark.parametrize('cls, argument, value', [(Linear, 'activation', 'tanh'), (Linear, 'init', 'zero'), (MoreLinear, 'extra', 2)])
def test_what_init_gives_its_base_class_is_not_saved_if_it_was_changed(cls, argument, value):
    made = cls()
    first = getattr(made, argument)
    setattr(made, argument, value)
    with pytest.raises(SerializationError) as caught:
        serialize(made)
    assert str(caught.value) == (f'{cls.__name__}: {argument} was changed since __init__ gave it to a base class. Let __init__ take '
                                 f'{argument}, too, and pass it on.')
    setattr(made, argument, first)
    serialize(made)


def test_what_classes_of_keraflow_give_each_other_is_saved():
    made = Recurrent(return_sequences=True)
    made.activation = 'relu'
    args = serialize(made)['args']
    assert args['return_sequences'] is True and args['activation'] == 'relu' and 'output_dim' not in args
    assert serialize(unserialize({'class': 'constructors_recurrent', 'args': args}))['args'] == args
