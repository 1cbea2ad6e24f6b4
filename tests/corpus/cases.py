"""The corpus of files that must be refused, each with a twin that is right, which must be accepted.

A case changes one value of a sound file: ``steps`` lead to it, ``wrong`` is refused with a message that has ``words``,
and ``right`` is accepted.
"""
import copy
import json
from typing import Any, NamedTuple

from keraflow.layers import Layer
from keraflow.registry import register

__all__ = ['BASE', 'CASES', 'TEXTS', 'changed', 'Remove']


@register(id='corpus_scale')
class Scale(Layer):
    """A class of the program: its constructor must not run while a file is checked."""

    made = 0

    def __init__(self, by: float = 2., **kwargs: Any):
        super().__init__(**kwargs)
        Scale.made += 1
        self.by = by

    def output(self, x):
        return x * self.by

    def output_shape(self, input_shape):
        return input_shape


@register(id='corpus_power')
def power(x, exponent=2.):
    return x ** exponent


class Unregistered(Layer):
    """A class that the program has imported, and not registered."""


def layer(cls, **args):
    return {'class': cls, 'args': args}


BASE = {'format': 'keraflow', 'version': 2, 'model': layer(
    'Model', name='m', layers={
        'x': layer('Input', shape=[5, 3]),
        'steps': layer('LSTM', output_dim=4, return_sequences=True),
        'flat': layer('Flatten'),
        'hidden': layer('Dense', output_dim=3, activation='relu', regularizers={'W': layer('L2', l2=0.1)}),
        'other': layer('Dense', output_dim=3, init={'function': 'uniform', 'args': {'scale': 0.1}}),
        'scaled': layer('corpus_scale', by=3.),
        'sum': layer('ElementWiseSum'),
        'y': layer('Dense', output_dim=2)},
    path=[[['x'], 'steps', 'steps_0'], [['steps_0'], 'flat', 'flat_0'], [['flat_0'], 'hidden', 'hidden_0'],
          [['flat_0'], 'other', 'other_0'], [['other_0'], 'scaled', 'scaled_0'], [['hidden_0', 'scaled_0'], 'sum', 'sum_0'],
          [['sum_0'], 'y', 'y_0']],
    inputs=['x'], outputs=['y_0'])}

#: As a value: the key is not there.
Remove = object()


def changed(data, steps, value):
    """A copy of plain data with another value in one place."""
    data = copy.deepcopy(data)
    at = data
    for step in steps[:-1]:
        at = at[step]
    if value is Remove:
        if isinstance(at, list):
            del at[steps[-1]:]
        else:
            at.pop(steps[-1], None)
    elif isinstance(at, list) and steps[-1] == len(at):
        at.append(value)
    else:
        at[steps[-1]] = value
    return data


class Case(NamedTuple):
    steps: tuple
    wrong: Any
    right: Any
    words: str

    @property
    def name(self):
        return f"{'.'.join(map(str, self.steps[-2:]))}: {'nothing' if self.wrong is Remove else ascii(self.wrong)[:40]}"


MODEL = ('model', 'args')
LAYERS = (*MODEL, 'layers')
PATH = (*MODEL, 'path')


def at(name, *rest):
    return (*LAYERS, name, *rest)


def _classes():
    """What no file may name as a class, wherever one is expected."""
    names = ['subprocess.Popen', 'os.system', 'builtins.eval', 'keraflow.utils.serialize', 'keraflow.datasets.mnist.load_data', 'Layer',
             'keraflow.layers.Dense', '__import__', 'Dense.__init__', 'Unregistered', 'Callback', 'EarlyStopping', '', '../Dense', 'dense',
             'Dense\x00', 'D\u0435nse', 'mnist', 'Tokenizer.__class__', 'corpus_scal']
    for name in names:
        yield Case(at('y', 'class'), name, 'Dense', 'is not a class or function that is registered')
    for name in [None, 1, True, ['Dense'], {'class': 'Dense'}]:
        yield Case(at('y', 'class'), name, 'Dense', 'is not a class or function that is registered')
    yield Case(at('y', 'class'), 'relu', 'Dense', 'is not a class')
    yield Case(at('y', 'class'), 'corpus_power', 'Dense', 'is not a class')
    for name in ['Adam', 'L2', 'SGD']:
        yield Case((*LAYERS, 'y'), layer(name), layer('Dense', output_dim=2), 'expected a mapping from names to layers')
    for name in ['Adam', 'Dense', 'relu', 'subprocess.Popen']:
        yield Case(at('hidden', 'args', 'regularizers', 'W'), {'class': name}, {'class': 'L2'}, 'regularizer')
    for name in ['Adam', 'L2', 'uniform', 'os.system']:
        yield Case(at('y', 'args', 'activation'), {'class': name}, 'tanh', 'activation')
        yield Case(at('y', 'args', 'activation'), {'function': name}, {'function': 'tanh'}, 'activation')
    for name in ['os.system', 'eval', 'print', 'keraflow.utils.to_categorical', 'serialize', 'Dense', 'relux']:
        yield Case(at('other', 'args', 'init'), {'function': name}, {'function': 'uniform'}, 'initialization')
    for form in [[layer('Adam')], {'W': layer('Adam')}, layer('SGD'), {'function': 'relu'}, [[{'function': 'relu'}]]]:
        yield Case(at('y', 'args', 'initial_weights'), form, None, 'expected arrays and numbers')


def _arguments():
    for value in [True, 4., '4', None, 0, -1, [4], {}, '__import__("os")', {'as': 'number', 'dtype': 'bool', 'value': True}]:
        yield Case(at('steps', 'args', 'output_dim'), value, 4, 'output_dim')
    for value in [1, 0, 'true', None, [], 1.]:
        yield Case(at('steps', 'args', 'return_sequences'), value, True, 'return_sequences')
    for value in [1, 0.5, [], {}, True, '', 'rel', 'Relu', 'keraflow.activations.relu', 'os.system']:
        yield Case(at('y', 'args', 'activation'), value, 'relu', 'activation')
    for value in [2, 1., True, None, [], '', ['a']]:
        yield Case((*MODEL, 'path', 0, 0, 0), value, 'x', 'Model: path')
    for value in [-1., 'much', True, None, [], {'as': 'float', 'value': 'nan'}, {'as': 'float', 'value': 'inf'}]:
        yield Case(at('hidden', 'args', 'regularizers', 'W', 'args', 'l2'), value, .5, 'l2')
    for word, one in (('regularizers', 'l2'), ('constraints', 'maxnorm')):
        yield Case(at('hidden', 'args', word), [one, None, None], [one, None], 'expected at most 2 (W, b), received 3')
        yield Case(at('hidden', 'args', word), {'Q': one}, {'W': one}, "there is no 'Q'")
    both = [{'input': 0}, {'input': 1}]
    for args, kwargs, words in [(both, {'input': 99}, "maximum: there is no argument 'input'"),
                                (both, {'x': {'input': 0}}, "maximum: the argument 'x' is given twice"),
                                ([*both, 1], None, 'maximum: expected at most 2 positional argument(s)')]:
        yield Case(at('sum'), layer('Operation', operation='maximum', args=args, kwargs=kwargs), layer('Operation', operation='maximum', args=both),
                   words)
    yield Case(at('y', 'args', 'output_dim'), Remove, 2, "the argument 'output_dim' is missing")
    yield Case(at('y', 'args', 'output_din'), 2, Remove, "Did you mean 'output_dim'?")
    yield Case(at('y', 'args', 'units'), 2, Remove, "Did you mean 'output_dim'?")
    yield Case(at('y', 'args', 'self'), 2, Remove, "there is no argument 'self'")
    yield Case(at('y', 'args', '__class__'), 'Adam', Remove, "there is no argument '__class__'")
    yield Case(at('y', 'args'), [], {'output_dim': 2}, "'args' are not a mapping")
    yield Case(at('y', 'args', 'name'), 'z', 'y', "has the name 'z' among its arguments")
    yield Case(at('y', 'args', 'name'), '../y', 'y', 'expected a name of')
    yield Case(at('y', 'args', 'name'), 'x' * 129, 'y', 'expected a name of')
    yield Case(at('y', 'args', 'dtype'), 'float16', 'float64', 'dtype')
    yield Case(at('y', 'args', 'dtype'), 'object', 'float64', 'dtype')
    yield Case(at('scaled', 'args', 'by'), 'twice', 2., 'by: expected a number')
    yield Case(at('scaled', 'args', 'bi'), 2., Remove, "there is no argument 'bi'")
    yield Case(at('other', 'args', 'init', 'args', 'scal'), 1., Remove, "Did you mean 'scale'?")
    for name in ["__import__('os').system('echo RAN') or 0, x", 'x y', 'scale=1', '1', '', 'class', 'scale\n', 'shape.__class__']:
        yield Case(at('other', 'args', 'init', 'args', name), 1., Remove, 'there is no argument')
    for name in ["__import__('os').system('echo RAN') or 0, x", 'lambda', 'a b', 'exponent)']:
        yield Case(at('y', 'args', 'activation'), {'function': 'corpus_power', 'args': {name: 1.}}, {'function': 'corpus_power', 'args': {'exponent': 1.}},
                   'there is no argument')
    yield Case(at('other', 'args', 'init', 'args'), 3, {}, 'are not a mapping')
    yield Case(at('y', 'learned'), {'W': [1]}, None, "'learned': expected a mapping of nothing")
    yield Case(at('x', 'args', 'shape'), [5, 3, -1], [5, 3], 'shape')
    yield Case(at('x', 'args', 'shape'), [5, 3.], [5, 3], 'shape')
    yield Case(at('x', 'args', 'shape'), [5, True], [5, 3], 'shape')
    yield Case(at('x', 'args', 'shape'), '5,3', [5, 3], 'shape')
    yield Case(at('x', 'args', 'batch_size'), 0, 1, 'batch_size')


def _names():
    for name in ['../../x', 'a/b', '/etc/passwd', 'a\x1b[31mb', '\u202egnp', 'x' * 10000, '', '.', '..', '.hidden', 'a b', 'a\tb', '{0.__class__}',
                 '%s', "a'b", 'a\u2028b', '\ufeffa', 'a\u200bb', 'a:b', 'C:\\x', '$(x)', 'a;b', '-\x7f']:
        yield Case((*LAYERS, name), layer('Dense', output_dim=2), Remove, 'expected a name of')
        yield Case((*PATH, 6, 2), name, 'y_0', 'expected a name of')
    yield Case((*LAYERS, 'Y'), layer('Dense', output_dim=2), Remove, 'differ only in upper and lower case')
    yield Case((*LAYERS, 'unused'), layer('Dense', output_dim=2), Remove, "the layer 'unused' is never called")
    yield Case((*LAYERS, 'z'), layer('Input', shape=3), Remove, "no output depends on the Input 'z'")


def _graph():
    for key in ['layers', 'path', 'inputs', 'outputs']:
        yield Case((*MODEL, key), Remove, BASE['model']['args'][key], f"'{key}' is missing")
        for value in ['x', None, 3, True]:
            yield Case((*MODEL, key), value, BASE['model']['args'][key], f'Model: {key}')
    yield Case((*MODEL, 'inputs'), [], ['x'], 'at least one input and one output')
    yield Case((*MODEL, 'outputs'), [], ['y_0'], 'at least one input and one output')
    yield Case((*MODEL, 'inputs'), ['x', 'x'], ['x'], 'expected each Kensor once')
    yield Case((*MODEL, 'outputs'), ['y_0', 'y_0'], ['y_0'], 'expected each Kensor once')
    yield Case((*MODEL, 'inputs', 0), 'y_0', 'x', 'which is not one of inputs')
    yield Case((*MODEL, 'outputs', 0), 'y_1', 'y_0', "Did you mean 'y_0'?")
    yield Case((*MODEL, 'outputs', 0), 'sum_0', 'y_0', "no output depends on 'y_0'")
    yield Case((*PATH, 7), [['sum_0'], 'y', 'y_0'], Remove, "'y_0' is there already")
    yield Case((*PATH, 7), [['sum_0'], 'y', 'y_1'], Remove, "no output depends on 'y_1'")
    yield Case((*PATH, 2, 2), ['hidden_0', 'hidden_2'], 'hidden_0', "'hidden' has 1 output(s), but 2 name(s) are given")
    yield Case((*PATH, 6, 2), 'x', 'y_0', "'x' is there already")
    yield Case((*PATH, 6, 2), [], 'y_0', 'Model: path')
    yield Case((*PATH, 6, 0), ['y_0'], ['sum_0'], 'let no call feed itself')
    yield Case((*PATH, 2, 0), ['sum_0'], ['flat_0'], 'is made later')
    yield Case((*PATH, 2, 0), ['nowhere'], ['flat_0'], 'names of inputs that are there')
    yield Case((*PATH, 2, 0), 'flat_0', ['flat_0'], 'Model: path')
    yield Case((*PATH, 2, 0), [], ['flat_0'], 'empty list')
    yield Case((*PATH, 2, 0), ['flat_0', 'flat_0'], ['flat_0'], 'expected one input, received 2')
    yield Case((*PATH, 6, 1), 'z', 'y', 'name of a layer')
    yield Case((*PATH, 6, 1), 'x', 'y', 'takes data')
    yield Case((*PATH, 6), [['sum_0'], 'y'], [['sum_0'], 'y', 'y_0'], 'Model: path')
    yield Case((*PATH, 6), {'y': 'sum_0'}, [['sum_0'], 'y', 'y_0'], 'Model: path')
    yield Case((*PATH, 6), [['sum_0'], 'y', 'y_0', {'scale': 2.}], [['sum_0'], 'y', 'y_0', {}], "there is no argument 'scale'")
    yield Case((*PATH, 6), [['sum_0'], 'y', 'y_0', 3], [['sum_0'], 'y', 'y_0', {}], 'Model: path')
    yield Case((*PATH, 6), [['sum_0'], 'y', 'y_0', {'mask': {'input': 'zz'}}], [['sum_0'], 'y', 'y_0', {}], 'Model: path')
    yield Case((*PATH, 1), [['x'], 'hidden', 'flat_0'], [['steps_0'], 'flat', 'flat_0'], 'expected a 2-D input')
    yield Case((*PATH, 5, 0), ['hidden_0', 'flat_0'], ['hidden_0', 'scaled_0'], 'expected inputs of one shape')
    yield Case((*MODEL, 'trainable'), 1, True, 'trainable')
    yield Case((*MODEL, 'optimizer'), {'class': 'Adam'}, Remove, "there is no argument 'optimizer'")


def _sizes():
    for size in [10 ** 9, 2 * 10 ** 7, 10 ** 15]:
        yield Case(at('hidden', 'args', 'output_dim'), size, 3, 'parameters or more')
    yield Case(at('x', 'args', 'shape'), [5, 10 ** 8], [5, 3], 'parameters or more')
    yield Case(at('steps', 'args', 'output_dim'), 10 ** 5, 4, 'parameters or more')


def _files():
    for version in [1.0, True, '1', None, 0, -1, 3, 10 ** 16, [1]]:
        yield Case(('version',), version, 2, 'format version')
    for value in ['keras', None, 1, 'Keraflow']:
        yield Case(('format',), value, 'keraflow', 'not the architecture of a keraflow model')
    for key in ['format', 'version', 'model']:
        yield Case((key,), Remove, BASE[key], 'model')
    yield Case(('note',), 'mine', Remove, 'not the architecture of a keraflow model')
    yield Case(('model',), layer('Dense', output_dim=3), BASE['model'], 'expected a model, found Dense')
    yield Case(('model',), layer('Adam'), BASE['model'], 'expected a model, found Adam')
    yield Case(('model',), [BASE['model']], BASE['model'], 'expected a model, found list')
    yield Case(('model', 'why'), 'a person writes this', Remove, 'expected a model, found dict')


def _nested(times):
    data = layer('Dense', output_dim=2)
    for _ in range(times):
        data = layer('TimeDistributed', layer=data)
    return data


def _depth():
    yield Case((*LAYERS, 'y'), _nested(60), layer('Dense', output_dim=2), 'nested deeper than')
    deep = 1
    for _ in range(90):
        deep = [deep]
    yield Case(at('y', 'args', 'initial_weights'), deep, None, 'nested deeper than')


CASES = [*_classes(), *_arguments(), *_names(), *_graph(), *_sizes(), *_files(), *_depth()]

SOUND = json.dumps(BASE)
#: Texts that are refused and their twins: the format, both texts, and words of the message.
TEXTS = [
    ('json', SOUND[:-1], SOUND, ''), ('json', SOUND + '}', SOUND, ''), ('json', '', SOUND, 'empty'), ('json', SOUND.replace('"version": 2', '"version": NaN'), SOUND, ''),
    ('json', SOUND.replace('"version": 2', '"version": 2, "version": 2'), SOUND, 'twice'), ('json', SOUND.replace('0.1', '1e999'), SOUND, ''),
    ('json', SOUND.replace('"output_dim": 2', '"output_dim": ' + '9' * 400), SOUND, 'digits'), ('json', SOUND.replace('"m"', '"\\ud800"'), SOUND, ''),
    ('json', '[' * 30000, SOUND, 'deep'), ('json', SOUND.replace('"m"', '"m\x00"'), SOUND, ''), ('json', '\ufeff' + SOUND, SOUND, ''),
    ('json', SOUND.encode('utf-16'), SOUND, ''), ('json', b'\x80\x04\x95' + SOUND.encode(), SOUND, ''),
    ('yaml', '!!python/object/apply:os.system ["echo RAN"]', SOUND, 'tag'), ('yaml', SOUND.replace('"m"', '&a "m"'), SOUND, 'anchor'),
    ('yaml', SOUND.replace('"m"', '*a'), SOUND, 'alias'), ('yaml', 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]', SOUND, 'anchor'), ('yaml', '&r [*r]', SOUND, 'anchor'),
    ('yaml', '{' * 30000, SOUND, ''), ('yaml', SOUND + '\n---\n' + SOUND, SOUND, 'second document'), ('yaml', '%YAML 1.1\n---\n' + SOUND, SOUND, 'directive'),
    ('yaml', '<<: {}\n', SOUND, 'merge key'), ('yaml', 'format: keraflow\nformat: keraflow\n', SOUND, 'twice'), ('yaml', SOUND.replace('0.1', '.nan'), SOUND, 'finite'),
    ('yaml', SOUND.replace('0.1', '.inf'), SOUND, 'finite'), ('yaml', SOUND.replace('"m"', '"\\U00110000"'), SOUND, ''), ('yaml', '', SOUND, 'empty')]
