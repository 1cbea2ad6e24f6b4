"""What a program begins with: what it imports, and how much Python runs, until it has a prediction.

Counted, which is the same on every machine; ``benchmarks/startup.py`` measures the seconds.
"""
import json
from pathlib import Path

import pytest
from least import run_alone

MEASURED = '''
import json, sys
sys.path.append({tests!r})
from events import events
{first}
before = set(sys.modules)
count = events(exec, {code!r}, {{}}, of='keraflow')
print(json.dumps([count, sorted(set(sys.modules) - before)]))
'''
MODEL = '''
from keraflow.layers import Dense, Input
from keraflow.models import Sequential
Sequential([Input(64), Dense(50, activation='relu'), Dense(10, activation='softmax')]).save('mlp.keraflow')
'''
PREDICT = '''
import numpy as np
import keraflow
keraflow.load('mlp.keraflow').predict(np.zeros((1, 64), 'float32'))
'''
OPEN = 'import keraflow\nkeraflow.backend.name()'
#: What some programs need, but not these: other libraries, networks, processes, archives, what reads arguments or YAML, and
#: what is installed beside keraflow.
NOT_NEEDED = {'tqdm', 'yaml', 'tensorflow', 'theano', 'keras', 'torch', 'jax', 'scipy', 'email', 'http', 'ssl', 'socket', 'urllib.request',
              'asyncio', 'subprocess', 'multiprocessing', 'zipfile', 'argparse', 'importlib.metadata', 'unittest', 'doctest', 'pydoc'}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder with a model."""
    folder = tmp_path_factory.mktemp('start')
    done = run_alone(folder, '-c', MODEL)
    assert (done.returncode, done.stderr) == (0, '')
    return folder


def counted(folder, code, first=''):
    """The calls and returns of keraflow's functions while some code runs in a process, and what is imported then."""
    done = run_alone(folder, '-c', MEASURED.format(code=code, first=first, tests=str(Path(__file__).parents[1])))
    assert (done.returncode, done.stderr) == (0, '')
    return json.loads(done.stdout)


def test_importing_keraflow_imports_nothing_else(folder):
    assert counted(folder, 'import keraflow')[1] == ['keraflow']


@pytest.mark.parametrize('code, nb_event, nb_module', [(OPEN, 6000, 150), (PREDICT, 130000, 380)], ids=['open', 'predict'])
def test_a_program_begins_with_what_it_needs(code, nb_event, nb_module, folder):
    count, modules = counted(folder, code, 'import numpy')
    assert {'keraflow.backend', 'keraflow_backends.numpy_backend'} <= set(modules)
    assert not NOT_NEEDED & set(modules)
    assert len(modules) < nb_module and count < nb_event
