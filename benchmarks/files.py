"""Measure the cost of a layer of a large model in files: the text of its architecture and the container of its weights.

Measured on 1,000 and on 10,000 descriptions of a ``Dense`` layer and on as many tensors. The last column divides the
cost of one in the long file by that in the short one. Goal: at most 1.5. Hostile texts, which are refused, are
measured, too.
"""
import time

import numpy as np

from keraflow.errors import ModelFileError
from keraflow.files.plaindata import dump_json, dump_yaml, parse_json, parse_yaml
from keraflow.files.tensors import dump_tensors, parse_tensors

GOAL = 1.5
NB_ROUND = 5


def architecture(nb_layer):
    """Return plain data like that of a chain of layers."""
    return {'version': 1, 'layers': [
        {'name': f'dense{number}', 'class': 'Dense', 'args': {'output_dim': 64, 'init': 'glorot_uniform', 'bias': True}}
        for number in range(nb_layer)]}


def weights(nb_tensor):
    """Return as many small tensors by name."""
    return {f'dense{number}/0/W': np.zeros(2, 'float32') for number in range(nb_tensor)}


def refused(text):
    """Parse a text that must be refused."""
    try:
        parse_json(text)
    except ModelFileError:
        return
    raise AssertionError(f'not refused: {text[:20]}')


def best(function, argument):
    """Return the shortest time of several rounds, in seconds."""
    times = []
    for _ in range(NB_ROUND):
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    """Measure and print."""
    stages = {
        'write YAML': (dump_yaml, architecture),
        'read YAML': (parse_yaml, lambda number: dump_yaml(architecture(number))),
        'write JSON': (dump_json, architecture),
        'read JSON': (parse_json, lambda number: dump_json(architecture(number))),
        'write tensors': (dump_tensors, weights),
        'read tensors': (parse_tensors, lambda number: dump_tensors(weights(number))),
        'refuse [[[': (refused, lambda number: '[1,' * number * 10),
        'refuse """': (refused, lambda number: '"' + '\\"' * number * 10),
    }
    print(f'Microseconds for each layer, tensor or ten characters, the best of {NB_ROUND} rounds')
    print(f'{"":14} {"1,000":>8} {"10,000":>8} {"long / short":>13}')
    for stage, (function, make) in stages.items():
        short, long = (1e6 * best(function, make(number)) / number for number in (1000, 10000))
        print(f'{stage:14} {short:8.2f} {long:8.2f} {long / short:13.2f}')
    print(f'Goal: at most {GOAL}.')


if __name__ == '__main__':
    main()
