"""compile, fit, evaluate, predict: what goes in, what comes out, and in which order."""
import os
import signal
import threading

import numpy as np
import pytest

from keraflow import backend as B
from keraflow import constraints, objectives, regularizers
from keraflow.callbacks import Callback
from keraflow.errors import KeraFlowWarning
from keraflow.layers import Concatenate, Dense, ElementWiseSum, Flatten, Input, Lambda
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD, Adam

RNG = np.random.default_rng(5)
X = RNG.normal(size=(7, 3)).astype('float32')
Y = RNG.normal(size=(7, 2)).astype('float32')


def linear(weights=None, **kwargs):
    """A model whose prediction is ``x @ W + b``."""
    return Sequential([Input(3, name='x'), Dense(2, name='y', initial_weights=weights, **kwargs)])


def squares(model, x=X, y=Y):
    """The mean square error of each sample."""
    W, b = model.get_weights()['y/W'], model.get_weights()['y/b']
    return np.mean((x @ W + b - y) ** 2, axis=1)


def two_in_two_out():
    """Inputs of different ranks, outputs of different shapes."""
    a, b = Input(3, name='a'), Input((2, 2), name='b')
    joined = Concatenate()([a, Flatten()(b)])
    return Model([a, b], [Dense(1, name='one')(joined), Dense(4, name='four')(joined)])


# -- data in, numbers out -----------------------------------------------------------------------------------------------

def test_one_input_and_one_output_in_every_form():
    model = linear()
    model.compile('sgd', 'mse')
    expected = model.predict(X)
    assert expected.shape == (7, 2) and expected.dtype == np.float32
    for x in (X.tolist(), [X], {'x': X}, (X,), X.astype('float64'), np.asfortranarray(X), X[:, ::-1][:, ::-1], {'x': X.tolist()}):
        assert np.allclose(model.predict(x), expected, atol=1e-6)
    losses = {round(model.evaluate(X, y)['loss'], 5) for y in (Y, Y.tolist(), [Y], {'y': Y}, (Y,))}
    assert len(losses) == 1
    assert np.isclose(losses.pop(), squares(model).mean(), rtol=1e-4)


def test_several_inputs_and_outputs_of_different_shapes():
    model = two_in_two_out()
    A, C = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2, 2))
    one, four = model.predict([A, C])
    assert one.shape == (5, 1) and four.shape == (5, 4)
    for x in ({'b': C, 'a': A}, (A, C)):
        assert np.array_equal(model.predict(x)[1], four)
    joined = np.hstack([A, C.reshape(5, 4)])
    w = model.get_weights()
    assert np.allclose(one, joined @ w['one/W'] + w['one/b'], atol=1e-5)
    model.compile('sgd', {'four': 'mae', 'one': 'mse'}, metrics={'one': ['mae', 'se']})
    T, U = RNG.normal(size=(5, 1)), RNG.normal(size=(5, 4))
    found = model.evaluate([A, C], [T, U])
    assert list(found) == ['loss', 'mae(one)', 'se(one)']
    assert np.isclose(found['loss'], np.mean((one - T) ** 2) + np.mean(np.abs(four - U)), rtol=1e-5)
    assert np.isclose(found['mae(one)'], np.mean(np.abs(one - T)), rtol=1e-5)
    assert model.evaluate({'a': A, 'b': C}, {'four': U, 'one': T}) == found
    history = model.fit({'a': A, 'b': C}, {'four': U, 'one': T}, nb_epoch=2, batch_size=5, verbose=0)
    assert np.isclose(history[0]['loss'], found['loss'], rtol=1e-5)
    assert history[1]['loss'] < history[0]['loss']


def test_predict_in_batches_is_predict_at_once():
    model = linear()
    for batch_size in (1, 2, 7, 100):
        assert np.allclose(model.predict(X, batch_size=batch_size), model.predict(X), atol=1e-6)


def test_integer_inputs_stay_integers():
    x = Input(2, dtype='int32')
    model = Model(x, Lambda(lambda x: x * 2)(x))
    found = model.predict(np.array([[1, 2], [3, 4]]))
    assert found.dtype == np.int32 and found.tolist() == [[2, 4], [6, 8]]


# -- batches, epochs, history -------------------------------------------------------------------------------------------

def test_the_history_is_a_list_of_dicts_of_floats():
    model = linear()
    model.compile('sgd', 'mse', metrics=['mae', objectives.square_error])
    history = model.fit(X, Y, nb_epoch=2, verbose=0, validation_split=0.3)
    assert isinstance(history, list) and len(history) == 2
    for logs in history:
        assert list(logs) == ['loss', 'mae', 'square_error', 'val_loss', 'val_mae', 'val_square_error']
        assert all(type(value) is float for value in logs.values())
    assert model.fit(X, Y, nb_epoch=0, verbose=0) == []


def test_the_loss_of_an_epoch_is_weighted_by_the_sizes_of_its_batches():
    model = linear()
    model.compile(SGD(lr=1e-12), 'mse', metrics=['mse'])
    history = model.fit(X, Y, batch_size=4, nb_epoch=1, verbose=0)
    assert np.isclose(history[0]['loss'], squares(model).mean(), rtol=1e-5)
    assert np.isclose(history[0]['mse'], squares(model).mean(), rtol=1e-5)
    assert np.isclose(model.evaluate(X, Y, batch_size=3)['loss'], squares(model).mean(), rtol=1e-5)


def test_regularization_is_in_the_training_loss_only():
    model = linear(regularizers=['l1', 'l2'])
    model.compile(SGD(lr=1e-12), 'mse')
    penalty = 0.01 * np.abs(model.get_weights()['y/W']).sum()
    logs = model.fit(X, Y, nb_epoch=1, verbose=0, validation_data=(X, Y))[0]
    assert np.isclose(logs['loss'], squares(model).mean() + penalty, rtol=1e-5)
    assert np.isclose(logs['val_loss'], squares(model).mean(), rtol=1e-5)
    assert np.isclose(model.evaluate(X, Y)['loss'], squares(model).mean(), rtol=1e-5)


def test_validation_split_takes_the_last_samples_and_does_not_train_on_them():
    model, other = linear(), linear()
    other.set_weights(list(model.get_weights().values()))
    for one in (model, other):
        one.compile(SGD(lr=0.1), 'mse')
    logs = model.fit(X, Y, nb_epoch=2, verbose=0, shuffle=False, validation_split=0.3)
    expected = other.fit(X[:4], Y[:4], nb_epoch=2, verbose=0, shuffle=False, validation_data=(X[4:], Y[4:]))
    assert logs == expected
    assert np.isclose(logs[-1]['val_loss'], squares(model)[4:].mean(), rtol=1e-5)


def test_validation_data_wins_over_the_split_and_may_have_weights():
    model = linear()
    model.compile(SGD(lr=0.1), 'mse')
    w = np.array([1., 0, 2, 0, 0, 0, 1])
    logs = model.fit(X, Y, nb_epoch=1, verbose=0, validation_split=0.3, validation_data=(X, Y, w))[-1]
    assert np.isclose(logs['val_loss'], np.sum(squares(model) * w) / 3, rtol=1e-5)


def test_the_order_of_samples_is_new_in_each_epoch_and_the_same_after_the_same_seed():
    seen = []

    class Watch(Callback):
        def on_batch_end(self, batch, logs):
            seen.append(logs['loss'])

    def losses():
        seen.clear()
        model = linear([np.ones((3, 2)), np.zeros(2)])
        model.compile(SGD(lr=1e-12), 'mse')
        B.seed(7)
        model.fit(X, Y, batch_size=1, nb_epoch=2, verbose=0, callbacks=[Watch()])
        return list(seen)

    first = losses()
    assert losses() == first
    assert np.allclose(sorted(first[:7]), sorted(first[7:]), rtol=1e-5) and not np.allclose(first[:7], first[7:], rtol=1e-5)
    order = np.random.default_rng(7).permutation(7)
    samples = np.mean((X @ np.ones((3, 2)) - Y) ** 2, axis=1)
    assert np.allclose(first[:7], samples[order], rtol=1e-5)


def test_a_batch_size_that_the_inputs_fix_is_used():
    x = Input(3, batch_size=2, name='x')
    model = Model(x, Dense(2, name='y')(x))
    sizes = []

    class Watch(Callback):
        def on_batch_begin(self, batch, logs):
            sizes.append(logs['size'])

    model.compile('sgd', 'mse')
    model.fit(X[:6], Y[:6], nb_epoch=1, verbose=0, callbacks=[Watch()])
    assert sizes == [2, 2, 2]
    assert model.predict(X[:4]).shape == (4, 2)
    assert np.isclose(model.evaluate(X[:6], Y[:6])['loss'], squares(model)[:6].mean(), rtol=1e-5)


def test_sample_weights_by_hand_with_zeros_and_over_uneven_batches():
    w = np.array([0.5, 0, 3, 0, 0, 1, 2])
    model = linear()
    model.compile(SGD(lr=1e-12), 'mse', metrics=['mse'])
    expected = np.sum(squares(model) * w) / np.count_nonzero(w)
    for batch_size in (7, 3, 2):
        found = model.evaluate(X, Y, sample_weights=w, batch_size=batch_size)
        assert np.isclose(found['loss'], expected, rtol=1e-5)
        assert np.isclose(found['mse'], squares(model).mean(), rtol=1e-5)
    assert np.isclose(model.fit(X, Y, sample_weights=w, batch_size=3, nb_epoch=1, verbose=0)[0]['loss'], expected, rtol=1e-5)
    assert model.evaluate(X, Y, sample_weights=np.zeros(7))['loss'] == 0.


def test_the_gradient_is_that_of_the_weighted_loss():
    w = np.array([0.5, 0, 3, 0, 0, 1, 2])
    model = linear()
    model.compile(SGD(lr=0.5), 'mse')
    before = model.get_weights()
    difference = X @ before['y/W'] + before['y/b'] - Y
    gradient = X.T @ (difference * w[:, None]) / 4      # 2 * d / 2 outputs, over 4 weights
    model.fit(X, Y, sample_weights=w, batch_size=7, nb_epoch=1, verbose=0)
    assert np.allclose(model.get_weights()['y/W'], before['y/W'] - 0.5 * gradient, atol=1e-5)


# -- what is shown ------------------------------------------------------------------------------------------------------

def test_verbose_prints_a_line_for_each_epoch_and_nothing_else_into_a_file(capsys):
    model = linear([np.zeros((3, 2)), np.zeros(2)])
    model.compile(SGD(lr=1e-12), 'mse', metrics=['mae'])
    model.fit(X, Y * 0 + 2, nb_epoch=2, batch_size=2, validation_split=0.3)
    out, err = capsys.readouterr()
    assert out == ('Epoch 1/2: loss 4.0000  mae 2.0000  val_loss 4.0000  val_mae 2.0000\n'
                   'Epoch 2/2: loss 4.0000  mae 2.0000  val_loss 4.0000  val_mae 2.0000\n')
    assert err == ''
    model.fit(X, Y, nb_epoch=2, verbose=0)
    model.evaluate(X, Y)
    model.predict(X)
    assert capsys.readouterr() == ('', '')


def test_a_bar_on_a_terminal(capsys, monkeypatch):
    model = linear()
    model.compile('sgd', 'mse')
    monkeypatch.setattr('sys.stderr.isatty', lambda: True)
    model.fit(X, Y, nb_epoch=1, batch_size=2)
    out, err = capsys.readouterr()
    assert 'Epoch 1/1' in err and '0/4' in err
    assert out.startswith('Epoch 1/1: loss ')


# -- callbacks ----------------------------------------------------------------------------------------------------------

class Recorder(Callback):
    """Notes each hook with its arguments."""

    def __init__(self):
        self.notes = []

    def on_train_begin(self, logs):
        self.notes.append(('train_begin', dict(logs)))

    def on_train_end(self, logs):
        self.notes.append(('train_end', dict(logs)))

    def on_epoch_begin(self, epoch, logs):
        self.notes.append(('epoch_begin', epoch, dict(logs)))

    def on_epoch_end(self, epoch, logs):
        self.notes.append(('epoch_end', epoch, dict(logs)))

    def on_batch_begin(self, batch, logs):
        self.notes.append(('batch_begin', batch, dict(logs)))

    def on_batch_end(self, batch, logs):
        self.notes.append(('batch_end', batch, dict(logs)))


def test_all_hooks_are_called_in_order_with_their_arguments():
    model, recorder = linear(), Recorder()
    model.compile('sgd', 'mse', metrics=['mae'])
    history = model.fit(X, Y, batch_size=4, nb_epoch=2, verbose=0, callbacks=[recorder], validation_data=(X, Y))
    assert recorder.model is model
    one_epoch = ['epoch_begin', 'batch_begin', 'batch_end', 'batch_begin', 'batch_end', 'epoch_end']
    assert [note[0] for note in recorder.notes] == ['train_begin', *one_epoch, *one_epoch, 'train_end']
    notes = recorder.notes
    assert notes[0] == ('train_begin', {})
    assert notes[1] == ('epoch_begin', 0, {}) and notes[7] == ('epoch_begin', 1, {})
    assert notes[2] == ('batch_begin', 0, {'size': 4}) and notes[4] == ('batch_begin', 1, {'size': 3})
    assert notes[3][1] == 0 and list(notes[3][2]) == ['size', 'loss', 'mae'] and notes[3][2]['size'] == 4
    assert notes[5][1] == 1 and notes[5][2]['size'] == 3 and type(notes[5][2]['loss']) is float
    mean = (4 * notes[3][2]['loss'] + 3 * notes[5][2]['loss']) / 7
    assert np.isclose(history[0]['loss'], mean, rtol=1e-5)
    for epoch, note in enumerate((notes[6], notes[12])):
        assert note == ('epoch_end', epoch, {**history[epoch], 'data_wait': history.data_wait[epoch]})
        assert 0 < history.data_wait[epoch] < 1
    assert notes[13] == ('train_end', history[1])


def test_several_callbacks_are_called_one_after_the_other():
    model, calls = linear(), []
    model.compile('sgd', 'mse')

    class Says(Callback):
        def __init__(self, word):
            self.word = word

        def on_epoch_end(self, epoch, logs):
            calls.append((self.word, epoch))

    model.fit(X, Y, nb_epoch=2, verbose=0, callbacks=(Says('a'), Says('b')))
    assert calls == [('a', 0), ('b', 0), ('a', 1), ('b', 1)]


@pytest.mark.parametrize('hook, epochs, batches', [('on_batch_end', 1, 2), ('on_epoch_end', 1, 4)])
def test_stop_training_stops_after_the_current_batch_or_epoch(hook, epochs, batches):
    model, recorder = linear(), Recorder()
    model.compile('sgd', 'mse')

    class Stops(Callback):
        pass

    setattr(Stops, hook, lambda self, number, logs: setattr(self.model, 'stop_training', number == (hook == 'on_batch_end')))
    history = model.fit(X, Y, batch_size=2, nb_epoch=5, verbose=0, callbacks=[recorder, Stops()])
    names = [note[0] for note in recorder.notes]
    assert len(history) == epochs == names.count('epoch_end')
    assert names.count('batch_end') == batches
    assert recorder.notes[-1] == ('train_end', history[-1])
    assert len(model.fit(X, Y, nb_epoch=2, verbose=0)) == 2     # the flag does not outlive the call


# -- interruption -------------------------------------------------------------------------------------------------------

def counting_model():
    """Training moves each of its two parameters by exactly -1 in each batch."""
    x = Input(1)
    model = Model(x, Dense(1, name='y', init='zero')(x))
    model.compile(SGD(lr=1.), lambda y_pred, y_true: y_pred - y_true)
    return model, np.ones((4, 1)), np.zeros((4, 1))


def steps_of(model):
    W, b = model.get_weights()['y/W'].item(), model.get_weights()['y/b'].item()
    assert W == b
    return -int(W)


@pytest.mark.parametrize('hook, steps, epochs', [
    ('on_epoch_begin', 4, 1), ('on_batch_begin', 2, 0), ('on_batch_end', 3, 0), ('on_epoch_end', 8, 2)])
def test_a_keyboard_interrupt_in_a_hook_keeps_the_last_complete_batch(hook, steps, epochs, capsys):
    model, x, y = counting_model()
    recorder = Recorder()

    def interrupt(self, number, logs):
        if number == (1 if 'epoch' in hook else 2):
            raise KeyboardInterrupt

    history = model.fit(x, y, batch_size=1, nb_epoch=5, callbacks=[recorder, type('Interrupts', (Callback,), {hook: interrupt})()])
    assert steps_of(model) == steps
    assert len(history) == epochs
    assert recorder.notes[-1] == ('train_end', history[-1] if history else {})
    assert capsys.readouterr().out.splitlines()[-1] == f'Interrupted after {epochs} complete epoch(s).'
    model.fit(x, y, batch_size=1, nb_epoch=1, verbose=0)
    assert steps_of(model) == steps + 4


def test_ctrl_c_at_any_moment_ends_fit_between_two_batches():
    model, x, y = counting_model()
    seen = []

    class Presses(Callback):
        def on_train_begin(self, logs):
            self.timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))

        def on_batch_end(self, batch, logs):
            if not seen:
                self.timer.start()
            seen.append(batch)

    history = model.fit(x, y, batch_size=1, nb_epoch=1000000, verbose=0, callbacks=[Presses()])
    assert steps_of(model) - len(seen) in (0, 1)
    assert steps_of(model) - 4 * len(history) in range(5)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_inside_a_batch_waits_for_its_end(monkeypatch):
    model, x, y = counting_model()
    model.fit(x, y, batch_size=1, nb_epoch=1, verbose=0)
    step = model._functions.train(False)

    def interrupted(*batch):
        os.kill(os.getpid(), signal.SIGINT)
        return step(*batch)

    monkeypatch.setattr(model._functions, 'train', lambda weighted: interrupted)
    assert model.fit(x, y, batch_size=1, nb_epoch=3, verbose=0) == []
    assert steps_of(model) == 5


# -- compile ------------------------------------------------------------------------------------------------------------

def test_a_second_compile_replaces_optimizer_losses_and_metrics():
    model = linear()
    model.compile(SGD(lr=0.1), 'mse', metrics=['mae'])
    model.fit(X, Y, nb_epoch=1, verbose=0)
    model.compile(Adam(lr=0.5), 'mae')
    before = model.get_weights()['y/W']
    found = model.evaluate(X, Y)
    assert list(found) == ['loss']
    assert np.isclose(found['loss'], np.abs(model.predict(X) - Y).mean(), rtol=1e-5)
    model.fit(X, Y, nb_epoch=1, batch_size=7, verbose=0)
    assert np.allclose(np.abs(model.get_weights()['y/W'] - before), 0.5, atol=1e-4)     # a first step of Adam is lr long


def test_trainable_flags_are_read_by_compile():
    x = Input(3)
    first, second = Dense(3, name='first', trainable=False), Dense(2, name='second')
    model = Model(x, second(first(x)))

    def moved():
        before = model.get_weights()
        model.fit(X, Y, nb_epoch=1, verbose=0)
        after = model.get_weights()
        return [name for name in before if not np.array_equal(before[name], after[name])]

    model.compile('sgd', 'mse')
    assert moved() == ['second/W', 'second/b']
    first.trainable, second.trainable = True, False
    assert moved() == ['second/W', 'second/b']
    model.compile('sgd', 'mse')
    assert moved() == ['first/W', 'first/b']
    model.trainable = False
    model.compile('sgd', 'mse')
    with pytest.warns(KeraFlowWarning) as told:
        assert moved() == []
    assert [str(one.message) for one in told] == [
        f'{model.name}: fit: no parameter is trainable, so that nothing is learned. Set trainable of a layer and of the model to True, '
        'and compile again.']


def test_losses_are_names_aliases_functions_or_the_programs_own():
    model = linear()

    def shifted(y_pred, y_true):
        return B.square(y_pred - y_true) + 1

    for loss, extra in (('mse', 0), ('square_error', 0), (objectives.square_error, 0), (shifted, 1), ([shifted], 1), ({'y': 'se'}, 0)):
        model.compile('sgd', loss)
        assert np.isclose(model.evaluate(X, Y)['loss'], squares(model).mean() + extra, rtol=1e-5)
    model.compile('sgd', 'mse', metrics=[shifted, 'acc'])
    assert list(model.evaluate(X, Y)) == ['loss', 'shifted', 'acc']
    model.compile('sgd', 'mse', metrics='mae')
    assert list(model.evaluate(X, Y)) == ['loss', 'mae']
    model.compile('sgd', 'mse', metrics={'y': 'mae'})
    assert list(model.evaluate(X, Y)) == ['loss', 'mae']


def test_an_optimizer_goes_on_where_it_was_and_its_rate_can_be_changed():
    model = linear()
    model.compile(SGD(lr=0.5), 'mse')
    model.fit(X, Y, nb_epoch=1, verbose=0)
    model.optimizer.lr = 1e-12
    before = model.get_weights()['y/W']
    model.fit(X, Y, nb_epoch=1, verbose=0)
    assert np.allclose(model.get_weights()['y/W'], before, atol=1e-6)


# -- the common arguments -----------------------------------------------------------------------------------------------

def test_initial_weights_in_every_form_win_over_init():
    W, b = np.arange(6.).reshape(3, 2), np.array([7., 8.])
    for given in ({'W': W, 'b': b}, [W, b], (W, b), {'b': b.tolist(), 'W': W.tolist()}):
        assert np.array_equal(linear(given).get_weights()['y/W'], W)
        assert np.array_equal(linear(given).get_weights()['y/b'], b)
    for given in (W, W.tolist(), [W], {'W': W}):
        assert np.array_equal(linear(given).get_weights()['y/W'], W)
        assert np.array_equal(linear(given).get_weights()['y/b'], [0, 0])


@pytest.mark.parametrize('given', [
    {'W': 'l1', 'b': regularizers.L2(0.5)}, ['l1', regularizers.L2(0.5)], ('L1', regularizers.L2(l2=0.5)),
    {'b': regularizers.L2(0.5), 'W': regularizers.L1(0.01)}, [regularizers.L1, regularizers.L2(0.5)]])
def test_regularizers_by_name_or_order_as_strings_classes_or_objects(given):
    layer = Dense(2, regularizers=given)
    found = layer(Input(3)).regularizers
    assert [(variable is layer.W, one.pack_init_param()) for variable, one in found] == [(True, {'l1': 0.01}), (False, {'l2': 0.5})]


@pytest.mark.parametrize('given', [{'b': 'nonneg'}, [None, 'nonneg'], [None, constraints.NonNeg()], {'W': None, 'b': constraints.NonNeg}])
def test_constraints_by_name_or_order_as_strings_classes_or_objects(given):
    layer = Dense(2, constraints=given)
    (variable, one), = layer(Input(3)).constraints
    assert variable is layer.b and isinstance(one, constraints.NonNeg)


def test_constraints_hold_after_each_step():
    model = linear([-np.ones((3, 2)), np.full(2, 5.)], constraints={'W': 'nonneg', 'b': constraints.MaxNorm(1., axis=0)})
    model.compile(SGD(lr=0.1), 'mse')
    model.fit(X, Y, nb_epoch=1, verbose=0)
    weights = model.get_weights()
    assert weights['y/W'].min() >= 0
    assert np.isclose(np.linalg.norm(weights['y/b']), 1., atol=1e-5)


def test_weights_without_an_effect_on_the_loss_do_not_break_training():
    x = Input(3)
    model = Model(x, ElementWiseSum()([Dense(2, name='y')(x), Lambda(lambda h: h * 0)(Dense(2, name='idle')(x))]))
    before = model.get_weights()
    model.compile('sgd', 'mse')
    model.fit(X, Y, nb_epoch=1, verbose=0)
    after = model.get_weights()
    assert np.array_equal(before['idle/W'], after['idle/W']) and not np.array_equal(before['y/W'], after['y/W'])
