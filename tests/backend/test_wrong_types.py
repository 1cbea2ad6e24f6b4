"""Arguments and results of a wrong type are answered in the same words on every backend, before the backend meets them."""
import numpy as np
import pytest
from mistakes import check

import keraflow
from keraflow import LinearWrap, TrainStep
from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, ModelFileError, ShapeError
from keraflow.initializations import fans
from keraflow.layers import Activation, Dense, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.preprocessing.sequence import pad_sequences

HUGE, X, Y = 10 ** 400, np.ones((4, 3), 'float32'), np.ones((4, 2), 'float32')


class Fn(Layer):
    """A layer of a function of itself and its input."""

    def __init__(self, fn, shape=None, **kwargs):
        super().__init__(**kwargs)
        self.fn = fn
        self.shape = shape

    def init_param(self, input_shape):
        self.set_state_params('n', np.zeros(2))

    def output(self, x):
        return self.fn(self, x)

    def output_shape(self, input_shape):
        return self.shape


class Made(Layer):
    """A layer with a parameter."""

    def __init__(self, value, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def init_param(self, input_shape):
        self.set_trainable_params('W', self.value)


class Unspeakable:
    def __repr__(self):
        raise ValueError


def fed(fn, shape=None):
    Fn(fn, shape, name='f')(Input((3, 2)))


def model(layer=None):
    x = Input(3, name='x')
    made = Model(x, (layer or Dense(2, name='y'))(x), name='m')
    made.compile('sgd', 'mse')
    return made


def trained(**kwargs):
    model(Dense(2, name='y', **kwargs)).fit(X, Y, nb_epoch=1, verbose=0)


def used_up():
    batches = iter([(X, Y)])
    next(batches)
    return batches


def step(loss_fn):
    inner = Sequential([Input(3), Dense(2)])
    return TrainStep(lambda x: loss_fn(inner(x)), Input(3), inner, 'sgd')(X)


ARGUMENTS = [
    (lambda: SGD(lr=HUGE), ArgumentTypeError, 'SGD: lr: expected a number above 0 or a schedule (a name, a function or an object), '
     f'received int {str(HUGE)[:50]}....'),
    (lambda: SGD(lr=10 ** 5000), ArgumentTypeError, 'SGD: lr: expected a number above 0 or a schedule (a name, a function or an object), '
     'received an object of class int.'),
    (lambda: SGD(lr=float('nan')), ArgumentError, 'SGD: lr: expected a number above 0 or a schedule (a name, a function or an object), '
     'received nan.'),
    (lambda: Dense(2 ** 63), ArgumentTypeError, 'Dense: output_dim: expected an integer of at least 1, received 9223372036854775808.'),
    (lambda: Dense(Unspeakable()), ArgumentTypeError, 'Dense: output_dim: expected an integer of at least 1, received an object of class '
     'Unspeakable.'),
    (lambda: Input((), mask_value=0.), ArgumentError,
     'Input: mask_value: expected a shape (time, ...) of which steps are masked, received shape ().'),
    (lambda: B.seed('a'), ArgumentTypeError, "seed: value: expected an integer of at least 0, received 'a'."),
    (lambda: B.seed(None), ArgumentTypeError, 'seed: value: expected an integer of at least 0, received None.'),
    (lambda: keraflow.unserialize({'class': 'Flatten', 'args': {}}, 3), ArgumentTypeError,
     'custom_objects: expected a list or a dict, received 3.'),
    (lambda: keraflow.unserialize({'class': 'Flatten', 'args': {}}, ['Dense']), ArgumentTypeError,
     "custom_objects: expected classes and functions, received 'Dense'."),
]

METHODS = [
    (lambda: model().compile(print, 'mse'), ArgumentTypeError,
     'm: optimizer: expected an optimizer (a name, a function or an object), received function print.'),
    (lambda: model().compile('sgd', 'mse', report_terms='yes'), ArgumentTypeError,
     "m: compile: report_terms: expected True or False, received 'yes'."),
    (lambda: model().fit(), ArgumentTypeError, "m: fit: the argument 'x' is missing."),
    (lambda: model().fit(X, Y, shuffle=X), ArgumentTypeError,
     'm: fit: shuffle: expected True or False, received an array of shape (4, 3).'),
    (lambda: model().fit(X, Y, callbacks=None), ArgumentTypeError, 'm: fit: callbacks: expected a list (a callback each), received None.'),
    (lambda: model().predict(X, train_mode=1), ArgumentTypeError, 'm: predict: train_mode: expected True or False, received 1.'),
    (lambda: model().capture([3], X), ArgumentTypeError, 'm: capture: names: expected a string or a list (a string each), received [3].'),
    (lambda: model().get_layer(0), ArgumentTypeError, 'm: get_layer: name: expected a string, received 0.'),
    (lambda: model().get_kensor(None), ArgumentTypeError, 'm: get_kensor: name: expected a string, received None.'),
    (lambda: model().remove(3), ArgumentTypeError, 'm: remove: layer: expected a layer or a string, received 3.'),
    (lambda: model().save_weights(3), ArgumentTypeError, 'm: save_weights: path: expected a path, received 3.'),
    (lambda: model().load_weights(None), ArgumentTypeError, 'm: load_weights: path: expected a path, received None.'),
    (lambda: Model.load_from_file(['a']), ArgumentTypeError, "Model: load_from_file: arch: expected a path, received ['a']."),
    (lambda: model().set_weights(None), ArgumentTypeError,
     'm: weights: expected a dict by name, a list or an array, received None.'),
    (lambda: model().set_weights({'y/W': [[1, 2], [3]]}), ArgumentTypeError,
     'm: weights: y/W: expected an array of numbers, received [[1, 2], [3]].'),
    (lambda: model().get_layer('y').get_output_at('a'), ArgumentTypeError,
     "y: get_output_at: index: expected an integer, received 'a'."),
    (lambda: model().get_layer('y').get_losses_for(3), ArgumentTypeError,
     'y: expected Kensors that the layer was called on, received 3.'),
    (lambda: Dense(2, name='d').add_weight('V', 3), ArgumentTypeError,
     'd: add_weight: shape: expected a list (an integer of at least 0 each), received 3.'),
    (lambda: Dense(2, name='d').add_weight('V', (3,), dtype='float'), ArgumentTypeError, "d: add_weight: dtype: expected one of 'bool', "
     "'int32', 'int64', 'float32', 'float64' or None, received 'float'."),
    (lambda: Dense(2, name='d').set_trainable_params('V', 'a'), ArgumentTypeError,
     "d: V: expected an array of numbers, received 'a'."),
    (lambda: Dense(2, name='d')(HUGE), ArgumentTypeError, f'd: expected an array of numbers, received int {str(HUGE)[:50]}....'),
    (lambda: Dense(2, name='d')(np.array(['a'])), ArgumentTypeError, 'd: expected an array of numbers, received an array of shape (1,).'),
    (lambda: Dense(2, name='d').add_weight('V', (3,), init=print), ArgumentTypeError,
     'd: V: init: expected an array of numbers, received None.'),
    (lambda: Dense(2, name='d').add_weight('V', (3,), init=lambda shape: np.zeros(2)), ShapeError,
     'd: V: init: expected a value of shape (3,), received (2,).'),
    (lambda: LinearWrap(Input(3)).apply('relu'), ArgumentTypeError, "LinearWrap: apply: expected a function, received 'relu'."),
    (lambda: model().fit(Dense(2, name='d')), ArgumentTypeError,
     'm: fit: expected a function without arguments that returns batches, received <Dense d>.'),
    (lambda: model().save_arch('m.json', indent=2 ** 70), ModelFileError,
     "dump_args: json.dumps says: cannot fit 'int' into an index-sized integer. Correct the arguments."),
    (lambda: TrainStep(3, Input(3), model(), 'sgd'), ArgumentTypeError, 'TrainStep: loss_fn: expected a function, received 3.'),
]

RESULTS = [
    (lambda: fed(lambda layer, x: x, 3), ShapeError,
     'f: output_shape(): expected a shape such as (None, 3), a list of shapes or None, received 3.'),
    (lambda: fed(lambda layer, x: x, (None, '3', 2)), ShapeError,
     "f: output_shape(): expected a shape such as (None, 3), a list of shapes or None, received (None, '3', 2)."),
    (lambda: fed(lambda layer, x: x, (None, np.ones(1), 2)), ShapeError,
     'f: output_shape(): expected a shape such as (None, 3), a list of shapes or None, received (None, array([1.]), 2).'),
    (lambda: fed(lambda layer, x: layer.embed(Activation('relu', name='a'))(None)), GraphError,
     'a: expected a Kensor, a tensor or an array, received None.'),
    (lambda: fed(lambda layer, x: layer.get_tensor_shape(X)), ArgumentTypeError,
     'f: get_tensor_shape: expected a tensor, received an array of shape (4, 3).'),
    (lambda: fed(lambda layer, x: layer.get_tensor_mask(None)), ArgumentTypeError, 'f: get_tensor_mask: expected a tensor, received None.'),
    (lambda: fed(lambda layer, x: layer.set_tensor_mask(x, True)), ArgumentTypeError,
     'f: set_tensor_mask: mask: expected a tensor, received True.'),
    (lambda: fed(lambda layer, x: layer.add_update(layer.n, 1.)), ShapeError,
     'f: add_update: expected a value of shape (2,), received ().'),
    (lambda: fed(lambda layer, x: layer.add_update(layer.n, 'a')), ArgumentTypeError,
     "f: add_update: expected an array of numbers, received 'a'."),
    (lambda: Made([1., [2.]], name='m')(Input(3)), ArgumentTypeError, 'm: W: expected an array of numbers, received [1.0, [2.0]].'),
    (lambda: trained(regularizers=[lambda w: None]), ArgumentTypeError, '<lambda>(y/W): expected a scalar tensor, received None.'),
    (lambda: trained(regularizers=[lambda w: w]), ShapeError,
     '<lambda>(y/W): expected a scalar tensor, received (3, 2). Write B.sum or B.mean of it.'),
    (lambda: trained(constraints=[lambda w: None]), ArgumentTypeError, 'y/W: constraint: expected an array of numbers, received None.'),
    (lambda: trained(constraints=[lambda w: B.sum(w, 0)]), ShapeError,
     'y/W: constraint: expected a value of shape (3, 2), received (2,).'),
    (lambda: trained(activity_regularizer=lambda x: 0.5), ArgumentTypeError,
     'y: activity_regularizer: expected a scalar tensor, received 0.5.'),
    (lambda: step(lambda x: []), ArgumentTypeError, 'TrainStep: loss_fn: expected a scalar tensor, received [].'),
    (lambda: step(lambda x: None), ArgumentTypeError, 'TrainStep: loss_fn: expected a scalar tensor, received None.'),
    (lambda: step(lambda x: x), ShapeError,
     'TrainStep: loss_fn: expected a scalar tensor, received (None, 2). Write B.sum or B.mean of it.'),
]


QUESTIONS = [
    (lambda: B.dtype(None), ArgumentTypeError, 'dtype: expected a tensor, received None.'),
    (lambda: B.ndim('x'), ArgumentTypeError, "ndim: expected a tensor, received 'x'."),
    (lambda: B.static_shape([]), ArgumentTypeError, 'static_shape: expected a tensor, received [].'),
    (lambda: B.get_value(3), ArgumentTypeError, 'get_value: expected a variable, received 3.'),
    (lambda: B.get_value(B.ones((2,))), ArgumentTypeError, 'get_value: expected a variable, received a tensor. Write B.eval(...) of it.'),
    (lambda: B.eval('x'), ArgumentTypeError, "eval: expected an array of numbers, received 'x'."),
    (lambda: B.eval([B.ones((1,)), None]), ArgumentTypeError, 'eval: expected an array of numbers, received None.'),
    (lambda: fans(3), ArgumentTypeError, 'fans: expected a shape, a tuple of integers such as (64, 10), received 3. Write (3,).'),
    (lambda: fans(('a', 2)), ArgumentTypeError, "fans: expected a shape, a tuple of integers such as (64, 10), received ('a', 2)."),
    (lambda: pad_sequences(None), ArgumentTypeError, 'pad_sequences: sequences: expected a list of lists, received None.'),
    (lambda: pad_sequences('ab'), ArgumentTypeError, "pad_sequences: sequences: expected a list of lists, received 'ab'."),
]


@pytest.mark.parametrize('table', [ARGUMENTS, METHODS, RESULTS, QUESTIONS], ids=['arguments', 'methods', 'results', 'questions'])
def test_a_wrong_type_is_answered_with_this_text(table):
    check(table)


def test_a_boolean_is_verbose_or_not():
    assert len(model().fit(X, Y, nb_epoch=1, verbose=False)) == 1


def test_batches_that_are_used_up():
    with pytest.raises(keraflow.errors.DataError) as caught:
        model().fit(used_up(), nb_epoch=1, verbose=0)
    assert str(caught.value) == 'm: fit: there are no batches.'
