"""TimeDistributed and Bidirectional: masks, serialization, what a wrapper shares with its layer, mistakes."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentTypeError, SerializationError, ShapeError
from keraflow.layers import (GRU, LSTM, BatchNormalization, Bidirectional, Dense, Dropout, Embedding, Input, Lambda,
                             Layer, SimpleRNN, TimeDistributed)
from keraflow.models import Model, Sequential
from keraflow.serialization import serialize, unserialize
from keraflow.testing import assert_close


def data(*shape):
    return np.random.default_rng(5).uniform(-1, 1, shape).astype('float32')


def model_of(layer, shape, **options):
    x = Input(shape, **options)
    return Model(x, layer(x))


# -- TimeDistributed ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('shape', [(None, 4), (5, 4), (4, 4)])
def test_a_dense_layer_at_each_step_is_that_layer_step_by_step(shape):
    dense = Dense(3, activation='tanh')
    x = data(2, shape[0] or 6, 4)
    together, alone = model_of(TimeDistributed(dense), shape), model_of(dense, 4)
    for time in range(x.shape[1]):
        assert_close(f'step {time}', together.predict(x)[:, time], alone.predict(x[:, time]), 1e-6)


def test_the_mask_goes_round_the_layer_also_where_lengths_are_equal():
    class Reader(Layer):
        """Gives 1 where it was given a mask."""

        def output(self, x):
            return B.zeros_like(x) + (0. if self.get_tensor_mask(x) is None else 1.)

    x = Input((4, 4), mask_value=0.)
    kensor = TimeDistributed(Reader())(x)
    assert kensor.mask_shape == (None, 4)
    assert_close('masks seen', Model(x, kensor).predict(data(2, 4, 4)), np.zeros((2, 4, 4)), 0)


def test_masked_steps_stay_masked_behind_it():
    x = data(2, 5, 3)
    x[:, 3:] = 0.
    model = model_of(Sequential([TimeDistributed(Dense(4)), SimpleRNN(2)]), (None, 3), mask_value=0.)
    assert_close('as if shorter', model.predict(x), model.predict(x[:, :3]), 1e-6)


def test_a_sequence_of_sequences():
    x = Input((3, None), dtype='int32', mask_value=0)
    sentences = TimeDistributed(Sequential([Embedding(6, 4), LSTM(5)]))(x)
    assert sentences.shape == (None, 3, 5) and GRU(2)(sentences).shape == (None, 2)
    assert sum(name.endswith('W_i') for name in Model(x, sentences).get_weights()) == 1


def test_a_state_for_each_sample_and_step():
    layer = TimeDistributed(SimpleRNN(1, 'one', 'one', 'linear', stateful=True))
    model = model_of(layer, (2, 3, 1), batch_size=2)
    x = np.ones((2, 2, 3, 1), 'float32') * np.array([1., 2.])[:, None, None, None]
    assert_close('the first batch', model.predict(x), [[[3.], [3.]], [[6.], [6.]]], 1e-6)
    assert_close('the second batch', model.predict(x), [[[6.], [6.]], [[12.], [12.]]], 1e-6)


# -- Bidirectional --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('cls', [SimpleRNN, GRU, LSTM])
def test_both_directions_by_hand(cls):
    x, z = data(3, 4, 2), Input((None, 2))
    both = Bidirectional(cls(3, return_sequences=True), None)
    forward, backward = cls(3, return_sequences=True), cls(3, return_sequences=True, go_backwards=True)
    model, by_hand = Model(z, both(z)), Model(z, [forward(z), backward(z)])
    weights = both.get_weights()
    forward.set_weights({name[2:]: it for name, it in weights.items() if name.startswith('0/')})
    backward.set_weights({name[2:]: it for name, it in weights.items() if name.startswith('1/')})
    assert not np.allclose(weights['0/W' if cls is SimpleRNN else '0/W_' + cls.gates[0][0]], weights['1/W' if cls is SimpleRNN else '1/W_' + cls.gates[0][0]])
    first, second = model.predict(x)
    expected_first, expected_second = by_hand.predict(x)
    assert_close('forward', first, expected_first, 1e-6)
    assert_close('backward, in the order of time', second, expected_second[:, ::-1], 1e-6)


@pytest.mark.parametrize('sequences', [False, True])
def test_masked_steps_are_as_if_they_were_not_there(sequences):
    x = data(2, 6, 2)
    model = model_of(Bidirectional(GRU(3, return_sequences=sequences)), (None, 2), mask_value=9.)
    for kept in ([0, 1, 2], [2, 3, 5]):
        masked = np.full_like(x, 9.)
        masked[:, kept] = x[:, kept]
        outputs = model.predict(masked)
        assert_close('what counts', outputs[:, kept] if sequences else outputs, model.predict(x[:, kept]), 1e-6)


def test_the_mask_of_the_outputs_is_in_the_order_of_time():
    inputs, fed = Input((None, 2), mask_value=9.), B.placeholder((None, None, 2))
    layer = Bidirectional(SimpleRNN(3, return_sequences=True))
    assert layer(inputs).mask_shape == (None, None)
    assert Bidirectional(SimpleRNN(3))(inputs).mask_shape is None
    x = data(1, 3, 2)
    x[0, 0] = 9.
    for mode in ('concat', 'ave', None):
        layer = Bidirectional(SimpleRNN(3, return_sequences=True), mode)
        layer(inputs)

        def masks():
            made = layer(inputs.mark(B.identity(fed)))
            return [layer.get_tensor_mask(it) for it in (made if mode is None else [made])]
        for mask in B.function([fed], B.symbolic(masks, []))(x):
            assert np.array_equal(mask, [[False, True, True]])


def test_the_parameters_of_both_are_trained_regularized_and_frozen():
    layer = Bidirectional(SimpleRNN(3, regularizers={'U': 'l2'}))
    kensor = layer(Input((4, 2)))
    assert len(kensor.regularizers) == 2 and len(kensor.trainable_params) == 6
    assert [one.name for one in layer.parameters()] == ['0/W', '0/U', '0/b', '1/W', '1/U', '1/b']
    layer.trainable = False
    assert not kensor.trainable_params


def test_a_layer_of_layers_both_ways():
    block = Sequential([TimeDistributed(Dense(4)), Dropout(0.2), LSTM(3, return_sequences=True)])
    kensor = Bidirectional(block, 'sum')(Input((None, 2)))
    assert kensor.shape == (None, None, 3) and len(kensor.trainable_params) == 2 * (2 + 12)


# -- both -------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('cls', [TimeDistributed, Bidirectional])
def test_what_is_saved_is_the_layer_with_its_arguments(cls):
    layer = cls(SimpleRNN(3, activation='relu', drop_rate_W=0.25))
    data = serialize(layer)
    assert data['args']['layer'] == serialize(layer.layer)
    again = unserialize(data)
    assert serialize(again) == data and again.layer.drop_rate_W == 0.25 and again.layer is not layer.layer


def test_mistakes():
    for call, kind, text in (
            (lambda: TimeDistributed(Dense), ArgumentTypeError, 'TimeDistributed: layer: expected a layer, received class Dense.'),
            (lambda: Bidirectional(LSTM(2), 'max'), ArgumentTypeError,
             "Bidirectional: merge_mode: expected one of 'concat', 'sum', 'mul', 'ave' or None, received 'max'."),
            (lambda: TimeDistributed(Dense(2, name='inner'), name='t')(Input((2, None))), ShapeError,
             'inner: expected an input (batch, input_dim) whose axis input_dim has a known length, received shape (None, None). Give the Input that length.'),
            (lambda: TimeDistributed(Dense(2), name='w')(Input((), batch_size=3)), ShapeError,
             'w: expected an input of rank 2 or more, received shape (3,).')):
        with pytest.raises(kind) as caught:
            call()
        assert str(caught.value) == text


def test_a_layer_that_files_cannot_name_has_no_copy():
    class Mine(Layer):
        pass
    with pytest.raises(SerializationError) as caught:
        Bidirectional(Mine())
    assert str(caught.value) == (
        "'Mine' is not a class or function that is registered. If it is yours, put @keraflow.register above it and import its module "
        'first, or pass custom_objects=[...].')


@pytest.mark.parametrize('make', [lambda: Dense(3), lambda: BatchNormalization(), lambda: LSTM(2)])
def test_time_distributed_says_that_it_takes_steps(make):
    layer = make()
    kind = type(layer).__name__
    with pytest.raises(ShapeError) as caught:
        TimeDistributed(layer, name='each')(Input(6))
    assert str(caught.value) == (f'each: expected an input (batch, time, ...), whose steps {kind} is run on, received shape (None, 6). '
                                 f'Use {kind} by itself for an input without steps.')


def test_time_distributed_runs_layers_that_take_numbers_on_steps_that_are_numbers():
    x = Input(2)
    assert Model(x, TimeDistributed(Lambda(lambda one: one * 2))(x)).predict(np.ones((1, 2))).tolist() == [[2, 2]]
