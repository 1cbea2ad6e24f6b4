"""What a program's own layers, metrics, optimizers and functions give is checked where it is given, with the same words on every backend."""
import numpy as np
import pytest

import keraflow
from keraflow import TrainStep
from keraflow import backend as B
from keraflow.callbacks import LearningRateScheduler
from keraflow.errors import (ArgumentError, ArgumentTypeError, GraphError, KeraFlowError, KeraFlowWarning,
                             SerializationError, ShapeError)
from keraflow.layers import Activation, Dense, Input, Layer, MultiInputLayer, PReLU
from keraflow.metrics import Metric
from keraflow.models import Model, Sequential
from keraflow.optimizers import Optimizer

X, Y = np.array([[1., 2., 3.], [4., 5., 6.]]), np.ones((2, 1))


def layer(output):
    class Own(Layer):
        def output(self, x):
            return output(x)
    return Own(name='l')


def optimizer(rule, coefficients=lambda lr: {'lr': lr}):
    class Own(Optimizer):
        def __init__(self, lr: float = 0.1, **kwargs):
            super().__init__(**kwargs)
            self.lr = lr

        def coefficients(self, t, lr):
            return coefficients(lr)

        def update_rule(self, c, param, gradient):
            return rule(c, param, gradient)
    return Own()


def metric(totals):
    class Own(Metric):
        def totals(self, y_pred, y_true, weights):
            return totals(y_pred)
    return Own()


def fit(optimizer='sgd', loss='mse', metrics=None):
    model = Sequential([Input(3), Dense(1, init='one')], name='m')
    model.compile(optimizer, loss, metrics)
    return model.fit(X, Y, nb_epoch=1, verbose=0)


# -- layers ---------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('output, shapes', [
    (lambda x: B.concatenate([x, x], -1), (None, 6)), (lambda x: B.sum(x, -1), (None,)), (lambda x: x[:, None], (None, 1, 3)),
    (lambda x: x * 2., (None, 3)), (lambda x: [x, B.concatenate([x, x], 1)], [(None, 3), (None, 6)])])
def test_the_shape_of_a_layer_that_does_not_define_it(output, shapes):
    found = layer(output)(Input(3))
    assert ([one.shape for one in found] if isinstance(found, list) else found.shape) == shapes


def test_what_follows_a_layer_that_changes_the_shape():
    x = Input(3)
    model = Model(x, Dense(1, init='one')(layer(lambda x: B.concatenate([x, x], -1))(x)))
    np.testing.assert_allclose(model.predict(X), 2 * X.sum(1, keepdims=True), rtol=1e-6)
    assert Activation(Dense(2))(Input(3)).shape == (None, 2)


@pytest.mark.parametrize('make, kind, text', [
    (lambda: layer(lambda x: np.ones((2, 3)))(Input(3)), GraphError,
     'l: output() returned an array of shape (2, 3), expected a tensor. Write B.constant(...) of it.'),
    (lambda: layer(lambda x: {'a': x})(Input(3)), GraphError, 'l: output() returned a dict of tensors, expected a tensor. Return a list of tensors.'),
    (lambda: layer(lambda x: [x, None])(Input(3)), GraphError, 'l: output() returned None, expected a tensor. Does it end with return?'),
    (lambda: layer(lambda x: 'x')(Input(3)), GraphError, "l: output() returned 'x', expected a tensor. Compute it with functions of keraflow.backend."),
    (lambda: Dense(3, activation=Dense(2), name='d')(Input(3)), ShapeError, 'd: activation: expected a layer that keeps the shape, as PReLU() does, '
     'received <Dense d/0>, with which the output is (None, 2) and not (None, 3). Feed it with the output of this layer.')])
def test_what_output_returns(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == text


def test_a_layer_as_an_activation():
    assert Dense(3, activation=PReLU())(Input(3)).shape == (None, 3)


@pytest.mark.parametrize('fed', [lambda: [Input(3), Input(3)], lambda: [X, X]], ids=['Kensors', 'arrays'])
def test_inputs_that_are_taken_one_by_one(fed):
    class Own(MultiInputLayer):
        def output(self, a, b):
            return a + b
    with pytest.raises(ArgumentTypeError) as caught:
        Own(name='l')(fed())
    assert str(caught.value) == ("l: call: the argument 'b' is missing. Write output(self, x), where x is the list of the inputs, or "
                                 'pass b=.')


def test_an_argument_of_a_call_that_is_missing():
    class Own(Layer):
        def output(self, x, scale):
            return x * scale
    with pytest.raises(ArgumentTypeError) as caught:
        Own(name='l')(Input(3))
    assert str(caught.value) == "l: call: the argument 'scale' is missing. Pass scale=."
    np.testing.assert_array_equal(B.eval(Own()(X, scale=2.)), 2 * X)


def test_which_of_several_layers_is_not_called():
    class Own(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.blocks = [Dense(3), Dense(3)]
            self.heads = {'a': [Dense(2)]}

        def output(self, x):
            return self.blocks[0](x)
    with pytest.warns(KeraFlowWarning) as told:
        Own(name='l')(Input(3))
    assert [str(one.message) for one in told] == [f'l: {place} is a Dense that output() does not call: it is not part of the layer. Call it, or '
                                                  'remove it.' for place in ('blocks[1]', "heads['a'][0]")]


@pytest.mark.parametrize('value', [lambda: B.variable(np.ones(2)), lambda: B.constant(np.ones(2))], ids=['variable', 'tensor'])
def test_a_tensor_among_arguments(value):
    class Own(Layer):
        def __init__(self, scale=None, **kwargs):
            super().__init__(**kwargs)
            self.scale = scale

        def output(self, x):
            return x
    with pytest.raises(SerializationError) as caught:
        keraflow.serialize(Own(value()))
    assert str(caught.value) == ('scale: a tensor or a variable cannot be saved among arguments. Pass an array, B.eval(...) of a tensor, or make a '
                                 'parameter of it in init_param().')


# -- what trains ----------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('make, kind, text', [
    (lambda: fit(optimizer(lambda c, param, gradient: param)), ArgumentTypeError,
     'Own: update_rule: expected a list of the new values of (param), received a tensor.'),
    (lambda: fit(optimizer(lambda c, param, gradient: None)), ArgumentTypeError,
     'Own: update_rule: expected a list of the new values of (param), received None.'),
    (lambda: fit(optimizer(lambda c, param, gradient: [param, param])), ArgumentTypeError,
     'Own: update_rule: expected a list of the new values of (param), received a list of 2.'),
    (lambda: fit(optimizer(lambda c, param, gradient: [B.sum(param)])), ShapeError, 'Own: update_rule: expected a value of shape (3, 1), received ().'),
    (lambda: fit(optimizer(lambda c, param, gradient: [param], lambda lr: lr)), ArgumentTypeError,
     'Own: coefficients: expected a dict by name, received a tensor.'),
    (lambda: fit(metrics=[metric(B.sum)]), ShapeError, 'Own: totals: expected a value of shape (2,), received ().'),
    (lambda: fit(metrics=[metric(lambda y: B.stack([B.sum(y)] * 3))]), ShapeError, 'Own: totals: expected a value of shape (2,), received (3,).'),
    (lambda: fit(metrics=[metric(lambda y: {'sum': B.sum(y)})]), ArgumentTypeError,
     'Own: totals: expected a tensor of 2 numbers, received a dict of tensors.'),
    (lambda: fit(loss=lambda y: y), ArgumentTypeError,
     '<lambda>: expected a function that is called with (y_pred, y_true), received one with other arguments.'),
    (lambda: Dense(3, init=lambda: 0., name='d')(Input(3)), ArgumentTypeError, 'd: W: init: expected a function of the shape, received function '
     '<lambda>, which takes other arguments. Pass further ones with functools.partial.'),
    (lambda: LearningRateScheduler(lambda epoch, lr: lr), ArgumentError,
     'LearningRateScheduler: schedule: expected a function from the epoch alone to a rate, received function <lambda>.'),
    (lambda: keraflow.register(name='own'), ArgumentTypeError, "register: there is no argument 'name'. Did you mean 'id'?"),
    (lambda: B.set_value(keraflow.optimizers.SGD().lr, 0.1), ArgumentTypeError,
     'set_value: variable: expected a variable, received 0.01. The learning rate of an optimizer is a number: write optimizer.lr = 0.1.')])
def test_what_is_given_to_training(make, kind, text):
    with pytest.raises(KeraFlowError) as caught:
        make()
    assert type(caught.value) is kind and str(caught.value) == text


def test_an_optimizer_without_a_learning_rate():
    class Own(Optimizer):
        def updates(self, variables, gradients):
            return []
    with pytest.raises(ArgumentError) as caught:
        fit(Own())
    assert str(caught.value) == 'Own: there is no learning rate. Write self.lr = lr in __init__.'


def test_counts_may_be_a_list_and_the_class_names_a_metric():
    counts = metric(lambda y: [B.sum(y), B.sum(B.ones_like(y)) * 4])
    assert fit(metrics=[counts])[0]['Own'] == pytest.approx(X.sum() / 8, rel=1e-5)


@pytest.mark.parametrize('method', ['predict', 'evaluate'])
def test_methods_for_arrays_inside_of_a_training_step(method):
    model = Sequential([Input(3), Dense(3)], name='m')
    model.compile('sgd', 'mse')
    arguments = {'predict': 1, 'evaluate': 2}[method]
    with pytest.raises(GraphError) as caught:
        TrainStep(lambda x: getattr(model, method)(*[x] * arguments), [Input(3)], model, 'sgd')
    assert str(caught.value) == (f'm: {method}: expected arrays, received a symbolic tensor. Inside a compiled function, call the model '
                                 'itself: m(x).')
