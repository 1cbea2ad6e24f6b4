"""Layers called on tensors, as plain functions; losses and updates of such runs and of calls on Kensors."""
import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import GraphError
from keraflow.layers import BatchNormalization, Dense, Dropout, ElementWiseSum, Input, Layer
from keraflow.models import Model, Sequential

X = np.random.default_rng(9).normal(size=(6, 3)).astype('float32')
Z = np.random.default_rng(10).normal(size=(6, 3)).astype('float32')


class Counting(Layer):
    """Adds to a state the number of calls and the sum of what came in; two losses."""

    def init_param(self, input_shape):
        self.set_trainable_params('W', np.array([1., 2., 3.]))
        self.set_state_params('total', np.zeros(()), 'constant', np.zeros(()))

    def output(self, x):
        self.add_update(self.total, self.latest(self.total) + B.sum(x), inputs=x)
        self.add_update(self.constant, B.sum(self.W) * 10)
        self.add_loss([B.sum(x * x), B.sum(x)], inputs=x)
        self.add_loss(B.sum(self.W))
        return x * self.W


def compute(tensors):
    return [float(it) for it in B.eval(list(tensors))]


def test_layers_on_tensors_share_the_parameters_of_the_first_call():
    layer = Sequential([Dense(4, activation='tanh'), Dense(2)])
    one = layer(B.constant(X))
    assert layer.variables.names == ['0/W', '0/b', '1/W', '1/b']
    other = layer(Z)
    w = layer.get_weights()
    for found, x in ((one, X), (other, Z)):
        np.testing.assert_allclose(B.eval(found), np.tanh(x @ w['0/W'] + w['0/b']) @ w['1/W'] + w['1/b'], rtol=1e-4, atol=1e-5)
    assert Model(x := Input(3), layer(x)).variables.names[0].endswith('0/W')


def test_the_phase_is_that_of_the_block():
    drop = Dropout(0.5)
    with keraflow.phase('train'):
        dropped = B.eval(drop(np.ones((50, 50), 'float32')))
    assert set(np.unique(dropped)) == {0., 2.}
    np.testing.assert_array_equal(B.eval(drop(X)), X)


def test_what_a_run_records():
    layer = Counting(regularizers=['l1'], activity_regularizer='l2', name='counting')
    with keraflow.phase('train'), keraflow.recording() as run:
        y = layer(B.constant(X))
        layer(y)
    h = X * [1, 2, 3]
    expected = [0.01 * 6, np.sum(X * X), np.sum(X), 6., 0.01 * np.sum(h ** 2) / 6, np.sum(h * h), np.sum(h), 0.01 * np.sum((h * [1, 2, 3]) ** 2) / 6]
    np.testing.assert_allclose(compute(run.losses), expected, rtol=1e-4)
    variables, values = zip(*run.updates)
    assert variables == (layer.total, layer.constant)
    np.testing.assert_allclose(compute(values), [np.sum(X) + np.sum(h), 60.], rtol=1e-4)
    assert compute([layer.total]) == [0.]


def test_parameters_of_embedded_layers_are_penalized_once_and_those_of_frozen_ones_not():
    class Host(Layer):
        def output(self, x):
            return self.embed(Dense(3, init='one', regularizers=['l1']))(x)
    host, frozen = Host(), Sequential([Dense(3, init='one', regularizers=['l1'])], trainable=False)
    with keraflow.recording() as run:
        host(host(frozen(X)))
    np.testing.assert_allclose(compute(run.losses), [0.09], rtol=1e-5)
    assert run.updates == []


def test_a_run_inside_of_another_is_recorded_by_itself():
    layer = Counting()
    with keraflow.recording() as outer:
        with keraflow.recording() as inner:
            layer(X)
    assert len(inner.updates) == 2 and outer.updates == [] == outer.losses


def linked():
    x, z = Input(3, name='x'), Input(3, name='z')
    layer = Counting(name='counting', regularizers=['l1'])
    return layer, x, z, [layer(x), layer(z)]


def test_losses_and_updates_of_calls_on_kensors():
    layer, x, z, kept = linked()
    feed = [x.tensor, z.tensor]
    unconditional, ours, theirs = layer.get_losses_for(None), layer.get_losses_for(x), layer.get_losses_for([z])
    found = B.function(feed, [*unconditional, *ours, *theirs])(X, Z)
    expected = [0.06, 6., np.sum(X * X), np.sum(X), np.sum(Z * Z), np.sum(Z)]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert len(layer.losses) == 6
    np.testing.assert_allclose(sum(B.function(feed, layer.losses)(X, Z)), sum(expected), rtol=1e-4)
    [(variable, value)] = layer.get_updates_for(z)
    assert variable is layer.total
    [(other, constant)] = layer.get_updates_for(None)
    assert other is layer.constant
    np.testing.assert_allclose(B.function(feed, [value, constant])(X, Z), [np.sum(Z), 60.], rtol=1e-4)
    assert [one for one, _ in layer.updates] == [layer.total, layer.constant]
    B.function(feed, [], layer.updates)(X, Z)
    np.testing.assert_allclose(compute([layer.total, layer.constant]), [np.sum(X) + np.sum(Z), 60.], rtol=1e-4)
    with pytest.raises(GraphError) as caught:
        layer.get_losses_for(kept[0])
    assert str(caught.value) == 'counting: the layer was not called on counting_0. Ask for get_input_at(0).'


def test_what_came_before_a_call_does_not_count():
    layer, x, z, kept = linked()
    second = Counting()
    y = second(ElementWiseSum()(kept))
    assert len(second.losses) == 3 and len(second.updates) == 2
    total = second.get_losses_for(second.get_input_at(0))[1]
    np.testing.assert_allclose(B.function([x.tensor, z.tensor], [total])(X, Z)[0], np.sum((X + Z) * [1, 2, 3]), rtol=1e-4)
    model = Model([x, z], y)
    assert len(model.losses) == 5 + 1 + 3 and len(model.updates) == 4
    assert len(model.get_losses_for(None)) == 3 and len(model.get_updates_for(None)) == 2
    assert [variable for variable, _ in second.updates] == [second.total, second.constant]


def test_batch_normalization_updates_for_what_it_is_fed():
    x = Input(3)
    norm = BatchNormalization(momentum=0.9)
    y = norm(x)
    assert norm.get_updates_for(None) == [] and y.shape == (None, 3)
    (mean, new), (variance, _) = norm.get_updates_for(x)
    assert (mean, variance) == (norm.moving_mean, norm.moving_variance)
    np.testing.assert_allclose(B.function([x.tensor], [new])(X)[0], 0.1 * X.mean(0), rtol=1e-4, atol=1e-6)
    assert norm.losses == [] == Dense(3).losses


def test_a_value_that_goes_on_from_one_of_inputs_depends_on_them():
    class Twice(Layer):
        def output(self, x):
            total = self.add_weight('total', (), init='zero', trainable=False)
            self.add_update(total, B.sum(x), inputs=x)
            self.add_update(total, self.latest(total) * 2)
            return x
    x = Input(3)
    layer = Twice()
    y = layer(x)
    assert y.shape == (None, 3) and layer.get_updates_for(None) == []
    [(_, value)] = layer.get_updates_for(x)
    np.testing.assert_allclose(B.function([x.tensor], [value])(X)[0], 2 * X.sum(), rtol=1e-4, atol=1e-5)


def test_a_layer_learns_in_a_step_of_the_programs_own():
    layer = Sequential([Dense(4, activation='tanh', regularizers=['l2']), Dense(1)])
    layer(X)
    target = X.sum(1, keepdims=True)

    def loss_fn():
        with keraflow.recording() as run:
            fit = B.mean(B.square(layer(B.constant(X)) - target))
        return sum(run.losses, fit), None

    def loss():
        return compute([loss_fn()[0]])[0]
    before = loss()
    for _ in range(3):
        with keraflow.phase('train'):
            _, _, gradients = B.value_and_gradients(loss_fn, layer.trainable_variables)
        for variable, gradient in zip(layer.trainable_variables, B.eval(list(gradients))):
            B.set_value(variable, B.get_value(variable) - 0.1 * gradient)
    assert loss() < before


# -- symbolic tensors in the hands of the program -------------------------------------------------------------------------

def test_symbolic_tensors_are_computed_with_like_others():
    x = Input(3)
    layer = Dense(2, regularizers=['l2', 'l2'], init='one')
    y = layer(x)
    w = layer.get_weights()
    layer.set_weights({'b': [1., 2.]})
    shifted = B.tanh(y.tensor + 1.) * 2 - y.tensor[:, ::-1]
    found, = B.function([x.tensor], [shifted])(X)
    h = X @ w['W'] + [1., 2.]
    np.testing.assert_allclose(found, np.tanh(h + 1) * 2 - h[:, ::-1], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(B.eval(sum(layer.losses)), 0.01 * (6 + 5), rtol=1e-5)


def test_a_loss_of_the_program_is_differentiated():
    x = B.placeholder((None, 3))
    layer = Dense(1, init='one', bias=False)
    loss = B.mean(B.square(layer(x) - 1.)) + 0.5 * sum([B.sum(B.dot(x, layer.W))])
    gradient, = B.gradients(loss, [layer.W])
    expected = 2 * X.T @ (X.sum(1, keepdims=True) - 1) / 6 + 0.5 * X.sum(0)[:, None]
    np.testing.assert_allclose(B.function([x], [gradient])(X)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('make', [lambda: BatchNormalization(), lambda: Dense(2, activation='softmax'), lambda: Dropout(0.5)])
def test_layers_run_on_symbolic_tensors_outside_of_a_model(make):
    x, layer = B.placeholder((None, 3)), make()
    with keraflow.phase('train'):
        trained = B.function([x], [layer(x * 1.)])(X)[0]
    assert trained.shape[0] == 6
    tested = B.function([x], [layer(x)])(X)[0]
    np.testing.assert_allclose(tested, B.eval(layer(X)), rtol=1e-5, atol=1e-6)
