"""Modules of Flax NNX as layers of keraflow."""
import copy
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import ArgumentError
from keraflow.layers import Dense, Foreign, Input, TimeDistributed
from keraflow.models import Model, Sequential
from keraflow.testing import assert_close
from keraflow.testing.numerics import using_floatx

nnx = pytest.importorskip('flax.nnx', reason='Flax is not installed (pip install flax)')
linen = pytest.importorskip('flax.linen')

X = np.random.default_rng(13).normal(size=(6, 3)).astype('float32')
Y = np.random.default_rng(14).normal(size=(6, 4)).astype('float32')


@keraflow.register(id='normalized-in-test-flax')
def make_normalized(size):
    rngs = nnx.Rngs(0)
    return nnx.Sequential(nnx.Linear(3, size, rngs=rngs), nnx.BatchNorm(size, momentum=0.5, rngs=rngs))


def make_dropout(rate=0.5):
    return nnx.Dropout(rate, rngs=nnx.Rngs(0))


def moved(before, layer):
    return {name for name, value in layer.get_weights().items() if not np.array_equal(before[name], value)}


def test_a_module_is_trained_frozen_and_saved(tmp_path):
    x = Input(3)
    layer = Foreign(make_normalized, {'size': 4}, regularizers={'kernel': 'l2'}, name='foreign')
    model = Model(x, Dense(2)(layer(x)))
    assert layer.variables.names == ['bias', 'kernel', 'bias_1', 'scale', 'mean', 'var']
    assert layer.non_trainable_variables.names == ['mean', 'var'] and layer(x).shape == (None, 4)
    before = layer.get_weights()
    model.predict(X)
    assert moved(before, layer) == set()
    model.compile('sgd', 'mse')
    model.fit(X, np.zeros((6, 2)), nb_epoch=1, verbose=0)
    assert moved(before, layer) == set(before) and len(model.outputs[0].regularizers) == 1
    model.save_to_file(str(tmp_path / 'a.yaml'), str(tmp_path / 'w.safetensors'))
    again = Model.load_from_file(str(tmp_path / 'a.yaml'), str(tmp_path / 'w.safetensors'))
    assert_close('output', again.predict(X), model.predict(X), 1e-6)
    layer.trainable = False
    model.compile('sgd', 'mse')
    before = layer.get_weights()
    model.fit(X, np.zeros((6, 2)), nb_epoch=1, verbose=0)
    assert moved(before, layer) == set()


def test_a_step_is_the_one_that_flax_takes():
    module = make_normalized(4)

    def loss(module):
        return jnp.mean((module(X) - Y) ** 2)
    slopes = nnx.grad(loss)(module)         # which moves the statistics
    layer = Foreign(make_normalized, {'size': 4})
    model = Sequential([Input(3), layer])
    model.compile('sgd', 'mse')
    model.fit(X, Y, batch_size=6, nb_epoch=1, verbose=0)
    found = layer.get_weights()
    for name in ('mean', 'var'):
        assert_close(name, found[name], np.asarray(getattr(module.layers[1], name)[...]), 1e-6)
    for name, place, of_module in ('kernel', 0, 'kernel'), ('bias', 0, 'bias'), ('scale', 1, 'scale'), ('bias_1', 1, 'bias'):
        value, slope = (np.asarray(getattr(one.layers[place], of_module)[...]) for one in (module, slopes))
        assert_close(name, found[name], value - 0.01 * slope, 1e-6)
    module.eval()
    for name in found:
        place, of_module = (0, name) if name in ('kernel', 'bias') else (1, name.split('_')[0])
        getattr(module.layers[place], of_module)[...] = found[name]
    assert_close('output', model.predict(X), np.asarray(module(X)), 1e-6)


class Counting(nnx.Module):
    """Counts its runs in training, which an argument tells it, and keeps what nobody asked for."""

    def __init__(self):
        self.tables = nnx.List([nnx.Param(jnp.ones(3)), nnx.Param(jnp.ones(3))])
        self.count = nnx.Variable(jnp.zeros((), 'int32'))
        self.mask = jnp.array([True, False, True])

    def __call__(self, x, training):
        if training:
            self.count[...] += 1
        self.last = nnx.Intermediate(x)
        return x * self.tables[0][...] * self.mask, x + self.tables[1][...]


def test_each_call_of_a_shared_layer_counts():
    layer = Foreign(Counting, phase_argument='training')
    x = Input(3)
    h, _ = layer(x)
    model = Model(x, layer(h)[1])
    assert layer.variables.names == ['tables', 'tables_1', 'count', 'mask']
    assert layer.trainable_variables.names == ['tables', 'tables_1']
    model.compile('sgd', 'mse')
    model.fit(X, X, batch_size=2, nb_epoch=1, verbose=0)
    assert layer.get_weights()['count'] == 6
    model.evaluate(X, X)
    assert layer.get_weights()['count'] == 6
    clone = copy.deepcopy(layer)
    clone.set_weights([np.zeros(3), np.zeros(3), 7, [True] * 3])
    assert layer.get_weights()['count'] == 6 and clone.get_weights()['count'] == 7
    assert B.eval(clone(X)[0]).sum() == 0


def trained(nb_epoch, seed=3):
    keraflow.seed(seed)
    x = Input(3)
    model = Model(x, Foreign(make_dropout)(Dense(4, init='one')(x)))
    model.compile('sgd', 'mse')
    for _ in range(nb_epoch):
        model.fit(X, Y, nb_epoch=1, verbose=0)
    return model


def test_random_numbers_follow_the_seed_of_the_model_and_are_no_weights():
    model = trained(2)
    assert [name.rsplit('/')[-1] for name in model.get_weights()] == ['W', 'b']
    first, again, once, other = (
        [*one.get_weights().values()] for one in (model, trained(2), trained(1), trained(2, seed=4)))
    assert all(map(np.array_equal, first, again)) and not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], once[0])
    assert_close('output', model.predict(X), X @ first[0] + first[1], 1e-6)


def test_each_run_and_each_call_draws_anew():
    layer = Foreign(make_dropout)
    layer(Input(200))
    with keraflow.phase('train'):
        run = B.function([], B.symbolic(lambda: [layer(B.ones((5, 200))) for _ in range(2)], []))
    found = [one > 0 for _ in range(2) for one in run()]
    assert len({one.tobytes() for one in found}) == 4 and 0.45 < np.mean(found) < 0.55
    assert np.all(B.eval(layer(B.ones((5, 200)))) == 1)


def test_time_distributed_and_a_program_that_compiles():
    layer = Foreign(make_normalized, {'size': 4})
    x = Input((None, 3))
    model = Model(x, TimeDistributed(layer)(x))
    model.compile('sgd', 'mse')
    model.fit(X.reshape(2, 3, 3), Y.reshape(2, 3, 4), nb_epoch=1, verbose=0)
    expected = model.predict(X.reshape(2, 3, 3)).reshape(6, 4)
    for run in layer, jax.jit(layer), jax.jit(jax.vmap(layer)):
        assert_close('output', np.asarray(run(jnp.asarray(X))), expected, 1e-6)


class Compiled(nnx.Module):
    """What it compiles returns all arrays as new ones."""

    def __init__(self):
        self.scale, self.count = nnx.Param(2.), nnx.Variable(0)

    @nnx.jit
    def __call__(self, x):
        self.count[...] += 1
        return x * self.scale


def test_what_a_module_compiles_itself_and_plain_numbers_in_it():
    layer = Foreign(Compiled)
    model = Sequential([Input(3), layer])
    assert layer.trainable_variables.names == ['scale'] and layer.non_trainable_variables.names == ['count']
    model.compile('sgd', 'mse')
    model.fit(X, np.zeros((6, 3)), batch_size=6, nb_epoch=1, verbose=0)
    found = layer.get_weights()
    assert found['count'] == 1
    assert_close('scale', found['scale'], 2 - 0.01 * 4 * np.mean(X ** 2), 1e-6)


def test_dtypes():
    class Half(nnx.Module):
        def __init__(self):
            self.inner = nnx.Linear(3, 4, dtype='bfloat16', rngs=nnx.Rngs(0))

        def __call__(self, x):
            return self.inner(x), jnp.zeros(3) + x
    with using_floatx('float64'):
        layer = Foreign(Half)
        made = layer(Input(3))
        assert [one.dtype for one in made] == ['float64', 'float64']
        assert layer.variables.kernel.dtype == 'float32'
    layer = Foreign(Half)
    assert [one.dtype for one in layer(Input(3))] == ['float32', 'float32']


def make_half():
    return nnx.Linear(3, 4, param_dtype='bfloat16', rngs=nnx.Rngs(0))


def make_hidden():
    module = nnx.Linear(3, 4, rngs=nnx.Rngs(0))
    return lambda x: jax.nn.relu(module(x))


class Named(nnx.Module):
    def __call__(self, x):
        return {'x': x}


@pytest.mark.parametrize('make, text', [
    (make_half, "f: make: expected arrays of bool, int32, int64, float32, float64, received 'bias' of bfloat16. Make it in "
                'float32, and cast where the module computes.'),
    (make_hidden, 'f: make: expected a module itself, received a function with Linear in it, whose parameters would not be trained. '
                  'Return a module of a class of flax.nnx.Module whose __call__ computes the same.'),
    (lambda: functools.partial(make_normalized(4), mask=None), None), (lambda: jax.jit(make_normalized(4)), None),
    (lambda: make_normalized(4).__call__, None), (lambda: jax.vmap(make_hidden()), None),
    (Named, 'f: make: expected a module that returns an array or a list of arrays, received one that returns '),
    (lambda: linen.Dense(3), 'f: make: expected a module with its own arrays, received Dense of flax.linen, '
     'which has none. Return a module of flax.nnx, or flax.nnx.bridge.ToNNX(module, rngs=flax.nnx.Rngs(0)).lazy_init(x).')])
def test_mistakes(make, text):
    with pytest.raises(ArgumentError) as caught:
        Foreign(make, name='f')(Input(3))
    assert str(caught.value).startswith(text or 'f: make: expected a module itself, received a function with ')
