"""Objects as plain data and back, without a backend: broken rules, depth, sharing, functions, and each refusal's text."""
import functools
import json

import numpy as np
import pytest

import keraflow
from keraflow import activations, initializations
from keraflow.errors import SerializationError
from keraflow.layers import Activation, Dense, Lambda, Layer
from keraflow.models import Sequential
from keraflow.optimizers import SGD, Adam
from keraflow.regularizers import L1
from keraflow.serialization import Serializable, call_text, pack_init_params, same, serialize, unserialize
from keraflow.serialization.locations import MAX_DEPTH


class Box(Serializable):
    """Keeps anything; the rule is obeyed."""

    def __init__(self, content=None, note='', **kwargs):
        super().__init__(**kwargs)
        self.content = content
        self.note = note


class Pair(Box):
    """Takes an argument of its own, and those of the base class through `kwargs`."""

    def __init__(self, other=None, **kwargs):
        super().__init__(**kwargs)
        self.other = other


def rebuilt(obj, customs=(Box, Pair)):
    return unserialize(json.loads(json.dumps(serialize(obj))), list(customs))


def refusal(make):
    with pytest.raises(SerializationError) as caught:
        make()
    return str(caught.value)


def scale(x, factor=2):
    return x * factor


def anything(*args, **kwargs):
    return args, kwargs


# -- arguments ----------------------------------------------------------------------------------------------------------

def test_the_data_of_an_object():
    assert serialize(Pair(other=[1, 2.5], content={'a': None}, note='n')) == {
        'class': 'Pair', 'args': {'other': [1, 2.5], 'content': {'a': None}, 'note': 'n'}}
    assert serialize([None, True, 'a', 3, [4], {'b': []}]) == [None, True, 'a', 3, [4], {'b': []}]


def test_inherited_arguments_and_objects_in_lists_and_dicts_are_entered():
    again = rebuilt(Pair(other=[L1(0.5), {'a': (L1(0.25), Box(SGD(lr=0.5)))}], content=Dense(3, regularizers=[L1(0.1)])))
    assert again.other[0].l1 == 0.5 and again.other[1]['a'][0].l1 == 0.25
    assert again.other[1]['a'][1].content.lr == 0.5
    assert again.content.regularizers[0].l1 == 0.1 and again.content.output_dim == 3


def test_arguments_that_are_common_to_layers_are_left_out_while_they_have_their_defaults():
    assert set(serialize(Dense(3))['args']) == {'output_dim', 'init', 'activation', 'bias'}
    args = serialize(Dense(3, name='d', trainable=False, constraints={'W': 'nonneg'}, initial_weights=np.ones((2, 3))))['args']
    assert {name: args[name] for name in set(args) - {'output_dim', 'init', 'activation', 'bias'}} == {
        'name': 'd', 'trainable': False, 'constraints': {'W': 'nonneg'}}


def test_a_change_of_an_attribute_is_saved():
    layer = Dense(3)
    layer.trainable, layer.activation = False, activations.relu
    again = rebuilt(layer)
    assert again.trainable is False and again.activation is activations.relu
    optimizer = Adam()
    optimizer.lr = 0.5
    assert rebuilt(optimizer).lr == 0.5


# -- broken rules -------------------------------------------------------------------------------------------------------

class Doubles(Serializable):
    """Changes its argument, keeps none under its own name, and keeps the number of letters of another."""

    def __init__(self, size, hidden=1, word='', lost=()):
        self.size = size * 2
        self._hidden = hidden
        self.word = len(word)


def test_a_broken_rule_gives_the_same_object_back():
    one = Doubles(3, hidden=4, word='abc', lost=[5])
    assert pack_init_params(one) == {'size': 3, 'hidden': 4, 'word': 'abc', 'lost': [5]}
    again = rebuilt(one, [Doubles])
    assert (again.size, again._hidden, again.word) == (6, 4, 3)
    assert serialize(rebuilt(again, [Doubles])) == serialize(one)


def test_what_was_passed_is_remembered_as_it_was():
    given = [1, 2]
    one = Doubles(given)
    given.append(3)
    assert pack_init_params(one)['size'] == [1, 2]


class Packed(Doubles):
    """Undoes the change, and writes what is easier to read."""

    def pack_init_param(self):
        return {'half': self.size // 2}

    @classmethod
    def unpack_init_param(cls, params):
        return {'size': params['half']}


def test_a_class_may_say_what_is_written():
    one = Packed(3)
    one.size = 10
    assert serialize(one) == {'class': 'Packed', 'args': {'half': 5}}
    assert rebuilt(one, [Packed]).size == 10


class FromAttributes(Doubles):
    def pack_init_param(self):
        return {**super().pack_init_param(), 'size': self.size // 2}


def test_an_override_starts_from_the_attributes():
    one = FromAttributes(3, hidden=4, word='abc')
    assert pack_init_params(one) == {'size': 3, 'hidden': 4, 'word': 3, 'lost': ()}


class Plain:
    """No Serializable: it has to keep the rule."""

    def __init__(self, size=2, colour='red'):
        self.size = size


def test_an_object_of_any_class_that_keeps_the_rule():
    one = Plain()
    assert refusal(lambda: pack_init_params(one)) == (
        "Plain: the argument 'colour' of __init__ cannot be saved, because it was not kept. Write self.colour = colour in __init__.")
    one.colour = 'blue'
    assert pack_init_params(one) == {'size': 2, 'colour': 'blue'}
    assert call_text(one) == "Plain(size=2, colour='blue')"


def test_the_text_of_an_object():
    assert repr(Pair(other=np.tanh)) == "Pair(other='tanh', content=None, note='')"
    assert repr(SGD(clipnorm=2)) == 'SGD(lr=0.01, momentum=0.0, decay=0.0, nesterov=False, clipnorm=2)'

    class Curious(Serializable):
        def __init__(self):
            self.seen = repr(self)
    assert Curious().seen == '<Curious (being made)>'


# -- functions ----------------------------------------------------------------------------------------------------------

def test_a_function_is_a_name_in_its_slot_and_a_form_elsewhere():
    assert serialize(Dense(3, activation=activations.tanh))['args']['activation'] == 'tanh'
    assert serialize(Box(activations.tanh))['args']['content'] == {'function': 'tanh'}
    assert rebuilt(Box([activations.tanh, initializations.zero])).content == [activations.tanh, initializations.zero]


def test_a_function_of_the_program():
    data = serialize(Dense(3, activation=scale))
    assert data['args']['activation'] == {'function': 'scale'}
    for given in ([scale], {'scale': scale}):
        assert unserialize(data, given).activation is scale
    data['args']['activation'] = 'scale'
    assert unserialize(data, [scale]).activation is scale
    assert unserialize(serialize(Lambda(scale)), [scale]).output_fn is scale


def test_a_registered_function_where_only_functions_go():
    keraflow.register(id='shape-in-test-serialization')(same_shape)
    for shape_fn in (same_shape, activations.linear):
        assert unserialize(serialize(Lambda(activations.tanh, output_shape_fn=shape_fn))).output_shape_fn is shape_fn


def same_shape(shape):
    return shape


def test_a_partial_function_has_arguments():
    again = rebuilt(Dense(3, activation=functools.partial(activations.relu, alpha=0.5)))
    assert same(again.activation, functools.partial(activations.relu, alpha=0.5))
    assert again.activation.func is activations.relu
    assert serialize(functools.partial(scale, factor=Box(1)))['args'] == {'factor': {'class': 'Box', 'args': {'content': 1, 'note': ''}}}
    for one in (functools.partial(scale, 3), functools.partial(Box, note='a')):
        text = refusal(lambda one=one: serialize(Box(one)))
        assert text == (f'content: a functools.partial of {one.func.__name__} cannot be saved with arguments by position, or of a '
                        'class. Pass the arguments of a function by name: functools.partial(function, factor=2).')


def test_arguments_of_a_partial_function_are_those_that_it_has():
    for make in (lambda args: serialize(Box(functools.partial(scale, **args))),
                 lambda args: unserialize({'function': 'scale', 'args': args}, [scale])):
        assert refusal(lambda make=make: make({'facto': 3})).endswith("scale: there is no argument 'facto'. Did you mean 'factor'?")
    for name in ('x', "__import__('os').system('echo RAN') or 0, x", 'lambda', ''):
        assert refusal(lambda name=name: unserialize({'function': 'relu', 'args': {name: 1}})).startswith(
            f'relu: there is no argument {name[:60]!r}. Choose one of alpha, max_value.')
    assert refusal(lambda: unserialize({'function': 'relu', 'args': {'alpha': 'a'}})) == "relu: alpha: expected a finite number, received 'a'."
    assert refusal(lambda: unserialize({'function': 'anything', 'args': {'a b': 1}}, [anything])) == (
        "anything: there is no argument 'a b'.")
    assert unserialize({'function': 'anything', 'args': {'more': 1}}, [anything]).keywords == {'more': 1}


# -- the same layer twice -----------------------------------------------------------------------------------------------

def test_a_layer_that_occurs_again_is_one_layer_after_loading():
    inner = Dense(3)
    data = serialize(Sequential([inner, Sequential([Activation('tanh'), inner]), inner]))
    layers = data['args']['layers']
    assert layers[0]['class'] == 'Dense' and layers[2] == layers[1]['args']['layers'][1] == {'shared': 'layers[0]'}
    again = unserialize(data)
    assert again.layers[0] is again.layers[2] is again.layers[1].layers[1]
    assert again.layers[0] is not inner and serialize(again) == data


def test_other_objects_that_occur_again_are_written_again():
    one = L1(0.5)
    data = serialize([one, one])
    assert data == [{'class': 'L1', 'args': {'l1': 0.5}}] * 2
    first, second = unserialize(data)
    assert first is not second


def test_each_reading_and_writing_starts_anew():
    layer = Dense(3)
    assert serialize(layer) == serialize(layer)
    assert refusal(lambda: unserialize({'shared': 'layers[0]'})) == "'shared' names 'layers[0]', but there is no earlier layer."


# -- depth --------------------------------------------------------------------------------------------------------------

def nested(depth):
    data = 0
    for _ in range(depth):
        data = [data]
    return data


def test_objects_nest_to_a_limit_and_are_refused_beyond_it():
    assert rebuilt(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    deep = nested(MAX_DEPTH + 1)
    text = '[0]' * (MAX_DEPTH + 1) + f': objects are nested deeper than {MAX_DEPTH}.'
    assert refusal(lambda: serialize(deep)) == refusal(lambda: unserialize(deep)) == text


def test_what_contains_itself_is_refused():
    endless, box = [], Box()
    endless.append(endless)
    box.content = {'a': box}
    for one in (endless, box):
        assert refusal(lambda one=one: serialize(one)).endswith(f': objects are nested deeper than {MAX_DEPTH}.')


# -- what cannot be written ---------------------------------------------------------------------------------------------

NOT_PLAIN = 'cannot be saved: it is not plain data. If the class is yours, put @keraflow.register above it.'


@pytest.mark.parametrize('content, text', [
    (lambda x: x, 'content: a lambda cannot be saved. Write it as a function with def and put @keraflow.register above it.'),
    ([scale, lambda x: x], 'content[1]: a lambda cannot be saved. Write it as a function with def and put @keraflow.register above it.'),
    (Plain(), f'content: an object of class Plain {NOT_PLAIN}'),
    (b'a', f'content: an object of class bytes {NOT_PLAIN}'),
    (1j, f'content: an object of class complex {NOT_PLAIN}'),
])
def test_what_is_refused_when_writing(content, text):
    assert refusal(lambda: serialize(Box(content))) == text


def test_a_dict_that_only_looks_like_a_form_is_kept():
    for content in ({'class': 'a', 'note': 'b'}, {'args': {}}, {'shared': 1, 'args': 2}, {'function': 1, 'class': 2}):
        assert rebuilt(Box(content)).content == content
        assert serialize(Box(content))['args']['content'] == content


@pytest.mark.parametrize('content', [
    {'shared': 1}, {'shared': 'content'}, {'class': 1, 'args': 2}, {'class': 'Dense'}, {'function': 'tanh'}, {'function': 1, 'args': {}},
    {'class': 'Box', 'args': {}, 'learned': {}}, {'as': 'tuple', 'value': [1]}, {'as': 1, 'value': {'as': 2, 'value': 3}},
    {'as': 'array', 'dtype': 'float32', 'shape': [1], 'value': [1.]}])
def test_a_dict_that_looks_like_a_form_is_none(content):
    for one in (content, [content], {'a': content}, (content,)):
        assert rebuilt(Box(one)).content == one


def test_a_class_with_the_name_of_one_of_keraflows_own_is_refused():
    class Dense(Layer):
        pass
    assert refusal(lambda: serialize([Dense()])) == (
        "[0]: 'Dense' is the id of another class or function. Put @keraflow.register(id=...) above yours.")

    def relu(x):
        return x
    assert refusal(lambda: serialize([relu])) == (
        "[0]: 'relu' is the id of another class or function. Put @keraflow.register(id=...) above yours. For keraflow's own, pass "
        "'relu'.")


# -- what cannot be read ------------------------------------------------------------------------------------------------

UNKNOWN = ('that is registered. If it is yours, put @keraflow.register above it and import its module first, or pass '
           'custom_objects=[...].')


class Fails(Serializable):
    def __init__(self, how=0):
        raise ZeroDivisionError('always')


@pytest.mark.parametrize('data, text', [
    ({'class': 'Dens', 'args': {}}, f"'Dens' is not a class or function {UNKNOWN}".replace('. If', ". Did you mean 'Dense'? If")),
    ([{'class': 'os.system', 'args': {}}], f"[0]: 'os.system' is not a class or function {UNKNOWN}"),
    ({'class': ['Dense'], 'args': {}}, f"'['Dense']' is not a class or function {UNKNOWN}"),
    ({'class': None}, f"'None' is not a class or function {UNKNOWN}"),
    ({'class': 'l1'}, f"'l1' is not a class or function {UNKNOWN}".replace('. If', ". Did you mean 'L1'? If")),
    ({'class': 'x' * 99}, f"'{'x' * 60}' is not a class or function {UNKNOWN}"),
    ({'class': 'tanh', 'args': {}}, "'tanh' is not a class, or its 'args' are not a mapping."),
    ({'class': 'Dense', 'args': [3]}, "'Dense' is not a class, or its 'args' are not a mapping."),
    ({'function': 'Dense'}, "'Dense' is a class, not a function."),
    ({'function': 'relu', 'args': [1]}, "the 'args' of 'relu' are not a mapping."),
    ({'function': 'sys.exit'}, f"'sys.exit' is not a class or function {UNKNOWN}"),
    ({'shared': 3}, "'shared' names 3, but there is no earlier layer."),
    ({'shared': ['a']}, "'shared' names ['a'], but there is no earlier layer."),
    ({'class': 'Box', 'args': {'note': {'shared': 'content'}}}, "note: 'shared' names 'content', but there is no earlier layer."),
    ({'class': 'Dense', 'args': {}}, "Dense: the argument 'output_dim' is missing: an integer of at least 1."),
    ({'class': 'Box', 'args': {'content': [{'class': 'Dense', 'args': {'output_dim': 0}}]}},
     'content[0]: Dense: output_dim: expected an integer of at least 1, received 0.'),
    ({'class': 'Box', 'args': {'colour': 1}}, "Box: there is no argument 'colour'. Choose one of content, note."),
    ({'class': 'Fails', 'args': {}}, 'ZeroDivisionError in Fails: always'),
    ({'class': 'Dense', 'args': {'output_dim': 3, 'activation': {'class': 'SGD', 'args': {}}}},
     f"activation: 'SGD' is not an activation {UNKNOWN}"),
    ({'class': 'Dense', 'args': {'output_dim': 3, 'activation': {'function': 'glorot_normal'}}},
     f"activation: 'glorot_normal' is not an activation {UNKNOWN}"),
    ({'class': 'Dense', 'args': {'output_dim': 3, 'regularizers': [{'class': 'SGD', 'args': {}}]}},
     f"regularizers[0]: 'SGD' is not a regularizer {UNKNOWN}"),
    ({'class': 'Dense', 'args': {'output_dim': 3, 'regularizers': {'W': 'adam'}}},
     "Dense: regularizers: W: there is no regularizer 'adam'. Choose one of L1, L1L2, L2, l1, l1l2, l2."),
])
def test_what_is_refused_when_reading(data, text):
    assert refusal(lambda: unserialize(data, [Box, Fails])) == text


def test_data_are_not_changed_by_reading():
    data = serialize(Sequential([Dense(3, regularizers=['l1']), Dense(2)]))
    before = json.dumps(data)
    unserialize(data)
    assert json.dumps(data) == before


# -- the same -----------------------------------------------------------------------------------------------------------

def nan_like():
    class NeverEqual:
        def __eq__(self, other):
            raise RuntimeError
    return NeverEqual()


@pytest.mark.parametrize('one, other, expected', [
    (1, 1., True), (1, np.int64(1), True), (1, True, False), (0, False, False), (1, '1', False), (None, 0, False), ('a', 'a', True),
    ([1, [2]], (1, (2,)), True), ([1, 2], [1], False), ([1], [2], False), ({'a': [1]}, {'a': (1,)}, True), ({'a': 1}, {'b': 1}, False),
    ({'a': 1}, {'a': 2}, False), (np.ones(2), np.ones(2), True), (np.ones(2), np.zeros(2), False), (np.ones(2), np.ones((1, 2)), False),
    (np.ones(2), [1, 1], False), (L1(0.5), L1(0.5), True), (L1(0.5), L1(0.25), False), (L1(), SGD(), False),
    (Box([L1(0.5)]), Box([L1(0.5)]), True), (Box([L1(0.5)]), Box([L1(0.6)]), False), (Box(), Pair(), False),
    (scale, scale, True), (activations.tanh, activations.relu, False), (lambda x: x, lambda x: x + 1, False),
    (functools.partial(scale, factor=3), functools.partial(scale, factor=3), True),
    (functools.partial(scale, factor=3), functools.partial(scale, factor=4), False),
    (nan_like(), nan_like(), False),
])
def test_same(one, other, expected):
    assert same(one, other) is same(other, one) is expected


def by_default(factor):
    def times(x, factor=factor):
        return x * factor
    return times


def by_keyword(factor):
    def times(x, *, factor=factor):
        return x * factor
    return times


def by_closure(factor):
    def times(x):
        return x * factor
    return times


def by_recursion(factor):
    def times(x):
        return times(x - 1) * factor if x else 1
    return times


@pytest.mark.parametrize('make', [by_default, by_keyword, by_closure, by_recursion])
def test_two_runs_of_one_definition_are_the_same_function_if_they_compute_with_the_same_values(make):
    assert same(make(2), make(2)) and same(make(np.ones(2)), make(np.ones(2))) and same(make(L1(0.5)), make(L1(0.5)))
    assert not same(make(2), make(3)) and not same(make(np.ones(2)), make(np.zeros(2))) and not same(make(L1(0.5)), make(L1(0.6)))


def test_the_public_names_are_those_functions():
    assert (keraflow.serialize, keraflow.unserialize) == (serialize, unserialize)
