"""The time of a train step of an LSTM through ``fit``, against a loop written by hand for the same backend.

Both train LSTM(128) on 80 steps of 128 numbers, and a softmax layer of 10 on its last output, with Adam on the same
NumPy arrays, in the same shuffled batches of 32, from the same weights; that their losses agree is checked. They take
turns, one epoch each, and the table shows the middle one of the rounds and of the ratios within a round. Goal: at most
1.10 times the loop.
"""
import os
import statistics
import time

# Before OpenBLAS is loaded: its threads wait for each other busily, and beside other programs that is what one would measure.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import numpy as np  # noqa: E402
from _hand_written_lstm import LR, make_step  # noqa: E402

from keraflow import backend as B  # noqa: E402
from keraflow import random  # noqa: E402
from keraflow.layers import LSTM, Dense, Input  # noqa: E402
from keraflow.models import Model  # noqa: E402
from keraflow.optimizers import Adam  # noqa: E402

NB_STEP, DIM, SIZE, NB_CLASS = 80, 128, 128, 10
BATCH_SIZE, NB_BATCH, NB_ROUND = 32, 20, 9
GOAL = 1.10


def make_data():
    """Random numbers, of which nothing is learned: the time of a step does not depend on it."""
    generator = np.random.default_rng(0)
    nb_sample = BATCH_SIZE * NB_BATCH
    x = generator.standard_normal((nb_sample, NB_STEP, DIM), 'float32')
    return x, np.eye(NB_CLASS, dtype='float32')[generator.integers(NB_CLASS, size=nb_sample)]


def keraflow_fit(x, y):
    """An epoch of ``fit`` as a function of the seed of the shuffles, and the initial weights."""
    inputs = Input((NB_STEP, DIM))
    model = Model(inputs, Dense(NB_CLASS, activation='softmax')(LSTM(SIZE, inner_activation='sigmoid')(inputs)))
    model.compile(Adam(LR), 'categorical_crossentropy')
    weights = {name.split('/')[1]: array for name, array in model.get_weights().items()}
    joined = [np.concatenate([weights[f'{kind}_{gate}'] for gate in 'ifoc'], -1) for kind in 'WUb']

    def run(seed):
        random.seed(seed)
        return model.fit(x, y, batch_size=BATCH_SIZE, nb_epoch=1, verbose=0)[-1]['loss']
    return run, [*joined, weights['W'], weights['b']]


def hand_written(x, y, weights):
    """The same with the hand-written step. The losses are read at the end of an epoch, which costs least."""
    step = make_step[B.name()](weights)

    def run(seed):
        order = np.random.default_rng(seed).permutation(len(x))
        parts = [order[start:start + BATCH_SIZE] for start in range(0, len(x), BATCH_SIZE)]
        losses = [step(x[part], y[part]) for part in parts]
        return float(np.mean([np.asarray(loss) for loss in losses]))
    return run


def timed(run, seed):
    """Milliseconds for each step, and the loss."""
    start = time.perf_counter()
    loss = run(seed)
    return 1000 * (time.perf_counter() - start) / NB_BATCH, loss


def main():
    """Measure and print."""
    x, y = make_data()
    fit, weights = keraflow_fit(x, y)
    runs = {'by hand': hand_written(x, y, weights), 'fit': fit}
    losses = {}
    for name, run in runs.items():
        start = time.perf_counter()
        losses[name] = run(0)
        print(f'{name}: {time.perf_counter() - start:.1f} s with compiling')
    np.testing.assert_allclose(losses['fit'], losses['by hand'], rtol=1e-3)
    times = {name: [] for name in runs}
    for seed in range(1, NB_ROUND + 1):
        for name, run in list(runs.items())[::-1 if seed % 2 else 1]:
            times[name].append(timed(run, seed)[0])
    print(f'Train step of LSTM({SIZE}) on {NB_STEP} steps of {DIM}, Adam, batch {BATCH_SIZE}, on {B.name()}: the middle of {NB_ROUND} rounds')
    for name, each in times.items():
        ratio = statistics.median(one / by_hand for one, by_hand in zip(each, times['by hand']))
        goal = f'  goal: at most {GOAL}' if name == 'fit' else ''
        print(f'{name:10} {statistics.median(each):7.2f} ms  {ratio:5.2f} times by hand{goal}')


if __name__ == '__main__':
    main()
