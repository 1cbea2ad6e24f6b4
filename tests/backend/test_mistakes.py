"""Mistakes that people make are answered with advice, in the same words on every backend."""
import numpy as np
import pytest
from mistakes import X, check, plain

from keraflow import backend as B
from keraflow import optimizers
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, ShapeError
from keraflow.layers import (Concatenate, Dense, Dropout, ElementWiseSum, ExpandDims, Input, Layer, PermuteDims, Repeat,
                             Reshape)
from keraflow.models import Model, Sequential


def feed_two_sizes():
    layer = Dense(3, name='d')
    layer(Input(3))
    layer(Input(4))


def useless_input():
    x, z = Input(3, name='x'), Input(3, name='z')
    Model([x, z], Dense(2)(z), name='m')


def missing_input():
    x, z = Input(3, name='x'), Input(3, name='z')
    Model(x, ElementWiseSum()([x, z]), name='m')


def different_batch_sizes():
    x, z = Input(3, batch_size=2), Input(3)
    Model([x, z], ElementWiseSum()([x, z]), name='m')


def begin_in_the_middle():
    h = Dense(2, name='d')(Input(3))
    Model(h, Dense(2)(h), name='m')


def one_name_twice():
    x = Input(3)
    Model(x, Dense(2, name='d')(Dense(2, name='d')(x)), name='m')


def add_too_late():
    sequential = Sequential([Dense(3)], name='s')
    sequential(Input(3))
    sequential.add(Dense(3))


def one_output_twice():
    x = Input(3)
    y = Dense(2, name='d')(x)
    Model(x, [y, y], name='m')


def one_input_twice():
    x = Input(3, name='x')
    Model([x, x], Dense(2)(x), name='m')


def input_named_like_an_output():
    x = Input(3, name='d_0')
    Model(x, ElementWiseSum()([x, Dense(3, name='d')(x)]), name='m')


class NoReturn(Layer):
    def output(self, x):
        pass


class WrongShape(Layer):
    def output(self, x):
        return x[:, :2]

    def output_shape(self, input_shape):
        return input_shape


class OneShape(Layer):
    def output(self, x):
        return [x, x]

    def output_shape(self, input_shape):
        return input_shape


class TakenName(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('trainable', np.ones(3))


class HalfPair(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('W')


class EmbedsClass(Layer):
    def output(self, x):
        return self.embed(Dense)(x)


class AddsVector(Layer):
    def output(self, x):
        self.add_loss(B.sum(x, 1), x)
        return x


class UpdatesOtherShape(Layer):
    def init_param(self, input_shape):
        self.set_state_params('n', np.zeros(2))

    def output(self, x):
        self.add_update(self.n, B.zeros((3,)))
        return x


class UpdatesInput(Layer):
    def output(self, x):
        self.add_update(x, x * 2)
        return x


class NoSuper(Layer):
    def __init__(self):
        pass


GRAPH = [
    (lambda: Model(Input(3), Dense(2, name='d'), name='m'), GraphError,
     'd: expected a Kensor, received the layer Dense itself. Feed it first: Dense(...)(x).'),
    (lambda: Dense(2)(Dense(3, name='d')), GraphError,
     'd: expected a Kensor, received the layer Dense itself. Feed it first: Dense(...)(x).'),
    (lambda: Dense(2)(Sequential([Dense(3)], name='s')), GraphError,
     's: expected a Kensor, received the layer Sequential itself. Feed it first: Sequential(...)(x).'),
    (lambda: Dense(2, name='d')(Dropout), GraphError,
     "d: expected a Kensor, a tensor or an array, received class Dropout. "
     'Make an object of it: Dropout(...).'),
    (lambda: Dense(2, name='d')('x'), GraphError, "d: expected a Kensor, a tensor or an array, received 'x'."),
    (lambda: ElementWiseSum(name='s')([Input(3), X]), GraphError,
     's: expected only Kensors, but also received ndarray. Make an Input for it.'),
    (lambda: ElementWiseSum(name='s')([]), GraphError, 's: was called on an empty list. Pass at least one Kensor.'),
    (lambda: Dense(2, name='d')([Input(3), Input(3)]), GraphError,
     'd: expected one input, received 2. Join them first, with Concatenate() or with operators on Kensors such as a + b, or write a MultiInputLayer.'),
    (lambda: Input(3, name='x')(Input(3)), GraphError,
     'x: an Input takes data, not the output of a layer. Feed it to a layer instead.'),
    (useless_input, GraphError, "m: no output depends on the Input 'x'. Remove it from inputs, or use it."),
    (missing_input, GraphError, "m: the outputs depend on the Input 'z', which is not one of inputs. Add it."),
    (different_batch_sizes, GraphError, 'm: the Inputs have different batch sizes: [2, None]. Give them the same, or none.'),
    (begin_in_the_middle, GraphError,
     'm: inputs: expected an Input, received <Kensor d/output (None, 2) float32>. Start the model at an Input.'),
    (lambda: Model(Input(3), np.ones(2), name='m'), GraphError,
     'm: outputs: expected a Kensor, received an array of shape (2,). Pass what a layer returned.'),
    (lambda: Model([], [], name='m'), GraphError, 'm: expected at least one input and one output.'),
    (one_name_twice, GraphError,
     "m: 'd' is the name of two layers. Give each layer of a model its own name, as copy.deepcopy gives copies."),
    (one_output_twice, GraphError, "m: outputs: expected each Kensor once, received 'd/output' twice."),
    (one_input_twice, GraphError, "m: inputs: expected each Kensor once, received 'x' twice."),
    (input_named_like_an_output, GraphError,
     "m: 'd_0' is the name of an Input and of what d gives. Give the Input another name."),
    (lambda: Sequential([Input(3), Dense(2, name='d'), Dense(2, name='d')], name='s'), GraphError,
     "s: 'd' is the name of two layers. Give each layer of a model its own name, as copy.deepcopy gives copies."),
    (lambda: Sequential(Dense(3, name='d')), ArgumentTypeError, 'Sequential: layers: expected a list, received <Dense d>.'),
    (lambda: Sequential(['dense']), ArgumentTypeError, "Sequential: layers: expected a layer, received 'dense'."),
    (lambda: Sequential([Dense(3), Input(3)], name='s'), GraphError, 's: an Input can only be the first layer.'),
    (lambda: Sequential([Dense(3)], name='s').predict(X), GraphError,
     's: a Sequential is a model only if its first layer is an Input. Write Sequential([Input(...), ...]), or use it as a layer.'),
    (add_too_late, GraphError, 's: a layer cannot be added after the Sequential was called. Add all layers first.'),
    (lambda: Sequential([], name='s')(Input(3)), GraphError, 's: the Sequential has no layers. Add one first.'),
]

SHAPES = [
    (lambda: Dense(2, name='d')(Input((3, 4))), ShapeError,
     'd: expected a 2-D input (batch, input_dim), received shape (None, 3, 4). Put a Flatten() before it, or run it on each step with TimeDistributed(...).'),
    (lambda: Dense(2, name='d')(Input((None,))), ShapeError,
     'd: expected an input (batch, input_dim) whose axis input_dim has a known length, received shape (None, None). Give the Input that length.'),
    (feed_two_sizes, ShapeError, 'd: expected an input (batch, input_dim) whose axis input_dim has length 3, received shape (None, 4). The layer was built for that '
     'length; make another layer for this one.'),
    (lambda: plain()(Input(4)), ShapeError, "m: expected shape (None, 3) for the input 'x', received (None, 4)."),
    (lambda: ElementWiseSum(name='s')([Input(3), Input(4)]), ShapeError,
     's: expected inputs of one shape, received (None, 3), (None, 4).'),
    (lambda: Concatenate(0, name='c')([Input((3, 4)), Input((3, 5))]), ShapeError,
     'c: expected inputs of one shape but for axis 1 (0 of a sample), received (None, 3, 4), (None, 3, 5).'),
    (lambda: Concatenate(2, name='c')([Input((3, 4)), Input((3, 4))]), ShapeError,
     'c: there is no axis 2 in an input of rank 3 (with the batch). Choose one from -2 to 1.'),
    (lambda: Reshape((5,), name='r')(Input((3, 4))), ShapeError,
     'r: cannot reshape (3, 4) to (5,): the numbers of values differ.'),
    (lambda: Reshape((-1, -1)), ArgumentError,
     'Reshape: target_shape: expected lengths of at least 1, one of which may be -1, received (-1, -1).'),
    (lambda: PermuteDims((0, 2)), ArgumentError,
     'PermuteDims: axes: expected each number from 0 to 1 once, received (0, 2).'),
    (lambda: PermuteDims((1, 0), name='p')(Input(3)), ShapeError,
     'p: expected a 3-D input, received shape (None, 3).'),
    (lambda: Repeat(2, axis=3, name='r')(Input(3)), ShapeError,
     'r: there is no axis 3 in an input of rank 2 (with the batch). Choose one from -1 to 0.'),
    (lambda: ExpandDims(4, name='e')(Input(3)), ShapeError,
     'e: there is no axis 4 in an input of rank 3 (with the batch). Choose one from -2 to 1.'),
    (lambda: plain().set_weights({'y/W': np.ones((2, 2))}), ShapeError,
     'm: weights: y/W: expected an array of shape (3, 2), received (2, 2).'),
    (lambda: plain().set_weights({'y/V': 1}), ArgumentError, "m: weights: there is no 'y/V'. Did you mean 'y/W'?"),
    (lambda: Dense(2, name='d', initial_weights={'W': np.ones((2, 3))})(Input(3)), ShapeError,
     'd: initial_weights: W: expected an array of shape (3, 2), received (2, 3).'),
    (lambda: plain().set_weights([np.full((3, 2), 'a')]), ArgumentTypeError,
     'm: weights: y/W: expected an array of numbers, received an array of shape (3, 2).'),
    (lambda: Dense(2, name='d', initial_weights={'w': 1})(Input(3)), ArgumentError,
     "d: initial_weights: there is no 'w'. Did you mean 'W'?"),
]

ARGUMENTS = [
    (lambda: Input(1, 2), ArgumentTypeError, 'Input: expected at most 1 positional argument(s) (shape), received 2. Put the lengths '
     'of a shape in parentheses: Input((1, 2)).'),
    (lambda: Input(0), ArgumentError, 'Input: shape: expected an integer of at least 1 or a list (an integer of at least 1 or None '
     'each), received 0.'),
    (lambda: Input(3, dtype='float16'), ArgumentTypeError,
     "Input: dtype: expected one of 'bool', 'int32', 'int64', 'float32', 'float64' or None, received 'float16'."),
    (lambda: Dense(units=3), ArgumentTypeError, "Dense: there is no argument 'units'. Did you mean 'output_dim'?"),
    (lambda: Dense(3, activaion='relu'), ArgumentTypeError, "Dense: there is no argument 'activaion'. Did you mean 'activation'?"),
    (lambda: Dropout(rate=0.5), ArgumentTypeError, "Dropout: there is no argument 'rate'. Did you mean 'drop_rate'?"),
    (lambda: Dense(3, zzz=1), ArgumentTypeError, "Dense: there is no argument 'zzz'. Choose one of activation, activity_regularizer, "
     'bias, constraints, dtype, embedded_arguments, init, initial_weights, name, output_dim, regularizers, trainable.'),
    (lambda: Dense(3, 'zero', 'relu', True, 'name'), ArgumentTypeError, 'Dense: expected at most 4 positional argument(s) '
     '(output_dim, init, activation, bias), received 5. Pass the others by name.'),
    (lambda: Dense(3, output_dim=3), ArgumentTypeError, "Dense: the argument 'output_dim' is given twice."),
    (lambda: Dense(), ArgumentTypeError, "Dense: the argument 'output_dim' is missing: an integer of at least 1."),
    (lambda: Dense(0), ArgumentError, 'Dense: output_dim: expected an integer of at least 1, received 0.'),
    (lambda: Dense(2.5), ArgumentTypeError, 'Dense: output_dim: expected an integer of at least 1, received 2.5.'),
    (lambda: Dense(2, bias='no'), ArgumentTypeError, "Dense: bias: expected True or False, received 'no'."),
    (lambda: Dense(2, name='a/b'), ArgumentError,
     "Dense: name: expected a name of letters, digits, '_', '-' and '.' (at most 128) or None, received 'a/b'."),
    (lambda: Dropout(1), ArgumentError, 'Dropout: drop_rate: expected a number of at least 0 and below 1, received 1.'),
    (lambda: Dense(2, activation='sofmax'), ArgumentError,
     "Dense: activation: there is no activation 'sofmax'. Did you mean 'softmax'?"),
    (lambda: Dense(2, init='glorot'), ArgumentError,
     "Dense: init: there is no initialization 'glorot'. Did you mean 'glorot_normal'?"),
    (lambda: Dense(2, name='d', regularizers={'V': 'l1'})(Input(3)), ArgumentError,
     "d: regularizers: there is no 'V'. Choose one of W, b."),
    (lambda: Dense(2, name='d', bias=False, regularizers=['l1', 'l2'])(Input(3)), ArgumentError,
     'd: regularizers: expected at most 1 (W), received 2.'),
    (lambda: optimizers.SGD(learning_rate=1), ArgumentTypeError,
     "SGD: there is no argument 'learning_rate'. Did you mean 'lr'?"),
    (lambda: optimizers.SGD(lr=-1), ArgumentError,
     'SGD: lr: expected a number above 0 or a schedule (a name, a function or an object), received -1.'),
    (lambda: Model(input=1, output=1), ArgumentTypeError, "Model: there is no argument 'input'. Did you mean 'inputs'?"),
    (lambda: B.phase('training').__enter__(), ArgumentError, "phase: expected 'train' or 'test', received 'training'."),
]


LAYERS = [
    (lambda: NoReturn(name='l')(Input(3)), GraphError,
     'l: output() returned None, expected a tensor. Does it end with return?'),
    (lambda: WrongShape(name='l')(Input(3)), ShapeError, 'l: output_shape() says (None, 3), but output() gives (None, 2). Let '
     'output_shape() return the shape of what output() returns.'),
    (lambda: OneShape(name='l')(Input(3)), ShapeError,
     'l: output_shape() gives 1 shape(s), but output() 2 tensor(s). Make them the same number.'),
    (lambda: TakenName(name='l')(Input(3)), ArgumentError, "l: 'trainable' cannot be the name of a parameter, because the layer has "
     'an attribute of that name. Choose another.'),
    (lambda: HalfPair(name='l')(Input(3)), ArgumentTypeError,
     "l: expected names and values in turn, set_trainable_params('W', W, 'b', b)."),
    (lambda: EmbedsClass(name='l')(Input(3)), ArgumentTypeError,
     'l: embed: expected a layer, received class Dense. Make an object of it: Dense(...).'),
    (lambda: AddsVector(name='l')(Input(3)), ShapeError,
     'l: add_loss: expected a scalar tensor, received (None,). Write B.sum or B.mean of it.'),
    (lambda: UpdatesOtherShape(name='l')(Input(3)), ShapeError, 'l: add_update: expected a value of shape (2,), received (3,).'),
    (lambda: UpdatesInput(name='l')(Input(3)), ArgumentTypeError,
     'l: add_update: expected a variable, such as set_state_params makes.'),
    (NoSuper, ArgumentError,
     'NoSuper: __init__ does not call super().__init__(**kwargs). Write it as its first line.'),
]


@pytest.mark.parametrize('table', [GRAPH, SHAPES, ARGUMENTS, LAYERS], ids=['graph', 'shapes', 'arguments', 'layers'])
def test_a_mistake_is_answered_with_this_text(table):
    check(table)


def test_mistakes_leave_the_layer_as_it_was():
    layer = Dense(2, name='d', initial_weights={'W': np.ones((9, 9))})
    with pytest.raises(ShapeError):
        layer(Input(3))
    assert layer.get_weights() == {}
    layer.initial_weights = None
    assert layer(Input(3)).shape == (None, 2)
