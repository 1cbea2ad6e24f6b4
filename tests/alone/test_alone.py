"""What runs where nothing but NumPy, PyYAML and tqdm is installed beside keraflow: in processes that can import no more."""
import json
import re
import textwrap
from pathlib import Path

import pytest
from least import run_alone

ROOT = Path(__file__).parents[2]
README = (ROOT / 'README.rst').read_text(encoding='utf-8')
BLOCKS = [textwrap.dedent(block) for block in re.findall(r'^\.\. code-block:: python\n\n((?:   .*\n|\n)+)', README, re.MULTILINE)]
DATA = '''
import numpy as np
X, Y = np.random.default_rng(0).normal(size=(400, 64)), np.eye(10)[np.arange(400) % 10]
'''
#: What is imported for networks and from networks elsewhere, and takes long.
HEAVY = {'tensorflow', 'theano', 'keras', 'torch', 'jax', 'scipy', 'pandas', 'matplotlib', 'PIL', 'h5py', 'sklearn'}
LAST = f'''
import sys
assert not {HEAVY} & set(sys.modules), sorted(sys.modules)
assert keraflow.backend.name() == 'numpy'
'''


def runs(done):
    assert (done.returncode, done.stderr) == (0, ''), done.stdout + done.stderr
    return done.stdout


def test_nothing_else_can_be_imported(tmp_path):
    done = run_alone(tmp_path, '-c', 'import numpy, yaml, tqdm, json, keraflow.models\nimport pytest')
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'pytest'"
    done = run_alone(tmp_path, '-c', 'from keraflow import backend as B\nprint(B.available())', KERAFLOW_BACKEND='')
    assert runs(done) == "['numpy']\n"
    done = run_alone(tmp_path, '-c', 'from keraflow import backend as B\nB.name()', KERAFLOW_BACKEND='tensorflow')
    assert done.stderr.splitlines()[-1] == (
        "keraflow.errors.BackendError: backend: 'tensorflow' (asked for by the environment variable KERAFLOW_BACKEND) is not installed; "
        'installed: numpy. Run: pip install "keraflow[tensorflow]".')


def test_the_line_about_other_backends_is_written_once_and_only_where_none_is_named(tmp_path):
    program = 'import keraflow\nfor _ in range(3):\n    keraflow.seed(1)\n    keraflow.layers.Input(3)\nprint(keraflow.backend.name())'
    done = run_alone(tmp_path, '-c', program, KERAFLOW_BACKEND='')
    assert (done.returncode, done.stdout) == (0, 'numpy\n')
    [line] = done.stderr.splitlines()
    assert line.startswith('Computing with NumPy, because no other backend is installed. TensorFlow is faster, above all for convolutions: pip install')
    assert runs(run_alone(tmp_path, '-c', program)) == 'numpy\n'


def test_the_first_program_of_readme_and_what_it_says_of_saving(tmp_path):
    (tmp_path / 'program.py').write_text(DATA + '\n'.join(BLOCKS) + LAST)
    printed = runs(run_alone(tmp_path, 'program.py'))
    assert 'Epoch 10/10: loss ' in printed
    again = DATA + 'import keraflow\nmodel = keraflow.load("model.keraflow")\nprint(model.evaluate(X, Y)["acc"])\n' + LAST
    assert float(runs(run_alone(tmp_path, '-c', again))) > 0.3


def test_the_page_about_resuming(tmp_path):
    assert runs(run_alone(tmp_path, '-m', 'doctest', '-o', 'ELLIPSIS', ROOT / 'docs' / 'resume.rst')) == ''


@pytest.fixture
def model(tmp_path):
    """A file with a model, made without the backend that other tests use."""
    program = '''
from keraflow.layers import BatchNormalization, Convolution2D, Dense, Flatten, Input
from keraflow.models import Sequential
model = Sequential([Input((1, 6, 6), name='x'), Convolution2D(2, 3, 3), Flatten(), BatchNormalization(), Dense(2, name='y')], name='net')
model.compile('adam', 'mse')
model.save('net.keraflow')
model.save_to_file('net.yaml', 'weights.safetensors')
'''
    runs(run_alone(tmp_path, '-c', program))
    return tmp_path


@pytest.mark.parametrize('words, last', [
    (['inspect', 'net.keraflow'], 'weights: '), (['inspect', 'net.yaml', '--json'], '}'), (['summary', 'net.keraflow'], 'parameters: '),
    (['plot', 'net.keraflow', '--output', 'net.svg'], ''), (['plot', 'net.yaml', '--output', 'net.html'], ''),
    (['diff', 'net.keraflow', 'net.yaml', '--only', 'model'], ''), (['convert', 'net.keraflow', 'other.safetensors'], ''),
    (['convert', 'net.yaml', 'other.keraflow', '--weights', 'weights.safetensors'], ''),
    (['verify', 'net.keraflow', '--save', 'kept.safetensors'], 'net.keraflow: numpy '), (['schema', '--output', 'schema.json'], ''),
    (['completion', 'bash'], '')])
def test_commands(model, words, last):
    printed = runs(run_alone(model, '-m', 'keraflow', *words)).splitlines()
    assert any(line.startswith(last) for line in printed[-3:]) if last else words[0] in ('completion', 'diff', 'plot', 'convert', 'schema')
    written = words[words.index('--output') + 1] if '--output' in words else None
    assert written is None or (model / written).stat().st_size > 1000


def test_verify_finds_the_same_again(model):
    runs(run_alone(model, '-m', 'keraflow', 'verify', 'net.keraflow', '--save', 'kept.safetensors'))
    found = json.loads(runs(run_alone(model, '-m', 'keraflow', 'verify', 'net.keraflow', '--against', 'kept.safetensors', '--json')))
    assert found['reference']['backend'] == 'numpy' and not found['compared'][0]['differs']
    done = run_alone(model, '-m', 'keraflow', 'verify', 'net.keraflow')
    assert done.returncode == 2 and done.stderr.startswith('keraflow: verify: numpy alone cannot be compared. Name another backend, --backends b')


def test_a_file_of_the_first_keraflow_is_migrated(tmp_path):
    old = ROOT / 'tests' / 'data' / 'goldens' / 'dense_linear.json'
    (tmp_path / 'old.json').write_text(old.read_text())
    runs(run_alone(tmp_path, '-m', 'keraflow', 'migrate', 'old.json', 'new.yaml'))
    assert 'Dense' in (tmp_path / 'new.yaml').read_text()


def test_the_first_example(tmp_path):
    printed = runs(run_alone(tmp_path, ROOT / 'examples' / 'digits_mlp.py'))
    assert float(re.search(r'Test accuracy on numpy: ([\d.]+)', printed)[1]) > 0.95
    assert printed.count('in another process, on numpy ...') == 1
    assert float(re.search(r'Largest difference between the predictions on numpy and there: ([-+\d.e]+)', printed)[1]) == 0.
