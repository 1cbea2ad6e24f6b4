"""``model.profile``: which parts a step has, what is measured for each, and that nothing of the model changes."""
import json
import math

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.backend.watching import watching
from keraflow.callbacks import Callback
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, GraphError
from keraflow.graph.trainability import Trainability
from keraflow.layers import (LSTM, BatchNormalization, Concatenate, Convolution2D, Dense, Dropout, Embedding, Flatten,
                             Input, Layer, Pooling2D, TimeDistributed)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.training.profiling import timing
from keraflow.training.profiling.alone import Alone, Trained, of_layer
from keraflow.training.profiling.counting import Counter

RNG = np.random.default_rng(0)


def reals(*shape):
    return RNG.normal(size=shape).astype('float32')


def classes(nb_sample, nb_class=3):
    return np.eye(nb_class, dtype='float32')[RNG.integers(0, nb_class, nb_sample)]


@pytest.fixture
def quick(monkeypatch):
    """Profiles with turns of a few steps."""
    monkeypatch.setattr(timing, '_MAX_NB_STEP', 2)


class Hosting(Layer):
    def output(self, x):
        return self.embed(Dense(3))(self.embed(Dense(4, activation='relu'))(x))


def small(execution='plain', **compile_args):
    model = Sequential([Input(5), Dense(4, activation='relu'), Dropout(0.5), BatchNormalization(), Dense(3, activation='softmax')], name='small')
    model.compile('adam', 'categorical_crossentropy', execution=execution, **compile_args)
    return model


def paths(profile):
    return [(one.inside, one.path, one.nb_run) for one in profile.parts]


def test_each_layer_and_what_else_a_step_does_is_a_part(quick):
    profile = small(metrics=['accuracy']).profile(reals(20, 5), classes(20), batch_size=8, nb_turn=1)
    assert paths(profile) == [('', name, 1) for name in ('(data)', 'dense1', 'dropout1', 'batchnormalization1', 'dense2', '(loss)', '(update)', '(Python)')]
    assert [one.kind for one in profile.parts] == ['a batch', 'Dense', 'Dropout', 'BatchNormalization', 'Dense', 'and metrics', 'Adam', 'of fit']
    assert (profile.batch_size, profile.backend, profile.model) == (8, B.name(), 'small')
    dense = profile.parts[1]
    assert (dense.flop, dense.nb_param) == (2 * 8 * 5 * 4 + 2 * 8 * 4, 5 * 4 + 4)
    assert dense.forward is not None and dense.backward is not None


@pytest.mark.parametrize('execution', ['auto', 'plain', 'compiled', 'whole'])
def test_each_part_takes_the_road_of_the_step(quick, monkeypatch, execution):
    taken = []

    class Loop(timing.TimedLoop):
        def __init__(self, builder, specs, arrays, execution, nb_sample=1):
            super().__init__(builder, specs, arrays, execution, nb_sample)
            taken.append((execution, self))
    monkeypatch.setattr('keraflow.training.profiling.profiler.TimedLoop', Loop)
    profile = small(execution).profile(reals(16, 5), classes(16), batch_size=8, nb_turn=1)
    # With one road a backend takes it; TensorFlow the one that was asked for, and for many steps of this model 'whole'.
    expected = 'plain' if B.name() != 'tensorflow' else 'whole' if execution == 'auto' else execution
    assert profile.execution == expected and len(taken) == 3 + 4 * 3 + 3
    assert {(asked, one._loop.execution) for asked, one in taken} == {(expected, expected)}


def test_the_sums_are_told_and_not_forced(quick):
    profile = small().profile(reals(16, 5), classes(16), batch_size=8, nb_turn=1)
    assert math.isclose(sum(profile.stages.values()), profile.step)
    assert list(profile.stages) == ['data', 'forward', 'backward', 'update', 'Python']
    assert math.isclose(profile.sum, sum((one.forward or 0.) + (one.backward or 0.) for one in profile.parts if not one.inside))
    assert math.isclose(profile.rest, profile.step - profile.sum)
    assert json.loads(json.dumps(profile.data()))['rest'] == profile.rest


def test_embedded_layers_shared_layers_and_several_inputs(quick):
    shared = Dense(4, name='shared')
    a, b = Input(5, name='a'), Input(5, name='b')
    joined = Concatenate(name='joined')([shared(a), shared(b)])
    model = Model([a, b], [Hosting(name='host')(joined), Dense(2, name='other')(joined)])
    model.compile('sgd', ['mse', 'mse'], execution='plain')
    profile = model.profile({'a': reals(8, 5), 'b': reals(8, 5)}, [reals(8, 3), reals(8, 2)], batch_size=4, nb_turn=1)
    assert paths(profile)[1:-3] == [('', 'shared', 2), ('', 'joined', 1), ('', 'host', 1), ('host', 'host/1', 1), ('host', 'host/0', 1), ('', 'other', 1)]
    by_path = {one.path: one for one in profile.parts}
    assert by_path['host'].flop == by_path['host/0'].flop + by_path['host/1'].flop
    assert by_path['shared'].flop == 2 * (2 * 4 * 5 * 4 + 4 * 4)
    assert all(one.forward is not None for one in profile.parts)


def test_masks_tables_loops_and_weights(quick):
    x = Input(6, dtype='int32', mask_value=0)
    y = TimeDistributed(Dense(2), name='each')(LSTM(4, return_sequences=True, name='lstm')(Embedding(10, 3, name='table')(x)))
    model = Model(x, y)
    model.compile(SGD(0.1), 'mse', metrics=['mae'], execution='plain')
    profile = model.profile(RNG.integers(0, 10, (8, 6)), reals(8, 6, 2), batch_size=4, sample_weights=np.ones((8, 6)), nb_turn=1)
    assert [path for _, path, _ in paths(profile)[1:-3]] == ['table', 'lstm', 'each', 'each/0']
    assert profile.parts[2].nb_uncounted == 0
    assert all(one.forward is not None for one in profile.parts)


class InLoop(Layer):
    """Runs a layer in each time step."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = Dense(3)

    def output(self, x):
        inner = self.embed(self.inner)
        inner(x[:, 0])      # which makes its parameters
        return B.scan(lambda slices, states, _: [inner(slices[0]) + states[0]], [B.transpose(x, [1, 0, 2])], [B.zeros((2, 3))], collect=False)[1][0]


def test_a_layer_inside_a_loop_over_time_is_counted_and_not_measured(quick):
    model = Sequential([Input((4, 3), batch_size=2), InLoop(name='looping')])
    model.compile('sgd', 'mse', execution='plain')
    profile = model.profile(reals(4, 4, 3), reals(4, 3), nb_turn=1)
    inner = [one for one in profile.parts if one.inside == 'looping']
    assert [one.path for one in inner] == ['looping/0'] and inner[0].nb_run == 2
    assert inner[0].flop == (1 + 4) * (2 * 2 * 3 * 3 + 2 * 3)       # outside of the loop, and in four steps


def test_images_in_both_layouts(quick):
    for data_format, shape in ('channels_first', (2, 8, 8)), ('channels_last', (8, 8, 2)):
        model = Sequential([Input(shape), Convolution2D(3, 3, 3, data_format=data_format, activation='relu'),
                            Pooling2D('max', (2, 2), data_format=data_format), Flatten(), Dense(2)])
        model.compile('sgd', 'mse', execution='plain')
        profile = model.profile(reals(4, *shape), reals(4, 2), nb_turn=1)
        assert profile.parts[1].flop == 2 * 4 * 3 * 6 * 6 * 3 * 3 * 2 + 2 * (4 * 3 * 6 * 6)
        assert profile.batch_size == 4


def test_frozen_layers_have_no_gradients(quick):
    model = Sequential([Input(5), Dense(4, name='frozen', trainable=False), Dense(3, name='trained')])
    model.compile('sgd', 'mse', execution='plain')
    profile = model.profile(reals(4, 5), reals(4, 3), nb_turn=1)
    frozen, trained = profile.parts[1:3]
    assert frozen.backward is None and frozen.flop_backward == 0 and frozen.forward is not None
    assert trained.backward is not None and trained.flop_backward == 2 * 4 * 4 * 3 + 2 * 4 * 3      # and to both operands of the sum


def test_what_layers_and_regularizers_add_to_the_loss_is_part_of_it(quick):
    model = Sequential([Input(5), Dense(4, regularizers=['l2'], activity_regularizer='l1'), Dense(3, constraints=['nonneg'])])
    model.compile('adam', 'mse', report_terms=True, execution='plain')
    profile = model.profile(reals(4, 5), reals(4, 3), nb_turn=1)
    assert profile.parts[3].path == '(loss)' and profile.parts[3].flop > 2 * 5 * 4


# -- nothing changes ----------------------------------------------------------------------------------------------------

def trained(profiles):
    B.seed(1)
    model, rng = small(metrics=['accuracy']), np.random.default_rng(1)
    x, y = rng.normal(size=(24, 5)), np.eye(3)[rng.integers(0, 3, 24)]
    logs = []
    for _ in range(2):
        logs += model.fit(x, y, batch_size=8, nb_epoch=2, verbose=0)
        if profiles:
            model.profile(x, y, batch_size=4, nb_turn=1)
    return logs, model.get_weights(), {name: B.get_value(one) for name, one in model.optimizer.state().items()}


def test_a_model_trains_as_if_it_had_not_been_profiled(quick):
    (logs, weights, state), (logs_then, weights_then, state_then) = trained(False), trained(True)
    assert logs == logs_then
    for before, after in (weights, weights_then), (state, state_then):
        assert before.keys() == after.keys()
        for name in before:
            np.testing.assert_array_equal(before[name], after[name])


def test_other_models_draw_as_if_there_had_been_no_profile(quick):
    numbers = []
    for profiles in (False, True):
        B.seed(1)
        model = small()
        if profiles:
            model.profile(reals(8, 5), classes(8), nb_turn=1)
        numbers.append(small()._stream.number)
    assert numbers == [2, 2]


def test_an_error_leaves_the_model_as_it_was(quick, monkeypatch):
    model = small()
    before = model.get_weights()

    def fail(*args):
        raise KeyboardInterrupt
    monkeypatch.setattr('keraflow.training.profiling.profiler.take_turns', fail)
    with pytest.raises(KeyboardInterrupt):
        model.profile(reals(8, 5), classes(8), nb_turn=1)
    for name, value in model.get_weights().items():
        np.testing.assert_array_equal(value, before[name])
    assert model.stop_training is False


# -- what is measured ----------------------------------------------------------------------------------------------------

def test_the_parts_are_the_differences_between_what_is_timed(monkeypatch):
    # Each function takes one millisecond more than the one made before it.
    monkeypatch.setattr(timing, '_MAX_NB_STEP', 2)
    made = []

    def turn(self):
        made.append(self) if self not in made else None
        self._seconds.append(0.001 * (made.index(self) + 1) ** 2)
    monkeypatch.setattr(timing.Stopwatch, 'turn', turn)
    model = Sequential([Input(5), Dense(3)])
    model.compile('sgd', 'mse', execution='plain')
    profile = model.profile(reals(4, 5), reals(4, 3), nb_turn=3)
    # In this order: a step of fit; until data, forward, backward, update; the layer: nothing, forward, backward; the loss.
    assert profile.step == pytest.approx(1)
    assert profile.stages == pytest.approx({'data': 4, 'forward': 9 - 4, 'backward': 16 - 9, 'update': 25 - 16, 'Python': 1 - 25})
    assert [(one.path, one.forward, one.backward) for one in profile.parts] == [
        ('(data)', pytest.approx(4), None), ('dense1', pytest.approx(49 - 36), pytest.approx(64 - 49)),
        ('(loss)', pytest.approx(100 - 81), pytest.approx(121 - 100)), ('(update)', pytest.approx(9), None), ('(Python)', pytest.approx(-24), None)]


def test_a_layer_that_runs_alone_computes_what_it_computes_in_the_step():
    dense, x = Dense(3, activation='relu'), reals(4, 5)
    dense.build((4, 5))
    kept = {}

    def run(tensor):
        counter = Counter((), dense.trainable_variables)
        with B.phase('train'), watching(counter):
            dense.run([tensor])
        kept['alone'] = Alone(counter.whole.inner[0], of_layer(dense), [Trained(one, False) for one in dense.trainable_variables],
                              Trainability([dense]))
        return kept['alone'].tensors, []
    alone_arrays = [np.asarray(it) for it in B.compile(run, [TensorSpec((4, 5), 'float32')])(x)]
    alone = kept['alone']
    alone.take(alone_arrays)
    fed, g = alone.arrays
    np.testing.assert_array_equal(fed, x)
    samples = [it[:1] for it in alone.samples()]
    W, b = dense.get_weights()['W'], dense.get_weights()['b']
    y = np.maximum(x @ W + b, 0)
    B.compile(alone.forward, alone.specs())(*samples)
    np.testing.assert_allclose(B.get_value(alone._outputs[0]), y, rtol=1e-5, atol=1e-6)
    [total] = B.compile(alone.backward, alone.specs())(*samples)
    assert np.asarray(total) == pytest.approx([(y * g).sum()], rel=1e-5)
    g = g * (y > 0)
    for variable, expected in zip(alone._gradients, [x.T @ g, g.sum(0), g @ W.T]):
        np.testing.assert_allclose(B.get_value(variable), expected, rtol=1e-4, atol=1e-5)
    B.compile(alone.nothing, alone.specs())(*samples)
    np.testing.assert_array_equal(B.get_value(alone._inputs[0]), x)


def test_memory_is_estimated_from_shapes(quick):
    model = Sequential([Input(5), Dense(4, activation='relu'), Dense(3)])
    model.compile('adam', 'mse', execution='plain')
    memory = model.profile(reals(16, 5), reals(16, 3), batch_size=8, nb_turn=1).memory
    nb_param = 5 * 4 + 4 + 4 * 3 + 3
    assert memory['parameters'] == memory['gradients'] == 4 * nb_param
    assert memory['optimizer'] == 2 * 4 * nb_param + 8      # two moments, and the number of the step
    assert (memory['batch'], memory['data']) == (4 * 8 * (5 + 3), 4 * 16 * (5 + 3))
    assert 4 * 8 * 4 <= memory['kept'] <= 4 * 8 * (4 + 3 * 3)        # what the activation gives, and some of the loss
    assert memory['estimated'] == sum(memory[name] for name in ('parameters', 'optimizer', 'gradients', 'kept', 'batch', 'data'))
    assert memory['peak'] is None or memory['peak'] >= (memory['resident'] or 0) > 0


# -- mistakes ------------------------------------------------------------------------------------------------------------

def message(kind, call):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_mistakes():
    model = Sequential([Input(5), Dense(3)], name='net')
    assert message(GraphError, lambda: model.profile(reals(4, 5), reals(4, 3))) == \
        'net: profile needs an optimizer and a loss. Call compile(optimizer=..., loss=...) first.'
    model.compile('sgd', 'mse')
    assert message(ArgumentTypeError, lambda: model.profile(lambda: iter([]))) == \
        'net: profile: x: expected arrays, received function <lambda>. Pass the arrays of one or more batches.'
    assert message(DataError, lambda: model.profile(reals(4, 6), reals(4, 3))) == \
        'net: profile: x: input1: expected an array of shape (None, 5), received (4, 6).'
    assert message(ArgumentError, lambda: model.profile(reals(4, 5), reals(4, 3), nb_turn=0)) == \
        'net: profile: nb_turn: expected an integer of at least 1, received 0.'
    fixed = Sequential([Input(5, batch_size=4), Dense(3)], name='fixed')
    fixed.compile('sgd', 'mse')
    assert message(DataError, lambda: fixed.profile(reals(3, 5), reals(3, 3))) == \
        'fixed: 3 samples do not fill batches of 4, which the Inputs fix. Use more.'


def test_a_model_in_training_is_refused():
    model, told = small(), []

    class Profiling(Callback):
        def on_epoch_end(self, epoch, logs):
            told.append(message(GraphError, lambda: self.model.profile(reals(8, 5), classes(8))))
    model.fit(reals(8, 5), classes(8), nb_epoch=1, verbose=0, callbacks=[Profiling()])
    assert told == [f'{model.name}: profile: the model is in training, by a fit that has not returned. Call profile before or after it.']
