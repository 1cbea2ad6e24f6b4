"""Pictures of models: what of a model they show."""
import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import ArgumentError, ArgumentTypeError, GraphError
from keraflow.layers import (GRU, LSTM, BatchNormalization, Bidirectional, Concatenate, Dense, Dropout, ElementWiseSum,
                             Embedding, Input, Layer, MultiHeadAttention, TimeDistributed)
from keraflow.models import Model, Sequential


def described(diagram):
    """Name, class, shapes and number of parameters of each box, with those inside it."""
    return [(box.name, box.kind, list(box.shapes), box.nb_param, *([described(box.inside)] if box.inside else [])) for box in diagram.boxes]


def edges(diagram):
    return sorted(tuple(edge) for edge in diagram.edges)


def test_a_chain():
    model = Sequential([Input(4, name='x'), Dense(3, activation='tanh'), Dropout(0.5), Dense(2, name='y', trainable=False)], name='net')
    diagram = model.plot().diagram
    assert diagram[:2] == ('net', 'Sequential') and (diagram.nb_param, diagram.nb_trainable) == (23, 15)
    assert described(diagram) == [('x', 'Input', [(None, 4)], 0), ('dense1', 'Dense', [(None, 3)], 15), ('dropout1', 'Dropout', [(None, 3)], 0),
                                  ('y', 'Dense', [(None, 2)], 8)]
    assert edges(diagram) == [(0, 1, 0, False), (1, 2, 0, False), (2, 3, 0, False)]
    assert [box.settings for box in diagram.boxes] == ['', 'output_dim=3, activation=tanh', 'drop_rate=0.5', 'output_dim=2']
    assert [box.output for box in diagram.boxes] == ['', '', '', 'output'] and diagram.boxes[3].nb_trainable == 0
    assert [box.family for box in diagram.boxes] == ['input', 'dense', 'noise', 'dense']


def test_several_inputs_and_outputs_and_arguments_of_calls():
    x, steps = Input((6, 4), name='x'), Input(6, dtype='bool', name='steps')
    first, last = B.split(x, [2, 4], 1)
    h = LSTM(3)(x, mask=steps)
    total = B.sum(last, 1)
    diagram = Model([x, steps], [Concatenate(name='y')([h, total]), B.sum(first, 1)], name='net').plot().diagram
    names = [box.kind for box in diagram.boxes]
    lstm, split, joined = names.index('LSTM'), names.index('B.split'), names.index('Concatenate')
    assert (names.index('Input'), lstm, 0, False) in edges(diagram)
    assert [edge for edge in edges(diagram) if edge[1] == lstm and edge[3]] == [([box.name for box in diagram.boxes].index('steps'), lstm, 0, True)]
    assert sorted(edge[2] for edge in edges(diagram) if edge[0] == split) == [0, 1]
    assert diagram.boxes[split].shapes == [(None, 2, 4), (None, 4, 4)] and diagram.boxes[joined].output == 'output 1'
    assert sorted(box.output for box in diagram.boxes if box.output) == ['output 1', 'output 2']


def test_shared_layers_are_described_once():
    encoder = Sequential([Input(8), Dense(4, name='code')], name='encoder')
    one, other = Input(8, name='one'), Input(8, name='other')
    dense = Dense(2, name='shared')
    diagram = Model([one, other], ElementWiseSum()([dense(encoder(one)), dense(encoder(other))])).plot().diagram
    calls = [(box.name, box.number, box.nb_call, box.inside is not None) for box in diagram.boxes if box.nb_call > 1]
    assert sorted(calls) == [('encoder', 1, 2, True), ('encoder', 2, 2, False), ('shared', 1, 2, False), ('shared', 2, 2, False)]
    [inside] = [box.inside for box in diagram.boxes if box.inside]
    assert described(inside) == [('input1', 'Input', [(None, 8)], 0), ('code', 'Dense', [(None, 4)], 36)]
    assert diagram.nb_param == 36 + 10


def test_wrappers():
    x = Input((5, 7, 3), name='x')
    model = Model(x, TimeDistributed(Bidirectional(GRU(4), name='both'))(x))
    [_, box] = model.plot().diagram.boxes
    each = model.layers[1].layer.layer.count_params()
    assert described(box.inside) == [('0', 'Bidirectional', [(None, 8)], 2 * each, [('0', 'GRU', [(None, 4)], each), ('1', 'GRU', [(None, 4)], each)])]
    assert box.shapes == [(None, 5, 8)] and box.nb_param == 2 * each and not box.inside.edges


def test_hosts_and_what_is_not_built():
    @keraflow.layer_register()
    def Block(x, width):
        return Dense(width)(Dropout(0.5)(Dense(width, activation='relu')(x)))
    x = Input(4, name='x')
    row = Sequential([Dense(3), Dense(2)], name='row')
    diagram = Model(x, row(Block('block0', x, 6))).plot().diagram
    assert described(diagram)[1] == ('block0', 'Block', [(None, 6)], 72, [('0', 'Dense', [], 30), ('1', 'Dropout', [], 0), ('2', 'Dense', [], 42)])
    assert described(diagram)[2] == ('row', 'Sequential', [(None, 2)], 29, [('0', 'Dense', [(None, 3)], 21), ('1', 'Dense', [(None, 2)], 8)])
    assert edges(diagram.boxes[2].inside) == [(0, 1, 0, False)] and edges(diagram.boxes[1].inside) == []
    unbuilt = Sequential([Dense(3), Dense(2)], name='row').plot().diagram
    assert unbuilt.nb_param is None and [box.nb_param for box in unbuilt.boxes] == [None, None] and edges(unbuilt) == [(0, 1, 0, False)]


def test_a_model_in_a_model_in_a_model():
    def around(inner, name):
        x = Input(4, name=f'{name}_in')
        return Model(x, ElementWiseSum()([inner(x), x]), name=name)
    model = around(around(Sequential([Input(4), Dense(4)], name='a'), 'b'), 'c')
    picture = model.plot()
    assert picture.nb_box == 3 + 3 + 2
    b = picture.diagram.boxes[1]
    assert (b.name, b.inside.boxes[1].name, b.inside.boxes[1].inside.name) == ('b', 'a', 'a')
    assert 'a (Sequential)' in model.plot().svg and 'a (Sequential)' not in model.plot(depth=1).svg.split('a (Sequential)')[0]
    assert [model.plot(depth=depth).svg.count('kf-open"') for depth in (0, 1, 2, 3)] == [0, 1, 2, 2]
    assert model.plot().svg == model.plot(depth=2).svg


def test_calling_a_shared_model_many_times_does_not_multiply_the_picture():
    model = Sequential([Input(2), Dense(2)], name='level0')
    for level in range(1, 12):
        x = Input(2)
        model = Model(x, model(model(x)), name=f'level{level}')
    assert model.plot().nb_box == 2 + 11 * 3


def test_files_and_notebooks(tmp_path):
    model = Sequential([Input(4, name='x'), Dense(3, name='y')], name='net')
    picture = model.plot(tmp_path / 'net.svg')
    model.plot(tmp_path / 'net.html')
    assert (tmp_path / 'net.svg').read_text(encoding='utf-8') == picture.svg == model._repr_svg_() == picture._repr_svg_()
    assert (tmp_path / 'net.html').read_text(encoding='utf-8') == picture.html
    with pytest.raises(FileExistsError):
        model.plot(tmp_path / 'net.svg')
    model.plot(tmp_path / 'net.svg', overwrite=True)
    with pytest.raises(ArgumentError) as caught:
        model.plot('net.gif')
    assert str(caught.value) == "plot: path: expected a name that ends with .svg or .html, received 'net.gif'."
    with pytest.raises(ArgumentError) as caught:
        model.plot(depth=-1)
    assert str(caught.value) == 'net: plot: depth: expected an integer of at least 0 or None, received -1.'
    with pytest.raises(ArgumentTypeError):
        model.plot(depth='all')
    x = h = Input(2)
    for _ in range(401):
        h = Dropout(0.5)(h)
    assert Model(x, h)._repr_svg_() is None


def test_drawing_changes_nothing():
    x = Input((5,), dtype='int32')
    h = Bidirectional(LSTM(3, return_sequences=True))(Embedding(9, 4)(x))
    model = Model(x, Dense(2)(BatchNormalization()(LSTM(2)(MultiHeadAttention(1, 2)([h, h, h])))))
    before, weights = keraflow.serialize(model), model.get_weights()
    model.plot().html
    assert keraflow.serialize(model) == before
    assert all(np.array_equal(array, model.get_weights()[name]) for name, array in weights.items())


def test_a_layer_of_the_program_need_not_know_shapes():
    class Own(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = Dense(3)

        def output(self, x):
            return self.inner(x)
    x = Input(4)
    [_, box] = Model(x, Own(name='own')(x)).plot().diagram.boxes
    assert (box.family, described(box.inside)) == ('other', [('0', 'Dense', [], 15)])


# -- of what is only planned ----------------------------------------------------------------------------------------------

def compared(diagram):
    """What two descriptions of a model must agree in, whatever order its calls are in."""
    boxes = [box._replace(nb_trainable=None, shapes=[tuple(shape) for shape in box.shapes], inside=box.inside and compared(box.inside)) for box in diagram.boxes]
    called = [(box.name, box.number) for box in boxes]
    return (diagram.name, diagram.kind, diagram.nb_param, sorted(boxes, key=lambda box: (box.name, box.number)),
            sorted((called[source], called[target], *rest) for source, target, *rest in diagram.edges))


def models():
    x, steps = Input((6, 4), name='x'), Input(6, dtype='bool', name='steps')
    yield Model([x, steps], LSTM(3)(x, mask=steps), name='arguments')
    encoder = Sequential([Input(8), Dense(4, name='code', activation='tanh')], name='encoder')
    one, other = Input(8, name='one'), Input(8, name='other')
    yield Model([one, other], [ElementWiseSum()([encoder(one), encoder(other)]), Dense(2)(one)], name='shared')
    row = Sequential([Dense(3), Sequential([Dense(2), Dropout(0.5)])], name='row')
    yield Model(one, row(one), name='rows')
    words = Input((5, 7), dtype='int32', name='words')
    yield Model(words, TimeDistributed(Bidirectional(GRU(4)))(Embedding(50, 6)(words)), name='wrapped')
    yield Sequential([Input(4), Dense(3, trainable=False)], name='frozen')


def test_a_plan_is_drawn_like_the_model():
    for model in models():
        plan = keraflow.plan(keraflow.serialize(model))
        found, expected = compared(plan.plot().diagram), compared(model.plot().diagram)
        assert found == expected
        assert plan._repr_svg_() == plan.plot().svg
    assert plan.plot().diagram.boxes[1].nb_trainable == 0


def test_a_plan_of_what_is_no_model():
    plan = keraflow.plan(keraflow.serialize(Dense(3)))
    assert plan._repr_svg_() is None
    with pytest.raises(GraphError) as caught:
        plan.plot()
    assert str(caught.value) == 'plot: expected the plan of a model, this is one of Dense.'
