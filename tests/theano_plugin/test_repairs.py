"""Each fault of Theano that the plugin repairs is there, or the repair could go, and is gone with the repair."""
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keraflow_backends.theano_backend.configure import theano
from keraflow_backends.theano_backend.repairs import REPAIRS, repair

NAMES = [one.apply.__name__.removeprefix('repair_') for one in REPAIRS]


@functools.lru_cache(maxsize=None)
def found(seed):
    """For each repair what is found before and after it, in a process with this seed of hashes."""
    environment = {**os.environ, 'PYTHONHASHSEED': seed, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path)),
                   'THEANO_FLAGS': 'blas__ldflags=,cxx=,floatX=float32'}
    done = subprocess.run([sys.executable, str(Path(__file__).with_name('faults.py'))], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize('name', NAMES)
def test_a_fault_is_there_and_is_repaired(name):
    (before, after), (other_before, other_after) = found('1')[name], found('2')[name]
    if name == 'code_versions':
        assert before != other_before and after == other_after
    else:
        assert before is not True and after is True


def test_repairing_twice_does_no_harm():
    before = theano.tensor.opt.apply_rebroadcast_opt
    repair()
    assert theano.tensor.opt.apply_rebroadcast_opt is before
    assert len(set(NAMES)) == len(REPAIRS) == len({one.fault for one in REPAIRS})
