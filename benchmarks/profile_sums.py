"""Compare what ``model.profile`` measures of the parts of a step with the step itself.

The networks are those of ``peers.py``; others than the first three can be named. Goal: the parts, each measured by
itself, sum to 0.85 to 1.15 of the measured step.
"""
import os
import sys

# Its threads wait for each other in busy loops, which would dominate when other programs run.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import numpy as np  # noqa: E402
from _peers.keraflow_team import IMAGES, NETWORKS  # noqa: E402
from _peers.tasks import MAIN_TASKS, TASKS  # noqa: E402

from keraflow.layers import Input  # noqa: E402
from keraflow.models import Model  # noqa: E402

BATCH_SIZE, NB_BATCH = 32, 16
GOAL = 0.15


def profile(task):
    """Return the profile of a network of the peers."""
    x, y = TASKS[task].data(BATCH_SIZE, NB_BATCH)
    if task in IMAGES:
        x = np.moveaxis(x, -1, 1).copy()
    options = {'dtype': 'int32', 'mask_value': 0 if task == 'Names' else None} if TASKS[task].nb_word else {}
    entry = Input(x.shape[1:], **options)
    model = Model(entry, NETWORKS[task](entry), name=task.lower())
    model.compile('adam', TASKS[task].loss)
    return model.profile(x, y, BATCH_SIZE)


def main(tasks):
    found = {task: profile(task) for task in tasks}
    for one in found.values():
        print(f'{one}\n')
    for task, one in found.items():
        share = one.sum / one.step
        print(f'{task}: the parts sum to {share:.2f} of a step of {one.step:.2f} ms ({one.execution})  '
              f'goal: {1 - GOAL} to {1 + GOAL}{"" if abs(share - 1) <= GOAL else ": missed"}')


if __name__ == '__main__':
    main(sys.argv[1:] or MAIN_TASKS)
