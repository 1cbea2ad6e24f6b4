"""Models that are built, trained, asked, saved and loaded in threads at once give the numbers of one thread."""
import functools
import threading

import numpy as np
import pytest
from threads import at_once, switching

import keraflow
from keraflow import TrainStep
from keraflow import backend as B
from keraflow import random
from keraflow.callbacks import Callback
from keraflow.errors import KeraFlowWarning
from keraflow.files.tensors import read_tensors
from keraflow.layers import BatchNormalization, Dense, Dropout, Input, Layer, SimpleRNN
from keraflow.models import Model
from keraflow.optimizers import SGD

X = np.random.default_rng(0).normal(size=(16, 6)).astype('float32')
Y = np.tanh(X[:, :2])


@pytest.fixture(autouse=True)
def often():
    """Python changes threads as often as it can."""
    with switching():
        yield


# -- half of a step is never seen ---------------------------------------------------------------------------------------

def twins(nb_pair=4, width=24):
    """A model of pairs of layers that are equal before and after each step."""
    x = Input(6, name='x')
    start = np.random.default_rng(1).normal(size=(6, width)) / 3
    outputs = [Dense(width, init='zero', initial_weights=[start], name=f'{side}{number}')(x)
               for number in range(nb_pair) for side in 'ab']
    model = Model(x, outputs)
    model.compile(SGD(0.01, momentum=0.9), ['mse'] * len(outputs))
    return model


def check_pairs(arrays):
    pairs = 0
    for name, array in arrays.items():
        if 'a' in name.split('/')[-2][:1]:
            owner, own = name.rsplit('/', 2)[-2:]
            other = name[:len(name) - len(f'{owner}/{own}')] + f'b{owner[1:]}/{own}'
            np.testing.assert_array_equal(array, arrays[other])
            pairs += 1
    assert pairs


def beside_training(model, act, nb_time=25):
    """Act again and again while a thread trains the model."""
    over, targets = threading.Event(), [np.zeros((16, 24))] * len(model.outputs)

    def train():
        class Until(Callback):
            def on_batch_end(self, batch, logs):
                self.model.stop_training = over.is_set()
        return len(model.fit(X, targets, batch_size=4, nb_epoch=10 ** 6, verbose=0, callbacks=[Until()]))

    def acts():
        try:
            for _ in range(nb_time):
                act()
        finally:
            over.set()
    at_once(train, acts)


def test_weights_are_read_and_set_between_steps():
    model, other = twins(), np.random.default_rng(2)

    def act():
        check_pairs(model.get_weights())
        new = {name: other.normal(size=array.shape) for name, array in model.get_weights().items() if name[0] == 'a'}
        model.set_weights({**new, **{f'b{name[1:]}': array for name, array in new.items()}})
    beside_training(model, act)
    check_pairs(model.get_weights())


def test_files_have_the_weights_of_one_moment(tmp_path):
    model, again = twins(), twins()

    def act():
        model.save_to_file(tmp_path / 'm.yaml', tmp_path / 'w.safetensors', overwrite=True)
        check_pairs(read_tensors(tmp_path / 'w.safetensors')[0])
        model.save_training(tmp_path / 't.safetensors', overwrite=True)
        arrays, _ = read_tensors(tmp_path / 't.safetensors')
        check_pairs({name: array for name, array in arrays.items() if name.startswith('weights/')})
        check_pairs({name: array for name, array in arrays.items() if name.startswith('optimizer/') and name.count('/') > 2})
        again.load_training(tmp_path / 't.safetensors')
        model.load_training(tmp_path / 't.safetensors')
        model.load_weights(tmp_path / 'w.safetensors')
        model.save(tmp_path / 'm.keraflow', overwrite=True, probes=True)
        arrays, _ = read_tensors(tmp_path / 'm.keraflow')
        check_pairs({name: array for name, array in arrays.items() if name.startswith('weights/')})
        check_pairs({name: array for name, array in arrays.items() if name.startswith('optimizer/') and name.count('/') > 2})
        keraflow.load(tmp_path / 'm.keraflow', verify=True)     # the probes are of the same moment, too
    beside_training(model, act, 10)


def test_predictions_are_those_of_one_moment():
    model = twins()

    def act():
        for outputs in (model.predict(X), model.capture([f'{side}{number}/output' for number in range(4) for side in 'ab'], X)):
            for one, other in zip(outputs[::2], outputs[1::2]):
                np.testing.assert_array_equal(one[:4], other[:4])
    beside_training(model, act)


def test_a_part_is_read_while_the_whole_is_trained():
    model = twins()
    part = Model(model.inputs, model.outputs[:4])
    step = TrainStep(lambda x: B.sum(B.square(model(x)[0])) + B.sum(B.square(model(x)[1])), Input(6), model, SGD(0.001))

    def act():
        check_pairs(part.get_weights())
        step(X)
    beside_training(model, act)


# -- what one thread gives, several give --------------------------------------------------------------------------------

class Block(Layer):
    """Embeds layers, adds a loss, and has a state and a mask that is read."""

    def output(self, x):
        h = self.embed(Dropout(0.3))(self.embed(Dense(6, activation='tanh'))(x))
        self.add_loss(0.01 * B.mean(B.square(h)), x)
        return self.embed(BatchNormalization())(h)


def vectors(name):
    x = Input(6)
    h = Block()(Block()(x))
    return Model(x, Dense(2)(Dropout(0.2)(h)), name=name), X, Y


def series(name):
    x = Input((3, 2), mask_value=0.)
    return Model(x, Dense(2)(SimpleRNN(4, drop_rate_W=0.2, unroll=True)(x)), name=name), X.reshape(16, 3, 2), Y


def lifetime(make, number, folder=None):
    """All that is done with a model: it is built, trained, asked, saved and loaded; what that gave."""
    with random.using(np.random.default_rng(number)):
        model, x, y = make(f'm{number}')
    model.compile(SGD(0.1, momentum=0.5), 'mse', ['ae'])
    before = model.predict(x)
    history = model.fit(x, y, batch_size=4, nb_epoch=2, verbose=0, validation_split=0.25)
    found = [before, model.predict(x), model.predict(x, train_mode=True), list(model.evaluate(x, y).values()),
             [list(logs.values()) for logs in history]]
    if folder is not None:
        arch, weights = folder / f'{number}.yaml', folder / f'{number}.safetensors'
        model.save_to_file(arch, weights, overwrite=True)
        again = Model.load_from_file(arch, weights, custom_objects=[Block])
        np.testing.assert_array_equal(again.predict(x), found[1])
    return [np.asarray(one) for one in found]


def assert_same(found, expected):
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_threads_give_what_one_thread_gives(trials, tmp_path):
    expected = {(make, number): lifetime(make, number) for make, number in ((vectors, 1), (series, 2))}
    for rng in trials(1):
        some = rng.choices(list(expected), k=3)
        for one, found in zip(some, at_once(*[functools.partial(lifetime, *one, tmp_path) for one in some])):
            assert_same(found, expected[one])


def test_one_model_is_asked_by_many_threads():
    model, x, _ = vectors('asked')
    batches = [np.random.default_rng(number).normal(size=(8, 6)) for number in range(4)]
    expected = [model.predict(batch) for batch in batches]
    fresh = Model(model.inputs, model.outputs)      # whose function all threads need first

    def ask(number):
        return [fresh.predict(batches[number]) for _ in range(25)]
    for found, right in zip(at_once(*[functools.partial(ask, number) for number in range(4)]), expected):
        for one in found:
            np.testing.assert_allclose(one, right, rtol=1e-5, atol=1e-6)


def test_a_generator_may_use_any_model_also_the_one_in_training():
    def run(uses):
        keraflow.seed(3)
        encoder, x, _ = vectors('encoder')
        encoder.trainable = False
        h = Input(2)
        model = Model(h, Dense(2)(BatchNormalization()(Dropout(0.5)(Dense(4)(h)))))
        model.compile('sgd', 'mse')
        codes = encoder.predict(x)

        def batches():
            for number in range(4):
                if uses:
                    np.testing.assert_allclose(encoder.predict(x), codes, rtol=1e-5)
                    assert B.current_phase() == 'test'
                    B.eval(encoder(x))
                    assert np.isfinite(model.predict(codes)).all()
                    if number == 1:
                        encoder.compile('sgd', 'mse')
                        encoder.evaluate(x, Y)
                        other, _, _ = vectors('other')
                        other.compile('sgd', 'mse')
                        other.fit(x, Y, nb_epoch=1, verbose=0)
                yield codes, Y
        return model.fit(batches, nb_epoch=2, verbose=0).column('loss'), model.get_weights()

    (losses, weights), (expected, expected_weights) = run(True), run(False)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert_same(weights.values(), expected_weights.values())


def test_a_callback_may_wait_for_a_thread_that_uses_the_model():
    model, x, y = vectors('asked')
    model.compile('sgd', 'mse')
    seen = []

    class Asks(Callback):
        def on_batch_end(self, batch, logs):
            def use():
                model.set_weights(model.get_weights())
                seen.append(model.predict(x))
            thread = threading.Thread(target=use)
            thread.start()
            thread.join(60)
            assert not thread.is_alive()
    model.fit(x, y, batch_size=8, nb_epoch=1, verbose=0, callbacks=[Asks()])
    assert len(seen) == 2


def test_two_threads_may_wait_for_each_other_while_functions_are_built():
    gate = threading.Barrier(2)

    class Meets(Layer):
        armed = False

        def output(self, x):
            if self.armed:
                gate.wait(60)
            return x * 1.
    models = []
    for _ in range(2):
        x = Input(6)
        models.append(Model(x, Dense(2)(Meets()(x))))
        models[-1].compile('sgd', 'mse')
    Meets.armed = True
    at_once(*[functools.partial(model.predict, X) for model in models])
    at_once(*[functools.partial(model.fit, X, Y, nb_epoch=1, verbose=0) for model in models])


def test_a_lost_mask_is_reported_once():
    class Loses(Layer):
        def output(self, x):
            return B.sum(x, 1)

        def output_shape(self, input_shape):
            return (input_shape[0], input_shape[2])
    layer = Loses()
    with pytest.warns(KeraFlowWarning, match='mask of its input is lost') as told:
        at_once(*[lambda: layer(Input((3, 2), mask_value=0.))] * 4)
    assert len(told) == 1
