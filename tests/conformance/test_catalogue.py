"""Laws for everything that keraflow ships, and the test that nothing is left out."""
import functools

import numpy as np
import pytest
from catalogue import ARGUMENTS, LAYERS

import keraflow.utils  # noqa: F401 (fills the registry)
from keraflow import backend as B
from keraflow import random, registry
from keraflow.files.plaindata import dump_json, dump_yaml, parse_json, parse_yaml
from keraflow.layers import Activation, Dense, Input
from keraflow.models import Model
from keraflow.objectives.base import target_of
from keraflow.optimizers import SGD
from keraflow.serialization import Serializable, pack_init_params, same, serialize, unserialize
from keraflow.testing import check_layer

SAMPLES = [pytest.param(one, id=f'{name}-{number}') for name, some in LAYERS.items() for number, one in enumerate(some)]
FORMATS = [(dump_json, parse_json), (dump_yaml, parse_yaml)]


def sets_of(*kinds):
    return [pytest.param(kind, name, args, id=f'{name}-{number}') for kind in kinds for name, some in ARGUMENTS[kind].items()
            for number, args in enumerate(some)]


def made(kind, name, args):
    """The object, or the function with its arguments."""
    target = registry.find(name, kind).target
    return target(**args) if isinstance(target, type) else functools.partial(target, **args) if args else target


def test_everything_has_a_descriptor():
    shipped = {(entry.kind, entry.id) for entry in registry.entries() if entry.builtin}
    described = {('layer', name) for name in LAYERS} | {(kind, name) for kind, some in ARGUMENTS.items() for name in some}
    assert shipped == described


@pytest.mark.parametrize('sample', SAMPLES)
def test_layer(sample):
    check_layer(sample.make, sample.input_shapes, **sample.options)


@pytest.mark.parametrize('kind, name, args', sets_of(*ARGUMENTS))
def test_rebuilt_from_text(kind, name, args):
    one = made(kind, name, args)
    data = serialize(one)
    for dump, parse in FORMATS:
        other = unserialize(parse(dump(data), 'text'))
        assert same(other, one) and serialize(other) == data
        if not isinstance(one, Serializable):
            continue
        assert type(other) is type(one) and same(pack_init_params(other), pack_init_params(one))
        assert all(same(pack_init_params(other)[argument], value) for argument, value in args.items())


@pytest.mark.parametrize('kind, name, args', sets_of('layer'))
def test_input_rebuilt(kind, name, args):
    one = made(kind, name, args)
    other = unserialize(serialize(one))
    assert (other.shape, other.dtype, other.mask_shape, other.user_name) == (one.shape, one.dtype, one.mask_shape, one.user_name)


@pytest.mark.parametrize('kind, name, args', sets_of('initialization'))
def test_initialization_in_a_layer(kind, name, args):
    init = made(kind, name, args)
    layer = Dense(4, init=init)
    rebuilt = unserialize(parse_json(dump_json(serialize(layer)), 'text'))
    random.seed(5)
    expected = init((4, 4))
    for one in (layer, rebuilt):
        random.seed(5)
        one(Input(4))
        np.testing.assert_array_equal(one.get_weights()['W'], expected.astype('float32'))


@pytest.mark.parametrize('kind, name, args', sets_of('regularizer', 'constraint'))
def test_regularizers_and_constraints_in_a_layer(kind, name, args):
    one = made(kind, name, args)
    layer = Dense(4, **{f'{kind}s': {'W': one}})
    rebuilt = unserialize(parse_json(dump_json(serialize(layer)), 'text'))
    kensor = rebuilt(Input(4))
    [(variable, found)] = getattr(kensor, f'{kind}s')
    assert variable is rebuilt.W and same(found, one)


@pytest.mark.parametrize('kind, name, args', sets_of('optimizer'))
def test_rebuilt_optimizer_takes_the_same_steps(kind, name, args):
    optimizer = made(kind, name, args)
    gradient, weights = np.array([0.3, -0.2, 4.]), np.array([1., 2., 3.])
    variables = [B.variable(weights) for _ in range(2)]
    both = [optimizer, unserialize(parse_json(dump_json(serialize(optimizer)), 'text'))]
    for one, variable in zip(both, variables):
        one.build([variable])
    step = B.compile(lambda: ([], [pair for one, variable in zip(both, variables)
                                   for pair in one.updates([variable], [B.constant(gradient)])]), [])
    step()
    step()
    values = [B.get_value(variable) for variable in variables]
    np.testing.assert_array_equal(values[1], values[0])
    assert np.all((values[0] - weights) * gradient < 0)     # downhill


@pytest.mark.parametrize('kind, name, args', sets_of('schedule'))
def test_schedule_in_a_rebuilt_optimizer(kind, name, args):
    schedule = made(kind, name, args)
    optimizer = unserialize(parse_json(dump_json(serialize(SGD(lr=schedule))), 'text'))
    assert same(optimizer.lr, schedule) and optimizer.current_lr > 0


@pytest.mark.parametrize('kind, name, args', sets_of('objective'))
def test_objective_keeps_the_samples(kind, name, args):
    objective = made(kind, name, args)
    target = target_of(objective, (None, 3), 'float32')
    specs = [B.TensorSpec((None, 3), 'float32'), B.TensorSpec(target.shape, target.dtype)]
    shape = B.trace(lambda y_pred, y_true: B.static_shape(objective(y_pred, y_true)), specs)
    assert shape in ((None, 3), (None, 1))
    x = Input(3)
    model = Model(x, Activation('sigmoid')(x))
    model.compile('sgd', objective if args else name)
    assert same(model._functions.losses[0].objective, objective)


@pytest.mark.parametrize('kind, name, args', sets_of('metric'))
def test_metric_has_the_same_totals_in_batches(kind, name, args):
    """The totals of a whole are the sums of those of its parts, also with weights, and rebuilt from text."""
    metric = unserialize(parse_json(dump_json(serialize(made(kind, name, args))), 'text'))
    draw = np.random.default_rng(6)
    p, t, w = draw.uniform(size=(7, 3)), np.eye(3)[draw.integers(0, 3, 7)], draw.integers(0, 4, 7)
    specs = [B.TensorSpec((None, 3), 'float32')] * 2 + [B.TensorSpec((None,), 'float32')]
    totals = B.compile(lambda p, t, w: ([metric.totals(p, t, w), metric.totals(p, t, None)], []), specs)
    whole, first, second = ([np.asarray(it) for it in totals(*(it[part].astype('float32') for it in (p, t, w)))]
                            for part in (slice(None), slice(4), slice(4, None)))
    for one, head, tail in zip(whole, first, second):
        assert one.shape == (metric.nb_total,)
        np.testing.assert_allclose(head + tail, one, rtol=1e-5)
    assert 0. <= metric.result(whole[0]) and 0. <= metric.result(whole[1])
    x = Input(3)
    model = Model(x, Activation('sigmoid')(x))
    model.compile('sgd', 'mse', [metric])
    assert model._functions.names == ['loss', metric.label]
