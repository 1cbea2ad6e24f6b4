"""Classes of models of the program: rebuilt from the graph that they are given, or from the arguments of an __init__ that makes its own."""
import copy
from typing import Any, List

import numpy as np
import pytest

import keraflow
from keraflow.errors import ArgumentTypeError, SerializationError
from keraflow.layers import Dense, Input
from keraflow.models import Model, Sequential

X = np.arange(8.).reshape(2, 4)


@keraflow.register(id='own_models_row')
class Row(Sequential):
    def __init__(self, n: int = 3, **kwargs: Any):
        super().__init__([Input(4), Dense(n)], **kwargs)
        self.n = n


@keraflow.register(id='own_models_graph')
class Graph(Model):
    def __init__(self, n: int = 3, **kwargs: Any):
        x = Input(4)
        super().__init__(x, Dense(n)(x), **kwargs)
        self.n = n


@keraflow.register(id='own_models_closed')
class Closed(Sequential):
    def __init__(self, n: int = 3, name=None):
        super().__init__([Input(4), Dense(n)], name=name)
        self.n = n


@keraflow.register(id='own_models_around')
class Around(Sequential):
    def __init__(self, layers: List[Any] = (), n: int = 3):
        super().__init__([Input(4), *layers, Dense(n)])
        self.n = n


@keraflow.register(id='own_models_deep')
class Deep(Sequential):
    def __init__(self, layers: int = 2, names: Any = (), path: str = ''):
        super().__init__([Input(4), *(Dense(2) for _ in range(layers))])


@keraflow.register(id='own_models_block')
class Block(Sequential):
    def __init__(self, n: int = 3):
        super().__init__([Dense(n), Dense(n)])
        self.n = n


@keraflow.register(id='own_models_tagged')
class Tagged(Sequential):
    def __init__(self, layers=(), tag: str = 'a', **kwargs: Any):
        super().__init__(layers, **kwargs)
        self.tag = tag


@keraflow.register(id='own_models_scaled')
class Scaled(Model):
    def __init__(self, inputs, outputs, scale: float = 2., **kwargs: Any):
        super().__init__(inputs, outputs, **kwargs)
        self.scale = scale

    def output(self, x, *, mask=None):
        return super().output(x, mask=mask) * self.scale


@keraflow.register(id='own_models_wide')
class Wide(Dense):
    def __init__(self, **kwargs: Any):
        super().__init__(3, init='one', **kwargs)


def scaled():
    x = Input(4)
    return Scaled(x, Dense(2)(x), scale=3.)


def of_one(layer):
    return Sequential([Input(4), layer])


MODELS = {
    'row': lambda: Row(2), 'graph': lambda: Graph(2), 'closed': lambda: Closed(2), 'around': lambda: Around([Dense(5)], 2),
    'deep': lambda: Deep(1), 'tagged': lambda: Tagged([Input(4), Dense(2)], 'b'), 'scaled': scaled, 'inner row': lambda: of_one(Row(2)),
    'inner graph': lambda: of_one(Graph(2)), 'inner block': lambda: of_one(Block(2)), 'inner scaled': lambda: of_one(scaled()),
    'wide': lambda: of_one(Wide())}


@pytest.mark.parametrize('name', MODELS)
def test_it_is_saved_and_loaded(name, tmp_path):
    model = MODELS[name]()
    model.compile('adam', 'mse')
    model.fit(X, np.ones((2, *model.outputs[0].shape[1:])), nb_epoch=1, verbose=0)
    model.save(tmp_path / 'm.keraflow')
    model.save_to_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    expected = model.predict(X)
    for again in (keraflow.load(tmp_path / 'm.keraflow'), Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors'),
                  copy.deepcopy(model)):
        assert type(again) is type(model) and keraflow.serialize(again) == keraflow.serialize(model)
        assert [vars(again).get(word) for word in ('n', 'tag', 'scale')] == [vars(model).get(word) for word in ('n', 'tag', 'scale')]
        np.testing.assert_array_equal(again.predict(X), expected)
    program = {}
    exec(model.to_python(), program)
    assert keraflow.serialize(program['model']) == keraflow.serialize(model)


def test_arguments_are_saved_in_place_of_the_graph():
    assert keraflow.serialize(Row(2)) == {'class': 'own_models_row', 'args': {'n': 2}}
    assert keraflow.serialize(Graph(2, trainable=False)) == {'class': 'own_models_graph', 'args': {'n': 2, 'trainable': False}}
    assert keraflow.serialize(Tagged([], 'b'))['args'] == {'layers': [], 'tag': 'b'}


def test_layers_that_are_added_to_a_given_graph_are_saved():
    model = Tagged(tag='b')
    for layer in (Input(4), Dense(2)):
        model.add(layer)
    again = keraflow.unserialize(keraflow.serialize(model))
    assert (again.tag, [type(layer) for layer in again.layers]) == ('b', [Input, Dense])


@keraflow.register(id='own_models_head')
class Head(Model):
    def __init__(self, inputs, outputs):
        super().__init__(inputs, Dense(2)(outputs))


@keraflow.register(id='own_models_layers')
class Layers(Model):
    def __init__(self, inputs, outputs, layers: int = 3):
        super().__init__(inputs, outputs)
        self._count = layers


@keraflow.register(id='own_models_empty')
class Empty(Sequential):
    def __init__(self, n: int = 3):
        super().__init__()
        self.n = n


def added():
    model = Row(2)
    model.add(Dense(1))
    return model


def changed():
    model = Graph(2)
    model.layers[1].trainable = False
    return model


def head():
    x = Input(4)
    return Head(x, Dense(3)(x))


def with_layers():
    x = Input(4)
    return Layers(x, Dense(3)(x))


def filled():
    model = Empty(2)
    model.add(Input(4))
    return model


@pytest.mark.parametrize('make, text', [
    (added, 'Row: it has layers that were added after __init__, which makes its graph. Save Sequential(model.layers) instead.'),
    (changed, "Graph: the layer 'dense1' was changed after __init__, which makes it. Save Model(model.inputs, model.outputs) instead, or make the "
     'change in __init__.'),
    (head, 'Head: its __init__ makes another graph of the Kensors that it is given. Save Model(model.inputs, model.outputs) instead.'),
    (with_layers, "Layers: its class has an argument 'layers', which is a word for the graph in files. Save Model(model.inputs, model.outputs) "
     'instead, or call the argument something else.'),
    (filled, 'Empty: its __init__ takes no layers, but some were added. Save Sequential(model.layers) instead.')])
def test_what_its_arguments_do_not_rebuild_is_refused_before_a_file_is_written(make, text, tmp_path):
    model = make()
    for save in (lambda: model.save(tmp_path / 'm.keraflow'), lambda: model.save_arch(tmp_path / 'm.yaml'), lambda: copy.deepcopy(model)):
        with pytest.raises(SerializationError) as caught:
            save()
        assert str(caught.value).endswith(text.partition(': ')[2]) and len(str(caught.value)) <= 300
    assert not list(tmp_path.iterdir())


def test_the_advice_saves_it(tmp_path):
    model = changed()
    Model(model.inputs, model.outputs).save(tmp_path / 'm.keraflow')
    again = keraflow.load(tmp_path / 'm.keraflow')
    assert not again.layers[1].trainable
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    row = added()
    Sequential(row.layers).save(tmp_path / 'r.keraflow')
    np.testing.assert_array_equal(keraflow.load(tmp_path / 'r.keraflow').predict(X), row.predict(X))


def test_what_neither_the_program_nor_its_class_gives_is_missing():
    class Open(Dense):
        def __init__(self, **kwargs: Any):
            super().__init__(**kwargs)
    assert Wide().output_dim == 3 and Open(output_dim=2).output_dim == 2
    with pytest.raises(ArgumentTypeError, match=r"^Open: the argument 'output_dim' is missing"):
        Open()
    with pytest.raises(SerializationError, match="the argument 'output_dim' is missing"):
        keraflow.unserialize({'class': 'Open', 'args': {}}, [Open])


def test_other_mistakes_of_its_constructor_are_as_they_are():
    class Wrong(Model):
        def __init__(self, n: int = 3, **kwargs: Any):
            len(n)
    with pytest.raises(TypeError, match=r"^object of type 'int' has no len\(\)$"):
        Wrong()
