"""Laws of recurrent layers that bind two ways to compute the same, states over batches, dropout over time, mistakes."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentError, ShapeError
from keraflow.layers import GRU, LSTM, Bidirectional, Dense, Dropout, Embedding, Input, SimpleRNN, TimeDistributed
from keraflow.models import Model, Sequential
from keraflow.optimizers import Adam
from keraflow.testing import assert_close

LAYERS = [SimpleRNN, GRU, LSTM]
each_layer = pytest.mark.parametrize('cls', LAYERS, ids=lambda cls: cls.__name__)


def data(*shape):
    return np.random.default_rng(3).uniform(-1, 1, shape).astype('float32')


def model_of(layer, shape, **options):
    x = Input(shape, **options)
    return Model(x, layer(x))


def alike(cls, model, shape, input_options=None, **options):
    """Another layer with other arguments and the same weights."""
    other = model_of(cls(3, **options), shape, **(input_options or {}))
    other.set_weights(list(model.get_weights().values()))
    return other


# -- two ways to compute the same ---------------------------------------------------------------------------------------

@each_layer
def test_masked_steps_are_as_if_they_were_not_there(cls):
    x = data(3, 6, 2)
    model = model_of(cls(3, return_sequences=True), (None, 2), mask_value=9.)
    for kept in ([2, 3, 4, 5], [0, 1, 2], [1, 4], [0, 5]):
        masked = np.full_like(x, 9.)
        masked[:, kept] = x[:, kept]
        outputs, shorter = model.predict(masked), model.predict(x[:, kept])
        assert_close('steps that count', outputs[:, kept], shorter, 1e-6)
        for step in set(range(6)) - set(kept):
            before = [one for one in kept if one < step]
            expected = shorter[:, len(before) - 1] if before else np.zeros_like(outputs[:, 0])
            assert_close('a masked step', outputs[:, step], expected, 1e-6)


@each_layer
@pytest.mark.parametrize('options', [{}, {'unroll': True}, {'go_backwards': True}], ids=str)
def test_each_sample_has_its_own_mask(cls, options):
    x = data(3, 4, 2)
    x[0, 2:], x[2, 0] = 9., 9.
    outputs = model_of(cls(3, **options), (4, 2), mask_value=9.)
    alone = alike(cls, outputs, (None, 2), **{**options, 'unroll': False})
    for sample, kept in ((0, [0, 1]), (1, [0, 1, 2, 3]), (2, [1, 2, 3])):
        assert_close(f'sample {sample}', outputs.predict(x)[sample], alone.predict(x[sample:sample + 1, kept])[0], 1e-6)


@each_layer
def test_the_mask_goes_on_with_the_outputs_in_their_order(cls):
    x = data(2, 3, 2)
    x[0, 2], x[1, 0] = 9., 9.
    for options, expected in (({}, [[1, 1, 0], [0, 1, 1]]), ({'go_backwards': True}, [[0, 1, 1], [1, 1, 0]])):
        inputs = Input((None, 2), mask_value=9.)
        layer = cls(3, return_sequences=True, **options)
        kensor = layer(inputs)
        assert kensor.mask_shape == (None, None)
        fed = B.placeholder((None, None, 2))

        def mask():
            return layer.get_tensor_mask(layer(inputs.mark(fed)))
        assert np.array_equal(B.function([fed], [B.symbolic(mask, [])])(x)[0], np.array(expected, bool))
    assert cls(3)(Input((None, 2), mask_value=9.)).mask_shape is None


@each_layer
@pytest.mark.parametrize('options', [{}, {'return_sequences': True, 'go_backwards': True}], ids=str)
def test_unrolled_is_the_loop(cls, options):
    loop = model_of(cls(3, **options), (5, 2))
    x = data(4, 5, 2)
    assert_close('unrolled', alike(cls, loop, (5, 2), unroll=True, **options).predict(x), loop.predict(x), 1e-6)


@each_layer
def test_backwards_is_the_reversed_input(cls):
    forward = model_of(cls(3, return_sequences=True), (None, 2))
    x = data(4, 5, 2)
    assert_close('backwards', alike(cls, forward, (None, 2), return_sequences=True, go_backwards=True).predict(x[:, ::-1]), forward.predict(x), 1e-6)


@each_layer
def test_the_last_output_is_that_of_the_sequence(cls):
    last = model_of(cls(3), (None, 2))
    sequence = alike(cls, last, (None, 2), return_sequences=True)
    for time in (1, 2, 7):      # one model, sequences of several lengths
        x = data(2, time, 2)
        assert_close('the last output', sequence.predict(x)[:, -1], last.predict(x), 1e-6)


@each_layer
def test_trained_on_masked_sequences_is_trained_on_shorter_ones(cls):
    x, y = data(4, 5, 2), data(4, 3)
    masked = model_of(cls(3), (None, 2), mask_value=9.)
    shorter = alike(cls, masked, (None, 2))
    padded = np.concatenate([x, np.full((4, 2, 2), 9., 'float32')], 1)
    for model, inputs in ((masked, padded), (shorter, x)):
        model.compile('sgd', 'mse')
        model.fit(inputs, y, nb_epoch=3, shuffle=False, verbose=0)
    for one, other in zip(masked.get_weights().values(), shorter.get_weights().values()):
        assert_close('a trained weight', one, other, 1e-5)


# -- states -------------------------------------------------------------------------------------------------------------

@each_layer
@pytest.mark.parametrize('unroll', [False, True])
def test_two_halves_with_kept_states_are_the_whole(cls, unroll):
    x = data(2, 6, 2)
    whole = model_of(cls(3, return_sequences=True), (6, 2))
    halves = model_of(cls(3, return_sequences=True, stateful=True, unroll=unroll), (3, 2), batch_size=2)
    halves.layers[1].set_weights(whole.layers[1].get_weights())     # by name: the states stay
    expected = whole.predict(x)
    for _ in range(2):
        assert_close('the first half', halves.predict(x[:, :3]), expected[:, :3], 1e-6)
        assert_close('the second half', halves.predict(x[:, 3:]), expected[:, 3:], 1e-6)
        halves.layers[1].reset_states()


def test_fit_evaluate_and_predict_keep_the_states_and_two_calls_are_one_sequence():
    x = Input((2, 1), batch_size=2)
    layer = SimpleRNN(2, stateful=True, init='one', inner_init='zero', activation='linear')
    model = Model(x, layer(x))
    assert [one.name for one in layer.parameters() if not one.trainable] == ['h']
    model.compile('sgd', 'mse')
    steps = np.array([[[1.], [2.]], [[3.], [4.]]])
    for run in (lambda: model.predict(steps), lambda: model.predict(steps, train_mode=True), lambda: model.evaluate(steps, np.zeros((2, 2))),
                lambda: model.fit(steps, np.array([[2., 2.], [4., 4.]]), nb_epoch=1, verbose=0, shuffle=False)):
        layer.reset_states()
        assert not layer.get_weights()['h'].any()
        run()
        assert_close('the state', layer.get_weights()['h'], [[2., 2.], [4., 4.]], 1e-6)
    layer.reset_states()
    model.capture(layer.name + '/output', steps, train_mode=True)
    assert not layer.get_weights()['h'].any()
    z = Input((2, 1), batch_size=2)
    summing = SimpleRNN(1, stateful=True, init='one', inner_init='one', activation='linear')
    twice = Model([x, z], [summing(x), summing(z)])
    first, second = twice.predict([steps, steps])
    assert_close('the first call', first, [[3.], [7.]], 1e-6)
    assert_close('the second call goes on', second, [[6.], [14.]], 1e-6)
    assert_close('the state of both', summing.get_weights()['h'], [[6.], [14.]], 1e-6)


def test_a_model_and_a_wrapper_reset_the_states_of_all_layers_in_them():
    both, each = Bidirectional(LSTM(2, stateful=True), name='both'), TimeDistributed(GRU(2, stateful=True))
    x = Input((3, 3, 1), batch_size=2)
    model = Model(x, both(Sequential([each, SimpleRNN(2, return_sequences=True), Dropout(0.5)])(x)), name='m')
    values = data(2, 3, 3, 1)
    first = model.predict(values)

    def kept():
        return {name: np.any(array) for name, array in model.get_weights().items() if name[-2:] in ('/h', '/c')}
    assert len(kept()) == 5 and all(kept().values()) and not np.array_equal(model.predict(values), first)
    both.reset_states()
    assert sum(kept().values()) == 1
    each.reset_states()
    assert not any(kept().values())
    np.testing.assert_array_equal(model.predict(values), first)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(values), first)
    with pytest.raises(ArgumentError) as caught:
        Model(x, Dropout(0.5)(x), name='m').reset_states()
    assert str(caught.value) == 'm: reset_states: no layer in it keeps states. Make a recurrent one with stateful=True.'


@each_layer
def test_initial_states_go_on_from_another_sequence(cls):
    x = data(2, 5, 2)
    nb_state = len(cls.states)
    whole = model_of(cls(3), (None, 2))
    inputs = [Input((None, 2)), *(Input(3) for _ in range(nb_state))]
    continued = Model(inputs, cls(3)(inputs))
    continued.set_weights(list(whole.get_weights().values()))
    zeros = [np.zeros((2, 3))] * nb_state
    assert_close('from zeros', continued.predict([x, *zeros]), whole.predict(x), 1e-6)
    if nb_state == 1:       # the output is the state
        assert_close('from the state before', continued.predict([x[:, 2:], whole.predict(x[:, :2])]), whole.predict(x), 1e-6)


# -- parameters and dropout -----------------------------------------------------------------------------------------------

def test_the_bias_of_the_forget_gate_starts_at_its_argument():
    for options, expected in (({}, 1.), ({'forget_bias_init': 'zero'}, 0.)):
        layer = LSTM(2, **options)
        layer(Input((None, 3)))
        assert_close('b_f', layer.get_weights()['b_f'], np.full(2, expected), 0)
        assert not any(layer.get_weights()[name].any() for name in ('b_i', 'b_c', 'b_o'))


def test_parameters_by_name_are_regularized_and_start_as_given():
    layer = GRU(2, regularizers={'U_r': 'l2'}, initial_weights={'W_z': np.full((3, 2), 0.25)})
    kensor = layer(Input((4, 3)))
    assert kensor.regularizers[0][0] is layer.U_r and len(kensor.regularizers) == 1
    assert_close('W_z', layer.get_weights()['W_z'], np.full((3, 2), 0.25), 0)
    assert list(layer.get_weights()) == ['W_z', 'W_r', 'W_h', 'U_z', 'U_r', 'U_h', 'b_z', 'b_r', 'b_h']


def test_dropout_on_the_input_is_the_same_at_all_time_steps():
    # Each output is that of its time step alone: W is the identity, U zero.
    model = model_of(SimpleRNN(20, 'identity', 'zero', 'linear', return_sequences=True, drop_rate_W=0.5), (4, 20))
    x = np.ones((8, 4, 20), 'float32')
    assert_close('without training', model.predict(x), x, 0)
    outputs = model.predict(x, train_mode=True)
    assert set(np.unique(outputs)) == {0., 2.}
    assert_close('all time steps', outputs, np.repeat(outputs[:, :1], 4, 1), 0)
    assert len({row.tobytes() for row in outputs[:, 0]}) > 1 and 0.3 < (outputs == 0).mean() < 0.7


def test_dropout_on_the_previous_output_is_the_same_at_all_time_steps():
    # Each output adds the one before, where that is not dropped, in which case it is doubled: 1, 1 or 1, 3, 7, 15.
    model = model_of(SimpleRNN(20, 'identity', 'identity', 'linear', return_sequences=True, drop_rate_U=0.5), (4, 20))
    x = np.ones((8, 4, 20), 'float32')
    assert_close('without training', model.predict(x)[0, :, 0], [1., 2., 3., 4.], 0)
    outputs = model.predict(x, train_mode=True)
    found = {tuple(outputs[sample, :, place]) for sample in range(8) for place in range(20)}
    assert found == {(1., 1., 1., 1.), (1., 3., 7., 15.)}


def test_integers_may_be_a_sequence():
    model = model_of(SimpleRNN(1, 'one', 'one', 'linear'), (None, 1), dtype='int32')
    assert_close('a sum', model.predict(np.array([[[1], [2], [3]]])), [[6.]], 0)


# -- in models --------------------------------------------------------------------------------------------------------------

def test_layers_over_layers_learn_which_symbol_came_first():
    B.seed(1)
    x = np.random.default_rng(0).integers(1, 4, (48, 5))
    y = np.eye(3)[x[:, 0] - 1]
    x[::2, -1] = 0      # masked
    model = Sequential([Input((None,), dtype='int32', mask_value=0), Embedding(4, 6), GRU(8, return_sequences=True), LSTM(8), Dense(3, activation='softmax')])
    model.compile(Adam(0.05), 'categorical_crossentropy', ['acc'])
    history = model.fit(x, y, nb_epoch=15, verbose=0)
    assert history[-1]['loss'] < 0.3 * history[0]['loss']


def test_in_a_sequential_that_is_a_layer():
    block = Sequential([SimpleRNN(3, return_sequences=True), LSTM(2)])
    assert block(Input((None, 4))).shape == (None, 2)
    assert Sequential([Dense(4), Dense(2)])(Input(3)).shape == (None, 2)


# -- mistakes -----------------------------------------------------------------------------------------------------------------

def told(kind, call):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_mistakes_are_told_when_the_layer_is_fed():
    layer = LSTM(3, name='r')
    assert told(ShapeError, lambda: layer(Input(4))) == (
        'r: expected a 3-D input (batch, time, input_dim), received shape (None, 4).')
    assert told(ShapeError, lambda: layer(Input((4, None)))) == (
        'r: expected an input (batch, time, input_dim) whose axis input_dim has a known length, received shape (None, 4, None). '
        'Give the Input that length.')
    assert told(ShapeError, lambda: layer([Input((4, 2)), Input(3)])) == (
        'r: expected an input and no or 2 initial state(s) (h, c), received 1.')
    assert told(ShapeError, lambda: layer([Input((4, 2)), Input(3), Input(2)])) == (
        'r: expected initial states of shape (None, 3), received (None, 2).')
    assert told(ShapeError, lambda: GRU(3, unroll=True, name='u')(Input((None, 2)))) == (
        'u: expected an input (batch, time, input_dim) whose axis time has a known length, received shape (None, None, 2). Give the Input that length.')
    assert told(ShapeError, lambda: GRU(3, stateful=True, name='s')(Input((4, 2)))) == (
        's: expected an input (batch, time, input_dim) whose axis batch has a known length, received shape (None, 4, 2). '
        'Write Input(..., batch_size=...).')
    assert told(ArgumentError, lambda: GRU(3, stateful=True, name='t')([Input((4, 2), batch_size=2), Input(3, batch_size=2)])) == (
        't: stateful=True starts with the states of the batch before, received initial states as well. Leave one of them out.')
    assert told(ArgumentError, layer.reset_states) == 'r: reset_states: the layer keeps no states. Make it with stateful=True.'


def test_a_layer_keeps_its_input_dim():
    layer = SimpleRNN(3, name='k')
    layer(Input((4, 2)))
    assert told(ShapeError, lambda: layer(Input((4, 5)))) == (
        'k: expected an input (batch, time, input_dim) whose axis input_dim has length 2, received shape (None, 4, 5). The layer was built for that length; make '
        'another layer for this one.')


def test_a_stateful_layer_keeps_its_batch_size():
    layer = SimpleRNN(3, stateful=True, name='b')
    layer(Input((4, 2), batch_size=5))
    assert told(ShapeError, lambda: layer(Input((4, 2), batch_size=6))) == (
        'b: expected an input (batch, time, input_dim) whose axis batch has length 5, received shape (6, 4, 2). The layer was built for that length; make '
        'another layer for this one.')
