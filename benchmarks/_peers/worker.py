"""The process of a team: ``python -m _peers.worker MODULE ARGUMENTS``, in the folder of the benchmarks.

It reads questions and writes answers, one JSON a line, until there is none. Its first line says what it runs on.
`ARGUMENTS`, a JSON too, are further ones of the ``contestant`` of the module.
"""
import importlib
import json
import math
import os
import sys
import time

from .tasks import TASKS

#: A turn of predicting lasts until both are reached.
NB_CALL, SECONDS = 10, 0.1


def prepare(team, arguments, task, batch_size, nb_step):
    """Return functions that take a turn of training and one of predicting, compiled: both return milliseconds."""
    fit, predict, nb_weight = team.contestant(task, *TASKS[task].data(batch_size, nb_step), batch_size, **arguments)
    if nb_weight != TASKS[task].nb_weight:
        raise ValueError(f'{task} has {nb_weight} weights instead of {TASKS[task].nb_weight}')

    def train(seed):
        start = time.perf_counter()
        loss = fit(seed)
        passed = time.perf_counter() - start
        if not math.isfinite(loss):
            raise ValueError(f'{task}: the loss is {loss}')
        return 1000 * passed / nb_step

    def predict_samples(seed):
        predict()                               # other processes have used the caches since the last time
        nb_call, start = 0, time.perf_counter()
        while nb_call < NB_CALL or time.perf_counter() - start < SECONDS:
            predict()
            nb_call += 1
        return 1000 * (time.perf_counter() - start) / nb_call

    train(0)
    predict_samples(0)
    return {'train': train, 'predict': predict_samples}


def main(module, arguments):
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)                               # what a library prints is no answer
    team = importlib.import_module(f'_peers.{module}')
    ready = {}
    print(json.dumps(team.library()), file=answers, flush=True)
    for line in sys.stdin:
        what, seed, *course = json.loads(line)
        course = tuple(course)
        if course not in ready:
            ready[course] = prepare(team, json.loads(arguments), *course)
        print(json.dumps(ready[course][what](seed)), file=answers, flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
