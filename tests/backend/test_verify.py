"""``keraflow verify`` names the layer in which a fault begins, planted in one of two runs on one backend."""
import functools
import re

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.command.verifying.comparing import compared
from keraflow.command.verifying.measuring import measure
from keraflow.command.verifying.results import read_measured, write_measured
from keraflow.errors import KeraFlowError
from keraflow.layers import (GRU, Activation, BatchNormalization, Concatenate, Convolution2D, Dense, Dropout, Embedding,
                             Flatten, Input, Lambda, Layer)
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD, Adam
from keraflow.serialization import serialize, unserialize


@pytest.fixture(autouse=True)
def float64(backend_name):
    B.set_floatx('float64')


class Host(Layer):
    """Embeds two layers."""

    def output(self, x):
        return self.embed(Dense(4))(B.tanh(self.embed(Dense(5))(x)))


def pictures():
    x = Input((2, 6, 6), name='x')
    h = Activation('relu', name='bent')(BatchNormalization(name='norm')(Convolution2D(3, 3, 3, name='conv')(x)))
    return Model(x, Dense(4, activation='softmax', name='y')(Dropout(0.3, name='drop')(Flatten(name='flat')(h))))


def branches():
    x = Input(4, name='x')
    shared = Dense(4, name='shared')
    a, b = Dense(3, name='a')(shared(x)), Host(name='host')(shared(shared(x)))
    return Model(x, Sequential([Dense(3, activation='tanh'), Dense(2)], name='inner')(Concatenate(name='both')([a, b])))


def series():
    x = Input((None,), dtype='int32', name='x')
    return Model(x, Dense(2, name='y')(GRU(4, name='loop')(Embedding(9, 3, name='words')(x))))


def of(make, nb_step=0, compiled=None):
    """What a model gives, compiled as `compiled` does."""
    B.seed(0)
    model = make()
    if compiled is not None:
        compiled(model)
    found = measure(model, nb_step, False)
    found.made.update(architecture='', settings='')
    return found


@functools.lru_cache(maxsize=None)
def kept(make, nb_step, backend):
    return of(make, nb_step)


def right(make, nb_step=0):
    """The same, computed once for all tests that plant something in another run."""
    return kept(make, nb_step, B.name())


def first(one, other):
    found = compared(one, other).first
    return found and (found.stage, found.layer, found.cls)


@pytest.mark.parametrize('make', [pictures, branches, series])
def test_nothing_is_said_of_two_right_runs(make):
    found = compared(right(make, 2), of(make, 2))
    assert found.first is None
    stages = {line.stage for line in found.lines}
    assert stages == {'forward', 'training phase', 'gradients', 'step 1', 'step 2'}


def set_later(make, name, **arguments):
    """A model in which a layer was changed after it was built."""
    def changed():
        model = make()
        for argument, value in arguments.items():
            setattr(model.get_layer(name), argument, value)
        return model
    return changed


def test_a_wrong_epsilon_is_found():
    assert first(right(pictures), of(set_later(pictures, 'norm', epsilon=1.001e-3))) == ('forward', 'norm', 'BatchNormalization')


def test_a_flipped_kernel_is_found(monkeypatch):
    before = right(pictures)
    plugin, conv = type(B.current()), type(B.current()).conv
    monkeypatch.setattr(plugin, 'conv', lambda self, kernels, **named: conv(self, kernels=self.flip(self.flip(kernels, 2), 3), **named))
    assert first(before, of(pictures)) == ('forward', 'conv', 'Convolution2D')


def planted(monkeypatch, cls, output, layers=()):
    """Let the layers of a class (those with the given names) compute otherwise."""
    own = cls.output
    monkeypatch.setattr(cls, 'output', lambda self, x: output(self, x, own) if not layers or self.name in layers else own(self, x))


@pytest.mark.parametrize('names, found', [(['a'], 'a'), (['shared'], 'shared (call 1)'), (['host/0'], 'host/0'), (['host/1'], 'host/1'),
                                          (['inner/0'], 'inner/0'), (['inner/1'], 'inner/1')])
def test_the_layer_is_named_wherever_it_is(monkeypatch, names, found):
    before = right(branches)
    planted(monkeypatch, Dense, lambda self, x, own: own(self, x) * (1 + 1e-6), names)
    assert first(before, of(branches)) == ('forward', found, 'Dense')


def test_what_a_host_computes_itself_is_told_from_its_layers(monkeypatch):
    before = right(branches)
    monkeypatch.setattr(Host, 'output', lambda self, x: self.embed(Dense(4))(B.tanh(self.embed(Dense(5))(x)) + 1e-6))
    assert first(before, of(branches)) == ('forward', 'host', 'Host')


def test_what_is_wrong_in_training_alone_is_found(monkeypatch):
    before = right(pictures)
    assert first(before, of(set_later(pictures, 'drop', drop_rate=0.5))) == ('training phase', 'drop', 'Dropout')
    assert first(right(pictures, 2), of(set_later(pictures, 'norm', momentum=0.9), 2)) == ('step 1', 'norm', 'BatchNormalization')


#: Right forward, and twice the gradient: of the output, or of the input alone.
WRONG_GRADIENTS = {'all': lambda self, x, own: own(self, x) * 2 - B.stop_gradient(own(self, x)),
                   'of the input': lambda self, x, own: own(self, x * 2 - B.stop_gradient(x)) if self.name != 'a' else own(self, x)}


@pytest.mark.parametrize('what', WRONG_GRADIENTS)
@pytest.mark.parametrize('name, found', [('host/0', 'host/0'), ('host/1', 'host/1'), ('inner/1', 'inner/1'), ('inner/0', 'inner/0')])
def test_a_wrong_gradient_is_found(monkeypatch, what, name, found):
    before = right(branches)
    planted(monkeypatch, Dense, WRONG_GRADIENTS[what], [name])
    assert first(before, of(branches)) == ('gradients', found, 'Dense')


def test_a_wrong_gradient_of_what_a_host_computes_itself_is_found(monkeypatch):
    before = right(branches)
    tanh = B.tanh
    monkeypatch.setattr(Host, 'output', lambda self, x: self.embed(Dense(4))((lambda h: tanh(h) * 2 - B.stop_gradient(tanh(h)))(
        self.embed(Dense(5))(x))))
    assert first(before, of(branches)) == ('gradients', 'host', 'Host')


def test_a_wrong_optimizer_or_loss_is_found():
    def compiled(lr=0.01, loss='mse'):
        return of(branches, 1, lambda model: model.compile(Adam(lr=lr), loss))
    before, faster = compiled(), compiled(lr=0.011)
    assert first(before, faster)[:2] == ('step 1', 'shared') and 'after an update by Adam' in str(compared(before, faster).first)
    assert first(before, compiled(loss='mae'))[:2] == ('step 1', 'the loss')


def test_the_message_has_the_tolerance():
    text = str(compared(right(pictures), of(set_later(pictures, 'norm', epsilon=0.002))).first)
    assert re.fullmatch(r'forward: norm \(BatchNormalization\): output differs by 0\.\d+, where values reach \d\.\d+; the tolerance is \d\.\d+e-08',
                        text)


def changed(measured, name, array):
    return measured._replace(arrays={**measured.arrays, name: array})


def test_rounding_is_no_difference_and_more_is():
    before = right(pictures)
    name = next(name for name in before.arrays if name.startswith('test/value'))
    array = before.arrays[name]
    scale = np.abs(array).max()
    assert first(before, changed(before, name, array + scale * 0.9e-8)) is None
    moved = changed(before, name, array + scale * 1.2e-8)
    assert first(before, moved)[:2] == ('forward', 'conv')
    assert compared(before, moved, 1e-6).first is None
    assert first(before, changed(before, name, np.full_like(array, np.nan)))[:2] == ('forward', 'conv')


def test_another_layer_and_another_shape_are_differences():
    before = right(branches)
    runs = list(before.runs['test'])
    runs[1] = runs[1]._replace(cls='Maxout')
    assert first(before, before._replace(runs={**before.runs, 'test': runs}))[0] == 'forward'
    cut = changed(before, 'test/value/0.0', before.arrays['test/value/0.0'][:, :1])
    assert first(before, cut)[:2] == ('forward', 'shared (call 1)')


@pytest.mark.parametrize('make', [pictures, series])
def test_results_come_back_from_a_file(tmp_path, make):
    found = right(make, 2)
    write_measured(tmp_path / 'r.safetensors', found, False)
    again = read_measured(str(tmp_path / 'r.safetensors'))
    assert again.made == found.made and again.runs == found.runs
    for mine, theirs in ((found.data, again.data), (found.arrays, again.arrays)):
        assert set(mine) == set(theirs) and all(np.array_equal(mine[name], theirs[name]) for name in mine)
    assert compared(found, again).first is None


def test_another_environment_is_given_the_data_of_the_first(tmp_path):
    before = right(series, 2)
    model = unserialize(serialize(series()))        # with other initial values
    found = measure(model, 2, False, before.data)
    found.made.update(architecture='', settings='')
    assert compared(before, found).first is None
    other = {**before.data, 'x/x': before.data['x/x'] + 1}
    with pytest.raises(KeraFlowError, match="computed with other data: 'x/x'"):
        compared(before, before._replace(data=other))


def test_integers_that_nothing_bounds_are_told():
    def of_integers():
        x = Input(3, dtype='int32', name='x')
        return Model(x, Lambda(lambda x: x * 0.5)(x))
    with pytest.raises(KeraFlowError, match="nothing tells which integers the Input 'x' may hold"):
        of(of_integers)


def test_a_frozen_model_is_not_trained():
    def frozen():
        model = branches()
        model.trainable = False
        return model
    found = compared(of(frozen, 2), of(frozen, 2))
    assert found.first is None and {line.stage for line in found.lines} == {'forward', 'training phase', 'gradients'}


def test_the_settings_of_compile_count():
    found = of(branches, 1, lambda model: model.compile(SGD(lr=0.5), 'mae'))
    assert found.made['optimizer'] == 'SGD' and float(found.arrays['step1/loss']) > 0
