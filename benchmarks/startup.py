"""Time what a program waits for before it trains: importing, building a small model, the first training step.

Each row is measured in fresh processes, in turn with one that only imports the tensor library, and with one that takes
a training step of the same network without keraflow; the table shows the median of the rounds, and the ratios to these
two in the same round. Goal: at most 1.3 times the program without keraflow. The first round is not counted: it fills
the caches of the file system and of compiled code, like the first run on a machine.
"""
import os
import statistics
import subprocess
import sys

from keraflow import backend as B

FOLDER = os.path.dirname(os.path.abspath(__file__))     # of the step by hand
NB_ROUND = 5
#: What a library needs without keraflow: Theano asks NumPy for a BLAS by an interface that NumPy has removed.
WITHOUT_KERAFLOW = {'theano': {'THEANO_FLAGS': 'blas__ldflags='}}
BY_HAND = '''
import numpy as np
from _hand_written import make_step, mlp
weights = [np.random.uniform(-.2, .2, shape).astype('float32') for shape in [(64, 32), (32,), (32, 10), (10,)]]
step = make_step['{0}'](mlp['{0}'], weights, (64,))
float(step(np.zeros((32, 64), 'float32'), np.eye(10, dtype='float32')[[0] * 32]))
'''
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
        'a training step by hand': BY_HAND.format(backend),
        'import keraflow': 'import keraflow',
        'import keraflow.models': 'import keraflow.models',
        f'open the {backend} backend': 'from keraflow import backend as B; B.name()',
        '... and build a model': MODEL,
        '... and take one training step': MODEL + STEP,
    }


def seconds(code, settings):
    """Return how long a new process takes for `code`, without the start of Python."""
    timed = f'import time\nstart = time.perf_counter()\n{code}\nprint(time.perf_counter() - start)'
    done = subprocess.run([sys.executable, '-c', timed], capture_output=True, text=True, check=True, cwd=FOLDER, env={
        **os.environ, 'KERAFLOW_BACKEND': B.name(), **settings})
    return float(done.stdout.split()[-1])


def main():
    """Measure and print."""
    programs = stages(B.name())
    alone, by_hand, *_ = programs
    times = {what: [] for what in programs}
    for number in range(NB_ROUND + 1):
        for what, code in programs.items():
            time = seconds(code, WITHOUT_KERAFLOW.get(B.name(), {}) if what in (alone, by_hand) else {})
            if number:
                times[what].append(time)
    print(f'Start on {B.name()} {B.version()}: the middle of {NB_ROUND} processes')
    for what, each in times.items():
        ratios = [statistics.median(one / other for one, other in zip(each, times[base])) for base in (alone, by_hand)]
        print(f'{what:32} {statistics.median(each):7.3f} s  {ratios[0]:6.2f} times the import of the library  '
              f'{ratios[1]:6.2f} times a step by hand')


if __name__ == '__main__':
    main()
