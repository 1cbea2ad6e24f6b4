"""The teams, each in a process of its own: it holds its networks ready, and runs only when it is asked."""
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

from .environment import FOLDER, PeerMissing, python_with
from .tasks import MAIN_TASKS, TASKS


@dataclass
class Team:
    """A team: what it is called, the module with its networks, and its settings.

    Parameters
    ----------
    name : str
        What the table calls it.
    module : str
        A module of this folder.
    settings : dict
        Variables of its environment.
    arguments : dict
        Further ones of the ``contestant`` of the module.
    peer : str
        The library that it runs on, which the environment of the peers must have; None: it runs in the environment
        of this process.
    tasks : sequence of str
        The networks that it has.
    """

    name: str
    module: str
    settings: dict = field(default_factory=dict)
    arguments: dict = field(default_factory=dict)
    peer: str = None
    tasks: Sequence = tuple(TASKS)

    def __enter__(self):
        python = python_with(self.peer) if self.peer else sys.executable
        self._errors = tempfile.TemporaryFile('w+')
        self._process = subprocess.Popen(
            [python, '-m', '_peers.worker', self.module, json.dumps(self.arguments)], text=True, bufsize=1,
            cwd=Path(__file__).parents[1], env={**os.environ, **self.settings},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        try:
            self.library = self._answer()
        except PeerMissing:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def take_turn(self, what, seed, course):
        """Return the milliseconds of a step of training or of predicting a sample; the first time it compiles, too."""
        try:
            self._process.stdin.write(json.dumps([what, seed, *course]) + '\n')
        except BrokenPipeError:
            pass                                # the answer says why
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        status = self._process.wait()
        self._errors.seek(0)
        # A traceback ends with what is wrong.
        raise PeerMissing([f'ended with status {status}', *self._errors.read().strip().splitlines()][-1])


def keras(name, peer, **arguments):
    # Keras would read and write a file of settings in the user's home.
    return Team(name, 'keras_team', {'KERAS_BACKEND': peer, 'KERAS_HOME': str(FOLDER / 'keras')}, arguments, peer)


def keraflow(name, backend, peer=None):
    # The threads of OpenBLAS wait for each other in busy loops, which would dominate beside other programs.
    return Team(name, 'keraflow_team', {'KERAFLOW_BACKEND': backend, 'OPENBLAS_NUM_THREADS': '1'}, peer=peer)


#: The first of those that are there is what the others are compared with.
TEAMS = [
    keraflow('keraflow on TensorFlow', 'tensorflow', 'tensorflow'),     # the release that Keras has
    keraflow('keraflow on TensorFlow, the release beside Theano', 'tensorflow'),
    keraflow('keraflow on JAX', 'jax', 'jax'),
    keraflow('keraflow on Theano', 'theano'),
    keraflow('keraflow on NumPy', 'numpy'),
    Team('TensorFlow by hand', 'by_hand_team', tasks=MAIN_TASKS),
    keras('Keras on TensorFlow', 'tensorflow'),
    keras('Keras on TensorFlow, 16 steps a call', 'tensorflow', steps_per_execution=16),
    keras('Keras on JAX', 'jax'),
    keras('Keras on PyTorch', 'torch'),
]
