"""Measure the growth of memory while models are made and dropped.

After a warm-up, it compares resident memory before and after many small models: only built, built and used by
``predict``, and trained for one epoch. Goal: at most 20 MB for each line.
"""
import gc

import numpy as np
import psutil

from keraflow import backend as B
from keraflow.layers import Dense, Dropout, Input
from keraflow.models import Model

GOAL = 20
X, Y = np.ones((4, 8)), np.eye(4)


def build():
    """Build a small model."""
    x = Input(8)
    h = Dropout(0.1)(Dense(16, activation='relu')(x))
    return Model(x, Dense(4, activation='softmax')(h))


def predict():
    """Build a small model, and predict four samples."""
    build().predict(X)


def train():
    """Build a small model, train it for a step and use it."""
    model = build()
    model.compile('adam', 'categorical_crossentropy')
    model.fit(X, Y, nb_epoch=1, verbose=0)
    model.predict(X)


def resident():
    """Return resident memory in MB, after garbage collection."""
    gc.collect()
    return psutil.Process().memory_info().rss / 2 ** 20


def main():
    """Measure and print."""
    print(f'Resident memory while small models are made and dropped, on {B.name()}')
    print(f'{"":10} {"models":>7} {"before":>10} {"growth":>9}')
    for what, nb_warm_up, nb_model in ((build, 100, 1000), (predict, 20, 100), (train, 20, 100)):
        for _ in range(nb_warm_up):
            what()
        before = resident()
        for _ in range(nb_model):
            what()
        print(f'{what.__name__:10} {nb_model:7} {before:7.1f} MB {resident() - before:6.1f} MB', flush=True)
    print(f'Goal: at most {GOAL} MB.')


if __name__ == '__main__':
    main()
