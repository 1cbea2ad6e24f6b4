"""``keraflow verify`` with the real backends: it says nothing of right models, in one environment or by way of a file."""
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.command.verifying.comparing import compared
from keraflow.command.verifying.measuring import measure
from keraflow.errors import KeraFlowError
from keraflow.files.tensors import dump_tensors, read_tensors
from keraflow.layers import BatchNormalization, Dense, Input
from keraflow.models import Model, Sequential
from keraflow.serialization import serialize, unserialize

sys.path.insert(0, str(Path(__file__).parents[1] / 'conformance'))
from catalogue import COMPOSED, LAYERS  # noqa: E402

SAMPLES = [one for family in (LAYERS, COMPOSED) for samples in family.values() for one in samples]


def data_of(sample):
    """The architecture of a model of one layer, as plain data."""
    shapes = sample.input_shapes if isinstance(sample.input_shapes, list) else [sample.input_shapes]
    dtypes = sample.options.get('dtype')
    dtypes = dtypes if isinstance(dtypes, (list, tuple)) else [dtypes] * len(shapes)
    layer = sample.make()
    inputs = [Input(shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes)]
    made = layer(inputs if layer.multi_input else inputs[0])
    return serialize(Model(inputs, list(made) if isinstance(made, (list, tuple)) else made))


def measured(data, customs, backend):
    B.use(backend)
    B.set_floatx('float64')
    B.seed(0)
    found = measure(unserialize(data, customs), 2, False)
    found.made.update(architecture='', settings='')
    return found


def test_nothing_is_said_of_right_models(trials, other):
    for random in trials(6):
        sample = random.choice(SAMPLES)
        B.set_floatx('float64')
        data, customs = data_of(sample), sample.options.get('custom_objects')
        try:
            expected, found = [measured(data, customs, name) for name in ('numpy', other)]
        except KeraFlowError as error:
            assert 'nothing tells which integers' in str(error)
            continue
        comparison = compared(expected, found)
        assert comparison.first is None, (str(comparison.first), data)
        assert comparison.lines


def run(*words, **environment):
    return subprocess.run([sys.executable, '-m', 'keraflow', *map(str, words)], capture_output=True, text=True, timeout=300,
                          env={**os.environ, **environment})


@pytest.fixture
def file(tmp_path):
    model = Sequential([Input(4, name='x'), Dense(3, name='h'), BatchNormalization(name='norm'), Dense(2, name='y')], name='small')
    model.compile('adam', 'mse')
    model.save(tmp_path / 'small.keraflow')
    return tmp_path / 'small.keraflow'


@pytest.mark.parametrize('named', ['{}', 'numpy,{}', '{},numpy'])
def test_a_backend_is_compared_with_numpy_in_processes_of_their_own(file, other, named):
    done = run('verify', file, '--backends', named.format(other), '--steps', 1)
    assert (done.returncode, done.stderr) == (0, '')
    first, last = done.stdout.splitlines()
    one, two = (other, 'numpy') if named.startswith('{},') else ('numpy', other)
    assert first.startswith(f'{file}: {one} ') and f' and {two} ' in first and first.endswith(', in float64')
    assert last.startswith('the same in ') and 'forward, with gradients and after 1 step(s) of training' in last


def test_by_default_all_others_are_compared_with_numpy(file):
    done = run('verify', file, '--steps', 0, '--json')
    assert (done.returncode, done.stderr) == (0, '')
    found = json.loads(done.stdout)
    assert found['reference']['backend'] == 'numpy'
    assert [one['with']['backend'] for one in found['compared']] == [name for name in B.available() if name != 'numpy']


#: A fault of one backend alone, which a module of the program brings.
FAULTY = '''
import sys
from keraflow.layers import BatchNormalization
if sys.argv[sys.argv.index('--backends') + 1] != 'numpy':
    output = BatchNormalization.output
    def faulty(self, *args, **named):
        right, vars(self)['epsilon'] = self.epsilon, 2e-3
        made = output(self, *args, **named)
        vars(self)['epsilon'] = right       # or the file would be found to be of another training
        return made
    BatchNormalization.output = faulty
'''


def test_a_faulty_layer_of_one_backend_is_named_and_the_exit_code_is_1(file, tmp_path, other):
    (tmp_path / 'faulty_layers.py').write_text(FAULTY)
    done = run('verify', file, '--backends', other, '--steps', 0, '--module', 'faulty_layers', PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, '')
    assert done.stdout.splitlines()[-1].startswith('differs: forward: norm (BatchNormalization): output differs by ')


@pytest.mark.parametrize('by, code', [(0., 0), (0.01, 1)])
def test_probes_of_the_file_are_compared_on_each_backend(tmp_path, other, by, code):
    model, path = Sequential([Input(4, name='x'), Dense(2, name='y')], name='small'), tmp_path / 'small.keraflow'
    model.save(path, probes=True)
    arrays, metadata = read_tensors(path)
    [name] = [name for name in arrays if name.startswith('probes/output/')]
    arrays[name] = arrays[name] + np.float32(by)
    path.write_bytes(dump_tensors(arrays, metadata))
    done = run('verify', path, '--backends', other, '--steps', 0)
    assert (done.returncode, done.stderr) == (code, '')
    lines = done.stdout.splitlines()
    if by:
        assert [line.startswith(f'differs: {path}: the model predicts something else on ') for line in lines] == [True, True, False, False]
        assert ' on numpy ' in lines[0] and f' on {other} ' in lines[1] and 'by 0.01, where values reach ' in lines[0]
    else:
        assert lines[0].startswith(f'{path}: on numpy ') and f' and {other} ' in lines[0]
        assert lines[0].endswith(' the model predicts what its probes say') and len(lines) == 3
    assert lines[-1].startswith('the same in ')


def test_two_environments_are_compared_by_way_of_a_file(file, tmp_path, other):
    kept = tmp_path / 'kept.safetensors'
    done = run('verify', file, '--backends', 'numpy', '--save', kept, '--steps', 1)
    assert (done.returncode, done.stderr) == (0, '')
    again = run('verify', file, '--backends', 'numpy', '--save', kept, '--steps', 1)
    assert again.returncode == 2 and f'{kept} exists already' in again.stderr
    done = run('verify', file, '--backends', other, '--against', kept, '--steps', 1, '--json')
    assert (done.returncode, done.stderr) == (0, '')
    found = json.loads(done.stdout)
    assert found['reference']['backend'] == 'numpy' and found['compared'][0]['with']['backend'] == other
    assert found['compared'][0]['differs'] is False and len(found['compared'][0]['lines']) > 20
    other = run('verify', file, '--backends', other, '--against', kept, '--steps', 2)
    assert other.returncode == 2 and other.stderr.startswith('keraflow: verify: the results are not comparable: steps')
