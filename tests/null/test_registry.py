"""The table of what a file may name: what is in it, who may write into it, and what it says of a name it does not have."""
import functools

import pytest

import keraflow.utils  # noqa: F401 (fills the table)
from keraflow import activations, optimizers, registry, regularizers
from keraflow.errors import ArgumentError, ArgumentTypeError, SerializationError
from keraflow.layers import Dense, Layer
from keraflow.regularizers import L1


def refusal(make, kind=ArgumentError):
    with pytest.raises(kind) as caught:
        make()
    return str(caught.value)


def cube(x):
    return x * x * x


class Blur(Layer):
    pass


# -- looking up ---------------------------------------------------------------------------------------------------------

def test_a_name_is_found_among_its_kind():
    assert registry.find('Dense', 'layer').target is registry.find('Dense').target is Dense
    assert registry.find('Dense', 'activation') is None and registry.find('Dens', 'layer') is None
    assert registry.find('l1', 'regularizer').target is L1
    assert registry.find('l1') is None      # a short name is for users: files have ids


def test_ids_are_those_of_the_kind_with_their_short_names():
    assert registry.ids('regularizer') == ['L1', 'L1L2', 'L2', 'l1', 'l1l2', 'l2']
    assert registry.ids('no such kind') == []


def test_each_id_and_short_name_is_a_name_without_spaces():
    for entry in registry.entries():
        if entry.builtin:
            assert entry.id == entry.id.strip() and entry.target.__name__ == entry.id.removeprefix('B.')
    for kind, alias in registry._aliases:
        assert alias == alias.strip() and registry.find(alias, kind) is not None


def test_what_a_name_a_class_a_function_and_an_object_mean():
    one = L1(0.5)
    assert registry.resolve('regularizer', one) is one
    assert registry.resolve('regularizer', 'l1').l1 == registry.resolve('regularizer', L1).l1 == 0.01
    assert registry.resolve('activation', 'tanh') is registry.resolve('activation', activations.tanh) is activations.tanh
    assert registry.resolve('activation', cube) is cube
    partial = functools.partial(activations.relu, alpha=0.1)
    assert registry.resolve('activation', partial) is partial


@pytest.mark.parametrize('kind, value, text', [
    ('activation', 'sofmax', "there is no activation 'sofmax'. Did you mean 'softmax'?"),
    ('regularizer', 'xyz', "there is no regularizer 'xyz'. Choose one of L1, L1L2, L2, l1, l1l2, l2."),
    ('regularizer', ' l1', "there is no regularizer ' l1'. Did you mean 'l1'?"),
])
def test_an_unknown_name(kind, value, text):
    assert refusal(lambda: registry.resolve(kind, value)) == text
    assert refusal(lambda: registry.resolve(kind, value, 'd: W: ')) == f'd: W: {text}'


@pytest.mark.parametrize('kind, value, text', [
    ('activation', 3, 'expected an activation (a name, a function or an object), received 3.'),
    ('activation', L1(), 'expected an activation (a name, a function or an object), received L1(l1=0.01).'),
    ('regularizer', optimizers.SGD, 'expected a regularizer (a name, a function or an object), received class SGD.'),
    ('optimizer', None, 'expected an optimizer (a name, a function or an object), received None.'),
])
def test_an_object_of_another_kind(kind, value, text):
    assert refusal(lambda: registry.resolve(kind, value, 'd: '), ArgumentTypeError) == f'd: {text}'


def test_kinds():
    assert registry.kind_of(activations.tanh) == 'activation' and registry.kind_of(L1()) == registry.kind_of(L1) == 'regularizer'
    assert registry.kind_of(Blur) == registry.kind_of(Blur()) == 'layer'
    assert registry.kind_of(cube) == registry.kind_of(3) == ''
    assert (registry.article('layer'), registry.article('optimizer')) == ('a layer', 'an optimizer')


# -- registering --------------------------------------------------------------------------------------------------------

def test_what_the_program_registers_is_found_and_written_under_its_id():
    assert registry.register(cube) is cube and registry.register(id='soft-blur')(Blur) is Blur
    assert registry.find('cube', 'activation').target is registry.find('cube', 'objective').target is cube
    assert registry.find('soft-blur', 'layer').target is Blur and registry.find('Blur') is None
    assert registry.find('soft-blur', 'activation') is None
    assert (registry.id_of(cube), registry.id_of(Blur), registry.id_of(Dense)) == ('cube', 'soft-blur', 'Dense')


def test_the_same_definition_again_replaces_the_first():
    def make():
        class Again(Layer):
            pass
        return Again
    first, second = registry.register(make()), registry.register(make())
    assert first is not second and registry.find('Again').target is second


def test_a_class_in_the_place_of_a_function_of_keraflow_is_refused():
    taken = "is taken by one of keraflow's own. Choose another with register(id=...)."
    assert refusal(lambda: registry.register(id='Dense')(Blur)) == f"register: the id 'Dense' {taken}"
    assert refusal(lambda: registry.register(id='tanh')(Blur)) == f"register: the id 'tanh' {taken}"
    assert registry.find('Dense').target is Dense


def test_an_id_of_another_class_is_refused():
    registry.register(cube)
    assert refusal(lambda: registry.register(id='cube')(Blur)) == (
        f"register: the id 'cube' is taken by {__name__}.cube. Choose another with register(id=...).")
    assert registry.find('cube').target is cube


def test_what_cannot_be_registered():
    assert refusal(lambda: registry.register(lambda x: x)) == (
        'register: a lambda has no name. Write it as a function with def, or pass id=.')
    assert refusal(lambda: registry.register(3), ArgumentTypeError) == 'register: expected a class or a function, received 3.'
    assert refusal(lambda: registry.register(L1()), ArgumentTypeError) == (
        'register: expected a class or a function, received L1(l1=0.01).')
    assert registry.register(id='named')(lambda x: x)(2) == 2


def test_names_of_what_is_not_registered():
    assert registry.id_of(cube) == 'cube'
    assert refusal(lambda: registry.id_of(lambda x: x), SerializationError) == (
        'a lambda cannot be saved. Write it as a function with def and put @keraflow.register above it.')

    def tanh(x):
        return x
    assert refusal(lambda: registry.id_of(tanh), SerializationError) == (
        "'tanh' is the id of another class or function. Put @keraflow.register(id=...) above yours. For keraflow's own, pass "
        "'tanh'.")


def test_custom_objects_are_for_one_reading():
    for given in ([Blur, cube], {'Blur': Blur, 'cube': cube}):
        customs = registry.custom(given)
        assert registry.find('Blur', 'layer', customs).target is Blur and registry.find('Blur') is None
        assert registry.find('Blur', 'activation', customs) is None
        assert registry.find('cube', 'activation', customs).target is cube
        assert registry.find('Dense', 'layer', customs).target is Dense
    assert registry.custom(None) == registry.custom([]) == {}
    assert refusal(lambda: registry.custom({'Dense': Blur})) == (
        "custom_objects: 'Dense' is the id of one of keraflow's own. Rename yours.")


def test_a_function_that_is_registered_is_a_choice_in_no_kinds_list():
    registry.register(cube)
    assert 'cube' not in registry.ids('activation')
    assert registry.resolve('activation', 'cube') is cube
    assert regularizers.get('l2').l2 == 0.01
