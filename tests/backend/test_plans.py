"""What a plan says of a file is so: shapes and numbers of parameters are those of the model that is built."""
from collections import Counter
from pathlib import Path

import pytest
from format1 import PROGRAM

import keraflow
from keraflow import Model
from keraflow.errors import KeraFlowError
from keraflow.layers import LSTM, Dense, Embedding, Input, Lambda, TimeDistributed
from keraflow.models import Sequential
from keraflow.registry import register

DATA = Path(__file__).parents[1] / 'data'
FILES = sorted([*DATA.glob('format1/*.yaml'), *{*DATA.glob('goldens/*.json')} - {DATA / 'goldens' / 'index.json'}])


@register(id='plans_twice')
def twice(x):
    return x * 2


def check(plan, model):
    """The plan has the shapes of the model, in another order perhaps, where it knows them, and its parameters."""
    shapes = Counter(kensor.shape for call in model.calls for kensor in call.outputs)
    planned = [shape for one in plan.layers if '/' not in one.name for shape in one.output_shapes]
    known = Counter(shape for shape in planned if shape is not None)
    assert len(planned) == shapes.total() and not known - shapes
    counts = [one.nb_parameter for one in plan.layers if '/' not in one.name]
    if plan.nb_parameter is not None:
        assert None not in counts and plan.nb_parameter == model.count_params()
    else:
        assert None in counts and sum(filter(None, counts)) <= model.count_params()


@pytest.mark.parametrize('path', FILES, ids=[f'{path.parent.name}-{path.name}' for path in FILES])
def test_the_files_of_before_are_as_planned(path):
    try:
        plan = keraflow.plan(path, custom_objects=PROGRAM)
    except KeraFlowError as error:
        if path.stem != 'shared_layer':     # which does not say which call feeds where
            raise
        assert 'does not say which of them feeds where' in str(error)
        return
    check(plan, plan.build())


def models():
    shared = Dense(3, name='shared')
    x, y = Input(4, name='x'), Input(4, name='y')
    inner = Sequential([Input((2, 3)), LSTM(3, return_sequences=True), TimeDistributed(Dense(2))], name='inner')
    z = Input((2, 3), name='z')
    return {'shared': Model([x, y], [Dense(2)(shared(x) + shared(y))]), 'nested': Model(z, TimeDistributed(Sequential([Dense(5), Dense(2)]))(inner(z))),
            'unknown': Sequential([Input(4), Lambda(twice), Dense(2)]),
            'activation': Sequential([Input(4), Dense(3, activation=Sequential([Dense(3)]))]),
            'words': Sequential([Input(5, dtype='int32'), Embedding(10, 4), LSTM(3)])}


@pytest.mark.parametrize('name', ['shared', 'nested', 'unknown', 'activation', 'words'])
def test_a_model_is_as_planned(name, tmp_path):
    model = models()[name]
    model.save_arch(tmp_path / 'a.yaml')
    plan = keraflow.plan(tmp_path / 'a.yaml')
    check(plan, model)
    assert (plan.nb_parameter is None) == (name == 'unknown')
    assert plan.build().count_params() == model.count_params()


def test_what_only_a_backend_knows_is_counted_while_it_is_built():
    data = keraflow.serialize(Sequential([Input(1000), Lambda(twice), Dense(10 ** 5)]))
    plan = keraflow.plan(data)
    assert 'parameters: not known before building' in str(plan)
    with pytest.raises(KeraFlowError) as caught:
        plan.build()
    assert 'the model would have 100,000,000 parameters or more, the limit is 50,000,000' in str(caught.value)
    assert keraflow.plan(data, limits=keraflow.Limits(max_parameters=10 ** 9)).nb_parameter is None


def test_names_that_files_may_not_have_are_refused_when_saving(tmp_path):
    model = Sequential([Input(3), Dense(2, name='a'), Dense(2, name='A')])
    with pytest.raises(KeraFlowError, match="'A' and 'a' differ only in upper and lower case"):
        model.save_arch(tmp_path / 'a.yaml')
    assert list(tmp_path.iterdir()) == []


def test_a_program_of_a_loaded_model_writes_identifiers_only(tmp_path):
    data = keraflow.serialize(Sequential([Input(3), Dense(2)]))
    name = "__import__('os').system('echo RAN') or 0, x"
    data['args']['layers'][1]['args']['activation'] = {'function': 'plans_twice', 'args': {name: 1}}
    with pytest.raises(KeraFlowError, match='there is no argument'):
        keraflow.unserialize(data)
