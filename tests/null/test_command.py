"""The command line: what it prints, its exit codes, and that nothing of a file reaches the terminal unescaped."""
import copy
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keraflow
from keraflow.command import main
from keraflow.command.console import escaped, table
from keraflow.command.edits import array_edits, model_edits
from keraflow.command.normal import by_current_names
from keraflow.command.parser import COMMANDS
from keraflow.files.plaindata import dump_json, dump_plain, read_plain
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.models.plans import VERSION

DATA = Path(__file__).parents[1] / 'data'
FIRST = DATA / 'goldens' / 'dense_linear.json'
CLASSES = '''
import keraflow
from keraflow.layers import Layer

@keraflow.register
class OfACommand(Layer):
    def output(self, x):
        return x * 2
'''


def dense(output_dim, **args):
    return {'class': 'Dense', 'args': {'output_dim': output_dim, **args}}


def model(*layers):
    return {'class': 'Sequential', 'args': {'layers': [{'class': 'Input', 'args': {'shape': 4}}, *layers], 'name': 'net'}}


def document(model, version=1):
    return {'format': 'keraflow', 'version': version, 'model': model}


@pytest.fixture
def write(tmp_path):
    def write(name, *layers, **others):
        path = tmp_path / name
        path.write_text(dump_plain({**document(model(*layers)), **others}, path))
        return str(path)
    return write


@pytest.fixture
def whole(tmp_path):
    """A whole model, as `model.save` writes it."""
    def whole(name, *layers, settings=None, weights=None, **metadata):
        arrays = {f'weights/{key}': np.asarray(array, 'float32') for key, array in (weights or {}).items()}
        texts = {'format': 'keraflow-model', 'version': '1', 'architecture': '0' * 64, 'model': dump_json(document(model(*layers)))}
        if settings is not None:
            texts.update(compile=dump_json(settings), training=dump_json({'lr': '0.1', 'version': '4'}))
        path = tmp_path / name
        path.write_bytes(dump_tensors(arrays, {key: text for key, text in {**texts, **metadata}.items() if text is not None}))
        return str(path)
    return whole


@pytest.fixture
def run(capsys):
    def run(*words):
        code = main(list(map(str, words)))
        out, err = capsys.readouterr()
        return code, out, err
    return run


def in_process(*words, **options):
    return subprocess.run([sys.executable, '-m', 'keraflow', *map(str, words)], capture_output=True, text=True, timeout=120, **options)


# -- the whole of it --------------------------------------------------------------------------------------------------

def test_help_names_each_command(run):
    code, out, err = run('--help')
    assert (code, err) == (0, '') and all(f'  {one.name} ' in out or f'  {one.name}\n' in out for one in COMMANDS)
    for one in COMMANDS:
        code, out, err = run(one.name, '--help')
        assert (code, err) == (0, '') and 'Exit code: 0 if' in out and '--traceback' in out
    assert run('--version') == (0, f'keraflow {keraflow.__version__}\n', '')


@pytest.mark.parametrize('words, text', [
    ([], 'keraflow: the following arguments are required: COMMAND. Write keraflow --help.'),
    (['diff', 'a'], 'keraflow diff: the following arguments are required: B. Write keraflow diff --help.'),
    (['diff', 'nowhere.yaml', 'nowhere.yaml'], 'keraflow: nowhere.yaml: No such file or directory'),
    (['diff', 'a', 'b', '--only', 'wieghts'], "keraflow: --only: there is no part 'wieghts'. Did you mean 'weights'?"),
    *[([command, path, *more], f'keraflow: {path}: expected a file whose name ends with .json, .yaml or .yml (an architecture), .safetensors '
       '(weights or a training) or .keraflow (a whole model).') for command, path, *more in (
           ('inspect', 'a.txt'), ('inspect', '.'), ('inspect', '/dev/null'), ('diff', 'a.py', 'b.yaml'))],
    (['verify', 'a', '--steps', '-1'], "keraflow verify: argument --steps: expected a number from 0 to 9999, received '-1'. "
     'Write keraflow verify --help.'),
    (['verify', 'a', '--tolerance', '2'], "keraflow verify: argument --tolerance: expected a number between 0 and 1, received '2'. "
     'Write keraflow verify --help.'),
    (['verify', 'a', '--backends', 'numpy'], 'keraflow: verify: numpy alone cannot be compared. Name another backend, --backends b, or write --save '
     'results.safetensors here and --against results.safetensors where the other one is.'),
    (['verify', 'a', '--backends', 'x,y', '--save', 'r'], 'keraflow: verify: --save keeps the results of one backend. Name it: --backends a.'),
])
def test_an_error_is_one_line_and_exit_code_2(run, tmp_path, monkeypatch, words, text):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == (2, '', f'{text}\n')


def test_another_error_says_how_to_see_where(run, write, monkeypatch):
    def broken(*args, **named):
        raise KeyError('x')
    monkeypatch.setattr('keraflow.command.differing.model_edits', broken)
    a = write('a.yaml', dense(3))
    assert run('diff', a, a) == (2, '', "keraflow: KeyError: 'x' (--traceback shows where)\n")
    code, _, err = run('diff', a, a, '--traceback')
    assert code == 2 and err.startswith('Traceback (most recent call last)')


def test_all_differences_are_told(run, monkeypatch):
    from keraflow.errors import KeraFlowError

    def differ(arguments):
        error = KeraFlowError('4 differences: a; b; c; and 1 more')
        error.differences = ('a', 'b', 'c', 'd\x1b')
        raise error
    monkeypatch.setattr('keraflow.command.differing.diff', differ)
    assert run('diff', 'a', 'b') == (2, '', 'keraflow: 4 differences: a; b; c; and 1 more\n  a\n  b\n  c\n  d\\x1b\n')


def test_nothing_is_printed_that_moves_the_cursor():
    assert escaped('a\x1b[31m\n\u202eb\tä') == r'a\x1b[31m\n\u202eb\tä'
    assert table([['\x1b', 1], ['ab', 22]], right=[1]) == [r'\x1b   1', 'ab    22']


def test_what_a_file_holds_is_escaped(run, whole, write):
    settings = {'optimizer': 'sgd', 'loss': {'\x1b\u202e': 'mse'}, 'metrics': {}}
    evil = whole('evil.keraflow', dense(3), weights={'\x1b[2Jname': np.ones(15)}, settings={'class': 'CompileSettings', 'args': settings})
    other = whole('other.keraflow', dense(3), weights={}, settings={'class': 'CompileSettings', 'args': {'loss': 'mse'}})
    for words in (['inspect', evil], ['diff', evil, other], ['inspect', evil, '--json'], ['diff', other, evil, '--json']):
        code, out, err = run(*words)
        assert code in (0, 1) and err == '' and all(line.isprintable() for line in out.splitlines())
    bad = write('bad.yaml', {'class': '\x1b[2J', 'args': {}})
    code, out, err = run('inspect', bad)
    assert (code, out) == (2, '') and err.count('\n') == 1 and err[:-1].isprintable()


def test_reading_on_may_stop(write):
    a, b = write('a.yaml', *[dense(3)] * 2000), write('b.yaml', *[dense(4)] * 2000)
    started = subprocess.Popen([sys.executable, '-m', 'keraflow', 'diff', a, b], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    started.stdout.close()
    assert started.stderr.read() == '' and started.wait(60) == 141
    started.stderr.close()


def test_ctrl_c_ends_it_without_a_traceback(tmp_path):
    (tmp_path / 'slow.py').write_text('import time\nprint("here", flush=True)\ntime.sleep(60)\n')
    started = subprocess.Popen([sys.executable, '-m', 'keraflow', 'schema', '--module', 'slow'], cwd=tmp_path, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env={**os.environ, 'PYTHONPATH': str(Path(keraflow.__file__).parents[1])})
    assert started.stdout.readline() == 'here\n'
    started.send_signal(signal.SIGINT)
    assert started.wait(60) == 130 and started.stderr.read() == ''
    started.stdout.close(), started.stderr.close()


@pytest.mark.parametrize('words, least', [(['--help'], {'keraflow.command'}), (['inspect', str(FIRST)], {'numpy', 'keraflow.models'})])
def test_no_backend_is_imported(words, least):
    code = ('import sys\nfrom keraflow.command import main\n'
            f'code = main({words!r})\nprint(*sys.modules, file=sys.stderr)\nsys.exit(code)')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    loaded = set(done.stderr.split())
    assert done.returncode == 0 and least <= loaded and not loaded & {'tensorflow', 'theano', 'keraflow_backends'}
    assert words != ['--help'] or 'numpy' not in loaded


# -- inspect ----------------------------------------------------------------------------------------------------------

def test_inspect_prints_the_plan(run, write):
    path = write('net.yaml', dense(3), dense(2, bias=False))
    code, out, err = run('inspect', path)
    assert (code, err) == (0, '')
    first, rest = out.split('\n', 1)
    assert first == f'{path}: architecture, format version 1'
    assert rest == str(keraflow.plan(path)).split('\n', 1)[1] + '\n'
    assert 'parameters: 21' in out
    found = json.loads(run('inspect', path, '--json')[1])
    assert found['model']['nb_parameter'] == 21 and found['model']['layers'][1] == {
        'name': 'dense1', 'class': 'Dense', 'inputs': ['input1'], 'output_shapes': [[None, 3]], 'nb_parameter': 15}


def test_inspect_tells_of_weights(run, tmp_path):
    path = tmp_path / 'w.safetensors'
    path.write_bytes(dump_tensors({'dense1/W': np.ones((2, 3), 'float32'), 'dense1/b': np.full(3, np.nan, 'float32')}, {'format': 'keraflow'}))
    assert run('inspect', path) == (0, f"{path}: weights\nweights: 2 arrays, 9 numbers, 36 bytes\n  not finite: 'dense1/b'\n"
                                    '  dense1/W  float32  (2, 3)  6\n  dense1/b  float32  (3,)    3\n', '')
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    code, out, err = run('inspect', path)
    assert (code, out) == (2, '') and 'does not match its SHA-256' in err


def test_inspect_reads_weights_of_other_programs(run, tmp_path):
    import safetensors.numpy
    path = tmp_path / 'other.safetensors'
    safetensors.numpy.save_file({'layer.0.weight': np.zeros((2, 2), 'float32')}, path)
    code, out, err = run('inspect', path)
    assert (code, err) == (0, '') and out.startswith(f'{path}: weights of another program\n')
    assert out.endswith('there is no SHA-256: another program wrote the file, and damage would go unnoticed\n')


def test_inspect_tells_of_trainings(run):
    path = next((DATA / 'training3').glob('*.safetensors'))
    code, out, err = run('inspect', path)
    assert (code, err) == (0, '') and 'training' in out.splitlines()[0] and 'optimizer: ' in out


def test_inspect_tells_of_whole_models(run, whole):
    path = whole('m.keraflow', dense(3), weights={'dense1/W': np.ones((4, 3))}, settings={'class': 'CompileSettings', 'args': {
        'optimizer': {'class': 'Adam', 'args': {'lr': 0.1}}, 'loss': {'dense1': 'square_error'}, 'metrics': {}}})
    code, out, err = run('inspect', path)
    assert (code, err) == (0, '') and 'net (Sequential)' in out and 'parameters: 15' in out
    assert 'compiled with:\n  optimizer: Adam(lr=0.1)\n  loss: dense1: square_error\ntraining:\n  lr: 0.1\nweights: 1 arrays, 12 numbers' in out


def test_inspect_refuses_what_reading_would(run, write):
    path = write('bad.yaml', dense(3, activation='rleu'))
    code, out, err = run('inspect', path)
    assert (code, out) == (2, '') and "'rleu'" in err and f'{path}:' in err and err.count('\n') == 1


#: What `load` refuses before it builds anything, and inspect with it.
REFUSED = [
    ({'compile': {'optimizer': {'class': 'Adam', 'args': {'lr': -1}}}}, 'lr'),
    ({'compile': {'optimizer': {'class': 'Adamm', 'args': {}}}}, "'Adamm'"),
    ({'compile': {'loss': {'dense1': 'no_such_loss'}}}, "'no_such_loss'"),
    ({'compile': {'metrics': {'dense1': ['no_such_metric']}}}, "'no_such_metric'"),
    ({'compile': {'optimizer': None}}, 'optimizer'),
    ({'compile': []}, 'compile'),
    ({'version': None}, 'format version'), ({'version': '99'}, "format version '99'"), ({'format': 'keraflow'}, 'weights alone'),
    ({'probes': {'backend': 3}}, 'the description of the probes is damaged'),
    ({'training': None}, 'metadata are damaged'), ({'training': {'lr': 3}}, 'the state of the training is damaged'),
    ({'later': 'x'}, "unknown ['later']"), ({'architecture': None}, "lacking ['architecture']"),
]


@pytest.mark.parametrize('changed, text', REFUSED, ids=range(len(REFUSED)))
def test_inspect_refuses_what_load_would(run, whole, changed, text):
    settings = {'optimizer': {'class': 'Adam', 'args': {'lr': 0.1}}, 'loss': {'dense1': 'square_error'}, 'metrics': {}}
    sound = {'class': 'CompileSettings', 'args': settings}
    weights = {'dense1/W': np.ones((4, 3)), 'dense1/b': np.ones(3)}
    assert run('inspect', whole('sound.keraflow', dense(3), settings=sound, weights=weights))[0] == 0
    changed = {key: value if value is None or isinstance(value, str) else dump_json(value) if key != 'compile' or not value else
               dump_json({'class': 'CompileSettings', 'args': {**settings, **value}}) for key, value in changed.items()}
    path = whole('m.keraflow', dense(3), settings=sound, weights=weights, **changed)
    with pytest.raises(keraflow.KeraFlowError) as error:
        keraflow.load(path)
    for words in ([], ['--json']):
        code, out, err = run('inspect', path, *words)
        assert (code, out, err.count('\n')) == (2, '', 1) and text in err and str(error.value)[:100] in err


def test_a_module_that_the_person_names_registers_classes(run, write, tmp_path, monkeypatch):
    path = write('own.yaml', {'class': 'OfACommand', 'args': {}})
    code, _, err = run('inspect', path)
    assert code == 2 and 'import its module first, or name it with --module' in err
    (tmp_path / 'own_classes.py').write_text(CLASSES)
    monkeypatch.chdir(tmp_path)
    code, out, err = run('inspect', path, '--module', 'own_classes')
    assert (code, err) == (0, '') and '(OfACommand)' in out
    assert str(tmp_path) not in sys.path
    del sys.modules['own_classes']
    code, _, err = run('inspect', path, '--module', 'no_such_module')
    assert (code, err) == (2, "keraflow: --module: there is no module 'no_such_module', neither in this folder nor installed.\n")
    code, _, err = run('inspect', path, '--module', 'own_classes.py')
    assert (code, err) == (2, "keraflow: --module: there is no module 'own_classes.py', neither in this folder nor installed. Leave out .py.\n")
    for wrong in '../own_classes', '.own_classes', '', 'own classes':
        code, _, err = run('inspect', path, '--module', wrong)
        assert code == 2 and err.startswith('keraflow inspect: argument --module: expected the name of a module, such as own.layers, received ')
    (tmp_path / 'importing.py').write_text('import no_such_library')
    code, _, err = run('inspect', path, '--module', 'importing')
    assert (code, err) == (2, "keraflow: ModuleNotFoundError: No module named 'no_such_library' (--traceback shows where)\n")


@pytest.mark.parametrize('name, text, message', [
    ('nowhere.yaml', None, 'No such file or directory'), ('w.safetensors', '', 'expected a file whose name ends with .json, '),
    ('a.json', '{}', 'this is not the architecture of a keraflow model.'), ('b.yaml', '[', 'this is not valid YAML: ')])
def test_a_wrong_file_is_refused_once_and_not_on_each_backend(run, tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    code, out, err = run('verify', str(tmp_path / name), '--backends', 'no_backend,nor_this')
    assert (code, out, err.count('\n')) == (2, '', 1) and message in err


def test_errors_name_what_a_command_has(run, write, tmp_path):
    path = write('a.yaml', dense(2))
    code, _, err = run('plot', path, '--output', 'a.png')
    assert (code, err) == (2, "keraflow: --output: expected a name that ends with .svg or .html, received 'a.png'.\n")
    for words in (['plot', '--output', str(tmp_path / 'a.svg')], ['summary']):
        for name in 'w.safetensors', 'a.txt':
            (tmp_path / name).touch()
            code, _, err = run(*words, str(tmp_path / name))
            assert (code, err) == (2, f'keraflow: {tmp_path / name}: expected a file whose name ends with .json, .yaml or .yml (an '
                                      'architecture) or .keraflow (a whole model).\n')


# -- diff -------------------------------------------------------------------------------------------------------------

EDITS = [
    ([dense(3)], [dense(3)], []),
    ([dense(3)], [dense(3, bias=True, activation='linear', trainable=True)], []),
    ([dense(3)], [dense(3, x_note='mine')], []),
    ([dense(3)], [dense(4)], ['~ layer dense1: output_dim: 3 -> 4']),
    ([dense(3)], [dense(3, bias=False)], ['~ layer dense1: bias: True -> False']),
    ([dense(3), dense(2)], [dense(3), {'class': 'Dropout', 'args': {'drop_rate': 0.5}}, dense(2)], ['+ layer dropout1: Dropout']),
    ([dense(3), dense(2)], [dense(5), dense(3), dense(2)], ['+ layer dense1: Dense']),
    ([dense(3), dense(2)], [dense(2)], ['- layer dense1: Dense']),
    ([dense(3, name='a')], [dense(3, name='b')], ["~ layer a: name: 'a' -> 'b'"]),
    ([dense(3, name='a')], [{'class': 'Maxout', 'args': {'output_dim': 3, 'name': 'a'}}], ['~ layer a: Dense -> Maxout']),
    ([dense(3, regularizers={'W': {'class': 'L2', 'args': {'l2': 0.1}}})], [dense(3, regularizers={'W': {'class': 'L2', 'args': {'l2': 0.2}}})],
     ['~ layer dense1: regularizers.W.l2: 0.1 -> 0.2']),
    ([dense(3)], [dense(3, regularizers={'W': 'l1'})], ["~ layer dense1: regularizers: None -> {'W': 'l1'}"]),
]


@pytest.mark.parametrize('old, new, lines', EDITS, ids=range(len(EDITS)))
def test_diff_prints_an_edit_a_line(run, write, old, new, lines):
    a, b = write('a.yaml', *old), write('b.json', *new)
    assert run('diff', a, b) == (int(bool(lines)), ''.join(f'{line}\n' for line in lines), '')
    found = json.loads(run('diff', a, b, '--json')[1])
    assert len(found['edits']) == len(lines) and found['a'] == a
    back = run('diff', b, a)[1].splitlines()
    assert len(back) == len(lines) and run('diff', a, a)[0] == 0


def graph(*path, outputs, **layers):
    layers = {'x': {'class': 'Input', 'args': {'shape': 4}}, **layers}
    return {'class': 'Model', 'args': {'layers': layers, 'path': list(path), 'inputs': ['x'], 'outputs': outputs}}


def test_diff_follows_the_calls_of_a_graph(run, tmp_path):
    a, b, c = (tmp_path / name for name in ('a.yaml', 'b.yaml', 'c.yaml'))
    first = graph([['x'], 'h', 'h_0'], [['h_0'], 'y', 'y_0'], h=dense(4), y=dense(2), outputs=['y_0'])
    second = graph([['x'], 'h', 'h_0'], [['h_0'], 'h', 'h_1'], [['h_1'], 'y', 'y_0'], h=dense(4), y=dense(2), outputs=['y_0'])
    third = graph([['x'], 'h', 'h_0'], [['h_0'], 'y', 'y_0'], h=dense(4), y=dense(2), outputs=['h_0', 'y_0'])
    for path, data in ((a, first), (b, second), (c, third)):
        path.write_text(dump_plain(document(data), path))
    assert run('diff', a, b)[:2] == (1, '~ call y_0: fed by h_0 -> fed by h_1\n+ call h_1: fed by h_0\n')
    assert run('diff', a, c)[:2] == (1, "~ outputs: ['y_0'] -> ['h_0', 'y_0']\n")


def twins(outputs=('p_0', 'q_0'), inputs=('a', 'b'), path=None, names=('p', 'q'), **args):
    """Two inputs, a subtraction, and two heads that are alike."""
    p, q = names
    layers = {**{name: {'class': 'Input', 'args': {'shape': 4, 'name': name}} for name in 'ab'},
              'minus': {'class': 'Operation', 'args': {'operation': 'subtract', 'args': [{'input': 0}, {'input': 1}], 'kwargs': None}},
              **{name: dense(2) for name in args.pop('order', (p, q))}}
    path = path or [[['a', 'b'], 'minus', 'minus_0'], [['minus_0'], p, f'{p}_0'], [['minus_0'], q, f'{q}_0']]
    return {'class': 'Model', 'args': {'layers': layers, 'path': path, 'inputs': list(inputs), 'outputs': list(outputs), **args}}


def lines_of(old, new):
    return [str(one) for one in model_edits(*map(by_current_names, (old, new)))[0]]


NUMBERED = {'names': ('dense1', 'dense2'), 'outputs': ['dense1_0', 'dense2_0']}
SWAPS = [
    (twins(), twins(), []),
    (twins(), twins(order='qp'), []),
    (twins(), twins(['q_0', 'p_0'], order='qp'), ["~ outputs: ['p_0', 'q_0'] -> ['q_0', 'p_0']"]),
    (twins(), twins(inputs='ba'), ["~ inputs: ['a', 'b'] -> ['b', 'a']"]),
    (twins(), twins(path=[[['b', 'a'], 'minus', 'minus_0'], [['minus_0'], 'p', 'p_0'], [['minus_0'], 'q', 'q_0']]),
     ['~ call minus_0: fed by a, b -> fed by b, a']),
    (twins(['m', 'n'], path=[[['a', 'b'], 'minus', 'o'], [['o'], 'p', 'm'], [['o'], 'q', 'n']]),
     twins(['m', 'n'], path=[[['a', 'b'], 'minus', 'o'], [['o'], 'q', 'm'], [['o'], 'p', 'n']]),
     ['~ call m: p fed by o -> q fed by o', '~ call n: q fed by o -> p fed by o']),
    (twins(names=('fc1', 'fc2'), outputs=['fc1_0', 'fc2_0']), twins(names=('fc1', 'head3'), outputs=['fc1_0', 'head3_0']),
     ["~ layer fc2: name: 'fc2' -> 'head3'"]),
    (twins(**NUMBERED), twins(names=('dense1', 'dense2'), outputs=['dense2_0', 'dense1_0'], order=('dense2', 'dense1')),
     ["~ outputs: ['dense1_0', 'dense2_0'] -> ['dense2_0', 'dense1_0']"]),
    (twins(**NUMBERED), twins(names=('dense2', 'dense3'), outputs=['dense2_0', 'dense3_0']), []),
    (twins(**NUMBERED), twins(names=('dense2', 'dense3'), outputs=['dense3_0', 'dense2_0']),
     ["~ outputs: ['dense2_0', 'dense3_0'] -> ['dense3_0', 'dense2_0']"]),
]


def meaning(args):
    """What outputs are computed from, by which layers, of which those without a name of their own are counted."""
    layers, made = args['layers'], {name: ('input', place) for place, name in enumerate(args['inputs'])}
    counted = sorted((len(name), name) for name in layers if name.startswith('dense'))
    labels = {name: place for place, (_, name) in enumerate(counted)}
    for fed, layer, kensor in args['path']:
        made[kensor] = (labels.get(layer, layer), json.dumps(layers[layer], sort_keys=True), *(made[name] for name in fed))
    return args['inputs'], [made[name] for name in args['outputs']]


def drawn(random):
    names = random.sample(['p', 'q', 'fc1', 'fc2', 'h7', 'dense1', 'dense2', 'dense3', 'dense4'], 3)
    path, known = [], ['a', 'b']
    for name in random.choices(names, k=3):
        path.append([random.sample(known, random.choice([1, 2])), name, f'{name}_{sum(one[1] == name for one in path)}'])
        known.append(path[-1][2])
    inputs, outputs = (random.sample(some, 2) for some in (['a', 'b'], known[2:]))
    return twins(outputs, inputs, path, order=dict.fromkeys(one[1] for one in path))


def test_diff_is_silent_only_where_the_same_is_computed(trials):
    nb_same = 0
    for random in trials(3000):
        old, new = (drawn(random) for _ in range(2))
        if random.random() < 0.9:       # one change of a copy
            new = copy.deepcopy(old)
            args, layers = new['args'], [one for one in new['args']['layers'] if one not in ('a', 'b', 'minus')]
            step = random.choice(args['path'])
            random.choice([lambda: args['outputs'].reverse(), lambda: args['inputs'].reverse(), lambda: step[0].reverse(),
                           lambda: step.__setitem__(0, random.choice(args['path'])[0] if step is args['path'][-1] else ['a']),
                           lambda: step.__setitem__(1, random.choice(layers))])()
            if random.random() < 0.5:
                to = dict(zip(layers, random.sample(['p', 'q', 'fc1', 'fc2', 'dense1', 'dense2', 'dense3', 'dense4', 'dense5'], len(layers))))
                text = json.dumps(new)
                for name in to:
                    text = text.replace(f'"{name}', f'"<{name}>')
                for name, other in to.items():
                    text = text.replace(f'"<{name}>', f'"{other}')
                new = json.loads(text)
        try:
            same = meaning(old['args']) == meaning(new['args'])
        except KeyError:        # fed by itself
            continue
        found = lines_of(old, new)
        nb_same += not found
        assert same or found, (old, new)
    assert nb_same > 100


@pytest.mark.parametrize('old, new, lines', SWAPS, ids=range(len(SWAPS)))
def test_diff_tells_what_is_swapped_between_layers_that_are_alike(old, new, lines):
    assert lines_of(old, new) == lines
    assert bool(lines_of(new, old)) == bool(lines)


def test_diff_compares_by_names_where_a_doubt_is_left():
    crossed = twins(names=('dense3', 'dense2'), outputs=['dense3_0', 'dense2_0'])
    assert lines_of(twins(**NUMBERED), crossed)[:2] == ['- layer dense1: Dense', '+ layer dense3: Dense']
    # A place that another refers to is one by names: a number that is overlooked would change what it means.
    wrapped = {'class': 'TimeDistributed', 'args': {'layer': {'shared': 'layers.dense2'}}}
    old, new = twins(**NUMBERED), twins(names=('dense2', 'dense3'), outputs=['dense2_0', 'dense3_0'])
    for one in (old, new):
        one['args']['layers']['minus'] = wrapped
    assert lines_of(old, new)[:2] == ['- layer dense1: Dense', '+ layer dense3: Dense']


def test_diff_never_takes_a_layer_that_is_gone_for_another():
    old = graph([['x'], 'dense1', 'dense1_0'], [['x'], 'dense2', 'dense2_0'], [['dense1_0', 'dense2_0'], 'y', 'y_0'],
                dense1=dense(3), dense2=dense(4), y={'class': 'Concatenate', 'args': {}}, outputs=['y_0'])
    new = graph([['x'], 'dense2', 'dense2_0'], [['dense2_0', 'dense2_0'], 'y', 'y_0'],
                dense2=dense(3), y={'class': 'Concatenate', 'args': {}}, outputs=['y_0'])
    edits, names = model_edits(old, new)
    assert names['dense1'] == 'dense2' and names['dense2'] == 'removed dense2'
    assert [str(one) for one in edits] == [
        '- layer dense2: Dense', '- call removed dense2_0: fed by x',
        '~ call y_0: fed by dense2_0, removed dense2_0 -> fed by dense2_0, dense2_0']


def test_diff_follows_arguments_of_calls():
    def fed(name, *names):
        return graph(*([['x'], one, f'{one}_0'] for one in names), [['x'], 'y', 'y_0', {'mask': {'input': name}}],
                     **{one: dense(3) for one in names}, y=dense(2), outputs=['y_0'])
    assert lines_of(fed('dense1_0', 'dense1', 'dense2'), fed('dense2_0', 'dense2', 'dense3')) == []
    assert lines_of(fed('dense2_0', 'dense1', 'dense2'), fed('dense2_0', 'dense2', 'dense3')) == [
        '~ call y_0: fed by x with {"mask": {"input": "dense3_0"}} -> fed by x with {"mask": {"input": "dense2_0"}}']


ROWS = [
    ([dense(3, name='p'), dense(3, name='q')], [dense(3, name='q'), dense(3, name='p')], ['~ model: layers in a row: input1, p, q -> input1, q, p']),
    ([dense(3, name='fc1')], [dense(3, name='head3')], ["~ layer fc1: name: 'fc1' -> 'head3'"]),
    ([dense(3, name='dense1')], [dense(3, name='dense2')], ["~ layer dense1: name: 'dense1' -> 'dense2'"]),
    ([dense(4), {'shared': 'layers[1]'}], [dense(4), {'shared': 'layers[1]'}], []),
    ([dense(4)], [dense(4), {'shared': 'layers[1]'}], ['~ model: layers in a row: input1, dense1 -> input1, dense1, dense1']),
    ([dense(4), dense(4), {'shared': 'layers[1]'}], [dense(4), dense(4), {'shared': 'layers[2]'}],
     ['~ model: layers in a row: input1, dense1, dense2, dense1 -> input1, dense1, dense2, dense2']),
]


@pytest.mark.parametrize('old, new, lines', ROWS, ids=range(len(ROWS)))
def test_diff_tells_the_order_in_a_sequential(old, new, lines):
    assert lines_of(model(*old), model(*new)) == lines


def test_diff_takes_the_names_that_a_sequential_lists():
    old, new = model(dense(3), dense(3)), model(dense(3), dense(3))
    old['args']['names'], new['args']['names'] = ['x', 'one', 'two'], ['x', 'one', 'three']
    assert lines_of(old, new) == ["~ layer two: name: 'two' -> 'three'"]
    assert lines_of(old, copy.deepcopy(old)) == []


def test_diff_of_layers_with_swapped_weights_names_neither(run, tmp_path):
    arrays = {f'weights/{name}/W': np.full((4, 2), number, 'float32') for number, name in enumerate('pq')}
    for name, data in (('a', twins()), ('b', twins(['q_0', 'p_0'], order='qp'))):
        (tmp_path / f'{name}.keraflow').write_bytes(dump_tensors(arrays, {
            'format': 'keraflow-model', 'version': '1', 'architecture': '0' * 64, 'model': dump_json(document(data))}))
    assert run('diff', tmp_path / 'a.keraflow', tmp_path / 'b.keraflow') == (1, "~ outputs: ['p_0', 'q_0'] -> ['q_0', 'p_0']\n", '')


@pytest.mark.parametrize('old, new, text', [
    (np.zeros(4, 'float32'), -np.zeros(4, 'float32'), '4 of 4 values differ in nothing but the sign of 0 or the bits of NaN'),
    (np.array([0., 1.], 'float32'), np.array([-0., 3.], 'float32'), '2 of 2 values differ, by up to 2'),
    (np.array([2 ** 53, 5]), np.array([2 ** 53 + 1, 5]), '1 of 2 values differ, by up to 1'),
    (np.array(1.), np.array(np.inf), '1 of 1 values differ, by up to inf'),
])
def test_diff_counts_values_whose_bits_differ(old, new, text):
    assert [str(one) for one in array_edits('weights', {'w': old}, {'w': new})] == [f'~ weights w: {text}']
    assert array_edits('weights', {'w': old}, {'w': old.copy()}) == []


def test_diff_sees_renamed_arguments_and_versions_as_the_same(run, tmp_path):
    for name in ('words', 'operations'):
        source, now = DATA / 'format1' / f'{name}.yaml', tmp_path / f'{name}.json'
        data = read_plain(source)
        now.write_text(dump_plain(data, now))
        assert run('diff', source, now) == (0, '', '')


def test_diff_compares_settings_and_weights(run, whole, write):
    settings = {'class': 'CompileSettings', 'args': {'optimizer': {'class': 'SGD', 'args': {'lr': 0.1}}, 'loss': {'dense1': 'square_error'}}}
    other = {'class': 'CompileSettings', 'args': {'optimizer': {'class': 'SGD', 'args': {'lr': 0.2}}, 'loss': {'dense1': 'square_error'}}}
    a = whole('a.keraflow', dense(3), settings=settings, weights={'dense1/W': np.zeros((4, 3)), 'dense1/b': np.zeros(3)})
    b = whole('b.keraflow', dense(3), settings=other, weights={'dense1/W': np.eye(4, 3), 'dense1/c': np.zeros(3)})
    assert run('diff', a, a) == (0, '', '')
    assert run('diff', a, b)[:2] == (1, '~ settings: optimizer.lr: 0.1 -> 0.2\n- weights dense1/b: float32 (3,)\n'
                                     '~ weights dense1/W: 3 of 12 values differ, by up to 1\n+ weights dense1/c: float32 (3,)\n')
    assert run('diff', a, b, '--only', 'settings,model')[1] == '~ settings: optimizer.lr: 0.1 -> 0.2\n'
    alone = write('alone.yaml', dense(3))
    assert run('diff', alone, a)[:2] == (1, ''.join(f'+ {part} (only in {a})\n' for part in ('settings', 'training', 'weights')))


def test_diff_takes_weights_by_the_names_that_layers_have_now(run, whole):
    a = whole('a.keraflow', dense(3), weights={'dense1/W': np.zeros((4, 3))})
    b = whole('b.keraflow', dense(4), dense(3), weights={'dense1/W': np.zeros((4, 4)), 'dense2/W': np.zeros((4, 3))})
    assert run('diff', a, b)[1] == '+ layer dense1: Dense\n+ weights dense1/W: float32 (4, 4)\n'


#: What may stand anywhere in a file that nobody has checked.
ANYTHING = [None, True, -1, 1.5, '', 'dense1', [], {}, ['a'], [[[]]], {'class': 'Dense'}, {'class': [], 'args': 3}, {'function': 'relu'},
            {'class': 'Sequential', 'args': {'layers': {}}}, {'class': 'Model', 'args': {'layers': 'x', 'path': 3}}, {'as': 'tuple', 'value': [1]}]


def places_in(data, path=()):
    yield path
    for key, value in (data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()):
        yield from places_in(value, (*path, key))


def test_diff_survives_files_that_hold_anything(trials):
    files = [read_plain(DATA / 'format1' / f'{name}.json')['model'] for name in ('graph', 'words', 'composed', 'pictures')]
    for random in trials(300):
        whole = random.choice(files)
        other = copy.deepcopy(whole)
        *above, last = random.choice([path for path in places_in(other) if path])
        part = other
        for key in above:
            part = part[key]
        part[last] = copy.deepcopy(random.choice(ANYTHING))
        try:
            for old, new in ((whole, other), (other, whole)):
                assert all(str(one).isprintable() for one in model_edits(*map(by_current_names, (old, new)))[0])
        except keraflow.KeraFlowError:      # an argument by two names
            pass


# -- migrate and convert ----------------------------------------------------------------------------------------------

def test_migrate_writes_the_format_of_today(run, tmp_path):
    new = tmp_path / 'new.yaml'
    assert run('migrate', FIRST, new) == (0, f"{FIRST} (the first Keraflow's format) -> {new} (version 1)\n", '')
    assert read_plain(new)['format'] == 'keraflow' and run('diff', FIRST, new) == (0, '', '')
    before = new.read_bytes()
    code, out, err = run('migrate', FIRST, new)
    assert (code, out, new.read_bytes()) == (2, '', before) and 'exists already, and migrate replaces no file' in err
    again = tmp_path / 'again.json'
    assert run('migrate', new, again)[0] == 0 and read_plain(again) == read_plain(new)


def test_migrate_writes_current_names(run, tmp_path):
    new = tmp_path / 'new.yaml'
    assert run('migrate', DATA / 'format1' / 'operations.yaml', new)[0] == 0
    assert 'B.reverse' in (DATA / 'format1' / 'operations.yaml').read_text()
    assert 'B.reverse' not in new.read_text() and 'B.flip' in new.read_text()
    assert run('diff', DATA / 'format1' / 'operations.yaml', new) == (0, '', '')


@pytest.mark.parametrize('old, new', [('w.safetensors', 'n.yaml'), (str(FIRST), 'n.keraflow')])
def test_migrate_refuses_what_has_no_earlier_format(run, tmp_path, monkeypatch, old, new):
    monkeypatch.chdir(tmp_path)
    code, out, err = run('migrate', old, new)
    assert (code, out) == (2, '') and 'only architectures have earlier formats' in err and os.listdir() == []


def test_convert_goes_from_one_kind_to_another(run, write, whole, tmp_path):
    a, b, c = write('a.yaml', dense(3)), tmp_path / 'b.json', tmp_path / 'c.yaml'
    assert run('convert', a, b) == (0, '', '') and run('convert', b, c) == (0, '', '')
    assert read_plain(a) == read_plain(b) == read_plain(c) and Path(a).read_text() == c.read_text()
    one = whole('one.keraflow', dense(3), weights={'dense1/W': np.ones((4, 3))})
    assert run('convert', one, tmp_path / 'd.yaml') == (0, '', '') and read_plain(tmp_path / 'd.yaml') == read_plain(a)
    weights = tmp_path / 'w.safetensors'
    assert run('convert', one, weights) == (0, '', '')
    arrays, metadata = read_tensors(weights)
    assert list(arrays) == ['dense1/W'] and metadata == {'format': 'keraflow', 'architecture': '0' * 64}


@pytest.mark.parametrize('old, new, words, text', [
    ('a.yaml', 'a.yaml', [], 'exists already. Pass --overwrite to replace it.'),
    ('a.yaml', 'n.txt', [], "expected a name that ends with .yaml, .yml, .json, .keraflow or .safetensors, received '"),
    ('a.yaml', 'n.safetensors', [], "there are no weights in 'a.yaml'"),
    ('a.yaml', 'n.json', ['--weights', 'w.safetensors'], 'a file of weights goes into a whole model alone'),
    ('one.keraflow', 'two.keraflow', [], 'is a whole model already'),
    ('bad.yaml', 'n.json', [], 'Did you mean'),
])
def test_convert_refuses_and_writes_nothing(run, write, whole, tmp_path, old, new, words, text):
    write('a.yaml', dense(3)), whole('one.keraflow', dense(3)), write('bad.yaml', dense(3, activatoin='relu'))
    before = sorted(os.listdir(tmp_path))
    code, out, err = run('convert', tmp_path / old, tmp_path / new, *words)
    assert (code, out) == (2, '') and text in err and err.count('\n') == 1
    assert sorted(os.listdir(tmp_path)) == before


def test_a_later_version_says_so(run, write):
    path = write('later.yaml', dense(3), version=VERSION + 1)
    for words in (['inspect', path], ['diff', path, path], ['convert', path, f'{path}.json']):
        code, _, err = run(*words)
        assert code == 2 and f'the file has format version {VERSION + 1}' in err


# -- completion -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('shell', ['bash', 'zsh', 'fish'])
def test_completion_has_all_commands_and_options(run, shell):
    code, out, err = run('completion', shell)
    assert (code, err) == (0, '')
    for one in COMMANDS:
        assert one.name in out
    for word in ('overwrite', 'tolerance', 'against', 'module'):
        assert word in out


def test_bash_completes(run, tmp_path):
    script = tmp_path / 'keraflow.bash'
    script.write_text(run('completion', 'bash')[1])

    def completed(*words):
        line = ' '.join(f'"{word}"' for word in words)
        code = f'source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _keraflow; echo "${{COMPREPLY[@]}}"'
        done = subprocess.run(['bash', '-c', code], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, '')
        return done.stdout.split()
    assert completed('keraflow', 'd') == ['diff']
    assert completed('keraflow', 'completion', '') == ['bash', 'zsh', 'fish']
    assert completed('keraflow', 'verify', '--sa') == ['--save']
    assert completed('keraflow', 'inspect', 'mo') == []        # bash then completes names of files
