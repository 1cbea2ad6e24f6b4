"""Arguments that are set after an object is made: they count in all that is computed from then on, are checked as in the constructor,
and are saved; what a layer sets itself while it runs is saved as it was passed."""
import copy

import numpy as np
import pytest

import keraflow
from keraflow import TrainStep
from keraflow import backend as B
from keraflow.callbacks import Callback
from keraflow.errors import ArgumentError, ArgumentTypeError
from keraflow.layers import Activation, Convolution1D, Dense, Dropout, Input, Layer, PReLU, TimeDistributed
from keraflow.metrics import Metric
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.regularizers import L2

X = np.array([[1., -2.], [0.5, 3.]])
Y = np.array([[1.], [0.]])


@pytest.fixture(autouse=True)
def in_float64(backend_name):
    B.set_floatx('float64')


class Scaled(Layer):
    def __init__(self, factor: float = 2., **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def output(self, x):
        return x * self.factor


def test_predict_computes_with_what_was_set():
    layer = Scaled()
    model = Sequential([Input(2), layer])
    np.testing.assert_array_equal(model.predict(X), 2 * X)
    layer.factor = 5.
    np.testing.assert_array_equal(model.predict(X), 5 * X)
    np.testing.assert_array_equal(model.capture(f'{layer.name}/output', X), 5 * X)


@pytest.mark.parametrize('change, text', [
    (lambda model: setattr(model.optimizer, 'learning_rate', 0.5), "SGD: 'learning_rate' would be set to no effect. Did you mean 'lr'?"),
    (lambda model: setattr(model, 'learning_rate', 0.5), "m: 'learning_rate' would be set to no effect. Write model.optimizer.lr = ...."),
    (lambda model: setattr(model, 'lr', 0.5), "m: 'lr' would be set to no effect. Write model.optimizer.lr = ...."),
    (lambda model: setattr(model, 'optimizer', SGD()), "m: 'optimizer' would be set to no effect. Call compile again, with all of its arguments."),
    (lambda model: setattr(model, 'loss', 'mae'), "m: 'loss' would be set to no effect. Call compile again, with all of its arguments."),
    (lambda model: setattr(model, 'metrics', ['mae']), "m: 'metrics' would be set to no effect. Call compile again, with all of its arguments."),
    (lambda model: setattr(model.layers[1], 'rate', 0.1), "drop: 'rate' would be set to no effect. Did you mean 'drop_rate'?"),
    (lambda model: setattr(model.layers[1], 'p', 0.1), "drop: 'p' would be set to no effect. Did you mean 'drop_rate'?"),
    (lambda model: setattr(model.layers[2], 'units', 3), "d: 'units' would be set to no effect. Did you mean 'output_dim'?"),
    (lambda model: setattr(model.layers[2], 'use_bias', False), "d: 'use_bias' would be set to no effect. Did you mean 'bias'?")])
def test_what_nothing_reads_is_not_set(change, text):
    model = Sequential([Input(2), Dropout(0.5, name='drop'), Dense(1, name='d')], name='m')
    optimizer = SGD(lr=0.25)
    model.compile(optimizer, 'mse')
    with pytest.raises(ArgumentError) as caught:
        change(model)
    assert str(caught.value) == text
    assert model.optimizer is optimizer and optimizer.lr == 0.25
    model.optimizer.lr = 0.5
    model.compile('adam', 'mae', metrics=['mse'])
    assert list(model.fit(X, Y, nb_epoch=1, verbose=0)[0]) == ['loss', 'mse']


def test_an_attribute_of_a_class_of_the_program_may_have_the_words_of_others():
    class Scheduled(SGD):
        def begin(self):
            self.learning_rate = 3.

    class Named(SGD):
        @property
        def learning_rate(self):
            return self.lr

        @learning_rate.setter
        def learning_rate(self, value):
            self.lr = value

    class Pair(Sequential):
        def __init__(self, layers, loss: str = 'mae', **kwargs):
            super().__init__(layers, **kwargs)
            self.loss = loss
    scheduled, named, pair = Scheduled(), Named(), Pair([Input(2)])
    scheduled.begin()
    scheduled.learning_rate = 4.
    named.learning_rate = 0.5
    pair.loss = 'mse'
    layer = Dense(3)
    layer.tag, layer.size = 'mine', 5       # which say nothing of Dense
    assert (scheduled.learning_rate, named.lr, pair.loss, layer.size) == (4., 0.5, 'mse', 5)


def test_a_name_is_resolved_as_in_the_constructor():
    layer = Activation('linear')
    model = Sequential([Input(2), layer])
    layer.activation = 'tanh'           # before the first build
    np.testing.assert_allclose(model.predict(X), np.tanh(X), rtol=1e-9)
    layer.activation = keraflow.activations.get('relu')
    np.testing.assert_array_equal(model.predict(X), np.maximum(X, 0))
    assert keraflow.serialize(layer)['args'] == {'activation': 'relu'}


def test_layers_that_are_in_others_count():
    inner, deep = Scaled(3.), Scaled()

    class Host(Layer):
        def output(self, x):
            return deep(x)
    steps = Sequential([Input((1, 2)), TimeDistributed(inner)])
    whole = Sequential([Input(2), Sequential([Input(2), Host()])])
    assert steps.predict(X[:, None]).sum() == 3 * X.sum() and whole.predict(X).sum() == 2 * X.sum()
    inner.factor, deep.factor = 7., 11.
    assert steps.predict(X[:, None]).sum() == 7 * X.sum() and whole.predict(X).sum() == 11 * X.sum()


def test_fit_and_evaluate_go_on_with_what_was_set():
    drop, penalty = Dropout(0.9), L2(10.)
    model = Sequential([Input(2), drop, Dense(1, init='one', regularizers={'W': penalty})])
    model.compile(SGD(lr=0.1), 'mse')
    model.fit(X, Y, nb_epoch=1, verbose=0, shuffle=False)
    model.set_weights([np.ones((2, 1)), np.zeros(1)])
    drop.drop_rate, penalty.l2, model.optimizer.clipnorm = 0., 0.5, 1.
    history = model.fit(X, Y, nb_epoch=1, verbose=0, shuffle=False)
    error = X @ np.ones((2, 1)) - Y
    assert history[0]['loss'] == pytest.approx(np.mean(error ** 2) + 0.5 * 2, rel=1e-9)
    gradients = np.concatenate([X.T @ error + 2 * 0.5 * np.ones((2, 1)), error.sum(keepdims=True)])     # of the mean over 2 samples
    step = 0.1 * gradients / max(1., np.sqrt(np.sum(gradients ** 2)))
    W, b = model.get_weights().values()
    np.testing.assert_allclose(np.concatenate([W, b[None]]), np.array([[1.], [1.], [0.]]) - step, rtol=1e-9)


def test_momentum_counts_from_the_next_step():
    """v = m v - lr g; p = p + v, by hand."""
    model = Sequential([Input(1), Dense(1, init='zero', bias=False)])
    model.compile(SGD(lr=0.1, momentum=0.5), lambda y_pred, y_true: y_pred * 1.)     # whose gradient is the mean of x: 1
    one = np.ones((1, 1))
    model.fit(one, one, nb_epoch=1, verbose=0)          # v = -0.1
    model.optimizer.momentum = 0.9
    model.fit(one, one, nb_epoch=1, verbose=0)          # v = -0.09 - 0.1
    [W] = model.get_weights().values()
    np.testing.assert_allclose(W, [[-0.29]], rtol=1e-9)


def test_a_callback_may_set_an_argument():
    layer = Scaled(1.)

    class Anneal(Callback):
        def on_epoch_begin(self, epoch, logs):
            layer.factor = epoch + 1.
    model = Sequential([Input(2), layer, Dense(1, init='one')])
    model.compile(SGD(lr=1e-12), lambda y_pred, y_true: y_pred * 1.)
    history = model.fit(X, Y, nb_epoch=3, verbose=0, callbacks=[Anneal()])
    np.testing.assert_allclose([one['loss'] for one in history], X.sum() / 2 * np.array([1., 2., 3.]), rtol=1e-9)


def test_an_attribute_that_is_no_argument_counts_where_the_class_reads_it():
    ran = []

    class Gained(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.gain = 2.
            self.notes = None

        def output(self, x):
            ran.append(1)
            return x * self.gain
    layer = Gained()
    model = Sequential([Input(2), layer])
    np.testing.assert_array_equal(model.predict(X), 2 * X)
    layer.gain = 5.
    np.testing.assert_array_equal(model.predict(X), 5 * X)
    before = len(ran)
    layer.notes = model.notes = 'what a program writes down of them'
    np.testing.assert_array_equal(model.predict(X), 5 * X)
    assert len(ran) == before


def test_a_metric_counts_with_what_was_set():
    class Weighted(Metric):
        default_name = 'weighted'
        factor = 1.

        def totals(self, y_pred, y_true, weights):
            return B.stack([B.sum(y_pred) * self.factor, B.sum(B.ones_like(y_pred))])
    metric = Weighted()
    model = Sequential([Input(2), Scaled(1.), Dense(1, init='one')])
    model.compile('sgd', 'mse', metrics=[metric])
    first = model.evaluate(X, Y)['weighted']
    metric.factor = 3.
    assert first == pytest.approx(X.sum() / 2) and model.evaluate(X, Y)['weighted'] == pytest.approx(3 * X.sum() / 2)


def test_a_training_step_goes_on_with_what_was_set():
    layer = Scaled(1.)
    dense = Dense(1, init='one')
    model = Sequential([Input(2), layer, dense])
    step = TrainStep(lambda x: B.mean(model(x)), [Input(2)], model, SGD(lr=1e-9))
    assert step(X) == pytest.approx(X.sum() / 2, rel=1e-6)
    layer.factor = 4.
    assert step(X) == pytest.approx(4 * X.sum() / 2, rel=1e-6)


def test_nothing_is_built_again_for_what_changes_nothing():
    ran = []

    class Noted(Scaled):
        def output(self, x):
            ran.append(1)
            return x * self.factor
    layer, other = Noted(), Scaled()
    model = Sequential([Input(2), layer, Dense(1)])
    model.compile('sgd', 'mse')
    model.fit(X, Y, nb_epoch=1, verbose=0)
    model.predict(X)
    before = len(ran)
    other.factor, layer.factor, model.optimizer.lr = 9., 2., 0.5        # another one, the same value, and what functions read in each step
    model.fit(X, Y, nb_epoch=1, verbose=0)
    model.predict(X)
    assert len(ran) == before


@pytest.mark.parametrize('change, kind, text', [
    (lambda: setattr(Dropout(0.5), 'drop_rate', 2), ArgumentError, 'Dropout: drop_rate: expected a number of at least 0 and below 1, received 2.'),
    (lambda: setattr(Dense(3), 'activation', 'sigmoi'), ArgumentError, "Dense: activation: there is no activation 'sigmoi'. Did you mean 'sigmoid'?"),
    (lambda: setattr(Dense(3), 'output_dim', '4'), ArgumentTypeError, "Dense: output_dim: expected an integer of at least 1, received '4'."),
    (lambda: setattr(L2(), 'l2', 'much'), ArgumentTypeError, "L2: l2: expected a number of at least 0, received 'much'."),
    (lambda: setattr(SGD(), 'clipnorm', -1), ArgumentError, 'SGD: clipnorm: expected a number above 0 or None, received -1.'),
    (lambda: setattr(Scaled(), 'factor', None), ArgumentTypeError, 'Scaled: factor: expected a number, received None.')])
def test_what_the_constructor_refuses_cannot_be_set(change, kind, text):
    with pytest.raises(kind) as caught:
        change()
    assert str(caught.value) == text


@pytest.mark.parametrize('first, then, slots', [(0., 0.9, 'none'), (0.9, 0., 'v')])
def test_an_optimizer_in_use_keeps_its_slots(first, then, slots):
    model = Sequential([Input(2), Dense(1)])
    model.compile(SGD(momentum=first), 'mse')
    with pytest.raises(ArgumentError) as caught:
        model.optimizer.momentum = then
    assert str(caught.value) == (f'SGD: momentum: expected a value that keeps the slots as they were built ({slots}), received {then}. '
                                 'Compile again, with a new optimizer.')
    assert model.optimizer.momentum == first


@pytest.mark.parametrize('make, name, value', [
    (lambda: Dense(3), 'output_dim', 5), (lambda: Dense(3), 'bias', False), (lambda: Dense(3), 'init', 'zero'), (lambda: PReLU(), 'shared_axes', 1),
    (lambda: Convolution1D(3, 1), 'nb_kernel', 2)])
def test_what_parameters_were_made_by_is_not_set_any_more(make, name, value):
    layer = make()
    setattr(layer, name, value)         # before they are made
    layer = make()
    layer(Input((4, 2) if isinstance(layer, Convolution1D) else 2))
    before = getattr(layer, name)
    with pytest.raises(ArgumentError) as caught:
        setattr(layer, name, value)
    assert str(caught.value) == f'{layer.name}: {name} is read in its first call, and can no longer be set. Make a layer with {name}= in its place.'
    assert getattr(layer, name) == before
    setattr(layer, name, before)


class Changing(Layer):
    """init_param() changes one argument, and gives another one a parameter of its name."""

    def __init__(self, n: float = 2., scale=None, **kwargs):
        super().__init__(**kwargs)
        self.n = n
        self.scale = scale

    def init_param(self, input_shape):
        self.n = self.n * input_shape[-1]
        self.scale = self.add_weight('scale', (1,), init='one')

    def output(self, x):
        return x * self.n * self.scale


def again(layer, data):
    made = keraflow.unserialize(data, [Changing])
    x = Input(2)
    return Model(x, made(x)).predict(X)


def test_what_a_layer_sets_while_it_runs_is_saved_as_it_was_passed():
    layer = Changing(3.)
    layer.n = 5.        # by the program
    model = Sequential([Input(2), layer])
    np.testing.assert_array_equal(model.predict(X), 10 * X)
    data = keraflow.serialize(layer)
    assert data['args'] == {'n': 5., 'scale': None}
    np.testing.assert_array_equal(again(layer, data), 10 * X)
    np.testing.assert_array_equal(copy.deepcopy(model).predict(X), 10 * X)


def test_what_output_sets_is_saved_as_it_was_passed():
    class Lazy(Layer):
        def __init__(self, factor=None, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def output(self, x):
            self.factor = self.factor or float(B.static_shape(x)[1])
            return x * self.factor
    layer = Lazy()
    assert Sequential([Input(2), layer]).predict(X).sum() == 2 * X.sum()
    assert keraflow.serialize(layer)['args'] == {'factor': None}
