"""Numbers that a dtype cannot hold are refused wherever a program gives them, in the same words on every backend."""
import numpy as np
import pytest
from mistakes import check

from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError
from keraflow.layers import Dense, Flatten, Input, Lambda, Layer, Masking
from keraflow.models import Model
from keraflow.optimizers import SGD

NAN, INF = float('nan'), float('inf')


def ints(**kwargs):
    return Input(3, dtype='int32', **kwargs)


def held(dtype, received):
    return f'expected numbers that {dtype} can hold, received {received}.'


def exact(received, rounded, dtype='float32'):
    return f'expected integers that {dtype} can hold, received {received}, which would be {rounded}.'


def cast(dtype, *ways):
    return ', or '.join([f"Write B.cast(..., '{dtype}') for what it meets", *ways]) + '.'


ROUNDED = 'np.float32(...) if it may be rounded'
MADE = [
    (lambda: B.variable(2 ** 40, 'int32'), ArgumentError, f"variable: value: {held('int32', 2 ** 40)} Pass dtype='int64'."),
    (lambda: B.variable(1.5, 'int32'), ArgumentError, f"variable: value: {held('int32', 1.5)} Pass dtype='float32'."),
    (lambda: B.variable([1., NAN], 'int64'), ArgumentError, f"variable: value: {held('int64', 'nan')} Pass dtype='float32'."),
    (lambda: B.variable(2, 'bool'), ArgumentError, f"variable: value: {held('bool', 2)} Pass dtype='int32'."),
    (lambda: B.variable(-1, 'uint8'), ArgumentTypeError,
     "variable: dtype: expected one of 'bool', 'int32', 'int64', 'float32', 'float64' or None, received 'uint8'."),
    (lambda: B.variable(np.uint64(2 ** 64 - 1), 'int64'), ArgumentError, f"variable: value: {held('int64', 2 ** 64 - 1)}"),
    (lambda: B.variable([1., 1e39]), ArgumentError, f"variable: value: {held('float32', '1e+39')} Pass dtype='float64'."),
    (lambda: B.variable('a'), ArgumentTypeError, "variable: value: expected an array of numbers, received 'a'."),
    (lambda: B.variable([[1], [2, 3]]), ArgumentTypeError, 'variable: value: expected an array of numbers, received [[1], [2, 3]].'),
    (lambda: B.variable(B.ones((2,))), ArgumentTypeError,
     'variable: value: expected an array of numbers, received a tensor. Write B.eval(...) of it.'),
    (lambda: B.constant(2 ** 24 + 1), ArgumentError,
     f"constant: value: {exact(16777217, 16777216)} Pass dtype='float64', or {ROUNDED}."),
    (lambda: B.constant([1, -2 ** 31 - 1], 'int32'), ArgumentError, f"constant: value: {held('int32', -2 ** 31 - 1)} Pass dtype='int64'."),
    (lambda: B.constant(2 ** 53 + 1, 'float64'), ArgumentError,
     f"constant: value: {exact(2 ** 53 + 1, 2 ** 53, 'float64')} Write np.float64(...) if it may be rounded."),
    (lambda: B.constant(None), ArgumentTypeError, 'constant: value: expected an array of numbers, received None.'),
    (lambda: B.set_value(B.variable([1, 2], 'int32'), [1.5, 2]), ArgumentError,
     f"set_value: value: {held('int32', 1.5)} Make the variable with dtype='float32'."),
    (lambda: B.set_value(B.variable([1.]), [1e300]), ArgumentError,
     f"set_value: value: {held('float32', '1e+300')} Make the variable with dtype='float64'."),
    (lambda: B.set_value(B.variable([1.]), ['a']), ArgumentTypeError, "set_value: value: expected an array of numbers, received ['a']."),
    (lambda: B.set_value(3, 4), ArgumentTypeError, 'set_value: variable: expected a variable, received 3.'),
    (lambda: B.set_value(B.ones((2,)), [1., 1.]), ArgumentTypeError, 'set_value: variable: expected a variable, received a tensor.'),
    (lambda: B.set_value(B.variable([1.]), B.ones((1,))), ArgumentTypeError,
     'set_value: value: expected an array of numbers, received a tensor. Write B.eval(...) of it.'),
    (lambda: B.full((2,), -2 ** 40, 'int32'), ArgumentError, f"full: value: {held('int32', -2 ** 40)} Pass dtype='int64'."),
    (lambda: B.full((2,), 0.5, 'int64'), ArgumentError, f"full: value: {held('int64', 0.5)} Pass dtype='float32'."),
    (lambda: B.full((2,), 1e39), ArgumentError, f"full: value: {held('float32', '1e+39')} Pass dtype='float64'."),
    (lambda: B.full((2,), [1, 2]), ShapeError, 'full: value: expected one number, received [1, 2].'),
    (lambda: B.cast(2 ** 40, 'int32'), ArgumentError, f"cast: x: {held('int32', 2 ** 40)} Pass dtype='int64'."),
    (lambda: B.cast([1e10], 'int32'), ArgumentError, f"cast: x: {held('int32', '10000000000.0')} Pass dtype='int64'."),
    (lambda: B.cast(NAN, 'int32'), ArgumentError, f"cast: x: {held('int32', 'nan')} Pass dtype='float32'."),
    (lambda: B.cast(1e39, 'float32'), ArgumentError, f"cast: x: {held('float32', '1e+39')} Pass dtype='float64'."),
    (lambda: B.random_uniform((2,), 0., 1e39), ArgumentError, f"random_uniform: high: {held('float32', '1e+39')} Pass dtype='float64'."),
    (lambda: B.random_normal((2,), -1e300), ArgumentError, f"random_normal: mean: {held('float32', '-1e+300')} Pass dtype='float64'."),
    (lambda: B.arange(3, 'bool'), ArgumentError, "arange: dtype: expected a dtype of numbers, received 'bool'."),
    (lambda: B.sqrt(1e300), ArgumentError, f"sqrt: x: {held('float32', '1e+300')} Write B.constant(..., 'float64')."),
    (lambda: B.add([1.], [1e300]), ArgumentError, f"add: y: {held('float32', '1e+300')} Write B.constant(..., 'float64')."),
    (lambda: B.placeholder(3), ArgumentTypeError, 'placeholder: shape: expected a tuple, received 3.'),
]

MET = [
    (lambda: ints() + 2 ** 40, ArgumentError, f"add: y: {held('int32', 2 ** 40)} {cast('int64')}"),
    (lambda: -2 ** 31 - 1 - ints(), ArgumentError, f"subtract: x: {held('int32', -2 ** 31 - 1)} {cast('int64')}"),
    (lambda: ints() * 2 ** 31, ArgumentError, f"multiply: y: {held('int32', 2 ** 31)} {cast('int64')}"),
    (lambda: ints() // 2 ** 33, ArgumentError, f"floor_divide: y: {held('int32', 2 ** 33)} {cast('int64')}"),
    (lambda: ints() % np.int64(2 ** 33), ArgumentError, f"mod: y: {held('int32', 2 ** 33)} {cast('int64')}"),
    (lambda: ints() > 2 ** 40, ArgumentError, f"greater: y: {held('int32', 2 ** 40)} {cast('int64')}"),
    (lambda: B.equal(ints(), -2 ** 40), ArgumentError, f"equal: y: {held('int32', -2 ** 40)} {cast('int64')}"),
    (lambda: B.where(ints() > 1, ints(), 2 ** 40), ArgumentError, f"where: y: {held('int32', 2 ** 40)} {cast('int64')}"),
    (lambda: B.clip(ints(), -1, 2 ** 40), ArgumentError, f"clip: max_value: {held('int32', 2 ** 40)} {cast('int64')}"),
    (lambda: B.clip(ints(), -2 ** 40), ArgumentError, f"clip: min_value: {held('int32', -2 ** 40)} {cast('int64')}"),
    (lambda: B.maximum(B.constant([1, 2], 'int32'), [1, 2 ** 31]), ArgumentError, f"maximum: y: {held('int32', 2 ** 31)} {cast('int64')}"),
    (lambda: ints() / (2 ** 24 + 1), ArgumentError, f"divide: y: {exact(16777217, 16777216)} {cast('float64', ROUNDED)}"),
    (lambda: ints() * 1e300, ArgumentError, f"multiply: y: {held('float32', '1e+300')} {cast('float64')}"),
    (lambda: Input(3) + 1e300, ArgumentError, f"add: y: {held('float32', '1e+300')} {cast('float64')}"),
    (lambda: 1e39 / Input(3), ArgumentError, f"divide: x: {held('float32', '1e+39')} {cast('float64')}"),
    (lambda: Input(3) + (2 ** 24 + 1), ArgumentError, f"add: y: {exact(16777217, 16777216)} {cast('float64', ROUNDED)}"),
    (lambda: Input(3) ** -(2 ** 30 + 1), ArgumentError, f"power: y: {exact(-2 ** 30 - 1, -2 ** 30)} {cast('float64', ROUNDED)}"),
    (lambda: Input(3) <= 2 ** 24 + 1, ArgumentError, f"less_equal: y: {exact(16777217, 16777216)} {cast('float64', ROUNDED)}"),
    (lambda: Input(3) * np.array([1., 1e39, 1.]), ArgumentError, f"multiply: y: {held('float32', '1e+39')} {cast('float64')}"),
    (lambda: B.dot(Input(3), np.full((3, 2), -1e39)), ArgumentError, f"dot: y: {held('float32', '-1e+39')} {cast('float64')}"),
    (lambda: B.add_bias(B.ones((1, 3)), np.full(3, 1e39)), ArgumentError, f"add_bias: bias: {held('float32', '1e+39')} {cast('float64')}"),
    (lambda: B.conv(B.ones((1, 1, 2)), np.full((1, 1, 1), 1e39)), ArgumentError, f"conv: kernels: {held('float32', '1e+39')} {cast('float64')}"),
    (lambda: B.concatenate([B.ones((1,)), [1e39]]), ArgumentError, f"concatenate: tensors: {held('float32', '1e+39')} {cast('float64')}"),
    (lambda: B.stack([B.constant([1], 'int32'), [2 ** 40]]), ArgumentError, f"stack: tensors: {held('int32', 2 ** 40)} {cast('int64')}"),
    (lambda: B.pad(B.constant([1], 'int32'), [(1, 1)], 0.5), ArgumentError, f"pad: value: {held('int32', 0.5)} {cast('float32')}"),
    (lambda: B.relu(Input(3), 1e39), ArgumentError, f"relu: alpha: {held('float32', '1e+39')} {cast('float64')}"),
    (lambda: B.relu(Input(3), 0., 1e39), ArgumentError, f"relu: max_value: {held('float32', '1e+39')} {cast('float64')}"),
    (lambda: B.histogram(B.ones((2,)), [0., 1e39], B.ones((2,))), ArgumentError,
     f"histogram: edges: {held('float32', '1e+39')} {cast('float64')}"),
    (lambda: Lambda(lambda x: 2 ** 40 + x)(ints()), ArgumentError, f"add: x: {held('int32', 2 ** 40)} {cast('int64')}"),
    (lambda: Lambda(lambda x: x >= 2 ** 31)(ints()), ArgumentError, f"greater_equal: y: {held('int32', 2 ** 31)} {cast('int64')}"),
    (lambda: Lambda(lambda x: x * 1e300)(Input(3)), ArgumentError, f"multiply: y: {held('float32', '1e+300')} {cast('float64')}"),
    (lambda: Lambda(lambda x: x - (2 ** 24 + 1))(Input(3)), ArgumentError,
     f"subtract: y: {exact(16777217, 16777216)} {cast('float64', ROUNDED)}"),
]


class Counting(Layer):
    """A layer that sets its state to a number."""

    def __init__(self, new, **kwargs):
        super().__init__(**kwargs)
        self.new = new

    def init_param(self, input_shape):
        self.add_weight('n', (), init='zero', trainable=False, dtype='int32')

    def output(self, x):
        self.add_update(self.n, self.new)
        return x


class MaskOf(Layer):
    """Gives the mask of its input."""

    def output(self, x):
        return B.cast(self.get_tensor_mask(x), 'int32')

    def output_shape(self, input_shape):
        return input_shape


def trained(lr=0.1, **kwargs):
    x = Input(3, name='x')
    model = Model(x, Dense(2, name='y', **kwargs)(x), name='m')
    model.compile(SGD(lr=lr), 'mse')
    model.fit(np.ones((4, 3)), np.ones((4, 2)), nb_epoch=1, verbose=0)
    return model


def set_rate():
    trained().optimizer.lr = 1e39


def masked(dtype, value):
    return Masking(value, name='k')(Input((4, 2), dtype=dtype))


ADVICE = 'Choose one that the data can have, or another dtype.'
OF_LAYERS = [
    (lambda: Input((3,), mask_value=2 ** 24 + 1), ArgumentError, f'Input: mask_value: {exact(16777217, 16777216)} {ADVICE}'),
    (lambda: ints(mask_value=0.5), ArgumentError, f"Input: mask_value: {held('int32', 0.5)} {ADVICE}"),
    (lambda: ints(mask_value=2 ** 31), ArgumentError, f"Input: mask_value: {held('int32', 2 ** 31)} {ADVICE}"),
    (lambda: Input((3,), mask_value=1e300), ArgumentError, f"Input: mask_value: {held('float32', '1e+300')} {ADVICE}"),
    (lambda: Input((3,), dtype='bool', mask_value=2), ArgumentError, f"Input: mask_value: {held('bool', 2)} {ADVICE}"),
    (lambda: Input((3,), mask_value=NAN), ArgumentError, 'Input: mask_value: expected a number that equals itself, received nan. '
     'Replace it in the data, for example by -1, and mask that.'),
    (lambda: masked('float32', 2 ** 24 + 1), ArgumentError, f'k: mask_value: {exact(16777217, 16777216)} {ADVICE}'),
    (lambda: masked('int32', 0.5), ArgumentError, f"k: mask_value: {held('int32', 0.5)} {ADVICE}"),
    (lambda: masked('int32', -2 ** 40), ArgumentError, f"k: mask_value: {held('int32', -2 ** 40)} {ADVICE}"),
    (lambda: masked('float32', 1e300), ArgumentError, f"k: mask_value: {held('float32', '1e+300')} {ADVICE}"),
    (lambda: Dense(2, name='d')(np.full((1, 3), 1e300)), ArgumentError, f"d: {held('float32', '1e+300')}"),
    (lambda: Dense(2, name='d', init=lambda shape: np.full(shape, 1e39))(Input(3)), ArgumentError, f"d: W: {held('float32', '1e+39')}"),
    (lambda: Dense(2, name='d').add_weight('n', (), init=lambda shape: 0.5, dtype='int32'), ArgumentError, f"d: n: {held('int32', 0.5)}"),
    (lambda: Dense(2, name='d', dtype='float32').set_trainable_params('W', [2 ** 24 + 1]), ArgumentError, f'd: W: {exact(16777217, 16777216)}'),
    (lambda: Counting(2 ** 40, name='c')(Input(3)), ArgumentError, f"c: add_update: {held('int32', 2 ** 40)}"),
    (lambda: trained(constraints=[lambda W: np.full((3, 2), 1e39)]), ArgumentError, f"y/W: constraint: {held('float32', '1e+39')}"),
    (lambda: trained(1e39), ArgumentError, f"SGD: lr: {held('float32', '1e+39')}"),
    (set_rate, ArgumentError, f"SGD: lr: {held('float32', '1e+39')}"),
]


@pytest.mark.parametrize('table', [MADE, MET, OF_LAYERS], ids=['made', 'met', 'of layers'])
def test_numbers_that_a_dtype_cannot_hold_are_refused(table):
    check(table)


def test_numbers_that_a_dtype_can_hold_are_taken():
    for found, expected in (
            (B.variable([1., -2.], 'int32'), [1, -2]), (B.variable(True, 'float32'), 1.), (B.variable([INF, NAN, 0.1]), np.float32([INF, NAN, 0.1])),
            (B.constant(2 ** 25), 2. ** 25), (B.constant(-2 ** 31, 'int32'), -2 ** 31), (B.constant(np.uint64(2 ** 63 - 1)), 2 ** 63 - 1),
            (B.full((1,), 2 ** 40, 'int64'), [2 ** 40]), (B.full((1,), 0.1, 'float64'), [0.1]), (B.cast(0.1, 'float64'), 0.1),
            (B.cast(-1.9, 'int32'), -1), (B.cast(2 ** 24 + 1, 'float32'), 2. ** 24), (B.cast([0., 0.5], 'bool'), [False, True]),
            (B.cast(2 ** 40, 'int64'), 2 ** 40), (B.logical_and(B.constant([True]), 2 ** 40), [True]),
            (B.constant([1], 'int32') + 0.5, [1.5]) if B.name() == 'theano' else (B.add(B.constant([1], 'int32'), 0.5), [1.5])):
        np.testing.assert_array_equal(B.eval(found), expected)


@pytest.mark.parametrize('function, data, expected', [
    (lambda x: x + 0.1, [1.], np.float32(1) + np.float32(0.1)), (lambda x: x + 2 ** 25, [2 ** 25], 2. ** 26), (lambda x: x > -INF, [1.], True),
    (lambda x: B.clip(x, -INF, INF), [3e38], np.float32(3e38)), (lambda x: x + np.float32(2 ** 24 + 1), [0.], 2. ** 24),
    (lambda x: x * 1e-300, [1.], 0.), (lambda x: B.cast(x, 'float64') + 1e300, [1.], 1e300), (lambda x: B.cast(x, 'int64') + 2 ** 40, [1.], 2 ** 40 + 1)])
def test_numbers_that_kensors_can_meet(function, data, expected):
    x = Input(1)
    for made in (function(x), Lambda(function)(x)):
        np.testing.assert_array_equal(Model(x, made).predict([data]), [[expected]])


@pytest.mark.parametrize('dtype, value, steps, counted', [
    ('int64', 2. ** 24, [2 ** 24, 2 ** 24 + 1, 0], [False, True, True]), ('int32', 0., [0, 1, -1], [False, True, True]),
    ('float32', 0.1, [0.1, 0.2, 0.], [False, True, True]), ('bool', 1, [True, False, True], [False, True, False])])
def test_masks_are_exact(dtype, value, steps, counted):
    for x in (Input((3,), dtype=dtype, mask_value=value), Masking(value)(Input((3,), dtype=dtype))):
        origin = x if x.call.inputs == () else x.call.inputs[0]
        np.testing.assert_array_equal(Model(origin, MaskOf()(x)).predict(np.array([steps], dtype)), [np.array(counted, 'int32')])


def test_a_variable_is_as_it_was_after_a_value_that_is_refused():
    variable = B.variable([1, 2], 'int32')
    with pytest.raises(ArgumentError):
        B.set_value(variable, [3, 2 ** 40])
    assert B.get_value(variable).tolist() == [1, 2]


# -- gradients of what is there already -------------------------------------------------------------------------------------

def test_gradients_outside_of_a_function():
    variable = B.variable([3., -1.])
    loss = B.symbolic(lambda: B.sum(B.square(variable)), [])
    np.testing.assert_array_equal(B.eval(B.gradients(loss, [variable])[0]), [6., -2.])
    _, _, [found] = B.value_and_gradients(lambda: (B.sum(B.square(variable)), None), [variable])
    np.testing.assert_array_equal(B.eval(found), [6., -2.])


GRADIENTS = [
    (lambda: B.gradients(B.square(B.variable([3.])), [B.variable([3.])]), ShapeError,
     'gradients: loss: expected a scalar, received shape (1,). Write B.sum or B.mean of it.'),
    (lambda: B.gradients(3., [B.variable([3.])]), ArgumentTypeError, 'gradients: loss: expected a tensor, received 3.0.'),
    (lambda: B.gradients(B.placeholder(()), 3), ArgumentTypeError, 'gradients: variables: expected a list, received 3.'),
    (lambda: B.gradients(B.placeholder(()), [3]), ArgumentTypeError,
     'gradients: variables: expected a list of variables or tensors, received [3].'),
]


def test_gradients_of_what_is_none():
    check(GRADIENTS)


def test_data_are_refused_by_the_same_rule():
    x = Input(2, dtype='int32')
    with pytest.raises(DataError):
        Model(x, Flatten()(x)).predict(np.array([[0, 2 ** 31]]))
