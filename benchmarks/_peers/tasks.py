"""What every team trains: the sizes of three networks, and the data. Needs NumPy alone."""
import math
from dataclasses import dataclass

from _data import random_data

NB_CLASS = 10
#: Of the dropout after each hidden layer of the MLP.
DROP_RATE = 0.2
#: A turn trains a multiple of this many steps, so that no team that takes several in a call has some left over.
UNIT = 16


@dataclass(frozen=True)
class Task:
    """A network: its name, the shape of a sample, the steps of a turn of batches of 32, the shapes of its weights."""

    name: str
    shape: tuple
    nb_step: int
    weights: tuple

    @property
    def nb_weight(self):
        """How many numbers are trained: each team says how many its network has, which must be as many."""
        return sum(math.prod(shape) for shape in self.weights)

    def nb_step_of(self, batch_size):
        """Return the steps of a turn: fewer with larger batches, so that there is about as much data."""
        return max(1, self.nb_step * 32 // batch_size // UNIT) * UNIT

    def data(self, batch_size, nb_step):
        """Return as many samples as these steps need; an image has its channels last."""
        return random_data(batch_size * nb_step, self.shape, NB_CLASS)


TASKS = {task.name: task for task in [
    Task('MLP', (784,), 320, ((784, 512), (512,), (512, 512), (512,), (512, NB_CLASS), (NB_CLASS,))),
    Task('CNN', (28, 28, 1), 96, ((3, 3, 1, 32), (32,), (3, 3, 32, 32), (32,), (12 * 12 * 32, 128), (128,),
                                  (128, NB_CLASS), (NB_CLASS,))),
    Task('LSTM', (80, 128), 64, ((128, 4 * 128), (128, 4 * 128), (4 * 128,), (128, NB_CLASS), (NB_CLASS,))),
]}
