"""One id, one definition: what a program defines twice, in a factory or in a notebook's cell, and what files make of it."""
import functools

import pytest

import keraflow
import keraflow.models  # noqa: F401 (fills the registry)
from keraflow import registry
from keraflow.errors import ArgumentError, SerializationError
from keraflow.layers import Activation, Dense, Lambda, Layer, layer_register
from keraflow.regularizers import Regularizer
from keraflow.sameness import same, same_origin
from keraflow.serialization import serialize, unserialize


def refusal(make, kind=SerializationError):
    with pytest.raises(kind) as caught:
        make()
    return str(caught.value)


def closure(factor):
    def times(x):
        return x * factor
    return times


def by_default(factor):
    def times(x, factor=factor):
        return x * factor
    return times


def by_inner(factor):
    inner = closure(factor)

    def times(x):
        return inner(x)
    return times


def wrapped(factor):
    @functools.wraps(closure)
    def times(x):
        return x * factor
    times.__qualname__ = 'wrapped.<locals>.times'
    times.__name__ = 'times'
    return times


class Scaler:
    def __init__(self, factor):
        self.factor = factor

    def times(self, x):
        return x * self.factor


#: Objects are kept: a method does not keep its own.
SCALERS = {factor: Scaler(factor) for factor in (2, 3)}


def method(factor):
    return SCALERS[factor].times


def layer_class(factor):
    class times(Layer):
        def output(self, x):
            return x * factor
    return times


def class_with_attribute(value):
    class times(Layer):
        factor = value

        def output(self, x):
            return x * self.factor
    return times


def class_with_super(value):
    class times(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.factor = value

        @property
        def doubled(self):
            return value * 2

        @staticmethod
        def halved(x):
            return x / value
    return times


def subclass(factor):
    base = layer_class(factor)

    class times(base):
        pass
    return times


FUNCTIONS = [closure, by_default, by_inner, wrapped, method]
CLASSES = [layer_class, class_with_attribute, class_with_super, subclass]
ADVICE = {**{make: 'Write times with an argument for what differs and pass functools.partial(times, argument=...), or give each its own '
                   "id: register(id='...')." for make in FUNCTIONS},
          **{make: "Give times an argument for what differs, or each class its own id: register(id='...')."
             for make in CLASSES}}


def used(target):
    return target() if isinstance(target, type) else Lambda(target)


@pytest.mark.parametrize('make', FUNCTIONS + CLASSES)
def test_two_of_one_factory_never_share_an_id_in_one_file(make):
    first, second = make(2), make(3)
    text = refusal(lambda: serialize([used(first), used(second)]))
    place = '[1].output_fn' if make in FUNCTIONS else '[1]'
    assert text == f"{place}: 'times' would mean two different definitions. {ADVICE[make]}"
    assert serialize([used(first), used(first)]) and serialize([used(first), used(make(2))])


@pytest.mark.parametrize('make', FUNCTIONS + CLASSES)
def test_the_second_of_one_factory_is_refused_when_it_is_registered(make):
    first = registry.register(make(2))
    assert refusal(lambda: registry.register(make(3)), ArgumentError) == (
        f"register: the id 'times' is taken by a {'function' if make in FUNCTIONS else 'class'} of the same definition that computes with "
        f'other values. {ADVICE[make]}')
    assert registry.find('times').target == first
    second = registry.register(make(3), id='times-3')
    data = serialize([used(first), used(second)])
    assert ['times', 'times-3'] == [one['args']['output_fn']['function'] if make in FUNCTIONS else one['class'] for one in data]


@pytest.mark.parametrize('make', FUNCTIONS + CLASSES)
def test_the_same_again_takes_the_place_of_the_first(make):
    first, second = registry.register(make(2)), registry.register(make(2))
    assert registry.find('times').target == second
    assert serialize([used(first), used(second)])[0] == serialize(used(second))


def test_two_functions_of_layer_register():
    def make(factor):
        @layer_register()
        def Times(x):
            return x * factor
        return Times
    first = make(2)
    assert refusal(lambda: make(3), ArgumentError) == (
        "register: the id 'Times' is taken by a class of the same definition that computes with other values. Give Times an argument "
        "for what differs, or each class its own id: register(id='...').")
    assert make(2) is not first and serialize(first()) == serialize(make(2)())


def test_the_advice_can_be_followed():
    @keraflow.register
    def column(t, number):
        return t[:, number:number + 1]
    layers = [Lambda(functools.partial(column, number=number)) for number in range(3)]
    again = unserialize(serialize(layers))
    assert [layer.output_fn.keywords for layer in again] == [{'number': 0}, {'number': 1}, {'number': 2}]


CELL = '''
@keraflow.register
class Scale(Layer):
    def output(self, x):
        return x * 2

@keraflow.register
def cube(x):
    return x * x * x

@layer_register()
def Block(x, size=3):
    return Dense(size)(x)
'''


@pytest.fixture
def notebook():
    return {'__name__': '__main__', 'keraflow': keraflow, 'Layer': Layer, 'layer_register': layer_register, 'Dense': Dense}


def run(cell, notebook, number):
    exec(compile(cell, f'<ipython-input-{number}>', 'exec'), notebook)
    return [notebook['Scale'](), Activation(notebook['cube']), notebook['Block']()]


def test_a_cell_that_is_run_again(notebook):
    before, after = run(CELL, notebook, 1), run(CELL, notebook, 2)
    assert type(before[0]) is not type(after[0])
    data = serialize([*before, *after])
    assert data[:3] == data[3:] and type(unserialize(data)[0]) is type(after[0])
    assert same(type(before[0]), type(after[0]))


LOOP = '''
for factor in (2, 3):
    @keraflow.register
    def times(x, factor=factor):
        return x * factor
'''
FACTORY = '''
def make(factor):
    @keraflow.register
    class Times(Layer):
        def output(self, x):
            return x * factor
    return Times
'''
CONSTANT = '''
@keraflow.register
class Constant(Layer):
    factor = 2
'''


def test_a_loop_defines_two_and_a_cell_one(notebook):
    assert refusal(lambda: exec(LOOP, notebook), ArgumentError).startswith(
        "register: the id 'times' is taken by a function of the same definition that computes with other values.")
    exec(FACTORY, notebook)
    notebook['make'](2)
    assert refusal(lambda: notebook['make'](3), ArgumentError).startswith(
        "register: the id 'Times' is taken by a class of the same definition that computes with other values.")
    exec(FACTORY, notebook)                     # the cell is run again, and then makes another one
    three = notebook['make'](3)
    assert registry.find('Times').target is three
    for cell in (CONSTANT, CONSTANT, CONSTANT.replace('2', '3')):
        exec(cell, notebook)
        assert registry.find('Constant').target is notebook['Constant']


@pytest.mark.parametrize('old, new, number', [('x * 2', 'x * 5', 0), ('x * x * x', 'x * x', 1), ('Dense(size)(x)', 'x', 2)])
def test_a_cell_that_was_changed(notebook, old, new, number):
    before, after = run(CELL, notebook, 1), run(CELL.replace(old, new), notebook, 2)
    assert serialize(after) == serialize(unserialize(serialize(after)))
    id, what = [('Scale', 'class'), ('cube', 'function'), ('Block', 'class')][number]
    text = refusal(lambda: serialize(before[number]))
    assert text.split(': ', 1)[-1 if number == 1 else 0].startswith(f"'{id}' is now the id of another {what}")
    older = before[1].activation if number == 1 else type(before[number])
    registry.register(id='older')(older)        # the advice
    assert 'older' in str(serialize([before[number], after[number]]))


def test_the_text_of_that_refusal(notebook):
    before = run(CELL, notebook, 1)
    run(CELL.replace('* 2', '* 3'), notebook, 2)
    assert refusal(lambda: serialize(before)) == (
        "[0]: 'Scale' is now the id of another class, which was registered later. Rebuild what you save with that one, or "
        "register the older one, which it still has, under its own id: keraflow.register(id='...').")


def test_custom_objects_of_one_name():
    data = serialize(Lambda(closure(2)))
    assert unserialize(data, [closure(2), closure(2)]).output_fn(3) == 6
    for make in FUNCTIONS + CLASSES:
        assert refusal(lambda make=make: unserialize(data, [make(2), make(3)]), ArgumentError) == (
            "custom_objects: 'times' is the name of two definitions that differ. Pass the one that the file means.")


def test_a_short_name_of_keraflows_own_is_no_id():
    def l2(w):
        return w
    text = "the id 'l2' is taken by one of keraflow's own. Choose another with register(id=...)."
    assert refusal(lambda: registry.register(l2), ArgumentError) == f'register: {text}'
    for given in ([l2], {'l2': l2}, {'adam': l2}, {'B.square': l2}):
        name = next(iter(given)) if isinstance(given, dict) else 'l2'
        assert refusal(lambda given=given: unserialize(serialize(Dense(3, regularizers=['l2'])), given), ArgumentError) == (
            f"custom_objects: '{name}' is the id of one of keraflow's own. Rename yours.")
    assert refusal(lambda: serialize(Dense(3, regularizers=[l2]))) == (
        "regularizers[0]: 'l2' is the id of another class or function. Put @keraflow.register(id=...) above yours. For keraflow's own, "
        "pass 'l2'.")


def test_what_is_compared():
    assert same_origin(closure(2), closure(3)) and not same(closure(2), closure(3))
    assert same_origin(layer_class(2), layer_class(3)) and not same(layer_class(2), layer_class(3))
    assert not same_origin(closure(2), by_default(2)) and not same_origin(layer_class(2), class_with_attribute(2))

    def unfilled():
        def one(x):
            return later(x)     # noqa: F821
        yield one
        later = 3               # noqa: F841
    assert same(next(unfilled()), next(unfilled()))


def test_recursion_and_objects_of_the_program():
    def one(depth):
        def inner(x):
            return one(depth) if x else inner(0)
        return inner
    assert same(one(2), one(2)) and not same(one(2), one(3))

    class Own(Regularizer):
        def __init__(self, size=1.):
            self.size = size

        def __call__(self, param):
            return param * self.size
    assert same(closure(Own(2.)), closure(Own(2.))) and not same(closure(Own(2.)), closure(Own(3.)))
