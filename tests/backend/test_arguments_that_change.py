"""Arguments that the program changes later, or that code of layers changes: what is computed and saved is what was given."""
import array
import copy
import functools

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError
from keraflow.layers import (Activation, Dense, Embedding, Foreign, Input, Lambda, Layer, Reshape, TimeDistributed,
                             layer_register)
from keraflow.metrics import AUC, Metric, ratio
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.regularizers import Regularizer
from keraflow.schedules import PiecewiseConstant

X = np.array([[1., 2.], [3., 4.]], 'float32')


class Lender:
    """Gives its own memory as an array, as tensors of other libraries do."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


class Shifted(Layer):
    def __init__(self, by, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def output(self, x):
        return x + np.asarray(self.by['by'][0] if isinstance(self.by, dict) else self.by, 'float32')


def saved(model, tmp_path, *customs):
    model.save_to_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    return Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors', list(customs))


# -- values to start from -----------------------------------------------------------------------------------------------

W = np.array([[1., 2., 3.], [4., 5., 6.]])
FORMS = {
    'a list': lambda it: [it], 'a dict': lambda it: {'W': it}, 'a tuple': lambda it: (it, None), 'alone': lambda it: it,
    'a view': lambda it: [it[:]], 'memory': lambda it: [memoryview(it)], 'another library': lambda it: {'W': Lender(it)},
    'another library, alone': Lender}


@pytest.mark.parametrize('dtype', ['float32', 'float64', 'int64'])
@pytest.mark.parametrize('form', FORMS)
def test_initial_weights_are_those_of_the_time_when_the_layer_was_made(form, dtype):
    given = W.astype(dtype)
    layer = Dense(3, initial_weights=FORMS[form](given))
    other = Dense(3)
    other.initial_weights = FORMS[form](given)
    twin = copy.deepcopy(layer)
    given[:] = 0
    for one in layer, other, twin, copy.deepcopy(layer):
        one(Input(2))
        np.testing.assert_array_equal(one.get_weights()['W'], W)


def test_a_list_and_a_dict_that_are_filled_again():
    rows, by_name, listed = [[1., 2., 3.], [4., 5., 6.]], {'W': W.tolist()}, [W.copy(), array.array('d', [1., 2., 3.])]
    layers = [Dense(3, initial_weights=it) for it in (rows, by_name, listed)]
    rows[0][:] = [0., 0., 0.]
    by_name['W'] = 'nothing'
    listed[1][0] = 7.
    listed[0] = None
    for layer in layers:
        layer.build((None, 2))
        np.testing.assert_array_equal(layer.get_weights()['W'], W)
    assert layers[2].get_weights()['b'].tolist() == [1., 2., 3.]


def test_a_file_that_is_written_again(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / 'w.npy', 'w+', 'float32', (4, 2))
    mapped[:] = 3
    layer, shifted = Embedding(4, 2, initial_weights=[mapped]), Shifted(mapped[0], name='s')
    model = Model(x := Input(2), shifted(x))
    mapped[:] = 0
    layer(Input(3, dtype='int32'))
    assert np.all(layer.get_weights()['W'] == 3)
    for one in model, saved(model, tmp_path, Shifted):
        np.testing.assert_array_equal(one.predict(X), X + 3)


class Scalar(Layer):
    def output(self, x):
        return x * self.add_weight('factor', (), init='one')


def test_a_value_without_axes_and_one_of_an_embedded_layer():
    value, inner = np.array(3.), np.array(4.)
    layer, host = Scalar(initial_weights=[value]), TimeDistributed(Scalar(), initial_weights={'0/factor': inner})
    value[()] = inner[()] = 0
    layer(Input(2))
    host(Input((2, 2)))
    assert layer.get_weights()['factor'] == 3 and host.get_weights()['0/factor'] == 4


@pytest.mark.parametrize('form', ['a list', 'a dict', 'alone'])
def test_variables_and_tensors_give_the_values_that_they_have(form):
    variable, before = B.variable(W, name='v'), Dense(3)
    layers = [Dense(3, initial_weights=FORMS[form](it)) for it in (variable, B.constant(W))]
    before(Input(2))
    layers.append(Dense(3, initial_weights=before.weights))
    expected = [W, W, before.get_weights()['W']]
    B.set_value(variable, W * 0)
    before.set_weights([W * 0])
    for layer, values in zip(layers, expected):
        layer(Input(2))
        np.testing.assert_array_equal(layer.get_weights()['W'], values)


def test_initial_weights_cannot_be_changed_by_half_and_are_let_go():
    layer = Dense(3, initial_weights={'W': W, 'b': [1., 2., 3.]}, name='d')
    handed_out = layer.initial_weights
    with pytest.raises(ValueError):
        handed_out['W'][:] = 0
    handed_out.pop('W')
    handed_out['b'].clear()
    layer(Input(2))
    np.testing.assert_array_equal(layer.get_weights()['W'], W)
    assert layer.get_weights()['b'].tolist() == [1., 2., 3.] and layer.initial_weights is None
    with pytest.raises(ArgumentError) as caught:
        layer.initial_weights = [W]
    assert str(caught.value) == ('d: initial_weights are read in its first call, and can no longer be set. Write '
                                 'set_weights(...).')


def test_a_first_run_that_fails_keeps_them():
    class Once(Dense):
        def output(self, x):
            if fails.pop():
                raise ValueError('no')
            return super().output(x)
    fails, layer = [False, False, True], Once(3, initial_weights=[W])
    with pytest.raises(ValueError):
        layer(Input(2))
    layer(Input(2))
    np.testing.assert_array_equal(layer.get_weights()['W'], W)


@pytest.mark.parametrize('value, received', [(len, 'function len'), (Input, 'class Input'), ({1}, '{1}')])
def test_what_is_no_value_to_start_from(value, received):
    with pytest.raises(ArgumentTypeError) as caught:
        Dense(3, initial_weights=value)
    assert str(caught.value) == f'Dense: initial_weights: expected a dict by name, a list or an array, received {received}.'


# -- arguments of a program's own layers --------------------------------------------------------------------------------

GIVEN = {
    'an array': (lambda it: it), 'a view': (lambda it: it[::-1][::-1]), 'a dict': (lambda it: {'by': [it]}),
    'another type': (lambda it: it.view('int32').view('float32'))}


@pytest.mark.parametrize('form', GIVEN)
@pytest.mark.parametrize('when', ['made', 'fed', 'in a model', 'saved'])
def test_an_array_of_a_layer_is_that_of_the_time_when_the_layer_was_made(form, when, tmp_path):
    by = np.array([1., 2.], 'float32')
    layer, x = Shifted(GIVEN[form](by), name='s'), Input(2, name='x')

    def reached(moment):
        if when == moment:
            by[:] = 100
    reached('made')
    y = layer(x)
    reached('fed')
    model = Model(x, y)
    reached('in a model')
    models = [model, copy.deepcopy(model), saved(model, tmp_path, Shifted)]
    reached('saved')
    for one in models:
        np.testing.assert_array_equal(one.predict(X), X + [1, 2])
    again = keraflow.unserialize(keraflow.serialize(model), [Shifted])
    np.testing.assert_array_equal(again.predict(X), X + [1, 2])


@pytest.mark.parametrize('make', [lambda: [1., 2.], lambda: {'by': [[1., 2.]]}], ids=['alone', 'in a dict'])
def test_a_list_of_a_layer_that_is_filled_again(make, tmp_path):
    by = make()
    model = Model(x := Input(2), Shifted(by, name='s')(x))
    (by['by'][0] if isinstance(by, dict) else by)[:] = [7., 7.]
    for one in model, saved(model, tmp_path, Shifted):
        np.testing.assert_array_equal(one.predict(X), X + [1, 2])


def test_what_the_layer_stores_is_its_own_to_change(tmp_path):
    by = np.array([1., 2.])
    layer = Shifted(by, name='s')
    layer.by[:] = 5
    model = Model(x := Input(2), layer(x))
    assert by.tolist() == [1, 2]
    for one in model, saved(model, tmp_path, Shifted):
        np.testing.assert_array_equal(one.predict(X), X + 5)


def times(x, by):
    return x * np.asarray(by, 'float32')


@layer_register(id='arguments_times')
def Times(x, by):
    return x * np.asarray(by, 'float32')


def make_times(by):
    factor = B.variable(np.asarray(by, 'float32'), name='factor')
    return lambda x: x * factor


MADE = {
    'Lambda': lambda by: Lambda(times, arguments={'by': by}), 'partial': lambda by: Lambda(functools.partial(times, by=by)),
    'Activation': lambda by: Activation(functools.partial(times, by=by)), 'Foreign': lambda by: Foreign(make_times, {'by': by}),
    'layer_register': lambda by: Times(by=by), 'embedded': lambda by: TimesEmbedded(by)}


class TimesEmbedded(Layer):
    def __init__(self, by, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def output(self, x):
        return Lambda(times, arguments={'by': self.by})(x)


@pytest.mark.parametrize('kind', MADE)
def test_arguments_of_functions(kind, tmp_path):
    by = np.array([3., 4.])
    layer = MADE[kind](by)
    by[:] = 0
    model = Model(x := Input(2), layer(x))
    for one in model, saved(model, tmp_path, times, make_times, Times, TimesEmbedded):
        np.testing.assert_array_equal(one.predict(X), X * [3, 4])


def test_defaults_of_a_registered_function(backend_name):
    table = np.ones(2, 'float32')

    @layer_register(id=f'arguments_plus_{backend_name}')
    def Plus(x, by=table):
        return x + by
    model = Model(x := Input(2), Plus()(x))
    table[:] = 0
    np.testing.assert_array_equal(model.predict(X), X + 1)


def test_arguments_of_a_scope():
    by = np.array([1., 2.])
    with keraflow.argscope(Shifted, by=by):
        by[:] = 100
        one, other = Shifted(), Shifted()
    assert one.by.tolist() == [1, 2] and one.by is not other.by


def test_lists_of_keraflows_own_arguments():
    shape, target, layers, inputs = [4], [2, 2], [Input(4), Dense(2)], [Input(2)]
    x, layer, chain, model = Input(shape), Reshape(target), Sequential(layers), Model(inputs, Activation('linear')(inputs[0]))
    for one in shape, target, layers, inputs:
        one.clear()
    assert x.shape == (None, 4) and layer(x).shape == (None, 2, 2) and chain.predict(np.ones((1, 4))).shape == (1, 2)
    assert keraflow.serialize(x)['args']['shape'] == [4] and keraflow.serialize(layer)['args']['target_shape'] == [2, 2]
    assert len(model.inputs) == 1


class Toward(Regularizer):
    def __init__(self, target):
        self.target = target

    def __call__(self, param):
        return B.sum(B.square(param - np.asarray(self.target, 'float32')))


class Share(Metric):
    def __init__(self, of, name='share'):
        super().__init__(name)
        self.of = of

    def totals(self, y_pred, y_true, weights):
        return ratio(B.ones_like(y_pred) * np.asarray(self.of, 'float32'), B.ones_like(y_pred), weights)


def weighted(y_pred, y_true, factor):
    return B.mean(B.square(y_pred - y_true) * np.asarray(factor, 'float32'), -1)


def test_arguments_of_regularizers_metrics_schedules_and_losses():
    target, of, factor, boundaries, rates = np.zeros((2, 1)), np.array([3.]), np.array([2.]), [1], [0.5, 0.25]
    x = Input(2)
    model = Model(x, Dense(1, init='one', bias=False, regularizers=[Toward(target)], name='d')(x))
    metrics, loss = [Share(of)], functools.partial(weighted, factor=factor)
    model.compile(SGD(lr=PiecewiseConstant(boundaries, rates)), loss, metrics=metrics)
    step = keraflow.TrainStep(functools.partial(mean_of, model, factor=factor), [Input(2)], model, 'sgd')
    for it in target, of, factor:
        it[:] = 100
    boundaries.clear(), rates.clear(), metrics.clear()
    found = model.evaluate(X, X[:, :1] * 0)
    assert found == pytest.approx({'loss': 2 * (9 + 49) / 2, 'share': 3})
    assert model.optimizer.current_lr == 0.5
    assert float(step(X)) == pytest.approx(2 * 5 + 2)


def mean_of(model, x, factor):
    return B.mean(model(x)) * np.asarray(factor, 'float32')[0]


# -- code that changes what it is given ---------------------------------------------------------------------------------

def times_in_place(x, by):
    by *= 2
    return x * by


@layer_register(id='arguments_times_in_place')
def TimesInPlace(x, by):
    return times_in_place(x, by)


def make_times_in_place(by):
    by *= 2
    return lambda x: x * by


class TimesOfCall(Layer):
    def output(self, x, by=None):
        return times_in_place(x, by)


@pytest.mark.parametrize('make', [lambda by: Lambda(times_in_place, arguments={'by': by}), lambda by: TimesInPlace(by=by),
                                  lambda by: Foreign(make_times_in_place, {'by': by}), lambda by: functools.partial(TimesOfCall(), by=by)],
                         ids=['Lambda', 'layer_register', 'Foreign', 'a call'])
def test_each_run_begins_with_what_was_given(make, tmp_path):
    by = np.array([1., 2.], 'float32')
    model = Model(x := Input(2, name='x'), make(by)(x))
    model.compile('sgd', 'mse')
    for _ in range(2):
        np.testing.assert_array_equal(model.predict(X), X * [2, 4])
        assert model.evaluate(X, X * 0)['loss'] == pytest.approx(np.mean((X * [2, 4]) ** 2))
    again = saved(model, tmp_path, times_in_place, TimesInPlace, make_times_in_place, TimesOfCall)
    np.testing.assert_array_equal(again.predict(X), X * [2, 4])
    assert by.tolist() == [1, 2]


# -- what is handed out -------------------------------------------------------------------------------------------------

def test_arguments_of_a_call_that_are_handed_out():
    x, layer = Input(2), TimesOfCall()
    y = layer(x, by=np.array([1., 2.], 'float32'))
    with pytest.raises(ValueError):
        y.call.arguments['by'][:] = 0
    y.call.arguments.clear()
    model = Model(x, y)
    with pytest.raises(ValueError):
        model.path[0][3]['by'][:] = 0
    np.testing.assert_array_equal(model.predict(X), X * [2, 4])


def test_changes_of_embedded_layers_that_are_handed_out():
    given = {'0': {'trainable': False, 'arguments': {'by': [1., 2.]}}}
    layer = TimesEmbedded([3., 4.], embedded_arguments=given)
    given['0']['arguments']['by'][0] = 0.
    for _ in range(2):
        changes = layer.embedded_changes()
        assert changes == {'0': {'trainable': False, 'arguments': {'by': [1., 2.]}}}
        changes['0']['arguments']['by'].clear()
        changes.clear()
        layer(Input(2))
    assert layer.embedded_layers[0].arguments == {'by': [1., 2.]}


def test_edges_of_bins_are_shared_by_all_and_changed_by_nobody():
    with pytest.raises(ValueError):
        AUC().edges[:] = 0
    AUC(4).edges[:] = 0
    assert AUC(4).edges.tolist() == [0.25, 0.5, 0.75]
    metric, counts = AUC(2), np.array([0., 1., 1., 0.])
    metric.result(counts)
    counts[:] = 1
    assert metric.error_bound == 0
