"""Mistakes that people make are answered with advice, in the same words on every backend."""
from functools import partial

import numpy as np
import pytest
from mistakes import check

from keraflow import backend as B
from keraflow import metrics, optimizers, regularizers
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, GraphError, ShapeError
from keraflow.layers import (Concatenate, Dense, Dropout, ElementWiseSum, ExpandDims, Input, Lambda, Layer, PermuteDims,
                             Repeat, Reshape)
from keraflow.models import Model, Sequential

X, Y = np.ones((4, 3), 'float32'), np.ones((4, 2), 'float32')
NAN = np.where(np.arange(12).reshape(4, 3) == 7, np.nan, 1.)


def plain(output_dim=2, **kwargs):
    x = Input(3, name='x', **kwargs)
    return Model(x, Dense(output_dim, name='y')(x), name='m')


def ready(*args, **kwargs):
    model = plain(*args, **kwargs)
    model.compile('sgd', 'mse')
    return model


def two():
    a, b = Input(3, name='a'), Input(3, name='b')
    return Model([a, b], [Dense(2, name='p')(a), Dense(2, name='q')(b)], name='m')


def two_ready():
    model = two()
    model.compile('sgd', ['mse', 'mse'])
    return model


def feed_itself():
    layer = Dense(3, name='d')
    layer(layer(Input(3)))


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


def named(name):
    plain().compile('sgd', 'mse', metrics=[metrics.Average('mae', name=name)])


def run_loss_without_return():
    model = plain()
    model.compile('sgd', lambda y_pred, y_true: None)
    model.evaluate(X, Y)


def predict_other_lengths():
    x = Input((None, 3), name='x')
    Model(x, x * 2, name='m').predict(iter([np.ones((2, 4, 3)), np.ones((2, 5, 3))]))


def predict_a_sum():
    x = Input(3, name='x')
    Model(x, Lambda(B.sum, name='sum')(x), name='m').predict(X)


def bits():
    x = Input(3, dtype='bool', name='x')
    return Model(x, Lambda(lambda x: x)(x), name='m')


def run_scalar_loss():
    def total(y_pred, y_true):
        return B.sum(y_pred - y_true)
    model = plain()
    model.compile('sgd', total)
    model.evaluate(X, Y)


class NoReturn(Layer):
    def output(self, x):
        pass


class WrongShape(Layer):
    def output(self, x):
        return x[:, :2]


class OneShape(Layer):
    def output(self, x):
        return [x, x]


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
     's: expected Kensors only, received also ndarray. Make an Input for it.'),
    (lambda: ElementWiseSum(name='s')([]), GraphError, 's: was fed an empty list. Feed it with at least one Kensor.'),
    (feed_itself, GraphError, 'd: was fed its own output d_0. Make another layer, or embed this one in a host layer that calls '
     'it several times.'),
    (lambda: Dense(2, name='d')([Input(3), Input(3)]), GraphError,
     'd: expected one input, received 2. Join them first, for example with Concatenate().'),
    (lambda: Input(3, name='x')(Input(3)), GraphError,
     'x: an Input takes data, not the output of a layer. Feed it to a layer instead.'),
    (useless_input, GraphError, "m: no output depends on the Input 'x'. Remove it from inputs, or use it."),
    (missing_input, GraphError, "m: the outputs depend on the Input 'z', which is not one of inputs. Add it."),
    (different_batch_sizes, GraphError, 'm: the Inputs have different batch sizes: [2, None]. Give them the same, or none.'),
    (begin_in_the_middle, GraphError,
     'm: inputs: expected an Input, received <Kensor d_0 (None, 2) float32>. Start the model at an Input.'),
    (lambda: Model(Input(3), np.ones(2), name='m'), GraphError,
     'm: outputs: expected a Kensor, received an array of shape (2,). Pass what a layer returned.'),
    (lambda: Model([], [], name='m'), GraphError, 'm: expected at least one input and one output.'),
    (one_name_twice, GraphError,
     "m: 'd' is the name of two layers. Give each layer of a model its own name, as copy.deepcopy gives copies."),
    (one_output_twice, GraphError, "m: outputs: expected each Kensor once, received 'd_0' twice."),
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
    (add_too_late, GraphError, 's: a layer cannot be added after the Sequential was fed. Add all layers first.'),
    (lambda: Sequential([], name='s')(Input(3)), GraphError, 's: the Sequential has no layers. Add one first.'),
]

SHAPES = [
    (lambda: Dense(2, name='d')(Input((3, 4))), ShapeError,
     'd: expected a 2-D input (batch, input_dim), received shape (None, 3, 4). Put a Flatten() before it.'),
    (lambda: Dense(2, name='d')(Input((None,))), ShapeError,
     'd: expected an input (batch, input_dim) whose axis input_dim has a known length, received shape (None, None). Give the Input that length.'),
    (feed_two_sizes, ShapeError, 'd: expected an input (batch, input_dim) whose axis input_dim has length 3, received shape (None, 4). The layer was fed with that '
     'length before; make another layer for this one.'),
    (lambda: plain()(Input(4)), ShapeError, "m: expected shape (None, 3) for the input 'x', received (None, 4)."),
    (lambda: ElementWiseSum(name='s')([Input(3), Input(4)]), ShapeError,
     's: expected inputs of one shape, received (None, 3), (None, 4).'),
    (lambda: Concatenate(name='c')([Input((3, 4)), Input((3, 5))]), ShapeError,
     'c: expected inputs of one shape but for axis 0, received (None, 3, 4), (None, 3, 5).'),
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
     'bias, constraints, dtype, init, initial_weights, name, output_dim, regularizers, trainable.'),
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

COMPILING = [
    (lambda: plain().fit(X, Y), GraphError,
     'm: fit needs an optimizer and a loss. Call compile(optimizer=..., loss=...) first.'),
    (lambda: plain().evaluate(X, Y), GraphError,
     'm: evaluate needs an optimizer and a loss. Call compile(optimizer=..., loss=...) first.'),
    (lambda: plain().compile('adm', 'mse'), ArgumentError, "m: optimizer: there is no optimizer 'adm'. Did you mean 'adam'?"),
    (lambda: plain().compile(3, 'mse'), ArgumentTypeError,
     'm: optimizer: expected an optimizer (a name, a function or an object), received 3.'),
    (lambda: plain().compile('sgd', 'categorical_crosentropy'), ArgumentError,
     "m: loss: there is no objective 'categorical_crosentropy'. Did you mean 'categorical_crossentropy'?"),
    (lambda: plain().compile('sgd', regularizers.L1()), ArgumentTypeError,
     'm: loss: expected an objective (a name, a function or an object), received L1(l1=0.01).'),
    (lambda: plain().compile('sgd', 'mse', metrics=['acuracy']), ArgumentError,
     "m: metrics: there is no metric 'acuracy'. Did you mean 'accuracy'?"),
    (lambda: two().compile('sgd', 'mse'), ArgumentError, 'm: loss: expected one for each output (p, q), received 1.'),
    (lambda: two().compile('sgd', {'p': 'mse', 'q1': 'mse'}), ArgumentError, "m: loss: there is no 'q1'. Did you mean 'q'?"),
    (lambda: two().compile('sgd', ['mse'] * 3), ArgumentError, 'm: loss: expected at most 2 (p, q), received 3.'),
    (lambda: two().compile('sgd', ['mse', 'mse'], metrics='mae'), ArgumentTypeError,
     "m: metrics: expected a dict by name or a list in the order p, q, received 'mae'."),
    (lambda: two().compile('sgd', ['mse', 'mse'], metrics=['mae']), ArgumentError,
     'm: metrics: expected one (or a list, or None) for each output (p, q), received 1.'),
    *((partial(named, name), ArgumentError, f"m: metrics: '{name}' is the name of something else in the logs. Write for example "
       'Average(objective, name=...) or AUC(name=...).') for name in ('epoch', 'size', 'lr', 'data_wait', 'val_loss')),
    (run_loss_without_return, ArgumentTypeError, '<lambda>: expected a tensor, received None. Does it end with return?'),
    (lambda: plain().compile('sgd', 'mse', metric='mae'), ArgumentTypeError,
     "m: compile: there is no argument 'metric'. Did you mean 'metrics'?"),
    (run_scalar_loss, ShapeError, 'total: expected a value for each sample, received a scalar. An objective keeps the sample axis; '
     'the model takes the mean.'),
]

DATA = [
    (lambda: two_ready().fit([X], [Y, Y]), DataError, 'm: fit: x: expected 2 array(s) (a, b), received 1: b missing.'),
    (lambda: two_ready().fit(X, [Y, Y]), DataError, 'm: fit: x: expected 2 array(s) (a, b), received 1: b missing.'),
    (lambda: two_ready().fit([X, X], {'q': Y}), DataError, 'm: fit: y: expected 2 array(s) (p, q), received 1: p missing.'),
    (lambda: two_ready().fit([X, X, X], [Y, Y]), ArgumentError, 'm: fit: x: expected at most 2 (a, b), received 3.'),
    (lambda: two_ready().fit({'a': X, 'bb': X}, [Y, Y]), ArgumentError, "m: fit: x: there is no 'bb'. Did you mean 'b'?"),
    (lambda: plain().predict(None), DataError, 'm: predict: expected 1 array(s) (x), received 0: x missing.'),
    (lambda: ready().fit(X, Y[:3]), DataError,
     'm: fit: the arrays have different numbers of samples: x has 4, target y has 3.'),
    (lambda: two_ready().predict([X, X[:2]]), DataError,
     'm: predict: the arrays have different numbers of samples: a has 4, b has 2.'),
    (lambda: ready(1).fit(X, np.ones(4)), DataError,
     'm: fit: y: y: expected an array of shape (None, 1), received (4,). Write .reshape(-1, 1).'),
    (lambda: ready(1).evaluate(X, np.ones(4)), DataError,
     'm: evaluate: y: y: expected an array of shape (None, 1), received (4,). Write .reshape(-1, 1).'),
    (lambda: ready(2).fit(X, np.ones((4, 1))), DataError, 'm: fit: y: y: expected an array of shape (None, 2), received (4, 1).'),
    (lambda: ready(3).fit(X, [0, 2, 1, 1]), DataError, 'm: fit: y: y: expected an array of shape (None, 3), received (4,). If they are '
     "numbers of classes, use the loss 'sparse_categorical_crossentropy', or to_categorical(y, 3) of keraflow.utils."),
    (lambda: ready(3).evaluate(X, np.ones((4, 1), int)), DataError, 'm: evaluate: y: y: expected an array of shape (None, 3), received '
     "(4, 1). If they are numbers of classes, use the loss 'sparse_categorical_crossentropy', or to_categorical(y, 3) of keraflow.utils."),
    (lambda: plain().predict(np.ones((4, 1), int)), DataError,
     'm: predict: x: expected an array of shape (None, 3), received (4, 1).'),
    (lambda: plain().predict(np.ones(3)), DataError, 'm: predict: x: expected an array of shape (None, 3), received (3,). The first '
     'axis is for the samples: for one sample write array[None].'),
    (lambda: plain().predict(np.ones((4, 5))), DataError,
     'm: predict: x: expected an array of shape (None, 3), received (4, 5).'),
    (lambda: plain().predict([[1, 2, 3], [1, 2]]), DataError,
     'm: predict: x: expected samples of one shape, received some of different shapes. Pad them to one length.'),
    (lambda: plain().predict(np.array([['a', 'b', 'c']])), DataError,
     'm: predict: x: expected numbers, received an array of dtype <U1. Turn it into numbers first.'),
    (lambda: integers().predict(X / 2), DataError,
     'm: predict: x: expected integers, received numbers with a fraction. Round them, or make the Input real.'),
    (lambda: ready().fit(NAN, Y), DataError, 'm: fit: x: x: there is a NaN in sample 2. Replace missing values first.'),
    (lambda: ready().fit(X, NAN[:, :2]), DataError, 'm: fit: y: y: there is a NaN in sample 2. Replace missing values first.'),
    (lambda: ready().fit(X[:0], Y[:0]), DataError, 'm: fit: x: x: there are no samples.'),
    (lambda: ready().fit([], []), DataError, 'm: fit: x: expected 1 array(s) (x), received 0: x missing.'),
    (lambda: ready().fit(X, Y, batch_size=0), ArgumentError, 'm: fit: batch_size: expected an integer of at least 1 or None, received 0.'),
    (lambda: plain().predict(X, batch_size=1.5), ArgumentTypeError,
     'm: predict: batch_size: expected an integer of at least 1 or None, received 1.5.'),
    (lambda: ready().fit(X, Y, nb_epoch=-1), ArgumentError, 'm: fit: nb_epoch: expected an integer of at least 0, received -1.'),
    (lambda: ready().fit(X, Y, epochs=3), ArgumentTypeError, "m: fit: there is no argument 'epochs'. Did you mean 'nb_epoch'?"),
    (lambda: ready().fit(X, Y, sample_weight=1), ArgumentTypeError,
     "m: fit: there is no argument 'sample_weight'. Did you mean 'sample_weights'?"),
    (lambda: ready().fit(X, Y, sample_weights=np.ones(3)), DataError,
     'm: fit: sample_weights: expected an array of shape (4,), received (3,).'),
    (lambda: ready().fit(X, Y, sample_weights=NAN[:, 1]), DataError,
     'm: fit: sample_weights: there is a NaN in sample 2. Replace missing values first.'),
    (lambda: ready().fit(X, Y, validation_split=1), ArgumentError,
     'm: fit: validation_split: expected a number of at least 0 and below 1, received 1.'),
    (lambda: ready().fit(X, Y, validation_split='0.5'), ArgumentTypeError,
     "m: fit: validation_split: expected a number of at least 0 and below 1, received '0.5'."),
    (lambda: ready().fit(X, Y, validation_split=0.99), DataError,
     'm: validation_split=0.99 of 4 sample(s) leaves none for one of the parts.'),
    (lambda: ready().fit(X, Y, validation_data=X), ArgumentTypeError,
     'm: validation_data: expected (x, y) or (x, y, sample_weights), received an array of shape (4, 3).'),
    (lambda: ready().fit(X, Y, validation_data=(X, Y[:2])), DataError,
     'm: validation_data: the arrays have different numbers of samples: x has 4, target y has 2.'),
    (lambda: ready().fit(X, Y, callbacks=3), ArgumentTypeError, 'm: fit: callbacks: expected a list (Callback each), received 3.'),
    (lambda: ready().fit(X, Y, callbacks=[print]), ArgumentTypeError,
     'm: fit: callbacks: expected a list (Callback each), received [<built-in function print>].'),
    (lambda: plain(batch_size=2).predict(X, batch_size=3), ArgumentError,
     'm: batch_size: the Inputs fix it to 2, received 3. Leave it out.'),
    (lambda: plain(batch_size=2).predict(X[:3]), DataError,
     'm: 3 samples do not fill batches of 2, which the Inputs fix. Use 2 of them.'),
    (lambda: plain(batch_size=8).predict(X), DataError, 'm: 4 samples do not fill batches of 8, which the Inputs fix. Use more.'),
    (lambda: integers().predict(np.full((1, 3), 2 ** 32 + 1)), DataError,
     'm: predict: x: expected values that int32 can hold, received 4294967297.'),
    (lambda: integers().predict(np.full((1, 3), np.inf)), DataError,
     'm: predict: x: expected values that int32 can hold, received inf.'),
    (lambda: bits().predict(np.full((1, 3), 2)), DataError, 'm: predict: x: expected values that bool can hold, received 2.'),
    (lambda: plain().predict(Dense(3, name='d')(Input(3))), ArgumentTypeError,
     'm: predict: expected a dict by name or a list in the order x, received <Kensor d_0 (None, 3) float32>.'),
    (lambda: plain().predict(Input(3, name='i')), ArgumentTypeError,
     'm: predict: expected a dict by name or a list in the order x, received <Input i>.'),
    (lambda: plain().predict([Input(3, name='i')]), DataError,
     'm: predict: x: expected numbers, received an array of dtype object. Turn it into numbers first.'),
    (predict_other_lengths, DataError, 'm: predict: the batches gave samples of the shapes (4, 3), (5, 3), which are no one array. '
     'Predict the batches one by one.'),
    (predict_a_sum, GraphError, "m: predict: the output 'sum_0' is a scalar, which has no axis of samples."),
]

LAYERS = [
    (lambda: NoReturn(name='l')(Input(3)), GraphError,
     'l: output() returned NoneType, expected a tensor. Does it end with return?'),
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


def integers():
    x = Input(3, dtype='int32', name='x')
    return Model(x, Lambda(lambda x: x * 2)(x), name='m')


@pytest.mark.parametrize('table', [GRAPH, SHAPES, ARGUMENTS, COMPILING, DATA, LAYERS],
                         ids=['graph', 'shapes', 'arguments', 'compiling', 'data', 'layers'])
def test_a_mistake_is_answered_with_this_text(table):
    check(table)


def test_errors_are_also_value_errors_or_type_errors():
    for make, error, _ in [*GRAPH, *SHAPES, *ARGUMENTS, *COMPILING, *DATA, *LAYERS]:
        assert issubclass(error, (ValueError, TypeError))


def test_a_target_is_never_broadcast_against_the_output():
    model = ready(1)
    weights = model.get_weights()
    for y in (np.ones(4), np.ones((4, 4)), np.ones((1, 1)), np.ones((4, 1, 1)), np.ones(())):
        with pytest.raises(DataError):
            model.fit(X, y, verbose=0)
    assert all(np.array_equal(weights[name], array) for name, array in model.get_weights().items())


def test_mistakes_leave_the_layer_as_it_was():
    layer = Dense(2, name='d', initial_weights={'W': np.ones((9, 9))})
    with pytest.raises(ShapeError):
        layer(Input(3))
    assert layer.get_weights() == {}
    layer.initial_weights = None
    assert layer(Input(3)).shape == (None, 2)
