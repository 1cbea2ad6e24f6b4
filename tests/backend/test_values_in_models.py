"""Models whose layers have values, functions and classes of a program as arguments: they predict the same after loading."""
import functools
import json
from typing import Any, Optional, Tuple

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.backend.pure_operations import PURE_OPERATIONS
from keraflow.errors import ArgumentError, ModelFileError, SerializationError
from keraflow.layers import Dense, Input, Lambda, Layer, layer_register
from keraflow.models import Model, Sequential

X = np.random.default_rng(2).normal(size=(3, 2)).astype('float32')


class Exact(Layer):
    """Computes with the exact type of what it was given."""

    def __init__(self, value: Any, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def output(self, x):
        return x * factor_of(self.value)


class Annotated(Layer):
    """The same, with annotations."""

    def __init__(self, shift: np.ndarray, size: Optional[tuple] = None, pair: Tuple[int, str] = (1, 'a'), rate: float = 1., **kwargs):
        super().__init__(**kwargs)
        self.shift, self.size, self.pair, self.rate = shift, size, pair, rate

    def output(self, x):
        return (x + (self.shift + 1)) * factor_of([self.size, self.pair, self.rate])


def factor_of(value):
    """A number that tells types apart."""
    if isinstance(value, (list, tuple)):
        return (2. if isinstance(value, tuple) else 3.) + sum(factor_of(one) * 0.5 for one in value)
    if isinstance(value, dict):
        return 5. + sum(factor_of(key) * factor_of(item) for key, item in value.items())
    if isinstance(value, np.ndarray):
        return float(np.sum(value * 2) + {'f': 1, 'i': 2, 'b': 3}[value.dtype.kind] + value.dtype.itemsize)
    if isinstance(value, (set, frozenset)):
        return 7. + len(value)
    return float(sum(map(ord, type(value).__name__)) % 17) + (float(value) if isinstance(value, (int, float, np.number)) else 0.)


def both_ways(model, tmp_path, customs):
    """The model from YAML, from JSON, and from the program that `to_python` writes."""
    weights = tmp_path / 'w.safetensors'
    for end in ('yaml', 'json'):
        arch = tmp_path / f'a.{end}'
        model.save_to_file(arch, weights, overwrite=True)
        yield Model.load_from_file(arch, weights, custom_objects=customs)
    scope = {}
    exec(model.to_python(), scope)
    made = scope['model']
    made.set_weights(list(model.get_weights().values()))
    yield made


VALUES = [(0, 1), [0, 1], ((1, [2]), 'a'), np.array([1., 2.]), np.array([[1, 2]], 'int8'), np.array([True]), np.float32(0.1), np.int64(3),
          {1: 'a', 'b': (2,)}, {'as': 'tuple', 'value': [1]}, {'class': 'Dense', 'args': {}}, {1, 2}, frozenset('ab'), None, True, 1, 1.,
          np.zeros((0, 2), 'float32')]


@pytest.mark.parametrize('value', VALUES, ids=range(len(VALUES)))
def test_a_layer_of_the_program_computes_the_same(value, tmp_path):
    model = Sequential([Input(2), Exact(value), Lambda(functools.partial(times, by=value)), Lambda(times, arguments={'by': value})])
    right = model.predict(X)
    for again in both_ways(model, tmp_path, [Exact, times]):
        np.testing.assert_allclose(again.predict(X), right, rtol=1e-6)


def times(x, by):
    return x * factor_of(by)


class Called(Layer):
    """Is given the value with the call."""

    def output(self, x, value, other=None):
        return x * factor_of(value) + factor_of(other)


@pytest.mark.parametrize('value', [it for it in VALUES if not isinstance(it, (set, frozenset)) and not (isinstance(it, dict) and 1 in it)], ids=repr)
def test_arguments_of_a_call_come_back_too(value, tmp_path):
    x = Input(2)
    model = Model(x, Called()(x, value, other=[value]))
    for again in both_ways(model, tmp_path, [Called]):
        np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-6)


@pytest.mark.parametrize('arguments', [{}, {'size': (8, 8)}, {'pair': (3, 'b')}, {'rate': np.float32(0.1)}, {'rate': 2}])
def test_with_annotations(arguments, tmp_path):
    model = Sequential([Input(2), Annotated(np.array([1., 2.]), **arguments), Dense(2)])
    for again in both_ways(model, tmp_path, [Annotated]):
        np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-6)
    with pytest.raises(keraflow.KeraFlowError):
        Annotated(np.ones(2), pair=('a', 1))


def test_weights_know_the_model_that_a_tuple_belongs_to(tmp_path):
    path = tmp_path / 'w.safetensors'
    Sequential([Input(2), Exact((1, 2)), Dense(2)], name='m').save_weights(path)
    Sequential([Input(2), Exact([1, 2]), Dense(2)], name='m').load_weights(path)    # the first version had a list for both
    with pytest.raises(ModelFileError):
        Sequential([Input(2), Exact((1, 3)), Dense(2)], name='m').load_weights(path)


# -- functions of keraflow.backend --------------------------------------------------------------------------------------

UNARY = ['square', 'exp', 'abs', 'tanh', 'relu', 'sigmoid', 'softmax', 'negative', 'softplus', 'identity']


@pytest.mark.parametrize('name', UNARY)
def test_a_function_of_the_backend_is_saved_by_name(name, tmp_path):
    function = getattr(B, name)
    model = Sequential([Input(2), Dense(2, activation=function), Lambda(function)])
    for again in both_ways(model, tmp_path, None):
        np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-6)
    assert f'B.{name}' in (tmp_path / 'a.yaml').read_text()


def test_with_arguments(tmp_path):
    x = Input(2)
    outputs = [Lambda(functools.partial(B.sum, axis=1, keepdims=True))(x), Lambda(functools.partial(B.clip, min_value=-0.5))(x),
               Lambda(functools.partial(B.reshape, shape=(-1, 2, 1)))(x), Lambda(functools.partial(B.cast, dtype='float64'))(x)]
    model = Model(x, outputs)
    for again in both_ways(model, tmp_path, None):
        for one, other in zip(again.predict(X), model.predict(X)):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_function_of_the_program_may_have_the_name_of_one(tmp_path):
    def square(x):
        return x * x * x
    model = Sequential([Input(2), Lambda(square), Lambda(B.square)])
    model.save_arch(tmp_path / 'a.json')
    np.testing.assert_allclose(Model.load_from_file(tmp_path / 'a.json', custom_objects=[square]).predict(X), X ** 6, rtol=1e-5)


def test_only_what_computes_one_tensor_from_one_is_a_name():
    for name in ('eval', 'variable', 'set_value', 'get_value', 'function', 'compile', 'use', 'seed', 'set_floatx', 'trace', 'symbolic', 'require',
                 'random_normal', 'dropout', 'device', '__class__', 'square.__globals__'):
        assert name not in PURE_OPERATIONS
        for id in (name, f'B.{name}', f'keraflow.backend.{name}'):
            with pytest.raises(SerializationError, match='is not a class or function that is registered'):
                keraflow.unserialize({'class': 'Lambda', 'args': {'output_fn': {'function': id}}})


# -- one id, one definition ---------------------------------------------------------------------------------------------

def column(number):
    def take(t):
        return t[:, number:number + 1]
    return take


class Scaler:
    def __init__(self, factor):
        self.factor = factor

    def scale(self, t):
        return t * self.factor


def layer_class(factor):
    class Times(Layer):
        def output(self, x):
            return x * factor
    return Times


def registered(factor):
    @layer_register()
    def Scaled(x):
        return x * factor
    return Scaled


TWO, FIVE = Scaler(2.), Scaler(5.)


@pytest.mark.parametrize('make', [
    lambda x: [Lambda(column(number))(x) for number in range(2)],
    lambda x: [Lambda(TWO.scale)(x), Lambda(FIVE.scale)(x)],
    lambda x: [Dense(2, activation=TWO.scale)(x), Lambda(FIVE.scale)(x)],
    lambda x: [Lambda(TWO.scale)(x), Lambda(functools.partial(FIVE.scale))(x)],
    lambda x: [layer_class(2.)()(x), layer_class(5.)()(x)],
    lambda x: [Sequential([layer_class(2.)()])(x), Lambda(functools.partial(times, by=layer_class(5.)))(x)]])
def test_two_definitions_of_one_name_in_one_model(make, tmp_path):
    x = Input(2)
    model = Model(x, make(x))
    for save in (lambda: model.save_arch(tmp_path / 'a.yaml'), lambda: model.save_weights(tmp_path / 'w.safetensors'), model.to_python):
        with pytest.raises(SerializationError, match='would mean two different definitions'):
            save()
    assert list(tmp_path.iterdir()) == []


def test_two_of_layer_register():
    registered(2.)
    with pytest.raises(ArgumentError, match="the id 'Scaled' is taken by a class of the same definition"):
        registered(3.)


def test_one_of_them_alone_is_loaded_with_custom_objects(tmp_path):
    model = Sequential([Input(2), Lambda(column(1)), Lambda(TWO.scale), layer_class(2.)()])
    model.save_arch(tmp_path / 'a.yaml')
    again = Model.load_from_file(tmp_path / 'a.yaml', custom_objects=[column(1), TWO.scale, layer_class(2.)])
    np.testing.assert_allclose(again.predict(X), X[:, 1:] * 4, rtol=1e-6)


# -- names of arguments -------------------------------------------------------------------------------------------------

def test_no_name_in_a_file_becomes_code_of_to_python(tmp_path):
    name = "__import__('os').system('echo RAN') or 0, x"
    data = {'format': 'keraflow', 'version': 1, 'model': keraflow.serialize(Sequential([Input(2), Dense(2, activation='relu')]))}
    data['model']['args']['layers'][1]['args']['activation'] = {'function': 'relu', 'args': {name: 1}}
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(data))
    with pytest.raises(ModelFileError) as caught:
        Model.load_from_file(path)
    assert str(caught.value) == f'{path}:1: layers[1].activation: relu: there is no argument {name!r}. Choose one of alpha, max_value.'

    def open_to_all(x, **options):
        return x
    model = Sequential([Input(2), Lambda(functools.partial(open_to_all, **{name: 1}))])
    with pytest.raises(SerializationError) as caught:
        model.to_python()
    assert str(caught.value) == f'to_python: {name!r:.60} is not a name that a program can write. Use letters, digits and _.'
