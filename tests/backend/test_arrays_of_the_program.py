"""Arrays that the program fills again while batches wait to be used: a batch is what it was when it was handed over."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.callbacks import Callback
from keraflow.data.array_spec import ArraySpec
from keraflow.data.arrays import read_arrays
from keraflow.layers import Activation, Dense, Input
from keraflow.models import Model
from keraflow.optimizers import SGD

NB_BATCH = 8
IN_ORDER = np.repeat(np.arange(NB_BATCH), 2).tolist()


def identity(nb_input=1):
    inputs = [Input(1, name=f'x{number}') for number in range(nb_input)]
    return Model(inputs, [Activation('linear')(x) for x in inputs])


class Lender:
    """Gives its own memory as an array, as tensors of other libraries do."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


def filled(give, dtype='float32', like=np.zeros):
    """A generator function of batches that are `give` of one buffer, filled again and again."""
    def batches():
        buffer = like((2, 1), dtype)
        for number in range(NB_BATCH):
            buffer[:] = number
            yield give(buffer)
    return batches


@pytest.mark.parametrize('give', [lambda buffer: buffer, lambda buffer: buffer[::-1], memoryview, Lender, lambda buffer: [buffer],
                                  lambda buffer: {'x0': buffer}, lambda buffer: np.broadcast_to(buffer[0], (2, 1)),
                                  lambda buffer: buffer.view('int32').view('float32'), lambda buffer: buffer.reshape(1, 2).T],
                         ids=['itself', 'a view', 'memory', 'another library', 'a list', 'a dict', 'broadcast', 'as another type', 'transposed'])
def test_a_buffer_that_is_filled_again(give):
    assert identity().predict(filled(give)).ravel().tolist() == IN_ORDER


@pytest.mark.parametrize('dtype', ['float64', 'int32', 'uint8', 'float16'])
def test_a_buffer_of_another_type(dtype):
    assert identity().predict(filled(np.asarray, dtype)).ravel().tolist() == IN_ORDER


def test_a_buffer_of_integers_for_an_input_of_integers():
    x = Input(1, dtype='int32')
    assert Model(x, Activation('linear')(x)).predict(filled(np.asarray, 'int32')).ravel().tolist() == IN_ORDER


def test_a_file_that_is_written_again(tmp_path):
    def mapped(shape, dtype):
        return np.lib.format.open_memmap(tmp_path / 'x.npy', 'w+', dtype, shape)
    assert identity().predict(filled(lambda buffer: buffer, like=mapped)).ravel().tolist() == IN_ORDER


def test_a_list_that_is_filled_again_with_arrays_that_are():
    def batches():
        buffers = [np.zeros((2, 1), 'float32'), np.zeros((2, 1), 'float32')]
        for number in range(NB_BATCH):
            buffers[0][:], buffers[1][:] = number, -number
            yield buffers
    one, other = identity(2).predict(batches)
    assert one.ravel().tolist() == (-other.ravel()).tolist() == IN_ORDER


class Numbered:
    """Has its batches by number, all in one buffer."""

    def __init__(self):
        self.buffer = np.zeros((2, 1), 'float32')

    def __len__(self):
        return NB_BATCH

    def __getitem__(self, number):
        self.buffer[:] = number
        return self.buffer


def test_numbered_batches():
    assert identity().predict(Numbered()).ravel().tolist() == identity().predict(Numbered).ravel().tolist() == IN_ORDER


def test_slices_of_arrays_that_are_shuffled_in_place():
    samples = np.arange(64, dtype='float32')[:, None].copy()
    draw = np.random.default_rng(0)

    def passes():
        while True:
            draw.shuffle(samples)
            for start in range(0, 64, 16):
                yield samples[start:start + 16]
    seen = identity().predict(passes, nb_batch=16).ravel().astype(int)
    assert np.bincount(seen).tolist() == [4] * 64


@pytest.mark.parametrize('what', ['targets', 'weights', 'all'])
def test_targets_and_weights_that_are_filled_again(what):
    fills = {'targets': [1, 0], 'weights': [2], 'all': [0, 1, 2]}[what]

    def batches():
        buffers = [np.ones((4, 1), 'float32'), np.ones((4, 1), 'float32'), np.ones(4, 'float32')]
        for number in range(NB_BATCH):
            for at in fills:
                buffers[at][:] = number + 1
            yield tuple(buffers)
    x = Input(1)
    model = Model(x, Dense(1, init='zero')(x))
    model.compile('sgd', 'mse')
    numbers = np.arange(NB_BATCH) + 1.
    expected = np.mean((numbers if 2 in fills else 1) * (numbers ** 2 if 1 in fills else 1))
    assert model.evaluate(batches)['loss'] == pytest.approx(expected, rel=1e-6)
    model.compile(SGD(lr=1e-30), 'mse')
    assert model.fit(batches, nb_epoch=1, verbose=0, validation_data=batches)[0] == pytest.approx({'loss': expected, 'val_loss': expected}, rel=1e-6)


def test_arrays_beside_one_on_the_disk_are_read_at_one_time(tmp_path):
    x = np.lib.format.open_memmap(tmp_path / 'x.npy', 'w+', 'float32', (8, 1))
    y = np.ones((8, 1), 'float32')
    x[:] = 1.

    class Changing(Callback):
        def on_batch_end(self, batch, logs):
            losses.append(logs['loss'])
            if batch == 0:
                y[:], x[:] = 5., 5.
    losses = []
    inputs = Input(1)
    model = Model(inputs, Dense(1, init='one')(inputs))
    model.compile(SGD(lr=1e-30), 'mse')
    model.fit(x, y, batch_size=2, nb_epoch=1, shuffle=False, verbose=0, callbacks=[Changing()])
    assert losses == [0.] * 4


def test_arrays_given_whole_are_not_copied():
    given = np.ones((3, 2), 'float32')
    [read] = read_arrays(given, [ArraySpec('x', (None, 2), 'float32')], 'm')
    assert read is given
    assert not np.shares_memory(read_arrays(given, [ArraySpec('x', (None, 2), 'float32')], 'm', copies=True)[0], given)


# -- what the backend is given, and what it gives -----------------------------------------------------------------------

@pytest.mark.parametrize('dtype', ['float32', 'float64', 'int32', 'int64', 'bool'])
def test_a_variable_and_a_constant_are_not_the_array_that_they_were_made_of(dtype):
    array = np.zeros((2, 16), dtype)
    variable, constant = B.variable(array, dtype), B.constant(array, dtype)
    total = constant + 0 if dtype != 'bool' else B.logical_or(constant, False)
    array[:] = 1
    assert not np.any(B.get_value(variable)) and not np.any(B.eval(constant)) and not np.any(B.eval(total))
    B.set_value(variable, array)
    array[:] = 0
    assert np.all(B.get_value(variable))
    taken = B.get_value(variable)
    taken[:] = 0
    assert np.all(B.get_value(variable))
    if dtype != 'bool':
        B.eval(variable + 0)[:] = 0
        B.eval(variable)[:] = 0
        assert np.all(B.get_value(variable))


def test_initial_weights_and_weights_stay_the_programs_own():
    W, b = np.ones((3, 2), 'float32'), np.ones(2, 'float32')
    x = Input(3)
    model = Model(x, Dense(2, initial_weights=[W, b], name='d')(x))
    model.compile(SGD(lr=0.5), 'mse')
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), nb_epoch=1, verbose=0)
    assert np.all(W == 1) and np.all(b == 1)
    model.set_weights({'d/W': W, 'd/b': b})
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), nb_epoch=1, verbose=0)
    assert np.all(W == 1) and np.all(b == 1)
    W[:] = 7
    assert np.all(model.get_weights()['d/W'] != 7)


def test_predictions_are_arrays_of_their_own():
    model, given = identity(), np.zeros((4, 1), 'float32')
    first = model.predict(given, batch_size=4)
    second = model.predict(given + 1, batch_size=4)
    given[:] = 9
    assert not first.any() and np.all(second == 1)
    first[:] = 5
    assert np.all(given == 9) and np.all(model.predict(given * 0) == 0)
    run = B.compile(lambda x: ([x, x * 2], []), [B.TensorSpec((None, 1), 'float32')])
    one = [np.asarray(it) for it in run(np.ones((4, 1), 'float32'))]
    two = [np.asarray(it) for it in run(np.zeros((4, 1), 'float32'))]
    assert [it.max() for it in one] == [1, 2] and not np.any(two)
