"""What an object hands out is not its own: taking something out of it, or setting it, changes nothing by half."""
import copy
import json
import operator
import pickle

import numpy as np
import pytest

from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError, ModelFileError, SerializationError
from keraflow.layers import LSTM, BatchNormalization, Dense, Input, Layer, TimeDistributed
from keraflow.models import Model, Sequential

X = np.ones((2, 3), 'float32')


def models():
    x = Input(3, name='x')
    return [Model(x, Dense(2, name='top')(Dense(4, name='low', regularizers={'W': 'l1'})(x)), name='m'),
            Sequential([Input(3), Dense(4, name='low', regularizers={'W': 'l1'}), Dense(2, name='top')], name='s')]


class Host(Layer):
    def output(self, x):
        return self.embed(Dense(2))(x)

    def output_shape(self, input_shape):
        return (input_shape[0], 2)


@pytest.mark.parametrize('number', [0, 1])
@pytest.mark.parametrize('part', ['layers', 'inputs', 'outputs', 'calls', 'embedded_layers'])
def test_parts_of_a_model_cannot_be_taken_out_or_set(number, part, tmp_path):
    model = models()[number]
    before = model.predict(X)
    assert isinstance(getattr(model, part), tuple)
    for change in (lambda it: it.pop(), lambda it: it.append(1), lambda it: it.clear(), lambda it: it.__setitem__(0, 1)):
        with pytest.raises(AttributeError):
            change(getattr(model, part))
    if part != 'embedded_layers':
        with pytest.raises(GraphError) as caught:
            setattr(model, part, [])
        assert str(caught.value) == (
            f'{model.name}: {part} cannot be set. Make another model: with Model(inputs, outputs), or of this one with replace, '
            'insert_after, remove or sub_model.')
    paths = tmp_path / 'a.yaml', tmp_path / 'w.safetensors'
    model.save_to_file(*paths)
    for one in (model, Model.load_from_file(*paths)):
        np.testing.assert_array_equal(one.predict(X), before)
        assert sorted(one.get_weights()) == ['low/W', 'low/b', 'top/W', 'top/b']


@pytest.mark.parametrize('number, act, text', [
    (0, lambda m: m.layers.pop(), 'm: layers is a tuple, which has no pop. Write m.remove(layer), which gives another model.'),
    (1, lambda m: m.layers.remove(m.layers[1]), 's: layers is a tuple, which has no remove. Write s.remove(layer), which gives another model.'),
    (0, lambda m: m.layers.insert(1, Dense(2)), 'm: layers is a tuple, which has no insert. Write m.insert_after(layer, new), which gives another '
     'model.'),
    (0, lambda m: m.layers.append(Dense(2)), 'm: layers is a tuple, which has no append. Make another model: with Model(inputs, outputs), or of '
     'this one with replace, insert_after, remove or sub_model.'),
    (1, lambda m: m.layers.append(Dense(2)), 's: layers is a tuple, which has no append. Write s.add(layer).'),
    (1, lambda m: m.layers.extend([Dense(2)]), 's: layers is a tuple, which has no extend. Write s.add(layer).'),
    (0, lambda m: m.layers.__setitem__(-1, Dense(2)), 'm: layers is a tuple, which has no __setitem__. Write m.replace(layer, new), which gives '
     'another model.'),
    (0, lambda m: operator.delitem(m.layers, slice(1)), 'm: layers is a tuple, which has no __delitem__. Write m.remove(layer), which gives '
     'another model.'),
    (0, lambda m: m.outputs.append(1), 'm: outputs is a tuple, which has no append. Make another model: with Model(inputs, outputs), or of this one '
     'with replace, insert_after, remove or sub_model.')])
def test_what_is_written_for_a_list_is_answered(number, act, text):
    model = models()[number]
    for kind in (GraphError, AttributeError, TypeError):
        with pytest.raises(kind) as caught:
            act(model)
        assert str(caught.value) == text


def test_parts_are_plain_tuples_otherwise():
    model = models()[0]
    layers = model.layers
    assert not hasattr(layers, 'pop') and layers == tuple(layers) and type(layers[1:]) is tuple and layers + (1,) == (*layers, 1)
    assert copy.copy(layers) == layers and type(copy.deepcopy(layers)) is tuple
    with pytest.raises(AttributeError) as caught:
        layers.something
    assert str(caught.value) == "'tuple' object has no attribute 'something'"


def test_whatever_is_done_to_what_is_handed_out_leaves_the_object_as_it_was():
    for model in models():
        kensor = model.outputs[0]
        handed_out = [lambda: model.path, lambda: kensor.path, lambda: kensor.regularizers, lambda: kensor.constraints,
                      lambda: kensor.trainable_params, lambda: model.layer_ids(), lambda: model.get_weights(), lambda: model.input_names(),
                      lambda: model.output_names(), lambda: model.losses, lambda: model.updates, lambda: model.pack_init_param(),
                      lambda: model.get_layer('low').regularizers, lambda: model.variables.names, lambda: kensor.layer.pack_init_param()]
        for number, get in enumerate(handed_out):
            length = len(get())
            get().clear()
            assert len(get()) == length, number
        weights = model.get_weights()
        weights['low/W'][:] = 7
        assert not np.any(model.get_weights()['low/W'] == 7)


def test_slots_of_a_host():
    host = Host()
    host(Input(3))
    assert isinstance(host.embedded_layers, tuple) and len(host.embedded_layers) == 1
    wrapper = TimeDistributed(Dense(2))
    wrapper(Input((4, 3)))
    assert isinstance(wrapper.embedded_layers, tuple)


def test_layers_are_added_to_a_sequential_with_add():
    model = Sequential([Input(3)])
    layers = model.layers
    model.add(Dense(2))
    assert len(layers) == 1 and len(model.layers) == 2 and model.predict(X).shape == (2, 2)


@pytest.mark.parametrize('name, value', [('regularizers', {'W': 'l1'}), ('constraints', {'W': 'nonneg'}), ('regularizers', ['l1']),
                                         ('constraints', ['nonneg'])])
def test_what_speaks_of_parameters_is_read_when_the_layer_is_fed(name, value):
    given = copy.copy(value)
    layer = Dense(2, **{name: given}, name='d')
    given.clear()                               # the program's own list
    getattr(layer, name).clear()                # a copy
    assert getattr(layer, name) == value
    x = Input(3)
    kensor = layer(x)
    assert len(getattr(kensor, name)) == 1
    with pytest.raises(ArgumentError) as caught:
        setattr(layer, name, None)
    assert str(caught.value) == (
        f'd: {name} are read in its first call, and can no longer be set. Make a layer with {name}=, and give it the weights '
        'of this one with set_weights.')
    other = Dense(2)
    setattr(other, name, value)
    assert len(getattr(other(x), name)) == 1
    assert getattr(copy.deepcopy(layer), name) == value


# -- copies and pickles -------------------------------------------------------------------------------------------------

def test_copy_copy_of_a_layer_or_a_model_is_refused():
    for one, kind in [*zip(models(), ('Model', 'Sequential')), (Dense(2, name='d'), 'Dense'), (Input(3, name='x'), 'Input')]:
        with pytest.raises(GraphError) as caught:
            copy.copy(one)
        assert str(caught.value) == (
            f'{one.name}: copy.copy would share the parameters of this {kind} without saying so. Write copy.deepcopy for a copy with '
            'its own parameters, or use the same object twice.')


def test_the_advice_of_that_refusal():
    for model in models():
        twin = copy.deepcopy(model)
        before = model.get_weights()
        twin.set_weights([np.full((3, 4), 7.)])
        np.testing.assert_array_equal(model.get_weights()['low/W'], before['low/W'])


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_model_is_not_pickled(protocol):
    for model in models():
        with pytest.raises(SerializationError) as caught:
            pickle.dumps([model], protocol)
        assert str(caught.value) == (
            f'{model.name}: a model is not pickled, because reading a pickle can run code. Write '
            "save_to_file('model.yaml', 'model.safetensors') and load_from_file, or copy.deepcopy for a copy.")
    for layer in Dense(2, name='d'), LSTM(2, name='l'), BatchNormalization(name='b'):
        with pytest.raises(SerializationError) as caught:
            pickle.dumps(layer, protocol)
        assert str(caught.value) == (
            f'{layer.name}: a layer is not pickled, because reading a pickle can run code. Write keraflow.serialize(layer) and '
            'get_weights(), or copy.deepcopy for a copy.')


# -- words of save_to_file ----------------------------------------------------------------------------------------------

CHOICES = 'Choose one of arch, overwrite, weights.'


@pytest.mark.parametrize('arguments, text', [
    ({'arch_fname': 'a.json', 'weight_fname': 'w.safetensors', 'indent': 2}, "there is no argument 'arch_fname'. Did you mean 'arch'?"),
    ({'weight_fname': 'w.safetensors'}, "there is no argument 'weight_fname'. Did you mean 'weights'?"),
    ({'weights': 'w.safetensors', 'overwrit': True}, "there is no argument 'overwrit'. Did you mean 'overwrite'?"),
    ({'arch': 'a.yaml', 'overwrit': True}, "there is no argument 'overwrit'. Did you mean 'overwrite'?"),
    ({'weights': 'w.safetensors', 'indent': 2}, f"there is no argument 'indent'. {CHOICES}"),
    ({'arch': 'a.json', 'indnt': 2}, "there is no argument 'indnt'. Did you mean 'indent'?"),
    ({'arch': 'a.yaml', 'default_flow_stile': True}, "there is no argument 'default_flow_stile'. Did you mean 'default_flow_style'?"),
    ({}, "expected a path for arch, for weights, or for both, received neither. Write save_to_file('model.yaml', 'model.safetensors')."),
    ({'overwrite': True}, "expected a path for arch, for weights, or for both, received neither. Write save_to_file('model.yaml', "
                          "'model.safetensors')."),
    ({'indent': 2}, f"there is no argument 'indent'. {CHOICES}"),
])
def test_words_that_save_to_file_does_not_know(arguments, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for model in models():
        with pytest.raises(ArgumentTypeError) as caught:
            model.save_to_file(**arguments)
        assert str(caught.value) == f'{model.name}: save_to_file: {text}'
    assert list(tmp_path.iterdir()) == []


def test_words_of_the_methods_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = models()[0]
    for make, text in ((lambda: model.save_arch('a.json', indnt=2), "save_arch: there is no argument 'indnt'. Did you mean 'indent'?"),
                       (lambda: model.save_arch('a.json', overwite=True), "save_arch: there is no argument 'overwite'. Did you mean 'overwrite'?"),
                       (lambda: model.save_weights('w.safetensors', over=True),
                        "save_weights: there is no argument 'over'. Did you mean 'overwrite'?"),
                       (lambda: model.check_savable(), "check_savable: expected a path for arch, for weights, or for both, received neither. "
                                                       "Write check_savable('model.yaml', 'model.safetensors').")):
        with pytest.raises(ArgumentTypeError) as caught:
            make()
        assert str(caught.value) == f'm: {text}'
    with pytest.raises(ArgumentTypeError) as caught:
        Model.load_from_file(arch_fname='a.json')
    assert str(caught.value) == "Model: load_from_file: there is no argument 'arch_fname'. Did you mean 'arch'?"
    model.save_arch('a.json', indent=4)
    model.save_to_file('a.yaml', 'w.safetensors', default_flow_style=True, sort_keys=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.json', 'a.yaml', 'w.safetensors']


# -- names and paths in a file --------------------------------------------------------------------------------------------

@pytest.mark.parametrize('change, text', [
    (lambda args: args.update(inputs='x'), "inputs: expected a list of names, received 'x'."),
    (lambda args: args.update(outputs=[['top_0']]), "outputs: expected a list of names, received [['top_0']]."),
    (lambda args: args.update(outputs=[{}]), 'outputs: expected a list of names, received [{}].'),
    (lambda args: args.update(inputs=None), 'inputs: expected a list of names, received None.'),
    (lambda args: args.update(path=3), 'path: expected a list of calls, received 3.'),
    (lambda args: args.update(path={}), 'path: expected a list of calls, received {}.'),
    (lambda args: args['path'].append([['x'], ['low'], 'a']), 'path: expected [names of inputs that are there, name of a layer, name of the '
                                                              "output], received [['x'], ['low'], 'a']."),
    (lambda args: args['path'].append([['x'], 'low', {}]), 'path: expected [names of inputs that are there, name of a layer, name of the '
                                                           "output], received [['x'], 'low', {}]."),
    (lambda args: args['path'].append([[['x']], 'low', 'a']), 'path: expected [names of inputs that are there, name of a layer, name of the '
                                                              "output], received [[['x']], 'low', 'a']."),
    (lambda args: args['path'].append(['x', 'low', 'a']), 'path: expected [names of inputs that are there, name of a layer, name of the '
                                                          "output], received ['x', 'low', 'a']."),
])
def test_what_is_no_name_is_refused_as_such(change, text, tmp_path):
    path = tmp_path / 'a.json'
    models()[0].save_arch(path)
    data = json.loads(path.read_text())
    change(data['model']['args'])
    path.write_text(json.dumps(data))
    with pytest.raises(ModelFileError) as caught:
        Model.load_from_file(path)
    assert str(caught.value) == f'{path}:1: Model: {text}'      # all of it is in one line
