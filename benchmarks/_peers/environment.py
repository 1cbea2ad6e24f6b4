"""The environment of the other libraries and of this one: a folder that git ignores, with the releases of ``pins.txt``."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / '.venv-peers'
PINS = Path(__file__).with_name('pins.txt')


class PeerMissing(Exception):
    """A team cannot take part."""


def python_with(library):
    """Return the interpreter of an environment with Keras, keraflow and this library; install what is not there.

    Raises
    ------
    PeerMissing
        If they cannot be installed.
    """
    python = FOLDER / ('Scripts' if os.name == 'nt' else 'bin') / 'python'
    done = FOLDER / f'.has-{library}'
    pins = PINS.read_text()
    if not (done.exists() and done.read_text() == pins):
        if not python.exists():
            _run('venv', [sys.executable, '-m', 'venv', FOLDER])
        print(f'Installing Keras and {library} in {FOLDER.name} (the first time this downloads a lot) ...', flush=True)
        _run('pip', [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--editable', ROOT,
                     'keras', library],
             PIP_CONSTRAINT=str(PINS))
        done.write_text(pins)
    return python


def _run(name, command, **settings):
    """Run a program, which prints what is wrong itself."""
    status = subprocess.run(command, env={**os.environ, **settings}).returncode
    if status:
        raise PeerMissing(f'not installed: {name} ended with status {status}')
