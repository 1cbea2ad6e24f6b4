"""What is drawn while a model runs is the model's own: a function of the seed, of its number and of its epochs."""
import threading

import numpy as np
import pytest
from threads import at_once, elsewhere

import keraflow
from keraflow import TrainStep
from keraflow import backend as B
from keraflow import random
from keraflow.callbacks import Callback
from keraflow.layers import Dense, Dropout, Flatten, GaussianNoise, Input, Layer
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.preprocessing.image import ImageDataGenerator

X, Y = np.random.default_rng(0).normal(size=(12, 4)), np.random.default_rng(1).normal(size=(12, 2))
NUMBERS = np.arange(10.)[:, None]


def noisy(**kwargs):
    x = Input(4)
    model = Model(x, Dense(2)(Dropout(0.5)(Dense(8, activation='tanh')(GaussianNoise(0.1)(x)))), **kwargs)
    model.compile(SGD(0.05, momentum=0.9), 'mse')
    return model


def trained(model, **kwargs):
    return model.fit(X, Y, **{'batch_size': 4, 'nb_epoch': 2, 'verbose': 0, **kwargs}).column('loss')


def counting_model():
    """A model that learns nothing, and whose loss for a batch of one is the sample itself."""
    x = Input(1)
    model = Model(x, Dense(1, init='one', bias=False)(x))
    model.compile(SGD(lr=1e-30), 'ae')
    return model


def orders(model, nb_epoch):
    seen = []

    class Watch(Callback):
        def on_batch_end(self, batch, logs):
            seen.append(logs['loss'])
    model.fit(NUMBERS, 0 * NUMBERS, batch_size=1, nb_epoch=nb_epoch, verbose=0, callbacks=[Watch()])
    return np.reshape(seen, (nb_epoch, -1)).astype(int).tolist()


def disturb(kind):
    """What a program may do while, or before, another model trains."""
    if kind == 'draws of the program':
        random.generator().normal(size=7)
    elif kind == 'layers outside models':
        with keraflow.phase('train'):
            B.eval(Dropout(0.5)(np.ones((3, 4))))
    elif kind == 'another model':
        trained(noisy(), nb_epoch=1)
    elif kind == 'another model that predicts as in training':
        noisy().predict(X, train_mode=True)
    elif kind == 'a step of its own':
        inputs, model = Input(4), noisy()
        TrainStep(lambda x: B.sum(model(x)), inputs, model, 'sgd')(X)


DISTURBANCES = ['draws of the program', 'layers outside models', 'another model', 'another model that predicts as in training',
                'a step of its own']


@pytest.mark.parametrize('kind', DISTURBANCES)
def test_what_others_draw_changes_no_pictures(kind):
    """A flow draws in the thread that reads ahead, while the program may draw what it likes."""
    class Disturbing(Callback):
        def on_batch_begin(self, batch, logs):
            disturb(kind)
    ends = []
    for callbacks in ([], [Disturbing()]):
        keraflow.seed(5)
        flow = ImageDataGenerator(width_shift_range=0.3, horizontal_flip=True).flow(X.reshape(12, 1, 2, 2), Y, batch_size=2)
        x = Input((1, 2, 2))
        model = Model(x, Dense(2)(Flatten()(x)))
        model.compile(SGD(0.05), 'mse')
        ends.append(model.fit(flow, nb_epoch=3, verbose=0, callbacks=callbacks).column('loss'))
    assert ends[0] == ends[1]


def test_pictures_change_nothing_that_the_program_draws():
    drawn = []
    for nb_epoch in (0, 2):
        keraflow.seed(6)
        flow = ImageDataGenerator(horizontal_flip=True).flow(X.reshape(12, 1, 2, 2), batch_size=2)
        for _ in range(nb_epoch):
            list(flow)
        drawn.append([*noisy().get_weights().values(), trained(noisy(), nb_epoch=1)])
    for one, other in zip(*drawn):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize('kind', DISTURBANCES)
def test_what_others_draw_changes_nothing(kind):
    class Disturbing(Callback):
        def on_batch_begin(self, batch, logs):
            if batch == 1:
                disturb(kind)
    keraflow.seed(5)
    expected = trained(noisy())
    keraflow.seed(5)
    model = noisy()
    disturb(kind)
    elsewhere(lambda: disturb(kind))
    assert trained(model, callbacks=[Disturbing()]) == expected


def test_the_orders_are_those_of_numpy():
    keraflow.seed(9)
    models = [counting_model() for _ in range(3)]
    found = [orders(models[number], 1) for number in (2, 0, 1)] + [orders(models[0], 2)]     # in whatever order they train
    assert found == [[np.random.default_rng([9, number, 0]).permutation(10).tolist()] for number in (3, 1, 2)] + [
        [np.random.default_rng([9, 1, epoch]).permutation(10).tolist() for epoch in (1, 2)]]


def test_no_epoch_repeats_another_one_over_several_fits_and_none_is_counted_that_draws_nothing():
    model = counting_model()
    found = [*orders(model, 2), *orders(model, 1)]
    model.fit(NUMBERS, 0 * NUMBERS, nb_epoch=2, verbose=0, shuffle=False)
    model.evaluate(NUMBERS, 0 * NUMBERS)
    found += orders(model, 1)
    assert found == [np.random.default_rng([0, 1, epoch]).permutation(10).tolist() for epoch in range(4)]


def test_a_seed_begins_models_anew_that_are_there():
    model, other = noisy(), noisy()
    start = model.get_weights()
    found = []
    for seed in (3, 3, 4):
        for one in (model, other):
            one.set_weights(start)
            one.compile(SGD(0.05, momentum=0.9), 'mse')
            keraflow.seed(seed)
            found.append(trained(one))
    assert found[0] == found[1] == found[2] == found[3] != found[4] == found[5]


def test_masks_of_two_models_are_not_the_same():
    keraflow.seed(1)
    x = Input(50)
    first, second = Model(x, Dropout(0.5)(x)), Model(x, Dropout(0.5)(x))
    ones = np.ones((4, 50))
    found = [model.predict(ones, train_mode=True) for model in (first, second, first)]
    assert all(np.any(found[one] != found[other]) for one, other in ((0, 1), (0, 2), (1, 2)))
    keraflow.seed(1)
    again = Model(x, Dropout(0.5)(x)), Model(x, Dropout(0.5)(x))
    np.testing.assert_array_equal(again[1].predict(ones, train_mode=True), found[1])
    np.testing.assert_array_equal(again[0].predict(ones, train_mode=True), found[0])


def test_a_model_in_a_model_draws_from_the_outermost_that_runs():
    def made():
        keraflow.seed(2)
        inner = noisy()
        x = Input(4)
        return inner, Model(x, inner(x))
    _, outer = made()
    expected = [outer.predict(X, train_mode=True) for _ in range(2)]
    inner, outer = made()
    before = inner.predict(X, train_mode=True)
    found = [outer.predict(X, train_mode=True)]
    after = inner.predict(X, train_mode=True)
    found.append(outer.predict(X, train_mode=True))
    np.testing.assert_array_equal(found, expected)
    inner, _ = made()
    np.testing.assert_array_equal([inner.predict(X, train_mode=True) for _ in range(2)], [before, after])


def test_a_model_called_on_tensors_draws_from_its_own_stream_and_a_layer_from_that_of_the_program():
    keraflow.seed(6)
    x = Input(50)
    model, layer, ones = Model(x, Dropout(0.5)(x)), Dropout(0.5), np.ones((2, 50), 'float32')

    def drawn(one):
        with keraflow.phase('train'):
            return B.eval(one(ones))
    first, second, own = drawn(model), drawn(model), drawn(layer)
    assert np.any(first != second) and np.any(first != own)
    keraflow.seed(6)
    again = Model(x, Dropout(0.5)(x))
    np.testing.assert_array_equal(drawn(layer), own)
    np.testing.assert_array_equal(drawn(again), first)


class Host(Layer):
    def output(self, x):
        return self.embed(Sequential([Dense(4), Dropout(0.5)]))(x)

    def output_shape(self, input_shape):
        return input_shape


def test_models_that_files_and_outputs_make_get_no_number(tmp_path):
    noisy().save_to_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    keraflow.seed(7)
    Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    elsewhere(lambda: Model.load_from_file(tmp_path / 'm.yaml'))
    Sequential([Input(4), Host()]).predict(X)       # this one is the first of the program
    assert orders(counting_model(), 1) == [np.random.default_rng([7, 2, 0]).permutation(10).tolist()]
    loaded = Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    losses = []
    for seed in (7, 7, 8):
        keraflow.seed(seed)
        loaded.set_weights(Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors').get_weights())
        loaded.compile(SGD(0.05), 'mse')
        losses.append(trained(loaded))
    assert losses[0] == losses[1] != losses[2]


def test_threads_build_the_same_models_in_each_run_from_generators_of_their_own():
    def build(number):
        with random.using(np.random.default_rng(number)):
            return [trained(noisy()) for _ in range(2)]
    keraflow.seed(1)
    expected = [build(number) for number in (1, 2)]
    keraflow.seed(3)
    noisy()
    assert at_once(lambda: build(1), lambda: build(2)) == expected
    assert expected[0][0] != expected[0][1] != expected[1][0]


def test_loading_in_threads_leaves_the_generator_of_the_program(tmp_path):
    noisy().save_to_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    keraflow.seed(4)
    before, expected = random.generator(), np.random.default_rng(4).normal(size=20)
    leave = threading.Event()

    def load():
        while not leave.is_set():
            Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')

    def draw():
        found = []
        for _ in range(20):
            found.append(random.generator().normal())
            leave.wait(0.005)
        leave.set()
        return found
    *_, found = at_once(load, load, draw)
    assert random.generator() is before
    np.testing.assert_array_equal(found, expected)


def test_a_step_of_its_own_has_a_stream():
    def losses(disturbed):
        keraflow.seed(8)
        model = noisy()
        step = TrainStep(lambda x, y: B.mean(B.square(model(x) - y)), [Input(4), Input(2)], model, 'sgd')
        found = []
        for _ in range(3):
            if disturbed:
                model.predict(X, train_mode=True)
                disturb('layers outside models')
            found.append(step(X, Y))
        return found
    assert losses(False) == losses(True)


@pytest.mark.parametrize('nb_before', [0, 3])
def test_training_goes_on_from_a_file_with_orders_and_masks(nb_before, tmp_path):
    keraflow.seed(11)
    whole = noisy()
    start = whole.get_weights()
    expected = trained(whole, nb_epoch=4)
    keraflow.seed(11)
    first = noisy()
    first.set_weights(start)
    begun = trained(first, nb_epoch=2)
    first.save_training(tmp_path / 't.safetensors')
    keraflow.seed(99)       # another program, that has made other models before
    for _ in range(nb_before):
        trained(noisy(), nb_epoch=1)
    second = noisy()
    second.load_training(tmp_path / 't.safetensors')
    assert [*begun, *trained(second, nb_epoch=2)] == expected
