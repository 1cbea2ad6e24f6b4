"""How parameters are made: what is asked for twice, what would count nothing, what initializations give."""
import copy
import threading

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, ShapeError
from keraflow.layers import (GRU, BatchNormalization, Convolution1D, Convolution2D, Dense, Embedding, Highway, Input,
                             InputSpec, Layer, LayerNormalization, Maxout, MultiHeadAttention, MultiInputLayer,
                             SeparableConvolution2D)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.regularizers import L1

X = np.random.default_rng(6).normal(size=(4, 3)).astype('float32')


class Asks(Layer):
    """Asks twice for a weight, with these arguments each time."""

    def __init__(self, first, second, **kwargs):
        super().__init__(**kwargs)
        self.first = first
        self.second = second

    def output(self, x):
        first = self.add_weight('W', **{'shape': (3,), **self.first})
        return x + B.cast(first, 'float32') + B.cast(self.add_weight('W', **{'shape': (3,), **self.second}), 'float32')


class Absolute:
    """A regularizer of a program that says nothing of equality."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, x):
        return self.rate * B.sum(B.abs(x))


REFUSED = [
    ({}, {'shape': (1,)}, ShapeError, 'expected shape (3,), as it was made with, received (1,).'),
    ({}, {'dtype': 'float64'}, ArgumentError, 'dtype: expected float32, as it was made with, received float64.'),
    ({'dtype': 'int32', 'init': 'one'}, {'dtype': 'float32'}, ArgumentError, 'dtype: expected int32, as it was made with, received float32.'),
    ({}, {'trainable': False}, ArgumentError, 'trainable: expected True, as it was made with, received False.'),
    ({}, {'regularizer': 'l1'}, ArgumentError, 'regularizer: expected None, as it was made with, received L1(l1=0.01).'),
    ({'regularizer': 'l1'}, {'regularizer': L1(0.5)}, ArgumentError,
     'regularizer: expected L1(l1=0.01), as it was made with, received L1(l1=0.5).'),
    ({'constraint': 'nonneg'}, {'constraint': 'maxnorm'}, ArgumentError, 'constraint: expected NonNeg(), as it was made with, received MaxNorm('),
    ({'regularizer': Absolute(.1)}, {'regularizer': Absolute(.2)}, ArgumentError,
     'regularizer: expected an object of class Absolute, as it was made with, received an object of class Absolute.'),
]


@pytest.mark.parametrize('first, second, error, text', REFUSED)
def test_a_weight_is_not_found_again_as_another_one(first, second, error, text):
    layer = Asks(first, second, name='a')
    for _ in range(2):
        with pytest.raises(error) as caught:
            layer(Input(3))
        assert str(caught.value).startswith(f'a: W: {text}')


@pytest.mark.parametrize('first, second', [
    ({'regularizer': 'l1', 'constraint': 'nonneg'}, {}), ({'regularizer': 'l1'}, {'regularizer': L1()}),
    ({'regularizer': Absolute(.1)}, {'regularizer': Absolute(.1)}), ({'dtype': 'float32'}, {'dtype': 'float32', 'init': 'one'}),
    ({'trainable': False}, {}), ({'trainable': False}, {'trainable': False})])
def test_a_weight_is_found_again_with_the_same_or_fewer_arguments(first, second):
    layer, x = Asks(first, second), Input(3)
    model = Model(x, layer(x))
    np.testing.assert_allclose(model.predict(X), X + 2 * layer.get_weights()['W'], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('what, value', [('regularizer', 'l1'), ('constraint', 'nonneg')])
def test_what_would_count_nothing_for_a_state_is_refused(what, value):
    layer = Asks({'trainable': False, what: value}, {}, name='a')
    shown = 'L1(l1=0.01)' if what == 'regularizer' else 'NonNeg()'
    rest = f'expected None for a state, which training does not change, received {shown}. Leave it out.'
    with pytest.raises(ArgumentError) as caught:
        layer(Input(3))
    assert str(caught.value) == f'a: W: {what}: {rest}'
    with pytest.raises(ArgumentError) as caught:
        BatchNormalization(name='b', **{f'{what}s': {'moving_mean': value}})(Input(3))
    assert str(caught.value) == f'b: {what}s: moving_mean: {rest}'

    class Host(Layer):
        def output(self, x):
            return BatchNormalization()(x)
    with pytest.raises(ArgumentError) as caught:
        Host(name='h', **{f'{what}s': {'0/moving_variance': value}})(Input(3))
    assert str(caught.value) == f'h: {what}s: moving_variance: {rest}'


def ones(shape):
    return B.ones(shape)


def as_list(shape):
    return np.ones(shape).tolist()


@pytest.mark.parametrize('init', [ones, as_list, np.ones])
def test_initializations_give_tensors_arrays_or_lists(init):
    made = [Dense(2, init=init), Highway(init=init), Maxout(2, 2, init=init), Asks({'init': init}, {})]
    for layer in made:
        layer(Input(3))
        assert np.all(layer.get_weights()['W'] == 1.)
    for layer, shape in ((Convolution1D(2, 2, init=init), (4, 3)), (Convolution2D(2, 2, 2, init=init), (3, 4, 4)),
                         (GRU(2, init=init, inner_init=init), (4, 3))):
        layer(Input(shape))
        assert all(np.all(value == 1.) for name, value in layer.get_weights().items() if name[0] == 'W')
    table = Embedding(5, 2, init=init)
    table(Input(3, dtype='int32'))
    assert np.all(table.get_weights()['W'] == 1.)


def test_an_initialization_of_another_shape_is_refused():
    for layer in (Asks({'init': lambda shape: B.ones((2,))}, {}, name='a'), Maxout(2, 2, init=lambda shape: B.ones((2,)), name='a')):
        with pytest.raises(ShapeError, match=r'^a: W: init: expected a value of shape \(3, ?2?\), received \(2,\).$'):
            layer(Input(3))


def test_an_optional_parameter_that_is_not_there_is_none():
    layers = [(Dense(2, bias=False), 3, ['b']), (Highway(bias=False), 3, ['b', 'b_carry']), (Maxout(2, 2, bias=False), 3, ['b']),
              (Convolution1D(2, 2, bias=False), (4, 3), ['b']), (Convolution2D(2, 2, 2, bias=False), (3, 4, 4), ['b']),
              (SeparableConvolution2D(2, 2, 2, bias=False), (3, 4, 4), ['b']), (MultiHeadAttention(2, 2, bias=False), (4, 3), ['b_q', 'b_o']),
              (BatchNormalization(scale=False, center=False), 3, ['gamma', 'beta']), (LayerNormalization(scale=False), 3, ['gamma'])]
    for layer, shape, names in layers:
        layer(Input(shape))
        assert all(getattr(layer, name) is None for name in names) and not any(name in layer.get_weights() for name in names)
    dense = Dense(2)
    dense(Input(3))
    assert B.is_variable(dense.b) and dense.variables.b is dense.b


# -- made before the first feed ------------------------------------------------------------------------------------------

def test_build_makes_the_parameters():
    layer = Dense(2, name='d')
    assert not layer.built
    layer.build((None, 3))
    assert layer.built and layer.count_params() == 8
    W = layer.get_weights()['W']
    x = Input(3)
    layer.build((None, 3))
    np.testing.assert_allclose(Model(x, layer(x)).predict(X), X @ W, rtol=1e-5, atol=1e-6)
    with pytest.raises(ShapeError, match='^d: expected an input'):
        layer.build((None, 4))
    with pytest.raises(ArgumentTypeError) as caught:
        layer.build(3)
    assert str(caught.value) == 'd: build: expected a shape with the batch, such as (None, 3), or a list of them, received 3.'


@pytest.mark.parametrize('make, shape', [
    (lambda: Embedding(5, 2), (None, 3)), (lambda: Sequential([Dense(2), Dense(2)]), (None, 3)),
    (lambda: MultiHeadAttention(2, 2), [(None, 4, 3), (None, 5, 3), (None, 5, 3)]), (lambda: GRU(2), (None, 4, 3))])
def test_layers_of_all_kinds_are_built(make, shape):
    layer = make()
    layer.build(shape)
    assert layer.built and layer.get_weights()
    x = Input(3)
    assert Model(x, Dense(1)(x)).built and not MultiInputLayer().built


def test_init_param_by_hand_is_reported():
    layer = Dense(2, name='d')
    layer.init_param((None, 3))
    with pytest.raises(ArgumentError) as caught:
        layer(Input(3))
    assert str(caught.value) == ("d: 'W' is a parameter of the layer already. Give each its own name, and let the layer call "
                                 'init_param() itself, when it is called or by build().')


# -- what init_param says of each run ------------------------------------------------------------------------------------

class Standing(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('W', 2 * np.ones(3))
        self.set_state_params('n', np.zeros(1), 'm', np.zeros(1))
        self.add_loss([lambda: B.sum(B.square(self.W)), lambda: 0.5 * B.sum(self.W)])
        self.add_update([(self.n, lambda: self.latest(self.n) + 1)])
        self.add_update(self.m, lambda: self.latest(self.m) + 2)

    def output(self, x):
        return x * self.W


def test_losses_and_updates_of_init_param_are_those_of_each_run():
    layer, x = Standing(), Input(3)
    model = Model(x, layer(x))
    assert len(layer.losses) == 2 and len(layer.get_losses_for(None)) == 2 and len(layer.updates) == 2
    model.compile(SGD(lr=0.1), 'mse')
    zeros = np.zeros_like(X)
    history = model.fit(zeros, zeros, nb_epoch=1, batch_size=2, verbose=0)
    first = 2 * np.ones(3)
    second = first - 0.1 * (2 * first + 0.5)
    expected = [np.sum(W ** 2) + 0.5 * np.sum(W) for W in (first, second)]
    np.testing.assert_allclose(history[0]['loss'], np.mean(expected), rtol=1e-5)
    np.testing.assert_allclose(layer.get_weights()['W'], second - 0.1 * (2 * second + 0.5), rtol=1e-5)
    assert layer.get_weights()['n'] == 2 and layer.get_weights()['m'] == 4
    again = copy.deepcopy(layer)
    again(Input(3))
    assert len(again.losses) == 2


def test_a_tensor_in_init_param_would_be_that_of_now():
    class Now(Layer):
        def __init__(self, method, args, **kwargs):
            super().__init__(**kwargs)
            self.method = method
            self.args = args

        def init_param(self, input_shape):
            self.set_state_params('n', np.zeros(1))
            getattr(self, self.method)(*self.args(self))

        def output(self, x):
            return x * 1.
    cases = [('add_loss', lambda it: (1.,), '1.0'), ('add_update', lambda it: (it.n, 1.), '1.0'),
             ('add_loss', lambda it: (lambda: B.sum(it.n), it.n), 'inputs')]
    for method, args, received in cases:
        with pytest.raises(ArgumentTypeError) as caught:
            Now(method, args, name='a')(Input(3))
        assert str(caught.value) == (
            f'a: {method}: expected a function without arguments inside init_param(), and no inputs, received {received}. Write '
            'lambda: ... for what each run recomputes, or call it in output().')


def test_add_update_takes_a_list():
    class Counts(Layer):
        def init_param(self, input_shape):
            self.set_state_params('n', np.zeros(1), 'total', np.zeros(3))

        def output(self, x):
            self.add_update([(self.n, self.n + 1), (self.total, self.total + B.sum(x, 0))], x)
            self.add_update((self.n, self.n + 5))
            return x * 1.
    layer, x = Counts(name='c'), Input(3)
    layer(x)
    assert len(layer.get_updates_for(x)) == 2 and layer.get_updates_for(None) == []

    class Wrong(Counts):
        def output(self, x):
            self.add_update([self.n])
            return x
    with pytest.raises(ArgumentTypeError, match='^w: add_update: expected pairs of a variable and its new value, received'):
        Wrong(name='w')(Input(3))
    with pytest.raises(GraphError, match='^c: add_update: expected a call inside output'):
        layer.add_update([(layer.n, lambda: layer.n)])


# -- copies --------------------------------------------------------------------------------------------------------------

class Noted(Layer):
    def __init__(self, factor=2., **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.count = 0
        self.names = ['a']

    def output(self, x):
        return x * self.factor * getattr(self, 'extra', 1.)


@pytest.mark.parametrize('is_fed', [False, True])
def test_copies_keep_what_the_program_has_set(is_fed):
    layer = Noted(name='n')
    if is_fed:
        layer(Input(3))
    layer.input_spec, layer.note, layer._private = InputSpec(min_ndim=2, max_ndim=2), {'a': [1]}, 7
    layer.count, layer.factor, layer.extra, layer.table = 5, 3., 10., np.ones(2)
    layer.names.append('b')
    made = copy.deepcopy(layer)
    assert (made.note, made._private, made.count, made.factor, made.names) == ({'a': [1]}, 7, 5, 3., ['a', 'b'])
    assert made.input_spec == layer.input_spec and np.array_equal(made.table, layer.table)
    assert made.note is not layer.note and made.table is not layer.table and made.names is not layer.names
    x = Input(3)
    np.testing.assert_allclose(Model(x, made(x)).predict(X), X * 30, rtol=1e-5)
    with pytest.raises(ShapeError):
        made(Input((2, 3)))


def test_a_copy_refers_to_the_same_kensors_and_variables():
    layer, x, other = Dense(2), Input(3), Dense(2)
    layer.seen, layer.shared, layer.lock = other(x), other.W, threading.Lock()
    made = copy.deepcopy(layer)
    assert made.seen is layer.seen and made.shared is other.W and made.lock is layer.lock


def test_a_copy_of_a_compiled_model_keeps_notes_and_is_not_compiled():
    x = Input(3)
    model = Model(x, Dense(1)(x))
    model.compile('sgd', 'mse')
    model.note = 'mine'
    model.fit(X, X[:, :1], nb_epoch=1, verbose=0)
    made = copy.deepcopy(model)
    assert made.note == 'mine' and not hasattr(made, 'optimizer')
    np.testing.assert_allclose(made.predict(X), model.predict(X), rtol=1e-5)


@pytest.mark.parametrize('value, problem', [
    (1e39, 'numbers that float32 can hold, received 1e+39'), (-1e300, 'numbers that float32 can hold, received -1e+300'),
    (2 ** 24 + 1, 'integers that float32 can hold, received 16777217, which would be 16777216'),
    ([[2 ** 30 + 1, 1]], 'integers that float32 can hold, received 1073741825, which would be 1073741824')])
@pytest.mark.parametrize('way', ['set_weights', 'initial_weights', 'init'])
def test_weights_that_the_dtype_cannot_hold_are_refused(value, problem, way):
    array = np.broadcast_to(np.array(value), (1, 2))
    with pytest.raises(ArgumentError) as caught:
        if way == 'set_weights':
            layer = Dense(2, name='d')
            layer(Input(1))
            layer.set_weights({'W': array})
        elif way == 'init':
            Dense(2, name='d', init=lambda shape: array)(Input(1))
        else:
            Dense(2, name='d', initial_weights={'W': array})(Input(1))
    what = {'set_weights': 'weights: ', 'initial_weights': 'initial_weights: ', 'init': ''}[way]
    assert str(caught.value) == f'd: {what}W: expected {problem}.'
    layer = Dense(2)
    layer(Input(1))
    layer.set_weights({'W': np.array([[0.1, 1e30]]), 'b': np.array([2 ** 24, -3])})     # rounded, or as they are
    assert layer.get_weights()['b'].tolist() == [2 ** 24, -3]


def test_the_first_name_of_pending_value_still_works():
    layer = Dense(2)
    layer(Input(3))
    assert layer.latest(layer.W) is layer.pending_value(layer.W) is layer.W
    assert 'latest' not in dir(layer) and 'pending_value' in dir(layer)


def test_a_class_calls_pending_value_by_its_first_name():
    class Counting(Layer):
        def init_param(self, input_shape):
            self.set_state_params('n', np.zeros(()))

        def output(self, x):
            self.add_update([(self.n, super().latest(self.n) + 1)])
            return x

        def output_shape(self, input_shape):
            return input_shape

    class Twice(Counting):
        def latest(self, variable):
            return 2 + super().latest(variable)

        def output(self, x):
            self.add_update(self.n, self.pending_value(self.n))
            return super().output(x)
    x = Input(1)
    layer = Twice(name='twice')
    model = Model(x, Dense(1)(layer(x)))
    model.compile('sgd', 'mse')
    model.fit(np.ones((1, 1)), np.ones((1, 1)), nb_epoch=1, verbose=0)
    assert layer.get_weights()['n'] == 3
