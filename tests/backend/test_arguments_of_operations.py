"""What operations of the backend are wrongly given is refused before the backend is called: one text for all of them."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError
from keraflow.layers import Input


def cube():
    return B.constant(np.arange(24.).reshape(2, 3, 4))


def image():
    return B.constant(np.ones((1, 2, 5, 5)))


KERNELS = np.ones((2, 3, 2, 2))
WHOLE = 'expected integers other than 0, received 0. Write B.as_real(...) of the first operand.'
WRONG = [
    (lambda: B.reshape(cube(), (None, 12)), ArgumentTypeError,
     'reshape: shape: expected an integer, received None. Write -1 in B.reshape, and B.shape(x)[0] elsewhere.'),
    (lambda: B.zeros((None, 2)), ArgumentTypeError,
     'zeros: shape: expected an integer, received None. Write -1 in B.reshape, and B.shape(x)[0] elsewhere.'),
    (lambda: B.floor_divide(B.constant([7], 'int32'), 0), ArgumentError, f'floor_divide: y: {WHOLE}'),
    (lambda: B.mod(B.constant([7], 'int64'), [0]), ArgumentError, f'mod: y: {WHOLE}'),
    (lambda: Input(3, dtype='int32') % np.array([1, 0, 2]), ArgumentError, f'mod: y: {WHOLE}'),
    (lambda: Input(3, dtype='int32') ** -1, ArgumentError,
     'power: y: expected integers of at least 0, received -1. Write B.as_real(...) of the first operand.'),
    (lambda: B.power(2, [-1, 2]), ArgumentError,
     'power: y: expected integers of at least 0, received -1. Write B.as_real(...) of the first operand.'),
    (lambda: B.split(cube(), [1, 2]), ShapeError, 'split: lengths: expected a sum of 4, the length of axis 2, received [1, 2].'),
    (lambda: B.split(cube(), [3, 3], 1), ShapeError, 'split: lengths: expected a sum of 3, the length of axis 1, received [3, 3].'),
    (lambda: B.split(cube(), [5, -1]), ArgumentError, 'split: lengths: expected a list (an integer of at least 0 each), received [5, -1].'),
    (lambda: B.split(cube(), 2), ArgumentTypeError, 'split: lengths: expected a list (an integer of at least 0 each), received 2.'),
    (lambda: B.sum(cube(), 3), ShapeError, 'sum: axis: expected an axis from -3 to 2, received 3.'),
    (lambda: B.max(cube(), [0, -3]), ShapeError, 'max: axis: expected each axis once, received [0, -3].'),
    (lambda: B.mean(cube(), ''), ArgumentTypeError, "mean: axis: expected None or an integer or a list (an integer each), received ''."),
    (lambda: B.softmax(cube(), None), ArgumentTypeError, 'softmax: axis: expected an integer, received None.'),
    (lambda: B.argmax(B.constant(2.)), ShapeError, 'argmax: axis: expected a tensor that has axes, received a scalar.'),
    (lambda: B.sum(cube(), axes=0), ArgumentTypeError, "sum: there is no argument 'axes'. Did you mean 'axis'?"),
    (lambda: B.sum(), ArgumentTypeError, "sum: the argument 'x' is missing."),
    (lambda: B.std(cube(), 0, 1), ArgumentTypeError, 'std: keepdims: expected True or False, received 1.'),
    (lambda: B.add(cube(), np.ones(3)), ShapeError, 'add: expected shapes that match, received (2, 3, 4), (3,).'),
    (lambda: B.where(True, cube(), [1., 2.]), ShapeError, 'where: expected shapes that match, received (), (2, 3, 4), (2,).'),
    (lambda: B.multiply(cube(), None), ArgumentTypeError, 'multiply: y: expected a tensor, an array or a number, received None.'),
    (lambda: B.less(cube(), 'a'), ArgumentTypeError, "less: y: expected a tensor, an array or a number, received 'a'."),
    (lambda: B.add([[1.], [2., 3.]], 1.), ShapeError, 'add: x: expected a list whose items have one shape, received [[1.0], [2.0, 3.0]].'),
    (lambda: B.clip(cube(), 'a', 1.), ArgumentTypeError, "clip: min_value: expected a tensor, an array or a number, received 'a'."),
    (lambda: B.reshape(cube(), (5, 5)), ShapeError, 'reshape: shape: expected lengths for a tensor of shape (2, 3, 4), received [5, 5].'),
    (lambda: B.reshape(cube(), (-1, -1)), ShapeError, 'reshape: shape: expected lengths for a tensor of shape (2, 3, 4), received [-1, -1].'),
    (lambda: B.reshape(cube(), -1), ArgumentTypeError, 'reshape: shape: expected a list, received -1.'),
    (lambda: B.zeros((2, -1)), ArgumentError, 'zeros: shape: expected an integer of at least 0, received -1.'),
    (lambda: B.full((2, 1.5), 1.), ArgumentTypeError, 'full: shape: expected an integer, received 1.5.'),
    (lambda: B.arange(-1), ArgumentError, 'arange: stop: expected an integer of at least 0, received -1.'),
    (lambda: B.random_normal((2,), dtype='int32'), ArgumentError, "random_normal: dtype: expected 'float32' or 'float64', received 'int32'."),
    (lambda: B.transpose(cube(), (0, 1, 1)), ShapeError, 'transpose: axes: expected each axis once, received (0, 1, 1).'),
    (lambda: B.transpose(cube(), (0, 1)), ShapeError, 'transpose: axes: expected each of 3 axes once, received [0, 1].'),
    (lambda: B.expand_dims(cube(), 4), ShapeError, 'expand_dims: axis: expected an axis from -4 to 3, received 4.'),
    (lambda: B.squeeze(cube(), 0), ShapeError, 'squeeze: axis: expected one of length 1, received one of length 2.'),
    (lambda: B.concatenate([]), ArgumentError, 'concatenate: tensors: expected at least one, received an empty list.'),
    (lambda: B.concatenate([cube(), image()]), ShapeError,
     'concatenate: tensors: expected equal lengths but for axis 2, received the shapes (2, 3, 4), (1, 2, 5, 5).'),
    (lambda: B.stack([cube(), cube()[:1]]), ShapeError, 'stack: tensors: expected equal lengths, received the shapes (2, 3, 4), (1, 3, 4).'),
    (lambda: B.repeat(cube(), -1, 0), ArgumentError, 'repeat: repeats: expected an integer of at least 0, received -1.'),
    (lambda: B.tile(cube(), (1, 2)), ShapeError, 'tile: reps: expected one for each of 3 axes, received [1, 2].'),
    (lambda: B.flatten(cube(), 0), ArgumentError, 'flatten: nb_axis: expected an integer of at least 1, received 0.'),
    (lambda: B.gather(cube(), [0., 1.]), ArgumentTypeError, "gather: expected integers as indices, received float64. Write B.cast(x, 'int32')."),
    (lambda: B.gather(cube(), [0, 3], 1), ArgumentError, 'gather: indices: expected integers from 0 to 2, received 3.'),
    (lambda: B.one_hot(B.constant([0, 1], 'int32'), -1), ArgumentError, 'one_hot: nb_class: expected an integer of at least 0, received -1.'),
    (lambda: B.dot(cube(), np.ones((3, 2))), ShapeError, 'dot: expected factors that match, received the lengths (4,) and (3,).'),
    (lambda: B.matmul(cube(), np.ones((3, 4, 2))), ShapeError, 'matmul: expected the axes before the last two to broadcast, received the shapes (2, 3, 4) and (3, 4, 2).'),
    (lambda: B.conv(image(), KERNELS, pad='full'), ArgumentTypeError, "conv: pad: expected one of 'valid', 'same', received 'full'."),
    (lambda: B.conv(image(), KERNELS, (0, 1)), ArgumentError, 'conv: strides: expected a list (an integer of at least 1 each) or None, received (0, 1).'),
    (lambda: B.conv(image(), KERNELS, (1,)), ShapeError, 'conv: strides: expected one for each of 2 axes, received [1].'),
    (lambda: B.conv(image(), KERNELS, dilation=(9, 1)), ShapeError, 'conv: expected at least 10 cells, which a window has, received 5.'),
    (lambda: B.conv_transpose(image(), np.ones((3, 3, 2, 2))), ShapeError, 'conv_transpose: expected 3 channels, as the kernels have, received 2.'),
    (lambda: B.depthwise_conv(image()[0], np.ones((2, 1, 2))), ShapeError, 'depthwise_conv: kernels: expected four axes, received shape (2, 1, 2).'),
    (lambda: B.pool(image(), (6, 6)), ShapeError, 'pool: expected at least 6 cells, which a window has, received 5.'),
    (lambda: B.pool(image(), (2, 2), 'min'), ArgumentTypeError, "pool: mode: expected one of 'max', 'avg', received 'min'."),
    (lambda: B.pad(cube(), [(0, 0), (1, -1), (0, 0)]), ArgumentError, 'pad: padding: expected pairs of integers of at least 0, received (1, -1).'),
    (lambda: B.add_bias(image(), np.ones(3)), ShapeError, 'add_bias: expected a bias of one value for each channel, received shapes (3,) and (1, 2, 5, 5).'),
    (lambda: B.dropout(cube(), 1.), ArgumentError, 'dropout: drop_rate: expected a number of at least 0 and below 1, received 1.0.'),
    (lambda: B.relu(cube(), 'a'), ArgumentTypeError, "relu: alpha: expected a number, received 'a'."),
    (lambda: B.with_static_shape(cube(), (2, 3)), ShapeError, 'with_static_shape: a tensor of shape (2, 3, 4) cannot have the shape (2, 3).'),
]


@pytest.mark.parametrize('number', range(len(WRONG)))
def test_wrong_arguments(number):
    call, kind, text = WRONG[number]
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind and str(caught.value) == text


def test_lengths_of_parts_that_only_the_data_refute():
    x = B.placeholder((2, None))
    run = B.function([x], B.symbolic(lambda: B.split(x, [1, 2]), []))
    assert [part.tolist() for part in run([[1., 2., 3.], [4., 5., 6.]])] == [[[1.], [4.]], [[2., 3.], [5., 6.]]]
    with pytest.raises(DataError) as caught:
        run(np.ones((2, 4)))
    assert str(caught.value) == 'split: lengths: expected a sum of the length of axis 1, received [1, 2].'


def test_what_looks_odd_and_is_right():
    x = cube()
    for found, expected in ((B.transpose(x, (-1, 0, 1)), (4, 2, 3)), (B.sum(x, np.int64(1)), (2, 4)), (B.sum(x, np.array([0, 1])), (4,)),
                            (B.reshape(x, np.array([4, 6])), (4, 6)), (B.repeat(x, 0, 1), (2, 0, 4)), (B.zeros((2,), np.float32), (2,)),
                            (B.split(x, np.array([1, 3]))[1], (2, 3, 3)), (B.reshape(x, B.constant([4, 6], 'int64')), (4, 6))):
        assert B.eval(found).shape == expected


KENSORS = [(lambda x: B.sum(x, axis=''), ArgumentTypeError, "sum: axis: expected None or an integer or a list (an integer each), received ''."),
           (lambda x: B.split(x, [1, -1], 1), ArgumentError, 'split: lengths: expected a list (an integer of at least 0 each), received [1, -1].'),
           (lambda x: B.split(x, 2, 1), ArgumentTypeError, 'split: lengths: expected a list (an integer of at least 0 each), received 2.'),
           (lambda x: B.transpose(x, 1), ArgumentTypeError, 'transpose: axes: expected a list (an integer each) or None, received 1.'),
           (lambda x: B.relu(x, 'a'), ArgumentTypeError, "relu: alpha: expected a number, received 'a'.")]


@pytest.mark.parametrize('number', range(len(KENSORS)))
def test_wrong_arguments_beside_kensors(number):
    call, kind, text = KENSORS[number]
    with pytest.raises(kind) as caught:
        call(Input(4))
    assert str(caught.value) == text


@pytest.mark.parametrize('lengths', [[1, 2], [3, 3]])
def test_lengths_that_do_not_cover_a_kensor(lengths):
    with pytest.raises(ShapeError) as caught:
        B.split(Input(4), lengths, 1)
    assert str(caught.value).endswith(f": split({{'input': 0}}, {lengths}, 1) cannot be applied to inputs of shapes (None, 4).")
    assert f': lengths: expected a sum of 4, the length of axis 1, received {lengths}: split(' in str(caught.value)
