"""The JSON Schema of architectures: current, valid for what keraflow writes, and against what it refuses."""
import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Sequence

import jsonschema
import pytest

import keraflow
from keraflow import registry, schema
from keraflow.command import main
from keraflow.command.editing import schema_text
from keraflow.files.plaindata import dump_plain, read_plain
from keraflow.layers import Dense, Input
from keraflow.models import Model, Sequential
from keraflow.schema import Rule
from keraflow.schema.json_schema import json_schema

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / 'tests'))
import format1  # noqa: E402

FILE = ROOT / 'docs' / 'architecture.schema.json'
#: What people write, and what is wrong in it: where, and a word of the message.
RIGHT = '''
format: keraflow
version: 1
x_note: mine
model:
  class: Model
  args:
    layers:
      x: {class: Input, args: {shape: [4], dtype: float32}}
      h: {class: Dense, args: {output_dim: 8, activation: relu, init: {function: glorot_normal}, x_why: enough}}
      d: {class: Dropout, x_tried: [0.3, 0.4], args: {drop_rate: 0.5}}
      n: {class: Sequential, args: {layers: [{class: Dense, args: {output_dim: 3, regularizers: {W: l2, b: null}}}]}}
      c: {class: Dense, args: {output_dim: 3, constraints: [{class: MaxNorm, args: {m: 2}}]}}
    path:
    - [[x], h, h_0]
    - [[h_0], d, d_0]
    - [[d_0], n, n_0]
    - [[n_0], c, c_0]
    inputs: [x]
    outputs: [c_0]
'''
WRONG = [
    ('version: 1', 'version: 3', '$.version'), ('version: 1', "version: '1'", '$.version'), ('format: keraflow', 'format: keras', '$.format'),
    ('x_note: mine', 'note: mine', '$'), ('class: Model', 'class: Modell', '$.model.class'), ('class: Dropout', 'class: Dropuot', '$.model.args.layers.d.class'),
    ('class: Dropout', 'class: Adam', '$.model.args.layers.d.class'), ('drop_rate: 0.5', 'drop_rate: 1.5', '$.model.args.layers.d.args.drop_rate'),
    ('drop_rate: 0.5', "drop_rate: '0.5'", '$.model.args.layers.d.args.drop_rate'), ('drop_rate: 0.5', 'rate: 0.5', '$.model.args.layers.d.args'),
    ('output_dim: 8', 'output_dim: 0', '$.model.args.layers.h.args.output_dim'), ('output_dim: 8', 'output_dim: 8.5', '$.model.args.layers.h.args.output_dim'),
    ('output_dim: 8', 'units: 8', '$.model.args.layers.h.args'), ('output_dim: 8, ', '', '$.model.args.layers.h.args'),
    ('activation: relu', 'activation: rleu', '$.model.args.layers.h.args.activation'), ('activation: relu', 'activatoin: relu', '$.model.args.layers.h.args'),
    ('function: glorot_normal', 'function: os.system', '$.model.args.layers.h.args.init'), ('W: l2', 'W: l3', '$.model.args.layers.n.args.layers[0].args.regularizers'),
    ('dtype: float32', 'dtype: float16', '$.model.args.layers.x.args.dtype'), ('class: MaxNorm', 'class: L2', '$.model.args.layers.c.args.constraints'),
    ('- [[x], h, h_0]', '- [x, h, h_0]', '$.model.args.path[0][0]'), ('- [[x], h, h_0]', '- [[x], h]', '$.model.args.path[0]'),
    ('inputs: [x]', 'input: [x]', '$.model.args'), ('outputs: [c_0]', 'outputs: c_0', '$.model.args.outputs'),
]


def validator(text):
    data = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(data)
    return jsonschema.Draft202012Validator(data)


@pytest.fixture(scope='module')
def published():
    return validator(FILE.read_text())


def places(checker, data):
    return {error.json_path for error in checker.iter_errors(data)}


def parsed(text, tmp_path):
    path = tmp_path / 'a.yaml'
    path.write_text(text)
    return read_plain(path)


def test_the_published_schema_is_current():
    # In a process in which no test has registered anything.
    made = subprocess.run([sys.executable, '-m', 'keraflow', 'schema'], capture_output=True, text=True, check=True).stdout
    assert FILE.read_text() == made, 'Write it anew: make schema'


def test_what_is_right_is_valid(published, tmp_path):
    assert places(published, parsed(RIGHT, tmp_path)) == set()
    keraflow.plan(tmp_path / 'a.yaml')


@pytest.mark.parametrize('right, wrong, place', WRONG, ids=[f'{one[0]}, {one[1]}' for one in WRONG])
def test_what_is_wrong_is_not_and_neither_is_it_read(published, tmp_path, right, wrong, place):
    assert RIGHT.count(right) >= 1
    data = parsed(RIGHT.replace(right, wrong, 1), tmp_path)
    found = places(published, data)
    assert found and all(one.startswith(place) for one in found)
    with pytest.raises(keraflow.KeraFlowError):
        keraflow.plan(data)


@pytest.mark.parametrize('name', format1.MODELS)
@pytest.mark.parametrize('kind', ['yaml', 'json'])
def test_the_files_of_today_s_format_are_valid(name, kind):
    for one in format1.PROGRAM:
        keraflow.register(one)
    assert places(validator(schema_text()), read_plain(format1.FOLDER / f'{name}.{kind}')) == set()


def test_old_names_are_valid_and_marked(published):
    words = [(name, word) for name, its in published.schema['$defs'].items() for word, one in its.get('properties', {}).items()
             if one.get('deprecated')]
    assert words


def test_a_class_of_the_program_is_in_its_own_schema(tmp_path, capsys, monkeypatch):
    (tmp_path / 'mine_for_schema.py').write_text('import keraflow\nfrom keraflow.layers import Layer\n@keraflow.register\nclass Mine(Layer):\n'
                                                 '    def __init__(self, depth: int, **kwargs):\n        super().__init__(**kwargs)\n        self.depth = depth\n'
                                                 '    def output(self, x):\n        return x\n')
    monkeypatch.chdir(tmp_path)
    assert main(['schema', '--module', 'mine_for_schema', '-o', 'own.json']) == 0
    checker = validator((tmp_path / 'own.json').read_text())
    model = {'class': 'Sequential', 'args': {'layers': [{'class': 'Mine', 'args': {'depth': 3}}]}}
    assert places(checker, {'format': 'keraflow', 'version': 1, 'model': model}) == set()
    wrong = copy.deepcopy(model)
    wrong['args']['layers'][0]['args']['depth'] = 'deep'
    assert places(checker, {'format': 'keraflow', 'version': 1, 'model': wrong}) == {'$.model.args.layers[0].args.depth'}
    del sys.modules['mine_for_schema']


class Row(Sequential):
    def __init__(self, width: int, layers: Sequence[Any] = ()):
        super().__init__(layers)


class Block(Sequential):
    def __init__(self, width: int):
        super().__init__([Dense(width)])


class Head(Model):
    def __init__(self, inputs, outputs, tag: str = ''):
        super().__init__(inputs, outputs)


class Closed(Model):
    def __init__(self, width: int):
        x = Input(width)
        super().__init__(x, Dense(width)(x))


GRAPH = {'layers': {'x': {'class': 'Input', 'args': {'shape': 2}}}, 'path': [], 'inputs': ['x'], 'outputs': ['x']}


@pytest.mark.parametrize('cls, right, wrong', [
    (Row, {'width': 2, 'layers': [{'class': 'Dense', 'args': {'output_dim': 2}}]}, {'layers': []}),
    (Block, {'width': 2}, {'layers': []}), (Block, {'width': 2}, {}),
    (Head, {**GRAPH, 'tag': 'a'}, {'tag': 'a'}), (Head, GRAPH, {**GRAPH, 'width': 2}),
    (Closed, {'width': 2}, GRAPH), (Closed, {'width': 2}, {})])
def test_models_of_the_program_have_what_their_files_hold(cls, right, wrong):
    keraflow.register(cls, id='ModelOfTheProgram')
    checker = validator(schema_text())
    for arguments, expected in ((right, True), (wrong, False)):
        form = {'format': 'keraflow', 'version': 2, 'model': {'class': 'ModelOfTheProgram', 'args': arguments}}
        assert checker.is_valid(form) == expected


def test_each_class_and_argument_is_there(published):
    definitions = published.schema['$defs']
    for one in registry.entries():
        if one.builtin and one.kind == 'layer':
            properties = definitions[f'layer.{one.id}']['properties']
            own = {name for name in schema.arguments_of(one.target) if name not in one.target.never_saved}
            assert one.id == 'Model' or own <= properties.keys(), one.id


#: Values around each border of a rule.
NUMBERS = (-1, -1e-9, 0, 1e-9, 0.5, 1 - 1e-9, 1, 1 + 1e-9, 2)


@pytest.mark.parametrize('name', ['PositiveInt', 'Natural', 'Finite', 'PositiveFloat', 'NonNegative', 'Rate', 'Beta', 'Fraction'])
def test_a_rule_says_the_same_as_its_schema(name):
    annotation = getattr(schema, name)
    [rule] = [one for one in annotation.__metadata__ if isinstance(one, Rule)]
    checker = jsonschema.Draft202012Validator(json_schema(annotation, lambda kind: {}, lambda tag: {}))
    for value in NUMBERS:
        if isinstance(value, int) or annotation.__origin__ is float:
            assert checker.is_valid(value) == bool(rule.holds(value)), value


@pytest.mark.parametrize('value', ['a', 'a.b-c', '', '.a', 'a b', 'a/b', 'a' * 128, 'a' * 129])
def test_a_name_is_one_in_the_schema(value):
    [rule] = schema.Name.__metadata__
    assert jsonschema.Draft202012Validator(json_schema(schema.Name, lambda kind: {}, lambda tag: {})).is_valid(value) == rule.holds(value)


def test_the_text_is_the_same_in_each_run():
    assert schema_text() == schema_text() and dump_plain(json.loads(schema_text()), 'a.json')
