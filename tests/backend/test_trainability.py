"""`trainable` is read by compile, once: for parameters, states and regularizers, in every function that is built later."""
import numpy as np
import pytest

import keraflow
from keraflow import TrainStep
from keraflow import backend as B
from keraflow.errors import KeraFlowWarning
from keraflow.layers import BatchNormalization, Dense, Input, Layer, TimeDistributed
from keraflow.models import Model, Sequential

X = np.random.default_rng(1).normal(3, 2, (64, 2))
Y = np.ones((64, 1))
CHANGED = 'was changed after compile'


class Counting(Layer):
    """Counts, in a state, how often it is trained."""

    def init_param(self, input_shape):
        self.set_state_params('n', np.zeros(()))

    def output(self, x):
        if not self.is_frozen:
            self.add_update(self.n, self.latest(self.n) + 1.)
        return x


class CountingByAttribute(Counting):
    """Asks its own attribute."""

    def output(self, x):
        if self.trainable and B.current_phase() == 'train':
            self.add_update(self.n, self.latest(self.n) + 1.)
        return x


class Block(Layer):
    """Embeds what has states."""

    def __init__(self, inner=None, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner or BatchNormalization()

    def output(self, x):
        return self.embed(self.inner)(self.embed(Dense(3))(x))

    def output_shape(self, input_shape):
        return (input_shape[0], 3)


def bodies():
    """Layers by the way in which the one that is frozen has its states."""
    return {'a layer': lambda: BatchNormalization(), 'one that embeds it': lambda: Block(), 'an update of its own': lambda: Counting(),
            'its own attribute': lambda: CountingByAttribute(), 'a sequence as a layer': lambda: Sequential([Dense(3), BatchNormalization()]),
            'a model in it': lambda: Sequential([Input(3), Dense(3), BatchNormalization()]),
            'a model in a model': lambda: Sequential([Input(3), Sequential([Input(3), Dense(3), BatchNormalization()])])}


def made(kind):
    keraflow.seed(0)
    body = bodies()[kind]()
    return Sequential([Input(2), Dense(3, name='h'), body, Dense(1, activation='sigmoid', name='o')], name='d'), body


def moved(layer, act):
    before = layer.get_weights()
    act()
    return {bool(np.any(before[name] != now)) for name, now in layer.get_weights().items()}


@pytest.fixture(params=['no fit before', 'a fit before', 'evaluated before'])
def used(request):
    """Brings a compiled model to where its functions are built, or not yet."""
    return {'no fit before': lambda model: None, 'a fit before': lambda model: model.fit(X, Y, nb_epoch=1, verbose=0),
            'evaluated before': lambda model: model.evaluate(X, Y)}[request.param]


@pytest.mark.parametrize('weights', [None, Y.ravel()], ids=['', 'weighted'])
@pytest.mark.parametrize('which', ['the model', 'the layer'])
@pytest.mark.parametrize('kind', bodies())
def test_what_was_compiled_to_be_trained_is(kind, which, weights, used):
    model, body = made(kind)
    model.compile('sgd', 'binary_crossentropy')
    used(model)
    frozen = model if which == 'the model' else body
    frozen.trainable = False
    with pytest.warns(KeraFlowWarning, match=CHANGED):
        assert moved(body, lambda: model.fit(X, Y, nb_epoch=2, verbose=0, sample_weights=weights)) == {True}


@pytest.mark.parametrize('kind', bodies())
def test_what_was_compiled_frozen_stays(kind):
    model, body = made(kind)
    body.trainable = False
    model.compile('sgd', 'binary_crossentropy')
    body.trainable = True
    with pytest.warns(KeraFlowWarning, match=CHANGED):
        assert moved(body, lambda: model.fit(X, Y, nb_epoch=2, verbose=0)) == {False}
    model.compile('sgd', 'binary_crossentropy')
    assert moved(body, lambda: model.fit(X, Y, nb_epoch=2, verbose=0)) == {True}


def test_the_usual_program_of_two_models_that_play_against_each_other():
    def pair(trains_first):
        keraflow.seed(0)
        d = Sequential([Input(2), Dense(3), BatchNormalization(), Dense(1, activation='sigmoid')], name='d')
        g = Sequential([Input(2), Dense(2), BatchNormalization(), Dense(2)], name='g')
        d.compile('sgd', 'binary_crossentropy')
        if trains_first:
            d.fit(X, Y, nb_epoch=0, verbose=0)
            d.evaluate(X, Y)
        d.trainable = False
        z = Input(2)
        gan = Model(z, d(g(z)))
        gan.compile('sgd', 'binary_crossentropy')
        return d, g, gan
    ends = []
    for trains_first in (False, True):
        d, g, gan = pair(trains_first)
        with pytest.warns(KeraFlowWarning, match='d: fit: trainable of d was changed'):
            assert moved(d, lambda: d.fit(X, Y, nb_epoch=1, verbose=0)) == {True}
        assert moved(d, lambda: gan.fit(X, Y, nb_epoch=1, verbose=0)) == {False}
        assert moved(g, lambda: gan.fit(X, Y, nb_epoch=1, verbose=0)) == {True}
        for _ in range(2):      # it is said once
            d.fit(X, Y, nb_epoch=1, verbose=0)
            gan.fit(X, Y, nb_epoch=1, verbose=0)
        ends.append([*d.get_weights().values(), *g.get_weights().values()])
    for one, other in zip(*ends):
        np.testing.assert_array_equal(one, other)


def test_one_that_is_compiled_unfrozen_again_and_again():
    d = Sequential([Input(2), Dense(3), BatchNormalization(), Dense(1, activation='sigmoid')], name='d')
    z = Input(2)
    gan = Model(z, d(Dense(2, name='g')(z)), name='gan')
    for _ in range(2):
        d.trainable = True
        d.compile('sgd', 'binary_crossentropy')
        assert moved(d, lambda: d.fit(X, Y, nb_epoch=1, verbose=0)) == {True}
        d.trainable = False
        gan.compile('sgd', 'binary_crossentropy')
        assert moved(d, lambda: gan.fit(X, Y, nb_epoch=1, verbose=0)) == {False}


def test_regularizers_of_what_compile_read_as_trained_count():
    def loss(before, after):
        keraflow.seed(0)
        layer = Dense(1, init='one', regularizers=['l2'], trainable=before)
        model = Sequential([Input(2), Dense(2, init='zero'), layer])
        model.compile('sgd', 'mse', report_terms=True)
        layer.trainable = after
        if before != after:
            with pytest.warns(KeraFlowWarning, match=CHANGED):
                return model.fit(X, Y, nb_epoch=1, batch_size=64, verbose=0)[0]['loss']
        return model.fit(X, Y, nb_epoch=1, batch_size=64, verbose=0)[0]['loss']
    assert loss(True, False) == loss(True, True) == pytest.approx(1.02) and loss(False, True) == loss(False, False) == pytest.approx(1.)


def test_looking_at_training_follows_compile():
    model, _ = made('a layer')
    model.compile('sgd', 'binary_crossentropy')
    training = model.predict(X, train_mode=True)
    model.trainable = False
    np.testing.assert_array_equal(model.predict(X, train_mode=True), training)
    np.testing.assert_array_equal(model.capture('o/output', X, train_mode=True), training)
    model.compile('sgd', 'binary_crossentropy')
    np.testing.assert_array_equal(model.predict(X, train_mode=True), model.predict(X))
    assert np.any(model.predict(X) != training)
    free, _ = made('a layer')           # that was not compiled is looked at as it is
    np.testing.assert_allclose(free.predict(X, train_mode=True), training, rtol=1e-5)
    free.trainable = False
    np.testing.assert_array_equal(free.predict(X, train_mode=True), free.predict(X))


@pytest.mark.parametrize('frozen', [True, False])
def test_a_step_of_ones_own_reads_it_when_it_is_made(frozen):
    g = Sequential([Input(2), Dense(2), BatchNormalization()])
    d = Sequential([Input(2), Counting(), Dense(1, activation='sigmoid')])
    d.trainable = not frozen
    step = TrainStep(lambda z: B.mean(B.square(d(g(z)))), Input(2), g, 'sgd')
    d.trainable, g.layers[-1].trainable = frozen, False
    assert moved(d.layers[1], lambda: step(X)) == {not frozen}      # it is not in `train`, but the step runs it
    assert moved(g, lambda: step(X)) == {True}


def test_which_changes_are_told():
    def changed(change, trainable=True):
        inner = Sequential([Input(3), Dense(3, name='deep'), BatchNormalization(name='bn')], name='inner')
        model = Sequential([Input(2), Dense(3, name='h'), inner, Block(name='block'), Dense(1, name='o')], name='m', trainable=trainable)
        model.compile('sgd', 'mse')
        change(model)
        return model._functions.predictor.trainability.changed()

    def all_of_them(model):
        for layer in model.layers:
            layer.trainable = False
    assert changed(lambda model: None) == []
    assert changed(lambda model: setattr(model, 'trainable', False)) == ['m']
    assert changed(all_of_them) == ['h', 'inner', 'block', 'o']          # not the Input, which has no parameters
    assert changed(lambda model: setattr(model.get_layer('inner/bn'), 'trainable', False)) == ['inner/bn']
    assert changed(lambda model: setattr(model.get_layer('block/1'), 'trainable', False)) == ['block/1']
    assert changed(all_of_them, trainable=False) == []                   # nothing is trained in either case

    def back(model):
        model.trainable = False
        model.trainable = True
    assert changed(back) == []


def test_many_changes_are_counted():
    layers = [Dense(2, name=f'd{number}') for number in range(7)]
    model = Sequential([Input(2), *layers], name='m')
    model.compile('sgd', 'mse')
    for layer in layers:
        layer.trainable = False
    with pytest.warns(KeraFlowWarning) as told:
        model.fit(X, X, nb_epoch=1, verbose=0)
    assert str(told[0].message) == ('m: fit: trainable of d0, d1, d2, d3, d4 and 2 more was changed after compile, which reads it: it is trained '
                                    'as compile read it. Compile again if the change is to count here; if it is meant for another model alone, '
                                    'as in a GAN, ignore this warning.')


def test_layers_of_other_layers_are_frozen_with_them():
    steps = TimeDistributed(Sequential([Dense(3), BatchNormalization()]), name='steps')
    model = Sequential([Input((4, 2)), steps], name='m')
    model.compile('sgd', 'mse')
    steps.trainable = False
    with pytest.warns(KeraFlowWarning, match='trainable of steps was'):
        assert moved(steps, lambda: model.fit(np.ones((8, 4, 2)) * np.arange(8)[:, None, None], np.zeros((8, 4, 3)), nb_epoch=1, verbose=0)) == {True}
