"""Arguments of what is not a layer, in files: a right value is accepted, and a wrong one refused in its place by the plan.

``make torture`` plans 100,000 of them.
"""
import re

import pytest

import keraflow
from keraflow.errors import MAX_MESSAGE, KeraFlowError
from keraflow.files.plaindata import dump_json, dump_yaml
from keraflow.layers import Layer
from keraflow.metrics import Metric


def number(text):
    return {'as': 'float', 'value': text}


def numpy_number(dtype, value):
    return {'as': 'number', 'dtype': dtype, 'value': value}


HUGE = {'as': 'number', 'dtype': 'int', 'value': str(10 ** 400)}
#: What is no number, whatever numbers an argument takes.
NONE_OF_THEM = [True, False, '', 'x', '0.1', '\x1b[31m', [], {}, [0.1], ['x'], [None], {'a': 1}, number('nan'), number('inf'), number('-inf'),
                numpy_number('bool', True), numpy_number('float64', 'nan'), {'as': 'tuple', 'value': [1]}, {'as': 'ellipsis', 'value': None},
                {'as': 'array', 'dtype': 'float32', 'shape': [1], 'value': [1.]}, {'as': 'type', 'value': 'int'}, {'as': 'class', 'value': 'Adam'},
                {'class': 'Adam'}, {'class': 'L2'}, {'class': 'Dense', 'args': {'output_dim': 2}}, {'function': 'relu'}, {'function': 'hinge'},
                {'class': 'PReLU', 'args': {}}, {'class': 'fuzzed_metric'}, {'function': 'relu', 'args': {'alpha': 'x'}}]
#: Of each kind of argument, right and wrong numbers.
NUMBERS = {
    'positive': ([1, 2, 0.5, 1e-300, 1e300, 2 ** 40, numpy_number('float32', 0.5)], [0, -1, 0., -0.5, HUGE]),
    'at least 0': ([0, 1, 0., 1.5, 1e300], [-1, -1e-300, numpy_number('int64', -1)]),
    'from 0 to 1': ([0, 1, 0., 1., 0.5], [-0.1, 1.1, 2, -1]),
    'from 0 below 1': ([0, 0., 0.9], [1, 1., -0.1, 2]),
    'between 0 and 1': ([0.5, 1e-300], [0, 1, 0., 1., -0.5]),
    'finite': ([0, -1, 1, 1.5, 1e300], []),
    'at most': ([0, 1.5, None, number('inf')], []),
    'count': ([1, 2, 2 ** 40, numpy_number('int64', 3)], [0, -1, 1., 0.5]),
    'count or 0': ([0, 1, 2 ** 40], [-1, 0., 1.5])}
FLAG = [True, False, numpy_number('bool', False)]
RIGHT = {'flag': FLAG, 'axes': [0, -1, [0, 1], [1], [], {'as': 'tuple', 'value': [1]}], 'schedule': [{'class': 'ExponentialDecay', 'args': {'lr': 0.1, 'decay': 0.5}}],
         'counts': [[1, 3], [0, 2 ** 40]], 'rates': [[0.1, 1, 1e-5]], 'none': [None]}

CLIP = {'clipnorm': 'positive|none', 'clipvalue': 'positive|none'}
ADAM = {'lr': 'positive|schedule', 'beta_1': 'between 0 and 1', 'beta_2': 'between 0 and 1', 'epsilon': 'positive', **CLIP}
#: By kind and name: each argument, and what it takes; then arguments that are needed besides.
OBJECTS = {
    ('regularizers', 'L1'): {'l1': 'at least 0'}, ('regularizers', 'L2'): {'l2': 'at least 0'},
    ('regularizers', 'L1L2'): {'l1': 'at least 0', 'l2': 'at least 0'},
    ('constraints', 'MaxNorm'): {'m': 'positive', 'axis': 'axes'}, ('constraints', 'UnitNorm'): {'axis': 'axes'},
    ('init', 'uniform'): {'scale': 'at least 0'}, ('init', 'normal'): {'scale': 'at least 0'},
    ('init', 'orthogonal'): {'scale': 'finite'}, ('init', 'identity'): {'scale': 'finite'},
    ('activation', 'relu'): {'alpha': 'finite', 'max_value': 'at most'}, ('activation', 'elu'): {'alpha': 'finite'},
    ('activation', 'leaky_relu'): {'alpha': 'finite'},
    ('loss', 'huber'): {'delta': 'positive'},
    ('metric', 'TopKAccuracy'): {'k': 'count'}, ('metric', 'Precision'): {'threshold': 'from 0 to 1'},
    ('metric', 'Recall'): {'threshold': 'from 0 to 1'}, ('metric', 'AUC'): {'nb_bin': 'count|none'},
    ('optimizer', 'SGD'): {'lr': 'positive|schedule', 'momentum': 'from 0 below 1', 'decay': 'at least 0', 'nesterov': 'flag', **CLIP},
    ('optimizer', 'RMSprop'): {'lr': 'positive|schedule', 'rho': 'between 0 and 1', 'epsilon': 'positive', **CLIP},
    ('optimizer', 'Adagrad'): {'lr': 'positive|schedule', 'epsilon': 'positive', **CLIP},
    ('optimizer', 'Adadelta'): {'lr': 'positive|schedule', 'rho': 'between 0 and 1', 'epsilon': 'positive', **CLIP},
    ('optimizer', 'Adam'): ADAM, ('optimizer', 'Adamax'): ADAM, ('optimizer', 'AdamW'): {**ADAM, 'weight_decay': 'at least 0'},
    ('optimizer', 'Nadam'): {**ADAM, 'momentum_decay': 'at least 0'},
    ('optimizer', 'Ftrl'): {'lr': 'positive|schedule', 'beta': 'positive', 'l1': 'at least 0', 'l2': 'at least 0', **CLIP},
    ('schedule', 'ExponentialDecay'): {'lr': 'positive', 'decay': 'from 0 to 1', 'nb_step': 'count', 'staircase': 'flag'},
    ('schedule', 'InverseTimeDecay'): {'lr': 'positive', 'decay': 'at least 0', 'nb_step': 'count', 'staircase': 'flag'},
    ('schedule', 'PolynomialDecay'): {'lr': 'positive', 'nb_step': 'count', 'final_lr': 'at least 0', 'power': 'positive'},
    ('schedule', 'CosineDecay'): {'lr': 'positive', 'nb_step': 'count', 'final_lr': 'at least 0', 'nb_warmup': 'count or 0'},
    ('schedule', 'PiecewiseConstant'): {'boundaries': 'counts', 'values': 'rates'}}
NEEDED = {'ExponentialDecay': {'lr': 0.1, 'decay': 0.5}, 'InverseTimeDecay': {'lr': 0.1, 'decay': 0.5}, 'PolynomialDecay': {'lr': 0.1, 'nb_step': 4},
          'CosineDecay': {'lr': 0.1, 'nb_step': 4}, 'PiecewiseConstant': {'boundaries': [1, 3], 'values': [0.1, 0.2, 0.3]}}
#: Where an object is in the settings of ``compile``.
PLACES = {'optimizer': 'optimizer', 'schedule': 'optimizer.lr', 'loss': 'loss.y', 'metric': 'metrics.y.0'}


def values_for(takes):
    """Right and wrong values of an argument."""
    words = takes.split('|')
    right = [value for word in words for value in (NUMBERS[word][0] if word in NUMBERS else RIGHT[word])]
    wrong = [value for value in [*NONE_OF_THEM, None, HUGE] if value not in right or type(value) not in map(type, right)]
    return right, wrong + [value for word in words if word in NUMBERS for value in NUMBERS[word][1]]


def data_with(kind, one):
    """An architecture whose only layer, or settings of ``compile`` that, have an object."""
    if kind in PLACES:
        args = {'optimizer': {'class': 'SGD'}, 'loss': {'y': 'hinge'}, 'metrics': {}}
        args.update({'optimizer': {'optimizer': one}, 'schedule': {'optimizer': {'class': 'SGD', 'args': {'lr': one}}},
                     'loss': {'loss': {'y': one}}, 'metric': {'metrics': {'y': [one]}}}[kind])
        return {'class': 'CompileSettings', 'args': args}
    given = {kind: {'W': one} if kind in ('regularizers', 'constraints') else one}
    return {'format': 'keraflow', 'version': 2, 'model': {'class': 'Sequential', 'args': {'name': 'm', 'layers': [
        {'class': 'Input', 'args': {'shape': 3}}, {'class': 'Dense', 'args': {'output_dim': 3, **given}}]}}}


def planned(kind, data, path, dump):
    path.write_text(dump(data))
    return keraflow.plan(data if kind in PLACES else path)


@keraflow.register(id='fuzzed_metric')
class Fuzzed(Metric):
    made = 0

    def __init__(self, **kwargs):
        Fuzzed.made += 1
        super().__init__(**kwargs)

    def totals(self, y_pred, y_true, weights):
        return []


@pytest.mark.parametrize('dump, extension', [(dump_yaml, 'yaml'), (lambda data: dump_json(data, indent=1), 'json')])
def test_arguments(trials, tmp_path, dump, extension):
    path, objects = tmp_path / f'a.{extension}', list(OBJECTS)
    for rng in trials(1000):
        kind, name = rng.choice(objects)
        argument, takes = rng.choice(list(OBJECTS[kind, name].items()))
        right, wrong = values_for(takes)
        word = 'function' if kind in ('init', 'activation', 'loss') else 'class'

        def data_for(value):
            return data_with(kind, {word: name, 'args': {**NEEDED.get(name, {}), argument: value}})
        value = rng.choice(right)
        if name != 'PiecewiseConstant' or argument != 'values' or len(value) == 3:
            assert planned(kind, data_for(value), path, dump), (name, argument, value)
        value = rng.choice(wrong)
        with pytest.raises(KeraFlowError) as caught:
            assert not planned(kind, data_for(value), path, dump), (name, argument, value)
        text = str(caught.value)
        assert text.isprintable() and len(text) <= MAX_MESSAGE and argument in text, (name, argument, value, text)
        if kind in PLACES:
            place = '.'.join(map(str, caught.value.steps)).replace('args.', '')
            named = ['values', argument] if argument == 'boundaries' else [argument]        # of a list that is too long
            assert place.startswith(tuple(f'{PLACES[kind]}.{one}' for one in named)), text
        else:
            line, *_ = [number for number, line in enumerate(path.read_text().splitlines(), 1) if re.search(rf'\b{argument}"?:', line)]
            assert line <= int(re.match(rf'{re.escape(str(path))}:(\d+): ', text)[1]) <= line + 4, text


def test_several_arguments_that_do_not_go_together():
    data = data_with('schedule', {'class': 'PiecewiseConstant', 'args': {'boundaries': [1, 3], 'values': [0.1]}})
    with pytest.raises(KeraFlowError, match='^optimizer.lr: PiecewiseConstant: values: expected 3, one more than boundaries') as caught:
        keraflow.plan(data)
    assert caught.value.steps == ('args', 'optimizer', 'args', 'lr', 'args', 'values')


@keraflow.register(id='fuzzed_activation')
class Counted:
    kind, made = 'activation', 0

    def __init__(self):
        Counted.made += 1

    def __call__(self, x):
        return x


@keraflow.register(id='fuzzed_layer')
class CountedLayer(Layer):
    made = 0

    def __init__(self, **kwargs):
        CountedLayer.made += 1
        super().__init__(**kwargs)


@pytest.mark.parametrize('kind, one, counted', [
    ('metric', 'fuzzed_metric', Fuzzed), ('metric', {'as': 'class', 'value': 'fuzzed_metric'}, Fuzzed),
    ('activation', 'fuzzed_activation', Counted), ('activation', {'as': 'class', 'value': 'fuzzed_activation'}, Counted),
    ('activation', {'as': 'class', 'value': 'fuzzed_layer'}, CountedLayer)])
def test_a_class_that_is_named_in_place_of_an_object_is_not_called(kind, one, counted, tmp_path):
    assert planned(kind, data_with(kind, one), tmp_path / 'a.yaml', dump_yaml)
    assert counted.made == 0
