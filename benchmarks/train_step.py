"""The time of a train step through ``fit``, against a loop written by hand for the same backend.

Both train 784-512-512-10 with Adam on the same NumPy arrays, in the same shuffled batches of 128, from the same weights; that
their losses agree is checked. They take turns, two epochs each, and the table shows the middle one of the rounds and of the
ratios within a round. Goal: at most 1.10 times the loop. Where Keras is installed its ``fit`` takes turns too, for
information.
"""
import importlib.util
import os
import statistics
import time

# Before OpenBLAS is loaded: its threads wait for each other busily, and beside other programs that is what one would measure.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import numpy as np  # noqa: E402
from _hand_written import LR, make_step  # noqa: E402

from keraflow import backend as B  # noqa: E402
from keraflow import random  # noqa: E402
from keraflow.layers import Dense, Input  # noqa: E402
from keraflow.models import Model  # noqa: E402
from keraflow.optimizers import Adam  # noqa: E402

SIZES = (784, 512, 512, 10)
BATCH_SIZE, NB_BATCH, NB_EPOCH, NB_ROUND = 128, 50, 2, 15
GOAL = 1.10


def make_data():
    """Random numbers, of which nothing is learned: the time of a step does not depend on it."""
    generator = np.random.default_rng(0)
    nb_sample = BATCH_SIZE * NB_BATCH
    x = generator.standard_normal((nb_sample, SIZES[0]), 'float32')
    return x, np.eye(SIZES[-1], dtype='float32')[generator.integers(SIZES[-1], size=nb_sample)]


def keraflow_fit(x, y):
    """Some epochs of ``fit`` as a function of the seed of the shuffles, and the initial weights."""
    inputs = h = Input(SIZES[0])
    for size in SIZES[1:-1]:
        h = Dense(size, activation='relu')(h)
    model = Model(inputs, Dense(SIZES[-1], activation='softmax')(h))
    model.compile(Adam(LR), 'categorical_crossentropy')

    def run(seed):
        random.seed(seed)
        return model.fit(x, y, batch_size=BATCH_SIZE, nb_epoch=NB_EPOCH, verbose=0)[-1]['loss']
    return run, list(model.get_weights().values())


def hand_written(x, y, weights):
    """The same with the hand-written step. The losses are read at the end of an epoch, which costs least."""
    step = make_step[B.name()](weights)

    def run(seed):
        generator = np.random.default_rng(seed)
        for _ in range(NB_EPOCH):
            order = generator.permutation(len(x))
            parts = [order[start:start + BATCH_SIZE] for start in range(0, len(x), BATCH_SIZE)]
            losses = [step(x[part], y[part]) for part in parts]
        return float(np.mean([np.asarray(loss) for loss in losses]))
    return run


def keras_fit(x, y):
    """The same with Keras, which draws its own weights and shuffles."""
    os.environ['KERAS_BACKEND'] = 'tensorflow'
    import keras
    model = keras.Sequential([keras.Input(SIZES[:1]), *[keras.layers.Dense(size, 'relu') for size in SIZES[1:-1]],
                              keras.layers.Dense(SIZES[-1], 'softmax')])
    model.compile(keras.optimizers.Adam(LR), 'categorical_crossentropy')
    return lambda seed: model.fit(x, y, batch_size=BATCH_SIZE, epochs=NB_EPOCH, verbose=0).history['loss'][-1]


def timed(run, seed):
    """Milliseconds for each step, and the loss."""
    start = time.perf_counter()
    loss = run(seed)
    return 1000 * (time.perf_counter() - start) / (NB_BATCH * NB_EPOCH), loss


def main():
    """Measure and print."""
    x, y = make_data()
    fit, weights = keraflow_fit(x, y)
    runs = {'by hand': hand_written(x, y, weights), 'fit': fit}
    if B.name() == 'tensorflow' and importlib.util.find_spec('keras'):
        runs['Keras fit'] = keras_fit(x, y)
    losses = {name: timed(run, 0)[1] for name, run in runs.items()}     # compiles
    np.testing.assert_allclose(losses['fit'], losses['by hand'], rtol=1e-3)
    times = {name: [] for name in runs}
    for seed in range(1, NB_ROUND + 1):
        for name, run in list(runs.items())[::-1 if seed % 2 else 1]:
            times[name].append(timed(run, seed)[0])
    print(f'Train step of {"-".join(map(str, SIZES))}, Adam, batch {BATCH_SIZE}, on {B.name()}: the middle of {NB_ROUND} rounds')
    for name, each in times.items():
        ratio = statistics.median(one / by_hand for one, by_hand in zip(each, times['by hand']))
        goal = f'  goal: at most {GOAL}' if name == 'fit' else ''
        print(f'{name:10} {statistics.median(each):7.2f} ms  {ratio:5.2f} times by hand{goal}')


if __name__ == '__main__':
    main()
