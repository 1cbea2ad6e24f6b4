"""What type checkers know: the stubs are up to date, a strict program passes, and mistakes in it are found."""
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / 'tests' / 'typed_program.py'
STUBS = runpy.run_path(str(ROOT / 'tools' / 'stubs.py'))['STUBS']

#: Expressions, and what mypy says of them.
REVEALED = {
    "keraflow.Model": 'def (inputs: Any, outputs: Any, name: str | None =, ',
    "keraflow.Model(a, a)": 'keraflow.models.models.Model',
    "keraflow.seed": 'def (value: int)',
    "keraflow.layers.Dense(3).name": 'str',
    "Input(3)": 'Kensor',
    "a + 1": 'Kensor',
    "1 / a": 'Kensor',
    "a[:, 1:]": 'Kensor',
    "-a": 'Kensor',
    "a < 3": 'Kensor',
    "Dense(3)(a)": 'Kensor',
    "Concatenate()([a, a])": 'Kensor',
    "Dense(3)(t)": 'Tensor',
    "Dense(3)(np.ones((2, 2)))": 'Tensor',
    "t * 2": 'Tensor',
    "B.dot(a, B.ones((3, 3)))": 'Kensor',
    "B.dot(t, t)": 'Tensor',
    "B.dot(np.ones((2, 2)), [[1.], [2.]])": 'Tensor',
    "B.sum(t, axis=[0, 1], keepdims=True)": 'Tensor',
    "B.concatenate([a, a])": 'Kensor',
    "B.concatenate([t, t])": 'Tensor',
    "B.split(a, [1, 2])": 'list[Kensor]',
    "B.zeros((2, 3), np.float32)": 'Tensor',
    "B.variable(1.)": 'Tensor',
    "B.get_value(t)": 'ndarray[Any, Any]',
    "B.dtype(a)": 'str',
    "B.floatx()": 'str',
    "B.current()": 'Backend',
}
#: Lines with a mistake, and what mypy says of it.
REFUSED = {
    "keraflow.Modell": 'Module has no attribute "Modell"; maybe "Model"?',
    "keraflow.layers.Desne(3)": 'Module has no attribute "Desne"; maybe "Dense"?',
    "Dense('3')": 'Argument 1 to "Dense" has incompatible type "str"; expected "int"',
    "Input(3, nam='x')": 'Unexpected keyword argument "nam"; did you mean "name"?',
    "B.dott(a, a)": 'Module has no attribute "dott"; maybe "dot"?',
    "B.sum(a, axes=1)": 'Unexpected keyword argument "axes" for overloaded function "sum"',
    "B.floatx(1)": 'Too many arguments for "floatx"',
}
SETTING = '\na, t = Input(4), B.ones((2, 2))\n'


@pytest.mark.parametrize('path', STUBS)
def test_a_stub_is_what_make_stubs_writes(path):
    assert (ROOT / path).read_text() == STUBS[path](), 'run: make stubs'


@pytest.fixture(scope='module')
def told(tmp_path_factory):
    """What ``mypy --strict`` says of each line, by the name of the file."""
    folder = tmp_path_factory.mktemp('typed')
    text = PROGRAM.read_text() + SETTING
    (folder / 'program.py').write_text(text)
    (folder / 'revealed.py').write_text(text + ''.join(f'reveal_type({one})\n' for one in REVEALED))
    (folder / 'refused.py').write_text(text + ''.join(f'{one}\n' for one in REFUSED))
    done = subprocess.run([sys.executable, '-m', 'mypy', '--strict', '--follow-imports=silent', '--cache-dir=cache',
                           'program.py', 'revealed.py', 'refused.py'], capture_output=True, text=True, cwd=folder,
                          env={**os.environ, 'MYPYPATH': str(ROOT)})
    found = {name: {} for name in ('program', 'revealed', 'refused')}
    for name, line, kind, said in re.findall(r'^(\w+)\.py:(\d+): (error|note): (.*)$', done.stdout, re.M):
        found[name].setdefault(int(line) - text.count('\n') - 1, re.sub(r'  \[[\w-]+\]$', '', said))
    assert done.returncode == 1 and not done.stderr, done.stdout
    return found


def test_a_strict_program_passes(told):
    assert told['program'] == {}


@pytest.mark.parametrize('number', range(len(REVEALED)), ids=list(REVEALED))
def test_the_type_is_known(told, number):
    expected = list(REVEALED.values())[number]
    said = re.fullmatch('Revealed type is "(.*)"', told['revealed'][number])[1]
    short = re.sub(r'\b(keraflow|builtins|numpy)\.(\w+\.)*(?=\w)', '', said) if '.' not in expected else said
    assert short.startswith(expected) if expected.startswith('def') else short == expected


@pytest.mark.parametrize('number', range(len(REFUSED)), ids=list(REFUSED))
def test_a_mistake_is_found(told, number):
    assert told['refused'].get(number) == list(REFUSED.values())[number]
