"""The examples run: each with small settings in this process, the first one as a whole as a user runs it.

Every file of ``examples/`` has a row here: the arguments of its ``main`` that make it short, and what it prints with the
numbers that are in order.
"""
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / 'examples'
FILES = {path.stem: path for path in sorted(EXAMPLES.glob('*.py')) if not path.stem.startswith('_')}
#: By example: arguments, and (the text before a number, its smallest and largest value) for numbers that it prints.
ROWS = {
    'digits_mlp': (['--nb-epoch', '4', '--alone'], [(r'Test accuracy on \w+: ', 0.85, 1.)]),
}


def numbers_after(text, printed):
    return [float(number) for number in re.findall(text + r'([-+\d.einfa]+)', printed)]


def check(rows, printed):
    for text, least, most in rows:
        found = numbers_after(text, printed)
        assert found, f'{text!r} is not followed by a number in:\n{printed}'
        assert all(least <= number <= most for number in found), f'{text}{found}: expected {least} to {most}'


def test_every_example_has_a_row():
    assert set(FILES) == set(ROWS)


@pytest.mark.parametrize('name', sorted(FILES))
def test_example(name, tmp_path, monkeypatch, capsys):
    arguments, rows = ROWS[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    spec = importlib.util.spec_from_file_location(f'example_{name}', FILES[name])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert capsys.readouterr().out == ''        # importing it runs nothing
    module.main(arguments)
    check(rows, capsys.readouterr().out)
    assert list(tmp_path.iterdir()) == []


def test_the_first_example_as_a_user_runs_it(tmp_path):
    done = subprocess.run([sys.executable, str(FILES['digits_mlp'])], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    check([(r'Test accuracy on \w+: ', 0.95, 1.),
           (r'Largest difference between the predictions on \w+ and on \w+: ', 0., 1e-5)], done.stdout)
    assert list(tmp_path.iterdir()) == []
