"""compile, fit, evaluate, predict: what goes in, what comes out, and in which order."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow import constraints, objectives, regularizers
from keraflow.callbacks import Callback
from keraflow.data.arrays import Arrays
from keraflow.data.windows import Portion
from keraflow.errors import ArgumentTypeError, DataError, KeraFlowWarning
from keraflow.layers import BatchNormalization, Concatenate, Dense, Dropout, ElementWiseSum, Flatten, Input, Lambda
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
    with pytest.raises(DataError) as caught:
        model.evaluate(X, Y, sample_weights=np.zeros(7))
    assert str(caught.value) == f'{model.name}: evaluate: expected a sample that counts, received weights that are all 0.'


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


def test_functions_of_an_earlier_compile_keep_their_losses():
    model = Sequential([Input(3, name='x'), Dense(2, activation='softmax', name='y')])
    model.compile('sgd', 'mse')
    first = model._functions
    model.compile('sgd', 'sparse_categorical_crossentropy')
    assert [[(spec.shape, spec.dtype) for spec in functions.target_specs()] for functions in (first, model._functions)] == [
        [((None, 2), 'float32')], [((None, 1), 'int32')]]
    batch = Portion.of(Arrays([X], [Y], [None]))
    np.testing.assert_allclose(first.evaluate([batch])['loss'], np.mean((model.predict(X) - Y) ** 2), rtol=1e-5)


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
    with pytest.warns(KeraFlowWarning) as told:
        assert moved() == ['second/W', 'second/b'] == moved()
    assert [str(one.message) for one in told] == [
        f'{model.name}: fit: trainable of first, second was changed after compile, which reads it: it is trained as compile read it. '
        'Compile again if the change is to count here; if it is meant for another model alone, as in a GAN, ignore this warning.']
    model.compile('sgd', 'mse')
    assert moved() == ['first/W', 'first/b']
    model.trainable = False
    model.compile('sgd', 'mse')
    with pytest.warns(KeraFlowWarning) as told:
        assert moved() == []
    assert [str(one.message) for one in told] == [
        f'{model.name}: fit: no parameter is trainable, so nothing is learned. Set trainable of a layer and of the model to True, '
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


def test_scores_are_not_unpacked_into_their_names():
    model = linear()
    model.compile('sgd', 'mse', metrics=['mae'])
    with pytest.raises(ArgumentTypeError, match='received loss, mae to be unpacked'):
        loss, mae = model.evaluate(X, Y)
    with pytest.raises(ArgumentTypeError, match='received loss, mae to be unpacked'):
        loss, mae = model.fit(X, Y, nb_epoch=1, verbose=0)[-1]
    loss, mae = model.evaluate(X, Y).values()
    assert model.evaluate(X, Y) == {'loss': loss, 'mae': mae}


def test_evaluate_runs_as_in_training_if_asked_and_leaves_no_trace():
    x = Input(4)
    model = Model(x, Dropout(0.5)(BatchNormalization(name='n')(x)))
    model.compile('sgd', 'mse')
    data, before = np.random.default_rng(0).normal(3., 2., size=(512, 4)), model.get_weights()
    normal = (data - data.mean(0)) / np.sqrt(data.var(0) + model.get_layer('n').epsilon)
    found = model.evaluate(data, 2 * normal, batch_size=512, train_mode=True)['loss']
    np.testing.assert_allclose(found, 2 * np.mean(normal ** 2), rtol=0.1)    # of 0 and of twice the value: half of 4 normal**2
    for name, value in model.get_weights().items():
        np.testing.assert_array_equal(value, before[name])
    tested = model.evaluate(data, data, batch_size=512)['loss']
    np.testing.assert_allclose(tested, np.mean((data / np.sqrt(1 + model.get_layer('n').epsilon) - data) ** 2), rtol=1e-4, atol=1e-7)
