"""Time what a program waits for before it trains: importing, building a small model, the first training step.

Each row is measured in fresh processes, in turn with one that only imports the tensor library; the table shows the
median of the rounds, and its ratio to that import in the same round. The first round is not counted: it fills the
caches of the file system and of compiled code, like the first run on a machine.
"""
import os
import statistics
import subprocess
import sys

from keraflow import backend as B

NB_ROUND = 5
#: What a library needs to be imported alone: Theano asks NumPy for a BLAS by an interface that NumPy has removed.
ALONE = {'theano': {'THEANO_FLAGS': 'blas__ldflags='}}
MODEL = '''
from keraflow.layers import Dense, Input
from keraflow.models import Model
x = Input(64)
model = Model(x, Dense(10, activation='softmax')(Dense(32, activation='relu')(x)))
model.compile('adam', 'categorical_crossentropy')
'''
STEP = '''
import numpy as np
model.fit(np.zeros((32, 64)), np.eye(10)[[0] * 32], batch_size=32, nb_epoch=1, verbose=0)
'''


def stages(backend):
    """Return the programs by what they do, each after all that it needs. By convention a backend is named after its library."""
    return {
        f'import {backend}': f'import {backend}',
        'import keraflow': 'import keraflow',
        'import keraflow.models': 'import keraflow.models',
        f'open the {backend} backend': 'from keraflow import backend as B; B.name()',
        '... and build a model': MODEL,
        '... and take one training step': MODEL + STEP,
    }


def seconds(code, settings):
    """Return how long a new process takes for `code`, without the start of Python."""
    timed = f'import time\nstart = time.perf_counter()\n{code}\nprint(time.perf_counter() - start)'
    done = subprocess.run([sys.executable, '-c', timed], capture_output=True, text=True, check=True, env={
        **os.environ, 'KERAFLOW_BACKEND': B.name(), **settings})
    return float(done.stdout.split()[-1])


def main():
    """Measure and print."""
    programs = stages(B.name())
    alone, *_ = programs
    times = {what: [] for what in programs}
    for number in range(NB_ROUND + 1):
        for what, code in programs.items():
            time = seconds(code, ALONE.get(B.name(), {}) if what == alone else {})
            if number:
                times[what].append(time)
    print(f'Start on {B.name()} {B.version()}: the middle of {NB_ROUND} processes')
    for what, each in times.items():
        ratio = statistics.median(one / other for one, other in zip(each, times[alone]))
        print(f'{what:32} {statistics.median(each):7.3f} s  {ratio:6.2f} times the import of the library')


if __name__ == '__main__':
    main()
