"""Time a training step of batch 32, and the prediction of a sample, of the networks of ``peers.py`` on one core.

Times are those of the processor, the shortest of the rounds, so that other programs hardly count; the library gets one
thread. What a library does in several threads at a time is in ``peers.py``. Beside them is the memory of the process.
"""
import os

if hasattr(os, 'sched_setaffinity'):        # XLA has a thread for each core
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS'):
    os.environ[name] = '1'      # before a library reads it

import time  # noqa: E402

import psutil  # noqa: E402
from _peers.keraflow_team import contestant  # noqa: E402
from _peers.tasks import MAIN_TASKS, TASKS  # noqa: E402

from keraflow import backend as B  # noqa: E402

BATCH_SIZE, NB_STEP, NB_CALL, NB_ROUND = 32, 16, 25, 7


def milliseconds(call, nb_part):
    """The shortest of the rounds, for a part of a call."""
    times = []
    for _ in range(NB_ROUND):
        start = time.process_time()
        call()
        times.append(1e3 * (time.process_time() - start) / nb_part)
    return min(times)


def main():
    """Measure and print."""
    print(f'Milliseconds of one core on {B.name()} {B.version()}: the shortest of {NB_ROUND} rounds')
    for task in MAIN_TASKS:
        train, predict, _ = contestant(task, *TASKS[task].data(BATCH_SIZE, NB_STEP), BATCH_SIZE)
        step = milliseconds(lambda: train(0), NB_STEP)
        sample = milliseconds(lambda: [predict() for _ in range(NB_CALL)], NB_CALL)
        print(f'{task:5} a training step {step:7.2f}   a prediction {sample:6.3f}   '
              f'{psutil.Process().memory_info().rss / 2 ** 20:5.0f} MB', flush=True)


if __name__ == '__main__':
    main()
