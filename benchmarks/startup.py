"""Time what a program waits for before it trains or predicts: importing, building a small model, the first step.

Each row is measured in fresh processes, in turn with one that only imports the tensor library, and with one that takes
a training step of the same network without keraflow; the table shows the median of the rounds, and the ratios to these
two in the same round. Goal: at most 1.3 times the program without keraflow. The last row is the whole life of a process
that loads a saved model and predicts a sample, the start of Python included; goal: at most 0.4 s on NumPy. The first
round is not counted: it fills the caches of the file system and of compiled code, like the first run on a machine.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

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
SAVE = '''
model.save('{}')
'''
OPEN = 'import keraflow; keraflow.backend.name()'
PREDICT = '''
import numpy as np
import keraflow
keraflow.load('{}').predict(np.zeros((1, 64), 'float32'))
'''


def stages(backend):
    """Return the programs by what they do, each after all that it needs. By convention a backend is named after its library."""
    return {
        f'import {backend}': f'import {backend}',
        'a training step by hand': BY_HAND.format(backend),
        'import keraflow': 'import keraflow',
        'import keraflow.models': 'import keraflow.models',
        f'open the {backend} backend': OPEN,
        '... and build a model': MODEL,
        '... and take one training step': MODEL + STEP,
    }


def seconds(code, settings):
    """Return how long a new process takes for `code`, without the start of Python."""
    timed = f'import time\nstart = time.perf_counter()\n{code}\nprint(time.perf_counter() - start)'
    done = subprocess.run([sys.executable, '-c', timed], capture_output=True, text=True, check=True, cwd=FOLDER, env={
        **os.environ, 'KERAFLOW_BACKEND': B.name(), **settings})
    return float(done.stdout.split()[-1])


def whole_life(code, settings):
    """Return how long a new process takes for `code`, from its start to its end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, '-c', code], check=True, stderr=subprocess.DEVNULL, env={
        **os.environ, 'KERAFLOW_BACKEND': B.name(), **settings})
    return time.perf_counter() - start


def show(times, bases):
    """Print the middle of the times of each program, and of the ratios to others in the same round."""
    for what, each in times.items():
        ratios = [statistics.median(one / other for one, other in zip(each, times[base])) for base in bases]
        print(f'{what:34} {statistics.median(each):7.3f} s' + ''.join(
            f'  {ratio:6.2f} times {base}' for ratio, base in zip(ratios, bases)))


def main():
    """Measure and print."""
    programs = stages(B.name())
    alone, by_hand, *_ = programs
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, 'mlp.keraflow')
        whole_life(MODEL + SAVE.format(file), {})
        lives = {alone: programs[alone], 'a process that opens the backend': OPEN, 'one that loads and predicts': PREDICT.format(file)}
        takes = [(seconds, programs, {what: [] for what in programs}), (whole_life, lives, {what: [] for what in lives})]
        for number in range(NB_ROUND + 1):
            for measure, codes, times in takes:
                for what, code in codes.items():
                    taken = measure(code, WITHOUT_KERAFLOW.get(B.name(), {}) if what in (alone, by_hand) else {})
                    if number:
                        times[what].append(taken)
    print(f'Start on {B.name()} {B.version()}: the middle of {NB_ROUND} processes')
    show(takes[0][2], [alone, by_hand])
    print('Whole lives')
    show(takes[1][2], [alone])


if __name__ == '__main__':
    main()
