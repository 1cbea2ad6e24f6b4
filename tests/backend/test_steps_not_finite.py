"""Steps whose loss, or a gradient, is NaN or infinite: they change nothing, and fit says so, skips them or takes them."""
import os

import numpy as np
import pytest
from counting import told

from keraflow import TrainStep
from keraflow import backend as B
from keraflow.callbacks import Callback, ModelCheckpoint, TerminateOnNaN
from keraflow.errors import KeraFlowError, KeraFlowWarning, NotFiniteError
from keraflow.layers import LSTM, BatchNormalization, Dense, Dropout, Embedding, Flatten, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD, Adam
from keraflow.training.pace import Pace

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(12, 4)).astype('float32'), RNG.normal(size=(12, 2)).astype('float32')
BAD = Y.copy()
BAD[7] = 1e30       # its square is infinite; in the batch 3 of 2 samples each
EXECUTIONS = ('plain', 'compiled', 'whole')


@pytest.fixture(params=['one by one', 'many'])
def paced(request, monkeypatch):
    """How many batches go into one call."""
    if request.param == 'many':
        monkeypatch.setattr(Pace, '__init__', lambda self: setattr(self, '_nb_batch', 64))
    return None if request.param == 'many' else Watch()


class Watch(Callback):
    """Follows batches."""

    def __init__(self):
        self.seen = []

    def on_batch_end(self, batch, logs):
        self.seen.append((batch, logs['loss']))


def network(execution='auto', optimizer=None, loss='mse', **kwargs):
    layers = [Dense(3, name='h'), BatchNormalization(name='n'), Dropout(0.5), Dense(2, name='y', **kwargs)]
    model = Sequential([Input(4, name='x'), *layers], name='m')
    model.compile(optimizer or Adam(lr=0.01), loss, execution=execution)
    return model


def state(model):
    """All that a step may change."""
    values = {name: B.get_value(one) for name, one in model.training_variables().items()}
    return {**values, 'position': np.array(model._stream.position)}


def assert_same(found, expected):
    assert found.keys() == expected.keys() and 'iterations' in str(list(found))
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def twin(model, *others):
    """A model with the same values, that draws the same."""
    made = network(model._functions.asked, Adam(lr=0.01))
    for name, one in made.training_variables().items():
        B.set_value(one, B.get_value(model.training_variables()[name]))
    made._stream.begin(model._stream.seed, model._stream.number, model._stream.epoch, model._stream.position)
    return made


TEXT = ('m: fit: epoch 2: the loss of batch 3 is inf. Weights, states and the optimizer are those before it. Look at its data, try a lower '
        "learning rate, or clipnorm, or pass on_nan='skip'.")


@pytest.mark.parametrize('execution', EXECUTIONS)
def test_an_error_leaves_all_as_before_the_batch(execution, paced):
    model, callbacks = network(execution), [paced] if paced else []
    model.fit(X, Y, nb_epoch=1, batch_size=2, verbose=0, shuffle=False)
    expected = twin(model)
    expected.fit(X[:6], Y[:6], nb_epoch=1, batch_size=2, verbose=0, shuffle=False)
    with pytest.raises(NotFiniteError) as caught:
        model.fit(X, BAD, nb_epoch=3, batch_size=2, verbose=0, shuffle=False, initial_epoch=1, callbacks=callbacks)
    assert str(caught.value) == TEXT and len(TEXT) <= 300
    assert isinstance(caught.value, (KeraFlowError, FloatingPointError)) and caught.value.value == np.inf
    assert (caught.value.epoch, caught.value.batch, caught.value.problem) == (1, 3, 'the loss of batch 3 is inf')
    assert_same(state(model), state(expected))
    assert paced is None or [batch for batch, _ in paced.seen] == [0, 1, 2, 3] and paced.seen[3][1] == np.inf
    for one in (model, expected):       # goes on
        one.fit(X, Y, nb_epoch=2, batch_size=2, verbose=0, shuffle=False)
    assert_same(state(model), state(expected))


@pytest.mark.parametrize('execution', EXECUTIONS)
def test_batches_that_are_skipped_change_nothing(execution, paced):
    model, callbacks = network(execution), [paced] if paced else []
    expected = twin(model)
    bad = BAD.copy()
    bad[11] = 1e30      # the last batch
    with pytest.warns(KeraFlowWarning) as caught:
        history = model.fit(X, bad, nb_epoch=2, batch_size=2, verbose=0, shuffle=False, callbacks=callbacks, on_nan='skip')
    assert told(caught) == ['m: fit: epoch 1: the loss of batch 3 is inf. This batch is skipped, and so will be others like it: nb_skipped of the '
                            'history counts them.']
    good = [0, 1, 2, 3, 4, 5, 8, 9]
    right = expected.fit(X[good], Y[good], nb_epoch=2, batch_size=2, verbose=0, shuffle=False)
    assert history.nb_skipped == [2, 2] and right.nb_skipped == [0, 0]
    assert history == right
    assert_same(state(model), state(expected))


@pytest.mark.parametrize('execution', EXECUTIONS)
def test_training_ends_with_terminate_on_nan(execution, paced):
    model, callbacks = network(execution), [paced] if paced else []
    expected = twin(model)
    with pytest.warns(KeraFlowWarning) as caught:
        history = model.fit(X, BAD, nb_epoch=5, batch_size=2, verbose=0, shuffle=False, callbacks=[TerminateOnNaN(), *callbacks],
                            validation_data=(X, Y))
    assert told(caught) == ['m: TerminateOnNaN: the loss of batch 3 is inf. Training ends. Try a lower learning rate, or clipnorm.']
    expected.fit(X[:6], Y[:6], nb_epoch=1, batch_size=2, verbose=0, shuffle=False)
    assert_same(state(model), state(expected))
    assert len(history) == 1 and history[0]['loss'] == np.inf and history[0]['val_loss'] == expected.evaluate(X, Y, batch_size=2)['loss']


def test_a_batch_that_is_not_finite_is_trained_on_if_that_is_asked_for():
    model = network()
    with pytest.warns(KeraFlowWarning, match='the weights may be lost'):
        history = model.fit(X, BAD, nb_epoch=1, batch_size=2, verbose=0, shuffle=False, on_nan='ignore')
    assert not np.isfinite(history[0]['loss']) and history.nb_skipped == [0]
    assert not all(np.isfinite(array).all() for array in state(model).values())
    model = network()
    with pytest.raises(NotFiniteError):     # it is asked for each time
        model.fit(X, BAD, nb_epoch=1, batch_size=2, verbose=0, shuffle=False)
    with pytest.raises(KeraFlowError, match="on_nan: expected one of 'raise', 'skip', 'ignore', received 'rise'"):
        model.fit(X, Y, on_nan='rise')


def test_an_epoch_of_which_nothing_is_left_is_an_error():
    for callbacks in ([], [Watch()]):
        with pytest.warns(KeraFlowWarning), pytest.raises(NotFiniteError, match='epoch 1: the loss of batch 5 is inf'):
            network().fit(X, np.full_like(Y, 1e30), nb_epoch=3, batch_size=2, verbose=0, callbacks=callbacks, on_nan='skip')
    with pytest.warns(KeraFlowWarning):
        [logs] = network().fit(X, np.full_like(Y, 1e30), nb_epoch=3, batch_size=2, verbose=0, callbacks=[TerminateOnNaN()])
    assert logs['loss'] == np.inf


# -- what is not finite ---------------------------------------------------------------------------------------------------

class Root(Layer):
    """Its gradient at 0 is infinite, and it has none for numbers below."""

    def output(self, x):
        return B.sqrt(x)


@pytest.mark.parametrize('execution', EXECUTIONS)
def test_a_gradient_that_is_not_finite_though_the_loss_is(execution):
    x = Input(4, name='x')
    model = Model(x, Root()(Dense(2, name='y', init='zero')(Dense(3, name='h')(x))), name='m')
    model.compile(SGD(lr=0.1, momentum=0.9), 'mse', execution=execution)
    before = state(model)
    with pytest.raises(NotFiniteError) as caught:
        model.fit(X, Y, nb_epoch=1, batch_size=4, verbose=0, shuffle=False)
    # The sum over the samples has both signs.
    assert caught.value.problem in ('the gradient of y/b of batch 0 is nan', 'the gradient of y/b of batch 0 is -inf',
                                    'the gradient of y/b of batch 0 is inf')
    assert_same(state(model), before)


def test_a_gradient_of_a_layer_without_a_bias():
    x = Input(4, name='x')
    model = Model(x, Root()(Dense(2, name='y', init='zero', bias=False)(x)), name='m')
    model.compile('sgd', 'mse')
    with pytest.raises(NotFiniteError, match='the gradient of y/W of batch 0 is'):
        model.fit(X, Y, nb_epoch=1, verbose=0)
    assert not model.get_weights()['y/W'].any()


def test_rows_of_a_table():
    ids = Input(3, dtype='int32', name='ids')
    model = Model(ids, Root()(Flatten()(Embedding(5, 2, init='zero', name='e')(ids))), name='m')
    model.compile('sgd', 'mse')
    with pytest.raises(NotFiniteError, match='the gradient of e/W of batch 0 is'):
        model.fit(np.full((4, 3), 4), np.ones((4, 6)), nb_epoch=1, verbose=0)
    assert not model.get_weights()['e/W'].any()


def test_a_state_that_is_not_finite_though_the_loss_is(paced):
    model, callbacks = network(), [paced] if paced else []
    x = X.copy()
    x[7] = 1e30         # its variance is infinite, and what is divided by that is 0
    before = twin(model)
    with pytest.raises(NotFiniteError, match='the new value of n/moving_variance of batch 3 is inf'):
        model.fit(x, Y, nb_epoch=1, batch_size=2, verbose=0, shuffle=False, callbacks=callbacks)
    before.fit(x[:6], Y[:6], nb_epoch=1, batch_size=2, verbose=0, shuffle=False)
    assert_same(state(model), state(before))


@pytest.mark.parametrize('execution', ['plain', 'whole'])
def test_the_term_that_is_not_finite_is_named(execution):
    x = Input(4, name='x')
    y, z = Dense(2, name='y', regularizers=['l2'])(x), Dense(2, name='z')(x)
    model = Model(x, [y, z], name='m')
    model.compile('sgd', {'y': 'mse', 'z': lambda y_pred, y_true: B.sqrt(y_true - 10.)}, execution=execution)
    with pytest.raises(NotFiniteError, match=r'epoch 1: the term loss\(z\) of the loss of batch 0 is nan\. Weights'):
        model.fit(X, {'y': Y, 'z': Y}, nb_epoch=1, verbose=0)
    model.set_weights({**model.get_weights(), 'y/W': np.full((4, 2), 1e30)})
    model.compile('sgd', ['mse', 'mse'], execution=execution)
    with pytest.raises(NotFiniteError, match=r'the term L2\(y/W\) of the loss of batch 0 is inf'):
        model.fit(np.zeros_like(X), {'y': Y, 'z': Y}, nb_epoch=1, verbose=0)


def test_weights_that_are_broken_already_are_named():
    model = network()
    model.fit(X, Y, nb_epoch=1, verbose=0)

    class Breaks(Callback):
        def on_epoch_begin(self, epoch, logs):
            if epoch == 1:
                self.model.set_weights({**self.model.get_weights(), 'y/W': np.full((3, 2), np.nan)})
    with pytest.raises(NotFiniteError) as caught:
        model.fit(X, Y, nb_epoch=2, verbose=0, callbacks=[Breaks()])
    assert str(caught.value) == ('m: fit: epoch 2: the loss of batch 0 is nan, after an earlier step left NaN or infinity in y/W. Look at its data, '
                                 "try a lower learning rate, or clipnorm, or pass on_nan='skip'.")
    model = network()
    good = model.get_weights()
    with pytest.warns(KeraFlowWarning):
        model.fit(X, Y, nb_epoch=2, verbose=0, callbacks=[type('Now', (Breaks,), {'on_epoch_begin': lambda self, epoch, logs: Breaks.on_epoch_begin(
            self, 1, logs)})(), TerminateOnNaN()])
    assert all(np.isfinite(array).all() for array in model.get_weights().values()) and good.keys() == model.get_weights().keys()


def test_states_of_a_stateful_layer_are_those_before():
    x = Input((3, 4), batch_size=2, name='x')
    model = Model(x, Dense(2, name='y')(LSTM(3, stateful=True, name='l')(x)), name='m')
    model.compile('adam', lambda y_pred, y_true: B.square(y_pred - y_true))
    x, y = RNG.normal(size=(4, 3, 4)), np.array([[1., 1.]] * 2 + [[1e30, 1.]] * 2)
    before = state(model)
    with pytest.raises(NotFiniteError, match='the loss of batch 0 is inf'):
        model.fit(x[:2], y[2:], nb_epoch=1, batch_size=2, verbose=0, shuffle=False)
    assert_same(state(model), before)
    model.fit(x[:2], y[:2], nb_epoch=1, batch_size=2, verbose=0)
    assert state(model)['position'] == before['position'] and (state(model)['iterations'] if 'iterations' in state(model) else 1)


# -- the data, files, and a step of one's own -------------------------------------------------------------------------------

def test_batches_of_an_iterable():
    model = network()

    def batches():
        for start in range(0, 12, 2):
            yield X[start:start + 2], BAD[start:start + 2]
    with pytest.raises(NotFiniteError, match='epoch 1: the loss of batch 3 is inf'):
        model.fit(batches, nb_epoch=2, verbose=0)
    with pytest.warns(KeraFlowWarning):
        assert model.fit(batches, nb_epoch=2, verbose=0, on_nan='skip').nb_skipped == [1, 1]


def test_the_last_file_is_named_and_stays(tmp_path):
    model, path = network(), str(tmp_path / 'w.safetensors')

    class Spoils(Callback):
        def on_epoch_begin(self, epoch, logs):
            self.model.optimizer.lr = 1e30 if epoch == 2 else 0.01
    with pytest.raises(NotFiniteError) as caught:
        model.fit(X, Y, nb_epoch=5, batch_size=2, verbose=0, callbacks=[Spoils(), ModelCheckpoint(path)])
    shown = path if len(path) <= 80 else '...' + path[-77:]
    assert f'are those before it. The last file is {shown}. Look at' in str(caught.value) and len(str(caught.value)) <= 300
    assert (caught.value.epoch, os.listdir(tmp_path)) == (2, ['w.safetensors'])
    other = network()
    other.load_weights(path)
    assert np.isfinite(other.evaluate(X, Y)['loss'])


def test_a_callback_of_the_program_may_end_training_without_an_error():
    class Ends(Callback):
        def on_batch_end(self, batch, logs):
            self.model.stop_training = not np.isfinite(logs['loss'])

    class EndsToo(Callback):
        def on_not_finite(self, error):
            self.problem, self.model.stop_training = error.problem, True
    for callback in (Ends(), EndsToo()):
        model = network()
        [logs] = model.fit(X, BAD, nb_epoch=3, batch_size=2, verbose=0, shuffle=False, callbacks=[callback])
        assert logs['loss'] == np.inf and np.isfinite(model.get_weights()['h/W']).all()
    assert callback.problem == 'the loss of batch 3 is inf'


def test_a_step_of_the_program():
    model = network()

    def loss_fn(x, y):
        return B.mean(B.square(model(x) - y))
    step = TrainStep(loss_fn, [Input(4), Input(2)], model, Adam(lr=0.01))
    step(X, Y)
    before = {**model.get_weights(), **{name: B.get_value(one) for name, one in step.optimizer.state().items()}}
    with pytest.raises(NotFiniteError) as caught:
        step(X, BAD)
    assert str(caught.value) == ('TrainStep: the loss is inf. Weights, states and the optimizer are those before the step. Look at its arrays, try a '
                                 "lower learning rate, or clipnorm, or pass on_nan='ignore'.")
    assert (caught.value.epoch, caught.value.batch) == (None, None)
    after = {**model.get_weights(), **{name: B.get_value(one) for name, one in step.optimizer.state().items()}}
    for name in before:
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)
    assert np.isfinite(step(X, Y))
    step = TrainStep(loss_fn, [Input(4), Input(2)], model, Adam(lr=0.01), on_nan='ignore')
    assert step(X, BAD) == np.inf and not all(np.isfinite(B.get_value(one)).all() for one in step.optimizer.state().values())
    with pytest.raises(KeraFlowError, match="TrainStep: on_nan: expected one of 'raise', 'ignore', received 'skip'"):
        TrainStep(loss_fn, [Input(4), Input(2)], model, 'sgd', on_nan='skip')
