"""What the benchmarks of train steps share: training through ``fit`` and by hand, in turns, from the same weights.

Import it first: it configures OpenBLAS before that is loaded.
"""
import os
import statistics
import time

# Its threads wait for each other in busy loops, which would dominate when other programs run.
os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')

import numpy as np  # noqa: E402
from _data import random_data  # noqa: E402
from _hand_written import LR, make_step, mlp, train  # noqa: E402

from keraflow import backend as B  # noqa: E402
from keraflow import random  # noqa: E402
from keraflow.optimizers import Adam  # noqa: E402

__all__ = ['LR', 'compare', 'mlp', 'random_data', 'take_turns', 'trainer']

GOAL = 1.10


def compare(title, model, x, y, by_hand, batch_size, nb_epoch=1, nb_round=9, others=()):
    """Measure and print, for Adam and a categorical cross-entropy.

    Parameters
    ----------
    title : str
        What is trained.
    model : Model
        Trained through ``fit``.
    x, y : array
        The data of both.
    by_hand : tuple
        ``(logits, weights, x)``: the hand-written network, its weights from those of the model, and `x` as it needs it.
    batch_size, nb_epoch, nb_round : int
        Of one turn; the number of turns.
    others : sequence of (str, function)
        Further contestants, for information: a name, and a function of a seed that trains `nb_epoch` epochs.
    """
    model.compile(Adam(LR), 'categorical_crossentropy')
    logits, weights, own_x = by_hand
    step = make_step[B.name()](logits, [np.ascontiguousarray(it) for it in weights], own_x.shape[1:])
    fit = trainer(model, x, y, batch_size, nb_epoch)
    take_turns(f'{title}, Adam', fit, step, own_x, y, batch_size, nb_epoch, nb_round, others)


def trainer(model, x, y, batch_size, nb_epoch):
    """Return a function of a seed that trains a compiled model by ``fit``, and returns the loss."""
    def fit(seed):
        random.seed(seed)
        return model.fit(x, y, batch_size=batch_size, nb_epoch=nb_epoch, verbose=0)[-1]['loss']
    return fit


def take_turns(title, fit, step, own_x, y, batch_size, nb_epoch=1, nb_round=9, others=()):
    """Time `fit`, a :func:`trainer`, and `step`, a hand-written step from a batch of `own_x` and `y` to its loss, and print.

    The other arguments are those of :func:`compare`.
    """
    def loop(seed):
        return train(step, own_x, y, batch_size, nb_epoch, seed)

    runs = {'by hand': loop, 'fit': fit, **dict(others)}
    losses = {}
    for name, run in runs.items():
        start = time.perf_counter()
        losses[name] = run(0)
        print(f'{name}: {time.perf_counter() - start:.1f} s with compiling')
    np.testing.assert_allclose(losses['fit'], losses['by hand'], rtol=1e-3)
    times = {name: [] for name in runs}
    for seed in range(1, nb_round + 1):
        for name, run in list(runs.items())[::-1 if seed % 2 else 1]:
            start = time.perf_counter()
            run(seed)
            times[name].append(1000 * (time.perf_counter() - start) / (nb_epoch * -(-len(y) // batch_size)))
    print(f'Train step of {title}, batch {batch_size}, on {B.name()}: the middle of {nb_round} rounds')
    for name, each in times.items():
        ratio = statistics.median(one / by_hand for one, by_hand in zip(each, times['by hand']))
        goal = f'  goal: at most {GOAL}' if name == 'fit' else ''
        print(f'{name:10} {statistics.median(each):7.2f} ms  {ratio:5.2f} times by hand{goal}')
