"""The commands of docs/command.rst run, and print what the page shows."""
import doctest
import re
import shlex
from pathlib import Path

import pytest

import keraflow
from keraflow.command import main
from keraflow.layers import Dense, Dropout, Input
from keraflow.models import Sequential
from keraflow.optimizers import Adam

PAGE = Path(__file__).parents[2] / 'docs' / 'command.rst'
#: The blocks of commands, and in them each command with the lines below it.
BLOCKS = re.findall(r'\.\. code-block:: console\n\n((?:   .*\n|\n(?=   ))+)', PAGE.read_text())
SHOWN = [(command.split('  #')[0].split(' > ')[0].strip(), re.sub('^   ', '', lines, flags=re.M)) for block in BLOCKS
         for command, lines in re.findall(r'   \$ (.*)\n((?:   (?!\$ ).*\n)*)', block)]
DATA = Path(__file__).parents[1] / 'data'


def net(seed, *inside, activation='relu', lr=0.001):
    keraflow.seed(seed)
    model = Sequential([Input(4, name='x'), Dense(8, activation=activation, name='h'), *inside, Dense(3, activation='softmax', name='y')],
                       name='net')
    model.compile(Adam(lr=lr), 'categorical_crossentropy')
    return model


@pytest.fixture
def files(tmp_path, monkeypatch):
    """What the commands are given."""
    monkeypatch.chdir(tmp_path)
    net(1).save('before.keraflow')
    net(2, Dropout(0.2), activation='tanh', lr=0.0005).save('after.keraflow')
    net(1).save('net.keraflow')
    net(1).save_to_file('net.yaml')
    Path('old.json').write_text((DATA / 'goldens' / 'dense_linear.json').read_text())


def test_the_page_shows_what_the_commands_print(files, capsys, monkeypatch):
    checker, names = doctest.OutputChecker(), set()
    for command, lines in SHOWN:
        words = shlex.split(command.removeprefix('eval "$(').removesuffix(')"'))
        assert words[0] == 'keraflow'
        names.add(words[1])
        code = main([*words[1:], *(['--overwrite'] if words[1] == 'convert' else [])])
        out, err = capsys.readouterr()
        assert (code, err) == (int(words[1] == 'diff'), ''), command
        assert not lines or checker.check_output(lines, out, doctest.ELLIPSIS), (command, lines, out)
    assert names == {'inspect', 'diff', 'verify', 'migrate', 'convert', 'completion'}
