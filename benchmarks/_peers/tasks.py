"""What every team trains: the sizes of the networks, and the data. Needs NumPy alone."""
from dataclasses import dataclass
from typing import Optional

import numpy as np
from _data import random_data

NB_CLASS = 10
#: Of the codes of the autoencoder.
NB_CODE = 8
#: Of the dropout after each hidden layer of the MLP.
DROP_RATE = 0.2
#: A turn trains a multiple of this many steps, so that no team that takes several in a call has some left over.
UNIT = 16


@dataclass(frozen=True)
class Task:
    """A network.

    Parameters
    ----------
    name : str
    shape : tuple
        Of a sample; an image has its channels last.
    nb_step : int
        The steps of a turn of batches of 32.
    nb_weight : int
        How many numbers it has, with states: each team says how many its network has.
    loss : str
        Its targets are classes, numbers, or the inputs themselves.
    nb_word : int, optional
        The inputs are numbers of words below this, after zeros, which are masked where the network can.
    """

    name: str
    shape: tuple
    nb_step: int
    nb_weight: int
    loss: str = 'categorical_crossentropy'
    nb_word: Optional[int] = None

    def nb_step_of(self, batch_size):
        """Return the steps of a turn: fewer with larger batches, so that there is about as much data."""
        return max(1, self.nb_step * 32 // batch_size // UNIT) * UNIT

    def data(self, batch_size, nb_step):
        """Return as many samples as these steps need, and their targets."""
        x, y = random_data(batch_size * nb_step, self.shape, NB_CLASS)
        if self.nb_word:
            generator = np.random.default_rng(1)
            starts = generator.integers(self.shape[0] // 2, size=(len(x), 1))
            x = generator.integers(1, self.nb_word, x.shape, 'int32') * (np.arange(self.shape[0]) >= starts)
            x = x.astype('int32')
        if self.loss == 'binary_crossentropy':
            return np.clip(np.abs(x), 0, 1), np.clip(np.abs(x), 0, 1)
        return x, x[:, 0] if self.loss == 'mse' else y


TASKS = {task.name: task for task in [
    Task('MLP', (784,), 320, 669706),
    Task('CNN', (28, 28, 1), 96, 600810),
    Task('LSTM', (80, 128), 64, 132874),
    # Those of the examples that are other networks.
    Task('CIFAR', (32, 32, 3), 16, 1117738),
    Task('Residual', (8, 8, 1), 64, 96682),
    Task('Names', (20,), 64, 51818, nb_word=27),
    Task('Transformer', (20,), 64, 81802, nb_word=27),
    Task('Rows', (8, 8, 1), 96, 29834),
    Task('Sunspots', (30, 1), 160, 3297, 'mse'),
    Task('VAE', (64,), 640, 39504, 'binary_crossentropy'),
]}
#: Those of the table beside all peers; ``--tasks`` names others.
MAIN_TASKS = ['MLP', 'CNN', 'LSTM']
