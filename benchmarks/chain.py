"""Measure the cost of a layer in a large network: to link, to put into a Model, to save as JSON and to load.

Measured on chains of 1,000 and of 10,000 ``Dense`` layers and on 1,000 residual blocks (a ``Dense`` layer whose output
is added to its input: two layers a block). The last column divides the cost of a layer in the long chain by that in the
short one. Goal: at most 1.5 for the total, which means that everything is linear. The garbage collector stays on, as
for users.
"""
import json
import time

from keraflow import backend as B
from keraflow import serialize, unserialize
from keraflow.layers import Dense, ElementWiseSum, Input
from keraflow.models import Model

STAGES = ('link', 'Model()', 'serialize', 'JSON dump', 'JSON parse', 'unserialize')
WIDTH = 4
GOAL = 1.5


def chain(nb_layer):
    """Build a chain; return its Input and last Kensor."""
    inputs = x = Input(WIDTH)
    for _ in range(nb_layer):
        x = Dense(WIDTH)(x)
    return inputs, x


def residual(nb_block):
    """Build residual blocks; return their Input and last Kensor."""
    inputs = x = Input(WIDTH)
    for _ in range(nb_block):
        x = ElementWiseSum()([x, Dense(WIDTH)(x)])
    return inputs, x


def measure(make, size, nb_layer):
    """Return the microseconds for each layer in each of the stages."""
    result = None
    times = []
    for stage in (lambda _: make(size), lambda ends: Model(*ends), serialize, json.dumps, json.loads, unserialize):
        start = time.perf_counter()
        result = stage(result)
        times.append(1e6 * (time.perf_counter() - start) / nb_layer)
    assert len(result.layers) == nb_layer + 1
    return times


def main():
    """Measure and print."""
    measure(residual, 50, 100)      # warm up
    short, blocks, long = measure(chain, 1000, 1000), measure(residual, 1000, 2000), measure(chain, 10000, 10000)
    print(f'Microseconds for each layer, on {B.name()}')
    print(f'{"":12} {"1,000 chained":>14} {"1,000 blocks":>14} {"10,000 chained":>15} {"long / short":>13}')
    for stage, *times in [*zip(STAGES, short, blocks, long), ('total', sum(short), sum(blocks), sum(long))]:
        print(f'{stage:12} {times[0]:14.1f} {times[1]:14.1f} {times[2]:15.1f} {times[2] / times[0]:13.2f}')
    print(f'Goal: at most {GOAL} for the total.')


if __name__ == '__main__':
    main()
