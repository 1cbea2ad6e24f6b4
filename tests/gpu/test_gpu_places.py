"""Variables and results are on the GPU, memory does not grow, and the settings of JAX are the program's own."""
import gc
import os

import numpy as np
from on_device import jax, settings

from keraflow import backend as B
from keraflow.layers import LSTM, Dense, Dropout, Input
from keraflow.models import Sequential

X = np.random.default_rng(0).normal(size=(64, 5, 8)).astype('float32')
Y = np.eye(3)[np.arange(64) % 3]


def build():
    model = Sequential([Input((5, 8)), LSTM(8), Dropout(0.2), Dense(3, activation='softmax')])
    model.compile('adam', 'categorical_crossentropy')
    return model


def places_of(model):
    """Return the devices of all arrays of a model, of its optimizer, too."""
    variables = [*model.trainable_variables, *(slot for one in model.optimizer._slots for slot in one.values())]
    return {device for one in variables for device in one.value.devices()}


def test_training_is_on_the_device(device):
    model = build()
    assert {one for x in model.trainable_variables for one in x.value.devices()} == {device}
    model.fit(X, Y, batch_size=16, nb_epoch=2, verbose=0)
    assert places_of(model) == {device}
    predicted = model.predict(X)
    assert isinstance(predicted, np.ndarray) and predicted.flags.writeable
    assert model(jax.numpy.asarray(X)).devices() == {device}


def test_the_device_has_a_name_that_the_program_may_say(device):
    names = B.current().devices()
    name = f"gpu:{jax.devices('gpu').index(device)}" if device.platform == 'gpu' else 'cpu'
    assert 'cpu' in names and name in names
    with B.device(name):
        [made] = B.compile(lambda: ([B.ones((2, 2))], []), [])()
    assert {one.platform for one in made.devices()} == {device.platform}


def test_what_runs_in_a_block_runs_on_its_device(device):
    model = build()
    with B.device('cpu'):
        model.fit(X, Y, batch_size=16, nb_epoch=1, verbose=0)
        assert {one.platform for one in places_of(model)} == {'cpu'}
    model.fit(X, Y, batch_size=16, nb_epoch=1, verbose=0)
    assert places_of(model) == {device}


def memory(device):
    """Return the bytes of the arrays that JAX has, and what the device says."""
    gc.collect()
    arrays = sum(x.nbytes for x in jax.live_arrays())
    return [arrays, (device.memory_stats() or {}).get('bytes_in_use', 0)]


def test_no_memory_is_kept_from_step_to_step(device):
    model = build()
    model.fit(X, Y, batch_size=16, nb_epoch=5, verbose=0)       # 20 steps
    before = memory(device)
    model.fit(X, Y, batch_size=16, nb_epoch=50, verbose=0)      # 200
    after = memory(device)
    assert after[0] <= before[0] and after[1] <= before[1] + 2 ** 16, (before, after)


def test_settings_of_jax_and_of_its_memory_are_the_programs_own(device):
    before = settings(), dict(os.environ)
    build().fit(X, Y, batch_size=16, nb_epoch=1, verbose=0)
    assert (settings(), dict(os.environ)) == before
